"""Sectors, and the rings that a sector may cut: annuli, pies and pandas."""

from dataclasses import dataclass

import numpy as np

from .kinds import EDGE, EVERYWHERE, Box, Ellipse, Shape, own_axes


@dataclass(frozen=True)
class Sector(Shape):
    """An unbounded wedge.

    Parameters
    ----------
    x, y : float
        Apex [arcsec].
    start, stop : float
        Directions of its sides; the wedge runs counter-clockwise from `start` to `stop` [deg].
        Equal directions make a full turn.

    Examples
    --------
    >>> Sector(1.0, 1.0, 350.0, 10.0).contains(np.array([2.0, 0.0]), np.array([1.0, 1.0]))
    array([ True, False])
    """

    x: float
    y: float
    start: float
    stop: float

    @property
    def span(self) -> float:
        """Opening angle, in (0, 360] [deg]."""
        return 360.0 if self.stop - self.start >= 360 else (self.stop - self.start) % 360 or 360.0

    def contains(self, x, y, edge=EDGE):
        """Tell which points are inside."""
        dx, dy = x - self.x, y - self.y
        from_start = (np.degrees(np.arctan2(dy, dx)) - self.start) % 360
        return (
            (from_start <= self.span + 360 * edge)
            | (from_start >= 360 - 360 * edge)
            | ((dx == 0) & (dy == 0))
        )

    def distance(self, x, y, _lower_bound):
        """Return the distance of points to the nearer side, negative outside."""
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
        """Return infinite bounds."""
        return EVERYWHERE

    def outlines(self, _n):
        """Return no line, because a wedge has no end."""
        return []


@dataclass(frozen=True)
class Ring(Shape):
    """An ellipse or a box with a hole, perhaps cut by a sector: an annulus, a pie or a panda.

    Parameters
    ----------
    outer : Ellipse or Box
    inner : Ellipse or Box, optional
        The hole. Its edge belongs to the ring.
    sector : Sector, optional
        The part that is kept. Its apex is the centre of `outer` and `inner`.

    Examples
    --------
    >>> ring = Ring(Ellipse(0.0, 0.0, 2.0, 2.0), Ellipse(0.0, 0.0, 1.0, 1.0))
    >>> ring.contains(np.array([0.9, 1.0, 2.0, 2.1]), np.zeros(4))
    array([False,  True,  True, False])
    """

    outer: Ellipse | Box
    inner: Ellipse | Box | None = None
    sector: Sector | None = None

    def contains(self, x, y, edge=EDGE):
        """Tell which points are inside."""
        inside = self.outer.contains(x, y, edge)
        if self.inner is not None:
            inside &= ~self.inner.contains(x, y, -edge)
        if self.sector is not None:
            inside &= self.sector.contains(x, y, edge)
        return inside

    def distance(self, x, y, lower_bound):
        """Return the distance of points to the nearest edge, negative outside."""
        least = self.outer.distance(x, y, lower_bound)
        if self.inner is not None:
            least = np.minimum(least, -self.inner.distance(x, y, lower_bound))
        if self.sector is not None:
            least = np.minimum(least, self.sector.distance(x, y, lower_bound))
        return least

    def bounds(self):
        """Return the smallest (x_min, x_max, y_min, y_max) that holds the outer shape."""
        return self.outer.bounds()

    def outlines(self, n):
        """Return the edge as closed lines: two for an annulus, one for a pie."""
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
    """Return the (n, 2) points where rays from a sector's apex leave a concentric part."""
    u, v = own_axes(part, sector.x + np.cos(angles), sector.y + np.sin(angles))
    scaled = (
        np.hypot(u / part.rx, v / part.ry)
        if isinstance(part, Ellipse)
        else np.maximum(np.abs(u) / part.width, np.abs(v) / part.height) * 2
    )
    return np.column_stack([sector.x + np.cos(angles) / scaled, sector.y + np.sin(angles) / scaled])
