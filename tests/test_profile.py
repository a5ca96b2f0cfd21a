"""Radial profiles: `gmmx profile` and `FitResult.profile`."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from command_line import run
from drawn_text import check_baseline
from handmade import ellipse, make_mixture, make_observation, make_result
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import poisson

from gmmx.answers.drawn_skies import DrawnSkies
from gmmx.answers.errors import draws_of
from gmmx.answers.half_light import half_light_radius
from gmmx.answers.images import render
from gmmx.answers.ring_profile import ring_profile, seen_signal
from gmmx.answers.ring_sums import FieldSums
from gmmx.answers.rings import Rings
from gmmx.commands.profile import profile
from gmmx.config import ProfileConfig
from gmmx.errors import InputError
from gmmx.model.background import Background
from gmmx.model.completeness import Completeness
from gmmx.model.mixture import Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.model.posterior import Draws
from gmmx.plane.frame import SkyFrame
from gmmx.plane.grid import PixelGrid
from gmmx.show.figures import profile_figure
from gmmx.show.profile_list import _cell, profile_lines

EDGES = [0.0, 3.0, 8.0, 20.0, 45.0]
FORMS = {
    "round": {},
    "elliptical": {"axis_ratio": 0.6, "angle": 35.0},
    "sector": {"sector": (20.0, 100.0)},
    "sector-across-180": {"sector": (150.0, 300.0), "axis_ratio": 0.5, "angle": 80.0},
}


def origin_of(result):
    """The tangent point as the text of a centre."""
    return f"{result.frame.ra0!r},{result.frame.dec0!r}"


def make_rings(edges=EDGES, centre=(2.0, -1.0), **form):
    """Rings that are not centred on anything."""
    return Rings(centre=centre, edges=edges, **form)


def make_draws(result, n=200, seed=0, fluxes=0.05, amplitudes=0.1):
    """Draws in which fluxes and background amplitudes scatter by parts of themselves."""
    rng = np.random.default_rng(seed)
    k, b = len(result.mixture), len(result.backgrounds)
    levels = [one.amplitude for o in result.observations for one in o.backgrounds]
    return Draws(
        fluxes=result.mixture.fluxes * np.maximum(1 + fluxes * rng.normal(size=(n, k)), 0),
        means=np.repeat(result.mixture.means[None], n, 0),
        covariances=np.repeat(result.mixture.covariances[None], n, 0),
        amplitudes=np.reshape(levels, b) * (1 + amplitudes * rng.normal(size=(n, b))),
        method="laplace",
        seed=seed,
    )


def make_gaussian_result(sigma=5.0, flux=1000.0):
    """A result with one round Gaussian, without exposure, PSF or background."""
    one = Mixture(fluxes=[flux], means=[[2.0, -1.0]], covariances=[sigma**2 * np.eye(2)])
    x, y = np.random.default_rng(4).normal([[2.0], [-1.0]], sigma, (2, int(flux)))
    return make_result([Observation(photons=Photons(x, y), name="toy")], one)


def fine_sums(rings, values_of, half=80.0, step=0.1):
    """Slow twin of integrals over rings: sums over small cells."""
    axis = np.arange(-half, half, step) + step / 2
    x, y = (one.ravel() for one in np.meshgrid(axis, axis))
    return rings.counts(x, y, values_of(x, y) * step**2)


# Rings -----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_areas_are_those_of_small_cells(form):
    rings = make_rings(**form)
    assert_allclose(rings.areas(), fine_sums(rings, lambda x, _: np.ones(len(x))), rtol=5e-3)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_integrals_of_gaussians_over_rings_are_those_of_small_cells(form):
    rings, mixture = make_rings(**form), make_mixture(4)
    found = mixture.fluxes @ rings.photons(mixture.means, mixture.covariances)
    expected = fine_sums(rings, mixture.density)
    assert_allclose(found, expected, rtol=3e-3, atol=2e-4 * mixture.fluxes.sum())


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_integrals_of_gaussians_times_a_map_are_those_of_small_cells(form):
    rings, mixture = make_rings(**form), make_mixture(4)
    grid = PixelGrid.covering((-40, 36), (-30, 44), 2.0)
    ix, iy = np.meshgrid(np.arange(grid.shape[1]), np.arange(grid.shape[0]))
    values = np.where(ix % 8 < 2, 0.0, 0.4 + iy / 80)

    def weighted(x, y):
        ix, iy, inside = grid.locate(x, y)
        return mixture.density(x, y) * np.where(inside, values[iy, ix], 0.25)

    found = rings.seen(mixture.means, mixture.covariances, grid, values, outside=0.25)
    expected = fine_sums(rings, weighted)
    assert_allclose(mixture.fluxes @ found, expected, rtol=0.02, atol=1e-3 * expected.sum())


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_sums_of_maps_over_rings_are_those_of_small_cells(form):
    rings = make_rings(**form)
    grid = PixelGrid.covering((-40, 36), (-30, 44), 2.0)
    values = np.random.default_rng(0).uniform(0, 1, grid.shape)

    def of_map(x, y):
        ix, iy, inside = grid.locate(x, y)
        return np.where(inside, values[iy, ix], 0.0)

    assert_allclose(rings.sums(grid, [values])[0], fine_sums(rings, of_map), rtol=5e-3)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_photons_in_pixels_are_spread_over_the_rings_that_cut_their_pixels(form):
    rings = make_rings([0.0, 1.0, 2.5, 6.0, 7.0, 30.0], **form)
    grid = PixelGrid.covering((-40, 40), (-40, 40), 2.0)
    x, y = (axis.ravel() for axis in grid.centres())
    weights = np.full(len(x), grid.cell_area)
    assert_allclose(rings.counts(x, y, weights, side=2.0), rings.areas(), rtol=0.02, atol=0.1)


@pytest.mark.parametrize("sigmas", [(5.0, 5.0), (20.0, 1.0), (0.01, 0.01), (300.0, 200.0)])
def test_all_of_a_gaussian_lies_within_endless_rings(sigmas):
    rings = make_rings([0.0, 1.0, 30.0, np.inf])
    found = rings.photons(np.array([[7.0, 3.0]]), ellipse(*sigmas, 30.0)[None])
    assert_allclose(found.sum(), 1, atol=1e-5)


def test_the_rings_of_a_round_gaussian_have_its_profile():
    rings = make_rings([0.0, 1.0, 4.0, 9.0])
    found = rings.photons(np.array([[2.0, -1.0]]), 9.0 * np.eye(2)[None])[0]
    assert_allclose(found, -np.diff(np.exp(-(rings.edges**2) / 18)), rtol=1e-5)


# Half-light radius -----------------------------------------------------------------------


def test_the_half_light_radius_of_a_gaussian_is_1_1774_sigma():
    result = make_gaussian_result(sigma=5.0)
    skies = DrawnSkies(result, make_draws(result))
    found = half_light_radius(skies, make_rings(), np.inf)
    assert_allclose(found.value, 5.0 * np.sqrt(2 * np.log(2)), rtol=1e-5)
    # Fluxes do not change where half of it is.
    assert found.error[0] < 1e-9


def test_the_half_light_radius_follows_the_widths_of_the_draws():
    result = make_gaussian_result(sigma=5.0)
    draws = make_draws(result)
    widths = np.random.default_rng(1).normal(1, 0.05, len(draws))
    draws = replace(draws, covariances=draws.covariances * widths[:, None, None, None] ** 2)
    found = half_light_radius(DrawnSkies(result, draws), make_rings(), np.inf)
    low, high = np.quantile(5.0 * np.sqrt(2 * np.log(2)) * widths, [0.1587, 0.8413])
    assert_allclose([found.lower68[0], found.upper68[0]], [low, high], rtol=2e-3)


def test_an_ellipse_has_the_half_light_radius_of_its_major_axis():
    # The major axis points to a position angle of 30, which is 120 degrees from +x.
    one = Mixture(fluxes=[10.0], means=[[2.0, -1.0]], covariances=[ellipse(8, 4, 30)])
    result = replace(make_gaussian_result(), mixture=one)
    found = half_light_radius(
        DrawnSkies(result, make_draws(result)), make_rings(axis_ratio=0.5, angle=120.0), np.inf
    )
    assert_allclose(found.value, 8 * np.sqrt(2 * np.log(2)), rtol=1e-4)


# Data and models -------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_expected_photons_in_rings_are_those_of_the_images(form, n):
    observations = [make_observation(i, name=f"o{i}", kinds=("sky", "particle")) for i in range(n)]
    result = make_result(observations, make_mixture(4))
    rings = make_rings(**form)
    found = ring_profile(result, rings, make_draws(result))
    images = render(result, PixelGrid.covering((-70.03, 70.1), (-60.01, 60.08), 0.2))
    x, y = (axis.ravel() for axis in images.signal.grid.centres())

    def summed(image):
        return rings.counts(x, y, image.values.ravel())

    signal = summed(images.expected) - summed(images.background)
    assert_allclose(found.background.value, summed(images.background), rtol=0.01, atol=0.01)
    assert_allclose(np.nan_to_num(found.blurred.value) * found.exposed, signal, rtol=0.02, atol=0.3)
    deconvolved = found.deconvolved.value * rings.areas()
    assert_allclose(deconvolved, summed(images.signal), rtol=0.01, atol=0.1)
    exposed = summed(images.completeness) * images.signal.grid.cell_area
    assert_allclose(found.exposed, exposed, rtol=0.01, atol=0.1)


def test_photons_of_several_observations_are_added():
    observations = [make_observation(0), make_observation(1, name="other")]
    both = FieldSums(make_result(observations, make_mixture()), make_rings())
    each = [FieldSums(make_result([one], make_mixture()), make_rings()) for one in observations]
    assert_array_equal(both.counts, each[0].counts + each[1].counts)


def test_the_data_of_a_beta_model_are_its_brightness():
    # S = (1 + (r/r_c)^2)^-1.5 on a sky background that is known, behind a hole.
    rng, core, n, level = np.random.default_rng(5), 15.0, 60_000, 0.2
    radius = core * np.sqrt((1 - rng.random(n)) ** -2 - 1)
    angle = rng.uniform(0, 2 * np.pi, n)
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    grid = PixelGrid.covering((-100, 100), (-100, 100), 1.0)
    gx, gy = grid.centres()
    opened = np.where((gx > 20) & (gx < 40) & (np.abs(gy) < 10), 0.0, 1.0)
    flat = rng.uniform(-100, 100, (2, rng.poisson(level * 200**2)))
    x, y = np.concatenate([x, flat[0]]), np.concatenate([y, flat[1]])
    kept = np.array(
        Completeness(grid=grid, exposure=np.ones(grid.shape), open_fraction=opened).effective_at(
            x, y
        )
    )
    observation = Observation(
        photons=Photons(x[kept > 0], y[kept > 0]),
        completeness=Completeness(
            grid=grid, exposure=np.full(grid.shape, 2e7), open_fraction=opened, unit="cm**2 s"
        ),
        backgrounds=(Background(amplitude=level),),
    )
    result = make_result([observation], make_mixture())
    edges = np.array([0.0, 5, 10, 20, 30, 45, 70, 100])
    table = replace(result, draws=make_draws(result)).profile("0,0", bins=edges)
    inside = n * (1 - (1 + (edges / core) ** 2) ** -0.5)
    truth = np.diff(inside) / (np.pi * np.diff(edges**2)) / 2e7
    pulls = (table["SUR_FLUX"].value - truth) / table["SUR_FLUX_ERR"].value
    assert np.abs(pulls).max() < 3.5
    assert table["SUR_FLUX"].unit == units.photon / units.cm**2 / units.s / units.arcsec**2


def test_the_data_are_given_with_and_without_correction_as_dmextract_names_them():
    result = make_result([make_observation()], make_mixture())
    table = replace(result, draws=make_draws(result)).profile(bins="0,10,30")
    assert table["SUR_BRI"].unit == units.photon / units.arcsec**2
    assert_allclose(table["SUR_BRI"], table["NET_COUNTS"] / table["AREA"])
    exposure = table["COMPLETENESS"] * result.reference_exposure * units.cm**2 * units.s
    assert_allclose(table["SUR_FLUX"], table["SUR_BRI"] / exposure)


def test_errors_of_models_are_the_spread_over_the_draws():
    result = make_gaussian_result(flux=1000.0)
    result = replace(result, draws=make_draws(result, n=4000, fluxes=0.05))
    table = result.profile("2,-1", bins="0,5,10")
    for name in ("MODEL_SUR_FLUX", "DECONV_SUR_FLUX", "CUM_PHOTONS"):
        assert_allclose(table[f"{name}_ERR"] / table[name], 0.05, rtol=0.05)
    assert_allclose(table["DECONV_SUR_FLUX_BG_ERR"].value, 0)
    assert_allclose(table["DECONV_SUR_FLUX_STAT_ERR"], table["DECONV_SUR_FLUX_ERR"])


def test_the_part_of_an_error_that_follows_the_background_is_apart():
    result = make_result([make_observation()], make_mixture())
    draws = make_draws(result, n=2000, fluxes=0.0)
    # Half of the variance of all fluxes follows the amplitude.
    moved = (draws.amplitudes - draws.amplitudes.mean(0)) / draws.amplitudes.std(0)
    other = np.random.default_rng(9).normal(size=moved.shape)
    draws = replace(draws, fluxes=result.mixture.fluxes * (1 - 0.04 * moved + 0.04 * other))
    table = replace(result, draws=draws).profile(bins="0,10,30")
    total = table["DECONV_SUR_FLUX_ERR"]
    assert_allclose(table["DECONV_SUR_FLUX_BG_ERR"] / total, np.sqrt(0.5), rtol=0.06)
    assert_allclose(table["DECONV_SUR_FLUX_STAT_ERR"] / total, np.sqrt(0.5), rtol=0.06)


def test_a_fixed_background_has_no_part_in_the_errors():
    # The mean of equal numbers may differ from them by its rounding.
    result = make_result([make_observation(kinds=("sky", "streak"))], make_mixture())
    draws = make_draws(result)
    amplitudes = np.array(draws.amplitudes)
    amplitudes[:, 1] = 0.1 + 0.2
    table = replace(result, draws=replace(draws, amplitudes=amplitudes)).profile(bins="0,10,30")
    assert np.all(np.isfinite(table["MODEL_SUR_FLUX_BG_ERR"]))


def test_moved_components_of_a_draw_are_blurred_like_those_of_a_fit():
    result = make_result([make_observation(), make_observation(1, name="other")], make_mixture(4))
    draws, rng, rings = make_draws(result, n=3), np.random.default_rng(11), make_rings()
    root = np.linalg.cholesky(result.mixture.covariances)
    draws = replace(
        draws,
        means=draws.means + 0.1 * np.einsum("kij,nkj->nki", root, rng.normal(size=(3, 4, 2))),
        covariances=draws.covariances * rng.normal(1, 0.1, (3, 4, 1, 1)) ** 2,
    )
    best, found = seen_signal(DrawnSkies(result, draws), FieldSums(result, rings))
    for i in range(3):
        moved = replace(result, mixture=draws.mixture(i))
        expected, _ = seen_signal(DrawnSkies(moved, draws), FieldSums(moved, rings))
        assert_allclose(found[i] - best, expected - best, rtol=0.1, atol=0.01 * best.max())


def test_components_that_only_draws_have_widen_the_interval():
    result = make_gaussian_result()
    draws = make_draws(result, fluxes=1e-6)
    wing = np.tile([[30.0**2, 0], [0, 30.0**2]], (len(draws), 1, 1, 1))
    more = np.abs(np.random.default_rng(2).normal(0, 50, (len(draws), 1)))
    draws = replace(
        draws,
        fluxes=np.hstack([draws.fluxes, more]),
        means=np.concatenate([draws.means, draws.means], 1),
        covariances=np.concatenate([draws.covariances, wing], 1),
    )
    table = replace(result, draws=draws).profile("2,-1", bins="0,5,40")
    assert table["DECONV_SUR_FLUX_UPPER95"][1] > 1.05 * table["DECONV_SUR_FLUX"][1]
    assert_allclose(table["MODEL_SUR_FLUX_ERR"], table["DECONV_SUR_FLUX_ERR"], rtol=1e-3)


@pytest.mark.parametrize("count", [0, 1, 5, 40])
def test_poisson_limits_are_those_of_gehrels(count):
    x = np.full(count, 0.5)
    result = make_result([Observation(photons=Photons(x, x), name="toy")], make_mixture())
    found = ring_profile(result, Rings(centre=(0, 0), edges=[0.0, 1.0]), make_draws(result))
    # At the upper limit so few photons, and at the lower one so many, have a chance of 16 %.
    assert_allclose(poisson.cdf(count, found.counts_upper), 0.158655, rtol=1e-4)
    if count:
        assert_allclose(poisson.sf(count - 1, found.counts_lower), 0.158655, rtol=1e-4)
    else:
        assert found.counts_lower == 0


def test_brightness_in_a_hole_is_extrapolated():
    observation = make_observation()
    grid = observation.completeness.grid
    x, y = grid.centres()
    hole = np.where(np.hypot(x, y) < 10, 0.0, 1.0)
    observation = replace(observation, completeness=observation.completeness.masked(hole))
    result = make_result([observation], make_mixture())
    result = replace(result, draws=make_draws(result))
    table = result.profile(origin_of(result), bins="0,8,14,30")
    part = (table["DECONV_SUR_FLUX_EXTRAPOLATED"] / table["DECONV_SUR_FLUX"]).value
    assert_allclose(part[0], 1, atol=1e-3)
    assert part[0] > part[1] > part[2]
    assert np.isnan(table["SUR_FLUX"][0])
    assert np.isnan(table["MODEL_SUR_FLUX"][0])


# Isophotes -------------------------------------------------------------------------------


def make_elliptical_result(major=10.0, minor=5.0, pa=30.0):
    """A result with one elliptical Gaussian, whose draws turn and move it."""
    one = Mixture(fluxes=[1e4], means=[[3.0, -2.0]], covariances=[ellipse(major, minor, pa)])
    result = replace(make_gaussian_result(), mixture=one)
    rng, n = np.random.default_rng(6), 300
    turned = [ellipse(major, minor, pa + 3 * rng.normal()) for _ in range(n)]
    draws = make_draws(result, n=n)
    return replace(
        result,
        draws=replace(
            draws,
            means=draws.means + 0.2 * rng.normal(size=draws.means.shape),
            covariances=np.reshape(turned, (n, 1, 2, 2)),
        ),
    )


def test_isophotes_of_a_gaussian_are_its_ellipses():
    table = make_elliptical_result().profile("1,0", bins="0,4,12,24", isophotes=True)
    assert_allclose(table["ISO_X"].value, 3, atol=0.02)
    assert_allclose(table["ISO_Y"].value, -2, atol=0.02)
    assert_allclose(table["ISO_ELLIPTICITY"], 0.5, atol=5e-3)
    assert_allclose(table["ISO_PA"].value, 30, atol=0.5)


def test_errors_of_isophotes_are_those_of_the_draws():
    table = make_elliptical_result().profile("3,-2", bins="0,4,12,24", isophotes=True)
    assert_allclose(table["ISO_PA_ERR"].value, 3, rtol=0.15)
    assert_allclose(table["ISO_X_ERR"].value, 0.2, rtol=0.15)
    assert np.all(table["ISO_ELLIPTICITY_ERR"] < 0.01)


def test_a_place_without_a_peak_has_no_isophotes():
    table = make_elliptical_result().profile("60,40", bins="0,1,2", isophotes=True)
    far = np.hypot(table["ISO_X"].value - 60, table["ISO_Y"].value - 40)
    assert np.all(np.isnan(far) | (far > 20))


# The figure ------------------------------------------------------------------------------


def make_profile(name):
    """The table that a figure is drawn from."""
    if name == "profile-toy":
        return make_gaussian_result().profile("2,-1", bins="0,2,4,8,14")
    result = make_result([make_observation(kinds=("sky", "particle"))], make_mixture())
    result = replace(result, draws=make_draws(result))
    return result.profile(bins="log:8", axis_ratio=0.7, pa=20.0)


@pytest.mark.parametrize("name", ["profile", "profile-toy"])
def test_the_figure_shows_what_its_baseline_says(name):
    figure = profile_figure(make_profile(name))
    figure.savefig(io.BytesIO(), format="png")
    check_baseline(figure, name)


# Options ---------------------------------------------------------------------------------


def test_a_fit_without_exposure_has_photons_per_area():
    table = make_gaussian_result().profile("brightest", bins="linear:5")
    assert table["SUR_FLUX"].unit == units.photon / units.arcsec**2
    assert "CUM_PHOTONS" in table.colnames
    assert_allclose(table["CUM_PHOTONS"][-1].value, 1000, rtol=0.01)


def test_a_sector_counts_from_north_through_east():
    # All photons lie to the east, which is towards -x.
    photons = Photons(np.full(50, -5.0), np.linspace(-1, 1, 50))
    result = make_result([Observation(photons=photons, name="toy")], make_mixture())
    result = replace(result, draws=make_draws(result))
    east = result.profile("0,0", bins="0,10", sector="45:135")
    west = result.profile("0,0", bins="0,10", sector=(225, 315))
    assert (east["COUNTS"][0].value, west["COUNTS"][0].value) == (50, 0)


def test_annuli_by_counts_hold_as_many_photons():
    table = make_gaussian_result().profile("centroid", bins="counts:100")
    assert np.all(table["COUNTS"].value >= 100)
    assert len(table) == 10
    assert table["COUNTS"].value.sum() == 1000


def test_the_brightest_place_is_the_peak_at_the_resolution_of_the_psf():
    broad = [[400.0, 0], [0, 400.0]]
    mixture = Mixture(
        fluxes=[5000.0, 300.0],
        means=[[0.0, 0.0], [9.0, 4.0]],
        covariances=[broad, [[1.0, 0], [0, 1.0]]],
    )
    result = make_result(make_gaussian_result().observations, mixture)
    table = result.profile(bins="0,5")
    assert_allclose([table.meta["x"], table.meta["y"]], [9, 4], atol=0.3)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model file with a sky position, whose fit is made by hand."""
    observation = replace(make_observation(), frame=SkyFrame(150.0, 2.0))
    result = make_result([observation], make_mixture())
    path = tmp_path_factory.mktemp("profile") / "model.h5"
    replace(result, draws=make_draws(result)).write(path)
    return path


