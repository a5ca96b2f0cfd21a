"""Smoothing images, and where smoothed photons exceed smoothed expectations."""

import math

import numpy as np

from ._jit import kernel, parallel_kernel, prange

# Below this many pixels, waking the threads takes longer than the work.
_WORTH_THREADS = 60_000


def _smoothed(image, taps):
    ny, nx = image.shape
    reach = len(taps) - 1
    along = np.empty((ny, nx))
    result = np.empty((ny, nx))
    for iy in prange(ny):
        padded = np.zeros(nx + 2 * reach)
        padded[reach : reach + nx] = image[iy]
        row = along[iy]
        for ix in range(nx):
            row[ix] = taps[0] * padded[reach + ix]
        for j in range(1, reach + 1):
            left, right = padded[reach - j : reach - j + nx], padded[reach + j : reach + j + nx]
            for ix in range(nx):
                row[ix] += taps[j] * (left[ix] + right[ix])
    for iy in prange(ny):
        row = result[iy]
        row[:] = 0.0
        for j in range(-reach, reach + 1):
            if 0 <= iy + j < ny:
                weight, source = taps[abs(j)], along[iy + j]
                for ix in range(nx):
                    row[ix] += weight * source[ix]
    return result


def _significances(data, model, area, least):
    ny, nx = data.shape
    result = np.zeros((ny, nx))
    # Where d <= m (1 + z), d log(d/m) - (d - m) <= d z**2 / 2: no logarithm is needed below the threshold.
    for iy in prange(ny):
        for ix in range(nx):
            d, m = data[iy, ix], model[iy, ix]
            excess = d - m
            if excess > 0 and area * excess * excess > least * m:
                value = area * (d * math.log(d / m) - excess)
                if value > least:
                    result[iy, ix] = value
    return result


_smoothed_alone, _smoothed_together = kernel(_smoothed), parallel_kernel(_smoothed)
_significances_alone, _significances_together = (
    kernel(_significances),
    parallel_kernel(_significances),
)


def smoothed(image, taps):
    """An image convolved with an even separable kernel, zero outside: ``taps[j]`` is the weight at distance j, along rows and columns."""
    return (_smoothed_together if image.size > _WORTH_THREADS else _smoothed_alone)(image, taps)


def significances(data, model, area, least):
    """``area (d log(d / m) - (d - m))`` where d > m and it exceeds `least`, else 0."""
    return (_significances_together if data.size > _WORTH_THREADS else _significances_alone)(
        data, model, area, least
    )
