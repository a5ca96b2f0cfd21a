"""Integrals of Gaussians over rings about the origin, and over the parts of rings in a wedge."""

import math

import numpy as np

from ._jit import parallel_kernel, prange
from ._math import exp_fast

# Gaussians are cut at this many standard deviations of their longer axis: 1.5e-8 lies beyond.
_REACH = 6.5
# Nodes and weights of Gauss-Legendre's rule on [-1, 1].
_NODES = (-0.8611363115940526, -0.3399810435848563, 0.3399810435848563, 0.8611363115940526)
_WEIGHTS = (0.34785484513745385, 0.6521451548625462, 0.6521451548625462, 0.34785484513745385)
# Length of the parts along the radius, and of the steps along the arc, in units of the smaller
# standard deviation. On an arc on both ends of which the Gaussian has vanished, as on a whole
# circle, steps of 1 leave an error of 1e-6. The ends of a wedge need shorter ones.
_PART, _ARC, _ARC_OF_WEDGE = 1.8, 1.0, 0.25
# Nodes on the radius of a small ring in which a map is read.
_NODES_OF_RADIUS = 30
# Most parts of one ring, and most steps on one arc.
_MOST_PARTS, _MOST_STEPS = 64, 4000
_TURN = 2 * math.pi


@parallel_kernel
def ring_integrals(means, covariances, edges, wedge, values, to_cells, outside, spacing):
    """Integrals of unit Gaussians over rings, alone and times a map.

    Parameters
    ----------
    means : (V, 2) array
        Centres in coordinates in which the rings are circles about the origin.
    covariances : (V, 3) array
        xx, xy, yy.
    edges : (n + 1,) array
        Radii, rising. The last one may be infinite.
    wedge : (2,) array
        Directions between which the rings are kept, counter-clockwise [rad]; the first lies
        between -pi and pi. A difference of two pi or more is the whole circle.
    values : (ny, nx) array
        A map that is constant in each cell.
    to_cells : (2, 3) array
        Matrix and shift that take positions to indices (ix, iy) of cells.
    outside : float
        The map off its cells.
    spacing : float
        Largest distance of the nodes at which the map is read; infinite if it is not read.

    Returns
    -------
    (V, n, 2) array
        Integrals of N, and of N times the map; the latter are zero if the map is not read.

    Notes
    -----
    The function is long because a call for each arc would cost more than the arc.
    """
    n = len(edges) - 1
    ny, nx = values.shape
    reads = spacing < np.inf
    whole = wedge[1] - wedge[0] >= _TURN - 1e-12
    sums = np.zeros((len(means), n, 2))
    for v in prange(len(means)):
        mx, my = means[v, 0], means[v, 1]
        xx, xy, yy = covariances[v, 0], covariances[v, 1], covariances[v, 2]
        determinant = xx * yy - xy * xy
        ixx, ixy, iyy = yy / determinant, -xy / determinant, xx / determinant
        largest = 0.5 * (xx + yy) + math.sqrt(0.25 * (xx - yy) ** 2 + xy * xy)
        least = math.sqrt(determinant / largest)
        reach = _REACH * math.sqrt(largest)
        away, towards = math.hypot(mx, my), math.atan2(my, mx)
        peak = 1.0 / (_TURN * math.sqrt(determinant))
        for j in range(n):
            low, high = max(edges[j], away - reach), min(edges[j + 1], away + reach)
            if low >= high:
                continue
            # Small rings have finer nodes, because few of the map's cells lie in them.
            finest = min(max(edges[j + 1] / _NODES_OF_RADIUS, spacing / 8), spacing)
            arc = min((_ARC if whole else _ARC_OF_WEDGE) * least, finest)
            parts = math.ceil((high - low) / min(_PART * least, 4 * finest))
            parts = min(max(parts, 1), _MOST_PARTS)
            half = 0.5 * (high - low) / parts
            for i in range(4 * parts):
                r = low + (2 * (i // 4) + 1 + _NODES[i % 4]) * half
                cosine = -1.0
                if r * away > 0.0:
                    cosine = (r * r + away * away - reach * reach) / (2 * r * away)
                if cosine >= 1.0:
                    continue
                opening = math.pi if cosine <= -1.0 else math.acos(cosine)
                for turn in range(-2, 2):
                    if whole and turn != 0:
                        continue
                    first, last = towards - opening, towards + opening
                    if not whole:
                        first = max(first, wedge[0] + turn * _TURN)
                        last = min(last, wedge[1] + turn * _TURN)
                    if first >= last:
                        continue
                    steps = math.ceil((last - first) * r / arc)
                    steps = min(max(steps, 12), _MOST_STEPS)
                    step = (last - first) / steps
                    # The direction turns by one step at a time.
                    c, s = math.cos(first + 0.5 * step), math.sin(first + 0.5 * step)
                    turn_c, turn_s = math.cos(step), math.sin(step)
                    total, seen = 0.0, 0.0
                    for _ in range(steps):
                        x, y = r * c, r * s
                        dx, dy = x - mx, y - my
                        density = exp_fast(-0.5 * (ixx * dx * dx + iyy * dy * dy) - ixy * dx * dy)
                        total += density
                        if reads:
                            fx = to_cells[0, 0] * x + to_cells[0, 1] * y + to_cells[0, 2]
                            fy = to_cells[1, 0] * x + to_cells[1, 1] * y + to_cells[1, 2]
                            ix, iy = math.floor(fx + 0.5), math.floor(fy + 0.5)
                            inside = 0 <= ix < nx and 0 <= iy < ny
                            seen += density * (values[iy, ix] if inside else outside)
                        c, s = c * turn_c - s * turn_s, s * turn_c + c * turn_s
                    scale = _WEIGHTS[i % 4] * half * r * peak * step
                    sums[v, j, 0] += scale * total
                    sums[v, j, 1] += scale * seen
    return sums
