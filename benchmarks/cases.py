"""Observations with known truth, made from a seed: what the benchmarks fit."""

import sys
from pathlib import Path

import numpy as np

from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Parameters, Priors
from gmmx.em.photons import PhotonLikelihood
from gmmx.model.completeness import Completeness
from gmmx.model.mixture import Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.model.psf import PsfModel
from gmmx.plane.frame import SkyFrame
from gmmx.plane.grid import PixelGrid

# The tests have the simulated galaxies that both use.
sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))
from skies import Case, ellipse, make_case, small_galaxy  # noqa: E402

__all__ = ["Case", "small_galaxy"]


def log_score(observation, parameters):
    """Held-out log-likelihood per photon, mean log[lambda / int lambda] up to log Omega, which is the same for every model."""
    prepared = PhotonLikelihood.of([observation])
    priors = Priors(mean_count=0.0, covariance_count=0.0)
    value = evaluate(prepared, parameters, prepared.begin_phase(parameters, priors))
    expected = float(parameters.mixture.fluxes @ value.observed_fraction) + float(
        parameters.amplitudes[0] @ prepared[0].integrals
    )
    return (value.log_likelihood + expected) / observation.n_photons - np.log(expected)


def log_scores(observation, parameters):
    """The same for each photon, in the observation's order."""
    prepared = PhotonLikelihood.of([observation])
    phase = prepared.begin_phase(parameters, Priors(mean_count=0.0, covariance_count=0.0))
    expected = float(
        parameters.mixture.fluxes @ evaluate(prepared, parameters, phase).observed_fraction
    ) + float(parameters.amplitudes[0] @ prepared[0].integrals)
    scores = np.empty(len(observation.photons))
    scores[prepared[0].order] = prepared.log_densities(parameters, phase)[0] - np.log(expected)
    return scores


def integrated_squared_error(truth, model):
    """int (p - q)^2 / int p^2 of two normalised mixtures, in closed form."""

    def cross(a, b):
        total = a.covariances[:, None] + b.covariances[None]
        d = a.means[:, None] - b.means[None]
        q = np.einsum("ijk,ijkl,ijl->ij", d, np.linalg.inv(total), d)
        values = np.exp(-q / 2) / (2 * np.pi * np.sqrt(np.linalg.det(total)))
        return (a.fluxes / a.fluxes.sum()) @ values @ (b.fluxes / b.fluxes.sum())

    own = cross(truth, truth)
    return (own - 2 * cross(truth, model) + cross(model, model)) / own


def kl_divergence(truth, model, n=200_000, seed=5):
    """int p log(p / q) of two normalised mixtures, over n draws from p."""
    x, y = truth.sample(n, np.random.default_rng(seed)).T
    p = truth.density(x, y) / truth.fluxes.sum()
    q = model.density(x, y) / model.fluxes.sum()
    return float(np.mean(np.log(p / np.maximum(q, 1e-300))))


def ngc4636(seed=4636, n=150_000):
    """An elliptical galaxy of 60 components in 16' x 16': concentric halo, two arms, knots; gaps, vignetting, 150 holes, a PSF that grows off axis."""
    rng = np.random.default_rng(seed)
    parts = []
    for sigma, share in zip(np.geomspace(7, 200, 7), rng.dirichlet(np.full(7, 20.0)), strict=True):
        parts.append(
            (
                0.56 * share,
                rng.normal(0, 2, 2),
                ellipse(sigma, sigma * rng.uniform(0.75, 1), rng.uniform(0, np.pi)),
            )
        )
    for arm in range(2):
        shares = rng.dirichlet(np.full(10, 10.0))
        for i in range(10):
            angle, radius = np.pi * arm + 0.25 * i, 40 + 22 * i
            where = radius * np.array([np.cos(angle), np.sin(angle)])
            width = rng.uniform(7, 29)
            parts.append(
                (
                    0.10 * shares[i],
                    where,
                    ellipse(
                        width,
                        rng.uniform(2.5, min(9.5, width)),
                        angle + np.pi / 2 + rng.normal(0, 0.2),
                    ),
                )
            )
    shares = rng.dirichlet(np.full(33, 3.0))
    for i in range(33):
        sigma = np.exp(rng.uniform(np.log(1), np.log(14)))
        parts.append(
            (
                0.24 * shares[i],
                rng.uniform(-330, 330, 2),
                ellipse(sigma, sigma * rng.uniform(0.6, 1), rng.uniform(0, np.pi)),
            )
        )
    fluxes, means, covariances = (np.array(column) for column in zip(*parts, strict=True))
    return make_case(
        "ngc4636", Mixture(fluxes=fluxes, means=means, covariances=covariances), 480.0, 150, n, rng
    )


def toy(seed=8366, noise=0.7):
    """The example of Melchior & Goulding (2018, figure 1): 211 of 400 photons in a box with a hole, with noise; the 400 as they were are held out."""
    weights = np.array([0.36060026, 0.27986906, 0.206774])
    weights /= weights.sum()
    means = 10 * np.array(
        [[0.08016886, 0.21300697], [0.70306351, 0.6709532], [0.01087670, 0.852077]]
    )
    covariances = 100 * np.array(
        [
            [[0.08530014, -0.00314178], [-0.00314178, 0.00541106]],
            [[0.03053402, 0.0125736], [0.0125736, 0.01075791]],
            [[0.00258605, 0.00409287], [0.00409287, 0.01065186]],
        ]
    )
    rng = np.random.RandomState(seed)
    counts = np.bincount(rng.choice(3, 400, p=weights), minlength=3)
    originals = np.concatenate(
        [
            rng.multivariate_normal(m, c, n)
            for m, c, n in zip(means, covariances, counts, strict=True)
        ]
    )
    seen = originals + rng.normal(0, noise, (400, 2))
    seen = seen[
        np.all((seen > 0) & (seen < 10), axis=1) & (np.hypot(seen[:, 0] - 6.5, seen[:, 1] - 6) > 2)
    ]
    grid = PixelGrid.covering((0, 10), (0, 10), 0.1)
    x, y = grid.centres()
    offsets = (np.arange(20) - 9.5) / 20 * 0.1
    open_fraction = (
        np.hypot(x[..., None, None] + offsets - 6.5, y[..., None, None] + offsets[:, None] - 6) > 2
    ).mean((2, 3))
    completeness = Completeness(grid=grid, exposure=np.ones(grid.shape), open_fraction=open_fraction)
    train = Observation(
        photons=Photons(seen[:, 0], seen[:, 1]),
        completeness=completeness,
        psf=PsfModel.constant(noise),
        frame=SkyFrame(190.7, 2.69),
        name="toy",
    )
    truth = Parameters(
        mixture=Mixture(fluxes=400 * weights, means=means, covariances=covariances),
        amplitudes=(np.zeros(0),),
    )
    return Case(
        "toy",
        train,
        Observation(photons=Photons(originals[:, 0], originals[:, 1]), name="toy originals"),
        truth,
    )
