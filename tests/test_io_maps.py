"""Reading exposure and PSF maps: coordinates of every kind, and maps with one defect each."""

import warnings

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from numpy.testing import assert_allclose

from gmmx.errors import DataError, DataWarning, InputError
from gmmx.io._plane import on_plane
from gmmx.io.events import read_events
from gmmx.io.maps import FitsImage, read_exposure, read_image
from gmmx.io.psf import read_psf_map
from gmmx.model.pointing import Pointing
from gmmx.plane.frame import PhysicalFrame, SkyFrame

FRAME, PHYSICAL = SkyFrame(150.0, 30.0), PhysicalFrame(4096.5, 4096.5, 0.492, 0.492)
PLANE = {"frame": FRAME, "physical": PHYSICAL}
SHAPE = (40, 50)


def tan(ra=150.0, dec=30.0, step=2.0, angle=0.0, types=("RA---TAN", "DEC--TAN")):
    c, s = np.cos(np.radians(angle)) * step / 3600, np.sin(np.radians(angle)) * step / 3600
    crpix = {
        "CRPIX1": 25.5,
        "CRPIX2": 20.5,
        "CRVAL1": ra,
        "CRVAL2": dec,
        "CTYPE1": types[0],
        "CTYPE2": types[1],
        "CUNIT1": "deg",
        "CUNIT2": "deg",
    }
    return crpix | {"CD1_1": -c, "CD1_2": s, "CD2_1": s, "CD2_2": c}


def values(seed=1):
    return np.random.default_rng(seed).uniform(1e5, 2e5, SHAPE)


def write_map(path, data=None, extension=False, **keywords):
    data = values() if data is None else data
    hdu = (fits.ImageHDU if extension else fits.PrimaryHDU)(data.astype(np.float32))
    for key, value in keywords.items():
        hdu.header[key.replace("DATE_OBS", "DATE-OBS")] = value
    fits.HDUList([fits.PrimaryHDU(), hdu] if extension else [hdu]).writeto(path, overwrite=True)
    return path


