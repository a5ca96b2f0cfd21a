"""Choosing photons: bands, chips and shapes, and the field that photons imply."""

import warnings

import numpy as np
import pytest

from gmmx.errors import DataError, DataWarning, InputError
from gmmx.io.events import read_events
from gmmx.model.photons import EventList, Photons
from gmmx.plane.frame import PhysicalFrame, SkyFrame
from gmmx.plane.shapes import Shapes, circle
from gmmx.reading.selection import (
    parse_ccd,
    parse_energy,
    resolve_ccd,
    resolve_energy,
    select_ccd,
    select_energy,
    select_shapes,
)

PLACE = {"frame": SkyFrame(10.0, 20.0), "physical": PhysicalFrame(4096.5, 4096.5, 0.492, 0.492)}


def an_event_list(n=100, seed=0, *, ccd=None, energy_kev=None, **metadata):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-100, 100, (2, n))
    energy_kev = rng.uniform(0.3, 8, n) if energy_kev is None else energy_kev
    return EventList(
        **PLACE,
        photons=Photons(
            x, y, ccd=rng.integers(0, 4, n) if ccd is None else ccd, energy_kev=energy_kev
        ),
        metadata={"INSTRUME": "ACIS", **metadata},
    )


def test_parse_energy():
    assert parse_energy("0.5:2") == (0.5, 2.0)
    assert parse_energy((1, 3)) == (1.0, 3.0)
    assert parse_energy(" All ") is None
    assert parse_energy(None) is None


@pytest.mark.parametrize(
    "bad", ["2:0.5", "1:1", "0.5-2", "0.5", "a:b", ":2", "nan:2", "-1:2", "0.5:inf", (1, 2, 3), 5]
)
def test_parse_energy_refuses(bad):
    with pytest.raises(InputError, match="energy"):
        parse_energy(bad)


@pytest.mark.parametrize(
    ("given", "chips"),
    [
        ("0-3", (0, 1, 2, 3)),
        ("7", (7,)),
        ("0,1,3", (0, 1, 3)),
        ("3, 0-1", (0, 1, 3)),
        ("all", None),
        (None, None),
        (7, (7,)),
        ([3, 2], (2, 3)),
        (np.int64(5), (5,)),
    ],
)
def test_parse_ccd(given, chips):
    assert parse_ccd(given) == chips


@pytest.mark.parametrize("bad", ["", "I", "3-0", "0-", "-1", "1;2", "0.5"])
def test_parse_ccd_refuses(bad):
    with pytest.raises(InputError, match="ccd"):
        parse_ccd(bad)


def test_energy_resolves_to_the_instrument():
    assert resolve_energy(an_event_list(), None) == ((0.5, 7.0), "0.5:7 keV (default for ACIS)")
    band, why = resolve_energy(an_event_list(recorded_energy_band_kev=[0.5, 2.0]))
    assert band == (0.5, 2.0)
    assert "own filter" in why
    assert resolve_energy(an_event_list(recorded_energy_band_kev=[0.3, 8.0]))[0] == (0.5, 7.0)
    assert resolve_energy(an_event_list(recorded_energy_band_kev=[8.0, 10.0]))[0] == (8.0, 10.0)
    assert resolve_energy(an_event_list(INSTRUME="EMOS1"))[0] is None
    assert resolve_energy(an_event_list(recorded_energy_band_kev=[0.5, 2.0]), "1:5") == (
        (1.0, 5.0),
        None,
    )
    assert resolve_energy(an_event_list(), "all") == (None, None)


