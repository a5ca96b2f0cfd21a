"""The significance of components: refits without one, and searches for one more."""

import json
from dataclasses import replace

import numpy as np
import pytest
from astropy.table import Table
from command_line import error_line, run
from numpy.testing import assert_array_equal

import gmmx
from gmmx.answers.component_significance import ComponentSignificance, component_significance
from gmmx.answers.components import component_table
from gmmx.em.parameters import Parameters
from gmmx.errors import InputError
from gmmx.fitting.one_more import log_likelihood_of, strayed, with_one_more, without
from gmmx.fitting.problem import Problem, parameters_of
from gmmx.fitting.redraw import refitted
from gmmx.model.background import Background
from gmmx.model.completeness import Completeness
from gmmx.model.mixture import Fixed, Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.plane.frame import SkyFrame
from gmmx.plane.grid import PixelGrid
from gmmx.show.significance_list import significance_lines

HALF = 40.0


def drawn_observation(seed, *sources, background=0.03):
    """A flat sky with round sources (x, y, sigma, photons) in a field of 80 x 80 arcsec."""
    rng = np.random.default_rng(seed)
    grid = PixelGrid.covering((-HALF, HALF), (-HALF, HALF), 2.0)
    parts = [rng.uniform(-HALF, HALF, (rng.poisson(background * (2 * HALF) ** 2), 2))]
    parts += [rng.normal((x, y), sigma, (n, 2)) for x, y, sigma, n in sources]
    x, y = np.concatenate(parts).T
    keep = np.maximum(np.abs(x), np.abs(y)) < HALF
    return Observation(
        photons=Photons(x[keep], y[keep]),
        completeness=Completeness(grid=grid, exposure=np.ones(grid.shape)),
        backgrounds=(Background(amplitude=background),),
        frame=SkyFrame(150.0, 2.0),
    )


def mixture_of(*sources):
    """Round components (x, y, sigma, photons)."""
    x, y, sigma, n = np.array(sources, float).T
    return Mixture(
        fluxes=n,
        means=np.stack([x, y], axis=1),
        covariances=(sigma**2)[:, None, None] * np.eye(2),
    )


def settled(observation, mixture, fixed=None):
    """A problem, and the state of a refit."""
    problem = Problem.of(observation, gmmx.FitOptions(threads=1))
    return problem, refitted(problem, mixture, (np.array([0.03]),), fixed)


BRIGHT, FAINT = (-15.0, 0.0, 4.0, 300), (22.0, 20.0, 1.5, 14)


@pytest.fixture(scope="module")
def pair():
    """A fit of a bright and a faint source."""
    observation = drawn_observation(1, BRIGHT, FAINT)
    return gmmx.fit(observation, start=mixture_of(BRIGHT, FAINT), n_components=2, threads=1)


def test_a_faint_component_does_not_stand_in_for_a_bright_one(pair):
    (observation,) = pair.observations
    problem, whole = settled(observation, pair.mixture)
    rest = without(problem, parameters_of(whole), 0)
    assert np.hypot(*(rest.mixture.means[0] - pair.mixture.means[1])) < 3
    assert log_likelihood_of(problem, whole) - log_likelihood_of(problem, rest) > 150


def test_a_twin_takes_the_place_of_the_component_that_is_removed():
    twins = mixture_of((-1.0, 0.0, 4.0, 150), (1.0, 0.0, 4.0, 150))
    problem, whole = settled(drawn_observation(2, (0.0, 0.0, 4.0, 300)), twins)
    rest = without(problem, parameters_of(whole), 0)
    assert rest.mixture.fluxes[0] == pytest.approx(300, rel=0.2)
    assert log_likelihood_of(problem, whole) - log_likelihood_of(problem, rest) < 12


@pytest.mark.parametrize(
    ("after", "is_other"),
    [
        ((1.0, 0.0, 4.0, 100), False),
        ((13.0, 0.0, 4.0, 100), True),
        ((0.0, 0.0, 11.0, 100), False),
        ((0.0, 0.0, 13.0, 100), True),
        ((0.0, 0.0, 1.3, 100), True),
        ((0.0, 0.0, 4.0, 310), True),
        ((0.0, 0.0, 4.0, 1e-9), False),
    ],
)
def test_a_component_strays_by_place_width_or_flux(after, is_other):
    before = mixture_of((0.0, 0.0, 4.0, 100))
    found = strayed(before, mixture_of(after), np.zeros(1), np.full(1, 3.0), np.full(1, 3.0))
    assert found.tolist() == [is_other]


def test_fixed_components_are_as_they_were_after_a_refit_without_another(pair):
    (observation,) = pair.observations
    fixed = Fixed.none(2)
    fixed = replace(fixed, means=np.array([False, True]))
    problem, whole = settled(observation, pair.mixture, fixed)
    rest = without(problem, parameters_of(whole), 0)
    assert_array_equal(rest.mixture.means[0], whole.mixture.means[1])
    assert_array_equal(rest.fixed.means, [True])
    assert_array_equal(rest.fixed.covariances, [False])


def test_the_search_finds_the_source_that_is_missing():
    observation = drawn_observation(3, BRIGHT, (22.0, 20.0, 2.0, 40))
    problem, state = settled(observation, mixture_of(BRIGHT))
    more = with_one_more(problem, state)
    assert len(more.mixture) == 2
    assert np.hypot(*(more.mixture.means[1] - [22, 20])) < 2
    assert log_likelihood_of(problem, more) > log_likelihood_of(problem, state) + 30