def quietly(reader, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return reader(*args, **kwargs)


@pytest.mark.parametrize(
    ("bunit", "unit"),
    [
        *[
            (text, "cm**2 s")
            for text in (
                "cm**2 s",
                "cm2 s",
                "cm^2 s",
                "s cm**2",
                "cm**2*s",
                "cm2 s count/photon",
                "cm**2 s count photon**-1",
                "cm**2 sec",
            )
        ],
        *[
            ("cm**2", "cm**2"),
            ("cm2 count/photon", "cm**2"),
            ("s", "s"),
            ("SECONDS", "s"),
            ("sec", "s"),
            ("1", ""),
        ],
    ],
)
def test_exposure_units(tmp_path, bunit, unit):
    assert (
        quietly(read_exposure, write_map(tmp_path / "m.fits", BUNIT=bunit, **tan()), **PLANE).unit
        == unit
    )


@pytest.mark.parametrize(
    "bunit",
    [
        "photon/cm**2/s",
        "/cm**2 /s",
        "photons cm-2 s-1",
        "photon/(cm**2 s)",
        "count/s",
        "counts s**-1",
        "counts",
        "photon",
    ],
)
def test_flux_and_counts_images_are_no_exposure_maps(tmp_path, bunit):
    with pytest.raises(DataError, match="give the exposure map"):
        read_exposure(write_map(tmp_path / "m.fits", BUNIT=bunit, **tan()), **PLANE)


def test_a_large_chandra_map_without_unit_is_an_area_times_a_time(tmp_path):
    path = write_map(tmp_path / "m.fits", TELESCOP="CHANDRA", **tan())
    with pytest.warns(DataWarning, match=r"taken to be in cm\*\*2 s"):
        assert read_exposure(path, **PLANE).unit == "cm**2 s"


def test_a_small_map_without_unit_is_relative(tmp_path):
    path = write_map(tmp_path / "m.fits", values() / 2e5, TELESCOP="CHANDRA", **tan())
    assert quietly(read_exposure, path, **PLANE).unit == ""


def test_a_unit_that_is_not_understood_is_refused_by_name(tmp_path):
    path = write_map(tmp_path / "m.fits", BUNIT="furlong", **tan())
    with pytest.raises(DataError, match=r"m\.fits: BUNIT 'furlong' is not understood as a unit"):
        read_exposure(path, **PLANE)


def test_whole_numbers_without_unit_may_be_counts(tmp_path):
    path = write_map(tmp_path / "m.fits", np.round(values() / 1e5), **tan())
    with pytest.warns(DataWarning, match="counts image"):
        read_exposure(path, **PLANE)


def test_values_are_native_and_not_finite_is_zero(tmp_path):
    data = values()
    data[0, 0], data[3, 4] = np.nan, 0
    exposure = quietly(
        read_exposure,
        write_map(tmp_path / "m.fits", data, extension=True, BUNIT="s", **tan()),
        **PLANE,
    ).exposure
    assert exposure.dtype == np.float64
    assert exposure[0, 0] == exposure[3, 4] == 0
    assert_allclose(exposure[1:3], data[1:3], rtol=1e-6)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.zeros(SHAPE), "zero everywhere"),
        (np.full(SHAPE, np.nan), "zero everywhere"),
        (values() - 1.5e5, "negative"),
    ],
)
def test_impossible_exposures(tmp_path, data, message):
    with pytest.raises(DataError, match=message) as caught:
        read_exposure(write_map(tmp_path / "m.fits", data, BUNIT="s", **tan()), **PLANE)
    assert "m.fits" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_without_an_image(tmp_path):
    table = fits.BinTableHDU.from_columns([fits.Column("x", "E", array=[1.0])])
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(tmp_path / "table.fits")
    with pytest.raises(DataError, match="no image"):
        read_image(tmp_path / "table.fits")
    with pytest.raises(DataError, match="no such file"):
        read_image(tmp_path / "absent.fits")
    (tmp_path / "text.fits").write_text("circle(1,2,3)\n")
    with pytest.raises(DataError, match="not a FITS file"):
        read_image(tmp_path / "text.fits")
    whole = write_map(tmp_path / "m.fits", **tan()).read_bytes()
    (tmp_path / "cut.fits").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="truncated"):
        read_image(tmp_path / "cut.fits")


def test_a_cube_of_one_plane_is_an_image(tmp_path):
    fits.PrimaryHDU(values()[None]).writeto(tmp_path / "cube.fits")
    assert read_image(tmp_path / "cube.fits").values.shape == SHAPE


@pytest.mark.parametrize("angle", [0.0, 37.0, -170.0])
@pytest.mark.parametrize("centre", [(150.0, 30.0), (150.08, 30.05)])
def test_celestial_maps_lie_where_astropy_says(tmp_path, angle, centre):
    keywords = tan(*centre, angle=angle)
    grid = quietly(
        read_exposure, write_map(tmp_path / "m.fits", BUNIT="s", **keywords), **PLANE
    ).grid
    wcs = WCS(fits.Header(keywords))
    ix, iy = (a.ravel() for a in np.meshgrid(np.arange(SHAPE[1]), np.arange(SHAPE[0])))
    x, y = FRAME.to_plane(*wcs.all_pix2world(ix, iy, 0))
    jx, jy = grid.to_pixels(x, y)
    assert np.hypot(jx - ix, jy - iy).max() < 0.01
    assert grid.is_aligned == (angle == 0 and centre == (150.0, 30.0))


def test_maps_in_other_systems_and_with_swapped_axes(tmp_path):
    from astropy.coordinates import SkyCoord

    here = SkyCoord(150.0, 30.0, unit="deg").galactic
    galactic = write_map(
        tmp_path / "g.fits",
        BUNIT="s",
        **tan(here.l.deg, here.b.deg, types=("GLON-TAN", "GLAT-TAN")),
    )
    grid = quietly(read_exposure, galactic, **PLANE).grid
    assert_allclose(grid.to_plane(24.5, 19.5), [0, 0], atol=1e-3)
    assert not grid.is_aligned
    assert_allclose(grid.step, 2.0, rtol=1e-4)
    swapped = write_map(
        tmp_path / "s.fits", BUNIT="s", **tan(30.0, 150.0, types=("DEC--TAN", "RA---TAN"))
    )
    assert_allclose(
        quietly(read_exposure, swapped, **PLANE).grid.to_plane(24.5, 19.5), [0, 0], atol=1e-6
    )


