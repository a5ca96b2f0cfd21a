"""Derivatives of the density of samples, each with a noise covariance of its own.

With ``T = R Sigma R^T + S`` the covariance of a component at a sample, ``L L^T = Sigma``, ``u = L^T
R^T T^-1 (x - R mu)`` and ``W = L^T R^T T^-1 R L``, the derivatives of ``log N(x; R mu, T)`` are u
by ``L^-1 mu``, and ``u_i u_j - W_ij`` by element (i, j <= i) of the Cholesky factor, the diagonal
in its logarithm. A coordinate that is missing has its part through the correlations of Sigma.
"""

from dataclasses import replace

import numpy as np

from .._kernels.information import LOWEST

# Numbers in the largest array that is made at a time.
_AT_A_TIME = 4_000_000
# Least logarithm of a density.
_LEAST = -1e6
# Least part of a density that is left without a component.
_LEFT = 1e-9


def scores_of(likelihood, parameters, phase, stride):
    """Derivatives of log lambda at every stride-th sample; see `Likelihood.scores`."""
    (weights,) = likelihood.weights
    k, d = parameters.mixture.means.shape
    n = (1 + d + d * (d + 1) // 2) * k + sum(map(len, parameters.amplitudes))
    roots = np.linalg.cholesky(parameters.scales(phase))
    chosen = every(weights, stride)
    scores = np.zeros((len(chosen), n))
    for group in _groups(likelihood, phase):
        for piece, at in _pieces(group, chosen, n):
            logs = piece.log_terms(parameters)
            parts = _responsibilities(logs)
            scores[at] = _scores_of(piece, parameters.mixture, roots, parts)
    for points, factors, at in _points(phase, chosen, n):
        # A point where nothing is recorded has the factor 0, and no part in the sum.
        logs = points.log_terms(parameters)
        parts = _responsibilities(logs)
        own = _scores_of(points, parameters.mixture, roots, parts)
        values = np.logaddexp.reduce(logs, axis=1).reshape(factors.shape) + factors
        sums = np.maximum(np.logaddexp.reduce(values, axis=1), _LEAST)
        shares = np.exp(values - sums[:, None])
        scores[at] = np.einsum("nq,nqm->nm", shares, own.reshape(*factors.shape, n))
    return scores * np.sqrt(stride * weights[chosen])[:, None]


def log_terms_of(likelihood, parameters, phase, stride=1):
    """Logarithm of each term of lambda at every stride-th sample, (n, K + n_b).

    Parameters
    ----------
    likelihood : SampleLikelihood
    parameters : Parameters
    phase : SamplePhase or None
        Without one the samples were not selected before the noise.
    stride : int
    """
    n_terms = len(parameters.mixture) + len(likelihood.background_integrals)
    chosen = every(likelihood.weights[0], stride)
    terms = np.empty((len(chosen), n_terms))
    for group in _groups(likelihood, phase):
        for piece, at in _pieces(group, chosen, n_terms):
            terms[at] = piece.log_terms(parameters)
    for points, factors, at in _points(phase, chosen, n_terms):
        logs = points.log_terms(parameters) + factors.ravel()[:, None]
        terms[at] = np.logaddexp.reduce(logs.reshape(*factors.shape, n_terms), axis=1)
    if phase is not None and phase.selected is not None:
        # What is known of the completeness at samples without points.
        terms += np.nan_to_num(phase.selected.log_omega[chosen])[:, None]
    return terms


def ratios_of(likelihood, candidates, phase, logs, stride):
    """N_c / lambda of candidates at every stride-th sample; see `Likelihood.density_ratios`."""
    unit = likelihood.scaled_parameters(replace(candidates, fluxes=np.ones(len(candidates))))
    terms = log_terms_of(likelihood, unit, phase, stride)[:, : len(candidates)]
    chosen = every(logs, stride)
    roots = np.sqrt(stride * likelihood.weights[0][chosen])
    return roots[:, None] * np.exp(terms - logs[chosen, None])


def losses_of(likelihood, parameters, phase):
    """Sum of log lambda that is lost without each component, (K,) [nat]."""
    logs = log_terms_of(likelihood, parameters, phase)
    parts = np.exp(logs - np.logaddexp.reduce(logs, axis=1)[:, None])
    left = np.maximum(1 - parts[:, : len(parameters.mixture)], _LEFT)
    return -likelihood.weights[0] @ np.log(left)


def every(weights, stride):
    """Which samples are summed over if only every stride-th is."""
    return np.arange(stride // 2, len(weights), stride)


def _groups(likelihood, phase):
    """The groups of samples whose values are those that were selected."""
    selected = None if phase is None else phase.selected
    return likelihood.groups if selected is None else selected.groups


def _pieces(group, chosen, columns):
    """Pieces of a group that fit into memory, and the places of their samples among the chosen."""
    places = np.searchsorted(chosen, group.index)
    here = np.flatnonzero(chosen[np.minimum(places, len(chosen) - 1)] == group.index)
    if len(here):
        for some in _parted(here, columns * (1 + len(group.columns))):
            yield group.rows_at(some), places[some]


def _points(phase, chosen, columns):
    """Points of selected samples in pieces, the logarithms of their weights, and their places."""
    selected = None if phase is None else phase.selected
    if selected is None or selected.points is None:
        return
    n_points = selected.log_factors.shape[1]
    index = selected.points.index[::n_points]
    places = np.searchsorted(chosen, index)
    here = np.flatnonzero(chosen[np.minimum(places, len(chosen) - 1)] == index)
    if len(here):
        for some in _parted(here, columns * n_points):
            rows = (some[:, None] * n_points + np.arange(n_points)).ravel()
            yield selected.points.rows_at(rows), selected.log_factors[some], places[some]


def _parted(rows, columns):
    """Rows in parts whose arrays of so many columns fit into memory."""
    return np.array_split(rows, 1 + len(rows) * columns // _AT_A_TIME)


def _responsibilities(logs):
    """Responsibilities from the logarithms of all terms, none so small that it costs time."""
    return np.exp(np.maximum(logs - np.logaddexp.reduce(logs, axis=1)[:, None], LOWEST))


def _scores_of(group, mixture, roots, parts):
    """Scores of one piece of a group; `parts` are its responsibilities, (n, K + n_b)."""
    k, d = mixture.means.shape
    rows, others = np.tril_indices(d)
    known, x, noise = group.columns, group.rows.x.T, group.noise_matrices()
    scores = np.zeros((len(x), 1 + d + len(rows), k))
    for j in range(k):
        root, part = roots[j][known], parts[:, j]
        sigma = mixture.covariances[j][np.ix_(known, known)]
        if group.common is not None:
            gains = np.linalg.solve(sigma + group.common, root)
            u = (x - mixture.means[j, known]) @ gains
            w = np.broadcast_to(root.T @ gains, (len(x), d, d))
        else:
            gains = np.linalg.solve(sigma + noise, root[None])
            u = np.einsum("ni,nij->nj", x - mixture.means[j, known], gains)
            w = np.einsum("ia,nib->nab", root, gains)
        scores[:, 0, j] = part
        scores[:, 1 : 1 + d, j] = part[:, None] * u
        scores[:, 1 + d :, j] = part[:, None] * (u[:, rows] * u[:, others] - w[:, rows, others])
    return np.concatenate([scores.reshape(len(x), -1), parts[:, k:]], axis=1)
