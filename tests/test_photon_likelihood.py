"""One iteration with photons: symmetries, limits, and where it agrees with simpler methods."""

from dataclasses import replace

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from simulated import random_mixture, random_observation, rotation

from gmmx.em.maximise import evaluate, floored
from gmmx.em.parameters import Parameters, Priors
from gmmx.em.photons import PhotonLikelihood
from gmmx.em.tiles import TILE, tile
from gmmx.errors import InputError
from gmmx.model.background import Background
from gmmx.model.completeness import Completeness
from gmmx.model.mixture import Fixed, Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.model.psf import PsfModel
from gmmx.plane.grid import PixelGrid, SkyImage

PRIORS = Priors(mean_count=1.0, covariance_count=3.0, min_sigma=0.1)
NO_PRIORS = Priors(mean_count=0.0, covariance_count=0.0, min_sigma=0.01)
SKY = (Background(),)


def make_parameters(mixture, *amplitudes):
    """Parameters with the amplitudes of each observation."""
    return Parameters(mixture=mixture, amplitudes=tuple(np.array(a, float) for a in amplitudes))


def one_step(observations, mixture, amplitudes=None, priors=PRIORS):
    """One evaluation at a mixture, with background amplitudes of 0.1 unless given."""
    likelihood = PhotonLikelihood.of(observations)
    if amplitudes is None:
        amplitudes = [np.full(len(o.backgrounds), 0.1) for o in observations]
    parameters = make_parameters(mixture, *amplitudes)
    return evaluate(likelihood, parameters, likelihood.begin_phase(parameters, priors))


def with_weights(observation, weights):
    """The observation with other weights of its photons."""
    return replace(observation, photons=replace(observation.photons, weights=weights))


def positions(observation):
    """Positions of the photons, (N, 2)."""
    return np.stack([observation.photons.x, observation.photons.y], axis=1)


def assert_same_step(one, two, *, rtol=1e-9, turn=None, shift=(0.0, 0.0)):
    """Two evaluations agree, the sky of the second turned and shifted."""
    turn = np.eye(2) if turn is None else turn
    for name in ("log_likelihood", "objective", "observed", "observed_fraction"):
        assert_allclose(getattr(two, name), getattr(one, name), rtol=rtol, err_msg=name)
    mine, other = one.successor.mixture, two.successor.mixture
    means, covariances = mine.means @ turn.T + shift, turn @ mine.covariances @ turn.T
    assert_allclose(other.fluxes, mine.fluxes, rtol=rtol)
    assert_allclose(other.means, means, rtol=rtol, atol=10 * rtol)
    assert_allclose(other.covariances, covariances, rtol=rtol, atol=10 * rtol)
    for a, b in zip(one.successor.amplitudes, two.successor.amplitudes, strict=True):
        assert_allclose(b, a, rtol=rtol)


def without_amplitudes(step):
    """The evaluation without the amplitudes of its successor."""
    return replace(step, successor=replace(step.successor, amplitudes=()))


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10**6))
def test_plain_iterations_never_lower_the_objective(seed):
    rng = np.random.default_rng(seed)
    likelihood = PhotonLikelihood.of(
        [
            random_observation(seed, m=int(rng.integers(1, 4)), backgrounds=SKY),
            random_observation(seed + 1, n=90),
        ]
    )
    parameters = make_parameters(random_mixture(rng, 4), [0.05], [])
    phase = likelihood.begin_phase(parameters, PRIORS)
    objectives = []
    while len(objectives) < 25 and phase.is_valid(parameters):
        now = evaluate(likelihood, parameters, phase)
        objectives.append(now.objective)
        parameters = now.successor
    assert np.all(np.diff(objectives) >= -1e-7)


def test_responsibilities_sum_to_the_photons():
    backgrounds = (*SKY, Background(name="particle", kind="particle"))
    observation = random_observation(4, m=2, backgrounds=backgrounds)
    step = one_step([observation], random_mixture(np.random.default_rng(1), 3))
    (integrals,) = PhotonLikelihood.of([observation]).integrals
    total = step.observed.sum() + step.successor.amplitudes[0] @ integrals
    assert total == pytest.approx(observation.n_photons, rel=1e-12)


@pytest.mark.parametrize("backgrounds", [(), SKY])
def test_order_of_photons_does_not_matter(backgrounds):
    rng = np.random.default_rng(8)
    observation = random_observation(7, n=900, m=2, backgrounds=backgrounds)
    mixture = random_mixture(rng, 4)
    shuffled = observation.photons.select(rng.permutation(len(observation.photons)))
    step = one_step([observation], mixture)
    assert_same_step(step, one_step([replace(observation, photons=shuffled)], mixture))


