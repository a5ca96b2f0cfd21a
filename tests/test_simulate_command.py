"""`gmmx simulate` writes event lists that other programs, and gmmx itself, read as the original."""

import re
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from command_line import error_line, run
from handmade import make_draws, make_mixture, make_observation, make_result
from made_files import event_hdus, flat, image_hdus
from numpy.testing import assert_allclose, assert_array_equal

import gmmx
from gmmx.answers.event_rows import good_time, rows_of
from gmmx.commands.simulate import numbered
from gmmx.io.events import read_events
from gmmx.model.background import Background
from gmmx.model.mixture import POINT_SIGMA, Fixed, Mixture
from gmmx.model.photons import Photons
from gmmx.model.pointing import Pointing
from gmmx.model.psf import PsfModel
from gmmx.plane.frame import SkyFrame

CLOCK = {"TSTART": 5e7, "TSTOP": 5.0001e7, "ONTIME": 950.0, "LIVETIME": 940.0}
SKY = ("--psf", "1", "--energy", "0.5:1.8", "--background", "sky")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with an event list, its exposure map and the model of a fit to it."""
    folder = tmp_path_factory.mktemp("simulate")
    hdus = event_hdus(n=3000, RA_NOM=150.0, DEC_NOM=2.2, MJDREF=50814.0, **CLOCK)
    hdus.writeto(folder / "evt2.fits")
    image_hdus(flat(3e5), OBS_ID="101").writeto(folder / "expmap.fits")
    fitted(folder, "evt2.fits", "model.h5")
    run("errors", folder / "model.h5", "--draws", 5, "--method", "laplace", "-q")
    return folder


def fitted(folder, events, model, *options):
    """Fit an event list of the folder with the exposure map and the PSF of all tests."""
    words = (folder / events, "--exposure", folder / "expmap.fits", *SKY, "--k", 1, *options)
    done = run("fit", *words, "-q", "--out", folder / model)
    assert done.exit_code == 0, done.stderr
    return gmmx.read(folder / model)


def simulate(folder, *options, out="sim.fits", model="model.h5"):
    """Run `gmmx simulate`, and return its output and the tables that it wrote."""
    done = run("simulate", folder / model, "--out", folder / out, "--overwrite", *options)
    assert done.exit_code == 0, done.stderr
    with fits.open(folder / out, checksum=True) as hdus:
        return done, {hdu.name: (hdu.header, hdu.data.copy()) for hdu in hdus[1:]}


def test_the_table_has_the_columns_and_keywords_of_an_event_list(folder):
    done, tables = simulate(folder, "--seed", 3)
    header, rows = tables["EVENTS"]
    assert rows.names == ["time", "ccd_id", "x", "y", "energy", "pi", "origin"]
    assert (header["OBS_ID"], header["HDUCLAS1"], header["CONTENT"]) == ("101", "EVENTS", "EVT2")
    assert (header["SIMULATD"], header["SIMMODEL"], header["SIMSEED"]) == (True, "model.h5", 3)
    assert "SIMULATION by gmmx simulate, from the model model.h5, seed 3." in header["COMMENT"]
    assert set(rows["ccd_id"]) == {3}
    assert set(rows["origin"]) == {-1, 0}
    assert_array_equal(rows["pi"], np.rint(rows["energy"] / 14.6 + 0.5))
    assert f"simulated: {len(rows):,} photons" in done.stderr


def test_times_rise_inside_the_good_time_interval(folder):
    _, tables = simulate(folder)
    times, good = tables["EVENTS"][1]["time"], tables["GTI"][1]
    assert (good["START"][0], good["STOP"][0]) == (5e7, 5e7 + 950)
    assert np.all(np.diff(times) >= 0)
    assert 5e7 < times[0] < 5e7 + 20 < 5e7 + 930 < times[-1] < 5e7 + 950


# astropy remarks on keywords of time and RADESYS, which CIAO writes into tables, too.
@pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning")
def test_positions_have_the_sky_coordinates_of_the_original(folder):
    _, tables = simulate(folder)
    header, rows = tables["EVENTS"]
    wcs = WCS(header, keysel=["pixel"], colsel=[3, 4])
    ra, dec = wcs.wcs_pix2world(rows["x"], rows["y"], 1)
    frame = gmmx.read(folder / "model.h5").frame
    x, y = frame.to_plane(ra, dec)
    assert_allclose(x, (rows["x"] - 4096.5) * 0.492, atol=1e-3)
    assert_allclose(y, (rows["y"] - 4096.5) * 0.492, atol=1e-3)


def test_a_fit_reads_the_simulation_like_the_original(folder):
    simulate(folder, "--seed", 4)
    # The band of the simulated file is found in its header, and not given.
    options = [word for word in SKY if word not in ("--energy", "0.5:1.8")]
    words = ("--exposure", folder / "expmap.fits", *options, "--k", 1, "--out", folder / "again.h5")
    done = run("fit", folder / "sim.fits", *words, "--overwrite")
    assert done.exit_code == 0
    assert "energy: 0.5:1.8 keV" in done.stderr
    assert "warning" not in done.stderr
    before, again = (gmmx.read(folder / name) for name in ("model.h5", "again.h5"))
    assert again.n_photons == len(fits.getdata(folder / "sim.fits"))
    assert again.observations[0].pointing.chips == before.observations[0].pointing.chips
    error = np.hypot(before.flux_errors[0], again.flux_errors[0])
    assert abs(again.mixture.fluxes[0] - before.mixture.fluxes[0]) < 3 * error
    shift = np.abs(again.mixture.means - before.mixture.means)
    assert np.all(shift < 4 * np.hypot(before.mean_errors, again.mean_errors))


def test_a_longer_exposure_has_more_photons_and_a_longer_time(folder):
    _, once = simulate(folder)
    _, tables = simulate(folder, "--exposure-scale", "4")
    header, rows = tables["EVENTS"]
    assert len(rows) == pytest.approx(4 * len(once["EVENTS"][1]), rel=0.1)
    assert (header["EXPOSURE"], header["ONTIME"], header["LIVETIME"]) == (4000, 3800, 3760)
    assert tables["GTI"][1]["STOP"][0] - tables["GTI"][1]["START"][0] == 3800
    assert header["SIMSCALE"] == 4.0


@pytest.mark.parametrize(
    ("options", "origins"), [(("--components", "0"), {-1, 0}), (("--components", "none"), {-1})]
)
def test_some_components_can_be_chosen(folder, options, origins):
    _, tables = simulate(folder, *options)
    assert set(tables["EVENTS"][1]["origin"]) == origins
    assert tables["EVENTS"][0]["SIMCOMP"] == options[1]


def test_a_draw_and_photons_without_psf_are_noted_in_the_header(folder):
    _, tables = simulate(folder, "--draw", 4, "--no-psf")
    assert (tables["EVENTS"][0]["SIMDRAW"], tables["EVENTS"][0]["SIMPSF"]) == (4, False)


def test_a_seed_gives_the_same_rows(folder):
    (_, one), (_, two), (_, other) = (simulate(folder, "--seed", n) for n in (5, 5, 6))
    assert one["EVENTS"][1].tobytes() == two["EVENTS"][1].tobytes()
    assert len(one["EVENTS"][1]) != len(other["EVENTS"][1])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--components", "0,9"), "no component 9: their numbers are 0 to 0"),
        (("--components", "first"), "--components first: give numbers of the component table"),
        (("--draw", "5"), "--draw 5: the model has 5 draws, 0 to 4"),
        (("--exposure-scale", "0"), "--exposure-scale 0.0: it must be a positive number"),
        (("--seed", "-1"), "--seed -1: it must be a whole number of at least 0"),
    ],
)
def test_what_cannot_be_simulated_is_refused(folder, options, words):
    done = run("simulate", folder / "model.h5", "--out", folder / "new.fits", *options)
    assert words in error_line(done)
    assert not (folder / "new.fits").exists()


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("evt2.fits", "is the same file as the input"),
        ("model.h5", "cannot tell the format"),
        ("sim.txt", "cannot tell the format from the ending '.txt'"),
        ("old.fits", "exists: choose another name"),
    ],
)
def test_no_file_is_lost(folder, out, words):
    (folder / "old.fits").write_text("what was there before")
    overwrite = () if out == "old.fits" else ("--overwrite",)
    done = run("simulate", folder / "model.h5", "--out", folder / out, *overwrite, unchanged=folder)
    assert words in error_line(done)


@pytest.mark.parametrize(
    ("out", "n", "names"),
    [
        ("a/sim.fits", 1, ["sim.fits"]),
        ("a/sim.fits", 2, ["sim_1.fits", "sim_2.fits"]),
        ("v1.2.fits.gz", 2, ["v1.2_1.fits.gz", "v1.2_2.fits.gz"]),
    ],
)
def test_the_files_of_a_joint_model_are_numbered(out, n, names):
    assert [path.name for path in numbered(out, n)] == names


@pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning")
def test_a_joint_model_writes_one_file_for_each_observation_in_its_own_plane(tmp_path):
    own = SkyFrame(202.5, 47.25)
    header = {"RA_NOM": own.ra0, "DEC_NOM": own.dec0}
    first, second = (make_observation(i, name=f"o{i}", rotation=0.3 * i) for i in range(2))
    second = replace(second, physical=None, pointing=replace(second.pointing, header=header))
    make_result([first, second], make_mixture()).write(tmp_path / "joint.h5")
    done = run("simulate", tmp_path / "joint.h5", "--out", tmp_path / "sim.fits")
    assert "it has no ENERGY or CCD_ID, because the model does not keep" in done.stderr
    for number, frame in ((1, first.frame), (2, own)):
        events, header = fits.getdata(tmp_path / f"sim_{number}.fits", header=True)
        assert header["TCRVL2"] == frame.ra0
        ra, dec = WCS(header, keysel=["pixel"], colsel=[2, 3]).wcs_pix2world(
            events["x"], events["y"], 1
        )
        completeness = (first, second)[number - 1].completeness
        assert np.all(completeness.effective_at(*first.frame.to_plane(ra, dec)) > 0)


def make_spectra(seed=0, points=False):
    """A result whose component, point source and background have energies of their own."""
    rng = np.random.default_rng(seed)
    n = 4000
    places = [rng.normal([-15, 0], 2, (n, 2)), rng.uniform(-45, 45, (n, 2))]
    energies = [rng.uniform(0.5, 0.6, n), rng.uniform(1.0, 1.1, n)]
    covariances, means, kinds = [4.0 * np.eye(2)], [[-15.0, 0.0]], [False]
    if points:
        places.append(rng.normal([20, 10], 1, (n, 2)))
        energies.append(rng.uniform(1.9, 2.0, n))
        covariances.append(POINT_SIGMA**2 * np.eye(2))
        means.append([20.0, 10.0])
        kinds.append(True)
    x, y = np.concatenate(places).T
    observation = make_observation()
    completeness = replace(observation.completeness, exposure=np.full((50, 60), 1e7))
    photons = Photons(x, y, energy_kev=np.concatenate(energies), ccd=1 * (x > 0))
    observation = replace(
        observation,
        photons=photons,
        completeness=replace(completeness, open_fraction=np.ones((50, 60))),
        psf=PsfModel.constant(1.0),
        backgrounds=(Background(amplitude=n / 90**2),),
    )
    kinds = np.array(kinds)
    fixed = Fixed(fluxes=kinds & False, means=kinds & False, covariances=kinds, points=kinds)
    mixture = Mixture(fluxes=np.full(len(kinds), float(n)), means=means, covariances=covariances)
    return make_result([observation], mixture, fixed=fixed)


@pytest.mark.parametrize("points", [False, True])
def test_energies_are_those_of_photons_of_the_same_origin(points):
    result, rng = make_spectra(points=points), np.random.default_rng(1)
    (simulation,) = result.simulate(rng)
    rows = rows_of(result, 0, simulation, rng)
    energies = {k: rows.photons.energy_kev[rows.origin == k] for k in set(rows.origin.tolist())}
    # A few photons of the background lie under the sources, and are taken for theirs.
    assert np.mean(energies[0] < 0.7) > 0.97
    assert np.mean((energies[-1] > 0.9) & (energies[-1] < 1.2)) > 0.97
    if points:
        assert np.mean(energies[1] > 1.8) > 0.97


def test_the_chip_is_that_of_the_photons_nearby():
    result, rng = make_spectra(), np.random.default_rng(2)
    (simulation,) = result.simulate(rng)
    photons = rows_of(result, 0, simulation, rng).photons
    apart = np.abs(photons.x) > 5
    assert_array_equal(photons.ccd[apart], 1 * (photons.x[apart] > 0))


@pytest.mark.parametrize(
    ("header", "time", "interval"),
    [
        ({"TSTART": 10.0, "TSTOP": 30.0}, None, (10, 30)),
        ({"TSTART": 10.0, "TSTOP": 30.0}, 15.0, (10, 25)),
        ({"ONTIME": 7.0}, None, (0, 7)),
        ({"TSTOP": 7.0}, None, None),
        ({}, None, None),
        ({"TSTART": "unknown", "ONTIME": 7.0}, None, (0, 7)),
    ],
)
def test_the_good_time_is_made_of_what_the_header_knows(header, time, interval):
    assert good_time(Pointing(exposure_time=time, header=header)) == interval


@pytest.mark.parametrize(
    ("telescope", "instrument", "columns"),
    [
        ("XMM", "EMOS1", ["ccdnr", "x", "y", "pi", "origin"]),
        ("NuSTAR", "FPMA", ["ccd_id", "x", "y", "pi", "origin"]),
        ("CHANDRA", "ACIS", ["ccd_id", "x", "y", "energy", "pi", "origin"]),
        ("EINSTEIN", "IPC", ["ccd_id", "x", "y", "energy", "origin"]),
    ],
)
def test_energies_of_each_mission_are_read_back(tmp_path, telescope, instrument, columns):
    result = make_spectra()
    pointing = Pointing(telescope=telescope, instrument=instrument, band_kev=(0.5, 2.0))
    observation = replace(result.observations[0], pointing=pointing)
    replace(result, observations=(observation,)).write(tmp_path / "m.h5")
    assert run("simulate", tmp_path / "m.h5", "--out", tmp_path / "s.fits").exit_code == 0
    with fits.open(tmp_path / "s.fits") as hdus:
        assert hdus[1].columns.names == columns
    read = read_events(tmp_path / "s.fits")
    energies = read.photons.energy_kev
    assert np.all((energies < 0.66) | (energies > 0.94))
    assert (read.photons.ccd == 1).sum() > 100


def test_a_model_of_counts_in_pixels_gives_single_photons(tmp_path):
    observation = make_observation()
    x, y = (v.ravel() for v in observation.completeness.grid.centres())
    observation = replace(
        observation, photons=Photons(x, y, pixel=2.0), psf=observation.psf.widened(4 / 12)
    )
    make_result([observation], make_mixture()).write(tmp_path / "m.h5")
    run("simulate", tmp_path / "m.h5", "--out", tmp_path / "s.fits")
    pixels = fits.getdata(tmp_path / "s.fits")["x"]
    assert len(np.unique(pixels)) == len(pixels) > 100


def test_a_model_without_a_sky_is_refused(tmp_path):
    result = make_result([replace(make_observation(), frame=None)], make_mixture())
    result.write(tmp_path / "m.h5")
    done = run("simulate", tmp_path / "m.h5", "--out", tmp_path / "s.fits", unchanged=tmp_path)
    assert re.search("no celestial frame, which an event list needs", done.stderr)


def test_draws_can_be_simulated_of_a_model_that_was_read(tmp_path):
    result = make_result([make_observation()], make_mixture())
    replace(result, draws=make_draws(result)).write(tmp_path / "m.h5")
    read = gmmx.read(tmp_path / "m.h5")
    (simulation,) = read.simulate(np.random.default_rng(0), draw=29)
    assert simulation.origin.max() == 3
