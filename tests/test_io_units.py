"""Units in FITS headers, in the spellings of the standard, of CIAO and of HEASoft."""

import numpy as np
import pytest
from made_files import flat, image_hdus

from gmmx.errors import DataError
from gmmx.io.maps import read_exposure
from gmmx.io.units import energy_scale, read_unit
from gmmx.plane.frame import SkyFrame

FRAME = SkyFrame(150.0, 2.2)


@pytest.mark.parametrize(
    ("text", "powers", "scale"),
    [
        ("cm**2 s", (2, 1, 0), 1),
        ("cm2 s", (2, 1, 0), 1),
        ("cm^2*s", (2, 1, 0), 1),
        ("CM**2 SEC", (2, 1, 0), 1),
        ("cm**2 s count/photon", (2, 1, 0), 1),
        ("m**2 s", (2, 1, 0), 1e4),
        ("10**4 cm**2 s", (2, 1, 0), 1e4),
        ("cm2 ks", (2, 1, 0), 1e3),
        ("SECONDS", (0, 1, 0), 1),
        ("/cm**2 /s", (-2, -1, 0), 1),
        ("photons cm-2 s-1", (-2, -1, 0), 1),
        ("photon/arcsec**2", (0, 0, -2), 1),
        ("degrees", (0, 0, 1), 3600),
        ("arcmin", (0, 0, 1), 60),
        ("counts", (0, 0, 0), 1),
        ("", (0, 0, 0), 1),
    ],
)
def test_a_unit_is_split_into_powers(text, powers, scale):
    unit = read_unit(text)
    assert unit.is_understood
    assert (unit.length, unit.time, unit.angle) == powers
    assert unit.scale == pytest.approx(scale, rel=1e-12)


@pytest.mark.parametrize("text", ["furlong", "logical", "???", "cm**"])
def test_a_text_that_is_no_unit_is_not_understood(text):
    unit = read_unit(text)
    assert not unit.is_understood
    assert unit.exposure is None
    assert unit.arcsec is None


@pytest.mark.parametrize(("text", "kev"), [("keV", 1.0), (" EV ", 1e-3), ("chan", None)])
def test_an_energy_unit_has_a_size(text, kev):
    assert energy_scale(text) == kev


@pytest.mark.parametrize(
    ("unit", "factor"), [("cm**2 s", 1), ("m**2 s", 1e4), ("10**4 cm**2 s", 1e4), ("cm2 ks", 1e3)]
)
def test_an_exposure_is_converted_to_cm2_s(tmp_path, unit, factor):
    path = tmp_path / "expmap.fits"
    image_hdus(flat(5.0), unit=unit).writeto(path)
    exposure = read_exposure(path, frame=FRAME)
    assert exposure.unit == "cm**2 s"
    assert np.unique(exposure.exposure).tolist() == pytest.approx([5.0 * factor])


def test_a_unit_that_is_no_exposure_is_refused_by_name(tmp_path):
    path = tmp_path / "expmap.fits"
    image_hdus(flat(5.0), unit="10**4 cm**2 sr s").writeto(path)
    expected = r"expmap\.fits: BUNIT '10\*\*4 cm\*\*2 sr s' is not an exposure: expected an area"
    with pytest.raises(DataError, match=expected):
        read_exposure(path, frame=FRAME)
