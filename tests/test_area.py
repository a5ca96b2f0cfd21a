"""Fluxes from an effective area: exposure without a map, or with a map in seconds."""

import json

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import Table
from command_line import error_line, run
from made_files import event_hdus, flat, image_hdus

import gmmx
from gmmx.errors import DataError, DataWarning, InputError
from gmmx.show.page import summary

TIME, AREA = 1000.0, 400.0
NOTE = "APPROXIMATE: from an effective area of 400 cm^2 on the axis"

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*no exposure map:gmmx.errors.DataWarning",
    "ignore:.*no PSF:gmmx.errors.DataWarning",
    "ignore::gmmx.errors.ConvergenceWarning",
)
FIT = {"n_components": 1, "exchanges": 0, "max_iter": 30}


@pytest.fixture
def events(tmp_path):
    """An event list of 1 ks without an exposure map."""
    event_hdus(n=400).writeto(tmp_path / "evt.fits")
    return tmp_path / "evt.fits"


@pytest.fixture
def map_in_seconds(tmp_path):
    """An exposure map in seconds that does not say so, as those of XMM-Newton."""
    image_hdus(flat(TIME), unit="").writeto(tmp_path / "expmap.fits")
    return tmp_path / "expmap.fits"


def read(path, **options):
    return gmmx.read_observation(path, psf="none", background="sky", **options)


def fitted(path, **options):
    return gmmx.fit(read(path, **options), **FIT)


# Numbers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("area", [AREA, "400", "0.04 m**2", np.float32(AREA), 0.04 * u.m**2])
def test_without_a_map_the_exposure_is_vignetting_times_time_times_area(events, area):
    relative, given = read(events).completeness, read(events, area=area).completeness
    assert (relative.unit, given.unit) == ("", "cm**2 s")
    np.testing.assert_allclose(given.exposure, relative.exposure * TIME * AREA, rtol=1e-12)


def test_an_area_changes_the_flux_and_not_the_fit(events):
    without, with_area = fitted(events), fitted(events, area=AREA)
    np.testing.assert_allclose(with_area.mixture.fluxes, without.mixture.fluxes, rtol=1e-9)
    flux = with_area.signal_flux.to_value("photon / (cm2 s)")
    # The field peaks at 1, because the instrument has no pointing and so no vignetting here.
    assert flux == pytest.approx(without.signal_photons / (TIME * AREA), rel=1e-3)


def test_the_live_time_stands_in_for_a_missing_exposure_time(tmp_path):
    hdus = event_hdus(n=400, LIVETIME=900.0)
    del hdus[1].header["EXPOSURE"]
    hdus.writeto(tmp_path / "evt.fits")
    exposure = read(tmp_path / "evt.fits", area=AREA).completeness.exposure
    assert exposure.max() == pytest.approx(900 * AREA, rel=1e-3)


@pytest.mark.parametrize("time", [None, 0.0, -5.0, "long"])
def test_an_area_needs_an_exposure_time(tmp_path, time):
    hdus = event_hdus(n=400)
    del hdus[1].header["EXPOSURE"]
    if time is not None:
        hdus[1].header["EXPOSURE"] = time
    hdus.writeto(tmp_path / "evt.fits")
    with pytest.raises(
        DataError, match=r"evt\.fits: `area` = 400 needs an exposure time"
    ) as caught:
        read(tmp_path / "evt.fits", area=AREA)
    assert caught.value.parameter == "area"


@pytest.mark.parametrize("unit", ["s", "10**-3 ks"])
def test_a_map_in_seconds_is_multiplied_with_the_area(events, map_in_seconds, unit):
    given = read(events, exposure=map_in_seconds, exposure_unit=unit, area=AREA)
    assert given.completeness.unit == "cm**2 s"
    assert given.completeness.exposure.max() == pytest.approx(TIME * AREA)
    assert given.pointing.area == AREA


def test_a_counts_image_gives_counts_per_second_and_area(tmp_path, events, map_in_seconds):
    photons = read(events).photons
    counts = np.histogram2d(photons.y, photons.x, bins=104, range=[(-104, 104)] * 2)[0]
    image_hdus(counts, unit="count", EXPOSURE=TIME).writeto(tmp_path / "image.fits")
    options = {"exposure": map_in_seconds, "exposure_unit": "s", "area": AREA}
    from_map, from_header = (
        fitted(tmp_path / "image.fits", **given) for given in (options, {"area": AREA})
    )
    single = fitted(events, **options)
    for one in (from_map, from_header):
        assert one.exposure_unit == "cm**2 s"
        assert one.signal_flux.value == pytest.approx(single.signal_flux.value, rel=0.05)


@pytest.mark.filterwarnings("ignore:.*photons in common:gmmx.errors.DataWarning")
def test_several_event_lists_have_one_area_for_all_or_one_each(tmp_path):
    for name, time in (("a", 1000.0), ("b", 3000.0)):
        event_hdus(n=400, EXPOSURE=time).writeto(tmp_path / f"{name}.fits")
    files = [tmp_path / "a.fits", tmp_path / "b.fits"]
    for area, peaks in ((AREA, (4e5, 12e5)), ((AREA, 200.0), (4e5, 6e5))):
        both = gmmx.read_observations(files, psf="none", background="sky", area=area)
        found = [o.completeness.exposure.max() for o in both]
        assert found == pytest.approx(peaks, rel=1e-3)
    note = gmmx.fit(both, **FIT).components.meta["flux_note"]
    assert "an effective area of 400 and 200 cm^2 on the axis" in note


