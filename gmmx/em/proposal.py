"""Proposal: where points of unknown coordinates are drawn, a mixture for each sample."""

from dataclasses import dataclass

import numpy as np

# Covariance of the points, over that of the posterior: it covers the tails.
_WIDER = 1.5
# Added to a covariance, in units of the scale of the columns, so that it has a root.
_JITTER = 1e-12
_SEED = 20110601
_LOG_2_PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, eq=False, kw_only=True)
class Proposal:
    """A mixture of P Gaussians in u coordinates for each of n samples.

    Attributes
    ----------
    parts : (n, P) array
        Probabilities; each row adds up to 1.
    means : (n, P, u) array
    roots : (n, P, u, u) array
        Roots of the covariances.
    """

    parts: np.ndarray
    means: np.ndarray
    roots: np.ndarray

    @classmethod
    def of(cls, parts, means, covariances):
        """The proposal with covariances (n, P, u, u) that are made wider."""
        return cls(parts=parts, means=means, roots=np.sqrt(_WIDER) * root(covariances))

    def drawn(self, index, n_points, n_more):
        """Points, the logarithm of their density, and further normal numbers.

        Each point belongs to a Gaussian that is chosen by the inverse of the cumulated
        probabilities. The quasi-random numbers are those of one sequence, which is shifted for
        each sample, so that what is wrong with the points of one sample is not wrong with those of
        all.

        Parameters
        ----------
        index : (n,) integers
            Which samples these are: their points do not depend on the others.
        n_points : int
            A power of 2.
        n_more : int
            Further numbers for each point.

        Returns
        -------
        points : (n, Q, u) array
        log_density : (n, Q) array
        more : (n, Q, n_more) array
        """
        u = self.means.shape[2]
        uniform, normal = _numbers(index, n_points, u + n_more)
        edges = np.cumsum(self.parts, axis=1)
        edges = (edges / edges[:, -1:])[:, None, :-1]
        chosen = (uniform[:, :, None] > edges).sum(axis=2)
        rows = np.arange(len(index))[:, None]
        shifts = np.einsum("nqij,nqj->nqi", self.roots[rows, chosen], normal[:, :, :u])
        points = self.means[rows, chosen] + shifts
        return points, self.log_density(points), normal[:, :, u:]

    def log_density(self, points):
        """Logarithm of the density at points (n, Q, u), (n, Q)."""
        terms = np.empty((*points.shape[:2], self.parts.shape[1]))
        with np.errstate(divide="ignore"):
            weights = np.log(self.parts)
        for j in range(self.parts.shape[1]):
            inverse = np.linalg.inv(self.roots[:, j])
            solved = (points - self.means[:, None, j]) @ inverse.swapaxes(1, 2)
            volume = np.log(np.diagonal(inverse, axis1=1, axis2=2)).sum(axis=1)
            terms[:, :, j] = (weights[:, j] + volume)[:, None] - 0.5 * (solved**2).sum(axis=2)
        return np.logaddexp.reduce(terms, axis=2) - points.shape[2] / 2 * _LOG_2_PI


def root(covariances):
    """Cholesky roots of scaled matrices (..., u, u), which may be semi-definite."""
    symmetric = (covariances + np.swapaxes(covariances, -1, -2)) / 2
    return np.linalg.cholesky(symmetric + _JITTER * np.eye(covariances.shape[-1]))


def _numbers(index, n_points, d):
    """Quasi-random numbers of samples: uniform (n, Q), and normal (n, Q, d)."""
    from scipy.special import ndtri
    from scipy.stats import qmc

    sequence = qmc.Sobol(d + 1, seed=np.random.default_rng(_SEED))
    points = sequence.random_base2(int(np.log2(n_points)))
    # Multiples of the roots of x**(d + 2) = x + 1 fill the unit cube evenly (Roberts 2018).
    base = 2.0
    for _ in range(50):
        base = (1 + base) ** (1 / (d + 2))
    shifts = (np.asarray(index)[:, None] + 0.5) * base ** -(1.0 + np.arange(d + 1)) % 1
    numbers = (points + shifts[:, None]) % 1
    return numbers[:, :, -1], ndtri(np.clip(numbers[:, :, :d], 1e-12, 1 - 1e-12))
