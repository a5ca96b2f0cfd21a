"""Which PSF an observation gets, and what is said of it."""

import json
import warnings

import numpy as np
import pytest
from astropy.io import fits
from made_files import DEC0, RA0, event_hdus, image_hdus
from numpy.testing import assert_allclose

from gmmx.commands.fit import fit
from gmmx.config import FitConfig, ReadOptions
from gmmx.errors import DataError, DataWarning, InputError
from gmmx.io.events import read_events
from gmmx.io.models import read_model
from gmmx.io.psf import read_psf_maps
from gmmx.plane.grid import PixelGrid
from gmmx.reading.door import read_observations
from gmmx.reading.psf import choose_psf, parse_psf
from gmmx.show.page import summary
from gmmx.telescope.aim_point import aim_detector
from gmmx.telescope.encircled import encircled_energy
from gmmx.telescope.instruments import instrument_of

pytestmark = pytest.mark.filterwarnings("ignore:.*no exposure map:gmmx.errors.DataWarning")
POINTED = {"RA_PNT": RA0, "DEC_PNT": DEC0, "ROLL_PNT": 40.0, "SIM_Z": -233.6, "PIX_ADJ": "EDSER"}


@pytest.fixture
def events(tmp_path):
    def write(name="events.fits", **keywords):
        columns = keywords.pop("columns", ("x", "y", "energy", "ccd_id"))
        settings = {k: v for k, v in (POINTED | keywords).items() if v is not None}
        event_hdus(columns=columns, **settings).writeto(tmp_path / name, overwrite=True)
        return read_events(tmp_path / name)

    return write


def chosen(events, psf=(), *, ecf=None, extra=0.0):
    options = ReadOptions(psf=psf, psf_ecf=ecf, psf_extra_sigma=extra)
    return choose_psf(events, options, "events.fits", instrument_of(events.pointing))


def core_variance(blur):
    return np.linalg.det(blur.psf.at(0.0, 0.0)[1][0, 0]) ** 0.5


def test_what_is_asked_for():
    assert parse_psf([""]) == parse_psf(()) == ("default", None)
    assert parse_psf(["None"]) == parse_psf(["none"]) == ("none", None)
    assert parse_psf(["Chandra"]) == ("chandra", None)
    assert parse_psf([0.5]) == parse_psf([" 0.5"]) == ("sigma", 0.5)
    assert parse_psf(["a.fits", "b.fits"]) == ("files", ("a.fits", "b.fits"))
    for mixed in (["a.fits", "none"], ["chandra", "0.5"], ["0.5", "0.6"]):
        with pytest.raises(InputError, match="several values must be PSF maps"):
            parse_psf(mixed)


def test_acis_has_the_library_by_default(events):
    listed = events()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        default, asked = chosen(listed), chosen(listed, "chandra")
    assert_allclose(default.psf.covariances, asked.psf.covariances)
    assert default.psf.n_gaussians == 3
    assert default.choice.startswith("Chandra library, ACIS-I, for the energies of the photons")
    assert "PIX_ADJ EDSER" in default.choice
    assert default.files == ()


def test_the_detector_is_the_aim_points(events):
    assert aim_detector(events(SIM_Z=-190.1))[0] == "ACIS-S"
    assert "ACIS-S" in chosen(events(SIM_Z=-190.1)).choice
    without = {"SIM_Z": None, "RA_PNT": None, "columns": ("x", "y", "energy")}
    assert aim_detector(events(**without))[0] == "ACIS-I"
    assert aim_detector(events(DETNAM="HRC", **without))[0] is None


def test_pixel_adjustment_adds_its_variance(events):
    edser = core_variance(chosen(events()))
    for adjusted, variance in (
        ("NONE", 0.142**2 - 0.06**2),
        (None, 0.142**2 - 0.06**2),
        ("RANDOMIZE", 0.2**2 - 0.06**2),
    ):
        blur = chosen(events(PIX_ADJ=adjusted))
        assert_allclose(core_variance(blur) - edser, variance, rtol=0.01)
        assert (
            "no PIX_ADJ, taken as NONE" if adjusted is None else f"PIX_ADJ {adjusted}"
        ) in blur.choice


def test_without_energies_one_is_taken_and_said(events):
    listed = events(columns=("x", "y", "ccd_id"))
    assert listed.photons.energy_kev is None
    assert "1.5 keV (the file has no energies)" in chosen(listed).choice


