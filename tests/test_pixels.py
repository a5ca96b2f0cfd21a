"""Photons that are counted in pixels: their cuts, masks, field and PSF."""

import json
import warnings

import numpy as np
import pytest
from astropy.io import fits
from click.testing import CliRunner
from made_files import event_hdus, flat, image_hdus
from numpy.testing import assert_allclose, assert_array_equal

from gmmx.answers.images import render
from gmmx.cli.main import main
from gmmx.commands.export import export
from gmmx.commands.fit import fit
from gmmx.commands.info import info
from gmmx.commands.score import score
from gmmx.config import FitConfig
from gmmx.errors import DataError, DataWarning, GmmxWarning, InputError
from gmmx.fitting.driver import fit as fit_photons
from gmmx.model.psf import PsfModel
from gmmx.reading.door import read_observation, read_observations

STEP = 2.0


@pytest.fixture
def files(tmp_path):
    """A Gaussian of sigma 8 arcsec in a field of 208 arcsec with 0.9 photons per pixel.

    There are a counts image, an exposure map and two masks.
    """
    rng = np.random.default_rng(5)
    iy, ix = np.mgrid[:104, :104]
    source = 60 * np.exp(-0.5 * ((ix - 51.5) ** 2 + (iy - 51.5) ** 2) * (STEP / 8) ** 2)
    counts = rng.poisson(0.9 + source)
    about = {
        "TELESCOP": "CHANDRA",
        "INSTRUME": "ACIS",
        "OBS_ID": "101",
        "ENERGYLO": 0.5,
        "ENERGYHI": 2.0,
        "DSTYP1": "ccd_id",
        "DSVAL1": "3:3",
    }
    image_hdus(counts, unit="", **about).writeto(tmp_path / "counts.img")
    image_hdus(flat(3e7), OBS_ID="101", ENERG_LO=1.0, ENERG_HI=1.0).writeto(tmp_path / "exp.fits")
    # Bars of 1.1 pixels about the centre of every third column: each hides one pixel, and no other
    # centre.
    bars = "".join(f"box({3 * i + 1},52.5,1.1,300,0)\n" for i in range(35))
    (tmp_path / "bars.reg").write_text("image\n" + bars)
    (tmp_path / "circle.reg").write_text('fk5\ncircle(150,2.2,11")\n')
    return tmp_path


