"""Draws of the parameters: what they agree with, what they contain, and where they are kept."""

from dataclasses import replace

import numpy as np
import pytest
from command_line import run
from simulated import drawn, field, mixture_of

import gmmx
from gmmx.answers.errors import DEGENERATE, chosen_method, draws_of, information_of, make_draws
from gmmx.em.drawing import drawn_parameters
from gmmx.errors import InputError
from gmmx.fitting.driver import fit
from gmmx.fitting.redraw import resampled
from gmmx.model.background import Background
from gmmx.model.mixture import Fixed

SIDE = 120.0


def make_result(*rows, sky=2000.0, seed=3, background=None, **options):
    """Fit photons of some components over a uniform sky, starting from the truth."""
    backgrounds = (Background() if background is None else background,)
    observation = drawn(
        mixture_of(*rows),
        field(SIDE, 1.0),
        np.random.default_rng(seed),
        sky=sky / SIDE**2,
        backgrounds=backgrounds,
    )
    return fit(observation, start=mixture_of(*rows), threads=1, **options)


@pytest.fixture(scope="module")
def two():
    """A fit of two separated components."""
    return make_result((900, -20, 5, 6), (400, 25, -10, 4), n_components=2, exchanges=0)


# Draws from the information matrix


def test_draws_scatter_as_the_information_matrix_says(two):
    draws = make_draws(two, 4000, method="laplace").draws
    k = len(two.mixture)
    np.testing.assert_allclose(draws.fluxes[:, :k].std(0), two.flux_errors, rtol=0.06)
    np.testing.assert_allclose(draws.means[:, :k].std(0), two.mean_errors, rtol=0.06)
    np.testing.assert_allclose(
        draws.amplitudes.std(0), [two.backgrounds[0].amplitude_error], rtol=0.06
    )


def test_the_mean_of_draws_is_the_fit(two):
    draws, k = make_draws(two, 4000, method="laplace").draws, len(two.mixture)
    pulls = (draws.fluxes[:, :k].mean(0) - two.mixture.fluxes) / two.flux_errors
    assert np.all(np.abs(pulls) < 0.1)
    pulls = (draws.means[:, :k].mean(0) - two.mixture.means) / two.mean_errors
    assert np.all(np.abs(pulls) < 0.1)


def test_the_covariance_of_draws_is_the_inverse_of_the_information(two):
    information = information_of(two)
    found = drawn_parameters(information, 4000, np.random.default_rng(1), with_wings=False)
    relative = np.hstack([found.fluxes / two.mixture.fluxes, found.amplitudes])
    relative[:, -1] /= two.backgrounds[0].amplitude
    rows = [0, 1, len(information.fixed) - 1]
    expected = information.solve(np.eye(len(information.fixed))[:, rows])[rows]
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    np.testing.assert_allclose(np.cov(relative.T) / scale, expected / scale, atol=0.06)


@pytest.mark.parametrize("method", ["laplace", "scan", "bootstrap"])
def test_draws_of_a_seed_are_the_same_on_any_number_of_threads(two, method):
    one, several = (make_draws(two, 6, method=method, seed=5, threads=t).draws for t in (1, 2))
    assert np.array_equal(one.fluxes, several.fluxes)
    assert np.array_equal(one.covariances, several.covariances)


def test_another_seed_makes_other_draws(two):
    one, other = (make_draws(two, 5, method="laplace", seed=s).draws for s in (1, 2))
    assert not np.any(one.fluxes[:, :2] == other.fluxes[:, :2])


def test_two_components_that_cannot_be_told_apart_keep_the_error_of_their_sum():
    result = make_result((500, 0, 0, 5), (500, 0.5, 0, 5.5), n_components=2, exchanges=0)
    sums = make_draws(result, 1000, method="laplace").draws.fluxes[:, :2].sum(1)
    assert result.flux_errors.max() > 2 * result.signal_error
    assert sums.std() == pytest.approx(result.signal_error, rel=0.3)
    assert sums.mean() == pytest.approx(result.mixture.fluxes.sum(), abs=result.signal_error)


def test_a_background_of_zero_has_draws_on_one_side():
    result = make_result((900, 0, 0, 8), sky=0.0, n_components=1)
    amplitudes = make_draws(result, 1000, method="laplace").draws.amplitudes[:, 0]
    error = result.backgrounds[0].amplitude_error
    assert result.backgrounds[0].photons < 0.1
    assert amplitudes.min() >= 0
    assert np.quantile(amplitudes, 0.6827) == pytest.approx(error, rel=0.1)


def test_a_component_of_zero_flux_has_draws_on_one_side():
    faint = mixture_of((1e-9, 12, -4, 0.1))
    known = Fixed(fluxes=[False], means=[True], covariances=[True])
    observation = drawn(
        mixture_of((400, -25, 10, 6)),
        field(SIDE, 1.0),
        np.random.default_rng(1),
        sky=0.1,
        backgrounds=(Background(),),
    )
    result = fit(observation, start=mixture_of((400, -25, 10, 6)), fixed=(faint, known), threads=1)
    k = int(np.flatnonzero(result.fixed.means)[0])
    draws = make_draws(result, 1000, method="laplace").draws
    assert draws.fluxes[:, k].min() >= 0
    assert np.quantile(draws.fluxes[:, k], 0.6827) > 0.5
    assert np.all(draws.means[:, k] == result.mixture.means[k])
    assert np.all(draws.covariances[:, k] == result.mixture.covariances[k])


