"""A fit can be stopped and resumed: what a FitState remembers."""

import io
import warnings
from dataclasses import asdict, replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from simulated import drawn, field, mixture_of

from gmmx.errors import InputError
from gmmx.fitting.driver import fit
from gmmx.fitting.point_sources import PointSources
from gmmx.model.background import Background
from gmmx.model.mixture import POINT_SIGMA, Fixed, Mixture
from gmmx.model.psf import PsfModel
from gmmx.model.state import FitState

TRUTH = mixture_of(
    (350, -20, -10, 4), (250, 15, 20, 6), (150, 20, -15, 2), (200, -15, 18, POINT_SIGMA)
)
SOURCES = PointSources(x=[-15.3], y=[18.2], reaches=[4.0])
PLANS = {
    "chosen number": {"n_components": "auto"},
    "given number": {"n_components": 6, "exchanges": 3},
    "no exchanges": {"n_components": "auto", "exchanges": 0},
    "k-means": {"n_components": 4, "init": "kmeans", "seed": 3},
    "given start": {"start": TRUTH.select([0, 1]), "n_components": 3},
    "fixed": {
        "fixed": (TRUTH.select([0]), Fixed(fluxes=[True], means=[True], covariances=[False])),
        "n_components": 3,
    },
    "point sources": {"n_components": 2, "point_sources": SOURCES},
    "a source at its edge": {
        "n_components": 2,
        "point_sources": replace(SOURCES, x=[-12.0], reaches=[1.0]),
    },
}


@pytest.fixture(scope="module")
def observation():
    return drawn(
        TRUTH,
        field(120, 2.0),
        np.random.default_rng(5),
        psf=PsfModel.constant(0.8),
        sky=0.03,
        backgrounds=(Background(),),
    )


def quiet_fit(observation, **options):
    """A fit on one thread; its warnings are ignored."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fit(observation, threads=1, **options)


def states_of(observation, **options):
    """The result of a fit, and every state that it could have been resumed from."""
    states = {}
    result = quiet_fit(
        observation, callback=lambda one: states.setdefault(id(one.state), one.state), **options
    )
    return result, list(states.values())


def through_a_file(state):
    """The state as it comes back from a file of arrays."""
    file = io.BytesIO()
    np.savez(file, **state.to_arrays())
    file.seek(0)
    with np.load(file) as arrays:
        return FitState.from_arrays(dict(arrays))


def assert_same_fit(one, other):
    assert_array_equal(one.mixture.fluxes, other.mixture.fluxes)
    assert_array_equal(one.mixture.means, other.mixture.means)
    assert_array_equal(one.mixture.covariances, other.mixture.covariances)
    assert list(map(asdict, one.backgrounds)) == list(map(asdict, other.backgrounds))
    assert (one.iterations, one.converged, one.objective) == (
        other.iterations,
        other.converged,
        other.objective,
    )
    assert one.warnings == other.warnings
    for name in set(one.history) - {"seconds"}:
        assert_array_equal(one.history[name], other.history[name])
    for name in one.path:
        assert_array_equal(one.path[name], other.path[name])


@pytest.mark.parametrize("plan", PLANS)
def test_a_fit_resumed_at_any_boundary_ends_in_the_same_bits(observation, plan):
    options = PLANS[plan]
    result, states = states_of(observation, **options)
    assert len(states) > 3
    given = {name: value for name, value in options.items() if name not in ("start", "fixed")}
    # Every state of a short fit, and some of a long one.
    for state in states[:: 1 + len(states) // 5]:
        again = quiet_fit(observation, start=through_a_file(state), **given)
        assert_same_fit(again, result)
        assert again.seconds >= state.seconds


def test_a_fit_stopped_at_any_evaluation_loses_less_than_a_phase(observation):
    found = []
    whole = quiet_fit(observation, n_components=4, callback=found.append)
    lost = [one.iteration - one.state.evaluations for one in found]
    assert min(lost) >= 0
    assert max(lost) <= 2 * 100
    assert max(one.seconds for one in found) <= whole.seconds


def test_a_finished_fit_can_be_resumed_too(observation):
    result, states = states_of(observation, n_components=2)
    again = quiet_fit(observation, start=states[-1], n_components=2)
    assert_same_fit(again, result)


def test_a_state_of_other_observations_is_refused(observation):
    _, states = states_of(observation, n_components=2)
    with pytest.raises(InputError, match="state of a fit of other observations"):
        fit([observation, observation], start=states[0], n_components=2)


def test_a_state_comes_back_from_its_arrays():
    mixture = mixture_of((5, 1, 2, 3), (7, 4, 5, 6))
    state = FitState.initial(
        mixture,
        (np.array([0.1, 0.2]), np.array([])),
        seed=9,
        fixed=Fixed(fluxes=[True, False], means=[False, True], covariances=[False, False]),
        n_components=2,
        stages=[{"stage": "Settle", "when": "always", "evaluations": 5, "tolerance": 1 / 3}],
    ).going_on(spent=3)
    again = through_a_file(state)
    assert_array_equal(again.mixture.covariances, mixture.covariances)
    assert_array_equal(again.fixed.means, state.fixed.means)
    assert [a.tolist() for a in again.amplitudes] == [[0.1, 0.2], []]
    assert (again.stages, again.stage, again.progress) == (state.stages, 0, {"spent": 3})
    assert again.generator == state.generator
    assert again.rng().random() == np.random.default_rng(9).random()


def test_arrays_that_lack_something_are_no_state():
    arrays = FitState.initial(Mixture.empty(), (), seed=0).to_arrays()
    del arrays["mixture/means"]
    with pytest.raises(InputError, match="mixture/means' is missing"):
        FitState.from_arrays(arrays)


def test_a_state_says_where_it_is(observation):
    _, states = states_of(observation, n_components=2)
    assert repr(states[0]).startswith("FitState: 0 components after 1 evaluation, in stage 2 of")
