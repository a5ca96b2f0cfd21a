"""Answers of a mixture of samples, and its model file."""

from dataclasses import replace

import numpy as np
import pytest
import reference
from catalogues import drawn_samples, make_mixture
from numpy.testing import assert_allclose, assert_array_equal

import gmmx
from gmmx.answers.sample_errors import errors_of
from gmmx.errors import DataError, DataWarning, InputError, OutputError
from gmmx.model.mixture import Mixture
from gmmx.model.sample_completeness import SampleCompleteness
from gmmx.model.samples import Samples


@pytest.fixture(scope="module")
def result():
    rng = np.random.default_rng(1)
    start = make_mixture(rng, 2, 3)
    samples = drawn_samples(rng, start, 200, noise="full", missing=0.1)
    samples = replace(samples, names=("a", "b", "c"))
    return gmmx.fit_samples(samples, start=start, background="uniform", tol=1.0)


def test_the_log_density_of_the_own_samples_adds_up_to_the_log_likelihood(result):
    total = result.samples.weights @ result.log_density(result.samples)
    assert total == pytest.approx(result.log_likelihood, rel=1e-6)


def test_the_log_density_is_that_of_the_slow_twin():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(60, 2))
    found = gmmx.fit_samples(x, n_components=1)
    other = drawn_samples(rng, found.mixture, 20, noise="diagonal")
    slow = reference.sample_log_terms(
        other.x, other.noise(), [1.0], found.mixture.means, found.mixture.covariances
    )
    assert_allclose(found.log_density(other.x, other.covariances), slow[:, 0], rtol=1e-9)


def test_responsibilities_add_up_to_one(result):
    parts = result.responsibilities()
    assert parts.shape == (200, 3)
    assert_allclose(parts.sum(1), 1)


