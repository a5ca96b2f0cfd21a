"""Numbers and images from one set of parameters; nothing here draws or reads files."""
