"""Error bars, and what one component more or less would change."""

import warnings
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose
from simulated import drawn, field, mixture_of, random_mixture, random_observation

from gmmx.em.information import Information
from gmmx.em.parameters import Parameters, Priors
from gmmx.em.photons import PhotonLikelihood
from gmmx.errors import DegeneracyWarning
from gmmx.fitting.driver import fit
from gmmx.model.background import Background
from gmmx.model.mixture import Mixture
from gmmx.model.psf import PsfModel

SKY = (Background(),)
NO_PRIORS = Priors(mean_count=0.0, covariance_count=0.0)
PSF = PsfModel.constant(0.8)


def information_at(observation, mixture, amplitude, *, priors=None, **options):
    """The information at given parameters of one observation with a sky."""
    likelihood = PhotonLikelihood.of([observation])
    parameters = Parameters(mixture=mixture, amplitudes=(np.array([amplitude]),))
    phase = likelihood.begin_phase(parameters, Priors() if priors is None else priors)
    return Information.at(likelihood, parameters, phase, **options)


class Errors(NamedTuple):
    """Standard errors of the one background's photons and of the signal flux."""

    background: float
    signal: float
    correlation: float


def errors_of(information):
    """The errors that follow from the inverse of the information matrix alone."""
    mixture = information.parameters.mixture
    sought = np.zeros((6 * len(mixture) + 1, 2))
    (amplitude,) = information.parameters.amplitudes[0]
    sought[-1, 0] = amplitude * information.likelihood.integrals[0][0]
    sought[: len(mixture), 1] = mixture.fluxes
    covariance = sought.T @ information.solve(sought)
    background, signal = np.sqrt(np.diag(covariance))
    return Errors(background, signal, covariance[0, 1] / max(background * signal, 1e-300))


class Scatter(NamedTuple):
    """Fits of simulated skies; the columns are background photons and signal flux.

    `errors` are those of `errors_of`, with the correlation as a third column, and `reported` those
    of the results.
    """

    values: np.ndarray
    errors: np.ndarray
    reported: np.ndarray


def scatter_of_fits(truth, side, amplitude, n):
    """Fits of n simulated skies that start from the truth."""
    values, errors, reported = [], [], []
    for seed in range(n):
        observation = drawn(
            truth,
            field(side, 1.0),
            np.random.default_rng(seed),
            psf=PSF,
            sky=amplitude,
            backgrounds=SKY,
        )
        result = fit_quietly(observation, truth, tol=1e-3)
        sky, fitted = result.backgrounds[0], result.observations[0]
        values.append([sky.photons, result.mixture.fluxes.sum()])
        errors.append(errors_of(information_at(fitted, result.mixture, sky.amplitude)))
        reported.append([sky.photons_error, result.signal_error])
    return Scatter(np.array(values), np.array(errors), np.array(reported))


