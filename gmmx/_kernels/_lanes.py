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
# A background's part below this may come from rounding.
_LEAST_REST = 1e-13
# Logarithm of the part of a density that a component may have and yet be left out.
_REACH = 42.0
# Least logarithm of a density.
LOWEST = -1e300


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
    reach : (K,) integers
        Components that matter for any of the samples; row j of `terms` belongs to ``reach[j]``.
    bounds : (K,) array
        Largest logarithm of the density of each component in the samples' box.
    box : (2, d) array
        Centre and half-sides of the box that holds the samples.
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
    reach: np.ndarray
    bounds: np.ndarray
    box: np.ndarray


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
        np.empty(n_components, np.int64),
        np.empty(n_components),
        np.empty((2, d)),
    )


@kernel
def put_everything(n_components, space):
    """Let all components matter; how many there are."""
    for k in range(n_components):
        space.reach[k] = k
    return n_components


@kernel
def put_reach(x, gaussians, start, n, space):
    """Find the components that matter for n samples by the box that holds them; how many.

    With c the centre and h the half-sides of the box, ``|L^-1 (x - mu)|`` lies between ``a - b``
    and ``a + b``, where ``a = |L^-1 (c - mu)|`` and ``b = | |L^-1| h |``. A component is left out
    if its largest density is exp(-_REACH) of the least that another one has.
    """
    d, box = len(x), space.box
    for i in range(d):
        low, high = x[i, start], x[i, start]
        for lane in range(1, n):
            low, high = min(low, x[i, start + lane]), max(high, x[i, start + lane])
        box[0, i], box[1, i] = (low + high) / 2, (high - low) / 2
    best = -np.inf
    for k in range(len(gaussians.means)):
        place, centre, half = 0, 0.0, 0.0
        for i in range(d):
            a, b = 0.0, 0.0
            for j in range(i + 1):
                factor = gaussians.triangles[k, place]
                place += 1
                a += factor * (box[0, j] - gaussians.means[k, j])
                b += abs(factor) * box[1, j]
            centre += a * a
            half += b * b
        centre, half = math.sqrt(centre), math.sqrt(half)
        top = gaussians.log_coefficients[k]
        near, far = max(centre - half, 0.0), centre + half
        space.bounds[k] = top - 0.5 * near * near
        best = max(best, top - 0.5 * far * far)
    count = 0
    for k in range(len(gaussians.means)):
        if space.bounds[k] >= best - _REACH:
            space.reach[count] = k
            count += 1
    return count


@kernel
def put_shared_terms(x, gaussians, start, n, n_reach, space):
    """Logarithms of densities of components whose L^-1 is the same for all samples."""
    d = len(x)
    for row in range(n_reach):
        k = space.reach[row]
        terms, triangle, q = space.terms[row], gaussians.triangles[k], space.products
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
            terms[lane] = max(constant - 0.5 * q[lane], LOWEST)


@kernel
def normalise(weights, backgrounds, amplitudes, start, n, n_reach, space, sums):
    """Turn terms into weighted responsibilities, with the log-sum-exp of each sample.

    The responsibilities of the backgrounds and, last, the log-likelihood are added to `sums`.
    """
    terms, peak, density = space.terms, space.logs, space.products
    n_b = len(amplitudes)
    # There may be no components, but a background alone.
    for lane in range(n):
        peak[lane] = LOWEST
    for k in range(n_reach):
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
    for k in range(n_reach):
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
def exponentiate(weights, start, n, n_reach, space):
    """Turn terms into exp(-q / 2), for sums with weights that are given."""
    for j in range(n_reach):
        row = space.terms[j]
        for lane in range(n):
            row[lane] = exp_fast(row[lane])
    for lane in range(n):
        space.scaled[lane] = weights[start + lane]


@kernel
def entropy_of(weights, start, n, n_reach, space):
    """Weighted sum of the entropies of the responsibilities of n samples, after `normalise`.

    Backgrounds count as one.
    """
    total, rest = 0.0, space.products
    for lane in range(n):
        rest[lane] = weights[start + lane]
    for j in range(n_reach):
        row = space.terms[j]
        for lane in range(n):
            part, whole = row[lane] * space.scaled[lane], weights[start + lane]
            rest[lane] -= part
            if part > _LEAST_PART * whole:
                total -= part * log_fast(part / whole)
    for lane in range(n):
        whole = weights[start + lane]
        if rest[lane] > _LEAST_REST * whole:
            total -= rest[lane] * log_fast(rest[lane] / whole)
    return total


@kernel
def gather(space, row, n):
    """Samples for which a row of terms matters, and their weighted responsibilities; how many."""
    terms, near, chosen = space.terms[row], space.near, space.chosen
    count = 0
    for lane in range(n):
        if terms[lane] > _LEAST_PART:
            near[count] = lane
            chosen[count] = terms[lane] * space.scaled[lane]
            count += 1
    return count
