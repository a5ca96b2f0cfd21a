"""Opening FITS files: which HDUs they hold, and whether their checksums are right.

The SHA-256 of a file is taken while the file is read. `file_digest` knows it from then on.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from ..errors import DataError
from ._causes import kind_of, reading
from ._checksum import BLOCK, SummedStream
from ._digest import DigestedFile, digest_of
from ._open_fits import OpenFits, checksums
from ._unzip import GZIP_MAGIC, UnzippedStream

__all__ = [
    "GZIP_MAGIC",
    "OpenFits",
    "check_input",
    "check_sums",
    "checksums",
    "file_digest",
    "open_fits",
    "reading",
]

# Read at a time [byte]: whole blocks, so that each of them is summed once.
BUFFER = 45 * BLOCK
# Bytes by which a file is recognised.
HEAD = 512
# Gzip data are at most this many times smaller than what they hold.
DEFLATE = 1032


def check_input(path: str | PathLike, *, way_out: str = "check its name and folder") -> Path:
    """Make sure that a path names a file.

    Parameters
    ----------
    path : str or Path
    way_out : str
        Advice for the message if there is no such file.

    Returns
    -------
    Path

    Raises
    ------
    DataError
        If there is no such file, or it is a pipe. A CIAO filter in brackets after the name is
        pointed out.
    """
    given, path = str(path), Path(path)
    if path.is_file():
        return path
    if path.is_dir():
        raise DataError(f"{given}: is a folder: name a file in it")
    if path.exists():
        raise DataError(
            f"{given}: is a pipe or a device, and files are read more than once: save it to a file "
            "and give that one"
        )
    virtual = re.fullmatch(r"(.+?)\[.*\]\s*", given, re.DOTALL)
    if virtual and Path(virtual[1]).exists():
        raise DataError(
            f"{given}: filters in brackets apply to event files only: give {virtual[1]}"
        )
    raise DataError(f"{given}: no such file: {way_out}")


def file_digest(path: str | PathLike) -> str:
    """Return the SHA-256 of the bytes of a file as they are on disk, in hexadecimal.

    A file that this process has read, and that has not changed since, is not read again.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    DataError
        If the file is not there or cannot be read.
    """
    path = check_input(path)
    with reading(path), path.open("rb") as stream:
        return digest_of(stream)


def check_sums(path: str | PathLike) -> None:
    """Compare the checksums of all HDUs of a FITS file, where present.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    DataError
        If the file cannot be read, or a checksum does not hold.
    """
    with open_fits(path) as opened:
        opened.check(*opened.hdus())


@contextmanager
def open_fits(
    path: str | PathLike, *, way_out: str = "give a FITS image, gzipped or not"
) -> Iterator[OpenFits]:
    """Open a FITS file, gzipped or not.

    Parameters
    ----------
    path : str or Path
    way_out : str
        Advice for the message if this is no FITS file.

    Yields
    ------
    OpenFits

    Raises
    ------
    DataError
        If the file is not there, cannot be read or is not FITS.
    """
    path = check_input(path, way_out=way_out)
    with reading(path):
        raw = DigestedFile(path)
    with raw:
        with reading(path):
            is_zipped = raw.peek(2) == GZIP_MAGIC
            packed = io.BufferedReader(raw, BUFFER)
            summed = SummedStream(UnzippedStream(packed) if is_zipped else raw)
            stream: io.BufferedReader = io.BufferedReader(summed, BUFFER)
            head = stream.read(HEAD)
            stream.seek(0)
        if not head.startswith(b"SIMPLE  ="):
            kind, cure = kind_of(head) or ("not a FITS file", way_out)
            raise DataError(f"{path}: {'' if kind.startswith('not') else 'is '}{kind}: {cure}")
        most = raw.size * (DEFLATE if is_zipped else 1)
        # Not within `reading`, because warnings of the body have to be heard.
        yield OpenFits(path, stream, most, raw, summed)
