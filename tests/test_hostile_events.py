"""Event lists whose headers and columns cannot be right are refused or warned of by name."""

import numpy as np
import pytest
from astropy.io import fits
from hostile_changes import SetKeyword, SwapKeywords
from made_files import event_hdus

from gmmx.errors import DataError, DataWarning
from gmmx.io.events import read_events
from gmmx.model.pointing import Pointing


@pytest.fixture
def written(tmp_path):
    """A function that writes an event list, with a change to its bytes."""

    def write(hdus, change=lambda content: content):
        path = tmp_path / "events.fits"
        hdus.writeto(path)
        path.write_bytes(change(path.read_bytes()))
        return path

    return write


@pytest.mark.parametrize("name", ["x", "energy"])
def test_a_column_of_bits_is_no_position_and_no_energy(written, name):
    hdus = event_hdus(n=10)
    columns = [
        fits.Column(name, "16X", array=np.ones((10, 16), bool)) if one.name == name else one
        for one in hdus[1].columns
    ]
    bits = fits.BinTableHDU.from_columns(columns, name="EVENTS")
    bits.header.update({k: v for k, v in hdus[1].header.items() if k not in bits.header})
    hdus[1] = bits
    with pytest.raises(DataError, match=f"events.fits: column {name} holds bits"):
        read_events(written(hdus))


def test_a_number_of_rows_in_the_place_of_another_keyword_is_refused(written):
    path = written(event_hdus(n=300), SwapKeywords(1, "NAXIS2", "GCOUNT"))
    with pytest.raises(DataError, match="GCOUNT = 300 in a header: it must be 1"):
        read_events(path)


@pytest.mark.parametrize("rows", [1, 250, 299])
def test_rows_that_the_header_does_not_count_are_warned_of(written, rows):
    path = written(event_hdus(n=300), SetKeyword(1, "NAXIS2", str(rows)))
    with pytest.warns(DataWarning, match="the data of extension EVENTS go on behind"):
        assert len(read_events(path)) == rows


def test_a_unit_that_is_a_number_too_large_is_refused(written):
    path = written(event_hdus(n=10), SetKeyword(1, "TCUNI1", "1E999"))
    with pytest.raises(DataError, match=r"events\.fits: .*TCUNI1"):
        read_events(path)


@pytest.mark.parametrize(
    "keyword", [{"DEC_PNT": -1e300}, {"RA_PNT": 1e5}, {"EXPOSURE": -1.0}, {"EXPTIME": 1e300}]
)
def test_a_fact_that_cannot_be_is_not_known(keyword):
    pointing = Pointing.from_keywords(keyword)
    assert pointing == Pointing(header=keyword)