@pytest.mark.parametrize(
    ("metadata", "present", "chips"),
    [
        ({"SIM_Z": -233.587}, [0, 1, 2, 3, 6], (0, 1, 2, 3)),
        ({"SIM_Z": -225.584}, [0, 1, 2, 3], (0, 1, 2, 3)),
        ({"SIM_Z": -190.143}, [2, 3, 5, 6, 7, 8], (7,)),
        ({"SIM_Z": -190.143, "DETNAM": "ACIS-0123"}, [7, 0], (7,)),
        ({"DETNAM": "ACIS-012367"}, [0, 1, 2, 3, 6, 7], (0, 1, 2, 3)),
        ({"DETNAM": "ACIS-235678"}, [2, 3, 5, 6, 7, 8], (7,)),
        ({"RA_PNT": 10.0, "DEC_PNT": 20.0}, [3], (0, 1, 2, 3)),
        ({"RA_PNT": 10.0, "DEC_PNT": 20.0, "DETNAM": "ACIS-0123"}, [7], (7,)),
        ({"DETNAM": "Merged"}, [0, 7], None),
        ({"INSTRUME": "EMOS1"}, [1, 2], None),
    ],
)
def test_ccd_resolves_to_the_aim_point(metadata, present, chips):
    events = an_event_list(ccd=np.resize(present, 100), **metadata)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        resolved, why = resolve_ccd(events)
    assert resolved == chips
    assert why
    assert resolve_ccd(events, "all") == (None, None)
    assert resolve_ccd(events, "0-1") == ((0, 1), None)


def test_ccd_without_photons_at_the_aim_point_keeps_what_is_there():
    events = an_event_list(ccd=np.resize([2, 3], 100), SIM_Z=-190.14)
    with pytest.warns(DataWarning, match="no photon on CCD 7"):
        assert resolve_ccd(events)[0] is None


def test_real_observations_resolve(shared_data):
    for path, chips in (
        ("18461_CenA/cena.fits.gz", (0, 1, 2, 3)),
        ("755_PSRB2223/755_7_evt2_05_8keV.fits.gz", (7,)),
        ("10027_M82/chandra_test.fits.gz", (7,)),
    ):
        assert resolve_ccd(read_events(shared_data / "real" / path))[0] == chips


def test_select_energy_keeps_both_ends_and_counts():
    events = select_energy(an_event_list(5, energy_kev=[0.4999, 0.5, 1, 2, 2.0001]), (0.5, 2.0))
    assert events.photons.energy_kev.tolist() == [0.5, 1, 2]
    assert events.dropped == {"energy": 2}
    assert len(select_energy(an_event_list(), None)) == 100


def test_energy_in_ev_is_recognised():
    events = an_event_list(energy_kev=np.linspace(0.5, 2, 100))
    with pytest.raises(InputError, match=r"did you mean 0\.5:2\?"):
        select_energy(events, (500.0, 2000.0))
    with pytest.raises(InputError, match=r"did you mean 0\.05:0\.6\?"):
        select_energy(events, (50.0, 600.0))


def test_no_photon_in_the_band():
    with pytest.raises(DataError, match="no photon in the energy band 20:30 keV") as caught:
        select_energy(an_event_list(energy_kev=np.linspace(0.5, 2, 100)), (20.0, 30.0))
    assert "0.5 to 2 keV" in str(caught.value)
    without = EventList(**PLACE, photons=Photons(np.zeros(1), np.zeros(1)))
    with pytest.raises(DataError, match="does not tell energies"):
        select_energy(without, (0.5, 2.0))


def test_select_ccd():
    events = an_event_list(ccd=np.arange(100) % 5)
    chosen = select_ccd(events, (0, 3))
    assert set(chosen.photons.ccd.tolist()) == {0, 3}
    assert chosen.dropped == {"ccd": 60}
    with pytest.raises(DataError, match=r"no photon on CCD 7 \(the file has 0-4\)"):
        select_ccd(events, (7,))
    with pytest.raises(DataError, match="no CCD column"):
        select_ccd(
            EventList(**PLACE, photons=Photons(np.zeros(1), np.zeros(1))),
            (7,),
        )


def test_select_shapes():
    events, shapes = an_event_list(500), Shapes.of(circle(0, 0, 50))
    inside, outside = (
        select_shapes(events, shapes, keep=True),
        select_shapes(events, shapes, keep=False),
    )
    assert np.hypot(inside.photons.x, inside.photons.y).max() <= 50
    assert np.hypot(outside.photons.x, outside.photons.y).min() > 50
    assert inside.dropped == {"region": len(outside)}
    assert outside.dropped == {"mask": len(inside)}