@pytest.mark.parametrize("suffix", [".ecsv", ".fits", ".csv", ".png", ".pdf", ".svg"])
def test_the_profile_is_written(model, tmp_path, suffix):
    out = tmp_path / f"p{suffix}"
    table = profile(model, ProfileConfig(bins="0,5,10,30"), out=[out])
    assert out.stat().st_size > 1000
    if suffix in (".ecsv", ".fits"):
        back = QTable.read(out)
        assert_allclose(back["R"].value, [[0, 5], [5, 10], [10, 30]])
        assert_allclose(back["SUR_FLUX"].value, table["SUR_FLUX"].value)
    if suffix == ".csv":
        back = QTable.read(out, format="ascii.csv")
        assert_allclose(back["R_HIGH"], [5, 10, 30])


def test_python_and_the_command_line_have_the_same_numbers(model):
    import gmmx

    given = "--center", "150.001,2.001", "--bins", "0,5,10,30", "--axis-ratio", "0.7", "--pa", "40"
    facts = json.loads(run("profile", model, *given, "--json").stdout)
    place = SkyCoord(150.001, 2.001, unit="deg")
    table = gmmx.read(model).profile(place, bins=[0, 5, 10, 30], axis_ratio=0.7, pa=40.0)
    assert facts["half_light_radius"] == table.meta["half_light_radius"]
    for name in ("SUR_FLUX", "MODEL_SUR_FLUX_ERR", "DECONV_SUR_FLUX_UPPER95"):
        assert_array_equal(facts["columns"][name], table[name].value)


