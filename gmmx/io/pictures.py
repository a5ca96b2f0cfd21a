"""Pictures: PNG, JPEG and TIFF through Pillow, as arrays and back."""

from os import PathLike
from pathlib import Path

import numpy as np

from ..errors import DataError
from .files import check_input, reading
from .write import replacing

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
# Larger pictures are refused, because each pixel becomes a sample.
MOST_PIXELS = 40_000_000
# Bytes that the fit of one pixel takes: five coordinates, and as many again for sorted copies.
_BYTES = 200
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

    A transparent picture is laid on white.

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
        If the file is no picture, or has more than `MOST_PIXELS` pixels.

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
            nx, ny = picture.size
            if nx * ny > MOST_PIXELS:
                raise DataError(
                    f"{path}: {nx} x {ny} pixels are {nx * ny / 1e6:.0f} million samples, whose "
                    f"fit would take about {nx * ny * _BYTES / 1e9:.0f} GB: make the picture "
                    f"smaller, to at most {MOST_PIXELS / 1e6:.0f} million pixels"
                )
            return _rgb(picture)
    except DataError as error:
        if isinstance(error.__cause__, UnidentifiedImageError):
            raise DataError(
                f"{path}: not a picture that Pillow reads: give a PNG, JPEG or TIFF"
            ) from None
        raise


def read_size(path: str | PathLike) -> tuple[int, int]:
    """Width and height of a picture [pixel].

    Examples
    --------
    >>> write_picture("row.png", np.zeros((2, 3)))
    >>> read_size("row.png")
    (3, 2)
    """
    from PIL import Image

    path = check_input(path)
    Image.MAX_IMAGE_PIXELS = None
    with reading(path, "a picture"), Image.open(path) as picture:
        return picture.size


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


def _rgb(picture):
    """Red, green and blue between 0 and 1 of a picture of any mode."""
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        # Deep greys, whose range Pillow would cut off at 255.
        deep = np.asarray(picture, dtype=float)
        top = 65535.0 if deep.max() > 1.0 else 1.0
        return np.repeat(np.clip(deep / top, 0.0, 1.0)[..., None], 3, axis=2)
    from PIL import Image

    laid = picture.convert("RGBA")
    white = Image.new("RGBA", laid.size, (255, 255, 255, 255))
    return np.asarray(Image.alpha_composite(white, laid).convert("RGB"), dtype=float) / 255