def test_the_search_never_loses_likelihood():
    problem, state = settled(drawn_observation(4, BRIGHT), mixture_of(BRIGHT))
    more = with_one_more(problem, state)
    assert log_likelihood_of(problem, more) >= log_likelihood_of(problem, state)


def test_the_gain_of_an_isolated_component_is_what_its_removal_costs(pair):
    (observation,) = pair.observations
    found = component_significance(pair, 1, threads=1)
    problem, whole = settled(observation, pair.mixture)
    rest = without(problem, parameters_of(whole), 1)
    loss = log_likelihood_of(problem, whole) - log_likelihood_of(problem, rest)
    assert found.gains[1] == pytest.approx(loss, abs=0.5)
    assert found.sqrt_ts[1] == pytest.approx(np.sqrt(2 * found.gains[1]))


def test_the_significance_does_not_depend_on_threads(pair):
    one, two = (component_significance(pair, 2, seed=3, threads=threads) for threads in (1, 2))
    assert_array_equal(one.gains, two.gains)
    assert_array_equal(one.simulated, two.simulated)


def test_a_p_value_is_the_part_of_the_simulations_with_as_large_a_gain():
    found = ComponentSignificance(
        gains=np.array([100.0, 10.0, np.nan, 4.5]),
        points=np.array([False, False, False, True]),
        simulated=np.array([5.0, 8.0, 10.0, 12.0]),
    )
    assert found.p_values[:2].tolist() == [0.2, 0.6]
    assert np.isnan(found.p_values[2])
    assert found.p_values[3] == pytest.approx(0.00135, rel=1e-2)


def test_a_component_that_alone_explains_the_photons_is_indispensable():
    x, y = np.random.default_rng(0).normal(0, 5, (2, 100))
    alone = gmmx.fit(gmmx.Observation(photons=Photons(x, y)), n_components=1)
    found = component_significance(alone, 1)
    assert found.gains.tolist() == [np.inf]
    assert found.p_values.tolist() == [0.5]


def test_the_table_of_components_gets_two_columns(pair):
    found = ComponentSignificance(
        gains=np.array([200.0, 8.0]), points=np.zeros(2, bool), simulated=np.arange(19.0)
    )
    table = found.added_to(component_table(pair))
    assert table["sqrt_ts"].tolist() == [20.0, 4.0]
    assert table["p_value"].tolist() == [0.05, 0.6]
    assert table.colnames.index("p_value") < table.colnames.index("flags")
    assert "May be noise, because p is above 0.05" in "\n".join(significance_lines(table))


@pytest.mark.parametrize(
    ("n", "words"),
    [(5, "5 simulations cannot tell whether p is below 0.05"), (20, "Each component is signif")],
)
def test_few_simulations_do_not_call_a_component_noise(pair, n, words):
    gains, no_points = np.array([200.0, 90.0]), np.zeros(2, bool)
    found = ComponentSignificance(gains=gains, points=no_points, simulated=np.arange(1.0 * n))
    text = "\n".join(significance_lines(found.added_to(component_table(pair))))
    assert words in text
    assert "May be noise" not in text


def test_a_model_without_a_free_flux_is_refused(pair):
    fixed = replace(Fixed.none(2), fluxes=np.ones(2, bool))
    with pytest.raises(InputError, match="no component with a free flux"):
        component_significance(replace(pair, fixed=fixed), 1)


def test_the_command_names_the_model_that_it_refuses(pair, tmp_path):
    fixed = replace(Fixed.none(2), fluxes=np.ones(2, bool))
    replace(pair, fixed=fixed).write(tmp_path / "fixed.h5")
    done = run("test", tmp_path / "fixed.h5", "--components", "--simulations", 1)
    assert "fixed.h5: the model has no component with a free flux" in error_line(done)


def test_parameters_are_not_changed(pair):
    before = Parameters(mixture=pair.mixture, amplitudes=(np.array([0.03]),))
    problem = Problem.of(pair.observations, gmmx.FitOptions(threads=1))
    without(problem, before, 0)
    assert_array_equal(before.mixture.means, pair.mixture.means)


@pytest.fixture(scope="module")
def model(pair, tmp_path_factory):
    """A model file."""
    path = tmp_path_factory.mktemp("significance") / "m.h5"
    pair.write(path)
    return path


def test_the_command_writes_the_table_of_components(model, tmp_path):
    out = tmp_path / "c.ecsv"
    done = run("test", model, "--components", "--simulations", 2, "--out", out)
    assert "significance of the components (2 simulations)" in done.stdout
    table = Table.read(out)
    assert {"sqrt_ts", "p_value", "photons_error"} <= set(table.colnames)
    assert table["sqrt_ts"][0] > 15


def test_the_json_object_has_the_significance_of_each_component(model):
    facts = json.loads(run("test", model, "--components", "--simulations", 2, "--json").stdout)
    assert [row["component"] for row in facts["components"]] == [0, 1]
    assert facts["components"][0]["p_value"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--no-refit"], "--no-refit does not go with --components"),
        (["--out-map", "m.fits"], "--out-map does not go with --components"),
    ],
)
def test_options_of_the_other_test_are_refused(model, words, text):
    assert text in error_line(run("test", model, "--components", *words))
