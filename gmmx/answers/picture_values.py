"""The values that a mixture of a drawing or of a FITS image gives to pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from .pictures import COLOURS, density_picture, picture_size

if TYPE_CHECKING:
    from ..model.samples_result import SamplesResult

# Components narrower than this are averaged over each pixel at so many points a side. The average
# of the narrowest, a pixel wide, then adds up to 1 within 1e-6.
_NARROW, _POINTS = 3.0, 3


def pixel_values(result: SamplesResult, size: tuple[int, int] | None = None) -> np.ndarray:
    """Values of the pixels that a mixture of a drawing or of a FITS image expects.

    The value of a pixel is the mean of the density within it, times the value of a pixel of weight
    1 for a FITS image. On the grid of the picture they therefore add up to the values of its
    samples, except for what lies outside of it. Smaller pixels have the same values, not smaller
    ones.

    Parameters
    ----------
    result : SamplesResult
        Of a picture without colours.
    size : (int, int), optional
        nx and ny; by default those of the picture.

    Returns
    -------
    (ny, nx) array
        In the unit of a FITS image, or the darkness of a drawing; row 0 is the top.

    Raises
    ------
    InputError
        If the mixture has colours, or is not of a picture.
    """
    width, height = picture_size(result)
    if result.names[2:] == COLOURS:
        raise InputError(
            "the mixture has colours, a FITS image has none: write a PNG, JPEG or TIFF"
        )
    nx, ny = size or (width, height)
    variances = np.linalg.eigvalsh(result.mixture.covariances)[:, 0]
    step = max(width / nx, height / ny)
    points = _POINTS if np.sqrt(variances.min()) < _NARROW * step else 1
    return density_picture(result, size, points=points) * value_scale(result)


def value_scale(result: SamplesResult) -> float:
    """The value of a pixel of weight 1: 1 for a drawing."""
    return float(result.options.get("picture_scale", 1.0))


def is_of_image(result: SamplesResult) -> bool:
    """Whether a mixture was fitted to a FITS image."""
    return "picture_scale" in result.options


def is_bright(result: SamplesResult) -> bool:
    """Whether the samples are the bright pixels of a picture."""
    given = result.options.get("invert")
    return bool(result.options.get("picture_bright", given))
