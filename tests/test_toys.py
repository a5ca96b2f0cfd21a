"""Small published cases that the method must reproduce, drawn here from fixed seeds."""

import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest
from published_toy import NOISE, SEEDS, SELECTIONS, TRUTH, drawn_toy, gap_of, is_seen

import gmmx
from gmmx.errors import DataWarning
from gmmx.fitting.driver import fit as fit_photons
from gmmx.model.completeness import Completeness
from gmmx.model.mixture import Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.model.psf import PsfModel
from gmmx.plane.grid import PixelGrid

# test_information.py is about the correlation of background and signal.
pytestmark = pytest.mark.filterwarnings("ignore::gmmx.errors.DegeneracyWarning")

MANY_SEEDS = range(8366, 8466)


@dataclass(frozen=True)
class Case:
    """400 originals, what was observed of them, and the gap that a fit of it leaves."""

    originals: np.ndarray
    observation: Observation

    def gap(self, mixture):
        """How much less likely the originals are under the mixture than under the truth [nat]."""
        return gap_of(mixture, self.originals)


def mean_log_density(mixture, points):
    """Mean of log p over points, p the normalised mixture."""
    return np.log(mixture.density(*points.T) / mixture.fluxes.sum()).mean()


def box_without_circle(step=0.1, parts=20):
    """(0, 10)^2 outside the circle about (6.5, 6) of radius 2, each cell with its open fraction."""
    grid = PixelGrid.covering((0, 10), (0, 10), step)
    offsets = ((np.arange(parts) + 0.5) / parts - 0.5) * step
    x, y = grid.centres()
    distance = np.hypot(
        x[..., None, None] + offsets - 6.5, y[..., None, None] + offsets[:, None] - 6
    )
    return Completeness(
        grid=grid, exposure=np.ones(grid.shape), open_fraction=(distance > 2).mean((2, 3))
    )


def wide(omega):
    """A completeness that depends on x, on a field much larger than the mixture.

    The cells have a quarter of an arcsec, so that x = 6 is an edge of cells.
    """
    grid = PixelGrid.covering((-25, 35), (-25, 35), 0.25)
    x, _ = grid.centres()
    return Completeness(
        grid=grid, exposure=np.ones(grid.shape), open_fraction=np.broadcast_to(omega(x), x.shape)
    )


def make_case(name, seed):
    """The toy with noise in the paper's box and circle, or without noise under a selection."""
    originals, noisy, rng = drawn_toy(seed)
    if name == "box":
        seen, completeness, psf = (
            noisy[is_seen(noisy)],
            box_without_circle(),
            PsfModel.constant(NOISE),
        )
    else:
        kept = rng.random_sample(400) < SELECTIONS[name](originals[:, 0])
        seen, completeness, psf = originals[kept], wide(SELECTIONS[name]), None
    return Case(
        originals,
        Observation(photons=Photons(seen[:, 0], seen[:, 1]), completeness=completeness, psf=psf),
    )


def fit(observation, start, **options):
    """A fit from a given start, to convergence."""
    with warnings.catch_warnings():
        # From a bad start a component may lose its photons, and is removed.
        warnings.simplefilter("ignore", DataWarning)
        return fit_photons(
            observation, start=start, **({"min_sigma": 0.01, "tol": 1e-3, "threads": 1} | options)
        )


def best_of(observation, rng, *, starts=8):
    """The fit of the highest likelihood of several that start at random photons.

    Each component starts with a quarter of the covariance of all photons.
    """
    points = np.stack([observation.photons.x, observation.photons.y], axis=1)
    covariances = np.repeat(np.cov(points.T)[None] / 4, 3, axis=0)
    fits = []
    for _ in range(starts):
        means = points[rng.choice(len(points), 3, replace=False)]
        fits.append(
            fit(
                observation,
                Mixture(fluxes=np.full(3, len(points) / 3), means=means, covariances=covariances),
            )
        )
        assert fits[-1].converged
    return max(fits, key=lambda one: one.log_likelihood)


class Gaps(NamedTuple):
    """Gaps to the truth for several seeds, (n,) arrays [nat].

    Attributes
    ----------
    best : of the best fit from random starts
    later : of the same after ten times as many iterations
    from_truth : of the fit that starts at the truth
    """

    best: np.ndarray
    later: np.ndarray
    from_truth: np.ndarray


