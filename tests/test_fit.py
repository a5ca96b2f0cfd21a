"""Whole fits of small skies recover what the photons were drawn from, or say what is wrong."""

from dataclasses import replace

import numpy as np
import pytest
import reference
from four_components import FOUR, SKY, bumps, make_four, nearest, quiet_fit
from numpy.testing import assert_allclose, assert_array_equal
from simulated import drawn, field, mixture_of, random_mixture, random_observation

from gmmx.errors import ConvergenceWarning, DataWarning, DegeneracyWarning, InputError
from gmmx.fitting.driver import fit
from gmmx.model.background import Background
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.model.pointing import InputFile, Pointing
from gmmx.model.psf import PsfModel

# test_information.py is about the correlation of background and signal.
pytestmark = pytest.mark.filterwarnings("ignore::gmmx.errors.DegeneracyWarning")

NOTHING = mixture_of((1e-9, 0, 0, 3))


@pytest.fixture(scope="module", params=["grow", "kmeans"])
def found(request):
    """A fit of four components from each kind of start."""
    return fit(make_four(), n_components=4, init=request.param, seed=3, threads=1)


def test_separated_components_come_back(found):
    assert (found.converged, len(found.mixture)) == (True, 4)
    mixture = found.mixture.select(nearest(found.mixture, FOUR))
    assert_allclose(mixture.fluxes, FOUR.fluxes, atol=5 * np.sqrt(FOUR.fluxes.max()))
    sigma = np.linalg.det(FOUR.covariances) ** 0.25
    distance = np.hypot(*(mixture.means - FOUR.means).T)
    assert np.all(distance < 5 * sigma / np.sqrt(FOUR.fluxes) + 0.1)
    assert_allclose(np.linalg.det(mixture.covariances) ** 0.25, sigma, rtol=0.2)


def test_background_and_signal_come_back_within_their_errors(found):
    background = found.backgrounds[0]
    assert abs(background.photons - 0.03 * 200**2) < 4 * background.photons_error
    assert abs(found.signal_photons - FOUR.fluxes.sum()) < 5 * found.signal_error


def test_components_come_by_falling_flux(found):
    assert np.all(np.diff(found.mixture.fluxes) <= 0)
    expected = found.mixture.fluxes * found.observed_fraction
    assert_allclose(found.observed_photons, expected, rtol=0.05)


def test_structure_of_the_exposure_is_taken_out():
    completeness = bumps()
    result = fit(make_four(1, completeness), n_components=4, threads=1)
    order = nearest(result.mixture, FOUR)
    # E_ref is the maximum of the map, so that fluxes are those without vignetting and mask.
    assert result.reference_exposure == completeness.exposure.max() == pytest.approx(100, rel=0.03)
    assert result.exposure_unit == "s"
    assert_allclose(result.mixture.fluxes[order], FOUR.fluxes, rtol=0.15)
    # The centre of the brightest component is behind the mask.
    assert result.observed_fraction[order[0]] < 0.75
    background = result.backgrounds[0]
    assert background.amplitude == pytest.approx(0.03, abs=4 * background.amplitude_error)


def test_the_number_of_components_is_chosen():
    result = fit(make_four(), threads=1)
    assert len(result.mixture) == 4
    assert result.requested_components is None
    assert result.converged


def test_fewer_components_than_asked_for_are_a_warning():
    rng = np.random.default_rng(0)
    one = drawn(mixture_of((60, 0, 0, 3)), field(100, 2.0), rng, sky=0.005, backgrounds=SKY)
    said = r"the fit has \d components?, fewer than the 12 asked for"
    with pytest.warns(DataWarning, match=said):
        result = fit(one, n_components=12, threads=1)
    assert 1 <= len(result.mixture) < 12
    assert result.requested_components == 12
    assert any("12 asked for" in message for message in result.warnings)


@pytest.fixture(scope="module")
def empty_sky():
    """An observation of a flat sky, and its fit."""
    rng = np.random.default_rng(0)
    sky = drawn(NOTHING, field(100, 2.0), rng, sky=0.1, backgrounds=SKY)
    with pytest.warns(DataWarning, match="no significant emission"):
        return sky, fit(sky, threads=1)


