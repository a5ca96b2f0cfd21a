"""How narrow intervals are, how right on a ray-traced galaxy, and how long their draws take.

bound    The median half-width of the interval of 68 % over the Cramer-Rao bound, on mixtures whose
         number of components is known. The bound is the inverse of the information matrix at the
         truth, of the photons of the same sky.
galaxy   Pulls of the flux in the field, of annuli and of the half-light radius on the ten further
         observations of marx/galaxy, with the readout streak among the backgrounds: (middle of the
         interval of 68 % - truth) / half of it. The exposure map of the simulation counts the time
         in which the chips are read out, and the truth is that part of it which is no streak. With
         --keep FILE a stopped run goes on, and with --print it prints what it has.
cost     Time and memory of 200 draws of a fit of marx/galaxy with 20 and with 60 components.

Name parts of the table to run only them: ``python benchmarks/bench_intervals.py bound``.
"""

import argparse
import json
import resource
import time
import warnings
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from common import machine
from coverage_skies import mixture_sky
from galaxy import ANNULI, observed, realisation, true_parameters
from scipy.optimize import brentq

import gmmx
from gmmx.answers.drawn_skies import DrawnSkies
from gmmx.answers.errors import make_draws, options_of
from gmmx.answers.half_light import half_light_radius
from gmmx.answers.rings import Rings
from gmmx.em.parameters import Parameters
from gmmx.errors import GmmxWarning
from gmmx.fitting.problem import Problem
from gmmx.model.drawing import pixel_means
from gmmx.model.interval import Interval
from gmmx.plane.grid import PixelGrid
from gmmx.telescope.acis import streak_fraction

N_DRAWS, N_BOUND, N_REALISATIONS = 200, 40, 10
# The half-light radius counts the flux out to here [arcsec], and pixels for the field.
REACH, PIXEL = 600.0, 6.0
RINGS = [f"annulus {low} to {high}" for low, high in pairwise(ANNULI)]


def half_width(drawn):
    """Half of the interval of 68 % along the first axis."""
    low, high = np.percentile(drawn, [16, 84], axis=0)
    return (high - low) / 2


def bound(_keep, _only_print):
    """Print the widths of the intervals over the Cramer-Rao bound."""
    ratios = {"total flux": [], "background": [], "flux": [], "x": [], "y": []}
    for seed in range(N_BOUND):
        sky = mixture_sky(seed)
        k = len(sky.mixture)
        start = sky.mixture
        result = gmmx.fit(
            sky.observation, n_components=k, start=start, exchanges=0, seed=1, threads=1
        )
        if len(result.mixture) != k:
            continue
        draws = make_draws(result, N_DRAWS, method="laplace", seed=seed, threads=1).draws
        problem = Problem.of(result.observations, options_of(result))
        truth = Parameters(mixture=sky.mixture, amplitudes=(np.array([sky.amplitude]),))
        information = problem.information(truth, problem.begin_phase(truth), photons=10**9)
        own = np.array(
            [np.hypot(*(m - sky.mixture.means).T).argmin() for m in result.mixture.means]
        )
        n = len(information.fixed)
        errors = np.sqrt(np.diag(information.solve(np.eye(n))))
        sought = np.zeros((n, 1))
        sought[:k, 0] = sky.mixture.fluxes
        ratios["total flux"].append(
            half_width(draws.fluxes.sum(1)) / np.sqrt((sought.T @ information.solve(sought))[0, 0])
        )
        ratios["background"].append(
            half_width(draws.amplitudes[:, 0]) / (errors[-1] * sky.amplitude)
        )
        ratios["flux"] += list(
            half_width(draws.fluxes[:, :k]) / (errors[:k] * sky.mixture.fluxes)[own]
        )
        # Positions are in the units of the Cholesky factor of the covariance.
        roots = np.linalg.cholesky(sky.mixture.covariances)
        units = np.eye(n)[:, k : 3 * k].reshape(n, 2, k)
        for i, axis in enumerate("xy"):
            columns = np.einsum("ndk,kd->nk", units, roots[:, i])
            bounds = np.sqrt(np.einsum("nk,nk->k", columns, information.solve(columns)))
            ratios[axis] += list(half_width(draws.means[:, :k, i]) / bounds[own])
    print(f"half-width of the interval over the Cramer-Rao bound, {N_BOUND} mixtures, known K\n")
    print(f"{'quantity':<14}{'n':>5}{'16 %':>8}{'median':>8}{'84 %':>8}")
    for name, values in ratios.items():
        low, middle, high = np.percentile(values, [16, 50, 84])
        print(f"{name:<14}{len(values):>5}{low:>8.3f}{middle:>8.3f}{high:>8.3f}")
    print()


def quantities(mixtures, grid, inside):
    """Flux in the field of each mixture [photon]."""
    return np.array(
        [
            (pixel_means(m.fluxes, m.means, m.covariances, grid) * grid.cell_area)[inside].sum()
            for m in mixtures
        ]
    )


