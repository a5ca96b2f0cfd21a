"""Parts of the information matrix beside the data: the priors, and what keeps it regular."""

import numpy as np
from scipy.linalg import cho_factor

from ..model.mixture import Fixed

# Information that every coordinate has at least, because a component with next to no photons must
# not make the matrix singular.
LEAST = 0.1
# Relative addition to the diagonal, which keeps the matrix regular.
_JITTER = 1e-9


def factored(matrix, fixed, ties=None):
    """Rows of the free parameters, and the Cholesky factor of their part of a matrix.

    With `ties`, an (n, m) array, the coordinates are ``ties @ y`` with m coordinates y, which the
    rows are then those of.
    """
    if ties is not None:
        matrix, fixed = ties.T @ matrix @ ties, (ties[fixed] != 0).any(0)
    free = np.flatnonzero(~fixed)
    block = matrix[np.ix_(free, free)]
    block[np.diag_indices_from(block)] *= 1 + _JITTER
    return free, cho_factor(block) if len(free) else None


def _per_component(parameters):
    """Parameters of one component: 1 + D + D (D + 1) / 2."""
    d = parameters.mixture.means.shape[1]
    return 1 + d + d * (d + 1) // 2


def count(parameters):
    """Number of all parameters."""
    sizes = [len(a) for a in parameters.amplitudes]
    return _per_component(parameters) * len(parameters.mixture) + sum(sizes)


def add_least(matrix, likelihood, parameters):
    """Give every coordinate the information that keeps the matrix regular.

    A background to which no photon belongs is unknown, but the matrix must still be regular: its
    error becomes as many photons as there are, and does not depend on its amplitude.
    """
    first = _per_component(parameters) * len(parameters.mixture)
    matrix[np.diag_indices(first)] += LEAST
    rows = np.arange(first, len(matrix))
    parts = [
        a * integral / max(weights.sum(), 1.0)
        for weights, a, integral in zip(
            likelihood.weights, parameters.amplitudes, likelihood.integrals, strict=True
        )
    ]
    photons = np.concatenate(parts)
    matrix[rows, rows] = np.maximum(matrix[rows, rows], np.clip(photons**2, 1e-40, LEAST))


def add_prior(matrix, parameters, phase):
    """Add the curvature of the priors by the log-Cholesky coordinates and the log amplitudes."""
    k, d = parameters.mixture.means.shape
    if phase.priors.amplitudes is not None and parameters.amplitudes:
        precisions = np.concatenate([p for _, p in phase.priors.amplitudes])
        amplitudes = np.concatenate(parameters.amplitudes)
        rows = np.arange(len(matrix) - len(amplitudes), len(matrix))
        matrix[rows, rows] += precisions * amplitudes**2
    if not k:
        return
    widths = np.linalg.det(parameters.mixture.covariances) ** (1 / d)
    narrow = phase.priors.covariance_count * phase.prior_scales / widths
    for row, (i, j) in enumerate(zip(*np.tril_indices(d), strict=True), start=1 + d):
        index = np.arange(row * k, (row + 1) * k)
        matrix[index, index] += (2 if i == j else 1) * narrow


def fixed_rows(likelihood, parameters):
    """Which rows of the matrix belong to fixed parameters, (n,) booleans."""
    k, d = parameters.mixture.means.shape
    fixed = parameters.fixed or Fixed.none(k)
    shapes = [fixed.covariances] * (d * (d + 1) // 2)
    return np.concatenate([fixed.fluxes, *[fixed.means] * d, *shapes, *likelihood.fixed_amplitudes])
