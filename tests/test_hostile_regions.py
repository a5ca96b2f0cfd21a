"""Region tables in FITS whose columns cannot be right are refused by name."""

import warnings

import numpy as np
import pytest
from astropy.io import fits
from hostile_changes import RetypeColumn, SetKeyword
from hostile_inputs import region_hdus
from made_files import DEC0, RA0

from gmmx.errors import DataError, DataWarning
from gmmx.io.regions import read_regions
from gmmx.plane.frame import PhysicalFrame, SkyFrame

PLANE = {
    "frame": SkyFrame(RA0, DEC0),
    "physical": PhysicalFrame(4096.5, 4096.5, 0.492, 0.492),
}
SHAPES = [("Circle", 4150.0, 4120.0, [20.0], 0), ("Ellipse", 4160.0, 4120.0, [10.0, 4.0], 30)]


@pytest.fixture
def read(tmp_path):
    """A function that reads a region table with a change to its bytes, or to its columns."""

    def read(change=None, **columns):
        hdus = region_hdus("REGION", SHAPES)
        for name, value in columns.items():
            hdus[1].data[name][:] = value
        hdus.writeto(tmp_path / "reg.fits")
        if change is not None:
            path = tmp_path / "reg.fits"
            path.write_bytes(change(path.read_bytes()))
        return read_regions(tmp_path / "reg.fits", **PLANE)

    return read


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (RetypeColumn("COMPONENT", "16X"), "COMPONENT does not hold one whole number"),
        (RetypeColumn("COMPONENT", "2D"), "COMPONENT does not hold one whole number"),
        (RetypeColumn("X", "12A"), "column X does not hold numbers"),
        (RetypeColumn("R", "QJ()"), "column R does not hold numbers"),
        (RetypeColumn("SHAPE", "D"), "column SHAPE does not hold texts"),
        (SetKeyword(1, "TCDLT2", "'1'"), "the keywords of its columns X and Y are not complete"),
        (SetKeyword(1, "TTYPE3", "-1E300"), "Column name must be a string"),
        (SetKeyword(1, "PCOUNT", "9223372036854775808"), "cannot fit"),
    ],
    ids=str,
)
def test_a_table_that_cannot_be_right_is_refused(read, change, message):
    with pytest.raises(DataError, match=rf"reg\.fits.*{message}"):
        read(change)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"ROTANG": -np.inf}, "ROTANG is infinite"),
        ({"ROTANG": np.nan}, "ROTANG is not a number"),
        ({"R": np.inf}, "R is infinite"),
        ({"X": 1e300}, "1e.300 is too large"),
        ({"R": -1.0}, "-1 is a negative length"),
    ],
)
def test_values_that_cannot_be_are_refused_with_their_row(read, columns, message):
    with pytest.raises(DataError, match=rf"reg\.fits.*row \d: (Circle|Ellipse).*{message}"):
        read(**columns)


@pytest.mark.parametrize(("key", "value"), [("BSCALE", "NaN"), ("ENERG_LO", "1 2 3")])
def test_a_card_that_is_not_needed_may_be_odd(read, key, value):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        assert len(read(SetKeyword(1, key, value)).terms) == 2


def test_a_circle_needs_no_angle(read, tmp_path):
    assert len(read().terms) == 2
    with fits.open(tmp_path / "reg.fits", mode="update") as hdus:
        hdus[1].data["ROTANG"][0] = np.nan
    assert len(read_regions(tmp_path / "reg.fits", **PLANE).terms) == 2
