"""Simulated galaxies with known truth, which tests and benchmarks share."""

from dataclasses import dataclass, replace

import numpy as np

from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Parameters, Priors
from gmmx.em.photons import PhotonLikelihood
from gmmx.model.background import Background
from gmmx.model.completeness import Completeness
from gmmx.model.mixture import Mixture
from gmmx.model.observation import Observation
from gmmx.model.photons import Photons
from gmmx.model.psf import PsfModel
from gmmx.plane.frame import SkyFrame
from gmmx.plane.grid import PixelGrid


@dataclass(frozen=True, eq=False)
class Case:
    """Photons to fit, photons held out, and the density from which both were drawn."""

    name: str
    train: Observation
    held_out: Observation
    truth: Parameters


def ellipse(major, minor, angle):
    u, v = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    return major**2 * np.outer(u, u) + minor**2 * np.outer(v, v)


def telescope(rng, half, n_holes, step=1.0):
    """An ACIS-I-like exposure map and PSF over a square field of 2 half [arcsec]."""
    grid = PixelGrid.covering((-half, half), (-half, half), step)
    x, y = grid.centres()
    off_axis = np.hypot(x, y)
    exposure = 1 - 0.25 * np.minimum(off_axis / (half * np.sqrt(2)), 1) ** 2
    for across in (x, y):
        # Gaps of 11 arcsec, smeared by a dither of +-8.
        exposure = exposure * np.clip((np.abs(across) + 8 - 5.5) / 16, 0.1, 1)
    open_fraction = np.ones(grid.shape)
    offsets = (np.arange(5) - 2) / 5 * step
    for _ in range(n_holes):
        cx, cy, radius = rng.uniform(-half, half), rng.uniform(-half, half), rng.uniform(3, 10)
        open_fraction *= np.mean(
            [np.hypot(x - cx + a, y - cy + b) > radius for a in offsets for b in offsets], axis=0
        )
    nodes = PixelGrid.covering((-half, half), (-half, half), 2 * half / 64)
    sigma = 0.4 + 11.6 * (np.hypot(*nodes.centres()) / 600) ** 2
    psf = PsfModel(
        grid=nodes,
        weights=np.ones((*nodes.shape, 1)),
        covariances=(sigma**2)[..., None, None, None] * np.eye(2),
    )
    return Completeness(grid=grid, exposure=exposure, open_fraction=open_fraction), psf


def drawn_photons(mixture, background_share, completeness, psf, n, rng):
    """n photons of a mixture and a flat sky, and the amplitude of the sky for n photons."""
    _, blur = psf.averaged(mixture.means, mixture.covariances)
    grid = completeness.grid
    (x_low, x_high), (y_low, y_high) = grid.extent()
    omega = completeness.effective
    probe = Observation(photons=Photons([], []), completeness=completeness, psf=psf)
    likelihood = PhotonLikelihood.of([probe])
    nothing = Parameters(mixture=mixture, amplitudes=(np.zeros(0),))
    phase = likelihood.begin_phase(nothing, Priors())
    seen = evaluate(likelihood, nothing, phase).observed_fraction
    reference = completeness.exposure.max()
    scale = (1 - background_share) * n / float(mixture.fluxes @ seen)
    truth = replace(mixture, fluxes=mixture.fluxes * scale)
    sky = background_share * n / (omega.sum() * grid.cell_area / reference)
    xs, ys = [], []
    n_background = rng.binomial(n, background_share)
    for wanted, background in ((n_background, True), (n - n_background, False)):
        got = 0
        while got < wanted:
            tries = 4 * (wanted - got) + 1000
            if background:
                x, y = rng.uniform(x_low, x_high, tries), rng.uniform(y_low, y_high, tries)
            else:
                k = rng.choice(len(truth), tries, p=truth.fluxes / truth.fluxes.sum())
                roots = np.linalg.cholesky(truth.covariances + blur[:, 0])
                x, y = (
                    truth.means[k] + np.einsum("nij,nj->ni", roots[k], rng.normal(size=(tries, 2)))
                ).T
            keep = np.flatnonzero(
                rng.uniform(size=tries) < completeness.effective_at(x, y) / reference
            )[: wanted - got]
            xs.append(x[keep])
            ys.append(y[keep])
            got += len(keep)
    return (
        np.concatenate(xs),
        np.concatenate(ys),
        Parameters(mixture=truth, amplitudes=(np.array([sky]),)),
    )


