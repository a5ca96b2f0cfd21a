"""Shapes from a region file's names and numbers: coordinate systems, and what each name expects."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from astropy.coordinates import SkyCoord

from ...plane.frame import PhysicalFrame, SkyFrame
from ...plane.grid import PixelGrid
from ...plane.shapes import Box, Ellipse, Field, Polygon, Ring, Sector, circle

PIXEL_SYSTEMS = ("physical", "image")
EQUATORIAL = ("sky", "icrs", "fk5", "fk4")
_ASTROPY = {"ecliptic": "barycentricmeanecliptic"}
# Steps for the directions of a system's axes: the one is exact for what is linear, the other is 3.6" and far above rounding.
_PIXEL, _DEGREE = 1.0, 1e-3


class RegionProblem(Exception):
    """What is wrong with a shape, without the place."""


@dataclass(frozen=True)
class Place:
    """A position in the plane, with what a system's angles and lengths mean there.

    Attributes
    ----------
    x, y : float
        Position [arcsec].
    rotation : float
        From the plane's +x to the system's [deg].
    parity : int
        -1 where the system's angles run clockwise in the plane.
    scale : float
        Length of the system's unit, a pixel or a degree [arcsec].
    """

    x: float
    y: float
    rotation: float
    parity: int
    scale: float

    def turn(self, angle):
        """The plane's angle of an angle in the system [deg]."""
        return self.rotation + self.parity * angle

    def sector(self, start, stop):
        """The sector between two angles in the system."""
        return Sector(
            self.x,
            self.y,
            *(
                (self.turn(start), self.turn(stop))
                if self.parity > 0
                else (self.turn(stop), self.turn(start))
            ),
        )


@dataclass(frozen=True)
class Frames:
    """The coordinate systems that a region file may speak of.

    Attributes
    ----------
    frame : SkyFrame
    physical : PhysicalFrame or None
    image_grid : PixelGrid or None
        The grid of "image" coordinates, whose first pixel is (1, 1).
    physical_sky : SkyFrame or None
        The plane of the physical pixels, where it is not `frame`.
    """

    frame: SkyFrame
    physical: PhysicalFrame | None = None
    image_grid: PixelGrid | None = None
    physical_sky: SkyFrame | None = None

    @cached_property
    def _native(self):
        return self.frame.radesys.strip().lower()

    def _to_plane(self, system, u, v):
        if system == "physical":
            if self.physical is None:
                raise RegionProblem(
                    "physical coordinates, but the events say nothing of physical pixels: save the regions in fk5"
                )
            x, y = self.physical.to_plane(u, v)
            return (
                (x, y)
                if self.physical_sky is None
                else self._to_plane(
                    self.physical_sky.radesys.lower(), *self.physical_sky.to_sky(x, y)
                )
            )
        if system == "image":
            if self.image_grid is None:
                raise RegionProblem(
                    "image coordinates, but no image whose pixels they count: save the regions in fk5 or physical coordinates"
                )
            return self.image_grid.to_plane(np.asarray(u) - 1, np.asarray(v) - 1)
        return self.frame.to_plane(
            *((u, v) if system == "sky" else _between(system, self._native, u, v))
        )

    def place(self, system, u, v):
        """The Place of a position (u, v) [pixel, or deg].

        Raises
        ------
        RegionProblem
            When the system is not known here, or the position has no image in the plane.
        """
        if system in PIXEL_SYSTEMS:
            x, y = self._to_plane(
                system, u + np.array([0, _PIXEL, 0]), v + np.array([0, 0, _PIXEL])
            )
            (ax, bx), (ay, by) = x[1:] - x[0], y[1:] - y[0]
            cross = ax * by - bx * ay
            if abs(ax * bx + ay * by) > 1e-3 * abs(cross) or abs(
                np.hypot(ax, ay) - np.hypot(bx, by)
            ) > 1e-3 * np.sqrt(abs(cross)):
                far = self.physical_sky is not None and system == "physical"
                raise RegionProblem(
                    "lies too far from the pointing"
                    if far
                    else f"{system} pixels are not square: save the regions in fk5"
                )
            place = Place(
                float(x[0]),
                float(y[0]),
                float(np.degrees(np.arctan2(ay, ax))),
                1 if cross > 0 else -1,
                float(np.sqrt(abs(cross))),
            )
        else:
            if not -90 <= v <= 90:
                raise RegionProblem(f"{v:g} is not a latitude")
            step = _DEGREE if v <= 0 else -_DEGREE
            x, y = self._to_plane(system, np.array([u, u]), np.array([v, v + step]))
            north = np.degrees(np.arctan2((y[1] - y[0]) * step, (x[1] - x[0]) * step))
            place = Place(float(x[0]), float(y[0]), float(north - 90), 1, 3600.0)
        if not np.isfinite([place.x, place.y]).all():
            raise RegionProblem("lies 90 degrees or more from the pointing")
        return place

    def turned_like(self, system, place):
        """A place found through one system, with the angles and lengths of another."""
        if system in PIXEL_SYSTEMS:
            u, v = (
                self.physical.to_physical(place.x, place.y)
                if system == "physical" and self.physical and not self.physical_sky
                else (1.0, 1.0)
            )
            like = self.place(system, u, v)
        elif system in EQUATORIAL:
            like = self.place("sky", *self.frame.to_sky(place.x, place.y))
        else:
            like = self.place(
                system, *_between(self._native, system, *self.frame.to_sky(place.x, place.y))
            )
        return Place(place.x, place.y, like.rotation, like.parity, like.scale)


