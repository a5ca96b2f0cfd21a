"""The one reader of celestial WCS keywords: of images, and of the columns of event lists.

astropy reads the keywords. This module makes sure that nothing is ignored in silence: a keyword
that is not understood is an error with its name, and astropy's own messages stay unheard.
"""

import logging
import warnings
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from astropy.wcs import WCS

from ..errors import DataError
from ..plane.frame import SkyFrame
from ..plane.systems import converted
from ._systems import FileSystem, system_of
from ._wcs_cards import check_cards

# Projections about a point, which a tangent plane about the same point is most alike
# (Calabretta & Greisen 2002, table 13).
ZENITHAL = ("AZP", "SZP", "TAN", "STG", "SIN", "NCP", "ARC", "ZPN", "ZEA", "AIR")
# The side that no pixel of an image or of an event list has [arcsec].
LARGEST_PIXEL = 20 * 3600.0
# Largest ratio of the sides of a pixel.
LONGEST = 50.0
# Iterations of an inverse with distortions that miss by more [pixel] have no image there.
_MISS = 0.01


@dataclass(frozen=True, eq=False)
class CelestialWcs:
    """The celestial coordinates of two pixel axes.

    Attributes
    ----------
    path : str
        The file, for messages.
    wcs : astropy.wcs.WCS
        Two axes.
    system : FileSystem
    native : str or astropy frame
        The system of the WCS.
    origin : int
        Number of the first pixel: 0 for an image, 1 for columns.
    """

    path: str
    wcs: WCS
    system: FileSystem
    native: object
    origin: int = 0

    @property
    def projection(self):
        """Code of the projection, such as "TAN"."""
        return self.wcs.wcs.ctype[self.wcs.wcs.lng][5:8]

    @property
    def axes(self):
        """Names of the axes, for messages."""
        return ", ".join(self.wcs.wcs.ctype)

    @property
    def is_tangent(self):
        """Whether the pixels are linear in a tangent plane, without any distortion.

        Calabretta & Greisen 2002, section 5.1.3. On the way from another system to FK4 or back
        aberration bends the plane.
        """
        wcs = self.wcs
        return (
            wcs.wcs.ctype[wcs.wcs.lng][5:] == "TAN"
            and not wcs.has_distortion
            and not wcs.wcs.get_pv()
            and (self.is_own or "FK4" not in (self.system.name, self._name[:3]))
        )

    @property
    def _name(self):
        return (self.native if isinstance(self.native, str) else self.native.name).upper()

    @property
    def is_own(self):
        """Whether the WCS is in the system of the plane."""
        return isinstance(self.native, str) and self.native == self.system.name

    def to_sky(self, px, py):
        """Return the directions [deg] of pixels, in the plane's system; NaN where there is none."""
        lon, lat = self._native_sky(px, py)
        return converted(lon, lat, self.native, self.system.name)

    def _native_sky(self, px, py):
        world = self.wcs.all_pix2world(np.ravel(px), np.ravel(py), self.origin)
        lon, lat = world[self.wcs.wcs.lng], world[self.wcs.wcs.lat]
        # The conversion refuses what is no latitude.
        lat = np.where(np.abs(lat) <= 90, lat, np.nan)
        return tuple(v.reshape(np.shape(px)) for v in (lon, lat))

    def tangent_frame(self, middle, *, own_point=True):
        """Return the tangent plane that suits the pixels.

        Parameters
        ----------
        middle : (float, float)
            A pixel in the middle, where the plane touches if the projection has no own point.
        own_point : bool
            Whether it touches at the reference point of the projection where that has one.

        Returns
        -------
        SkyFrame
        """
        # Parameters of the longitude move the reference point of the projection.
        is_moved = any(axis == self.wcs.wcs.lng + 1 for axis, _, _ in self.wcs.wcs.get_pv())
        if own_point and self.projection in ZENITHAL and not is_moved:
            at = self.wcs.wcs.crval[[self.wcs.wcs.lng, self.wcs.wcs.lat]]
            ra, dec = converted(*at, self.native, self.system.name)
        else:
            ra, dec = self.to_sky(*(np.array([float(v)]) for v in middle))
        ra, dec = (float(np.ravel(v)[0]) for v in (ra, dec))
        if not np.isfinite([ra, dec]).all():
            raise DataError(
                f"{self.path}: no usable WCS: the middle of its pixels is nowhere on the sky "
                f"({self.axes}): correct its header"
            )
        return SkyFrame(ra, dec, self.system.name)

    def place(self, frame):
        """Return the function from pixels to positions in a plane [arcsec]."""

        def place(px, py):
            lon, lat = self._native_sky(px, py)
            return frame.to_plane(*converted(lon, lat, self.native, frame.radesys))

        return place

    def unplace(self, frame):
        """Return the function from positions in a plane [arcsec] to pixels; NaN where none is."""
        place = self.place(frame)

        def unplace(x, y):
            lon, lat = converted(
                *frame.to_sky(np.ravel(x), np.ravel(y)), frame.radesys, self.native
            )
            world = [lon, lat] if self.wcs.wcs.lng == 0 else [lat, lon]
            px, py = self.wcs.all_world2pix(*world, self.origin, quiet=True)
            if self.wcs.has_distortion:
                # Far from the image the polynomials of a distortion cannot be inverted.
                again, step = place(px, py), self.pixel_side
                miss = np.hypot(again[0] - np.ravel(x), again[1] - np.ravel(y)) / step
                px, py = (np.where(miss < _MISS, v, np.nan) for v in (px, py))
            return px.reshape(np.shape(x)), py.reshape(np.shape(x))

        return unplace

    @property
    def pixel_side(self):
        """Side of a square with the area of a pixel [arcsec]."""
        return 3600 * float(np.sqrt(abs(np.linalg.det(self.wcs.pixel_scale_matrix))))

    def linear(self, frame):
        """Return the matrix from pixels to a plane about the reference direction.

        Only for a WCS that `is_tangent`, and the frame of `tangent_frame`.

        Returns
        -------
        (2, 2) array
            [arcsec / pixel]
        """
        # Rows are longitude and latitude. Longitude grows to the east, x to the west.
        matrix = 3600 * self.wcs.pixel_scale_matrix[[self.wcs.wcs.lng, self.wcs.wcs.lat]]
        matrix = np.where([[True], [False]], -matrix, matrix)
        if self.is_own and self.wcs.wcs.lonpole == 180:
            return matrix
        up = np.linalg.solve(matrix, [0.0, 3600.0])
        (x,), (y,) = self.place(frame)(*((self.wcs.wcs.crpix - 1 + self.origin + up)[:, None]))
        sine, cosine = (_tidy(v / np.hypot(x, y)) for v in (-x, y))
        return np.array([[cosine, -sine], [sine, cosine]]) @ matrix


