"""The PSF of an observation is chosen by the options, or else for the telescope."""

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
    """Maker of an event list of ACIS; a keyword of None is left out."""

    def make_events(name="events.fits", *, columns=("x", "y", "energy", "ccd_id"), **keywords):
        settings = {k: v for k, v in (POINTED | keywords).items() if v is not None}
        event_hdus(columns=columns, **settings).writeto(tmp_path / name, overwrite=True)
        return read_events(tmp_path / name)

    return make_events


def chosen(events, psf=(), *, ecf=None, extra=0.0):
    """The PSF that options choose for events."""
    options = ReadOptions(psf=psf, psf_ecf=ecf, psf_extra_sigma=extra)
    return choose_psf(events, options, "events.fits", instrument_of(events.pointing))


def core_variance(found):
    """Variance of the narrowest Gaussian at the centre of the field [arcsec^2]."""
    return np.linalg.det(found.psf.at(0.0, 0.0)[1][0, 0]) ** 0.5


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ((), ("default", None)),
        (("",), ("default", None)),
        (("None",), ("none", None)),
        (("Chandra",), ("chandra", None)),
        ((0.5,), ("sigma", 0.5)),
        ((" 0.5",), ("sigma", 0.5)),
        (("a.fits", "b.fits"), ("files", ("a.fits", "b.fits"))),
    ],
)
def test_the_kind_of_a_psf_is_read_from_its_text(given, kind):
    assert parse_psf(given) == kind


@pytest.mark.parametrize("mixed", [["a.fits", "none"], ["chandra", "0.5"], ["0.5", "0.6"]])
def test_several_values_have_to_be_maps(mixed):
    with pytest.raises(InputError, match="several values must be PSF maps"):
        parse_psf(mixed)


def test_acis_gets_the_built_in_psf(events):
    recorded = events()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        default, asked = chosen(recorded), chosen(recorded, "chandra")
    assert_allclose(default.psf.covariances, asked.psf.covariances)
    assert default.psf.n_gaussians == 3
    start = "built-in Chandra PSF, ACIS-I, for the energies of the photons"
    assert default.choice.startswith(start)
    assert "PIX_ADJ EDSER" in default.choice
    assert default.files == ()


WITHOUT_POSITION = {"SIM_Z": None, "RA_PNT": None, "columns": ("x", "y", "energy")}


@pytest.mark.parametrize(
    ("keywords", "detector"),
    [
        ({"SIM_Z": -190.1}, "ACIS-S"),
        (WITHOUT_POSITION, "ACIS-I"),
        (WITHOUT_POSITION | {"DETNAM": "HRC"}, None),
    ],
)
def test_the_detector_is_that_of_the_aim_point(events, keywords, detector):
    assert aim_detector(events(**keywords))[0] == detector


def test_the_psf_is_that_of_the_detector(events):
    assert "ACIS-S" in chosen(events(SIM_Z=-190.1)).choice


@pytest.mark.parametrize(
    ("adjusted", "variance", "words"),
    [
        ("NONE", 0.142**2 - 0.06**2, "PIX_ADJ NONE"),
        (None, 0.142**2 - 0.06**2, "no PIX_ADJ, taken as NONE"),
        ("RANDOMIZE", 0.2**2 - 0.06**2, "PIX_ADJ RANDOMIZE"),
    ],
)
def test_the_pixel_adjustment_adds_its_variance(events, adjusted, variance, words):
    found = chosen(events(PIX_ADJ=adjusted))
    assert_allclose(core_variance(found) - core_variance(chosen(events())), variance, rtol=0.01)
    assert words in found.choice


def test_without_energies_the_psf_is_that_of_a_usual_energy(events):
    recorded = events(columns=("x", "y", "ccd_id"))
    assert recorded.photons.energy_kev is None
    assert "1.5 keV (the file has no energies)" in chosen(recorded).choice


@pytest.mark.parametrize(
    ("keywords", "reason"),
    [
        ({"OBS_ID": "Merged"}, "fit the single event lists jointly"),
        ({"ROLL_PNT": None}, "no usable ROLL_PNT"),
        ({"RA_PNT": "Merged"}, "no usable RA_PNT"),
    ],
)
def test_the_reason_is_given_if_the_library_does_not_serve(events, keywords, reason):
    recorded = events(**keywords)
    with pytest.raises(DataError, match=reason):
        chosen(recorded, "chandra")
    with pytest.warns(DataWarning, match=f"no PSF: .*not deconvolved.*{reason}"):
        found = chosen(recorded)
    assert found.psf is None
    assert reason in found.choice


def test_other_telescopes_have_no_psf(events):
    recorded = events(TELESCOP="XMM", INSTRUME="EMOS1")
    with pytest.warns(DataWarning, match=r"no PSF: .*\(give a PSF map or a sigma with `psf`\)$"):
        assert chosen(recorded).choice == "none (no PSF was given)"
    with pytest.raises(DataError, match="for ACIS, not for XMM EMOS1"):
        chosen(recorded, "chandra")


def test_a_further_sigma_is_added_in_quadrature(events):
    recorded = events()
    assert_allclose(core_variance(chosen(recorded, 0.5, extra=0.3)), 0.34)
    wide, narrow = chosen(recorded, extra=0.3), chosen(recorded)
    added = wide.psf.covariances - narrow.psf.covariances
    assert_allclose(added, np.broadcast_to(0.09 * np.eye(2), added.shape), atol=1e-12)
    added_text = ', convolved with a Gaussian of sigma 0.3"'
    assert wide.choice == wide.psf.description == narrow.choice + added_text


