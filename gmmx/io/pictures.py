"""Pictures: PNG, JPEG and TIFF through Pillow, as arrays and back."""

import struct
from os import PathLike
from pathlib import Path

import numpy as np

from ..errors import DataError
from ._causes import kind_of
from ._picture_modes import shown
from .files import HEAD, check_input, reading
from .write import replacing

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
# Formats that are read. Pillow knows others that are no pictures, FITS among them.
_FORMATS = ("PNG", "JPEG", "MPO", "TIFF", "BMP", "GIF", "WEBP", "PPM")
_FITS = b"SIMPLE  ="
# Larger pictures are refused, because each pixel becomes a sample.
MOST_PIXELS = 40_000_000
# Bytes and processor time that the fit of one pixel with its colour takes, as measured.
_BYTES, _SECONDS = 300, 2e-4
# Weights of red, green and blue in the brightness (ITU-R BT.601), as in Pillow's mode L.
_LUMA = (0.299, 0.587, 0.114)


def is_picture(path: str | PathLike) -> bool:
    """Whether the ending of a file name is that of a picture.

    Examples
    --------
    >>> is_picture("drawing.png"), is_picture("evt2.fits")
    (True, False)
    """
    return Path(path).suffix.lower() in SUFFIXES


def read_picture(path: str | PathLike) -> np.ndarray:
    """Read a picture as red, green and blue between 0 and 1.

    The picture is what a viewer shows: turned upright, and on white where it is transparent.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    (ny, nx, 3) array
        Row 0 is the top of the picture.

    Raises
    ------
    DataError
        If the file is no picture, holds several, or has more than `MOST_PIXELS` pixels.

    Examples
    --------
    >>> write_picture("red.png", np.full((2, 3, 3), (1.0, 0.0, 0.0)))
    >>> read_picture("red.png")[0, 0].tolist()
    [1.0, 0.0, 0.0]
    """
    # Loaded here because that takes a tenth of a second.
    from PIL import Image, UnidentifiedImageError

    path = check_input(path)
    Image.MAX_IMAGE_PIXELS = None
    try:
        with reading(path, "a picture"), Image.open(path) as picture:
            if picture.format not in _FORMATS:
                raise DataError(f"{path}: {_no_picture(path)}")
            check_size(path, *picture.size)
            return shown(picture, path)
    except (SyntaxError, struct.error):
        raise DataError(f"{path}: damaged: fetch it again") from None
    except DataError as error:
        if isinstance(error.__cause__, UnidentifiedImageError) or _head(path).startswith(_FITS):
            raise DataError(f"{path}: {_no_picture(path)}") from None
        if isinstance(error.__cause__, OSError) and error.__cause__.errno is None:
            raise DataError(f"{path}: truncated or damaged: fetch it again") from None
        raise


def check_size(path: str | PathLike, nx: int, ny: int) -> None:
    """Refuse pictures whose fit would take too long or too much memory.

    Parameters
    ----------
    path : str or Path
        The file, for the message.
    nx, ny : int
        Width and height [pixel].

    Raises
    ------
    DataError
        If there are more than `MOST_PIXELS` pixels.

    Examples
    --------
    >>> check_size("photo.png", 10_000, 10_000)
    Traceback (most recent call last):
    gmmx.errors.DataError: photo.png: 10000 x 10000 pixels are 100 million samples, whose fit ...
    """
    if nx * ny > MOST_PIXELS:
        raise DataError(
            f"{path}: {nx} x {ny} pixels are {nx * ny / 1e6:.0f} million samples, whose fit would "
            f"take about {nx * ny * _BYTES / 1e9:.0f} GB and {nx * ny * _SECONDS / 3600:.0f} hours "
            f"of processor time for 500 components: make the picture smaller, to at most "
            f"{MOST_PIXELS / 1e6:.0f} million pixels"
        )


def brightness(rgb: np.ndarray) -> np.ndarray:
    """Brightness of a picture between 0 and 1, (ny, nx): 0.299 R + 0.587 G + 0.114 B.

    Parameters
    ----------
    rgb : (ny, nx, 3) array

    Examples
    --------
    >>> brightness(np.ones((1, 1, 3))).round(6).tolist()
    [[1.0]]
    """
    return rgb @ np.array(_LUMA)


def write_picture(path: str | PathLike, values: np.ndarray, *, overwrite: bool = False) -> None:
    """Write a picture of 8 bits for each channel.

    Parameters
    ----------
    path : str or Path
        Its ending is one of `SUFFIXES`.
    values : (ny, nx) or (ny, nx, 3) array
        Between 0 and 1; values beyond are clipped. Row 0 is the top of the picture.
    overwrite : bool
        Replace the file if it exists.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is false, or cannot be written.
    """
    from PIL import Image

    bytes_ = np.rint(255 * np.clip(values, 0.0, 1.0)).astype(np.uint8)
    with replacing(path, overwrite, suffixes=SUFFIXES) as aside:
        Image.fromarray(bytes_).save(aside)


def _no_picture(path):
    """What a file is that Pillow does not know, and what to do."""
    head = _head(path)
    if head.startswith(_FITS):
        return "a FITS file with the ending of a picture: give `picture`, which reads it as it is"
    kind, cure = kind_of(head) or ("not a picture", "")
    if kind.endswith("picture") and cure:
        return f"begins as {kind}, but is damaged: fetch it again"
    cure = cure if cure == "fetch it again" else "give a PNG, JPEG or TIFF"
    return f"{kind}: {cure}"


def _head(path):
    """The first bytes of a file."""
    with Path(path).open("rb") as stream:
        return stream.read(HEAD)
