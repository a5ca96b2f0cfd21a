"""The facts about an observation, and what the table of instruments makes of them."""

import pytest

from gmmx.errors import InputError
from gmmx.model.pointing import InputFile, MaskRecord, Pointing, SkyBrightness
from gmmx.telescope.aim_point import aim_detector
from gmmx.telescope.instruments import ACIS, INSTRUMENTS, UNKNOWN, instrument_of


def test_keywords_become_fields_and_the_rest_is_carried_along():
    pointing = Pointing.from_keywords(
        {"INSTRUME": " ACIS ", "ROLL_PNT": 40, "OBS_ID": 315, "TITLE": "x"}, band_kev=[0.5, 2]
    )
    assert (pointing.instrument, pointing.roll, pointing.obs_id) == ("ACIS", 40.0, "315")
    assert pointing.band_kev == (0.5, 2.0)
    assert pointing.header == {"TITLE": "x"}


@pytest.mark.parametrize("value", ["unknown", None, True, float("nan"), float("inf")])
def test_a_keyword_that_should_be_a_number_and_is_not_stays_in_the_header(value):
    pointing = Pointing.from_keywords({"EXPTIME": value})
    assert pointing.frame_time is None
    assert "EXPTIME" in pointing.header


def test_the_fits_keywords_of_a_pointing_make_the_same_pointing():
    keywords = {"TELESCOP": "CHANDRA", "EXPOSURE": 72e3, "RA_PNT": 180.5, "MJDREF": 50814.0}
    pointing = Pointing.from_keywords(keywords)
    assert pointing.fits_keywords() == keywords
    assert Pointing.from_keywords(pointing.fits_keywords()) == pointing


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"roll": float("nan")}, "finite"),
        ({"exposure_time": "long"}, "finite"),
        ({"band_kev": (2.0, 0.5)}, "0.5 keV"),
        ({"recorded_band_kev": (7.0, 0.5)}, "0.5 keV"),
    ],
)
def test_an_impossible_fact_is_refused(facts, message):
    with pytest.raises(InputError, match=message):
        Pointing(**facts)


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({}, ""),
        ({"band_kev": (0.5, 2.0)}, "0.5-2 keV"),
        ({"band_kev": (0.5, float("inf"))}, "all energies"),
        ({"inputs": (InputFile("events", "evt2.fits"),)}, "all energies"),
    ],
)
def test_energies_are_told_if_anything_is_known(facts, text):
    assert Pointing(**facts).energies == text


def test_files_and_choices_are_added_to_a_copy():
    events, mask = InputFile("events", "evt2.fits", "ab" * 32), InputFile("mask", "m.reg")
    first = Pointing(inputs=(events,), choices={"psf": "none"})
    second = first.with_inputs(mask).with_choices({"psf": "built in"})
    assert second.inputs == (events, mask)
    assert second.events_file is events
    assert second.choices == {"psf": "built in"}
    assert first.inputs == (events,)


def test_a_region_file_is_a_mask_or_a_region():
    assert MaskRecord(file="m.reg", kind="region").by_shape == ()
    with pytest.raises(InputError, match="'hole'"):
        MaskRecord(file="m.reg", kind="hole")


@pytest.mark.parametrize(
    ("unit", "is_amplitude"), [("photon/arcsec**2", True), ("photon/cm**2/s/arcsec**2", False)]
)
def test_a_brightness_per_photon_is_an_amplitude_of_one_observation(unit, is_amplitude):
    assert SkyBrightness(1e-3, unit).is_amplitude == is_amplitude


@pytest.mark.parametrize(
    ("telescope", "instrument", "name"),
    [
        ("CHANDRA", "ACIS", "Chandra ACIS"),
        ("Chandra", "acis-i", "Chandra ACIS"),
        ("AXAF", "ACIS", "Chandra ACIS"),
        ("", "ACIS", "Chandra ACIS"),
        ("CHANDRA", "HRC-S", "Chandra HRC"),
        ("CHANDRA", "", "Chandra"),
        ("XMM", "EMOS2", "XMM-Newton EPIC MOS"),
        ("XMM", "EPN", "XMM-Newton EPIC pn"),
        ("XMM", "RGS1", "XMM-Newton"),
        ("SRG", "TM1", "eROSITA"),
        ("XMM", "ACIS", "XMM-Newton"),
        ("NuSTAR", "FPMA", "NuSTAR"),
        ("RXTE", "PCA", "unknown instrument"),
    ],
)
def test_an_instrument_is_found_by_telescope_and_instrument(telescope, instrument, name):
    assert instrument_of(Pointing(telescope=telescope, instrument=instrument)).name == name


@pytest.mark.parametrize("instrument", [*INSTRUMENTS, UNKNOWN], ids=lambda one: one.name)
def test_the_defaults_of_an_instrument_are_possible(instrument):
    assert instrument.backgrounds[0] == "sky"
    if instrument.band_kev is not None:
        assert 0 < instrument.band_kev[0] < instrument.band_kev[1]
    assert (instrument.chip_side is None) == (not instrument.vignetting)
    assert list(instrument.vignetting) == sorted(instrument.vignetting, reverse=True)
    assert (instrument.transfer_time is None) == (instrument.frame_time is None)
    assert set(instrument.detectors) <= {"ACIS-I", "ACIS-S"}


def test_the_aim_point_names_a_detector_of_the_table(shared_data):
    from gmmx.io.events import read_events

    events = read_events(shared_data / "marx/small/events.fits.gz")
    detector, _ = aim_detector(events)
    assert ACIS.detectors[detector] == (0, 1, 2, 3)
