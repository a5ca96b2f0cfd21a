"""What the chips do to a background: time, areas, readout."""

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_allclose
from scipy.ndimage import uniform_filter

from gmmx.errors import InputError
from gmmx.model.completeness import Completeness
from gmmx.model.photons import EventList, Photons
from gmmx.model.pointing import Pointing
from gmmx.plane.frame import PhysicalFrame, SkyFrame
from gmmx.plane.grid import PixelGrid
from gmmx.telescope.acis import (
    chip_areas,
    exposed_fraction,
    readout_angle,
    streak_fraction,
    streak_template,
    vignetting_spread,
)
from gmmx.telescope.instruments import ACIS


def two_chips(*, vignetting=0.2, step=2.0):
    """Two chips of 200 x 200 arcsec, 10 apart, dithered by 16 and vignetted, and their time."""
    grid = PixelGrid.covering((-230, 230), (-130, 130), step)
    x, y = grid.centres()
    time = ((np.abs(y) < 100) & (np.abs(np.abs(x) - 105) < 100)).astype(float)
    time = np.round(uniform_filter(time, round(16 / step)), 9)
    return Completeness(
        grid=grid, exposure=1e7 * time * (1 - vignetting * (x**2 + y**2) / 230**2), unit="cm**2 s"
    ), time


def photons(rng, n, *, chips=(3, 5), roll=0.0, **keywords):
    """Photons spread evenly over both chips."""
    x, y = rng.uniform(-100, 100, (2, 2 * n))
    side = np.repeat([-105.0, 105.0], n)
    pointing = Pointing.from_keywords({"INSTRUME": "ACIS", "ROLL_PNT": roll, **keywords})
    where = {"frame": SkyFrame(150.0, 2.0), "physical": PhysicalFrame(4096.5, 4096.5, 0.492, 0.492)}
    return EventList(
        photons=Photons(x + side, y, ccd=np.repeat(chips, n)),
        pointing=pointing,
        **where,
    )


def test_time_is_the_exposure_without_its_vignetting():
    completeness, time = two_chips()
    fraction = exposed_fraction(completeness)
    assert np.all(fraction[completeness.exposure == 0] == 0)
    assert np.abs(fraction - time).max() < 0.05
    assert np.sqrt(((fraction - time)[time > 0] ** 2).mean()) < 0.02
    # The mean over the gap is half the time and less, a field that is open all the time would be 1.
    gap = np.abs(completeness.grid.centres()[0]) < 5
    assert fraction[gap].mean() < 0.6


def test_time_itself_needs_no_guess():
    completeness, time = two_chips(vignetting=0.0)
    seconds = Completeness(grid=completeness.grid, exposure=3000 * time, unit="s")
    assert_allclose(exposed_fraction(seconds), time)
    assert vignetting_spread(seconds) < 1e-12
    assert vignetting_spread(two_chips(vignetting=0.0)[0]) < 0.01
    assert 0.02 < vignetting_spread(two_chips()[0]) < 0.2


def test_time_of_the_simulated_galaxy(shared_data):
    folder = shared_data / "marx/galaxy"
    exposure, counts = (
        fits.getdata(folder / f"{name}.fits.gz").astype(float) for name in ("expmap", "bkgmap_pbkg")
    )
    grid = PixelGrid(shape=exposure.shape, origin=np.zeros(2), matrix=1.968 * np.eye(2))
    fraction = exposed_fraction(Completeness(grid=grid, exposure=exposure, unit="cm**2 s"))
    field = exposure > 0
    error = fraction[field] / fraction[field].sum() - counts[field] / counts[field].sum()
    flat = 1 / field.sum() - counts[field] / counts[field].sum()
    assert np.sqrt((error**2).mean()) < 0.02 / field.sum()
    assert np.sqrt((flat**2).mean()) > 0.15 / field.sum()


def test_cells_belong_to_the_chip_they_lie_in():
    completeness, _ = two_chips()
    owner = chip_areas(photons(np.random.default_rng(0), 3000), completeness)
    x, _ = completeness.grid.centres()
    field = completeness.exposure > 0
    assert set(np.unique(owner)) == {-1, 3, 5}
    assert np.array_equal(owner >= 0, field)
    assert np.all(owner[field & (x < -3)] == 3)
    assert np.all(np.isin(owner[field & (x > 3)], ACIS.back_illuminated))


