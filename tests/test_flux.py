"""Fluxes in regions: `gmmx flux` and `FitResult.flux`."""

import json
from dataclasses import replace

import numpy as np
import pytest
from astropy.table import QTable
from command_line import run
from numpy.testing import assert_allclose, assert_array_equal
from simulated import drawn, field, mixture_of

import gmmx
from gmmx.answers.errors import draws_of, make_draws
from gmmx.answers.flux import Region, region_fluxes
from gmmx.answers.place import Place, normal_samples
from gmmx.commands.flux import circle_of, flux
from gmmx.config import FluxConfig
from gmmx.errors import InputError
from gmmx.model.background import Background
from gmmx.plane.frame import SkyFrame
from gmmx.plane.shapes import Box, Shapes, circle

FRAME = SkyFrame(150.0, 2.0)
TRUTH = mixture_of((3000, -20, 0, 4), (1500, 25, 10, 8))


@pytest.fixture(scope="module")
def result():
    """A fit of two sources on a background of 0.05 photon/arcsec^2."""
    observation = drawn(
        TRUTH,
        field(160, 2.0),
        np.random.default_rng(3),
        sky=0.05,
        backgrounds=(Background(),),
    )
    return gmmx.fit(replace(observation, frame=FRAME), n_components=2, threads=1)


def fluxes_in(result, *shapes):
    """The fluxes in bare shapes."""
    regions = [Region(f"shape {i}", Shapes.of(shape)) for i, shape in enumerate(shapes)]
    return region_fluxes(result, regions, draws_of(result))


def disc_fraction(radius, sigma):
    """Fraction of a round Gaussian within a radius of its centre."""
    return 1 - np.exp(-0.5 * (radius / sigma) ** 2)


def test_the_photons_in_a_circle_are_the_integral_of_the_mixture(result):
    one = result.extended.select([0])
    sigma = np.linalg.det(one.covariances[0]) ** 0.25
    found = fluxes_in(result, circle(*one.means[0], 9.0))
    other = 1500 * 1e-6
    expected = one.fluxes[0] * disc_fraction(9.0, sigma)
    assert_allclose(found.photons.value[0], expected, rtol=5e-3, atol=other)


def test_the_photons_in_two_halves_are_those_of_the_whole(result):
    left, right, whole = Box(-30, 0, 60, 160), Box(30, 0, 60, 160), Box(0, 0, 120, 160)
    photons = fluxes_in(result, left, right, whole).photons.value
    assert_allclose(photons[:2].sum(), photons[2], rtol=1e-5)


def test_a_region_of_everything_holds_all_photons(result):
    found = fluxes_in(result, circle(0, 0, 300))
    assert_allclose(found.photons.value[0], result.extended.fluxes.sum(), rtol=1e-6)
    assert found.counts[0] == result.n_photons
    assert_allclose(found.background_counts.value[0], result.background_photons, rtol=1e-6)


def test_the_interval_of_a_bright_source_is_that_of_its_photons(result):
    found = fluxes_in(result, circle(-20, 0, 14))
    photons = found.photons
    assert_allclose(photons.error[0], np.sqrt(found.counts[0]), rtol=0.3)
    assert photons.lower95[0] < photons.lower68[0] < photons.value[0] < photons.upper68[0]
    assert abs(photons.value[0] - 3000) < 4 * photons.error[0]
    assert np.isnan(found.upper95[0])
    assert found.significance[0] > 50


def test_samples_agree_with_the_integral(result):
    place = Place.of(result, Region("circle", Shapes.of(circle(-17, 3, 6))))
    sampled = place.sampled(result.extended, normal_samples())
    assert_allclose(sampled, place.photons(result.extended), rtol=5e-3)


def test_a_region_without_a_source_has_an_upper_limit_of_its_photons(result):
    # 314 arcsec^2 hold 16 photons of background, of which 4 sigma are some 20 photons more.
    found = fluxes_in(result, circle(-50, -55, 10))
    expected = 0.05 * np.pi * 100
    assert_allclose(found.background_counts.value[0], expected, rtol=0.2)
    assert found.significance[0] < 3
    assert np.sqrt(expected) < found.upper95[0] < 6 * np.sqrt(expected)
    assert 0 <= found.photons.upper68[0] < found.upper95[0]


@pytest.mark.slow
def test_upper_limits_hold_what_a_region_may_have():
    # No source is there: the limit is above zero, and not above what 95 % of skies allow.
    limits = []
    for seed in range(40):
        observation = drawn(
            mixture_of((2000, 20, 0, 5)),
            field(100, 2.0),
            np.random.default_rng(seed),
            sky=0.02,
            backgrounds=(Background(),),
        )
        fitted = gmmx.fit(observation, n_components=1, threads=1)
        limits.append(fluxes_in(fitted, circle(-30, -30, 8)).upper95[0])
    # 4 photons of background: a limit of 3 to 12 photons.
    assert_allclose(np.median(limits), 5.2, rtol=0.4)


def test_nothing_is_known_of_a_region_that_was_not_observed(result):
    found = fluxes_in(result, circle(400, 0, 10))
    assert found.observed_fraction[0] == 0
    assert np.isnan(found.upper95[0])
    assert np.isnan(found.photons.upper68[0])


def test_the_background_of_a_region_has_the_error_of_its_amplitude(result):
    with_draws = make_draws(result, 400, seed=2)
    found = region_fluxes(
        with_draws, [Region("one", Shapes.of(circle(-20, 0, 10)))], draws_of(with_draws)
    ).background_counts
    amplitudes = with_draws.draws.amplitudes[:, 0]
    relative = np.diff(np.quantile(amplitudes, [0.1587, 0.8413])) / 2 / amplitudes.mean()
    assert_allclose(found.error / found.value, relative, rtol=0.05)


