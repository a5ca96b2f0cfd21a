"""The only code that reads and writes files: one module or folder for each format."""