def test_a_flat_sky_has_no_component(empty_sky):
    sky, result = empty_sky
    assert len(result.mixture) == 0
    assert (result.background_fraction, result.signal_photons) == (1, 0)
    assert result.backgrounds[0].photons == pytest.approx(sky.n_photons, rel=1e-6)


def test_the_error_of_a_background_allows_for_emission_that_is_too_faint_to_be_found(empty_sky):
    sky, result = empty_sky
    assert result.backgrounds[0].photons_error > 0.99 * np.sqrt(sky.n_photons)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_components": 0}, "`n_components` = 0: give at least 1"),
        ({"n_components": -2}, "`n_components` = -2: give at least 1"),
        ({"init": "nearest", "n_components": 4}, "`init` = nearest: choose grow"),
        ({"init": "kmeans"}, "needs a number of components"),
        ({"init": "other.h5"}, "give its mixture as `start`"),
        ({"fix": "table.ecsv"}, "give its components as `fixed`"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options, words):
    with pytest.raises(InputError, match=words):
        fit(make_four(), **options)


def test_an_unknown_option_is_refused():
    with pytest.raises(TypeError, match="n_component"):
        fit(make_four(), n_component=4)


def test_a_fit_needs_an_observation():
    with pytest.raises(InputError, match="no observation"):
        fit([])


def without_photons(observation):
    return replace(observation, photons=Photons([], []))


def with_zero_weights(observation):
    photons = observation.photons
    return replace(observation, photons=replace(photons, weights=np.zeros(len(photons))))


def masked_everywhere(observation):
    shape = observation.completeness.grid.shape
    return replace(observation, completeness=observation.completeness.masked(np.zeros(shape)))


@pytest.mark.parametrize("emptied", [without_photons, with_zero_weights, masked_everywhere])
def test_a_fit_needs_photons(emptied):
    with pytest.raises(InputError, match="no photon"):
        fit(emptied(make_four()))


def test_photons_where_the_exposure_is_zero_are_dropped_and_counted():
    observation = make_four()
    photons = observation.photons
    outside = Photons(np.append(photons.x, [500.0, 600.0]), np.append(photons.y, [0.0, 0.0]))
    with_them = quiet_fit(replace(observation, photons=outside), n_components=3, exchanges=0)
    without = quiet_fit(observation, n_components=3, exchanges=0)
    assert with_them.observations[0].dropped == {"zero exposure": 2}
    assert with_them.n_photons == observation.n_photons
    assert_array_equal(with_them.mixture.means, without.mixture.means)


def test_too_few_evaluations_are_a_warning():
    said = "has not converged: 3 evaluations were not enough .*raise `max_iter`"
    with pytest.warns(ConvergenceWarning, match=said):
        result = fit(make_four(), start=FOUR, max_iter=3, tol=1e-9, threads=1)
    assert not result.converged
    assert "3 evaluations" in result.stop_reason
    assert result.iterations <= 10


