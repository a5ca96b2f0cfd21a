"""Shapes: lists of terms that are joined and cut as region files say."""

from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

import numpy as np
from numpy.typing import ArrayLike

from ..._words import counted
from ...errors import InputError
from ..grid import PixelGrid
from ._fraction import covered_fraction
from ._near import Near
from .kinds import EVERYWHERE, Field
from .records import from_records, to_records
from .term import Term


@dataclass(frozen=True, repr=False)
class Shapes:
    """The area that one or several region files cover.

    Parameters
    ----------
    groups : tuple of tuple of Term
        One list of terms for each file. The terms of a list act in order on the area before them,
        and the lists are joined.

    Examples
    --------
    >>> from gmmx.plane.shapes import Box, circle
    >>> shapes = Shapes.of(circle(0.0, 0.0, 2.0), Box(5.0, 0.0, 2.0, 2.0))
    >>> shapes
    Shapes(2 shapes)
    >>> shapes.contains([0.0, 3.0, 5.0], [0.0, 0.0, 0.0])
    array([ True, False,  True])
    >>> round(shapes.area(), 1)
    16.6
    """

    groups: tuple = field(default=())

    def __post_init__(self):
        object.__setattr__(
            self, "groups", tuple(tuple(group) for group in self.groups if len(group))
        )

    def __repr__(self):
        excluded = sum(len(term.parts) for term in self.terms if term.exclude)
        shapes = counted(self.n_shapes, "shape")
        left_out = f", {excluded} of them excluded" if excluded else ""
        lists = f", in {len(self.groups)} lists" if len(self.groups) > 1 else ""
        return f"Shapes({shapes}{left_out}{lists})"

    @classmethod
    def of(cls, *terms) -> "Shapes":
        """Make one list of terms, or of bare shapes that are joined."""
        return cls((tuple(t if isinstance(t, Term) else Term(((t, False),)) for t in terms),))

    @classmethod
    def union(cls, several) -> "Shapes":
        """Join several Shapes. An exclusion in one does not reach into another."""
        return cls(tuple(chain.from_iterable(shapes.groups for shapes in several)))

    @property
    def terms(self) -> tuple:
        """All terms of all lists, in order."""
        return tuple(chain.from_iterable(self.groups))

    @cached_property
    def _boxes(self):
        """Bounds (x_min, x_max, y_min, y_max) of each term, (T, 4) [arcsec]."""
        return np.array([term.bounds() for term in self.terms], float).reshape(-1, 4)

    @property
    def labels(self) -> tuple:
        """The text from which each term was read."""
        return tuple(term.label for term in self.terms)

    @property
    def n_shapes(self) -> int:
        """Number of shapes, with the excluded ones."""
        return sum(len(term.parts) for term in self.terms)

    @property
    def only_excludes(self) -> bool:
        """Whether every list is the whole plane with holes in it.

        Such a list starts with an exclusion or a Field, and goes on with exclusions.
        """
        starts = [
            group[0].exclude or group[0].parts == ((Field(), False),) for group in self.groups
        ]
        return (
            bool(starts)
            and all(starts)
            and all(term.exclude for group in self.groups for term in group[1:])
            and any(t.exclude for t in self.terms)
        )

    def holes(self) -> "Shapes":
        """Return the excluded terms of all lists, as an area that is covered."""
        return Shapes(
            (tuple(Term(term.parts, False, term.label) for term in self.terms if term.exclude),)
        )

    def contains(self, x: ArrayLike, y: ArrayLike) -> np.ndarray:
        """Tell which positions are covered. Edges are.

        Parameters
        ----------
        x, y : (N,) array
            Positions [arcsec].

        Returns
        -------
        (N,) array of bool
        """
        x, y = np.broadcast_arrays(np.asarray(x, np.float64), np.asarray(y, np.float64))
        inside, flat_x, flat_y = np.zeros(x.size, bool), x.ravel(), y.ravel()
        for start in range(0, x.size, 1 << 20):
            part = slice(start, start + (1 << 20))
            inside[part] = self._in_order(
                flat_x[part],
                flat_y[part],
                value_of=Term.contains,
                complement=np.logical_not,
                of_nothing=False,
                of_everything=True,
            )
        return inside.reshape(x.shape)

    def _distance(self, x, y, margin, lower_bound):
        """Return the distance to the edge of the covered area, negative outside.

        Terms are left out whose bounds are more than `margin` away.
        """
        return self._in_order(
            x,
            y,
            value_of=lambda term, x, y: term.distance(x, y, lower_bound),
            complement=np.negative,
            of_nothing=-np.inf,
            of_everything=np.inf,
            margin=margin,
        )

    def _in_order(self, x, y, *, value_of, complement, of_nothing, of_everything, margin=0):
        """Add and cut the terms in order, with truth values or with distances.

        On both, OR is the maximum and AND is the minimum, so that a term is added with the maximum
        and cut with the minimum of its complement.
        """
        near = Near(x, y, self._boxes + margin * np.array([-1, 1, -1, 1]))
        numbers = iter(range(len(self._boxes)))
        total = np.full(len(x), of_nothing)
        for group in self.groups:
            state = np.full(len(x), of_everything if group[0].exclude else of_nothing)
            for term in group:
                at = near(next(numbers))
                value = value_of(term, x[at], y[at])
                state[at] = (
                    np.minimum(state[at], complement(value))
                    if term.exclude
                    else np.maximum(state[at], value)
                )
            np.maximum(total, state, out=total)
        return total

    def count_by_term(
        self, x: ArrayLike, y: ArrayLike, weights: np.ndarray | None = None
    ) -> np.ndarray:
        """Sum the weights of positions in each term's area, whether it is excluded or not.

        Parameters
        ----------
        x, y : (N,) array
            Positions [arcsec].
        weights : (N,) array, optional
            1 for each position by default.

        Returns
        -------
        (T,) array
        """
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        weights = np.ones(len(x)) if weights is None else weights
        near = Near(x, y, self._boxes)
        places = [near(number) for number in range(len(self._boxes))]
        return np.array(
            [
                weights[at][term.contains(x[at], y[at])].sum()
                for term, at in zip(self.terms, places, strict=True)
            ]
        )

    def open_fraction(self, grid: PixelGrid, *, subsamples: int = 10) -> np.ndarray:
        """Return the fraction of each cell's area that is not covered.

        Parameters
        ----------
        grid : PixelGrid
            It may be turned against the plane.
        subsamples : int
            Parts along a cell's side, rounded up to a power of two. With 10 the fractions are good
            to about 0.002.

        Returns
        -------
        (ny, nx) array

        Examples
        --------
        >>> from gmmx.plane.shapes import Box
        >>> grid = PixelGrid.covering((0, 4), (0, 1), 1.0)
        >>> Shapes.of(Box(1.25, 0.5, 2.5, 1.0)).open_fraction(grid)
        array([[0. , 0. , 0.5, 1. ]])
        """
        return np.clip(1 - covered_fraction(self._distance, grid, subsamples), 0, 1)

    def area(self, grid: PixelGrid | None = None) -> float:
        """Return the covered area [arcsec**2]. Overlaps count once.

        Parameters
        ----------
        grid : PixelGrid, optional
            Where to measure; by default everywhere.

        Raises
        ------
        InputError
            If there is no grid and the area has no bounds.
        """
        if grid is None:
            x_range, y_range = self.bounding_box()
            if not np.isfinite([*x_range, *y_range]).all():
                raise InputError("the shapes cover an unbounded area: give the grid to count it on")
            extent = max(x_range[1] - x_range[0], y_range[1] - y_range[0])
            if extent <= 0:
                return 0.0
            grid = PixelGrid.covering(x_range, y_range, extent / 256)
        return float((1 - self.open_fraction(grid, subsamples=16)).sum() * grid.cell_area)

    def bounding_box(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return the intervals of x and y [arcsec] outside which nothing is covered.

        They are infinite for a list that starts with an exclusion.
        """
        boxes = [
            EVERYWHERE if term.exclude else term.bounds()
            for group in self.groups
            for term in group
            if term is group[0] or not term.exclude
        ]
        if not boxes:
            return (0.0, 0.0), (0.0, 0.0)
        x0, x1, y0, y1 = np.array(boxes, float).T
        return (float(x0.min()), float(x1.max())), (float(y0.min()), float(y1.max()))

    def outlines(self, n: int = 64) -> list[np.ndarray]:
        """Return the edges of all bounded shapes, with the excluded ones, as closed lines.

        Parameters
        ----------
        n : int
            Points for each curve. Polygons and boxes have one for each corner.

        Returns
        -------
        list of (m, 2) array
        """
        return [
            line for term in self.terms for shape, _ in term.parts for line in shape.outlines(n)
        ]

    def to_records(self) -> list[dict]:
        """Return one dict for each term, ready for JSON, from which `from_records` starts."""
        return to_records(self.groups)

    @classmethod
    def from_records(cls, records: list[dict]) -> "Shapes":
        """Return the Shapes that `to_records` wrote, to the bit.

        Raises
        ------
        InputError
            If a record is not one of a shape.
        """
        return cls(from_records(records))
