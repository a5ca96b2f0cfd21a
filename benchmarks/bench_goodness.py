"""Whether the p-values of `gmmx test` are uniform, whether it finds a cavity, and what it costs.

    bench_goodness.py [--skies N] [--simulations N] [--table FILE] [PART ...]

Parts are "uniform" (p-values on skies that are drawn from fitted models), "chosen" (the same where
each fit chooses its number of components), "no-refit" (the same without refits of the simulations),
"cavity" (skies with a cavity that the model lacks), "components" (significance of a component that
is not in the sky) and "speed". A table in JSON lines, one for each sky, lets an interrupted run go
on.
"""

import argparse
import json
import time
import warnings
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from common import MARX, is_missing, machine
from galaxy import observed
from goodness_skies import BRIGHTNESS, DEPTH, RADIUS, cavity_sky, fitted_model, sky_of

import gmmx
from gmmx.answers.component_significance import component_significance
from gmmx.answers.errors import options_of
from gmmx.answers.goodness import goodness_of_fit
from gmmx.answers.simulate import ParameterSet
from gmmx.errors import GmmxWarning
from gmmx.fitting.one_more import with_one_more
from gmmx.fitting.problem import Problem
from gmmx.fitting.redraw import refitted

KS = (1, 2, 3, 4, 5)
fitted_model = lru_cache(fitted_model)


def uniform(seed, simulations, *, chosen=False, refit=True):
    """P-values of one sky that is drawn from a fitted model, after a fit of its own."""
    k = KS[seed % len(KS)]
    sky = sky_of(fitted_model(k), np.random.default_rng([817, seed]))
    result = gmmx.fit(sky, n_components="auto" if chosen else k, threads=1)
    found = goodness_of_fit(result, simulations, refit=refit, seed=seed, threads=1)
    return {
        "names": [f"{name} {scale:.0f}" for name, scale in found.names],
        "p": found.p_values.tolist(),
        "all": found.p_value,
    }


def cavity(seed, simulations):
    """The place that is found nearest to a cavity, and the p-value of all statistics."""
    sky, place = cavity_sky(seed)
    result = gmmx.fit(sky, n_components=2, threads=1)
    found = goodness_of_fit(result, simulations, seed=seed, threads=1)
    near = [
        p for p in found.places if p.sigma < 0 and np.hypot(p.x - place[0], p.y - place[1]) < RADIUS
    ]
    best = min((p.sigma for p in near), default=0.0)
    return {"sigma": best, "all": found.p_value, "chance": found.chance(best)}


def components(seed, simulations):
    """P-values of the components, where the model has one more than the sky."""
    k = KS[seed % len(KS)]
    sky = sky_of(fitted_model(k), np.random.default_rng([818, seed]))
    result = gmmx.fit(sky, n_components=k, threads=1)
    # A fit hardly buys a component that is not there: here the best one is given to it.
    problem = Problem.of(result.observations, options_of(result))
    best = ParameterSet.of(result)
    state = refitted(problem, best.mixture, best.amplitudes, result.fixed)
    start = with_one_more(problem, state).mixture
    result = gmmx.fit(sky, start=start, n_components=k + 1, threads=1)
    found = component_significance(result, simulations, seed=seed, threads=1)
    return {
        "k": k,
        "fitted": len(result.mixture),
        "gain": float(found.gains.min()),
        "p": found.p_values.tolist(),
        "simulated": found.simulated.tolist(),
    }


def speed(_seed, simulations):
    """Time of the test of the simulated galaxy with 20 components, on all cores."""
    result = gmmx.fit(observed(), n_components=20)
    began, cores = time.perf_counter(), time.process_time()
    found = goodness_of_fit(result, simulations)
    return {
        "k": len(result.mixture),
        "photons": result.n_photons,
        "wall": time.perf_counter() - began,
        "cores": time.process_time() - cores,
        "all": found.p_value,
    }


def print_uniform(rows, simulations):
    """Print a Kolmogorov-Smirnov test of each statistic, and how many p-values are small."""
    from scipy.stats import kstest

    print(f"{len(rows)} skies of some 5,000 photons with 1 to 5 components")
    print(f"{'statistic':24}{'KS p':>8}{'p < 0.05':>10}{'p < 0.1':>10}{'mean p':>10}")
    by_name = {}
    for row in rows:
        for name, p in zip(row["names"], row["p"], strict=True):
            by_name.setdefault(name.replace(" nan", ""), []).append(p)
        by_name.setdefault("all together", []).append(row["all"])
    rng = np.random.default_rng(0)
    for name, values in by_name.items():
        # The p-values are multiples of 1 / (n + 1): each stands for the interval below it.
        p = np.array(values) - rng.uniform(size=len(values)) / (simulations + 1)
        print(
            f"{name:24}{kstest(p, 'uniform').pvalue:>8.3f}{np.mean(p < 0.05):>10.3f}"
            f"{np.mean(p < 0.1):>10.3f}{p.mean():>10.3f}"
        )


