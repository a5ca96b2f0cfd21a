"""The image of a point source as a PSF: how it differs from a map of radii, and where it lies."""

import warnings

import numpy as np

from ..errors import DataError, DataWarning
from ..plane.frame import PhysicalFrame, SkyFrame
from ..plane.grid import PixelGrid
from ..plane.systems import converted
from ._plane import FitsImage, on_plane
from ._wcs import image_wcs
from .units import read_unit

# BUNIT of a map whose radii are in pixels of the map, and in sky pixels of the telescope, as CIAO
# names these systems.
PIXEL_SYSTEMS, SKY_PIXEL_SYSTEM = ("logical", "image"), "physical"

# The pixels that hold half of the light take less than this fraction of the image, and their
# root mean square distance from their centroid is less than this fraction of its side.
COMPACT_AREA = 0.10
COMPACT_SIDE = 0.15


def is_compact(values: np.ndarray) -> bool:
    """Return whether an image shows one compact, peaked source.

    In such an image the brightest pixels that hold half of the sum take less than a tenth of the
    area, and lie within a seventh of the side from their centroid (root mean square). In a map of
    radii, which change slowly and grow outwards, such pixels are a third of the field or more,
    all around it.

    Parameters
    ----------
    values : (ny, nx) array
        On any scale; NaN counts as 0.

    Examples
    --------
    >>> x, y = np.meshgrid(np.arange(40.0) - 20, np.arange(40.0) - 20)
    >>> is_compact(np.exp(-(x**2 + y**2) / 8)), is_compact(1 + np.hypot(x, y))
    (True, False)
    """
    values = np.where(np.isfinite(values), values, 0.0)
    if values.min() < 0 or values.max() <= 0 or min(values.shape) < 8:
        return False
    order = np.argsort(-values, axis=None)
    running = np.cumsum(values.ravel()[order])
    bright = order[: int(np.searchsorted(running, running[-1] / 2)) + 1]
    if len(bright) > COMPACT_AREA * values.size:
        return False
    iy, ix = np.unravel_index(bright, values.shape)
    weights = values.ravel()[bright] / values.ravel()[bright].sum()
    spread = sum(weights @ (i - weights @ i) ** 2 for i in (ix, iy))
    return bool(np.sqrt(spread) < COMPACT_SIDE * min(values.shape))


def is_radius(text: str) -> bool:
    """Whether a BUNIT is that of a map of radii: an angle, or a kind of pixel.

    Examples
    --------
    >>> [is_radius(text) for text in ("arcsec", "logical", "pixel", "count", "")]
    [True, True, True, False, False]
    """
    unit = read_unit(text)
    systems = (*PIXEL_SYSTEMS, SKY_PIXEL_SYSTEM)
    return unit.arcsec is not None or unit.is_pixel or text.strip().lower() in systems


def is_picture(image: FitsImage, ecf: float | None = None) -> bool:
    """Return whether a FITS image shows a point source, and is not a map of radii.

    A map of radii has an ECF keyword (or its fraction was given), or a BUNIT that a radius can
    have. An image with neither shows a point source if it has one compact source. The unit is no
    criterion, because counts, photons and no unit are all common.

    Parameters
    ----------
    image : FitsImage
    ecf : float, optional
        The encircled fraction if it was given.

    Raises
    ------
    DataError
        If the image is neither.
    """
    known = ecf is not None or image.number("ECF") is not None
    if known or is_radius(image.text("BUNIT")):
        return False
    if is_compact(image.values):
        return True
    raise DataError(
        f"{image.path}: neither a PSF map, because its header has no ECF, nor the image of one "
        "compact point source: if it is a PSF map, give its encircled fraction with `psf_ecf`",
        parameter="psf",
    )


def picture_grid(
    image: FitsImage, frame: SkyFrame, physical: PhysicalFrame | None = None
) -> tuple[PixelGrid, np.ndarray]:
    """Return the pixel grid and the values of the image of a point source, north up.

    Parameters
    ----------
    image : FitsImage
    frame : SkyFrame
        Plane of the events. If the image has its own position, only the celestial system is taken.
    physical : PhysicalFrame, optional
        Sky pixels of the events, for an image that has only physical coordinates.

    Returns
    -------
    grid : PixelGrid
    values : (ny, nx) array

    Raises
    ------
    DataError
        If the header does not give the size of a pixel.
    """
    n_unknown = int(np.count_nonzero(~np.isfinite(image.values)))
    if n_unknown:
        warnings.warn(
            f"{image.path}: {n_unknown} of {image.values.size} pixels of the PSF image are not "
            "finite: they count as dark",
            DataWarning,
            stacklevel=4,
        )
    values = np.where(np.isfinite(image.values), image.values, 0.0)
    own = image_wcs(image.path, image.header)
    if own is not None:
        ny, nx = values.shape
        at = own.tangent_frame(((nx - 1) / 2, (ny - 1) / 2))
        ra, dec = converted(at.ra0, at.dec0, at.radesys, frame.radesys)
        frame = SkyFrame(float(ra), float(dec), frame.radesys)
    try:
        return on_plane(image, values, frame, physical, fill=0.0)
    except DataError as error:
        raise DataError(f"{error}: the size of the pixels of the PSF image is not known") from None
