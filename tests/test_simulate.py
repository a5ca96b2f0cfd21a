"""Photons simulated from a fit follow its expected density lambda(x), whatever it contains."""

from dataclasses import replace

import numpy as np
import pytest
from handmade import make_draws, make_mixture, make_observation, make_result
from numpy.testing import assert_array_equal
from scipy.stats import chi2
from simulated import random_completeness, random_mixture, random_observation

from gmmx.answers.photon_source import PhotonSource
from gmmx.answers.score import expected_photons, terms_of_fit
from gmmx.answers.simulate import ParameterSet, simulated
from gmmx.errors import InputError
from gmmx.model.background import Background
from gmmx.model.completeness import Completeness
from gmmx.model.mixture import POINT_SIGMA, Fixed, Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.model.psf import PsfModel
from gmmx.plane.grid import PixelGrid, SkyImage
from gmmx.plane.shapes import Shapes, circle

GRID = random_completeness(np.random.default_rng(0)).grid
TEMPLATE = SkyImage(grid=GRID, values=np.random.default_rng(1).uniform(0.5, 2, GRID.shape))
BACKGROUNDS = {
    "sky": Background(kind="sky", amplitude=0.3),
    "particle": Background(kind="particle", name="particle", amplitude=0.2),
    "particle by time": Background(
        kind="particle", name="by time", amplitude=0.1, template=TEMPLATE
    ),
    "file": Background(kind="file", name="file", amplitude=0.4, template=TEMPLATE),
    "streak": Background(kind="streak", name="streak", amplitude=0.05, template=TEMPLATE),
}
STARS = Mixture(
    fluxes=[400.0, 70.0],
    means=[[1.0, -3.0], [-6.0, 2.0]],
    covariances=np.tile(POINT_SIGMA**2 * np.eye(2), (2, 1, 1)),
)


def with_gap(observation):
    """The observation with an exposure of zero in a strip, as between two chips."""
    exposure = observation.completeness.exposure.copy()
    exposure[:, 20:24] = 0
    return replace(observation, completeness=replace(observation.completeness, exposure=exposure))


def with_shapes(observation):
    """The observation under a mask whose shape is known, and which cuts cells in parts."""
    hole = Shapes.of(circle(-4.0, 3.0, 2.3))
    completeness = observation.completeness
    fraction = hole.open_fraction(completeness.grid)
    completeness = replace(completeness, open_fraction=fraction)
    return replace(observation, completeness=completeness, masks=hole)


def make_sky(*names, k=4, stars=False, change=lambda observation: observation, **options):
    """A result with one observation that has some of the backgrounds."""
    backgrounds = tuple(BACKGROUNDS[name] for name in names)
    observation = change(random_observation(5, m=2, backgrounds=backgrounds, **options))
    mixture = random_mixture(np.random.default_rng(2), k, photons=3000.0) if k else Mixture.empty()
    fixed = None
    if stars:
        kinds = np.arange(k + len(STARS)) >= k
        fixed = Fixed(fluxes=kinds * False, means=kinds, covariances=kinds, points=kinds)
        mixture = mixture.joined(STARS)
    return make_result([observation], mixture, fixed=fixed)


def expected_in_cells(result, observation):
    """The integral of lambda over 10 x 10 blocks of the cells of the exposure map."""
    maps = terms_of_fit(result, observation)[0].field.own_maps()
    image = sum(t.amplitude * t.on(maps) for t in terms_of_fit(result, observation))
    return in_blocks(image * maps.grid.cell_area)


