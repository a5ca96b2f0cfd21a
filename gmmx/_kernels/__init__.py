"""Every numba function, by stage: arrays in, new arrays out."""
