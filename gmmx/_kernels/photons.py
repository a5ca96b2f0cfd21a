"""Sums over photons. Photons lie in tiles of neighbours; a tile visits only the views that can matter in it."""

import math
from typing import NamedTuple

import numpy as np

from ._jit import kernel, parallel_kernel, prange
from ._math import exp_fast, log_fast

# Densities below this are summed again relative to their largest term: far from every view, without a background. It must lie well above exp(-600), the least
# value of exp_fast.
_TINY = 1e-240


class TiledPhotons(NamedTuple):
    """Photons in tiles of neighbours, with the shapes of the backgrounds at each.

    Attributes
    ----------
    x, y, weights : (N,) arrays
        Photons, those of a tile side by side [arcsec, arcsec, photon].
    ratios : (n_b, N) array
        q_b / Omega at each photon.
    tiles : (n_tiles + 1,) integers
        Tile t holds photons tiles[t] to tiles[t + 1].
    boxes : (n_tiles, 4) array
        Centre and half-sides (x, y, half x, half y) of each tile [arcsec].
    blocks : (n_blocks + 1,) integers
        Block b holds tiles blocks[b] to blocks[b + 1]. Sums are taken block by block, in order,
        so that the number of threads does not change the answer.
    """

    x: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    ratios: np.ndarray
    tiles: np.ndarray
    boxes: np.ndarray
    blocks: np.ndarray


class Views(NamedTuple):
    """Gaussians as the telescope shows them: view v = k M + m is component k in PSF Gaussian m.

    Attributes
    ----------
    log_coefficients : (V,) array
        Logarithm of the peak density.
    means : (V, 2) array
        [arcsec]
    precisions : (V, 3) array
        xx, xy, yy of the inverse covariances [1 / arcsec**2].
    """

    log_coefficients: np.ndarray
    means: np.ndarray
    precisions: np.ndarray


@kernel
def tile_background(amplitudes, ratios, start, n, background):
    """Writes ``sum_b B_b q_b / Omega`` at the n photons from `start` on into `background` and returns its least value, 0 without any background."""
    background[:n] = 0.0
    for b in range(len(amplitudes)):
        for i in range(n):
            background[i] += amplitudes[b] * ratios[b, start + i]
    floor = np.inf
    for i in range(n):
        floor = min(floor, background[i])
    return floor if len(amplitudes) else 0.0


@kernel
def reaching_views(box, floor, log_coefficients, means, precisions, tolerance, reach):
    """Views that matter in one tile: writes their indices into `reach` and returns how many.

    The Mahalanobis distance of any point of the tile from a view lies within d -+ h, d that of the tile's centre and h the largest half-diagonal in the
    view's metric. A view is left out where its largest value is below `tolerance` / V times a lower bound of the density in the tile.

    Parameters
    ----------
    box : (4,) array
        Centre and half-sides (x, y, half x, half y) of the tile.
    floor : float
        Lower bound of the background in the tile.
    """
    n_views = len(log_coefficients)
    lower = floor
    for v in range(n_views):
        dx, dy = box[0] - means[v, 0], box[1] - means[v, 1]
        pxx, pxy, pyy = precisions[v, 0], precisions[v, 1], precisions[v, 2]
        centre = math.sqrt(pxx * dx * dx + 2 * pxy * dx * dy + pyy * dy * dy)
        half = math.sqrt(
            pxx * box[2] * box[2] + 2 * abs(pxy) * box[2] * box[3] + pyy * box[3] * box[3]
        )
        far = centre + half
        lower += math.exp(log_coefficients[v] - 0.5 * far * far)
    bound = lower * tolerance / max(n_views, 1)
    threshold = math.log(bound) if bound > 0 else -np.inf
    n = 0
    for v in range(n_views):
        dx, dy = box[0] - means[v, 0], box[1] - means[v, 1]
        pxx, pxy, pyy = precisions[v, 0], precisions[v, 1], precisions[v, 2]
        centre = math.sqrt(pxx * dx * dx + 2 * pxy * dx * dy + pyy * dy * dy)
        half = math.sqrt(
            pxx * box[2] * box[2] + 2 * abs(pxy) * box[2] * box[3] + pyy * box[3] * box[3]
        )
        near = max(0.0, centre - half)
        if log_coefficients[v] - 0.5 * near * near >= threshold:
            reach[n] = v
            n += 1
    return n


