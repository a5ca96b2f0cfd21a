"""Shapes in the plane: ellipses, boxes, and the whole plane."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from ...errors import InputError

# A point this close to an edge, relative to the size of the shape, is inside, because the same edge
# comes through different arithmetic in different files.
EDGE = 1e-9
EVERYWHERE = (-np.inf, np.inf, -np.inf, np.inf)


class Shape(ABC):
    """A part of the plane. Positions and lengths are in arcsec, angles in degrees.

    Angles count from the +x axis, counter-clockwise.
    """

    @abstractmethod
    def contains(self, x: np.ndarray, y: np.ndarray, edge: float = EDGE) -> np.ndarray:
        """Tell which points are inside.

        Parameters
        ----------
        x, y : (N,) array
        edge : float
            Tolerance beyond the edge, relative to the size of the shape; negative for a hole.

        Returns
        -------
        (N,) array of bool
        """

    @abstractmethod
    def distance(self, x: np.ndarray, y: np.ndarray, lower_bound: bool) -> np.ndarray:
        """Return the distance of points to the edge, negative outside.

        Parameters
        ----------
        x, y : (N,) array
        lower_bound : bool
            Return values that never exceed the true distance. Otherwise the values are right to
            first order near the edge.

        Returns
        -------
        (N,) array
        """

    @abstractmethod
    def bounds(self) -> tuple[float, float, float, float]:
        """Return the smallest (x_min, x_max, y_min, y_max) that holds the shape."""

    @abstractmethod
    def outlines(self, n: int) -> list[np.ndarray]:
        """Return the edge as closed lines, (m, 2) arrays, with n points for a curve.

        An unbounded shape has none.
        """


def own_axes(shape, x, y):
    """Return the offsets of points from a shape's centre, along the shape's own axes."""
    angle = np.radians(shape.angle)
    dx, dy = x - shape.x, y - shape.y
    if shape.angle == 0:
        return dx, dy
    return np.cos(angle) * dx + np.sin(angle) * dy, np.cos(angle) * dy - np.sin(angle) * dx


def _from_own_axes(shape, u, v):
    """Return (n, 2) positions of offsets along a shape's own axes: the inverse of `own_axes`."""
    angle = np.radians(shape.angle)
    return np.column_stack(
        [
            shape.x + np.cos(angle) * u - np.sin(angle) * v,
            shape.y + np.sin(angle) * u + np.cos(angle) * v,
        ]
    )


def _check_sizes(kind, *sizes):
    if not (np.isfinite(sizes).all() and min(sizes) > 0):
        raise InputError(f"{kind} needs sizes above zero, got {sizes[0]:g} and {sizes[1]:g}")


@dataclass(frozen=True)
class Ellipse(Shape):
    """An ellipse; a circle if its semi-axes are equal.

    Parameters
    ----------
    x, y : float
        Centre [arcsec].
    rx, ry : float
        Semi-axes [arcsec].
    angle : float
        Direction of the first semi-axis [deg].

    Examples
    --------
    >>> Ellipse(10.0, 20.0, 4.0, 1.0, 90.0).contains(np.array([10.0, 14.0]), np.array([23.9, 20.0]))
    array([ True, False])
    """

    x: float
    y: float
    rx: float
    ry: float
    angle: float = 0.0

    def __post_init__(self):
        _check_sizes("an ellipse", self.rx, self.ry)

    def contains(self, x, y, edge=EDGE):
        """Tell which points are inside."""
        u, v = own_axes(self, x, y)
        return (u / self.rx) ** 2 + (v / self.ry) ** 2 <= (1 + edge) ** 2

    def distance(self, x, y, lower_bound):
        """Return the distance of points to the edge, negative outside."""
        u, v = own_axes(self, x, y)
        f = np.hypot(u / self.rx, v / self.ry)
        if lower_bound or self.rx == self.ry:
            return (1 - f) * min(self.rx, self.ry)
        # To first order (1 - f) / |grad f|, which the fraction of a small cell on the edge needs.
        slope = np.hypot(u / self.rx**2, v / self.ry**2)
        return (1 - f) * np.divide(
            f, slope, out=np.full(np.shape(f), min(self.rx, self.ry)), where=slope > 0
        )

    def bounds(self):
        """Return the smallest (x_min, x_max, y_min, y_max) that holds the ellipse."""
        c, s = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        w, h = np.hypot(self.rx * c, self.ry * s), np.hypot(self.rx * s, self.ry * c)
        return self.x - w, self.x + w, self.y - h, self.y + h

    def outlines(self, n):
        """Return the edge as one closed line of n points."""
        t = np.linspace(0, 2 * np.pi, n)
        return [_from_own_axes(self, self.rx * np.cos(t), self.ry * np.sin(t))]


def circle(x: float, y: float, radius: float) -> Ellipse:
    """Return the circle about (x, y) [arcsec].

    Examples
    --------
    >>> circle(0.0, 0.0, 2.0)
    Ellipse(x=0.0, y=0.0, rx=2.0, ry=2.0, angle=0.0)
    """
    return Ellipse(x, y, radius, radius)


@dataclass(frozen=True)
class Box(Shape):
    """A rectangle.

    Parameters
    ----------
    x, y : float
        Centre [arcsec].
    width, height : float
        Full lengths of the sides [arcsec].
    angle : float
        Direction of the side `width` [deg].

    Examples
    --------
    >>> Box(0.0, 0.0, 4.0, 2.0).contains(np.array([1.9, 2.1]), np.array([0.9, 0.0]))
    array([ True, False])
    """

    x: float
    y: float
    width: float
    height: float
    angle: float = 0.0

    def __post_init__(self):
        _check_sizes("a box", self.width, self.height)

    def contains(self, x, y, edge=EDGE):
        """Tell which points are inside."""
        u, v = own_axes(self, x, y)
        return (np.abs(u) <= self.width / 2 * (1 + edge)) & (
            np.abs(v) <= self.height / 2 * (1 + edge)
        )

    def distance(self, x, y, _lower_bound):
        """Return the distance of points to the edge, negative outside."""
        u, v = own_axes(self, x, y)
        return np.minimum(self.width / 2 - np.abs(u), self.height / 2 - np.abs(v))

    def bounds(self):
        """Return the smallest (x_min, x_max, y_min, y_max) that holds the box."""
        corners = self.outlines(5)[0]
        return corners[:, 0].min(), corners[:, 0].max(), corners[:, 1].min(), corners[:, 1].max()

    def outlines(self, _n):
        """Return the edge as one closed line through the four corners."""
        return [
            _from_own_axes(
                self,
                self.width / 2 * np.array([-1, 1, 1, -1, -1]),
                self.height / 2 * np.array([-1, -1, 1, 1, -1]),
            )
        ]


@dataclass(frozen=True)
class Field(Shape):
    """The whole plane."""

    def contains(self, x, _y, _edge=EDGE):
        """Return true for all points."""
        return np.ones(np.shape(x), bool)

    def distance(self, x, _y, _lower_bound):
        """Return infinity for all points."""
        return np.full(np.shape(x), np.inf)

    def bounds(self):
        """Return infinite bounds."""
        return EVERYWHERE

    def outlines(self, _n):
        """Return no line."""
        return []