def test_a_further_sigma_needs_a_psf(events):
    with pytest.raises(InputError, match="there is none"):
        chosen(events(), "none", extra=0.3)


@pytest.mark.filterwarnings("ignore:.*photons in common")
def test_one_word_holds_for_several_pointings(events, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    events("one.fits")
    events("two.fits", ROLL_PNT=100.0, PIX_ADJ="NONE")
    one, two = read_observations(["one.fits", "two.fits"], psf="chandra")
    # At another roll the nodes next to the axis are other places on the detector.
    assert_allclose(core_variance(two) - core_variance(one), 0.142**2 - 0.06**2, rtol=0.1)
    assert "PIX_ADJ NONE" in two.pointing.choices["psf"]


def make_psf_map(path, radius, **keywords):
    """A map of radii [arcsec]; its path."""
    image_hdus(radius, unit="arcsec", **keywords).writeto(path, overwrite=True)
    return str(path)


def test_two_maps_of_one_pointing_are_joined_by_a_comma(events, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    events()
    inner = make_psf_map("inner.fits", np.full((104, 104), 0.6), ECF=0.393)
    # The nodes are those of the map that is given first.
    outer = make_psf_map("outer.fits", np.full((52, 60), 2.0), ECF=0.9, step=4.0)
    (observation,) = read_observations(["events.fits"], psf=f"{outer},{inner}")
    assert observation.psf.grid.shape == (52, 60)
    inputs = observation.pointing.inputs
    assert [one.path for one in inputs if one.role == "psf"] == [outer, inner]
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


def test_maps_that_no_mixture_passes_through_are_counted(events, tmp_path):
    plane = {"frame": events().frame}
    radius = np.full((80, 80), 2.0)
    radius[:, 50:] = 0.7
    paths = [
        make_psf_map(tmp_path / "a.fits", np.full((80, 80), 0.6), ECF=0.393),
        make_psf_map(tmp_path / "b.fits", radius, ECF=0.9),
    ]
    psf = read_psf_maps(paths, **plane)
    assert "2 at 4000 nodes, 1 at 2400 nodes" in psf.description
    paths[1] = make_psf_map(tmp_path / "b.fits", np.full((80, 80), 0.7), ECF=0.9)
    with pytest.warns(
        DataWarning, match="no 2 Gaussians pass through the radii at 6400 of 6400 nodes"
    ):
        read_psf_maps(paths, **plane)


@pytest.fixture
def picture(tmp_path):
    """The image of a point source, and the covariances that it was drawn from."""
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


def test_the_image_of_a_point_source_is_fitted(events, picture):
    path, covariances = picture
    found = chosen(events(), path)
    assert found.psf.grid.shape == (1, 1)
    assert_allclose(found.psf.covariances[0, 0, :2], covariances, rtol=0.1, atol=0.15)
    assert "encircled energy reproduced within" in found.choice
    assert found.files == (str(path),)


def test_an_image_that_is_neither_map_nor_source_is_refused(events, tmp_path):
    image_hdus(np.full((60, 60), 1.5), unit="", step=4.0).writeto(tmp_path / "flat.fits")
    with pytest.raises(DataError, match=r"neither a PSF map.*nor the image of one compact"):
        chosen(events(), tmp_path / "flat.fits")
    # An encircled fraction says that it is a map.
    with pytest.warns(DataWarning, match="taken to be in arcsec"):
        found = chosen(events(), tmp_path / "flat.fits", ecf=0.5)
    assert found.psf.grid.shape == (60, 60)


def test_an_image_without_the_size_of_its_pixels_is_refused(events, picture):
    path, _ = picture
    with fits.open(path, mode="update") as files:
        for key in ("CTYPE1", "CTYPE2"):
            del files[0].header[key]
    with pytest.raises(DataError, match="the size of the pixels of the PSF image is not known"):
        chosen(events(), path)


def test_a_model_keeps_the_psf_and_its_choice(events, tmp_path, monkeypatch):
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
    assert "built-in Chandra PSF, ACIS-I" in summary(model)
    assert 'convolved with a Gaussian of sigma 0.25"' in summary(model)


def test_the_library_meets_ray_traced_sources(shared_data):
    """Encircled energy within 0.03 and the right axis for a simulated source 5' off axis."""
    folder = shared_data / "marx/psf"
    truth = json.loads((folder / "truth.json").read_text())["points"][1]
    recorded = read_events(folder / "events_05.fits.gz")
    x0, y0 = recorded.frame.to_plane(truth["ra"], truth["dec"])
    weights, covariances = (v[0] for v in chosen(recorded).psf.at(x0, y0))
    x, y = recorded.photons.x, recorded.photons.y
    near = np.hypot(x - x0, y - y0) < 8
    radii = np.hypot(x - x[near].mean(), y - y[near].mean())
    radii = np.sort(radii[radii < 60])
    fractions = np.linspace(0.02, 0.98, 49)
    found = encircled_energy(weights, covariances, radii[(fractions * len(radii)).astype(int)])
    assert np.abs(found - fractions).max() < 0.03
    major = np.linalg.eigh(covariances[0])[1][:, 1]
    angle = np.degrees(np.arctan2(major[1], major[0])) - 90 - truth["pa_N_through_E"]
    assert abs((angle + 90) % 180 - 90) < 3
