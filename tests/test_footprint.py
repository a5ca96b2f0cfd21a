"""The field without an exposure map: chips, gaps, dither and vignetting."""

import json

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_allclose
from scipy.spatial import ConvexHull

from gmmx.answers.images import render
from gmmx.errors import DataError, InputError
from gmmx.fitting.driver import fit
from gmmx.io.events import read_events
from gmmx.io.regions import read_field_of_view
from gmmx.model.photons import EventList, Photons
from gmmx.model.pointing import Pointing
from gmmx.plane.frame import PhysicalFrame, SkyFrame
from gmmx.reading.door import read_observation
from gmmx.telescope.footprint import (
    _exposed_fraction,
    dither_of,
    footprint,
    optical_axis,
    vignetting,
)
from gmmx.telescope.instruments import ACIS
from gmmx.telescope.outlines import chip_outline

ACIS_CHIP = ACIS.chip_side
PLACE = {"frame": SkyFrame(10.0, 20.0), "physical": PhysicalFrame(4096.5, 4096.5, 0.492, 0.492)}


def chips_of_photons(per_chip, *, roll=30.0, seed=3, gap=20.0, bright=0):
    """Photons on two square chips of 500 arcsec, with a bright source on the first."""
    rng = np.random.default_rng(seed)
    u = np.concatenate(
        [
            rng.uniform(0, 500, per_chip),
            rng.uniform(500 + gap, 1000 + gap, per_chip),
            rng.normal(250, 1, bright),
        ]
    )
    v = np.concatenate([rng.uniform(0, 500, 2 * per_chip), rng.normal(250, 1, bright)])
    c, s = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    ccd = np.concatenate([np.repeat([0, 1], per_chip), np.zeros(bright, int)])
    return EventList(**PLACE, photons=Photons(c * u - s * v, s * u + c * v, ccd=ccd))


@pytest.mark.parametrize(("per_chip", "tolerance"), [(10_000, 0.002), (100, 0.04)])
def test_footprint_is_the_chips_without_their_gap(per_chip, tolerance):
    events = chips_of_photons(per_chip)
    field = footprint(events, step=2.0)
    assert_allclose(field.exposure.sum() * field.grid.cell_area, 2 * 500**2, rtol=tolerance)
    assert field.exposure.max() == 1
    assert field.unit == ""
    assert np.all(field.exposure_at(events.photons.x, events.photons.y) > 0)
    # The middle of the gap.
    c, s = np.cos(np.radians(30)), np.sin(np.radians(30))
    assert field.exposure_at(c * 510 - s * 250, s * 510 + c * 250) == 0


def test_footprint_of_a_bright_source_with_strays():
    events = chips_of_photons(2000, bright=200_000)
    strays = {
        "x": np.append(events.photons.x, [-1990.0, 5000, 1500, -1990, -1990]),
        "y": np.append(events.photons.y, [-1990.0, 5000, -900, -1990, -1990]),
    }
    ccd = np.append(events.photons.ccd, [0, 0, 1, 0, 1])
    field = footprint(EventList(**PLACE, photons=Photons(**strays, ccd=ccd)), step=2.0)
    assert_allclose(field.exposure.sum() * field.grid.cell_area, 2 * 500**2, rtol=0.01)


def test_footprint_without_chips_is_their_common_outline():
    events = chips_of_photons(3000)
    field = footprint(
        EventList(**PLACE, photons=Photons(events.photons.x, events.photons.y)),
        step=4.0,
    )
    assert_allclose(field.exposure.sum() * field.grid.cell_area, 500 * 1020, rtol=0.01)


def test_footprint_of_a_round_field_is_round():
    rng = np.random.default_rng(5)
    radius, angle = 300 * np.sqrt(rng.uniform(0, 1, 20_000)), rng.uniform(0, 2 * np.pi, 20_000)
    field = footprint(
        EventList(**PLACE, photons=Photons(radius * np.cos(angle), radius * np.sin(angle))),
        step=2.0,
    )
    assert_allclose(field.exposure.sum() * field.grid.cell_area, np.pi * 300**2, rtol=0.01)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_footprint_of_hardly_any_photons(n):
    events = EventList(**PLACE, photons=Photons(np.arange(n) * 10.0, np.zeros(n)))
    assert np.all(footprint(events).exposure_at(events.photons.x, events.photons.y) > 0)


def test_footprint_refuses_a_grid_too_fine():
    with pytest.raises(InputError, match="`grid`"):
        footprint(chips_of_photons(100), step=0.01)


