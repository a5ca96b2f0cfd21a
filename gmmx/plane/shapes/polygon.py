"""Polygons in the plane."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...errors import InputError
from .kinds import EDGE, Shape

# Pairs of a point and a side of a polygon that are compared in one step.
AT_ONCE = 30_000


@dataclass(frozen=True)
class Polygon(Shape):
    """A polygon. Points are inside by the even-odd rule.

    Parameters
    ----------
    vertices : tuple of (float, float)
        Three or more corners [arcsec]. The last side runs back to the first corner.

    Examples
    --------
    >>> Polygon(((0, 0), (4, 0), (4, 3))).contains(np.array([3.0, 1.0]), np.array([1.0, 2.0]))
    array([ True, False])
    """

    vertices: tuple

    def __post_init__(self):
        object.__setattr__(self, "vertices", tuple((float(x), float(y)) for x, y in self.vertices))
        if len(self.vertices) < 3:
            raise InputError(f"a polygon needs at least 3 corners, got {len(self.vertices)}")

    @cached_property
    def _sides(self):
        """Sides as (x0, y0, x1, y1), those of no length left out."""
        return [
            (*a, *b)
            for a, b in zip(self.vertices, self.vertices[1:] + self.vertices[:1], strict=True)
            if a != b
        ]

    @cached_property
    def _columns(self):
        """The sides as four columns x0, y0, x1, y1 of shape (S, 1)."""
        return np.array(self._sides).reshape(-1, 4).T[:, :, None]

    def _to_side(self, x, y):
        """Return the squared distance to the nearest side, and whether points are inside."""
        if np.ndim(x) == 1 and 0 < len(self._sides) * len(x) <= AT_ONCE:
            return self._to_sides_at_once(x, y)
        nearest, inside = np.full(np.shape(x), np.inf), np.zeros(np.shape(x), bool)
        for x0, y0, x1, y1 in self._sides:
            dx, dy, px, py = x1 - x0, y1 - y0, x - x0, y - y0
            t = np.clip((px * dx + py * dy) / (dx * dx + dy * dy), 0, 1)
            nearest = np.minimum(nearest, (px - t * dx) ** 2 + (py - t * dy) ** 2)
            if dy != 0:
                inside ^= ((y0 > y) != (y1 > y)) & (px < dx / dy * py)
        return nearest, inside

    def _to_sides_at_once(self, x, y):
        """Do as `_to_side` does, for few points; the numbers are the same to the bit."""
        x0, y0, x1, y1 = self._columns
        dx, dy, px, py = x1 - x0, y1 - y0, x - x0, y - y0
        t = np.clip((px * dx + py * dy) / (dx * dx + dy * dy), 0, 1)
        nearest = ((px - t * dx) ** 2 + (py - t * dy) ** 2).min(axis=0)
        slope = np.divide(dx, dy, out=np.zeros_like(dx), where=dy != 0)
        crossed = ((y0 > y) != (y1 > y)) & (px < slope * py)
        return nearest, np.logical_xor.reduce(crossed, axis=0)

    def contains(self, x, y, edge=EDGE):
        """Tell which points are inside."""
        x0, x1, y0, y1 = self.bounds()
        nearest, inside = self._to_side(x, y)
        return inside | (nearest <= (edge * max(x1 - x0, y1 - y0)) ** 2)

    def distance(self, x, y, _lower_bound):
        """Return the distance of points to the edge, negative outside."""
        nearest, inside = self._to_side(x, y)
        return np.where(inside, 1, -1) * np.sqrt(nearest)

    def bounds(self):
        """Return the smallest (x_min, x_max, y_min, y_max) that holds the polygon."""
        x, y = zip(*self.vertices, strict=True)
        return min(x), max(x), min(y), max(y)

    def outlines(self, _n):
        """Return the edge as one closed line through the corners."""
        return [np.array([*self.vertices, self.vertices[0]])]