@pytest.mark.parametrize(
    ("keywords", "reason"),
    [
        ({"OBS_ID": "Merged"}, "gmmx fit a.fits b.fits"),
        ({"ROLL_PNT": None}, "no ROLL_PNT"),
        ({"RA_PNT": "Merged"}, "no RA_PNT"),
    ],
)
def test_where_the_library_cannot_serve(events, keywords, reason):
    listed = events(**keywords)
    with pytest.raises(DataError, match=reason):
        chosen(listed, "chandra")
    with pytest.warns(
        DataWarning,
        match=f"no PSF: the fitted components include the blur of the telescope.*{reason}",
    ):
        blur = chosen(listed)
    assert blur.psf is None
    assert reason in blur.choice


def test_other_telescopes_have_none(events):
    listed = events(TELESCOP="XMM", INSTRUME="EMOS1")
    with pytest.warns(
        DataWarning,
        match=r"no PSF: the fitted components include the blur of the telescope \(give a PSF map or a sigma with `psf`\)$",
    ):
        assert chosen(listed).choice == "none (no PSF was given)"
    with pytest.raises(DataError, match="for ACIS, not for XMM EMOS1"):
        chosen(listed, "chandra")


def test_further_blur(events, tmp_path):
    listed = events()
    assert_allclose(core_variance(chosen(listed, 0.5, extra=0.3)), 0.34)
    more, less = chosen(listed, extra=0.3), chosen(listed)
    assert_allclose(
        more.psf.covariances - less.psf.covariances,
        0.09 * np.broadcast_to(np.eye(2), more.psf.covariances.shape),
        atol=1e-12,
    )
    assert more.choice == more.psf.description == less.choice + ', and 0.3" more'
    with pytest.raises(InputError, match="there is none"):
        chosen(listed, "none", extra=0.3)
    with pytest.raises(InputError, match="at least 0"):
        chosen(listed, extra=-0.3)
    with pytest.raises(InputError, match="`psf_extra_sigma` = -1.0: it must be a number"):
        FitConfig(psf_extra_sigma=-1.0)


