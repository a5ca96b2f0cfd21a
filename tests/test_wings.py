"""Wings of beta-models beside a mixture: their shape, their refits and their draws."""

from dataclasses import replace

import numpy as np
import pytest
from simulated import field, mixture_of

from gmmx.answers.errors import WING_PRICE, _weights, information_of, options_of
from gmmx.answers.flux import Region, region_fluxes
from gmmx.em.parameters import Parameters
from gmmx.fitting.driver import fit
from gmmx.fitting.problem import Problem
from gmmx.fitting.redraw import Refit, WingScan
from gmmx.fitting.wings import (
    N_GAUSSIANS,
    BetaWing,
    in_shape,
    predicted_gains,
    wings_of,
    with_wing,
)
from gmmx.model.background import Background
from gmmx.model.mixture import Fixed
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.plane.shapes import Shapes, circle

pytestmark = pytest.mark.filterwarnings("ignore::gmmx.errors.DegeneracyWarning")

SIDE = 120.0
HALF_DIAGONAL = SIDE / np.sqrt(2)


def drawn_beta_sky(seed=2, n=3000, n_sky=1500, background=None):
    """Photons of a round beta-model that fills the field, on a uniform sky; its true flux there."""
    rng = np.random.default_rng(seed)
    wing = BetaWing(np.zeros(2), np.eye(2), core=6.0, beta=0.6, reach=SIDE)
    cells = (np.arange(240) + 0.5) * SIDE / 240 - SIDE / 2
    x, y = (v.ravel() for v in np.meshgrid(cells, cells))
    shape = wing.at(x, y)
    chosen = rng.choice(len(x), rng.poisson(n), p=shape / shape.sum())
    places = np.stack([x[chosen], y[chosen]]) + rng.uniform(-0.25, 0.25, (2, len(chosen)))
    sky = rng.uniform(-SIDE / 2, SIDE / 2, (2, rng.poisson(n_sky)))
    background = Background() if background is None else background
    return Observation(
        photons=Photons(*np.concatenate([places, sky], axis=1)),
        completeness=field(SIDE, 1.0),
        backgrounds=(background,),
    )


def make_scan(observation, *rows):
    """A fit that starts from some components, and its scan of wings."""
    start = mixture_of(*rows)
    result = fit(observation, start=start, n_components=len(start), exchanges=0, threads=1)
    options = options_of(result)
    return result, WingScan.of(result.observations, options, result.mixture, result.fixed)


@pytest.fixture(scope="module")
def beta_scan():
    """A scan of the fit of a beta-model with two Gaussians."""
    return make_scan(drawn_beta_sky(), (1500, 0, 0, 6), (1500, 0, 0, 20))[1]


@pytest.mark.parametrize("core", [0.04, 0.15, 0.35])
@pytest.mark.parametrize("beta", [0.4, 0.6, 0.9])
def test_gaussians_follow_a_wing_out_to_the_corners_of_the_field(core, beta):
    ellipse = np.array([[1.25, 0.3], [0.3, (1 + 0.09) / 1.25]])
    wing = BetaWing(np.array([3.0, -2.0]), ellipse, core, beta, reach=2.0)
    fluxes, covariances = wing.gaussians()
    x, y = np.random.default_rng(0).uniform(-0.7, 0.7, (2, 200)) + wing.centre[:, None]
    d = np.stack([x, y], axis=1) - wing.centre
    m2 = np.einsum("ni,kij,nj->nk", d, np.linalg.inv(covariances), d)
    levels = fluxes / (2 * np.pi * np.sqrt(np.linalg.det(covariances)))
    np.testing.assert_allclose(np.exp(-m2 / 2) @ levels, wing.at(x, y), rtol=0.02)


def test_wings_have_the_centre_and_the_ellipse_of_broad_emission():
    mixture = mixture_of((100, 50, 50, 1), (1000, -3, 4, 30))
    ellipse = np.diag([2.0, 0.5])
    covariances = np.array([np.eye(2), 900 * ellipse])
    wings = wings_of(replace(mixture, covariances=covariances), HALF_DIAGONAL)
    np.testing.assert_allclose(wings[0].centre, [-3, 4], atol=0.3)
    np.testing.assert_allclose(wings[0].ellipse, ellipse, rtol=0.01)


