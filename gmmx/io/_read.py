"""How FITS files are opened: every way in which that can fail becomes one line that names the file."""

import gzip
import hashlib
import re
import warnings
import zlib
from contextlib import contextmanager
from pathlib import Path

from astropy.io import fits

from ..errors import DataError, GmmxError

BLOCK = 2880
GZIP_MAGIC = b"\x1f\x8b"


def check_input(path, *, way_out="check its name and folder"):
    """The path as a Path, after making sure that it names a file; `way_out` says what to do where it does not.

    Raises
    ------
    DataError
        When it does not; a CIAO filter in brackets after the name is pointed out.
    """
    given, path = str(path), Path(path)
    if path.is_file():
        return path
    if path.is_dir():
        raise DataError(f"{given}: is a folder: name a file in it")
    virtual = re.fullmatch(r"(.+?)\[.*\]\s*", given, re.DOTALL)
    if virtual and Path(virtual[1]).exists():
        raise DataError(
            f"{given}: filters in brackets are applied to event files alone: give {virtual[1]}"
        )
    raise DataError(f"{given}: no such file: {way_out}")


def file_digest(path):
    """The SHA-256 of a file's bytes as they are on disk, in hexadecimal; DataError when it is not there."""
    path = check_input(path)
    with reading(path), open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def reading(path):
    """A context in which what goes wrong with a FITS file is told in one line, and astropy's remarks on sloppy headers are not.

    Raises
    ------
    DataError
        For anything that the body raises because of the file's content.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except GmmxError:
        raise
    except (EOFError, zlib.error) as error:
        raise DataError(f"{path}: truncated or damaged: fetch it again") from error
    except gzip.BadGzipFile as error:
        raise DataError(f"{path}: damaged gzip: fetch it again") from error
    except PermissionError as error:
        raise DataError(
            f"{path}: not readable (permission denied): check its permissions"
        ) from error
    except (
        OSError,
        MemoryError,
        TypeError,
        ValueError,
        KeyError,
        IndexError,
        AttributeError,
        fits.VerifyError,
    ) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path}: truncated or damaged ({reason}): fetch it again") from error


@contextmanager
def fits_stream(path, *, way_out="give a FITS image, gzipped or not"):
    """The bytes of a FITS file, gzipped or not, from its start; `way_out` says what to give where it is none.

    Yields
    ------
    file object

    Raises
    ------
    DataError
        When the file is not there, not readable or not FITS.
    """
    path = check_input(path, way_out=way_out)
    with reading(path), open(path, "rb") as raw:
        zipped = raw.read(2) == GZIP_MAGIC
    with gzip.open(path, "rb") if zipped else open(path, "rb") as stream:
        with reading(path):
            if stream.read(9) != b"SIMPLE  =":
                raise DataError(f"{path}: not a FITS file: {way_out}")
            stream.seek(0)
        # Not within `reading`: the body's own warnings are to be heard.
        yield stream


def headers(stream):
    """Each header of a FITS stream with the place where its data begin, (header, offset), reading no data."""
    offset = 0
    while True:
        stream.seek(offset)
        # Peeking, because a step back in a gzip stream may mean to start over.
        if not stream.peek(1):
            return
        header = fits.Header.fromfile(stream, endcard=True)
        start = stream.tell()
        yield header, start
        offset = start + -(-data_size(header) // BLOCK) * BLOCK


def data_size(header):
    """Bytes of an HDU's data, padding left out (FITS standard 4.0, equations 1 and 2)."""
    n_axes = header.get("NAXIS", 0)
    if n_axes == 0:
        return 0
    lengths = [header[f"NAXIS{i}"] for i in range(1, n_axes + 1)]
    if lengths[0] == 0 and header.get("GROUPS", False):
        lengths = lengths[1:]
    size = 1
    for length in lengths:
        size *= length
    return abs(header["BITPIX"]) // 8 * header.get("GCOUNT", 1) * (header.get("PCOUNT", 0) + size)