@kernel
def tile_densities(
    x, y, background, log_coefficients, means, precisions, reach, n_reach, terms, density, log_shift
):
    """Densities of the photons of one tile and the terms they are made of.

    Fills ``terms[j, i]`` with the value of view ``reach[j]`` at photon i and ``density[i]`` with their sum plus the background, both divided by
    exp(log_shift[i]); the shift is 0 but for photons whose density would underflow.
    """
    n = len(x)
    for i in range(n):
        density[i] = background[i]
        log_shift[i] = 0.0
    for j in range(n_reach):
        v = reach[j]
        mx, my, c = means[v, 0], means[v, 1], math.exp(log_coefficients[v])
        pxx, pxy, pyy = -0.5 * precisions[v, 0], -precisions[v, 1], -0.5 * precisions[v, 2]
        row = terms[j]
        for i in range(n):
            dx, dy = x[i] - mx, y[i] - my
            value = c * exp_fast(dx * (pxx * dx + pxy * dy) + pyy * dy * dy)
            row[i] = value
            density[i] += value
    for i in range(n):
        if density[i] < _TINY:
            top = math.log(background[i]) if background[i] > 0 else -np.inf
            for j in range(n_reach):
                v = reach[j]
                dx, dy = x[i] - means[v, 0], y[i] - means[v, 1]
                q = (
                    precisions[v, 0] * dx * dx
                    + 2 * precisions[v, 1] * dx * dy
                    + precisions[v, 2] * dy * dy
                )
                terms[j, i] = log_coefficients[v] - 0.5 * q
                top = max(top, terms[j, i])
            density[i] = math.exp(math.log(background[i]) - top) if background[i] > 0 else 0.0
            for j in range(n_reach):
                terms[j, i] = math.exp(terms[j, i] - top)
                density[i] += terms[j, i]
            log_shift[i] = top


@parallel_kernel
def photon_moments(
    x,
    y,
    weights,
    ratios,
    tiles,
    boxes,
    blocks,
    amplitudes,
    log_coefficients,
    means,
    precisions,
    tolerance,
):
    """Moments of the photons under each view, background responsibilities and log-likelihood.

    With ``lambda_i = sum_v c_v exp(-(x_i - mu_v)^T P_v (x_i - mu_v) / 2) + sum_b B_b q_bi`` and ``r_iv = w_i c_v exp(...) / lambda_i``:
    n0 = sum r_i, n1 = sum r_i (x_i - mu_v), n2 = sum r_i (x_i - mu_v) (x_i - mu_v)^T.

    Parameters
    ----------
    x, y, weights : (N,) arrays
        Photons, those of a tile side by side.
    ratios : (n_b, N) array
        q_b / Omega at each photon.
    tiles : (n_tiles + 1,) integers
        Tile t holds photons tiles[t] to tiles[t + 1].
    boxes : (n_tiles, 4) array
        Centre and half-sides of each tile.
    blocks : (n_blocks + 1,) integers
        Block b holds tiles blocks[b] to blocks[b + 1]; sums are taken block by block, in order, so that threads do not change the answer.
    amplitudes : (n_b,) array
    log_coefficients : (V,) array
    means : (V, 2) array
    precisions : (V, 3) array
        xx, xy, yy of the inverse covariances.
    tolerance : float
        Bound of what left-out views add to any density, relative.

    Returns
    -------
    moments : (V, 6) array
        n0, n1x, n1y, n2xx, n2xy, n2yy.
    responsibilities : (n_b,) array
    log_likelihood : float
        sum_i w_i log lambda_i.
    """
    n_views, n_b, n_blocks = len(log_coefficients), len(amplitudes), len(blocks) - 1
    partial = np.zeros((n_blocks, n_views, 6))
    partial_b = np.zeros((n_blocks, n_b + 1))
    largest = np.max(np.diff(tiles))
    for block in prange(n_blocks):
        reach = np.empty(n_views, np.int64)
        terms = np.empty((n_views, largest))
        density = np.empty(largest)
        background = np.empty(largest)
        shift = np.empty(largest)
        scaled = np.empty(largest)
        for t in range(blocks[block], blocks[block + 1]):
            start, n = tiles[t], tiles[t + 1] - tiles[t]
            tx, ty, tw = x[start : start + n], y[start : start + n], weights[start : start + n]
            floor = tile_background(amplitudes, ratios, start, n, background)
            n_reach = reaching_views(
                boxes[t], floor, log_coefficients, means, precisions, tolerance, reach
            )
            tile_densities(
                tx,
                ty,
                background[:n],
                log_coefficients,
                means,
                precisions,
                reach,
                n_reach,
                terms,
                density,
                shift,
            )
            total = 0.0
            for i in range(n):
                scaled[i] = tw[i] / density[i]
                total += tw[i] * (log_fast(density[i]) + shift[i])
            partial_b[block, n_b] += total
            for b in range(n_b):
                share = 0.0
                for i in range(n):
                    value = amplitudes[b] * ratios[b, start + i]
                    if shift[i] != 0.0:
                        value = math.exp(math.log(value) - shift[i]) if value > 0 else 0.0
                    share += scaled[i] * value
                partial_b[block, b] += share
            for j in range(n_reach):
                v = reach[j]
                mx, my = means[v, 0], means[v, 1]
                row = terms[j]
                s0, sx, sy, sxx, sxy, syy = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
                for i in range(n):
                    dx, dy = tx[i] - mx, ty[i] - my
                    r = scaled[i] * row[i]
                    rx, ry = r * dx, r * dy
                    s0 += r
                    sx += rx
                    sy += ry
                    sxx += rx * dx
                    sxy += rx * dy
                    syy += ry * dy
                target = partial[block, v]
                target[0] += s0
                target[1] += sx
                target[2] += sy
                target[3] += sxx
                target[4] += sxy
                target[5] += syy
    moments = np.zeros((n_views, 6))
    sums = np.zeros(n_b + 1)
    for block in range(n_blocks):
        moments += partial[block]
        sums += partial_b[block]
    return moments, sums[:n_b], sums[n_b]


