"""Error bars, and what a component more or less would change."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from simulated import drawn, field, mixture_of, random_mixture, random_observation

from gmmx.em.information import Information
from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Parameters, Priors
from gmmx.em.photons import PhotonLikelihood
from gmmx.errors import DegeneracyWarning
from gmmx.fitting.driver import fit
from gmmx.model.background import Background
from gmmx.model.mixture import Mixture
from gmmx.model.psf import PsfModel

SKY = (Background(),)


def information(observation, mixture, level):
    """The information at given parameters of one observation with a sky."""
    prepared = PhotonLikelihood.of([observation])
    parameters = Parameters(mixture=mixture, amplitudes=(np.array([level]),))
    return Information.at(prepared, parameters, prepared.begin_phase(parameters, Priors()))


def errors_of(found):
    """Standard errors of the one background's photons and of the signal flux, and their correlation, from the inverse of the information matrix alone."""
    mixture, amplitude, integral = (
        found.parameters.mixture,
        found.parameters.amplitudes[0][0],
        found.likelihood[0].integrals[0],
    )
    k = len(mixture)
    sought = np.zeros((6 * k + 1, 2))
    sought[-1, 0] = amplitude * integral
    sought[:k, 1] = mixture.fluxes
    covariance = sought.T @ found.solve(sought)
    errors = np.sqrt(np.diag(covariance))
    return *errors, covariance[0, 1] / max(errors[0] * errors[1], 1e-300)


def scatter(truth, side, level, n, **options):
    """Fits of n simulated skies from the truth: (background photons, signal flux), the same two's errors, their correlation, and the errors reported."""
    values, errors, reported = [], [], []
    for seed in range(n):
        observation = drawn(
            truth,
            field(side, 1.0),
            np.random.default_rng(seed),
            psf=PsfModel.constant(0.8),
            sky=level,
            backgrounds=SKY,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DegeneracyWarning)
            result = fit(observation, start=truth, threads=1, tol=1e-3, **options)
        background = result.backgrounds[0]
        values.append([background.photons, result.mixture.fluxes.sum()])
        errors.append(
            errors_of(information(result.observations[0], result.mixture, background.amplitude))
        )
        reported.append([background.photons_error, result.signal_error])
    return np.array(values), np.array(errors), np.array(reported)


def test_background_alone_is_known_to_the_root_of_its_photons():
    observation = drawn(
        mixture_of((1e-9, 0, 0, 1)),
        field(100, 1.0),
        np.random.default_rng(0),
        sky=0.2,
        backgrounds=SKY,
    )
    background, signal, _ = errors_of(information(observation, Mixture.empty(), 0.2))
    assert background / (0.2 * 100**2) == pytest.approx(
        1 / np.sqrt(observation.n_photons), rel=1e-6
    )
    assert signal == 0


def test_compact_source_is_known_to_the_root_of_its_photons():
    observation = drawn(
        mixture_of((2000, 0, 0, 1)),
        field(100, 1.0),
        np.random.default_rng(0),
        sky=1e-3,
        backgrounds=SKY,
    )
    _, signal, correlation = errors_of(information(observation, mixture_of((2000, 0, 0, 1)), 1e-3))
    assert signal == pytest.approx(np.sqrt(2000), rel=0.05)
    assert abs(correlation) < 0.1


def assert_errors_agree(values, errors, reported):
    """The information's errors are the scatter of fits; those reported are no smaller, because a mixture may lack what the sky has."""
    ratio = values.std(0, ddof=1) / np.median(errors[:, :2], axis=0)
    assert np.all((ratio > 1 / 1.5) & (ratio < 1.5))
    assert np.all(reported > 0.98 * errors[:, :2])


def test_errors_agree_with_the_scatter():
    # A source in a field of ten of its sigmas: background and signal are told apart, at a price.
    values, errors, reported = scatter(mixture_of((1500, 3, -2, 5)), 50, 0.4, 24)
    assert_errors_agree(values, errors, reported)
    assert np.all(
        np.abs(values.mean(0) - [0.4 * 50**2, 1500]) < 4 * errors[:, :2].mean(0) / np.sqrt(24)
    )
    # More than Poisson, because each can take from the other.
    assert errors[:, 0].mean() > np.sqrt(1000)
    assert np.all(errors[:, 2] < -0.2)
    assert np.corrcoef(values.T)[0, 1] < 0


@pytest.mark.slow
@pytest.mark.parametrize("sigma", [2, 8, 12])
def test_errors_agree_with_the_scatter_of_many(sigma):
    values, errors, reported = scatter(
        mixture_of((2000, 0, 0, sigma), (500, 15, 10, 2)), 60, 0.4, 80
    )
    for name, v, e, r in zip(
        ("background", "signal"), values.T, errors.T, reported.T, strict=False
    ):
        print(
            f"sigma {sigma}: {name} scatters by {v.std():.0f}, error {e.mean():.0f}, reported {r.mean():.0f}"
        )
    print(
        f"correlation of the fits {np.corrcoef(values.T)[0, 1]:.2f}, expected {errors[:, 2].mean():.2f}"
    )
    assert_errors_agree(values, errors, reported)
    assert np.corrcoef(values.T)[0, 1] == pytest.approx(errors[:, 2].mean(), abs=0.25)


