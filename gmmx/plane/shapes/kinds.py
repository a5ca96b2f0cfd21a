"""The shapes there are, and a term of a region list made of them.

Every shape says of a point whether it is inside (`contains`), and how far its edge is, negative outside (`distance`): with `bound` never more than the truth,
without it right to first order near the edge.
"""

from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np

from ...errors import InputError

# Points this close to an edge, relative to the shape's size, are inside: the same edge comes through different arithmetic in different files.
EDGE = 1e-9
EVERYWHERE = (-np.inf, np.inf, -np.inf, np.inf)


def _turned(shape, x, y):
    """Offsets from a shape's centre along its own axes [arcsec]."""
    angle = np.radians(shape.angle)
    dx, dy = x - shape.x, y - shape.y
    if shape.angle == 0:
        return dx, dy
    return np.cos(angle) * dx + np.sin(angle) * dy, np.cos(angle) * dy - np.sin(angle) * dx


def _placed(shape, u, v):
    """(n, 2) positions [arcsec] of offsets along a shape's own axes: the inverse of `_turned`."""
    angle = np.radians(shape.angle)
    return np.column_stack(
        [
            shape.x + np.cos(angle) * u - np.sin(angle) * v,
            shape.y + np.sin(angle) * u + np.cos(angle) * v,
        ]
    )


@dataclass(frozen=True)
class Ellipse:
    """An ellipse; a circle when its semi-axes are equal.

    Attributes
    ----------
    x, y : float
        Centre [arcsec].
    rx, ry : float
        Semi-axes [arcsec].
    angle : float
        From +x to the first semi-axis, counter-clockwise [deg].
    """

    x: float
    y: float
    rx: float
    ry: float
    angle: float = 0.0

    def contains(self, x, y, edge=EDGE):
        u, v = _turned(self, x, y)
        return (u / self.rx) ** 2 + (v / self.ry) ** 2 <= (1 + edge) ** 2

    def distance(self, x, y, bound):
        u, v = _turned(self, x, y)
        f = np.hypot(u / self.rx, v / self.ry)
        if bound or self.rx == self.ry:
            return (1 - f) * min(self.rx, self.ry)
        # To first order in the distance, which is what the share of a small cell on the edge needs.
        slope = np.hypot(u / self.rx**2, v / self.ry**2)
        return (1 - f) * np.divide(
            f, slope, out=np.full(np.shape(f), min(self.rx, self.ry)), where=slope > 0
        )

    def bounds(self):
        c, s = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        w, h = np.hypot(self.rx * c, self.ry * s), np.hypot(self.rx * s, self.ry * c)
        return self.x - w, self.x + w, self.y - h, self.y + h

    def outlines(self, n):
        t = np.linspace(0, 2 * np.pi, n)
        return [_placed(self, self.rx * np.cos(t), self.ry * np.sin(t))]


@dataclass(frozen=True)
class Box:
    """A rectangle: centre, full widths [arcsec], and the angle from +x to its first side, counter-clockwise [deg]."""

    x: float
    y: float
    width: float
    height: float
    angle: float = 0.0

    def contains(self, x, y, edge=EDGE):
        u, v = _turned(self, x, y)
        return (np.abs(u) <= self.width / 2 * (1 + edge)) & (
            np.abs(v) <= self.height / 2 * (1 + edge)
        )

    def distance(self, x, y, bound):
        u, v = _turned(self, x, y)
        return np.minimum(self.width / 2 - np.abs(u), self.height / 2 - np.abs(v))

    def bounds(self):
        corners = self.outlines(5)[0]
        return corners[:, 0].min(), corners[:, 0].max(), corners[:, 1].min(), corners[:, 1].max()

    def outlines(self, n):
        return [
            _placed(
                self,
                self.width / 2 * np.array([-1, 1, 1, -1, -1]),
                self.height / 2 * np.array([-1, -1, 1, 1, -1]),
            )
        ]


