"""Fixed components in tables, in model files and on the command line."""

import hashlib
import json

import numpy as np
import pytest
from astropy.table import Table
from command_line import error_line, run
from handmade import make_mixture, make_observation, make_result
from numpy.testing import assert_allclose, assert_array_equal

from gmmx.answers.components import component_table
from gmmx.errors import DataError, InputError
from gmmx.io.models import read_model, write_model
from gmmx.io.tables import read_table, write_table
from gmmx.model.mixture import Fixed
from gmmx.plane.frame import SkyFrame
from gmmx.reading.fixed_components import fixed_from_table
from gmmx.show.page import summary

NAMES = ("fluxes", "means", "covariances")


@pytest.fixture
def fixed_result():
    """A result of three components: flux and position fixed, position fixed, all free."""
    fixed = Fixed(fluxes=[True, False, False], means=[True, True, False], covariances=[False] * 3)
    return make_result([make_observation()], make_mixture(3), fixed=fixed)


def assert_same_fixed(one, other):
    for name in NAMES:
        assert_array_equal(getattr(one, name), getattr(other, name))


def test_a_model_file_keeps_the_fixed_parameters(fixed_result, tmp_path):
    write_model(tmp_path / "m.h5", fixed_result)
    assert_same_fixed(read_model(tmp_path / "m.h5").fixed, fixed_result.fixed)


def test_a_model_file_without_fixed_parameters_has_none(tmp_path):
    write_model(tmp_path / "free.h5", make_result([make_observation()], make_mixture(3)))
    assert read_model(tmp_path / "free.h5").fixed is None


@pytest.mark.parametrize("name", ["t.ecsv", "t.fits"])
def test_a_table_keeps_the_fixed_parameters(fixed_result, tmp_path, name):
    write_table(tmp_path / name, component_table(fixed_result))
    table, exposure = read_table(tmp_path / name), 2 * fixed_result.reference_exposure
    mixture, fixed = fixed_from_table(table, fixed_result.frame, exposure, "cm**2 s")
    assert_same_fixed(fixed, fixed_result.fixed)
    assert_array_equal(mixture.means, fixed_result.mixture.means)
    assert_array_equal(mixture.fluxes, np.asarray(table["flux"]) * exposure)
    assert_allclose(mixture.covariances, fixed_result.mixture.covariances, rtol=1e-9, atol=1e-9)


def test_fixed_parameters_are_flagged(fixed_result):
    assert component_table(fixed_result)["flags"][0].endswith("flux fixed; mean fixed")
    assert "3; 2 of them with fixed parameters" in summary(fixed_result)


def test_a_table_without_fixed_columns_fixes_everything():
    result = make_result([make_observation()], make_mixture(3))
    mixture, fixed = fixed_from_table(component_table(result), result.frame, 1.0, "s")
    assert np.all([fixed.fluxes, fixed.means, fixed.covariances])
    assert_array_equal(mixture.fluxes, result.mixture.fluxes)


def test_a_table_goes_through_the_sky_into_another_plane():
    result, other = make_result([make_observation()], make_mixture(3)), SkyFrame(202.3, 47.3)
    mixture, _ = fixed_from_table(component_table(result), other, 1.0, "s")
    here, there = other.to_sky(*mixture.means.T), result.frame.to_sky(*result.mixture.means.T)
    assert_allclose(here, there, rtol=1e-12)


