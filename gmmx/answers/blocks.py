"""Residuals of photons in blocks that are large enough to tell something.

Blocks are the leaves of a quadtree: a square is divided into four as long as each quarter expects
enough photons, so that blocks are small where the model is bright and large in the outskirts. A
quarter that is cut by a mask or an edge of the field and expects fewer is joined to the neighbour
with which it has the longest border.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from .residuals import poisson_residual

if TYPE_CHECKING:
    from ..plane.grid import PixelGrid

# Photons that a block expects at least: with fewer, Poisson residuals are no standard deviations.
LEAST_PHOTONS = 10.0
# Rounds in which small blocks are joined; each at least halves the number of those that can be.
_ROUNDS = 32


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class ResidualBlocks:
    """Photons and model in blocks of cells.

    Attributes
    ----------
    grid : PixelGrid
        The cells.
    labels : (ny, nx) array of int
        Index of the block of each cell; -1 where nothing was recorded.
    counts, expected : (n,) array
        Recorded and expected photons in each block.
    side : float or None
        Side of the blocks if all are equal squares [arcsec]; None if they follow the model.

    Examples
    --------
    >>> from gmmx.plane.grid import PixelGrid
    >>> grid = PixelGrid.covering((-32, 32), (-32, 32), 1.0)
    >>> ones = np.ones(grid.shape)
    >>> adaptive_blocks(grid, ones, ones)
    ResidualBlocks(256 blocks that expect 16 to 16 photons; residual 0.04 +- 0.00)
    """

    grid: PixelGrid
    labels: np.ndarray
    counts: np.ndarray
    expected: np.ndarray
    side: float | None = None

    def __len__(self):
        return len(self.counts)

    def __repr__(self):
        if not len(self):
            return "ResidualBlocks(none: nothing was recorded)"
        low, high = self.expected.min(), self.expected.max()
        mean, rms = self.residuals.mean(), self.residuals.std()
        return (
            f"ResidualBlocks({len(self)} blocks that expect {low:,.3g} to {high:,.3g} photons; "
            f"residual {mean:.2f} +- {rms:.2f})"
        )

    @cached_property
    def residuals(self) -> np.ndarray:
        """Significance of data minus model in each block, (n,) [sigma].

        It is the signed square root of the Cash statistic, ``poisson_residual``, plus
        ``1 / (6 sqrt(m))``, which makes its mean 0 for a model that is true (Pierce and Schafer
        1986). From 10 expected photons m on it is nearly a standard normal deviate.
        """
        known = np.maximum(self.expected, 1e-300)
        # The correction is an expansion in 1 / m, and holds where m is not small.
        shift = np.where(self.expected >= 1, 1 / (6 * np.sqrt(known)), 0.0)
        return poisson_residual(self.counts, self.expected) + shift

    @property
    def scarce(self) -> np.ndarray:
        """Which blocks expect fewer than 10 photons, (n,) booleans."""
        return self.expected < LEAST_PHOTONS

    def image(self, values: np.ndarray) -> np.ndarray:
        """Numbers of the blocks on the cells, (ny, nx); NaN where nothing was recorded."""
        return np.append(np.asarray(values, np.float64), np.nan)[self.labels]

    @property
    def values(self) -> np.ndarray:
        """The residuals on the cells, (ny, nx); NaN where nothing was recorded."""
        return self.image(self.residuals)


def adaptive_blocks(
    grid: PixelGrid,
    counts: np.ndarray,
    expected: np.ndarray,
    *,
    least: float = LEAST_PHOTONS,
    smallest: float = 0.0,
) -> ResidualBlocks:
    """Blocks that expect at least a number of photons each.

    Islands of the field that expect fewer, and have no neighbour, are left out. If the whole field
    expects fewer, it is one block.

    Parameters
    ----------
    grid : PixelGrid
    counts, expected : (ny, nx) array
        Recorded and expected photons. Where nothing is expected nothing could be recorded.
    least : float
        Photons that each block expects at least.
    smallest : float
        Side that blocks have at least [arcsec].
    """
    seen = expected > 0
    if expected.sum() < least:
        return _summed(grid, counts, expected, np.where(seen, 0, -1))
    finest = int(np.ceil(np.log2(max(smallest / grid.step, 1.0)) - 1e-9))
    labels = _compact(np.where(seen, _leaves(expected, seen, least, finest), -1))
    labels = _joined(labels, expected, least)
    photons = np.bincount(labels[labels >= 0], expected[labels >= 0])
    islands = np.append(photons < least, False)[labels]
    return _summed(grid, counts, expected, _compact(np.where(islands, -1, labels)))


def uniform_blocks(
    grid: PixelGrid, counts: np.ndarray, expected: np.ndarray, side: float
) -> ResidualBlocks:
    """Equal square blocks of whole cells, whatever they expect.

    Parameters
    ----------
    grid : PixelGrid
    counts, expected : (ny, nx) array
        Recorded and expected photons.
    side : float
        Side of a block [arcsec]; it is rounded to whole cells.
    """
    n = max(1, round(side / grid.step))
    ny, nx = grid.shape
    rows, columns = np.arange(ny)[:, None] // n, np.arange(nx) // n
    labels = _compact(np.where(expected > 0, rows * (nx // n + 1) + columns, -1))
    return _summed(grid, counts, expected, labels, side=n * grid.step)


def _summed(grid, counts, expected, labels, side=None):
    """Blocks with the sums over their cells."""
    seen = labels >= 0
    n = int(labels.max(initial=-1)) + 1
    sums = {
        name: np.bincount(labels[seen], values[seen], n)
        for name, values in (("counts", counts), ("expected", expected))
    }
    return ResidualBlocks(grid=grid, labels=labels, side=side, **sums)


def _leaves(expected, seen, least, finest):
    """Index of the leaf of a quadtree that each cell belongs to, (ny, nx)."""
    ny, nx = expected.shape
    top = max(int(np.ceil(np.log2(max(ny, nx)))), finest)
    padding = (0, 2**top - ny), (0, 2**top - nx)
    photons, cells = [np.pad(expected, padding)], [np.pad(seen.astype(float), padding)]
    for _ in range(top):
        photons.append(_quarters(photons[-1]).sum((1, 3)))
        cells.append(_quarters(cells[-1]).sum((1, 3)))
    # The labels of leaves at all levels; squares above them are still to be divided.
    labels, open_, n = np.zeros((1, 1), np.int64), np.ones((1, 1), bool), 0
    for level in range(top, finest - 1, -1):
        divided = np.zeros_like(open_)
        if level > finest:
            rich = photons[level - 1] >= least
            cut = cells[level - 1] < 0.5 * 4.0 ** (level - 1)
            every = _quarters(rich | cut).all((1, 3)) & _quarters(rich).any((1, 3))
            divided = open_ & every
        ended = open_ & ~divided
        labels[ended] = n + np.arange(ended.sum())
        n += int(ended.sum())
        times = 2 if level > finest else 2**finest
        labels, open_ = (one.repeat(times, 0).repeat(times, 1) for one in (labels, divided))
    return labels[:ny, :nx]


def _quarters(values):
    """A square array as (n / 2, 2, n / 2, 2), so that axes 1 and 3 are quarters of squares."""
    n = len(values) // 2
    return values.reshape(n, 2, n, 2)


def _joined(labels, expected, least):
    """Join blocks that expect too little to the neighbours with the longest common borders."""
    # Loaded here because that takes a tenth of a second.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    for _ in range(_ROUNDS):
        n = int(labels.max()) + 1
        photons = np.bincount(labels[labels >= 0], expected[labels >= 0], n)
        first, second = _neighbours(labels, photons < least)
        if not len(first):
            break
        graph = coo_array((np.ones(len(first)), (first, second)), shape=(n, n))
        _, groups = connected_components(graph, directed=False)
        labels = np.append(groups, -1)[labels]
    return labels


def _neighbours(labels, poor):
    """Each poor block that has neighbours, and the one with the longest common border."""
    n = len(poor)
    pairs = [
        np.stack([one.ravel(), other.ravel()])
        for a, b in ((labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1]))
        for one, other in ((a, b), (b, a))
    ]
    first, second = np.concatenate(pairs, axis=1)
    # Cells beyond the field have the label -1, which finds no poor block.
    border = (first != second) & (second >= 0) & np.append(poor, False)[first]
    codes, lengths = np.unique(first[border] * n + second[border], return_counts=True)
    order = np.lexsort((codes, -lengths, codes // n))
    first, second = codes[order] // n, codes[order] % n
    longest = np.flatnonzero(np.diff(first, prepend=-1))
    return first[longest], second[longest]


def _compact(labels):
    """The same blocks, counted from 0 without gaps."""
    known = labels >= 0
    compact = np.full(labels.shape, -1)
    compact[known] = np.unique(labels[known], return_inverse=True)[1]
    return compact
