"""Integrals of a completeness map under Gaussians, on a pyramid of coarser and coarser maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._kernels.exposure import LevelMaps, exposure_moments
from ..plane.grid import PixelGrid
from ..plane.resample import padded_to_even

# Cells per standard deviation in the integral of the completeness.
SAMPLING = 3.0
# Fewest cells along the shorter side of the coarsest level in use, because broad views, too, must
# resolve the outline of the field.
LEAST_CELLS = 12


@dataclass(frozen=True, eq=False, repr=False)
class Pyramid:
    """Completeness maps of all levels in one array; level l has cells 2**l times as large.

    Attributes
    ----------
    grid : PixelGrid
        The grid of level 0, the map itself.
    values : (n,) array
        The maps of all levels, one after the other, each row by row.
    offsets, heights, widths : (n_levels,) int arrays
        Where each level starts in `values`, and its rows and columns.

    Examples
    --------
    Half of a Gaussian that is centred on the edge of the field is inside the field:

    >>> grid = PixelGrid.covering((0, 40), (-20, 20), 1.0)
    >>> pyramid = Pyramid.of(grid, np.ones(grid.shape))
    >>> means, covariances = np.zeros((1, 2)), 9.0 * np.eye(2)[None]
    >>> moments = pyramid.moments(means, covariances, pyramid.levels(covariances))
    >>> round(float(moments[0, 0]), 3)
    0.5
    """

    grid: PixelGrid
    values: np.ndarray
    offsets: np.ndarray
    heights: np.ndarray
    widths: np.ndarray

    @classmethod
    def of(cls, grid: PixelGrid, omega: np.ndarray) -> Pyramid:
        """Pyramid of a map: each level averages 2 x 2 cells of the level before.

        Odd sizes are padded with zeros. The last level has a side of one cell.

        Parameters
        ----------
        grid : PixelGrid
        omega : (ny, nx) array
            Completeness on the grid.
        """
        maps = [np.ascontiguousarray(omega)]
        while min(maps[-1].shape) > 1:
            last = padded_to_even(maps[-1])
            maps.append(last.reshape(last.shape[0] // 2, 2, last.shape[1] // 2, 2).mean((1, 3)))
        sizes = np.array([m.size for m in maps])
        return cls(
            grid,
            np.concatenate([m.ravel() for m in maps]),
            np.cumsum(sizes) - sizes,
            np.array([m.shape[0] for m in maps]),
            np.array([m.shape[1] for m in maps]),
        )

    def __repr__(self):
        return f"Pyramid({len(self.heights)} levels of {self.heights[0]} x {self.widths[0]} cells)"

    def levels(self, covariances: np.ndarray) -> np.ndarray:
        """Level on which each view is integrated.

        It is the coarsest level whose cell is at most a third of the view's smallest standard
        deviation and that has at least 12 cells a side. The number -s stands for cells of
        level 0 that are divided into s x s parts, because the view is too narrow for them.

        Parameters
        ----------
        covariances : (V, 2, 2) array
            Covariances of the views [arcsec**2].

        Returns
        -------
        (V,) int array
        """
        pixels = self.grid.inverse @ covariances @ self.grid.inverse.T
        sigma = np.sqrt(np.linalg.eigvalsh(pixels)[..., 0])
        level = np.floor(np.log2(sigma / SAMPLING)).astype(np.int64)
        coarsest = max(0, int((np.minimum(self.heights, self.widths) >= LEAST_CELLS).sum()) - 1)
        parts = np.ceil(SAMPLING / sigma).astype(np.int64)
        return np.where(level >= 0, np.minimum(level, coarsest), -parts)

    def moments(self, means: np.ndarray, covariances: np.ndarray, levels: np.ndarray) -> np.ndarray:
        """Moments of the completeness under each view.

        For a view N(x; mu, T) they are

            e0 = int Omega N dx,  e1 = int Omega N (x - mu) dx,
            e2 = int Omega N (x - mu) (x - mu)^T dx.

        The map of level l is the first one, smeared by cells of h = 2**l pixels: up to the fourth
        order ``int Omega N(T) = int (Omega * box) N(T')`` with ``T' = T - (h**2 - 1) I / 12``.
        Midpoint sums with T itself would lose up to 1 per cent of a view that is cut by the
        field's edge, always to its advantage, so that broad components would take the place of
        the background, whose integral is exact. The moments under T follow as in a deconvolution:
        with ``G = T' T^-1``, ``e1 = G^-1 e1'`` and ``e2 = G^-1 [e2' - e0 (T' - G T')] G^-T``. They
        stay the exact derivatives of e0.

        Parameters
        ----------
        means : (V, 2) array
            Centres of the views [arcsec].
        covariances : (V, 2, 2) array
            Covariances of the views [arcsec**2].
        levels : (V,) int array
            As `levels` returns them.

        Returns
        -------
        (V, 6) array
            e0, the two of e1 [arcsec], and xx, xy, yy of e2 [arcsec**2].
        """
        inverse, matrix = self.grid.inverse, self.grid.matrix
        pixels = inverse @ covariances @ inverse.T
        narrowed = pixels - ((4.0 ** np.maximum(levels, 0) - 1) / 12)[:, None, None] * np.eye(2)
        centres = (means - self.grid.origin) @ inverse.T
        flat = np.stack([narrowed[:, 0, 0], narrowed[:, 0, 1], narrowed[:, 1, 1]], axis=1)
        maps = LevelMaps(self.values, self.offsets, self.heights, self.widths)
        moments = exposure_moments(maps, levels, centres, flat)
        gains = pixels @ np.linalg.inv(narrowed)
        rest = narrowed - narrowed @ np.linalg.solve(pixels, narrowed)
        first = np.einsum("vij,vj->vi", gains, moments[:, 1:3])
        second = (
            gains
            @ (square(moments[:, 3:]) - moments[:, 0, None, None] * rest)
            @ np.swapaxes(gains, 1, 2)
        )
        first, second = first @ matrix.T, matrix @ second @ matrix.T
        return np.column_stack(
            [moments[:, 0], first, second[:, 0, 0], second[:, 0, 1], second[:, 1, 1]]
        )


def square(flat: np.ndarray) -> np.ndarray:
    """Symmetric matrices (..., 2, 2) of their elements xx, xy, yy in an array (..., 3)."""
    return np.stack([flat[..., 0], flat[..., 1], flat[..., 1], flat[..., 2]], axis=-1).reshape(
        *flat.shape[:-1], 2, 2
    )
