"""How files are written: aside, under a name of their own, then renamed; what exists is replaced only on request, and never by half a file."""

import os
import secrets
from contextlib import contextmanager
from pathlib import Path

from ..errors import OutputError


def check_target(path, *, overwrite=False, suffixes=None):
    """The path that an output will have, after making sure that it can be written.

    Parameters
    ----------
    path : str or Path
    overwrite : bool
        Whether a file that exists may be replaced.
    suffixes : iterable of str, optional
        The endings that are known; the path's own must be one of them, in either case.

    Raises
    ------
    OutputError
        When the target exists and may not be replaced, is not a file, has an unknown suffix, or its folder is missing or not writable.
    """
    path = Path(path)
    if suffixes is not None and not path.name.lower().endswith(tuple(suffixes)):
        raise OutputError(
            f"{path}: cannot tell the format from {path.suffix or 'no suffix'!r}: end it in {', '.join(suffixes)}"
        )
    # A link is followed, so that the file it stands for is replaced and not the link.
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise OutputError(f"{path}: is a folder: name a file in it")
    if target.exists() and not target.is_file():
        raise OutputError(f"{path}: is not a regular file: name another output")
    if target.exists() and not overwrite:
        raise OutputError(f"{path}: exists: choose another name, or replace it with --overwrite")
    if not target.parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.parent}: create it first")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: the folder {path.parent} is not writable: choose another")
    return target


@contextmanager
def replacing(path, overwrite=False, *, suffixes=None):
    """A new, empty file in the target's folder, to be written by the body; it takes the target's place when the body ends well, and is removed when not.

    Yields
    ------
    Path
        The file to write; it ends in the target's suffix.

    Raises
    ------
    OutputError
        As `check_target` does, and when the system refuses to write (a full disk, a quota).
    """
    target = check_target(path, overwrite=overwrite, suffixes=suffixes)
    aside = target.with_name(f".{secrets.token_hex(6)}{target.suffix}")
    try:
        # Not tempfile.mkstemp: its files are closed to the group whatever the umask says.
        with open(aside, "xb"):
            pass
        yield aside
        check_target(path, overwrite=overwrite)
        os.replace(aside, target)
    except OSError as error:
        reason = error.strerror or str(error).splitlines()[0]
        raise OutputError(
            f"{path}: could not be written ({reason}): choose another place, or make room"
        ) from error
    finally:
        # A process that is told to stop leaves nothing behind either; after the renaming there is nothing to remove.
        aside.unlink(missing_ok=True)


@contextmanager
def replacing_hdf5(path, overwrite=False, *, suffixes=None):
    """The same for HDF5: a file in memory for the body to fill, written when it is complete.

    HDF5 itself does not survive a full disk: it reports it while it closes its objects, past any handler.

    Yields
    ------
    h5py.File
    """
    import h5py

    with replacing(path, overwrite, suffixes=suffixes) as aside:
        # Attributes of more than 64 kB (options that name many files) need the newer of HDF5's layouts.
        with h5py.File(
            aside.name, "w", driver="core", backing_store=False, libver=("v110", "v110")
        ) as file:
            yield file
            file.flush()
            content = file.id.get_file_image()
        aside.write_bytes(content)
