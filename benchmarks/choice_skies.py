"""Skies on which the number of components is known, or known not to exist: separated sources, nothing at all, and a smooth beta-model."""

from dataclasses import dataclass

import numpy as np
from bench_accuracy import beta_sky
from cases import _drawn, _telescope, log_scores

from gmmx.model.background import Background
from gmmx.model.mixture import Mixture
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


def _places(k, completeness, psf, rng):
    """k places and widths, at least 6 blurred sigma from each other and from the edge, away from the gaps."""
    omega = completeness.exposure.max()
    chosen = []
    while len(chosen) < k:
        x, y = rng.uniform(-0.85 * HALF, 0.85 * HALF, 2)
        sigma = np.exp(rng.uniform(np.log(1.5), np.log(8)))
        blurred = np.sqrt(sigma**2 + psf.at(np.array([x]), np.array([y]))[1][0, 0, 0, 0])
        around = (
            completeness.effective_at(
                x + blurred * np.array([0, 2, -2, 0, 0]), y + blurred * np.array([0, 0, 0, 2, -2])
            )
            / omega
        )
        if around.min() > 0.6 and all(
            np.hypot(x - a, y - b) > 6 * max(blurred, c) for a, b, c, _ in chosen
        ):
            chosen.append((x, y, blurred, sigma))
    return np.array(chosen)


def separated(k, seed):
    """k round components of sigma 1.5 to 8 arcsec with 300 detected photons each, and 30 % of flat sky, behind an ACIS-I-like telescope."""
    rng = np.random.default_rng([k, seed])
    completeness, psf = _telescope(rng, HALF, 0)
    places = _places(k, completeness, psf, rng)
    n = round(PHOTONS_EACH * k / (1 - BACKGROUND_SHARE))
    shares = 1 / completeness.effective_at(places[:, 0], places[:, 1])
    truth = Mixture(
        fluxes=shares,
        means=places[:, :2],
        covariances=(places[:, 3] ** 2)[:, None, None] * np.eye(2),
    )
    total = n + FRESH
    x, y, parameters = _drawn(truth, BACKGROUND_SHARE, completeness, psf, total, rng)
    order = rng.permutation(total)
    train, fresh = (
        Observation(
            photons=Photons(x[i], y[i]),
            completeness=completeness,
            psf=psf,
            backgrounds=(Background(),),
            frame=SkyFrame(190.7, 2.69),
            name=f"{k} separated",
        )
        for i in (order[:n], order[n:])
    )
    return Sky(f"{k} separated", train, fresh, log_scores(fresh, parameters), k)


def flat(seed, n=10_000):
    """Some n photons of a flat sky and nothing else."""
    rng = np.random.default_rng([77, seed])
    completeness, psf = _telescope(rng, HALF, 0)
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
    completeness, _ = _telescope(rng, 2 * HALF, 0)
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
