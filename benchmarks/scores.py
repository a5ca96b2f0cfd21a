"""Scores of a model against the truth: held-out photons, and distances of two mixtures."""

from dataclasses import replace

import numpy as np

from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Parameters, Priors
from gmmx.em.photons import PhotonLikelihood


def fitted_parameters(result):
    """The mixture and the background amplitudes of a fit of one observation."""
    amplitudes = np.array([b.amplitude for b in result.observations[0].backgrounds])
    return Parameters(mixture=result.mixture, amplitudes=(amplitudes,))


def expected_photons(prepared, parameters):
    """The integral of lambda over the field of one prepared observation [photon]."""
    phase = prepared.begin_phase(parameters, Priors())
    seen = evaluate(prepared, parameters, phase).observed_fraction
    background = parameters.amplitudes[0] @ prepared[0].integrals
    return float(parameters.mixture.fluxes @ seen) + float(background)


def log_scores(observation, parameters):
    """Held-out log-likelihood of each photon, log[lambda / int lambda] - log Omega [nat].

    The term log Omega is the same for every model.

    Parameters
    ----------
    observation : Observation
        Photons that were not fitted.
    parameters : Parameters

    Returns
    -------
    (N,) array
        In the order of the photons.
    """
    prepared = PhotonLikelihood.of([observation])
    phase = prepared.begin_phase(parameters, Priors())
    expected = expected_photons(prepared, parameters)
    scores = np.empty(len(observation.photons))
    scores[prepared[0].order] = prepared.log_densities(parameters, phase)[0] - np.log(expected)
    return scores


def mean_and_error(values):
    """Mean of values and its standard error."""
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def integrated_squared_error(truth, model):
    """Calculate int (p - q)^2 / int p^2 of two normalised mixtures, in closed form."""

    def cross(a, b):
        total = a.covariances[:, None] + b.covariances[None]
        d = a.means[:, None] - b.means[None]
        q = np.einsum("ijk,ijkl,ijl->ij", d, np.linalg.inv(total), d)
        values = np.exp(-q / 2) / (2 * np.pi * np.sqrt(np.linalg.det(total)))
        return (a.fluxes / a.fluxes.sum()) @ values @ (b.fluxes / b.fluxes.sum())

    own = cross(truth, truth)
    return (own - 2 * cross(truth, model) + cross(model, model)) / own


def kl_divergence(truth, model, n=200_000, seed=5):
    """Estimate int p log(p / q) of two normalised mixtures, from n draws of p."""
    x, y = truth.sample(n, np.random.default_rng(seed)).T
    p = truth.density(x, y) / truth.fluxes.sum()
    q = model.density(x, y) / model.fluxes.sum()
    return float(np.mean(np.log(p / np.maximum(q, 1e-300))))


def halves(observation, rng):
    """Divide the photons of an observation at random into two halves."""
    first = rng.random(len(observation.photons)) < 0.5
    return divided(observation, first)


def divided(observation, first):
    """An observation with the photons of a mask, and the same with the others."""
    photons = observation.photons
    return tuple(replace(observation, photons=photons.select(part)) for part in (first, ~first))
