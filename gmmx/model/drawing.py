"""A mixture on a pixel grid, as means over pixels.

The mean of a Gaussian over a pixel is, up to the fourth cumulant of the pixel's box, the value at
the pixel's centre of a Gaussian that is wider by the covariance of the box: in units of the pixel,
T + I/12. The error is ``(d^4/dx^4 + d^4/dy^4) N / 2880``, for a smallest standard deviation s at
most ``2 s**-4 / 960`` of the peak: 1.3e-4 at s = 2. A Gaussian narrower than that is drawn on parts
of pixels, so that the flux is conserved at any size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._kernels.raster import draw_gaussians, draw_mixtures
from ..plane.grid import PixelGrid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .mixture import Mixture
    from .psf import PsfModel

# Smallest standard deviation, in (parts of) pixels, of a Gaussian that is drawn by its values.
_SHARP = 2.0
# A Gaussian narrower than 1/128 of a pixel is drawn with that width. Its position is then accurate
# to 1/128 of a pixel.
_MAX_SPLIT = 256


def convolved(mixture: Mixture, psf: PsfModel | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Views of a mixture: every component, convolved with every Gaussian of its PSF.

    ``T_km = Sigma_k + <S>_km``

    Parameters
    ----------
    mixture : Mixture
    psf : PsfModel or None
        None: one view for each component, which is the component itself.

    Returns
    -------
    fluxes : (K M,) array
        F_k c_km [photon]; the views of a component follow one another.
    means : (K M, 2) array
        [arcsec]
    covariances : (K M, 2, 2) array
        [arcsec**2]

    Examples
    --------
    >>> from gmmx.model.mixture import Mixture
    >>> from gmmx.model.psf import PsfModel
    >>> star = Mixture(fluxes=[10.0], means=[[0.0, 0.0]], covariances=[9.0 * np.eye(2)])
    >>> convolved(star, PsfModel.constant(4.0))[2]
    array([[[25.,  0.],
            [ 0., 25.]]])
    """
    if psf is None:
        return mixture.fluxes, mixture.means, mixture.covariances
    weights, spreads = psf.averaged(mixture.means, mixture.covariances)
    covariances = mixture.covariances[:, None] + spreads
    return (
        (mixture.fluxes[:, None] * weights).ravel(),
        np.repeat(mixture.means, psf.n_gaussians, axis=0),
        covariances.reshape(-1, 2, 2),
    )


def pixel_means(
    fluxes: np.ndarray, means: np.ndarray, covariances: np.ndarray, grid: PixelGrid
) -> np.ndarray:
    """Surface brightness of a sum of Gaussians, as means over the pixels of a grid.

    Each pixel is within 1.3e-4 of the exact mean, relative to the highest pixel of a Gaussian.
    Gaussians are cut at 6 sigma, so that one on the grid keeps its flux to 1e-7. The result does
    not depend on the number of threads.

    Parameters
    ----------
    fluxes : (V,) array
        Integrals [photon].
    means : (V, 2) array
        Centres [arcsec].
    covariances : (V, 2, 2) array
        [arcsec**2]
    grid : PixelGrid
        It may be turned and sheared.

    Returns
    -------
    (ny, nx) array
        [photon / arcsec**2]

    Examples
    --------
    >>> grid = PixelGrid.covering((-20, 20), (-20, 20), 0.5)
    >>> image = pixel_means(np.array([7.0]), np.zeros((1, 2)), np.eye(2)[None], grid)
    >>> round(float(image.sum() * grid.cell_area), 6)
    7.0
    """
    ny, nx = grid.shape
    if len(fluxes) == 0:
        return np.zeros((ny, nx))
    return draw_gaussians(*_in_pixels(fluxes, means, covariances, grid), ny, nx)


@dataclass(frozen=True, eq=False, repr=False)
class PixelMeans:
    """Several mixtures, ready to be drawn on some rows of a grid; see `pixel_means`.

    Attributes
    ----------
    n_columns : int
        Of the grid.
    gaussians : tuple of arrays
        Peaks, centres, packed inverse covariances and splits of the Gaussians of all mixtures.
    starts : (N + 1,) array
        Where the Gaussians of each mixture begin, and the number of all.

    Examples
    --------
    >>> from gmmx.model.mixture import Mixture
    >>> star = Mixture(fluxes=[7.0], means=[[0.0, 0.0]], covariances=[np.eye(2)])
    >>> two = PixelMeans.of([star, star], PixelGrid.covering((-20, 20), (-20, 20), 0.5))
    >>> two.rows(30, 50).shape
    (2, 20, 80)
    """

    n_columns: int
    gaussians: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
    starts: np.ndarray

    @classmethod
    def of(cls, mixtures: Sequence[Mixture], grid: PixelGrid) -> PixelMeans:
        """Prepare mixtures for the pixels of a grid."""
        starts = np.cumsum([0, *(len(one) for one in mixtures)])
        fluxes, means, covariances = (
            np.concatenate([getattr(one, name) for one in mixtures])
            for name in ("fluxes", "means", "covariances")
        )
        return cls(grid.shape[1], _in_pixels(fluxes, means, covariances, grid), starts)

    def __repr__(self):
        return f"PixelMeans({len(self.starts) - 1} mixtures, {self.n_columns} columns)"

    def rows(self, first: int, last: int) -> np.ndarray:
        """The rows from `first` up to `last`, (N, last - first, nx) [photon / arcsec**2]."""
        peaks, centres, inverses, splits = self.gaussians
        centres = centres - np.array([0.0, first])
        return draw_mixtures(
            peaks, centres, inverses, splits, self.starts, last - first, self.n_columns
        )


def _in_pixels(fluxes, means, covariances, grid):
    """Peaks, centres, packed inverse covariances and splits of Gaussians in a grid."""
    centres = np.stack(grid.to_pixels(means[:, 0], means[:, 1]), axis=1)
    inside = grid.inverse @ covariances @ grid.inverse.T
    narrowest = np.sqrt(np.linalg.eigvalsh(inside)[:, 0].clip(0))
    splits = np.clip(np.ceil(_SHARP / np.maximum(narrowest, 1e-9)), 1, _MAX_SPLIT).astype(np.int64)
    spare = np.maximum((_SHARP / splits) ** 2 - narrowest**2, 0)
    # The box of each part; a Gaussian too narrow for the smallest parts is widened to them.
    inside = inside + (1 / (12.0 * splits**2) + np.where(splits == _MAX_SPLIT, spare, 0))[
        :, None, None
    ] * np.eye(2)
    inverses = np.linalg.inv(inside)
    # Photons per pixel at the centre, over the area of the pixel.
    peaks = fluxes * np.sqrt(np.linalg.det(inverses)) / (2 * np.pi * grid.cell_area)
    flat = np.stack([inverses[:, 0, 0], inverses[:, 0, 1], inverses[:, 1, 1]], axis=1)
    return peaks, centres, flat, splits
