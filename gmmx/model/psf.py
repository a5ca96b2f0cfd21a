"""The blur of the telescope at each position, as a mixture of Gaussians, and its average over a component."""

from dataclasses import dataclass, replace

import numpy as np

from .._arrays import read_only
from ..errors import InputError
from ..plane.grid import PixelGrid

# Region of a point source: radii of 90 % of the PSF, and the smallest radius [arcsec].
_REGION_FACTOR, _LEAST_REGION = 1.5, 2.0


@dataclass(frozen=True, eq=False, kw_only=True)
class PsfModel:
    """M Gaussians at each node of a coarse grid, interpolated bilinearly between them and held constant beyond.

    Attributes
    ----------
    grid : PixelGrid
        Nodes are the pixel centres; a grid of one node is a constant PSF.
    weights : (ny, nx, M) array
        Shares c, summing to 1 over M.
    covariances : (ny, nx, M, 2, 2) array
        S [arcsec**2].
    description : str
        Where it came from, for people.
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

    @classmethod
    def constant(cls, sigma):
        """One round Gaussian of standard deviation `sigma` [arcsec], everywhere."""
        if not (np.isfinite(sigma) and sigma > 0):
            raise InputError(f"the sigma of a PSF must be positive, got {sigma}")
        grid = PixelGrid(shape=(1, 1), origin=np.zeros(2), matrix=np.eye(2))
        covariances = sigma**2 * np.eye(2)[None, None, None]
        return cls(
            grid=grid,
            weights=np.ones((1, 1, 1)),
            covariances=covariances,
            description=f'constant Gaussian, sigma {sigma:g}"',
        )

    def widened(self, variance, description=None):
        """The same blur with a further one of `variance` along each axis [arcsec**2] after it: added to every covariance, as for independent errors."""
        if not (np.isfinite(variance) and variance >= 0):
            raise InputError(
                f"what a PSF is widened by must be at least 0 arcsec**2, got {variance}"
            )
        if description is None:
            if variance == 0:
                return self
            description = (
                f'{self.description}, widened by a Gaussian of sigma {np.sqrt(variance):.3g}"'
            )
        return replace(
            self, covariances=self.covariances + variance * np.eye(2), description=description
        )

    @property
    def n_gaussians(self):
        """M."""
        return self.weights.shape[2]

    @property
    def is_round_everywhere(self):
        """Whether it is the same at all places and in all directions: then no frame matters to it."""
        return self.grid.shape == (1, 1) and np.array_equal(
            self.covariances, self.covariances[..., :1, :1] * np.eye(2)
        )

    def at(self, x, y):
        """Weights (n, M) and covariances (n, M, 2, 2) [arcsec**2] of the blur at n positions [arcsec]."""
        ix, iy = self.grid.to_pixels(np.atleast_1d(x), np.atleast_1d(y))
        ny, nx = self.grid.shape
        ix, iy = np.clip(ix, 0, nx - 1), np.clip(iy, 0, ny - 1)
        left, low = (
            np.minimum(ix.astype(int), max(nx - 2, 0)),
            np.minimum(iy.astype(int), max(ny - 2, 0)),
        )
        weights = np.zeros((len(ix), self.n_gaussians))
        covariances = np.zeros((len(ix), self.n_gaussians, 2, 2))
        for dy in (0, 1):
            for dx in (0, 1):
                share = (ix - left if dx else 1 - ix + left) * (iy - low if dy else 1 - iy + low)
                corner = np.minimum(low + dy, ny - 1), np.minimum(left + dx, nx - 1)
                weights += share[:, None] * self.weights[corner]
                covariances += share[:, None, None, None] * self.covariances[corner]
        return weights, covariances

    def averaged(self, means, covariances):
        """The blur of components: weights c (K, M) and covariances <S> (K, M, 2, 2), averaged over each component's extent.

        y + e with y ~ N(mu, Sigma) and e ~ N(0, S(y)) has covariance Sigma + E[S(y)]; the expectation is taken at the four cubature points
        mu +- sqrt(2) L e_j with L L^T = Sigma, exact where S is quadratic in position.
        """
        half = np.sqrt(2) * np.linalg.cholesky(covariances)
        points = np.concatenate(
            [means[:, None] + sign * np.swapaxes(half, 1, 2) for sign in (1, -1)], axis=1
        )
        weights, blurs = self.at(points[..., 0].ravel(), points[..., 1].ravel())
        n, m = len(means), self.n_gaussians
        weights, blurs = weights.reshape(n, 4, m), blurs.reshape(n, 4, m, 2, 2)
        share = weights.mean(1)
        blur = (
            np.einsum("kpm,kpmij->kmij", weights, blurs)
            / np.maximum(4 * share, 1e-300)[..., None, None]
        )
        return share, np.where(share[..., None, None] > 0, blur, blurs.mean(1))


def core_radius(weights, covariances, share=0.3934693402873666):
    """Radius holding a share of the blur, (n,) [arcsec]: r with ``sum_m c_m (1 - exp(-r**2 / 2 s_m**2)) = share``, s_m**2 = sqrt(det S_m).

    The default share is that of one standard deviation of a round Gaussian.
    """
    variances = np.sqrt(np.linalg.det(covariances))
    low, high = np.zeros(len(weights)), np.sqrt(-2 * np.log1p(-share) * variances.max(1))
    for _ in range(60):
        middle = (low + high) / 2
        inside = (weights * -np.expm1(-(middle[:, None] ** 2) / (2 * variances))).sum(1)
        low, high = np.where(inside < share, middle, low), np.where(inside < share, high, middle)
    return (low + high) / 2


def region_radii(r90):
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
    """
    return np.maximum(_REGION_FACTOR * r90, _LEAST_REGION)
