"""Counts images: read as pixels, and refused where they hold something else."""

import warnings

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from made_files import DEC0, event_hdus, flat, image_hdus
from numpy.testing import assert_allclose, assert_array_equal

from gmmx.errors import DataError, DataWarning
from gmmx.io.counts_image import is_counts_image, read_counts
from gmmx.io.events import read_events
from gmmx.io.maps import read_exposure
from gmmx.io.virtual import parse_file_argument
from gmmx.model.photons import CountsImage, EventList

PHYSICAL = {
    "CRVAL1P": 3044.5,
    "CRPIX1P": 0.5,
    "CDELT1P": 4.0,
    "CRVAL2P": 3044.5,
    "CRPIX2P": 0.5,
    "CDELT2P": 4.0,
}


def some_counts(shape=(30, 41), seed=3, mean=0.7):
    return np.random.default_rng(seed).poisson(mean, shape).astype(float)


def written(folder, values, *, name="counts.img", unit="", **keywords):
    hdus = image_hdus(values, unit=unit, **keywords)
    hdus.writeto(folder / name, overwrite=True)
    return folder / name


def test_pixels_become_photons_where_their_centres_are(tmp_path):
    counts = some_counts()
    path = written(tmp_path, counts, ENERGYLO=0.5, ENERGYHI=2.0, OBS_ID="17", **PHYSICAL)
    listed = read_counts(path)
    iy, ix = np.nonzero(counts)
    assert_array_equal(listed.photons.weights, counts[iy, ix])
    assert listed.n_photons == counts.sum()
    ra, dec = WCS(fits.getheader(path)).all_pix2world(ix, iy, 0)
    assert_allclose(listed.frame.to_sky(listed.photons.x, listed.photons.y), (ra, dec), atol=1e-9)
    assert_allclose(
        listed.pixels.histogram(listed.photons.x, listed.photons.y, listed.photons.weights), counts
    )
    # Physical coordinates count from the image's left edge, in pixels a quarter as large.
    assert_allclose(
        listed.physical.to_physical(listed.photons.x, listed.photons.y),
        (3044.5 + 4 * (ix + 0.5), 3044.5 + 4 * (iy + 0.5)),
    )
    assert listed.pointing.obs_id == "17"
    assert listed.pointing.recorded_band_kev == (0.5, 2.0)


def test_selected_pixels_are_counted_in_photons(tmp_path):
    listed = read_counts(written(tmp_path, some_counts()))
    heavy = listed.photons.weights > 1
    assert listed.select(~heavy, "mask").dropped == {"mask": listed.photons.weights[heavy].sum()}


def test_physical_coordinates_are_by_default_those_of_the_image(tmp_path):
    listed = read_counts(written(tmp_path, some_counts()))
    assert_allclose(listed.physical.to_plane(1.0, 1.0), listed.pixels.origin, atol=1e-9)


def read_photons(path):
    file = parse_file_argument(path)
    return read_counts(path) if is_counts_image(file) else read_events(file)


@pytest.mark.parametrize("name", ["counts.img", "counts.fits.gz", "anything"])
def test_the_content_decides_what_a_file_is(tmp_path, name):
    assert isinstance(read_photons(written(tmp_path, some_counts(), name=name)), CountsImage)
    event_hdus().writeto(tmp_path / "evt.img")
    assert isinstance(read_photons(tmp_path / "evt.img"), EventList)
    both = fits.HDUList([*image_hdus(some_counts(), unit=""), *event_hdus()[1:]])
    both.writeto(tmp_path / "both.fits")
    assert isinstance(read_photons(tmp_path / "both.fits"), EventList)
    fits.HDUList([fits.PrimaryHDU()]).writeto(tmp_path / "empty.fits")
    with pytest.raises(DataError, match="no EVENTS extension"):
        read_photons(tmp_path / "empty.fits")


@pytest.mark.parametrize("kind", [fits.ImageHDU, fits.CompImageHDU])
def test_an_image_may_be_in_an_extension_compressed_or_not(tmp_path, kind):
    hdu = image_hdus(some_counts(), unit="")[0]
    image = kind(hdu.data.astype(np.int32), hdu.header)
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(tmp_path / "x.fits")
    assert read_photons(tmp_path / "x.fits").n_photons == some_counts().sum()


