"""Open edges: the flux in the field is the headline, and the unseen flux stands beside it."""

import json
from dataclasses import replace

import numpy as np
import pytest
from handmade import make_mixture, make_observation, make_result
from numpy.testing import assert_allclose

import gmmx
from gmmx.em.information import Information
from gmmx.em.parameters import Parameters, Priors
from gmmx.em.photons import PhotonLikelihood
from gmmx.em.places import place_errors
from gmmx.errors import DegeneracyWarning
from gmmx.fitting.warnings import unseen_components
from gmmx.model.background import Background
from gmmx.model.completeness import Completeness
from gmmx.model.coverage import Coverage
from gmmx.model.mixture import Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.model.places import PlaceErrors
from gmmx.model.summary import with_error
from gmmx.plane.grid import PixelGrid
from gmmx.show.facts import summary_dict
from gmmx.show.page import summary

GRID = PixelGrid.covering((-40, 40), (-30, 30), 1.0)
SKY = Mixture(
    fluxes=[500.0, 900.0],
    means=[[5.0, -4.0], [30.0, 10.0]],
    covariances=[[[60.0, 20.0], [20.0, 40.0]], [[400.0, -90.0], [-90.0, 500.0]]],
)


def make_masked_observation(n=3000, seed=1):
    """Photons of SKY in a field with a gap and a round mask."""
    x, y = GRID.centres()
    exposure = np.ones(GRID.shape)
    exposure[:, 20:24] = 0
    completeness = Completeness(
        grid=GRID, exposure=exposure, open_fraction=1.0 * (np.hypot(x - 5, y) > 6)
    )
    places = SKY.sample(n, np.random.default_rng(seed))
    ix, iy, inside = GRID.locate(*places.T)
    kept = inside & (completeness.effective[iy, ix] > 0)
    return Observation(
        photons=Photons(*places[kept].T),
        completeness=completeness,
        backgrounds=(Background(name="sky", kind="sky", amplitude=0.02),),
    )


def slow_fractions(observation, mixture):
    """Twin of `Coverage.fractions`: sums over 5 x 5 points of each cell."""
    c = observation.completeness
    parts = (np.arange(5) + 0.5) / 5 - 0.5
    ix, iy = np.meshgrid(np.arange(c.grid.shape[1]), np.arange(c.grid.shape[0]))
    found = np.zeros((3, len(mixture)))
    for k in range(len(mixture)):
        one = replace(mixture.select([k]), fluxes=[1.0])
        cells = sum(
            one.density(*(v.ravel() for v in c.grid.to_plane(ix + dx, iy + dy)))
            for dx in parts
            for dy in parts
        ).reshape(c.grid.shape) * (c.grid.cell_area / 25)
        inside = cells[c.exposure > 0].sum()
        masked = (cells * (1 - c.open_fraction))[c.exposure > 0].sum()
        found[:, k] = inside, masked, 1 - inside
    return found


def test_fractions_match_the_slow_twin():
    observation = make_masked_observation()
    found = Coverage.of([observation]).fractions(SKY)
    assert_allclose(found, slow_fractions(observation, SKY), atol=2e-3)
    assert_allclose(found[0] + found[2], 1, atol=1e-12)


def test_the_field_of_several_observations_is_their_union():
    left, right = (
        replace(
            make_masked_observation(),
            completeness=Completeness(grid=PixelGrid.covering(x, (-20, 20), 1.0), exposure=ones),
        )
        for x, ones in (((-40, 0), np.ones((40, 40))), ((-10, 40), np.ones((40, 50))))
    )
    star = Mixture(fluxes=[1.0], means=[[0.0, 0.0]], covariances=[9.0 * np.eye(2)])
    assert_allclose(Coverage.of([left, right]).fractions(star)[:, 0], [1, 0, 0], atol=1e-6)
    assert Coverage.of([left]).fractions(star)[2, 0] == pytest.approx(0.5, abs=1e-3)


def test_what_one_observation_masks_another_may_see():
    seen = make_masked_observation()
    masked = replace(
        seen, completeness=replace(seen.completeness, open_fraction=np.zeros(GRID.shape))
    )
    alone, both = (Coverage.of(observations) for observations in ([masked], [masked, seen]))
    assert alone.seen.sum() == 0
    assert_allclose(both.seen, Coverage.of([seen]).seen)


def test_without_an_exposure_map_everything_is_in_the_field():
    observation = Observation(photons=Photons([0.0], [0.0]))
    assert Coverage.of([observation]) is None
    result = make_result([observation], SKY)
    assert_allclose(result.photons_by_place, [1400, 0, 0])
    assert not result.mostly_unseen.any()
    assert "outside the field" not in summary(result)


def make_information(observation):
    likelihood = PhotonLikelihood.of([observation])
    parameters = Parameters(mixture=SKY, amplitudes=(np.array([0.02]),))
    phase = likelihood.begin_phase(parameters, Priors())
    return Information.at(likelihood, parameters, phase)


