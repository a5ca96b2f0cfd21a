"""Records of the files that an observation or a fit was made from."""

from dataclasses import fields
from pathlib import Path

from ..io.files import file_digest
from ..model.pointing import InputFile
from .background_request import FIXED


def input_files(files):
    """Return the record of each file that was read.

    Parameters
    ----------
    files : sequence of (str, str)
        Role and path as given.

    Returns
    -------
    tuple of InputFile
    """
    return tuple(InputFile(role, str(path), file_digest(path)) for role, path in files)


def named_files(files, config):
    """Return all texts that may name a file that a fit reads.

    A model file that the fit starts from is left out, because a fit may replace it by a better
    one.

    Parameters
    ----------
    files : sequence of FileArgument
        Event lists and counts images.
    config : FitConfig

    Returns
    -------
    list of str or Path
        Words and numbers are among them, and parts of names that contain a comma.
    """
    found = [path for one in files for path in (one.path, *(f.path for f in one.sky if f.path))]
    for name in (field.name for field in fields(config) if field.name != "init"):
        value = getattr(config, name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Path):
                found.append(one)
            elif isinstance(one, str):
                parts = (one, *(part.strip() for part in one.split(",")))
                found += [part.removesuffix(FIXED) for part in parts]
    return found
