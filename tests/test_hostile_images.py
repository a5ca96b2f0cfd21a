"""Images with values that cannot be are refused in one line, or those values count as unknown."""

import numpy as np
import pytest
from astropy.io import fits
from made_files import DEC0, RA0, event_hdus, flat, image_hdus

from gmmx.errors import DataError, DataWarning
from gmmx.io.maps import read_exposure
from gmmx.io.pixels import read_image
from gmmx.io.psf import read_psf_map
from gmmx.io.psf_image import picture_grid
from gmmx.plane.frame import SkyFrame
from gmmx.reading.door import read_observation

FRAME = SkyFrame(RA0, DEC0)


def make_image(path, value, *, unit="cm**2 s", level=2.0, dtype=">f8", **keywords):
    """An image of one level, with another value in its first row."""
    values = flat(level)
    hdus = image_hdus(values, unit=unit, **keywords)
    values[0] = value
    hdus[0].data = values.astype(dtype)
    hdus.writeto(path)
    return path


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e300, -3.4e38])
def test_a_pixel_that_is_infinite_or_absurd_is_refused(tmp_path, value):
    path = make_image(tmp_path / "map.fits", value)
    with pytest.raises(DataError, match=r"map\.fits: 104 of 10816 pixels are infinite or beyond"):
        read_image(path)


@pytest.mark.parametrize("value", [1e-300, 1e-9, np.nan])
def test_an_exposure_that_rounding_left_is_none(tmp_path, value):
    path = make_image(tmp_path / "map.fits", value, level=1e5)
    exposure = read_exposure(path, frame=FRAME).exposure
    assert (exposure[0].max(), exposure[1].min()) == (0, 1e5)


def test_an_exposure_of_a_millionth_is_kept(tmp_path):
    path = make_image(tmp_path / "map.fits", 0.1, level=1e5)
    assert read_exposure(path, frame=FRAME).exposure[0].max() == 0.1


@pytest.mark.parametrize(("radius", "ecf"), [(1e8, 0.9), (5.0, 1e-9)])
def test_a_psf_wider_than_a_telescope_makes_it_is_refused(tmp_path, radius, ecf):
    path = make_image(tmp_path / "psf.fits", radius, unit="arcsec", ECF=ecf)
    with pytest.raises(DataError, match=r"psf.fits: radii of up to .* than any telescope's"):
        read_psf_map(path, frame=FRAME)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"CDELT2": "furlong"}, "CDELT2 'furlong' is no number"),
        ({"CRPIX1": True}, "CRPIX1 True is no number"),
        ({"CRVAL1": None}, "CRVAL1 None is no number"),
        ({"CD1_1": -1.0}, "its matrix has no CD2_2"),
        ({"CDELT2": 2.0}, "as long as they are wide"),
    ],
    ids=str,
)
def test_a_step_that_wcslib_would_ignore_is_refused(tmp_path, keywords, message):
    path = make_image(tmp_path / "map.fits", 1.0, **keywords)
    with pytest.raises(DataError, match=rf"map.fits: no usable WCS: .*{message}"):
        read_exposure(path, frame=FRAME)


def test_an_axis_without_a_step_is_refused(tmp_path):
    path = make_image(tmp_path / "map.fits", 1.0)
    with fits.open(path, mode="update") as hdus:
        del hdus[0].header["CDELT2"]
    with pytest.raises(DataError, match="there is no CDELT2"):
        read_exposure(path, frame=FRAME)


def test_unknown_pixels_of_a_psf_image_are_warned_of(tmp_path):
    path = make_image(tmp_path / "source.fits", np.nan, unit="")
    with pytest.warns(DataWarning, match=r"source\.fits: 104 of 10816 pixels of the PSF image"):
        picture_grid(read_image(path), FRAME)


def test_a_psf_map_beside_the_photons_is_warned_of(tmp_path):
    event_hdus(n=300).writeto(tmp_path / "events.fits")
    beside = make_image(tmp_path / "psf.fits", 2.0, unit="arcsec", ECF=0.9, CRPIX1=0.0)
    with pytest.warns(DataWarning, match="of the photons of .* lie outside the PSF map"):
        read_observation(
            tmp_path / "events.fits",
            exposure=make_image(tmp_path / "map.fits", 3e5, level=3e5),
            psf=beside,
            energy_kev="0.5:2",
        )