def print_cavity(rows, _simulations):
    """Print in how many skies the cavity was found."""
    sigma = np.array([row["sigma"] for row in rows])
    print(
        f"cavity {100 * DEPTH:.0f} % deep within {RADIUS:.0f} arcsec at {BRIGHTNESS} "
        f"photon/arcsec^2: {np.sum(sigma <= -4)} of {len(rows)} found at a local 4 sigma; "
        f"median {np.median(sigma):.1f} sigma"
    )
    chances = np.array([row["chance"] for row in rows])
    print(f"its chance in the whole field is below 0.05 in {np.sum(chances < 0.05)} of them")


def print_components(rows, simulations):
    """Print how often a component that is not in the sky is called significant."""
    spurious = [row for row in rows if row["fitted"] > row["k"]]
    p = np.array([max(row["p"]) for row in spurious])
    print(
        f"{len(rows)} skies fitted with a component too many, which was kept in {len(spurious)}: "
        f"the least significant one has p <= 0.05 in {np.mean(p <= 0.05 + 1e-9):.1%} of these, and "
        f"in {np.sum(p <= 0.05 + 1e-9) / len(rows):.1%} of all skies"
    )
    gains = np.array([row["gain"] for row in spurious])
    simulated = np.concatenate([row["simulated"] for row in rows])
    print(
        f"gain: median {np.median(gains):.1f} nat, 95 % below {np.quantile(gains, 0.95):.1f}; "
        f"in the simulations {np.median(simulated):.1f} and {np.quantile(simulated, 0.95):.1f}"
    )
    others = np.concatenate([np.sort(row["p"])[:-1] for row in spurious])
    least = 1 / (simulations + 1) + 1e-9
    print(f"the other components have the smallest p in {np.mean(others <= least):.1%}")


def print_speed(rows, simulations):
    """Print what one test costs."""
    (row,) = rows
    print(
        f"marx/galaxy, {row['photons']:,.0f} photons, K = {row['k']}: {row['wall']:.0f} s, "
        f"{row['cores']:.0f} s of all cores, {row['cores'] / simulations:.2f} s of a core for each "
        "refitted simulation"
    )


# What measures and what prints a part, and its numbers of skies and of simulations.
PARTS = {
    "uniform": (uniform, print_uniform, 200, 19),
    "chosen": (partial(uniform, chosen=True), print_uniform, 40, 39),
    "no-refit": (partial(uniform, refit=False), print_uniform, 60, 39),
    "cavity": (cavity, print_cavity, 40, 59),
    "components": (components, print_components, 200, 19),
    "speed": (speed, print_speed, 1, 200),
}


def main():
    parser = argparse.ArgumentParser(description=Path(__file__).name)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--skies", type=int, help="by default 1 to 200, by part")
    parser.add_argument("--simulations", type=int, help="by default 19 to 200, by part")
    parser.add_argument("--table", type=Path)
    arguments = parser.parse_intermixed_args()
    parts = arguments.parts or list(PARTS)
    unknown = sorted(set(parts) - set(PARTS))
    if unknown:
        parser.error(f"no part is called {', '.join(unknown)}: there are {', '.join(PARTS)}")
    warnings.simplefilter("ignore", GmmxWarning)
    table = {}
    if arguments.table is not None and arguments.table.exists():
        for line in arguments.table.read_text().splitlines():
            row = json.loads(line)
            table[tuple(row["key"])] = row
    print(f"{machine()}\n")
    for part in parts:
        if part == "speed" and is_missing(MARX):
            continue
        measure, show, skies, simulations = PARTS[part]
        simulations = arguments.simulations or simulations
        keys = [(part, seed, simulations) for seed in range(arguments.skies or skies)]
        for key in keys:
            if key in table:
                continue
            began = time.process_time()
            found = measure(key[1], simulations)
            table[key] = {"key": key, **found, "seconds": time.process_time() - began}
            if arguments.table is not None:
                with arguments.table.open("a") as file:
                    file.write(json.dumps(table[key]) + "\n")
        rows = [table[key] for key in keys]
        print(f"{part}, {simulations} simulations of each sky")
        show(rows, simulations)
        print(f"{np.mean([row['seconds'] for row in rows]):.1f} s of a core for each sky\n")


if __name__ == "__main__":
    main()