@lru_cache
def _rotation(system, other):
    """(3, 3) matrix from the axes of one celestial system to those of another, or None where it takes more than a rotation."""
    if "fk4" in (system, other):
        return None
    axes = SkyCoord(
        [0.0, 90.0, 0.0], [0.0, 0.0, 90.0], unit="deg", frame=_ASTROPY.get(system, system)
    )
    return axes.transform_to(_ASTROPY.get(other, other)).cartesian.xyz.value


def _between(system, other, longitude, latitude):
    """Longitudes and latitudes [deg] in another celestial system."""
    if system == other:
        return longitude, latitude
    rotation = _rotation(system, other)
    if rotation is None:
        there = (
            SkyCoord(longitude, latitude, unit="deg", frame=_ASTROPY.get(system, system))
            .transform_to(_ASTROPY.get(other, other))
            .spherical
        )
        return there.lon.deg, there.lat.deg
    lon, lat = np.radians(longitude), np.radians(latitude)
    x, y, z = rotation @ np.array(
        [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat) * np.ones_like(lon)]
    )
    return np.degrees(np.arctan2(y, x)), np.degrees(np.arctan2(z, np.hypot(x, y)))


# What marks a place and covers no area.
AREALESS = (
    "point",
    "text",
    "line",
    "vector",
    "segment",
    "ruler",
    "compass",
    "projection",
    "composite",
)
_SYNONYMS = {
    "cpanda": "panda",
    "ellipticalannulus": "elliptannulus",
    "ellipannulus": "elliptannulus",
}
_ABBREVIATED = (
    "circle",
    "ellipse",
    "box",
    "rotbox",
    "rectangle",
    "rotrectangle",
    "annulus",
    "polygon",
    "point",
    "sector",
    "pie",
    "field",
)


def shape_name(text):
    """The full name of a shape, from any case and CIAO's abbreviations; None when it is none.

    Names that cover no area are among them.
    """
    name = text.strip().lower()
    name = _SYNONYMS.get(name, name)
    if name in _BUILDERS or name in AREALESS:
        return name
    return next((full for full in _ABBREVIATED if len(name) >= 3 and full.startswith(name)), None)


def build(name, numbers):
    """The shape of a name and its numbers; None for a shape of no size.

    Parameters
    ----------
    name : str
        As `shape_name` returns it.
    numbers : object
        Gives `place()`, `lengths(n)` [arcsec], `angle()` and `count()` one after the other, `axes()` and `corners()`, and `end()` once all is read.

    Raises
    ------
    RegionProblem
        When the numbers do not fit the name.
    """
    shape = _BUILDERS[name](numbers)
    numbers.end()
    return shape


def _circle(numbers):
    place, (radius,) = numbers.place(), numbers.lengths(1)
    return circle(place.x, place.y, radius) if radius > 0 else None


