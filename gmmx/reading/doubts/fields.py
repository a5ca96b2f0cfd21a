"""Exposure maps that do not follow the photons: parts without any, edges elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...model.completeness import Completeness
from ...model.photons import Photons
from ..placing import ON_ZERO_EXPOSURE
from .blocks import summed
from .evidence import Evidence

# Photons that a block has to lack, where it would have as many at the faintest rates: none by
# chance once in e**20 blocks.
LACKING = 20.0
# Part of the exposure that has to lack its photons.
EMPTY_PART = 0.03
# Tiles and cells of the test for shifted edges, and the smallest shift it tells [arcsec].
TILE, CELL, LEAST_SHIFT = 64.0, 4.0, 6.0
SHIFTS = (9.0, 20.0)
# A tile counts at most this much [nat], so that no source decides; the gain in standard
# deviations, and in nats, from which a shift is real.
MOST_GAIN, SIGNIFICANT, LEAST_GAIN = 3.0, 2.0, 20.0
# The exposure outside the field, relative to the largest.
FLOOR = 0.03
# A map of larger cells does not tell such a shift [arcsec].
LARGEST_CELL = 10.0
# Photons that the test needs, and the open fraction of a cell that no mask touches.
LEAST_PHOTONS, OPEN = 200, 0.99
# No statistical check is made on larger maps, because it would take seconds.
MOST_CELLS = 20_000_000


def empty_parts(e: Evidence) -> Iterator[str]:
    """Look for exposed parts of the field without any photon.

    The field is summed in blocks. At the rate that three quarters of the blocks with photons
    exceed, a block of at least 20 expected photons has none with the probability exp(-20) = 2e-9.
    A warning is due if such blocks are 3 % of the exposure or more.
    """
    if not _is_checked(e):
        return
    blocks = e.blocks
    empty = (blocks.floor * blocks.exposure >= LACKING) & (blocks.photons == 0)
    part = blocks.exposure[empty].sum() / max(blocks.exposure.sum(), 1e-300)
    if part >= EMPTY_PART and empty.any():
        yield (
            f"{e.exposure.files[0]}: {part:.0%} of the exposure of the map is where {e.name} has "
            f"no photon, and at least {blocks.floor * blocks.exposure[empty].sum():.0f} are "
            "expected: the map has more chips, or the events were cut after it was made: make "
            "it of the same chips and cuts, choose chips with `ccd`, or give the cut with `region`"
        )


def shifted_edges(e: Evidence) -> Iterator[str]:
    """Look for a shift of the map at which its edges fit the photons better.

    In each tile of 64" that holds an edge, the photons of the tile are distributed as the
    exposure by the hypothesis, whatever the brightness of the tile: the gain of a shift d is
    ``sum_i log[E(x_i + d) / sum E(x + d)]`` less the same without shift. No tile counts more
    than 3 nats, so that a source in it does not decide. A ratio of likelihoods has the mean 1
    under the hypothesis, so that 20 nats for one of 16 shifts have a probability below 1e-5.
    A warning needs 2 standard deviations above zero as well, by the scatter of the tiles, because
    no map is exact. On ACIS-I the largest gain of a map in place is -20 nats or less.
    """
    if not _is_checked(e) or e.recorded.photons.pixel > CELL:
        return
    photons = e.cut.recorded.photons
    unexposed = e.cut.completeness.exposure_at(photons.x, photons.y) == 0
    if photons.weights[unexposed].sum() > ON_ZERO_EXPOSURE * photons.n_photons:
        # That has a warning of its own.
        return
    found = best_shift(photons, e.cut.completeness)
    if found is not None:
        yield (
            f"{e.exposure.files[0]}: the edges of the exposure map fit the photons of {e.name} "
            f'better if it is shifted by about ({found[0]:.0f}", {found[1]:.0f}") to west and '
            "north: is it of another pointing, aspect solution or roll? Make it of these events"
        )


def _is_checked(e):
    """Whether there is an exposure map, not too large to be compared with the photons."""
    return e.exposure.is_measured and e.cut.completeness.exposure.size <= MOST_CELLS


def best_shift(photons: Photons, completeness: Completeness) -> tuple[float, float] | None:
    """Return the shift of an exposure map that fits its edges to photons significantly better.

    Parameters
    ----------
    photons : Photons
        Those on zero exposure included.
    completeness : Completeness

    Returns
    -------
    (float, float) or None
        Shift in x and y [arcsec]; None if no shift is significant.
    """
    grid = completeness.grid
    extent = min(grid.shape) * grid.step
    if not grid.is_aligned or photons.n_photons < LEAST_PHOTONS:
        return None
    if grid.step > LARGEST_CELL or extent < 2 * TILE:
        return None
    edges = _edges(photons, completeness)
    if edges is None:
        return None
    gains = {shift: edges.gains(shift) for shift in _steps(edges.cell)}
    shift, gain = max(gains.items(), key=lambda one: one[1].sum())
    if gain.sum() < max(LEAST_GAIN, SIGNIFICANT * np.sqrt((gain**2).sum())):
        return None
    signs = np.sign(np.diag(grid.matrix))
    return shift[0] * edges.cell * signs[0], shift[1] * edges.cell * signs[1]


@dataclass(frozen=True, eq=False, kw_only=True)
class _Edges:
    """The cells of the tiles that hold an edge of the field.

    Attributes
    ----------
    exposure : (ny, nx) array
        With a margin of the longest shift; at least `FLOOR` of the largest.
    cells : (n,) array of int
        Flat indices of the open cells.
    tiles : (n,) array of int
        The tile of each cell.
    counts : (n,) array
        Photons of each cell.
    cell : float
        Side of a cell [arcsec].
    """

    exposure: np.ndarray
    cells: np.ndarray
    tiles: np.ndarray
    counts: np.ndarray
    cell: float

    def gains(self, shift):
        """Return the gain of each tile [nat] if the exposure is moved by (ix, iy) cells."""
        flat = self.exposure.ravel()
        # The map moves by the shift: the value at a place is that of the place before.
        values = flat[self.cells], flat[self.cells - shift[1] * self.exposure.shape[1] - shift[0]]
        before, after = (np.bincount(self.tiles, v) for v in values)
        some = np.flatnonzero(self.counts)
        ratio = self.counts[some] * np.log(values[1][some] / values[0][some])
        gain = np.bincount(self.tiles[some], ratio, len(before))
        n = np.bincount(self.tiles, self.counts)
        used = n > 0
        gain = gain[used] - n[used] * np.log(after[used] / before[used])
        return np.clip(gain, -MOST_GAIN, MOST_GAIN)


def _edges(photons, completeness):
    """Return the cells of the tiles that hold an edge; None if there are none."""
    grid = completeness.grid
    side = max(1, round(CELL / grid.step))
    cell = float(side * grid.step)
    tile = max(2, round(TILE / cell))
    # A whole number of tiles on each side, which is longer than any shift.
    margin = tile * int(np.ceil((SHIFTS[-1] / cell + 2) / tile))
    exposure = summed(completeness.exposure, side) / side**2
    closed = summed((completeness.open_fraction < OPEN).astype(float), side) > 0
    holes = _holes(exposure > 0)
    if holes.any():
        exposure, closed = _filled(exposure, holes), closed | holes
    shape = tuple((-(-n // tile)) * tile + 2 * margin for n in exposure.shape)
    inner = tuple(slice(margin, margin + n) for n in exposure.shape)
    wide, usable = np.zeros(shape), np.ones(shape, bool)
    wide[inner], usable[inner] = np.maximum(exposure, 0), ~closed
    ix, iy = (
        np.floor((i + 0.5) / side).astype(np.int64) + margin
        for i in grid.to_pixels(photons.x, photons.y)
    )
    on = (ix >= 0) & (iy >= 0) & (ix < shape[1]) & (iy < shape[0])
    counts = np.bincount((iy * shape[1] + ix)[on], photons.weights[on], wide.size)
    # Not the margin itself, from where a shift would lead off the map.
    tiles = _with_edges(wide, tile)
    tiles[: margin // tile - 1], tiles[:, : margin // tile - 1] = False, False
    tiles[-1:], tiles[:, -1:] = False, False
    chosen = np.repeat(np.repeat(tiles, tile, 0), tile, 1) & usable
    reach = int(np.ceil(SHIFTS[-1] / cell)) + 1
    chosen[:reach], chosen[-reach:], chosen[:, :reach], chosen[:, -reach:] = (False,) * 4
    cells = np.flatnonzero(chosen)
    if not len(cells):
        return None
    row, column = np.divmod(cells, shape[1])
    numbers = np.unique((row // tile) * (shape[1] // tile) + column // tile, return_inverse=True)
    return _Edges(
        exposure=np.maximum(wide, FLOOR * wide.max()),
        cells=cells,
        tiles=numbers[1],
        counts=counts[cells],
        cell=cell,
    )


def _with_edges(exposure, tile):
    """Return the tiles in which, or beside which, the exposure falls to less than half."""
    ny, nx = (n // tile for n in exposure.shape)
    parts = exposure.reshape(ny, tile, nx, tile)
    low, high = parts.min((1, 3)), parts.max((1, 3))
    return (high > 0) & (low < 0.5 * high)


def _steps(cell):
    """Return the shifts that are tried, (ix, iy) in cells: eight directions, two lengths."""
    directions = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]
    found = {
        (round(i * length / cell / np.hypot(i, j)), round(j * length / cell / np.hypot(i, j)))
        for length in SHIFTS
        for i, j in directions
    }
    return sorted(one for one in found if np.hypot(*one) * cell >= LEAST_SHIFT)


def _holes(field):
    """Return the holes of a field, such as masked sources, with a margin."""
    # Imported here, because importing it takes a tenth of a second.
    from scipy.ndimage import binary_dilation, binary_fill_holes

    holes = binary_fill_holes(field) & ~field
    return binary_dilation(holes, iterations=2) if holes.any() else holes


def _filled(exposure, holes):
    """Return an exposure whose holes have the value of the nearest place around them."""
    from scipy.ndimage import distance_transform_edt

    nearest = distance_transform_edt(holes, return_distances=False, return_indices=True)
    return exposure[tuple(nearest)]