def test_footprint_of_a_real_chip(shared_data):
    events = read_events(shared_data / "real/755_PSRB2223/755_7_evt2_05_8keV.fits.gz")
    field = footprint(events)
    # A chip is 1022 pixels of 0.4915 arcsec, dithered by 16 arcsec. The integral of its exposure
    # is that of a chip at rest.
    assert_allclose((field.exposure > 0).sum(), (1022 * 0.4915 + 16) ** 2, rtol=0.02)
    axis = optical_axis(events)
    x, y = field.grid.centres()
    even = field.exposure / vignetting(np.hypot(x - axis[0], y - axis[1]) / 60)
    assert_allclose(even.sum(), (1022 * 0.4915) ** 2, rtol=0.005)
    assert_allclose(
        dither_of([chip_outline(events.photons.x, events.photons.y, 1.0)], ACIS_CHIP), 8, atol=0.7
    )


@pytest.mark.parametrize("n", [20, 300, 20_000])
def test_an_outline_is_the_hull_of_all_photons(n):
    # A triangle fills half of its rectangle, so the hull itself comes back.
    u = np.sort(np.random.default_rng(11).uniform(0, 400, (2, n)), axis=0)
    hull = ConvexHull(u.T)
    corners, expected = chip_outline(u[0], u[1], 1.0), hull.points[hull.vertices]
    assert_allclose(corners[np.lexsort(corners.T)], expected[np.lexsort(expected.T)])


def dithered_chips(n=40_000, dither=8.0, gap=11.0, seed=7, **facts):
    """Photons of an even sky on two ACIS chips under a Lissajous figure, rolled by 30 degrees."""
    rng = np.random.default_rng(seed)
    side, c, s = ACIS_CHIP, np.cos(np.radians(30)), np.sin(np.radians(30))
    chip = rng.integers(0, 2, n)
    t = rng.uniform(0, 2 * np.pi, (2, n))
    u = rng.uniform(0, side, n) + chip * (side + gap) + dither * np.sin(t[0])
    v = rng.uniform(0, side, n) + dither * np.sin(t[1])
    pointing = Pointing(telescope="CHANDRA", instrument="ACIS", **facts)
    return EventList(
        **PLACE,
        photons=Photons(c * u - s * v, s * u + c * v, ccd=chip),
        pointing=pointing,
    ), np.array([[c, -s], [s, c]])


def test_exposed_fraction_is_the_time_that_an_edge_is_passed():
    depth = np.linspace(-5, 25, 31)
    phase = np.sin(np.linspace(0, 2 * np.pi, 20_001))
    inside = np.linspace(-1, 1, 201) * 2 + depth[:, None]
    expected = [
        np.mean(np.searchsorted(np.sort(8 + 8 * phase), cell) / len(phase)) for cell in inside
    ]
    assert_allclose(_exposed_fraction(depth, 4.0, 8.0), expected, atol=0.005)
    assert_allclose(_exposed_fraction(np.array([-2, 0, 1, 2.0]), 4.0, 0.0), [0, 0.5, 0.75, 1])


def test_footprint_sees_dither_and_gaps():
    events, turn = dithered_chips()
    field = footprint(events, step=2.0)
    assert_allclose(field.exposure.sum() * field.grid.cell_area, 2 * ACIS_CHIP**2, rtol=0.005)

    def at(u, v):
        return field.exposure_at(*(turn @ np.array([u, v])))

    def truth(u):
        """Fraction of the time that one chip or the other lies at u, far from its other edges."""
        swing = 8 * np.sin(np.linspace(0, 2 * np.pi, 10_001))
        place = (u - swing) % (ACIS_CHIP + 11)
        return np.mean(place < ACIS_CHIP)

    places = ACIS_CHIP + np.array([-12, -5, 5.5, 14, 30])
    found = [np.mean([at(u, v) for v in np.linspace(100, 400, 31)]) for u in places]
    assert_allclose(found, [truth(u) for u in places], rtol=0, atol=0.07)
    assert_allclose(at(ACIS_CHIP / 2, ACIS_CHIP / 2), 1)
    # The same photons of another telescope: sharp edges.
    other = footprint(
        EventList(
            **PLACE,
            photons=Photons(events.photons.x, events.photons.y, ccd=events.photons.ccd),
            pointing=Pointing(telescope="XMM", instrument="EMOS1"),
        ),
        step=2.0,
    )
    assert np.mean(other.exposure[other.exposure > 0] == 1) > 0.97


def test_vignetting_follows_the_pointing():
    events, _ = dithered_chips(ra=10.0, dec=20.0)
    field, even = footprint(events, step=4.0), footprint(dithered_chips()[0], step=4.0)
    x, y = field.grid.centres()
    assert_allclose(field.exposure, even.exposure * vignetting(np.hypot(x, y) / 60))
    assert vignetting(0) == 1
    assert np.all(np.diff(vignetting(np.arange(13))) < 0)


def test_a_part_of_a_chip_keeps_its_sharp_edges():
    rng = np.random.default_rng(2)
    x, y = rng.uniform(0, 300, (2, 20_000))
    field = footprint(
        EventList(
            **PLACE,
            photons=Photons(x, y),
            pointing=Pointing(telescope="CHANDRA", instrument="ACIS"),
        ),
        step=2.0,
    )
    assert_allclose(field.exposure.sum() * field.grid.cell_area, 300**2, rtol=0.01)