def image_wcs(path, header):
    """Return the celestial WCS of an image; None without one.

    Parameters
    ----------
    path : str or Path
    header : astropy.io.fits.Header

    Returns
    -------
    CelestialWcs or None

    Raises
    ------
    DataError
        If the keywords contradict each other or are not understood.
    """
    for letter in ("", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
        # Cards of axes without a projection are not needed, and may be odd.
        if not any("-" in str(header.get(f"CTYPE{i}{letter}", "")) for i in (1, 2)):
            continue
        check_cards(path, header, letter)
        with understood(path, "its header"):
            wcs = WCS(_in_capitals(header, letter), key=letter or " ")
            wcs.wcs.set()
            if not wcs.has_celestial:
                continue
            if {wcs.wcs.lng, wcs.wcs.lat} != {0, 1}:
                raise DataError(
                    f"{path}: no usable WCS: its axes 1 and 2 are not those of the sky "
                    f"({', '.join(wcs.wcs.ctype)}): put these first"
                )
            wcs = wcs.celestial
        found = of_wcs(path, wcs, system_of(path, header, suffix=letter), origin=0)
        _check_area(found, [(header.get(f"NAXIS{i}", 1) - 1) / 2 for i in (1, 2)])
        return found
    return None


def _check_area(found, middle):
    """Refuse distortions that put all pixels on a line or into one place."""
    px, py = (middle[i] + np.array(step) for i, step in enumerate(([0, 1, 0], [0, 0, 1])))
    x, y = found.place(found.tangent_frame(middle))(px, py)
    area = abs((x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0]))
    if area < 1e-6 * found.pixel_side**2:
        raise DataError(
            f"{found.path}: no usable WCS: its pixels fall on one line ({found.axes}): correct the "
            "coefficients of its distortion"
        )


def _in_capitals(header, letter):
    """Return a header whose names of axes are in capitals, as the standard has them."""
    keys = [f"CTYPE{i}{letter}" for i in (1, 2)]
    kinds = {key: str(header[key]) for key in keys if key in header}
    if all(kind == kind.upper() for kind in kinds.values()):
        return header
    header = header.copy()
    header.update({key: kind.upper() for key, kind in kinds.items()})
    return header


def of_wcs(path, wcs, system, *, origin):
    """Make a CelestialWcs of an astropy WCS with two celestial axes, in a FileSystem."""
    if not wcs.has_celestial:
        raise DataError(
            f"{path}: no usable WCS: {', '.join(wcs.wcs.ctype)} are no celestial coordinates with "
            "a projection (such as RA---TAN, DEC--TAN): correct its header"
        )
    native = system.of_axis(path, wcs.wcs.ctype[wcs.wcs.lng])
    found = CelestialWcs(str(path), wcs, system, native, origin)
    matrix = wcs.pixel_scale_matrix
    if not (np.isfinite(matrix).all() and 0 < found.pixel_side < LARGEST_PIXEL):
        raise DataError(
            f"{path}: no usable WCS: its pixels of {found.pixel_side:.3g} arcsec have no sensible "
            "size: correct CDELT and CUNIT, or the matrix"
        )
    lon, lat = (wcs.wcs.crval[i] for i in (wcs.wcs.lng, wcs.wcs.lat))
    if not (abs(lon) <= 720 and abs(lat) <= 90):
        raise DataError(
            f"{path}: no usable WCS: {lon:g}, {lat:g} is no direction of the sky: correct CRVAL"
        )
    sides = np.hypot(*matrix)
    if sides.max() > LONGEST * sides.min():
        raise DataError(
            f"{path}: no usable WCS: its pixels are {sides.max() / sides.min():.3g} times as long "
            "as they are wide: correct CDELT and CUNIT, or the matrix"
        )
    return found


@contextmanager
def understood(path, what):
    """Turn the errors of astropy.wcs into one line, and silence its warnings and messages."""
    log = logging.getLogger("astropy")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except DataError:
        raise
    except Exception as error:
        # The errors of wcslib have no common ancestor but this.
        lines = [line.strip() for line in str(error).splitlines()]
        told = [line.rstrip(".") for line in lines if line and not line.startswith("ERROR")]
        reason = told[0] if told else " ".join(lines) or type(error).__name__
        raise DataError(f"{path}: no usable WCS ({reason}): correct {what}") from error
    finally:
        log.setLevel(level)


def _tidy(value):
    """Take rounding noise off a cosine that is -1, 0 or 1."""
    nearest = np.round(value)
    return float(nearest if abs(value - nearest) < 1e-14 else value)
