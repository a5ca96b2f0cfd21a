"""The cases that the method must reproduce: small, drawn here, and known in every number."""

import warnings
from dataclasses import dataclass

import numpy as np
import pytest

from gmmx.errors import DataWarning
from gmmx.fitting.driver import fit as fit_photons
from gmmx.model.completeness import Completeness
from gmmx.model.mixture import Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.model.psf import PsfModel
from gmmx.plane.grid import PixelGrid

# How sure the background is, is the matter of test_information.py.
pytestmark = pytest.mark.filterwarnings("ignore::gmmx.errors.DegeneracyWarning")

# The mixture of figure 1 of Melchior & Goulding (2018), as a sky of 400 photons.
WEIGHTS = np.array([0.36060026, 0.27986906, 0.206774])
TRUTH = Mixture(
    fluxes=400 * WEIGHTS / WEIGHTS.sum(),
    means=10
    * np.array([[0.08016886, 0.21300697], [0.70306351, 0.6709532], [0.01087670, 0.852077]]),
    covariances=100
    * np.array(
        [
            [[0.08530014, -0.00314178], [-0.00314178, 0.00541106]],
            [[0.03053402, 0.0125736], [0.0125736, 0.01075791]],
            [[0.00258605, 0.00409287], [0.00409287, 0.01065186]],
        ]
    ),
)
NOISE = 0.7
SEEDS = range(8366, 8386)
MANY_SEEDS = range(8366, 8466)


@dataclass(frozen=True)
class Case:
    """400 originals, what was observed of them, and the gap that a fit of it leaves."""

    originals: np.ndarray
    observation: Observation

    def gap(self, mixture):
        """Mean log-density of all originals under the truth less that under the normalised mixture [nat]."""
        return mean_log_density(TRUTH, self.originals) - mean_log_density(mixture, self.originals)


def mean_log_density(mixture, points):
    """Mean of log p over points, p the normalised mixture."""
    return np.log(mixture.density(*points.T) / mixture.fluxes.sum()).mean()


def box_without_circle(step=0.1, parts=20):
    """(0, 10)^2 outside the circle about (6.5, 6) of radius 2, each cell with its open share."""
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
    """A completeness that depends on x, far beyond the mixture; cells of a quarter arcsec, so that x = 6 is an edge of cells."""
    grid = PixelGrid.covering((-25, 35), (-25, 35), 0.25)
    x, _ = grid.centres()
    return Completeness(
        grid=grid, exposure=np.ones(grid.shape), open_fraction=np.broadcast_to(omega(x), x.shape)
    )


SELECTIONS = {
    "cut": (lambda x: np.where(x < 6, 1.0, 0.0)),
    "half": (lambda x: 0.5),
    "tapered": (lambda x: np.clip(1 - x / 8, 0, 1)),
}


def drawn_toy(seed):
    """The 400 originals, the same with noise, and the generator for what else is random."""
    rng = np.random.RandomState(seed)
    share = WEIGHTS / WEIGHTS.sum()
    counts = np.bincount(rng.choice(3, 400, p=share), minlength=3)
    originals = np.concatenate(
        [
            rng.multivariate_normal(m, c, n)
            for m, c, n in zip(TRUTH.means, TRUTH.covariances, counts, strict=True)
        ]
    )
    return originals, originals + rng.normal(0, NOISE, (400, 2)), rng


def case(name, seed):
    """The toy behind the paper's box and circle with noise, or behind one of the selections without."""
    originals, noisy, rng = drawn_toy(seed)
    if name == "box":
        inside = np.all((noisy > 0) & (noisy < 10), axis=1) & (
            np.hypot(noisy[:, 0] - 6.5, noisy[:, 1] - 6) > 2
        )
        seen, completeness, psf = noisy[inside], box_without_circle(), PsfModel.constant(NOISE)
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
        # From a bad start a component may lose its photons; such a fit is no worse than its likelihood.
        warnings.simplefilter("ignore", DataWarning)
        return fit_photons(
            observation, start=start, **({"min_sigma": 0.01, "tol": 1e-3, "threads": 1} | options)
        )


def best_of(observation, rng, *, starts=8):
    """The fit of the highest observed likelihood from starts at random photons, each component a quarter of the photons' covariance."""
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