def test_draws_contain_the_error_of_a_background_that_was_measured():
    level = 2000.0 / SIDE**2
    known = Background(amplitude=level, fixed=True, deviations=(0.1 * level,))
    result = make_result((900, 0, 0, 12), background=known, n_components=1)
    draws = make_draws(result, 2000, method="laplace").draws
    assert draws.amplitudes.std() == pytest.approx(0.1 * level, rel=0.06)
    assert draws.fluxes.sum(1).std() == pytest.approx(result.signal_error, rel=0.1)
    assert np.corrcoef(draws.amplitudes[:, 0], draws.fluxes[:, 0])[0, 1] < -0.2


# Scans of the background, and refits with other weights


@pytest.mark.filterwarnings("ignore::gmmx.errors.DegeneracyWarning")
def test_a_scan_widens_the_flux_where_the_emission_fills_the_field():
    result = make_result((3000, 0, 0, 38), sky=3000.0, n_components=1)
    assert abs(result.background_correlation) > DEGENERATE
    assert chosen_method(result) == "scan"
    draws = make_draws(result, 200).draws
    assert draws.method == "scan"
    assert draws.amplitudes.std() > 0.15 * result.backgrounds[0].amplitude
    totals = draws.fluxes.sum(1)
    assert np.corrcoef(draws.amplitudes[:, 0], totals)[0, 1] < -0.5


def test_compact_emission_is_not_scanned(two):
    assert chosen_method(two) == "laplace"


def test_a_bootstrap_agrees_with_the_information_matrix(two):
    draws = make_draws(two, 60, method="bootstrap").draws
    ratios = draws.fluxes.std(0) / two.flux_errors
    assert np.all((ratios > 0.6) & (ratios < 1.5))


def test_resampled_photons_are_as_many_on_average(two):
    total = two.observations[0].n_photons
    found = resampled(two.observations, np.random.default_rng(0))[0].n_photons
    assert found == pytest.approx(total, abs=5 * np.sqrt(total))


# Doors, commands and files


def test_stored_draws_are_taken(two):
    with_draws = two.errors(7, method="laplace")
    assert draws_of(with_draws) is with_draws.draws
    assert len(draws_of(two, 9)) == 9


@pytest.mark.parametrize("changes", [{"draws": 0}, {"method": "guess"}, {"seed": -1}])
def test_options_that_cannot_be_are_refused(two, changes):
    with pytest.raises(InputError):
        two.errors(**changes)


@pytest.fixture
def model(two, tmp_path):
    """A model file without draws."""
    path = tmp_path / "m.h5"
    two.write(path)
    return path


def test_the_command_rewrites_its_model(model, two):
    before = gmmx.read(model)
    assert run("errors", model, "--draws", "11").exit_code == 0
    after = gmmx.read(model)
    assert len(after.draws) == 11
    assert np.array_equal(before.mixture.fluxes, after.mixture.fluxes)
    assert np.array_equal(after.draws.fluxes, two.errors(11).draws.fluxes)


def test_draws_are_replaced_by_others(model):
    run("errors", model, "--draws", "11")
    run("errors", model, "--draws", "5", "--seed", "2")
    assert len(gmmx.read(model).draws) == 5


def test_out_leaves_the_model_as_it_is(model):
    content = model.read_bytes()
    copy = model.with_name("copy.h5")
    assert run("errors", model, "--draws", "3", "--out", copy).exit_code == 0
    assert model.read_bytes() == content
    assert len(gmmx.read(copy).draws) == 3
    assert run("errors", model, "--out", copy).exit_code == 1


def test_a_fit_without_background_or_field_has_draws():
    x, y = np.random.default_rng(0).normal(0.0, 5.0, (2, 500))
    result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    draws = result.errors(100).draws
    assert draws.amplitudes.shape == (100, 0)
    assert draws.fluxes.std() == pytest.approx(np.sqrt(500), rel=0.3)


def test_options_of_a_model_of_another_version_do_not_matter(two):
    odd = replace(two, options={**two.options, "events": ["a.fits"], "init": "gone.h5"})
    assert len(draws_of(odd, 3)) == 3


# Coverage


@pytest.mark.slow
def test_intervals_of_68_percent_hold_the_flux_and_the_position_as_often_as_they_say():
    held = []
    for seed in range(60):
        result = make_result((600, -20, 5, 6), (250, 25, -10, 4), seed=seed, n_components=2)
        draws = make_draws(result, 200, seed=seed).draws
        truths = np.array([[600, -20, 5], [250, 25, -10]])
        values = np.dstack([draws.fluxes[:, :2], draws.means[:, :2, 0], draws.means[:, :2, 1]])
        low, high = np.percentile(values, [16, 84], axis=0)
        held.append((low <= truths) & (truths <= high))
    # 360 intervals of 68 %: three standard errors are 7.4 %.
    assert abs(np.mean(held) - 0.68) < 0.08
