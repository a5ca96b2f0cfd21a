"""The ascent: exact slopes, rising objectives, and the same maximum as plain iterations."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from simulated import random_mixture, random_observation

from gmmx.em.ascent import ascend
from gmmx.em.chart import Chart
from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Parameters, Priors
from gmmx.em.photons import PhotonLikelihood, PhotonPhase
from gmmx.model.background import Background
from gmmx.model.mixture import Fixed
from gmmx.model.photons import Photons

PRIORS = Priors(mean_count=1.0, covariance_count=3.0, min_sigma=0.1)
# A floor that few cells of the exposure resolve.
NARROW = replace(PRIORS, min_sigma=0.4)
SKY = (Background(),)
BACKGROUNDS = (*SKY, Background(name="particle", kind="particle", amplitude=0.05, fixed=True))
# Three components with 6 coordinates each, and one free background.
N_COORDINATES = 19


@dataclass(frozen=True)
class Start:
    """Where an ascent starts: a likelihood, parameters, the phase begun there and its chart."""

    likelihood: PhotonLikelihood
    parameters: Parameters
    phase: PhotonPhase
    chart: Chart

    @classmethod
    def at(cls, likelihood, parameters):
        """The phase and the chart at given parameters."""
        phase = likelihood.begin_phase(parameters, PRIORS)
        return cls(likelihood, parameters, phase, Chart.at(likelihood, parameters, phase))

    def evaluate(self, parameters):
        """One evaluation in the phase."""
        return evaluate(self.likelihood, parameters, self.phase)

    def evaluate_at(self, z):
        """One evaluation at coordinates."""
        return self.evaluate(self.chart.to_parameters(z))

    def steps(self, evaluations, is_valid=lambda parameters: True):
        """The steps of an ascent until so many evaluations are spent."""
        steps, spent = [], 0
        for step in ascend(self.evaluate, is_valid, self.parameters, self.chart):
            steps.append(step)
            spent += step.evaluations
            if spent >= evaluations:
                break
        return steps


def make_start(seed, *, m=2, backgrounds=BACKGROUNDS):
    """Two observations and three components."""
    observations = [
        random_observation(seed, m=m, backgrounds=backgrounds),
        random_observation(seed + 1, n=150, angle=25),
    ]
    mixture = random_mixture(np.random.default_rng(seed), 3)
    amplitudes = (np.full(len(backgrounds), 0.05), np.zeros(0))
    return Start.at(
        PhotonLikelihood.of(observations), Parameters(mixture=mixture, amplitudes=amplitudes)
    )


def objectives_of(steps):
    """Objective of each step."""
    return np.array([step.evaluation.objective for step in steps])


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10**6), m=st.integers(1, 3))
def test_gradient_is_exact(seed, m):
    start, rng = make_start(seed, m=m), np.random.default_rng(seed)
    # Away from the chart's own centre, where everything is simple.
    z = start.chart.to_vector(start.parameters)
    z = z + start.chart.scales * rng.normal(0, 0.1, len(z))
    gradient = start.chart.gradient(start.evaluate_at(z))
    for direction in rng.standard_normal((4, len(z))):
        h = 1e-4 * direction * start.chart.scales
        far_up, up, down, far_down = (
            start.evaluate_at(z + step * h).objective for step in (2, 1, -1, -2)
        )
        difference = (8 * (up - down) - (far_up - far_down)) / 12
        # A cell that enters or leaves the integral at 6 sigma changes it by exp(-18) of itself.
        assert gradient @ h == pytest.approx(difference, rel=1e-3, abs=2e-5)


@pytest.mark.parametrize("coordinate", range(N_COORDINATES))
def test_gradient_by_each_coordinate(coordinate):
    start = make_start(3)
    z = start.chart.to_vector(start.parameters)
    h = 1e-3 * start.chart.scales[coordinate] * np.eye(N_COORDINATES)[coordinate]
    gradient = start.chart.gradient(start.evaluate(start.parameters))
    up, down = (start.evaluate_at(z + sign * h).objective for sign in (1, -1))
    assert gradient @ h == pytest.approx((up - down) / 2, rel=2e-3, abs=2e-5)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_coordinates_return_to_the_same_parameters(seed):
    start = make_start(seed)
    chart = start.chart
    shifts = np.random.default_rng(seed).normal(0, 0.2, N_COORDINATES)
    moved = chart.to_parameters(chart.to_vector(start.parameters) + chart.scales * shifts)
    again = chart.to_parameters(chart.to_vector(moved))
    assert_allclose(again.mixture.fluxes, moved.mixture.fluxes, rtol=1e-10)
    assert_allclose(again.mixture.means, moved.mixture.means, atol=1e-10)
    assert_allclose(again.mixture.covariances, moved.mixture.covariances, rtol=1e-10, atol=1e-10)
    assert_allclose(again.amplitudes[0], moved.amplitudes[0], rtol=1e-10)
    # A fixed amplitude is no coordinate.
    assert moved.amplitudes[0][1] == start.parameters.amplitudes[0][1]


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10**6), m=st.integers(1, 2))
def test_objective_never_falls_in_a_phase(seed, m):
    start = make_start(seed, m=m)
    steps = start.steps(60, start.phase.is_valid)
    objectives = objectives_of(steps)
    assert all(step.evaluations >= 1 for step in steps)
    assert np.all(np.diff(objectives) >= 0)
    assert objectives[-1] > objectives[0]


def test_reaches_where_plain_iterations_go_and_sooner():
    start = make_start(2, m=1, backgrounds=SKY)
    fast = start.steps(200)[-1].evaluation
    plain = start.evaluate(start.parameters)
    for _ in range(200):
        plain = start.evaluate(plain.successor)
    assert fast.objective > plain.objective - 1e-6
    # Plain iterations from the maximum stay there, and hardly any slope is left.
    after = start.evaluate(fast.successor).objective
    assert after == pytest.approx(fast.objective, abs=0.02)
    assert np.linalg.norm(start.chart.gradient(fast)) < 0.3


def test_the_promise_bounds_the_gain_still_to_come():
    steps = make_start(5, m=1, backgrounds=SKY).steps(200)
    objectives = objectives_of(steps)
    first_small = next(i for i, step in enumerate(steps) if step.promise < 0.01)
    assert steps[0].promise == np.inf
    assert steps[-1].promise < 1e-3
    assert objectives[-1] - objectives[first_small] < 0.2


def test_stops_where_the_phase_is_no_longer_valid():
    calls = []

    def is_valid(candidate):
        calls.append(candidate)
        return len(calls) < 12

    steps = make_start(1).steps(10**6, is_valid)
    assert len(calls) >= 12
    assert 1 < len(steps) <= 13


def test_falls_back_on_plain_steps():
    # An evaluation that refuses every extrapolation leaves plain iterations, which still rise.
    start = make_start(4)
    allowed = [start.parameters]

    def only_successors(parameters):
        if not any(parameters is one for one in allowed):
            raise ValueError("no")
        found = start.evaluate(parameters)
        allowed.append(found.successor)
        return found

    steps = []
    for step in ascend(only_successors, lambda q: True, start.parameters, start.chart):
        steps.append(step)
        if len(steps) == 8:
            break
    assert [step.kind for step in steps] == ["start", *7 * ["em"]]
    assert np.all(np.diff(objectives_of(steps)) >= 0)


def test_the_ascent_ends_at_the_maximum():
    # Where no step raises the objective beyond rounding, the last one says so.
    start = make_start(2, m=1, backgrounds=SKY)
    top = start.steps(400)[-1].evaluation.parameters
    steps = Start.at(start.likelihood, top).steps(3000)
    assert steps[-1].kind == "maximum"
    assert steps[-1].promise == 0


def test_component_on_the_floor_does_not_stop_the_rest():
    start = make_start(6, m=1, backgrounds=SKY)
    mixture = start.parameters.mixture
    covariances = mixture.covariances.copy()
    covariances[0] = PRIORS.min_sigma**2 * np.eye(2)
    narrow = replace(start.parameters, mixture=replace(mixture, covariances=covariances))
    start = Start.at(start.likelihood, narrow)
    steps = start.steps(40, start.phase.is_valid)
    smallest = [
        np.linalg.eigvalsh(step.evaluation.parameters.mixture.covariances).min() for step in steps
    ]
    objectives = objectives_of(steps)
    assert min(smallest) >= PRIORS.min_sigma**2 * (1 - 1e-9)
    assert np.all(np.diff(objectives) >= 0)
    assert objectives[-1] > objectives[3]


def make_clumped_start(seed, *, m, prior, with_fixed, two):
    """Components on the floor, one on photons that lie closer together than any PSF.

    Parameters
    ----------
    seed : int
    m : int
        Gaussians of the PSF; 0 for none.
    prior : float
        Strength of the priors, 0 for none.
    with_fixed, two : bool
        Whether parameters are fixed, and whether there is a second observation.
    """
    rng = np.random.default_rng(seed)
    observation = random_observation(seed, m=max(m, 1), psf=m > 0, backgrounds=BACKGROUNDS)
    photons, n = observation.photons, 400
    clump = Photons(
        np.append(photons.x, np.full(n, -5.0)),
        np.append(photons.y, np.full(n, 5.0)),
        weights=np.append(photons.weights, rng.choice([1.0, 200.0], n)),
    )
    observations = [replace(observation, photons=clump)]
    if two:
        observations.append(random_observation(seed + 1, n=150, angle=25))
    mixture = random_mixture(rng, 4)
    covariances, means = mixture.covariances.copy(), mixture.means.copy()
    covariances[0], means[0] = NARROW.min_sigma**2 * np.eye(2), [-5.0, 5.0]
    covariances[1] = rng.uniform(1, 3) * NARROW.least_variance * np.eye(2)
    names = ("fluxes", "means", "covariances")
    fixed = Fixed(**{name: rng.random(4) < 0.3 for name in names}) if with_fixed else None
    parameters = Parameters(
        mixture=replace(mixture, covariances=covariances, means=means),
        amplitudes=(np.full(2, 0.05), np.zeros(0))[: len(observations)],
        fixed=fixed,
    )
    priors = replace(NARROW, mean_count=prior / 3, covariance_count=prior)
    return PhotonLikelihood.of(observations), parameters, priors


clumped_starts = st.builds(
    make_clumped_start,
    st.integers(0, 10**6),
    m=st.integers(0, 2),
    prior=st.sampled_from([0.0, 3.0]),
    with_fixed=st.booleans(),
    two=st.booleans(),
)


def check_never_falls(likelihood, parameters, priors):
    """In each of several phases the objective rises and no component is below the floor."""
    free = np.ones(4, bool) if parameters.fixed is None else ~parameters.fixed.covariances
    for _ in range(3):
        phase = likelihood.begin_phase(parameters, priors)
        start = Start(likelihood, parameters, phase, Chart.at(likelihood, parameters, phase))
        steps = start.steps(12, phase.is_valid)
        assert np.diff(objectives_of(steps)).min(initial=0.0) >= -1e-6
        parameters = steps[-1].evaluation.parameters
        smallest = np.linalg.eigvalsh(parameters.mixture.covariances[free])
        assert smallest.min(initial=1.0) >= priors.least_variance * (1 - 1e-9)


@settings(deadline=None, max_examples=4)
@given(start=clumped_starts)
def test_objective_never_falls_where_components_rest_on_the_floor(start):
    check_never_falls(*start)


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(start=clumped_starts)
def test_objective_never_falls_on_the_floor_of_many_skies(start):
    check_never_falls(*start)


def test_a_step_of_em_leaves_a_component_below_the_floor_where_it_is():
    # Quasi-Newton steps may have brought it there; raising it would lower the objective.
    likelihood, parameters, priors = make_clumped_start(
        1, m=1, prior=0, with_fixed=False, two=False
    )
    variance = (1 - 5e-4) * priors.min_sigma**2
    covariances = parameters.mixture.covariances.copy()
    covariances[0] = variance * np.eye(2)
    parameters = replace(parameters, mixture=replace(parameters.mixture, covariances=covariances))
    phase = likelihood.begin_phase(parameters, priors)
    now = evaluate(likelihood, parameters, phase)
    assert_allclose(
        now.successor.mixture.covariances[0], variance * np.eye(2), rtol=1e-9, atol=1e-15
    )
    assert evaluate(likelihood, now.successor, phase).objective >= now.objective
