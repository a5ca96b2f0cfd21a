"""One plain function for each command: the door for scripts."""