@pytest.mark.parametrize("backgrounds", [(), SKY])
def test_order_of_components_does_not_matter(backgrounds):
    observation = random_observation(7, n=900, m=2, backgrounds=backgrounds)
    mixture, order = random_mixture(np.random.default_rng(8), 4), np.array([2, 0, 3, 1])
    step, turned = (one_step([observation], m) for m in (mixture, mixture.select(order)))
    expected, found = step.successor.mixture.select(order), turned.successor.mixture
    assert_allclose(found.means, expected.means, rtol=1e-9, atol=1e-9)
    assert_allclose(found.covariances, expected.covariances, rtol=1e-9, atol=1e-9)
    assert turned.objective == pytest.approx(step.objective, rel=1e-10)


@pytest.mark.parametrize("angle", [0, 90, 217])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (310.7, -55.2)])
def test_turned_and_shifted_sky(angle, shift):
    turn, shift = rotation(angle), np.array(shift)
    observation = random_observation(5, m=2, backgrounds=SKY)
    mixture = random_mixture(np.random.default_rng(6), 3)

    def moved(grid):
        origin, matrix = turn @ grid.origin + shift, turn @ grid.matrix
        return PixelGrid(shape=grid.shape, origin=origin, matrix=matrix)

    points = positions(observation) @ turn.T + shift
    psf, c = observation.psf, observation.completeness
    # Cubature takes two points along each column of a Cholesky factor, which does not turn with the
    # sky. A PSF that is the same everywhere does.
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
    here = one_step([replace(observation, psf=psf)], mixture)
    assert_same_step(here, one_step([there], sky), turn=turn, shift=shift, rtol=1e-8)


def test_full_completeness_without_psf_is_the_textbook():
    observation = random_observation(9, n=250, psf=False, completeness=False)
    observation = with_weights(observation, np.ones(250))
    mixture = random_mixture(np.random.default_rng(2), 3, photons=250)
    step = one_step([observation], mixture, priors=NO_PRIORS)
    weights, means, covariances = reference.expectation_maximisation(
        positions(observation), mixture.fluxes / 250, mixture.means, mixture.covariances
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
    expected, found = one.successor.mixture, two.successor.mixture
    # Beyond 6 sigma lie exp(-18) of the photons and some 40 times as much of the variance.
    assert_allclose(two.observed_fraction, 1, atol=1e-7)
    assert two.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-4)
    assert_allclose(found.means, expected.means, atol=1e-5)
    assert_allclose(found.covariances, expected.covariances, rtol=1e-5, atol=1e-5)


def test_weight_two_is_two_photons():
    observation = random_observation(3, backgrounds=SKY)
    mixture, photons = random_mixture(np.random.default_rng(4), 3), observation.photons
    double = np.random.default_rng(5).random(len(photons)) < 0.4
    rows = np.concatenate([np.arange(len(photons)), np.flatnonzero(double)])
    weighted = with_weights(observation, np.where(double, 2.0, 1.0))
    twice = Photons(photons.x[rows], photons.y[rows], weights=np.ones(len(rows)))
    expected = one_step([weighted], mixture)
    assert_same_step(expected, one_step([replace(observation, photons=twice)], mixture))


def test_two_equal_psf_gaussians_are_one():
    observation = random_observation(3, m=1, backgrounds=SKY)
    mixture, psf = random_mixture(np.random.default_rng(4), 3), observation.psf
    twin = replace(
        psf,
        weights=np.repeat(psf.weights, 2, -1) * [0.3, 0.7],
        covariances=np.repeat(psf.covariances, 2, axis=2),
    )
    expected = one_step([observation], mixture)
    assert_same_step(expected, one_step([replace(observation, psf=twin)], mixture))


def test_two_half_exposures_are_one():
    observation = random_observation(6, m=2, backgrounds=SKY)
    mixture, c = random_mixture(np.random.default_rng(4), 3), observation.completeness
    first = np.arange(len(observation.photons)) % 2 == 0
    halves = [
        replace(
            observation,
            photons=observation.photons.select(part),
            completeness=replace(c, exposure=c.exposure / 2),
        )
        for part in (first, ~first)
    ]
    whole, parts = PhotonLikelihood.of([observation]), PhotonLikelihood.of(halves)
    one, two = one_step([observation], mixture), one_step(halves, mixture)
    assert parts.reference_exposure == pytest.approx(whole.reference_exposure)
    # Each half has its own background, at first the same.
    photons = sum(a @ i for a, i in zip(two.successor.amplitudes, parts.integrals, strict=True))
    expected = float(one.successor.amplitudes[0] @ whole.integrals[0])
    assert photons == pytest.approx(expected, rel=1e-9)
    assert_same_step(without_amplitudes(one), without_amplitudes(two))


def test_a_fixed_background_keeps_its_amplitude():
    backgrounds = (
        Background(amplitude=0.2, fixed=True),
        Background(name="particle", kind="particle"),
    )
    observation = random_observation(3, backgrounds=backgrounds)
    step = one_step([observation], random_mixture(np.random.default_rng(4), 3), [[0.2, 0.1]])
    assert step.successor.amplitudes[0][0] == 0.2
    assert step.successor.amplitudes[0][1] != 0.1
    assert step.gradient.log_amplitudes[0][0] == 0


