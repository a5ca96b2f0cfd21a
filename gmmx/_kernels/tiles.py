"""Photons in tiles of neighbours: a tile visits only the views that can matter in it."""

import math
from typing import NamedTuple

import numpy as np

from ._jit import kernel
from ._math import exp_fast

# Densities below this are summed again relative to their largest term; this happens far from every
# view where there is no background. It must lie well above exp(-600), the least value of exp_fast.
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
        Logarithm of the density at the mean.
    means : (V, 2) array
        [arcsec]
    precisions : (V, 3) array
        xx, xy, yy of the inverse covariances [1 / arcsec**2].
    per_component : int
        M.
    """

    log_coefficients: np.ndarray
    means: np.ndarray
    precisions: np.ndarray
    per_component: int


class Workspace(NamedTuple):
    """Arrays that one thread reuses from tile to tile; n is the number of photons in a tile.

    Attributes
    ----------
    reach : (V,) integers
        Views that matter in the tile.
    terms : (V, n) array
        Value of each of these views at each photon, over exp(shift).
    density : (n,) array
        Sum of the views and the background, over exp(shift).
    background : (n,) array
        ``sum_b B_b q_b / Omega``.
    shift : (n,) array
        0 but for photons whose density would underflow.
    scaled : (n,) array
        Free for the caller.
    """

    reach: np.ndarray
    terms: np.ndarray
    density: np.ndarray
    background: np.ndarray
    shift: np.ndarray
    scaled: np.ndarray


@kernel
def workspace_for(photons, views):
    """Arrays that are large enough for every tile."""
    n_views, largest = len(views.log_coefficients), np.max(np.diff(photons.tiles))
    return Workspace(
        np.empty(n_views, np.int64),
        np.empty((n_views, largest)),
        np.empty(largest),
        np.empty(largest),
        np.empty(largest),
        np.empty(largest),
    )


@kernel
def prepare_tile(photons, amplitudes, views, tolerance, tile, space):
    """Fill a workspace with the densities of the photons of one tile.

    Parameters
    ----------
    photons : TiledPhotons
    amplitudes : (n_b,) array
        Background amplitudes B.
    views : Views
    tolerance : float
        Relative error of any density that may come from leaving views out.
    tile : int
    space : Workspace

    Returns
    -------
    start, n : int
        First photon of the tile, and number of photons.
    n_reach : int
        Number of views that matter in it.
    """
    start = photons.tiles[tile]
    n = photons.tiles[tile + 1] - start
    floor = tile_background(amplitudes, photons.ratios, start, n, space.background)
    n_reach = reaching_views(photons.boxes[tile], floor, views, tolerance, space.reach)
    tile_densities(
        photons.x[start : start + n], photons.y[start : start + n], views, n_reach, space
    )
    return start, n, n_reach


@kernel
def tile_background(amplitudes, ratios, start, n, background):
    """Write ``sum_b B_b q_b / Omega`` at n photons and return its least value.

    Without any background the value is 0.
    """
    background[:n] = 0.0
    for b in range(len(amplitudes)):
        for i in range(n):
            background[i] += amplitudes[b] * ratios[b, start + i]
    floor = np.inf
    for i in range(n):
        floor = min(floor, background[i])
    return floor if len(amplitudes) else 0.0


@kernel
def distance_to_tile(box, views, v):
    """Mahalanobis distance of a tile's centre from a view, and the tile's half-diagonal in it.

    The distance of any point of the tile lies within the first -+ the second.
    """
    dx, dy = box[0] - views.means[v, 0], box[1] - views.means[v, 1]
    pxx, pxy, pyy = views.precisions[v, 0], views.precisions[v, 1], views.precisions[v, 2]
    centre = math.sqrt(pxx * dx * dx + 2 * pxy * dx * dy + pyy * dy * dy)
    half = math.sqrt(pxx * box[2] * box[2] + 2 * abs(pxy) * box[2] * box[3] + pyy * box[3] * box[3])
    return centre, half


@kernel
def reaching_views(box, floor, views, tolerance, reach):
    """Write the views that matter in one tile into `reach` and return their number.

    A view is left out if its largest value in the tile is below `tolerance` / V times a lower
    bound of the density in the tile.

    Parameters
    ----------
    box : (4,) array
        Centre and half-sides (x, y, half x, half y) of the tile.
    floor : float
        Lower bound of the background in the tile.
    """
    n_views = len(views.log_coefficients)
    lower = floor
    for v in range(n_views):
        centre, half = distance_to_tile(box, views, v)
        far = centre + half
        lower += math.exp(views.log_coefficients[v] - 0.5 * far * far)
    bound = lower * tolerance / max(n_views, 1)
    threshold = math.log(bound) if bound > 0 else -np.inf
    n = 0
    for v in range(n_views):
        centre, half = distance_to_tile(box, views, v)
        near = max(0.0, centre - half)
        if views.log_coefficients[v] - 0.5 * near * near >= threshold:
            reach[n] = v
            n += 1
    return n


@kernel
def tile_densities(x, y, views, n_reach, space):
    """Fill terms, density and shift of a workspace from its background and its reach.

    ``terms[j, i]`` is the value of view ``reach[j]`` at photon i and ``density[i]`` their sum plus
    the background, both over exp(shift[i]).
    """
    n = len(x)
    reach, terms, density, background, shift, _ = space
    for i in range(n):
        density[i] = background[i]
        shift[i] = 0.0
    for j in range(n_reach):
        v = reach[j]
        mx, my = views.means[v, 0], views.means[v, 1]
        c = math.exp(views.log_coefficients[v])
        pxx, pxy, pyy = (
            -0.5 * views.precisions[v, 0],
            -views.precisions[v, 1],
            -0.5 * views.precisions[v, 2],
        )
        row = terms[j]
        for i in range(n):
            dx, dy = x[i] - mx, y[i] - my
            value = c * exp_fast(dx * (pxx * dx + pxy * dy) + pyy * dy * dy)
            row[i] = value
            density[i] += value
    for i in range(n):
        if density[i] < _TINY:
            shift_density(x[i], y[i], i, views, n_reach, space)


@kernel
def shift_density(x, y, i, views, n_reach, space):
    """Sum the density of photon i again, relative to its largest term."""
    reach, terms, density, background, shift, _ = space
    means, precisions = views.means, views.precisions
    top = math.log(background[i]) if background[i] > 0 else -np.inf
    for j in range(n_reach):
        v = reach[j]
        dx, dy = x - means[v, 0], y - means[v, 1]
        q = precisions[v, 0] * dx * dx + 2 * precisions[v, 1] * dx * dy + precisions[v, 2] * dy * dy
        terms[j, i] = views.log_coefficients[v] - 0.5 * q
        top = max(top, terms[j, i])
    density[i] = math.exp(math.log(background[i]) - top) if background[i] > 0 else 0.0
    for j in range(n_reach):
        terms[j, i] = math.exp(terms[j, i] - top)
        density[i] += terms[j, i]
    shift[i] = top