def test_the_command_prints_annuli_and_the_half_light_radius(model):
    done = run("profile", model, "--bins", "log:4")
    assert done.exit_code == 0
    assert "half-light radius" in done.stdout
    assert "errors of the models: 200 draws of the parameters (laplace)" in done.stdout
    assert sum(" - " in line for line in done.stdout.splitlines()) == 4


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bins": "log:0"}, "`bins` = log:0"),
        ({"bins": "5,4"}, "rising edges"),
        ({"bins": "many"}, "log:N"),
        ({"axis_ratio": 0.5}, "need both"),
        ({"pa": 30.0}, "need both"),
        ({"axis_ratio": 1.5}, "above 0 and at most 1"),
        ({"sector": "30"}, "FROM:TO"),
        ({"sector": "0:360"}, "FROM:TO"),
    ],
)
def test_options_that_cannot_be_are_refused(options, words):
    with pytest.raises(InputError, match=words):
        ProfileConfig(**options)


@pytest.mark.parametrize("center", ["middle", "150", "150,95", "a,b", "nan,2", "330,-2", "10,10"])
def test_a_centre_that_is_no_place_is_refused(model, center):
    done = run("profile", model, "--center", center)
    assert done.exit_code == 1
    assert "--center" in done.stderr


def test_a_fit_without_components_has_a_profile_of_its_data():
    observation = make_observation()
    result = make_result([observation])
    draws = make_draws(result)
    table = replace(result, draws=draws).profile(origin_of(result), bins="0,10,30")
    assert np.all(table["DECONV_SUR_FLUX"].value == 0)
    assert "half_light_radius" not in table.meta
    assert np.all(np.isfinite(table["SUR_FLUX"].value))


