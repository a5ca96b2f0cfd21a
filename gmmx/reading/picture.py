"""Samples from the pixels of a picture."""

from os import PathLike

import numpy as np

from ..config import PictureOptions
from ..errors import DataError
from ..io.pictures import brightness, read_picture
from ..model.samples import Samples

# Names of the coordinates of a pixel, and of its colours.
PLACE, COLOURS = ("x", "y"), ("red", "green", "blue")
# Half of a step between two of 256 levels: a colour is known no better.
_LEVEL = 0.5 / 255


def read_picture_samples(path: str | PathLike, options: PictureOptions) -> Samples:
    """Read a picture as samples: dark pixels of a drawing, or all pixels with their colours.

    The centre of the lower left pixel is at (0, 0), and y runs upwards. Each sample of a drawing
    has its darkness as its weight, between 0 and 1.

    Parameters
    ----------
    path : str or Path
    options : PictureOptions

    Returns
    -------
    Samples
        With the columns x and y [pixel], and red, green and blue between 0 and 1 for `colour`.

    Raises
    ------
    DataError
        If the file is no picture, is too large, has one colour only, or no pixel is dark.

    Examples
    --------
    >>> from gmmx.io.pictures import write_picture
    >>> write_picture("dot.png", np.array([[1.0, 0.0, 1.0]]))
    >>> read_picture_samples("dot.png", PictureOptions()).x
    array([[1., 0.]])
    """
    rgb = read_picture(path)
    ny, nx, _ = rgb.shape
    if np.all(np.ptp(rgb, axis=(0, 1)) < _LEVEL):
        raise DataError(f"{path}: all pixels have one colour: there is nothing to fit")
    y, x = np.mgrid[ny - 1 : -1 : -1, 0:nx].astype(float)
    if options.colour:
        every = np.column_stack([x.ravel(), y.ravel(), rgb.reshape(-1, 3)])
        return Samples(x=every, names=(*PLACE, *COLOURS))
    dark = brightness(rgb) if options.invert else 1 - brightness(rgb)
    drawn = dark > max(options.threshold, _LEVEL)
    if not drawn.any():
        kind = "bright" if options.invert else "dark"
        raise DataError(
            f"{path}: no pixel is {kind} by more than {options.threshold:g}: lower `threshold`, or "
            f"change `invert`",
            parameter="threshold",
        )
    return Samples(x=np.column_stack([x[drawn], y[drawn]]), weights=dark[drawn], names=PLACE)
