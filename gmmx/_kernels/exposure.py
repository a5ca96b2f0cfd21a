"""Integrals of the completeness under views, on a pyramid of maps."""

import math
from typing import NamedTuple

import numpy as np

from ._jit import inline, kernel, parallel_kernel, prange
from ._math import exp_fast

# The integral runs over the ellipse of this many standard deviations: exp(-18) of a Gaussian lies
# outside.
REACH = 6.0


class LevelMaps(NamedTuple):
    """Maps of a pyramid in one array; each averages 2 x 2 cells of the one before.

    Attributes
    ----------
    values : (n,) array
        All maps, level after level, each row-major.
    offsets, heights, widths : (n_levels,) integers
        Where each map starts, and its shape.
    """

    values: np.ndarray
    offsets: np.ndarray
    heights: np.ndarray
    widths: np.ndarray


@parallel_kernel
def exposure_moments(maps, levels, means, covariances):
    """Moments of the completeness under each view, in units of the map's own pixels.

    ``e0 = int Omega N(x; mu, T) dx``, ``e1 = int Omega N (x - mu) dx`` and ``e2 = int Omega N (x -
    mu) (x - mu)^T dx`` are midpoint sums over the cells of one level of the pyramid, or over equal
    parts of the cells of level 0, within 6 standard deviations.

    Parameters
    ----------
    maps : LevelMaps
    levels : (V,) integers
        Level that each view uses; -s for cells of level 0 cut into s x s parts.
    means : (V, 2) array
        In pixel coordinates, (0, 0) the centre of the first pixel of level 0.
    covariances : (V, 3) array
        xx, xy, yy [pixel**2].

    Returns
    -------
    (V, 6) array
        e0, e1x, e1y, e2xx, e2xy, e2yy.
    """
    n_views = len(levels)
    moments = np.zeros((n_views, 6))
    for v in prange(n_views):
        _fill_moments(maps, levels[v], means[v], covariances[v], moments[v])
    return moments


@kernel
def _fill_moments(maps, level_or_parts, mean, covariance, moments):
    """Write the six moments of one view."""
    parts = max(1, -level_or_parts)
    level = max(0, level_or_parts)
    cell = float(1 << level) / parts
    height, width = maps.heights[level] * parts, maps.widths[level] * parts
    txx, txy, tyy = covariance[0], covariance[1], covariance[2]
    determinant = txx * tyy - txy * txy
    # Fine cell j is centred at (j + 1/2) cell - 1/2 in pixels of level 0.
    mx, my = (mean[0] + 0.5) / cell - 0.5, (mean[1] + 0.5) / cell - 0.5
    first_y, last_y = _span(my, REACH * math.sqrt(tyy) / cell, height)
    slope, conditional = txy / tyy, determinant / tyy
    longest = int(2.0 * REACH * math.sqrt(conditional) / cell) + 2
    omega = np.empty(min(longest, width))
    s0, sx, sy, sxx, sxy, syy = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(first_y, last_y + 1):
        dy = (j - my) * cell
        left = REACH * REACH - dy * dy / tyy
        if left <= 0.0:
            continue
        # In this row the view is a Gaussian about slope * dy, so that a long thin view crosses few
        # cells of each row.
        middle = mx + slope * dy / cell
        first, last = _span(middle, math.sqrt(left * conditional) / cell, width)
        n = last - first + 1
        if n <= 0:
            continue
        _read_row(maps, level, parts, j, first, n, omega)
        r0, rx, rxx = _row_sums(omega, n, (first - middle) * cell, cell, -0.5 / conditional)
        peak = exp_fast(-0.5 * dy * dy / tyy)
        r0, rx, rxx = peak * r0, peak * rx, peak * rxx
        # About the view's own mean: dx = u + slope dy.
        lean = slope * dy
        rxx += lean * (2.0 * rx + lean * r0)
        rx += lean * r0
        s0 += r0
        sx += rx
        sy += r0 * dy
        sxx += rxx
        sxy += rx * dy
        syy += r0 * dy * dy
    scale = cell * cell / (2.0 * math.pi * math.sqrt(determinant))
    moments[0] = s0 * scale
    moments[1] = sx * scale
    moments[2] = sy * scale
    moments[3] = sxx * scale
    moments[4] = sxy * scale
    moments[5] = syy * scale


@kernel
def _span(middle, half, size):
    """First and last of `size` cells within `half` of the middle.

    They are clipped as floats, because a view far off the map would overflow an integer.
    """
    first = int(min(max(math.ceil(middle - half), 0.0), float(size)))
    last = int(min(max(math.floor(middle + half), -1.0), float(size - 1)))
    return first, last


@kernel
def _read_row(maps, level, parts, j, first, n, omega):
    """Write n cells of fine row j, from `first` on, into `omega`; a part has its cell's value."""
    start = maps.offsets[level] + (j // parts) * maps.widths[level]
    if parts == 1:
        for i in range(n):
            omega[i] = maps.values[start + first + i]
        return
    i = 0
    column = first // parts
    while i < n:
        value = maps.values[start + column]
        column += 1
        end = min(n, column * parts - first)
        while i < end:
            omega[i] = value
            i += 1


@inline
def _row_sums(omega, n, shift, cell, narrow):
    """Sums of omega exp(narrow u^2) times 1, u and u^2 over a row, with u = shift + i cell."""
    r0, rx, rxx = 0.0, 0.0, 0.0
    for i in range(n):
        u = shift + i * cell
        value = omega[i] * exp_fast(narrow * u * u)
        vu = value * u
        r0 += value
        rx += vu
        rxx += vu * u
    return r0, rx, rxx
