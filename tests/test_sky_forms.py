"""The same photons through every frame and form of keywords are at the same place."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import FK4, FK5, SkyCoord
from made_files import flat, image_hdus
from numpy.testing import assert_allclose
from sky_forms import CENTRE, FORMS, IMAGE_FORMS

import gmmx
from gmmx.answers.components import component_table
from gmmx.errors import DataError, DataWarning
from gmmx.io.events import read_events
from gmmx.io.regions import read_regions
from gmmx.io.tables import write_table
from gmmx.plane.frame import SkyFrame

N = 500


def drawn_sky(centre=CENTRE, n=N):
    """A Gaussian of 8 arcsec on a flat field of 200 arcsec."""
    rng = np.random.default_rng(1)
    x, y = np.concatenate([rng.uniform(-100, 100, (n // 2, 2)), rng.normal(0, 8, (n // 2, 2))]).T
    ra, dec = SkyFrame(centre.ra.deg, centre.dec.deg).to_sky(x, y)
    return SkyCoord(ra, dec, unit="deg"), rng.uniform(500, 2000, n)


def read_quietly(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read_events(path)


def separation(events, sky):
    """The largest distance of photons from their true directions [arcsec]."""
    found = SkyCoord(
        *events.frame.to_sky(events.photons.x, events.photons.y),
        unit="deg",
        frame=events.frame.radesys.lower(),
    )
    return found.icrs.separation(sky).arcsec.max()


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_photons_are_at_the_same_place_in_every_form(form, tmp_path):
    sky, energy = drawn_sky()
    events = read_quietly(form.write(tmp_path / "evt.fits", sky, energy))
    assert separation(events, sky) < 1e-3
    assert len(events.photons) == N
    if events.physical is not None:
        x, y = form.pixels(sky)
        assert_allclose(
            events.physical.to_plane(x, y), [events.photons.x, events.photons.y], atol=0.02 * 0.492
        )


ODD_PLACES = (
    (0.0002, 12.0),
    (359.9999, -30.0),
    (0.0, 0.0),
    (123.0, 89.2),
    (123.0, 89.9999),
    (200.0, -89.99),
    (77.0, 90.0),
    (77.0, -90.0),
)
PLACED = [form for form in FORMS if form.name in ("TCDLT", "FK5", "FK4", "galactic", "TPC", "SIN")]


@pytest.mark.parametrize("place", ODD_PLACES, ids=str)
@pytest.mark.parametrize("form", PLACED, ids=str)
def test_photons_across_ra_0_and_at_a_pole_are_at_the_same_place(form, place, tmp_path):
    centre = SkyCoord(*place, unit="deg")
    sky, energy = drawn_sky(centre)
    events = read_quietly(replace(form, at=centre).write(tmp_path / "evt.fits", sky, energy))
    assert separation(events, sky) < 1e-3
    assert_allclose(np.ptp(events.photons.x), np.ptp(events.photons.y), rtol=0.5)


@pytest.mark.parametrize("name", ["FK5", "FK4", "galactic", "SIN", "TCROT"])
def test_observations_of_several_systems_meet_in_one_plane(name, tmp_path, exposure):
    first, second = (
        next(form for form in FORMS if form.name == one).write(
            tmp_path / f"{one}.fits", *drawn_sky()
        )
        for one in ("TCDLT", name)
    )
    with pytest.warns(DataWarning, match="photons in common"):
        one, two = gmmx.read_observations(
            [first, second], exposure=[exposure, exposure], psf="none"
        )
    assert one.frame == two.frame
    assert_allclose([one.photons.x, one.photons.y], [two.photons.x, two.photons.y], atol=1e-3)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"RADESYS": "GAPPT"}, "RADESYS 'GAPPT' is no celestial system that is understood"),
        ({"RADECSYS": "UNKNOWN"}, "RADESYS 'UNKNOWN' is no celestial system"),
        ({"RADE{x}": "APPARENT"}, "RADESYS 'APPARENT' is no celestial system"),
        ({"EQUINOX": "unknown"}, "EQUINOX 'unknown' is no year"),
        ({"EQUINOX": 20000.0}, "EQUINOX '20000.0' is no year"),
        ({"TCTYP{x}": "RA---XYZ", "TCTYP{y}": "DEC--XYZ"}, "Unrecognized projection code"),
        ({"TCTYP{x}": "RA---TPV", "TCTYP{y}": "DEC--TPV"}, "'RA---TPV' has distortions"),
        ({"TCTYP{y}": "DEC--SIN"}, "Inconsistent projection types"),
        ({"TCTYP{x}": "RA-TAN", "TCTYP{y}": "DEC-TAN"}, "RA-TAN, DEC-TAN are no celestial"),
        ({"TCTYP{x}": "HLON-TAN", "TCTYP{y}": "HLAT-TAN"}, "'HLON-TAN' (ICRS) are not understood"),
        (
            {"TCTYP{x}": "ELON-TAN", "TCTYP{y}": "ELAT-TAN", "RADESYS": "FK4"},
            "'ELON-TAN' (FK4) are not understood",
        ),
        ({"TCUNI{x}": "pc", "TCUNI{y}": "pc"}, "In CUNIT1 : Mismatched units type"),
        ({"TCRVL{y}": 95.0}, "Ill-conditioned coordinate transformation"),
        ({"TCROT{x}": 30.0}, "TCROT2 is for the latitude alone"),
        ({"TCROT{y}": 30.0, "TPC{x}_{y}": 0.1}, "TCROT3 is for the latitude alone, and not beside"),
        ({"TPC{x}_{y}": 0.1, "TCD{x}_{y}": 0.1}, "two matrices, TPC2_3 and TCD2_3"),
        ({"TPC{x}_4": 0.1}, "TPC2_4 makes the sky depend on a third column"),
        ({"TC{x}_{y}": 1e-5}, "Linear transformation matrix is singular"),
        ({"TPC{x}_{y}": "abc"}, "TPC2_3 'abc' is no number"),
        ({"LONPOLE": "abc"}, "LONPOLE 'abc' is no number"),
        ({"TCDLT{x}": 0.492, "TCDLT{y}": 0.492}, "sky pixels of 1.77e+03 arcsec are larger"),
        ({"TCDLT{x}": 5.0, "TCDLT{y}": 5.0}, "sky pixels of 1.8e+04 arcsec are larger"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_a_keyword_that_is_not_understood_is_refused_by_its_name(keys, told, tmp_path):
    path = replace(FORMS[0], keys=keys).write(tmp_path / "evt.fits", *drawn_sky())
    with pytest.raises(DataError) as caught:
        read_quietly(path)
    assert told in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_two_sets_of_keywords_that_differ_are_a_warning(tmp_path):
    keys = {
        f"REF{axis}{key}": value
        for axis, kind, at in (("X", "RA---TAN", 150.001), ("Y", "DEC--TAN", 2.2))
        for key, value in (("CTYP", kind), ("CRVL", at), ("CRPX", 4096.5), ("CDLT", 1e-4))
    }
    path = replace(FORMS[0], keys=keys).write(tmp_path / "evt.fits", *drawn_sky())
    with pytest.warns(DataWarning, match=r"REFXCRVL, ... place the sky 3.6 arcsec from .* TCRVL2"):
        events = read_events(path)
    assert events.frame.ra0 == 150.0


def test_an_equinox_beside_icrs_is_a_warning(tmp_path):
    keys = {"RADESYS": "ICRS", "EQUINOX": 1950.0}
    path = replace(FORMS[0], keys=keys).write(tmp_path / "evt.fits", *drawn_sky())
    with pytest.warns(DataWarning, match="EQUINOX 1950 has no meaning for ICRS"):
        assert read_events(path).frame == SkyFrame(150.0, 2.2)


@pytest.mark.parametrize(
    ("keys", "equinox"),
    [
        ({"RADESYS": "FK5", "EQUINOX": 1975.0}, "J1975"),
        ({"RADESYS": "FK4", "EQUINOX": 1900.0}, "B1900"),
    ],
)
def test_the_pointing_follows_into_the_system_of_the_plane(keys, equinox, tmp_path):
    there = CENTRE.transform_to((FK5 if equinox[0] == "J" else FK4)(equinox=equinox))
    keys = keys | {"RA_PNT": there.ra.deg, "DEC_PNT": there.dec.deg, "ROLL_PNT": 50.0}
    keys |= {"RA_NOM": there.ra.deg, "DEC_NOM": there.dec.deg}
    form = replace(FORMS[0], keys=keys, system=there.frame.replicate_without_data())
    events = read_quietly(form.write(tmp_path / "evt.fits", *drawn_sky()))
    pointing = events.pointing
    assert_allclose(events.frame.to_plane(pointing.ra, pointing.dec), 0, atol=1e-3)
    nominal = pointing.header["RA_NOM"], pointing.header["DEC_NOM"]
    assert_allclose(events.frame.to_plane(*nominal), 0, atol=1e-3)
    assert pointing.header["RADESYS"] == events.frame.radesys
    # The detector keeps its place among the photons.
    north = there.directional_offset_by(0 * units.deg, 0.1 * units.deg)
    turn = CENTRE.position_angle(north.icrs).wrap_at("180d").deg
    assert pointing.roll == pytest.approx(50.0 + turn, abs=1e-3)


@pytest.fixture(scope="module")
def exposure(tmp_path_factory):
    """An exposure map of the field, in ICRS."""
    path = tmp_path_factory.mktemp("maps") / "expmap.fits"
    image_hdus(flat(1000.0)).writeto(path)
    return path


def fitted(path, exposure):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        observation = gmmx.read_observation(path, exposure=exposure, psf="none")
        return gmmx.fit(observation, n_components=1)


@pytest.fixture(scope="module")
def first_fit(tmp_path_factory, exposure):
    """The fit to the photons in the first form."""
    path = FORMS[0].write(tmp_path_factory.mktemp("first") / "evt.fits", *drawn_sky())
    return fitted(path, exposure)


# A fit takes a second: one form in six in the fast tests.
FITTED = [
    form if i % 6 == 1 else pytest.param(form, marks=pytest.mark.slow)
    for i, form in enumerate(FORMS[1:])
]


@pytest.mark.parametrize("form", FITTED, ids=str)
def test_a_fit_is_the_same_in_every_form(form, tmp_path, exposure, first_fit):
    result = fitted(form.write(tmp_path / "evt.fits", *drawn_sky()), exposure)
    assert len(result.mixture) == len(first_fit.mixture) == 1
    if form.is_plain:
        for name in ("fluxes", "means", "covariances"):
            one, two = (getattr(fit.mixture, name) for fit in (result, first_fit))
            assert_allclose(one, two, rtol=1e-9, atol=1e-9)
    off = np.abs(result.mixture.fluxes - first_fit.mixture.fluxes)
    assert np.all(off < 0.01 * first_fit.flux_errors)
    place, first = (fit.coords.icrs for fit in (result, first_fit))
    assert place.separation(first).arcsec.max() < 0.01 * first_fit.mean_errors.max()


@pytest.mark.parametrize("place", [ODD_PLACES[0], ODD_PLACES[4], *ODD_PLACES[6:]], ids=str)
def test_a_fit_across_ra_0_and_at_a_pole_is_the_same(place, tmp_path, first_fit):
    centre = SkyCoord(*place, unit="deg")
    # At the north pole itself the default of LONPOLE would turn the plane.
    pole = {"lonpole": 180.0} if place[1] == 90 else {}
    keys = {"LONPOLE": 180.0} if pole else {}
    image = replace(
        IMAGE_FORMS[0], at=centre, pixel=2.0, zero=(52.5, 52.5), keys={"BUNIT": "s"} | keys, **pole
    )
    image.write_image(tmp_path / "expmap.fits", flat(1000.0))
    form = replace(FORMS[0], at=centre, keys=keys, **pole)
    sky, energy = drawn_sky(centre)
    path = form.write(tmp_path / "evt.fits", sky, energy)
    result = fitted(path, tmp_path / "expmap.fits")
    assert_allclose(result.mixture.means, first_fit.mixture.means, atol=1e-5)
    assert_allclose(result.mixture.fluxes, first_fit.mixture.fluxes, rtol=1e-6)
    truth = SkyFrame(*place).to_sky(*first_fit.mixture.means[0])
    assert result.coords[0].separation(SkyCoord(*truth, unit="deg")).arcsec < 1e-3
    # The component as a region, read back, is where it was.
    write_table(tmp_path / "m.reg", component_table(result), frame="fk5")
    ((ellipse, _),) = read_regions(tmp_path / "m.reg", frame=result.frame).terms[0].parts
    assert_allclose((ellipse.x, ellipse.y), result.mixture.means[0], atol=1e-3)
    turn = np.radians(ellipse.angle)
    axes = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    covariance = axes @ np.diag([ellipse.rx**2, ellipse.ry**2]) @ axes.T
    assert_allclose(covariance, result.mixture.covariances[0], atol=0.1)