def test_no_limit_is_below_the_interval(result):
    # A circle between the sources of a sky with fewer photons than the background expects.
    places = [(x, y) for x in (-60, -45, 50, 65) for y in (-60, -45, 50, 65)]
    found = fluxes_in(result, *(circle(*place, 6) for place in places))
    weak = found.significance < 3
    assert weak.sum() > 10
    assert np.all(found.upper95[weak] >= found.photons.upper68[weak])


def test_regions_that_share_photons_are_correlated(result):
    found = fluxes_in(result, circle(-20, 0, 10), circle(-20, 0, 11), circle(25, 10, 15))
    assert_allclose(np.diag(found.correlations), 1)
    assert found.correlations[0, 1] > 0.9
    assert abs(found.correlations[0, 2]) < 0.4


def test_stored_draws_are_used(result):
    with_draws = make_draws(result, 30, seed=5)
    found = region_fluxes(
        with_draws, [Region("one", Shapes.of(circle(-20, 0, 10)))], draws_of(with_draws)
    )
    assert found.drawn.shape == (30, 1)


@pytest.mark.parametrize(
    ("text", "ra", "dec", "radius"),
    [
        ("187.706,12.391,30", 187.706, 12.391, 30),
        ("12:30:49.44, +12:23:27.6, 4.5", 187.706, 12.391, 4.5),
        ('187.706,-12.391,30"', 187.706, -12.391, 30),
    ],
)
def test_a_circle_is_a_centre_and_a_radius(text, ra, dec, radius):
    found = circle_of(text)
    assert_allclose([found.center.ra.deg, found.center.dec.deg], [ra, dec], atol=1e-6)
    assert_allclose(found.radius.to_value("arcsec"), radius)


@pytest.mark.parametrize("text", ["", "1,2", "1,2,3,4", "a,b,c", "10,95,3", "10,2,0", "10,2,-3"])
def test_a_text_that_is_no_circle_is_refused(text):
    with pytest.raises(InputError, match="give RA,DEC,RADIUS"):
        circle_of(text)


# The command -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(result, tmp_path_factory):
    """The fit as a file, beside a region file of two circles."""
    folder = tmp_path_factory.mktemp("flux")
    result.write(folder / "m.h5")
    ra, dec = FRAME.to_sky(np.array([-20.0, 25.0]), np.array([0.0, 10.0]))
    (folder / "two.reg").write_text(
        "fk5\n" + "".join(f'circle({a},{d},12")\n' for a, d in zip(ra, dec, strict=True))
    )
    return folder / "m.h5"


def test_the_command_and_python_give_the_same_numbers(model):
    regions = str(model.parent / "two.reg")
    by_command = flux(model, FluxConfig(region=regions, each=True))
    by_python = gmmx.read(model).flux(regions, each=True)
    assert by_command.colnames == by_python.colnames
    for name in by_command.colnames:
        assert_array_equal(by_command[name], by_python[name])


def test_the_json_object_has_the_numbers_of_python_to_the_last_digit(model):
    regions = model.parent / "two.reg"
    done = run("flux", model, "--region", regions, "--each", "--covariance", "--json")
    table = gmmx.read(model).flux(str(regions), each=True, correlations=True)
    for name in table.colnames[1:]:
        found = [
            np.nan if row[name] is None else row[name] for row in json.loads(done.stdout)["regions"]
        ]
        assert_array_equal(found, np.asarray(table[name]), err_msg=name)


def test_each_shape_is_a_row_only_if_asked(model):
    regions = str(model.parent / "two.reg")
    union = flux(model, FluxConfig(region=regions))
    apart = flux(model, FluxConfig(region=regions, each=True))
    assert (len(union), len(apart)) == (1, 2)
    assert_allclose(union["photons"].sum(), apart["photons"].sum(), rtol=1e-3)


def test_the_command_prints_a_flux_with_its_error(model):
    done = run("flux", model, "--circle", "150.0,2.0,60")
    assert "photons at the reference exposure" in done.stdout
    assert "sigma" in done.stdout
    assert "errors: from the information matrix" in done.stdout


def test_the_json_object_has_every_region(model):
    done = run("flux", model, "--region", model.parent / "two.reg", "--each", "--json")
    facts = json.loads(done.stdout)
    assert [region["significance"] > 3 for region in facts["regions"]] == [True, True]
    assert facts["regions"][0]["photons_limit95"] is None


@pytest.mark.parametrize("suffix", [".ecsv", ".fits", ".csv"])
def test_the_table_is_written_with_correlations(model, tmp_path, suffix):
    out = tmp_path / f"f{suffix}"
    config = FluxConfig(region=str(model.parent / "two.reg"), each=True, covariance=True)
    table = flux(model, config, out=out)
    back = QTable.read(out) if suffix != ".csv" else QTable.read(out, format="ascii.csv")
    assert_allclose(back["correlation_2"], table["correlation_2"])
    assert_allclose(np.asarray(back["photons"]), table["photons"].value)


def test_an_energy_without_a_flux_is_refused(model):
    config = FluxConfig(circle="150,2,20", erg_per_photon=2e-9)
    with pytest.raises(InputError, match="needs a flux"):
        flux(model, config)


def test_no_region_is_an_error_that_names_the_options(model):
    done = run("flux", model)
    assert done.exit_code == 1
    assert "give --region or --circle" in done.stderr