def test_a_wing_is_found_where_there_is_one(beta_scan):
    without = beta_scan.refit()
    wing = min(beta_scan.wings, key=lambda w: abs(w.beta - 0.6) + abs(w.core - 6.0))
    assert beta_scan.refit(wing).objective > without.objective + WING_PRICE


@pytest.mark.parametrize(
    ("rows", "low", "high"),
    [(((3000, 0, 0, 12),), 20.0, np.inf), (((1500, 0, 0, 6), (1500, 0, 0, 20)), 0.0, 20.0)],
    ids=["one Gaussian", "two Gaussians"],
)
def test_the_gain_of_a_small_wing_is_predicted(rows, low, high):
    result, scan = make_scan(drawn_beta_sky(), *rows)
    predicted = predicted_gains(information_of(result), scan.wings).max()
    assert low <= predicted <= high


def test_a_predicted_gain_is_the_parabola_of_the_likelihood_if_nothing_else_is_free(beta_scan):
    state, wing = beta_scan.refit().state, beta_scan.wings[8]
    mixture = replace(state.mixture, fluxes=0.9 * state.mixture.fluxes)
    every = np.ones(len(state.mixture), bool)
    known = Fixed(fluxes=every, means=every, covariances=every)
    held = [replace(b, fixed=True) for b in beta_scan.alone.observations[0].backgrounds]
    observation = replace(beta_scan.alone.observations[0], backgrounds=tuple(held))
    alone = Problem.of(observation, beta_scan.alone.options)
    parameters = Parameters(mixture=mixture, amplitudes=state.amplitudes, fixed=known)
    information = alone.information(parameters, alone.begin_phase(parameters))

    problem = in_shape(Problem.of(with_wing([observation]), alone.options), wing)
    step, values = 1e-3 * float(state.amplitudes[0][0]), []
    for level in (0.0, step, 2 * step):
        amplitudes = (np.append(state.amplitudes[0], level),)
        here = Parameters(mixture=mixture, amplitudes=amplitudes, fixed=known)
        values.append(problem.evaluate(here, problem.begin_phase(here)).log_likelihood)
    slope = (4 * values[1] - 3 * values[0] - values[2]) / (2 * step)
    curvature = (values[2] - 2 * values[1] + values[0]) / step**2
    predicted = predicted_gains(information, [wing])[0]
    assert predicted == pytest.approx(max(slope, 0.0) ** 2 / (2 * -curvature), rel=0.02)
    assert predicted > 1


def test_a_wing_takes_no_photons_from_emission_that_ends():
    rng = np.random.default_rng(1)
    places = np.concatenate(
        [rng.normal(0, 8.0, (2, 1500)), rng.uniform(-SIDE / 2, SIDE / 2, (2, 1500))], axis=1
    )
    observation = Observation(
        photons=Photons(*places), completeness=field(SIDE, 1.0), backgrounds=(Background(),)
    )
    _, scan = make_scan(observation, (1500, 0, 0, 8))
    refits = [scan.refit(wing) for wing in (None, *scan.wings[1::6])]
    assert _weights(refits)[0] > 0.8


def test_draws_of_a_refit_hold_all_photons(beta_scan):
    wing = beta_scan.wings[8]
    drawn = beta_scan.drawn(beta_scan.refit(wing), 40, np.random.default_rng(0))
    assert drawn.fluxes.shape == (40, 2 + N_GAUSSIANS)
    assert drawn.amplitudes.shape == (40, 1)
    cells = np.stack(np.meshgrid(*[np.arange(-59.5, 60, 1.0)] * 2), axis=-1).reshape(-1, 2)
    d = cells[:, None] - drawn.means[0]
    m2 = np.einsum("nki,kij,nkj->nk", d, np.linalg.inv(drawn.covariances[0]), d)
    density = np.exp(-m2 / 2) / (2 * np.pi * np.sqrt(np.linalg.det(drawn.covariances[0])))
    expected = drawn.fluxes @ density.sum(0) + drawn.amplitudes[:, 0] * SIDE**2
    n = beta_scan.alone.n_photons
    assert expected.mean() == pytest.approx(n, abs=3 * np.sqrt(n))