def quietly(function, *args, **kwargs):
    """What a function returns, without its warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GmmxWarning)
        return function(*args, **kwargs)


def image(files, **options):
    """The observation of the counts image."""
    return quietly(
        read_observation, files / "counts.img", **({"exposure": files / "exp.fits"} | options)
    )


def test_the_psf_includes_the_pixel(files):
    seen = image(files, psf=1.5)
    assert seen.photons.pixel == pytest.approx(STEP)
    assert_allclose(seen.psf.covariances[0, 0, 0], (1.5**2 + STEP**2 / 12) * np.eye(2))
    assert "widened" in seen.psf.description
    assert_allclose(image(files, psf="none").psf.covariances[0, 0, 0], STEP**2 / 12 * np.eye(2))
    assert seen.pointing.choices["pixels"].startswith('counts image, 2"')
    assert seen.pointing.chips == (3,)


def test_the_photons_are_no_exposure_map(files):
    with pytest.raises(DataError, match=r"counts\.img: the photons themselves are no exposure map"):
        image(files, exposure=files / "counts.img")


def test_masks_take_whole_pixels_from_counts_and_completeness_alike(files):
    counts = fits.getdata(files / "counts.img")
    bars = image(files, mask=files / "bars.reg")
    hidden = np.arange(104) % 3 == 0
    assert_array_equal(
        bars.completeness.open_fraction, np.broadcast_to(np.where(hidden, 0.0, 1.0), (104, 104))
    )
    assert bars.n_photons == counts[:, ~hidden].sum()
    assert bars.dropped["mask"] == counts[:, hidden].sum()
    assert bars.pointing.masks[0].n_photons == counts[:, hidden].sum()


@pytest.mark.parametrize("step", [1.0, 4.0, 8.0])
def test_on_another_grid_the_same_pixels_are_masked(files, step):
    own, other = (
        image(files, mask=files / "bars.reg", grid=grid).completeness.effective.mean()
        for grid in (None, step)
    )
    assert_allclose(other, own, rtol=0.01)


def test_a_region_keeps_whole_pixels(files):
    counts = fits.getdata(files / "counts.img")
    region = image(files, region=files / "circle.reg")
    assert set(np.unique(region.completeness.open_fraction)) == {0.0, 1.0}
    assert region.n_photons == counts[region.completeness.open_fraction > 0].sum()


def test_the_amplitude_of_a_region_counts_photons_not_pixels(files):
    (files / "free.reg").write_text('fk5\nannulus(150,2.2,60",95")\n')
    seen = image(files, background="sky", background_region=files / "free.reg")
    (sky,) = seen.backgrounds
    inside = image(files, background="sky", region=files / "free.reg")
    expected = (
        inside.n_photons
        / (inside.completeness.effective.sum() * STEP**2)
        * seen.completeness.exposure.max()
    )
    assert_allclose(sky.amplitude, expected, rtol=1e-6)
    assert_allclose(sky.amplitude, 0.9 / STEP**2, rtol=0.05)


def test_the_amplitude_of_a_sky_behind_bars_comes_back(files):
    sky = image(files, mask=files / "bars.reg")
    counts = fits.getdata(files / "counts.img")
    result = quietly(fit_photons, sky, n_components=1, exchanges=0)
    # The bars cover 37 % of the area and 33 % of the pixels. With fractions of area the sky would
    # be 5 % too high, twelve of its errors.
    corner = counts[:20].mean() / STEP**2
    assert abs(result.backgrounds[0].amplitude - corner) < 4 * corner / np.sqrt(counts[:20].sum())
    assert (
        abs(result.backgrounds[0].amplitude - 0.9 / STEP**2)
        < 4 * result.backgrounds[0].amplitude_error
    )
    assert_allclose(np.sqrt(result.mixture.covariances[0, 0, 0]), 8, rtol=0.05)


def test_nothing_is_exposed_off_the_image(files):
    with fits.open(files / "counts.img") as hdus:
        hdus[0].data = hdus[0].data[:, :60].copy()
        hdus.writeto(files / "cut.img")
    cut = quietly(read_observation, files / "cut.img", exposure=files / "exp.fits")
    assert_array_equal(
        cut.completeness.exposure > 0, np.broadcast_to(np.arange(104) < 60, (104, 104))
    )
    assert cut.n_photons == fits.getdata(files / "cut.img").sum()


def test_without_exposure_map_the_field_is_the_outline_on_the_image_s_grid(files):
    with pytest.warns(DataWarning, match="no exposure map: uniform"):
        seen = read_observation(files / "counts.img", psf="none")
    assert seen.completeness.grid.shape == (104, 104)
    assert np.all(seen.completeness.exposure[2:-2, 2:-2] == 1)
    assert seen.completeness.exposure.max() == 1


def test_an_image_may_be_asked_for_its_own_band_and_chips(files):
    pointing = image(files, energy_kev="0.5:2", ccd="3").pointing
    assert (pointing.band_kev, pointing.chips) == ((0.5, 2.0), (3,))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"energy_kev": "1:2"}, "`energy_kev` = 1:2: .* cannot be cut in energy"),
        ({"ccd": "0-3"}, "`ccd` = 0,1,2,3: chips cannot be chosen .* this one is of 3"),
    ],
)
def test_an_image_cannot_be_cut(files, options, message):
    with pytest.raises(InputError, match=message):
        image(files, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"energy_kev": "0.9:2"}, "it is taken to be of 0.9:2 keV"),
        ({"ccd": "3"}, "`ccd` = 3: chips cannot be chosen"),
        ({"bin": 8.0}, "keeps its pixels"),
    ],
)
def test_an_image_without_its_band_takes_the_options_at_their_word(files, options, message):
    with fits.open(files / "counts.img", mode="update") as hdus:
        for key in ("ENERGYLO", "DSTYP1"):
            del hdus[0].header[key]
    given = {"psf": "none", "exposure": files / "exp.fits"}
    with pytest.warns(DataWarning, match=message):
        seen = read_observation(files / "counts.img", **given, **options)
    assert seen.photons.pixel == pytest.approx(STEP)
    assert seen.pointing.band_kev == ((0.9, 2.0) if "energy_kev" in options else None)


def test_min_sigma_is_raised_to_half_of_the_pixel(files):
    said = []
    out, result = quietly(
        fit,
        [files / "counts.img"],
        config=FitConfig(n_components=1, exposure=(str(files / "exp.fits"),), exchanges=0),
        say=said.append,
    )
    assert out.name == "counts.model.h5"
    assert [line for line in said if line.startswith("min_sigma: raised from 0.1 to 1 arcsec")]
    assert result.options["min_sigma"] == pytest.approx(STEP / 2)
    again = info(out)
    assert again.observations[0].photons.pixel == pytest.approx(STEP)
    images = render(again)
    assert_allclose(images.counts.values, fits.getdata(files / "counts.img"))
    # Pixels that are not the image's share the counts by area.
    coarse = render(
        again, grid=images.counts.grid.covering((-60, 60), (-60, 60), 3.0)
    ).counts.values
    assert_allclose(coarse.sum(), images.counts.values[22:82, 22:82].sum(), rtol=1e-9)
    assert quietly(fit_photons, image(files), n_components=1, exchanges=0, min_sigma=0.1).options[
        "min_sigma"
    ] == pytest.approx(STEP / 2)


def test_scores_of_an_image(files):
    exposure = (str(files / "exp.fits"),)
    model, result = quietly(
        fit,
        [files / "counts.img"],
        config=FitConfig(n_components=1, exposure=exposure, exchanges=0, psf=("1",)),
    )
    facts = score(model, [files / "counts.img"])
    assert facts["n_photons"] == fits.getdata(files / "counts.img").sum()
    assert_allclose(facts["expected_photons"], facts["n_photons"], rtol=0.01)
    runner = CliRunner()
    commands = (
        ["info", model, "--json"],
        ["plot", model, "--out", files / "p.png"],
        ["render", model, "--like", files / "exp.fits", "--out", files / "i.fits"],
    )
    outcomes = [runner.invoke(main, list(map(str, arguments))) for arguments in commands]
    assert [outcome.exit_code for outcome in outcomes] == [0, 0, 0]
    assert_allclose(fits.getdata(files / "i.fits", "COUNTS"), fits.getdata(files / "counts.img"))
    outcome = runner.invoke(main, ["info", str(model), "--json"])
    assert json.loads(outcome.stdout)["observations"][0]["photons"] == result.n_photons


def test_images_and_events_together(files):
    event_hdus().writeto(files / "evt.fits")
    options = {
        "exposure": (files / "exp.fits", files / "exp.fits"),
        "psf": (1.0, 1.0),
        "mask": files / "circle.reg",
    }
    seen = quietly(read_observations, [files / "counts.img", files / "evt.fits"], **options)
    assert [o.photons.pixel for o in seen] == pytest.approx([STEP, 0.0])
    assert len(np.unique(seen[1].completeness.open_fraction)) > 2
    result = quietly(fit_photons, seen, n_components=2, exchanges=0)
    assert result.options["min_sigma"] == 0.1


def test_photons_of_a_pixel_agree_with_single_ones(samples):
    given = {
        "psf": samples / "psfmap.fits.gz",
        "exposure": samples / "expmap.fits.gz",
        "mask": samples / "sources.reg",
        "energy_kev": "0.5:2",
    }
    single, *all_binned = [
        read_observation(samples / "events.fits.gz", bin=cell, **given) for cell in (None, 2.0, 4.0)
    ]
    start = quietly(fit_photons, all_binned[1], n_components=4, exchanges=0, max_iter=20).mixture
    single = quietly(fit_photons, single, start=start, tol=1.0)
    sigma = np.sqrt(np.sqrt(np.linalg.det(single.mixture.covariances)))
    for binned in all_binned:
        binned = quietly(fit_photons, binned, start=start, tol=1.0)
        assert_allclose(binned.mixture.fluxes.sum(), single.mixture.fluxes.sum(), rtol=1e-3)
        assert_allclose(binned.mixture.fluxes, single.mixture.fluxes, rtol=0.05)
        assert_allclose(
            np.sqrt(np.sqrt(np.linalg.det(binned.mixture.covariances))), sigma, rtol=0.02
        )


def test_widening_twice_is_widening_once():
    one, two = PsfModel.constant(1.0).widened(0.3).widened(0.5), PsfModel.constant(1.0).widened(0.8)
    assert_allclose(one.covariances, two.covariances)


def test_sources_of_a_model_and_of_a_list_are_the_same(files, tmp_path):
    options = {
        "exposure": (str(files / "exp.fits"),),
        "psf": ("1.5",),
        "background": ("sky",),
        "sources": (str(files / "circle.reg"),),
        "threads": 1,
        "max_iter": 40,
    }
    out, first = quietly(
        fit,
        [files / "counts.img"],
        tmp_path / "one.h5",
        FitConfig(n_components=1, exchanges=0, **options),
    )
    assert first.points.sum() == 1
    said = []
    _, again = quietly(
        fit,
        [files / "counts.img"],
        tmp_path / "two.h5",
        FitConfig(init=str(out), **options),
        say=said.append,
    )
    assert again.points.sum() == 1
    assert "point sources: the initial components contain 1 of the list" in said
    export(out, tmp_path / "one.ecsv")
    _, found = quietly(
        fit,
        [files / "counts.img"],
        tmp_path / "three.h5",
        FitConfig(n_components=1, exchanges=0, fix=str(tmp_path / "one.ecsv"), **options),
    )
    assert found.points.sum() == 1
