"""Every failure of reading a file becomes one line that names the file and the true cause."""

import gzip
import re
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike

from astropy.io import fits

from ..errors import DataError, GmmxError

_FIT_PICTURE = "fit it with `picture`, whatever its name is"
# What a file is that begins in one of these ways, and what to do.
_KINDS = (
    (rb"\x89HDF", "an HDF5 file", "name the FITS file"),
    (rb"BZh", "compressed by bzip2", "unpack it, or compress it with gzip"),
    (rb"\xfd7zXZ", "compressed by xz", "unpack it, or compress it with gzip"),
    (rb"\x28\xb5\x2f\xfd", "compressed by zstd", "unpack it, or compress it with gzip"),
    (rb"\x1f\x9d", "compressed by compress", "unpack it, or compress it with gzip"),
    (rb"PK\x03\x04", "a zip archive", "unpack it"),
    (rb".{257}ustar", "a tar archive", "unpack it"),
    (rb"%PDF", "a PDF document", "name the FITS file"),
    (rb"version https://git-lfs", "the pointer of a Git LFS file", "fetch the file itself"),
    (rb"\s*(<!DOCTYPE html|<html)", "an HTML page, perhaps an error message", "fetch it again"),
    (rb"\s*<\?xml", "an XML file", "name the FITS file"),
    (rb"\0+$", "filled with zeros only", "fetch it again"),
    (rb"\x89PNG\r\n", "a PNG picture", f"name the FITS file, or {_FIT_PICTURE}"),
    (rb"\xff\xd8\xff", "a JPEG picture", f"name the FITS file, or {_FIT_PICTURE}"),
    (rb"II\*\0|MM\0\*", "a TIFF picture", f"name the FITS file, or {_FIT_PICTURE}"),
    (rb"XTENSION=", "an extension without its primary header", "fetch it again"),
)


class BadFileError(ValueError):
    """A file is not as its format wants it; the text is the cause and the way out."""


def kind_of(head: bytes) -> tuple[str, str] | None:
    """Say what kind of file begins in some way, if it is no FITS file.

    Parameters
    ----------
    head : bytes
        The first bytes of the file, a few hundred if it has as many.

    Returns
    -------
    (str, str) or None
        What the file is, and what to do; None if that is not known.

    Examples
    --------
    >>> kind_of(b"<!DOCTYPE html><html><title>404 Not Found</title>")
    ('an HTML page, perhaps an error message', 'fetch it again')
    """
    if not head:
        return "empty", "fetch it again"
    found = (
        (kind, cure)
        for pattern, kind, cure in _KINDS
        if re.match(pattern, head, re.DOTALL | re.IGNORECASE)
    )
    return next(found, None)


@contextmanager
def reading(path: str | PathLike, form: str = "FITS") -> Iterator[None]:
    """Turn every error that a file causes into one line, and silence astropy's warnings.

    Parameters
    ----------
    path : str or Path
        The file, for the message.
    form : str
        The format that the file should have, for the message.

    Raises
    ------
    DataError
        For any error of the body that the file causes, with its cause.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except GmmxError:
        raise
    except (
        OSError,
        EOFError,
        zlib.error,
        MemoryError,
        ArithmeticError,
        TypeError,
        ValueError,
        AssertionError,
        LookupError,
        AttributeError,
        fits.VerifyError,
    ) as error:
        raise DataError(f"{path}: {_cause(error, form)}") from error


def _cause(error, form):
    """Return the cause of an error and the way out."""
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    if isinstance(error, BadFileError):
        return reason
    if isinstance(error, EOFError):
        return "truncated: its gzip data end too early: fetch it again"
    if isinstance(error, zlib.error | gzip.BadGzipFile):
        return f"damaged gzip data ({reason}): fetch it again"
    if isinstance(error, PermissionError):
        return "not readable (permission denied): check its permissions"
    if isinstance(error, BlockingIOError):
        return "in use by another program: try again when that has closed it"
    if isinstance(error, OSError) and error.errno is not None:
        return f"it cannot be read ({error.strerror}): check the disk or the network"
    if isinstance(error, MemoryError):
        return f"too large for the memory ({reason}): close other programs, or cut the file"
    card = re.match(r"Unparsable card \((.*?)\)", reason)
    if card:
        return f"its header has a value of {card[1]} that FITS does not allow: correct it"
    keyword = re.search(r"Keyword '(\w+)' not found", reason)
    if keyword:
        return f"its header has no {keyword[1]}, which is needed: fetch it again"
    return f"not understood as {form} ({reason}): damaged? Fetch it again"
