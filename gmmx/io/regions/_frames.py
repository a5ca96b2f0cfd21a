"""The coordinate systems of region files, as places in the tangent plane."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from astropy import units
from astropy.coordinates import SkyCoord

from ...plane.frame import PhysicalFrame, SkyFrame
from ...plane.grid import PixelGrid
from ...plane.shapes import Sector

PIXEL_SYSTEMS = ("physical", "image")
EQUATORIAL = ("sky", "icrs", "fk5", "fk4")
# Right ascensions in hours, which no file can name but many a table holds.
HOURS = "hours"
# The system of shapes before which none is named, for those who want to know.
UNNAMED = "unnamed"
_ASTROPY = {"ecliptic": "barycentricmeanecliptic"}
# The systems in which the coordinates of a file may be meant, and what messages call them.
MEANINGS = {
    "fk5": "right ascension and declination of J2000 (fk5)",
    "physical": "physical pixels",
    "image": "image pixels",
    "galactic": "galactic",
    HOURS: "right ascensions in hours",
    "fk4": "right ascension and declination of B1950 (fk4)",
    "ecliptic": "ecliptic",
}
# Distance from the tangent point within which a position is near a field [arcsec].
_NEAR = 7200.0
# Steps that find the directions of a system's axes. One pixel is exact, because pixels are linear
# in the plane. A thousandth of a degree, 3.6 arcsec, is short against the plane's curvature and far
# above rounding.
_PIXEL, _DEGREE = 1.0, 1e-3


class RegionProblem(Exception):
    """The fault of a shape, to which the caller adds the file and the line."""


@dataclass(frozen=True)
class Place:
    """A position in the plane, with the meaning of a system's angles and lengths at that position.

    Parameters
    ----------
    x, y : float
        Position [arcsec].
    rotation : float
        Angle from the plane's +x axis to the system's [deg].
    parity : int
        -1 where the system's angles run clockwise in the plane, otherwise 1.
    scale : float
        Length of the system's unit, which is a pixel or a degree [arcsec].
    """

    x: float
    y: float
    rotation: float
    parity: int
    scale: float

    def turn(self, angle):
        """Return the angle in the plane of an angle in the system [deg]."""
        return self.rotation + self.parity * angle

    def sector(self, start, stop):
        """Return the Sector between two angles in the system [deg]."""
        ends = self.turn(start), self.turn(stop)
        return Sector(self.x, self.y, *(ends if self.parity > 0 else ends[::-1]))


@dataclass(frozen=True)
class Frames:
    """The coordinate systems in which a region file may give its shapes.

    Parameters
    ----------
    frame : SkyFrame
        The plane in which the shapes are wanted.
    physical : PhysicalFrame, optional
        Physical pixels.
    image_grid : PixelGrid, optional
        Grid of the "image" coordinates, whose first pixel is (1, 1).
    physical_sky : SkyFrame, optional
        The plane of the physical pixels, where it is not `frame`.
    """

    frame: SkyFrame
    physical: PhysicalFrame | None = None
    image_grid: PixelGrid | None = None
    physical_sky: SkyFrame | None = None

    @cached_property
    def _native(self):
        return self.frame.radesys.strip().lower()

    def place(self, system, u, v):
        """Return the Place of a position (u, v) [pixel or deg] in a named system.

        Raises
        ------
        RegionProblem
            If the system is not known here, or the position has no image in the plane.
        """
        place = (
            self._place_of_pixel(system, u, v)
            if system in PIXEL_SYSTEMS
            else self._place_of_direction(system, u, v)
        )
        if not np.isfinite([place.x, place.y]).all():
            raise RegionProblem(f"90 degrees or more from the pointing: {self._meant(u, v)}")
        return place

    def _meant(self, u, v):
        """Return how a position that is nowhere near the plane may be meant."""
        for system in (HOURS, "galactic", "fk5", "ecliptic"):
            if np.hypot(*self._to_plane(system, u, v)) < _NEAR:
                return f"it would be near if the coordinates were {MEANINGS[system]}"
        return "is it the region file of another observation?"

    def place_of(self, direction):
        """Return the Place of an astropy SkyCoord of any system; its scale is that of degrees."""
        step = _DEGREE if direction.spherical.lat.deg <= 0 else -_DEGREE
        north = direction.directional_offset_by(0 * units.deg, step * units.deg)
        (x, y), (x1, y1) = (self._position(one) for one in (direction, north))
        up = np.degrees(np.arctan2((y1 - y) * step, (x1 - x) * step))
        return _checked(Place(float(x), float(y), float(up - 90), 1, 3600.0))

    def _position(self, direction):
        there = direction.transform_to(self._native, merge_attributes=False).spherical
        return self.frame.to_plane(there.lon.deg, there.lat.deg)

    def turned_like(self, system, place):
        """Return a place that was found through one system, with angles and lengths of another."""
        if system in PIXEL_SYSTEMS:
            own_physical = system == "physical" and self.physical and not self.physical_sky
            u, v = self.physical.to_physical(place.x, place.y) if own_physical else (1.0, 1.0)
            like = self.place(system, u, v)
        else:
            direction = self.frame.to_sky(place.x, place.y)
            if system in EQUATORIAL:
                like = self.place("sky", *direction)
            else:
                like = self.place(system, *_between(self._native, system, *direction))
        return Place(place.x, place.y, like.rotation, like.parity, like.scale)

    def _place_of_pixel(self, system, u, v):
        """Return the Place of pixel coordinates, from the steps to the next pixels."""
        x, y = self._to_plane(system, u + np.array([0, _PIXEL, 0]), v + np.array([0, 0, _PIXEL]))
        (ax, bx), (ay, by) = x[1:] - x[0], y[1:] - y[0]
        cross = ax * by - bx * ay
        unequal = abs(np.hypot(ax, ay) - np.hypot(bx, by)) > 1e-3 * np.sqrt(abs(cross))
        if abs(ax * bx + ay * by) > 1e-3 * abs(cross) or unequal:
            far = self.physical_sky is not None and system == "physical"
            raise RegionProblem(
                "lies too far from the pointing"
                if far
                else f"{system} pixels are not square: save the regions in fk5"
            )
        return Place(
            float(x[0]),
            float(y[0]),
            float(np.degrees(np.arctan2(ay, ax))),
            1 if cross > 0 else -1,
            float(np.sqrt(abs(cross))),
        )

    def _place_of_direction(self, system, u, v):
        """Return the Place of a direction [deg], from a step along its meridian."""
        if not -90 <= v <= 90:
            raise RegionProblem(
                f"{v:g} is not a latitude: are the coordinates pixels, and not degrees?"
            )
        step = _DEGREE if v <= 0 else -_DEGREE
        x, y = self._to_plane(system, np.array([u, u]), np.array([v, v + step]))
        north = np.degrees(np.arctan2((y[1] - y[0]) * step, (x[1] - x[0]) * step))
        return Place(float(x[0]), float(y[0]), float(north - 90), 1, 3600.0)

    def _to_plane(self, system, u, v):
        """Return the positions [arcsec] of coordinates in a named system."""
        if system == "physical":
            return self._physical_to_plane(u, v)
        if system == "image":
            if self.image_grid is None:
                raise RegionProblem(
                    "image coordinates, but there is no image whose pixels they count: "
                    "save the regions in fk5 or physical coordinates"
                )
            return self.image_grid.to_plane(np.asarray(u) - 1, np.asarray(v) - 1)
        if system == "sky":
            return self.frame.to_plane(u, v)
        if system == HOURS:
            system, u = "fk5", 15 * np.asarray(u)
        if system == UNNAMED:
            raise RegionProblem("no coordinate system is named")
        return self.frame.to_plane(*_between(system, self._native, u, v))

    def _physical_to_plane(self, u, v):
        if self.physical is None:
            raise RegionProblem(
                "physical coordinates, but the events have no physical pixels: "
                "save the regions in fk5"
            )
        x, y = self.physical.to_plane(u, v)
        if self.physical_sky is None:
            return x, y
        system = self.physical_sky.radesys.lower()
        return self._to_plane(system, *self.physical_sky.to_sky(x, y))


def _checked(place):
    if not np.isfinite([place.x, place.y]).all():
        raise RegionProblem(
            "90 degrees or more from the pointing: is it the region file of another observation?"
        )
    return place


@lru_cache
def _rotation(system, other):
    """Return the (3, 3) matrix from the axes of one celestial system to those of another.

    FK4 moves with time, so that no matrix leads to it or from it: None.
    """
    if "fk4" in (system, other):
        return None
    axes = SkyCoord(
        [0.0, 90.0, 0.0], [0.0, 0.0, 90.0], unit="deg", frame=_ASTROPY.get(system, system)
    )
    return axes.transform_to(_ASTROPY.get(other, other)).cartesian.xyz.value


def _between(system, other, longitude, latitude):
    """Convert longitudes and latitudes [deg] from one celestial system to another.

    With a rotation matrix a shape takes 0.06 ms, with SkyCoord.transform_to 1.4 ms, which a mask of
    1,000 sources would feel.
    """
    if system == other:
        return longitude, latitude
    rotation = _rotation(system, other)
    if rotation is None:
        there = (
            SkyCoord(longitude, latitude, unit="deg", frame=_ASTROPY.get(system, system))
            .transform_to(_ASTROPY.get(other, other), merge_attributes=False)
            .spherical
        )
        return there.lon.deg, there.lat.deg
    lon, lat = np.radians(longitude), np.radians(latitude)
    x, y, z = rotation @ np.array(
        [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat) * np.ones_like(lon)]
    )
    return np.degrees(np.arctan2(y, x)), np.degrees(np.arctan2(z, np.hypot(x, y)))