PHYSICAL_KEYWORDS = {
    "P": {
        "CRVAL1P": 4000.5,
        "CRPIX1P": 0.5,
        "CDELT1P": 4.0,
        "CRVAL2P": 3900.5,
        "CRPIX2P": 0.5,
        "CDELT2P": 4.0,
    },
    "L": {
        "WCSNAMEL": "PHYSICAL",
        "CRVAL1L": 4002.5,
        "CRPIX1L": 1.0,
        "CDELT1L": 4.0,
        "CRVAL2L": 3902.5,
        "CRPIX2L": 1.0,
        "CDELT2L": 4.0,
    },
    "LTV": {"LTV1": -999.625, "LTM1_1": 0.25, "LTV2": -974.625, "LTM2_2": 0.25},
}


@pytest.mark.parametrize("kind", ["P", "L", "LTV"])
def test_physical_coordinates(tmp_path, kind):
    grid = quietly(
        read_exposure, write_map(tmp_path / "m.fits", BUNIT="s", **PHYSICAL_KEYWORDS[kind]), **PLANE
    ).grid
    # The first pixel's centre is half a pixel from its edge at 4000.5.
    assert_allclose(grid.to_plane(0, 0), PHYSICAL.to_plane(4002.5, 3902.5), atol=1e-9)
    assert_allclose(grid.matrix, 4 * 0.492 * np.eye(2), atol=1e-9)


def test_physical_and_celestial_coordinates_agree_on_real_maps(shared_data):
    events = read_events(shared_data / "marx/small/events.fits.gz")
    path = shared_data / "marx/small/expmap.fits.gz"
    plane = {"frame": events.frame, "physical": events.physical}
    celestial = quietly(read_exposure, path, **plane)
    header = fits.getheader(path)
    for key in [
        k for k in header if k[:5] in ("CTYPE", "CRVAL", "CRPIX", "CDELT") and not k.endswith("P")
    ]:
        del header[key]
    assert celestial.unit == "cm**2 s"
    assert np.all(celestial.exposure_at(events.photons.x, events.photons.y) > 0)
    grid, _ = on_plane(
        FitsImage(path="m", values=celestial.exposure, header=header),
        celestial.exposure,
        **plane,
        fill=0.0,
    )
    assert_allclose(grid.origin, celestial.grid.origin, atol=1e-6)
    assert_allclose(grid.matrix, celestial.grid.matrix, atol=1e-9)


def test_no_coordinates_at_all(tmp_path):
    with pytest.raises(DataError, match="no usable WCS"):
        read_exposure(write_map(tmp_path / "m.fits", BUNIT="s"), **PLANE)


def test_other_projections_are_resampled(tmp_path):
    # Pixels of a wide map, half a degree from its equator, are no parallelograms.
    keywords = tan(150.0, 30.0, step=120.0, types=("RA---AIT", "DEC--AIT")) | {
        "CRVAL2": 0.0,
        "CRPIX2": 20.5 - 900,
    }
    data = np.linspace(1, 2, SHAPE[1])[None] * np.linspace(1, 3, SHAPE[0])[:, None]
    exposure = quietly(
        read_exposure, write_map(tmp_path / "m.fits", data, BUNIT="s", **keywords), frame=FRAME
    )
    assert exposure.grid.is_aligned
    wcs = WCS(fits.Header(keywords))
    ix, iy = (
        a.ravel() for a in np.meshgrid(np.arange(2, SHAPE[1] - 2), np.arange(2, SHAPE[0] - 2))
    )
    there = exposure.exposure_at(*FRAME.to_plane(*wcs.all_pix2world(ix, iy, 0)))
    assert_allclose(there, data[iy, ix], rtol=0.1)


