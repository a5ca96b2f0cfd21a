"""Images of the uncertainty of the signal, against images of every draw."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from command_line import run
from handmade import make_draws, make_mixture, make_observation, make_result
from numpy.testing import assert_allclose, assert_array_equal

import gmmx
from gmmx.answers import uncertainty
from gmmx.answers.images import render
from gmmx.answers.signal import signal_images
from gmmx.config import RenderConfig
from gmmx.errors import InputError
from gmmx.model.mixture import Fixed

GRID = gmmx.PixelGrid.covering((-60, 60), (-50, 50), 4.0)


def drawn_result(**changes):
    """A result with draws, whose second component is a point source."""
    mixture = make_mixture()
    flags = np.arange(len(mixture)) == 1
    fixed = Fixed(fluxes=~flags & False, means=flags, covariances=flags, points=flags)
    result = make_result([make_observation()], mixture, fixed=fixed, **changes)
    return replace(result, draws=make_draws(result))


def images_of_every_draw(result, grid, at, with_points):
    """Slow twin: the signal of each draw by the renderer of the best fit, (N, ny, nx)."""
    images = []
    for i in range(len(result.draws)):
        every = result.draws.mixture(i)
        points = np.zeros(len(every), bool)
        points[1] = True
        spread = every.covariances + (0.0 if at is None else at**2) * np.eye(2)
        own = np.where(points[:, None, None], 0.0, every.covariances)
        covariances = own + (1e-9 if at is None else at**2) * np.eye(2)
        mixture = replace(every, covariances=np.where(points[:, None, None], covariances, spread))
        if not with_points:
            mixture = mixture.select(~points)
        one = make_result(result.observations, mixture)
        images.append(render(one, grid).signal.values)
    return np.array(images)


@pytest.mark.parametrize("at", [None, 6.0])
@pytest.mark.parametrize("with_points", [False, True])
def test_errors_are_the_spread_of_the_images_of_all_draws(at, with_points):
    result = drawn_result()
    images = signal_images(result, GRID, at=at, with_points=with_points, estimate="mean")
    slow = images_of_every_draw(result, GRID, at, with_points)
    lower, upper = np.quantile(slow, (0.158655, 0.841345), axis=0)
    least = 3e-4 * slow.max()
    assert_allclose(images["lower"].values, lower, atol=least)
    assert_allclose(images["upper"].values, upper, atol=least)
    assert_allclose(images["error"].values, (upper - lower) / 2, atol=least)
    assert_allclose(images["signal"].values, slow.mean(0), atol=least)
    assert (upper - lower).max() > 100 * least


def test_blocks_of_rows_do_not_change_an_error(monkeypatch):
    result = drawn_result()
    whole = signal_images(result, GRID)["error"].values
    monkeypatch.setattr(uncertainty, "_VALUES", 1)
    assert_array_equal(signal_images(result, GRID)["error"].values, whole)


def test_snr_is_the_signal_over_its_error_and_zero_without_an_error():
    result = drawn_result()
    images = signal_images(
        result, gmmx.PixelGrid.covering((-60, 9000), (-50, 50), 20.0), units="sb"
    )
    known = images["error"].values > 0
    expected = images["signal"].values[known] / images["error"].values[known]
    assert_allclose(images["snr"].values[known], expected)
    assert not known.all()
    assert np.all(images["snr"].values[~known] == 0)


@pytest.mark.parametrize("units", ["counts", "flux", "sb"])
def test_errors_have_the_unit_of_the_signal(units):
    images = drawn_result().render(GRID, units=units, errors=True)
    assert {images.error.unit, images.lower.unit, images.upper.unit} == {images.signal.unit}
    assert images.snr.unit == ""


def test_smoothing_keeps_the_flux():
    result, wide = drawn_result(), gmmx.PixelGrid.covering((-400, 400), (-400, 400), 4.0)
    sharp, smooth = (signal_images(result, wide, at=at, errors=False) for at in (None, 15.0))
    assert smooth["signal"].values.sum() == pytest.approx(sharp["signal"].values.sum(), rel=1e-5)
    assert smooth["signal"].values.max() < sharp["signal"].values.max() / 2


def test_a_fit_without_draws_gets_some_from_its_information_matrix():
    x, y = np.random.default_rng(3).normal(0, 5, (2, 400))
    result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1, seed=1)
    grid = gmmx.PixelGrid.covering((-40, 40), (-40, 40), 80.0)
    images = result.render(grid, errors=True)
    assert images.error.values[0, 0] == pytest.approx(20, rel=0.15)
    assert any("200 draws" in text and "laplace" in text for text in images.error.comments)
    assert result.render(grid).error is None


@pytest.mark.parametrize("image", ["counts", "expected_1", "signal_psf"])
@pytest.mark.parametrize("option", [{"at": 5.0}, {"estimate": "mean"}])
def test_only_the_signal_is_smoothed_or_a_mean(image, option):
    with pytest.raises(InputError, match="changes the signal and its uncertainty"):
        RenderConfig(image=image, **option)


@pytest.mark.parametrize("option", [{"at": 0.0}, {"at": -1.0}, {"estimate": "median"}])
def test_a_resolution_and_an_estimate_that_cannot_be_are_refused(option):
    with pytest.raises(InputError):
        signal_images(drawn_result(), GRID, **option)


@pytest.mark.parametrize("name", ["error", "snr", "lower", "upper", "signal"])
def test_the_command_writes_one_image_and_says_how_it_was_made(tmp_path, name):
    result = drawn_result()
    result.write(tmp_path / "m.h5")
    out = tmp_path / "map.fits"
    given = ["--image", name, "--at", "6", "--bin", "4", "--units", "flux", "--estimate", "mean"]
    assert run("render", tmp_path / "m.h5", *given, "--out", out).exit_code == 0
    header = fits.getheader(out)
    assert (header["RESOLUTN"], header["ESTIMATE"]) == (6.0, "mean")
    assert (header["ERRMETH"], header["NDRAWS"]) == ("laplace", 30)
    assert header["BUNIT"] == ("" if name == "snr" else "photon/cm**2/s/pixel")
    assert "smoothed with a Gaussian of sigma 6 arcsec" in " ".join(header["COMMENT"])
    grid = gmmx.answers.canvas.output_grid(result, bin=4.0)
    same = result.render(grid, units="flux", at=6.0, estimate="mean", errors=True)
    assert_array_equal(fits.getdata(out), getattr(same, name).values.astype(np.float32))
