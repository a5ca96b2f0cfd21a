"""Samples seen through a completeness, and beside a background."""

from dataclasses import replace

import numpy as np
import pytest
from catalogues import make_mixture
from numpy.testing import assert_allclose

import gmmx
from gmmx.em.chart import Chart
from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Priors
from gmmx.em.samples import SampleLikelihood
from gmmx.em.selection import Selection
from gmmx.errors import InputError
from gmmx.model.mixture import Mixture
from gmmx.model.sample_background import SampleBackground
from gmmx.model.sample_completeness import SampleCompleteness
from gmmx.model.samples import Samples
from gmmx.show.sample_page import sample_facts


def graded(x):
    """The completeness of the first trap: a ramp that never reaches zero."""
    return np.clip(0.5 - 0.25 * x[:, 0], 0.02, 1)


def half(x):
    return x[:, 0] < 0.5


def box_without_ball(x):
    return np.all(np.abs(x) < 2, axis=1) & ((x**2).sum(1) > 0.2)


OMEGAS = [graded, half, box_without_ball]


def recorded(rng, omega, n, d, scale=1.0):
    """Those of n samples of a unit Gaussian that a completeness lets through."""
    x = scale * rng.normal(size=(n, d))
    return x[rng.random(n) < omega(x)]


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("omega", OMEGAS, ids=lambda f: f.__name__)
def test_one_gaussian_comes_back_through_a_completeness(omega, d):
    x = recorded(np.random.default_rng(d), omega, 3000, d)
    result = gmmx.fit_samples(x, n_components=1, completeness=omega)
    assert_allclose(result.mixture.means[0], 0, atol=0.15)
    assert_allclose(result.mixture.covariances[0], np.eye(d), atol=0.2)
    assert_allclose(result.mixture.fluxes[0], 3000, rtol=0.1)
    assert np.all(np.diff(result.history["objective"])[:-1] > -50)


@pytest.mark.slow
@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("omega", OMEGAS, ids=lambda f: f.__name__)
def test_mean_and_covariance_have_no_bias_over_20_seeds(omega, d):
    means, covariances = [], []
    for seed in range(20):
        x = recorded(np.random.default_rng(seed), omega, 3000, d)
        mixture = gmmx.fit_samples(x, n_components=1, completeness=omega).mixture
        means.append(mixture.means[0])
        covariances.append(mixture.covariances[0])
    for values, truth in ((means, np.zeros(d)), (covariances, np.eye(d))):
        error = np.std(values, axis=0, ddof=1) / np.sqrt(20)
        pull = (np.mean(values, axis=0) - truth) / error
        # Up to 20 numbers: the largest of their pulls is allowed 3 and a half.
        assert np.abs(pull).max() < 3.5


def test_a_graded_completeness_is_not_counted_twice():
    x = recorded(np.random.default_rng(1), graded, 4000, 1)
    uncorrected = gmmx.fit_samples(x, n_components=1)
    corrected = gmmx.fit_samples(x, n_components=1, completeness=graded)
    assert uncorrected.mixture.means[0, 0] < -0.3
    assert abs(corrected.mixture.means[0, 0]) < 0.12


@pytest.mark.parametrize("noise_model", ["constant", "local"])
@pytest.mark.parametrize("noise_order", ["before", "after"])
def test_noise_is_taken_out_before_or_after_the_selection(noise_order, noise_model):
    rng = np.random.default_rng(2)
    true, noise = rng.normal(size=(6000, 2)), 0.6 * rng.normal(size=(6000, 2))
    x = (true + noise)[half(true + noise if noise_order == "before" else true)]
    result = gmmx.fit_samples(
        x,
        np.full(x.shape, 0.36),
        n_components=1,
        completeness="x0 < 0.5",
        noise_order=noise_order,
        noise_model=noise_model,
    )
    assert_allclose(result.mixture.means[0], 0, atol=0.1)
    assert_allclose(result.mixture.covariances[0], np.eye(2), atol=0.12)