@pytest.mark.parametrize("obs_id", ["5786", "17170", "17490"])
def test_real_maps_have_two_coordinate_systems_that_agree(shared_data, obs_id):
    name = f"srcfree_bin4_500-2000_{obs_id}_band1_thresh.expmap_nosrcedg.gz"
    path = shared_data / "real/zwcl2341_acisi" / name
    header = fits.getheader(path)
    exposure = quietly(
        read_exposure,
        path,
        frame=SkyFrame(header["CRVAL1"], header["CRVAL2"]),
        physical=PHYSICAL,
        pointing=Pointing(obs_id=obs_id, band_kev=(0.5, 2.0)),
    )
    assert exposure.unit == "cm**2 s"
    assert_allclose(exposure.grid.step, 4 * 0.492, rtol=1e-6)
    # Physical coordinates of the centre of the first pixel, by the other WCS in the header.
    corner = PHYSICAL.to_physical(*exposure.grid.to_plane(0, 0))
    assert_allclose(corner, [2846.5, 2438.5], atol=1e-4)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (
            {"band_kev": (0.5, 2.0), "obs_id": "0123"},
            "0.5-7 keV, outside the chosen band 0.5-2 keV",
        ),
        ({"band_kev": (0.5, 7.0), "obs_id": "124"}, "OBS_ID 123, the events are of OBS_ID 124"),
    ],
)
def test_a_map_of_other_energies_or_another_observation_is_warned_of(tmp_path, facts, message):
    keywords = {"BUNIT": "s", "ENERG_LO": 0.5, "ENERG_HI": 7.0, "OBS_ID": "123"}
    path = write_map(tmp_path / "m.fits", **keywords, **tan())
    with pytest.warns(DataWarning, match=message):
        read_exposure(path, **PLANE, pointing=Pointing(**facts))


@pytest.mark.parametrize(
    "pointing", [Pointing(band_kev=(0.5, 7.0), obs_id="Merged"), Pointing(), None], ids=str
)
def test_a_map_that_agrees_with_what_is_known_is_read_quietly(tmp_path, pointing):
    keywords = {"BUNIT": "s", "ENERG_LO": 0.5, "ENERG_HI": 7.0, "OBS_ID": "123"}
    path = write_map(tmp_path / "m.fits", **keywords, **tan())
    assert quietly(read_exposure, path, **PLANE, pointing=pointing).unit == "s"


@pytest.mark.parametrize(
    ("bunit", "scale"), [("arcsec", 1.0), ("logical", 2.0), ("physical", 0.492), ("arcmin", 60.0)]
)
@pytest.mark.parametrize("ecf", [0.393, 0.9])
def test_psf_units_and_ecf(tmp_path, bunit, scale, ecf):
    radius = np.full(SHAPE, 1.5)
    psf = quietly(
        read_psf_map,
        write_map(tmp_path / "p.fits", radius, BUNIT=bunit, ECF=ecf, ENERGY=1.5, **tan()),
        **PLANE,
    )
    sigma = np.sqrt(psf.at(3.0, -4.0)[1][0, 0, 0, 0])
    # The fraction of a Gaussian within its radius is what the map says.
    assert_allclose(1 - np.exp(-0.5 * (1.5 * scale / sigma) ** 2), ecf, rtol=1e-9)
    assert f"ECF {ecf:g} at 1.5 keV" in psf.description


def test_an_encircled_fraction_may_be_given(tmp_path):
    path = write_map(tmp_path / "p.fits", np.ones(SHAPE), BUNIT="arcsec", **tan())
    sigma = np.sqrt(quietly(read_psf_map, path, **PLANE, ecf=0.5).at(0, 0)[1][0, 0, 0, 0])
    assert_allclose(sigma, 1 / np.sqrt(2 * np.log(2)))


@pytest.mark.parametrize(
    ("keywords", "ecf", "error", "message"),
    [
        ({}, None, DataError, "`psf_ecf`"),
        ({}, 39.3, InputError, r"did you mean 0\.393"),
        ({"ECF": 90}, None, DataError, r"did you mean 0\.9"),
        ({}, 0.0, InputError, "between 0 and 1"),
        ({}, -1.0, InputError, "between 0 and 1"),
        ({}, 1.0, InputError, "between 0 and 1"),
    ],
)
def test_an_impossible_encircled_fraction_is_refused(tmp_path, keywords, ecf, error, message):
    path = write_map(tmp_path / "p.fits", np.ones(SHAPE), BUNIT="arcsec", **keywords, **tan())
    with pytest.raises(error, match=message):
        read_psf_map(path, **PLANE, ecf=ecf)


