"""Tables of others that gmmx copies: texts of Python, arrays, coordinates and metadata."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import MaskedColumn, Table

from gmmx.errors import DataError, OutputError
from gmmx.io.catalogues import read_columns
from gmmx.io.tables import write_plain_table


def test_texts_of_python_become_a_column_of_fits(tmp_path):
    names = MaskedColumn(np.array(["M 67", "NGC 188", "x"], object), mask=[False, False, True])
    write_plain_table(tmp_path / "t.fits", Table({"name": names}))
    assert fits.getdata(tmp_path / "t.fits")["name"].tolist() == ["M 67", "NGC 188", ""]


@pytest.mark.parametrize(
    ("name", "value", "key", "card"),
    [
        ("model", "stars.h5", "MODEL", "stars.h5"),
        ("star", "\u03b1 Ori\nbright", "STAR", "? Ori bright"),
        ("converged", np.bool_(True), "CONVERGD", True),
        ("limit", float("nan"), "COMMENT", "limit: nan"),
        ("notes", ["a", "b"], "COMMENT", "notes: ['a', 'b']"),
        ("\u03b1", 1, "COMMENT", "?: 1"),
        ("query", {"rows": 5}, "COMMENT", "query, rows: 5"),
    ],
)
def test_metadata_become_cards_or_comments(tmp_path, name, value, key, card):
    write_plain_table(tmp_path / "t.fits", Table({"a": [1.0]}, meta={name: value}))
    found = fits.getheader(tmp_path / "t.fits", 1)[key]
    assert (str(found) if key == "COMMENT" else found) == card


@pytest.mark.parametrize(
    ("ending", "column"),
    [
        ("csv", np.zeros((2, 3))),
        ("csv", np.array([[1], [2, 3]], object)),
        ("fits", SkyCoord([1.0, 2.0], [3.0, 4.0], unit="deg")),
        ("fits", np.array([1, "a"], object)),
    ],
)
def test_what_a_format_does_not_hold_is_refused(tmp_path, ending, column):
    path = tmp_path / f"t.{ending}"
    with pytest.raises(OutputError, match=rf"t.{ending}: .{ending} does not hold such a table"):
        write_plain_table(path, Table({"a": column}))
    assert not path.exists()


def test_coordinates_are_no_column_of_numbers(tmp_path):
    place = SkyCoord([1.0, 2.0], [3.0, 4.0], unit="deg")
    Table({"a": [1.0, 2.0], "place": place}).write(tmp_path / "t.ecsv")
    with pytest.raises(DataError, match="the column place holds no real numbers"):
        read_columns(tmp_path / "t.ecsv", ["place"])
