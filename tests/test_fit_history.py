"""What a fit does on its way: history, path, callback, and the same bits again."""

from dataclasses import asdict, replace

import numpy as np
import pytest
from four_components import FOUR, bumps, make_four, quiet_fit
from numpy.testing import assert_allclose, assert_array_equal
from simulated import rotation
from skies import small_galaxy

from gmmx.config import FitOptions
from gmmx.fitting.driver import fit
from gmmx.fitting.problem import Problem
from gmmx.model.background import Background
from gmmx.model.mixture import Mixture
from gmmx.model.photons import Photons
from gmmx.model.result import PATH_COLUMNS
from gmmx.plane.grid import PixelGrid

# test_information.py is about the correlation of background and signal.
pytestmark = pytest.mark.filterwarnings("ignore::gmmx.errors.DegeneracyWarning")


@pytest.fixture(scope="module", params=["grow", "kmeans"])
def result(request):
    return quiet_fit(make_four(2, bumps()), n_components=8, init=request.param, tol=1e-3)


def test_the_objective_never_falls_within_a_phase(result):
    history = result.history
    within = np.diff(history["phase"]) == 0
    assert np.all(np.diff(history["objective"])[within] >= 0)
    assert np.all(history["stage"][1:][within] == history["stage"][:-1][within])


def test_steps_stay_within_their_phase(result):
    history = result.history
    is_step = np.isin(history["step"][1:], ["em", "quasi-newton"])
    assert is_step.sum() > 20
    assert np.all(np.diff(history["phase"])[is_step] == 0)


def test_phases_are_counted(result):
    number = result.history["phase"]
    assert number.dtype.kind == "i"
    assert np.all(np.diff(number) >= 0)
    assert len(np.unique(number)) > 3


def test_the_history_ends_with_the_result(result):
    history = result.history
    assert {len(column) for column in history.values()} == {len(history["k"])}
    assert history["objective"][-1] == result.objective
    assert history["log_likelihood"][-1] == result.log_likelihood
    assert history["k"][-1] == len(result.mixture)


@pytest.fixture(scope="module", params=["auto", 12])
def fitted(request):
    """What was asked for, the observation, and the result."""
    observation = small_galaxy(2, n=3000).train
    return request.param, observation, quiet_fit(observation, n_components=request.param)


def test_the_path_begins_at_the_start_and_ends_with_the_result(fitted):
    _, _, result = fitted
    path = result.path
    assert tuple(path) == PATH_COLUMNS
    assert {len(column) for column in path.values()} == {len(path["k"])}
    assert (path["stage"][0], path["k"][0], path["stage"][-1]) == ("start", 0, "final")
    assert path["k"][-1] == len(result.mixture)
    assert path["log_likelihood"][-1] == result.log_likelihood


def test_the_criterion_of_the_path_is_log_l_less_the_price_of_all_components(fitted):
    _, observation, result = fitted
    path = result.path
    price = Problem.of(observation, FitOptions()).price.of(result.mixture).sum()
    assert_allclose(path["criterion"][-1], path["log_likelihood"][-1] - price)
    assert_allclose(path["criterion"][0], path["log_likelihood"][0])


def test_the_path_has_the_stages_of_the_fit(fitted):
    k, _, result = fitted
    pruned = ["prune"] if k == "auto" else []
    assert list(dict.fromkeys(result.path["stage"].tolist())) == [
        *("start", "grow", "settle", "exchange"),
        *pruned,
        "final",
    ]


def test_growing_only_adds_components(fitted):
    _, _, result = fitted
    path = result.path
    grown = path["k"][(path["stage"] == "grow") & path["accepted"]]
    assert np.all(np.diff(grown) > 0)


def test_exchanges_are_counted(fitted):
    _, _, result = fitted
    refinement = result.refinement
    tried = (result.path["stage"] == "exchange").sum()
    assert refinement["exchanges_tried"] == tried > 0
    assert refinement["exchanges_accepted"] <= tried


def test_the_chosen_number_has_the_best_criterion(fitted):
    k, _, result = fitted
    if k != "auto":
        pytest.skip("the number was given")
    path = result.path
    # The last settling may gain a little, or give a little back to the priors.
    assert path["criterion"][-1] > path["criterion"].max() - 1.0
    steps = np.diff(path["k"][path["accepted"]])
    assert result.refinement["pruned"] == -steps[steps < 0].sum()


def test_a_fit_of_given_components_has_a_short_path():
    result = quiet_fit(make_four(), start=FOUR)
    assert result.path["stage"].tolist() == ["start", "settle", "final"]
    assert result.path["k"].tolist() == [4, 4, 4]
    assert set(result.refinement.values()) == {0}


