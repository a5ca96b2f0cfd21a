"""Scores of photons, and how much denser they would be with another component."""

import math

import numpy as np

from ._jit import kernel, parallel_kernel, prange
from ._math import exp_fast

# Logarithm of the least responsibility or ratio, because their products must stay normal numbers:
# with denormal ones the matrix products that follow become ten times slower.
LOWEST = -100.0
# Photons that share one workspace.
_CHUNK = 128


@parallel_kernel
def scores(x, y, weights, background, views, slopes, curvatures):
    """Derivatives of log lambda at each photon by all parameters, times the photon's weight.

    The parameters are log F, L^-1 mu, log-Cholesky of Sigma and log B, with L L^T = Sigma. With
    r_v the responsibility of view v, T its covariance, ``u = L^T T^-1 (x - mu)`` and ``W = L^T
    T^-1 L`` the derivatives are ``r, r u_1, r u_2, r (u_1^2 - W_11), r (u_1 u_2 - W_12), r (u_2^2
    - W_22)``, summed over the views of each component. For a background it is the responsibility.

    Parameters
    ----------
    x, y, weights : (N,) arrays
    background : (n_b, N) array
        B_b q_b / Omega at each photon.
    views : Views
    slopes : (V, 2, 2) array
        L^T T^-1.
    curvatures : (V, 3) array
        11, 12, 22 of W.

    Returns
    -------
    (N, 6 K + n_b) array
    """
    n, n_views, n_b = len(x), len(views.means), len(background)
    k = n_views // views.per_component
    result = np.zeros((n, 6 * k + n_b))
    for chunk in prange((n + _CHUNK - 1) // _CHUNK):
        start = chunk * _CHUNK
        stop = min(start + _CHUNK, n)
        tx, ty, rows = x[start:stop], y[start:stop], result[start:stop]
        terms = np.empty((n_views + n_b, stop - start))
        inverse = _responsibilities(tx, ty, weights[start:stop], background, start, views, terms)
        for v in range(n_views):
            _add_view(tx, ty, inverse, terms[v], views, v, slopes[v], curvatures[v], rows)
        for b in range(n_b):
            for i in range(stop - start):
                rows[i, 6 * k + b] = (
                    inverse[i] * terms[n_views + b, i] if background[b, start + i] > 0 else 0.0
                )
    return result


@kernel
def _responsibilities(x, y, weights, background, start, views, terms):
    """Fill `terms` with views and backgrounds relative to the largest, return w / their sum."""
    n, n_views, n_b = len(x), len(views.means), len(background)
    top = np.full(n, -np.inf)
    density = np.zeros(n)
    for v in range(n_views):
        mx, my, c = views.means[v, 0], views.means[v, 1], views.log_coefficients[v]
        pxx, pxy, pyy = views.precisions[v, 0], views.precisions[v, 1], views.precisions[v, 2]
        row = terms[v]
        for i in range(n):
            dx, dy = x[i] - mx, y[i] - my
            row[i] = c - 0.5 * (dx * (pxx * dx + 2 * pxy * dy) + pyy * dy * dy)
            top[i] = max(top[i], row[i])
    for b in range(n_b):
        for i in range(n):
            value = background[b, start + i]
            terms[n_views + b, i] = math.log(value) if value > 0 else -np.inf
            top[i] = max(top[i], terms[n_views + b, i])
    for v in range(n_views + n_b):
        row = terms[v]
        for i in range(n):
            row[i] = exp_fast(max(row[i] - top[i], LOWEST))
            density[i] += row[i]
    for i in range(n):
        # A photon that no view and no background reaches has no score.
        density[i] = weights[i] / density[i] if top[i] > -np.inf else 0.0
    return density


@kernel
def _add_view(x, y, inverse, terms, views, v, slopes, curvatures, rows):
    """Add the scores of one view to the columns of its component."""
    k = len(views.means) // views.per_component
    column = v // views.per_component
    mx, my = views.means[v, 0], views.means[v, 1]
    s11, s12, s21, s22 = slopes[0, 0], slopes[0, 1], slopes[1, 0], slopes[1, 1]
    w11, w12, w22 = curvatures[0], curvatures[1], curvatures[2]
    for i in range(len(x)):
        dx, dy = x[i] - mx, y[i] - my
        r = inverse[i] * terms[i]
        u1, u2 = s11 * dx + s12 * dy, s21 * dx + s22 * dy
        row = rows[i]
        row[column] += r
        row[k + column] += r * u1
        row[2 * k + column] += r * u2
        row[3 * k + column] += r * (u1 * u1 - w11)
        row[4 * k + column] += r * (u1 * u2 - w12)
        row[5 * k + column] += r * (u2 * u2 - w22)


@parallel_kernel
def density_ratios(x, y, weights, logs, views):
    """``w_i sum_m c N_cm(x_i) / lambda_i`` of candidates c at each photon, (N, C).

    Parameters
    ----------
    x, y, weights, logs : (N,) arrays
        Photons, and log lambda_i at each.
    views : Views
        Of the candidates.
    """
    m = views.per_component
    n, n_candidates = len(x), len(views.means) // m
    result = np.empty((n, n_candidates))
    for chunk in prange((n + _CHUNK - 1) // _CHUNK):
        start = chunk * _CHUNK
        stop = min(start + _CHUNK, n)
        total = np.empty(stop - start)
        for c in range(n_candidates):
            total[:] = 0.0
            for v in range(c * m, (c + 1) * m):
                _add_ratios(x[start:stop], y[start:stop], logs[start:stop], views, v, total)
            for i in range(stop - start):
                result[start + i, c] = weights[start + i] * total[i]
    return result


@kernel
def _add_ratios(x, y, logs, views, v, total):
    """Add one view's density over lambda to `total`."""
    mx, my, log_coefficient = views.means[v, 0], views.means[v, 1], views.log_coefficients[v]
    pxx, pxy, pyy = views.precisions[v, 0], views.precisions[v, 1], views.precisions[v, 2]
    for i in range(len(x)):
        dx, dy = x[i] - mx, y[i] - my
        distance = dx * (pxx * dx + 2 * pxy * dy) + pyy * dy * dy
        value = log_coefficient - 0.5 * distance - logs[i]
        total[i] += math.exp(value) if value > 0 else exp_fast(max(value, LOWEST))