def half_light_radius_of(mixture, rings):
    """The radius that holds half of the flux of a mixture within `REACH` [arcsec]."""

    def inside(radius):
        disc = rings.with_edges(np.array([0.0, radius]))
        return float(mixture.fluxes @ disc.photons(mixture.means, mixture.covariances)[:, 0])

    return brentq(lambda radius: inside(radius) - inside(REACH) / 2, 1.0, REACH)


def pulls_of(i):
    """Pulls of one realisation, by the names of the quantities, and K and the method."""
    observation = realisation(i, background=("sky", "streak"))
    result = make_draws(gmmx.fit(observation, seed=1), N_DRAWS, seed=i)
    truth = true_parameters(observation).mixture
    recorded = 1 - streak_fraction(observation.pointing)
    truth = replace(truth, fluxes=truth.fluxes * recorded)
    skies = DrawnSkies(result, result.draws)
    rings = Rings(centre=truth.means[0], edges=np.array(ANNULI, float))
    _, drawn = skies.photons(rings)
    true = truth.fluxes @ rings.photons(truth.means, truth.covariances)
    radius = half_light_radius(skies, rings, REACH)
    true_radius = half_light_radius_of(truth, rings)
    half = REACH / 1.2
    grid = PixelGrid.covering((-half, half), (-half, half), PIXEL)
    inside = observation.completeness.exposure_at(*grid.centres()) > 0
    field = quantities(result.draws.mixtures(), grid, inside)
    true_field = quantities([truth], grid, inside)[0]
    found = [Interval.over(np.column_stack([field, drawn])), radius]
    low, high = (np.concatenate([getattr(i, end) for i in found]) for end in ("lower68", "upper68"))
    truths = np.array([true_field, *true, true_radius])
    names = ["flux in the field", *RINGS, "half-light radius"]
    pulls = ((low + high) / 2 - truths) / ((high - low) / 2)
    ratios = (low + high) / 2 / truths
    return {
        "seed": i,
        "k": len(result.mixture),
        "method": result.draws.method,
        "pulls": dict(zip(names, pulls.tolist(), strict=True)),
        "ratios": dict(zip(names, ratios.tolist(), strict=True)),
    }


def galaxy(keep, only_print):
    """Print the mean and the root mean square of the pulls of ten realisations."""
    rows = {}
    if keep is not None and keep.exists():
        rows = {row["seed"]: row for row in map(json.loads, keep.read_text().splitlines())}
    for i in range(N_REALISATIONS if not only_print else 0):
        if i in rows:
            continue
        rows[i] = pulls_of(i)
        if keep is not None:
            with keep.open("a") as file:
                file.write(json.dumps(rows[i]) + "\n")
    if not rows:
        return
    ks = [row["k"] for row in rows.values()]
    methods = ", ".join(sorted({row["method"] for row in rows.values()}))
    print(
        f"pulls on {len(rows)} realisations of marx/galaxy with a streak, K {min(ks)} to {max(ks)},"
        f" {methods}\n"
    )
    print(f"{'quantity':<22}{'mean':>7}{'rms':>7}{'middle/truth':>14}")
    every = []
    for name in next(iter(rows.values()))["pulls"]:
        pulls = np.array([row["pulls"][name] for row in rows.values()])
        ratio = np.mean([row["ratios"][name] for row in rows.values()])
        every.append(pulls)
        print(f"{name:<22}{pulls.mean():>+7.2f}{np.sqrt(np.mean(pulls**2)):>7.2f}{ratio:>14.4f}")
    annuli = np.array(every[1:-1])
    print(f"{'all annuli':<22}{annuli.mean():>+7.2f}{np.sqrt(np.mean(annuli**2)):>7.2f}\n")


def cost(_keep, _only_print):
    """Print the time and the memory of draws of many components."""
    observation = observed()
    print(f"{N_DRAWS} draws of marx/galaxy, {observation.n_photons:,.0f} photons\n")
    print(f"{'K':>4}{'method':>10}{'fit':>9}{'draws':>9}{'processor':>11}{'memory':>10}")
    for k in (20, 60):
        began = time.perf_counter()
        result = gmmx.fit(observation, n_components=k, seed=1)
        fitted, processor = time.perf_counter(), time.process_time()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        draws = make_draws(result, N_DRAWS).draws
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(
            f"{len(result.mixture):>4}{draws.method:>10}{fitted - began:>7.1f} s"
            f"{time.perf_counter() - fitted:>7.1f} s{time.process_time() - processor:>9.1f} s"
            f"{after / before:>8.2f} x",
            flush=True,
        )
    print()


PARTS = {"bound": bound, "galaxy": galaxy, "cost": cost}


def main():
    """Print the parts."""
    parser = argparse.ArgumentParser(description=Path(__file__).name)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--print", action="store_true", dest="only_print")
    given = parser.parse_intermixed_args()
    warnings.simplefilter("ignore", GmmxWarning)
    print(f"{machine()}\n")
    for name in given.parts or PARTS:
        PARTS[name](given.keep, given.only_print)


if __name__ == "__main__":
    main()
