"""Skies on which the number of components is known, or known not to exist: separated sources, nothing at all, and a smooth beta-model."""

from dataclasses import dataclass

import numpy as np
from bench_accuracy import beta_sky
from cases import log_scores
from skies import separated as drawn_separated
from skies import telescope

from gmmx.model.background import Background
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.plane.frame import SkyFrame

HALF = 240.0
PHOTONS_EACH = 300
BACKGROUND_SHARE = 0.3
FRESH = 40_000


@dataclass(frozen=True, eq=False)
class Sky:
    """Photons to fit, others of the same sky to score a fit on, and what the truth scores on those, each [nat]."""

    name: str
    train: Observation
    fresh: Observation | None = None
    truth_scores: np.ndarray | None = None
    k_true: int | None = None


def separated(k, seed):
    """k round sources, 300 detected photons each, and a flat sky; see `skies.separated`."""
    (train, fresh), truth = drawn_separated(k, seed, fresh=FRESH)
    return Sky(f"{k} separated", train, fresh, log_scores(fresh, truth), k)


def flat(seed, n=10_000):
    """Some n photons of a flat sky and nothing else."""
    rng = np.random.default_rng([77, seed])
    completeness, psf = telescope(rng, HALF, 0)
    train, fresh = (
        Observation(
            photons=Photons(x, y),
            completeness=completeness,
            psf=psf,
            backgrounds=(Background(),),
            frame=SkyFrame(190.7, 2.69),
            name="background",
        )
        for x, y, _ in (beta_sky(rng, completeness, 0, m) for m in (n, FRESH))
    )
    area = completeness.effective.sum() * completeness.grid.cell_area / completeness.exposure.max()
    return Sky("background", train, fresh, np.full(len(fresh.photons), -np.log(area)), 0)


def beta_model(seed, n=20_000, n_sky=9_000, beta=0.6, core=25.0):
    """A beta-model of n photons at full exposure and n_sky of flat sky; no K is true, and none of its components is small."""
    rng = np.random.default_rng([606, seed])
    completeness, _ = telescope(rng, 2 * HALF, 0)
    photons = [beta_sky(rng, completeness, n, n_sky, beta, core) for _ in range(2)]
    train, fresh = (
        Observation(
            photons=Photons(x, y),
            completeness=completeness,
            backgrounds=(Background(),),
            frame=SkyFrame(190.7, 2.69),
            name="beta-model",
        )
        for x, y, _ in photons
    )
    level = photons[0][2]
    # The profile whose radii `beta_sky` draws, cut at 600 arcsec.
    power = 1.5 - 3 * beta
    norm = n / (1 - (1 + (600 / core) ** 2) ** power)

    def density(x, y):
        r2 = (x * x + y * y) / core**2
        return (
            np.where(
                r2 < (600 / core) ** 2,
                -norm * power / (np.pi * core**2) * (1 + r2) ** (power - 1),
                0.0,
            )
            + level
        )

    grid = completeness.grid
    expected = float(
        (density(*grid.centres()) * completeness.effective).sum()
        * grid.cell_area
        / completeness.exposure.max()
    )
    return Sky(
        "beta-model", train, fresh, np.log(density(fresh.photons.x, fresh.photons.y) / expected)
    )
