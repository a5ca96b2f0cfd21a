"""A beta-model whose wings reach the edge of the field, on a uniform sky background.

The surface brightness is proportional to (1 + r^2 / r_c^2)^(-3 beta + 1/2) (Cavaliere &
Fusco-Femiano 1976), cut at 600 arcsec.
"""

from dataclasses import replace

import numpy as np

from gmmx.model.background import Background
from gmmx.model.drawing import pixel_means
from gmmx.model.photons import Photons
from gmmx.plane.grid import PixelGrid

BETA, CORE, OUTER = 0.6, 25.0, 600.0
# Photons of the model at full exposure, and detected photons of the background.
N, N_BACKGROUND = 130_000, 60_000


def fraction_within(limit):
    """Fraction of the model's photons within a radius [arcsec]."""
    power = 1.5 - 3 * BETA
    return (1 - (1 + (limit / CORE) ** 2) ** power) / (1 - (1 + (OUTER / CORE) ** 2) ** power)


def beta_density(x, y, n):
    """Density of n photons of the model [photon / arcsec^2]."""
    power = 1.5 - 3 * BETA
    norm = n / (1 - (1 + (OUTER / CORE) ** 2) ** power)
    r2 = (x * x + y * y) / CORE**2
    inside = -norm * power / (np.pi * CORE**2) * (1 + r2) ** (power - 1)
    return np.where(r2 < (OUTER / CORE) ** 2, inside, 0.0)


def drawn_beta_model(rng, completeness, n, n_background):
    """Draw photons of a beta-model and of a uniform sky background through an exposure map.

    Parameters
    ----------
    rng : numpy.random.Generator
    completeness : Completeness
    n : int
        Photons of the model at full exposure.
    n_background : int
        Expected detected photons of the background.

    Returns
    -------
    x, y : (N,) arrays
        Positions [arcsec].
    amplitude : float
        Density of the background at the largest exposure [photon / arcsec^2].
    """
    # The cumulative distribution of r is inverted in steps of 0.01 arcsec.
    radius = np.linspace(0, OUTER, 60_001)
    inside = 1 - (1 + (radius / CORE) ** 2) ** (1.5 - 3 * BETA)
    r = np.interp(rng.uniform(0, inside[-1], n), inside, radius)
    angle = rng.uniform(0, 2 * np.pi, n)
    (x_low, x_high), (y_low, y_high) = completeness.grid.extent()
    reference = completeness.exposure.max()
    area = completeness.effective.sum() / reference * completeness.grid.cell_area
    amplitude = n_background / area
    m = rng.poisson(amplitude * (x_high - x_low) * (y_high - y_low))
    x = np.concatenate([r * np.cos(angle), rng.uniform(x_low, x_high, m)])
    y = np.concatenate([r * np.sin(angle), rng.uniform(y_low, y_high, m)])
    keep = rng.uniform(size=len(x)) < completeness.effective_at(x, y) / reference
    return x[keep], y[keep], amplitude


def beta_observations(base, seed):
    """Observations of `N` photons of the model, with a free and with a fixed sky background.

    Parameters
    ----------
    base : Observation
        Its completeness and frame are taken.
    seed : int

    Returns
    -------
    free, fixed : Observation
        In the second the background has its true amplitude.
    amplitude : float
        The true amplitude [photon / arcsec^2].
    """
    rng = np.random.default_rng(seed)
    x, y, amplitude = drawn_beta_model(rng, base.completeness, N, N_BACKGROUND)
    free = replace(base, photons=Photons(x, y), backgrounds=(Background(),), dropped={}, psf=None)
    fixed = replace(free, backgrounds=(Background(amplitude=amplitude, fixed=True),))
    return free, fixed, amplitude


def photons_in_rings(result, edges):
    """Photons of the fitted components between radii about the origin, (len(edges) - 1,)."""
    grid = PixelGrid.covering((-OUTER, OUTER), (-OUTER, OUTER), 2.0)
    m = result.mixture
    image = pixel_means(m.fluxes, m.means, m.covariances, grid) * grid.cell_area
    ring = np.digitize(np.hypot(*grid.centres()).ravel(), edges) - 1
    inside = (ring >= 0) & (ring < len(edges) - 1)
    return np.bincount(ring[inside], image.ravel()[inside], len(edges) - 1)
