"""One iteration: against its twin, and what must hold of any."""

from dataclasses import replace

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from simulated import random_completeness, random_mixture, random_observation, rotation

from gmmx.em.maximise import evaluate, floored
from gmmx.em.parameters import Parameters, Priors
from gmmx.em.photons import PhotonLikelihood
from gmmx.em.tiles import TILE, tile
from gmmx.errors import InputError
from gmmx.model.background import Background
from gmmx.model.completeness import Completeness
from gmmx.model.mixture import Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.model.psf import PsfModel
from gmmx.model.pyramid import Pyramid
from gmmx.plane.grid import PixelGrid, SkyImage

PRIORS = Priors(mean_count=1.0, covariance_count=3.0, min_sigma=0.1)
NO_PRIORS = Priors(mean_count=0.0, covariance_count=0.0, min_sigma=0.01)


def one_step(observations, mixture, amplitudes=None, priors=PRIORS):
    """One evaluation at a mixture."""
    prepared = PhotonLikelihood.of(observations)
    if amplitudes is None:
        amplitudes = [np.full(len(o.backgrounds), 0.1) for o in observations]
    parameters = Parameters(
        mixture=mixture, amplitudes=tuple(np.asarray(a, float) for a in amplitudes)
    )
    return evaluate(prepared, parameters, prepared.begin_phase(parameters, priors))


def assert_same_step(one, two, *, rtol=1e-9, turn=None, shift=(0.0, 0.0), flux=1.0):
    """Two evaluations agree, the second one's sky turned and shifted."""
    turn = np.eye(2) if turn is None else turn
    assert_allclose(two.log_likelihood, one.log_likelihood, rtol=rtol)
    assert_allclose(two.objective, one.objective, rtol=rtol)
    assert_allclose(two.observed, flux * one.observed, rtol=rtol)
    assert_allclose(two.observed_fraction, one.observed_fraction, rtol=rtol)
    mine, other = one.successor, two.successor
    assert_allclose(other.mixture.fluxes, flux * mine.mixture.fluxes, rtol=rtol)
    assert_allclose(
        other.mixture.means, mine.mixture.means @ turn.T + shift, rtol=rtol, atol=10 * rtol
    )
    assert_allclose(
        other.mixture.covariances,
        turn @ mine.mixture.covariances @ turn.T,
        rtol=rtol,
        atol=10 * rtol,
    )
    for a, b in zip(mine.amplitudes, other.amplitudes, strict=True):
        assert_allclose(b, a, rtol=rtol)


def test_exposure_moments_against_brute_force():
    completeness = random_completeness(np.random.default_rng(0), angle=20)
    pyramid = Pyramid.of(completeness.grid, completeness.effective / 1000)
    # From far narrower than a cell to as wide as the field.
    means = np.array([[0.1, 0.2], [3.0, -0.1], [3.9, -2.0], [0.0, 0.0], [14.0, 3.0]])
    sigmas = np.array([0.1, 0.3, 1.0, 4.0, 8.0])
    covariances = (sigmas**2)[:, None, None] * (rotation(40) @ np.diag([1.0, 0.5]) @ rotation(-40))
    found = pyramid.moments(means, covariances, pyramid.levels(covariances))
    expected = [
        reference.exposure_integrals(
            pyramid.values[:3600].reshape(60, 60), completeness.grid, *view
        )
        for view in zip(means, covariances, strict=True)
    ]
    # The design's bound for a third of a sigma to a cell: 0.16 % of the whole with sharp edges.
    assert_allclose(
        found / sigmas[:, None] ** [0, 1, 1, 2, 2, 2],
        expected / sigmas[:, None] ** [0, 1, 1, 2, 2, 2],
        atol=3e-3,
    )


def test_coarse_levels_are_used_and_keep_the_outline_of_the_map():
    pyramid = Pyramid.of(PixelGrid.covering((0, 200), (0, 150), 1.0), np.ones((150, 200)))
    levels = pyramid.levels(np.array([0.5, 3.5, 11.5, 13.0, 1e6])[:, None, None] ** 2 * np.eye(2))
    # 150, 75, 38 and 19 cells; 10 are too few.
    assert_array_equal(levels, [-6, 0, 1, 2, 3])
    assert_allclose(
        pyramid.moments(np.array([[100.0, 75.5]]), np.array([12.0 * np.eye(2)]), levels[1:2])[0, 0],
        1.0,
        atol=2e-6,
    )