def test_errors_by_place_match_numeric_derivatives():
    observation = make_masked_observation()
    information, coverage = make_information(observation), Coverage.of([observation])
    # Without wings, which the derivatives by the parameters do not contain.
    information.likelihood.__class__.wings, kept = (
        lambda *_: Mixture.empty(),
        information.likelihood.__class__.wings,
    )
    try:
        errors = place_errors(information, coverage)
    finally:
        information.likelihood.__class__.wings = kept

    def photons(z):
        moved = information.moved(z).mixture
        return coverage.fractions(moved) @ moved.fluxes

    steps = 1e-4 * np.eye(len(information.fixed))
    slopes = np.array([(photons(step) - photons(-step)) / 2e-4 for step in steps])
    slow = np.sqrt(np.diag(slopes.T @ information.solve(slopes)))
    found = [errors.in_field, errors.under_masks, errors.outside]
    assert_allclose(found, slow, rtol=2e-3)


def test_the_flux_in_the_field_is_known_better_than_the_total():
    """Emission that is broader than the field, of which less than a third is inside."""
    rng = np.random.default_rng(5)
    grid = PixelGrid.covering((-50, 50), (-50, 50), 2.0)
    places = rng.normal(0, 80, (4000, 2))
    places = places[np.abs(places).max(1) < 50]
    observation = Observation(
        photons=Photons(*places.T), completeness=Completeness(grid=grid, exposure=np.ones((50, 50)))
    )
    with pytest.warns(DegeneracyWarning, match=r"component 0 \(\d\d % of its flux\) lies mostly"):
        result = gmmx.fit(observation, n_components=1, threads=1)
    photons, errors = result.photons_by_place, result.place_errors
    assert abs(photons[0] - len(places)) < 3 * errors.in_field
    assert errors.in_field < 0.3 * errors.outside
    assert errors.outside <= result.signal_error * 1.01
    assert list(np.flatnonzero(result.mostly_unseen)) == [0]
    assert "mostly unseen" in result.components["flags"][0]
    page = summary(result)
    assert "outside the field" in page
    assert "mostly unseen       component 0" in page
    facts = json.loads(json.dumps(summary_dict(result)))
    assert facts["photons_reference_in_field"] == pytest.approx(photons[0])
    assert facts["mostly_unseen"] == [0]


def make_unseen_result(*means):
    """A result with components of 100 photons each, most of whose field is masked at x < 0."""
    seen = make_observation()
    open_fraction = np.ones(seen.completeness.exposure.shape)
    open_fraction[:, : open_fraction.shape[1] // 2] = 0
    masked = replace(seen, completeness=replace(seen.completeness, open_fraction=open_fraction))
    n = len(means)
    mixture = Mixture(
        fluxes=np.full(n, 100.0), means=np.array(means), covariances=np.tile(np.eye(2), (n, 1, 1))
    )
    return make_result([masked], mixture)


def test_components_under_masks_are_named_with_their_part_of_the_flux_in_the_field():
    (text,) = map(
        str, unseen_components(make_unseen_result((-10.0, 0.0), (-12.0, 4.0), (9.0, 0.0)))
    )
    assert text == (
        "component 0 (100 % of its flux) and component 1 (100 % of its flux) lie mostly outside of "
        "the field or under masks, where no photon constrains their flux: 67 % of the flux in the "
        "field is under masks"
    )


def test_components_outside_the_field_are_named_with_the_advice_to_leave_that_out():
    (text,) = map(str, unseen_components(make_unseen_result((500.0, 0.0), (9.0, 0.0))))
    assert text.endswith(
        "constrains its flux: quote the flux in the field, because 50 % of the whole flux is "
        "outside of it"
    )


def test_a_component_inside_the_field_is_not_doubted(recwarn):
    rng = np.random.default_rng(5)
    grid = PixelGrid.covering((-50, 50), (-50, 50), 2.0)
    observation = Observation(
        photons=Photons(*rng.normal(0, 8, (2, 400))),
        completeness=Completeness(grid=grid, exposure=np.ones((50, 50))),
    )
    result = gmmx.fit(observation, n_components=1, threads=1)
    assert not result.mostly_unseen.any()
    assert result.place_errors.in_field == pytest.approx(result.signal_error, rel=0.02)
    assert "mostly unseen" not in summary(result)
    assert not [w for w in recwarn if "lies mostly" in str(w.message)]


def test_the_headline_is_the_flux_in_the_field():
    result = make_result([make_observation()], make_mixture(), place_errors=PlaceErrors(in_field=5))
    in_field = result.photons_by_place[0] / 1e7
    assert result.flux_in_field.value == pytest.approx(in_field)
    assert f"in the field {in_field:.2e}"[:17] in repr(result)
    assert f"flux in the field   {with_error(in_field, 5e-7)} photon/cm^2/s" in summary(result)
    facts = summary_dict(result)
    assert facts["flux_in_field"] == pytest.approx(in_field)
    assert facts["flux_in_field_error"] == pytest.approx(5e-7)
    assert facts["flux_under_masks_error"] is None
    assert result.components.meta["flux_in_field"] == pytest.approx(in_field)
    by_place = result.photons_by_place
    assert by_place[0] + by_place[2] == pytest.approx(result.extended.fluxes.sum())


def test_the_model_file_keeps_the_errors_by_place(tmp_path):
    errors = PlaceErrors(in_field=5.25, under_masks=1.5, outside=2.125)
    make_result([make_observation()], make_mixture(), place_errors=errors).write(tmp_path / "m.h5")
    assert gmmx.read(tmp_path / "m.h5").place_errors == errors
