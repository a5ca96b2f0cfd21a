"""Fixed parameters stay as they are, to the bit, in iterations and in whole fits."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from simulated import drawn, field, mixture_of, random_mixture, random_observation

from gmmx.em.ascent import ascend
from gmmx.em.chart import Chart
from gmmx.em.information import Information
from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Parameters, Priors
from gmmx.em.photons import PhotonLikelihood
from gmmx.errors import GmmxWarning, InputError
from gmmx.fitting.driver import fit
from gmmx.model.background import Background
from gmmx.model.mixture import Fixed

PRIORS = Priors(mean_count=1.0, covariance_count=3.0, min_sigma=0.5)
NAMES = ("fluxes", "means", "covariances")


def make_case(seed, k=4):
    """Photons, parameters of which random ones are fixed, and their phase."""
    rng = np.random.default_rng(seed)
    observation = random_observation(seed, m=2, backgrounds=(Background(),))
    likelihood = PhotonLikelihood.of([observation])
    fixed = Fixed(**{name: rng.random(k) < 0.4 for name in NAMES})
    parameters = Parameters(
        mixture=random_mixture(rng, k), amplitudes=(np.array([0.05]),), fixed=fixed
    )
    return likelihood, parameters, likelihood.begin_phase(parameters, PRIORS)


def assert_kept(before, after, fixed):
    for name in NAMES:
        which = getattr(fixed, name)
        assert_array_equal(getattr(after, name)[which], getattr(before, name)[which])


def assert_free_moved(before, after, fixed):
    for name in NAMES:
        free = ~getattr(fixed, name)
        if free.any():
            assert np.any(getattr(after, name)[free] != getattr(before, name)[free])


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**32 - 1))
def test_iterations_keep_fixed_parameters_and_never_lower_the_objective(seed):
    likelihood, parameters, phase = make_case(seed)
    now = evaluate(likelihood, parameters, phase)
    for _ in range(8):
        after = evaluate(likelihood, now.successor, phase)
        assert after.objective >= now.objective - 1e-9 * abs(now.objective)
        now = after
        assert_kept(parameters.mixture, now.parameters.mixture, parameters.fixed)
    assert_free_moved(parameters.mixture, now.parameters.mixture, parameters.fixed)


def first_steps(ascent, n):
    """The accepted steps of the first n evaluations."""
    steps, spent = [], 0
    for step in ascent:
        steps.append(step)
        spent += step.evaluations
        if spent >= n:
            return steps
    return steps


@pytest.mark.parametrize("seed", range(5))
def test_the_ascent_keeps_fixed_parameters_and_beats_plain_iterations(seed):
    likelihood, parameters, phase = make_case(seed)

    def value(q):
        return evaluate(likelihood, q, phase)

    chart = Chart.at(likelihood, parameters, phase)
    steps = first_steps(ascend(value, lambda q: True, parameters, chart), 60)
    for step in steps:
        assert_kept(parameters.mixture, step.evaluation.parameters.mixture, parameters.fixed)
        assert step.evaluation.parameters.fixed is parameters.fixed
    objectives = [step.evaluation.objective for step in steps]
    assert np.all(np.diff(objectives) >= 0)
    plain = value(parameters)
    for _ in range(30):
        plain = value(plain.successor)
    assert objectives[-1] > plain.objective - 1e-3


def test_the_gradient_is_zero_for_fixed_parameters_and_exact_for_free_ones():
    likelihood, parameters, phase = make_case(3)
    chart, fixed = Chart.at(likelihood, parameters, phase), parameters.fixed
    z = chart.to_vector(parameters)
    slope = chart.gradient(evaluate(likelihood, parameters, phase))
    is_fixed = np.concatenate(
        [fixed.fluxes, np.repeat(fixed.means, 2), np.repeat(fixed.covariances, 3), [False]]
    )
    assert 0 < is_fixed.sum() < len(is_fixed) - 5
    assert_array_equal(slope[is_fixed], 0)
    assert np.all(slope[~is_fixed] != 0)

    def objective(vector):
        return evaluate(likelihood, chart.to_parameters(vector), phase).objective

    steps = 1e-4 * np.eye(len(z))
    numeric = np.array([objective(z + step) - objective(z - step) for step in steps]) / 2e-4
    assert_array_equal(numeric[is_fixed], 0)
    assert_allclose(slope, numeric, rtol=1e-4, atol=1e-4 * np.abs(slope).max())


def test_fixed_parameters_stay_with_their_components():
    mixture = random_mixture(np.random.default_rng(0), 3)
    fixed = Fixed(fluxes=[True, False, False], means=[False, True, False], covariances=[False] * 3)
    parameters = Parameters(mixture=mixture, amplitudes=(), fixed=fixed)
    assert_array_equal(parameters.any_fixed, [True, True, False])
    assert_array_equal(parameters.select([2, 0]).any_fixed, [False, True])
    assert_array_equal(parameters.joined(mixture).any_fixed, [True, True, *[False] * 4])


def test_fixed_parameters_of_another_number_of_components_are_refused():
    mixture = random_mixture(np.random.default_rng(0), 3)
    with pytest.raises(InputError, match="has 2 components, but the mixture has 3"):
        Parameters(mixture=mixture, amplitudes=(), fixed=Fixed.none(2))


def test_fixed_needs_one_boolean_for_each_component():
    with pytest.raises(InputError, match="one boolean for each component"):
        Fixed(fluxes=[True], means=[True, False], covariances=[True])


def test_fixed_parameters_add_nothing_to_the_errors():
    likelihood, parameters, _ = make_case(5)
    free = Parameters(mixture=parameters.mixture, amplitudes=parameters.amplitudes)
    yes = np.ones(len(parameters.mixture))
    fixed = Parameters(
        mixture=free.mixture,
        amplitudes=free.amplitudes,
        fixed=Fixed(fluxes=yes, means=yes, covariances=yes),
    )
    phase = likelihood.begin_phase(free, PRIORS)
    uncertain, certain = (Information.at(likelihood, p, phase) for p in (free, fixed))
    assert len(certain.free) == 1
    assert certain.uncertainty().signal < uncertain.uncertainty().signal
    assert np.all(np.isfinite(certain.uncertainty().amplitudes[0]))


# Whole fits.

TRUTH = mixture_of((900, -25, -15, 4), (600, 20, 25, 6), (300, 30, -30, 3))
# Beside the truth, so that every parameter would move if it were free.
OFF = mixture_of((700, -23, -14, 5), (20, 0, 40, 2))
ALL = Fixed(fluxes=[True, True], means=[True, True], covariances=[True, True])


@pytest.fixture(scope="module")
def sky():
    rng = np.random.default_rng(2)
    return drawn(TRUTH, field(140, 2.0), rng, sky=0.03, backgrounds=(Background(),))


@pytest.mark.parametrize(
    "options",
    [{"n_components": "auto"}, {"n_components": 5}, {"n_components": 5, "init": "kmeans"}],
    ids=["auto", "five", "k-means"],
)
def test_other_components_grow_around_fixed_ones(sky, options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GmmxWarning)
        result = fit(sky, fixed=(OFF, ALL), threads=1, max_iter=300, **options)
    fixed = np.flatnonzero(result.fixed.any_fixed)
    assert len(fixed) == 2
    for name in NAMES:
        assert_array_equal(getattr(result.mixture, name)[fixed], getattr(OFF, name))
    assert len(result.mixture) > 2


def test_a_chosen_number_of_components_completes_the_fixed_ones(sky):
    result = fit(sky, fixed=(OFF, ALL), threads=1, max_iter=300)
    distance = np.hypot(*(result.mixture.means[:, None] - TRUTH.means[1:]).T).min(1)
    assert np.all(distance < 1.5)


def test_a_component_at_a_fixed_position_has_its_flux_fitted(sky):
    start = mixture_of((10, -25, -15, 9), (10, 20, 25, 6))
    fixed = Fixed(fluxes=[False, False], means=[True, True], covariances=[False, True])
    result = fit(sky, fixed=(start, fixed), threads=1)
    order = np.argsort(-result.mixture.fluxes)
    assert_array_equal(result.mixture.means[order[:2]], TRUTH.means[:2])
    assert_allclose(result.mixture.fluxes[order[:3]], TRUTH.fluxes, rtol=0.2)
    assert_array_equal(result.mixture.covariances[order[1]], 36 * np.eye(2))
    assert_allclose(result.mixture.covariances[order[0]], 16 * np.eye(2), atol=4)


def test_a_fixed_component_without_photons_is_not_removed(sky):
    faint = mixture_of((0.01, 0, 50, 1), (0.3, 50, 0, 1))
    fixed = Fixed(fluxes=[True, False], means=[True, True], covariances=[True, False])
    result = fit(sky, fixed=(faint, fixed), threads=1)
    same = (result.mixture.means[:, None] == faint.means).all(axis=2)
    assert same.any(axis=0).all()


def test_without_a_background_one_component_starts_with_the_other_photons():
    observation = drawn(TRUTH, field(140, 2.0), np.random.default_rng(2))
    fixed = OFF.select([0]), ALL.select([0])
    result = fit(observation, n_components=4, fixed=fixed, threads=1)
    assert len(result.mixture) == 4
    assert result.mixture.fluxes.sum() == pytest.approx(TRUTH.fluxes.sum(), rel=0.1)


def test_more_fixed_components_than_asked_for_are_refused(sky):
    with pytest.raises(InputError, match="`n_components` = 1, but the fit starts from 2 comp"):
        fit(sky, n_components=1, fixed=(OFF, ALL))
