"""The point spread function at each position as a mixture of Gaussians, and its component means.

The PSF belongs to the component: where y ~ N(mu, Sigma) is spread by e ~ N(0, S(y)), the sum y + e
has the covariance Sigma + E[S(y)], for any S.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .._arrays import read_only
from .._words import counted
from ..errors import InputError
from ..plane.grid import PixelGrid

# Fraction of a round Gaussian within one standard deviation.
CORE_FRACTION = 0.3934693402873666

# Region of a point source: radii of 90 % of the PSF, and the smallest radius [arcsec].
_REGION_FACTOR, _LEAST_REGION = 1.5, 2.0


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class PsfModel:
    """A PSF that varies over the field: M Gaussians at each node of a coarse grid.

    Between the nodes weights and covariances are interpolated bilinearly; beyond them they are
    those of the nearest edge.

    Parameters
    ----------
    grid : PixelGrid
        The nodes are the pixel centres. A grid of one node is a constant PSF.
    weights : (ny, nx, M) array
        Weights c of the Gaussians; they sum to 1 over M.
    covariances : (ny, nx, M, 2, 2) array
        Covariances S [arcsec**2].
    description : str
        Where the PSF came from, for people.

    Raises
    ------
    InputError
        If the weights do not sum to 1, or if a covariance is not positive definite.

    Examples
    --------
    >>> PsfModel.constant(0.6)
    PsfModel(constant Gaussian, sigma 0.6": 1 Gaussian on 1 x 1 nodes)
    """

    grid: PixelGrid
    weights: np.ndarray
    covariances: np.ndarray
    description: str = ""

    def __post_init__(self):
        ny, nx = self.grid.shape
        read_only(self, weights=(ny, nx, "M"), covariances=(ny, nx, "M", 2, 2))
        if np.any(self.weights < 0) or not np.allclose(self.weights.sum(-1), 1, atol=1e-6):
            raise InputError("the weights of a PSF must be at least 0 and sum to 1")
        if np.any(np.linalg.det(self.covariances) <= 0) or np.any(self.covariances[..., 0, 0] <= 0):
            raise InputError("the covariances of a PSF must be positive definite")

    def __repr__(self):
        (ny, nx), m = self.grid.shape, self.n_gaussians
        description = f"{self.description}: " if self.description else ""
        return f"PsfModel({description}{counted(m, 'Gaussian')} on {nx} x {ny} nodes)"

    @classmethod
    def constant(cls, sigma: float) -> PsfModel:
        """PSF of one round Gaussian that is the same everywhere.

        Parameters
        ----------
        sigma : float
            Its standard deviation [arcsec].

        Raises
        ------
        InputError
            If sigma is not positive.
        """
        if not (np.isfinite(sigma) and sigma > 0):
            raise InputError(
                f"`psf` = {sigma:g}: the sigma of a PSF must be positive, in arcsec",
                parameter="psf",
            )
        grid = PixelGrid(shape=(1, 1), origin=np.zeros(2), matrix=np.eye(2))
        covariances = sigma**2 * np.eye(2)[None, None, None]
        return cls(
            grid=grid,
            weights=np.ones((1, 1, 1)),
            covariances=covariances,
            description=f'constant Gaussian, sigma {sigma:g}"',
        )

    def widened(self, variance: float, description: str | None = None) -> PsfModel:
        """Convolve the PSF with a round Gaussian.

        The variance is added to every covariance, as for independent errors.

        Parameters
        ----------
        variance : float
            Along each axis [arcsec**2].
        description : str, optional
            By default the present description, with the sigma that was added.

        Raises
        ------
        InputError
            If the variance is negative.

        Examples
        --------
        >>> PsfModel.constant(0.6).widened(0.64).covariances[0, 0, 0].diagonal()
        array([1., 1.])
        """
        if not (np.isfinite(variance) and variance >= 0):
            raise InputError(
                f"a PSF can be widened by a variance of at least 0 arcsec**2, got {variance}"
            )
        if description is None:
            if variance == 0:
                return self
            sigma = np.sqrt(variance)
            description = f'{self.description}, widened by a Gaussian of sigma {sigma:.3g}"'
        return replace(
            self, covariances=self.covariances + variance * np.eye(2), description=description
        )

    @property
    def n_gaussians(self) -> int:
        """Number M of Gaussians."""
        return self.weights.shape[2]

    @property
    def is_round_everywhere(self) -> bool:
        """Whether the PSF is round and the same everywhere, so that it is the same in any frame."""
        return self.grid.shape == (1, 1) and np.array_equal(
            self.covariances, self.covariances[..., :1, :1] * np.eye(2)
        )

    def at(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The PSF at positions.

        Parameters
        ----------
        x, y : (n,) array
            Positions [arcsec].

        Returns
        -------
        weights : (n, M) array
        covariances : (n, M, 2, 2) array
            [arcsec**2]
        """
        ix, iy = self.grid.to_pixels(np.atleast_1d(x), np.atleast_1d(y))
        ny, nx = self.grid.shape
        ix, iy = np.clip(ix, 0, nx - 1), np.clip(iy, 0, ny - 1)
        left = np.minimum(ix.astype(int), max(nx - 2, 0))
        low = np.minimum(iy.astype(int), max(ny - 2, 0))
        weights = np.zeros((len(ix), self.n_gaussians))
        covariances = np.zeros((len(ix), self.n_gaussians, 2, 2))
        for dy in (0, 1):
            for dx in (0, 1):
                near = (ix - left if dx else 1 - ix + left) * (iy - low if dy else 1 - iy + low)
                corner = np.minimum(low + dy, ny - 1), np.minimum(left + dx, nx - 1)
                weights += near[:, None] * self.weights[corner]
                covariances += near[:, None, None, None] * self.covariances[corner]
        return weights, covariances

    def averaged(self, means: np.ndarray, covariances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The PSF of components, averaged over the extent of each.

        The expectation E[S(y)] over y ~ N(mu, Sigma) is taken at the four cubature points
        ``mu +- sqrt(2) L e_j`` with ``L L^T = Sigma``, which is exact where S is quadratic in
        position.

        Parameters
        ----------
        means : (K, 2) array
            [arcsec]
        covariances : (K, 2, 2) array
            [arcsec**2]

        Returns
        -------
        weights : (K, M) array
            c
        covariances : (K, M, 2, 2) array
            <S> [arcsec**2]
        """
        half = np.sqrt(2) * np.linalg.cholesky(covariances)
        points = np.concatenate(
            [means[:, None] + sign * np.swapaxes(half, 1, 2) for sign in (1, -1)], axis=1
        )
        weights, spreads = self.at(points[..., 0].ravel(), points[..., 1].ravel())
        n, m = len(means), self.n_gaussians
        weights, spreads = weights.reshape(n, 4, m), spreads.reshape(n, 4, m, 2, 2)
        mean_weights = weights.mean(1)
        mean_spreads = (
            np.einsum("kpm,kpmij->kmij", weights, spreads)
            / np.maximum(4 * mean_weights, 1e-300)[..., None, None]
        )
        # A Gaussian of no weight here still needs a covariance.
        return mean_weights, np.where(
            mean_weights[..., None, None] > 0, mean_spreads, spreads.mean(1)
        )


def core_radius(
    weights: np.ndarray, covariances: np.ndarray, fraction: float = CORE_FRACTION
) -> np.ndarray:
    """Radii that hold a fraction of the PSF.

    r solves ``sum_m c_m (1 - exp(-r**2 / 2 s_m**2)) = fraction`` with ``s_m**2 = sqrt(det S_m)``,
    by 60 bisections.

    Parameters
    ----------
    weights : (n, M) array
    covariances : (n, M, 2, 2) array
        [arcsec**2]
    fraction : float
        By default that of one standard deviation of a round Gaussian, 0.3935.

    Returns
    -------
    (n,) array
        [arcsec]

    Examples
    --------
    >>> core_radius(*PsfModel.constant(0.6).at(0.0, 0.0)).round(9)
    array([0.6])
    """
    variances = np.sqrt(np.linalg.det(covariances))
    low, high = np.zeros(len(weights)), np.sqrt(-2 * np.log1p(-fraction) * variances.max(1))
    for _ in range(60):
        middle = (low + high) / 2
        inside = (weights * -np.expm1(-(middle[:, None] ** 2) / (2 * variances))).sum(1)
        low = np.where(inside < fraction, middle, low)
        high = np.where(inside < fraction, high, middle)
    return (low + high) / 2


def region_radii(r90: np.ndarray) -> np.ndarray:
    """Radii of circles that hold nearly all photons of point sources.

    A circle has 1.5 times the radius that holds 90 % of the PSF, and at least 2 arcsec.

    Parameters
    ----------
    r90 : (n,) array
        Radii that hold 90 % of the PSF at each source [arcsec].

    Returns
    -------
    (n,) array
        [arcsec]

    Examples
    --------
    >>> region_radii(np.array([0.8, 4.0]))
    array([2., 6.])
    """
    return np.maximum(_REGION_FACTOR * r90, _LEAST_REGION)
