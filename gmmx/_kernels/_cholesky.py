"""Cholesky factors of the covariances of samples that have a noise covariance each."""

import math

from ._jit import kernel
from ._lanes import LOWEST
from ._math import log_fast


@kernel
def put_own_terms(x, noise, gaussians, start, n, space):
    """Logarithms of densities of components that are convolved with each sample's own noise."""
    d = len(x)
    for lane in range(n):
        space.near[lane] = lane
    for k in range(len(gaussians.means)):
        factorise(x, noise, gaussians, k, start, n, space)
        terms, q, det = space.terms[k], space.products, space.chosen
        for lane in range(n):
            q[lane] = 0.0
            det[lane] = 1.0
        for i in range(d):
            one, diagonal = space.y[i], space.inverse[i * (i + 1) // 2 + i]
            for lane in range(n):
                q[lane] += one[lane] * one[lane]
                det[lane] *= diagonal[lane]
        constant = gaussians.log_coefficients[k]
        for lane in range(n):
            terms[lane] = max(constant + log_fast(det[lane]) - 0.5 * q[lane], LOWEST)


@kernel
def factorise(x, noise, gaussians, k, start, n, space):
    """Cholesky factor of ``T = Sigma_k + S_i`` of the samples `near`, and ``y = L^-1 d``.

    The diagonal of L^-1 stands in ``space.inverse``.
    """
    d, near, factor, y = len(x), space.near, space.factor, space.y
    has_triangle = len(noise) > d
    place = 0
    for i in range(d):
        one, values, mean = y[i], x[i], gaussians.means[k, i]
        for lane in range(n):
            one[lane] = values[start + near[lane]] - mean
        for j in range(i + 1):
            total, own = factor[place], gaussians.triangles[k, place]
            if has_triangle or i == j:
                errors = noise[place if has_triangle else i]
                for lane in range(n):
                    total[lane] = own + errors[start + near[lane]]
            else:
                for lane in range(n):
                    total[lane] = own
            for p in range(j):
                a, b = factor[i * (i + 1) // 2 + p], factor[j * (j + 1) // 2 + p]
                for lane in range(n):
                    total[lane] -= a[lane] * b[lane]
            if i == j:
                diagonal = space.inverse[place]
                for lane in range(n):
                    diagonal[lane] = 1.0 / math.sqrt(total[lane])
                for lane in range(n):
                    one[lane] *= diagonal[lane]
            else:
                diagonal, before = space.inverse[j * (j + 1) // 2 + j], y[j]
                for lane in range(n):
                    total[lane] *= diagonal[lane]
                    one[lane] -= total[lane] * before[lane]
            place += 1


@kernel
def invert(d, n, space):
    """Lower triangle of L^-1 from what `factorise` leaves, and ``u = L^-T y``."""
    factor, inverse, y, u = space.factor, space.inverse, space.y, space.u
    for i in range(d):
        diagonal = inverse[i * (i + 1) // 2 + i]
        for j in range(i):
            total = inverse[i * (i + 1) // 2 + j]
            for lane in range(n):
                total[lane] = 0.0
            for p in range(j, i):
                a, b = factor[i * (i + 1) // 2 + p], inverse[p * (p + 1) // 2 + j]
                for lane in range(n):
                    total[lane] -= a[lane] * b[lane]
            for lane in range(n):
                total[lane] *= diagonal[lane]
    for i in range(d):
        one = u[i]
        for lane in range(n):
            one[lane] = 0.0
        for p in range(i, d):
            a, b = inverse[p * (p + 1) // 2 + i], y[p]
            for lane in range(n):
                one[lane] += a[lane] * b[lane]