def test_two_observations_share_a_wing():
    both = [drawn_beta_sky(seed, n=600, n_sky=300) for seed in (2, 3)]
    both[1] = replace(both[1], name="other")
    start = mixture_of((600, 0, 0, 6), (600, 0, 0, 20))
    result = fit(both, start=start, n_components=2, exchanges=0, threads=1)
    scan = WingScan.of(result.observations, options_of(result), result.mixture, result.fixed)
    drawn = scan.drawn(scan.refit(scan.wings[8]), 30, np.random.default_rng(0))
    assert drawn.amplitudes.shape == (30, 2)
    # The reference exposure is that of both, so that all photons are those of one sky.
    assert drawn.fluxes.sum(1).mean() == pytest.approx(1200, rel=0.2)


def test_the_flux_of_a_scan_lies_within_its_interval():
    result, _ = make_scan(drawn_beta_sky(), (1500, 0, 0, 6), (1500, 0, 0, 20))
    result = result.errors(100, method="scan")
    in_field = result.photons_by_place[0]
    assert abs(in_field - 3000) < 3 * result.errors_by_place.in_field
    assert in_field > result.fitted_photons_by_place[0] + result.errors_by_place.in_field
    whole = Region("field", Shapes.of(circle(0.0, 0.0, SIDE / 2)))
    found = region_fluxes(result, [whole], result.draws).photons
    assert found.lower68[0] < found.value[0] < found.upper68[0]


def test_draws_without_a_wing_have_gaussians_of_no_flux(beta_scan):
    drawn = beta_scan.drawn(beta_scan.refit(), 5, np.random.default_rng(0))
    assert np.all(drawn.fluxes[:, 2:] == 0)


def test_a_fixed_flux_makes_no_room_for_a_wing():
    known = mixture_of((1500, 0, 0, 6)), Fixed(fluxes=[True], means=[True], covariances=[True])
    result = fit(drawn_beta_sky(), start=mixture_of((1500, 0, 0, 20)), fixed=known, threads=1)
    scan = WingScan.of(result.observations, options_of(result), result.mixture, result.fixed)
    k = int(np.flatnonzero(result.fixed.fluxes)[0])
    assert scan.refit(scan.wings[8]).state.mixture.fluxes[k] == result.mixture.fluxes[k]


def test_a_background_that_was_measured_has_a_prior_in_a_scan():
    level = 1500 / SIDE**2
    background = Background(amplitude=level, fixed=True, deviations=(0.03 * level, 0.04 * level))
    _, scan = make_scan(drawn_beta_sky(background=background), (3000, 0, 0, 10))
    known = scan.alone.observations[0].backgrounds[0]
    assert not known.fixed
    assert known.prior == pytest.approx((level, 0.05 * level))


def test_without_a_field_there_is_no_wing():
    x, y = np.random.default_rng(0).normal(0.0, 5.0, (2, 300))
    result = fit(Observation(photons=Photons(x, y)), n_components=1, threads=1)
    draws = result.errors(20, method="scan").draws
    assert np.all(draws.fluxes[:, 1:] == 0)


@pytest.mark.parametrize(
    ("gain", "low", "high"), [(0.0, 0.0, 0.02), (WING_PRICE, 0.49, 0.51), (20.0, 0.99, 1)]
)
def test_a_wing_is_likely_if_it_gains_more_than_its_price(gain, low, high):
    wing = BetaWing(np.zeros(2), np.eye(2), 6.0, 0.65, SIDE)
    probability = _weights([Refit(None, None, 100.0), Refit(wing, None, 100.0 + gain)])[1]
    assert low <= probability <= high
