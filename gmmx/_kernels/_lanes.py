"""Steps of the sums over samples: n samples side by side (lanes), one component at a time."""

import math
from typing import NamedTuple

import numpy as np

from ._jit import kernel
from ._math import exp_fast, log_fast

# Samples that are worked on at a time: their Cholesky factors stay in the fastest cache.
LANES = 64
# Responsibilities below this part of a weight are lost in the rounding of all others.
_LEAST_PART = 1e-17
# Least logarithm of a density.
_LOWEST = -1e300


class Workspace(NamedTuple):
    """Arrays that one thread reuses; each row has room for LANES samples.

    Attributes
    ----------
    terms : (K, lanes) array
        Logarithm of the density of each component, then its weighted responsibility.
    factor, inverse : (d (d + 1) / 2, lanes) arrays
        Lower triangles of L and of L^-1.
    y, u : (d, lanes) arrays
        L^-1 d and T^-1 d.
    logs, scaled, products, chosen : (lanes,) arrays
        Logarithm of the density, weight over density, and room for sums.
    near : (lanes,) integers
        Samples that a component matters for.
    """

    terms: np.ndarray
    factor: np.ndarray
    inverse: np.ndarray
    y: np.ndarray
    u: np.ndarray
    logs: np.ndarray
    scaled: np.ndarray
    products: np.ndarray
    chosen: np.ndarray
    near: np.ndarray


@kernel
def workspace_for(n_components, d):
    """Arrays for so many components in d dimensions."""
    tri = d * (d + 1) // 2
    return Workspace(
        np.empty((n_components, LANES)),
        np.empty((tri, LANES)),
        np.empty((tri, LANES)),
        np.empty((d, LANES)),
        np.empty((d, LANES)),
        np.empty(LANES),
        np.empty(LANES),
        np.empty(LANES),
        np.empty(LANES),
        np.empty(LANES, np.int64),
    )


@kernel
def put_shared_terms(x, gaussians, start, n, space):
    """Logarithms of densities of components whose L^-1 is the same for all samples."""
    d = len(x)
    for k in range(len(gaussians.means)):
        terms, triangle, q = space.terms[k], gaussians.triangles[k], space.products
        for lane in range(n):
            q[lane] = 0.0
        for i in range(d):
            values, mean, offsets = x[i, start : start + n], gaussians.means[k, i], space.y[i]
            for lane in range(n):
                offsets[lane] = values[lane] - mean
        place = 0
        for i in range(d):
            one = space.u[i]
            for lane in range(n):
                one[lane] = 0.0
            for j in range(i + 1):
                offsets, factor = space.y[j], triangle[place]
                place += 1
                for lane in range(n):
                    one[lane] += factor * offsets[lane]
            for lane in range(n):
                q[lane] += one[lane] * one[lane]
        constant = gaussians.log_coefficients[k]
        for lane in range(n):
            terms[lane] = max(constant - 0.5 * q[lane], _LOWEST)


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
            terms[lane] = max(constant + log_fast(det[lane]) - 0.5 * q[lane], _LOWEST)


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


@kernel
def normalise(weights, backgrounds, amplitudes, start, n, space, sums):
    """Turn terms into weighted responsibilities, with the log-sum-exp of each sample.

    The responsibilities of the backgrounds and, last, the log-likelihood are added to `sums`.
    """
    terms, peak, density = space.terms, space.logs, space.products
    n_k, n_b = len(terms), len(amplitudes)
    for lane in range(n):
        peak[lane] = terms[0, lane]
    for k in range(1, n_k):
        row = terms[k]
        for lane in range(n):
            peak[lane] = max(peak[lane], row[lane])
    for b in range(n_b):
        for lane in range(n):
            value = amplitudes[b] * backgrounds[b, start + lane]
            if value > 0.0:
                peak[lane] = max(peak[lane], math.log(value))
    for lane in range(n):
        density[lane] = 0.0
    for k in range(n_k):
        row = terms[k]
        for lane in range(n):
            row[lane] = exp_fast(row[lane] - peak[lane])
            density[lane] += row[lane]
    for b in range(n_b):
        for lane in range(n):
            value = amplitudes[b] * backgrounds[b, start + lane]
            if value > 0.0:
                density[lane] += math.exp(math.log(value) - peak[lane])
    total, scaled = 0.0, space.scaled
    for b in range(n_b):
        part = 0.0
        for lane in range(n):
            value = amplitudes[b] * backgrounds[b, start + lane]
            if value > 0.0:
                fraction = math.exp(math.log(value) - peak[lane]) / density[lane]
                part += weights[start + lane] * fraction
        sums[b] += part
    for lane in range(n):
        scaled[lane] = weights[start + lane] / density[lane]
        peak[lane] += log_fast(density[lane])
        total += weights[start + lane] * peak[lane]
    sums[n_b] += total


@kernel
def exponentiate(weights, logs, start, n, space):
    """Turn terms into exp(-q / 2), for sums with weights that are given."""
    for k in range(len(logs)):
        row, top = space.terms[k], logs[k]
        for lane in range(n):
            row[lane] = exp_fast(row[lane] - top)
    for lane in range(n):
        space.scaled[lane] = weights[start + lane]


@kernel
def gather(space, k, n):
    """Samples for which a component matters, and their weighted responsibilities; how many."""
    terms, near, chosen = space.terms[k], space.near, space.chosen
    count = 0
    for lane in range(n):
        if terms[lane] > _LEAST_PART:
            near[count] = lane
            chosen[count] = terms[lane] * space.scaled[lane]
            count += 1
    return count