def test_samples_without_any_value_in_a_column_have_answers(result):
    one = np.array([[0.3, np.nan, np.nan]])
    marginal = result.marginal(["a"])
    inside = result.backgrounds[0].density(one, [0])
    total = result.mixture.fluxes.sum() + result.backgrounds[0].amplitude
    offset = 0.3 - marginal.means[:, 0]
    variance = marginal.covariances[:, 0, 0]
    density = np.exp(-(offset**2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
    expected = result.mixture.fluxes @ density + result.backgrounds[0].amplitude * inside
    assert_allclose(np.exp(result.log_density(one)), expected / total, rtol=1e-9)
    assert result.responsibilities(one).sum() == pytest.approx(1.0)
    assert np.isfinite(result.denoise(one).means).all()


@pytest.mark.parametrize("sigma", [0.0, 1e-9, 1e-3])
def test_values_that_are_known_well_keep_their_small_errors(sigma):
    rng = np.random.default_rng(14)
    centres = rng.choice([[-40.0, 0.0, 7.0], [50.0, 3.0, 7.0]], 300)
    x = centres + rng.normal(size=(300, 3)) @ rng.normal(size=(3, 3))
    found = gmmx.fit_samples(x, np.full(x.shape, sigma**2), n_components=2, starts=1)
    denoised = found.denoise()
    assert_allclose(denoised.means, x, rtol=0, atol=0.1 * sigma + 1e-12)
    assert_allclose(denoised.errors, sigma, rtol=1e-2, atol=1e-12)


def test_noise_free_values_are_those_of_one_gaussian():
    rng = np.random.default_rng(3)
    noise = rng.uniform(0.1, 2, (300, 1))
    truth = rng.normal(5, 1, (300, 1))
    x = truth + np.sqrt(noise) * rng.normal(size=(300, 1))
    found = gmmx.fit_samples(x, noise, n_components=1)
    mean, variance = found.mixture.means[0, 0], found.mixture.covariances[0, 0, 0]
    gain = variance / (variance + noise)
    denoised = found.denoise()
    assert_allclose(denoised.means, mean + gain * (x - mean), rtol=1e-9)
    assert_allclose(denoised.covariances[:, :, 0], variance * (1 - gain), rtol=1e-9)
    assert np.abs(denoised.means - truth).mean() < np.abs(x - truth).mean()


def test_missing_values_are_filled_in_by_the_others(result):
    denoised = result.denoise()
    assert np.all(np.isfinite(denoised.means))
    assert np.all(np.linalg.eigvalsh(denoised.covariances) > 0)
    gone = result.samples.missing
    assert denoised.errors[gone].mean() > denoised.errors[~gone].mean()


def test_conditional_and_marginal_mixtures_are_normalised(result):
    given = result.condition({"b": 0.4})
    assert given.n_dimensions == 2
    assert given.fluxes.sum() == pytest.approx(1)
    assert result.other_names(["b"]) == ("a", "c")
    assert result.marginal(["c", "a"]).fluxes.sum() == pytest.approx(1)


def test_the_expectation_is_that_of_many_draws(result):
    x = result.sample(20_000, np.random.default_rng(4))
    mean, covariance = result.expectation()
    assert_allclose(x.mean(0), mean, atol=0.15)
    assert_allclose(np.cov(x.T), covariance, rtol=0.1, atol=0.7)


def test_the_divergence_of_gaussians_is_the_known_one():
    p = Mixture(fluxes=[3.0], means=[[0.0]], covariances=[[[1.0]]])
    q = Mixture(fluxes=[1.0], means=[[1.0]], covariances=[[[4.0]]])
    from gmmx.answers.mixtures import kl_divergence

    value, error = kl_divergence(p, q, np.random.default_rng(5), 5000)
    exact = np.log(2) + (1 + 1) / 8 - 0.5
    assert abs(value - exact) < 4 * error
    assert kl_divergence(p, p, np.random.default_rng(5), 1000) == (0.0, 0.0)


def test_held_out_samples_are_scored(result):
    score = result.score(result.samples)
    weights = result.samples.weights
    assert score.mean == pytest.approx(result.log_likelihood / weights.sum(), rel=1e-6)
    assert score.n == 200


def test_a_score_counts_the_completeness():
    rng = np.random.default_rng(6)
    x = rng.normal(size=(4000, 1))
    found = gmmx.fit_samples(x[x[:, 0] < 0], n_components=1, completeness="x0 < 0")
    # Half of a Gaussian: its density is twice as high.
    assert found.score([[-1.0]]).mean == pytest.approx(
        np.log(2) - 0.5 - np.log(2 * np.pi) / 2, abs=0.1
    )


@pytest.mark.parametrize("names", [["d"], ["a", "b", "c"]])
def test_columns_that_cannot_be_given_are_refused(result, names):
    with pytest.raises(InputError):
        result.condition(dict.fromkeys(names, 0.0))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_values_that_say_nothing_are_refused(result, value):
    with pytest.raises(InputError, match="a = "):
        result.condition({"a": value})


def test_far_values_keep_their_ratios():
    means, covariances = [[0.0, 0.0], [1.0, 5.0]], [np.eye(2), np.eye(2)]
    x = np.concatenate([np.random.default_rng(0).normal(m, 1.0, (50, 2)) for m in means])
    truth = Mixture(fluxes=[50.0, 50.0], means=means, covariances=covariances)
    result = replace(gmmx.fit_samples(x, n_components=2), mixture=truth)
    with pytest.warns(DataWarning, match="x0 = 60 is 59 sigma from the nearest component"):
        found = result.condition({"x0": 60.0})
    # The densities are exp(-60^2 / 2) and exp(-59^2 / 2), both of which underflow.
    assert found.fluxes[0] == pytest.approx(np.exp(-59.5))
    assert found.fluxes[1] == pytest.approx(1.0)


def test_samples_of_other_columns_are_refused(result):
    with pytest.raises(InputError, match="have 2 columns, the model has 3: a, b, c"):
        result.log_density(np.zeros((5, 2)))


def test_a_model_file_gives_back_every_bit(result, tmp_path):
    result.write(tmp_path / "m.h5", command="gmmx fit")
    again = gmmx.read(tmp_path / "m.h5")
    assert repr(again) == repr(result)
    for name in ("fluxes", "means", "covariances"):
        assert_array_equal(getattr(again.mixture, name), getattr(result.mixture, name))
    assert_array_equal(again.samples.x, result.samples.x)
    assert_array_equal(again.denoise().means, result.denoise().means)
    assert again.options == result.options
    assert list(again.path["stage"]) == list(result.path["stage"])
    with pytest.raises(OutputError):
        result.write(tmp_path / "m.h5")


@pytest.mark.parametrize(
    "completeness",
    ["x0 < 1.5", SampleCompleteness.on_grid([1.0, 0.5], [[-9.0, 9.0]])],
    ids=["expression", "grid"],
)
def test_a_completeness_is_kept_in_the_file(completeness, tmp_path):
    x = np.random.default_rng(7).normal(size=(80, 1)).clip(-3, 1.4)
    found = gmmx.fit_samples(x, n_components=1, completeness=completeness)
    found.write(tmp_path / "m.h5")
    again = gmmx.read(tmp_path / "m.h5")
    places = np.linspace(-3, 3, 7)[:, None]
    assert_array_equal(again.completeness(places), found.completeness(places))


def test_a_function_is_not_kept_and_says_so(tmp_path):
    x = np.random.default_rng(8).normal(size=(80, 1))
    gmmx.fit_samples(x, n_components=1, completeness=lambda x: np.ones(len(x))).write(
        tmp_path / "m.h5"
    )
    with pytest.raises(InputError, match="was a function of Python"):
        gmmx.read(tmp_path / "m.h5").completeness(x)


def test_a_command_for_the_sky_refuses_samples(result, tmp_path):
    result.write(tmp_path / "m.h5")
    from gmmx.io.models import read_model

    with pytest.raises(DataError, match=r"a mixture of samples \(a, b, c\), not of the sky"):
        read_model(tmp_path / "m.h5")


def test_samples_may_be_masked_arrays(result):
    x = np.ma.masked_invalid(result.samples.x)
    assert Samples(x=x).missing.sum() == result.samples.missing.sum()


def test_errors_of_one_gaussian_are_the_known_ones(tmp_path):
    x = np.random.default_rng(9).normal(0, 2, (900, 1))
    with_draws = gmmx.fit_samples(x, n_components=1).errors(150, seed=1)
    errors = errors_of(with_draws)
    assert errors.means[0, 0] == pytest.approx(2 / 30, rel=0.25)
    assert errors.covariances[0, 0, 0] == pytest.approx(4 * np.sqrt(2) / 30, rel=0.3)
    with_draws.write(tmp_path / "m.h5")
    assert_array_equal(gmmx.read(tmp_path / "m.h5").draws.means, with_draws.draws.means)


def test_draws_keep_the_components_in_the_order_of_the_fit(result):
    draws = result.errors(3).draws
    assert draws.means.shape == (3, *result.mixture.means.shape)
    assert_allclose(draws.means.mean(0), result.mixture.means, atol=1.5)


def test_errors_need_draws(result):
    with pytest.raises(InputError, match="this fit has no draws"):
        errors_of(result)
