"""Densities that backgrounds of samples have: their values, marginals, moments and integrals."""

import numpy as np

# Rows at a time.
_CHUNK = 8192
_LOG_2_PI = float(np.log(2 * np.pi))
# Numbers from which a normal quasi-random number follows.
_ENDS = (1e-12, 1 - 1e-12)


def log_terms(mixture, x, columns, noise=None):
    """Logarithm of each component of the normalised mixture at samples, (N, K).

    Parameters
    ----------
    mixture : Mixture
    x : (N, D) array
    columns : (d,) integers
        Columns that are known; the others are integrated over.
    noise : (N, d, d) or (1, d, d) array, optional
        Noise covariances of the samples in these columns.
    """
    terms = np.empty((len(x), len(mixture)))
    noise = np.zeros((1, len(columns), len(columns))) if noise is None else noise
    logs = np.log(mixture.fluxes / mixture.fluxes.sum()) - len(columns) / 2 * _LOG_2_PI
    for first in range(0, len(x), _CHUNK):
        rows = slice(first, first + _CHUNK)
        own = noise[rows] if len(noise) > 1 else noise
        for k, (mean, sigma) in enumerate(zip(mixture.means, mixture.covariances, strict=True)):
            inverses = np.linalg.inv(np.linalg.cholesky(sigma[np.ix_(columns, columns)] + own))
            offsets = ((x[rows, columns] - mean[columns])[:, None] @ inverses.swapaxes(1, 2))[:, 0]
            volumes = np.log(np.diagonal(inverses, axis1=1, axis2=2)).sum(axis=1)
            terms[rows, k] = logs[k] + volumes - 0.5 * (offsets**2).sum(axis=1)
    return terms


def moments_of(mixture):
    """Mean (D,) and covariance (D, D) of the normalised mixture."""
    parts = mixture.fluxes / mixture.fluxes.sum()
    mean = parts @ mixture.means
    offsets = mixture.means - mean
    outer = mixture.covariances + offsets[:, :, None] * offsets[:, None, :]
    return mean, np.einsum("k,kij->ij", parts, outer)


def quasi_random(mixture, log_n, noise=None):
    """Quasi-random points that are distributed as the normalised mixture, (n, D).

    Parameters
    ----------
    mixture : Mixture
    log_n : int
        Base-2 logarithm of their number.
    noise : (D, D) array or callable, optional
        Noise that is added: its covariance, or a function from (n, D) values to (n, D, D)
        covariances.
    """
    from scipy.special import ndtri
    from scipy.stats import qmc

    d = mixture.n_dimensions
    points = qmc.Sobol(2 * d + 1, seed=0).random_base2(log_n)
    normal = ndtri(np.clip(points, *_ENDS))
    edges = np.cumsum(mixture.fluxes / mixture.fluxes.sum())[:-1]
    chosen = np.searchsorted(edges, points[:, -1])
    roots = np.linalg.cholesky(mixture.covariances)
    x = mixture.means[chosen] + np.einsum("nij,nj->ni", roots[chosen], normal[:, :d])
    if noise is None:
        return x
    covariances = noise(x) if callable(noise) else np.asarray(noise)[None]
    return x + np.einsum(
        "nij,nj->ni", np.broadcast_to(root(covariances), (len(x), d, d)), normal[:, d : 2 * d]
    )


def root(covariances):
    """Cholesky roots of matrices (n, D, D), which may be semi-definite."""
    largest = np.maximum(np.abs(covariances).max(axis=(1, 2)), np.finfo(float).tiny)
    jitter = 1e-14 * largest[:, None, None] * np.eye(covariances.shape[-1])
    return np.linalg.cholesky(covariances + jitter)
