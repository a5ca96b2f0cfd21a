"""Where the pixels of a FITS image lie in the plane.

Positions follow from the celestial coordinates of the image, or else from the telescope's physical
coordinates. The result is an affine grid if that is accurate to 0.02 pixel, and a resampled map
otherwise.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from ..errors import DataError
from ..plane.affine import MAX_RESIDUAL, affine_grid, resampled
from ..plane.frame import PhysicalFrame
from ._wcs import image_wcs, understood
from ._wcs_cards import check_cards
from .units import in_unit


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class FitsImage:
    """An image as it is on disk.

    Attributes
    ----------
    path : str
    values : (ny, nx) array
        Native float64, scaled. They may hold NaN.
    header : astropy.io.fits.Header
    sha256 : str
        SHA-256 of the file, in hexadecimal; empty if it is not known.
    """

    path: str
    values: np.ndarray
    header: fits.Header
    sha256: str = ""

    def __repr__(self):
        ny, nx = self.values.shape
        return f"FitsImage({self.name}: {nx} x {ny} pixels)"

    @property
    def name(self):
        """Name of the file without its folder."""
        return Path(self.path).name

    def text(self, key):
        """Return a keyword as stripped text; empty if it is absent.

        Parameters
        ----------
        key : str
        """
        return str(self.header.get(key, "") or "").strip()

    def number(self, key, unit=""):
        """Return a keyword as a finite float; None if it is absent or not a number.

        Parameters
        ----------
        key : str
        unit : str
            The unit that is wanted, where the comment of the keyword may name another one.
        """
        value = self.header.get(key)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not (is_number and math.isfinite(value)):
            return None
        return float(in_unit(value, self.header.comments[key], unit) if unit else value)


def on_plane(image, values, frame, physical, *, fill):
    """Bring an image to the plane, by its celestial or else by its physical coordinates.

    Parameters
    ----------
    image : FitsImage
        Its header has the coordinates.
    values : (ny, nx) array
        Values on the pixels of the image.
    frame : SkyFrame
    physical : PhysicalFrame or None
        The telescope's sky pixels in the plane.
    fill : float
        Value outside a map that has to be resampled.

    Returns
    -------
    grid : PixelGrid
    values : array of the grid's shape

    Raises
    ------
    DataError
        If the header has neither coordinates, or the map is on the other side of the sky.
    """
    wcs = image_wcs(image.path, image.header)
    if wcs is None:
        place, unplace = _physical(image, physical)
    else:
        place, unplace = wcs.place(frame), wcs.unplace(frame)
    grid, residual = affine_grid(values.shape, place)
    if residual < MAX_RESIDUAL:
        return grid, values
    middle = (np.array([(n - 1) / 2]) for n in values.shape[::-1])
    if not np.all(np.isfinite(place(*middle))):
        raise DataError(
            f"{image.path}: the map does not overlap the events: "
            "its pixels are on the other side of the sky"
        )
    return resampled(values, place, unplace, fill=fill)


def own_plane(image):
    """Return the tangent plane of an image's own celestial WCS, and its grid there.

    Parameters
    ----------
    image : FitsImage

    Returns
    -------
    frame : SkyFrame
    grid : PixelGrid

    Raises
    ------
    DataError
        If the image has no such WCS, or if its pixels are not on a regular grid in a tangent
        plane to 0.02 pixel.
    """
    wcs = image_wcs(image.path, image.header)
    if wcs is None:
        raise DataError(
            f"{image.path}: no usable WCS: no celestial coordinates (RA---TAN, DEC--TAN) in its "
            "header: write them into it"
        )
    ny, nx = image.values.shape
    middle = ((nx - 1) / 2, (ny - 1) / 2)
    for own_point in (True, False):
        # Far from its own reference point a projection may be a tangent plane about the middle.
        frame = wcs.tangent_frame(middle, own_point=own_point)
        grid, residual = affine_grid(image.values.shape, wcs.place(frame))
        if residual < MAX_RESIDUAL:
            break
    else:
        raise DataError(
            f"{image.path}: its pixels are on no regular grid in a tangent plane "
            f"({wcs.axes}): reproject the events, and bin them anew"
        )
    return frame, grid


def physical_pixels(image):
    """Return the physical coordinates of the pixels of an image.

    They are those of the alternate WCS P, otherwise of L if its name is PHYSICAL, otherwise of
    the keywords LTV and LTM of IRAF.

    Parameters
    ----------
    image : FitsImage

    Returns
    -------
    zero : (2,) array
        The physical coordinates of pixel (0, 0), counted from 0.
    matrix : (2, 2) array
        Their change with the pixel.

    None if the header does not give them.

    Raises
    ------
    DataError
        If the keywords contradict each other.
    """
    for letter in "PL":
        if letter == "L" and image.text("WCSNAMEL").upper() != "PHYSICAL":
            continue
        if None in (image.number(f"CRVAL{axis}{letter}") for axis in (1, 2)):
            continue
        return _linear_wcs(image, letter)
    shift = [image.number(f"LTV{axis}") for axis in (1, 2)]
    scales = [image.number(f"LTM{axis}_{axis}") for axis in (1, 2)]
    crosses = [image.number(key) or 0.0 for key in ("LTM1_2", "LTM2_1")]
    if None in shift or (None in scales and not any(crosses)):
        return None
    to_pixels = np.array([[scales[0] or 0.0, crosses[0]], [crosses[1], scales[1] or 0.0]])
    matrix = _inverse(image, to_pixels, "LTM1_1, LTM1_2, ...")
    return matrix @ (1 - np.array(shift)), matrix


def physical_frame(image, grid):
    """Return the telescope's sky pixels in the plane in which an image lies on a grid.

    If the header does not give them, they are the pixels of the image, counted from 1.

    Parameters
    ----------
    image : FitsImage
    grid : PixelGrid

    Returns
    -------
    PhysicalFrame
    """
    zero, matrix = physical_pixels(image) or (np.ones(2), np.eye(2))
    to_plane = grid.matrix @ np.linalg.inv(matrix)
    return PhysicalFrame.from_matrix(
        *(zero - np.linalg.solve(to_plane, np.array(grid.origin))), to_plane
    )


def _linear_wcs(image, letter):
    """Return the coordinate of pixel 0 and the matrix of a linear alternate WCS."""
    what = f"CRVAL1{letter}, CDELT1{letter}, ..."
    check_cards(image.path, image.header, letter)
    with understood(image.path, what):
        linear = WCS(image.header, key=letter).sub([1, 2])
        linear.wcs.set()
        matrix = np.array(linear.pixel_scale_matrix)
        zero = linear.wcs.crval + matrix @ (1 - linear.wcs.crpix)
    _inverse(image, matrix, what)
    return zero, matrix


def _inverse(image, matrix, what):
    """Return the inverse of a matrix of the header."""
    if not np.isfinite(matrix).all() or np.linalg.det(matrix) == 0:
        raise DataError(
            f"{image.path}: no usable physical coordinates: the matrix of {what} has no inverse: "
            "correct its header"
        )
    return np.linalg.inv(matrix)


def _physical(image, physical):
    """Return the maps from pixels to the plane and back by the physical coordinates."""
    found = physical_pixels(image)
    if found is None or physical is None:
        kinds = [image.text(key) for key in ("CTYPE1", "CTYPE2") if image.text(key)]
        raise DataError(
            f"{image.path}: no usable WCS: neither celestial (RA---TAN, DEC--TAN) nor physical "
            "(CRVAL1P, LTV1) coordinates in its header"
            + (f" (CTYPE is {', '.join(kinds)})" if kinds else "")
        )
    zero, matrix = found
    inverse = np.linalg.inv(matrix)

    def place(ix, iy):
        return physical.to_plane(*_applied(matrix, ix, iy, zero))

    def unplace(x, y):
        x_pix, y_pix = physical.to_physical(x, y)
        return _applied(inverse, x_pix - zero[0], y_pix - zero[1], (0.0, 0.0))

    return place, unplace


def _applied(matrix, u, v, zero):
    """Return zero + matrix (u, v) for arrays of coordinates."""
    u, v = np.asarray(u, np.float64), np.asarray(v, np.float64)
    (a, b), (c, d) = matrix
    return a * u + b * v + zero[0], c * u + d * v + zero[1]
