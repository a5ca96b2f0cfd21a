"""Pictures in true colour: which band is which colour, and what white means."""

import warnings

import numpy as np
import pytest
from two_models import HERE, THERE, make_model

from gmmx.answers.true_colour import true_colour
from gmmx.errors import DataWarning, InputError
from gmmx.plane.grid import PixelGrid

BANDS = ((0.5, 1.2), (1.2, 2.0), (2.0, 7.0))
COARSE = PixelGrid.covering((-160, 160), (-160, 160), 4.0)


def make_bands(*fluxes, frames=(HERE, HERE, HERE), bands=BANDS):
    """Three models with the fluxes of two sources in each band."""
    given = zip(frames, fluxes, bands, strict=True)
    return [make_model(frame, fluxes=its, band=band) for frame, its, band in given]


def colour_at(picture, source):
    """The colour at the place of a source."""
    x, y = make_model(HERE).mixture.means[source]
    ix, iy, _ = picture.grid.locate(x, y)
    return picture.rgb[iy, ix].astype(int)


def test_sources_of_one_spectrum_are_white():
    picture = true_colour(make_bands((30, 10), (3000, 1000), (6, 2)), grid=COARSE)
    assert np.ptp(picture.rgb.astype(int), axis=2).max() <= 1
    assert picture.rgb.max() > 250


def test_a_soft_source_is_red_and_a_hard_one_blue():
    picture = true_colour(make_bands((3000, 10), (1000, 1000), (10, 1000)), grid=COARSE)
    red, green, blue = colour_at(picture, 0)
    assert red > green > blue
    red, green, blue = colour_at(picture, 1)
    assert blue > red


def test_colours_do_not_depend_on_the_flux_of_a_band():
    once = true_colour(make_bands((30, 10), (20, 20), (10, 30)), grid=COARSE)
    twice = true_colour(make_bands((30, 10), (20, 20), (2000, 6000)), grid=COARSE)
    assert np.abs(once.rgb.astype(int) - twice.rgb).max() <= 1


def test_bands_of_different_planes_lie_on_each_other():
    fluxes = (30, 10), (30, 10), (30, 10)
    one = true_colour(make_bands(*fluxes), grid=COARSE)
    other = true_colour(make_bands(*fluxes, frames=(HERE, THERE, HERE)), grid=COARSE)
    assert np.abs(one.rgb.astype(int) - other.rgb)[other.sky.seen].max() <= 2


def test_a_brightness_at_the_minimum_is_black():
    picture = true_colour(make_bands(*[(30, 10)] * 3), minimum=1.0, grid=COARSE)
    mean = np.mean(picture.signals, axis=0) / picture.means.mean()
    assert picture.rgb[mean < 1].max() == 0
    assert picture.rgb[mean > 3].min() > 0


@pytest.mark.parametrize("q", [0.5, 8.0, 20.0])
def test_one_in_a_thousand_pixels_is_white_if_no_stretch_is_given(q):
    picture = true_colour(make_bands(*[(30, 10)] * 3), q=q, grid=COARSE)
    white = (picture.rgb.min(axis=2) >= 254)[picture.sky.seen].mean()
    assert 0.0005 < white < 0.003


@pytest.mark.parametrize(
    ("bands", "message"),
    [
        (BANDS[::-1], "not in the order of their energies .2-7 keV, 1.2-2 keV, 0.5-1.2 keV"),
        ((BANDS[0], BANDS[0], BANDS[2]), "not in the order"),
        ((BANDS[0], None, BANDS[2]), "not every model has an energy band"),
    ],
)
def test_bands_that_do_not_rise_are_told(bands, message):
    with pytest.warns(DataWarning, match=message):
        true_colour(make_bands(*[(30, 10)] * 3, bands=bands), grid=COARSE)


def test_bands_that_rise_are_not_told():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        true_colour(make_bands(*[(30, 10)] * 3), grid=COARSE)


def test_a_band_without_a_signal_is_told_and_left_black():
    with pytest.warns(DataWarning, match="green band has no signal"):
        picture = true_colour(make_bands((30, 10), (), (30, 10)), grid=COARSE)
    assert picture.rgb[..., 1].max() == 0


@pytest.mark.parametrize("number", [1, 2, 4])
def test_true_colour_needs_three_models(number):
    with pytest.raises(InputError, match=f"needs three models, softest band first, got {number}"):
        true_colour([make_model(HERE)] * number)
