"""The unit of the radii of a PSF map."""

import warnings

import numpy as np

from ..errors import DataError, DataWarning
from ..plane.frame import PhysicalFrame
from ..plane.grid import PixelGrid
from ._plane import FitsImage, physical_pixels
from .psf_image import PIXEL_SYSTEMS, SKY_PIXEL_SYSTEM
from .units import read_unit


def radius_unit(
    image: FitsImage, grid: PixelGrid, physical: PhysicalFrame | None
) -> tuple[str, float]:
    """Return the unit of the radii of a PSF map, and its size [arcsec].

    Parameters
    ----------
    image : FitsImage
    grid : PixelGrid
        Its pixels in the plane.
    physical : PhysicalFrame or None
        The telescope's sky pixels in the plane.

    Raises
    ------
    DataError
        If BUNIT is no unit of a radius.
    """
    text = image.text("BUNIT")
    unit, system = read_unit(text), text.lower()
    if not text:
        warnings.warn(
            f"{image.path}: no BUNIT: the radii of the PSF map are taken to be in arcsec",
            DataWarning,
            stacklevel=4,
        )
        return "arcsec", 1.0
    if unit.arcsec is not None:
        return text, unit.arcsec
    if unit.is_pixel or system in PIXEL_SYSTEMS:
        return text, grid.step * unit.scale
    if system == SKY_PIXEL_SYSTEM:
        if physical is not None:
            return text, np.sqrt(physical.pixel_area)
        pixels = physical_pixels(image)
        if pixels is not None:
            return text, grid.step / np.sqrt(abs(np.linalg.det(pixels[1])))
    problem = "no radius" if unit.is_understood else "not understood"
    raise DataError(
        f"{image.path}: BUNIT {text!r} of the PSF map is {problem}: "
        "radii are in arcsec, logical or physical pixels: correct the header"
    )
