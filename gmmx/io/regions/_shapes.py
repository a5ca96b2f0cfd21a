"""Shapes from names and numbers: the names that region files use, and the values each one takes."""

import numpy as np

from ...plane.shapes import Box, Ellipse, Field, Polygon, Ring, Sector, circle
from ._frames import RegionProblem

# Names of entries that mark a place and cover no area.
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
# A shape that is narrower covers nothing [arcsec].
SMALLEST = 1e-9
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
    """Return the full name of a shape, from any case and from CIAO's abbreviations.

    None stands for a text that names no shape. The names in `AREALESS` are names too.
    """
    name = text.strip().lower()
    name = _SYNONYMS.get(name, name)
    if name in _BUILDERS or name in AREALESS:
        return name
    return next((full for full in _ABBREVIATED if len(name) >= 3 and full.startswith(name)), None)


def build(name, numbers):
    """Build the shape of a name and its numbers.

    Parameters
    ----------
    name : str
        As `shape_name` returns it.
    numbers : object
        A source of values: `place()`, `places()`, `corners()`, `lengths(n)` [arcsec], `axes()`,
        `angle()` [deg] and `count()` give the next ones, `end()` checks that none is left. Text,
        FITS rows and the objects of the package `regions` have one class each.

    Returns
    -------
    Ellipse, Box, Polygon, Ring, Sector, Field or None
        None for a shape of no size.

    Raises
    ------
    RegionProblem
        If the numbers do not fit the name.
    """
    shape = _BUILDERS[name](numbers)
    numbers.end()
    return shape


def _circle(numbers):
    place, (radius,) = numbers.place(), numbers.lengths(1)
    return _ring(place, _circle_of, [(radius,)])


def _nested(kind):
    """Return the builder of a shape with two axes and perhaps an angle.

    More than two axes make the ring between the smallest and the largest pair.
    """

    def read(numbers):
        place = numbers.place()
        axes, angle = numbers.axes()
        return _ring(place, kind, axes, angle=place.turn(angle))

    return read


def _annulus(numbers):
    place, radii = numbers.place(), numbers.lengths()
    if len(radii) < 2:
        raise RegionProblem("an annulus needs two radii")
    return _ring(place, _circle_of, [(radius,) for radius in radii])


def _ring(place, kind, sizes, *, angle=0.0, sector=None):
    """Return the ring between the smallest and the largest of concentric shapes.

    DS9's annuli of several radii are joined, so that the radii between do not matter.

    Parameters
    ----------
    place : Place
        The common centre.
    kind : callable
        ``kind(x, y, *size, angle)`` makes a shape.
    sizes : list of tuple of float
        Radii, or pairs of axes [arcsec]. One size makes a shape without a hole.
    angle : float
        In the plane [deg].
    sector : Sector, optional
        The part of the ring that is kept.

    Returns
    -------
    Ellipse, Box, Ring or None
        None where nothing is covered.
    """
    sizes = sorted(tuple(size) for size in sizes)
    smallest, largest = sizes[0], sizes[-1]
    if min(largest) <= SMALLEST or (len(sizes) > 1 and smallest == largest):
        return None
    outer = kind(place.x, place.y, *largest, angle)
    has_hole = len(sizes) > 1 and min(smallest) > SMALLEST
    hole = kind(place.x, place.y, *smallest, angle) if has_hole else None
    return outer if hole is None and sector is None else Ring(outer, hole, sector)


def _circle_of(x, y, radius, _angle):
    return circle(x, y, radius)


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
        Box(place.x, place.y, width, height, place.turn(angle))
        if min(width, height) > SMALLEST
        else None
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
    # Corners on one line have no spread across it. (A bow tie has, but no signed area.)
    across = np.linalg.svd(np.array(vertices) - np.mean(vertices, axis=0), compute_uv=False)[-1]
    if across <= SMALLEST:
        return None
    return Polygon(tuple(vertices))


def _sector(numbers):
    place = numbers.place()
    return place.sector(numbers.angle(), numbers.angle())


def _pie(numbers):
    place = numbers.place()
    radii = numbers.lengths(2)
    sector = place.sector(numbers.angle(), numbers.angle())
    return _ring(place, _circle_of, [(radius,) for radius in radii], sector=sector)


def _panda(kind, per_radius):
    """Return the builder of a panda: two angles, their number, radii, their number.

    DS9 divides a panda into cells. The cells are joined, so that their numbers do not matter.
    """

    def read(numbers):
        place = numbers.place()
        sector = place.sector(numbers.angle(), numbers.angle())
        numbers.count()
        axes = [numbers.lengths(per_radius) for _ in range(2)]
        numbers.count()
        turn = 0.0
        if per_radius == 2:
            # DS9 counts these angles from the first axis. It maps both them and the angle of the
            # axis from the sky to the image.
            turn = place.turn(numbers.angle(0.0))
            sector = Sector(place.x, place.y, sector.start + turn, sector.stop + turn)
        return _ring(place, kind, axes, angle=turn, sector=sector)

    return read


def _field(_numbers):
    return Field()


_BUILDERS = {
    "circle": _circle,
    "ellipse": _nested(Ellipse),
    "elliptannulus": _nested(Ellipse),
    "box": _nested(Box),
    "rotbox": _nested(Box),
    "rectangle": _rectangle,
    "rotrectangle": _rectangle,
    "annulus": _annulus,
    "polygon": _polygon,
    "sector": _sector,
    "pie": _pie,
    "panda": _panda(_circle_of, 1),
    "epanda": _panda(Ellipse, 2),
    "bpanda": _panda(Box, 2),
    "field": _field,
}