@pytest.mark.parametrize("sigma", [15, 40, 90, 200, 500])
def test_a_view_that_the_edge_of_the_field_cuts_is_integrated_as_exactly_as_a_background(sigma):
    # A tenth of a per cent of 100,000 photons is 100 nats: a broad component must not be paid for standing in for the background.
    grid = PixelGrid.covering((-150, 150), (-150, 150), 1.0)
    x, y = grid.centres()
    omega = (
        (1 - 0.3 * np.hypot(x, y) / 210)
        * (np.abs(x + 0.4 * y) < 117)
        * (np.abs(y - 0.4 * x) < 117)
        * (np.abs(x - 0.3 * y) > 2)
    )
    pyramid = Pyramid.of(grid, omega)
    means = np.array([[0.0, 0.0], [20.0, -45.0], [110.0, 60.0]])
    covariances = np.array(
        [
            sigma**2 * rotation(a) @ np.diag([1.0, q]) @ rotation(-a)
            for a, q in ((0, 1.0), (25, 0.5), (70, 0.8))
        ]
    )
    levels = pyramid.levels(covariances)
    assert levels.min() > 0
    found = pyramid.moments(means, covariances, levels)
    expected = []
    for mean, covariance in zip(means, covariances, strict=True):
        # Views so much wider than a pixel are exact by their values at the centres.
        offsets = np.stack([x - mean[0], y - mean[1]], axis=-1)
        density = np.exp(
            -0.5 * np.einsum("yxi,ij,yxj->yx", offsets, np.linalg.inv(covariance), offsets)
        ) / (2 * np.pi * np.sqrt(np.linalg.det(covariance)))
        dx, dy = offsets[..., 0], offsets[..., 1]
        expected.append(
            [np.sum(omega * density * factor) for factor in (1, dx, dy, dx * dx, dx * dy, dy * dy)]
        )
    expected, scale = np.array(expected), float(sigma) ** np.array([0, 1, 1, 2, 2, 2])
    assert_allclose(found[:, 0], expected[:, 0], rtol=1e-3)
    assert_allclose(found / scale, expected / scale, atol=3e-4)


def test_moments_of_the_exposure_are_the_derivatives_of_its_integral():
    rng = np.random.default_rng(4)
    pyramid = Pyramid.of(
        PixelGrid.covering((-150, 150), (-150, 150), 1.0), rng.uniform(size=(300, 300))
    )
    mean, covariance = np.array([[30.0, -60.0]]), np.array([[[900.0, 200.0], [200.0, 700.0]]])
    level = pyramid.levels(covariance)
    e, inverse = pyramid.moments(mean, covariance, level)[0], np.linalg.inv(covariance[0])
    second = np.array([[e[3], e[4]], [e[4], e[5]]])
    slopes = 0.5 * inverse @ (second - e[0] * covariance[0]) @ inverse
    for change in np.array([[[1.0, 0], [0, 0]], [[0, 1.0], [1.0, 0]], [[0, 0], [0, 1.0]]]):
        up, down = (
            pyramid.moments(mean, covariance + sign * 0.1 * change, level)[0, 0] for sign in (1, -1)
        )
        assert (up - down) / 0.2 == pytest.approx(np.sum(slopes * change), rel=1e-5)
    for axis in range(2):
        up, down = (
            pyramid.moments(mean + sign * 0.01 * np.eye(2)[axis], covariance, level)[0, 0]
            for sign in (1, -1)
        )
        assert (up - down) / 0.02 == pytest.approx((inverse @ e[1:3])[axis], rel=1e-5)


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10**6))
def test_plain_iterations_never_lower_the_objective(seed):
    rng = np.random.default_rng(seed)
    observations = [
        random_observation(seed, m=int(rng.integers(1, 4)), backgrounds=(Background(),)),
        random_observation(seed + 1, n=90),
    ]
    prepared = PhotonLikelihood.of(observations)
    parameters = Parameters(
        mixture=random_mixture(rng, 4), amplitudes=(np.array([0.05]), np.zeros(0))
    )
    phase = prepared.begin_phase(parameters, PRIORS)
    before = -np.inf
    for _ in range(25):
        if not phase.holds(parameters):
            break
        now = evaluate(prepared, parameters, phase)
        assert now.objective >= before - 1e-7
        before, parameters = now.objective, now.successor


