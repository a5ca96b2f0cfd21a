"""Goodness of fit: significances, statistics, simulations and what is said about them."""

import json
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable
from command_line import error_line, run
from handmade import make_result
from matplotlib.contour import ContourSet
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from true_result import make_true_result

import gmmx
from gmmx.answers.goodness import Goodness, goodness_of_fit, p_values, significance_map
from gmmx.answers.images import render
from gmmx.answers.missed import Place, places_of
from gmmx.answers.refits import Truth
from gmmx.answers.sights import Sights
from gmmx.answers.significance import Discs, local_sigma
from gmmx.answers.yardsticks import SECTORS, Yardsticks, cash
from gmmx.model.background import Background
from gmmx.model.mixture import Mixture
from gmmx.plane.grid import PixelGrid
from gmmx.show.goodness_list import goodness_lines, p_text


@pytest.fixture(scope="module")
def truth():
    """The true parameters of their own photons."""
    return make_true_result(seed=2)


def without_photons(result, x, y, radius, fraction, seed=0):
    """The same model of fewer photons: a fraction of those in a circle is missing."""
    (observation,) = result.observations
    photons, rng = observation.photons, np.random.default_rng(seed)
    inside = np.hypot(photons.x - x, photons.y - y) < radius
    keep = ~inside | (rng.random(len(photons)) > fraction)
    return replace(result, observations=(replace(observation, photons=photons.select(keep)),))


def made_goodness(**changes):
    """A Goodness of given numbers."""
    place = Place(x=1.0, y=2.0, radius=20.0, counts=203.0, expected=234.0, sigma=-4.2)
    facts = {
        "names": (("blocks", 4.0), ("radial profile", np.nan), ("largest residual", 20.0)),
        "values": np.array([9.0, 2.0, 4.2]),
        "simulated": np.tile(np.linspace(1, 3, 200)[:, None], (1, 3)),
        "refitted": True,
        "seed": 0,
        "places": (place,),
        "annuli": (),
        "sectors": (),
        "frame": None,
    }
    return Goodness(**(facts | changes))


@pytest.mark.parametrize(
    ("counts", "expected"), [(140, 100.0), (60, 100.0), (0, 9.0), (6, 0.3), (3, 0.01), (700, 500.0)]
)
def test_the_significance_has_the_tail_of_the_poisson_distribution(counts, expected):
    poisson = stats.poisson(expected)
    tail = poisson.sf(counts - 1) if counts > expected else poisson.cdf(counts)
    sigma = local_sigma(np.array([float(counts)]), np.array([expected]))[0]
    assert sigma == pytest.approx(np.sign(counts - expected) * stats.norm.isf(tail), rel=1e-9)


def test_the_significance_of_an_impossible_excess_is_finite():
    assert local_sigma(np.array([1e5]), np.array([10.0]))[0] > 100


@pytest.mark.parametrize("step", [2.0, 3.0])
def test_sums_over_discs_are_those_of_the_cells_within(step):
    rng = np.random.default_rng(3)
    grid = PixelGrid.covering((-70, 70), (-60, 60), step)
    image = rng.poisson(1.0, grid.shape).astype(float)
    discs = Discs(grid, np.ones(grid.shape, bool))
    x, y = grid.centres()
    for radius, level, sums in zip(discs.radii, discs.levels, discs.sums(image), strict=True):
        if level == 0:
            inside = np.hypot(x - x[7, 2], y - y[7, 2]) <= radius + 1e-6
            assert sums[7, 2] == pytest.approx(image[inside].sum())


def test_cash_is_the_deviance_of_the_poisson_likelihood():
    counts, expected = np.array([3.0, 0, 12]), np.array([2.5, 0.7, 15.0])
    logs = stats.poisson.logpmf(counts, counts) - stats.poisson.logpmf(counts, expected)
    assert cash(counts, expected) == pytest.approx(2 * logs.sum())


def test_expected_counts_are_those_of_the_images(truth):
    grid = PixelGrid.covering((-210, 210), (-200, 200), 4.0)
    expected = Sights(truth, grid).expected_of_fit()
    assert_allclose(expected[0], render(truth, grid).expected.values, rtol=1e-9, atol=1e-9)


def test_annuli_and_sectors_hold_every_photon_of_the_field(truth):
    yardsticks = Yardsticks.of(truth)
    counts = yardsticks.sights.counts(truth.observations).sum(0)
    assert yardsticks.profile(counts).sum() == pytest.approx(truth.n_photons, abs=2)
    assert yardsticks.around(counts).sum() == pytest.approx(truth.n_photons, abs=2)
    assert yardsticks.around(counts).shape == (3, SECTORS)


