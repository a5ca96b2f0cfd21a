"""Several pointings of one sky come into one plane, each with its own options."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from made_files import DEC0, PIXEL, RA0, event_hdus, flat, image_hdus
from numpy.testing import assert_allclose
from simulated import drawn, field, mixture_of

from gmmx.commands.fit import fit
from gmmx.commands.render import render
from gmmx.commands.score import score
from gmmx.config import FitConfig, RenderConfig
from gmmx.errors import DataWarning, InputError
from gmmx.fitting.driver import fit as fit_photons
from gmmx.io.models import read_model
from gmmx.io.virtual import parse_file_arguments
from gmmx.model.background import Background
from gmmx.model.psf import PsfModel
from gmmx.reading.door import observations_of, read_observations
from gmmx.reading.held_out import read_held_out

pytestmark = pytest.mark.filterwarnings("ignore:.*no exposure map:gmmx.errors.DataWarning")
# East by 60 arcsec: most of the two fields of 200 arcsec overlap.
SHIFT = 60 / 3600


@pytest.fixture
def pair(tmp_path, monkeypatch):
    """Two pointings of one sky, each with its own tangent point, and their maps."""
    monkeypatch.chdir(tmp_path)
    for i, ra in enumerate((RA0, RA0 + SHIFT)):
        event_hdus(ra=ra, OBS_ID=str(i)).writeto(f"events_{i}.fits")
        image_hdus(flat(3e5 * (1 + i)), ra=ra, OBS_ID=str(i)).writeto(f"expmap_{i}.fits")
    (tmp_path / "sky.reg").write_text(f'fk5\ncircle({RA0},{DEC0 + 0.02},12")\n')
    (tmp_path / "physical.reg").write_text("physical\ncircle(4096.5,4196.5,12)\n")
    return ["events_0.fits", "events_1.fits"]


def read(events, **options):
    """Observations of a fit, without a PSF, between 0.5 and 2 keV."""
    files = parse_file_arguments(events)
    config = FitConfig(psf=("none",), energy_kev="0.5:2", **options)
    return observations_of(files, config, sources=config.sources)


MAPS = {"exposure": ("expmap_0.fits", "expmap_1.fits")}


def test_all_come_into_the_plane_of_the_first(pair):
    one, two = read(pair, **MAPS)
    assert one.frame == two.frame
    # The source at the second pointing's centre lies east of the first's, which is at smaller x.
    assert_allclose(
        [np.median(one.photons.x), np.median(two.photons.x)],
        [0, -60 * np.cos(np.radians(DEC0))],
        atol=2,
    )
    assert [o.name for o in (one, two)] == ["events_0", "events_1"]
    assert [o.completeness.exposure.max() for o in (one, two)] == [3e5, 6e5]
    assert_allclose(
        two.completeness.grid.to_plane(51.5, 51.5), [-60 * np.cos(np.radians(DEC0)), 0], atol=0.05
    )


def test_the_first_keeps_its_physical_pixels(pair, tmp_path):
    (alone,), (one, two) = read(pair[:1], exposure=("expmap_0.fits",)), read(pair, **MAPS)
    assert one.physical == alone.physical
    assert np.array_equal(one.photons.x, alone.photons.x)
    assert two.physical is None
    config = FitConfig(
        n_components=1, psf=("none",), energy_kev="0.5:2", max_iter=20, threads=1, **MAPS
    )
    fit(pair, "model.h5", config)
    render("model.h5", "images.fits")
    assert [
        fits.getheader("images.fits", f"RESIDUAL{name}")["OBS_ID"] for name in ("", "_1", "_2")
    ] == ["Merged", "0", "1"]
    # Physical pixels of another pointing are no pixels of this plane.
    assert ["LTV1" in fits.getheader("images.fits", f"COUNTS_{i}") for i in (1, 2)] == [True, False]
    render("model.h5", "one.fits", RenderConfig(image="residual_2"))
    assert fits.getheader("one.fits")["HDUNAME"] == "RESIDUAL_2"
    with pytest.raises(InputError, match="no image residual_3: it was fitted to 2 observations"):
        render("model.h5", "none.fits", RenderConfig(image="residual_3"))
    header = fits.getheader("images.fits", "SIGNAL")
    assert (header["LTM1_1"], header["WCSNAMEP"]) == (pytest.approx(PIXEL / 2), "PHYSICAL")
    # The tangent point in the first observation's sky pixels.
    assert_allclose(
        WCS(header, key="P").all_pix2world(*WCS(header).all_world2pix(RA0, DEC0, 0), 0),
        [4096.5, 4096.5],
        atol=1e-4,
    )


@pytest.mark.filterwarnings("ignore:.*is it the source that is to be fitted")
@pytest.mark.parametrize("residual", [None, 0.0], ids=["affine", "resampled"])
def test_a_model_is_scored_on_the_photons_of_its_fit(pair, tmp_path, monkeypatch, residual):
    if residual is not None:
        monkeypatch.setattr("gmmx.reading.reproject.MAX_RESIDUAL", residual)
    # A hole in the field, because photons on zero exposure are dropped in the plane of the fit.
    holed = flat(3e5)
    holed[30:40, 50:75] = 0
    image_hdus(holed, ra=RA0 + SHIFT).writeto("expmap_1.fits", overwrite=True)
    (tmp_path / "many.reg").write_text(
        f'fk5\nellipse({RA0 + 0.01},{DEC0},30",11",40)\n'
        f'annulus({RA0},{DEC0 - 0.01},9",23")\n-circle({RA0},{DEC0 - 0.006},8")\n'
    )
    (tmp_path / "field.reg").write_text(f'fk5\ncircle({RA0 + 0.008},{DEC0},93.3")\n')
    config = FitConfig(
        n_components=1,
        psf=("none",),
        energy_kev="0.5:2",
        mask=("many.reg",),
        region=("field.reg",),
        max_iter=20,
        threads=1,
        **MAPS,
    )
    _, result = fit(pair, "model.h5", config)
    assert [sorted(o.dropped) for o in result.observations] == [
        ["mask", "region"],
        ["mask", "region", "zero exposure"],
    ]
    facts = score("model.h5", pair)
    assert facts["n_photons"] == result.n_photons
    kept = [
        read_held_out(path, o)
        for path, o in zip(pair, read_model("model.h5").observations, strict=True)
    ]
    for mine, its in zip(kept, result.observations, strict=True):
        assert np.array_equal(mine.photons.x, its.photons.x)
        assert np.array_equal(mine.photons.y, its.photons.y)


def test_one_event_list_alone_is_left_as_it_is(pair):
    (one,) = read(pair[1:], exposure=("expmap_1.fits",))
    assert_allclose(np.median(one.photons.x), 0, atol=2)
    assert one.physical is not None


def test_a_mask_in_sky_coordinates_holds_for_all(pair):
    one, two = read(pair, mask=("sky.reg",), **MAPS)
    centres = [o.mask_outlines(8)[0].mean(0) for o in (one, two)]
    assert_allclose(centres, [[0, 72]] * 2, atol=5)
    assert min(o.dropped["mask"] for o in (one, two)) > 0


@pytest.mark.parametrize(
    ("option", "cure"),
    [("mask", "give one file for each, or one in fk5"), ("sources", "give it in fk5")],
)
def test_physical_coordinates_do_not_hold_for_several_pointings(pair, option, cure):
    with pytest.raises(InputError, match=f"physical.reg: .* another place .*: {cure}"):
        read(pair, **{option: ("physical.reg",)}, **MAPS)


def test_each_pointing_may_have_a_mask_in_physical_coordinates(pair):
    one, two = read(pair, mask=("physical.reg", "physical.reg"), **MAPS)
    assert_allclose(
        two.mask_outlines(8)[0].mean(0) - one.mask_outlines(8)[0].mean(0),
        [-60 * np.cos(np.radians(DEC0)), 0],
        atol=0.05,
    )


@pytest.mark.filterwarnings("ignore:.*given 2 times")
def test_two_copies_of_an_event_list_share_physical_coordinates(pair):
    assert len(read([pair[0]] * 2, mask=("physical.reg",), exposure=("expmap_0.fits",) * 2)) == 2


def test_an_event_list_that_is_given_twice_is_a_warning(pair):
    with pytest.warns(DataWarning, match="given 2 times, so that each of its photons counts"):
        read([pair[0]] * 2, exposure=("expmap_0.fits",) * 2)


@pytest.mark.filterwarnings("ignore:.*given 2 times")
def test_equal_names_are_told_apart(pair):
    assert [o.name for o in read([pair[0]] * 2, exposure=("expmap_0.fits",) * 2)] == [
        "events_0_1",
        "events_0_2",
    ]


def test_a_fixed_brightness_of_the_sky_refers_to_the_sum_of_the_exposures(pair):
    (alone,) = read(pair[:1], exposure=("expmap_0.fits",), background=("sky=1e-9",))
    assert_allclose(alone.backgrounds[0].amplitude, 3e5 * 1e-9)
    together = read(pair, background=("sky=1e-9",), **MAPS)
    assert_allclose([o.backgrounds[0].amplitude for o in together], [9e5 * 1e-9] * 2)


def test_values_go_in_the_order_of_the_event_lists(pair):
    one, two = read_observations(
        pair, psf=("0.5", "2"), energy_kev="0.5:2", background=("none", "sky"), **MAPS
    )
    assert_allclose([np.sqrt(o.psf.covariances.ravel()[0]) for o in (one, two)], [0.5, 2.0])
    assert [len(o.backgrounds) for o in (one, two)] == [0, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"exposure": ("expmap_0.fits",)}, "`exposure`: one value for 2 event lists"),
        ({"mask": ("sky.reg",) * 3}, "`mask`: 3 values for 2 event lists"),
    ],
)
def test_the_number_of_values_has_to_fit(pair, options, message):
    with pytest.raises(InputError, match=message):
        read(pair, **MAPS | options)


def test_fields_may_overlap_in_a_chain(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # Each field overlaps the next one; the first does not overlap the last one.
    for i in range(3):
        event_hdus(ra=RA0 + i * 150 / 3600).writeto(f"{i}.fits")
    assert len(read([f"{i}.fits" for i in range(3)])) == 3
    with pytest.raises(InputError, match="2 event lists that do not overlap on the sky"):
        read(["0.fits", "2.fits"])


def test_pixels_are_those_of_the_files(pair):
    (one,) = read(pair[:1], exposure=("expmap_0.fits",))
    assert_allclose(one.physical.step_x, PIXEL)


@pytest.mark.filterwarnings("ignore::gmmx.errors.DegeneracyWarning")
def test_two_copies_of_a_pointing_are_one_of_twice_the_photons():
    truth = mixture_of((1500, -40, -30, 3), (900, 35, 20, 8), (600, 30, -45, 1.5))
    completeness = replace(field(200, 2.0, exposure=3e6), unit="cm**2 s")
    one = drawn(
        truth,
        completeness,
        np.random.default_rng(3),
        psf=PsfModel.constant(0.8),
        sky=0.03,
        backgrounds=(Background(),),
    )
    options = {
        "start": truth,
        "threads": 1,
        "tol": 1e-6,
        "prior_mean_count": 0,
        "prior_covariance_count": 0,
    }
    alone, both, weighted = (
        fit_photons(o, **options)
        for o in (
            one,
            [one, replace(one, name="copy")],
            replace(one, photons=replace(one.photons, weights=np.full(len(one.photons), 2.0))),
        )
    )
    # Twice the photons came in twice the exposure: fluxes are the same, per area and time.
    assert both.reference_exposure == 2 * alone.reference_exposure
    fluxes, same = (r.mixture.fluxes / r.reference_exposure for r in (both, alone))
    assert_allclose(fluxes, same, rtol=1e-3)
    assert_allclose(both.mixture.means, alone.mixture.means, atol=1e-2)
    assert_allclose(both.mixture.covariances, alone.mixture.covariances, rtol=1e-2, atol=0.02)
    assert [b.observation for b in both.backgrounds] == ["drawn", "copy"]
    assert_allclose([b.photons for b in both.backgrounds], alone.backgrounds[0].photons, rtol=2e-3)

    half = np.sqrt(0.5)
    for name in ("flux_errors", "signal_error"):
        mine, its = (getattr(r, name) / r.reference_exposure for r in (both, alone))
        assert_allclose(mine, half * its, rtol=0.02)
    assert_allclose(both.mean_errors, half * alone.mean_errors, rtol=0.02)
    assert both.background_photons == pytest.approx(2 * alone.background_photons, rel=2e-3)
    assert both.background_error / both.background_photons == pytest.approx(
        half * alone.background_error / alone.background_photons, rel=0.02
    )
    # And as for a single pointing in which every photon counts twice, all errors alike.
    for name in ("flux_errors", "signal_error", "mean_errors", "background_error"):
        assert_allclose(getattr(both, name), getattr(weighted, name), rtol=0.02)
