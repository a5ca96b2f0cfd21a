"""Units in FITS files, in the spellings of the standard, of CIAO, SAS, HEASoft and others."""

import re
from functools import cache

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st
from made_files import event_hdus, flat, image_hdus

import gmmx
from gmmx.errors import DataError, DataWarning
from gmmx.io.counts_image import read_counts
from gmmx.io.events import read_events
from gmmx.io.maps import read_exposure, read_image
from gmmx.io.psf import read_psf_map
from gmmx.io.units import energy_scale, read_unit
from gmmx.plane.frame import SkyFrame

FRAME = SkyFrame(150.0, 2.2)
# Spellings of an area times a time, with their size [cm**2 s].
EXPOSURES = {
    **dict.fromkeys(
        [
            *("cm**2 s", "cm2 s", "cm^2 s", "cm**(2) s", "cm+2 s", "cm**2*s", "cm^2*s", "cm2.s"),
            *("s cm**2", "s.cm2", "s*cm^2", "cm**2-s", "cm^2 - sec", "cm**2.0 s", "cm cm s"),
            *(
                "CM2 S",
                "CM**2 SEC",
                "Cm**2 s",
                "cm**2 sec",
                "cm2 secs",
                "cm^2 seconds",
                "[cm**2 s]",
            ),
            *("(cm**2 s)", " cm**2   s ", "sq cm s", "cm**2 s count/photon", "cm2 s ct ph-1"),
            *("cm**2 s counts/photons", "cm^2 s cts / phot", "cm**2 sec count photon**-1"),
        ],
        1.0,
    ),
    **dict.fromkeys(["cm**2 ks", "cm2 ksec", "CM2 KS", "10**3 cm**2 s", "10+3 cm2 s"], 1e3),
    **dict.fromkeys(["m**2 s", "m2 s", "M^2 SEC", "10**4 cm**2 s", "10^4 cm^2*s"], 1e4),
    **dict.fromkeys(["1e4 cm**2 s", "1.0E4 cm2 s", "10**(4) cm**2 s", "10000 cm2 s"], 1e4),
    "m**2 ks": 1e7,
    "cm**2 Ms": 1e6,
    "cm2 Msec": 1e6,
    "mm**2 s": 1e-2,
    "cm**2 min": 60.0,
    "cm**2 hr": 3600.0,
    "cm**2 day": 86400.0,
}
TRUE_EXPOSURE = 6e5


@pytest.mark.parametrize("text", EXPOSURES)
def test_every_spelling_of_an_exposure_is_the_same_exposure(tmp_path, text):
    path = tmp_path / "expmap.fits"
    make_map(path, TRUE_EXPOSURE / EXPOSURES[text], text)
    exposure = read_exposure(path, frame=FRAME)
    assert exposure.unit == "cm**2 s"
    assert np.unique(exposure.exposure) == pytest.approx([TRUE_EXPOSURE], rel=1e-12)


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    """Fluxes of a fit of an event list with an exposure map, by the spelling of its unit."""
    folder = tmp_path_factory.mktemp("field")
    event_hdus(n=200).writeto(folder / "evt.fits")

    @cache
    def flux(text):
        make_map(folder / "expmap.fits", TRUE_EXPOSURE / EXPOSURES[text], text)
        observation = gmmx.read_observation(
            folder / "evt.fits", exposure=folder / "expmap.fits", psf="none", background="sky"
        )
        fit = gmmx.fit(observation, n_components=1, exchanges=0, max_iter=30)
        return fit.signal_flux.to_value("photon / (cm2 s)")

    return flux


@pytest.mark.filterwarnings("ignore::gmmx.errors.ConvergenceWarning")
@pytest.mark.parametrize("text", EXPOSURES)
def test_every_spelling_of_an_exposure_gives_the_same_flux(field, text):
    assert field(text) == pytest.approx(field("cm**2 s"), rel=1e-12)


def make_map(path, value, unit):
    """Write a map of one value in double precision."""
    hdus = image_hdus(flat(1.0), unit=unit)
    hdus[0].data = flat(value).astype(np.float64)
    hdus.writeto(path, overwrite=True)


@pytest.mark.parametrize(
    ("text", "unit", "scale"),
    [
        ("SECONDS", "s", 1),
        ("sec", "s", 1),
        ("KS", "s", 1e3),
        ("10**3 s", "s", 1e3),
        ("cm**2", "cm**2", 1),
        ("m2", "cm**2", 1e4),
        ("cm2 count/photon", "cm**2", 1),
    ],
)
def test_an_area_or_a_time_is_an_exposure(text, unit, scale):
    found = read_unit(text)
    assert (found.exposure, found.scale) == (unit, pytest.approx(scale, rel=1e-12))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "counts",
        "counts/sec",
        "photon/cm2/s",
        "photons cm-2 s-1",
        "cm**2 s sr",
        "cm**2 s keV",
        "cm**2 s arcmin**2",
        "cm**2 s / pixel",
        "cm**2 s photon",
        "cm**2/s",
        "cm s",
        "cm**4 s**2",
        "arcsec",
        "eV",
    ],
)
def test_another_quantity_is_understood_and_no_exposure(text):
    unit = read_unit(text)
    assert unit.is_understood
    assert unit.exposure is None


