"""The only code that touches disk: the reader and the writer of each format share a module."""