def test_a_fit_agrees_with_extreme_deconvolution():
    rng = np.random.default_rng(7)
    truth = mixture_of((1, -4, 0, 1.2), (1, 4, 1, 1.8), (1, 0, 7, 0.9))
    points = truth.sample(600, rng) + rng.normal(0, 0.7, (600, 2))
    start = mixture_of((200, -3, 1, 2), (200, 3, 0, 2), (200, 1, 5, 2))
    photons, no_priors = Photons(*points.T), {"prior_mean_count": 0, "prior_covariance_count": 0}
    result = fit(
        Observation(photons=photons, psf=PsfModel.constant(0.7)),
        start=start,
        **no_priors,
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


def test_two_observations_are_fitted_jointly():
    half = bumps()
    pointings = [make_four(seed, half, name=f"pointing {seed}") for seed in (1, 2)]
    joint = fit(pointings, n_components=4, threads=1)
    assert [b.observation for b in joint.backgrounds] == ["pointing 1", "pointing 2"]
    # The reference exposure, and with it the fluxes, is that of both.
    assert joint.reference_exposure == pytest.approx(2 * half.exposure.max())
    mixture = joint.mixture.select(nearest(joint.mixture, FOUR))
    assert_allclose(mixture.fluxes, 2 * FOUR.fluxes, rtol=0.15)
    assert joint.n_photons == sum(p.n_photons for p in pointings)


def test_an_observation_without_photons_counts_in_a_joint_fit():
    empty = replace(make_four(), photons=Photons([], [], weights=[]), name="empty")
    result = quiet_fit([make_four(), empty], start=FOUR)
    # It was exposed as long and recorded nothing.
    assert result.backgrounds[1].photons == pytest.approx(0, abs=1e-3)
    mixture = result.mixture.select(nearest(result.mixture, FOUR))
    # The faintest component may become background of the other, which the empty one allows.
    assert_allclose(mixture.fluxes[:3], FOUR.fluxes[:3], rtol=0.2)
    assert result.converged


def test_a_fixed_background_is_not_fitted():
    observation = replace(make_four(), backgrounds=(Background(amplitude=0.025, fixed=True),))
    result = fit(observation, n_components=4, threads=1)
    background = result.backgrounds[0]
    assert (background.amplitude, background.amplitude_error) == (0.025, 0.0)
    assert (background.fixed, background.correlation) == (True, 0)
    assert result.observations[0].backgrounds[0].amplitude == 0.025


def test_an_amplitude_that_is_not_fixed_is_a_start_only():
    started = replace(make_four(), backgrounds=(Background(amplitude=0.3),))
    one, two = (fit(o, n_components=4, threads=1, tol=1e-4) for o in (started, make_four()))
    assert one.backgrounds[0].amplitude == pytest.approx(two.backgrounds[0].amplitude, rel=1e-2)
    assert one.observations[0].backgrounds[0].amplitude == one.backgrounds[0].amplitude


def test_photons_without_exposure_map_and_background_are_fitted():
    bare = replace(drawn(FOUR, field(400, 2.0), np.random.default_rng(6)), completeness=None)
    result = fit(bare, n_components=4, threads=1)
    assert (result.reference_exposure, result.backgrounds) == (1, ())
    assert result.mixture.fluxes.sum() == pytest.approx(bare.n_photons, rel=1e-3)
    assert result.background_fraction == 0


def test_a_mixture_grows_without_a_background():
    bare = drawn(FOUR, field(200, 2.0), np.random.default_rng(6))
    result = fit(bare, n_components=4, threads=1)
    assert len(result.mixture) == 4
    assert_allclose(result.mixture.fluxes, FOUR.fluxes, rtol=0.25)


def with_hole(x, y, radius, **options):
    """An even field with a circular mask."""
    c = field(200, **options)
    distance = np.hypot(c.grid.centres()[0] - x, c.grid.centres()[1] - y)
    return c.masked((distance > radius).astype(float))


def test_a_component_behind_a_mask_is_scarcely_observed():
    hidden = make_four(7, with_hole(30, -45, 2.5, step=2.0))
    result = fit(hidden, start=FOUR, threads=1)
    flags = result.scarcely_observed[nearest(result.mixture, FOUR)]
    assert_array_equal(flags, [False, False, True, False])


def test_weights_count_as_photons():
    observation = make_four(8)
    photons = observation.photons
    twice = replace(
        observation, photons=Photons(photons.x, photons.y, weights=np.full(len(photons), 2.0))
    )
    options = {"tol": 1e-5, "prior_mean_count": 0, "prior_covariance_count": 0}
    one, two = (fit(o, start=FOUR, threads=1, **options) for o in (observation, twice))
    assert_allclose(two.mixture.fluxes, 2 * one.mixture.fluxes, rtol=1e-3)
    assert_allclose(two.mixture.means, one.mixture.means, atol=1e-2)
    assert two.backgrounds[0].photons_error == pytest.approx(
        np.sqrt(2) * one.backgrounds[0].photons_error, rel=0.02
    )


def test_a_fit_started_from_a_result_stays_there():
    result = fit(make_four(9), n_components=4, threads=1)
    again = fit(result.observations[0], start=result.mixture, threads=1)
    assert again.iterations < result.iterations
    assert again.objective == pytest.approx(result.objective, abs=0.5)
    assert again.objective >= result.objective - 1e-6


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("init", ["grow", "kmeans"])
def test_a_few_photons_are_fitted(n, init):
    photons = Photons(np.arange(n) * 5.0, np.zeros(n))
    observation = Observation(photons=photons, completeness=field(50, 1.0), backgrounds=SKY)
    result = quiet_fit(observation, n_components=5, init=init)
    assert np.all(np.isfinite(result.mixture.covariances))
    total = result.signal_photons + sum(b.photons for b in result.backgrounds)
    assert total == pytest.approx(n, rel=0.05)


def test_photons_in_one_place_are_a_component_at_the_size_floor():
    photons = Photons(np.full(200, 3.0), np.full(200, -2.0))
    observation = Observation(photons=photons, completeness=field(50, 1.0), backgrounds=SKY)
    result = quiet_fit(observation, n_components=2)
    assert_allclose(result.mixture.means[0], [3, -2], atol=0.1)
    # The ascent may go a thousandth below the floor.
    assert np.linalg.eigvalsh(result.mixture.covariances).min() >= 0.1**2 * (1 - 2e-3)


@pytest.mark.parametrize("seed", range(4))
def test_a_fit_of_random_skies_accounts_for_all_photons(seed):
    observations = [
        random_observation(seed, n=500, m=3, backgrounds=SKY),
        random_observation(seed + 10, n=300, m=1, backgrounds=SKY, angle=40),
    ]
    start = random_mixture(np.random.default_rng(seed), 5)
    result = quiet_fit(observations, start=start, tol=1e-3)
    total = result.signal_photons + sum(b.photons for b in result.backgrounds)
    assert result.converged
    assert total == pytest.approx(result.n_photons, rel=1e-3)


@pytest.mark.parametrize(
    ("inputs", "cure"),
    [
        ((), "give an exposure map with `exposure`"),
        ((InputFile("exposure", "expmap.fits"),), "limit the exposure map to the region"),
    ],
    ids=["without a map", "with a map"],
)
def test_a_background_that_broad_components_absorb_is_a_warning(inputs, cure):
    # Photons fall off to the edge, as if the exposure map lacked the vignetting.
    rng = np.random.default_rng(3)
    x, y = rng.normal(0, 70, (2, 20_000))
    vignetted = rng.uniform(size=len(x)) > (x**2 + y**2) / 160**2
    inside = (np.abs(x) < 100) & (np.abs(y) < 100) & vignetted
    observation = Observation(
        photons=Photons(x[inside], y[inside]),
        completeness=field(200, 2.0),
        backgrounds=SKY,
        pointing=Pointing(inputs=inputs),
    )
    said = f"is zero, because broad components have absorbed it: {cure}"
    with pytest.warns(DegeneracyWarning, match=said):
        fit(observation, start=mixture_of((20_000, 0, 0, 70)), threads=1)


def test_a_component_that_is_hardly_observed_is_removed():
    # A few photons beside a mask of radius 25 would determine any flux of a component of sigma 8.
    rng, truth = np.random.default_rng(5), mixture_of((5000, -30, 0, 10))
    observation = drawn(truth, with_hole(50, 0, 25, step=1.0), rng, sky=0.05, backgrounds=SKY)
    said = "1 component, fewer than the 2 asked for: .* less than 2 % was observed"
    with pytest.warns(DataWarning, match=said):
        result = fit(observation, start=truth.joined(mixture_of((2000, 50, 0, 8))), threads=1)
    assert len(result.mixture) == 1
    assert result.mixture.fluxes.sum() == pytest.approx(5000, rel=0.05)


@pytest.mark.parametrize("given", ["evt2.fits", ["evt2.fits"]], ids=str)
def test_a_path_in_place_of_an_observation_is_refused(given):
    with pytest.raises(InputError, match=r"cannot fit 'evt2.fits': .*`read_observation`"):
        fit(given, n_components=1)