def test_a_sector_begins_in_the_north_and_turns_to_the_east(truth):
    yardsticks = Yardsticks.of(truth)
    image = np.zeros(yardsticks.sights.grid.shape)
    x, y = yardsticks.centre + np.array([-20.0, 60.0])
    ix, iy, _ = yardsticks.sights.grid.locate(x, y)
    image[iy, ix] = 1.0
    assert np.argmax(yardsticks.around(image).sum(0)) == 0


def test_a_cavity_is_the_first_place(truth):
    x, y = -40.0, 25.0
    holed = without_photons(truth, x, y, 15.0, 0.5)
    yardsticks = Yardsticks.of(holed)
    counts = yardsticks.sights.counts(holed.observations).sum(0)
    first = places_of(yardsticks, counts, yardsticks.sights.expected_of_fit().sum(0))[0]
    assert first.sigma < -4
    assert np.hypot(first.x - x, first.y - y) < 10
    assert 10 < first.radius < 25


def test_no_place_lies_within_another(truth):
    holed = without_photons(truth, -40.0, 25.0, 15.0, 0.9)
    yardsticks = Yardsticks.of(holed)
    counts = yardsticks.sights.counts(holed.observations).sum(0)
    places = places_of(yardsticks, counts, yardsticks.sights.expected_of_fit().sum(0), least=2.5)
    assert len(places) > 3
    apart = [
        np.hypot(a.x - b.x, a.y - b.y) / max(a.radius, b.radius)
        for i, a in enumerate(places)
        for b in places[:i]
    ]
    assert min(apart) > 1


def test_a_p_value_counts_the_simulations_that_are_as_bad():
    simulated = np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]])
    assert_allclose(p_values(np.array([2.0, 6.0]), simulated), [0.75, 0.25])


@pytest.mark.parametrize("n", [20, 59, 150, 200, 999])
def test_a_p_value_below_all_simulations_is_an_upper_limit(n):
    text = p_text(1 / (n + 1), n)
    assert text.startswith("< ")
    assert 1 / (n + 1) < float(text[2:]) < 1.4 / n


def test_200_simulations_tell_0_005():
    assert p_text(1 / 201, 200) == "< 0.005"
    assert p_text(2 / 201, 200) == "= 0.01"


def test_the_result_does_not_depend_on_threads(truth):
    one, two = (goodness_of_fit(truth, 2, seed=4, threads=threads) for threads in (1, 2))
    assert_array_equal(one.simulated, two.simulated)
    assert_array_equal(one.values, two.values)


def test_a_refit_follows_the_noise_of_each_simulation(truth):
    follows, stays = (goodness_of_fit(truth, 4, seed=1, refit=refit) for refit in (True, False))
    index = [name for name, _ in follows.names].index("radial profile")
    assert np.all(follows.simulated[:, index] <= stays.simulated[:, index] + 0.5)
    assert follows.simulated[:, index].mean() < stays.simulated[:, index].mean()


def test_a_wrong_model_has_a_small_p_value(truth):
    holed = without_photons(truth, -40.0, 25.0, 20.0, 0.6)
    found = goodness_of_fit(holed, 9, refit=False)
    assert found.p_value == pytest.approx(1 / 10)
    assert found.chance(found.places[0].sigma) == pytest.approx(1 / 10)


def test_photons_without_a_field_or_a_sky_are_tested():
    x, y = np.random.default_rng(0).normal(0, 20, (2, 300))
    result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    found = result.goodness(3)
    assert "x = " in "\n".join(goodness_lines(found))
    assert np.isnan(found.table()["ra"]).all()


def test_a_sky_without_components_is_tested(truth):
    flat = make_result(truth.observations, Mixture.empty())
    assert flat.goodness(3, refit=False).p_value == pytest.approx(0.25)


def test_a_sky_without_photons_has_nothing_to_fit(truth):
    (observation,) = truth.observations
    faint = replace(
        truth,
        mixture=replace(truth.mixture, fluxes=np.full(2, 1e-6)),
        observations=(replace(observation, backgrounds=(Background(amplitude=1e-12),)),),
    )
    assert np.all(goodness_of_fit(faint, 2).simulated < 1)