@pytest.mark.parametrize(
    ("data", "unit", "message"),
    [
        (np.zeros(SHAPE), "arcsec", "no radius above zero"),
        (np.linspace(-1, 1, 2000).reshape(SHAPE), "arcsec", "radii"),
        (np.ones(SHAPE), "furlong", "not understood"),
    ],
    ids=["zero", "negative", "unit"],
)
def test_an_impossible_psf_map_is_refused(tmp_path, data, unit, message):
    path = write_map(tmp_path / "p.fits", data, BUNIT=unit, ECF=0.393, **tan())
    with pytest.raises(DataError, match=message):
        read_psf_map(path, **PLANE)


def test_radii_without_unit_are_in_arcsec(tmp_path):
    path = write_map(tmp_path / "p.fits", np.ones(SHAPE), ECF=1 - np.exp(-0.5), **tan())
    with pytest.warns(DataWarning, match="taken to be in arcsec"):
        psf = read_psf_map(path, **PLANE)
    assert_allclose(psf.at(0, 0)[1][0, 0, 0, 0], 1.0)


def test_psf_is_filled_outside_and_reduced(tmp_path):
    ny, nx = 300, 410
    grid_keywords = tan(step=0.5) | {"CRPIX1": 205.5, "CRPIX2": 150.5}
    x, y = np.meshgrid(0.5 * (np.arange(nx) - 204.5), 0.5 * (np.arange(ny) - 149.5))
    sigma = np.sqrt(0.3 + 0.01 * (x + 2 * y + 300))
    radius = np.where(np.hypot(x, y) < 70, sigma, np.nan)
    psf = quietly(
        read_psf_map,
        write_map(
            tmp_path / "p.fits", radius, BUNIT="arcsec", ECF=1 - np.exp(-0.5), **grid_keywords
        ),
        **PLANE,
    )
    assert max(psf.grid.shape) <= 96
    # sigma**2 is linear in position. Means over blocks and interpolation between their centres
    # give it back if the centres are right.
    inner = np.hypot(x, y) < 55
    assert_allclose(psf.at(x[inner], y[inner])[1][:, 0, 0, 0], (sigma**2)[inner], rtol=1e-5)
    far = psf.at([-102.0, 102.0, 0.0], [0.0, 0.0, 74.0])[1][:, 0, 0, 0]
    assert_allclose(far, 0.3 + 0.01 * (np.array([-70, 70, 140]) + 300), rtol=0.03)


def test_psf_map_of_ngc5044(shared_data):
    path = shared_data / "real/9399_NGC5044/psf.map.gz"
    image = read_image(path)
    frame = SkyFrame(image.header["CRVAL1"], image.header["CRVAL2"])
    psf = quietly(read_psf_map, path, frame=frame, physical=PHYSICAL)
    # Radii of 98 % in pixels of this image, four sky pixels each.
    expected = image.values[250, 140] * 4 * 0.492 / np.sqrt(-2 * np.log(0.02))
    x, y = PHYSICAL.to_plane(3532.5 + 4 * 140.5, 3092.5 + 4 * 250.5)
    assert_allclose(np.sqrt(psf.at(x, y)[1][0, 0, 0, 0]), expected, rtol=0.01)


def test_psf_map_of_the_simulation_against_its_90_percent_twin(shared_data):
    events = read_events(shared_data / "marx/galaxy/events.fits.gz")
    plane = {"frame": events.frame, "physical": events.physical}
    core, wide = (
        quietly(read_psf_map, shared_data / f"marx/galaxy/{name}.fits.gz", **plane)
        for name in ("psfmap", "psfmap_90")
    )
    assert core.grid.shape == wide.grid.shape
    ratio = np.sqrt(wide.covariances[..., 0, 0, 0] / core.covariances[..., 0, 0, 0])
    assert 1.0 < np.median(ratio) < 2.0