@pytest.mark.parametrize("n", [0, 1, 255, 256, 257, 5000])
def test_tiles_hold_every_photon_once_in_its_box(n):
    x, y = np.random.default_rng(n).normal(0, 5, (2, n))
    order, tiles, boxes, blocks = tile(x, y)
    owner = np.repeat(np.arange(len(tiles) - 1), np.diff(tiles))
    offsets = np.abs(np.stack([x, y], axis=1)[order] - boxes[owner, :2])
    assert_array_equal(np.sort(order), np.arange(n))
    assert (tiles[0], tiles[-1]) == (0, n)
    assert np.all(np.diff(tiles) <= TILE)
    assert (blocks[0], blocks[-1]) == (0, len(tiles) - 1)
    assert np.all(np.diff(blocks) > 0)
    assert np.all(offsets <= boxes[owner, 2:] + 1e-12)


def test_floor_keeps_the_wide_axis():
    covariances = rotation(30) @ np.diag([9.0, 1e-6]) @ rotation(-30)
    found = floored(covariances[None], 0.01)[0]
    assert_allclose(np.linalg.eigvalsh(found), [0.01, 9.0], rtol=1e-9)
    assert_allclose(rotation(-30) @ found @ rotation(30), np.diag([9.0, 0.01]), atol=1e-9)


def test_component_that_collapses_is_stopped_at_the_floor():
    likelihood = PhotonLikelihood.of(
        [Observation(photons=Photons(np.full(50, 1.0), np.full(50, 2.0)))]
    )
    mixture = Mixture(fluxes=[50.0], means=[[1.0, 2.0]], covariances=[4 * np.eye(2)])
    parameters, priors = make_parameters(mixture, []), replace(PRIORS, covariance_count=0.0)
    for _ in range(60):
        phase = likelihood.begin_phase(parameters, priors)
        parameters = evaluate(likelihood, parameters, phase).successor
    assert_allclose(parameters.mixture.covariances[0], 0.01 * np.eye(2), rtol=1e-9)


@pytest.mark.parametrize(("factor", "valid"), [(1, True), (9, True), (1 / 20, False)])
def test_a_phase_is_valid_until_a_component_is_much_narrower(factor, valid):
    likelihood = PhotonLikelihood.of([random_observation(1)])
    mixture = random_mixture(np.random.default_rng(0), 2)
    phase = likelihood.begin_phase(make_parameters(mixture, []), PRIORS)
    moved = replace(mixture, covariances=factor * mixture.covariances)
    assert phase.is_valid(make_parameters(moved, [])) == valid


@pytest.mark.parametrize(
    ("sigmas", "scale"), [((2.0, 0.5), 0.25), ((None, 2.0), PRIORS.min_sigma**2)]
)
def test_prior_scale_is_that_of_the_sharpest_psf(sigmas, scale):
    psfs = [None if s is None else PsfModel.constant(s) for s in sigmas]
    likelihood = PhotonLikelihood.of([replace(random_observation(1), psf=psf) for psf in psfs])
    parameters = make_parameters(random_mixture(np.random.default_rng(0), 2), [], [])
    phase = likelihood.begin_phase(parameters, PRIORS)
    assert_allclose(phase.prior_scales, scale, rtol=1e-6)


def test_without_any_psf_covariances_have_no_prior():
    likelihood = PhotonLikelihood.of([random_observation(1, psf=False)])
    parameters = make_parameters(random_mixture(np.random.default_rng(0), 2), [])
    priors = likelihood.begin_phase(parameters, PRIORS).priors
    assert (priors.covariance_count, priors.mean_count) == (0, PRIORS.mean_count)


def test_photons_on_zero_exposure_are_refused():
    observation = random_observation(1)
    photons = observation.photons
    stray = Photons(
        np.append(photons.x, 500.0),
        np.append(photons.y, 0.0),
        weights=np.append(photons.weights, 1.0),
    )
    with pytest.raises(InputError, match=r"1 photons lie where the exposure is zero.*exposed"):
        PhotonLikelihood.of([replace(observation, photons=stray)])


def test_background_without_open_sky_is_refused():
    grid = PixelGrid.covering((0, 4), (0, 4), 1.0)
    template = SkyImage(grid=grid, values=np.zeros(grid.shape))
    observation = Observation(
        photons=Photons([1.0], [1.0]),
        completeness=Completeness(grid=grid, exposure=np.ones(grid.shape)),
        backgrounds=(Background(name="streak", kind="file", template=template),),
    )
    with pytest.raises(InputError, match="no open area"):
        PhotonLikelihood.of([observation])


def test_fixed_must_have_as_many_components_as_the_mixture():
    mixture = random_mixture(np.random.default_rng(0), 2)
    with pytest.raises(InputError, match="`fixed` has 3 components, but the mixture has 2"):
        Parameters(mixture=mixture, amplitudes=(np.zeros(0),), fixed=Fixed.none(3))
