"""EventList: selections count what they drop, and arrays are checked."""

import numpy as np
import pytest

from gmmx.errors import InputError
from gmmx.model.photons import EventList, Photons
from gmmx.model.pointing import Pointing
from gmmx.plane.frame import PhysicalFrame, SkyFrame

PLACE = {"frame": SkyFrame(10.0, 20.0), "physical": PhysicalFrame(4096.5, 4096.5, 0.492, 0.492)}


def an_event_list(n=6, **changes):
    columns = {
        "x": np.arange(n) * 1.0,
        "y": -np.arange(n) * 2.0,
        "energy_kev": np.linspace(0.5, 3, n),
        "ccd": np.arange(n) % 3,
    }
    pointing = changes.pop("pointing", Pointing())
    return EventList(**PLACE, photons=Photons(**(columns | changes)), pointing=pointing)


def test_select_keeps_all_columns_in_step_and_counts():
    events = (
        an_event_list()
        .select(np.array([True, False, True, True, False, True]), "energy")
        .select(np.array([True, True, False, True]), "ccd")
    )
    assert events.photons.x.tolist() == [0, 2, 5]
    assert events.photons.y.tolist() == [0, -4, -10]
    assert events.photons.energy_kev.tolist() == [0.5, 1.5, 3.0]
    assert events.photons.ccd.tolist() == [0, 2, 2]
    assert events.dropped == {"energy": 2, "ccd": 1}


def test_select_adds_to_an_earlier_count():
    events = an_event_list().select(np.arange(6) > 0, "mask").select(np.arange(5) > 1, "mask")
    assert events.dropped == {"mask": 3}


def test_select_of_everything_is_the_same_list():
    events = an_event_list()
    assert events.select(np.ones(6, bool), "energy") is events


def test_columns_may_be_absent():
    events = an_event_list(energy_kev=None, ccd=None).select(np.arange(6) < 2, "mask")
    assert len(events) == 2
    assert events.photons.energy_kev is None
    assert events.photons.ccd is None


def test_arrays_are_read_only_native_and_checked():
    events = an_event_list(x=np.arange(6, dtype=">f4"))
    assert events.photons.x.dtype == np.float64
    assert events.photons.ccd.dtype == np.int16
    for array in (
        events.photons.x,
        events.photons.y,
        events.photons.energy_kev,
        events.photons.ccd,
    ):
        assert not array.flags.writeable
    with pytest.raises(InputError, match=r"Photons\.ccd"):
        an_event_list(ccd=np.zeros(5))
    with pytest.raises(InputError, match=r"Photons\.energy_kev"):
        an_event_list(energy_kev=np.ones(7))
    with pytest.raises(InputError, match="not finite"):
        an_event_list(y=np.full(6, np.nan))


def test_noted_facts_are_added_to_the_pointing():
    events = an_event_list(pointing=Pointing(obs_id="1"))
    noted = events.noted(band_kev=[0.5, 2]).pointing
    assert (noted.obs_id, noted.band_kev) == ("1", (0.5, 2.0))
    assert events.pointing.band_kev is None
