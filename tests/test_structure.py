"""Which components there are: growing, exchanging, pruning."""

import warnings

import numpy as np
import pytest
import reference
from numpy.testing import assert_allclose
from simulated import drawn, field, mixture_of
from skies import flat_sky, separated, small_galaxy

from gmmx.answers.score import held_out_score
from gmmx.fitting.driver import fit
from gmmx.model.background import Background
from gmmx.model.psf import PsfModel

# How sure the background is, is the matter of test_information.py.
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
    """A fit on one thread whose warnings are not the point."""
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


def test_growing_starts_with_what_matters_most():
    truth = mixture_of((200, -40, 0, 3), (3000, 40, 0, 3), (50, 0, 40, 3))
    observation = drawn(truth, field(150, 2.0), np.random.default_rng(0), sky=0.01, backgrounds=SKY)
    assert nearest_distances(quiet(observation, n_components=1).mixture, truth)[1] < 1
    assert np.all(nearest_distances(quiet(observation, n_components=2).mixture, truth)[:2] < 1)


def test_concentric_components_are_told_apart():
    # Where neighbourhoods only shrink, this pair comes back as 0.96 and 2.86.
    truth = mixture_of((3000, 0, 0, 1), (3000, 0, 0, 8))
    observation = drawn(truth, field(120, 0.5), np.random.default_rng(4), sky=0.01, backgrounds=SKY)
    found = fit(observation, n_components=2, threads=1).mixture
    sigmas = np.sort(np.linalg.det(found.covariances) ** 0.25)
    assert_allclose(sigmas, [1, 8], rtol=0.06)


def test_close_pair_behind_the_blur():
    # Two sources at twice the blur, in reach of the likelihood and not of the search for peaks.
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
    without, with_them = (
        quiet(observation, n_components=4, exchanges=n, tol=1e-3) for n in (0, 12)
    )
    assert with_them.objective >= without.objective - 0.01
    assert nearest_distances(with_them.mixture, truth).max() < 1


@pytest.mark.parametrize("seed", [2, 3])
def test_refinement_makes_no_spikes(seed):
    # More likely is easily had: narrow components on the photons that happen to be there. It must be nearer to the truth as well.
    case = small_galaxy(seed, n=6000)
    plain, refined = (quiet(case.train, n_components=12, exchanges=n) for n in (0, 12))
    assert refined.refinement["exchanges_accepted"] > 0
    assert refined.objective > plain.objective + 1
    assert (
        held_out_score(refined, [case.held_out]).mean > held_out_score(plain, [case.held_out]).mean
    )
    errors = [
        reference.integrated_squared_error(case.truth.mixture, result.mixture)
        for result in (plain, refined)
    ]
    assert errors[1] <= errors[0]


def test_from_a_start_that_misses_one():
    # Growing and exchanging end where a start at the truth does.
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


def test_background_is_not_bought_as_components():
    # From a k-means start components that tile the field swallow the background; growing from it up leaves it.
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
