"""A FitResult in a notebook: what it prints, and the doors to the rest of the package."""

from dataclasses import replace

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable
from handmade import make_mixture, make_observation, make_result
from numpy.testing import assert_allclose

import gmmx
from gmmx.errors import InputError
from gmmx.model.mixture import Fixed
from gmmx.model.summary import with_error


def make_result_with_points(**changes):
    """Three components, of which the last is a point source."""
    points = np.array([False, False, True])
    fixed = replace(Fixed.none(3), covariances=points, points=points)
    return make_result([make_observation()], make_mixture(3), fixed=fixed, **changes)


@pytest.fixture
def result():
    return make_result([make_observation()], make_mixture(3))


# What it prints


def test_it_prints_four_lines(result):
    lines = repr(result).splitlines()
    assert lines[0] == "FitResult: 3 components, converged after 321 evaluations"
    assert [line.split()[0] for line in lines[1:]] == ["flux", "background", "warnings"]
    assert lines[1].endswith("photon/cm^2/s (0.5-2 keV)")
    assert lines[3] == "  warnings    1: the exposure map is of another band"


@pytest.mark.parametrize(
    ("changes", "headline"),
    [
        ({"converged": False}, "3 components, not converged after 321 evaluations"),
        ({"iterations": 1}, "3 components, converged after 1 evaluation"),
    ],
)
def test_its_first_line_says_how_the_fit_ended(result, changes, headline):
    assert repr(replace(result, **changes)).splitlines()[0] == f"FitResult: {headline}"


def test_its_first_line_counts_point_sources_apart():
    assert repr(make_result_with_points()).startswith("FitResult: 2 components and 1 point source,")


def test_a_long_warning_is_cut(result):
    printed = repr(replace(result, warnings=("much " * 100, "more")))
    assert len(printed.splitlines()) == 4
    assert "warnings    2: much much" in printed
    assert max(map(len, printed.splitlines())) <= 100


def test_a_joint_fit_says_how_many_observations_it_has():
    joint = make_result([make_observation(i, name=f"o{i}") for i in range(2)], make_mixture(3))
    assert "photons in 2 observations" in repr(joint)


def test_a_notebook_shows_the_components_and_escapes_texts(result):
    html = replace(result, warnings=("<script>alert(1)</script>",))._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert html.count("<tr>") >= 3 + len(result.mixture)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (8.0312e-03, 4.2e-05, "8.03e-03 +- 4e-05"),
        (8.0312e-03, 1.4e-05, "8.031e-03 +- 1.4e-05"),
        (123.456, 7.8, "123 +- 8"),
        (123.456, 0.78, "123.5 +- 0.8"),
        (-0.5, 0.01, "-0.500 +- 0.010"),
        (0.0, 0.3, "0.0 +- 0.3"),
        (0.0123, 2556.0, "0 +- 2,556"),
        (0.0, 3e-5, "0e+00 +- 3e-05"),
        (40_462.0, 0.0, "40,462"),
        (3.14159, np.nan, "3.142"),
        (1e-9, 0.0, "1e-09"),
    ],
)
def test_values_are_printed_to_the_first_digit_of_their_error(value, error, text):
    assert with_error(value, error) == text


# Numbers with units


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("cm**2 s", u.photon / u.cm**2 / u.s),
        ("cm**2", u.photon / u.cm**2),
        ("s", u.photon / u.s),
        ("", u.photon),
    ],
)
def test_the_flux_has_the_unit_of_photons_over_the_exposure(unit, expected):
    result = make_result([make_observation(unit=unit)], make_mixture(3))
    exposure = result.reference_exposure if unit else 1.0
    assert result.signal_flux.unit.is_equivalent(expected)
    assert_allclose(result.signal_flux.to_value(expected), result.mixture.fluxes.sum() / exposure)
    assert_allclose(result.signal_flux_error.to_value(expected), result.signal_error / exposure)


def test_the_flux_leaves_point_sources_out():
    result = make_result_with_points()
    assert_allclose(result.signal_flux / result.flux_per_photon, result.mixture.fluxes[:2].sum())


def test_options_are_kept_as_json_keeps_them(result):
    given = {"k": np.int64(3), "energy": (0.5, 2.0), "init": make_mixture(2), "x": np.arange(2)}
    kept = replace(result, options=given).options
    assert kept["k"] == 3
    assert kept["energy"] == [0.5, 2.0]
    assert kept["x"] == [0, 1]
    assert isinstance(kept["init"], str)


def test_a_fit_from_python_flags_components_at_the_size_floor():
    x, y = np.random.default_rng(0).normal(0.0, 2.0, (2, 300))
    observation = gmmx.Observation(photons=gmmx.Photons(x, y))
    fitted = gmmx.fit(observation, n_components=1, min_sigma=8.0)
    assert fitted.options["min_sigma"] == 8.0
    assert list(fitted.components["flags"]) == ["at the size floor"]


# Doors


def test_components_are_a_table_with_units(result):
    table = result.components
    assert isinstance(table, QTable)
    assert len(table) == 3
    assert table["ra"].unit == u.deg
    assert table["flux"].unit.is_equivalent(u.photon / u.cm**2 / u.s)
    assert_allclose(table["photons"].value, np.sort(result.mixture.fluxes)[::-1])


def test_coords_are_where_the_means_are(result):
    x, y = result.frame.to_plane(result.coords.ra.deg, result.coords.dec.deg)
    assert_allclose(np.stack([x, y], 1), result.mixture.means, atol=1e-6)


@pytest.mark.parametrize("ask", [lambda r: r.coords, lambda r: r.regions()])
def test_a_fit_without_a_sky_has_no_positions_on_it(ask):
    plain = make_result([replace(make_observation(), frame=None, physical=None)], make_mixture(2))
    with pytest.raises(InputError, match="celestial frame"):
        ask(plain)


def test_regions_are_one_for_each_component(result):
    regions = result.regions(scale=2.0)
    assert len(regions) == 3
    assert_allclose(
        [region.width.to_value(u.arcsec) for region in regions],
        4 * result.components["sigma_major"].to_value(u.arcsec),
    )


def test_sampled_positions_are_those_of_the_extended_components():
    result = make_result_with_points()
    far = replace(result.mixture, means=np.array([[0.0, 0], [0, 0], [1000, 0]]))
    result = replace(result, mixture=far)
    rng = np.random.default_rng(5)
    assert result.sample(400, rng).shape == (400, 2)
    assert result.sample(400, rng)[:, 0].max() < 900
    assert result.sample(400, rng, with_points=True)[:, 0].max() > 900


def test_sampled_positions_are_those_of_the_seed(result):
    drawn = [result.sample(10, np.random.default_rng(7)) for _ in range(2)]
    assert np.array_equal(*drawn)


def test_rendering_is_what_the_function_renders(result):
    images, expected = result.render(units="sb"), gmmx.render(result, units="sb")
    assert np.array_equal(images.signal.values, expected.signal.values)
    assert images.signal.unit == expected.signal.unit


@pytest.mark.parametrize("as_list", [False, True])
def test_one_observation_is_scored_like_a_list_of_one(result, as_list):
    other = make_observation(9).exposed()
    score = result.score([other] if as_list else other)
    assert np.isfinite(score.mean)
    assert score.n_photons == pytest.approx(other.n_photons)


def test_what_is_written_is_read(result, tmp_path):
    result.write(tmp_path / "model.h5")
    again = gmmx.read(tmp_path / "model.h5")
    assert repr(again) == repr(result)


def test_an_unknown_figure_is_refused(result):
    with pytest.raises(InputError, match="residual-map"):
        result.plot("residual-map")