def test_one_word_holds_for_several_pointings(events, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    events("one.fits")
    events("two.fits", ROLL_PNT=100.0, PIX_ADJ="NONE")
    one, two = read_observations(["one.fits", "two.fits"], psf="chandra")
    # At another roll the nodes next to the axis are other places on the detector.
    assert_allclose(core_variance(two) - core_variance(one), 0.142**2 - 0.06**2, rtol=0.1)
    assert "PIX_ADJ NONE" in two.pointing.choices["psf"]


def psf_map(path, radius, **keywords):
    image_hdus(radius, unit="arcsec", **keywords).writeto(path, overwrite=True)
    return str(path)


def test_two_maps_are_joined_by_a_comma(events, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    events()
    inner = psf_map("inner.fits", np.full((104, 104), 0.6), ECF=0.393)
    # On another grid, and given first: the nodes are the first map's.
    outer = psf_map("outer.fits", np.full((52, 60), 2.0), ECF=0.9, step=4.0)
    (observation,) = read_observations(["events.fits"], psf=f"{outer},{inner}")
    assert observation.psf.grid.shape == (52, 60)
    assert [file.path for file in observation.pointing.inputs if file.role == "psf"] == [
        outer,
        inner,
    ]
    assert "inner.fits: ECF 0.393; outer.fits: ECF 0.9" in observation.pointing.choices["psf"]
    assert_allclose(
        encircled_energy(*(v[0] for v in observation.psf.at(3.0, 4.0)), np.array([0.6, 2.0])),
        [0.393, 0.9],
        atol=1e-5,
    )
    with pytest.raises(InputError, match="belongs to a single PSF map"):
        read_observations(["events.fits"], psf=f"{outer},{inner}", psf_ecf=0.5)
    with pytest.raises(InputError, match="two or three different encircled fractions"):
        read_observations(["events.fits"], psf=f"{inner},{inner}")


def test_maps_that_no_mixture_passes_through_are_counted_and_said(events, tmp_path):
    plane = {"frame": events().frame}
    radius = np.full((80, 80), 2.0)
    radius[:, 50:] = 0.7
    paths = [
        psf_map(tmp_path / "a.fits", np.full((80, 80), 0.6), ECF=0.393),
        psf_map(tmp_path / "b.fits", radius, ECF=0.9),
    ]
    psf = read_psf_maps(paths, **plane)
    assert "2 at 4000 nodes, 1 at 2400 nodes" in psf.description
    paths[1] = psf_map(tmp_path / "b.fits", np.full((80, 80), 0.7), ECF=0.9)
    with pytest.warns(
        DataWarning, match="no 2 Gaussians pass through the radii at 6400 of 6400 nodes"
    ):
        read_psf_maps(paths, **plane)


@pytest.fixture
def picture(tmp_path):
    grid = PixelGrid.covering((-8, 8), (-8, 8), 0.25)
    covariances = np.array([[[0.4, 0.2], [0.2, 0.3]], [[4.0, 0.0], [0.0, 5.0]]])
    rng = np.random.default_rng(5)
    points = np.concatenate(
        [
            rng.multivariate_normal([0.3, 0.1], c, n)
            for c, n in zip(covariances, (12_000, 4_000), strict=True)
        ]
    )
    image_hdus(grid.histogram(*points.T), unit="", step=0.25).writeto(tmp_path / "source.fits")
    return tmp_path / "source.fits", covariances


def test_the_picture_of_a_point_source(events, picture):
    path, covariances = picture
    blur = chosen(events(), path)
    assert blur.psf.grid.shape == (1, 1)
    assert_allclose(blur.psf.covariances[0, 0, :2], covariances, rtol=0.1, atol=0.15)
    assert "encircled energy reproduced within" in blur.choice
    assert blur.files == (str(path),)


def test_neither_map_nor_picture(events, picture, tmp_path):
    image_hdus(np.full((60, 60), 1.5), unit="").writeto(tmp_path / "flat.fits")
    with pytest.raises(
        DataError, match=r"neither a PSF map.*--psf-ecf.*nor the image of one compact point source"
    ):
        chosen(events(), tmp_path / "flat.fits")
    # What is said to be a map is one.
    with pytest.warns(DataWarning, match="taken to be in arcsec"):
        blur = chosen(events(), tmp_path / "flat.fits", ecf=0.5)
    assert blur.psf.grid.shape == (60, 60)
    with fits.open(picture[0], mode="update") as files:
        for key in ("CTYPE1", "CTYPE2"):
            del files[0].header[key]
    with pytest.raises(DataError, match="the size of the PSF image's pixels is not known"):
        chosen(events(), picture[0])


def test_a_model_keeps_it_and_info_tells_it(events, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    events()
    fit(
        ["events.fits"],
        "model.h5",
        FitConfig(n_components=1, psf_extra_sigma=0.25, max_iter=20, threads=1, exchanges=0),
    )
    model = read_model("model.h5")
    assert model.observations[0].psf.n_gaussians == 3
    assert json.loads(json.dumps(model.options))["psf_extra_sigma"] == 0.25
    assert "Chandra library, ACIS-I" in summary(model)
    assert '0.25" more' in summary(model)


def test_ray_traced_sources(shared_data):
    """Simulated photons of a point source 5' off axis: the library meets their encircled energy within 0.03, along the right axis."""
    folder = shared_data / "marx/psf"
    truth = json.loads((folder / "truth.json").read_text())["points"][1]
    listed = read_events(folder / "events_05.fits.gz")
    x0, y0 = listed.frame.to_plane(truth["ra"], truth["dec"])
    weights, covariances = (v[0] for v in chosen(listed).psf.at(x0, y0))
    near = np.hypot(listed.photons.x - x0, listed.photons.y - y0) < 8
    radii = np.hypot(
        listed.photons.x - listed.photons.x[near].mean(),
        listed.photons.y - listed.photons.y[near].mean(),
    )
    radii = np.sort(radii[radii < 60])
    shares = np.linspace(0.02, 0.98, 49)
    assert (
        np.abs(
            encircled_energy(weights, covariances, radii[(shares * len(radii)).astype(int)])
            - shares
        ).max()
        < 0.03
    )
    major = np.linalg.eigh(covariances[0])[1][:, 1]
    angle = np.degrees(np.arctan2(major[1], major[0])) - 90 - truth["pa_N_through_E"]
    assert abs((angle + 90) % 180 - 90) < 3
