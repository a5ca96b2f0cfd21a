"""Fits of mixtures to samples."""

import warnings

import numpy as np
import pytest
import reference
from catalogues import drawn_samples, make_mixture
from numpy.testing import assert_allclose, assert_array_equal
from scipy.cluster.vq import kmeans2

import gmmx
from gmmx.config.samples import COVARIANCE_FORMS
from gmmx.errors import ConvergenceWarning, DataWarning, DegeneracyWarning, InputError
from gmmx.fitting.samples.starts import _k_means
from gmmx.model.mixture import Mixture

PLAIN = {"prior_mean_count": 0.0, "prior_covariance_count": 0.0, "min_sigma": 1e-9}


def two_clumps(rng, n=400):
    """Two well separated clumps in two dimensions."""
    return np.concatenate([rng.normal(0, 1, (n // 2, 2)), rng.normal(8, 2, (n // 2, 2))])


def test_plain_em_is_extreme_deconvolution_from_a_common_start():
    rng = np.random.default_rng(1)
    samples = drawn_samples(rng, make_mixture(rng, 2, 2), 60, noise="full", missing=0.1)
    start = Mixture(
        fluxes=[0.6, 0.4], means=np.nan_to_num(samples.x[:2]), covariances=[4 * np.eye(2)] * 2
    )
    with pytest.warns(ConvergenceWarning):
        result = gmmx.fit_samples(
            samples, start=start, accelerate=False, max_iter=12, tol=1e-12, **PLAIN
        )
    slow = start.fluxes, start.means, start.covariances
    noise = np.nan_to_num(samples.noise())
    values = []
    for _ in range(12):
        before = slow
        *slow, value = reference.extreme_deconvolution_step(
            samples.x, noise, samples.weights, *slow
        )
        values.append(value)
    order = np.argsort(-before[0])
    # The first step alone changes the sum of the fluxes.
    assert_allclose(result.history["log_likelihood"], values, rtol=1e-10)
    assert_allclose(result.fractions, before[0][order], rtol=1e-8)
    assert_allclose(result.mixture.means, before[1][order], rtol=1e-8)
    assert_allclose(result.mixture.covariances, before[2][order], rtol=1e-8)


@pytest.mark.parametrize("accelerate", [True, False], ids=["quasi-newton", "em"])
@pytest.mark.parametrize("form", COVARIANCE_FORMS)
def test_covariances_keep_their_form_and_the_objective_never_falls(form, accelerate):
    x = two_clumps(np.random.default_rng(2)) @ [[1.0, 0.4], [0.0, 5.0]]
    result = gmmx.fit_samples(
        x, n_components=3, covariance_form=form, accelerate=accelerate, starts=1, exchanges=2
    )
    assert np.all(np.diff(result.history["objective"]) > -1e-6)
    v = result.mixture.covariances
    if form == "tied":
        assert_allclose(v, v[[0, 0, 0]], rtol=1e-9)
    elif form != "full":
        assert_array_equal(v[:, 0, 1], 0)
    if form == "spherical":
        assert_allclose(v[:, 0, 0], v[:, 1, 1], rtol=1e-12)


@pytest.mark.parametrize("form", COVARIANCE_FORMS)
def test_both_ascents_reach_the_same_maximum(form):
    x = two_clumps(np.random.default_rng(3))
    start = Mixture(fluxes=[1.0, 1.0], means=[[0.0, 1.0], [5.0, 5.0]], covariances=[np.eye(2)] * 2)
    fast, slow = (
        gmmx.fit_samples(x, start=start, covariance_form=form, accelerate=accelerate, tol=1e-7)
        for accelerate in (True, False)
    )
    assert_allclose(fast.log_likelihood, slow.log_likelihood, atol=1e-4)


@pytest.mark.parametrize("criterion", ["bic", "icl"])
def test_two_clumps_are_found(criterion):
    x = two_clumps(np.random.default_rng(4))
    result = gmmx.fit_samples(x, criterion=criterion, max_components=4, starts=2, exchanges=2)
    assert len(result.mixture) == 2


@pytest.mark.parametrize("criterion", ["bic", "aic", "icl", "held-out"])
def test_the_path_explains_the_choice(criterion):
    x = two_clumps(np.random.default_rng(4))
    result = gmmx.fit_samples(x, criterion=criterion, max_components=3, starts=1, exchanges=0)
    path = result.path
    chosen = path["stage"] == "choose"
    merits = path["held_out"] if criterion == "held-out" else -path[criterion]
    assert path["k"][chosen].tolist() == [1, 2, 3]
    assert len(result.mixture) == path["k"][chosen][np.argmax(merits[chosen])]


@pytest.mark.parametrize("init", ["auto", "grow", "kmeans"])
def test_a_given_number_of_components_is_reached(init):
    rng = np.random.default_rng(5)
    truth = make_mixture(rng, 4, 3)
    samples = drawn_samples(rng, truth, 400, noise="diagonal", missing=0.05)
    result = gmmx.fit_samples(samples, n_components=4, init=init, starts=2)
    at_truth = gmmx.fit_samples(samples, start=truth)
    assert len(result.mixture) == 4
    assert result.log_likelihood > at_truth.log_likelihood - 2


def test_noise_is_taken_out():
    rng = np.random.default_rng(6)
    noise = rng.uniform(0.1, 2.0, (8000, 1))
    x = rng.normal(3.0, 1.0, (8000, 1)) + rng.normal(size=noise.shape) * np.sqrt(noise)
    result = gmmx.fit_samples(x, noise, n_components=1)
    assert result.mixture.covariances[0, 0, 0] == pytest.approx(1.0, abs=0.1)


def test_the_same_seed_gives_the_same_bits():
    x = two_clumps(np.random.default_rng(7))
    one, again = (gmmx.fit_samples(x, n_components=3, starts=2, seed=3) for _ in range(2))
    assert_array_equal(one.mixture.covariances, again.mixture.covariances)


def test_weights_count_as_repeated_samples():
    x = two_clumps(np.random.default_rng(8), 60)
    start = Mixture(fluxes=[1.0], means=[[4.0, 4.0]], covariances=[np.eye(2)])
    weighted = gmmx.fit_samples(x, weights=np.full(60, 3.0), start=start)
    repeated = gmmx.fit_samples(np.repeat(x, 3, axis=0), start=start)
    assert_allclose(weighted.mixture.covariances, repeated.mixture.covariances, rtol=1e-6)
    assert_allclose(weighted.log_likelihood, repeated.log_likelihood, rtol=1e-9)


def test_units_of_the_columns_do_not_matter():
    x = two_clumps(np.random.default_rng(9))
    units = np.array([1e-6, 1e5])
    plain, scaled = (gmmx.fit_samples(v, n_components=2, starts=1) for v in (x, x * units))
    assert_allclose(scaled.mixture.means, plain.mixture.means * units, rtol=1e-4)
    assert_allclose(
        scaled.log_likelihood, plain.log_likelihood - len(x) * np.log(units).sum(), rtol=1e-6
    )


def test_more_components_are_grown_from_a_start():
    x = two_clumps(np.random.default_rng(10))
    start = Mixture(fluxes=[1.0], means=[[4.0, 4.0]], covariances=[np.eye(2)])
    assert len(gmmx.fit_samples(x, start=start, n_components=2).mixture) == 2


def test_samples_that_coincide_are_reported():
    x = np.concatenate([two_clumps(np.random.default_rng(11)), np.full((20, 2), 3.0)])
    start = Mixture(fluxes=[1, 1, 0.1], means=[[0, 0], [8, 8], [3, 3]], covariances=[np.eye(2)] * 3)
    with pytest.warns(DegeneracyWarning, match="1 of 3 components are as narrow as `min_sigma`"):
        gmmx.fit_samples(x, start=start)


def test_a_component_without_samples_is_removed_and_reported():
    x = two_clumps(np.random.default_rng(12))
    start = Mixture(fluxes=[1, 1], means=[[4, 4], [900, 900]], covariances=[np.eye(2)] * 2)
    with pytest.warns(DataWarning, match="1 component instead of 2"):
        result = gmmx.fit_samples(x, start=start, n_components=2)
    assert len(result.mixture) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": np.eye(3)}, "3 samples in 3 dimensions determine no covariance"),
        ({"x": np.eye(9), "weights": np.eye(9)[0]}, "1 sample in 9 dimensions determine no"),
        ({"x": np.ones((9, 1))}, "all values of column 'x0' are equal"),
        ({"x": np.full((12, 1), 0.1)}, "all values of column 'x0' are equal"),
        ({"x": np.eye(4, 3), "criterion": "held-out"}, "held-out leaves 3 samples to fit"),
        ({"x": [[1.0, np.nan], [2.0, np.nan]]}, "every value of column 'x1' is missing"),
        ({"x": np.eye(3, 2), "start": Mixture.empty(3)}, "`start` has 3 dimensions"),
        ({"x": np.eye(4, 2), "n_components": 0}, "`n_components` = 0"),
        ({"x": np.eye(4, 2), "criterion": "best"}, "`criterion` = best: choose"),
    ],
)
def test_what_cannot_be_fitted_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        gmmx.fit_samples(**arguments)


@pytest.mark.parametrize(("weight", "n_warnings"), [(1 / 50, 1), (1.0, 0)])
def test_weights_that_add_up_to_1_lead_to_a_warning(weight, n_warnings):
    x = np.random.default_rng(17).normal(size=(50, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = gmmx.fit_samples(x, weights=np.full(50, weight), n_components=2, starts=1)
    assert sum("`weights` add up to 1:" in text for text in result.warnings) == n_warnings


def test_samples_of_weight_0_change_nothing():
    rng = np.random.default_rng(16)
    x = rng.normal(size=(80, 2))
    others = 1e6 * rng.normal(size=(200, 2))
    weights = np.repeat([1.0, 0.0], [80, 200])
    alone = gmmx.fit_samples(x, n_components=1).mixture
    among = gmmx.fit_samples(np.concatenate([x, others]), weights=weights, n_components=1).mixture
    assert_allclose(among.means, alone.means, atol=1e-6)
    assert_allclose(among.covariances, alone.covariances, atol=1e-6)


@pytest.mark.parametrize("option", [{"noise_order": "after"}, {"noise_model": "local"}])
def test_options_of_a_selection_warn_where_everything_was_recorded(option):
    x = np.random.default_rng(14).normal(size=(50, 2))
    (name,) = option
    with pytest.warns(DataWarning, match=f"`{name}` = .* changes nothing without"):
        gmmx.fit_samples(x, np.ones(x.shape), n_components=1, **option)


def test_steps_that_are_far_too_long_warn_of_nothing():
    rng = np.random.default_rng(13)
    shift = 1e3 * rng.normal(size=(100, 1))
    x = shift + 1e-3 * rng.normal(size=(100, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", DataWarning)
        gmmx.fit_samples(x, np.full((100, 2, 2), 1e6), n_components=2, starts=1)


def test_an_unknown_option_is_named():
    with pytest.raises(TypeError, match="did you mean `n_components`"):
        gmmx.fit_samples([1.0, 2.0], n_component=2)


def test_k_means_is_that_of_scipy():
    points = np.random.default_rng(0).normal(size=(9000, 3))
    seeds = points[:40]
    centres, labels = _k_means(points, seeds)
    wanted, theirs = kmeans2(points, seeds, minit="matrix")
    assert centres == pytest.approx(wanted, abs=1e-12)
    assert np.array_equal(labels, theirs)