def test_responsibilities_sum_to_the_photons():
    observation = random_observation(
        4, m=2, backgrounds=(Background(), Background(name="particle", kind="particle"))
    )
    step = one_step([observation], random_mixture(np.random.default_rng(1), 3))
    prepared = PhotonLikelihood.of([observation])
    assert step.observed.sum() + step.successor.amplitudes[0] @ prepared[
        0
    ].integrals == pytest.approx(observation.n_photons, rel=1e-12)


@pytest.mark.parametrize("backgrounds", [(), (Background(),)])
def test_order_of_photons_and_components_does_not_matter(backgrounds):
    rng = np.random.default_rng(8)
    observation, mixture = (
        random_observation(7, n=900, m=2, backgrounds=backgrounds),
        random_mixture(rng, 4),
    )
    step = one_step([observation], mixture)
    shuffled = rng.permutation(len(observation.photons))
    again = replace(
        observation,
        photons=observation.photons.select(shuffled),
    )
    assert_same_step(step, one_step([again], mixture))
    order = np.array([2, 0, 3, 1])
    turned = one_step([observation], mixture.select(order))
    assert_allclose(
        turned.successor.mixture.means, step.successor.mixture.means[order], rtol=1e-9, atol=1e-9
    )
    assert_allclose(
        turned.successor.mixture.covariances,
        step.successor.mixture.covariances[order],
        rtol=1e-9,
        atol=1e-9,
    )
    assert turned.objective == pytest.approx(step.objective, rel=1e-10)


@pytest.mark.parametrize("angle", [0, 90, 217])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (310.7, -55.2)])
def test_turned_and_shifted_sky(angle, shift):
    turn, shift = rotation(angle), np.array(shift)
    observation, mixture = (
        random_observation(5, m=2, backgrounds=(Background(),)),
        random_mixture(np.random.default_rng(6), 3),
    )

    def moved(grid):
        return PixelGrid(
            shape=grid.shape, origin=turn @ grid.origin + shift, matrix=turn @ grid.matrix
        )

    points = np.stack([observation.photons.x, observation.photons.y], axis=1) @ turn.T + shift
    psf, c = observation.psf, observation.completeness
    # Cubature takes two points along each column of a Cholesky factor, which does not turn with the sky; a PSF that is the same everywhere does.
    psf = replace(
        psf,
        grid=PixelGrid(shape=(1, 1), origin=np.zeros(2), matrix=np.eye(2)),
        weights=psf.weights[:1, :1],
        covariances=psf.covariances[:1, :1],
    )
    there = replace(
        observation,
        photons=replace(observation.photons, x=points[:, 0], y=points[:, 1]),
        psf=replace(psf, grid=moved(psf.grid), covariances=turn @ psf.covariances @ turn.T),
        completeness=replace(c, grid=moved(c.grid)),
    )
    sky = Mixture(
        fluxes=mixture.fluxes,
        means=mixture.means @ turn.T + shift,
        covariances=turn @ mixture.covariances @ turn.T,
    )
    assert_same_step(
        one_step([replace(observation, psf=psf)], mixture),
        one_step([there], sky),
        turn=turn,
        shift=shift,
        rtol=1e-8,
    )


def test_full_completeness_without_psf_is_the_textbook():
    observation = random_observation(9, n=250, psf=False, completeness=False)
    observation = replace(
        observation,
        photons=replace(observation.photons, weights=np.ones(len(observation.photons))),
    )
    mixture = random_mixture(np.random.default_rng(2), 3, photons=250)
    step = one_step([observation], mixture, priors=NO_PRIORS)
    points = np.stack([observation.photons.x, observation.photons.y], axis=1)
    weights, means, covariances = reference.expectation_maximisation(
        points, mixture.fluxes / 250, mixture.means, mixture.covariances
    )
    assert_allclose(step.successor.mixture.fluxes, 250 * weights, rtol=1e-9)
    assert_allclose(step.successor.mixture.means, means, rtol=1e-9, atol=1e-9)
    assert_allclose(step.successor.mixture.covariances, covariances, rtol=1e-9, atol=1e-9)
    assert_array_equal(step.observed_fraction, 1)


