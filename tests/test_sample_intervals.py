"""Intervals of the answers of mixtures of samples: on the page, in tables, in JSON, in figures."""

import json

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from command_line import run
from numpy.testing import assert_allclose

import gmmx
from gmmx.answers.corner import Corner
from gmmx.answers.sample_components import part_table, sample_table
from gmmx.answers.sample_intervals import drawn_results
from gmmx.errors import InputError
from gmmx.show.lines import with_error
from gmmx.show.sample_page import sample_facts, sample_summary


def make_fit(names=("a", "b")):
    """A fit of one component and a background to 400 samples in two columns."""
    rng = np.random.default_rng(4)
    x = np.concatenate([rng.multivariate_normal([0, 3], [[4, 1], [1, 1]], 320)])
    x = np.concatenate([x, rng.uniform(-9, 9, (80, 2))])
    return gmmx.fit_samples(
        x, n_components=1, init="kmeans", background=([-9, -9], [9, 9]), names=names
    )


@pytest.fixture(scope="module")
def bare():
    return make_fit()


@pytest.fixture(scope="module")
def fitted(bare):
    return bare.errors(300, seed=2)


def test_draws_become_results_with_their_mixture_and_background(fitted):
    third = list(drawn_results(fitted))[2]
    assert third.draws is None
    assert_allclose(third.mixture.means, fitted.draws.means[2])
    assert third.backgrounds[0].amplitude == pytest.approx(fitted.draws.amplitudes[2, 0])


def test_the_interval_of_an_answer_holds_the_answer_and_its_known_error(fitted):
    found = fitted.interval(lambda one: one.condition({"a": 1.0}).means)
    assert found.value == pytest.approx(fitted.condition({"a": 1.0}).means.ravel())
    assert found.lower95 < found.lower68 < found.value < found.upper68 < found.upper95
    # The residual of a straight line through about 330 samples, near its middle.
    assert found.error == pytest.approx(np.sqrt(0.75 / 330), rel=0.35)


@pytest.mark.parametrize("answer", [lambda one: one.expectation()[1], lambda one: one.fractions])
def test_an_answer_may_have_any_shape(fitted, answer):
    assert len(fitted.interval(answer)) == np.size(answer(fitted))


def test_an_interval_needs_draws(bare):
    with pytest.raises(InputError, match=r"no draws: make them with `result.errors\(\)`"):
        bare.interval(lambda one: one.fractions)


def test_each_fitted_column_of_the_table_is_followed_by_its_error(bare, fitted):
    names = [n for n in sample_table(bare).colnames if n not in ("component", "observed_fraction")]
    table = sample_table(fitted)
    assert [table.colnames[1 + table.colnames.index(name)] for name in names] == [
        f"{name}_err" for name in names
    ]
    low, high = np.quantile(fitted.draws.means[:, 0, 1], (0.158655, 0.841345))
    assert table["mean_b_err"][0] == pytest.approx((high - low) / 2, rel=1e-4)


def test_a_column_that_has_the_name_of_an_error_keeps_its_own():
    table = sample_table(make_fit(names=("a", "a_err")).errors(20))
    assert table["mean_a_err"][0] == pytest.approx(3.0, abs=0.3)
    assert table["mean_a_draws_err"][0] < 0.3


def test_the_page_says_what_the_errors_are_and_writes_them(bare, fitted):
    page = sample_summary(fitted)
    assert "300 draws of the parameters from the information matrix (laplace, seed 2)" in page
    assert page.count(" +- ") == 7
    assert " +- " not in sample_summary(bare)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.0, 0.0123, "0.000 +- 0.012"),
        (1234.5, 0.5, "1234.50 +- 0.50"),
        (1e-12, 1e-14, "1e-12 +- 1e-14"),
        (2.5, 0.0, "2.5 +- 0"),
        (2.5, None, "2.5"),
    ],
)
def test_numbers_have_as_many_digits_as_their_errors(value, error, text):
    assert with_error(value, error) == text


def test_facts_have_the_errors_of_all_that_was_fitted(bare, fitted):
    facts = sample_facts(fitted)
    assert facts["draws"] == {"number": 300, "method": "laplace", "seed": 2}
    assert np.shape(facts["components"][0]["covariance_err"]) == (2, 2)
    assert 0.01 < facts["background_fraction_err"] < 0.05
    assert "draws" not in sample_facts(bare)


def test_a_part_table_has_the_intervals_of_the_whole(bare, fitted):
    table = part_table(fitted, {"a": 1.0})
    whole = table.meta["all"]["mean_b"]
    # There is one component, so that it is the whole.
    assert whole["error"] == pytest.approx(table["mean_b_err"][0])
    assert part_table(bare, {"a": 1.0}).meta["all"]["mean_b"].keys() == {"value"}


def test_the_command_condition_gives_intervals(fitted, tmp_path):
    fitted.write(tmp_path / "m.h5")
    done = run("condition", tmp_path / "m.h5", "--given", "a=1", "--out", tmp_path / "c.fits")
    assert done.exit_code == 0, done.output
    assert "All components\n  mean_b" in done.stdout
    assert "(95 %)" in done.stdout
    assert "mean_b_err" in Table.read(tmp_path / "c.fits").colnames
    comments = str(fits.getheader(tmp_path / "c.fits", 1)["COMMENT"])
    assert "all, mean_b: {'value':" in comments
    told = run("condition", tmp_path / "m.h5", "--given", "a=1", "--json").stdout
    assert json.loads(told)["all"]["sigma_b"].keys() >= {"value", "lower95", "upper68"}


def test_the_band_of_a_density_holds_two_thirds_of_the_draws_at_each_point(fitted):
    corner = Corner.of(fitted)
    low, high = corner.band(1)
    drawn = np.array(
        [Corner(one, corner.ranges, corner.drawn).curve(1) for one in drawn_results(fitted)]
    )
    inside = (drawn >= low) & (drawn <= high)
    assert_allclose(inside.mean(0), 0.68, atol=0.02)


def test_a_figure_without_draws_has_no_band(bare):
    assert Corner.of(bare).band(0) is None
