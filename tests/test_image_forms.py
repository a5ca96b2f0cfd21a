"""Images are at the same place in every frame and form of keywords."""

import re
import warnings
from dataclasses import replace

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from numpy.testing import assert_allclose, assert_array_equal
from sky_forms import CENTRE, IMAGE_FORMS, SIZE, image

from gmmx.errors import DataError
from gmmx.io.backgrounds import read_background
from gmmx.io.counts_image import read_counts
from gmmx.io.images import read_grid_like
from gmmx.io.maps import read_exposure
from gmmx.io.psf import read_psf_map
from gmmx.io.regions import read_regions
from gmmx.plane.frame import SkyFrame

FRAME = SkyFrame(CENTRE.ra.deg, CENTRE.dec.deg)
# The grid of an image may err by a fiftieth of its pixels of 2 arcsec.
ERROR = 0.04


def some_values():
    return np.random.default_rng(3).poisson(3.0, SIZE).astype(float) + 1


def quietly(function, *arguments, **given):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return function(*arguments, **given)


def places(form, frame=FRAME):
    """True positions of all pixels in a plane in ICRS."""
    sky = form.directions(*np.meshgrid(np.arange(SIZE[1]), np.arange(SIZE[0])))
    return frame.to_plane(sky.ra.deg, sky.dec.deg)


@pytest.mark.parametrize("form", IMAGE_FORMS, ids=str)
def test_exposure_maps_are_at_the_same_place_in_every_form(form, tmp_path):
    path = form.write_image(tmp_path / "expmap.fits", some_values(), BUNIT="s")
    found = quietly(read_exposure, path, frame=FRAME)
    x, y = places(form)
    assert_allclose(found.grid.centres(), (x, y), atol=ERROR)
    assert_allclose(found.exposure_at(x, y), some_values())


@pytest.mark.parametrize("form", IMAGE_FORMS, ids=str)
def test_counts_images_are_at_the_same_place_in_every_form(form, tmp_path):
    path = form.write_image(tmp_path / "counts.fits", some_values())
    listed = quietly(read_counts, path)
    found = SkyCoord(
        *listed.frame.to_sky(*listed.pixels.centres()),
        unit="deg",
        frame=listed.frame.radesys.lower(),
    )
    truth = form.directions(*np.meshgrid(np.arange(SIZE[1]), np.arange(SIZE[0])))
    assert found.icrs.separation(truth).arcsec.max() < ERROR
    # Without physical keywords the physical pixels are those of the image.
    assert_allclose(listed.physical.to_plane(1.0, 1.0), listed.pixels.to_plane(0, 0), atol=1e-6)
    assert_allclose(listed.physical.to_plane(60.0, 1.0), listed.pixels.to_plane(59, 0), atol=1e-6)


