"""Whole fits of small skies."""

import warnings
from dataclasses import asdict, replace

import numpy as np
import pytest
import reference
from numpy.testing import assert_allclose, assert_array_equal
from simulated import drawn, field, mixture_of, random_mixture, random_observation, rotation
from skies import small_galaxy

from gmmx.errors import ConvergenceWarning, DataWarning, DegeneracyWarning, InputError
from gmmx.fitting.driver import fit
from gmmx.model.background import Background
from gmmx.model.mixture import Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.model.pointing import InputFile, Pointing
from gmmx.model.psf import PsfModel
from gmmx.model.result import PATH_COLUMNS
from gmmx.plane.grid import PixelGrid

# How sure the background is, is the matter of test_information.py.
pytestmark = pytest.mark.filterwarnings("ignore::gmmx.errors.DegeneracyWarning")

SKY = (Background(),)
FOUR = mixture_of((1500, -40, -30, 3), (900, 35, 20, 8), (600, 30, -45, 1.5), (400, -35, 45, 12))


def four(seed=0, *, field_of=None, level=0.03, **options):
    """FOUR components on a flat sky, blurred by 0.8 arcsec."""
    completeness = field(200, 2.0) if field_of is None else field_of
    return drawn(
        FOUR,
        completeness,
        np.random.default_rng(seed),
        psf=PsfModel.constant(0.8),
        sky=level,
        backgrounds=SKY,
        **options,
    )