@parallel_kernel
def removal_losses(
    x,
    y,
    weights,
    ratios,
    tiles,
    boxes,
    blocks,
    amplitudes,
    log_coefficients,
    means,
    precisions,
    tolerance,
    per_component,
):
    """What the photons lose, at once, without each component: ``sum_i -w_i log(1 - r_ik / w_i)``, (K,) [nat].

    Views v = k per_component + m belong to component k; the other parameters are those of `photon_moments`.
    """
    n_views, n_blocks = len(log_coefficients), len(blocks) - 1
    n_components = n_views // per_component
    partial = np.zeros((n_blocks, n_components))
    largest = np.max(np.diff(tiles))
    for block in prange(n_blocks):
        reach = np.empty(n_views, np.int64)
        terms = np.empty((n_views, largest))
        density = np.empty(largest)
        background = np.empty(largest)
        shift = np.empty(largest)
        share = np.empty(largest)
        for t in range(blocks[block], blocks[block + 1]):
            start, n = tiles[t], tiles[t + 1] - tiles[t]
            floor = tile_background(amplitudes, ratios, start, n, background)
            n_reach = reaching_views(
                boxes[t], floor, log_coefficients, means, precisions, tolerance, reach
            )
            tile_densities(
                x[start : start + n],
                y[start : start + n],
                background[:n],
                log_coefficients,
                means,
                precisions,
                reach,
                n_reach,
                terms,
                density,
                shift,
            )
            j = 0
            while j < n_reach:
                k = reach[j] // per_component
                for i in range(n):
                    share[i] = 0.0
                while j < n_reach and reach[j] // per_component == k:
                    for i in range(n):
                        share[i] += terms[j, i]
                    j += 1
                loss = 0.0
                for i in range(n):
                    # A photon that belongs to nothing else costs what it would at a thousandth of a millionth of its density.
                    loss -= weights[start + i] * log_fast(max(1.0 - share[i] / density[i], 1e-9))
                partial[block, k] += loss
    losses = np.zeros(n_components)
    for block in range(n_blocks):
        losses += partial[block]
    return losses


@parallel_kernel
def log_densities(
    x, y, ratios, tiles, boxes, blocks, amplitudes, log_coefficients, means, precisions, tolerance
):
    """log lambda_i at each photon, (N,); the parameters are those of `photon_moments`."""
    n_views = len(log_coefficients)
    result = np.empty(len(x))
    largest = np.max(np.diff(tiles))
    for block in prange(len(blocks) - 1):
        reach = np.empty(n_views, np.int64)
        terms = np.empty((n_views, largest))
        density = np.empty(largest)
        background = np.empty(largest)
        shift = np.empty(largest)
        for t in range(blocks[block], blocks[block + 1]):
            start, n = tiles[t], tiles[t + 1] - tiles[t]
            floor = tile_background(amplitudes, ratios, start, n, background)
            n_reach = reaching_views(
                boxes[t], floor, log_coefficients, means, precisions, tolerance, reach
            )
            tile_densities(
                x[start : start + n],
                y[start : start + n],
                background[:n],
                log_coefficients,
                means,
                precisions,
                reach,
                n_reach,
                terms,
                density,
                shift,
            )
            for i in range(n):
                result[start + i] = math.log(density[i]) + shift[i]
    return result


@parallel_kernel
def view_sums(x, y, weights, tiles, boxes, log_coefficients, means, precisions):
    """``sum_i w_i c_v exp(-(x_i - mu_v)^T P_v (x_i - mu_v) / 2)`` of each view, (V,), over the tiles within 6 standard deviations."""
    sums = np.zeros(len(log_coefficients))
    for v in prange(len(log_coefficients)):
        mx, my, c = means[v, 0], means[v, 1], math.exp(log_coefficients[v])
        pxx, pxy, pyy = precisions[v, 0], precisions[v, 1], precisions[v, 2]
        total = 0.0
        for t in range(len(tiles) - 1):
            dx, dy = boxes[t, 0] - mx, boxes[t, 1] - my
            centre = math.sqrt(pxx * dx * dx + 2 * pxy * dx * dy + pyy * dy * dy)
            half = math.sqrt(
                pxx * boxes[t, 2] ** 2
                + 2 * abs(pxy) * boxes[t, 2] * boxes[t, 3]
                + pyy * boxes[t, 3] ** 2
            )
            if centre - half > 6.0:
                continue
            part = 0.0
            start, n = tiles[t], tiles[t + 1] - tiles[t]
            tx, ty, tw = x[start : start + n], y[start : start + n], weights[start : start + n]
            for i in range(n):
                ux, uy = tx[i] - mx, ty[i] - my
                part += tw[i] * exp_fast(-0.5 * (ux * (pxx * ux + 2 * pxy * uy) + pyy * uy * uy))
            total += part
        sums[v] = c * total
    return sums
