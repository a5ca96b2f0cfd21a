"""Photons, event lists and counts images: arrays are checked, and selections count."""

import numpy as np
import pytest
from astropy.table import Table

from gmmx.errors import InputError
from gmmx.model.photons import CountsImage, EventList, Photons
from gmmx.model.pointing import Pointing
from gmmx.plane.frame import PhysicalFrame, SkyFrame
from gmmx.plane.grid import PixelGrid

PLACE = {"frame": SkyFrame(10.0, 20.0), "physical": PhysicalFrame(4096.5, 4096.5, 0.492, 0.492)}


def make_photons(n=6, **changes):
    columns = {
        "x": np.arange(n) * 1.0,
        "y": -np.arange(n) * 2.0,
        "energy_kev": np.linspace(0.5, 3, n),
        "ccd": np.arange(n) % 3,
    }
    return Photons(**(columns | changes))


def make_events(**facts):
    return EventList(**PLACE, photons=make_photons(), pointing=Pointing(**facts))


def test_a_selection_keeps_all_columns_in_step_and_counts_the_others():
    events = (
        make_events()
        .select(np.array([True, False, True, True, False, True]), "energy")
        .select(np.array([True, True, False, True]), "ccd")
    )
    assert events.photons.x.tolist() == [0, 2, 5]
    assert events.photons.y.tolist() == [0, -4, -10]
    assert events.photons.energy_kev.tolist() == [0.5, 1.5, 3.0]
    assert events.photons.ccd.tolist() == [0, 2, 2]
    assert events.dropped == {"energy": 2, "ccd": 1}


def test_selections_for_one_reason_add_up():
    events = make_events().select(np.arange(6) > 0, "mask").select(np.arange(5) > 1, "mask")
    assert events.dropped == {"mask": 3}


def test_a_selection_of_all_photons_is_the_same_list():
    events = make_events()
    assert events.select(np.ones(6, bool), "energy") is events


def test_energies_and_chips_may_be_unknown():
    photons = make_photons(energy_kev=None, ccd=None).select(np.arange(6) < 2)
    assert len(photons) == 2
    assert photons.energy_kev is None
    assert photons.ccd is None


def test_each_row_is_one_photon_without_weights():
    assert make_photons().weights.tolist() == [1.0] * 6
    assert make_photons().n_photons == 6


@pytest.mark.parametrize(("weights", "count"), [([1, 2, 3], 3), ([0.25, 0.5, 3], 0.75)])
def test_a_count_is_an_integer_if_it_is_whole(weights, count):
    photons = Photons([0, 1, 2], [0, 0, 0], weights=weights)
    found = photons.count(np.array([True, True, False]))
    assert found == count
    assert isinstance(found, type(count))


@pytest.mark.parametrize("name", ["x", "y", "weights", "energy_kev", "ccd"])
def test_arrays_are_native_and_read_only(name):
    photons = make_photons(x=np.arange(6, dtype=">f4"))
    array = getattr(photons, name)
    assert array.dtype == (np.int16 if name == "ccd" else np.float64)
    assert not array.flags.writeable


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ccd": np.zeros(5)}, r"Photons\.ccd"),
        ({"energy_kev": np.ones(7)}, r"Photons\.energy_kev"),
        ({"y": np.full(6, np.nan)}, "not finite"),
        ({"weights": -np.ones(6)}, "cannot be negative"),
        ({"pixel": -1.0}, "at least 0 arcsec"),
        ({"pixel": np.inf}, "at least 0 arcsec"),
    ],
)
def test_impossible_photons_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        make_photons(**changes)


def test_noted_facts_are_added_to_the_pointing():
    events = make_events(obs_id="1")
    noted = events.noted(band_kev=[0.5, 2]).pointing
    assert (noted.obs_id, noted.band_kev) == ("1", (0.5, 2.0))
    assert events.pointing.band_kev is None


def test_a_counts_image_keeps_its_pixels_through_a_selection():
    grid = PixelGrid.covering((0, 6), (-12, 0), 2.0)
    photons = make_photons(weights=np.arange(1.0, 7.0), pixel=2.0)
    image = CountsImage(**PLACE, photons=photons, pixels=grid).select(np.arange(6) > 3, "mask")
    assert image.pixels is grid
    assert image.photons.pixel == 2.0
    assert (image.n_photons, image.dropped) == (11, {"mask": 10})


def test_photons_of_a_table_column_do_not_change_with_the_table():
    table = Table({"x": [1.0, 2.0], "y": [0.0, 0.0]})
    photons = Photons(table["x"], table["y"])
    table["x"][0] = 9.0
    assert photons.x.tolist() == [1.0, 2.0]