def quiet(observations, **options):
    """A fit on one thread whose warnings are not the point."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fit(observations, **({"threads": 1} | options))


def nearest(mixture, truth):
    """Index of the component nearest to each true one."""
    return np.argmin(
        np.hypot(*(truth.means[:, None] - mixture.means[None]).transpose(2, 0, 1)), axis=1
    )


def bumps():
    """An exposure with structure: falling off, a gap and a mask, on coarse cells."""
    c = field(200, 2.0, exposure=100.0)
    x, y = c.grid.centres()
    exposure = 100 * np.clip(1 - 0.004 * np.hypot(x, y), 0, None) * (np.abs(x - 10) > 4)
    return replace(
        c,
        exposure=exposure,
        open_fraction=np.where(np.hypot(x + 40, y + 24) < 5, 0.0, 1.0),
        unit="s",
    )


@pytest.mark.parametrize("init", ["grow", "kmeans"])
def test_separated_components_come_back(init):
    observation = four()
    result = fit(observation, n_components=4, init=init, seed=3, threads=1)
    assert result.converged
    assert len(result.mixture) == 4
    found = result.mixture.select(nearest(result.mixture, FOUR))
    assert_allclose(found.fluxes, FOUR.fluxes, atol=5 * np.sqrt(FOUR.fluxes.max()))
    sigma = np.sqrt(np.linalg.det(FOUR.covariances)) ** 0.5
    assert np.all(np.hypot(*(found.means - FOUR.means).T) < 5 * sigma / np.sqrt(FOUR.fluxes) + 0.1)
    assert_allclose(np.linalg.det(found.covariances) ** 0.25, sigma, rtol=0.2)
    background = result.backgrounds[0]
    assert abs(background.photons - 0.03 * 200**2) < 4 * background.photons_error
    assert abs(result.signal_photons - FOUR.fluxes.sum()) < 5 * result.signal_error
    # By falling flux, and everything beside it in the same order.
    assert np.all(np.diff(result.mixture.fluxes) <= 0)
    assert_allclose(
        result.observed_photons, result.mixture.fluxes * result.observed_fraction, rtol=0.05
    )


def test_structure_of_the_exposure_is_taken_out():
    completeness = bumps()
    result = fit(four(1, field_of=completeness), n_components=4, threads=1)
    found = result.mixture.select(nearest(result.mixture, FOUR))
    # E_ref is the map's maximum, so that fluxes are those of a field without vignetting and mask.
    assert result.reference_exposure == completeness.exposure.max()
    assert result.exposure_unit == "s"
    scale = completeness.exposure.max() / 100
    assert_allclose(found.fluxes, FOUR.fluxes, rtol=0.15)
    assert 0.97 <= scale <= 1
    # The brightest component has its middle behind the mask.
    assert result.observed_fraction[nearest(result.mixture, FOUR)[0]] < 0.75
    assert result.backgrounds[0].amplitude == pytest.approx(
        0.03, abs=4 * result.backgrounds[0].amplitude_error
    )


def test_number_of_components_is_chosen():
    result = fit(four(), threads=1)
    assert len(result.mixture) == 4
    assert result.requested_components is None
    assert result.converged


def test_more_components_than_the_photons_carry():
    one = drawn(
        mixture_of((60, 0, 0, 3)),
        field(100, 2.0),
        np.random.default_rng(0),
        sky=0.005,
        backgrounds=SKY,
    )
    with pytest.warns(
        DataWarning, match=r"the fit has \d components?, fewer than the 12 asked for"
    ):
        result = fit(one, n_components=12, threads=1)
    assert 1 <= len(result.mixture) < 12
    assert result.requested_components == 12
    assert any("12 asked for" in message for message in result.warnings)


def test_nothing_but_background():
    sky = drawn(
        mixture_of((1e-9, 0, 0, 3)),
        field(100, 2.0),
        np.random.default_rng(0),
        sky=0.1,
        backgrounds=SKY,
    )
    with pytest.warns(DataWarning, match="no significant emission"):
        result = fit(sky, threads=1)
    assert len(result.mixture) == 0
    assert result.backgrounds[0].photons == pytest.approx(sky.n_photons, rel=1e-6)
    # Emission too faint and broad to be a component could be in it.
    assert result.backgrounds[0].photons_error > 0.99 * np.sqrt(sky.n_photons)
    assert result.background_fraction == 1
    assert result.signal_photons == 0


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"n_components": 0}, "`n_components` = 0: give at least 1"),
        ({"n_components": -2}, "`n_components` = -2: give at least 1"),
        ({"init": "nearest", "n_components": 4}, "`init` = nearest: it is grow"),
        ({"init": "kmeans"}, "needs a number of components"),
        ({"init": "other.h5"}, "give its mixture as `start`"),
        ({"fix": "table.ecsv"}, "give its components as `fixed`"),
    ],
)
def test_options_that_make_no_sense(options, match):
    with pytest.raises(InputError, match=match):
        fit(four(), **options)


def test_no_photon():
    observation = four()
    with pytest.raises(InputError, match="no observation"):
        fit([])
    with pytest.raises(InputError, match="no photon"):
        fit(Observation(photons=Photons([], [])))
    with pytest.raises(InputError, match="no photon"):
        fit(
            replace(
                observation,
                photons=replace(observation.photons, weights=np.zeros(len(observation.photons))),
            )
        )
    with pytest.raises(InputError, match="no photon"):
        fit(
            replace(observation, completeness=observation.completeness.masked(np.zeros((100, 100))))
        )


def test_photons_on_zero_exposure_are_dropped_and_counted():
    observation = four()
    stray = replace(
        observation,
        photons=Photons(
            np.append(observation.photons.x, [500.0, 600.0]),
            np.append(observation.photons.y, [0.0, 0.0]),
            weights=np.ones(len(observation.photons) + 2),
        ),
    )
    result, without = (quiet(o, n_components=3, exchanges=0) for o in (stray, observation))
    assert result.observations[0].dropped == {"zero exposure": 2}
    assert result.n_photons == observation.n_photons
    assert_array_equal(result.mixture.means, without.mixture.means)


def test_too_few_iterations_are_said():
    with pytest.warns(ConvergenceWarning, match="has not converged: 3 evaluations were not enough"):
        result = fit(four(), start=FOUR, max_iter=3, tol=1e-9, threads=1)
    assert not result.converged
    assert "3 evaluations" in result.stop_reason
    assert result.iterations <= 10


@pytest.mark.parametrize("init", ["grow", "kmeans"])
def test_objective_never_falls_within_a_phase(init):
    result = quiet(four(2, field_of=bumps()), n_components=8, init=init, tol=1e-3)
    history = result.history
    assert {len(column) for column in history.values()} == {len(history["k"])}
    same_phase = np.isin(history["step"][1:], ["em", "quasi-newton"])
    assert same_phase.sum() > 20
    assert np.all(np.diff(history["objective"])[same_phase] >= 0)
    number = history["phase"]
    assert number.dtype.kind == "i"
    assert np.all(np.diff(number) >= 0)
    assert len(np.unique(number)) > 3
    within = np.diff(number) == 0
    # Within a phase only the first entry is no step; nothing falls, be it a step or not.
    assert np.all(np.diff(history["objective"])[within] >= 0)
    assert np.all(history["stage"][1:][within] == history["stage"][:-1][within])
    assert within.sum() >= same_phase.sum()
    assert history["objective"][-1] == result.objective
    assert history["log_likelihood"][-1] == result.log_likelihood
    assert history["k"][-1] == len(result.mixture)


@pytest.mark.parametrize("k", ["auto", 12])
def test_path_tells_how_the_number_of_components_came_about(k):
    observation = small_galaxy(2, n=3000).train
    result = quiet(observation, n_components=k)
    path = result.path
    assert tuple(path) == PATH_COLUMNS
    assert {len(column) for column in path.values()} == {len(path["k"])}
    assert (path["stage"][0], path["k"][0], path["stage"][-1]) == ("start", 0, "final")
    assert (path["k"][-1], path["log_likelihood"][-1]) == (
        len(result.mixture),
        result.log_likelihood,
    )
    assert_allclose(
        path["criterion"], path["log_likelihood"] - 3 * np.log(observation.n_photons) * path["k"]
    )
    phases = list(dict.fromkeys(path["stage"].tolist()))
    assert phases == [
        "start",
        "grow",
        "settle",
        "exchange",
        *(["prune"] if k == "auto" else []),
        "final",
    ]
    # Growth only ever adds.
    grown = path["k"][(path["stage"] == "grow") & path["accepted"]]
    assert np.all(np.diff(grown) > 0)
    refinement = result.refinement
    assert refinement["exchanges_tried"] == (path["stage"] == "exchange").sum() > 0
    assert refinement["exchanges_accepted"] <= refinement["exchanges_tried"]
    if k == "auto":
        # What is chosen is what is worth most of all that was looked at, but for what the last settling gains or gives back to the priors.
        assert path["criterion"][-1] > path["criterion"].max() - 1.0
        taken = path["k"][path["accepted"]]
        assert refinement["pruned"] == -sum(min(step, 0) for step in np.diff(taken).tolist())


def test_given_components_have_a_path_too():
    result = quiet(four(), start=FOUR)
    assert result.path["stage"].tolist() == ["start", "settle", "final"]
    assert result.path["k"].tolist() == [4, 4, 4]
    assert result.refinement == {
        "exchanges_tried": 0,
        "exchanges_accepted": 0,
        "exchange_gain": 0.0,
        "pruned": 0,
    }


@pytest.mark.parametrize("init", ["grow", "kmeans"])
def test_threads_and_repeats_agree_to_the_bit(init):
    observation = four(3, field_of=bumps())
    assert len(observation.photons) > 2000
    options = {"n_components": 6, "init": init, "seed": 5, "max_iter": 40, "exchanges": 1}
    one, two, again = (quiet(observation, threads=threads, **options) for threads in (1, 2, 1))
    for other in (two, again):
        assert_array_equal(one.mixture.fluxes, other.mixture.fluxes)
        assert_array_equal(one.mixture.means, other.mixture.means)
        assert_array_equal(one.mixture.covariances, other.mixture.covariances)
        assert [asdict(b) for b in one.backgrounds] == [asdict(b) for b in other.backgrounds]
        assert (one.objective, one.log_likelihood, one.iterations, one.signal_error) == (
            other.objective,
            other.log_likelihood,
            other.iterations,
            other.signal_error,
        )


def test_seed_changes_the_clusters_only():
    observation = four()
    start = [
        quiet(observation, n_components=6, init="kmeans", seed=s, max_iter=1).mixture.means
        for s in (1, 2)
    ]
    assert start[0].shape != start[1].shape or np.abs(start[0] - start[1]).max() > 0.1
    grown = [quiet(observation, n_components=3, seed=s, exchanges=0).mixture.means for s in (1, 2)]
    assert_array_equal(*grown)


def test_order_of_photons_does_not_matter():
    observation = four(4)
    shuffle = np.random.default_rng(0).permutation(len(observation.photons))
    other = replace(
        observation,
        photons=observation.photons.select(shuffle),
    )
    one, two = (quiet(o, n_components=4, tol=1e-6) for o in (observation, other))
    assert two.objective == pytest.approx(one.objective, abs=1e-3)
    assert_allclose(two.mixture.fluxes, one.mixture.fluxes, rtol=1e-3)
    assert_allclose(two.mixture.means, one.mixture.means, atol=1e-2)


@pytest.mark.parametrize(("angle", "shift"), [(90, (0.0, 0.0)), (217, (400.0, -30.0))])
def test_sky_may_turn_and_shift(angle, shift):
    observation = four(5, field_of=bumps())
    turn, shift = rotation(angle), np.array(shift)
    points = np.stack([observation.photons.x, observation.photons.y], axis=1) @ turn.T + shift
    grid = observation.completeness.grid
    moved = PixelGrid(
        shape=grid.shape, origin=turn @ grid.origin + shift, matrix=turn @ grid.matrix
    )
    other = replace(
        observation,
        photons=replace(observation.photons, x=points[:, 0], y=points[:, 1]),
        completeness=replace(observation.completeness, grid=moved),
    )
    start = Mixture(
        fluxes=FOUR.fluxes, means=FOUR.means @ turn.T + shift, covariances=FOUR.covariances
    )
    one, two = quiet(observation, start=FOUR, tol=1e-6), quiet(other, start=start, tol=1e-6)
    assert two.objective == pytest.approx(one.objective, abs=1e-3)
    assert_allclose(two.mixture.fluxes, one.mixture.fluxes, rtol=1e-3)
    assert_allclose(two.mixture.means, one.mixture.means @ turn.T + shift, atol=1e-2)
    assert_allclose(
        two.mixture.covariances, turn @ one.mixture.covariances @ turn.T, rtol=1e-2, atol=0.05
    )


def test_agrees_with_extreme_deconvolution():
    rng = np.random.default_rng(7)
    truth = mixture_of((1, -4, 0, 1.2), (1, 4, 1, 1.8), (1, 0, 7, 0.9))
    points = truth.sample(600, rng) + rng.normal(0, 0.7, (600, 2))
    start = mixture_of((200, -3, 1, 2), (200, 3, 0, 2), (200, 1, 5, 2))
    observation = Observation(
        photons=Photons(points[:, 0], points[:, 1]), psf=PsfModel.constant(0.7)
    )
    result = fit(
        observation,
        start=start,
        prior_mean_count=0,
        prior_covariance_count=0,
        min_sigma=1e-3,
        tol=1e-11,
        max_iter=5000,
        threads=1,
    )
    weights, means, covariances = reference.extreme_deconvolution(
        points,
        0.49 * np.eye(2),
        start.fluxes / 600,
        start.means,
        start.covariances,
        iterations=4000,
    )
    order = np.argsort(-weights)
    assert result.converged
    assert_allclose(result.mixture.fluxes / 600, weights[order], atol=1e-6)
    assert_allclose(result.mixture.means, means[order], atol=1e-6)
    assert_allclose(result.mixture.covariances, covariances[order], atol=1e-6)


def test_two_observations_are_better_than_one():
    half = bumps()
    pointings = [four(seed, field_of=half, name=f"pointing {seed}") for seed in (1, 2)]
    joint = fit(pointings, n_components=4, threads=1)
    assert [b.observation for b in joint.backgrounds] == ["pointing 1", "pointing 2"]
    # The reference exposure is that of both, and so are the fluxes.
    assert joint.reference_exposure == pytest.approx(2 * half.exposure.max())
    found = joint.mixture.select(nearest(joint.mixture, FOUR))
    assert_allclose(found.fluxes, 2 * FOUR.fluxes, rtol=0.15)
    assert joint.n_photons == sum(p.n_photons for p in pointings)


def test_observation_without_photons_in_a_joint_fit():
    empty = replace(four(), photons=Photons([], [], weights=[]), name="empty")
    result = quiet([four(), empty], start=FOUR)
    # It has looked as long and seen nothing.
    assert result.backgrounds[1].photons == pytest.approx(0, abs=1e-3)
    found = result.mixture.select(nearest(result.mixture, FOUR))
    # The faintest may go to the other's background, which the empty one does not speak against.
    assert_allclose(found.fluxes[:3], FOUR.fluxes[:3], rtol=0.2)
    assert result.converged


def test_held_background_is_not_fitted():
    held = replace(four(), backgrounds=(Background(amplitude=0.025, fixed=True),))
    result = fit(held, n_components=4, threads=1)
    background = result.backgrounds[0]
    assert (background.amplitude, background.amplitude_error, background.fixed) == (
        0.025,
        0.0,
        True,
    )
    assert background.correlation == 0
    assert result.observations[0].backgrounds[0].amplitude == 0.025


def test_given_amplitude_is_a_start_only():
    free = replace(four(), backgrounds=(Background(amplitude=0.3),))
    one, two = (fit(o, n_components=4, threads=1, tol=1e-4) for o in (free, four()))
    assert one.backgrounds[0].amplitude == pytest.approx(two.backgrounds[0].amplitude, rel=1e-2)
    assert one.observations[0].backgrounds[0].amplitude == one.backgrounds[0].amplitude


def test_without_background_or_map():
    bare = replace(drawn(FOUR, field(400, 2.0), np.random.default_rng(6)), completeness=None)
    result = fit(bare, n_components=4, threads=1)
    assert result.reference_exposure == 1
    assert result.backgrounds == ()
    assert result.mixture.fluxes.sum() == pytest.approx(bare.n_photons, rel=1e-3)
    assert result.background_fraction == 0


def test_grows_without_background_on_a_map():
    bare = drawn(FOUR, field(200, 2.0), np.random.default_rng(6))
    result = fit(bare, n_components=4, threads=1)
    assert len(result.mixture) == 4
    assert_allclose(result.mixture.fluxes, FOUR.fluxes, rtol=0.25)


def test_component_behind_a_mask_is_flagged():
    c = field(200, 2.0)
    x, y = c.grid.centres()
    hidden = replace(c, open_fraction=np.where(np.hypot(x - 30, y + 45) < 2.5, 0.0, 1.0))
    result = fit(four(7, field_of=hidden), start=FOUR, threads=1)
    flags = result.scarcely_observed[nearest(result.mixture, FOUR)]
    assert_array_equal(flags, [False, False, True, False])


def test_weights_are_photons():
    observation = four(8)
    twice = replace(
        observation,
        photons=replace(observation.photons, weights=np.full(len(observation.photons), 2.0)),
    )
    one, two = (
        fit(o, start=FOUR, threads=1, tol=1e-5, prior_mean_count=0, prior_covariance_count=0)
        for o in (observation, twice)
    )
    assert_allclose(two.mixture.fluxes, 2 * one.mixture.fluxes, rtol=1e-3)
    assert_allclose(two.mixture.means, one.mixture.means, atol=1e-2)
    assert two.backgrounds[0].photons_error == pytest.approx(
        np.sqrt(2) * one.backgrounds[0].photons_error, rel=0.02
    )


def test_start_from_a_result_stays_there():
    observation = four(9)
    result = fit(observation, n_components=4, threads=1)
    again = fit(result.observations[0], start=result.mixture, threads=1)
    assert again.iterations < result.iterations
    assert again.objective == pytest.approx(result.objective, abs=0.5)
    assert again.objective >= result.objective - 1e-6


def test_caller_sees_every_iterate_and_may_stop_it():
    states = []
    observation = four()
    result = fit(observation, n_components=4, threads=1, callback=states.append)
    assert len(states) == len(result.history["k"])
    assert_array_equal([s.objective for s in states], result.history["objective"])
    assert np.all(np.diff([s.iteration for s in states]) >= 0)
    assert_array_equal(states[-1].mixture.means, result.mixture.means)

    def stop(state):
        if state.iteration > 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(observation, n_components=4, threads=1, callback=stop)


def test_result_says_how_it_came_about():
    held = replace(four(), backgrounds=(Background(amplitude=0.03, fixed=True),))
    result = fit(held, n_components=4, seed=11, threads=1)
    assert result.seed == 11
    assert result.options["n_components"] == 4
    assert result.seconds > 0
    assert result.iterations >= len(result.history["k"]) - 1
    assert "0.1 nat" in result.stop_reason
    assert result.warnings == ()


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("init", ["grow", "kmeans"])
def test_hardly_any_photons(n, init):
    c = field(50, 1.0)
    observation = Observation(
        photons=Photons(np.arange(n) * 5.0, np.zeros(n)), completeness=c, backgrounds=SKY
    )
    result = quiet(observation, n_components=5, init=init)
    assert np.all(np.isfinite(result.mixture.covariances))
    assert result.signal_photons + sum(b.photons for b in result.backgrounds) == pytest.approx(
        n, rel=0.05
    )


def test_photons_in_one_place():
    observation = Observation(
        photons=Photons(np.full(200, 3.0), np.full(200, -2.0)),
        completeness=field(50, 1.0),
        backgrounds=SKY,
    )
    result = quiet(observation, n_components=2)
    assert_allclose(result.mixture.means[0], [3, -2], atol=0.1)
    # The ascent may go a thousandth below the floor.
    assert np.linalg.eigvalsh(result.mixture.covariances).min() >= 0.1**2 * (1 - 2e-3)


def test_random_skies_of_psf_mixtures():
    # Nothing to compare with: finite, converged or said, and the photons accounted for.
    for seed in range(4):
        observations = [
            random_observation(seed, n=500, m=3, backgrounds=SKY),
            random_observation(seed + 10, n=300, m=1, backgrounds=SKY, angle=40),
        ]
        result = quiet(observations, start=random_mixture(np.random.default_rng(seed), 5), tol=1e-3)
        total = result.signal_photons + sum(b.photons for b in result.backgrounds)
        assert result.converged
        assert total == pytest.approx(result.n_photons, rel=1e-3)


def test_a_background_that_broad_components_have_swallowed_is_named():
    # Photons that fall off towards the edge, as with an exposure map that lacks the vignetting: a flat background has no part in them.
    rng = np.random.default_rng(3)
    x, y = rng.normal(0, 70, (2, 20_000))
    inside = (
        (np.abs(x) < 100) & (np.abs(y) < 100) & (rng.uniform(size=len(x)) > (x**2 + y**2) / 160**2)
    )
    observation = Observation(
        photons=Photons(x[inside], y[inside]), completeness=field(200, 2.0), backgrounds=SKY
    )
    with pytest.warns(
        DegeneracyWarning,
        match="is zero, because broad components have absorbed it: give an exposure map with `exposure`",
    ):
        fit(observation, start=mixture_of((20_000, 0, 0, 70)), threads=1)
    mapped = replace(
        observation,
        pointing=Pointing(inputs=(InputFile("exposure", "expmap.fits"),)),
    )
    with pytest.warns(
        DegeneracyWarning,
        match="absorbed it: limit the exposure map to the region where photons are recorded",
    ):
        fit(mapped, start=mixture_of((20_000, 0, 0, 70)), threads=1)


def test_a_component_that_next_to_nothing_was_seen_of_is_dropped():
    # Behind a mask of radius 25 a few photons of a component of sigma 8 would stand for any flux.
    completeness = field(200, 1.0)
    x, y = completeness.grid.centres()
    completeness = completeness.masked((np.hypot(x - 50, y) > 25).astype(float))
    rng = np.random.default_rng(5)
    observation = drawn(
        mixture_of((5000, -30, 0, 10)), completeness, rng, sky=0.05, backgrounds=SKY
    )
    start = mixture_of((5000, -30, 0, 10), (2000, 50, 0, 8))
    with pytest.warns(
        DataWarning, match="1 component, fewer than the 2 asked for: .* less than 2 % was observed"
    ):
        result = fit(observation, start=start, threads=1)
    assert len(result.mixture) == 1
    assert result.mixture.fluxes.sum() == pytest.approx(5000, rel=0.05)
