"""One plain function for each command, from files to files: what a script calls.

The command line adds nothing but parsing and printing. Each function has a module of its own
name, for instance ``from gmmx.commands.fit import fit``. `notebook` has the same for objects.
"""