def test_draws_that_are_made_now_give_the_errors():
    result = make_gaussian_result()
    table = result.profile("2,-1", bins="0,5,10")
    expected = draws_of(result)
    found = ring_profile(result, make_rings([0, 5, 10]), expected)
    assert_allclose(table["DECONV_SUR_FLUX_ERR"].value, found.deconvolved.error)
    assert "information matrix" in table.meta["errors"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (1.4e-4, "0.00733 +- 0.00014"),
        (5e-5, "7.330e-03 +- 5.0e-05"),
    ],
)
def test_a_cell_has_the_digits_of_its_error(error, words):
    assert _cell(0.00733, error, with_power=error < 1e-4) == words


@pytest.mark.parametrize("outer", [1.0, 1e-6])
def test_all_rows_of_a_printed_profile_are_in_one_notation(outer):
    table = make_printed_profile([1.0, outer])
    lines = [line for line in profile_lines(table) if " - " in line]
    assert len(lines) == 2
    assert {"e-" in line or "e+" in line for line in lines} == {outer < 1}


def make_printed_profile(brightness):
    """A profile of two annuli, with errors of a tenth."""
    values = np.array(brightness)
    names = ("SUR_FLUX", "MODEL_SUR_FLUX", "DECONV_SUR_FLUX")
    columns = dict.fromkeys(names, values) | {f"{name}_ERR": values / 10 for name in names}
    columns |= {f"CUM_PHOTONS{end}": [1.0, 2.0] for end in ("", "_LOWER68", "_UPPER68")}
    columns |= {"R": [[0.0, 1.0], [1.0, 2.0]], "COUNTS": [9.0, 9.0]}
    columns["DECONV_SUR_FLUX_EXTRAPOLATED"] = np.zeros(2)
    meta = {"x": 0.0, "y": 0.0, "center": "brightest", "errors": "none"}
    return QTable(columns, meta=meta)