def test_a_background_that_was_measured_is_measured_again(truth):
    (observation,) = truth.observations
    known = Background(amplitude=0.08, prior=(0.08, 0.004))
    measured = replace(truth, observations=(replace(observation, backgrounds=(known,)),))
    means = [sky[0].backgrounds[0].prior[0] for sky in Truth.of(measured).skies(20, 0)]
    assert 0.002 < np.std(means) < 0.008
    assert np.mean(means) == pytest.approx(0.08, abs=0.004)


def test_observations_of_a_joint_fit_are_compared_one_by_one(truth):
    (observation,) = truth.observations
    twice = replace(truth, observations=(observation, replace(observation, name="second")))
    one, two = Yardsticks.of(truth), Yardsticks.of(twice)
    values = [
        y.cash_in_blocks(y.sights.counts(r.observations), y.sights.expected_of_fit())
        for y, r in ((one, truth), (two, twice))
    ]
    assert_allclose(values[1], 2 * np.array(values[0]))


def test_a_cavity_is_described_with_its_position_and_chance():
    text = "\n".join(goodness_lines(made_goodness()))
    assert (
        "Within 20 arcsec of x = 1.0, y = 2.0 arcsec there are 203 photons where the model expects "
        "234: 4.2 sigma below it locally, p < 0.005 in the whole field. It may be a cavity"
    ) in text
    assert "in blocks of 4 arcsec (p < 0.005)" in text


def test_a_place_that_simulations_have_too_is_not_explained():
    simulated = np.tile(np.linspace(1, 9, 200)[:, None], (1, 3))
    text = "\n".join(goodness_lines(made_goodness(simulated=simulated)))
    assert "No place stands out." in text
    assert "cavity" not in text


def test_the_significance_is_drawn_on_the_sky(truth):
    images = significance_map(without_photons(truth, -40.0, 25.0, 15.0, 0.6))
    significance, radius = images["SIGNIFICANCE"], images["RADIUS"]
    assert significance.at(-40.0, 25.0) < -4
    assert 8 < radius.at(-40.0, 25.0) < 33
    assert significance.at(40.0, 40.0) == 0
    assert significance.frame == truth.frame


def test_the_figure_has_contours_where_photons_are_missing(truth):
    figure = without_photons(truth, -40.0, 25.0, 15.0, 0.6).plot("significance")
    (panel,) = (axes for axes in figure.axes if axes.get_label() == "significance")
    lines = [len(c.get_paths()) for c in panel.collections if isinstance(c, ContourSet)]
    assert lines
    assert '4" to 64"' in panel.get_title(loc="left")


@pytest.fixture(scope="module")
def model(truth, tmp_path_factory):
    """A model file."""
    path = tmp_path_factory.mktemp("goodness") / "m.h5"
    truth.write(path)
    return path


def test_the_command_writes_a_table_and_images(model, tmp_path):
    table, images = tmp_path / "t.ecsv", tmp_path / "m.fits"
    words = ("test", model, "--simulations", 3, "--out", table, "--out-map", images)
    done = run(*words)
    assert "goodness of fit: p" in done.stdout
    assert "each fitted again" in done.stdout
    found = QTable.read(table)
    assert {"all", "blocks", "radial profile", "place"} <= set(found["statistic"])
    assert found.meta["simulations"] == 3
    with fits.open(images) as hdus:
        assert hdus[0].header["HDUNAME"] == "SIGNIFICANCE"
        assert hdus["SIGMA_R8"].data.shape == hdus[0].data.shape
    assert "exists" in error_line(run(*words))


def test_a_table_and_images_of_one_name_are_refused(model, tmp_path):
    words = ("--out", tmp_path / "one.fits", "--out-map", tmp_path / "one.fits")
    done = run("test", model, "--simulations", 1, *words, "--overwrite")
    assert "one.fits: is also the name of another output" in error_line(done)
    assert not (tmp_path / "one.fits").exists()


def test_the_json_object_has_statistics_and_places(model):
    done = run("test", model, "--simulations", 3, "--no-refit", "--json")
    facts = json.loads(done.stdout)
    assert (facts["status"], facts["refitted"], facts["simulations"]) == ("ok", False, 3)
    assert facts["statistics"][0].keys() >= {"statistic", "scale", "p_value"}
    assert facts["places"][0]["ra"] == pytest.approx(150, abs=0.2)


def test_no_simulation_is_refused(model):
    assert "--simulations 0: it must be a whole number of at least 1" in error_line(
        run("test", model, "--simulations", 0)
    )
