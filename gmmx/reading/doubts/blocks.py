"""Photons and exposure of a field in blocks of cells: what the statistical checks look at."""

from dataclasses import dataclass

import numpy as np

from ...model.completeness import Completeness
from ...model.photons import Photons

# Largest number of blocks along a side.
MOST_BLOCKS = 64
# Photons of a block in the mean, so that blocks without any are rare by chance.
MEAN_PHOTONS = 40.0


@dataclass(frozen=True, eq=False, repr=False)
class Blocks:
    """Photons and exposure of the open field, summed in square blocks.

    Attributes
    ----------
    photons : (ny, nx) array
        [photon].
    exposure : (ny, nx) array
        Integral of the open exposure [unit of the exposure * arcsec**2].
    side : float
        Side of a block [arcsec].
    """

    photons: np.ndarray
    exposure: np.ndarray
    side: float

    def __repr__(self):
        ny, nx = self.photons.shape
        return f'Blocks({nx} x {ny} of {self.side:.3g}", {self.photons.sum():,.0f} photons)'

    @property
    def rates(self) -> np.ndarray:
        """Photons over exposure, in blocks that hold both."""
        both = (self.exposure > 0.3 * self.exposure.max()) & (self.photons > 0)
        return self.photons[both] / self.exposure[both]

    @property
    def floor(self) -> float:
        """The rate that three quarters of the blocks with photons exceed."""
        return float(np.quantile(self.rates, 0.25)) if len(self.rates) else 0.0


def blocks_of(photons: Photons, completeness: Completeness) -> Blocks:
    """Sum photons and open exposure in blocks.

    Parameters
    ----------
    photons : Photons
    completeness : Completeness

    Returns
    -------
    Blocks
        So many that each has 40 photons in the mean, and at most 64 a side.
    """
    grid, seen = completeness.grid, completeness.effective
    n_blocks = np.clip(photons.n_photons / MEAN_PHOTONS, 1, MOST_BLOCKS**2)
    area = max(np.count_nonzero(seen), 1)
    side = max(1, round(float(np.sqrt(area / n_blocks))), -(-max(grid.shape) // MOST_BLOCKS))
    counts = grid.histogram(photons.x, photons.y, photons.weights)
    return Blocks(
        summed(np.where(seen > 0, counts, 0.0), side),
        summed(seen, side) * grid.cell_area,
        float(side * grid.step),
    )


def summed(values: np.ndarray, side: int) -> np.ndarray:
    """Sum an image in square blocks of cells; what is missing at the far edges counts as zero.

    Parameters
    ----------
    values : (ny, nx) array
    side : int
        Cells along a side of a block, which is no larger than the image.

    Examples
    --------
    >>> summed(np.ones((3, 4)), 2)
    array([[4., 4.],
           [2., 2.]])
    """
    side = min(side, max(values.shape))
    ny, nx = (-(-n // side) for n in values.shape)
    padded = np.zeros((ny * side, nx * side))
    padded[: values.shape[0], : values.shape[1]] = values
    return padded.reshape(ny, side, nx, side).sum((1, 3))