def test_broad_component_and_background_are_nearly_the_same():
    observation = drawn(
        mixture_of((2000, 0, 0, 20)),
        field(60, 1.0),
        np.random.default_rng(1),
        sky=0.4,
        backgrounds=SKY,
    )
    with pytest.warns(
        DegeneracyWarning,
        match=r"correlated by -0\.9\d, .*: fix its amplitude with",
    ):
        result = fit(observation, start=mixture_of((2000, 0, 0, 20)), threads=1)
    background = result.backgrounds[0]
    assert background.correlation < -0.9
    assert background.photons_error > 3 * np.sqrt(background.photons)
    held = replace(observation, backgrounds=(Background(amplitude=0.4, fixed=True),))
    # A level that is known leaves the flux better known.
    assert (
        fit(held, start=mixture_of((2000, 0, 0, 20)), threads=1).signal_error
        < result.signal_error
    )


def test_scores_are_derivatives():
    # The sum of the photons' scores is the gradient of sum log lambda: that of the objective less the integral's.
    observation, mixture = (
        random_observation(6, m=2, backgrounds=SKY),
        random_mixture(np.random.default_rng(4), 3),
    )
    prepared = PhotonLikelihood.of([observation])
    p = prepared[0]
    parameters = Parameters(mixture=mixture, amplitudes=(np.array([0.1]),))
    phase = prepared.begin_phase(parameters, Priors(mean_count=0.0, covariance_count=0.0))
    found = Information.at(prepared, parameters, phase)
    summed = (found.scores[0] * np.sqrt(p.weights)[:, None]).sum(0)
    assert found.stride == 1
    step = evaluate(prepared, parameters, phase)
    # d / d log F: gradient + F e; d / d log B: gradient + B int q.
    assert_allclose(
        summed[:3], step.gradient.log_fluxes + mixture.fluxes * step.observed_fraction, rtol=1e-8
    )
    assert_allclose(summed[-1:], step.gradient.log_amplitudes[0] + 0.1 * p.integrals, rtol=1e-8)
    # d / d (L^-1 mu) by differences of sum log lambda.
    roots = np.linalg.cholesky(mixture.covariances)
    for k in range(3):
        for axis in range(2):
            move = np.zeros((3, 2))
            move[k] = 1e-4 * roots[k][:, axis]
            up, down = (
                prepared.log_densities(
                    replace(parameters, mixture=replace(mixture, means=mixture.means + s * move)),
                    phase,
                )[0]
                @ p.weights
                for s in (1, -1)
            )
            assert summed[3 + 3 * axis + k] == pytest.approx((up - down) / 2e-4, rel=1e-4, abs=1e-3)


def test_gain_of_an_addition_is_what_a_fit_gains():
    truth = mixture_of((1500, -12, 0, 3), (200, 14, 5, 3))
    observation = drawn(truth, field(100, 1.0), np.random.default_rng(2), sky=4.0, backgrounds=SKY)
    options = {"threads": 1, "tol": 1e-4, "prior_mean_count": 0, "prior_covariance_count": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DegeneracyWarning)
        one, two = (
            fit(observation, start=truth.select([0]), **options),
            fit(observation, start=truth, **options),
        )
    prepared = PhotonLikelihood.of(one.observations)
    parameters = Parameters(
        mixture=one.mixture, amplitudes=(np.array([one.backgrounds[0].amplitude]),)
    )
    phase = prepared.begin_phase(parameters, Priors(mean_count=0.0, covariance_count=0.0))
    found = Information.at(prepared, parameters, phase)
    # A source not much above the background, so that the quadratic estimate may be trusted.
    gains, fluxes = found.addition_gains(
        truth.select([1]), prepared.log_densities(parameters, phase)
    )
    gained = two.log_likelihood - one.log_likelihood
    assert gained > 10
    assert 0.6 < gains[0] / gained < 1.5
    assert 0.5 < fluxes[0] / 200 < 1.5
    # Nothing is gained by adding what is there, or where nothing is.
    nothing, _ = found.addition_gains(
        mixture_of((100, -30, -30, 3), (100, -12, 0, 3)),
        prepared.log_densities(parameters, phase),
    )
    assert np.all(nothing < 0.2 * gains[0])


def test_thinned_photons_tell_about_the_same():
    observation, mixture = (
        random_observation(6, n=9000, m=1, backgrounds=SKY),
        random_mixture(np.random.default_rng(4), 2, photons=6000),
    )
    prepared = PhotonLikelihood.of([observation])
    parameters = Parameters(mixture=mixture, amplitudes=(np.array([2.0]),))
    phase = prepared.begin_phase(parameters, Priors())
    all_of_them, few = (
        Information.at(prepared, parameters, phase, photons=n) for n in (10**6, 1000)
    )
    assert all_of_them.stride == 1
    assert few.stride > 4
    assert_allclose(errors_of(few)[:2], errors_of(all_of_them)[:2], rtol=0.2)
    assert few.uncertainty().signal == pytest.approx(all_of_them.uncertainty().signal, rel=0.2)