@pytest.mark.parametrize(
    "case",
    [
        "real/755_PSRB2223/755_7_evt2_05_8keV.fits.gz",
        "real/18461_CenA/cena.fits.gz",
        "marx/galaxy/events.fits.gz",
    ],
)
def test_columns_run_where_the_roll_says(shared_data, case):
    """CHIPY against X and Y by regression, chip by chip."""
    with fits.open(shared_data / case) as files:
        header, data = files["EVENTS"].header, files["EVENTS"].data
        columns = {
            name.lower(): np.asarray(data[name], float)
            for name in data.names
            if name.lower() in ("x", "y", "chipx", "chipy", "ccd_id")
        }
    for chip in np.unique(columns["ccd_id"]):
        on = columns["ccd_id"] == chip
        # Sky as a function of the chip: its slope by CHIPY is the direction of the columns.
        design = np.column_stack([np.ones(on.sum()), columns["chipx"][on], columns["chipy"][on]])
        slope = np.linalg.lstsq(
            design, np.column_stack([columns["x"][on], columns["y"][on]]), rcond=None
        )[0][2]
        measured = np.degrees(np.arctan2(-slope[0], slope[1]))
        expected = readout_angle(Pointing(instrument="ACIS", roll=header["ROLL_PNT"]), int(chip))
        assert abs((measured - expected + 90) % 180 - 90) < 0.5


def test_a_source_makes_a_streak_along_its_column():
    completeness, _ = two_chips()
    rng = np.random.default_rng(1)
    flat = photons(rng, 20_000, roll=0.0, EXPTIME=3.2)
    # Chip 3 is read out along the plane's x at roll 0; the source is at y = 40.
    listed = EventList(
        frame=flat.frame,
        physical=flat.physical,
        photons=Photons(
            np.append(flat.photons.x, rng.normal(-120, 1, 10_000)),
            np.append(flat.photons.y, rng.normal(40, 1, 10_000)),
            ccd=np.append(flat.photons.ccd, np.full(10_000, 3)),
        ),
        pointing=flat.pointing,
    )
    shape, mean = streak_template(listed, completeness)
    x, y = completeness.grid.centres()
    field, area = completeness.exposure > 0, completeness.grid.cell_area
    assert_allclose(shape.values[field].mean(), 1.0, rtol=0.01)
    photons_in_it = mean * shape.values * area
    on_streak = (np.abs(y - 40) < 6) & (x < 0)
    assert_allclose(photons_in_it[on_streak].sum(), 10_000, rtol=0.15)
    # Evenly along the column, and nothing on the other chip but the noise of its columns.
    along = photons_in_it[on_streak & (np.abs(x + 105) < 90)].reshape(-1)
    halves = [photons_in_it[on_streak & (x > a) & (x < a + 80)].sum() for a in (-190, -100)]
    assert_allclose(halves[0], halves[1], rtol=0.02)
    assert along.max() > 0
    assert photons_in_it[(x > 10) & field].sum() < 0.2 * 10_000


@pytest.mark.parametrize(
    ("frame_time", "fraction"), [(3.2, 0.041 / 3.241), (None, 0.041 / 3.241), (0.4, 0.041 / 0.441)]
)
def test_the_fraction_in_the_streak_is_that_of_the_transfer_time(frame_time, fraction):
    pointing = Pointing(instrument="ACIS", frame_time=frame_time)
    assert_allclose(streak_fraction(pointing), fraction)


@pytest.mark.parametrize(
    "broken", [{"INSTRUME": "EMOS1"}, {"ROLL_PNT": None}, {"READMODE": "CONTINUOUS"}]
)
def test_a_streak_needs_columns_of_known_direction(broken):
    with pytest.raises(InputError, match="with CCD_ID and ROLL_PNT"):
        streak_template(photons(np.random.default_rng(0), 500, **broken), two_chips()[0])
