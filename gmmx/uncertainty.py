"""How well the data know the background, and how much of it could as well be signal: from the curvature of the objective."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from .em import views

# Multiply-adds for the information matrix, at most; beyond, photons are thinned evenly.
_BUDGET = 4e9
_CHUNK = 8192
# Information every coordinate has at least: a component with next to no photons must not make the matrix singular.
_LEAST = 0.1


@dataclass(frozen=True, eq=False, kw_only=True)
class Uncertainty:
    """Standard errors of the totals.

    Attributes
    ----------
    signal : float
        Of sum(F_k) [photon at the reference exposure].
    amplitudes : tuple of (n_b,) arrays
        Of each background amplitude, relative; 0 where it is held.
    correlations : tuple of (n_b,) arrays
        Of each amplitude with the total signal flux.
    """

    signal: float
    amplitudes: tuple
    correlations: tuple


def _scores(p, indices, parameters, share, blur, amplitude):
    """d log lambda_i / d (log F, L^-1 mu, log-Cholesky of Sigma, log B) at some photons, (n, 6 K + n_b)."""
    mixture = parameters.mixture
    k, m = share.shape
    x, y = p.x[indices], p.y[indices]
    coefficients, means, _ = views(mixture, share, blur)
    inverse = np.linalg.inv((mixture.covariances[:, None] + blur).reshape(-1, 2, 2))
    roots = np.repeat(np.linalg.cholesky(mixture.covariances), m, axis=0)
    solved = np.swapaxes(roots, 1, 2) @ inverse
    weight = solved @ roots
    dx, dy = x[:, None] - means[:, 0], y[:, None] - means[:, 1]
    q = inverse[:, 0, 0] * dx * dx + 2 * inverse[:, 0, 1] * dx * dy + inverse[:, 1, 1] * dy * dy
    logs = coefficients - 0.5 * q
    background = amplitude[:, None] * p.ratios[:, indices]
    top = np.maximum(logs.max(1, initial=-np.inf), np.log(np.maximum(background.max(0, initial=0.0), 1e-300)))
    terms, background = np.exp(logs - top[:, None]), np.exp(np.log(np.maximum(background, 1e-300)) - top)
    density = terms.sum(1) + background.sum(0)
    r = terms / density[:, None]
    u1 = solved[:, 0, 0] * dx + solved[:, 0, 1] * dy
    u2 = solved[:, 1, 0] * dx + solved[:, 1, 1] * dy
    features = (r, r * u1, r * u2, r * (u1 * u1 - weight[:, 0, 0]), r * (u1 * u2 - weight[:, 0, 1]), r * (u2 * u2 - weight[:, 1, 1]))
    summed = [f.reshape(len(x), k, m).sum(2) for f in features]
    return np.concatenate([*summed, (background / density).T], axis=1)


def uncertainty(prepared, parameters, phase):
    """Standard errors of the background amplitudes and the total signal, and their correlation.

    The information matrix is ``sum_i w_i s_i s_i^T`` with ``s_i = grad log lambda(x_i)``, the photons' own estimate of
    ``int grad lambda grad lambda^T / lambda dx``, plus the curvature of the priors; its inverse is the covariance of (log F, mu, Sigma, log B), all free at once.

    Returns
    -------
    Uncertainty
    """
    mixture = parameters.mixture
    k = len(mixture)
    sizes = [len(a) for a in parameters.amplitudes]
    n = 6 * k + sum(sizes)
    information = np.zeros((n, n))
    first = 6 * k
    total = sum(len(p.x) for p in prepared)
    stride = max(1, int(np.ceil(total * float(n) ** 2 / _BUDGET)))
    for p, amplitude, share, blur in zip(prepared, parameters.amplitudes, phase.shares, phase.blurs, strict=True):
        columns = np.concatenate([np.arange(6 * k), np.arange(first, first + len(amplitude))])
        first += len(amplitude)
        # Photons lie in the order of their tiles: every stride-th one samples the sky evenly.
        chosen = np.arange(stride // 2, len(p.x), stride)
        part = np.zeros((len(columns), len(columns)))
        for start in range(0, len(chosen), _CHUNK):
            indices = chosen[start : start + _CHUNK]
            scores = _scores(p, indices, parameters, share, blur, amplitude) * np.sqrt(p.weights[indices])[:, None]
            part += scores.T @ scores
        information[np.ix_(columns, columns)] += stride * part
    if k:
        narrow = phase.priors.shape * phase.prior_scales / np.sqrt(np.linalg.det(mixture.covariances))
        information[np.diag_indices(6 * k)] += _LEAST
        for row, factor in ((3, 2), (4, 1), (5, 2)):
            index = np.arange(row * k, (row + 1) * k)
            information[index, index] += factor * narrow
    fixed = np.concatenate([np.zeros(6 * k, bool), *[p.fixed for p in prepared]])
    free = np.flatnonzero(~fixed)
    # Only the rows of the covariance that the totals need: one solution for the signal, one for each background.
    sought = np.zeros((n, 1 + n - 6 * k))
    sought[:k, 0] = mixture.fluxes
    sought[np.arange(6 * k, n), np.arange(1, 1 + n - 6 * k)] = 1.0
    solved = np.zeros_like(sought)
    block = information[np.ix_(free, free)]
    block[np.diag_indices_from(block)] *= 1 + 1e-9
    solved[free] = cho_solve(cho_factor(block), sought[free]) if len(free) else 0.0
    signal = np.sqrt(max(sought[:, 0] @ solved[:, 0], 0.0))
    errors = np.sqrt(np.maximum(np.diag(solved[6 * k :, 1:]), 0.0)) * ~fixed[6 * k :]
    scale = errors * signal
    correlations = np.where(scale > 0, solved[6 * k :, 0] / np.where(scale > 0, scale, 1.0), 0.0)
    cuts = np.cumsum(sizes)[:-1]
    return Uncertainty(signal=float(signal), amplitudes=tuple(np.split(errors, cuts)), correlations=tuple(np.split(correlations, cuts)))
