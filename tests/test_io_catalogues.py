"""Columns of catalogues, from every format that astropy reads."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import MaskedColumn, Table

from gmmx.errors import DataError
from gmmx.io.catalogues import read_columns

FORMATS = {
    "stars.fits": "fits",
    "stars.fits.gz": "fits",
    "stars.ecsv": "ascii.ecsv",
    "stars.csv": "ascii.csv",
    "stars.vot": "votable",
    "stars.h5": "hdf5",
}


def make_catalogue(**further):
    """A small table of stars."""
    return Table({"g_r": [0.25, 0.5, -1.0], "Parallax": [1.0, 2.0, 3.0], **further})


@pytest.mark.parametrize(("name", "form"), FORMATS.items())
def test_every_format_gives_the_same_columns(tmp_path, name, form):
    path = tmp_path / name
    options = {"path": "stars", "serialize_meta": False} if form == "hdf5" else {}
    make_catalogue().write(path, format=form, **options)
    found = read_columns(path, ["g_r", "Parallax"])
    assert {key: values.tolist() for key, values in found.items()} == {
        "g_r": [0.25, 0.5, -1.0],
        "Parallax": [1.0, 2.0, 3.0],
    }


def test_a_parquet_file_is_read_or_says_what_it_needs(tmp_path):
    path = tmp_path / "stars.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"stars\.parquet: .*(pyarrow|Parquet|parquet)"):
        read_columns(path, ["g_r"])


def test_a_fits_file_is_searched_for_the_table_that_has_the_columns(tmp_path):
    path = tmp_path / "two.fits"
    other = fits.BinTableHDU(Table({"seeing": [1.0]}), name="SEEING")
    stars = fits.BinTableHDU(make_catalogue(), name="STARS")
    fits.HDUList([fits.PrimaryHDU(), other, stars]).writeto(path)
    assert read_columns(path, ["g_r"])["g_r"].tolist() == [0.25, 0.5, -1.0]


@pytest.mark.parametrize("name", ["stars.ecsv", "stars.fits", "stars.vot"])
def test_masked_values_and_nan_are_nan(tmp_path, name):
    held = MaskedColumn([1, 2, 3], mask=[False, True, False])
    make_catalogue(n=held, x=[np.nan, 1.0, 2.0]).write(tmp_path / name, format=FORMATS[name])
    found = read_columns(tmp_path / name, ["n", "x"])
    assert np.array_equal(found["n"], [1.0, np.nan, 3.0], equal_nan=True)
    assert np.array_equal(found["x"], [np.nan, 1.0, 2.0], equal_nan=True)


def test_a_cell_may_hold_a_covariance_matrix(tmp_path):
    covariances = np.arange(12.0).reshape(3, 2, 2)
    make_catalogue(cov=covariances).write(tmp_path / "stars.fits")
    assert np.array_equal(read_columns(tmp_path / "stars.fits", ["cov"])["cov"], covariances)


def test_another_case_of_a_name_is_understood(tmp_path):
    make_catalogue().write(tmp_path / "stars.fits")
    assert read_columns(tmp_path / "stars.fits", ["parallax"])["parallax"].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("g_i", "stars.ecsv: it has no column g_i: did you mean g_r?"),
        ("mass", "stars.ecsv: it has no column mass: choose from g_r, Parallax, name"),
        ("name", "stars.ecsv: the column name holds text: name a column of numbers"),
    ],
)
def test_a_column_that_cannot_be_used_is_named(tmp_path, monkeypatch, column, words):
    monkeypatch.chdir(tmp_path)
    make_catalogue(name=["a", "b", "c"]).write("stars.ecsv")
    with pytest.raises(DataError) as caught:
        read_columns("stars.ecsv", [column])
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.ecsv", None, "no such file"),
        ("list.docx", b"text", "its ending does not name a table"),
        ("empty.fits", b"", "empty"),
        ("bad.vot", b"<VOTABLE>", "not understood as a table"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_one_line(tmp_path, name, content, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=words) as caught:
        read_columns(tmp_path / name, ["g_r"])
    assert "\n" not in str(caught.value)


def test_a_fits_image_holds_no_table(tmp_path):
    fits.PrimaryHDU(np.zeros((3, 3))).writeto(tmp_path / "image.fits")
    with pytest.raises(DataError, match="it holds no table"):
        read_columns(tmp_path / "image.fits", ["g_r"])