@pytest.mark.parametrize(
    "text",
    [
        "furlong",
        "???",
        "cm**",
        "cm**2 s;",
        "kcm**2 s",
        "log(cm**2 s)",
        "cm**2 s x 10",
        "10**400 cm**2 s",
        "10**99999999 cm**2 s",
        "m999 s",
        "0 cm**2 s",
        "cm**2 MS",
        "MSEC",
        "cm**2 count/photon s",
        "photon/cm**2 s",
        "mag(ct/s)",
    ],
)
def test_a_text_that_is_no_unit_or_two_units_is_not_understood(text):
    unit = read_unit(text)
    assert not unit.is_understood
    assert (unit.exposure, unit.arcsec, unit.kev, unit.is_counts) == (None, None, None, False)


@pytest.mark.parametrize(
    ("text", "arcsec"),
    [
        *[(text, 1) for text in ("arcsec", "ARCSEC", "arcseconds", '"', "asec")],
        *[("arcmin", 60), ("amin", 60), ("degrees", 3600), ("mas", 1e-3), ("10**-1 arcsec", 0.1)],
        ("rad", 206264.80624709636),
    ],
)
def test_an_angle_has_a_size(text, arcsec):
    assert read_unit(text).arcsec == pytest.approx(arcsec, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "kev"),
    [
        *[("keV", 1.0), (" EV ", 1e-3), ("mev", 1e3), ("10**2 eV", 0.1)],
        *[
            ("erg", 624150907.4460764),
            ("chan", None),
            ("", None),
            ("Angstrom", None),
            ("keV/s", None),
        ],
    ],
)
def test_an_energy_unit_has_a_size(text, kev):
    assert energy_scale(text) == (kev if kev is None else pytest.approx(kev, rel=1e-12))


words = ["cm", "m", "S", "ks", "count", "ph", "10", "**", "^", "2", "-1", "/", " ", "*", ".", "("]
words += [
    ")",
    "e",
    "9999999",
    "sqrt",
    "mag",
    "sr",
    "per",
    "sq",
    "\N{SUPERSCRIPT TWO}",
    "'",
    "1e400",
]


@settings(max_examples=40, deadline=None)
@given(st.one_of(st.text(max_size=20), st.lists(st.sampled_from(words), max_size=9).map("".join)))
def test_any_text_is_read_or_not_understood(text):
    unit = read_unit(text)
    assert unit.text == text
    assert 0 < unit.scale < np.inf


# Other files than exposure maps -----------------------------------------------------------------


def test_a_unit_that_is_no_exposure_is_refused_by_name(tmp_path):
    path = tmp_path / "expmap.fits"
    image_hdus(flat(5.0), unit="10**4 cm**2 sr s").writeto(path)
    expected = r"expmap\.fits: BUNIT '10\*\*4 cm\*\*2 sr s' is not an exposure: expected an area"
    with pytest.raises(DataError, match=expected):
        read_exposure(path, frame=FRAME)


@pytest.mark.parametrize(
    "text", ["cts/s", "counts/sec", "COUNTS/SEC", "ct s-1", "counts per second"]
)
def test_an_image_of_rates_is_no_counts_image(tmp_path, text):
    image_hdus(flat(1.0), unit=text).writeto(tmp_path / "rate.fits")
    with pytest.raises(DataError, match=rf"BUNIT {text!r} is that of a flux or rate image"):
        read_counts(tmp_path / "rate.fits")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("furlong", "not understood as a unit"),
        ("keV", "not that of counts"),
        ("adu", "not that of counts"),
        ("photon/cm**2 s", "not understood as a unit"),
    ],
)
def test_a_unit_that_is_not_of_counts_is_refused_by_name(tmp_path, text, problem):
    image_hdus(flat(1.0), unit=text).writeto(tmp_path / "image.fits")
    with pytest.raises(DataError) as caught:
        read_counts(tmp_path / "image.fits")
    assert f"image.fits: BUNIT {text!r} is {problem}" in str(caught.value)


