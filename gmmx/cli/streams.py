"""Standard streams that are closed, that are full, or whose reader has gone.

Messages that cannot be printed never end a command, because its model or its images are what was
asked for. Results that cannot be printed are an error, after all files have been written.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from .._words import readable
from ..errors import InputError, OutputError


class ReaderGoneError(Exception):
    """The reader of standard output has gone: click would exit with 1 for a BrokenPipeError."""


def open_all() -> None:
    """Open the null device in the place of each standard stream that is closed.

    The next file that is opened would otherwise take the number of the stream, and libraries in C
    would write their messages into it. Names that are not text in the encoding of a stream are
    printed with backslashes.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The system gives the lowest number that is free.
            os.open(os.devnull, os.O_RDWR)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")


def say(text: str, *, newline: bool = True) -> None:
    """Print a message on standard error, if that can be written.

    Parameters
    ----------
    text : str
    newline : bool
        Whether the line ends after the text.
    """
    try:
        click.echo(readable(text), err=True, nl=newline)
    except (OSError, ValueError):
        silence(sys.stderr)


@contextmanager
def printing() -> Iterator[None]:
    """Turn the errors of a body that prints on standard output into those of the command line.

    Raises
    ------
    ReaderGoneError
        If the reader of standard output has gone.
    OutputError
        If standard output cannot be written for another reason.
    """
    try:
        yield
    except BrokenPipeError:
        silence(sys.stdout)
        raise ReaderGoneError from None
    except OSError as error:
        if error.filename is not None:
            raise
        silence(sys.stdout)
        raise OutputError(
            f"standard output: could not be written ({error.strerror}): the results are not printed"
        ) from None


def silence(stream) -> None:
    """Send a stream to the null device, because Python flushes it once more at its end.

    Parameters
    ----------
    stream : text stream or None
    """
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (AttributeError, OSError, ValueError):
        # There is no stream, or it is an object of a caller in Python.
        return


def expanded(paths):
    """Return the paths with each "-" replaced by the lines of standard input."""
    found = []
    for path in paths:
        if path == "-":
            found += listed_names()
        else:
            found.append(path)
    if not found:
        raise InputError("-: no file names on standard input: pipe a list of files, one per line")
    return found


def listed_names():
    """Return the file names that standard input lists, one on each line."""
    if sys.stdin is None:
        raise InputError("-: standard input is closed: pipe a list of files, one per line")
    text = sys.stdin.buffer.read()
    if text.startswith((b"SIMPLE  =", b"\x1f\x8b", b"\x89HDF")) or b"\0" in text:
        raise InputError(
            "-: standard input is not a list of file names, one per line: events and models "
            "cannot be piped, because they are read more than once: give the name of a file"
        )
    return [os.fsdecode(line.strip()) for line in text.splitlines() if line.strip()]
