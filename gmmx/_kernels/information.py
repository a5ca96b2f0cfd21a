"""Scores of photons: what each says about every parameter, and how much denser it would be with another component."""

import math

import numpy as np

from ._jit import parallel_kernel, prange
from ._math import exp_fast

# Logarithm of the least responsibility or ratio: their products must stay normal numbers, or the matrix products that follow become ten times slower.
LOWEST = -100.0
# Photons that share one workspace.
_CHUNK = 128


@parallel_kernel
def scores(
    x,
    y,
    weights,
    background,
    log_coefficients,
    means,
    precisions,
    slopes,
    curvatures,
    per_component,
):
    """Derivatives of log lambda at each photon by (log F, L^-1 mu, log-Cholesky of Sigma, log B), times the photon's weight, (N, 6 K + n_b).

    With r_v the responsibility of view v = k per_component + m, ``u = L^T T^-1 (x - mu)`` and ``W = L^T T^-1 L``, where L L^T = Sigma and T is the blurred
    covariance: ``r, r u_1, r u_2, r (u_1^2 - W_11), r (u_1 u_2 - W_12), r (u_2^2 - W_22)``, summed over the views of each component; for a background, its
    responsibility.

    Parameters
    ----------
    x, y, weights : (N,) arrays
    background : (n_b, N) array
        B_b q_b / Omega at each photon.
    log_coefficients : (V,) array
    means : (V, 2) array
    precisions : (V, 3) array
        xx, xy, yy of T^-1.
    slopes : (V, 2, 2) array
        L^T T^-1.
    curvatures : (V, 3) array
        11, 12, 22 of W.
    per_component : int
    """
    n, n_views, n_b = len(x), len(log_coefficients), len(background)
    k = n_views // per_component
    result = np.zeros((n, 6 * k + n_b))
    for chunk in prange((n + _CHUNK - 1) // _CHUNK):
        start = chunk * _CHUNK
        m = min(_CHUNK, n - start)
        terms = np.empty((n_views + n_b, m))
        top = np.full(m, -np.inf)
        density = np.zeros(m)
        tx, ty, tw = x[start : start + m], y[start : start + m], weights[start : start + m]
        for v in range(n_views):
            mx, my, c = means[v, 0], means[v, 1], log_coefficients[v]
            pxx, pxy, pyy = precisions[v, 0], precisions[v, 1], precisions[v, 2]
            row = terms[v]
            for i in range(m):
                dx, dy = tx[i] - mx, ty[i] - my
                row[i] = c - 0.5 * (dx * (pxx * dx + 2 * pxy * dy) + pyy * dy * dy)
                top[i] = max(top[i], row[i])
        for b in range(n_b):
            for i in range(m):
                value = background[b, start + i]
                terms[n_views + b, i] = math.log(value) if value > 0 else -np.inf
                top[i] = max(top[i], terms[n_views + b, i])
        for v in range(n_views + n_b):
            row = terms[v]
            for i in range(m):
                row[i] = exp_fast(max(row[i] - top[i], LOWEST))
                density[i] += row[i]
        for i in range(m):
            # A photon that no view and no background reaches says nothing.
            density[i] = tw[i] / density[i] if top[i] > -np.inf else 0.0
        for v in range(n_views):
            column = v // per_component
            mx, my = means[v, 0], means[v, 1]
            s11, s12, s21, s22 = slopes[v, 0, 0], slopes[v, 0, 1], slopes[v, 1, 0], slopes[v, 1, 1]
            w11, w12, w22 = curvatures[v, 0], curvatures[v, 1], curvatures[v, 2]
            for i in range(m):
                dx, dy = tx[i] - mx, ty[i] - my
                r = density[i] * terms[v, i]
                u1, u2 = s11 * dx + s12 * dy, s21 * dx + s22 * dy
                row = result[start + i]
                row[column] += r
                row[k + column] += r * u1
                row[2 * k + column] += r * u2
                row[3 * k + column] += r * (u1 * u1 - w11)
                row[4 * k + column] += r * (u1 * u2 - w12)
                row[5 * k + column] += r * (u2 * u2 - w22)
        for b in range(n_b):
            for i in range(m):
                result[start + i, 6 * k + b] = (
                    density[i] * terms[n_views + b, i] if background[b, start + i] > 0 else 0.0
                )
    return result


@parallel_kernel
def density_ratios(x, y, weights, logs, log_coefficients, means, precisions, per_component):
    """``w_i sum_m c N_cm(x_i) / lambda_i`` of candidates c at each photon, (N, C); `logs` are log lambda_i."""
    n, n_candidates = len(x), len(log_coefficients) // per_component
    result = np.empty((n, n_candidates))
    for chunk in prange((n + _CHUNK - 1) // _CHUNK):
        start = chunk * _CHUNK
        m = min(_CHUNK, n - start)
        total = np.empty(m)
        tx, ty = x[start : start + m], y[start : start + m]
        for c in range(n_candidates):
            total[:] = 0.0
            for v in range(c * per_component, (c + 1) * per_component):
                mx, my, log_coefficient = means[v, 0], means[v, 1], log_coefficients[v]
                pxx, pxy, pyy = precisions[v, 0], precisions[v, 1], precisions[v, 2]
                for i in range(m):
                    dx, dy = tx[i] - mx, ty[i] - my
                    value = (
                        log_coefficient
                        - 0.5 * (dx * (pxx * dx + 2 * pxy * dy) + pyy * dy * dy)
                        - logs[start + i]
                    )
                    total[i] += math.exp(value) if value > 0 else exp_fast(max(value, LOWEST))
            for i in range(m):
                result[start + i, c] = weights[start + i] * total[i]
    return result