@pytest.mark.parametrize(
    ("keywords", "band", "chips"),
    [
        ({"ENERG_LO": 0.3, "ENERG_HI": 7.0}, (0.3, 7.0), None),
        ({"INSTRUME": "ACIS", "DSTYP1": "energy", "DSVAL1": "500:2000"}, (0.5, 2.0), None),
        ({"DSTYP2": "ccd_id", "DSVAL2": "0:0,1:1", "2DSVAL2": "3:3"}, None, (0, 1, 3)),
        ({}, None, None),
    ],
)
def test_cuts_are_read_from_the_header(tmp_path, keywords, band, chips):
    pointing = read_counts(written(tmp_path, some_counts(), **keywords)).pointing
    assert (pointing.recorded_band_kev, pointing.recorded_chips) == (band, chips)


@pytest.mark.parametrize(
    ("values", "keywords", "message"),
    [
        (flat(2e-7), {"unit": "photon/cm**2/s"}, "flux or rate image"),
        (flat(2e-7), {"unit": "/cm**2 /s"}, "flux or rate image"),
        (flat(2e-7), {"unit": "photon cm**-2 s**-1"}, "flux or rate image"),
        (flat(2e-7), {}, "are no counts but a flux"),
        (flat(3e5), {"unit": "cm**2 s"}, "exposure map"),
        (flat(3e5), {"CONTENT": "EXP"}, "exposure map"),
        (flat(2.0), {"unit": "logical", "ECF": 0.9}, "PSF map"),
        (flat(-1.0), {}, "cannot be negative"),
        (flat(np.nan), {}, "no pixel holds a number"),
        (flat(0.0), {}, "zero everywhere"),
        (flat(1.0), {"CDELT1": -1 / 3600}, "not square"),
        (
            flat(1.0),
            {"CTYPE1": "RA---SIN", "CTYPE2": "DEC--SIN", "CDELT1": -0.05, "CDELT2": 0.05},
            "no regular grid",
        ),
        (flat(1.0), {"CTYPE1": "", "CTYPE2": ""}, "no usable WCS"),
    ],
)
def test_what_is_no_counts_image_is_refused(tmp_path, values, keywords, message):
    with pytest.raises(DataError, match=message) as problem:
        read_counts(written(tmp_path, values, **keywords))
    assert "counts.img" in str(problem.value)
    assert "\n" not in str(problem.value)


def test_numbers_that_are_not_whole_are_warned_of(tmp_path):
    values = some_counts()
    values[3, 5] = 0.37
    with pytest.warns(
        DataWarning, match=r"1 pixels hold numbers that are not whole, such as 0.37: is it smoothed"
    ):
        read_counts(written(tmp_path, values))


@pytest.mark.parametrize(
    ("value", "unit"), [(2e-7, "photon/cm**2/s"), (2e-7, "/cm**2 /s"), (2e-7, "")]
)
def test_a_flux_image_is_no_exposure_map(tmp_path, value, unit):
    listed = read_counts(written(tmp_path, some_counts()))
    with pytest.raises(DataError, match="flux"):
        read_exposure(
            written(tmp_path, flat(value), name="flux.img", unit=unit), frame=listed.frame
        )


def test_real_images(shared_data):
    folder = shared_data / "real"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        listed = read_photons(
            folder / "zwcl2341_acisi" / "srcfree_bin4_500-2000_17490_band1_thresh.img.gz"
        )
        other = read_photons(folder / "9399_NGC5044" / "img.fits.gz")
    assert (listed.n_photons, len(listed)) == (18967, 17039)
    assert (listed.pointing.recorded_band_kev, listed.pointing.recorded_chips) == (
        (0.5, 2.0),
        (0, 1, 2, 3),
    )
    assert_allclose(listed.pixels.step, 1.968)
    assert_allclose(listed.physical.to_plane(2846.5, 2438.5), listed.pixels.origin, atol=1e-4)
    assert_allclose((listed.physical.step_x, listed.physical.step_y), 0.492, rtol=1e-6)
    assert (other.n_photons, other.pointing.recorded_band_kev) == (486119, (0.2, 2.0))


def test_a_centre_that_is_not_equatorial(tmp_path):
    path = written(tmp_path, some_counts(), CTYPE1="GLON-TAN", CTYPE2="GLAT-TAN")
    listed = read_counts(path)
    ra, dec = listed.frame.to_sky(listed.photons.x, listed.photons.y)
    place = WCS(fits.getheader(path)).pixel_to_world(*np.nonzero(some_counts())[::-1]).icrs
    assert_allclose((ra, dec), (place.ra.deg, place.dec.deg), atol=1e-7)
    assert abs(listed.frame.dec0 - DEC0) > 1
