"""Samples of which something is unknown that the selection knew: missing and noise-free values."""

from dataclasses import replace

import numpy as np
import pytest
import reference
from catalogues import make_covariances, make_mixture
from numpy.testing import assert_allclose
from scipy.stats import truncnorm

import gmmx
from gmmx.em.chart import Chart
from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Priors
from gmmx.em.samples import SampleLikelihood
from gmmx.em.selection import Selection, recorded_terms
from gmmx.errors import InputError
from gmmx.model.sample_background import SampleBackground
from gmmx.model.sample_completeness import SampleCompleteness
from gmmx.model.samples import Samples


def slope(x):
    """A completeness that falls with the second column and has an edge across both."""
    return np.clip(0.9 - 0.2 * x[:, 1], 0.05, 1) * (x[:, 0] + 0.3 * x[:, 1] < 2)


def make_samples(rng, noise, n=24):
    """Samples in two columns of which three quarters miss one value."""
    x = rng.normal(0, 0.6, (n, 2))
    x[::2, 1] = np.nan
    x[1::4, 0] = np.nan
    covariances = {
        "none": None,
        "common": np.array([[0.2, 0.05], [0.05, 0.1]]),
        "diagonal": rng.uniform(0.05, 0.3, (n, 2)),
        "full": make_covariances(rng, n, 2, 0.3),
    }
    return Samples(x=x, covariances=covariances[noise])


def make_likelihood(rng, noise, order, omega=slope, backgrounds=()):
    """The likelihood of such samples behind a completeness, and parameters of two components."""
    samples = make_samples(rng, noise)
    mixture = replace(make_mixture(rng, 2, 2, 30.0), means=[[0.2, 0.1], [-0.5, 0.3]])
    selection = Selection(
        completeness=SampleCompleteness.of(omega, samples.names), noise_order=order
    )
    likelihood = SampleLikelihood.of(samples, backgrounds=backgrounds, selection=selection)
    return samples, mixture, likelihood


@pytest.mark.parametrize("noise", ["none", "common", "diagonal", "full"])
@pytest.mark.parametrize("order", ["before", "after"])
def test_densities_are_those_of_the_fine_grid(order, noise):
    samples, mixture, likelihood = make_likelihood(np.random.default_rng(0), noise, order)
    order = "before" if noise == "none" else order
    terms, _ = recorded_terms(likelihood, likelihood.parameters(mixture))
    mean_noise, own = likelihood.mean_noise * likelihood.scaling.outer, samples.noise()
    some = np.flatnonzero(samples.missing.any(axis=1))[:6]
    expected = [
        reference.recorded_density(samples.x[i], own[i], mean_noise, mixture, slope, order)
        for i in some
    ]
    assert_allclose(np.exp(np.logaddexp.reduce(terms[some], axis=1)), expected, rtol=0.05)


@pytest.mark.parametrize("noise", ["none", "common", "diagonal", "full"])
@pytest.mark.parametrize("order", ["before", "after"])
def test_em_is_monotone_and_the_gradient_is_the_derivative(order, noise):
    rng = np.random.default_rng(1)
    box = SampleBackground(low=[-3, -3], high=[3, 3])
    _, mixture, likelihood = make_likelihood(rng, noise, order, backgrounds=[box])
    start = likelihood.parameters(mixture, [4.0])
    phase = likelihood.begin_phase(start, Priors())
    chart = Chart.at(likelihood, start, phase)
    z, direction = chart.to_vector(start), rng.normal(size=len(chart.scales))

    def objective(step):
        return evaluate(likelihood, chart.to_parameters(z + step * direction), phase).objective

    derivative = (objective(1e-5) - objective(-1e-5)) / 2e-5
    first = evaluate(likelihood, start, phase)
    assert_allclose(chart.gradient(first) @ direction, derivative, rtol=1e-5)
    objectives, evaluation = [first.objective], first
    for _ in range(6):
        evaluation = evaluate(likelihood, evaluation.successor, phase)
        objectives.append(evaluation.objective)
    assert np.all(np.diff(objectives) > -1e-9)