@pytest.mark.parametrize("text", ["cm2 s", "ksec", "m**2"])
def test_an_exposure_map_is_no_counts_image(tmp_path, text):
    image_hdus(flat(1.0), unit=text).writeto(tmp_path / "map.fits")
    with pytest.raises(DataError, match="this is an exposure map"):
        read_counts(tmp_path / "map.fits")


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        *[(text, 3) for text in ("count", "COUNTS", "cts", "photons", "events", "", "none")],
        *[("counts/pixel", 3), ("10**3 count", 3000)],
    ],
)
def test_counts_are_read_in_their_unit(tmp_path, text, counts):
    image_hdus(flat(3.0), unit=text).writeto(tmp_path / "image.fits")
    assert np.unique(read_counts(tmp_path / "image.fits").photons.weights) == counts


@pytest.mark.parametrize(
    ("text", "size"),
    [("arcsec", 1), ("ARCSECONDS", 1), ("arcmin", 60), ("deg", 3600), ("logical", 2), ("pix", 2)],
)
def test_radii_of_a_psf_map_are_read_in_their_unit(tmp_path, text, size):
    ecf = 1 - np.exp(-0.5)
    image_hdus(flat(5.0 / size), unit=text, ECF=ecf).writeto(tmp_path / "psf.fits")
    psf = read_psf_map(tmp_path / "psf.fits", frame=FRAME)
    assert np.sqrt(np.median(psf.covariances[..., 0, 0])) == pytest.approx(5.0, rel=1e-6)


@pytest.mark.parametrize(("text", "problem"), [("cm", "no radius"), ("furlong", "not understood")])
def test_a_unit_that_no_radius_has_is_refused_by_name(tmp_path, text, problem):
    image_hdus(flat(1.0), unit=text, ECF=0.9).writeto(tmp_path / "psf.fits")
    with pytest.raises(DataError, match=rf"BUNIT {text!r} of the PSF map is {problem}"):
        read_psf_map(tmp_path / "psf.fits", frame=FRAME)


def make_events(path, unit, scale):
    """Write an event list with energies of 0.5 to 2 keV in another unit."""
    hdus = event_hdus(n=200)
    hdus[1].data["energy"] *= np.float32(1e-3 / scale)
    hdus[1].header["TUNIT3"] = unit
    hdus.writeto(path)


@pytest.mark.parametrize(
    ("unit", "scale"),
    [("keV", 1), ("KEV", 1), ("eV", 1e-3), ("ev", 1e-3), ("MeV", 1e3), ("", 1e-3)],
)
def test_energies_are_read_in_their_unit(tmp_path, unit, scale):
    make_events(tmp_path / "evt.fits", unit, scale)
    energy = read_events(tmp_path / "evt.fits").photons.energy_kev
    assert 0.5 <= energy.min() < 0.6
    assert 1.9 < energy.max() <= 2.0
    in_band = read_events(f"{tmp_path / 'evt.fits'}[energy=500:1000]")
    assert in_band.photons.energy_kev == pytest.approx(energy[energy <= 1])


@pytest.mark.parametrize("unit", ["Angstrom", "furlong", "adu"])
def test_a_unit_that_is_no_energy_is_refused_by_name(tmp_path, unit):
    make_events(tmp_path / "evt.fits", unit, 1e-3)
    with pytest.raises(DataError, match=r"TUNIT3 .* of the column energy is no unit of energy"):
        read_events(tmp_path / "evt.fits")


def test_energies_in_kev_without_a_unit_are_not_taken_for_ev(tmp_path):
    make_events(tmp_path / "evt.fits", "", 1.0)
    with pytest.raises(DataError, match="the column energy has no unit: if they are in keV, write"):
        read_events(tmp_path / "evt.fits")


def test_keywords_are_read_in_the_unit_of_their_comment(tmp_path):
    hdus = event_hdus(n=200)
    hdus[1].header["EXPOSURE"] = (20.0, "[ks] exposure time")
    hdus[1].header["LIVETIME"] = (19.0e3, "[s] live time")
    hdus[1].header["EXPTIME"] = (3.2, "[frames] of what?")
    hdus.writeto(tmp_path / "evt.fits")
    pointing = read_events(tmp_path / "evt.fits").pointing
    times = pointing.exposure_time, pointing.header["LIVETIME"], pointing.frame_time
    assert times == (20e3, 19e3, 3.2)


@pytest.mark.parametrize(
    ("low", "high", "unit"), [(0.5, 2, "[keV]"), (500, 2e3, "[eV]"), (0.5, 2, "")]
)
def test_the_band_of_a_counts_image_is_read_in_its_unit(tmp_path, low, high, unit):
    hdus = image_hdus(flat(1.0), unit="count")
    hdus[0].header["ENERGYLO"], hdus[0].header["ENERGYHI"] = (low, unit), (high, unit)
    hdus.writeto(tmp_path / "image.fits")
    assert read_counts(tmp_path / "image.fits").pointing.recorded_band_kev == (0.5, 2.0)


# Backgrounds ------------------------------------------------------------------------------------


