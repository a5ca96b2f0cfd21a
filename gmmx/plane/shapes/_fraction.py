"""The fraction of each cell of a grid that shapes cover."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..grid import PixelGrid

# Edge cells in a batch, because the parts of a cell outnumber it a hundredfold.
_BATCH = 20_000


def covered_fraction(distance: Callable, grid: PixelGrid, subsamples: int) -> np.ndarray:
    """Return the covered fraction of each cell.

    A block of cells that is wholly in or out is settled at once. Cells on an edge are halved until
    their parts are settled or `subsamples` times smaller. Those last parts take the fraction that a
    straight edge at the same distance covers.

    Parameters
    ----------
    distance : callable
        ``distance(x, y, margin, lower_bound)`` is the distance of points to the edge, negative
        outside; right within `margin` of the edge.
    grid : PixelGrid
    subsamples : int

    Returns
    -------
    (ny, nx) array
    """
    squares = _Squares(distance, grid)
    covered, ix, iy = _settled_blocks(squares, grid.shape)
    depth = max(1, int(np.ceil(np.log2(max(subsamples, 2)))))
    for start in range(0, len(ix), _BATCH):
        part = slice(start, start + _BATCH)
        _add_parts(covered, squares, ix[part], iy[part], depth)
    return covered


@dataclass(frozen=True)
class _Squares:
    """Squares of `size` cells, named by their lower left cells."""

    distance: Callable
    grid: PixelGrid

    def _distance(self, ix, iy, size, lower_bound):
        """Return distances of the centres to the edge, and half the diagonal of a square."""
        matrix = self.grid.matrix
        diagonal = max(
            np.hypot(*(matrix[:, 0] + matrix[:, 1])), np.hypot(*(matrix[:, 0] - matrix[:, 1]))
        )
        radius = diagonal * size / 2
        x, y = self.grid.to_plane(ix + (size - 1) / 2, iy + (size - 1) / 2)
        return self.distance(x, y, radius, lower_bound), radius

    def settle(self, ix, iy, size):
        """Return 1 for squares wholly covered, else 0; and which squares may be on an edge."""
        d, radius = self._distance(ix, iy, size, True)
        return (d >= radius).astype(float), np.abs(d) < radius

    def cut_straight(self, ix, iy, size):
        """Return the fractions that straight edges cover."""
        d, _ = self._distance(ix, iy, size, False)
        return np.clip(0.5 + d / (self.grid.step * size), 0, 1)


def _settled_blocks(squares, shape):
    """Settle blocks of cells, from large to single ones.

    Returns
    -------
    covered : (ny, nx) array
        1 for cells wholly covered, else 0.
    ix, iy : array of int
        Cells that may be on an edge.
    """
    ny, nx = shape
    size = 1 << max(0, int(np.ceil(np.log2(max(ny, nx) / 32))))
    iy, ix = (corner.ravel() * size for corner in np.indices((-(-ny // size), -(-nx // size))))
    covered = np.zeros((-(-ny // size), -(-nx // size)))
    while True:
        fraction, on_edge = squares.settle(ix, iy, size)
        covered[iy // size, ix // size] += fraction
        ix, iy = ix[on_edge], iy[on_edge]
        if size == 1:
            return np.ascontiguousarray(covered[:ny, :nx]), ix, iy
        size //= 2
        covered = covered.repeat(2, axis=0).repeat(2, axis=1)
        ix, iy = _quarters(ix, iy, size)
        on_grid = (ix < nx) & (iy < ny)
        ix, iy = ix[on_grid], iy[on_grid]


def _add_parts(covered, squares, ix, iy, depth):
    """Add the covered fractions of cells on an edge to `covered`, halving them `depth` times."""
    px, py, cell = ix, iy, np.arange(len(ix))
    for level in range(1, depth + 1):
        size = 0.5**level
        px, py = _quarters(px, py, size)
        cell = np.tile(cell, 4)
        if level == depth:
            fraction, on_edge = squares.cut_straight(px, py, size), np.zeros(len(px), bool)
        else:
            fraction, on_edge = squares.settle(px, py, size)
        np.add.at(covered, (iy[cell], ix[cell]), fraction * size**2)
        px, py, cell = px[on_edge], py[on_edge], cell[on_edge]


def _quarters(ix, iy, size):
    """Return the lower left corners of the four squares of `size` in squares of twice the size."""
    return np.concatenate([ix, ix + size, ix, ix + size]), np.concatenate(
        [iy, iy, iy + size, iy + size]
    )