def gaps(name, seeds):
    """Gap of the best fit, after ten times as many iterations, and of a fit started at the truth: (n, 3)."""
    rows = []
    for seed in seeds:
        toy = case(name, seed)
        best = best_of(toy.observation, np.random.default_rng(seed))
        on = fit(toy.observation, best.mixture, tol=1e-6, max_iter=10 * best.iterations)
        rows.append(
            [
                toy.gap(best.mixture),
                toy.gap(on.mixture),
                toy.gap(fit(toy.observation, TRUTH).mixture),
            ]
        )
    rows = np.array(rows)
    print(
        f"{name}: median gap {np.median(rows[:, 0]):.3f}, later {np.median(rows[:, 1]):.3f}, from the truth {np.median(rows[:, 2]):.3f} [nat]"
    )
    return rows


def test_toy_is_the_published_one():
    toy = case("box", 8366)
    assert mean_log_density(TRUTH, toy.originals) == pytest.approx(-3.9617, abs=5e-5)
    assert len(toy.observation.photons) == 211


def test_toy():
    rows = gaps("box", SEEDS[:4])
    assert np.median(rows[:, 0]) <= 0.32
    assert rows[0, 0] == pytest.approx(0.233, abs=0.01)
    assert np.all(rows[:, 1] <= rows[:, 0] + 0.02)


@pytest.mark.slow
def test_toy_over_twenty_seeds():
    # Measured: 0.247 by 8 random starts, 0.248 after ten times as many iterations and when started at the truth.
    rows = gaps("box", SEEDS)
    assert np.median(rows[:, 0]) <= 0.32
    assert np.median(rows[:, 1]) <= np.median(rows[:, 0]) + 0.02
    assert np.all(rows[:, 1] <= rows[:, 0] + 0.02)
    # It is the data and the priors, not the search.
    assert np.median(rows[:, 0]) <= np.median(rows[:, 2]) + 0.02


def test_one_grown_start_is_enough():
    # Measured: 0.277.
    found = []
    for seed in SEEDS:
        toy = case("box", seed)
        found.append(toy.gap(fit(toy.observation, None, n_components=3).mixture))
    assert np.median(found) <= 0.30


@pytest.mark.parametrize("name", ["half", "tapered"])
def test_selections(name):
    rows = gaps(name, SEEDS[:4])
    assert np.median(rows[:, 0]) <= {"half": 0.05, "tapered": 0.5}[name]
    assert np.median(rows[:, 0]) <= np.median(rows[:, 2]) + 0.02
    assert np.all(rows[:, 1] <= rows[:, 0] + 0.02)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["half", "tapered"])
def test_selections_over_a_hundred_seeds(name):
    # Measured over 200: half 0.004, tapered 0.236. Medians of 20 scatter from 0.14 to 0.33 for the tapered one.
    rows = gaps(name, MANY_SEEDS)
    assert np.median(rows[:, 0]) <= 0.30
    assert np.median(rows[:, 1]) <= np.median(rows[:, 0]) + 0.02


def test_cut_ends_where_a_start_at_the_truth_does():
    rows = gaps("cut", SEEDS[:4])
    assert np.median(np.abs(rows[:, 0] - rows[:, 2])) < 0.01
    assert np.all(rows[:, 1] <= rows[:, 0] + 0.02)


def test_cut_is_right_where_it_was_seen():
    # Among the originals at x < 6, under densities normalised there.
    for seed in SEEDS[:4]:
        toy = case("cut", seed)
        grid = toy.observation.completeness.grid
        x, y = grid.centres()
        seen = toy.originals[toy.originals[:, 0] < 6]
        found = best_of(toy.observation, np.random.default_rng(seed)).mixture
        truth, mine = (
            np.log(m.density(*seen.T)).mean()
            - np.log(m.density(x, y)[x < 6].sum() * grid.cell_area)
            for m in (TRUTH, found)
        )
        assert truth - mine < 0.05


@pytest.mark.slow
def test_cut_over_a_hundred_seeds():
    # Medians of 20 scatter: 0.30 is asked of many.
    assert np.median(gaps("cut", MANY_SEEDS)[:, 0]) <= 0.30