@dataclass(frozen=True)
class Polygon:
    """A polygon, inside by the even-odd rule.

    Attributes
    ----------
    vertices : tuple of (float, float)
        Three or more corners [arcsec]; the last side runs back to the first corner.
    """

    vertices: tuple

    def __post_init__(self):
        object.__setattr__(self, "vertices", tuple((float(x), float(y)) for x, y in self.vertices))
        if len(self.vertices) < 3:
            raise InputError(f"a polygon needs at least 3 corners, got {len(self.vertices)}")

    @cached_property
    def _sides(self):
        return [
            (*a, *b)
            for a, b in zip(self.vertices, self.vertices[1:] + self.vertices[:1], strict=True)
            if a != b
        ]

    def _to_side(self, x, y):
        """Squared distance to the nearest side [arcsec**2], and whether the even-odd rule says inside."""
        nearest, inside = np.full(np.shape(x), np.inf), np.zeros(np.shape(x), bool)
        for x0, y0, x1, y1 in self._sides:
            dx, dy, px, py = x1 - x0, y1 - y0, x - x0, y - y0
            t = np.clip((px * dx + py * dy) / (dx * dx + dy * dy), 0, 1)
            nearest = np.minimum(nearest, (px - t * dx) ** 2 + (py - t * dy) ** 2)
            if dy != 0:
                inside ^= ((y0 > y) != (y1 > y)) & (px < dx / dy * py)
        return nearest, inside

    def contains(self, x, y, edge=EDGE):
        x0, x1, y0, y1 = self.bounds()
        nearest, inside = self._to_side(x, y)
        return inside | (nearest <= (edge * max(x1 - x0, y1 - y0)) ** 2)

    def distance(self, x, y, bound):
        nearest, inside = self._to_side(x, y)
        return np.where(inside, 1, -1) * np.sqrt(nearest)

    def bounds(self):
        x, y = zip(*self.vertices, strict=True)
        return min(x), max(x), min(y), max(y)

    def outlines(self, n):
        return [np.array([*self.vertices, self.vertices[0]])]


@dataclass(frozen=True)
class Sector:
    """An unbounded wedge: its apex [arcsec] and the range of angle, counter-clockwise from +x [deg]; equal ends make a full turn."""

    x: float
    y: float
    start: float
    stop: float

    @property
    def span(self):
        """Opening angle, in (0, 360] [deg]."""
        return 360.0 if self.stop - self.start >= 360 else (self.stop - self.start) % 360 or 360.0

    def contains(self, x, y, edge=EDGE):
        dx, dy = x - self.x, y - self.y
        from_start = (np.degrees(np.arctan2(dy, dx)) - self.start) % 360
        return (
            (from_start <= self.span + 360 * edge)
            | (from_start >= 360 - 360 * edge)
            | ((dx == 0) & (dy == 0))
        )

    def distance(self, x, y, bound):
        if self.span == 360:
            return np.full(np.shape(x), np.inf)
        dx, dy = x - self.x, y - self.y
        nearest = np.full(np.shape(x), np.inf)
        for angle in np.radians([self.start, self.stop]):
            along, across = (
                dx * np.cos(angle) + dy * np.sin(angle),
                dy * np.cos(angle) - dx * np.sin(angle),
            )
            nearest = np.minimum(nearest, np.where(along > 0, np.abs(across), np.hypot(dx, dy)))
        return np.where(self.contains(x, y), nearest, -nearest)

    def bounds(self):
        return EVERYWHERE

    def outlines(self, n):
        return []


