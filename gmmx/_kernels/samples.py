"""Sums over samples in any number of dimensions, each with a noise covariance of its own.

Triangles of symmetric matrices are read row by row: element (i, j <= i) stands at i (i + 1) / 2 +
j. The innermost loops run over samples (lanes), so that LLVM vectorises them.
"""

from typing import NamedTuple

import numpy as np

from ._cholesky import put_own_terms
from ._jit import kernel, parallel_kernel, prange
from ._lanes import (
    LANES,
    entropy_of,
    exponentiate,
    normalise,
    put_everything,
    put_reach,
    put_shared_terms,
    workspace_for,
)
from ._sums import add_own, add_shared

# Blocks of samples, whose sums are added in order.
_MAX_BLOCKS = 32


class Rows(NamedTuple):
    """Samples of which the same d coordinates are known.

    Attributes
    ----------
    x : (d, n) array
    noise : (m, n) array
        Noise covariance of each: m = 0 if it is the same for all and belongs to the Gaussians, d
        for a diagonal, d (d + 1) / 2 for the lower triangle.
    weights : (n,) array
    backgrounds : (n_b, n) array
        Density of each background at each sample, per unit of its amplitude.
    """

    x: np.ndarray
    noise: np.ndarray
    weights: np.ndarray
    backgrounds: np.ndarray


class Gaussians(NamedTuple):
    """The components as the rows know them.

    Attributes
    ----------
    log_coefficients : (K,) array
        ``log F - d / 2 log(2 pi)``, and ``- log |L|`` if the noise is the same for all rows.
    means : (K, d) array
    triangles : (K, d (d + 1) / 2) array
        Lower triangle of L^-1, with ``L L^T`` the total covariance, if the noise is the same for
        all rows; else of the covariance without noise.
    """

    log_coefficients: np.ndarray
    means: np.ndarray
    triangles: np.ndarray


