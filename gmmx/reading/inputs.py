"""Records of the files that an observation or a fit was made from."""

from ..io.files import file_digest
from ..model.pointing import InputFile


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