def gaps_of(name, seeds):
    """The gaps of one case."""
    rows = []
    for seed in seeds:
        toy = make_case(name, seed)
        best = best_of(toy.observation, np.random.default_rng(seed))
        later = fit(toy.observation, best.mixture, tol=1e-6, max_iter=10 * best.iterations)
        from_truth = fit(toy.observation, TRUTH)
        rows.append([toy.gap(one.mixture) for one in (best, later, from_truth)])
    return Gaps(*np.transpose(rows))


def assert_no_loss_afterwards(gaps):
    """Further iterations must not lead away from the truth."""
    assert np.all(gaps.later <= gaps.best + 0.02)


def test_the_toy_is_the_published_one():
    toy = make_case("box", 8366)
    assert mean_log_density(TRUTH, toy.originals) == pytest.approx(-3.9617, abs=5e-5)
    assert len(toy.observation.photons) == 211


def test_the_toy_is_recovered():
    gaps = gaps_of("box", SEEDS[:4])
    assert np.median(gaps.best) <= 0.32
    assert gaps.best[0] == pytest.approx(0.233, abs=0.01)
    assert_no_loss_afterwards(gaps)


@pytest.mark.slow
def test_the_toy_is_recovered_over_twenty_seeds():
    # Measured: 0.247 with 8 random starts, 0.248 after ten times as many iterations and from the
    # truth.
    gaps = gaps_of("box", SEEDS)
    assert np.median(gaps.best) <= 0.32
    assert np.median(gaps.later) <= np.median(gaps.best) + 0.02
    assert_no_loss_afterwards(gaps)
    # The gap comes from the data and the priors, not from the search.
    assert np.median(gaps.best) <= np.median(gaps.from_truth) + 0.02


def test_one_grown_fit_is_enough():
    # Measured: 0.277.
    toys = [make_case("box", seed) for seed in SEEDS]
    gaps = [toy.gap(fit(toy.observation, None, n_components=3).mixture) for toy in toys]
    assert np.median(gaps) <= 0.30


@pytest.mark.parametrize(("name", "most"), [("half", 0.05), ("tapered", 0.5)])
def test_a_selection_is_taken_out(name, most):
    gaps = gaps_of(name, SEEDS[:4])
    assert np.median(gaps.best) <= most
    assert np.median(gaps.best) <= np.median(gaps.from_truth) + 0.02
    assert_no_loss_afterwards(gaps)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["half", "tapered"])
def test_a_selection_is_taken_out_over_a_hundred_seeds(name):
    # Measured over 200 seeds: half 0.004, tapered 0.236. Medians of 20 seeds scatter from 0.14 to
    # 0.33 for the tapered one.
    gaps = gaps_of(name, MANY_SEEDS)
    assert np.median(gaps.best) <= 0.30
    assert np.median(gaps.later) <= np.median(gaps.best) + 0.02


def test_with_a_cut_the_fit_ends_where_one_from_the_truth_does():
    gaps = gaps_of("cut", SEEDS[:4])
    assert np.median(np.abs(gaps.best - gaps.from_truth)) < 0.01
    assert_no_loss_afterwards(gaps)


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_with_a_cut_the_observed_side_is_right(seed):
    toy = make_case("cut", seed)
    grid = toy.observation.completeness.grid
    x, y = grid.centres()
    seen = toy.originals[toy.originals[:, 0] < 6]

    def score(mixture):
        """Mean log-density of the originals at x < 6, normalised there."""
        integral = mixture.density(x, y)[x < 6].sum() * grid.cell_area
        return np.log(mixture.density(*seen.T) / integral).mean()

    found = best_of(toy.observation, np.random.default_rng(seed)).mixture
    assert score(TRUTH) - score(found) < 0.05


@pytest.mark.slow
def test_with_a_cut_the_originals_are_recovered_over_a_hundred_seeds():
    # Medians of 20 seeds scatter.
    assert np.median(gaps_of("cut", MANY_SEEDS).best) <= 0.30


@pytest.mark.parametrize("name", ["cut", "tapered"])
def test_the_likelihoods_of_photons_and_of_samples_leave_the_same_gap(name):
    toy = make_case(name, SEEDS[0])
    photons = toy.observation.photons
    on_the_sky = fit(toy.observation, TRUTH)
    in_a_table = gmmx.fit_samples(
        np.stack([photons.x, photons.y], axis=1),
        start=TRUTH,
        completeness=lambda x: np.broadcast_to(SELECTIONS[name](x[:, 0]), len(x)),
    )
    # The cells of the completeness, and the points of the missing samples, are 0.01 apart.
    assert toy.gap(in_a_table.mixture) == pytest.approx(toy.gap(on_the_sky.mixture), abs=0.02)