@pytest.mark.parametrize("step", [0.7, 20.0])
def test_nothing_is_missing_from_a_huge_complete_field(step):
    grid = PixelGrid.covering((-200, 200), (-200, 200), step)
    open_field = random_observation(9, completeness=False)
    mixture = random_mixture(np.random.default_rng(2), 3)
    field = replace(open_field, completeness=Completeness(grid=grid, exposure=np.ones(grid.shape)))
    one, two = one_step([open_field], mixture), one_step([field], mixture)
    # Beyond 6 standard deviations lie exp(-18) of the photons and some 40 times as much of the variance.
    assert_allclose(two.observed_fraction, 1, atol=1e-7)
    assert two.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-4)
    assert_allclose(two.successor.mixture.means, one.successor.mixture.means, atol=1e-5)
    assert_allclose(
        two.successor.mixture.covariances, one.successor.mixture.covariances, rtol=1e-5, atol=1e-5
    )


def test_weight_two_is_two_photons():
    observation, mixture = (
        random_observation(3, backgrounds=(Background(),)),
        random_mixture(np.random.default_rng(4), 3),
    )
    double = np.random.default_rng(5).random(len(observation.photons)) < 0.4
    weighted = replace(
        observation, photons=replace(observation.photons, weights=np.where(double, 2.0, 1.0))
    )
    twice = replace(
        observation,
        photons=Photons(
            np.concatenate([observation.photons.x, observation.photons.x[double]]),
            np.concatenate([observation.photons.y, observation.photons.y[double]]),
            weights=np.ones(len(double) + double.sum()),
        ),
    )
    assert_same_step(one_step([weighted], mixture), one_step([twice], mixture))


def test_two_equal_psf_gaussians_are_one():
    observation, mixture = (
        random_observation(3, m=1, backgrounds=(Background(),)),
        random_mixture(np.random.default_rng(4), 3),
    )
    psf = observation.psf
    twin = replace(
        psf,
        weights=np.repeat(psf.weights, 2, -1) * [0.3, 0.7],
        covariances=np.repeat(psf.covariances, 2, axis=2),
    )
    assert_same_step(
        one_step([observation], mixture), one_step([replace(observation, psf=twin)], mixture)
    )


def test_two_half_exposures_are_one():
    observation, mixture = (
        random_observation(6, m=2, backgrounds=(Background(),)),
        random_mixture(np.random.default_rng(4), 3),
    )
    c = observation.completeness
    first = np.arange(len(observation.photons)) % 2 == 0
    halves = [
        replace(
            observation,
            photons=observation.photons.select(part),
            completeness=replace(c, exposure=c.exposure / 2),
        )
        for part in (first, ~first)
    ]
    one, two = one_step([observation], mixture), one_step(halves, mixture)
    assert PhotonLikelihood.of(halves).reference_exposure == pytest.approx(
        PhotonLikelihood.of([observation]).reference_exposure
    )
    # Each half has its own background, at first the same.
    whole = one.successor.amplitudes[0]
    prepared = PhotonLikelihood.of(halves)
    parts = sum(a @ p.integrals for a, p in zip(two.successor.amplitudes, prepared, strict=True))
    assert parts == pytest.approx(
        float(whole @ PhotonLikelihood.of([observation])[0].integrals), rel=1e-9
    )
    single = replace(one, successor=replace(one.successor, amplitudes=()))
    assert_same_step(single, replace(two, successor=replace(two.successor, amplitudes=())))


def test_held_background_stays():
    observation = random_observation(
        3,
        backgrounds=(
            Background(amplitude=0.2, fixed=True),
            Background(name="particle", kind="particle"),
        ),
    )
    step = one_step([observation], random_mixture(np.random.default_rng(4), 3), [[0.2, 0.1]])
    assert step.successor.amplitudes[0][0] == 0.2
    assert step.successor.amplitudes[0][1] != 0.1
    assert step.gradient.log_amplitudes[0][0] == 0