@dataclass(frozen=True)
class Ring:
    """What lies in `outer`, not in `inner`, and within `sector`: annuli of circles, ellipses and boxes, pies and pandas.

    Attributes
    ----------
    outer : Ellipse or Box
    inner : Ellipse or Box or None
        The hole; its edge belongs to the ring.
    sector : Sector or None
    """

    outer: Ellipse | Box
    inner: Ellipse | Box | None = None
    sector: Sector | None = None

    def contains(self, x, y, edge=EDGE):
        inside = self.outer.contains(x, y, edge)
        if self.inner is not None:
            inside &= ~self.inner.contains(x, y, -edge)
        if self.sector is not None:
            inside &= self.sector.contains(x, y, edge)
        return inside

    def distance(self, x, y, bound):
        least = self.outer.distance(x, y, bound)
        if self.inner is not None:
            least = np.minimum(least, -self.inner.distance(x, y, bound))
        if self.sector is not None:
            least = np.minimum(least, self.sector.distance(x, y, bound))
        return least

    def bounds(self):
        return self.outer.bounds()

    def outlines(self, n):
        if self.sector is None or self.sector.span == 360:
            return self.outer.outlines(n) + ([] if self.inner is None else self.inner.outlines(n))
        angles = np.radians(self.sector.start + np.linspace(0, self.sector.span, max(n // 2, 2)))
        arcs = [
            _reach(part, self.sector, angles)
            for part in (self.outer, self.inner)
            if part is not None
        ]
        back = arcs[1][::-1] if len(arcs) == 2 else np.array([[self.sector.x, self.sector.y]])
        return [np.vstack([arcs[0], back, arcs[0][:1]])]


def _reach(part, sector, angles):
    """(n, 2) points where rays from a sector's apex, which is the part's centre, leave the part."""
    u, v = _turned(part, sector.x + np.cos(angles), sector.y + np.sin(angles))
    scaled = (
        np.hypot(u / part.rx, v / part.ry)
        if isinstance(part, Ellipse)
        else np.maximum(np.abs(u) / part.width, np.abs(v) / part.height) * 2
    )
    return np.column_stack([sector.x + np.cos(angles) / scaled, sector.y + np.sin(angles) / scaled])


@dataclass(frozen=True)
class Field:
    """Everywhere."""

    def contains(self, x, y, edge=EDGE):
        return np.ones(np.shape(x), bool)

    def distance(self, x, y, bound):
        return np.full(np.shape(x), np.inf)

    def bounds(self):
        return EVERYWHERE

    def outlines(self, n):
        return []


@dataclass(frozen=True)
class Term:
    """One entry of a region list: the intersection of shapes, each possibly negated.

    Attributes
    ----------
    parts : tuple of (shape, bool)
        Shapes, and whether each is negated.
    exclude : bool
        Whether the term is cut out of what came before it instead of being added.
    label : str
        The text it was read from.
    """

    parts: tuple
    exclude: bool = False
    label: str = ""

    @property
    def short_label(self):
        """The label, or what stands for it where it is too long for a line."""
        if len(self.label) <= 60:
            return self.label or "without a name"
        if len(self.parts) == 1 and isinstance(self.parts[0][0], Polygon):
            return f"polygon of {len(self.parts[0][0].vertices)} vertices"
        return self.label[:57] + "..."

    def contains(self, x, y):
        """Whether positions [arcsec] are in the term's own area, whatever the list does with it."""
        return np.logical_and.reduce(
            [shape.contains(x, y) != negated for shape, negated in self.parts]
        )

    def distance(self, x, y, bound):
        """Distance to the term's edge [arcsec], negative outside; with `bound`, never more than the true one."""
        return np.minimum.reduce(
            [
                -shape.distance(x, y, bound) if negated else shape.distance(x, y, bound)
                for shape, negated in self.parts
            ]
        )

    def bounds(self):
        """(x_min, x_max, y_min, y_max) [arcsec] outside which there is nothing of the term."""
        x0, x1, y0, y1 = np.array(
            [shape.bounds() for shape, negated in self.parts if not negated] or [EVERYWHERE]
        ).T
        return x0.max(), x1.min(), y0.max(), y1.min()


def circle(x, y, radius):
    """The circle about (x, y) [arcsec]."""
    return Ellipse(x, y, radius, radius)


_KINDS = {kind.__name__.lower(): kind for kind in (Ellipse, Box, Polygon, Sector, Ring, Field)}


def to_record(shape):
    if isinstance(shape, Ring):
        return {
            "shape": "ring",
            **{k: None if v is None else to_record(v) for k, v in vars(shape).items()},
        }
    return {
        "shape": type(shape).__name__.lower(),
        **{k: [list(c) for c in v] if k == "vertices" else v for k, v in asdict(shape).items()},
    }


def from_record(record):
    values = {
        k: from_record(v) if isinstance(v, dict) else v for k, v in record.items() if k != "shape"
    }
    return _KINDS[record["shape"]](**values)
