"""FITS images of anything but counts, fitted as pictures."""

import re

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from command_line import run

from gmmx.answers.drawn_pictures import rendered_picture
from gmmx.answers.picture_values import pixel_values
from gmmx.config import PictureOptions, PictureRenderConfig
from gmmx.errors import DataError, InputError
from gmmx.io.fits_pictures import is_fits, read_fits_picture, regridded, split_extension
from gmmx.io.models import read_any
from gmmx.reading.input_kind import input_kind
from gmmx.reading.picture import read_picture_input

# Two round sources of an optical image: x, y, sigma [pixel] and the sum of their pixels.
SOURCES = ((12.0, 8.0, 2.0, 3000.0), (25.0, 20.0, 3.0, 5000.0))
WORLD = {
    "CTYPE1": "RA---SIN",
    "CRVAL1": 150.0,
    "CRPIX1": 16.5,
    "CDELT1": -0.001,
    "CTYPE2": "DEC--SIN",
    "CRVAL2": 2.0,
    "CRPIX2": 12.5,
    "CDELT2": 0.001,
}


def drawn_image():
    """An image of 40 x 30 pixels with two sources, a negative pixel, NaN and zeros."""
    y, x = np.mgrid[0:30, 0:40]
    values = np.zeros((30, 40))
    for x0, y0, sigma, total in SOURCES:
        r2 = (x - x0) ** 2 + (y - y0) ** 2
        values += total * np.exp(-r2 / 2 / sigma**2) / (2 * np.pi * sigma**2)
    values[values < 1e-3] = 0.0
    values[29, 0], values[0, 39] = -4.0, np.nan
    return values


