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

# Fraction of the photons that the uniform sky background has.
BACKGROUND_FRACTION = 0.3


@dataclass(frozen=True, eq=False)
class Case:
    """Photons to fit, photons that are held out, and the density that both were drawn from."""

    name: str
    train: Observation
    held_out: Observation
    truth: Parameters


def ellipse(major, minor, angle):
    """Covariance with the given sigmas [arcsec], its major axis at an angle from x [rad]."""
    u, v = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    return major**2 * np.outer(u, u) + minor**2 * np.outer(v, v)


def telescope(rng, half, n_holes, step=1.0):
    """Make an exposure map and a PSF like those of ACIS-I.

    Parameters
    ----------
    rng : numpy.random.Generator
        Of the masks.
    half : float
        Half the side of the field, a square about the origin [arcsec].
    n_holes : int
        Number of circular masks.
    step : float
        Cell of the exposure map [arcsec].

    Returns
    -------
    completeness : Completeness
        With vignetting and two gaps.
    psf : PsfModel
        Round Gaussians that grow off axis.
    """
    grid = PixelGrid.covering((-half, half), (-half, half), step)
    x, y = grid.centres()
    off_axis = np.hypot(x, y)
    exposure = 1 - 0.25 * np.minimum(off_axis / (half * np.sqrt(2)), 1) ** 2
    for across in (x, y):
        # The gaps are 11 arcsec wide, and the dither of +-8 arcsec smears them.
        exposure = exposure * np.clip((np.abs(across) + 8 - 5.5) / 16, 0.1, 1)
    open_fraction = np.ones(grid.shape)
    offsets = (np.arange(5) - 2) / 5 * step
    for _ in range(n_holes):
        cx, cy, radius = rng.uniform(-half, half), rng.uniform(-half, half), rng.uniform(3, 10)
        near = np.maximum(np.abs(x - cx), np.abs(y - cy)) < radius + step
        u, v = x[near] - cx, y[near] - cy
        open_fraction[near] *= np.mean(
            [np.hypot(u + a, v + b) > radius for a in offsets for b in offsets], axis=0
        )
    nodes = PixelGrid.covering((-half, half), (-half, half), 2 * half / 64)
    sigma = 0.4 + 11.6 * (np.hypot(*nodes.centres()) / 600) ** 2
    psf = PsfModel(
        grid=nodes,
        weights=np.ones((*nodes.shape, 1)),
        covariances=(sigma**2)[..., None, None, None] * np.eye(2),
    )
    return Completeness(grid=grid, exposure=exposure, open_fraction=open_fraction), psf


def drawn_photons(mixture, completeness, psf, n, rng):
    """Draw n detected photons of a mixture and a uniform sky background.

    Parameters
    ----------
    mixture : Mixture
        Its fluxes are relative.
    completeness : Completeness
    psf : PsfModel
    n : int
    rng : numpy.random.Generator

    Returns
    -------
    x, y : (n,) arrays
        Positions [arcsec], those of the background first.
    truth : Parameters
        Mixture and amplitude of the background for n photons.
    """
    truth = _scaled(mixture, completeness, psf, n)
    _, psf_covariances = psf.averaged(mixture.means, mixture.covariances)
    roots = np.linalg.cholesky(mixture.covariances + psf_covariances[:, 0])
    fluxes = truth.mixture.fluxes
    extent = completeness.grid.extent()

    def background_positions(tries):
        return tuple(rng.uniform(low, high, tries) for low, high in extent)

    def mixture_positions(tries):
        k = rng.choice(len(mixture), tries, p=fluxes / fluxes.sum())
        offsets = np.einsum("nij,nj->ni", roots[k], rng.normal(size=(tries, 2)))
        return tuple((mixture.means[k] + offsets).T)

    n_background = rng.binomial(n, BACKGROUND_FRACTION)
    background = _detected(background_positions, completeness, n_background, rng)
    signal = _detected(mixture_positions, completeness, n - n_background, rng)
    x, y = np.concatenate([background, signal], axis=1)
    return x, y, truth


def _scaled(mixture, completeness, psf, n):
    """Parameters whose expected number of detected photons is n."""
    probe = Observation(photons=Photons([], []), completeness=completeness, psf=psf)
    likelihood = PhotonLikelihood.of([probe])
    alone = Parameters(mixture=mixture, amplitudes=(np.zeros(0),))
    seen = evaluate(likelihood, alone, likelihood.begin_phase(alone, Priors())).observed_fraction
    scale = (1 - BACKGROUND_FRACTION) * n / float(mixture.fluxes @ seen)
    area = completeness.effective.sum() * completeness.grid.cell_area / completeness.exposure.max()
    return Parameters(
        mixture=replace(mixture, fluxes=mixture.fluxes * scale),
        amplitudes=(np.array([BACKGROUND_FRACTION * n / area]),),
    )


def _detected(positions, completeness, n, rng):
    """Positions of n photons that are detected with the probability Omega, (2, n)."""
    reference = completeness.exposure.max()
    xs, ys, got = [np.zeros(0)], [np.zeros(0)], 0
    while got < n:
        tries = 4 * (n - got) + 1000
        x, y = positions(tries)
        chance = completeness.effective_at(x, y) / reference
        keep = np.flatnonzero(rng.uniform(size=tries) < chance)[: n - got]
        xs.append(x[keep])
        ys.append(y[keep])
        got += len(keep)
    return np.concatenate(xs), np.concatenate(ys)


