"""The field of all observations together, and how much of each component lies in it.

The field is where the exposure of at least one observation is above zero, whatever is masked. The
gaps between chips belong to it only where dither exposes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ..plane.grid import PixelGrid
from ..plane.resample import map_means
from .pyramid import Pyramid

if TYPE_CHECKING:
    from .completeness import Completeness
    from .mixture import Mixture
    from .observation import Observation

# The field is mapped with at most this many cells.
_MOST_CELLS = 4_000_000


@dataclass(frozen=True, eq=False, repr=False)
class Coverage:
    """The field of all observations, and the part of it that is not masked.

    Attributes
    ----------
    grid : PixelGrid
    inside : (ny, nx) array
        Fraction of each cell that lies in the field.
    seen : (ny, nx) array
        Fraction that lies in the field and is not masked, of the observation that saw most of it.

    Examples
    --------
    Half of a component that is centred on the edge of the field lies outside:

    >>> from gmmx.model.completeness import Completeness
    >>> from gmmx.model.mixture import Mixture
    >>> from gmmx.model.observation import Observation
    >>> from gmmx.model.photons import Photons
    >>> grid = PixelGrid.covering((0, 40), (-20, 20), 1.0)
    >>> completeness = Completeness(grid=grid, exposure=np.ones(grid.shape))
    >>> observation = Observation(photons=Photons([], []), completeness=completeness)
    >>> star = Mixture(fluxes=[5.0], means=[[0.0, 0.0]], covariances=[9.0 * np.eye(2)])
    >>> Coverage.of([observation]).fractions(star).round(3)
    array([[0.5],
           [0. ],
           [0.5]])
    """

    grid: PixelGrid
    inside: np.ndarray
    seen: np.ndarray

    @classmethod
    def of(cls, observations: Sequence[Observation]) -> Coverage | None:
        """The coverage of observations; None if one of them records everything everywhere."""
        maps = [o.completeness for o in observations if o.completeness is not None]
        if not maps or len(maps) < len(observations):
            return None
        return _coverage(tuple(maps))

    def __repr__(self):
        area = self.inside.sum() * self.grid.cell_area / 3600
        masked = 1 - self.seen.sum() / max(self.inside.sum(), 1e-300)
        return f"Coverage({area:.4g} arcmin^2, {100 * masked:.2g} % masked)"

    @cached_property
    def pyramids(self) -> tuple[Pyramid, Pyramid]:
        """The field and its part that is not masked, to be integrated under components."""
        inside = Pyramid.of(self.grid, self.inside)
        is_open = np.array_equal(self.inside, self.seen)
        return inside, inside if is_open else Pyramid.of(self.grid, self.seen)

    def moments(self, mixture: Mixture) -> np.ndarray:
        """Moments of the parts of the plane under each component, (3, K, 6).

        The parts are the field, its masked part, and what lies outside; the moments e0, e1 and e2
        are those of `Pyramid.moments`.
        """
        means, covariances = mixture.means, mixture.covariances
        inside, seen = (
            pyramid.moments(means, covariances, pyramid.levels(covariances))
            for pyramid in self.pyramids
        )
        whole = np.zeros_like(inside)
        whole[:, 0] = 1
        whole[:, 3:] = covariances.reshape(-1, 4)[:, [0, 1, 3]]
        return np.stack([inside, inside - seen, whole - inside])

    def fractions(self, mixture: Mixture) -> np.ndarray:
        """Fractions of each component in the field, under its masks, and outside, (3, K)."""
        if len(mixture) == 0:
            return np.zeros((3, 0))
        return np.clip(self.moments(mixture)[:, :, 0], 0.0, 1.0)


@lru_cache(maxsize=1)
def _coverage(maps: tuple[Completeness, ...]) -> Coverage:
    """The coverage of completeness maps; the last one is kept, because a fit asks for it often."""
    grid = _coarser(joined_grid([one.grid for one in maps]))
    if len(maps) == 1 and grid.shape == maps[0].grid.shape:
        inside = 1.0 * (maps[0].exposure > 0)
        return Coverage(grid, inside, inside * maps[0].open_fraction)
    inside, seen = np.zeros(grid.shape), np.zeros(grid.shape)
    for one in maps:
        inside = np.maximum(inside, map_means(1.0 * (one.exposure > 0), one.grid, grid))
        seen = np.maximum(seen, map_means(_open(one), one.grid, grid))
    return Coverage(grid, inside, seen)


def joined_grid(grids: Sequence[PixelGrid]) -> PixelGrid:
    """The first of several grids, extended by whole pixels until it covers the others.

    Examples
    --------
    >>> one = PixelGrid.covering((0, 4), (0, 2), 1.0)
    >>> joined_grid([one, PixelGrid.covering((3, 9), (0, 2), 2.0)])
    PixelGrid(9 x 2 pixels of 1 x 1 arcsec, x 0 to 9, y 0 to 2 arcsec)
    """
    first, (ny, nx) = grids[0], grids[0].shape
    corners = []
    for grid in grids:
        sy, sx = grid.shape
        x, y = grid.to_plane([-0.5, sx - 0.5, -0.5, sx - 0.5], [-0.5, -0.5, sy - 0.5, sy - 0.5])
        corners.append(first.to_pixels(x, y))
    ix, iy = np.concatenate(corners, axis=1)
    # Hundredths of a pixel beyond an edge are rounding errors.
    left, low = (int(np.floor(min(index.min() + 0.5, 0) + 0.01)) for index in (ix, iy))
    right, high = (
        int(np.ceil(max(index.max() + 0.5, n) - 0.01)) for index, n in ((ix, nx), (iy, ny))
    )
    return PixelGrid(
        shape=(high - low, right - left),
        origin=np.array(first.to_plane(left, low)),
        matrix=first.matrix,
    )


def _coarser(grid: PixelGrid) -> PixelGrid:
    """A grid of blocks of pixels, of which there are not too many."""
    n = int(np.ceil(np.sqrt(grid.shape[0] * grid.shape[1] / _MOST_CELLS)))
    if n <= 1:
        return grid
    return PixelGrid(
        shape=(-(-grid.shape[0] // n), -(-grid.shape[1] // n)),
        origin=np.array(grid.to_plane((n - 1) / 2, (n - 1) / 2)),
        matrix=grid.matrix * n,
    )


def _open(completeness: Completeness) -> np.ndarray:
    """Fraction of each cell that was exposed and is not masked."""
    return np.where(completeness.exposure > 0, completeness.open_fraction, 0.0)