def make_image(path, values=None, kind=fits.PrimaryHDU, **cards):
    """Write an image, with BUNIT nJy and coordinates if there are no others."""
    values = drawn_image() if values is None else values
    header = fits.Header({"BUNIT": "nJy", **WORLD, **cards})
    hdu = kind(values, header)
    hdus = [hdu] if kind is fits.PrimaryHDU else [fits.PrimaryHDU(), hdu]
    fits.HDUList(hdus).writeto(path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with an image and its model of four components."""
    folder = tmp_path_factory.mktemp("fits")
    make_image(folder / "sky.fits")
    done = run("fit", folder / "sky.fits", "--picture", "--k", 4, "--out", folder / "sky.h5")
    assert done.exit_code == 0, done.output
    (folder / "said.txt").write_text(done.stderr)
    return folder


@pytest.fixture(scope="module")
def model(folder):
    return read_any(folder / "sky.h5")


def taken(path, **options):
    return read_picture_input(path, PictureOptions(picture=True, **options))


def test_a_fits_image_is_a_picture_only_if_it_is_called_one():
    assert input_kind("sky.fits") == "photons"
    assert input_kind("sky.fits", picture=True) == "picture"


def test_what_was_taken_is_printed(folder):
    text = (folder / "said.txt").read_text()
    assert "picture: the primary HDU, 40 x 30 pixels, from -4 to 119.4 nJy" in text
    assert "weighted with their values; left out: 1 are not numbers, 1 are negative, " in text


def test_bright_pixels_are_samples_with_their_values_as_weights(folder):
    given, values = taken(folder / "sky.fits"), drawn_image()
    x, y = given.samples.x.T.astype(int)
    assert given.samples.weights * given.facts["picture_scale"] == pytest.approx(values[y, x])
    assert given.samples.weights.mean() == pytest.approx(1.0)
    assert len(given.samples) == (values > 0).sum()


def test_the_threshold_of_an_image_is_a_part_of_its_largest_value(folder):
    values = drawn_image()
    found = taken(folder / "sky.fits", threshold=0.2)
    assert len(found.samples) == (values > 0.2 * np.nanmax(values)).sum()


def test_inverted_images_have_dark_samples(folder):
    found, values = taken(folder / "sky.fits", invert=True), drawn_image()
    x, y = found.samples.x[np.argmax(found.samples.weights)].astype(int)
    assert values[y, x] == -4.0
    assert not found.facts["picture_bright"]


def test_the_values_of_an_image_come_back(model):
    found, values = pixel_values(model)[::-1], drawn_image()
    assert found.sum() == pytest.approx(np.nansum(values[values > 0]), rel=0.01)
    assert found[8, 12] == pytest.approx(values[8, 12], rel=0.05)
    assert found[20, 25] == pytest.approx(values[20, 25], rel=0.05)


def test_a_rendered_image_has_the_grid_the_unit_and_the_coordinates(folder, tmp_path):
    out = tmp_path / "out.fits"
    done = run("render", folder / "sky.h5", "--out", out)
    assert done.exit_code == 0, done.output
    with fits.open(out) as hdus:
        header, values = hdus[0].header, hdus[0].data
    assert header["BUNIT"] == "nJy"
    assert {key: header[key] for key in WORLD} == WORLD
    assert values[20, 25] == pytest.approx(drawn_image()[20, 25], rel=0.05)


def test_a_finer_image_keeps_places_and_values(folder, tmp_path):
    out = tmp_path / "out.fits"
    run("render", folder / "sky.h5", "--grid-size", "80x30", "--out", out)
    with fits.open(out) as hdus:
        header, values = hdus[0].header, hdus[0].data
    assert values.shape == (30, 80)
    assert values.sum() / 2 == pytest.approx(np.nansum(np.maximum(drawn_image(), 0)), rel=0.01)
    before = WCS(fits.Header(WORLD)).pixel_to_world_values(25.0, 20.0)
    after = WCS(header).pixel_to_world_values(50.5, 20.0)
    assert np.array(after) == pytest.approx(np.array(before), abs=1e-9)


def test_the_picture_of_an_image_is_white_where_it_is_brightest(model):
    picture = rendered_picture(model, PictureRenderConfig())[::-1]
    assert picture.max() == 1.0
    assert picture[8, 12].min() > 0.9
    assert picture[28, 2].max() < 0.01


@pytest.mark.parametrize(
    "cards",
    [
        {"CD1_1": 2.0, "CD1_2": 0.5, "CD2_1": 0.1, "CD2_2": 3.0},
        {"CDELT1": 2.0, "CDELT2": 3.0, "PC1_1": 0.9, "PC1_2": 0.2, "PC2_1": -0.3},
        {**WORLD, "CDELT2": 0.003, "CROTA2": 30.0},
        {},
    ],
)
def test_places_do_not_depend_on_the_pixels(cards):
    cards = {"CTYPE1": "X", "CTYPE2": "Y", "CRPIX1": 3.0, "CRPIX2": -2.0, "CRVAL1": 7.0} | cards
    fine = regridded(cards, (10, 12), (30, 12))
    place = WCS(fits.Header(cards)).wcs_pix2world([[4.0, 5.0]], 0)
    again = WCS(fits.Header(fine)).wcs_pix2world([[13.0, 5.0]], 0)
    assert again == pytest.approx(place, abs=1e-10)


def test_distorted_coordinates_hold_for_their_own_pixels_only():
    with pytest.raises(InputError, match="distorted"):
        regridded({"CTYPE1": "RA---TAN-SIP", "A_ORDER": 2}, (10, 10), (20, 20))


@pytest.mark.parametrize("kind", [fits.ImageHDU, fits.CompImageHDU])
def test_images_of_extensions_are_read_by_name_and_number(tmp_path, kind):
    path = make_image(tmp_path / "a.fits", kind=kind, EXTNAME="SCI")
    for text in (path, f"{path}[SCI]", f"{path}[sci]", f"{path}[1]"):
        found = read_fits_picture(text)
        assert found.place == "extension SCI"
        assert found.values[8, 12] == pytest.approx(drawn_image()[8, 12], rel=1e-3)


def test_scaled_integers_are_read_with_their_scale(tmp_path):
    hdu = fits.PrimaryHDU(np.array([[1, 2], [3, 4]], np.int16))
    hdu.header.update({"BSCALE": 0.5, "BZERO": 10.0, "BLANK": 4})
    raw = hdu.data
    fits.PrimaryHDU(raw, hdu.header, do_not_scale_image_data=True).writeto(tmp_path / "a.fits")
    with fits.open(tmp_path / "a.fits", mode="update", do_not_scale_image_data=True) as hdus:
        hdus[0].header.update({"BSCALE": 0.5, "BZERO": 10.0, "BLANK": 4})
    assert read_fits_picture(tmp_path / "a.fits").values.tolist()[0] == [10.5, 11.0]


def test_column_densities_are_not_too_large(tmp_path):
    path = make_image(tmp_path / "nh.fits", np.array([[1e20, 3e20], [np.inf, 2e21]]))
    found = taken(path)
    assert found.samples.weights * found.facts["picture_scale"] == pytest.approx([2e21, 1e20, 3e20])


def test_an_extension_behind_the_name_is_split_off(tmp_path):
    assert split_extension("a.fits[SCI]")[1] == "SCI"
    assert split_extension("a.fits[energy=500:2000]")[1] is None
    odd = tmp_path / "a[1].fits"
    odd.touch()
    assert split_extension(odd) == (odd, None)


def test_fits_is_known_under_any_name(tmp_path):
    path = make_image(tmp_path / "a.fits").rename(tmp_path / "a.png")
    assert is_fits(path)
    assert taken(path).facts["picture_unit"] == "nJy"


def with_several(path):
    """A file with a cube and two images."""
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(np.ones((3, 4, 5)), name="CUBE")]
    hdus += [fits.ImageHDU(np.eye(3), name=name) for name in ("SCI", "ERR")]
    fits.HDUList(hdus).writeto(path)
    return path


def test_other_images_are_named(tmp_path):
    lines = taken(with_several(tmp_path / "a.fits")).lines
    assert "the file holds other images, ERR: FILE[NAME] takes one" in lines[1]


@pytest.mark.parametrize(
    ("extension", "words"),
    [
        ("[CUBE]", "extension CUBE is a cube of 5 x 4 x 3 pixels: write one plane into a file"),
        ("[0]", "the primary HDU holds no two-dimensional image"),
        ("[DQ]", "no extension DQ: its images are SCI, ERR"),
    ],
)
def test_extensions_that_are_no_images_are_refused(tmp_path, extension, words):
    path = with_several(tmp_path / "a.fits")
    with pytest.raises(DataError, match=words):
        read_fits_picture(f"{path}{extension}")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.full((4, 5), np.nan), "no pixel of the primary HDU holds a number"),
        (np.full((4, 5), 7.0), "all pixels of the primary HDU have one value"),
        (-1.0 - np.eye(4), "no pixel of the primary HDU is above 0: are its values logarithms"),
        (np.ones((2, 3, 4)), "the primary HDU is a cube of 4 x 3 x 2 pixels"),
    ],
)
def test_images_without_anything_to_fit_are_refused(tmp_path, values, words):
    with pytest.raises(DataError, match=words):
        taken(make_image(tmp_path / "a.fits", values))


def test_large_images_are_refused_before_they_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr("gmmx.io.pictures.MOST_PIXELS", 1000)
    with pytest.raises(DataError, match="40 x 30 pixels are 0 million samples"):
        taken(make_image(tmp_path / "a.fits"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "BUNIT 'nJy' is .*: give the counts image .*; to fit the image as a picture, give "
         "--picture"),
        (["--picture", "--colour"], "a FITS image has one value for each pixel: leave --colour"),
        (["--picture", "--columns", "a"], "a picture has no --columns"),
        (["--picture", "--psf", "none"], "--psf applies to photons"),
    ],
)  # fmt: skip
def test_a_fit_that_cannot_be_meant_is_refused_in_one_line(folder, tmp_path, options, words):
    done = run("fit", folder / "sky.fits", *options, "--out", tmp_path / "a.h5")
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert re.search(words, done.stderr)


@pytest.mark.parametrize(
    "cards", [{"BUNIT": "count"}, {"BUNIT": "count", "CTYPE1": "", "CTYPE2": ""}]
)
def test_negative_counts_and_counts_without_coordinates_may_be_a_picture(tmp_path, cards):
    path = make_image(tmp_path / "a.fits", np.round(drawn_image()), **cards)
    done = run("fit", path, "--out", tmp_path / "a.h5")
    assert done.exit_code == 1
    assert "to fit the image as a picture, give --picture" in done.stderr


def test_the_image_that_was_fitted_is_not_replaced(tmp_path):
    path = make_image(tmp_path / "sky.fits", kind=fits.ImageHDU, EXTNAME="SCI")
    run("fit", f"{path}[SCI]", "--picture", "--k", 2)
    done = run("render", tmp_path / "sky.model.h5", "--out", path, "--overwrite")
    assert done.exit_code == 1
    assert "sky.fits" in done.stderr
    with fits.open(path) as hdus:
        assert "SCI" in hdus


@pytest.mark.parametrize(("options", "code"), [([], 1), (["--no-checksum"], 0)])
def test_checksums_of_pictures_are_verified(tmp_path, options, code):
    path = make_image(tmp_path / "sky.fits", DATASUM="12345", CHECKSUM="0" * 16)
    done = run("fit", path, "--picture", "--k", 2, *options, "--out", tmp_path / "sky.h5")
    assert done.exit_code == code, done.stderr


def test_a_counts_image_may_be_a_picture_and_says_so(tmp_path):
    path = make_image(tmp_path / "sky.fits", np.round(np.abs(drawn_image())), BUNIT="count")
    assert "photons are fitted without `picture`" in taken(path).lines[1]
