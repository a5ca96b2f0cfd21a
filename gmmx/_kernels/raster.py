"""Sums of Gaussians as means over pixels."""

import numpy as np

from ._jit import kernel, parallel_kernel, prange
from ._math import exp_fast

# Squared reach of a Gaussian: beyond 6 sigma lies exp(-18) of it.
_REACH = 36.0


@kernel
def _add_row(row, scale, middle, a, first, last):
    """Add ``scale exp(-a (ix - middle)**2 / 2)`` to the pixels first to last of a row."""
    # LLVM vectorises only if it sees that no index is negative: these run from 0.
    part = row[first : last + 1]
    for i in range(len(part)):
        dx = i + (first - middle)
        part[i] += scale * exp_fast(-0.5 * a * dx * dx)


@kernel
def _add_split_row(row, scale, middle, a, first, last, split):
    """Add the same from parts of pixels.

    Part s, counted from the left edge of pixel 0, is centred at (s + 0.5) / split - 0.5.
    """
    for ix in range(first // split, last // split + 1):
        total = 0.0
        for s in range(max(first, ix * split), min(last, ix * split + split - 1) + 1):
            dx = (s + 0.5) / split - 0.5 - middle
            total += exp_fast(-0.5 * a * dx * dx)
        row[ix] += scale * total


@kernel
def _add_gaussian(row, iy, peak, mean, inverse, split):
    """Add one Gaussian to the row iy of an image; see `draw_gaussians`."""
    a, b, c = inverse[0], inverse[1], inverse[2]
    nx = len(row)
    for part in range(split):
        dy = iy - 0.5 + (part + 0.5) / split - mean[1]
        middle = mean[0] - b / a * dy
        left = _REACH - (c - b * b / a) * dy * dy
        if left <= 0.0:
            continue
        half = np.sqrt(left / a)
        first = int(max(np.ceil((middle - half + 0.5) * split - 0.5), 0.0))
        last = int(min(np.floor((middle + half + 0.5) * split - 0.5), nx * split - 1.0))
        if first > last:
            continue
        scale = peak / (split * split) * np.exp(0.5 * (left - _REACH))
        if split == 1:
            _add_row(row, scale, middle, a, first, last)
        else:
            _add_split_row(row, scale, middle, a, first, last, split)


@parallel_kernel
def draw_gaussians(peaks, means, inverses, splits, ny, nx):
    """Mean over each pixel of a sum of Gaussians, (ny, nx).

    The mean is over the values at the centres of split x split parts of a pixel.

    Parameters
    ----------
    peaks : (V,) array
        Value of each Gaussian at its centre.
    means : (V, 2) array
        Centres (x, y) [pixel].
    inverses : (V, 3) array
        Inverse covariances xx, xy, yy [1 / pixel**2].
    splits : (V,) integer array
        Parts that a pixel is split into along each axis.

    Notes
    -----
    Each row is the work of one thread and adds the Gaussians in their order, so that the sums do
    not depend on the number of threads. In a row ``a dx**2 + 2 b dx dy + c dy**2 <= 36`` is an
    interval about ``dx = -b dy / a``, and only that interval is visited.
    """
    image = np.zeros((ny, nx))
    for iy in prange(ny):
        for v in range(len(peaks)):
            _add_gaussian(image[iy], iy, peaks[v], means[v], inverses[v], splits[v])
    return image


@parallel_kernel
def draw_mixtures(peaks, means, inverses, splits, starts, ny, nx):
    """Draw several sums of Gaussians, (N, ny, nx).

    It is one kernel, because threads that start and stop for each of hundreds of small images
    would cost more than the images.

    Parameters
    ----------
    peaks, means, inverses, splits : arrays
        The Gaussians of all sums, as for `draw_gaussians`.
    starts : (N + 1,) integer array
        Where the Gaussians of each sum begin, and the number of all.
    """
    images = np.zeros((len(starts) - 1, ny, nx))
    for job in prange((len(starts) - 1) * ny):
        n, iy = job // ny, job % ny
        for v in range(starts[n], starts[n + 1]):
            _add_gaussian(images[n, iy], iy, peaks[v], means[v], inverses[v], splits[v])
    return images
