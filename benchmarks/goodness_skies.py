"""Skies for the test of a fit: models of at most five components, and skies with a cavity."""

from dataclasses import replace

# common makes the folder of the tests importable.
import common  # noqa: F401
import numpy as np
from skies import drawn_photons, ellipse, observed, telescope

import gmmx
from gmmx.answers.photon_source import PhotonSource
from gmmx.model.mixture import Mixture

# Half the side of the field [arcsec].
HALF = 120.0
N_PHOTONS = 5_000
# The cavity: radius and distance from the centre [arcsec], depth, and counts per arcsec^2 there.
RADIUS, DISTANCE, DEPTH, BRIGHTNESS = 20.0, 50.0, 0.3, 0.25


def fitted_model(k):
    """A model of k components, fitted to a sky of 5,000 photons."""
    rng = np.random.default_rng([815, k])
    completeness, psf = telescope(rng, HALF, 4)
    sizes = np.array([35.0, 12.0, 6.0, 9.0, 4.0])[:k]
    places = np.array([[5, -5], [20, 30], [-60, -40], [50, -55], [-45, 60]], float)[:k]
    fluxes = np.array([0.5, 0.15, 0.1, 0.15, 0.1])[:k]
    covariances = [ellipse(s, s * rng.uniform(0.6, 1), rng.uniform(0, np.pi)) for s in sizes]
    mixture = Mixture(fluxes=fluxes, means=places, covariances=np.array(covariances))
    x, y, _ = drawn_photons(mixture, completeness, psf, N_PHOTONS, rng)
    return gmmx.fit(observed(x, y, completeness, psf, f"{k} components"), n_components=k, threads=1)


def sky_of(model, rng):
    """An observation that is drawn from a fitted model."""
    (observation,) = model.observations
    amplitudes = [b.amplitude for b in observation.backgrounds]
    source = PhotonSource.of(
        observation, model.mixture, amplitudes, reference=model.reference_exposure
    )
    return replace(observation, photons=source.drawn(rng)[0], dropped={})


def cavity_sky(seed):
    """Two concentric components of some 10,000 photons, with a cavity in the wider one.

    Returns
    -------
    observation : Observation
    place : (2,) array
        Centre of the cavity [arcsec].
    """
    rng = np.random.default_rng([816, seed])
    completeness, psf = telescope(rng, HALF, 4)
    mixture = Mixture(
        fluxes=np.array([0.35, 0.65]),
        means=np.zeros((2, 2)),
        covariances=np.array([ellipse(18, 15, 0.4), ellipse(55, 48, 0.4)]),
    )
    turn = rng.uniform(0, 2 * np.pi)
    place = DISTANCE * np.array([np.cos(turn), np.sin(turn)])
    # The number of photons for which the model has the given brightness at the place.
    n = 10_000
    _, _, truth = drawn_photons(mixture, completeness, psf, n, np.random.default_rng(0))
    offsets = place - truth.mixture.means
    values = np.exp(
        -0.5 * np.einsum("ki,kij,kj->k", offsets, np.linalg.inv(truth.mixture.covariances), offsets)
    ) / (2 * np.pi * np.sqrt(np.linalg.det(truth.mixture.covariances)))
    seen = completeness.effective_at(*place[:, None])[0] / completeness.exposure.max()
    density = seen * (truth.mixture.fluxes @ values + truth.amplitudes[0][0])
    n = rng.poisson(n * BRIGHTNESS / density)
    x, y, _ = drawn_photons(mixture, completeness, psf, n, rng)
    inside = np.hypot(x - place[0], y - place[1]) < RADIUS
    kept = ~inside | (rng.uniform(size=n) > DEPTH)
    return observed(x[kept], y[kept], completeness, psf, "cavity"), place
