"""The ascent: exact slopes, rising objectives, and the same maximum as plain iterations."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from simulated import random_mixture, random_observation

from gmmx.em.ascent import Chart, ascend
from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Parameters, Priors
from gmmx.em.photons import PhotonLikelihood
from gmmx.model.background import Background

PRIORS = Priors(mean_count=1.0, covariance_count=3.0, min_sigma=0.1)
SKY = (Background(), Background(name="particle", kind="particle", amplitude=0.05, fixed=True))


def start(seed, *, m=2, backgrounds=SKY, k=3, **options):
    """Two observations, parameters, the phase begun there and its chart."""
    observations = [
        random_observation(seed, m=m, backgrounds=backgrounds, **options),
        random_observation(seed + 1, n=150, angle=25),
    ]
    prepared = PhotonLikelihood.of(observations)
    mixture = random_mixture(np.random.default_rng(seed), k)
    parameters = Parameters(
        mixture=mixture, amplitudes=(np.full(len(backgrounds), 0.05), np.zeros(0))
    )
    phase = prepared.begin_phase(parameters, PRIORS)
    return prepared, parameters, phase, Chart.at(prepared, parameters, phase)


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10**6), m=st.integers(1, 3))
def test_gradient_is_exact(seed, m):
    prepared, parameters, phase, chart = start(seed, m=m)
    rng = np.random.default_rng(seed)

    def objective(z):
        return evaluate(prepared, chart.to_parameters(z), phase).objective

    # Away from the chart's own centre, where everything is simple.
    z = chart.to_vector(parameters)
    z = z + chart.scales * rng.normal(0, 0.1, len(z))
    gradient = chart.gradient(evaluate(prepared, chart.to_parameters(z), phase))
    # A cell that enters or leaves the integral at 6 standard deviations moves it by exp(-18) of itself.
    for direction in rng.standard_normal((4, len(z))):
        h = 1e-4 * direction * chart.scales
        difference = (
            8 * (objective(z + h) - objective(z - h))
            - (objective(z + 2 * h) - objective(z - 2 * h))
        ) / 12
        assert gradient @ h == pytest.approx(difference, rel=1e-3, abs=2e-5)


@pytest.mark.parametrize("coordinate", range(19))
def test_gradient_by_each_coordinate(coordinate):
    prepared, parameters, phase, chart = start(3)
    z = chart.to_vector(parameters)
    assert len(z) == 19
    gradient = chart.gradient(evaluate(prepared, parameters, phase))
    h = 1e-3 * chart.scales[coordinate] * np.eye(19)[coordinate]
    up, down = (
        evaluate(prepared, chart.to_parameters(z + s * h), phase).objective for s in (1, -1)
    )
    assert gradient[coordinate] * h[coordinate] == pytest.approx(
        (up - down) / 2, rel=2e-3, abs=2e-5
    )


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_chart_goes_round(seed):
    _, parameters, _, chart = start(seed)
    moved = chart.to_parameters(
        chart.to_vector(parameters) + chart.scales * np.random.default_rng(seed).normal(0, 0.2, 19)
    )
    again = chart.to_parameters(chart.to_vector(moved))
    assert_allclose(again.mixture.fluxes, moved.mixture.fluxes, rtol=1e-10)
    assert_allclose(again.mixture.means, moved.mixture.means, atol=1e-10)
    assert_allclose(again.mixture.covariances, moved.mixture.covariances, rtol=1e-10, atol=1e-10)
    assert_allclose(again.amplitudes[0], moved.amplitudes[0], rtol=1e-10)
    # What is held is not a coordinate.
    assert moved.amplitudes[0][1] == parameters.amplitudes[0][1]


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10**6), m=st.integers(1, 2))
def test_objective_never_falls_in_a_phase(seed, m):
    prepared, parameters, phase, chart = start(seed, m=m)
    objectives, spent = [], 0
    for step in ascend(lambda q: evaluate(prepared, q, phase), phase.holds, parameters, chart):
        objectives.append(step.evaluation.objective)
        spent += step.evaluations
        assert step.evaluations >= 1
        if spent > 60:
            break
    assert np.all(np.diff(objectives) >= 0)
    assert objectives[-1] > objectives[0]


def test_reaches_where_plain_iterations_go_and_sooner():
    prepared, parameters, phase, chart = start(2, m=1, backgrounds=(Background(),))

    def value(q):
        return evaluate(prepared, q, phase)

    fast, spent = None, 0
    for step in ascend(value, lambda q: True, parameters, chart):
        fast, spent = step.evaluation, spent + step.evaluations
        if spent >= 200:
            break
    plain = value(parameters)
    for _ in range(200):
        plain = value(plain.successor)
    assert fast.objective > plain.objective - 1e-6
    # Plain iterations from the maximum stay there, and a slope is hardly left.
    assert value(fast.successor).objective == pytest.approx(fast.objective, abs=0.02)
    assert np.linalg.norm(chart.gradient(fast)) < 0.3


def test_promise_says_what_is_still_to_come():
    prepared, parameters, phase, chart = start(5, m=1, backgrounds=(Background(),))
    steps, spent = [], 0
    for step in ascend(lambda q: evaluate(prepared, q, phase), lambda q: True, parameters, chart):
        steps.append(step)
        spent += step.evaluations
        if spent > 200:
            break
    maximum = steps[-1].evaluation.objective
    assert steps[0].promise == np.inf
    assert steps[-1].promise < 1e-3
    late = [s for s in steps if s.promise < 0.01]
    assert maximum - late[0].evaluation.objective < 0.2


def test_stops_where_the_phase_no_longer_holds():
    prepared, parameters, phase, chart = start(1)
    calls = []

    def holds(candidate):
        calls.append(candidate)
        return len(calls) < 12

    steps = list(ascend(lambda q: evaluate(prepared, q, phase), holds, parameters, chart))
    assert len(calls) >= 12
    assert 1 < len(steps) <= 13


def test_falls_back_on_plain_steps():
    # An evaluation that refuses every extrapolation leaves plain iterations, which still rise.
    prepared, parameters, phase, chart = start(4)
    allowed = [parameters]

    def value(q):
        if not any(q is a for a in allowed):
            raise ValueError("no")
        found = evaluate(prepared, q, phase)
        allowed.append(found.successor)
        return found

    steps = []
    for step in ascend(value, lambda q: True, parameters, chart):
        steps.append(step)
        if len(steps) == 8:
            break
    assert [s.kind for s in steps] == ["start", *7 * ["em"]]
    assert np.all(np.diff([s.evaluation.objective for s in steps]) >= 0)


def test_component_on_the_floor_does_not_stop_the_rest():
    prepared, parameters, _, _ = start(6, m=1, backgrounds=(Background(),))
    mixture = parameters.mixture
    covariances = mixture.covariances.copy()
    covariances[0] = PRIORS.min_sigma**2 * np.eye(2)
    parameters = replace(parameters, mixture=replace(mixture, covariances=covariances))
    phase = prepared.begin_phase(parameters, PRIORS)
    chart = Chart.at(prepared, parameters, phase)
    objectives = []
    for step in ascend(lambda q: evaluate(prepared, q, phase), phase.holds, parameters, chart):
        objectives.append(step.evaluation.objective)
        assert np.linalg.eigvalsh(
            step.evaluation.parameters.mixture.covariances
        ).min() >= PRIORS.min_sigma**2 * (1 - 1e-9)
        if len(objectives) > 25:
            break
    assert np.all(np.diff(objectives) >= 0)
    assert objectives[-1] > objectives[3]
