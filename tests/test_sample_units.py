"""Units of the columns of a catalogue: kept in what is written, converted where they differ."""

import warnings

import numpy as np
import pytest
from astropy.table import Column, Table
from command_line import error_line, run

import gmmx
from gmmx.config import CatalogueOptions
from gmmx.errors import DataWarning
from gmmx.reading.catalogue import read_samples

STARS = {"parallax": "mas", "colour": "mag"}


def make_stars(path, *, parallax="mas", error="mas", scale=1.0):
    """Write 60 stars with a parallax, its error, and a colour."""
    rng = np.random.default_rng(0)
    columns = {
        "parallax": Column(scale * rng.normal(5, 1, 60), unit=parallax),
        "colour": Column(rng.normal(0.5, 0.1, 60), unit="mag"),
        "e1": Column(np.full(60, 0.2), unit=error),
        "e2": Column(np.full(60, 0.01)),
    }
    Table(columns).write(path)
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The model of these stars."""
    folder = tmp_path_factory.mktemp("units")
    stars = make_stars(folder / "stars.ecsv")
    run("fit", stars, "--columns", "parallax,colour", "--errors", "e1,e2", "--k", 1)
    return folder / "stars.model.h5"


@pytest.mark.parametrize(
    ("words", "prefixes"),
    [
        (("export",), ("mean_", "sigma_")),
        (("denoise",), ("",)),
        (("sample", "--n", 5), ("",)),
        (("assign",), ("",)),
        (("condition", "--columns", "parallax,colour"), ("mean_", "sigma_")),
    ],
)
@pytest.mark.parametrize("ending", ["ecsv", "fits"])
def test_tables_keep_the_units(model, tmp_path, words, prefixes, ending):
    command, *rest = words
    done = run(command, model, *rest, "--out", tmp_path / f"table.{ending}")
    assert done.exit_code == 0, done.output
    table = Table.read(tmp_path / f"table.{ending}")
    for prefix in prefixes:
        assert {name: str(table[prefix + name].unit) for name in STARS} == STARS


def test_the_corner_plot_names_the_units(model):
    labels = {axes.get_xlabel() for axes in gmmx.read(model).plot().axes}
    assert labels == {"", "parallax [mas]", "colour [mag]"}


def test_errors_in_another_unit_are_converted(tmp_path):
    path = make_stars(tmp_path / "s.ecsv", error="uas")
    options = CatalogueOptions(columns="parallax", errors="e1")
    with pytest.warns(gmmx.errors.DataWarning, match="e1 was converted from uas to mas"):
        samples = read_samples(path, options)
    assert samples.covariances[0, 0] == pytest.approx((0.2e-3) ** 2)


@pytest.mark.parametrize(
    ("unit", "error", "sigma"),
    [("mag(AB)", "mag", 0.2), ("mag", "mag(AB)", 0.2), ("mag", "dex", 0.5)],
)
def test_errors_of_magnitudes_have_neither_zero_point_nor_sign(tmp_path, unit, error, sigma):
    path = make_stars(tmp_path / "stars.ecsv", parallax=unit, error=error)
    options = CatalogueOptions(columns="parallax", errors="e1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        samples = read_samples(path, options)
    assert np.sqrt(samples.covariances[0]) == pytest.approx([sigma])


def test_errors_of_something_else_are_refused(tmp_path):
    path = make_stars(tmp_path / "s.ecsv", error="mag")
    with pytest.raises(gmmx.errors.DataError, match="e1 is in mag, and parallax, whose error it"):
        read_samples(path, CatalogueOptions(columns="parallax", errors="e1"))


def test_another_catalogue_is_converted_to_the_units_of_the_model(model, tmp_path):
    same = run("score", model, model.parent / "stars.ecsv")
    path = make_stars(tmp_path / "s.ecsv", parallax="uas", error="uas", scale=1000.0)
    table = Table.read(path)
    table["e1"] = 1000 * table["e1"]
    table.write(path, overwrite=True)
    done = run("score", model, path)
    assert done.stdout == same.stdout
    assert "parallax is in uas, and was converted to mas, the unit of the model" in done.stderr


def test_a_catalogue_of_something_else_is_refused(model, tmp_path):
    path = make_stars(tmp_path / "s.ecsv", parallax="km", error="km")
    line = error_line(run("score", model, path))
    assert "s.ecsv: parallax is in km, and that of the model is in mas" in line