# What is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize("area", ["0", "-3", "many", "nan", "inf", "600 s", "1 cm"])
def test_a_value_that_is_no_area_is_refused(events, area):
    with pytest.raises(InputError, match="it must be a positive number, in cm"):
        read(events, area=area)


@pytest.mark.parametrize("area", [0.04, 4e6])
def test_an_area_that_no_telescope_has_is_a_warning(events, area):
    with pytest.warns(DataWarning, match="the effective area of no X-ray telescope"):
        read(events, area=area)


@pytest.mark.parametrize(
    ("bunit", "problem"),
    [
        ("cm**2 s", "is in cm**2 s, which has an area already"),
        ("cm**2", "is in cm**2, which has an area already"),
        ("", "has no unit: give it with `exposure_unit`, such as s"),
    ],
)
def test_an_area_multiplies_a_map_in_seconds_only(tmp_path, events, bunit, problem):
    image_hdus(flat(0.9), unit=bunit).writeto(tmp_path / "map.fits")
    with pytest.raises(InputError) as caught:
        read(events, exposure=tmp_path / "map.fits", area=AREA)
    assert problem in str(caught.value)


@pytest.mark.parametrize("unit", ["furlong", "counts", "photon/cm2/s", "arcsec", "s/pixel"])
def test_a_unit_that_is_no_exposure_is_refused(events, map_in_seconds, unit):
    with pytest.raises(InputError, match=rf"`exposure_unit` = {unit}: it is n"):
        read(events, exposure=map_in_seconds, exposure_unit=unit)


def test_a_unit_without_a_map_is_refused(events):
    with pytest.raises(InputError, match="`exposure_unit` = s: there is no exposure map"):
        read(events, exposure_unit="s")


# What says that a flux is approximate -----------------------------------------------------------


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The model file of a fit with an area, and what the fit printed as JSON."""
    folder = tmp_path_factory.mktemp("area")
    event_hdus(n=400).writeto(folder / "evt.fits")
    options = ["--k", 1, "--psf", "none", "--exchanges", 0, "--max-iter", 30, "--json", "-q"]
    out = folder / "model.h5"
    fit = run("fit", folder / "evt.fits", "--area", 400, "--out", out, *options)
    return out, json.loads(fit.stdout)


def test_json_says_that_the_flux_is_approximate(model):
    facts = model[1]
    assert facts["flux_is_approximate"] is True
    assert facts["areas"] == [400.0]
    assert facts["flux_note"].startswith(NOTE)
    assert facts["signal_flux"] > 0


def test_the_page_and_the_repr_say_that_the_flux_is_approximate(model):
    result = gmmx.read(model[0])
    assert NOTE in summary(result)
    assert "photon/cm^2/s/arcsec^2, approximate" in summary(result)
    assert "(0.5-7 keV), approximate" in repr(result)
    assert "approximate" in result._repr_html_()


def test_the_model_file_keeps_the_area(model):
    h5py = pytest.importorskip("h5py")
    with h5py.File(model[0]) as file:
        assert file["mixture"].attrs["flux_note"].startswith(NOTE)
        assert file["mixture"].attrs["exposure_unit"] == "cm**2 s"
    assert gmmx.read(model[0]).observations[0].pointing.area == AREA


@pytest.mark.parametrize("units", ["flux", "sb", "counts"])
def test_images_say_that_the_flux_is_approximate(model, tmp_path, units):
    run("render", model[0], "--units", units, "--bin", 8, "--out", tmp_path / "images.fits")
    with fits.open(tmp_path / "images.fits") as hdus:
        assert all(hdu.header["FLUXNOTE"].startswith(NOTE) for hdu in hdus)


@pytest.mark.parametrize("ending", ["ecsv", "fits", "csv"])
def test_tables_say_that_the_flux_is_approximate(model, tmp_path, ending):
    path = tmp_path / f"table.{ending}"
    run("export", model[0], "--out", path)
    table = Table.read(path)
    assert all(str(one) == "True" for one in table["flux_approximate"])
    if ending != "csv":
        notes = {key.lower(): value for key, value in table.meta.items()}
        assert notes.get("flux_note", notes.get("fluxnote", "")).startswith(NOTE)
        fluxes = {"flux", "flux_error", "flux_upper95", "peak_brightness"}
        marked = {
            name
            for number, name in enumerate(table.colnames, 1)
            if "; APPROXIMATE"
            in f"{table[name].description} {notes.get(f'tcomm{number}')}".replace("\n", " ")
        }
        assert marked == fluxes


def test_figures_say_that_the_flux_is_approximate(model):
    figure = gmmx.read(model[0]).plot()
    words = [text.get_text() for text in figure.texts]
    words += [axes.get_xlabel() for axes in figure.axes]
    assert any("approximate: from an effective area of 400 cm" in text for text in words)
    assert any("(approximate)" in text for text in words)


def test_a_flux_from_a_map_in_cm2_s_is_not_approximate(tmp_path, events):
    image_hdus(flat(4e5)).writeto(tmp_path / "expmap.fits")
    result = fitted(events, exposure=tmp_path / "expmap.fits")
    assert "flux_note" not in result.components.meta
    assert "flux_approximate" not in result.components.colnames
    assert "approximate" not in summary(result).lower()


def test_without_area_and_time_surface_brightness_is_refused_and_area_is_named(events, tmp_path):
    fitted(events).write(tmp_path / "model.h5")
    out = tmp_path / "images.fits"
    refused = run("render", tmp_path / "model.h5", "--units", "sb", "--out", out)
    assert "with --area for approximate fluxes" in error_line(refused)
    with pytest.raises(InputError, match="with `area` for approximate fluxes"):
        gmmx.read(tmp_path / "model.h5").render(units="flux")
