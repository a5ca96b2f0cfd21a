"""Scores of photons: what each says about every parameter, and how much denser it would be with another component."""

import math

import numpy as np

from ._jit import parallel_kernel, prange

# Logarithm of the least responsibility or ratio: their products must stay normal numbers, or the matrix products that follow become ten times slower.
LOWEST = -100.0
# Photons that share one workspace.
_CHUNK = 256


@parallel_kernel
def scores(x, y, weights, background, log_coefficients, means, precisions, slopes, curvatures, per_component):
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
        logs = np.empty(n_views)
        shares = np.empty(n_b)
        for i in range(chunk * _CHUNK, min((chunk + 1) * _CHUNK, n)):
            top = -np.inf
            for v in range(n_views):
                dx, dy = x[i] - means[v, 0], y[i] - means[v, 1]
                logs[v] = log_coefficients[v] - 0.5 * (precisions[v, 0] * dx * dx + 2 * precisions[v, 1] * dx * dy + precisions[v, 2] * dy * dy)
                top = max(top, logs[v])
            for b in range(n_b):
                if background[b, i] > 0:
                    top = max(top, math.log(background[b, i]))
            if top == -np.inf:
                continue
            density = 0.0
            for v in range(n_views):
                logs[v] = math.exp(max(logs[v] - top, LOWEST))
                density += logs[v]
            for b in range(n_b):
                if background[b, i] > 0:
                    shares[b] = math.exp(max(math.log(background[b, i]) - top, LOWEST))
                    density += shares[b]
                else:
                    shares[b] = 0.0
            row = result[i]
            for v in range(n_views):
                c = v // per_component
                dx, dy = x[i] - means[v, 0], y[i] - means[v, 1]
                r = weights[i] * logs[v] / density
                u1 = slopes[v, 0, 0] * dx + slopes[v, 0, 1] * dy
                u2 = slopes[v, 1, 0] * dx + slopes[v, 1, 1] * dy
                row[c] += r
                row[k + c] += r * u1
                row[2 * k + c] += r * u2
                row[3 * k + c] += r * (u1 * u1 - curvatures[v, 0])
                row[4 * k + c] += r * (u1 * u2 - curvatures[v, 1])
                row[5 * k + c] += r * (u2 * u2 - curvatures[v, 2])
            for b in range(n_b):
                row[6 * k + b] = weights[i] * shares[b] / density
    return result


@parallel_kernel
def density_ratios(x, y, weights, logs, log_coefficients, means, precisions, per_component):
    """``w_i sum_m c N_cm(x_i) / lambda_i`` of candidates c at each photon, (N, C); `logs` are log lambda_i."""
    n, n_candidates = len(x), len(log_coefficients) // per_component
    result = np.empty((n, n_candidates))
    for chunk in prange((n + _CHUNK - 1) // _CHUNK):
        for i in range(chunk * _CHUNK, min((chunk + 1) * _CHUNK, n)):
            for c in range(n_candidates):
                total = 0.0
                for v in range(c * per_component, (c + 1) * per_component):
                    dx, dy = x[i] - means[v, 0], y[i] - means[v, 1]
                    q = precisions[v, 0] * dx * dx + 2 * precisions[v, 1] * dx * dy + precisions[v, 2] * dy * dy
                    total += math.exp(max(log_coefficients[v] - 0.5 * q - logs[i], LOWEST))
                result[i, c] = weights[i] * total
    return result
