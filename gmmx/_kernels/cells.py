"""Integrals of Gaussians over the cells between edges."""

import math

import numpy as np

from ._jit import kernel, parallel_kernel, prange
from ._math import exp_fast

# Gaussians are cut at this many standard deviations: 3e-12 of one lies beyond.
_REACH = 7.0
# Nodes and weights of Gauss-Legendre's rule on [-1, 1]. On parts of 0.6 standard deviations its
# error is 1e-9.
_NODES = (-0.8611363115940526, -0.3399810435848563, 0.3399810435848563, 0.8611363115940526)
_WEIGHTS = (0.34785484513745385, 0.6521451548625462, 0.6521451548625462, 0.34785484513745385)
_PART = 0.6


@parallel_kernel
def sample_gaussians(peaks, means, inverses, ny, nx):
    """Values of a sum of Gaussians at the points of a lattice, (ny, nx).

    Parameters
    ----------
    peaks : (V,) array
        Value of each Gaussian at its centre.
    means : (V, 2) array
        Centres (x, y) [point].
    inverses : (V, 3) array
        Inverse covariances xx, xy, yy [1 / point**2].

    Notes
    -----
    Each row is the work of one thread, as in `draw_gaussians`.
    """
    image = np.zeros((ny, nx))
    for iy in prange(ny):
        for v in range(len(peaks)):
            a, b, c = inverses[v, 0], inverses[v, 1], inverses[v, 2]
            dy = iy - means[v, 1]
            left = _REACH * _REACH - (c - b * b / a) * dy * dy
            if left <= 0.0:
                continue
            middle, half = means[v, 0] - b / a * dy, math.sqrt(left / a)
            first = int(max(math.ceil(middle - half), 0.0))
            last = int(min(math.floor(middle + half), nx - 1.0))
            scale = peaks[v] * math.exp(0.5 * (left - _REACH * _REACH))
            # LLVM vectorises only if it sees that no index is negative: these run from 0.
            part = image[iy, first : last + 1] if first <= last else image[iy, :0]
            for i in range(len(part)):
                dx = i + (first - middle)
                part[i] += scale * exp_fast(-0.5 * a * dx * dx)
    return image


@kernel
def _add_line(row, x_edges, middle, sigma, scale):
    """Add the integral of ``scale N(x; middle, sigma**2)`` between the edges to a row of cells."""
    low, high = middle - _REACH * sigma, middle + _REACH * sigma
    if high <= x_edges[0] or low >= x_edges[-1]:
        return
    first = max(np.searchsorted(x_edges, low) - 1, 0)
    narrow = 1.0 / (math.sqrt(2.0) * sigma)
    before = math.erf((x_edges[first] - middle) * narrow)
    for ix in range(first, len(row)):
        after = math.erf((x_edges[ix + 1] - middle) * narrow)
        row[ix] += 0.5 * scale * (after - before)
        if x_edges[ix + 1] >= high:
            return
        before = after


@parallel_kernel
def add_cell_integrals(image, fluxes, means, covariances, x_edges, y_edges):
    """Add the integral of a sum of Gaussians over each cell to an image.

    Along x the integral is exact. Along y it is Gauss-Legendre's rule on parts of 0.6 of
    the standard deviation that a Gaussian has there at constant x.

    Parameters
    ----------
    image : (ny, nx) array
        Changed in place.
    fluxes : (V,) array
        Integrals of the Gaussians over the plane.
    means : (V, 2) array
        Centres (x, y).
    covariances : (V, 3) array
        xx, xy, yy.
    x_edges : (nx + 1,) array
    y_edges : (ny + 1,) array
        Rising.

    Notes
    -----
    Each row is the work of one thread and adds the Gaussians in their order, so that the sums do
    not depend on the number of threads.
    """
    for iy in prange(image.shape[0]):
        for v in range(len(fluxes)):
            xx, xy, yy = covariances[v, 0], covariances[v, 1], covariances[v, 2]
            sigma = math.sqrt(yy)
            low = max(y_edges[iy], means[v, 1] - _REACH * sigma)
            high = min(y_edges[iy + 1], means[v, 1] + _REACH * sigma)
            if low >= high:
                continue
            slope, across = xy / yy, math.sqrt(xx - xy * xy / yy)
            parts = math.ceil((high - low) / (_PART * math.sqrt(yy - xy * xy / xx)))
            half = 0.5 * (high - low) / parts
            peak = fluxes[v] * half / (math.sqrt(2.0 * math.pi) * sigma)
            for part in range(4 * parts):
                middle = low + (2 * (part // 4) + 1) * half
                dy = middle + _NODES[part % 4] * half - means[v, 1]
                scale = _WEIGHTS[part % 4] * peak * math.exp(-0.5 * dy * dy / yy)
                _add_line(image[iy], x_edges, means[v, 0] + slope * dy, across, scale)
