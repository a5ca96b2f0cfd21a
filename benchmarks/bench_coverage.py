"""How often the intervals of 68 and 95 % hold the truth, with K chosen anew for each sky.

    bench_coverage.py [--skies N] [--method NAME] [--draws N] [--table FILE] [--part I/N] [KIND ...]

Kinds of skies are those of coverage_skies.KINDS. A table in JSON lines, one for each sky, lets an
interrupted run go on. With --part 1/2 only every second sky is fitted, and nothing is printed; the
tables of all parts together make the whole. With --print the table is printed as it is. A circle or
an annulus counts where the sky has at least 3 photons in it. +- behind 68 and 95 % are
the binomial errors that a share of n intervals has. pull and rms are the mean and the root
mean square of (mean of the draws - truth) / half of the interval.
"""

import argparse
import json
import time
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
from common import machine
from coverage_skies import HALF, KINDS, image_of

import gmmx
from gmmx.answers.errors import make_draws
from gmmx.errors import GmmxWarning

N_CIRCLES = 20
ANNULI = (0.0, 8.0, 16.0, 32.0, 64.0, 128.0)
# Positions with a smaller part of the full exposure are not observed.
UNSEEN = 0.05
# A component is isolated if no other one is nearer than so many of both sigmas.
APART = 3.0
FEWEST = 3.0
# Number of skies of each kind.
SKIES = {"mixtures": 400, "beta": 60, "cavities": 40, "compact": 20, "prior": 60, "held": 30}


def regions_of(sky, rng):
    """Named regions as masks of the pixels of the truth; several may share a name."""
    x, y = sky.grid.centres()
    completeness = sky.observation.completeness
    field = (np.abs(x) < HALF) & (np.abs(y) < HALF)
    part = (
        completeness.open_fraction_at(x, y)
        if hasattr(completeness, "open_fraction_at")
        else (completeness.effective_at(x, y) / completeness.exposure.max())
    )
    bright = sky.truth > sky.amplitude * sky.grid.cell_area
    regions = [("flux in the field", field), ("outside the field", ~field)]
    regions.append(("masked holes", field & (part < UNSEEN)))
    cx, cy = (float((v * sky.truth)[field].sum() / sky.truth[field].sum()) for v in (x, y))
    if sky.mixture is not None:
        cx, cy = sky.mixture.means[0]
    radius = np.hypot(x - cx, y - cy)
    for low, high in pairwise(ANNULI):
        regions.append(("annuli", (radius >= low) & (radius < high) & field))
    for _ in range(N_CIRCLES):
        px, py = rng.uniform(-HALF, HALF, 2)
        size = np.exp(rng.uniform(np.log(5.0), np.log(120.0)))
        inside = (np.hypot(x - px, y - py) < size) & field
        if inside.any():
            where = "core" if bright[inside].mean() > 0.5 else "outskirts"
            regions.append((f"circles, {where}", inside))
    return regions


def measured(sky, method, n_draws, seed):
    """Name, truth, value and quantiles of each quantity of one sky, after a fit."""
    began = time.process_time()
    result = gmmx.fit(sky.observation, threads=1)
    fitted = time.process_time()
    result = make_draws(result, n_draws, method=method, seed=seed, threads=1)
    seconds = [fitted - began, time.process_time() - fitted]
    draws, names, columns, truths, values = result.draws, [], [], [], []

    def add(name, truth, value, drawn):
        names.append(name)
        truths.append(float(truth))
        values.append(float(value))
        columns.append(np.asarray(drawn, float))

    images = np.array([image_of(m, sky.grid).ravel() for m in draws.mixtures()])
    best = image_of(result.mixture, sky.grid).ravel()
    for name, mask in regions_of(sky, np.random.default_rng([99, seed])):
        truth = sky.truth[mask].sum()
        if truth >= FEWEST:
            chosen = mask.ravel()
            add(name, truth, best[chosen].sum(), images[:, chosen].sum(1))
    add("background", sky.amplitude, result.backgrounds[0].amplitude, draws.amplitudes[:, 0])
    if sky.mixture is not None:
        for j, k in isolated_pairs(sky.mixture, result.mixture):
            add(
                "isolated: flux",
                sky.mixture.fluxes[j],
                result.mixture.fluxes[k],
                draws.fluxes[:, k],
            )
            for i, axis in enumerate("xy"):
                add(
                    f"isolated: {axis}",
                    sky.mixture.means[j, i],
                    result.mixture.means[k, i],
                    draws.means[:, k, i],
                )
            add(
                "isolated: size",
                size_of(sky.mixture.covariances[j]),
                size_of(result.mixture.covariances[k]),
                size_of(draws.covariances[:, k]),
            )
    q = np.percentile(np.array(columns), [16, 84, 2.5, 97.5], axis=1).T
    means = [float(column.mean()) for column in columns]
    rows = [
        [name, truth, value, mean, *map(float, ends)]
        for name, truth, value, mean, ends in zip(names, truths, values, means, q, strict=True)
    ]
    return {"k": len(result.mixture), "seconds": seconds, "method": draws.method, "rows": rows}