def observed(x, y, completeness, psf, name):
    """An observation of photons, with a uniform sky as its background."""
    return Observation(
        photons=Photons(x, y),
        completeness=completeness,
        psf=psf,
        backgrounds=(Background(),),
        frame=SkyFrame(190.7, 2.69),
        name=name,
    )


def make_case(name, mixture, half, n_holes, n, rng):
    """Draw n photons to fit and n photons to hold out through an ACIS-like telescope.

    Parameters
    ----------
    name : str
    mixture : Mixture
    half : float
        Half the side of the field [arcsec].
    n_holes : int
    n : int
    rng : numpy.random.Generator

    Returns
    -------
    Case
    """
    completeness, psf = telescope(rng, half, n_holes)
    x, y, truth = drawn_photons(mixture, completeness, psf, 2 * n, rng)
    order = rng.permutation(2 * n)
    halves = [observed(x[i], y[i], completeness, psf, name) for i in (order[:n], order[n:])]
    truth = Parameters(
        mixture=replace(truth.mixture, fluxes=truth.mixture.fluxes / 2),
        amplitudes=(truth.amplitudes[0] / 2,),
    )
    return Case(name, halves[0], halves[1], truth)


def small_galaxy(seed=12, n=15_000):
    """Draw a galaxy of 12 components in 8' x 8': a halo, two arms and knots."""
    rng = np.random.default_rng(seed)
    parts = []
    for sigma in (8.0, 25.0, 80.0):
        mean = rng.normal(0, 2, 2)
        parts.append((0.15, mean, ellipse(sigma, 0.8 * sigma, rng.uniform(0, np.pi))))
    for i in range(4):
        angle = 0.5 * i + np.pi * (i % 2)
        width = rng.uniform(10, 25)
        mean = (45 + 20 * i) * np.array([np.cos(angle), np.sin(angle)])
        parts.append((0.07, mean, ellipse(width, rng.uniform(3, 8), angle + np.pi / 2)))
    for _ in range(5):
        sigma = np.exp(rng.uniform(np.log(1.5), np.log(10)))
        mean = rng.uniform(-170, 170, 2)
        minor = sigma * rng.uniform(0.7, 1)
        parts.append((0.054, mean, ellipse(sigma, minor, rng.uniform(0, np.pi))))
    fluxes, means, covariances = (np.array(column) for column in zip(*parts, strict=True))
    mixture = Mixture(fluxes=fluxes, means=means, covariances=covariances)
    return make_case("small", mixture, 240.0, 40, n, rng)


def separated(k, seed, *, photons_each=300, fresh=0):
    """Draw k separated round sources of sigma 1.5 to 8 arcsec on a uniform background.

    Parameters
    ----------
    k, seed : int
    photons_each : int
        Mean number of detected photons of a source.
    fresh : int
        Number of photons that are held out.

    Returns
    -------
    list of Observation
        Photons to fit and, where `fresh` is positive, the photons that are held out.
    parameters : Parameters
        The density that they were drawn from.
    """
    rng = np.random.default_rng([k, seed])
    completeness, psf = telescope(rng, 240.0, 0)
    places = separated_places(k, completeness, psf, rng)
    n = round(photons_each * k / (1 - BACKGROUND_FRACTION))
    truth = Mixture(
        fluxes=1 / completeness.effective_at(places[:, 0], places[:, 1]),
        means=places[:, :2],
        covariances=(places[:, 3] ** 2)[:, None, None] * np.eye(2),
    )
    x, y, parameters = drawn_photons(truth, completeness, psf, n + fresh, rng)
    order = rng.permutation(n + fresh)
    parts = [order[:n], order[n:]] if fresh else [order]
    made = [observed(x[i], y[i], completeness, psf, f"{k} separated") for i in parts]
    return made, parameters


def separated_places(k, completeness, psf, rng, half=240.0):
    """Positions of k separated sources, at least 6 sigma apart, and away from gaps and edges.

    Returns
    -------
    (k, 4) array
        x, y, sigma after the PSF, and sigma before it [arcsec].
    """
    reference = completeness.exposure.max()
    chosen = []
    while len(chosen) < k:
        x, y = rng.uniform(-0.85 * half, 0.85 * half, 2)
        sigma = np.exp(rng.uniform(np.log(1.5), np.log(8)))
        wide = np.sqrt(sigma**2 + psf.at(np.array([x]), np.array([y]))[1][0, 0, 0, 0])
        dx, dy = wide * np.array([0, 2, -2, 0, 0]), wide * np.array([0, 0, 0, 2, -2])
        around = completeness.effective_at(x + dx, y + dy) / reference
        is_apart = all(np.hypot(x - a, y - b) > 6 * max(wide, c) for a, b, c, _ in chosen)
        if around.min() > 0.6 and is_apart:
            chosen.append((x, y, wide, sigma))
    return np.array(chosen)


def flat_sky(seed, n=10_000):
    """Draw n photons of a uniform sky, and nothing else."""
    rng = np.random.default_rng([77, seed])
    completeness, psf = telescope(rng, 240.0, 0)
    (x0, x1), (y0, y1) = completeness.grid.extent()
    x, y = rng.uniform(x0, x1, 2 * n), rng.uniform(y0, y1, 2 * n)
    keep = rng.uniform(size=2 * n) < completeness.effective_at(x, y) / completeness.exposure.max()
    return observed(x[keep][:n], y[keep][:n], completeness, psf, "flat sky")
