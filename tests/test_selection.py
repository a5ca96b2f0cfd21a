"""Photons of a fit: which chips and which energies they come from."""

import warnings

import numpy as np
import pytest

from gmmx.errors import DataError, DataWarning, InputError
from gmmx.io.events import read_events
from gmmx.model.photons import EventList, Photons
from gmmx.model.pointing import Pointing
from gmmx.plane.frame import PhysicalFrame, SkyFrame
from gmmx.reading.selection import (
    choose_band,
    choose_chips,
    in_band,
    on_chips,
    select_band,
    select_chips,
)
from gmmx.telescope.aim_point import aim_detector
from gmmx.telescope.instruments import ACIS, instrument_of

PLACE = {"frame": SkyFrame(10.0, 20.0), "physical": PhysicalFrame(4096.5, 4096.5, 0.492, 0.492)}


def make_events(n=100, seed=0, *, ccd=None, energy_kev=None, **facts):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-100, 100, (2, n))
    energy_kev = rng.uniform(0.3, 8, n) if energy_kev is None else energy_kev
    photons = Photons(
        x, y, ccd=rng.integers(0, 4, n) if ccd is None else ccd, energy_kev=energy_kev
    )
    return EventList(**PLACE, photons=photons, pointing=Pointing(**{"instrument": "ACIS"} | facts))


def chips_of(events):
    """Chips that are chosen for events, and why."""
    return choose_chips(events, instrument_of(events.pointing), aim_detector(events))


def make_bare_events():
    """One photon without energy and chip."""
    return EventList(**PLACE, photons=Photons([0.0], [0.0]))


@pytest.mark.parametrize(
    ("facts", "band", "choice"),
    [
        ({}, (0.5, 7.0), "0.5:7 keV (default for ACIS)"),
        (
            {"recorded_band_kev": (0.5, 2.0)},
            (0.5, 2.0),
            "0.5:2 keV (default for ACIS, within the file's own filter)",
        ),
        ({"recorded_band_kev": (0.3, 8.0)}, (0.5, 7.0), "0.5:7 keV (default for ACIS)"),
        (
            {"recorded_band_kev": (8.0, 10.0)},
            (8.0, 10.0),
            "8:10 keV (the file's own filter)",
        ),
        ({"instrument": "EMOS1"}, None, "all (no default band for EMOS1)"),
    ],
)
def test_the_band_is_that_of_the_instrument(facts, band, choice):
    events = make_events(**facts)
    assert choose_band(events, instrument_of(events.pointing)) == (band, choice)


@pytest.mark.parametrize(("given", "noted"), [((1.0, 5.0), (1.0, 5.0)), ("all", (0.5, 2.0))])
def test_a_band_that_is_given_needs_no_choice(given, noted):
    events, choice = select_band(make_events(recorded_band_kev=(0.5, 2.0)), given, ACIS)
    assert choice is None
    assert events.pointing.band_kev == noted


@pytest.mark.parametrize(
    ("facts", "present", "chips"),
    [
        ({"sim_z": -233.587}, [0, 1, 2, 3, 6], (0, 1, 2, 3)),
        ({"sim_z": -225.584}, [0, 1, 2, 3], (0, 1, 2, 3)),
        ({"sim_z": -190.143}, [2, 3, 5, 6, 7, 8], (7,)),
        ({"sim_z": -190.143, "detector": "ACIS-0123"}, [7, 0], (7,)),
        ({"detector": "ACIS-012367"}, [0, 1, 2, 3, 6, 7], (0, 1, 2, 3)),
        ({"detector": "ACIS-235678"}, [2, 3, 5, 6, 7, 8], (7,)),
        ({"ra": 10.0, "dec": 20.0}, [3], (0, 1, 2, 3)),
        ({"ra": 10.0, "dec": 20.0, "detector": "ACIS-0123"}, [7], (7,)),
        ({"detector": "Merged"}, [0, 7], None),
        ({"instrument": "EMOS1"}, [1, 2], None),
    ],
)
def test_the_chips_are_those_of_the_aim_point(facts, present, chips):
    events = make_events(ccd=np.resize(present, 100), **facts)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chosen, choice = chips_of(events)
    assert chosen == chips
    assert choice


@pytest.mark.parametrize(("given", "noted"), [("all", None), ((0, 1), (0, 1))])
def test_chips_that_are_given_need_no_choice(given, noted):
    events, choice = select_chips(make_events(), given, ACIS, ("ACIS-S", "given"))
    assert choice is None
    assert events.pointing.chips == noted


def test_all_chips_stay_if_the_aim_point_has_no_photon():
    events = make_events(ccd=np.resize([2, 3], 100), sim_z=-190.14)
    with pytest.warns(DataWarning, match="no photon on CCD 7.*keeping CCD 2,3"):
        assert chips_of(events)[0] is None


@pytest.mark.parametrize(
    ("path", "chips"),
    [
        ("18461_CenA/cena.fits.gz", (0, 1, 2, 3)),
        ("755_PSRB2223/755_7_evt2_05_8keV.fits.gz", (7,)),
        ("10027_M82/chandra_test.fits.gz", (7,)),
    ],
)
def test_real_observations_have_their_chips(shared_data, path, chips):
    assert chips_of(read_events(shared_data / "real" / path))[0] == chips


def test_both_ends_belong_to_a_band_and_the_rest_is_counted():
    events = in_band(make_events(5, energy_kev=[0.4999, 0.5, 1, 2, 2.0001]), (0.5, 2.0))
    assert events.photons.energy_kev.tolist() == [0.5, 1, 2]
    assert events.dropped == {"energy": 2}


def test_no_band_keeps_all_photons():
    assert len(in_band(make_events(), None)) == 100


@pytest.mark.parametrize(
    ("band", "meant"), [((500.0, 2000.0), "0.5:2"), ((50.0, 600.0), "0.05:0.6")]
)
def test_a_band_in_ev_is_recognised(band, meant):
    events = make_events(energy_kev=np.linspace(0.5, 2, 100))
    with pytest.raises(InputError) as caught:
        in_band(events, band)
    assert f"did you mean {meant}?" in str(caught.value)
    assert caught.value.parameter == "energy_kev"


@pytest.mark.parametrize(
    ("events", "band", "message"),
    [
        (
            make_events(energy_kev=np.linspace(0.5, 2, 100)),
            (20.0, 30.0),
            r"no photon in the energy band 20:30 keV \(the file has 0.5 to 2 keV\)",
        ),
        (
            make_events(energy_kev=np.linspace(500, 2000, 100)),
            (0.5, 2.0),
            "are TUNIT, TSCAL and TZERO of the column of energies right?",
        ),
        (make_bare_events(), (0.5, 2.0), "the file has no energies"),
    ],
)
def test_a_band_without_photons_is_an_error(events, band, message):
    with pytest.raises(DataError, match=message):
        in_band(events, band)


def test_photons_of_other_chips_are_counted():
    chosen = on_chips(make_events(ccd=np.arange(100) % 5), (0, 3))
    assert set(chosen.photons.ccd.tolist()) == {0, 3}
    assert chosen.dropped == {"ccd": 60}


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (make_events(ccd=np.arange(100) % 5), r"no photon on CCD 7 \(the file has 0-4\)"),
        (make_bare_events(), "no CCD column"),
    ],
)
def test_chips_without_photons_are_an_error(events, message):
    with pytest.raises(DataError, match=message):
        on_chips(events, (7,))
