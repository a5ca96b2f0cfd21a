"""How close gmmx comes to the truth: ray-traced observations and a beta-model, scored on maps, annuli, totals and held-out photons.

Reads the simulated observations from $GMMX_TEST_DATA (default ../shared/data beside the repository). Name parts of the table to run only them:
``python benchmarks/bench_accuracy.py galaxy realisations beta``.
"""

import json
import os
import sys
import time
import warnings
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from astropy.io import fits
from scipy.ndimage import gaussian_filter

import gmmx
from gmmx import errors
from gmmx.em.parameters import Parameters
from gmmx.io.images import read_grid_like
from gmmx.model.background import Background
from gmmx.model.drawing import pixel_means
from gmmx.model.mixture import Mixture
from gmmx.model.photons import Photons
from gmmx.plane.grid import PixelGrid

DATA = (
    Path(os.environ.get("GMMX_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    / "marx"
)
GALAXY = DATA / "galaxy"
ANNULI = (0, 30, 60, 120, 180, 240, 300, 400)


def observed(events, exposure, psf=GALAXY / "psfmap.fits.gz", **options):
    """A realisation of the galaxy, its point sources masked."""
    return gmmx.read_observation(
        events,
        exposure=exposure,
        psf=psf,
        mask=GALAXY / "sources.reg",
        energy_kev=(0.5, 2),
        **options,
    )


class Truth:
    """truth.fits of a simulated sky, and what a fitted model is worth beside it."""

    def __init__(self, folder=GALAXY):
        self.path = folder / "truth.fits.gz"
        with fits.open(self.path) as files:
            self.values = files[0].data.astype(float)

    def rendered(self, result):
        """The model's surface brightness on the truth's grid, through both WCS, and that grid."""
        grid = read_grid_like(self.path, result.frame)
        mixture = result.extended
        return pixel_means(
            mixture.fluxes, mixture.means, mixture.covariances, grid
        ) / result.reference_exposure, grid

    def differences(self, result):
        """Half the integrated absolute difference over the truth's integral, smoothed by 2 and 8 arcsec."""
        image, grid = self.rendered(result)
        return [
            0.5
            * np.abs(gaussian_filter(image - self.values, s / grid.step)).sum()
            / self.values.sum()
            for s in (2, 8)
        ]

    def total(self, result):
        """Flux on the truth's grid over the truth's."""
        return self.rendered(result)[0].sum() / self.values.sum()

    def annuli(self, result):
        """Flux in annuli about the truth's centre over the truth's."""
        image, grid = self.rendered(result)
        x, y = grid.centres()
        ny, nx = grid.shape
        cx, cy = grid.to_plane((nx - 1) / 2, (ny - 1) / 2)
        radius = np.hypot(x - cx, y - cy)
        rings = [(radius >= low) & (radius < high) for low, high in pairwise(ANNULI)]
        return [image[ring].sum() / self.values[ring].sum() for ring in rings]


def true_parameters(observation, folder=GALAXY, reference=None):
    """The fifteen components of a simulated sky and its background level, in photons at the reference exposure, or else the observation's largest."""
    reference = observation.completeness.exposure.max() if reference is None else reference
    about = json.loads((folder / "truth.json").read_text())
    fluxes, means, covariances = [], [], []
    for c in about["components"]:
        angle = np.radians(c["pa_deg"])
        along, across = (
            np.array([-np.sin(angle), np.cos(angle)]),
            np.array([np.cos(angle), np.sin(angle)]),
        )
        fluxes.append(c["flux"] * reference)
        means.append(observation.frame.to_plane(c["ra"], c["dec"]))
        covariances.append(
            c["sig_major"] ** 2 * np.outer(along, along)
            + c["sig_minor"] ** 2 * np.outer(across, across)
        )
    mixture = Mixture(
        fluxes=np.array(fluxes), means=np.array(means), covariances=np.array(covariances)
    )
    return Parameters(
        mixture=mixture, amplitudes=(np.array([about["bkg_flux_per_arcsec2"] * reference]),)
    )


def block_chi2(result, photons, size):
    """chi^2 per degree of freedom of other photons in blocks of `size` arcsec with at least 25 expected counts."""
    images = gmmx.render(
        replace(
            result,
            observations=(
                replace(
                    result.observations[0],
                    photons=photons.photons,
                ),
            ),
        )
    )
    counts, expected = images.counts, images.expected
    grid = PixelGrid.covering(*counts.grid.extent(), size)
    x, y = counts.grid.centres()
    d, m = (
        grid.histogram(x.ravel(), y.ravel(), counts.values.ravel()),
        grid.histogram(x.ravel(), y.ravel(), expected.values.ravel()),
    )
    use = m >= 25
    return float(((d - m)[use] ** 2 / m[use]).mean())


def galaxy():
    """One observation, two K."""
    truth = Truth()
    print(
        '\nmarx/galaxy: half the integrated absolute difference at 2" and 8", total, background photons'
    )
    observation = observed(GALAXY / "events.fits.gz", GALAXY / "expmap.fits.gz")
    for k in (15, 40):
        result = gmmx.fit(observation, n_components=k, seed=1)
        two, eight = truth.differences(result)
        facts = f"{two:.4f}  {eight:.4f}  {truth.total(result):.4f}  {result.background_photons:.0f}  {result.seconds:.1f} s"
        print(f"  --k {k}: K = {len(result.mixture)}  {facts}")


def realisations():
    """Ten observations of one sky: bias, for a given K, for K as chosen, and for a start at the truth."""
    truth = Truth()
    folder = DATA / "realisations" / "galaxy"
    observations, sky = [], []
    for i in range(10):
        path = folder / f"events_{i:02d}.fits.gz"
        observations.append(observed(path, folder / "expmap_hp.fits.gz"))
        with fits.open(path) as files:
            sky.append(true_background(observations[-1], files["EVENTS"].data))
    names = [
        "total flux",
        "background",
        *(f'{a}-{b}"' for a, b in pairwise(ANNULI)),
        'difference 2"',
        'difference 8"',
    ]
    differences = {}
    for label, options in (
        ("--k 20", {"n_components": 20}),
        ("--k auto", {"n_components": "auto"}),
        ("K = 15, started at the truth", {"n_components": 15, "start": None}),
    ):
        rows, results = [], []
        for observation, background in zip(observations, sky, strict=True):
            start = {"start": true_parameters(observation).mixture} if "start" in options else {}
            results.append(gmmx.fit(observation, **(options | start), seed=1))
            result = results[-1]
            rows.append(
                [
                    truth.total(result),
                    result.background_photons / background,
                    *truth.annuli(result),
                    *truth.differences(result),
                ]
            )
        rows, n = np.array(rows), [len(result.mixture) for result in results]
        print(
            f"\nmarx/galaxy, ten realisations, {label} (K {min(n)} to {max(n)}): mean over the ten (model over truth; differences as they are)"
        )
        for name, m, e in zip(
            names, rows.mean(0), rows.std(0, ddof=1) / np.sqrt(len(rows)), strict=True
        ):
            print(f"  {name:14s} {m:.4f} +- {e:.4f}")
        chi2 = np.array(
            [
                [
                    block_chi2(results[i], results[(i + 1) % 10].observations[0], size)
                    for size in (4, 16, 64)
                ]
                for i in range(10)
            ]
        ).mean(0)
        print(
            f'  chi^2 per degree of freedom against the next realisation, 4" {chi2[0]:.3f}, 16" {chi2[1]:.3f}, 64" {chi2[2]:.3f}',
            flush=True,
        )
        differences[label] = rows[:, -2:].mean(0)
    ratio = differences["--k auto"] / differences["K = 15, started at the truth"]
    print(
        f'\n  differences of --k auto over those of the start at the truth: {ratio[0]:.3f} at 2", {ratio[1]:.3f} at 8"'
    )


def true_background(observation, events):
    """Background photons of a realisation that survive the mask, by their label."""
    physical = observation.physical
    x, y = physical.to_plane(events["X"], events["Y"])
    kept = (
        (events["COMP"] == -1)
        & ~observation.masks.contains(x, y)
        & (observation.completeness.effective_at(x, y) > 0)
    )
    return float(kept.sum())


def beta_sky(rng, completeness, n, n_sky, beta=0.6, core=25.0):
    """Photons of a beta-model (n at full exposure) and of a flat sky (n_sky detected) through an exposure map; (x, y, flat photons at E_ref per arcsec^2)."""
    # Cumulative of r (1 + r^2 / rc^2)^(-3 beta + 1/2) within 600 arcsec, inverted.
    radius = np.linspace(0, 600, 60_001)
    inside = 1 - (1 + (radius / core) ** 2) ** (1.5 - 3 * beta)
    r = np.interp(rng.uniform(0, inside[-1], n), inside, radius)
    angle = rng.uniform(0, 2 * np.pi, n)
    (x_low, x_high), (y_low, y_high) = completeness.grid.extent()
    reference = completeness.exposure.max()
    level = n_sky / (completeness.effective.sum() / reference * completeness.grid.cell_area)
    m = rng.poisson(level * (x_high - x_low) * (y_high - y_low))
    x = np.concatenate([r * np.cos(angle), rng.uniform(x_low, x_high, m)])
    y = np.concatenate([r * np.sin(angle), rng.uniform(y_low, y_high, m)])
    keep = rng.uniform(size=len(x)) < completeness.effective_at(x, y) / reference
    return x[keep], y[keep], level


def beta(k=30, seeds=10, n=130_000, n_sky=60_000):
    """A beta-model whose wings reach the field's edge: is the background's error bar honest?"""
    base = observed(GALAXY / "events.fits.gz", GALAXY / "expmap.fits.gz", psf=None)
    print(f"\nbeta-model (beta 0.6, core 25 arcsec), {n} photons and {n_sky} of sky, K = {k}")
    held, inside = [], []
    for seed in range(seeds):
        x, y, level = beta_sky(np.random.default_rng(seed), base.completeness, n, n_sky)
        free = replace(
            base,
            photons=Photons(x, y, weights=np.ones(len(x))),
            backgrounds=(Background(),),
            dropped={},
            psf=None,
        )
        fixed = replace(free, backgrounds=(Background(amplitude=level, fixed=True),))
        within = {}
        for name, observation in (("held", fixed), ("free", free)):
            within[name] = gmmx.fit(observation, n_components=k, seed=1)
        grid = PixelGrid.covering((-600, 600), (-600, 600), 2.0)
        flux = []
        for result in within.values():
            m = result.mixture
            image = pixel_means(m.fluxes, m.means, m.covariances, grid) * grid.cell_area
            flux.append(image[np.hypot(*grid.centres()) < 400].sum())
        true = n * inside_share(400)
        b = within["free"].backgrounds[0]
        pull = (b.amplitude - level) / b.amplitude_error
        held.append(flux[0] / true)
        inside.append(abs(pull))
        print(
            f"  seed {seed}: flux within 400 arcsec over truth, held {flux[0] / true:.4f} free {flux[1] / true:.4f};"
            f" background over truth {b.amplitude / level:.3f} +- {b.amplitude_error / level:.3f} ({pull:+.2f} sigma), correlation {b.correlation:+.2f};"
            f" K {len(within['held'].mixture)} {len(within['free'].mixture)}",
            flush=True,
        )
    inside = np.array(inside)
    holds = f"68 % interval holds the truth in {int((inside < 1).sum())} of {seeds}, 95 % in {int((inside < 1.96).sum())}"
    print(f"  held: mean flux {np.mean(held):.4f}; free: {holds}")


def inside_share(limit, beta=0.6, core=25.0, outer=600.0):
    """Share of the beta-model's photons within a radius."""
    power = 1.5 - 3 * beta
    return (1 - (1 + (limit / core) ** 2) ** power) / (1 - (1 + (outer / core) ** 2) ** power)


def run_parts(parts):
    """Run those parts of a table, a dict of functions by name, that the command line names, or all."""
    if not DATA.is_dir():
        print(f"no simulated observations at {DATA}: set GMMX_TEST_DATA")
        return
    warnings.simplefilter("ignore", errors.GmmxWarning)
    began = time.perf_counter()
    for name in sys.argv[1:] or parts:
        parts[name]()
    print(f"\n{time.perf_counter() - began:.0f} s in all")


if __name__ == "__main__":
    run_parts({"galaxy": galaxy, "realisations": realisations, "beta": beta})
