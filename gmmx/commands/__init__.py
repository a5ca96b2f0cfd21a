"""One plain function for each command, from files to files: what a script calls.

The command line adds nothing but parsing and printing. Each function has a module of its own
name, for instance ``from gmmx.commands.fit import fit``. `notebook` has the same for objects.

These parameters are the same in all of them:

model : path
    The model file.
out : path
    The file to write. Its ending names the format.
config : object, optional
    The options of the command, an object of its class in `gmmx.config`.
overwrite : bool
    Whether existing files may be replaced.
inputs : sequence of path
    Further files that no output may replace, such as a configuration file. The model, and the files
    that it was made from, are never replaced.
command : str, optional
    The command line, for the record in what is written.
callback : callable, optional
    Called with the number of finished steps and the number of all steps.

All of them raise a GmmxError if an output cannot be written, which is checked before any work is
done, or if an input cannot be used.
"""