def test_a_position_that_is_edited_in_the_table_moves_that_component_only():
    result = make_result([make_observation()], make_mixture(3))
    table = component_table(result)
    table["ra"][1] += 5 / 3600
    moved, _ = fixed_from_table(table, result.frame, 1.0, "s")
    assert_array_equal(moved.means[[0, 2]], result.mixture.means[[0, 2]])
    expected = result.mixture.means[1, 0] - 5 * np.cos(np.radians(table["dec"][1]))
    assert moved.means[1, 0] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        *[("sigma_major", "arcmin"), ("sigma_minor", "deg"), ("ra", "arcmin"), ("dec", "rad")],
        *[("position_angle", "rad"), ("flux", "ph / (m2 ks)"), ("photons", "ct")],
    ],
)
def test_a_table_in_other_units_is_the_same_table(name, unit):
    result = make_result([make_observation()], make_mixture(3))
    table = component_table(result)
    expected, _ = fixed_from_table(table, result.frame, 1e7, "cm**2 s")
    factor = 1.0 if name == "photons" else table[name].unit.to(unit)
    table[name] = factor * np.array(table[name])
    table[name].unit = unit
    mixture, _ = fixed_from_table(table, result.frame, 1e7, "cm**2 s")
    for field in ("fluxes", "means", "covariances"):
        assert_allclose(getattr(mixture, field), getattr(expected, field), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(("name", "unit"), [("flux", "erg / (cm2 s)"), ("sigma_major", "pix")])
def test_a_table_in_units_of_another_quantity_is_refused_by_name(name, unit):
    result = make_result([make_observation()], make_mixture(3))
    table = component_table(result)
    table[name].unit = unit
    with pytest.raises(InputError, match=f"column {name} has the unit .*: it must be"):
        fixed_from_table(table, result.frame, 1e7, "cm**2 s")


def marked(**columns):
    """The table of a model of two components, with other columns."""
    table = component_table(make_result([make_observation()], make_mixture(2)))
    for name, values in columns.items():
        table[name] = values
    return table


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (marked(fixed_mean=[False, False]), "fixed_mean is false in every row"),
        (marked(fixed_mean=[False, False], fixed_flux=[False, False]), "are false in every row"),
        (
            marked(fixed_position=[True, False]),
            "column fixed_position is unknown: fixed_flux, fixed_mean, fixed_covariance mark fixed",
        ),
        (marked(fixed_mean=["yes", "no"]), "must be true or false"),
        (marked()[:0], "has no row"),
        (marked(sigma_minor=[0.0, 1.0]), "a sigma_minor above 0"),
        (marked(sigma_major=[1.0, np.nan]), "needs a sigma_major"),
        (marked(ra=[np.nan, 202.47]), "not finite"),
        (marked(position_angle=[-1e300, 0.0]), "column position_angle holds 1e"),
        (marked(sigma_major=np.ones((2, 16), bool)), "column sigma_major does not hold one number"),
        (marked(dec=[0.0, 91.0]), "column dec holds 91: it is in degrees, up to 90"),
        (marked(flux=[np.nan, 1.0], photons=[np.nan, 1.0]), "not finite"),
        (
            Table({"ra": [1.0], "dec": [2.0], "photons": [3.0]}),
            "there is no sigma_major, sigma_minor, position_angle",
        ),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(table, words):
    with pytest.raises(InputError, match=words):
        fixed_from_table(table, SkyFrame(202.47, 47.195), 1e7, "cm**2 s")


@pytest.mark.parametrize("content", [None, "", "no table", "# %ECSV 1.0\n# ---\n# datatype: [\n"])
def test_a_file_that_is_no_table_is_refused(tmp_path, content):
    path = tmp_path / "t.ecsv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(DataError, match=r"t\.ecsv: (no such file|not a table)"):
        read_table(path)


# The command line.


@pytest.fixture(scope="module")
def fit_sample(samples):
    """A function that fits the sample quickly with further options."""
    files = (
        (samples / "events.fits.gz",),
        ("--exposure", samples / "expmap.fits.gz"),
        ("--psf", samples / "psfmap.fits.gz"),
        ("--mask", samples / "sources.reg"),
    )
    options = [
        "--ccd",
        "0-3",
        "--energy",
        "0.5:2",
        "--bin",
        "4",
        "--exchanges",
        "0",
        "--max-iter",
        "300",
        "-q",
    ]

    def fit(*more):
        return run("fit", *(word for words in files for word in words), *options, *more)

    return fit


@pytest.fixture(scope="module")
def first(fit_sample, tmp_path_factory):
    """The folder of a first model of three components and its table."""
    folder = tmp_path_factory.mktemp("fixed")
    assert fit_sample("--k", 3, "--out", folder / "first.h5").exit_code == 0
    assert run("export", folder / "first.h5", "--out", folder / "first.ecsv").exit_code == 0
    return folder


@pytest.fixture(scope="module")
def second(fit_sample, first):
    """A fit with a table in which one position and two fluxes are marked as fixed."""
    table = read_table(first / "first.ecsv")
    table["fixed_mean"] = [True, False, False]
    table["fixed_flux"] = [True, True, False]
    write_table(first / "marked.ecsv", table)
    out = first / "second.h5"
    assert fit_sample("--k", 4, "--fix", first / "marked.ecsv", "--out", out).exit_code == 0
    return read_model(out)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_marked_parameters_stay_in_a_fit_with_the_table(first, second):
    before = read_model(first / "first.h5")
    assert len(second.mixture) == 4
    (one,) = np.flatnonzero(second.fixed.means)
    assert_array_equal(second.mixture.means[one], before.mixture.means[0])
    assert_allclose(second.mixture.fluxes[one], before.mixture.fluxes[0], rtol=1e-14)
    assert second.fixed.fluxes.sum() == 2


def test_the_table_is_recorded_among_the_inputs(first, second):
    assert second.options["fix"] == str(first / "marked.ecsv")
    inputs = {file.role: file for file in second.observations[0].pointing.inputs}
    assert list(inputs) == ["events", "exposure", "psf", "mask", "fix"]
    assert inputs["fix"].path == str(first / "marked.ecsv")
    assert inputs["fix"].sha256 == digest(first / "marked.ecsv")


def test_fixed_parameters_of_a_model_stay_fixed_when_it_is_continued(fit_sample, first, second):
    out = first / "third.h5"
    assert fit_sample("--init", first / "second.h5", "--out", out).exit_code == 0
    third = read_model(out)
    assert_array_equal(
        third.mixture.means[third.fixed.means], second.mixture.means[second.fixed.means]
    )
    facts = json.loads(run("info", "--json", out).stdout)
    assert facts["inputs"][-1] == {
        "role": "init",
        "path": str(first / "second.h5"),
        "sha256": digest(first / "second.h5"),
    }
    assert digest(first / "second.h5") in run("info", "-v", out).stdout


def test_a_continued_model_keeps_its_components(fit_sample, first, tmp_path):
    out = tmp_path / "again.h5"
    facts = json.loads(fit_sample("--init", first / "first.h5", "--out", out, "--json").stdout)
    before = read_model(first / "first.h5")
    assert facts["k"] == facts["requested_components"] == 3
    assert abs(facts["objective"] - before.objective) < 2 * before.options["tol"]
    assert facts["iterations"] < before.iterations


def test_a_continued_model_grows_to_a_larger_number(fit_sample, first, tmp_path):
    more = ("--init", first / "first.h5", "--k", 5, "--out", tmp_path / "more.h5", "--json")
    assert json.loads(fit_sample(*more).stdout)["k"] == 5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--fix", "none.ecsv"), "no such file"),
        (("--fix", "odd.ecsv"), "odd.ecsv: column fixed_place"),
        (("--k", 2, "--fix", "first.ecsv"), "at least as many"),
        (("--init", "none.h5"), "no such file"),
        (("--k", 2, "--init", "first.h5"), "a model of 3 components"),
        (("--init", "first.h5", "--fix", "first.ecsv"), "give that table with --fix alone"),
        (("--init", "kmeans"), "needs a number"),
    ],
)
def test_a_start_that_cannot_be_used_is_an_error_of_one_line(
    fit_sample, first, tmp_path, options, words
):
    odd = read_table(first / "first.ecsv")
    odd["fixed_place"] = True
    write_table(first / "odd.ecsv", odd, overwrite=True)
    files = ("none.ecsv", "odd.ecsv", "first.ecsv", "none.h5", "first.h5")
    given = [first / word if word in files else word for word in options]
    assert words in error_line(fit_sample(*given, "--out", tmp_path / "out.h5"))
    assert not (tmp_path / "out.h5").exists()
