"""Where the pixels of a FITS image lie in the plane.

Positions follow from the celestial coordinates of the image, or else from the telescope's physical
coordinates. The result is an affine grid if that is accurate to 0.02 pixel, and a resampled map
otherwise.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from astropy.wcs.utils import wcs_to_celestial_frame

from ..errors import DataError
from ..plane.affine import MAX_RESIDUAL, affine_grid, resampled
from ..plane.frame import SkyFrame
from .files import reading


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

    def number(self, key):
        """Return a keyword as a finite float; None if it is absent or not a number.

        Parameters
        ----------
        key : str
        """
        value = self.header.get(key)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return float(value) if is_number and np.isfinite(value) else None


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
    place, unplace = _celestial(image, frame) or _physical(image, physical)
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
    if not image.text("CTYPE1"):
        raise DataError(
            f"{image.path}: no usable WCS: no celestial coordinates (RA---TAN, DEC--TAN) in its "
            "header: write them into it"
        )
    with reading(image.path):
        wcs = WCS(image.header).celestial
        crval = SkyCoord(
            *wcs.wcs.crval[[wcs.wcs.lng, wcs.wcs.lat]],
            unit="deg",
            frame=wcs_to_celestial_frame(wcs),
        )
        radesys = "FK5" if crval.frame.name == "fk5" else "ICRS"
        place = crval.transform_to(radesys.lower())
        frame = SkyFrame(float(place.ra.deg), float(place.dec.deg), radesys)
    grid, residual = affine_grid(image.values.shape, _celestial(image, frame)[0])
    if not residual < MAX_RESIDUAL:
        raise DataError(
            f"{image.path}: its pixels are on no regular grid in a tangent plane "
            f"({image.text('CTYPE1')}, {image.text('CTYPE2')}): "
            "reproject the events, and bin them anew"
        )
    return frame, grid


def physical_axes(image):
    """Return the physical coordinates of the pixels of an image.

    They are those of the alternate WCS P, otherwise of L if its name is PHYSICAL, otherwise of
    the keywords LTV and LTM of IRAF.

    Parameters
    ----------
    image : FitsImage

    Returns
    -------
    tuple of two (float, float), or None
        For each axis the coordinate of pixel 0, counted from 0, and the step; None if the header
        does not give them.
    """
    axes = []
    for axis in (1, 2):
        by_letter = [
            [image.number(f"{key}{axis}{letter}") for key in ("CRVAL", "CRPIX", "CDELT")]
            for letter in "PL"
            if letter == "P" or image.text("WCSNAMEL").upper() == "PHYSICAL"
        ]
        shift, scale = image.number(f"LTV{axis}"), image.number(f"LTM{axis}_{axis}")
        values = next((v for v in by_letter if None not in v and v[2]), None)
        if values is not None:
            # The coordinate of the pixel that counts as 0, and the step.
            axes.append((values[0] + values[2] * (1 - values[1]), values[2]))
        elif scale and shift is not None:
            axes.append(((1 - shift) / scale, 1 / scale))
    return tuple(axes) if len(axes) == 2 else None


def _celestial(image, frame):
    """Return the maps from pixels to the plane and back by the celestial WCS; None without one."""
    if not image.text("CTYPE1"):
        return None
    wcs = _celestial_wcs(image)
    if not wcs.has_celestial:
        return None
    lon, lat = (wcs.wcs.lng, wcs.wcs.lat)
    systems = ("ICRS", "FK5", frame.radesys.upper())
    is_equatorial = (
        wcs.wcs.ctype[lon].startswith("RA") and (wcs.wcs.radesys or "ICRS").upper() in systems
    )

    def place(ix, iy):
        world = wcs.all_pix2world(np.ravel(ix), np.ravel(iy), 0)
        ra, dec = world[lon], world[lat]
        if not is_equatorial:
            ra, dec = _converted(wcs, ra, dec, frame)
        return tuple(v.reshape(np.shape(ix)) for v in frame.to_plane(ra, dec))

    def unplace(x, y):
        ra, dec = (np.ravel(v) for v in frame.to_sky(x, y))
        if not is_equatorial:
            ra, dec = _converted(wcs, ra, dec, frame, back=True)
        world = [ra, dec] if lon == 0 else [dec, ra]
        return tuple(v.reshape(np.shape(x)) for v in wcs.all_world2pix(*world, 0))

    return place, unplace


def _celestial_wcs(image):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return WCS(image.header).celestial
        except Exception as error:
            # The errors of wcslib have no common ancestor but this.
            raise DataError(
                f"{image.path}: no usable WCS ({' '.join(str(error).split())}): correct its header"
            ) from error


def _converted(wcs, lon, lat, frame, back=False):
    """Convert directions [deg] from the celestial system of a map to that of a frame, or back."""
    theirs, ours = wcs_to_celestial_frame(wcs), frame.radesys.lower()
    there = SkyCoord(lon, lat, unit="deg", frame=ours if back else theirs).transform_to(
        theirs if back else ours
    )
    return there.spherical.lon.deg, there.spherical.lat.deg


def _physical(image, physical):
    """Return the maps from pixels to the plane and back by the physical coordinates."""
    axes = physical_axes(image)
    if axes is None or physical is None:
        raise DataError(
            f"{image.path}: no usable WCS: neither celestial (RA---TAN, DEC--TAN) nor physical "
            "(CRVAL1P, LTV1) coordinates in its header"
        )
    (x0, x_step), (y0, y_step) = axes

    def place(ix, iy):
        return physical.to_plane(x0 + x_step * np.asarray(ix), y0 + y_step * np.asarray(iy))

    def unplace(x, y):
        x_pix, y_pix = physical.to_physical(x, y)
        return (x_pix - x0) / x_step, (y_pix - y0) / y_step

    return place, unplace