def in_blocks(image, n=6):
    """Sums over blocks of n x n pixels."""
    ny, nx = (size // n for size in image.shape)
    return image[: ny * n, : nx * n].reshape(ny, n, nx, n).sum((1, 3))


def probability(found, expected):
    """Probability of a larger chi**2 between counts and their expectations."""
    enough = expected > 5
    excess = (found - expected)[enough] ** 2 / expected[enough]
    assert found[expected < 1e-12].sum() == 0
    return chi2.sf(excess.sum(), enough.sum())


SKIES = {
    "components": lambda: make_sky("sky"),
    "no component": lambda: make_sky("sky", "particle", k=0),
    "only components": lambda: make_sky(k=3),
    "point sources": lambda: make_sky("sky", k=1, stars=True),
    "templates": lambda: make_sky("particle by time", "file", "streak"),
    "everything on a turned grid": lambda: make_sky(*BACKGROUNDS, angle=30.0, stars=True),
    "no PSF": lambda: make_sky("sky", psf=False),
    "gap between chips": lambda: make_sky("sky", "particle", change=with_gap),
    "masks of known shapes": lambda: make_sky("sky", "particle", change=with_shapes),
}


@pytest.mark.parametrize("name", SKIES)
def test_simulated_photons_follow_the_expected_density(name):
    result = SKIES[name]()
    (simulation,) = simulated(result, np.random.default_rng(3), exposure_scale=20.0)
    grid = result.observations[0].completeness.grid
    found = in_blocks(grid.histogram(simulation.photons.x, simulation.photons.y))
    expected = 20.0 * expected_in_cells(result, result.observations[0])
    assert probability(found, expected) > 1e-3


def test_the_test_of_the_density_notices_a_shift_of_a_fifth_of_an_arcsecond():
    result = SKIES["components"]()
    (simulation,) = simulated(result, np.random.default_rng(3), exposure_scale=20.0)
    grid = result.observations[0].completeness.grid
    found = in_blocks(grid.histogram(simulation.photons.x + 0.2, simulation.photons.y))
    expected = 20.0 * expected_in_cells(result, result.observations[0])
    assert chi2.sf(((found - expected) ** 2 / (expected + 1e-3)).sum(), expected.size) < 1e-6


@pytest.mark.parametrize("name", SKIES)
def test_the_number_of_photons_is_a_poisson_number(name):
    result, rng = SKIES[name](), np.random.default_rng(4)
    parameters = ParameterSet.of(result)
    observation = result.observations[0]
    source = PhotonSource.of(
        observation,
        parameters.mixture,
        parameters.amplitudes[0],
        reference=result.reference_exposure,
    )
    counts = [len(source.drawn(rng)[0]) for _ in range(100)]
    expected = expected_photons(result, observation)
    assert abs(np.mean(counts) - expected) < 4 * np.sqrt(expected / 100) + 1e-3 * expected
    assert np.var(counts) == pytest.approx(expected, rel=0.6)


def test_each_component_and_background_has_its_own_number_of_photons():
    result = make_sky("sky", "file", k=3)
    (simulation,) = simulated(result, np.random.default_rng(5), exposure_scale=30.0)
    components, *backgrounds = terms_of_fit(result, result.observations[0])
    expected = [
        *(b.amplitude * b.seen() for b in backgrounds[::-1]),
        *(components.seen_fractions() * result.mixture.fluxes),
    ]
    numbers, found = np.unique(simulation.origin, return_counts=True)
    assert_array_equal(numbers, [-2, -1, 0, 1, 2])
    assert np.all(np.abs(found / 30 - expected) < 4 * np.sqrt(np.array(expected) / 30))


def test_no_photon_is_simulated_under_a_mask_or_in_a_gap():
    result = make_sky("sky", "particle", change=lambda o: with_gap(with_shapes(o)))
    (simulation,) = simulated(result, np.random.default_rng(6), exposure_scale=20.0)
    observation, photons = simulation.observation, simulation.photons
    assert not observation.cuts_out(photons.x, photons.y).any()
    assert len(observation.exposed().photons) == len(photons) > 10_000


def test_a_joint_fit_has_one_simulation_for_each_observation():
    observations = [make_observation(i, name=f"o{i}", rotation=0.4 * i) for i in range(2)]
    result = make_result(observations, make_mixture())
    found = simulated(result, np.random.default_rng(7))
    assert [one.observation.name for one in found] == ["o0", "o1"]
    expected = [expected_photons(result, o) for o in observations]
    assert np.all(
        np.abs([len(one.photons) - e for one, e in zip(found, expected, strict=True)])
        < 5 * np.sqrt(expected)
    )


def test_a_seed_gives_the_same_photons():
    result = make_sky("sky")
    one, two = (simulated(result, np.random.default_rng(8))[0] for _ in range(2))
    assert_array_equal(one.photons.x, two.photons.x)
    assert_array_equal(one.origin, two.origin)


def test_without_the_psf_photons_spread_by_the_mixture_alone():
    star = Mixture(fluxes=[4000.0], means=[[0.0, 0.0]], covariances=[np.eye(2)])
    observation = Observation(photons=Photons([], []), psf=PsfModel.constant(3.0))
    result = make_result([observation], star)
    variances = [
        simulated(result, np.random.default_rng(9), with_psf=with_psf)[0].photons.x.var()
        for with_psf in (True, False)
    ]
    assert variances == pytest.approx([10.0, 1.0], rel=0.1)


def test_photons_counted_in_pixels_are_simulated_at_the_centres_of_the_same_pixels():
    grid = PixelGrid.covering((-15, 15), (-15, 15), 2.0)
    photons = Photons(*(v.ravel()[:3] for v in grid.centres()), pixel=2.0)
    psf = PsfModel.constant(1.0).widened(4 / 12)
    completeness = Completeness(grid=grid, exposure=np.ones(grid.shape))
    observation = Observation(photons=photons, psf=psf, completeness=completeness)
    star = Mixture(fluxes=[30_000.0], means=[[0.2, 0.1]], covariances=[4 * np.eye(2)])
    result = make_result([observation], star)
    (simulation,) = simulated(result, np.random.default_rng(10))
    x, y = simulation.photons.x, simulation.photons.y
    ix, _ = grid.to_pixels(x, y)
    assert simulation.photons.pixel == 2.0
    assert np.abs(ix - np.rint(ix)).max() < 1e-9
    # Widths before the counting and of the pixel add up to those of the model's views.
    assert np.var(x) == pytest.approx(5 + 4 / 12, rel=0.03)
    assert np.var(y) == pytest.approx(5 + 4 / 12, rel=0.03)


def test_some_components_are_simulated_with_all_backgrounds():
    result = make_sky("sky", k=4)
    parameters = ParameterSet.of(result).only([0, 3])
    (simulation,) = simulated(result, np.random.default_rng(11), parameters=parameters)
    assert_array_equal(np.unique(simulation.origin), [-1, 0, 3])


def test_a_draw_keeps_the_numbers_of_the_components():
    result = make_sky("sky", k=3)
    draws = make_draws(result, n=4)
    fluxes = draws.fluxes.copy()
    fluxes[3] = [0.0, 500.0, 0.0, 900.0]
    result = replace(result, draws=replace(draws, fluxes=fluxes))
    parameters = ParameterSet.of(result, draw=3)
    (simulation,) = simulated(result, np.random.default_rng(12), parameters=parameters)
    assert_array_equal(np.unique(simulation.origin), [-1, 1, 3])


@pytest.mark.parametrize("draw", [-1, 30, 300])
def test_a_draw_that_does_not_exist_is_refused(draw):
    result = make_sky("sky")
    result = replace(result, draws=make_draws(result, n=30))
    with pytest.raises(InputError, match=f"`draw` = {draw}: the model has 30 draws"):
        ParameterSet.of(result, draw=draw)


def test_draws_of_a_model_without_any_are_refused():
    with pytest.raises(InputError, match="has no draws: make them with `gmmx errors`"):
        ParameterSet.of(make_sky("sky"), draw=0)


def test_components_that_do_not_exist_are_refused():
    with pytest.raises(InputError, match="no component 7: their numbers are 0 to 3"):
        ParameterSet.of(make_sky("sky")).only([0, 7])


@pytest.mark.parametrize("scale", [0, -1.0, np.nan, np.inf])
def test_an_exposure_is_scaled_by_a_positive_number(scale):
    with pytest.raises(InputError, match="it must be a positive number"):
        simulated(make_sky("sky"), np.random.default_rng(0), exposure_scale=scale)


def test_a_longer_exposure_has_its_own_exposure_and_backgrounds():
    observation = replace(make_observation(), backgrounds=(Background(amplitude=0.02),))
    result = make_result([observation], make_mixture())
    (simulation,) = simulated(result, np.random.default_rng(13), exposure_scale=3.0)
    longer = simulation.observation
    assert longer.completeness.exposure.max() == 3 * observation.completeness.exposure.max()
    assert longer.backgrounds[0].amplitude == pytest.approx(0.06)
    assert longer.pointing.exposure_time == 3e5


def test_a_result_simulates_itself():
    result = make_sky("sky", k=4)
    (simulation,) = result.simulate(np.random.default_rng(0), components=[2], with_psf=False)
    assert simulation.observation.psf is None
    assert_array_equal(np.unique(simulation.origin), [-1, 2])
