"""Densities of many mixtures, each at positions of its own."""

import math

from ._jit import parallel_kernel, prange
from ._math import exp_fast


@parallel_kernel
def densities_of_skies(fluxes, means, covariances, skies, x, y, found):
    """Densities of mixtures at positions, written into `found`.

    Parameters
    ----------
    fluxes : (N, K) array
        Of N mixtures; components without flux cost nothing.
    means : (N, K, 2) array
    covariances : (N, K, 2, 2) array
    skies : (V,) integer array
        Number of the mixture of each row of positions.
    x, y : (V, P) arrays
    found : (V, P) array
    """
    rows, places = x.shape
    for v in prange(rows):
        n = skies[v]
        for p in range(places):
            found[v, p] = 0.0
        for k in range(fluxes.shape[1]):
            flux = fluxes[n, k]
            if flux == 0.0:
                continue
            mx, my = means[n, k, 0], means[n, k, 1]
            xx, xy, yy = covariances[n, k, 0, 0], covariances[n, k, 0, 1], covariances[n, k, 1, 1]
            determinant = xx * yy - xy * xy
            ixx, ixy, iyy = yy / determinant, xy / determinant, xx / determinant
            peak = flux / (2 * math.pi * math.sqrt(determinant))
            for p in range(places):
                dx, dy = x[v, p] - mx, y[v, p] - my
                square = 0.5 * (ixx * dx * dx + iyy * dy * dy) - ixy * dx * dy
                found[v, p] += peak * exp_fast(-square)