def size_of(covariance):
    """Geometric mean sigma."""
    return np.linalg.det(covariance) ** 0.25


def isolated_pairs(truth, fitted):
    """Pairs of a true isolated component and the only fitted one within it."""
    sizes, found = size_of(truth.covariances), []
    for j in range(len(truth)):
        others = np.arange(len(truth)) != j
        distance = np.hypot(*(truth.means[others] - truth.means[j]).T)
        if np.any(distance < APART * (sizes[others] + sizes[j])):
            continue
        if np.any(np.abs(truth.means[j]) > HALF - 2 * sizes[j]):
            continue
        near = np.flatnonzero(np.hypot(*(fitted.means - truth.means[j]).T) < 2 * sizes[j])
        if len(near) == 1:
            found.append((j, int(near[0])))
    return found


def print_table(kind, rows):
    """Print the coverage of every quantity, its bias and its width."""
    if not rows:
        return
    by_name = {}
    for sky in rows:
        for name, *numbers in sky["rows"]:
            by_name.setdefault(name, []).append(numbers)
    seconds = np.mean([sky["seconds"] for sky in rows], axis=0)
    print(
        f"{kind}: {len(rows)} skies, mean K {np.mean([sky['k'] for sky in rows]):.1f}, "
        f"fit {seconds[0]:.2f} s, draws {seconds[1]:.2f} s"
    )
    print(
        f"{'quantity':22}{'n':>6}{'68 %':>8}{'+-':>7}{'95 %':>8}{'+-':>7}{'pull':>8}{'rms':>7}"
        f"{'fit/truth':>11}{'mean/truth':>11}{'+-':>8}{'width':>8}"
    )
    for name, numbers in by_name.items():
        truth, value, mean, low, high, lowest, highest = np.array(numbers).T
        if np.all(low == high):
            # The amplitude was held.
            continue
        one, two = (low <= truth) & (truth <= high), (lowest <= truth) & (truth <= highest)
        half = np.maximum((high - low) / 2, 1e-300)
        pulls = np.clip((mean - truth) / half, -10, 10)
        position = name in ("isolated: x", "isolated: y")
        scale = np.ones_like(truth) if position else np.abs(truth)
        ratios = (
            [np.median(half / scale)]
            if position
            else [np.mean(value / scale), np.mean(mean / scale), np.median(half / scale)]
        )
        n = len(truth)
        text = "".join(f"{r:>11.4f}" for r in ratios[:-1]) if not position else " " * 22
        text += f"{np.std(mean / scale) / np.sqrt(n):>8.4f}" if not position else " " * 8
        errors = [np.sqrt(p * (1 - p) / n) for p in (0.68, 0.95)]
        print(
            f"{name:22}{n:>6}{one.mean():>8.3f}{errors[0]:>7.3f}{two.mean():>8.3f}{errors[1]:>7.3f}"
            f"{pulls.mean():>+8.2f}{np.sqrt(np.mean(pulls**2)):>7.2f}{text}{ratios[-1]:>8.3f}"
        )
    print()


def main():
    parser = argparse.ArgumentParser(description=Path(__file__).name)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--skies", type=int, help="of each kind; by default those of SKIES")
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--method", default="auto")
    parser.add_argument("--table", type=Path)
    parser.add_argument("--part", default="1/1")
    parser.add_argument("--print", action="store_true", dest="only_print")
    arguments = parser.parse_intermixed_args()
    kinds = arguments.kinds or list(KINDS)
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        parser.error(f"no sky is called {', '.join(unknown)}: there are {', '.join(KINDS)}")
    warnings.simplefilter("ignore", GmmxWarning)
    table = {}
    if arguments.table is not None and arguments.table.exists():
        for line in arguments.table.read_text().splitlines():
            row = json.loads(line)
            table[tuple(row["key"])] = row
    keys = keys_of(kinds, arguments.skies, arguments.method)
    part, parts = map(int, arguments.part.split("/"))
    for kind, seed, method in keys[part - 1 :: parts]:
        key = (kind, seed, method)
        if key in table or arguments.only_print:
            continue
        table[key] = {"key": key, **measured(KINDS[kind](seed), method, arguments.draws, seed)}
        if arguments.table is not None:
            with arguments.table.open("a") as file:
                file.write(json.dumps(table[key]) + "\n")
    if parts > 1:
        return
    print(f"{arguments.draws} draws, method {arguments.method}; {machine()}\n")
    for kind in kinds:
        print_table(kind, [table[key] for key in keys if key[0] == kind and key in table])


def keys_of(kinds, skies, method):
    """Kind, seed and method of every sky, in an order in which all kinds advance together."""
    places = []
    for kind in kinds:
        n = SKIES[kind] if skies is None else skies
        places += [((seed + 0.5) / n, kind, seed) for seed in range(n)]
    return [(kind, seed, method) for _, kind, seed in sorted(places)]


if __name__ == "__main__":
    main()
