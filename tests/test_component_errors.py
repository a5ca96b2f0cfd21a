"""Errors and correlations of the component table, against the spread of the draws."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.table import Table
from command_line import run
from four_components import make_four, quiet_fit
from handmade import ellipse, make_draws, make_mixture, make_observation, make_result
from numpy.testing import assert_allclose, assert_array_equal

import gmmx
from gmmx.answers.component_errors import correlations, observed_fractions
from gmmx.answers.components import component_table
from gmmx.io.tables import read_table
from gmmx.model.mixture import Fixed
from gmmx.model.posterior import Draws
from gmmx.show.component_list import component_lines
from gmmx.show.page import summary

WITH_ERRORS = (
    *("ra", "dec", "sigma_major", "sigma_minor", "fwhm_major", "position_angle", "photons"),
    *("flux", "peak_density", "peak_brightness", "observed_fraction", "observed_photons", "x", "y"),
)


def drawn_result(**changes):
    """A result of three components with draws."""
    result = make_result([make_observation()], make_mixture(), **changes)
    return replace(result, draws=make_draws(result, scatter=0.03))


def table_of_draw(result, i):
    """Slow twin: the component table of one draw, in the order of the fit's components."""
    k = len(result.mixture)
    mixture = replace(
        result.mixture,
        fluxes=result.draws.fluxes[i, :k],
        means=result.draws.means[i, :k],
        covariances=result.draws.covariances[i, :k],
    )
    seen = observed_fractions(result, mixture.means[None], mixture.covariances[None])[0]
    table = component_table(
        make_result(
            result.observations,
            mixture,
            observed_fraction=seen,
            observed_photons=seen * mixture.fluxes,
        )
    )
    return table[np.argsort(table["component"])]


@pytest.mark.parametrize("name", WITH_ERRORS)
def test_every_fitted_column_has_the_spread_of_its_values_over_the_draws(name):
    result = drawn_result()
    values = np.array([table_of_draw(result, i)[name] for i in range(len(result.draws))])
    scale = 1.0
    if name in ("ra", "dec"):
        scale = 3600 * (np.cos(np.radians(result.frame.dec0)) if name == "ra" else 1.0)
    lower, upper = np.quantile(values, (0.158655, 0.841345), axis=0)
    table = component_table(result, result.draws)
    found = table[f"{name}_error"][np.argsort(table["component"])]
    # The angles of these components do not pass 180 degrees; cos(dec) varies over the field.
    assert_allclose(found, scale * (upper - lower) / 2, rtol=2e-3)
    assert np.all(found > 0)


def test_a_position_angle_near_180_has_a_small_error():
    mixture = gmmx.Mixture(fluxes=[100.0], means=[[0.0, 0.0]], covariances=[ellipse(10, 4, 179.9)])
    result, angles = make_result([make_observation()], mixture), np.linspace(-3, 3, 101)
    draws = Draws(
        fluxes=np.full((101, 1), 100.0),
        means=np.zeros((101, 1, 2)),
        covariances=np.array([[ellipse(10, 4, 179.9 + angle)] for angle in angles]),
        amplitudes=np.zeros((101, 1)),
        method="laplace",
        seed=0,
    )
    error = component_table(result, draws)["position_angle_error"][0]
    assert error == pytest.approx(0.6827 * 3, rel=1e-3)


def test_what_is_fixed_has_no_error_and_a_point_has_no_size():
    points = np.array([False, True, False])
    mixture = make_mixture()
    fixed = Fixed(fluxes=points & False, means=points, covariances=points, points=points)
    result = make_result([make_observation()], mixture, fixed=fixed)
    made = make_draws(result)
    means, covariances = made.means.copy(), made.covariances.copy()
    means[:, 1], covariances[:, 1] = mixture.means[1], mixture.covariances[1]
    draws = replace(made, means=means, covariances=covariances)
    row = component_table(replace(result, draws=draws), draws)[1]
    assert row["component"] == 1
    names = ("x", "y", "ra", "dec", "sigma_major", "sigma_minor", "fwhm_major")
    assert [row[f"{name}_error"] for name in names] == [0.0] * 7
    assert np.isnan(row["peak_density_error"])
    assert np.isnan(row["position_angle_error"])