@pytest.mark.parametrize("n", [0, 1, 255, 256, 257, 5000])
def test_tiles_hold_every_photon_once_in_its_box(n):
    rng = np.random.default_rng(n)
    x, y = rng.normal(0, 5, (2, n))
    order, tiles, boxes, blocks = tile(x, y)
    assert_array_equal(np.sort(order), np.arange(n))
    assert tiles[0] == 0
    assert tiles[-1] == n
    assert np.all(np.diff(tiles) <= TILE)
    assert (blocks[0], blocks[-1]) == (0, len(tiles) - 1)
    assert np.all(np.diff(blocks) > 0)
    owner = np.repeat(np.arange(len(tiles) - 1), np.diff(tiles))
    for axis, values in enumerate((x[order], y[order])):
        assert np.all(np.abs(values - boxes[owner, axis]) <= boxes[owner, axis + 2] + 1e-12)


def test_floor_keeps_the_wide_axis():
    covariances = rotation(30) @ np.diag([9.0, 1e-6]) @ rotation(-30)
    found = floored(covariances[None], 0.1)[0]
    assert_allclose(np.linalg.eigvalsh(found), [0.01, 9.0], rtol=1e-9)
    assert_allclose(rotation(-30) @ found @ rotation(30), np.diag([9.0, 0.01]), atol=1e-9)


def test_component_that_collapses_is_stopped_at_the_floor():
    point = Observation(photons=Photons(np.full(50, 1.0), np.full(50, 2.0)))
    mixture = Mixture(
        fluxes=np.array([50.0]), means=np.array([[1.0, 2.0]]), covariances=np.array([4 * np.eye(2)])
    )
    prepared = PhotonLikelihood.of([point])
    parameters = Parameters(mixture=mixture, amplitudes=(np.zeros(0),))
    for _ in range(60):
        parameters = evaluate(
            prepared,
            parameters,
            prepared.begin_phase(parameters, replace(PRIORS, covariance_count=0.0)),
        ).successor
    assert_allclose(parameters.mixture.covariances[0], 0.01 * np.eye(2), rtol=1e-9)


def test_a_phase_holds_until_a_component_is_much_narrower():
    prepared = PhotonLikelihood.of([random_observation(1)])
    mixture = random_mixture(np.random.default_rng(0), 2)
    parameters = Parameters(mixture=mixture, amplitudes=(np.zeros(0),))
    phase = prepared.begin_phase(parameters, PRIORS)
    assert phase.holds(parameters)
    assert phase.holds(
        replace(parameters, mixture=replace(mixture, covariances=9 * mixture.covariances))
    )
    assert not phase.holds(
        replace(parameters, mixture=replace(mixture, covariances=mixture.covariances / 20))
    )


def test_prior_scale_is_that_of_the_sharpest_psf():
    observation = random_observation(1)
    parameters = Parameters(
        mixture=random_mixture(np.random.default_rng(0), 2), amplitudes=(np.zeros(0), np.zeros(0))
    )
    sharp, broad = (replace(observation, psf=PsfModel.constant(s)) for s in (0.5, 2.0))
    prepared = PhotonLikelihood.of([broad, sharp])
    assert_allclose(prepared.begin_phase(parameters, PRIORS).prior_scales, 0.25, rtol=1e-6)
    prepared = PhotonLikelihood.of([replace(observation, psf=None), broad])
    assert_allclose(
        prepared.begin_phase(parameters, PRIORS).prior_scales, PRIORS.min_sigma**2, rtol=1e-6
    )


def test_photons_on_zero_exposure_are_refused():
    observation = random_observation(1)
    stray = replace(
        observation,
        photons=Photons(
            np.append(observation.photons.x, 500.0),
            np.append(observation.photons.y, 0.0),
            weights=np.append(observation.photons.weights, 1.0),
        ),
    )
    with pytest.raises(InputError, match=r"1 photons lie where the exposure is zero.*exposed"):
        PhotonLikelihood.of([stray])


def test_background_without_open_sky_is_refused():
    grid = PixelGrid.covering((0, 4), (0, 4), 1.0)
    shape = SkyImage(grid=grid, values=np.zeros(grid.shape))
    observation = Observation(
        photons=Photons(np.array([1.0]), np.array([1.0])),
        completeness=Completeness(grid=grid, exposure=np.ones(grid.shape)),
        backgrounds=(Background(name="streak", kind="file", template=shape),),
    )
    with pytest.raises(InputError, match="no open sky"):
        PhotonLikelihood.of([observation])