@kernel
def _n_blocks(n):
    return max(1, min(_MAX_BLOCKS, (n + LANES - 1) // LANES))


@kernel
def _groups(n, block, n_blocks):
    """The groups of samples that a block holds."""
    groups = (n + LANES - 1) // LANES
    return range(groups * block // n_blocks, groups * (block + 1) // n_blocks)


@kernel
def _samples_of(group, n):
    """First sample of a group, and how many it has."""
    return LANES * group, min(LANES, n - LANES * group)


@kernel
def _put_terms(rows, gaussians, start, n, space):
    """Logarithm of the density at n samples of those components that matter; how many do."""
    if rows.noise.shape[0] == 0:
        reach = put_reach(rows.x, gaussians, start, n, space)
        put_shared_terms(rows.x, gaussians, start, n, reach, space)
        return reach
    # Noise makes every component wider, so that a box says little.
    reach = put_everything(len(gaussians.means), space)
    put_own_terms(rows.x, rows.noise, gaussians, start, n, space)
    return reach


@kernel
def _put_parts(rows, amplitudes, gaussians, start, n, space, sums):
    """Weighted responsibilities at n samples of those components that matter; how many do.

    See `normalise` for what is added to `sums`.
    """
    reach = _put_terms(rows, gaussians, start, n, space)
    normalise(rows.weights, rows.backgrounds, amplitudes, start, n, reach, space, sums)
    return reach


@parallel_kernel
def sample_moments(rows, amplitudes, gaussians):
    """Moments of the samples under each component, responsibilities and log-likelihood.

    With ``lambda_i = sum_k F_k N(x_i; mu_k, T_ki) + sum_b B_b q_bi``, ``r_ik = w_i F_k N(...) /
    lambda_i`` and ``d = x_i - mu_k`` the sums are n0 = sum r and, if the noise is the same for all
    rows, sum r d and sum r d d^T; else, with ``u = T^-1 d``, sum r u and sum r (u u^T - T^-1).

    Parameters
    ----------
    rows : Rows
    amplitudes : (n_b,) array
        Background amplitudes B.
    gaussians : Gaussians

    Returns
    -------
    sums : (K, 1 + d + d (d + 1) / 2) array
    responsibilities : (n_b,) array
    log_likelihood : float
        sum_i w_i log lambda_i.
    """
    d, n = rows.x.shape
    n_k, n_b, n_blocks = len(gaussians.means), len(amplitudes), _n_blocks(n)
    partial = np.zeros((n_blocks, n_k, 1 + d + d * (d + 1) // 2))
    partial_b = np.zeros((n_blocks, n_b + 1))
    for block in prange(n_blocks):
        space = workspace_for(n_k, d)
        for group in _groups(n, block, n_blocks):
            start, lanes = _samples_of(group, n)
            reach = _put_parts(rows, amplitudes, gaussians, start, lanes, space, partial_b[block])
            if rows.noise.shape[0] == 0:
                add_shared(rows.x, gaussians.means, start, lanes, reach, space, partial[block])
            else:
                add_own(rows, gaussians, start, lanes, space, partial[block])
    sums, sums_b = np.zeros(partial.shape[1:]), np.zeros(n_b + 1)
    for block in range(n_blocks):
        sums += partial[block]
        sums_b += partial_b[block]
    return sums, sums_b[:n_b], sums_b[n_b]


@parallel_kernel
def point_moments(x, weights, gaussians):
    """Weighted sums over points of 1, d and d d^T under Gaussians that are 1 at their means.

    These are, with ``d = x_q - mu_k``, the sums of ``v_q exp(-q / 2) [1, d, d d^T]``.

    Parameters
    ----------
    x : (d, n) array
    weights : (n,) array
        v.
    gaussians : Gaussians
        With L^-1; the coefficients must be 0.

    Returns
    -------
    (K, 1 + d + d (d + 1) / 2) array
    """
    d, n = x.shape
    n_k, n_blocks = len(gaussians.means), _n_blocks(n)
    partial = np.zeros((n_blocks, n_k, 1 + d + d * (d + 1) // 2))
    for block in prange(n_blocks):
        space = workspace_for(n_k, d)
        reach = put_everything(n_k, space)
        for group in _groups(n, block, n_blocks):
            start, lanes = _samples_of(group, n)
            put_shared_terms(x, gaussians, start, lanes, reach, space)
            exponentiate(weights, start, lanes, reach, space)
            add_shared(x, gaussians.means, start, lanes, reach, space, partial[block])
    sums = np.zeros(partial.shape[1:])
    for block in range(n_blocks):
        sums += partial[block]
    return sums


@parallel_kernel
def sample_log_densities(rows, amplitudes, gaussians):
    """Logarithm of lambda at each sample, (n,); the parameters are those of `sample_moments`."""
    d, n = rows.x.shape
    n_k, n_blocks = len(gaussians.means), _n_blocks(n)
    logs = np.empty(n)
    for block in prange(n_blocks):
        space, unused = workspace_for(n_k, d), np.zeros(len(amplitudes) + 1)
        for group in _groups(n, block, n_blocks):
            start, lanes = _samples_of(group, n)
            _put_parts(rows, amplitudes, gaussians, start, lanes, space, unused)
            for lane in range(lanes):
                logs[start + lane] = space.logs[lane]
    return logs


@parallel_kernel
def sample_log_terms(rows, gaussians):
    """Logarithm of F_k N(x_i; mu_k, T_ki) of each component at each sample, (K, n)."""
    d, n = rows.x.shape
    n_k, n_blocks = len(gaussians.means), _n_blocks(n)
    terms = np.empty((n_k, n))
    for block in prange(n_blocks):
        space = workspace_for(n_k, d)
        reach = put_everything(n_k, space)
        for group in _groups(n, block, n_blocks):
            start, lanes = _samples_of(group, n)
            if rows.noise.shape[0] == 0:
                put_shared_terms(rows.x, gaussians, start, lanes, reach, space)
            else:
                put_own_terms(rows.x, rows.noise, gaussians, start, lanes, space)
            for k in range(n_k):
                for lane in range(lanes):
                    terms[k, start + lane] = space.terms[k, lane]
    return terms


@parallel_kernel
def sample_entropy(rows, amplitudes, gaussians):
    """Weighted sum of the entropies of the responsibilities; see `sample_moments` [nat]."""
    d, n = rows.x.shape
    n_k, n_blocks = len(gaussians.means), _n_blocks(n)
    partial = np.zeros(n_blocks)
    for block in prange(n_blocks):
        space, unused = workspace_for(n_k, d), np.zeros(len(amplitudes) + 1)
        for group in _groups(n, block, n_blocks):
            start, lanes = _samples_of(group, n)
            reach = _put_parts(rows, amplitudes, gaussians, start, lanes, space, unused)
            partial[block] += entropy_of(rows.weights, start, lanes, reach, space)
    return partial.sum()
