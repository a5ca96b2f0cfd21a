"""Which components there are: growing, exchanging, pruning."""

import warnings

import numpy as np
import pytest
import reference
from numpy.testing import assert_allclose, assert_array_equal
from simulated import drawn, field, mixture_of
from skies import flat_sky, separated, small_galaxy

from gmmx.answers.score import held_out_score
from gmmx.config import FitOptions
from gmmx.em.parameters import Parameters
from gmmx.fitting.driver import fit
from gmmx.fitting.exchange import Proposal, exchanged
from gmmx.fitting.grow import enlarged
from gmmx.fitting.phases import evaluation_at
from gmmx.fitting.plan import first_state
from gmmx.fitting.problem import Problem, parameters_of
from gmmx.fitting.prune import removal_losses
from gmmx.fitting.stage import WITH_COMPONENTS
from gmmx.fitting.stages import Settle
from gmmx.model.background import Background
from gmmx.model.mixture import Fixed
from gmmx.model.psf import PsfModel

# test_information.py is about the correlation of background and signal.
pytestmark = pytest.mark.filterwarnings("ignore::gmmx.errors.DegeneracyWarning")

SKY = (Background(),)


def nearest_distances(found, truth):
    """Distance from each true component to the nearest one found."""
    return np.hypot(*(truth.means[:, None] - found.means[None]).transpose(2, 0, 1)).min(1)


def grid_of_sources(seed, n_side=3, flux=400.0, sigma=3.0):
    """n_side x n_side separated components of one width."""
    offsets = (np.arange(n_side) - (n_side - 1) / 2) * 60.0
    truth = mixture_of(*[(flux, x, y, sigma) for x in offsets for y in offsets])
    observation = drawn(
        truth,
        field(60.0 * n_side, 2.0),
        np.random.default_rng(seed),
        psf=PsfModel.constant(0.7),
        sky=0.02,
        backgrounds=SKY,
    )
    return truth, observation


