"""Integrals of the completeness under views, on a pyramid of maps."""

import math

import numpy as np

from ._jit import parallel_kernel, prange
from ._math import exp_fast

# The integral runs over the ellipse of this many standard deviations: exp(-18) of a Gaussian lies outside.
REACH = 6.0


@parallel_kernel
def exposure_moments(pyramid, offsets, heights, widths, levels, means, covariances):
    """Moments of the completeness under each view, in units of the map's own pixels.

    e0 = int Omega N(x; mu, T) dx, e1 = int Omega N (x - mu) dx, e2 = int Omega N (x - mu) (x - mu)^T dx: midpoint sums over the cells of one level of the
    pyramid, or over equal parts of the cells of level 0, over the view's ellipse of 6 standard deviations.

    Parameters
    ----------
    pyramid : (n,) array
        All maps, level after level, each row-major; each averages 2 x 2 cells of the one before.
    offsets, heights, widths : (n_levels,) integers
        Where each map starts, and its shape.
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
        parts = max(1, -levels[v])
        level = max(0, levels[v])
        cell = float(1 << level) / parts
        offset, height, width = offsets[level], heights[level], widths[level]
        txx, txy, tyy = covariances[v, 0], covariances[v, 1], covariances[v, 2]
        determinant = txx * tyy - txy * txy
        # Fine cell j is centred at (j + 1/2) cell - 1/2 in pixels of level 0.
        mx, my = (means[v, 0] + 0.5) / cell - 0.5, (means[v, 1] + 0.5) / cell - 0.5
        # Clipped as floats: a view far off the map would overflow an integer.
        half_y = REACH * math.sqrt(tyy) / cell
        first_y = int(min(max(math.ceil(my - half_y), 0.0), float(height * parts)))
        last_y = int(min(max(math.floor(my + half_y), -1.0), float(height * parts - 1)))
        slope, conditional = txy / tyy, determinant / tyy
        longest = int(2.0 * REACH * math.sqrt(conditional) / cell) + 2
        omega = np.empty(min(longest, width * parts))
        s0, sx, sy, sxx, sxy, syy = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for j in range(first_y, last_y + 1):
            dy = (j - my) * cell
            # In this row the view is a Gaussian about slope * dy: a long thin view crosses few cells of each row.
            left = REACH * REACH - dy * dy / tyy
            if left <= 0.0:
                continue
            middle, half = mx + slope * dy / cell, math.sqrt(left * conditional) / cell
            first = int(min(max(math.ceil(middle - half), 0.0), float(width * parts)))
            last = int(min(max(math.floor(middle + half), -1.0), float(width * parts - 1)))
            n = last - first + 1
            if n <= 0:
                continue
            start = offset + (j // parts) * width
            if parts == 1:
                for i in range(n):
                    omega[i] = pyramid[start + first + i]
            else:
                i = 0
                column = first // parts
                while i < n:
                    value = pyramid[start + column]
                    column += 1
                    end = min(n, column * parts - first)
                    while i < end:
                        omega[i] = value
                        i += 1
            peak = exp_fast(-0.5 * dy * dy / tyy)
            narrow = -0.5 / conditional
            shift = (first - middle) * cell
            r0, rx, rxx = 0.0, 0.0, 0.0
            for i in range(n):
                u = shift + i * cell
                value = omega[i] * exp_fast(narrow * u * u)
                vu = value * u
                r0 += value
                rx += vu
                rxx += vu * u
            # About the view's own mean: dx = u + slope dy.
            r0, rx, rxx = peak * r0, peak * rx, peak * rxx
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
        moments[v, 0] = s0 * scale
        moments[v, 1] = sx * scale
        moments[v, 2] = sy * scale
        moments[v, 3] = sxx * scale
        moments[v, 4] = sxy * scale
        moments[v, 5] = syy * scale
    return moments
