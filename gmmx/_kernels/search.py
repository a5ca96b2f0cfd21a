"""Smoothed images, and how significantly smoothed counts exceed smoothed expectations."""

import math

import numpy as np

from ._jit import kernel, parallel_kernel, prange

# For fewer pixels, starting the threads takes longer than the work.
_WORTH_THREADS = 60_000


def _smoothed(image, taps):
    """Rows first, then columns, each row by one thread."""
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
    """Pixel by pixel, each row by one thread."""
    ny, nx = data.shape
    result = np.zeros((ny, nx))
    # d log(d/m) - (d - m) <= (d - m)^2 / m, so that no logarithm is needed below the threshold.
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
    """An image convolved with an even separable kernel, zero outside the image.

    Parameters
    ----------
    image : (ny, nx) array
    taps : (n,) array
        Weight at distance j = 0, 1, ... along rows and along columns.
    """
    return (_smoothed_together if image.size > _WORTH_THREADS else _smoothed_alone)(image, taps)


def significances(data, model, area, least):
    """Significance ``area (d log(d / m) - (d - m))`` of an excess of d over m, (ny, nx) [nat].

    Parameters
    ----------
    data, model : (ny, nx) arrays
        Smoothed counts d and expectation m [photon per pixel].
    area : float
        Effective area of the smoothing kernel [pixel].
    least : float
        Significances below this are 0, as they are where d <= m.
    """
    return (_significances_together if data.size > _WORTH_THREADS else _significances_alone)(
        data, model, area, least
    )
