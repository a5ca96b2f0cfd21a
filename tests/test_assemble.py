"""Observations are assembled from files; dropped photons are counted and choices are named."""

import hashlib
import json
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from numpy.testing import assert_allclose

from gmmx.errors import DataError, DataWarning, InputError
from gmmx.model.pointing import InputFile
from gmmx.plane.frame import SkyFrame
from gmmx.reading.door import read_observation

SMALL = "marx/small"
PULSAR = "real/755_PSRB2223/755_7_evt2_05_8keV.fits.gz"
STEP = 0.492 / 3600


def quietly(*args, **kwargs):
    """An observation that is read without any warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read_observation(*args, **kwargs)


@pytest.fixture
def files(tmp_path):
    """A pointing of 2000 photons on two chips, two exposure maps and a PSF map.

    The map `exposure` leaves out the western tenth of the photons, `full` covers them all.
    """
    rng = np.random.default_rng(4)
    x, y = rng.uniform(-200, 200, (2, 2000))
    table = Table(
        {
            "x": np.float32(4096.5 + x / 0.492),
            "y": np.float32(4096.5 + y / 0.492),
            "energy": np.float32(rng.uniform(300, 8000, 2000)),
        }
    )
    table["ccd_id"] = np.int16(rng.integers(2, 4, 2000))
    hdu = fits.BinTableHDU(table, name="EVENTS")
    hdu.header.update(
        {"TELESCOP": "CHANDRA", "INSTRUME": "ACIS", "OBS_ID": "7", "SIM_Z": -233.6, "OBJECT": "toy"}
    )
    for i, kind, value, sign in ((1, "RA---TAN", 150.0, -1), (2, "DEC--TAN", 30.0, 1)):
        hdu.header.update(
            {f"TCTYP{i}": kind, f"TCRVL{i}": value, f"TCRPX{i}": 4096.5, f"TCDLT{i}": sign * STEP}
        )
    hdu.writeto(tmp_path / "events.fits")

    def write_map(name, values, ra=150.0, **keywords):
        image = fits.PrimaryHDU(np.float32(values))
        wcs = {
            "CTYPE1": "RA---TAN",
            "CTYPE2": "DEC--TAN",
            "CRVAL1": ra,
            "CRVAL2": 30.0,
            "CDELT1": -8 * STEP,
            "CDELT2": 8 * STEP,
        }
        image.header.update(wcs | {"CRPIX1": 60.5, "CRPIX2": 60.5} | keywords)
        image.writeto(tmp_path / name, overwrite=True)
        return str(tmp_path / name)

    columns = np.arange(120)
    exposure = np.tile(
        np.where((columns - 59.5) * 8 * 0.492 < 160, 1e6 + 1e4 * columns, 0), (120, 1)
    )
    return SimpleNamespace(
        folder=tmp_path,
        write_map=write_map,
        events=str(tmp_path / "events.fits"),
        exposure=write_map("expmap.fits", exposure, BUNIT="cm**2 s"),
        full=write_map(
            "full.fits",
            np.full((120, 120), 2e6),
            BUNIT="cm**2 s",
            OBS_ID="7",
            ENERG_LO=0.5,
            ENERG_HI=7.0,
        ),
        psf=write_map("psfmap.fits", np.full((120, 120), 0.8), BUNIT="arcsec", ECF=0.393),
        x=x,
        y=y,
    )


def test_a_simulated_observation_has_the_facts_of_its_files(shared_data):
    folder = shared_data / SMALL
    o = quietly(
        folder / "events.fits.gz",
        exposure=folder / "expmap.fits.gz",
        psf=folder / "psfmap.fits.gz",
        mask=folder / "sources.reg",
        energy_kev="0.5:2",
    )
    assert o.n_photons + sum(o.dropped.values()) == 21799
    assert o.completeness.unit == "cm**2 s"
    assert o.completeness.grid.shape == (386, 386)
    assert o.pointing.band_kev == (0.5, 2.0)
    assert o.pointing.obs_id == "96303"
    assert o.pointing.choices["ccd"] == "0-3 (aim point on ACIS-I)"
    assert o.name == "events"
    (record,) = o.pointing.masks
    assert record.n_shapes == 15
    assert record.n_photons == o.dropped["mask"]
    closed = (
        (1 - o.completeness.open_fraction)[o.completeness.exposure > 0].sum()
        * o.completeness.grid.cell_area
        / 3600
    )
    assert_allclose(record.area_arcmin2, closed)
    assert not o.masks.contains(o.photons.x, o.photons.y).any()
    assert np.all(o.completeness.effective_at(o.photons.x, o.photons.y) > 0)
    assert json.loads(json.dumps(o.pointing.header)) == o.pointing.header
    physical = quietly(
        folder / "events.fits.gz",
        exposure=folder / "expmap.fits.gz",
        psf="none",
        mask=[folder / "sources_phys.reg"],
        energy_kev=(0.5, 2),
        ccd="0-3",
    )
    assert physical.n_photons == o.n_photons


@pytest.mark.filterwarnings("ignore:.*no exposure map", "ignore:.*first shape holds every photon")
@pytest.mark.parametrize(
    ("option", "kind"), [("mask", "ds9"), ("mask", "ciao"), ("region", "ds9"), ("region", "ciao")]
)
def test_a_masked_pulsar_has_the_photons_that_ciao_left(shared_data, option, kind):
    path = shared_data / f"real/755_PSRB2223/755_7_holes_{kind}.reg"
    o = read_observation(shared_data / PULSAR, psf="none", energy_kev="all", **{option: path})
    masked = read_observation(
        shared_data / "real/755_PSRB2223/755_7_holes_evt2_05_8keV.fits.gz",
        psf="none",
        energy_kev="all",
    )
    assert o.n_photons == 18776
    assert np.array_equal(o.photons.x, masked.photons.x)
    assert np.array_equal(o.photons.y, masked.photons.y)
    assert o.pointing.band_kev == (0.5, 8.0)
    assert not o.masks.contains(o.photons.x, o.photons.y).any()


@pytest.mark.filterwarnings(
    "ignore:.*no exposure map", "ignore:.*is it the source that is to be fitted"
)
def test_dropped_and_kept_photons_of_centaurus_a_add_up(shared_data):
    o = read_observation(
        shared_data / "real/18461_CenA/cena.fits.gz",
        psf=0.5,
        mask=shared_data / "real/18461_CenA/cena_regions.reg",
    )
    assert o.n_photons + sum(o.dropped.values()) == 23094
    assert set(o.dropped) == {"ccd", "energy", "mask"}
    assert o.psf.description == 'constant Gaussian, sigma 0.5"'


@pytest.mark.filterwarnings("ignore:.*no exposure map")
def test_photons_of_xmm_are_all_kept(shared_data):
    o = read_observation(
        shared_data / "real/xmm_0112810101_Arp299/Arp299_MOS1_evt_0.5-8.0keV.fits.gz",
        psf="none",
        grid=4.0,
    )
    assert o.n_photons == 32806
    assert_allclose(o.completeness.grid.step, 4.0)
    assert o.pointing.band_kev == (0.5, 8.0)


def test_cuts_are_counted_by_reason(files):
    (files.folder / "mask.reg").write_text('fk5\ncircle(150.0,30.0,20")\n')
    (files.folder / "region.reg").write_text("physical\nbox(4096.5,4096.5,700,700,0)\n")
    o = quietly(
        files.events,
        exposure=files.full,
        psf=files.psf,
        mask=files.folder / "mask.reg",
        region=files.folder / "region.reg",
        ccd=3,
        energy_kev="0.5:7",
    )
    everything = fits.getdata(files.events)
    energy, on_chip = everything["energy"] / 1000, everything["ccd_id"] == 3
    in_band = on_chip & (energy >= 0.5) & (energy <= 7)
    in_box = in_band & (np.abs(files.x) < 350 * 0.492) & (np.abs(files.y) < 350 * 0.492)
    in_hole = np.hypot(files.x, files.y) < 20
    counts = {
        "ccd": ~on_chip,
        "energy": on_chip & ~in_band,
        "region": in_band & ~in_box,
        "mask": in_box & in_hole,
    }
    assert o.dropped == {reason: np.count_nonzero(where) for reason, where in counts.items()}
    assert o.n_photons == np.count_nonzero(in_box & ~in_hole)
    # The completeness is cut by the same geometry.
    area = o.completeness.open_fraction.sum() * o.completeness.grid.cell_area
    assert_allclose(area, (700 * 0.492) ** 2 - np.pi * 20**2, rtol=1e-3)
    assert o.completeness.effective_at(0.0, 0.0) == 0
    inside = o.masks.contains(np.array([0.0, 190.0, 100.0]), np.array([0.0, 0.0, 0.0]))
    assert inside.tolist() == [True, True, False]
    assert o.pointing.choices == {
        "background": "sky, amplitude fitted "
        "(the exposure has no vignetting that would distinguish particles from the sky)"
    }


def test_photons_on_zero_exposure_are_dropped_with_a_warning(files):
    with pytest.warns(DataWarning, match=r"% of the photons lie on zero exposure"):
        o = read_observation(files.events, exposure=files.exposure, psf="none", energy_kev="all")
    assert_allclose(o.dropped["zero exposure"], np.count_nonzero(files.x > 160), atol=30)
    assert o.n_photons + o.dropped["zero exposure"] == 2000


def test_choices_for_the_instrument_are_named(files):
    with pytest.warns(DataWarning) as caught:
        o = read_observation(files.events)
    said = [str(w.message) for w in caught]
    assert len(said) == 2
    assert "no exposure map: uniform over the outline of the photons" in said[0]
    assert "no PSF" in said[1]
    assert set(o.pointing.choices) == {"ccd", "energy", "exposure", "psf", "background"}
    assert o.pointing.choices["ccd"] == "0-3 (aim point on ACIS-I)"
    assert o.psf is None
    assert o.completeness.unit == ""
    assert o.backgrounds[0].amplitude is None


def test_a_mask_shape_that_takes_many_photons_is_a_warning(files):
    (files.folder / "mask.reg").write_text('fk5\ncircle(150.0,30.0,90")\ncircle(150.02,30.02,4")\n')
    with pytest.warns(
        DataWarning,
        match=r"mask\.reg: shape 1 \(circle\(150\.0,30\.0,90\"\)\) takes 1\d\.\d % of the photons",
    ) as caught:
        read_observation(
            files.events, exposure=files.full, psf="none", mask=files.folder / "mask.reg"
        )
    assert len(caught) == 1


def test_a_shape_that_takes_many_photons_of_the_source_free_region_is_no_warning(files):
    (files.folder / "mask.reg").write_text('fk5\ncircle(150.0,30.0,30")\n')
    (files.folder / "free.reg").write_text('fk5\ncircle(150.0,30.0,100")\n')
    with pytest.warns(DataWarning, match="more than the") as caught:
        read_observation(
            files.events,
            exposure=files.full,
            psf="none",
            mask=files.folder / "mask.reg",
            background="sky",
            background_region=files.folder / "free.reg",
        )
    assert len(caught) == 1


def test_a_shape_with_a_long_text_has_a_short_name(files):
    t = np.linspace(0, 2 * np.pi, 81)[:-1]
    corners = ",".join(f"{150 + 0.03 * np.cos(a):.6f},{30 + 0.025 * np.sin(a):.6f}" for a in t)
    (files.folder / "mask.reg").write_text(f'fk5\ncircle(150.02,30.02,4")\npolygon({corners})\n')
    with pytest.warns(
        DataWarning,
        match=r"mask\.reg: shape 2 \(polygon of 80 vertices\) takes \d\d\.\d % of the photons",
    ) as caught:
        read_observation(
            files.events, exposure=files.full, psf="none", mask=files.folder / "mask.reg"
        )
    assert len(str(caught[0].message)) < 200 + len(str(files.folder))


def test_every_input_has_its_digest(files):
    mask = files.folder / "mask.reg"
    mask.write_text('fk5\ncircle(150.02,30.02,4")\n')
    with pytest.warns(DataWarning, match="zero exposure"):
        o = read_observation(
            files.events,
            exposure=files.exposure,
            psf=files.psf,
            mask=mask,
            region=(),
            energy_kev="all",
        )
    paths = {"events": files.events, "exposure": files.exposure, "psf": files.psf, "mask": mask}
    assert o.pointing.inputs == tuple(
        InputFile(role, str(path), hashlib.sha256(Path(path).read_bytes()).hexdigest())
        for role, path in paths.items()
    )
    assert [
        file.role
        for file in read_observation(files.events, exposure=files.full, psf=0.5).pointing.inputs
    ] == ["events", "exposure"]


def test_a_map_of_another_band_or_observation_is_a_warning(files):
    other = files.write_map(
        "other.fits", np.ones((120, 120)), BUNIT="s", OBS_ID="8", ENERG_LO=0.5, ENERG_HI=7.0
    )
    with pytest.warns(DataWarning) as caught:
        read_observation(files.events, exposure=other, psf="none", energy_kev="0.5:2")
    said = " ".join(str(w.message) for w in caught)
    assert "outside the chosen band 0.5-2 keV" in said
    assert "OBS_ID 8, the events are of OBS_ID 7" in said


def make_wrong_map(files, name):
    """A map that cannot be used, by name."""
    ones, zeros = np.ones((120, 120)), np.zeros((120, 120))
    values, keywords = {
        "exposure elsewhere": (ones, {"ra": 152.0, "BUNIT": "s"}),
        "exposure of zeros": (zeros, {"BUNIT": "s"}),
        "psf elsewhere": (ones, {"ra": 152.0, "BUNIT": "arcsec", "ECF": 0.4}),
        "psf of zeros": (zeros, {"BUNIT": "arcsec", "ECF": 0.4}),
    }[name]
    return files.write_map("wrong.fits", values, **keywords)


def check_refused(files, kind, message, options):
    """Make sure that options are refused with a message of one line."""
    given = {"exposure": files.full, "psf": "none"} | options
    with warnings.catch_warnings(), pytest.raises(kind) as caught:
        warnings.simplefilter("ignore")
        read_observation(files.events, **given)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("option", "wrong", "message"),
    [
        ("exposure", "exposure elsewhere", "exposure map does not overlap"),
        ("exposure", "exposure of zeros", "zero everywhere"),
        ("psf", "psf elsewhere", "PSF map does not overlap"),
        ("psf", "psf of zeros", "no radius above zero"),
    ],
)
def test_a_map_that_cannot_be_used_is_refused(files, option, wrong, message):
    check_refused(files, DataError, message, {option: make_wrong_map(files, wrong)})


@pytest.mark.parametrize(
    ("option", "regions", "message"),
    [
        ("mask", "circle(150.0,30.0,1d)", "every one of 1"),
        ("region", 'circle(150.3,30.0,10")', "none of 1"),
    ],
)
def test_regions_that_leave_no_photon_are_refused(files, option, regions, message):
    path = files.folder / "regions.reg"
    path.write_text(f"fk5\n{regions}\n")
    check_refused(files, DataError, message, {option: path})


@pytest.mark.parametrize(
    ("kind", "message", "options"),
    [
        (DataError, "no such file", {"psf": "absent.fits"}),
        (InputError, "did you mean 0.5:2?", {"energy_kev": "500:2000"}),
        (InputError, "below the upper limit", {"energy_kev": "2:0.5"}),
        (DataError, "no photon in the energy band", {"energy_kev": "20:30"}),
        (DataError, "no photon on CCD 9", {"ccd": "9"}),
        (InputError, "did you mean 0.393", {"psf": "psfmap.fits", "psf_ecf": 39.3}),
        (InputError, "belongs to a single PSF map", {"psf": 0.5, "psf_ecf": 0.4}),
        (InputError, "must be positive", {"psf": -0.5}),
        (InputError, "write sky, particle, streak", {"background": "stowed"}),
        (InputError, "must be a number", {"background": "sky=high"}),
        (InputError, "one sky background is enough", {"background": ("sky", "sky=1e-9")}),
        (InputError, "must be a positive number", {"grid": -1.0}),
        (InputError, "must be a positive number", {"bin": 0.0}),
    ],
)
def test_options_that_cannot_be_are_refused(files, kind, message, options):
    check_refused(files, kind, message, options)


def test_a_fixed_sky_has_its_brightness_times_the_exposure(files):
    read = {"exposure": files.full, "psf": "none", "energy_kev": "all"}
    assert quietly(files.events, background="none", **read).backgrounds == ()
    assert quietly(files.events, background=("none",), **read).backgrounds == ()
    fixed = quietly(files.events, background="sky=1e-9", **read)
    assert_allclose(fixed.backgrounds[0].amplitude, 1e-9 * 2e6)
    assert fixed.backgrounds[0].fixed
    assert fixed.pointing.sky_brightness.value == 1e-9
    assert fixed.pointing.sky_brightness.unit == "photon/cm**2/s/arcsec**2"
    relative = files.write_map("relative.fits", np.full((120, 120), 0.5), BUNIT="1")
    assert (
        quietly(files.events, background=["sky=0.003"], **(read | {"exposure": relative}))
        .backgrounds[0]
        .amplitude
        == 0.003
    )
    with pytest.warns(DataWarning, match="more than the 2,000 of events: is its level"):
        read_observation(files.events, background="sky=0.003", **read)


def test_photons_are_counted_in_cells_and_the_psf_is_widened(files):
    read = {"exposure": files.full, "psf": "none", "energy_kev": "all"}
    fine = quietly(files.events, grid=1.0, **read)
    assert_allclose(fine.completeness.grid.step, 1.0)
    assert fine.n_photons == 2000
    binned = quietly(files.events, bin=8.0, **read)
    assert binned.n_photons == 2000
    assert len(binned.photons) < 1500
    # At the centres of the cells, and the PSF knows how far from there the photons are.
    assert_allclose(np.mod(binned.photons.x, 8.0), 4.0)
    assert abs(binned.photons.weights @ binned.photons.x - fine.photons.x.sum()) < 4 * 8 / np.sqrt(
        12
    ) * np.sqrt(2000)
    assert_allclose(binned.psf.covariances, np.broadcast_to(64 / 12 * np.eye(2), (1, 1, 1, 2, 2)))
    assert binned.photons.pixel == 8.0


def test_binned_photons_stay_in_the_field(files):
    # A grating of masks, finer than the cells that photons are collected into.
    bars = "".join(f"box({4096.5 + 16 * i},4096.5,8,2000,0)\n" for i in range(-20, 20))
    (files.folder / "bars.reg").write_text("physical\n" + bars)
    read = {
        "exposure": files.full,
        "psf": "none",
        "energy_kev": "all",
        "mask": files.folder / "bars.reg",
        "grid": 1.968,
    }
    single, binned = quietly(files.events, **read), quietly(files.events, bin=20.0, **read)
    assert np.all(binned.completeness.effective_at(binned.photons.x, binned.photons.y) > 0)
    assert binned.n_photons == single.n_photons
    assert len(binned.photons) < len(single.photons)


def test_photons_maps_and_masks_move_together(files):
    (files.folder / "mask.reg").write_text(
        'fk5\nellipse(150.01,30.01,20",10",30)\nannulus(149.98,29.99,5",12")\n'
    )
    read = {
        "exposure": files.exposure,
        "psf": files.psf,
        "mask": files.folder / "mask.reg",
        "energy_kev": "all",
    }
    with pytest.warns(DataWarning, match="zero exposure"):
        here = read_observation(files.events, **read)
    frame = SkyFrame(150.1, 30.07)
    with pytest.warns(DataWarning, match="zero exposure"):
        there = read_observation(files.events, frame=frame, **read)
    assert there.frame == frame
    assert there.dropped == here.dropped
    for one, two in zip(
        here.frame.to_sky(here.photons.x, here.photons.y),
        frame.to_sky(there.photons.x, there.photons.y),
        strict=True,
    ):
        assert_allclose(one, two, atol=1e-10)
    assert not there.completeness.grid.is_aligned
    # Each photon is on the same cell of the map, unless an edge is within a hundredth of a pixel.
    same = here.completeness.exposure_at(
        here.photons.x, here.photons.y
    ) == there.completeness.exposure_at(there.photons.x, there.photons.y)
    assert same.mean() > 0.99
    assert np.all(there.completeness.effective_at(there.photons.x, there.photons.y) > 0)
    assert_allclose(
        there.psf.at(there.photons.x[:5], there.photons.y[:5])[1],
        here.psf.at(here.photons.x[:5], here.photons.y[:5])[1],
        atol=1e-12,
    )
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-150, 150, (2, 20_000))
    inside = here.masks.contains(x, y)
    assert inside.sum() > 100
    assert there.masks_frame == here.frame
    assert np.array_equal(inside, there.masks.contains(x, y))
    assert_allclose(
        there.mask_outlines()[0],
        np.column_stack(frame.to_plane(*here.frame.to_sky(*here.mask_outlines()[0].T))),
    )


@pytest.mark.filterwarnings("ignore:.*zero exposure")
def test_in_its_own_plane_an_observation_stays_as_it_is(files):
    given = {"exposure": files.exposure, "psf": files.psf, "energy_kev": "all"}
    here = read_observation(files.events, **given)
    again = read_observation(files.events, frame=SkyFrame(here.frame.ra0, here.frame.dec0), **given)
    assert np.array_equal(again.photons.x, here.photons.x)
    assert again.physical == here.physical


def test_a_far_frame_resamples_the_map(files):
    with pytest.warns(DataWarning, match="zero exposure"):
        o = read_observation(
            files.events,
            exposure=files.exposure,
            psf="none",
            energy_kev="all",
            grid=0.7,
            frame=SkyFrame(155.0, 33.0),
        )
    assert o.completeness.grid.is_aligned
    at = o.completeness.exposure_at(o.photons.x, o.photons.y)
    assert (at > 0).mean() > 0.995
    assert_allclose(at.max(), 1e6 + 1e4 * 100, rtol=0.01)


def test_pair_in_one_frame(shared_data):
    folder = shared_data / "marx/pair"
    one = quietly(
        folder / "events_1.fits.gz",
        exposure=folder / "expmap_1.fits.gz",
        psf=folder / "psfmap_1.fits.gz",
        energy_kev="all",
    )
    two = quietly(
        folder / "events_2.fits.gz",
        exposure=folder / "expmap_2.fits.gz",
        psf=folder / "psfmap_2.fits.gz",
        energy_kev="all",
        frame=one.frame,
    )
    assert two.frame == one.frame
    assert np.all(two.completeness.effective_at(two.photons.x, two.photons.y) > 0)
    # The brightest spot of the common sky is at one place.
    both = (
        np.abs(np.array([one.photons.x, one.photons.y])).max(0) < 200,
        np.abs(np.array([two.photons.x, two.photons.y])).max(0) < 200,
    )
    edges = np.arange(-200, 201, 4.0)
    images = [
        np.histogram2d(o.photons.x[b], o.photons.y[b], edges)[0]
        for o, b in zip((one, two), both, strict=True)
    ]
    assert np.corrcoef(images[0].ravel(), images[1].ravel())[0, 1] > 0.9
