"""The bytes of region files, gzipped or not, and their text."""

from .._unzip import unzipped
from ..files import check_input, reading


def content_of(path) -> bytes:
    """Return the bytes of a file, unpacked where it is gzipped."""
    path = check_input(path)
    with reading(path):
        content = path.read_bytes()
        return unzipped(content)


def is_fits(content: bytes) -> bool:
    """Tell whether the bytes are those of a FITS file."""
    return content.startswith(b"SIMPLE  =")


def text_of(content: bytes) -> str:
    """Return the bytes as text."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")
