"""The field without an exposure map: chips, gaps, dither and vignetting."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.spatial import ConvexHull

from gmmx.errors import InputError
from gmmx.events import EventList
from gmmx.footprint import _outline, footprint
from gmmx.grid import PhysicalFrame, SkyFrame
from gmmx.io.events import read_events

PLACE = {"frame": SkyFrame(10.0, 20.0), "physical": PhysicalFrame(4096.5, 4096.5, 0.492, 0.492)}


def chips_of_photons(per_chip, *, roll=30.0, seed=3, gap=20.0, bright=0):
    """Photons on two square chips of 500 arcsec beside each other, with a bright source on the first."""
    rng = np.random.default_rng(seed)
    u = np.concatenate([rng.uniform(0, 500, per_chip), rng.uniform(500 + gap, 1000 + gap, per_chip), rng.normal(250, 1, bright)])
    v = np.concatenate([rng.uniform(0, 500, 2 * per_chip), rng.normal(250, 1, bright)])
    c, s = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    ccd = np.concatenate([np.repeat([0, 1], per_chip), np.zeros(bright, int)])
    return EventList(**PLACE, x=c * u - s * v, y=s * u + c * v, ccd=ccd)


@pytest.mark.parametrize(("per_chip", "tolerance"), [(10_000, 0.002), (100, 0.04)])
def test_footprint_is_the_chips_without_their_gap(per_chip, tolerance):
    events = chips_of_photons(per_chip)
    field = footprint(events, step=2.0)
    assert_allclose(field.exposure.sum() * field.grid.cell_area, 2 * 500**2, rtol=tolerance)
    assert field.exposure.max() == 1
    assert field.unit == ""
    assert np.all(field.exposure_at(events.x, events.y) > 0)
    # The middle of the gap.
    c, s = np.cos(np.radians(30)), np.sin(np.radians(30))
    assert field.exposure_at(c * 510 - s * 250, s * 510 + c * 250) == 0


def test_footprint_of_a_bright_source_with_strays():
    events = chips_of_photons(2000, bright=200_000)
    strays = {"x": np.append(events.x, [-1990.0, 5000, 1500, -1990, -1990]), "y": np.append(events.y, [-1990.0, 5000, -900, -1990, -1990])}
    ccd = np.append(events.ccd, [0, 0, 1, 0, 1])
    field = footprint(EventList(**PLACE, **strays, ccd=ccd), step=2.0)
    assert_allclose(field.exposure.sum() * field.grid.cell_area, 2 * 500**2, rtol=0.01)


def test_footprint_without_chips_is_their_common_outline():
    events = chips_of_photons(3000)
    field = footprint(EventList(**PLACE, x=events.x, y=events.y), step=4.0)
    assert_allclose(field.exposure.sum() * field.grid.cell_area, 500 * 1020, rtol=0.01)


def test_footprint_of_a_round_field_is_round():
    rng = np.random.default_rng(5)
    radius, angle = 300 * np.sqrt(rng.uniform(0, 1, 20_000)), rng.uniform(0, 2 * np.pi, 20_000)
    field = footprint(EventList(**PLACE, x=radius * np.cos(angle), y=radius * np.sin(angle)), step=2.0)
    assert_allclose(field.exposure.sum() * field.grid.cell_area, np.pi * 300**2, rtol=0.01)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_footprint_of_hardly_any_photons(n):
    events = EventList(**PLACE, x=np.arange(n) * 10.0, y=np.zeros(n))
    assert np.all(footprint(events).exposure_at(events.x, events.y) > 0)


def test_footprint_refuses_a_grid_too_fine():
    with pytest.raises(InputError, match="--grid"):
        footprint(chips_of_photons(100), step=0.01)


def test_footprint_of_a_real_chip(shared_data):
    events = read_events(shared_data / "real/755_PSRB2223/755_7_evt2_05_8keV.fits.gz")
    field = footprint(events)
    # A chip is 1024 pixels of 0.492 arcsec, dithered by 16 arcsec to and fro.
    assert (1024 * 0.492) ** 2 < field.exposure.sum() < (1024 * 0.492 + 40) ** 2


def test_outline_is_the_hull_of_all_photons():
    rng = np.random.default_rng(11)
    for n in (20, 300, 20_000):
        # A triangle, which fills half of its rectangle, so that the hull itself comes back.
        u = np.sort(rng.uniform(0, 400, (2, n)), axis=0)
        hull = ConvexHull(u.T)
        corners, expected = _outline(u[0], u[1], 1.0), hull.points[hull.vertices]
        assert_allclose(corners[np.lexsort(corners.T)], expected[np.lexsort(expected.T)])
