"""Shapes: lists of terms, joined and cut as region files say."""

from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from ...errors import InputError
from ..grid import PixelGrid
from ._near import Near
from .kinds import EVERYWHERE, Field, Term, from_record, to_record


@dataclass(frozen=True)
class Shapes:
    """What one or several region files cover.

    Attributes
    ----------
    groups : tuple of tuple of Term
        One list of terms for each file. Within a list, terms act in order on what came before; the lists are joined.
    """

    groups: tuple = field(default=())

    def __post_init__(self):
        object.__setattr__(
            self, "groups", tuple(tuple(group) for group in self.groups if len(group))
        )

    @classmethod
    def of(cls, *terms):
        """One list, of terms or of bare shapes to be joined."""
        return cls((tuple(t if isinstance(t, Term) else Term(((t, False),)) for t in terms),))

    @classmethod
    def union(cls, several):
        """What any of several covers: an exclusion in one does not reach into another."""
        return cls(tuple(chain.from_iterable(shapes.groups for shapes in several)))

    @property
    def terms(self):
        """All terms of all lists, in order."""
        return tuple(chain.from_iterable(self.groups))

    @property
    def labels(self):
        """The text each term was read from."""
        return tuple(term.label for term in self.terms)

    @property
    def n_shapes(self):
        """Number of shapes, excluded ones too."""
        return sum(len(term.parts) for term in self.terms)

    @property
    def only_excludes(self):
        """Whether every list is everywhere but holes: it starts with an exclusion or a field, and goes on with exclusions."""
        starts = [
            group[0].exclude or group[0].parts == ((Field(), False),) for group in self.groups
        ]
        return (
            bool(starts)
            and all(starts)
            and all(term.exclude for group in self.groups for term in group[1:])
            and any(t.exclude for t in self.terms)
        )

    def holes(self):
        """The excluded terms of every list, as what is covered."""
        return Shapes(
            (tuple(Term(term.parts, False, term.label) for term in self.terms if term.exclude),)
        )

    def _combine(self, x, y, *, evaluate, negate, nothing, everything, margin):
        """Add and cut the terms in order: with truth values, or with distances, for which OR is the larger and AND the smaller."""
        boxes = np.array([term.bounds() for term in self.terms]).reshape(-1, 4) + margin * np.array(
            [-1, 1, -1, 1]
        )
        near, boxes = Near(x, y, boxes), iter(boxes)
        total = np.full(len(x), nothing)
        for group in self.groups:
            state = np.full(len(x), everything if group[0].exclude else nothing)
            for term in group:
                at = near(next(boxes))
                value = evaluate(term, x[at], y[at])
                state[at] = (
                    np.minimum(state[at], negate(value))
                    if term.exclude
                    else np.maximum(state[at], value)
                )
            np.maximum(total, state, out=total)
        return total

    def contains(self, x, y):
        """Whether positions [arcsec] are covered; edges are.

        Parameters
        ----------
        x, y : (N,) array

        Returns
        -------
        (N,) array of bool
        """
        x, y = np.broadcast_arrays(np.asarray(x, np.float64), np.asarray(y, np.float64))
        inside, flat_x, flat_y = np.zeros(x.size, bool), x.ravel(), y.ravel()
        for start in range(0, x.size, 1 << 20):
            part = slice(start, start + (1 << 20))
            inside[part] = self._combine(
                flat_x[part],
                flat_y[part],
                evaluate=Term.contains,
                negate=np.logical_not,
                nothing=False,
                everything=True,
                margin=0,
            )
        return inside.reshape(x.shape)

    def count_by_term(self, x, y, weights=None):
        """Weight of the positions in each term's own area, whatever the list does with it, (T,)."""
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        weights = np.ones(len(x)) if weights is None else weights
        boxes = np.array([term.bounds() for term in self.terms]).reshape(-1, 4)
        near = Near(x, y, boxes)
        places = [near(box) for box in boxes]
        return np.array(
            [
                weights[at][term.contains(x[at], y[at])].sum()
                for term, at in zip(self.terms, places, strict=True)
            ]
        )

    def open_share(self, grid, *, subsamples=10):
        """Share of each cell's area that is not covered.

        Blocks of cells wholly in or out are settled at once; cells on an edge are halved until their parts are settled or `subsamples` times smaller, and
        those take the share that a straight edge at the same distance would leave. The shares are good to about 0.2 %.

        Parameters
        ----------
        grid : PixelGrid
            May be turned against the plane.
        subsamples : int
            Parts along a cell's side, rounded up to a power of two.

        Returns
        -------
        (ny, nx) array
        """
        ny, nx = grid.shape
        diagonal = max(
            np.hypot(*(grid.matrix[:, 0] + grid.matrix[:, 1])),
            np.hypot(*(grid.matrix[:, 0] - grid.matrix[:, 1])),
        )

        def settle(ix, iy, size, finest):
            """Covered share of squares of `size` cells with lower left corners (ix, iy), and which of them are on an edge."""
            x, y = grid.to_plane(ix + (size - 1) / 2, iy + (size - 1) / 2)
            radius = diagonal * size / 2
            d = self._combine(
                x,
                y,
                evaluate=lambda t, x, y: t.distance(x, y, not finest),
                negate=np.negative,
                nothing=-np.inf,
                everything=np.inf,
                margin=radius,
            )
            if finest:
                return np.clip(0.5 + d / (grid.step * size), 0, 1), np.zeros(len(d), bool)
            return (d >= radius).astype(float), np.abs(d) < radius

        size = 1 << max(0, int(np.ceil(np.log2(max(ny, nx) / 32))))
        iy, ix = (corner.ravel() * size for corner in np.indices((-(-ny // size), -(-nx // size))))
        covered = np.zeros((-(-ny // size), -(-nx // size)))
        while True:
            share, on_edge = settle(ix, iy, size, False)
            covered[iy // size, ix // size] += share
            ix, iy = ix[on_edge], iy[on_edge]
            if size == 1:
                break
            size //= 2
            covered = covered.repeat(2, axis=0).repeat(2, axis=1)
            ix, iy = _quarters(ix, iy, size)
            on_grid = (ix < nx) & (iy < ny)
            ix, iy = ix[on_grid], iy[on_grid]
        covered = np.ascontiguousarray(covered[:ny, :nx])
        depth = max(1, int(np.ceil(np.log2(max(subsamples, 2)))))
        # In batches, because the parts of an edge cell outnumber it a hundredfold.
        for start in range(0, len(ix), 20_000):
            px, py, cell = (
                ix[start : start + 20_000],
                iy[start : start + 20_000],
                np.arange(start, min(start + 20_000, len(ix))),
            )
            for level in range(1, depth + 1):
                part = 0.5**level
                px, py = _quarters(px, py, part)
                cell = np.tile(cell, 4)
                share, on_edge = settle(px, py, part, level == depth)
                np.add.at(covered, (iy[cell], ix[cell]), share * part**2)
                px, py, cell = px[on_edge], py[on_edge], cell[on_edge]
        return np.clip(1 - covered, 0, 1)

    def area(self, grid=None):
        """Covered area [arcsec**2], shapes that overlap counted once.

        Parameters
        ----------
        grid : PixelGrid, optional
            Where to count; everywhere without one.

        Raises
        ------
        InputError
            Without a grid, when the area has no bound.
        """
        if grid is None:
            x_range, y_range = self.bounding_box()
            if not np.isfinite([*x_range, *y_range]).all():
                raise InputError("the shapes cover an unbounded area: give the grid to count it on")
            extent = max(x_range[1] - x_range[0], y_range[1] - y_range[0])
            if extent <= 0:
                return 0.0
            grid = PixelGrid.covering(x_range, y_range, extent / 256)
        return float((1 - self.open_share(grid, subsamples=16)).sum() * grid.cell_area)

    def bounding_box(self):
        """The intervals ((x_min, x_max), (y_min, y_max)) [arcsec] outside which nothing is covered; infinite for a list that starts with an exclusion."""
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

    def outlines(self, n=64):
        """Edges of all bounded shapes, excluded ones too, as closed lines.

        Parameters
        ----------
        n : int
            Points for each curve; polygons and boxes have one for each corner.

        Returns
        -------
        list of (m, 2) array
        """
        return [
            line for term in self.terms for shape, _ in term.parts for line in shape.outlines(n)
        ]

    def to_records(self):
        """One dict for each term, ready for JSON; `from_records` gives the same Shapes back, to the bit."""
        return [
            {
                "list": i,
                "label": term.label,
                "exclude": term.exclude,
                "parts": [
                    {"negated": negated, **to_record(shape)} for shape, negated in term.parts
                ],
            }
            for i, group in enumerate(self.groups)
            for term in group
        ]

    @classmethod
    def from_records(cls, records):
        """The Shapes that `to_records` wrote down.

        Raises
        ------
        InputError
            When a record is not one.
        """
        groups = {}
        for record in records:
            try:
                parts = tuple(
                    (
                        from_record({k: v for k, v in part.items() if k != "negated"}),
                        part["negated"],
                    )
                    for part in record["parts"]
                )
                groups.setdefault(record["list"], []).append(
                    Term(parts, record["exclude"], record["label"])
                )
            except (KeyError, TypeError, AttributeError) as problem:
                raise InputError(
                    f"not a record of a shape: {str(record)[:80]} ({problem})"
                ) from None
        return cls(tuple(tuple(group) for _, group in sorted(groups.items())))


def _quarters(ix, iy, size):
    """Lower left corners of the four squares of `size` in squares of twice the size."""
    return np.concatenate([ix, ix + size, ix, ix + size]), np.concatenate(
        [iy, iy, iy + size, iy + size]
    )
