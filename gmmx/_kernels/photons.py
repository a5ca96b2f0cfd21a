"""Sums over photons in tiles."""

import math

import numpy as np

from ._jit import kernel, parallel_kernel, prange
from ._math import exp_fast, log_fast
from .tiles import distance_to_tile, prepare_tile, workspace_for

# Tiles further from a view than this many standard deviations are left out of `view_sums`: there,
# the view is below exp(-18) of its peak.
_REACH = 6.0
# Least density, relative, that removing a component leaves to a photon: one that belongs to nothing
# else then costs log(1e9).
_LEAST_LEFT = 1e-9


@parallel_kernel
def photon_moments(photons, amplitudes, views, tolerance):
    """Moments of the photons under each view, background responsibilities and log-likelihood.

    With ``lambda_i = sum_v c_v exp(-(x_i - mu_v)^T P_v (x_i - mu_v) / 2) + sum_b B_b q_bi`` and
    ``r_iv = w_i c_v exp(...) / lambda_i``: n0 = sum r_i, n1 = sum r_i (x_i - mu_v), n2 = sum r_i
    (x_i - mu_v) (x_i - mu_v)^T.

    Parameters
    ----------
    photons : TiledPhotons
    amplitudes : (n_b,) array
        Background amplitudes B [photon / arcsec**2].
    views : Views
    tolerance : float
        Relative error of any density that may come from leaving views out of a tile.

    Returns
    -------
    moments : (V, 6) array
        n0, n1x, n1y, n2xx, n2xy, n2yy.
    responsibilities : (n_b,) array
    log_likelihood : float
        sum_i w_i log lambda_i.
    """
    n_views, n_b, n_blocks = len(views.means), len(amplitudes), len(photons.blocks) - 1
    partial = np.zeros((n_blocks, n_views, 6))
    partial_b = np.zeros((n_blocks, n_b + 1))
    for block in prange(n_blocks):
        space = workspace_for(photons, views)
        for tile in range(photons.blocks[block], photons.blocks[block + 1]):
            start, n, n_reach = prepare_tile(photons, amplitudes, views, tolerance, tile, space)
            _add_backgrounds(photons, amplitudes, start, n, space, partial_b[block])
            _add_moments(photons, views, start, n, n_reach, space, partial[block])
    moments = np.zeros((n_views, 6))
    sums = np.zeros(n_b + 1)
    for block in range(n_blocks):
        moments += partial[block]
        sums += partial_b[block]
    return moments, sums[:n_b], sums[n_b]


@kernel
def _add_backgrounds(photons, amplitudes, start, n, space, sums):
    """Add a tile's background responsibilities and, last, its log-likelihood to `sums`.

    ``space.scaled`` becomes w_i / density.
    """
    weights, scaled = photons.weights[start : start + n], space.scaled
    total = 0.0
    for i in range(n):
        scaled[i] = weights[i] / space.density[i]
        total += weights[i] * (log_fast(space.density[i]) + space.shift[i])
    n_b = len(amplitudes)
    sums[n_b] += total
    for b in range(n_b):
        part = 0.0
        for i in range(n):
            value = amplitudes[b] * photons.ratios[b, start + i]
            if space.shift[i] != 0.0:
                value = math.exp(math.log(value) - space.shift[i]) if value > 0 else 0.0
            part += scaled[i] * value
        sums[b] += part


@kernel
def _add_moments(photons, views, start, n, n_reach, space, moments):
    """Add a tile's moments under the views that reach it to `moments`."""
    x, y, scaled = photons.x[start : start + n], photons.y[start : start + n], space.scaled
    for j in range(n_reach):
        v = space.reach[j]
        mx, my = views.means[v, 0], views.means[v, 1]
        row = space.terms[j]
        s0, sx, sy, sxx, sxy, syy = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(n):
            dx, dy = x[i] - mx, y[i] - my
            r = scaled[i] * row[i]
            rx, ry = r * dx, r * dy
            s0 += r
            sx += rx
            sy += ry
            sxx += rx * dx
            sxy += rx * dy
            syy += ry * dy
        target = moments[v]
        target[0] += s0
        target[1] += sx
        target[2] += sy
        target[3] += sxx
        target[4] += sxy
        target[5] += syy


@parallel_kernel
def removal_losses(photons, amplitudes, views, tolerance):
    """Log-likelihood that the photons lose, at once, without each component, (K,) [nat].

    This is ``sum_i -w_i log(1 - r_ik / w_i)``; the parameters are those of `photon_moments`.
    """
    n_components, n_blocks = len(views.means) // views.per_component, len(photons.blocks) - 1
    partial = np.zeros((n_blocks, n_components))
    for block in prange(n_blocks):
        space = workspace_for(photons, views)
        for tile in range(photons.blocks[block], photons.blocks[block + 1]):
            start, n, n_reach = prepare_tile(photons, amplitudes, views, tolerance, tile, space)
            weights = photons.weights[start : start + n]
            _add_losses(weights, views.per_component, n_reach, space, partial[block])
    losses = np.zeros(n_components)
    for block in range(n_blocks):
        losses += partial[block]
    return losses


@kernel
def _add_losses(weights, per_component, n_reach, space, losses):
    """Add what a tile's photons lose without each component to `losses`."""
    n, fraction = len(weights), space.scaled
    j = 0
    while j < n_reach:
        k = space.reach[j] // per_component
        for i in range(n):
            fraction[i] = 0.0
        while j < n_reach and space.reach[j] // per_component == k:
            for i in range(n):
                fraction[i] += space.terms[j, i]
            j += 1
        loss = 0.0
        for i in range(n):
            left = max(1.0 - fraction[i] / space.density[i], _LEAST_LEFT)
            loss -= weights[i] * log_fast(left)
        losses[k] += loss


@parallel_kernel
def log_densities(photons, amplitudes, views, tolerance):
    """Logarithm of lambda at each photon, (N,); the parameters are those of `photon_moments`."""
    result = np.empty(len(photons.x))
    for block in prange(len(photons.blocks) - 1):
        space = workspace_for(photons, views)
        for tile in range(photons.blocks[block], photons.blocks[block + 1]):
            start, n, _ = prepare_tile(photons, amplitudes, views, tolerance, tile, space)
            for i in range(n):
                result[start + i] = math.log(space.density[i]) + space.shift[i]
    return result


@parallel_kernel
def view_sums(photons, weights, views):
    """``sum_i w_i c_v exp(-(x_i - mu_v)^T P_v (x_i - mu_v) / 2)`` of each view, (V,).

    Only tiles within 6 standard deviations count.

    Parameters
    ----------
    photons : TiledPhotons
    weights : (N,) array
        In the place of the photons' own.
    views : Views
    """
    sums = np.zeros(len(views.means))
    for v in prange(len(views.means)):
        mx, my, c = views.means[v, 0], views.means[v, 1], math.exp(views.log_coefficients[v])
        pxx, pxy, pyy = views.precisions[v, 0], views.precisions[v, 1], views.precisions[v, 2]
        total = 0.0
        for tile in range(len(photons.tiles) - 1):
            centre, half = distance_to_tile(photons.boxes[tile], views, v)
            if centre - half > _REACH:
                continue
            part = 0.0
            start, stop = photons.tiles[tile], photons.tiles[tile + 1]
            x, y, w = photons.x[start:stop], photons.y[start:stop], weights[start:stop]
            for i in range(stop - start):
                dx, dy = x[i] - mx, y[i] - my
                part += w[i] * exp_fast(-0.5 * (dx * (pxx * dx + 2 * pxy * dy) + pyy * dy * dy))
            total += part
        sums[v] = c * total
    return sums
