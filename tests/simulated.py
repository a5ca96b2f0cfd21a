"""Small mixtures and observations for tests of the fit."""

import numpy as np

from gmmx.model.completeness import Completeness
from gmmx.model.mixture import Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.model.psf import PsfModel
from gmmx.plane.grid import PixelGrid


def rotation(angle):
    """The matrix of a counter-clockwise rotation by `angle` [deg]."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return np.array([[c, -s], [s, c]])


def random_mixture(rng, k, *, photons=300.0, narrowest=1.6):
    """K components in the middle of the field of `random_observation`.

    Parameters
    ----------
    rng : numpy.random.Generator
    k : int
    photons : float
        Mean total flux.
    narrowest : float
        Smallest sigma, which the cells of the field resolve [arcsec].
    """
    root = rng.normal(0, 1.5, (k, 2, 2))
    covariances = root @ np.swapaxes(root, 1, 2) + narrowest**2 * np.eye(2)
    return Mixture(
        fluxes=rng.uniform(0.5, 1.5, k) * photons / k,
        means=rng.uniform(-8, 8, (k, 2)),
        covariances=covariances,
    )


def random_psf(rng, m):
    """A PSF of M Gaussians that changes over the field."""
    grid = PixelGrid(shape=(3, 4), origin=np.array([-15.0, -15.0]), matrix=10 * np.eye(2))
    weights = rng.uniform(0.2, 1, (3, 4, m))
    root = rng.normal(0, 0.6, (3, 4, m, 2, 2))
    round_part = rng.uniform(0.3, 1.5, (3, 4, m))[..., None, None] * np.eye(2)
    return PsfModel(
        grid=grid,
        weights=weights / weights.sum(-1, keepdims=True),
        covariances=root @ np.swapaxes(root, 3, 4) + round_part,
    )


def random_completeness(rng, angle=0.0):
    """An exposure with vignetting and masks over +-15 arcsec, in cells of 0.5 arcsec."""
    grid = PixelGrid(
        shape=(60, 60),
        origin=rotation(angle) @ np.array([-14.75, -14.75]),
        matrix=0.5 * rotation(angle),
    )
    x, y = grid.centres()
    exposure = 1000 * np.clip(1 - 0.02 * np.hypot(x, y), 0, None)
    open_fraction = np.where(np.hypot(x - 3, y + 2) < 2, 0.0, 1.0)
    open_fraction[40, :] *= 0.5
    return Completeness(grid=grid, exposure=exposure, open_fraction=open_fraction)


def random_observation(seed, *, n=300, m=1, backgrounds=(), angle=0.0, psf=True, completeness=True):
    """An observation of random photons, which follow no model.

    Parameters
    ----------
    seed : int
    n : int
        Number of photons, before those without exposure are dropped.
    m : int
        Number of Gaussians of the PSF.
    backgrounds : tuple of Background
    angle : float
        Rotation of the completeness grid [deg].
    psf, completeness : bool
        Whether the observation has them.
    """
    rng = np.random.default_rng(seed)
    points = np.concatenate([rng.normal(0, 4, (n - n // 3, 2)), rng.uniform(-12, 12, (n // 3, 2))])
    observation = Observation(
        photons=Photons(points[:, 0], points[:, 1], weights=rng.choice([0.5, 1.0, 2.0], n)),
        completeness=random_completeness(rng, angle) if completeness else None,
        psf=random_psf(rng, m) if psf else None,
        backgrounds=backgrounds,
        name=f"observation {seed}",
    )
    return observation.exposed()


def field(side, step, *, exposure=1.0):
    """An even exposure over a square about the origin, in cells of `step` [arcsec]."""
    grid = PixelGrid.covering((-side / 2, side / 2), (-side / 2, side / 2), step)
    return Completeness(grid=grid, exposure=np.full(grid.shape, exposure))


def mixture_of(*rows):
    """A mixture of round components, each given as (flux, x, y, sigma)."""
    rows = np.array(rows, float)
    return Mixture(
        fluxes=rows[:, 0],
        means=rows[:, 1:3],
        covariances=(rows[:, 3] ** 2)[:, None, None] * np.eye(2),
    )


def drawn(mixture, completeness, rng, *, psf=None, sky=0.0, backgrounds=(), name="drawn"):
    """Draw an observation of a mixture and a uniform sky, with Poisson numbers of photons.

    Parameters
    ----------
    mixture : Mixture
        Fluxes in photons at the largest exposure.
    completeness : Completeness
    rng : numpy.random.Generator
    psf : PsfModel, optional
    sky : float
        Density of the uniform sky at the largest exposure [photon / arcsec**2].
    backgrounds : tuple of Background
        Those of the observation, from which nothing is drawn.
    name : str
    """
    points = mixture.sample(rng.poisson(mixture.fluxes.sum()), rng)
    if psf is not None:
        psf_weights, psf_covariances = psf.at(*points.T)
        below = rng.random((len(points), 1)) > np.cumsum(psf_weights, axis=1)[:, :-1]
        covariances = psf_covariances[np.arange(len(points)), below.sum(1)]
        roots = np.linalg.cholesky(covariances)
        points = points + np.einsum("nij,nj->ni", roots, rng.standard_normal(points.shape))
    (x_low, x_high), (y_low, y_high) = completeness.grid.extent()
    n_sky = rng.poisson(sky * (x_high - x_low) * (y_high - y_low))
    uniform = rng.uniform((x_low, y_low), (x_high, y_high), (n_sky, 2))
    points = np.concatenate([points, uniform])
    seen = completeness.effective_at(*points.T)
    keep = rng.random(len(points)) * completeness.exposure.max() < seen
    return Observation(
        photons=Photons(points[keep, 0], points[keep, 1]),
        completeness=completeness,
        psf=psf,
        backgrounds=backgrounds,
        name=name,
    )
