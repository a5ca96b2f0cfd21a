"""Skies for the choice of K: separated sources, background alone, and a smooth beta-model."""

from dataclasses import dataclass

# common makes the folder of the tests importable.
import common  # noqa: F401
import numpy as np
from beta import beta_density, drawn_beta_model
from scores import log_scores
from skies import observed, telescope
from skies import separated as drawn_separated

from gmmx.model.observation import Observation

HALF = 240.0
# Photons that a fit is scored on.
FRESH = 40_000


@dataclass(frozen=True, eq=False)
class Sky:
    """Photons to fit, and fresh photons of the same sky.

    Attributes
    ----------
    name : str
    train, fresh : Observation
    truth_scores : (N,) array
        Score of the truth for each fresh photon [nat].
    k_true : int or None
        True number of components; None if there is no such number.
    """

    name: str
    train: Observation
    fresh: Observation | None = None
    truth_scores: np.ndarray | None = None
    k_true: int | None = None


def separated(k, seed):
    """Draw k round sources of 300 detected photons each on a uniform background."""
    (train, fresh), truth = drawn_separated(k, seed, fresh=FRESH)
    return Sky(f"{k} separated", train, fresh, log_scores(fresh, truth), k)


def flat(seed, n=10_000):
    """Draw about n photons of a uniform background and nothing else."""
    rng = np.random.default_rng([77, seed])
    completeness, psf = telescope(rng, HALF, 0)
    drawn = (drawn_beta_model(rng, completeness, 0, m) for m in (n, FRESH))
    train, fresh = (observed(x, y, completeness, psf, "background") for x, y, _ in drawn)
    area = completeness.effective.sum() * completeness.grid.cell_area / completeness.exposure.max()
    return Sky("background", train, fresh, np.full(len(fresh.photons), -np.log(area)), 0)


def beta_model(seed, n=20_000, n_background=9_000):
    """Draw a beta-model of n photons at full exposure on a uniform background.

    No K is true, and no component is small.
    """
    rng = np.random.default_rng([606, seed])
    completeness, _ = telescope(rng, 2 * HALF, 0)
    drawn = [drawn_beta_model(rng, completeness, n, n_background) for _ in range(2)]
    train, fresh = (observed(x, y, completeness, None, "beta-model") for x, y, _ in drawn)
    amplitude = drawn[0][2]

    def density(x, y):
        return beta_density(x, y, n) + amplitude

    grid = completeness.grid
    seen = (density(*grid.centres()) * completeness.effective).sum() * grid.cell_area
    expected = float(seen / completeness.exposure.max())
    scores = np.log(density(fresh.photons.x, fresh.photons.y) / expected)
    return Sky("beta-model", train, fresh, scores)


def filling_beta_model(seed, n=20_000, n_background=9_000):
    """Draw a beta-model that fills the field on a uniform background.

    Returns
    -------
    observation : Observation
        Its background is free.
    amplitude : float
        True amplitude of the background [photon / arcsec**2].
    flux : float
        True flux in the field [photon at full exposure].
    """
    rng = np.random.default_rng([606, seed])
    completeness, _ = telescope(rng, 2 * HALF, 0)
    x, y, amplitude = drawn_beta_model(rng, completeness, n, n_background)
    grid = completeness.grid
    flux = beta_density(*grid.centres(), n).sum() * grid.cell_area
    return observed(x, y, completeness, None, "beta-model"), amplitude, float(flux)