def fit_quietly(observation, start, **options):
    """A fit on one thread that does not warn of degeneracy."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DegeneracyWarning)
        return fit(observation, start=start, threads=1, **options)


def assert_errors_agree(scatter):
    """The errors of the information are the scatter of fits; those reported are no smaller.

    They may be larger, because a mixture may lack something that the sky has.
    """
    ratio = scatter.values.std(0, ddof=1) / np.median(scatter.errors[:, :2], axis=0)
    assert np.all((ratio > 1 / 1.5) & (ratio < 1.5))
    assert np.all(scatter.reported > 0.98 * scatter.errors[:, :2])


def test_background_alone_is_known_to_the_root_of_its_photons():
    nearly_nothing, rng = mixture_of((1e-9, 0, 0, 1)), np.random.default_rng(0)
    observation = drawn(nearly_nothing, field(100, 1.0), rng, sky=0.2, backgrounds=SKY)
    errors = errors_of(information_at(observation, Mixture.empty(), 0.2))
    relative = errors.background / (0.2 * 100**2)
    assert relative == pytest.approx(1 / np.sqrt(observation.n_photons), rel=1e-6)
    assert errors.signal == 0


def test_compact_source_is_known_to_the_root_of_its_photons():
    source, rng = mixture_of((2000, 0, 0, 1)), np.random.default_rng(0)
    observation = drawn(source, field(100, 1.0), rng, sky=1e-3, backgrounds=SKY)
    errors = errors_of(information_at(observation, source, 1e-3))
    assert errors.signal == pytest.approx(np.sqrt(2000), rel=0.05)
    assert abs(errors.correlation) < 0.1


def test_errors_agree_with_the_scatter():
    # In a field of ten of the source's sigmas background and signal are told apart, at a price.
    scatter = scatter_of_fits(mixture_of((1500, 3, -2, 5)), 50, 0.4, 24)
    assert_errors_agree(scatter)
    bias = np.abs(scatter.values.mean(0) - [0.4 * 50**2, 1500])
    assert np.all(bias < 4 * scatter.errors[:, :2].mean(0) / np.sqrt(24))
    # More than Poisson, because each can take from the other.
    assert scatter.errors[:, 0].mean() > np.sqrt(1000)
    assert np.all(scatter.errors[:, 2] < -0.2)
    assert np.corrcoef(scatter.values.T)[0, 1] < 0


@pytest.mark.slow
@pytest.mark.parametrize("sigma", [2, 8, 12])
def test_errors_agree_with_the_scatter_of_many(sigma):
    scatter = scatter_of_fits(mixture_of((2000, 0, 0, sigma), (500, 15, 10, 2)), 60, 0.4, 80)
    assert_errors_agree(scatter)
    correlation = np.corrcoef(scatter.values.T)[0, 1]
    assert correlation == pytest.approx(scatter.errors[:, 2].mean(), abs=0.25)


def test_broad_component_and_background_are_nearly_the_same():
    broad, rng = mixture_of((2000, 0, 0, 20)), np.random.default_rng(1)
    observation = drawn(broad, field(60, 1.0), rng, sky=0.4, backgrounds=SKY)
    match = r"correlated by -0\.9\d, .*: fix its amplitude with"
    with pytest.warns(DegeneracyWarning, match=match):
        result = fit(observation, start=broad, threads=1)
    sky = result.backgrounds[0]
    assert sky.correlation < -0.9
    assert sky.photons_error > 3 * np.sqrt(sky.photons)
    # With a known amplitude the flux is better known.
    fixed = replace(observation, backgrounds=(Background(amplitude=0.4, fixed=True),))
    assert fit(fixed, start=broad, threads=1).signal_error < result.signal_error


@pytest.mark.parametrize("deviations", [(), (0.02,), (0.04,), (0.04, 0.03)])
def test_an_uncertain_fixed_amplitude_adds_to_the_errors(deviations):
    broad, rng = mixture_of((2000, 0, 0, 10)), np.random.default_rng(1)
    observation = drawn(broad, field(60, 1.0), rng, sky=0.4, backgrounds=SKY)
    sky = Background(amplitude=0.4, fixed=True, deviations=deviations)
    certain = Background(amplitude=0.4, fixed=True)
    found, least = (
        information_at(replace(observation, backgrounds=(b,)), broad, 0.4).uncertainty()
        for b in (sky, certain)
    )
    assert found.amplitudes[0][0] == pytest.approx(np.hypot.reduce(deviations, initial=0))
    assert found.signal > least.signal if deviations else found.signal == least.signal


def test_gain_of_an_addition_is_what_a_fit_gains():
    # A source not much above the background, so that the quadratic estimate may be trusted.
    truth, rng = mixture_of((1500, -12, 0, 3), (200, 14, 5, 3)), np.random.default_rng(2)
    observation = drawn(truth, field(100, 1.0), rng, sky=4.0, backgrounds=SKY)
    options = {"tol": 1e-4, "prior_mean_count": 0, "prior_covariance_count": 0}
    one, two = (fit_quietly(observation, truth.select(np.arange(k)), **options) for k in (1, 2))
    information = information_at(
        one.observations[0], one.mixture, one.backgrounds[0].amplitude, priors=NO_PRIORS
    )
    logs = information.likelihood.log_densities(information.parameters, information.phase)
    gains, fluxes = information.addition_gains(truth.select([1]), logs)
    gained = two.log_likelihood - one.log_likelihood
    assert gained > 10
    assert 0.6 < gains[0] / gained < 1.5
    assert 0.5 < fluxes[0] / 200 < 1.5
    # There is little to gain where the sky is empty, and from a component that is there already.
    useless = mixture_of((100, -30, -30, 3), (100, -12, 0, 3))
    assert np.all(information.addition_gains(useless, logs)[0] < 0.2 * gains[0])


def test_thinned_photons_give_about_the_same_errors():
    observation = random_observation(6, n=9000, m=1, backgrounds=SKY)
    mixture = random_mixture(np.random.default_rng(4), 2, photons=6000)
    everything, few = (information_at(observation, mixture, 2.0, photons=n) for n in (10**6, 1000))
    assert everything.stride == 1
    assert few.stride > 4
    assert_allclose(errors_of(few)[:2], errors_of(everything)[:2], rtol=0.2)
    assert few.uncertainty().signal == pytest.approx(everything.uncertainty().signal, rel=0.2)