def _nested(make):
    """A shape of two axes and perhaps an angle; of more axes, the ring between its smallest and its largest."""

    def read(numbers):
        place = numbers.place()
        axes, angle = numbers.axes()
        return _ring([make(place, *pair, place.turn(angle)) for pair in axes])

    return read


def _annulus(numbers):
    place, radii = numbers.place(), numbers.lengths()
    if len(radii) < 2:
        raise RegionProblem("an annulus needs two radii")
    return _ring([circle(place.x, place.y, radius) for radius in radii])


def _ring(parts, sector=None):
    """What lies between the smallest and the largest of concentric shapes; all in between is joined, so it does not show."""
    parts = sorted(parts, key=_size)
    outer, inner = parts[-1], parts[0]
    if min(_size(outer)) <= 0:
        return None
    if len(parts) > 1 and _size(inner) == _size(outer):
        return None
    hole = inner if len(parts) > 1 and min(_size(inner)) > 0 else None
    return outer if hole is None and sector is None else Ring(outer, hole, sector)


def _size(part):
    return (part.rx, part.ry) if isinstance(part, Ellipse) else (part.width, part.height)


def _ellipse_at(place, rx, ry, angle):
    return Ellipse(place.x, place.y, rx, ry, angle)


def _box_at(place, width, height, angle):
    return Box(place.x, place.y, width, height, angle)


def _rectangle(numbers):
    low, high, place, flat = numbers.corners()
    angle = numbers.angle(0.0)
    if not flat:
        if angle:
            raise RegionProblem("a turned rectangle between two directions of the sky: give a box")
        corners = [
            numbers.at(u, v)
            for u, v in ((low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1]))
        ]
        return _polygon_through(corners)
    width, height = (abs(b - a) * place.scale for a, b in zip(low, high, strict=True))
    return (
        Box(place.x, place.y, width, height, place.turn(angle)) if min(width, height) > 0 else None
    )


def _polygon(numbers):
    return _polygon_through(numbers.places())


def _polygon_through(places):
    vertices = []
    for place in places:
        if not vertices or (place.x, place.y) != vertices[-1]:
            vertices.append((place.x, place.y))
    if len(vertices) > 1 and vertices[0] == vertices[-1]:
        vertices.pop()
    if len(vertices) < 3:
        raise RegionProblem("a polygon needs at least 3 corners")
    return Polygon(tuple(vertices))


def _sector(numbers):
    place = numbers.place()
    return place.sector(numbers.angle(), numbers.angle())


def _pie(numbers):
    place = numbers.place()
    radii = numbers.lengths(2)
    return _ring(
        [circle(place.x, place.y, radius) for radius in radii],
        place.sector(numbers.angle(), numbers.angle()),
    )


def _panda(make, per_radius):
    """Angles, their number, radii, their number: the grid inside does not show in the union."""

    def read(numbers):
        place = numbers.place()
        sector = place.sector(numbers.angle(), numbers.angle())
        numbers.count()
        axes = [numbers.lengths(per_radius) for _ in range(2)]
        numbers.count()
        turn = 0.0
        if per_radius == 2:
            # DS9 counts these angles from the first axis, and maps both them and the axis' own from the sky to the image.
            turn = place.turn(numbers.angle(0.0))
            sector = Sector(place.x, place.y, sector.start + turn, sector.stop + turn)
        return _ring([make(place, *pair, turn) for pair in axes], sector)

    return read


def _field(numbers):
    return Field()


_BUILDERS = {
    "circle": _circle,
    "ellipse": _nested(_ellipse_at),
    "elliptannulus": _nested(_ellipse_at),
    "box": _nested(_box_at),
    "rotbox": _nested(_box_at),
    "rectangle": _rectangle,
    "rotrectangle": _rectangle,
    "annulus": _annulus,
    "polygon": _polygon,
    "sector": _sector,
    "pie": _pie,
    "panda": _panda(lambda place, r, angle: circle(place.x, place.y, r), 1),
    "epanda": _panda(_ellipse_at, 2),
    "bpanda": _panda(_box_at, 2),
    "field": _field,
}