def make_case(name, mixture, half, n_holes, n, rng):
    completeness, psf = telescope(rng, half, n_holes)
    x, y, truth = drawn_photons(mixture, 0.3, completeness, psf, 2 * n, rng)
    order = rng.permutation(2 * n)
    halves = [observed(x[i], y[i], completeness, psf, name) for i in (order[:n], order[n:])]
    truth = Parameters(
        mixture=replace(truth.mixture, fluxes=truth.mixture.fluxes / 2),
        amplitudes=(truth.amplitudes[0] / 2,),
    )
    return Case(name, halves[0], halves[1], truth)


def small_galaxy(seed=12, n=15_000):
    """The same kind of sky with 12 components in 8' x 8'."""
    rng = np.random.default_rng(seed)
    parts = [
        (0.15, rng.normal(0, 2, 2), ellipse(s, 0.8 * s, rng.uniform(0, np.pi)))
        for s in (8.0, 25.0, 80.0)
    ]
    for i in range(4):
        angle = 0.5 * i + np.pi * (i % 2)
        width = rng.uniform(10, 25)
        parts.append(
            (
                0.07,
                (45 + 20 * i) * np.array([np.cos(angle), np.sin(angle)]),
                ellipse(width, rng.uniform(3, 8), angle + np.pi / 2),
            )
        )
    for _ in range(5):
        sigma = np.exp(rng.uniform(np.log(1.5), np.log(10)))
        parts.append(
            (
                0.054,
                rng.uniform(-170, 170, 2),
                ellipse(sigma, sigma * rng.uniform(0.7, 1), rng.uniform(0, np.pi)),
            )
        )
    fluxes, means, covariances = (np.array(column) for column in zip(*parts, strict=True))
    return make_case(
        "small", Mixture(fluxes=fluxes, means=means, covariances=covariances), 240.0, 40, n, rng
    )


def separated(k, seed, *, photons_each=300, fresh=0):
    """k separated round sources of sigma 1.5 to 8 arcsec on a sky with 30 % of the photons.

    Returns
    -------
    list of Observation
        Photons to fit and, where `fresh` is positive, so many fresh ones.
    Parameters
        The density from which they were drawn.
    """
    rng = np.random.default_rng([k, seed])
    completeness, psf = telescope(rng, 240.0, 0)
    places = separated_places(k, completeness, psf, rng)
    n = round(photons_each * k / 0.7)
    truth = Mixture(
        fluxes=1 / completeness.effective_at(places[:, 0], places[:, 1]),
        means=places[:, :2],
        covariances=(places[:, 3] ** 2)[:, None, None] * np.eye(2),
    )
    x, y, parameters = drawn_photons(truth, 0.3, completeness, psf, n + fresh, rng)
    order = rng.permutation(n + fresh)
    parts = [order[:n], order[n:]] if fresh else [order]
    made = [observed(x[i], y[i], completeness, psf, f"{k} separated") for i in parts]
    return made, parameters


def flat_sky(seed, n=10_000):
    """About n photons of a flat sky, and nothing else."""
    rng = np.random.default_rng([77, seed])
    completeness, psf = telescope(rng, 240.0, 0)
    (x0, x1), (y0, y1) = completeness.grid.extent()
    x, y = rng.uniform(x0, x1, 2 * n), rng.uniform(y0, y1, 2 * n)
    keep = rng.uniform(size=2 * n) < completeness.effective_at(x, y) / completeness.exposure.max()
    return observed(x[keep][:n], y[keep][:n], completeness, psf, "flat sky")


def separated_places(k, completeness, psf, rng, half=240.0):
    """Positions, widths after the PSF and widths of k separated sources.

    Sources are at least 6 sigma apart, and away from gaps and edges.
    """
    omega = completeness.exposure.max()
    chosen = []
    while len(chosen) < k:
        x, y = rng.uniform(-0.85 * half, 0.85 * half, 2)
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


def observed(x, y, completeness, psf, name):
    """An observation of photons, with a flat sky as its background."""
    return Observation(
        photons=Photons(x, y),
        completeness=completeness,
        psf=psf,
        backgrounds=(Background(),),
        frame=SkyFrame(190.7, 2.69),
        name=name,
    )