def quiet(observation, **options):
    """A fit on one thread; its warnings are ignored."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fit(observation, threads=1, **options)


@pytest.mark.parametrize("seed", [0, 1])
def test_growing_finds_separated_components(seed):
    truth, observation = grid_of_sources(seed)
    result = fit(observation, n_components=9, threads=1)
    assert len(result.mixture) == 9
    assert nearest_distances(result.mixture, truth).max() < 1.0
    assert_allclose(result.mixture.fluxes, 400, rtol=0.25)


@pytest.mark.parametrize(("n_components", "found"), [(1, [1]), (2, [0, 1])])
def test_growing_finds_the_brightest_sources_first(n_components, found):
    truth = mixture_of((200, -40, 0, 3), (3000, 40, 0, 3), (50, 0, 40, 3))
    observation = drawn(truth, field(150, 2.0), np.random.default_rng(0), sky=0.01, backgrounds=SKY)
    result = quiet(observation, n_components=n_components)
    assert np.all(nearest_distances(result.mixture, truth)[found] < 1)


def test_concentric_components_come_back_with_their_own_widths():
    # In pyGMMis, whose neighbourhoods only shrink, this pair comes back as 0.96 and 2.86.
    truth = mixture_of((3000, 0, 0, 1), (3000, 0, 0, 8))
    observation = drawn(truth, field(120, 0.5), np.random.default_rng(4), sky=0.01, backgrounds=SKY)
    found = fit(observation, n_components=2, threads=1).mixture
    sigmas = np.sort(np.linalg.det(found.covariances) ** 0.25)
    assert_allclose(sigmas, [1, 8], rtol=0.06)


def test_a_close_pair_is_resolved_although_the_residual_has_no_two_peaks():
    # The likelihood resolves two sources at twice the PSF's sigma; the search for peaks does not.
    truth = mixture_of((2000, -1.2, 0, 0.4), (2000, 1.2, 0, 0.4))
    observation = drawn(
        truth,
        field(60, 0.5),
        np.random.default_rng(5),
        psf=PsfModel.constant(1.2),
        sky=0.01,
        backgrounds=SKY,
    )
    found = fit(observation, n_components=2, threads=1).mixture
    assert nearest_distances(found, truth).max() < 0.3


def test_exchanges_do_no_harm():
    truth, observation = grid_of_sources(3, n_side=2)
    without = quiet(observation, n_components=4, exchanges=0, tol=1e-3)
    exchanged = quiet(observation, n_components=4, exchanges=12, tol=1e-3)
    assert exchanged.objective >= without.objective - 0.01
    assert nearest_distances(exchanged.mixture, truth).max() < 1


@pytest.mark.parametrize("seed", [2, 3])
def test_exchanges_bring_the_mixture_closer_to_the_truth(seed):
    # Narrow components on a few photons raise the likelihood, too, but not that of new photons.
    case = small_galaxy(seed, n=6000)
    plain, refined = (quiet(case.train, n_components=12, exchanges=n) for n in (0, 12))
    assert refined.refinement["exchanges_accepted"] > 0
    assert refined.objective > plain.objective + 1
    scores = [held_out_score(result, [case.held_out]).mean for result in (plain, refined)]
    assert scores[1] > scores[0]
    errors = [
        reference.integrated_squared_error(case.truth.mixture, result.mixture)
        for result in (plain, refined)
    ]
    assert errors[1] <= errors[0]


def test_a_grown_fit_is_as_good_as_one_started_at_the_truth():
    truth = mixture_of((1500, -8, 0, 3), (1500, 8, 0, 3), (800, 0, 14, 2), (600, 0, 0, 20))
    observation = drawn(
        truth,
        field(150, 1.0),
        np.random.default_rng(6),
        psf=PsfModel.constant(0.7),
        sky=0.02,
        backgrounds=SKY,
    )
    grown, oracle = quiet(observation, n_components=4), quiet(observation, start=truth)
    assert grown.objective >= oracle.objective - 2.0


@pytest.mark.parametrize("n", [1, 3])
def test_chosen_number_is_that_of_separated_components(n):
    _, observation = grid_of_sources(7, n_side=n)
    result = fit(observation, threads=1)
    assert len(result.mixture) == n * n


def test_more_components_than_sources_do_not_absorb_the_background():
    # From a k-means start, components that tile the field would absorb it.
    truth, observation = grid_of_sources(8, n_side=2)
    result = quiet(observation, n_components=12)
    background = result.backgrounds[0]
    assert abs(background.photons - 0.02 * 120**2) < 4 * max(
        background.photons_error, np.sqrt(0.02 * 120**2)
    )
    assert nearest_distances(result.mixture, truth).max() < 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("k", [1, 3, 10])
def test_the_chosen_number_is_that_of_separated_sources(k, seed):
    (observation,), _ = separated(k, seed)
    assert len(quiet(observation).mixture) == k


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_flat_sky_has_no_components(seed):
    assert len(quiet(flat_sky(seed)).mixture) == 0


# The functions of the stages.


def make_proposal(gains, parents, losses):
    """A proposal of round candidates along the x axis; gains and losses are less the price."""
    n = len(gains)
    added = mixture_of(*[(10, 100 * i, 500, 2) for i in range(n)])
    return Proposal(added, np.array(gains), np.array(parents), np.array(losses))


def three_components():
    mixture = mixture_of((100, 0, 0, 3), (200, 50, 0, 3), (300, 100, 0, 3))
    return Parameters(mixture=mixture, amplitudes=())


def test_a_component_is_exchanged_for_one_that_promises_more():
    proposal = make_proposal([50.0], [-1], [30.0, 5.0, 80.0])
    larger, n_added = exchanged(three_components(), proposal, 3, 10, least=6.0)
    assert n_added == 1
    assert_array_equal(larger.mixture.means[:, 0], [0, 100, 0])


def test_a_component_that_is_not_worth_its_price_is_exchanged_for_one_that_hardly_is():
    proposal = make_proposal([1.0], [-1], [30.0, -8.0, 80.0])
    larger, n_added = exchanged(three_components(), proposal, 3, 10, least=0.0)
    assert n_added == 1
    assert_array_equal(larger.mixture.means[:, 0], [0, 100, 0])


def test_nothing_is_exchanged_for_a_small_promise():
    proposal = make_proposal([10.0], [-1], [30.0, 5.0, 80.0])
    parameters, n_added = exchanged(three_components(), proposal, 3, 10, least=6.0)
    assert (n_added, len(parameters.mixture)) == (0, 3)


@pytest.mark.parametrize(("least", "n"), [(0.0, 4), (60.0, 3)])
def test_a_component_is_added_if_there_is_room_and_it_promises_enough(least, n):
    proposal = make_proposal([50.0], [-1], [np.inf, np.inf, np.inf])
    larger, _ = exchanged(three_components(), proposal, 5, 10, least=least)
    assert len(larger.mixture) == n


def test_a_child_takes_its_flux_from_its_parent():
    proposal = make_proposal([50.0], [2], [np.inf, np.inf, np.inf])
    larger, _ = exchanged(three_components(), proposal, 5, 10, least=6.0)
    assert_array_equal(larger.mixture.fluxes, [100, 200, 290, 10])


def test_components_with_fixed_parameters_are_never_removed():
    _, observation = grid_of_sources(1, n_side=2)
    problem = Problem.of(observation, FitOptions(threads=1))
    fixed = Fixed(fluxes=[True, False], means=[False] * 2, covariances=[False] * 2)
    start = mixture_of((400, -30, -30, 3), (400, 30, 30, 3))
    state = first_state(problem, fixed=(start, fixed))
    evaluation, phase = evaluation_at(problem, state)
    information = problem.information(parameters_of(state), phase)
    losses = removal_losses(information, evaluation.observed_fraction)
    assert np.isinf(losses).tolist() == [True, False]


def test_new_components_are_apart_from_each_other():
    truth, observation = grid_of_sources(2)
    problem = Problem.of(observation, FitOptions(threads=1))
    start = parameters_of(first_state(problem))
    larger, n_added = enlarged(problem.search, start, 9)
    assert n_added == len(larger.mixture) == 9
    means = larger.mixture.means
    distances = np.hypot(*(means[:, None] - means[None]).transpose(2, 0, 1))
    assert np.min(distances + 1e9 * np.eye(9)) > 1.5 * 2
    assert nearest_distances(larger.mixture, truth).max() < 3


def test_a_stage_that_is_not_due_is_passed_over():
    _, observation = grid_of_sources(1, n_side=1)
    problem = Problem.of(observation, FitOptions(threads=1))
    state = first_state(problem)
    after = Settle(evaluations=5, tolerance=0.1, when=WITH_COMPONENTS).run(problem, state)
    assert (after.stage, after.evaluations) == (1, 0)
