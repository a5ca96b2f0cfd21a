"""Where the pixels of a FITS image lie in the plane: by its celestial coordinates or its physical ones, as an affine grid or else resampled onto one."""

import warnings
from dataclasses import dataclass

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from astropy.wcs.utils import wcs_to_celestial_frame

from ..errors import DataError
from ..plane.affine import MAX_RESIDUAL, affine_grid, resampled
from ..plane.frame import SkyFrame
from ._read import reading


@dataclass(frozen=True, eq=False, kw_only=True)
class FitsImage:
    """An image as it is on disk.

    Attributes
    ----------
    path : str
    values : (ny, nx) array
        Native float64, scaled, with whatever NaN it holds.
    header : astropy.io.fits.Header
    """

    path: str
    values: np.ndarray
    header: fits.Header

    def text(self, key):
        """A keyword as stripped text; empty where it is absent."""
        return str(self.header.get(key, "") or "").strip()

    def number(self, key):
        """A keyword as a finite float; None where it is absent or something else."""
        value = self.header.get(key)
        return (
            float(value)
            if isinstance(value, (int, float))
            and not isinstance(value, bool)
            and np.isfinite(value)
            else None
        )


def on_plane(image, values, frame, physical, *, fill):
    """Grid and values of an image in the plane, by its celestial WCS or else by its physical coordinates."""
    place, unplace = _celestial(image, frame) or _physical(image, physical)
    grid, residual = affine_grid(values.shape, place)
    if residual < MAX_RESIDUAL:
        return grid, values
    if not np.all(np.isfinite(place(*(np.array([(n - 1) / 2]) for n in values.shape[::-1])))):
        raise DataError(
            f"{image.path}: the map does not overlap the events: its pixels are on the other side of the sky"
        )
    return resampled(values, place, unplace, fill=fill)


def own_plane(image):
    """The tangent plane of an image's own celestial WCS, and its grid there: (SkyFrame, PixelGrid).

    Raises
    ------
    DataError
        When it has no such WCS, or its pixels are on no regular grid in a tangent plane, to 0.02 pixel.
    """
    if not image.text("CTYPE1"):
        raise DataError(
            f"{image.path}: no usable WCS: no celestial coordinates (RA---TAN, DEC--TAN) in its header: write them into it"
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
        kind = f"{image.text('CTYPE1')}, {image.text('CTYPE2')}"
        raise DataError(
            f"{image.path}: its pixels are on no regular grid in a tangent plane ({kind}): reproject the events, and bin them anew"
        )
    return frame, grid


def _celestial(image, frame):
    """Maps from pixels to the plane and back by the celestial WCS; None where there is none."""
    if not image.text("CTYPE1"):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            wcs = WCS(image.header).celestial
        except Exception as error:
            # wcslib's errors have no common ancestor but this.
            raise DataError(
                f"{image.path}: no usable WCS ({' '.join(str(error).split())}): mend its header"
            ) from error
    if not wcs.has_celestial:
        return None
    lon, lat = (wcs.wcs.lng, wcs.wcs.lat)
    equatorial = wcs.wcs.ctype[lon].startswith("RA") and (wcs.wcs.radesys or "ICRS").upper() in (
        "ICRS",
        "FK5",
        frame.radesys.upper(),
    )

    def place(ix, iy):
        world = wcs.all_pix2world(np.ravel(ix), np.ravel(iy), 0)
        ra, dec = (
            (world[lon], world[lat])
            if equatorial
            else _converted(wcs, world[lon], world[lat], frame)
        )
        return tuple(v.reshape(np.shape(ix)) for v in frame.to_plane(ra, dec))

    def unplace(x, y):
        ra, dec = (np.ravel(v) for v in frame.to_sky(x, y))
        if not equatorial:
            ra, dec = _converted(wcs, ra, dec, frame, back=True)
        world = [ra, dec] if lon == 0 else [dec, ra]
        return tuple(v.reshape(np.shape(x)) for v in wcs.all_world2pix(*world, 0))

    return place, unplace


def _converted(wcs, lon, lat, frame, back=False):
    """Directions [deg] from the map's celestial system to the frame's, or back."""
    theirs, ours = wcs_to_celestial_frame(wcs), frame.radesys.lower()
    there = SkyCoord(lon, lat, unit="deg", frame=ours if back else theirs).transform_to(
        theirs if back else ours
    )
    return there.spherical.lon.deg, there.spherical.lat.deg


def physical_axes(image):
    """Physical coordinate of pixel 0 and step along each axis, ((x0, x_step), (y0, y_step)); None where the header does not tell.

    They are those of alternate WCS P, else of L where it is named PHYSICAL, else of LTV and LTM.
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
            # Physical coordinate of the pixel that counts as 0, and its step.
            axes.append((values[0] + values[2] * (1 - values[1]), values[2]))
        elif scale and shift is not None:
            axes.append(((1 - shift) / scale, 1 / scale))
    return tuple(axes) if len(axes) == 2 else None


def _physical(image, physical):
    """Maps from pixels to the plane and back by the physical coordinates."""
    axes = physical_axes(image)
    if axes is None or physical is None:
        raise DataError(
            f"{image.path}: no usable WCS: neither celestial (RA---TAN, DEC--TAN) nor physical (CRVAL1P, LTV1) coordinates in its header"
        )
    (x0, x_step), (y0, y_step) = axes

    def place(ix, iy):
        return physical.to_plane(x0 + x_step * np.asarray(ix), y0 + y_step * np.asarray(iy))

    def unplace(x, y):
        x_pix, y_pix = physical.to_physical(x, y)
        return (x_pix - x0) / x_step, (y_pix - y0) / y_step

    return place, unplace