def test_the_callback_is_given_every_accepted_iterate():
    iterates = []
    result = fit(make_four(), n_components=4, threads=1, callback=iterates.append)
    assert len(iterates) == len(result.history["k"])
    assert_array_equal([one.objective for one in iterates], result.history["objective"])
    assert np.all(np.diff([one.iteration for one in iterates]) >= 0)
    assert_array_equal(iterates[-1].mixture.means, result.mixture.means)


def test_the_callback_may_stop_the_fit():
    def stop(iterate):
        if iterate.iteration > 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(make_four(), n_components=4, threads=1, callback=stop)


def test_the_result_has_the_options_and_how_the_fit_ended():
    observation = replace(make_four(), backgrounds=(Background(amplitude=0.03, fixed=True),))
    result = fit(observation, n_components=4, seed=11, threads=1)
    assert (result.seed, result.options["seed"]) == (11, 11)
    assert (result.options["n_components"], result.options["min_sigma"]) == (4, 0.1)
    assert result.seconds > 0
    assert result.iterations >= len(result.history["k"]) - 1
    assert "0.1 nat" in result.stop_reason
    assert result.warnings == ()


@pytest.mark.parametrize("init", ["grow", "kmeans"])
@pytest.mark.parametrize("threads", [1, 2])
def test_repeats_on_any_number_of_threads_agree_to_the_bit(init, threads):
    observation = make_four(3, bumps())
    assert len(observation.photons) > 2000
    options = {"n_components": 6, "init": init, "seed": 5, "max_iter": 40, "exchanges": 1}
    one = quiet_fit(observation, threads=1, **options)
    other = quiet_fit(observation, threads=threads, **options)
    for name in ("fluxes", "means", "covariances"):
        assert_array_equal(getattr(one.mixture, name), getattr(other.mixture, name))
    assert list(map(asdict, one.backgrounds)) == list(map(asdict, other.backgrounds))
    for name in ("objective", "log_likelihood", "iterations", "signal_error"):
        assert getattr(one, name) == getattr(other, name)


def means_for_seeds(seeds, **options):
    return [quiet_fit(make_four(), seed=seed, **options).mixture.means for seed in seeds]


def test_the_seed_changes_a_k_means_start():
    one, two = means_for_seeds((1, 2), n_components=6, init="kmeans", max_iter=1)
    assert one.shape != two.shape or np.abs(one - two).max() > 0.1


def test_the_seed_does_not_change_a_grown_fit():
    one, two = means_for_seeds((1, 2), n_components=3, exchanges=0)
    assert_array_equal(one, two)


def test_the_order_of_the_photons_does_not_matter():
    observation = make_four(4)
    shuffle = np.random.default_rng(0).permutation(len(observation.photons))
    other = replace(observation, photons=observation.photons.select(shuffle))
    one, two = (quiet_fit(o, n_components=4, tol=1e-6) for o in (observation, other))
    assert two.objective == pytest.approx(one.objective, abs=1e-3)
    assert_allclose(two.mixture.fluxes, one.mixture.fluxes, rtol=1e-3)
    assert_allclose(two.mixture.means, one.mixture.means, atol=1e-2)


@pytest.mark.parametrize(("angle", "shift"), [(90, (0.0, 0.0)), (217, (400.0, -30.0))])
def test_a_turned_and_shifted_sky_gives_a_turned_and_shifted_fit(angle, shift):
    observation = make_four(5, bumps())
    turn, shift = rotation(angle), np.array(shift)
    points = np.stack([observation.photons.x, observation.photons.y], axis=1) @ turn.T + shift
    grid = observation.completeness.grid
    turned = PixelGrid(
        shape=grid.shape, origin=turn @ grid.origin + shift, matrix=turn @ grid.matrix
    )
    other = replace(
        observation,
        photons=Photons(*points.T),
        completeness=replace(observation.completeness, grid=turned),
    )
    start = Mixture(
        fluxes=FOUR.fluxes, means=FOUR.means @ turn.T + shift, covariances=FOUR.covariances
    )
    one, two = quiet_fit(observation, start=FOUR, tol=1e-6), quiet_fit(other, start=start, tol=1e-6)
    assert two.objective == pytest.approx(one.objective, abs=1e-3)
    assert_allclose(two.mixture.fluxes, one.mixture.fluxes, rtol=1e-3)
    assert_allclose(two.mixture.means, one.mixture.means @ turn.T + shift, atol=1e-2)
    covariances = turn @ one.mixture.covariances @ turn.T
    assert_allclose(two.mixture.covariances, covariances, rtol=1e-2, atol=0.05)