def test_observed_fractions_are_those_of_the_fit():
    result = quiet_fit([make_four(1)], n_components=4, seed=1)
    mixture = result.mixture
    found = observed_fractions(result, mixture.means[None], mixture.covariances[None])
    assert_allclose(found[0], result.observed_fraction, rtol=1e-9)


def test_errors_over_draws_agree_with_those_of_the_information_matrix():
    result = quiet_fit([make_four(1)], n_components=4, seed=1)
    table = component_table(result, result.errors(300, method="laplace").draws)
    assert_array_equal(table["photons_error"], component_table(result)["photons_error"])
    drawn = component_table(*with_draws(result))
    for name in ("photons_error", "x_error", "y_error"):
        assert_allclose(drawn[name], table[name], rtol=0.25)


def with_draws(result):
    """A result with draws, and the draws."""
    result = result.errors(300, method="laplace")
    return result, result.draws


def test_correlations_are_those_of_numpy_in_the_order_of_the_rows():
    result = drawn_result()
    draws, order = result.draws, np.array([2, 0, 1])
    drawn = np.concatenate(
        [draws.fluxes[:, order], draws.means[:, order, 0], draws.means[:, order, 1]], axis=1
    )
    assert_allclose(correlations(draws, order), np.corrcoef(drawn.T), atol=1e-12)


def test_what_does_not_vary_is_correlated_with_itself_only():
    draws = drawn_result().draws
    means = draws.means.copy()
    means[:, 0] = 3.0
    matrix = correlations(replace(draws, means=means), np.arange(3))
    assert_array_equal(matrix[3], np.arange(9) == 3)


@pytest.mark.parametrize("suffix", [".ecsv", ".fits"])
def test_the_command_writes_errors_and_correlations(tmp_path, suffix):
    result, out = drawn_result(), tmp_path / f"c{suffix}"
    result.write(tmp_path / "m.h5")
    assert run("export", tmp_path / "m.h5", "--correlations", "--out", out).exit_code == 0
    table = read_table(out)
    assert table.meta["errors"].startswith("30 draws")
    names = ("photons_correlations", "x_correlations", "y_correlations")
    matrix = np.concatenate([table[name] for name in names])
    assert_array_equal(matrix, correlations(result.draws, np.array(table["component"])))
    for name in result.components.colnames:
        assert_array_equal(table[name], result.components[name].value, err_msg=name)


@pytest.mark.parametrize("name", ["c.csv", "c.reg", "c_reg.fits"])
def test_correlations_need_a_table_whose_cells_hold_vectors(tmp_path, name):
    drawn_result().write(tmp_path / "m.h5")
    done = run("export", tmp_path / "m.h5", "--correlations", "--out", tmp_path / name)
    assert done.exit_code != 0
    assert "--correlations" in done.output
    assert not (tmp_path / name).exists()


def test_csv_has_the_errors_too(tmp_path):
    drawn_result().write(tmp_path / "m.h5")
    assert run("export", tmp_path / "m.h5", "--out", tmp_path / "c.csv").exit_code == 0
    assert {f"{name}_error" for name in WITH_ERRORS} <= set(Table.read(tmp_path / "c.csv").colnames)


def test_the_errors_of_the_flux_by_place_are_the_spread_over_the_draws():
    result = drawn_result()
    drawn = [
        make_result(result.observations, mixture).photons_by_place
        for mixture in result.draws.mixtures()
    ]
    lower, upper = np.quantile(drawn, (0.158655, 0.841345), axis=0)
    found = result.errors_by_place
    assert_allclose(
        [found.in_field, found.under_masks, found.outside], (upper - lower) / 2, rtol=1e-3
    )
    assert result.flux_in_field_error.value * result.reference_exposure == found.in_field
    assert "30 draws of the parameters (laplace)" in summary(result)


def test_the_list_of_components_shows_the_error_of_each_flux():
    result = make_result([make_observation()], make_mixture(), flux_errors=np.array([31.0, 22, 13]))
    head, *rows = next(block for block in component_lines(result, None))[1:]
    assert "photons  error" in head
    assert [error in row for error, row in zip(("31", "22", "13"), rows, strict=True)] == [True] * 3