def test_the_gradient_is_the_derivative_of_the_objective():
    rng = np.random.default_rng(3)
    samples = Samples(x=recorded(rng, half, 400, 2), covariances=0.1 * np.eye(2))
    selection = Selection(completeness=SampleCompleteness.of(half, samples.names))
    box = SampleBackground(low=[-5, -5], high=[5, 5])
    likelihood = SampleLikelihood.of(samples, backgrounds=[box], selection=selection)
    mixture = replace(make_mixture(rng, 2, 2, 300.0), means=[[0.2, 0.1], [-0.5, 0.3]])
    parameters = likelihood.parameters(mixture, [40.0])
    phase = likelihood.begin_phase(parameters, Priors())
    chart = Chart.at(likelihood, parameters, phase)
    z, direction = chart.to_vector(parameters), rng.normal(size=len(chart.scales))

    def objective(step):
        return evaluate(likelihood, chart.to_parameters(z + step * direction), phase).objective

    slope = (objective(1e-5) - objective(-1e-5)) / 2e-5
    found = chart.gradient(evaluate(likelihood, parameters, phase)) @ direction
    assert_allclose(found, slope, rtol=1e-5)


def test_steps_of_em_never_lower_the_objective_within_a_phase():
    rng = np.random.default_rng(4)
    samples = Samples(x=recorded(rng, box_without_ball, 2000, 3))
    selection = Selection(completeness=SampleCompleteness.of(box_without_ball, samples.names))
    likelihood = SampleLikelihood.of(samples, selection=selection)
    start = Mixture(
        fluxes=[600.0, 600.0], means=[[0.5] * 3, [-0.5] * 3], covariances=[np.eye(3)] * 2
    )
    parameters = likelihood.parameters(start)
    phase = likelihood.begin_phase(parameters, Priors())
    objectives = []
    for _ in range(15):
        evaluation = evaluate(likelihood, parameters, phase)
        objectives.append(evaluation.objective)
        parameters = evaluation.successor
    assert np.all(np.diff(objectives) > -1e-9)


def test_a_uniform_background_is_recovered():
    rng = np.random.default_rng(5)
    x = np.concatenate([rng.normal(0, 1, (700, 2)), rng.uniform([-10, -10], [20, 20], (300, 2))])
    result = gmmx.fit_samples(x, n_components=1, background=([-10, -10], [20, 20]))
    assert result.background_fraction == pytest.approx(0.3, abs=0.03)
    assert_allclose(result.mixture.covariances[0], np.eye(2), atol=0.15)
    parts = result.responsibilities()
    assert parts.shape == (1000, 2)
    assert parts[:700, 0].mean() > 0.95
    assert parts[700:, 1].mean() > 0.9


def test_a_background_is_seen_through_the_completeness():
    rng = np.random.default_rng(6)
    x = np.concatenate([rng.normal(0, 1, (700, 2)), rng.uniform([-10, -10], [20, 20], (800, 2))])
    x = x[x[:, 0] < 5]
    result = gmmx.fit_samples(
        x, n_components=1, background=([-10, -10], [20, 20]), completeness="x0 < 5"
    )
    assert result.backgrounds[0].amplitude == pytest.approx(800, rel=0.1)
    assert result.background_fraction == pytest.approx(400 / 1100, abs=0.04)


@pytest.mark.parametrize(
    ("completeness", "message"),
    [
        ("x0 <", "'x0 <': not an expression"),
        ("y < 2", "there is no column 'y'"),
        ("2 - 0 * x0", r"is 2 at x0 = .*, x1 = .*: it is a probability"),
        ("0 * x0", "is zero at all samples"),
        ("x0 < 0", "is zero at .* samples, the first in row"),
        (lambda x: x, "one number for each"),
        (3, "`completeness` = 3: give an expression"),
    ],
)
def test_what_is_no_completeness_is_refused(completeness, message):
    x = np.random.default_rng(7).normal(size=(50, 2))
    with pytest.raises(InputError, match=message):
        gmmx.fit_samples(x, n_components=1, completeness=completeness)


@pytest.mark.parametrize(
    ("background", "message"),
    [
        ("flat", "`background` = flat: samples know the backgrounds uniform"),
        (([0, 0], [1, 0]), "it has no volume"),
        (([0], [1]), "the background has 1 dimension, the samples have 2"),
    ],
)
def test_what_is_no_background_is_refused(background, message):
    x = np.random.default_rng(9).normal(size=(50, 2))
    with pytest.raises(InputError, match=message):
        gmmx.fit_samples(x, n_components=1, background=background)


def test_facts_have_what_the_completeness_lets_through():
    x = np.random.default_rng(15).normal(size=(600, 1))
    result = gmmx.fit_samples(x[x[:, 0] < 0.5], n_components=1, completeness="x0 < 0.5")
    facts = sample_facts(result)
    assert facts["completeness"] == "x0 < 0.5"
    (component,) = facts["components"]
    assert component["observed_fraction"] == pytest.approx(0.69, abs=0.1)
    assert component["samples"] == pytest.approx(600, rel=0.15)
