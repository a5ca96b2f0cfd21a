"""The expected density of photons: every kind of term, compared with the kernels of the fit."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from simulated import random_completeness, random_mixture, random_observation

import gmmx
from gmmx.answers.score import held_out_score
from gmmx.em.parameters import Parameters, Priors
from gmmx.em.photons import PhotonLikelihood
from gmmx.errors import InputError
from gmmx.model.background import Background, how_to_fix
from gmmx.model.density import (
    BACKGROUND_KINDS,
    BackgroundTerm,
    Components,
    background_kind,
    background_terms,
    density,
    expected_counts,
    terms_of,
)
from gmmx.model.field import Field
from gmmx.model.mixture import POINT_SIGMA, Mixture
from gmmx.plane.grid import PixelGrid, SkyImage

GRID = random_completeness(np.random.default_rng(0)).grid
TEMPLATE = SkyImage(grid=GRID, values=np.random.default_rng(1).uniform(0.5, 2, GRID.shape))
STARS = Mixture(
    fluxes=[40.0, 7.0],
    means=[[1.0, -3.0], [-6.0, 2.0]],
    covariances=np.tile(POINT_SIGMA**2 * np.eye(2), (2, 1, 1)),
)
EXTENDED = random_mixture(np.random.default_rng(2), 4)
# One case for each kind of term, and all of them together.
BACKGROUNDS = {
    "sky": Background(kind="sky", amplitude=0.3),
    "particle": Background(kind="particle", name="particle", amplitude=0.2),
    "particle with a template": Background(
        kind="particle", name="by time", amplitude=0.1, template=TEMPLATE
    ),
    "file": Background(kind="file", name="file", amplitude=0.4, template=TEMPLATE),
    "streak": Background(kind="streak", name="streak", amplitude=0.05, template=TEMPLATE),
}
CASES = {
    **{name: ((b,), Mixture.empty(), Mixture.empty()) for name, b in BACKGROUNDS.items()},
    "components": ((BACKGROUNDS["sky"],), EXTENDED, Mixture.empty()),
    "point sources": ((BACKGROUNDS["sky"],), Mixture.empty(), STARS),
    "everything": (tuple(BACKGROUNDS.values()), EXTENDED, STARS),
}


def make_case(name, **options):
    """An observation, its reference exposure, and the terms of one case."""
    backgrounds, extended, points = CASES[name]
    observation = random_observation(5, m=2, backgrounds=backgrounds, **options)
    reference = float(observation.completeness.exposure.max())
    return observation, reference, terms_of(observation, reference, extended, points)


@pytest.mark.parametrize("angle", [0.0, 25.0])
@pytest.mark.parametrize("name", CASES)
def test_the_kernels_of_the_fit_know_the_same_density(name, angle):
    observation, reference, terms = make_case(name, angle=angle)
    _, extended, points = CASES[name]
    likelihood = PhotonLikelihood.of([observation])
    parameters = Parameters(
        mixture=extended.joined(points),
        amplitudes=(np.array([b.amplitude for b in observation.backgrounds]),),
    )
    phase = likelihood.begin_phase(parameters, Priors())
    (prepared,) = likelihood
    found = density(terms, prepared.x, prepared.y)
    omega = terms[0].field.at(prepared.x, prepared.y)
    (logs,) = likelihood.log_densities(parameters, phase)
    assert_allclose(logs, np.log(found / omega), rtol=1e-9, atol=1e-9)
    expected = prepared.weights @ np.log(found / omega) - expected_counts(terms)
    assert likelihood.moments(parameters, phase).log_likelihood == pytest.approx(expected, rel=1e-9)
    assert likelihood.reference_exposure == reference


@pytest.mark.parametrize("name", CASES)
def test_expected_counts_are_the_integral_of_the_density(name):
    observation, _, terms = make_case(name)
    grid, open_fraction = observation.completeness.grid, observation.completeness.open_fraction
    # Each cell is sampled at 7 x 7 places, because the PSF is as narrow as a cell.
    places = (np.arange(7) + 0.5) / 7 - 0.5
    ix, iy = np.meshgrid(np.arange(grid.shape[1]), np.arange(grid.shape[0]))
    total = sum(
        density(terms, *(axis.ravel() for axis in grid.to_plane(ix + dx, iy + dy)))
        @ open_fraction.ravel()
        for dx in places
        for dy in places
    )
    assert expected_counts(terms) == pytest.approx(total * grid.cell_area / 49, rel=2e-3)


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_a_background_on_its_own_map_is_its_shape(name):
    observation, reference, (term,) = make_case(name)
    maps = Field(observation.completeness, reference).own_maps()
    x, y = maps.grid.centres()
    assert_allclose(term.on(maps, masked=False), term.shape(x, y))
    assert_allclose(term.on(maps), term.shape(x, y) * observation.completeness.open_fraction)
    inside = observation.completeness.exposure > 0
    assert_allclose((term.ratio(x, y) * term.field.at(x, y))[inside], term.shape(x, y)[inside])


@pytest.mark.parametrize("name", CASES)
def test_coarser_pixels_hold_the_same_photons(name):
    observation, reference, terms = make_case(name)
    field = Field(observation.completeness, reference)
    coarse = PixelGrid.covering(*GRID.extent(), 1.0)
    for term in terms:
        fine = term.on(field.own_maps(), masked=False)
        blocks = fine.reshape(30, 2, 30, 2).mean((1, 3))
        # Factors that vary inside a pixel are averaged one by one.
        found = term.on(field.maps_on(coarse), masked=False)
        assert_allclose(found, blocks, atol=0.1 * blocks.max())
        assert found.sum() == pytest.approx(blocks.sum(), rel=0.01)


@pytest.mark.parametrize("name", CASES)
def test_there_is_nothing_outside_the_field(name):
    _, _, terms = make_case(name)
    assert_array_equal(density(terms, np.array([40.0, 0.0]), np.array([0.0, -1e3])), 0)


@pytest.mark.parametrize(("name", "at_half"), [("sky", 0.5), ("particle", 1.0), ("streak", 1.0)])
def test_only_vignetted_backgrounds_follow_the_completeness(name, at_half):
    _, _, (term,) = make_case(name)
    x, y = np.array([1.0, -3.0]), np.array([2.0, 0.0])
    assert_allclose(term.filled(x, y, 0.5), at_half * term.filled(x, y, 1.0))
    assert_array_equal(term.filled(x, y, 0.0), 0)


def test_without_a_completeness_everything_is_recorded():
    observation = random_observation(3, completeness=False, psf=False)
    terms = terms_of(observation, 1.0, EXTENDED)
    x, y = observation.photons.x, observation.photons.y
    assert_allclose(density(terms, x, y), EXTENDED.density(x, y))
    assert expected_counts(terms) == pytest.approx(EXTENDED.fluxes.sum())


def test_no_component_makes_no_photon():
    observation, reference, _ = make_case("sky")
    field = Field(observation.completeness, reference)
    none = Components(Mixture.empty(), observation.psf, field)
    assert none.seen() == 0
    assert_array_equal(none.on(field.own_maps()), 0)
    assert terms_of(replace(observation, backgrounds=()), reference, Mixture.empty()) == []


@pytest.fixture
def halo():
    """A kind of background that the mirrors vignette and that follows a template."""

    @background_kind("halo")
    class HaloBackground(BackgroundTerm):
        is_vignetted = True
        has_template = "always"

    yield HaloBackground
    del BACKGROUND_KINDS["halo"]


def test_a_new_kind_of_background_needs_one_registration(halo):
    background = Background(kind="halo", name="halo", template=TEMPLATE)
    observation = random_observation(8, n=2000, backgrounds=(background,))
    result = gmmx.fit(observation, n_components=1, exchanges=0)
    (fitted,) = result.observations[0].backgrounds
    (term,) = background_terms(result.observations[0], result.reference_exposure)
    assert isinstance(term, halo)
    # Fit, score and images agree about the photons that it makes.
    assert result.backgrounds[0].photons == pytest.approx(fitted.amplitude * term.seen())
    assert result.background_photons + result.signal_photons == pytest.approx(
        observation.n_photons, rel=1e-3
    )
    assert held_out_score(result, [observation]).expected_photons == pytest.approx(
        observation.n_photons, rel=1e-3
    )
    images = gmmx.render(result)
    assert images.expected.values.sum() == pytest.approx(observation.n_photons, rel=2e-3)
    shape = observation.completeness.effective * TEMPLATE.values / result.reference_exposure
    assert_allclose(images.background.values, fitted.amplitude * shape * GRID.cell_area)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "dust"}, "is one of sky, particle, file, streak, got 'dust'"),
        ({"amplitude": -1.0}, "must be at least 0, got -1"),
        ({"amplitude": np.nan}, "must be at least 0, got nan"),
        ({"fixed": True}, "is fixed but has no amplitude"),
        ({"kind": "file"}, "kind 'file' needs a template"),
        ({"kind": "streak"}, "kind 'streak' needs a template"),
        ({"kind": "sky", "template": TEMPLATE}, "kind 'sky' has no template"),
        ({"deviations": (0.1,)}, "deviations belong to a fixed amplitude"),
    ],
    ids=str,
)
def test_what_cannot_be_a_background_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        Background(**given)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [("sky", "sky", "sky=VALUE"), ("file", "stowed.fits", "stowed.fits:fixed")],
)
def test_messages_say_how_to_fix_an_amplitude(kind, name, value):
    assert how_to_fix(kind, name).startswith(f"`background` = {value} ")
