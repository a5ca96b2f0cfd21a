"""Point sources that are fitted: their fluxes and positions, and which of a list can be fitted."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from simulated import mixture_of
from three_points import LISTED, TRUTH, make_three_points

from gmmx.answers.flags import component_flags
from gmmx.errors import DataWarning, InputError
from gmmx.fitting.driver import fit
from gmmx.fitting.point_sources import PointSources
from gmmx.model.mixture import POINT_SIGMA, Fixed
from gmmx.plane.shapes import Box, Ellipse, Field, Ring, Shapes


@pytest.fixture(scope="module")
def observation():
    return make_three_points()


@pytest.fixture(scope="module")
def result(observation):
    return fit(observation, n_components=1, point_sources=LISTED, threads=1)


def test_fluxes_come_back_within_their_errors(result):
    fluxes, errors = result.point_sources.fluxes, result.flux_errors[result.points]
    assert np.all(np.abs(fluxes - TRUTH.fluxes[1:]) < 3.5 * errors)


def test_no_flux_is_known_better_than_by_the_photons_of_the_source(result):
    fluxes, errors = result.point_sources.fluxes, result.flux_errors[result.points]
    assert np.all(errors >= 0.99 * np.sqrt(fluxes))
    # The background hardly matters to the brightest.
    assert errors[0] < 1.2 * np.sqrt(fluxes[0])


def test_positions_come_back_within_their_errors(result):
    errors = result.mean_errors[result.points]
    assert np.all(np.abs(result.point_sources.means - TRUTH.means[1:]) < 3.5 * errors)
    assert_allclose(errors[0], 1.5 / np.sqrt(result.point_sources.fluxes[0]), rtol=0.3)


def test_point_sources_have_no_size(result):
    covariances = np.tile(POINT_SIGMA**2 * np.eye(2), (3, 1, 1))
    assert_allclose(result.point_sources.covariances, covariances, rtol=1e-12)


def test_the_extended_component_comes_back_beside_them(result):
    assert len(result.extended) == 1
    assert abs(result.extended.fluxes[0] - 4000) < 3.5 * result.signal_error
    assert_allclose(np.linalg.eigvalsh(result.extended.covariances[0]) ** 0.5, 12, rtol=0.08)


def test_point_sources_do_not_count_as_components(result):
    assert result.requested_components == 1
    assert not any("asked for" in text for text in result.warnings)
    assert set(result.history["k"]) == {0, 1}
    assert result.path["k"][-1] == 1


def test_all_photons_are_accounted_for(result):
    total = result.signal_photons + result.point_photons + result.backgrounds[0].photons
    assert total == pytest.approx(result.n_photons, rel=0.01)


def test_fixed_positions_stay_to_the_bit(observation):
    sources = replace(LISTED, movable=False)
    found = fit(observation, n_components=1, point_sources=sources, threads=1)
    places = sorted(map(tuple, found.point_sources.means))
    assert places == sorted(zip(LISTED.x, LISTED.y, strict=True))
    assert np.all(found.mean_errors[found.points] == 0)


def test_a_source_that_would_leave_its_region_stays_at_the_edge(observation):
    listed = replace(LISTED, x=LISTED.x + [0.0, 0.0, 2.0], reaches=[4.0, 4.0, 1.0])
    with pytest.warns(DataWarning, match="1 point source would leave its region"):
        found = fit(observation, n_components=1, point_sources=listed, threads=1)
    shift = found.mixture.means - [listed.x[2], listed.y[2]]
    assert np.hypot(*shift.T).min() == pytest.approx(1.0, abs=1e-9)


def test_a_source_without_photons_is_flagged(observation):
    x, y = np.append(LISTED.x, -40.0), np.append(LISTED.y, 40.0)
    listed = PointSources(x=x, y=y, reaches=np.full(4, 4.0), movable=False)
    found = fit(observation, n_components=1, point_sources=listed, threads=1)
    nearest = np.argmin(np.hypot(*(found.mixture.means - [-40.0, 40.0]).T))
    flagged = [k for k, words in enumerate(component_flags(found)) if "not significant" in words]
    assert flagged == [nearest]


# Beside the brightest source: small and faint, on the source and bright, broad; and far from all.
BESIDE = {
    "small beside it": ((200, 24.0, 5.0, 1.5), True),
    "bright on it": ((5000, 20.0, 5.0, 1.5), False),
    "broad beside it": ((200, 24.0, 5.0, 15.0), False),
    "far from it": ((200, 0.0, -35.0, 1.5), False),
}


@pytest.mark.parametrize("which", BESIDE)
def test_the_wings_of_a_source_are_flagged(result, which):
    row, flagged = BESIDE[which]
    joined = result.mixture.joined(mixture_of(row))
    larger = replace(
        result,
        mixture=joined,
        fixed=result.fixed.joined(Fixed.none(1)),
        observed_fraction=np.ones(len(joined)),
        observed_photons=np.append(result.observed_photons, float(row[0])),
        prior_scales=np.ones(len(joined)),
        flux_errors=None,
        flux_upper95=None,
        mean_errors=None,
    )
    words = ["wings of a point source" in flags for flags in component_flags(larger)]
    assert words == [False] * len(result.mixture) + [flagged]


def test_point_sources_need_a_psf(observation):
    with pytest.raises(InputError, match="without a PSF"):
        fit(replace(observation, psf=None), n_components=1, point_sources=LISTED)


def test_the_region_of_a_source_must_have_an_area():
    with pytest.raises(InputError, match="an area"):
        PointSources(x=[0.0], y=[0.0], reaches=[0.0])


def test_the_covariance_of_a_point_source_cannot_be_free():
    with pytest.raises(InputError, match="covariance of a point source"):
        Fixed(fluxes=[False], means=[False], covariances=[False], points=[True])


@pytest.mark.parametrize(
    ("shape", "circle"),
    [
        (Ellipse(1.0, 2.0, 3.0, 3.0, 0.0), (1, 2, 3)),
        (Ellipse(-5.0, 0.0, 0.5, 0.5, 0.0), (-5, 0, 0.5)),
        (Ellipse(0.0, 0.0, 8.0, 2.0, 45.0), (0, 0, 4)),
        (Box(1.0, 2.0, 4.0, 9.0, 30.0), (1, 2, 3)),
    ],
    ids=["circle", "small circle", "turned ellipse", "turned box"],
)
def test_a_shape_becomes_a_circle_of_the_same_area(shape, circle):
    sources = PointSources.of_shapes(Shapes.of(shape))
    assert_allclose([*sources.x, *sources.y, *sources.reaches], circle, atol=1e-12)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (Ring(Ellipse(0.0, 0.0, 3.0, 3.0), Ellipse(0.0, 0.0, 1.0, 1.0)), "a ring, pie or panda"),
        (Field(), "with bounds"),
    ],
    ids=["ring", "field"],
)
def test_a_shape_that_is_not_on_a_source_is_refused(shape, words):
    with pytest.raises(InputError, match=words):
        PointSources.of_shapes(Shapes.of(shape))


@pytest.fixture(scope="module")
def masked(observation):
    return replace(observation, masks=Shapes.of(Ellipse(30.0, 30.0, 2.0, 2.0)))


# The second is a tenth of the PSF from the first, and the third four tenths of its radius. The
# fourth is just far enough from the first. The fifth is masked, the sixth outside the field.
CROWDED = PointSources(
    x=[0.0, 0.1, 0.6, 1.0, 30.0, 500.0], y=[0.0, 0.0, 0.0, 0.0, 30.0, 0.0], reaches=np.full(6, 2.0)
)


def test_sources_that_cannot_be_fitted_are_counted_by_reason(masked):
    sources, left_out = CROWDED.usable([masked], 1.0)
    assert_allclose(sources.x, [0, 1])
    assert left_out == {
        "without exposure": 1,
        "under a mask or outside the region": 1,
        "listed twice": 2,
    }


def test_a_source_that_one_pointing_masks_can_be_fitted_in_another(masked, observation):
    sources, _ = CROWDED.usable([masked, observation], 1.0)
    assert_allclose(sources.x, [0, 1, 30])


def test_sources_that_the_start_has_already_are_left_out():
    apart = LISTED.apart_from(np.array([[22.0, 8.0], [-15.0, 30.0]]))
    assert_allclose(apart.x, [-15, -24])
    assert len(LISTED.apart_from(np.zeros((0, 2)))) == 3
