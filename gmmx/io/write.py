"""How gmmx writes files: to a temporary name beside the target, then renamed.

A file that exists is replaced only on request, and a failure never leaves half a file behind.
"""

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from .._words import either
from ..errors import OutputError

if TYPE_CHECKING:
    import h5py


def check_target(
    path: str | PathLike,
    *,
    overwrite: bool = False,
    suffixes: Iterable[str] | None = None,
    inputs: Iterable[str | PathLike] = (),
) -> Path:
    """Make sure that an output can be written, before any work is done for it.

    Parameters
    ----------
    path : str or Path
        The file to be written.
    overwrite : bool
        Replace the file if it exists.
    suffixes : iterable of str, optional
        The endings that the writer knows, such as ``(".ecsv", ".fits")``; upper and lower case
        are the same.
    inputs : iterable of path
        Files that are never replaced, whatever name the output gives them. Those that do not
        exist are passed over.

    Returns
    -------
    Path
        The file that will be written. A symbolic link is followed, so that the file it points to
        is replaced and the link stays.

    Raises
    ------
    OutputError
        If the file is one of the inputs, if it exists and `overwrite` is false, if it is not a
        regular file, if its ending is unknown, or if its folder is missing or not writable.

    Examples
    --------
    >>> check_target("c.x", suffixes=(".ecsv", ".fits"))
    Traceback (most recent call last):
    ...
    gmmx.errors.OutputError: c.x: cannot tell the format from the ending '.x': use .ecsv or .fits
    """
    path = Path(path)
    suffixes = None if suffixes is None else tuple(suffixes)
    if suffixes is not None and not path.name.lower().endswith(suffixes):
        ending = f"the ending {path.suffix!r}" if path.suffix else "a name without ending"
        known = either(suffixes)
        raise OutputError(f"{path}: cannot tell the format from {ending}: use {known}")
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise OutputError(f"{path}: is a folder: name a file in it")
    if target.exists() and not target.is_file():
        raise OutputError(f"{path}: is not a regular file: name another output")
    check_no_input(path, inputs)
    if target.exists() and not overwrite:
        raise OutputError(f"{path}: exists: choose another name, or replace it with `overwrite`")
    if not target.parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.parent}: create it first")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: the folder {path.parent} is not writable: choose another")
    return target


def check_no_input(path: str | PathLike, inputs: Iterable[str | PathLike]) -> None:
    """Make sure that an output would not replace a file that is read.

    Parameters
    ----------
    path : str or Path
        The file to be written.
    inputs : iterable of path
        Those that do not exist are passed over.

    Raises
    ------
    OutputError
        If the two are one file, perhaps through links.

    Examples
    --------
    >>> _ = Path("evt2.fits").write_text("photons")
    >>> check_no_input("./evt2.fits", ["evt2.fits"])
    Traceback (most recent call last):
    ...
    gmmx.errors.OutputError: ./evt2.fits: is the same file as the input evt2.fits: inputs ...
    """
    for one in inputs:
        if _is_same_file(path, one):
            raise OutputError(
                f"{path}: is the same file as the input {one}: inputs are never replaced: "
                "name another output"
            )


def check_apart(paths: Iterable[str | PathLike]) -> None:
    """Make sure that no two outputs of a command are one file, of which only the last would stay.

    Parameters
    ----------
    paths : iterable of path

    Raises
    ------
    OutputError
        If two of them are one file, perhaps through links. They need not exist.

    Examples
    --------
    >>> check_apart(["sky.fits", "./sky.fits"])
    Traceback (most recent call last):
    ...
    gmmx.errors.OutputError: ./sky.fits: is also the name of another output: name two files
    """
    seen = set()
    for path in paths:
        target = os.path.realpath(path)
        if target in seen:
            raise OutputError(f"{path}: is also the name of another output: name two files")
        seen.add(target)


def _is_same_file(path, other):
    try:
        return Path(path).samefile(other)
    except (OSError, ValueError):
        # One of them does not exist, or its name cannot be that of a file.
        return False


@contextmanager
def replacing(
    path: str | PathLike, overwrite: bool = False, *, suffixes: Iterable[str] | None = None
) -> Iterator[Path]:
    """Give the body of a ``with`` statement a new file that then takes the target's place.

    The new file lies in the target's folder. It is renamed to the target if the body ends
    without an exception, and removed otherwise.

    Parameters
    ----------
    path, overwrite, suffixes
        As in `check_target`.

    Yields
    ------
    Path
        The empty file to write to; it has the target's suffix.

    Raises
    ------
    OutputError
        As `check_target` does, and if the system refuses to write (disk full, quota reached).

    Examples
    --------
    >>> with replacing("note.txt") as aside:
    ...     _ = aside.write_text("complete")
    >>> Path("note.txt").read_text()
    'complete'
    """
    target = check_target(path, overwrite=overwrite, suffixes=suffixes)
    aside = target.with_name(f".{secrets.token_hex(6)}{target.suffix}")
    try:
        # Not tempfile.mkstemp, because its files are closed to the group whatever the umask says.
        with aside.open("xb"):
            pass
        yield aside
        check_target(path, overwrite=overwrite)
        aside.replace(target)
    except OSError as error:
        reason = error.strerror or str(error).splitlines()[0]
        raise OutputError(
            f"{path}: could not be written ({reason}): choose another place, or make room"
        ) from error
    finally:
        # Interrupts pass through here too, so that a stopped process leaves nothing behind.
        aside.unlink(missing_ok=True)


@contextmanager
def replacing_hdf5(
    path: str | PathLike, overwrite: bool = False, *, suffixes: Iterable[str] | None = None
) -> "Iterator[h5py.File]":
    """Give the body of a ``with`` statement an HDF5 file in memory, and write it when complete.

    The file is built in memory because HDF5 reports a full disk while it closes its objects,
    where no exception handler can catch the error.

    Parameters
    ----------
    path, overwrite, suffixes
        As in `check_target`.

    Yields
    ------
    h5py.File
        The open file for the body to fill.

    Raises
    ------
    OutputError
        As `replacing` does.

    Examples
    --------
    >>> with replacing_hdf5("numbers.h5") as file:
    ...     file["numbers"] = [1, 2, 3]
    >>> Path("numbers.h5").exists()
    True
    """
    import h5py

    with replacing(path, overwrite, suffixes=suffixes) as aside:
        # Attributes above 64 kB (options that name many files) need HDF5's newer file layout.
        with h5py.File(
            aside.name, "w", driver="core", backing_store=False, libver=("v110", "v110")
        ) as file:
            yield file
            file.flush()
            content = file.id.get_file_image()
        aside.write_bytes(content)
