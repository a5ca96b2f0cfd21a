"""Opening FITS files: every failure becomes one line that names the file.

The SHA-256 of a file is taken while the file is read. `file_digest` knows it from then on.
"""

import gzip
import hashlib
import io
import os
import re
import time
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from astropy.io import fits

from ..errors import DataError, GmmxError

BLOCK = 2880
GZIP_MAGIC = b"\x1f\x8b"
# A file that changed less than this before [s] may change again without a new time of change,
# because file systems store times in steps of up to 2 s.
CLOCK_STEP = 2.0
# Digests of files that this process has read, by `_version`.
_digests: dict[tuple, str] = {}


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
        version = _version(stream)
        digest = _digests.get(version)
        if digest is None:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            _remember(stream, version, digest)
    return digest


@contextmanager
def reading(path: str | PathLike) -> Iterator[None]:
    """Turn every error that a file causes into one line, and silence astropy's warnings.

    Parameters
    ----------
    path : str or Path
        The file, for the message.

    Raises
    ------
    DataError
        For any error of the body that the content of the file causes.
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


@dataclass(frozen=True)
class OpenFits:
    """An open FITS file.

    Attributes
    ----------
    path : Path
    stream : file object
        The bytes of the FITS file, unzipped.
    """

    path: Path
    stream: io.BufferedIOBase
    _raw: "_Digested"

    def digest(self) -> str:
        """Return the SHA-256 of the file on disk, whose rest is read if need be.

        `file_digest` gives it from now on, too.
        """
        with reading(self.path):
            digest = self._raw.hexdigest()
            _remember(self._raw, self._raw.version, digest)
        return digest


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
        raw = _Digested(path)
    with io.BufferedReader(raw, 1 << 17) as buffered:
        with reading(path):
            is_zipped = buffered.peek(2)[:2] == GZIP_MAGIC
        stream = gzip.GzipFile(fileobj=buffered) if is_zipped else buffered
        with reading(path):
            if stream.read(9) != b"SIMPLE  =":
                raise DataError(f"{path}: not a FITS file: {way_out}")
            stream.seek(0)
        # Not within `reading`, because warnings of the body have to be heard.
        yield OpenFits(path, stream, raw)


def headers(stream):
    """Yield each header of a FITS stream and the offset of its data, without reading the data.

    Parameters
    ----------
    stream : file object
        As from `open_fits`.

    Yields
    ------
    header : astropy.io.fits.Header
    start : int
    """
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


def data_size(header: fits.Header) -> int:
    """Return the number of bytes of the data of an HDU, without padding.

    FITS standard 4.0, equations 1 and 2.
    """
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


class _Digested(io.FileIO):
    """A file that digests each byte once, in the order of the file, while it is read."""

    def __init__(self, path):
        super().__init__(path, "rb")
        self.version = _version(self)
        self._sha256, self._digested = hashlib.sha256(), 0

    def readinto(self, buffer):
        start = self.tell()
        n = super().readinto(buffer)
        # Bytes behind a gap wait until the gap is read.
        if n and start <= self._digested < start + n:
            self._sha256.update(memoryview(buffer)[self._digested - start : n])
            self._digested = start + n
        return n

    def hexdigest(self):
        """Return the digest of the whole file; the rest of the file is read first."""
        here = self.tell()
        self.seek(self._digested)
        buffer = bytearray(1 << 20)
        while self.readinto(buffer):
            pass
        self.seek(here)
        return self._sha256.hexdigest()


def _version(stream):
    """Return what distinguishes the present content of an open file from any other content."""
    status = os.fstat(stream.fileno())
    return (
        *(status.st_dev, status.st_ino, status.st_size),
        *(status.st_mtime_ns, status.st_ctime_ns),
    )


def _remember(stream, version, digest):
    """Remember the digest of an open file that did not change while it was read."""
    is_settled = time.time() - os.fstat(stream.fileno()).st_mtime > CLOCK_STEP
    if is_settled and _version(stream) == version:
        _digests[version] = digest