@pytest.fixture
def read_with(tmp_path):
    """Read an observation with a fixed background image of one count in each pixel."""
    event_hdus(n=300).writeto(tmp_path / "evt.fits")
    make_map(tmp_path / "expmap.fits", TRUE_EXPOSURE, "cm**2 s")

    def read(unit, value=1.0, fixed=":fixed"):
        make_map(tmp_path / "bkg.fits", value, unit)
        return gmmx.read_observation(
            tmp_path / "evt.fits",
            exposure=tmp_path / "expmap.fits",
            psf="none",
            background=f"{tmp_path / 'bkg.fits'}{fixed}",
        )

    return read


@pytest.mark.filterwarnings("ignore:background bkg.fits makes:gmmx.errors.DataWarning")
@pytest.mark.parametrize(
    ("unit", "value"), [("count", 1.0), ("10**3 count", 1e-3), ("10**-6 counts/pixel", 1e6)]
)
def test_a_background_is_read_in_its_unit(read_with, unit, value):
    (background,) = read_with(unit, value).backgrounds
    # One count in a pixel of 2 arcsec.
    expected = background.amplitude * np.median(background.template.values)
    assert expected == pytest.approx(0.25, rel=1e-6)


@pytest.mark.parametrize(
    ("unit", "problem"),
    [
        ("counts/sec", "not counts per pixel"),
        ("count/arcsec**2", "not counts per pixel"),
        ("cm**2 s", "not counts per pixel"),
        ("furlong", "not understood as a unit"),
    ],
)
def test_a_fixed_background_in_another_unit_is_refused_by_name(read_with, unit, problem):
    with pytest.raises(DataError) as caught:
        read_with(unit)
    assert f"bkg.fits: BUNIT {unit!r} is {problem}" in str(caught.value)


@pytest.mark.parametrize(
    ("unit", "what"),
    [("arcsec", "a PSF map"), ("cm**2 s", "an exposure map"), ("s", "an exposure map")],
)
def test_another_kind_of_map_is_no_background(read_with, unit, what):
    with pytest.raises(DataError, match=re.escape(f"BUNIT {unit!r} is that of {what}")):
        read_with(unit, fixed="")


# Scaled integers --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["int16", "int32", "uint8"])
@pytest.mark.parametrize("blank", [None, 7])
@pytest.mark.parametrize("is_compressed", [False, True])
def test_scaled_integers_are_read_in_double_precision(tmp_path, kind, blank, is_compressed):
    scale, zero = 123456.789, 3e6
    raw = np.arange(100, dtype=kind).reshape(10, 10)
    cards = {"BSCALE": scale, "BZERO": zero} | ({} if blank is None else {"BLANK": blank})
    hdu = fits.CompImageHDU(raw) if is_compressed else fits.ImageHDU(raw)
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(tmp_path / "map.fits")
    as_it_is = {"do_not_scale_image_data": True, "disable_image_compression": True}
    with fits.open(tmp_path / "map.fits", mode="update", **as_it_is) as hdus:
        hdus[1].header.update(cards)
    expected = np.where(raw == blank, np.nan, raw * scale + zero)
    np.testing.assert_array_equal(read_image(tmp_path / "map.fits").values, expected)


def test_a_scale_that_is_no_number_is_refused_by_name(tmp_path):
    fits.PrimaryHDU(np.ones((4, 4), np.int16)).writeto(tmp_path / "map.fits")
    with fits.open(tmp_path / "map.fits", mode="update", do_not_scale_image_data=True) as hdus:
        hdus[0].header["BSCALE"] = "many"
    with pytest.raises(DataError, match=r"map\.fits: BSCALE 'many' is not a number to scale by"):
        read_image(tmp_path / "map.fits")


# The unit that is given -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "bunit", "unit", "scale"),
    [
        *[("s", "", "s", 1), ("ksec", "", "s", 1e3), ("10**3 s", "furlong", "s", 1e3)],
        *[("cm**2 s", "", "cm**2 s", 1), ("none", "furlong", "", 1)],
    ],
)
def test_a_unit_that_is_given_stands_in_for_bunit(tmp_path, given, bunit, unit, scale):
    make_map(tmp_path / "map.fits", 5.0, bunit)
    exposure = read_exposure(tmp_path / "map.fits", frame=FRAME, unit=read_unit(given))
    assert exposure.unit == unit
    assert np.unique(exposure.exposure) == pytest.approx([5.0 * scale])


@pytest.mark.parametrize("bunit", ["cm**2 s", "ks", "count"])
def test_a_unit_that_contradicts_bunit_is_taken_with_a_warning(tmp_path, bunit):
    make_map(tmp_path / "map.fits", 5.0, bunit)
    with pytest.warns(
        DataWarning, match=rf"BUNIT is '{bunit.replace('*', '.')}', but `exposure_unit` = s"
    ):
        assert read_exposure(tmp_path / "map.fits", frame=FRAME, unit=read_unit("s")).unit == "s"