def test_a_completeness_of_known_columns_only_is_a_constant():
    rng = np.random.default_rng(2)
    samples, mixture, likelihood = make_likelihood(
        rng, "diagonal", "before", lambda x: np.where(np.isnan(x[:, 1]), np.nan, 0.7)
    )
    parameters = likelihood.parameters(mixture)
    selected = likelihood.selection.values_of(likelihood, parameters)
    assert selected.points is None
    missing = samples.missing.any(axis=1)
    assert_allclose(selected.constant, missing.sum() * np.log(0.7))
    terms, log_omega = recorded_terms(likelihood, parameters)
    assert_allclose(terms, likelihood.log_terms(parameters))
    assert_allclose(log_omega[missing], np.log(0.7))
    assert np.isnan(log_omega[~missing]).all()


@pytest.mark.parametrize("order", ["before", "after"])
def test_an_expression_of_known_columns_needs_no_points(order):
    x = np.random.default_rng(2).normal(size=(60, 2))
    x[::3, 1] = np.nan
    samples = Samples(x=x, covariances=np.tile([0.0, 0.1], (60, 1)))
    selection = Selection(
        completeness=SampleCompleteness.of("0.2 + 0.6 * (x0 < 0)", samples.names), noise_order=order
    )
    likelihood = SampleLikelihood.of(samples, selection=selection)
    parameters = likelihood.parameters(make_mixture(np.random.default_rng(3), 2, 2, 60.0))
    terms, log_omega = recorded_terms(likelihood, parameters)
    assert_allclose(terms, likelihood.log_terms(parameters))
    assert np.isnan(log_omega).all()


def test_a_value_at_the_limit_is_on_its_own_side():
    x = np.round(np.random.default_rng(4).normal(23.7, 0.3, (300, 2)), 2)
    x = x[x[:, 0] <= 23.92]
    x[::2, 1] = np.nan
    samples = Samples(x=x)
    completeness = SampleCompleteness.of(lambda v: 0.5 * (v[:, 0] <= 23.92), samples.names)
    likelihood = SampleLikelihood.of(samples, selection=Selection(completeness=completeness))
    parameters = likelihood.parameters(make_mixture(np.random.default_rng(3), 1, 2, 60.0))
    _, log_omega = recorded_terms(likelihood, parameters)
    assert_allclose(log_omega[::2], np.log(0.5))


@pytest.mark.parametrize("order", ["before", "after"])
def test_scores_add_up_to_the_gradient_of_the_sum_of_log_densities(order):
    rng = np.random.default_rng(11)
    box = SampleBackground(low=[-3, -3], high=[3, 3])
    _, mixture, likelihood = make_likelihood(rng, "diagonal", order, backgrounds=[box])
    start = likelihood.parameters(mixture, [4.0])
    phase = likelihood.begin_phase(start, Priors())
    (scores,) = likelihood.scores(start, phase, 1)
    assert np.isfinite(scores).all()

    def total(step):
        fluxes = start.mixture.fluxes * np.exp([step, 0.0])
        moved = replace(start, mixture=replace(start.mixture, fluxes=fluxes))
        return likelihood.log_densities(moved, phase)[0].sum()

    slope = (total(1e-5) - total(-1e-5)) / 2e-5
    assert scores[:, 0].sum() == pytest.approx(slope, rel=1e-6)
    assert scores.shape == (24, 2 * 6 + 1)


def drawn_behind_a_cut(seed, n=4000):
    """Correlated samples with x1 < 0.3; half of the recorded ones miss x1, at random."""
    rng = np.random.default_rng(seed)
    x = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], n)
    x = x[x[:, 1] < 0.3]
    x[rng.random(len(x)) < 0.5, 1] = np.nan
    return x


def test_samples_without_the_value_that_was_cut_come_back():
    x = drawn_behind_a_cut(3)
    result = gmmx.fit_samples(x, n_components=1, completeness="x1 < 0.3")
    assert_allclose(result.mixture.means[0], 0, atol=0.12)
    assert_allclose(result.mixture.covariances[0], [[1, 0.6], [0.6, 1]], atol=0.16)
    assert_allclose(result.mixture.fluxes[0], 4000, rtol=0.12)
    drawn = result.errors(20).draws
    assert drawn.means.std(axis=0).max() < 0.15
    means = result.denoise().means
    assert means[np.isnan(x[:, 1]), 1].max() < 0.3
    score = result.score(drawn_behind_a_cut(4))
    # Without x1 a sample tells less, so that the mean is that over both kinds of samples.
    assert score.mean == pytest.approx(result.log_likelihood / len(x), abs=0.06)


