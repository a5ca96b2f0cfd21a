"""The parts of Gaussians that lie within circles about the origin."""

import math

import numpy as np

from ._jit import kernel, parallel_kernel, prange
from ._math import exp_fast

# Gaussians are cut at this many standard deviations: 1e-11 lies beyond.
_REACH = 6.5
# Nodes and weights of Gauss-Legendre's rule on [-1, 1].
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_ROOT_2 = math.sqrt(2.0)


@parallel_kernel
def disc_fractions(means, covariances, radii):
    """Fractions of unit Gaussians within circles about the origin.

    Across one of its axes a Gaussian is integrated by quadrature, along the other by the error
    function. With R sin(t) the distance of a chord from the origin, its half length R cos(t) is
    smooth at the ends. The cost does not depend on the shape. The error is at most 2e-5, and
    below 1e-7 for 99.9 % of Gaussians with axis ratios from 1 to 300.

    Parameters
    ----------
    means : (V, 2) array
    covariances : (V, 3) array
        xx, xy, yy.
    radii : (n,) array
        Rising; the last one may be infinite.

    Returns
    -------
    (V, n) array
    """
    found = np.empty((len(means), len(radii)))
    for v in prange(len(means)):
        xx, xy, yy = covariances[v, 0], covariances[v, 1], covariances[v, 2]
        largest = 0.5 * (xx + yy) + math.sqrt(0.25 * (xx - yy) ** 2 + xy * xy)
        major, minor = math.sqrt(largest), math.sqrt((xx * yy - xy * xy) / largest)
        turn = 0.5 * math.atan2(2 * xy, xx - yy)
        c, s = math.cos(turn), math.sin(turn)
        # Distances of the mean from the origin along the axes; signs do not matter.
        along = abs(c * means[v, 0] + s * means[v, 1])
        across = abs(c * means[v, 1] - s * means[v, 0])
        away, reach = math.hypot(along, across), _REACH * major
        for j in range(len(radii)):
            if away + reach <= radii[j]:
                found[v, j] = 1.0
            elif away - reach >= radii[j] or radii[j] == 0.0:
                found[v, j] = 0.0
            elif _ease(across, major, minor, radii[j]) >= _ease(along, minor, major, radii[j]):
                found[v, j] = _within(along, across, major, minor, radii[j])
            else:
                found[v, j] = _within(across, along, minor, major, radii[j])
    return found


@kernel
def _ease(across, wide, narrow, radius):
    """How gently a circle cuts the chords across one axis, where the Gaussian is."""
    inside = min(across, radius)
    chord = math.sqrt((radius - inside) * (radius + inside))
    return wide * chord / (narrow * inside + 1e-300)


@kernel
def _within(along, across, wide, narrow, radius):
    """The fraction within one circle, by quadrature over the chords of the first direction."""
    low = max((across - _REACH * narrow) / radius, -1.0)
    high = min((across + _REACH * narrow) / radius, 1.0)
    if low >= high:
        return 0.0
    first, last = math.asin(low), math.asin(high)
    half, middle = 0.5 * (last - first), 0.5 * (last + first)
    total = 0.0
    for i in range(len(_NODES)):
        angle = middle + half * _NODES[i]
        chord = radius * math.cos(angle)
        offset = (radius * math.sin(angle) - across) / narrow
        ends = math.erf((chord - along) / (wide * _ROOT_2)) + math.erf(
            (chord + along) / (wide * _ROOT_2)
        )
        total += _WEIGHTS[i] * chord * exp_fast(-0.5 * offset * offset) * ends
    return half * total * 0.5 / (math.sqrt(2 * math.pi) * narrow)
