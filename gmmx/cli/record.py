"""The command line as figures record it."""

import shlex

# Options that name outputs, and those that change nothing in a figure.
_OUTPUTS = ("--out", "--alt")
_SILENT = ("--overwrite", "--json", "-q", "--quiet", "-v", "--verbose")


def without_output(command: str) -> str:
    """A command line without its output file, so that a figure does not depend on its own name.

    Examples
    --------
    >>> without_output("gmmx plot a.h5 --out fig.png --what signal --alt=fig.txt --overwrite -q")
    'gmmx plot a.h5 --what signal'
    """
    words = iter(shlex.split(command))
    kept = []
    for word in words:
        name, given, _ = word.partition("=")
        if name in _OUTPUTS:
            if not given:
                next(words, None)
        elif word not in _SILENT:
            kept.append(word)
    return shlex.join(kept)