@pytest.mark.parametrize("form", IMAGE_FORMS[::4], ids=str)
def test_other_images_are_at_the_same_place_too(form, tmp_path):
    path = form.write_image(tmp_path / "image.fits", some_values())
    x, y = places(form)
    background = quietly(read_background, path, frame=FRAME)
    assert_allclose(background.image.grid.centres(), (x, y), atol=ERROR)
    assert_allclose(quietly(read_grid_like, path, FRAME).centres(), (x, y), atol=ERROR)
    radii = 1 + np.arange(SIZE[1]) * np.ones((SIZE[0], 1)) / 10
    path = form.write_image(tmp_path / "psf.fits", radii, BUNIT="arcsec", ECF=0.393469340287)
    psf = quietly(read_psf_map, path, frame=FRAME)
    assert_allclose(np.sqrt(psf.at(x[5], y[5])[1][:, 0, 0, 0]), radii[5], atol=0.15)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"RADESYS": "GAPPT"}, "RADESYS 'GAPPT' is no celestial system that is understood"),
        ({"EQUINOX": -1.0}, "EQUINOX '-1.0' is no year"),
        ({"CTYPE1": "RA---XYZ", "CTYPE2": "DEC--XYZ"}, "Unrecognized projection code"),
        ({"CTYPE1": "HLON-TAN", "CTYPE2": "HLAT-TAN"}, "'HLON-TAN' (ICRS) are not understood"),
        ({"CTYPE1": "RA", "CTYPE2": "DEC"}, "no usable WCS|no celestial WCS"),
        ({"CTYPE2": "FREQ"}, "Unmatched celestial axes"),
        ({"CUNIT1": "pc"}, "In CUNIT1 : Mismatched units type"),
        ({"CRVAL2": 95.0}, "Ill-conditioned coordinate transformation"),
        ({"CDELT1": 0.0}, "Linear transformation matrix is singular"),
        ({"CDELT1": 1e300}, "its pixels of 8.*e.* arcsec have no sensible size"),
        ({"CTYPE1": "RA---TPV", "CTYPE2": "DEC--TPV"}, "its pixels fall on one line"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
@pytest.mark.parametrize("reader", ["exposure", "counts", "like"])
def test_a_keyword_that_is_not_understood_is_refused_by_its_name(reader, keys, told, tmp_path):
    path = replace(IMAGE_FORMS[0], keys=keys).write_image(
        tmp_path / "m.fits", some_values(), **({"BUNIT": "s"} if reader == "exposure" else {})
    )
    read = {
        "exposure": lambda: read_exposure(path, frame=FRAME),
        "counts": lambda: read_counts(path),
        "like": lambda: read_grid_like(path, FRAME),
    }
    with pytest.raises(DataError) as caught:
        quietly(read[reader])
    assert re.search(told.replace("(", r"\(").replace(")", r"\)"), str(caught.value))
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_axes_of_the_sky_that_come_last_are_refused(tmp_path):
    cube = np.ones((40, 1, 1))
    keys = {"CTYPE1": "FREQ", "CTYPE2": "RA---TAN", "CTYPE3": "DEC--TAN", "CUNIT1": "Hz"}
    path = replace(IMAGE_FORMS[0], keys=keys).write_image(tmp_path / "m.fits", cube[:, :, 0])
    with pytest.raises(DataError, match="axes 1 and 2 are not those of the sky"):
        read_exposure(path, frame=FRAME)


SIP = {
    "CTYPE1": "RA---TAN-SIP",
    "CTYPE2": "DEC--TAN-SIP",
    "A_ORDER": 2,
    "B_ORDER": 2,
    "A_2_0": 2e-3,
    "B_1_1": -1e-3,
    "B_0_2": 1e-3,
}
TPV = {
    "CTYPE1": "RA---TPV",
    "CTYPE2": "DEC--TPV",
    "PV1_1": 1.0,
    "PV2_1": 1.0,
    "PV1_4": 2.0,
    "PV2_5": -1.0,
}


@pytest.mark.parametrize("keys", [SIP, {**SIP, "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN"}, TPV])
def test_a_distorted_map_is_resampled_as_astropy_places_it(keys, tmp_path):
    values = np.add.outer(1000.0 * np.arange(SIZE[0]), np.arange(SIZE[1])) + 1
    form = replace(IMAGE_FORMS[0], keys=keys, matrix="CD")
    path = form.write_image(tmp_path / "expmap.fits", values, BUNIT="s")
    found = quietly(read_exposure, path, frame=FRAME)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wcs = WCS(fits.getheader(path))
    iy, ix = np.indices(SIZE)
    # Away from the edges of pixels, the nearest pixel is the pixel itself.
    x, y = FRAME.to_plane(*wcs.all_pix2world(ix, iy, 0))
    seen = found.exposure_at(x, y)
    row, column = np.divmod(seen - 1, 1000)
    inner = np.s_[3:-3, 3:-3]
    assert np.abs(row - iy)[inner].max() <= 1
    assert np.abs(column - ix)[inner].max() <= 1
    assert np.mean((row == iy) & (column == ix)) > 0.5
    counts = form.write_image(tmp_path / "counts.fits", values)
    with pytest.raises(DataError, match="on no regular grid"):
        read_counts(counts)


PHYSICAL_FORMS = {
    # Physical pixels of half the image's, turned with it, from another zero.
    "LTM": {"LTV1": -49.5, "LTV2": -99.5, "LTM1_1": 0.5, "LTM2_2": 0.5},
    "P": {
        "CTYPE1P": "x",
        "CRVAL1P": 100.0,
        "CRPIX1P": 0.5,
        "CDELT1P": 2.0,
        "CTYPE2P": "y",
        "CRVAL2P": 200.0,
        "CRPIX2P": 0.5,
        "CDELT2P": 2.0,
    },
    "L": {
        "WCSNAMEL": "PHYSICAL",
        "CRVAL1L": 100.0,
        "CRPIX1L": 0.5,
        "CDELT1L": 2.0,
        "CRVAL2L": 200.0,
        "CRPIX2L": 0.5,
        "CDELT2L": 2.0,
    },
    # Physical pixels that run along north and east, where the image is turned by 30 degrees.
    "turned LTM": {
        "LTV1": 25.0,
        "LTV2": 18.5,
        "LTM1_1": np.sqrt(3) / 4,
        "LTM2_2": np.sqrt(3) / 4,
        "LTM1_2": 0.25,
        "LTM2_1": -0.25,
    },
    "turned P": {
        "CRVAL1P": 0.0,
        "CRVAL2P": 0.0,
        "CRPIX1P": 25.0,
        "CRPIX2P": 18.5,
        "CD1_1P": np.sqrt(3),
        "CD1_2P": -1.0,
        "CD2_1P": 1.0,
        "CD2_2P": np.sqrt(3),
    },
    "turned PC": {
        "CRVAL1P": 0.0,
        "CRVAL2P": 0.0,
        "CRPIX1P": 25.0,
        "CRPIX2P": 18.5,
        "CDELT1P": 2.0,
        "CDELT2P": 2.0,
        "PC1_1P": np.sqrt(0.75),
        "PC1_2P": -0.5,
        "PC2_1P": 0.5,
        "PC2_2P": np.sqrt(0.75),
    },
    "none": {},
}


def physical_of(kind, ix, iy):
    """Physical coordinates of pixels that are counted from 0, as DS9 has them."""
    u, v = np.asarray(ix) + 1.0, np.asarray(iy) + 1.0
    if kind.startswith("turned"):
        u, v = u - 25.0, v - 18.5
        return np.sqrt(3) * u - v, u + np.sqrt(3) * v
    return (u, v) if kind == "none" else (100 + 2 * (u - 0.5), 200 + 2 * (v - 0.5))


@pytest.mark.parametrize("kind", PHYSICAL_FORMS)
@pytest.mark.parametrize("shape", ["circle({x},{y},{r})", "box({x},{y},{r},{s},20)", "image"])
def test_physical_regions_on_a_turned_image_are_read(kind, shape, tmp_path):
    form = image("CD", matrix="CD", turn=30.0, keys=PHYSICAL_FORMS[kind])
    path = form.write_image(tmp_path / "counts.fits", some_values())
    listed = quietly(read_counts, path)
    iy, ix = np.indices(SIZE)
    u, v = physical_of(kind, ix, iy)
    assert_allclose(listed.physical.to_physical(*listed.pixels.centres()), (u, v), atol=1e-6)
    # A pixel of the image in physical pixels.
    side = np.hypot(u[0, 1] - u[0, 0], v[0, 1] - v[0, 0])
    x, y = u[20, 30] + 0.1 * side, v[20, 30] + 0.1 * side
    if shape == "image":
        text = "image\ncircle(31,21,7.3)"
        inside = np.hypot(ix - 30, iy - 20) < 7.3
    elif shape.startswith("circle"):
        text = shape.format(x=x, y=y, r=7.3 * side)
        inside = np.hypot(u - x, v - y) < 7.3 * side
    else:
        text = shape.format(x=x, y=y, r=14.3 * side, s=5.1 * side)
        c, s = np.cos(np.radians(20)), np.sin(np.radians(20))
        along, across = c * (u - x) + s * (v - y), -s * (u - x) + c * (v - y)
        inside = (abs(along) < 14.3 * side / 2) & (abs(across) < 5.1 * side / 2)
    (tmp_path / "mask.reg").write_text(text + "\n")
    shapes = read_regions(
        tmp_path / "mask.reg",
        frame=listed.frame,
        physical=listed.physical,
        image_grid=listed.pixels,
    )
    found = shapes.contains(*listed.pixels.centres())
    assert_array_equal(found, inside)
    assert 40 < inside.sum() < 400
