"""Images with values that cannot be are refused in one line, or those values count as unknown."""

import numpy as np
import pytest
from made_files import DEC0, RA0, flat, image_hdus

from gmmx.errors import DataError
from gmmx.io.maps import read_exposure
from gmmx.io.pixels import read_image
from gmmx.io.psf import read_psf_map
from gmmx.plane.frame import SkyFrame

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
    with pytest.raises(DataError, match="map.fits: 104 of 10816 pixels are infinite or beyond"):
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