def test_given_outlines_take_the_photons_place():
    events, turn = dithered_chips(n=200)
    swing, side = 8.0, ACIS_CHIP
    corners = np.array(
        [
            [-swing, -swing],
            [side + swing, -swing],
            [side + swing, side + swing],
            [-swing, side + swing],
        ]
    )
    outlines = [(corners + [shift, 0]) @ turn.T for shift in (0, side + 11)]
    given, photons = (
        footprint(events, step=2.0, outlines=[outlines[0], outlines[1][::-1]]),
        footprint(dithered_chips(200_000)[0], step=2.0),
    )
    assert_allclose(given.exposure.sum(), photons.exposure.sum(), rtol=0.005)
    x, y = given.grid.centres()
    assert np.abs(given.exposure - photons.exposure_at(x, y)).mean() < 0.01


@pytest.mark.filterwarnings("ignore::gmmx.errors.DataWarning")
def test_a_field_of_view_file_gives_the_outlines(shared_data, tmp_path):
    path = shared_data / "real/755_PSRB2223/755_7_evt2_05_8keV.fits.gz"
    plain = read_observation(path)
    # A little larger than the exposed area, as from skyfov, shifted so that it shows, and closed by
    # its first corner; another chip is beside it.
    events = read_events(path)
    corners = chip_outline(events.photons.x, events.photons.y, 1.0) + [3.0, 0.0]
    shape = np.array(
        [
            np.column_stack(events.physical.to_physical(*(c[[0, 1, 2, 3, 0]] + shift).T))
            for c, shift in ((corners, 0), (corners, 600))
        ]
    )
    columns = [
        fits.Column("SHAPE", "16A", array=["Polygon"] * 2),
        fits.Column("CCD_ID", "I", array=[7, 6]),
        fits.Column("COMPONENT", "I", array=[1, 2]),
    ]
    columns += [
        fits.Column("X", "5D", array=shape[..., 0]),
        fits.Column("Y", "5D", array=shape[..., 1]),
    ]
    fits.BinTableHDU.from_columns(columns, name="FOV").writeto(tmp_path / "acis.fov")
    told = read_observation(path, region=tmp_path / "acis.fov")
    assert told.pointing.choices["exposure"].startswith(
        "vignetting as at 0.5-2 keV over the field of view that was given"
    )
    o = [observation.completeness for observation in (plain, told)]
    centres = [[(c.exposure * v).sum() / c.exposure.sum() for v in c.grid.centres()] for c in o]
    assert_allclose(np.subtract(centres[1], centres[0]), [3.0, 0.0], atol=0.3)
    assert_allclose(o[1].exposure.sum(), o[0].exposure.sum(), rtol=0.01)
    assert (
        read_field_of_view(
            shared_data / "real/755_PSRB2223/755_7_holes_ciao.reg",
            frame=events.frame,
            physical=events.physical,
        )
        is None
    )
    with pytest.raises(DataError, match="a field of view without CCD 7"):
        columns[1] = fits.Column("CCD_ID", "I", array=[5, 6])
        fits.BinTableHDU.from_columns(columns, name="FOV").writeto(tmp_path / "other.fov")
        read_observation(path, region=tmp_path / "other.fov")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::gmmx.errors.GmmxWarning")
def test_a_galaxy_without_its_exposure_map(shared_data):
    folder = shared_data / "marx/galaxy"
    observation = read_observation(
        folder / "events.fits.gz", psf=folder / "psfmap.fits.gz", mask=folder / "sources.reg"
    )
    result = fit(observation, n_components=20, seed=1)
    about = json.loads((folder / "truth.json").read_text())
    with fits.open(folder / "expmap.fits.gz") as files:
        reference = files[0].data.max()
    with (
        fits.open(folder / "events.fits.gz") as files,
        fits.open(folder / "labels.fits.gz") as labels,
    ):
        x, y = observation.physical.to_plane(files["EVENTS"].data["X"], files["EVENTS"].data["Y"])
        background = np.count_nonzero(
            (labels[1].data["COMP"] == -1) & ~observation.masks.contains(x, y)
        )
    assert_allclose(
        result.mixture.fluxes.sum() / result.reference_exposure,
        about["diffuse_flux"] * reference,
        rtol=0.04,
    )
    assert_allclose(result.backgrounds[0].photons, background, rtol=0.1)


@pytest.mark.filterwarnings("ignore::gmmx.errors.GmmxWarning")
def test_a_field_of_its_own_has_no_flux(shared_data):
    observation = read_observation(
        shared_data / "real/10027_M82/chandra_test.fits.gz", background="none"
    )
    assert observation.completeness.unit == ""
    result = fit(observation, n_components=1, max_iter=5)
    with pytest.raises(InputError, match="flux"):
        render(result, units="flux")
