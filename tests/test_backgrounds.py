"""Backgrounds that are named, read from files or measured in a region."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits
from made_files import event_hdus, image_hdus
from numpy.testing import assert_allclose

import gmmx
from gmmx.commands.fit import fit
from gmmx.commands.score import score
from gmmx.config import FitConfig
from gmmx.errors import DataError, DataWarning, InputError
from gmmx.plane.frame import SkyFrame
from gmmx.reading.background_request import FORMS, parse_backgrounds

STEP = 2.0


@pytest.fixture
def files(tmp_path):
    """An ACIS-I pointing with a vignetted exposure map, and backgrounds as files."""

    def write(name, hdus):
        hdus.writeto(tmp_path / name, overwrite=True)
        return str(tmp_path / name)

    y, x = (np.mgrid[:104, :104] - 51.5) * STEP
    exposure = np.where(
        np.maximum(np.abs(x), np.abs(y)) < 102, 1e6 * (1 - 0.15 * np.hypot(x, y) / 140), 0
    )
    rng = np.random.default_rng(0)
    return SimpleNamespace(
        folder=tmp_path,
        write=write,
        x=x,
        y=y,
        events=write("events.fits", event_hdus()),
        exposure=write("expmap.fits", image_hdus(exposure)),
        counts=write(
            "stowed.img", image_hdus(rng.poisson(3.0 * (exposure > 0)), unit="", EXPOSURE=1e4)
        ),
        smooth=write("smooth.fits", image_hdus(0.07 * (1 + x / 200), unit="count")),
        stowed=write("stowed_evt.fits", event_hdus(n=4000, EXPOSURE=4000.0)),
    )


def read(files, background=None, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # The photons of these files have a source, and some are of one chip of two.
        warnings.filterwarnings("ignore", ".*(has sources in it|map has more chips)")
        return gmmx.read_observation(
            files.events,
            **({"exposure": files.exposure, "psf": "none", "background": background} | options),
        )


def by_name(observation):
    """The backgrounds of an observation as a dict."""
    return {b.name: b for b in observation.backgrounds}


def test_acis_has_sky_and_particles_by_default(files):
    assert list(by_name(read(files))) == ["sky", "particle"]
    assert (
        read(files).pointing.choices["background"]
        == "sky and particles, amplitudes fitted (default for ACIS)"
    )


def test_a_flat_exposure_leaves_the_sky_alone_by_default(files):
    flat = files.write("flat.fits", image_hdus(np.full((104, 104), 1e6)))
    assert list(by_name(read(files, exposure=flat))) == ["sky"]


def test_other_instruments_have_the_sky_alone_by_default(files):
    files.write("events.fits", event_hdus(INSTRUME="EMOS1", TELESCOP="XMM"))
    assert list(by_name(read(files))) == ["sky"]


def test_without_an_exposure_map_the_default_is_the_sky_alone(files):
    with pytest.warns(DataWarning, match="no exposure map"):
        observation = gmmx.read_observation(files.events, psf="none")
    assert [b.name for b in observation.backgrounds] == ["sky"]
    assert "without an exposure map" in observation.pointing.choices["background"]


@pytest.mark.parametrize("background", [("sky", "particle"), "sky,particle", ["sky,particle"]])
def test_words_are_joined_with_commas_or_listed(files, background):
    sky, particle = read(files, background).backgrounds
    assert (sky.kind, particle.kind) == ("sky", "particle")
    assert sky.template is None
    inside = (np.abs(files.x) < 80) & (np.abs(files.y) < 80)
    assert_allclose(particle.template.values[inside], 1.0, atol=0.04)


@pytest.fixture
def two_chips(files):
    """The same files with photons on chip 6 (x < 0) and on chip 7, which is back-illuminated."""
    hdus = event_hdus()
    hdus[1].data["ccd_id"] = np.where(hdus[1].data["x"] > 4096.5, 7, 6)
    files.write("events.fits", hdus)
    return files


def test_back_illuminated_chips_have_particles_of_their_own(two_chips):
    front, behind = read(two_chips, "particle", ccd="all").backgrounds
    assert (front.name, behind.name) == ("particle-fi", "particle-bi")
    covered = (front.template.values > 0).astype(int) + (behind.template.values > 0)
    assert covered.max() == 1
    assert np.mean(behind.template.values[two_chips.x > 5] > 0) > 0.9
    assert np.all(behind.template.values[two_chips.x < -5] == 0)


def test_one_kind_of_chip_has_one_background_of_particles(two_chips):
    assert [b.name for b in read(two_chips, "particle", ccd="6").backgrounds] == ["particle"]


def test_the_particles_of_one_kind_of_chip_can_be_fixed(two_chips):
    fixed = read(two_chips, "particle-bi=0.002,particle-fi", ccd="all").backgrounds
    assert [(b.name, b.fixed) for b in fixed] == [("particle-bi", True), ("particle-fi", False)]


def test_particles_of_chips_outside_the_field_are_refused(two_chips):
    with pytest.raises(InputError, match="none of its chips is in the field"):
        read(two_chips, "particle-bi", ccd="6")


def test_a_value_fixes_the_amplitude(files):
    fixed = by_name(read(files, "sky=1e-9,particle=0.003"))
    assert_allclose(fixed["sky"].amplitude, 1e-9 * np.float32(fits.getdata(files.exposure).max()))
    assert (fixed["particle"].amplitude, fixed["particle"].fixed) == (0.003, True)


def test_a_fixed_background_brighter_than_the_photons_is_warned_of(files):
    with pytest.warns(DataWarning, match="background particle makes .* more than the"):
        gmmx.read_observation(
            files.events, exposure=files.exposure, psf="none", background="particle=3"
        )


def test_the_value_of_a_streak_is_a_fraction():
    assert parse_backgrounds(["streak=0.02"])[0].amplitude == 0.02
    with pytest.raises(
        InputError, match="`background` = streak=2: that is the fraction of all photons, below 1"
    ):
        parse_backgrounds(["streak=2"])


def test_a_counts_image_is_smoothed_and_edges_do_not_darken(files):
    (b,) = read(files, files.counts).backgrounds
    assert (b.name, b.kind, b.amplitude) == ("stowed.img", "file", None)
    inside = np.maximum(np.abs(files.x), np.abs(files.y)) < 90
    assert_allclose(b.template.values[inside], 1.0, atol=0.15)
    # A rim as bright as the middle, where a plain Gaussian would have lost half.
    rim = inside & (np.maximum(np.abs(files.x), np.abs(files.y)) > 80)
    assert_allclose(
        b.template.values[rim].mean(), b.template.values[inside & ~rim].mean(), rtol=0.05
    )
    assert (
        "smoothed on each chip with sigma"
        in read(files, files.counts).pointing.choices["background"]
    )
    assert [file.role for file in read(files, files.counts).pointing.inputs] == [
        "events",
        "exposure",
        "background",
    ]


def test_a_smooth_image_is_taken_as_it_is(files):
    (b,) = read(files, files.smooth).backgrounds
    shape = 1 + files.x / 200
    inside = b.template.values > 0
    assert_allclose(b.template.values[inside], (shape / shape[inside].mean())[inside], rtol=1e-5)


def test_events_are_cut_alike_and_scaled_by_exposure(files):
    (b,) = read(files, f"{files.stowed}:fixed").backgrounds
    field = files.write("all.fits", event_hdus(n=4000))
    x, y = ((fits.getdata(field)[name] - 4096.5) * 0.492 for name in ("x", "y"))
    n = np.count_nonzero(
        fits.getdata(files.exposure)[
            np.floor(y / STEP + 52).astype(int), np.floor(x / STEP + 52).astype(int)
        ]
        > 0
    )
    photons = b.amplitude * b.template.values.sum() * STEP**2
    assert_allclose(photons, n * 1000 / 4000, rtol=0.01)
    hard = read(files, f"{files.stowed}:fixed", energy_kev="1:1.5").backgrounds[0]
    assert_allclose(hard.amplitude / b.amplitude, 1 / 3, rtol=0.1)


def test_an_image_of_counts_is_scaled_by_exposure(files):
    values = fits.getdata(files.counts)
    with pytest.warns(DataWarning, match="stowed.img makes"):
        o = gmmx.read_observation(
            files.events, exposure=files.exposure, psf="none", background=f"{files.counts}:fixed"
        )
    (b,) = o.backgrounds
    # The events are of 1000 s, the image of 10000 s, as an event list of it would be.
    assert_allclose(b.amplitude * b.template.values.sum() * STEP**2, values.sum() / 10, rtol=0.01)
    assert "times 0.1, the ratio of EXPOSURE" in o.pointing.choices["background"]


def test_an_image_of_counts_that_tells_no_time_predicts_its_own(files):
    untimed = files.write(
        "untimed.img", image_hdus(np.round(fits.getdata(files.counts) / 3), unit="")
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (b,) = gmmx.read_observation(
            files.events, exposure=files.exposure, psf="none", background=f"{untimed}:fixed"
        ).backgrounds
    assert_allclose(
        b.amplitude * b.template.values.sum() * STEP**2, fits.getdata(untimed).sum(), rtol=0.01
    )


def test_the_sky_runs_through_the_pipeline_and_back(files):
    config = FitConfig(
        exposure=(files.exposure,),
        psf=("none",),
        background=(f"sky,particle,streak,{files.smooth}",),
        n_components=1,
    )
    files.write("events.fits", _rolled())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out, result = fit([files.events], files.folder / "m.h5", config)
    again = gmmx.read(out)
    for one, two in zip(
        result.observations[0].backgrounds, again.observations[0].backgrounds, strict=True
    ):
        assert (one.name, one.kind, one.amplitude, one.fixed) == (
            two.name,
            two.kind,
            two.amplitude,
            two.fixed,
        )
        assert (one.template is None) == (two.template is None)
        assert one.template is None or np.array_equal(one.template.values, two.template.values)
    assert [b.kind for b in again.backgrounds] == ["sky", "particle", "streak", "file"]
    assert again.background_error == result.background_error
    images = gmmx.render(again)
    assert_allclose(
        images.expected.values.sum(), result.background_photons + result.signal_photons, rtol=2e-3
    )
    facts = score(out, [files.events])
    assert np.isfinite(facts["score"])
    assert_allclose(
        facts["expected_photons"], result.background_photons + result.signal_photons, rtol=2e-3
    )


def _rolled():
    return event_hdus(ROLL_PNT=40.0, EXPTIME=3.2)


@pytest.fixture
def region(files):
    """A source-free strip at the upper edge."""
    path = files.folder / "free.reg"
    path.write_text("physical\nbox(4096.5,4258,400,80,0)\n")
    return path


def test_an_amplitude_is_measured_in_a_region(files, region):
    observation = read(files, "sky", background_region=region)
    (b,) = observation.backgrounds
    assert b.fixed
    # With one background the relative error is that of the counts.
    choice = observation.pointing.choices["background"]
    counts = int(choice.split("amplitudes fitted to the ")[1].split()[0])
    assert choice.endswith("photons in free.reg and kept fixed")
    assert len(b.deviations) == 1
    assert_allclose(b.deviations[0] / b.amplitude, 1 / np.sqrt(counts), rtol=1e-6)
    assert observation.pointing.inputs[-1].role in ("background region", "background")


def test_the_region_may_lie_where_nothing_is_fitted(files, region):
    kept = files.folder / "kept.reg"
    kept.write_text('fk5\ncircle(150.0,2.2,50")\n')
    whole, part = (
        read(files, "sky", background_region=region, **options).backgrounds[0]
        for options in ({}, {"region": kept})
    )
    assert_allclose(part.amplitude, whole.amplitude)


def test_a_region_needs_a_background_that_is_not_fixed(files, region):
    with pytest.raises(InputError, match="no background is left"):
        read(files, "sky=1e-9", background_region=region)


def test_a_region_without_photons_is_refused(files, region):
    region.write_text("physical\nbox(5000,5000,40,20,0)\n")
    with pytest.raises((InputError, DataError), match=r"free\.reg: no"):
        read(files, "sky", background_region=region)


def test_maps_move_with_their_observation(files):
    here = read(files, f"particle,{files.smooth}")
    there = read(files, f"particle,{files.smooth}", frame=SkyFrame(150.05, 2.25))
    for one, two in zip(here.backgrounds, there.backgrounds, strict=True):
        assert not np.allclose(one.template.grid.origin, two.template.grid.origin)
        same = np.isclose(
            one.template.at(here.photons.x, here.photons.y),
            two.template.at(there.photons.x, there.photons.y),
            rtol=1e-9,
        )
        assert same.mean() > 0.99


@pytest.mark.parametrize(
    ("background", "message"),
    [
        ("stowed", FORMS),
        ("sky=high", "must be a number"),
        ("particle=-1", "must be a number"),
        (("sky", "sky=1e-9"), "one sky background is enough"),
        (("particle", "particle-fi"), "give either"),
    ],
)
def test_what_cannot_be_a_background_is_refused(background, message):
    with pytest.raises(InputError) as caught:
        parse_backgrounds([background] if isinstance(background, str) else background)
    assert message in str(caught.value)


@pytest.fixture
def bad_files(files):
    """Files that cannot be backgrounds, beside the good ones."""
    files.write("away.fits", image_hdus(np.ones((104, 104)), ra=152.0, unit="count"))
    files.write("rate.fits", image_hdus(np.full((104, 104), 0.1), unit="count/s"))
    files.write("nothing.fits", image_hdus(np.zeros((104, 104)), unit="count"))
    files.write("negative.fits", image_hdus(np.full((104, 104), -1.0), unit="count"))
    untimed = event_hdus()
    del untimed[1].header["EXPOSURE"]
    files.write("untimed.fits", untimed)
    files.write("flat.fits", image_hdus(np.full((104, 104), 1e6)))
    (files.folder / "inner.reg").write_text('fk5\ncircle(150.0,2.2,50")\n')
    return files


@pytest.mark.parametrize(
    ("error", "message", "background", "options"),
    [
        (DataError, "no such file", "absent.fits", {}),
        (DataError, "does not overlap the field", "away.fits", {}),
        (DataError, "is not counts per pixel", "rate.fits:fixed", {}),
        (DataError, "zero everywhere", "nothing.fits", {}),
        (DataError, "cannot be negative", "negative.fits", {}),
        (DataError, "scaled by EXPOSURE", "untimed.fits:fixed", {}),
        (
            InputError,
            "they are the same",
            "sky,particle",
            {"exposure": "flat.fits", "region": "inner.reg"},
        ),
        (InputError, "CCD_ID and ROLL_PNT", "streak", {}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_errors_are_one_line(bad_files, error, message, background, options):
    folder = bad_files.folder
    background = str(folder / background) if ".fits" in background else background
    options = {name: str(folder / file) for name, file in options.items()}
    with warnings.catch_warnings(), pytest.raises(error) as caught:
        warnings.simplefilter("ignore")
        read(bad_files, background, **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_does_not_cover_the_field_is_filled_with_a_warning(files):
    values = np.full((104, 104), 0.1)
    values[:, :20] = np.nan
    part = files.write("part.fits", image_hdus(values, unit="count"))
    with pytest.warns(DataWarning, match=r"does not cover 1\d\.\d % of the field"):
        o = gmmx.read_observation(
            files.events, exposure=files.exposure, psf="none", background=part
        )
    assert_allclose(
        o.backgrounds[0].template.values[50],
        np.where(o.completeness.exposure[50] > 0, 1.0, 0.0),
        atol=0.1,
    )