@pytest.mark.slow
def test_missing_values_behind_a_cut_leave_no_bias_over_20_seeds():
    found = []
    for seed in range(20):
        one = gmmx.fit_samples(drawn_behind_a_cut(seed), n_components=1, completeness="x1 < 0.3")
        covariance = one.mixture.covariances[0]
        found.append([*one.mixture.means[0], *covariance[np.tril_indices(2)]])
    error = np.std(found, axis=0, ddof=1) / np.sqrt(20)
    assert np.abs((np.mean(found, axis=0) - [0, 0, 1, 0.6, 1]) / error).max() < 3.5


def test_a_missing_value_is_denoised_as_the_truncated_gaussian():
    x = np.random.default_rng(5).normal(size=(3000, 2))
    x = x[x[:, 1] < 0.5]
    result = gmmx.fit_samples(x, n_components=1, completeness="x1 < 0.5")
    mean, covariance = result.mixture.means[0], result.mixture.covariances[0]
    rest = covariance[1, 1] - covariance[0, 1] ** 2 / covariance[0, 0]
    centre = mean[1] + covariance[0, 1] / covariance[0, 0] * (0.4 - mean[0])
    expected = truncnorm(-np.inf, (0.5 - centre) / np.sqrt(rest), centre, np.sqrt(rest))
    found = result.denoise(np.array([[0.4, np.nan], [0.0, 0.0]]))
    assert found.means[0, 1] == pytest.approx(expected.mean(), abs=0.02)
    assert found.errors[0, 1] == pytest.approx(expected.std(), rel=0.05)


def test_memberships_of_samples_with_missing_values_know_the_cut():
    rng = np.random.default_rng(6)
    faint, bright = rng.normal([0, 2], 0.5, (3000, 2)), rng.normal([0, -2], 0.5, (1000, 2))
    x = np.concatenate([faint, bright])
    x = x[x[:, 1] < 1.5]
    result = gmmx.fit_samples(x, n_components=2, completeness="x1 < 1.5")
    order = np.argsort(result.mixture.means[:, 1])
    parts = result.responsibilities(np.array([[0.0, np.nan], [0.0, 0.0]]))[0, order]
    # 1000 bright ones, and the 16 % of the 3000 faint ones that are recorded.
    assert parts[0] == pytest.approx(1000 / (1000 + 0.16 * 3000), abs=0.04)


def test_the_noise_may_come_after_the_selection_with_columns_that_have_none():
    rng = np.random.default_rng(7)
    true = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 5000)
    true = true[true[:, 0] + true[:, 1] < 0.5]
    x = true + [0.6, 0.0] * rng.normal(size=true.shape)
    x[::5, 1] = np.nan
    result = gmmx.fit_samples(
        x,
        np.tile([0.36, 0.0], (len(x), 1)),
        n_components=1,
        completeness="x0 + x1 < 0.5",
        noise_order="after",
    )
    assert_allclose(result.mixture.means[0], 0, atol=0.12)
    assert_allclose(result.mixture.covariances[0], [[1, 0.5], [0.5, 1]], atol=0.13)


def test_samples_that_cannot_be_recorded_whatever_is_missing_are_refused():
    x = np.random.default_rng(8).normal(size=(50, 2))
    x[7] = [4.0, np.nan]
    with pytest.raises(InputError, match="zero at 1 sample, the first in row 7"):
        gmmx.fit_samples(x, n_components=1, completeness="(x0 < 3) & (x1 < 9)")


def test_held_out_samples_are_scored_as_they_were_recorded():
    x = drawn_behind_a_cut(9, 1200)
    result = gmmx.fit_samples(
        x, completeness="x1 < 0.3", criterion="held-out", max_components=2, starts=1, exchanges=0
    )
    chosen = result.path["held_out"][result.path["stage"] == "choose"]
    # The scores of samples that were fitted, and of samples that were not.
    assert chosen[0] == pytest.approx(result.score(result.samples).mean, abs=0.2)
