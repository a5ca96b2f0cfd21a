"""The table of components."""

import numpy as np
import pytest
from handmade import ellipse, make_mixture, make_observation, make_result
from numpy.testing import assert_allclose

from gmmx.answers.components import component_table
from gmmx.errors import InputError
from gmmx.model.mixture import Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.plane.frame import SkyFrame
from gmmx.reading.fixed_components import mixture_from_table
from gmmx.show.facts import summary_dict
from gmmx.show.page import summary


def one_component(frame, position_angle, *, x=0.0, y=0.0, major=10.0, minor=4.0, **changes):
    """A result of one ellipse with an angle from the plane's y axis through east [deg]."""
    observation = Observation(photons=Photons([], []), frame=frame)
    mixture = Mixture(
        fluxes=np.array([100.0]),
        means=np.array([[x, y]]),
        covariances=ellipse(major, minor, position_angle)[None],
    )
    return make_result([observation], mixture, **changes)


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, 135.0, 179.9])
def test_position_angle_at_the_tangent_point_counts_from_the_plane_s_y_through_east(angle):
    table = component_table(one_component(SkyFrame(150, 60), angle))
    assert_allclose(table["position_angle"], angle, atol=1e-9)
    assert_allclose([table["sigma_major"][0], table["sigma_minor"][0]], [10, 4])
    assert_allclose(table["fwhm_major"], 23.5482, rtol=1e-5)


@pytest.mark.parametrize("dec", [60.0, -75.0, 0.0])
def test_position_angle_is_that_of_two_points_on_the_sky(dec):
    # The angle on the sphere from the centre to a point along the major axis.
    result = one_component(SkyFrame(150, dec), 37.0, x=600.0, y=-200.0)
    row = component_table(result)[0]
    along = np.array([-np.sin(np.radians(37)), np.cos(np.radians(37))])
    ra, dec = result.frame.to_sky(*(np.array([600.0, -200.0]) + 0.1 * along))
    east = np.radians(ra - row["ra"])
    d1, d2 = np.radians([row["dec"], dec])
    expected = (
        np.degrees(np.arctan2(np.sin(east), np.cos(d1) * np.tan(d2) - np.sin(d1) * np.cos(east)))
        % 180
    )
    # The projection itself stretches by 1e-5 here.
    assert abs(row["position_angle"] - expected) < 1e-3


def test_a_table_gives_its_mixture_back():
    result = make_result([make_observation()], make_mixture(7))
    mixture = mixture_from_table(component_table(result), result.frame)
    assert_allclose(mixture.fluxes, result.mixture.fluxes)
    assert_allclose(mixture.means, result.mixture.means, atol=1e-7)
    assert_allclose(mixture.covariances, result.mixture.covariances, atol=1e-9)


def test_a_table_without_a_sky_gives_its_mixture_back():
    result = one_component(None, 20.0, x=3.0, y=-4.0)
    table = component_table(result)
    assert np.isnan(table["ra"]).all()
    assert_allclose(mixture_from_table(table).covariances, result.mixture.covariances)


def test_a_table_without_a_needed_column_is_refused():
    table = component_table(one_component(None, 20.0))
    table.remove_column("sigma_minor")
    with pytest.raises(InputError, match="there is no sigma_minor"):
        mixture_from_table(table)


def test_the_rows_of_a_table_are_ordered_by_flux():
    result = make_result([make_observation()], make_mixture(4).select([2, 0, 3, 1]))
    table = component_table(result)
    assert np.all(np.diff(table["photons"]) < 0)
    assert_allclose(table["photons"], result.mixture.fluxes[table["component"]])
    assert_allclose(table["observed_fraction"], result.observed_fraction[table["component"]])
    assert_allclose(table["x"], result.mixture.means[table["component"], 0])
    density = [
        result.mixture.select([k]).density(*result.mixture.means[k]) for k in table["component"]
    ]
    assert_allclose(table["peak_density"], density)


def test_a_flux_is_photons_over_the_reference_exposure():
    table = component_table(make_result([make_observation()], make_mixture()))
    assert_allclose(table["flux"], table["photons"] / 1e7)
    assert str(table["flux"].unit) == "ph / (s cm2)"
    assert "flux_note" not in table.meta


def test_there_is_no_flux_without_an_exposure_in_area_times_time():
    table = component_table(make_result([make_observation(unit="s")], make_mixture()))
    assert np.isnan(table["flux"]).all()
    assert "the unit s:" in table.meta["flux_note"]


def test_flags_name_the_reasons_for_caution():
    observation = make_observation()
    mixture = Mixture(
        fluxes=[300.0, 200, 100],
        means=np.zeros((3, 2)),
        covariances=[ellipse(20, 10, 0), ellipse(2, 0.1, 0), ellipse(0.5, 0.4, 0)],
    )
    result = make_result(
        [observation],
        mixture,
        options={"min_sigma": 0.1},
        observed_fraction=np.array([0.9, 0.9, 0.3]),
        observed_photons=np.array([270.0, 180, 30]),
        prior_scales=np.ones(3),
    )
    assert list(component_table(result)["flags"]) == [
        "",
        "at the size floor",
        "scarcely observed; smaller than the PSF",
    ]
    page = summary(result)
    assert "scarcely observed; smaller than the PSF" in page
    assert summary_dict(result)["scarcely_observed"] == [2]
