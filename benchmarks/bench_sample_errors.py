"""How often the intervals of mixtures of samples hold the truth, by kind of catalogue and method.

    bench_sample_errors.py [--skies N] [--method NAME ...] [--draws N] [--table FILE] [KIND ...]

A catalogue of each kind of KINDS is drawn again and again, and fitted with the true number of
components from the truth, so that its components are those of the truth. A table in JSON lines, one
for each catalogue, lets an interrupted run go on; --print prints it as it is. The numbers behind 68
and 95 % are binomial errors of a share of all catalogues. pull and rms are the mean and the root
mean square of (value of the fit - truth) / half of the interval.
"""

import argparse
import json
import time
import warnings
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from common import machine

import gmmx
from gmmx.errors import GmmxWarning

# Parameter sets that are drawn, and refits.
DRAWS, REFITS = 200, 120
# Number of catalogues of each kind.
SKIES = 200
METHODS = ("laplace", "bootstrap")
# Refits take minutes of a hundred catalogues, so that they are counted on fewer.
FEWER = 20
# Samples of which a fit finds what it would find of endless ones.
LARGE = 300_000


@dataclass(frozen=True)
class Kind:
    """One kind of catalogue.

    Parameters
    ----------
    d : int
        Number of columns.
    n : int
        Mean number of recorded samples.
    noise : str
        "none", "own": a variance for each value, or "full": a covariance for each row.
    missing : float
        Fraction of the values that are missing.
    completeness : str or None
        An expression over x0, x1, ...
    background : float
        Fraction of the samples that are uniform.
    form : str
        Of the covariances.
    shape : str
        "gaussian", or "heavy": components of Student's t with 5 degrees of freedom.
    weights : str
        "none", or "uneven": rows of random weights, and rows that are kept as often as these say.
    """

    d: int
    n: int
    noise: str = "none"
    missing: float = 0.0
    completeness: str | None = None
    background: float = 0.0
    form: str = "full"
    shape: str = "gaussian"
    weights: str = "none"


KINDS = {
    "1-d, 300": Kind(1, 300),
    "1-d, 3000": Kind(1, 3000),
    "2-d, 300": Kind(2, 300),
    "2-d, 3000": Kind(2, 3000),
    "5-d, 300": Kind(5, 300),
    "5-d, 3000": Kind(5, 3000),
    "1-d, noise, 300": Kind(1, 300, noise="own"),
    "2-d, noise, 300": Kind(2, 300, noise="full"),
    "2-d, noise, 3000": Kind(2, 3000, noise="full"),
    "5-d, noise, 3000": Kind(5, 3000, noise="own"),
    "2-d, missing, 300": Kind(2, 300, missing=0.2),
    "5-d, noise, missing, 3000": Kind(5, 3000, noise="own", missing=0.2),
    "1-d, completeness, 300": Kind(1, 300, completeness="x0 < 5.5"),
    "2-d, completeness, 300": Kind(2, 300, completeness="1 / (1 + exp(2 * (x0 - 4)))"),
    "2-d, completeness, 3000": Kind(2, 3000, noise="own", completeness="hypot(x0, x1 - 1) > 1"),
    "2-d, background, 300": Kind(2, 300, background=0.2),
    "2-d, background, 3000": Kind(2, 3000, background=0.2),
    "2-d, diagonal, 300": Kind(2, 300, form="diagonal"),
    "2-d, tied, 300": Kind(2, 300, form="tied"),
    "2-d, spherical, 300": Kind(2, 300, form="spherical"),
    "2-d, 60": Kind(2, 60),
    "2-d, heavy tails, 300": Kind(2, 300, shape="heavy"),
    "2-d, uneven weights, 300": Kind(2, 300, weights="uneven"),
    "2-d, heavy tails, 3000": Kind(2, 3000, shape="heavy"),
    "2-d, uneven weights, 3000": Kind(2, 3000, weights="uneven"),
}
# Kinds whose catalogues are refitted, too.
REFITTED = (
    *("2-d, 300", "1-d, completeness, 300", "2-d, 60"),
    *("2-d, heavy tails, 300", "2-d, uneven weights, 300"),
)
BOX = 9.0


def truth_of(kind):
    """The mixture of a kind: two components that overlap a little, and one more in 5-d."""
    d, k = kind.d, 2
    means, covariances = np.zeros((k, d)), np.tile(np.eye(d), (k, 1, 1))
    means[1] = 3.5 / np.sqrt(d) * (1 + 0.5 * np.cos(np.arange(d)))
    if kind.form == "full":
        both = np.subtract.outer(np.arange(d), np.arange(d))
        covariances[0] = 0.5 ** np.abs(both)
        scales = 0.6 + 0.8 * np.arange(d) / max(d - 1, 1)
        covariances[1] = (-0.3) ** np.abs(both) * np.outer(scales, scales)
    elif kind.form == "diagonal":
        covariances[1] = np.diag(np.linspace(0.3, 1.5, d))
    elif kind.form == "tied":
        covariances[:] = 0.4 ** np.abs(np.subtract.outer(np.arange(d), np.arange(d)))
    else:
        covariances[1] *= 0.5
    return gmmx.Mixture(fluxes=[0.6, 0.4], means=means, covariances=covariances)


def completeness_of(kind):
    """The completeness of a kind, or None."""
    if kind.completeness is None:
        return None
    from gmmx.model.sample_completeness import SampleCompleteness

    return SampleCompleteness.of(kind.completeness, tuple(f"x{i}" for i in range(kind.d)))


def drawn_catalogue(kind, truth, rng):
    """Samples, and the keywords of their fit; all of them are Poisson numbers."""
    omega, d, total = completeness_of(kind), kind.d, kind.n / observed_part(kind)
    x = truth.sample(rng.poisson(total * (1 - kind.background)), rng)
    if kind.shape == "heavy":
        # Each sample keeps its distance's direction, and the covariance stays that of the truth.
        nearest = responsible(truth, x)
        stretch = np.sqrt(3 / rng.chisquare(5, len(x)))[:, None]
        x = truth.means[nearest] + (x - truth.means[nearest]) * stretch
    if kind.background:
        x = np.vstack([x, rng.uniform(-BOX, BOX, (rng.poisson(total * kind.background), d))])
    covariances, weights, n = None, None, len(x)
    if kind.noise == "own":
        covariances = rng.uniform(0.05, 0.8, (n, d)) ** 2
        x = x + np.sqrt(covariances) * rng.normal(size=x.shape)
    elif kind.noise == "full":
        roots = np.tril(rng.uniform(-0.3, 0.5, (n, d, d))) + 0.05 * np.eye(d)
        covariances = roots @ np.swapaxes(roots, 1, 2)
        x = x + np.einsum("nij,nj->ni", roots, rng.normal(size=x.shape))
    keep = np.ones(n, bool)
    if omega is not None:
        keep = rng.random(n) < omega(x)
    if kind.weights == "uneven":
        part = np.where(rng.random(n) < 0.5, 0.2, 0.9)
        keep, weights = rng.random(n) < part, 1 / part
        weights = weights[keep]
    x, covariances = x[keep], covariances[keep] if covariances is not None else None
    if kind.missing:
        gaps = rng.random(x.shape) < kind.missing
        gaps[gaps.all(1)] = False
        x = np.where(gaps, np.nan, x)
    given = {"completeness": kind.completeness, "covariance_form": kind.form}
    if kind.background:
        given["background"] = (np.full(d, -BOX), np.full(d, BOX))
    return gmmx.Samples(x=x, covariances=covariances, weights=weights), given


@lru_cache
def sought(kind):
    """What a fit to endless samples finds: the truth, where it is a mixture of Gaussians."""
    truth = truth_of(kind)
    if kind.shape == "gaussian":
        return truth
    samples, given = drawn_catalogue(replace(kind, n=LARGE), truth, np.random.default_rng(5))
    fitted = gmmx.fit_samples(samples, start=truth, n_components=2, **given).mixture
    order = np.argsort(fitted.means[:, 0])
    return replace(fitted.select(order), fluxes=fitted.fluxes[order] / fitted.fluxes.sum())


def responsible(truth, x):
    """The component that made each sample, as it were."""
    offsets = x[:, None] - truth.means
    q = np.einsum("nki,kij,nkj->nk", offsets, np.linalg.inv(truth.covariances), offsets)
    return np.argmax(np.log(truth.fluxes) - q / 2, axis=1)


@lru_cache
def observed_part(kind):
    """The fraction that a completeness lets through, with the noise in the values."""
    rng, omega = np.random.default_rng(0), completeness_of(kind)
    if omega is None:
        return 1.0
    x = truth_of(kind).sample(400_000, rng)
    if kind.noise == "own":
        x = x + rng.uniform(0.05, 0.8, x.shape) * rng.normal(size=x.shape)
    return float(omega(x).mean())


def numbers_of(fluxes, means, covariances, amplitudes, kind, places):
    """Names (M,), and values (n, M) of n mixtures, of all numbers whose intervals are counted."""
    n, d, names, values = len(means), means.shape[2], [], []

    def add(name, some):
        some = np.reshape(some, (n, -1))
        names.extend([name] * some.shape[1])
        values.append(some)

    sigmas = np.sqrt(np.diagonal(covariances, axis1=2, axis2=3))
    fractions = fluxes / fluxes.sum(1, keepdims=True)
    rows, columns = np.tril_indices(d, -1)
    add("samples of a component", fluxes)
    add("fraction", fractions[:, :1])
    add("mean", means)
    add("standard deviation", sigmas)
    if d > 1 and kind.form in ("full", "tied"):
        scaled = covariances / (sigmas[..., :, None] * sigmas[..., None, :])
        add("correlation", scaled[..., rows, columns])
    mean = np.einsum("nk,nki->ni", fractions, means)
    offsets = means - mean[:, None]
    outer = covariances + offsets[..., :, None] * offsets[..., None, :]
    rows, columns = np.tril_indices(d)
    add("expectation: mean", mean)
    add("expectation: covariance", np.einsum("nk,nkij->nij", fractions, outer)[:, rows, columns])
    if d > 1:
        # The first column is 1: Bishop (2006), equation 2.81.
        logs = -((1 - means[..., 0]) ** 2) / 2 / covariances[..., 0, 0]
        parts = fractions * np.exp(logs) / sigmas[..., 0]
        slopes = covariances[..., 1:, 0] / covariances[..., :1, 0]
        own = means[..., 1:] + slopes * (1 - means[..., :1])
        add("conditional mean", np.einsum("nk,nki->ni", parts / parts.sum(1)[:, None], own))
    inverses, logs = np.linalg.inv(covariances), np.linalg.slogdet(covariances)[1]
    offsets = places[:, None, None] - means
    q = np.einsum("pnki,nkij,pnkj->pnk", offsets, inverses, offsets)
    terms = np.log(fractions) - 0.5 * (q + logs + d * np.log(2 * np.pi))
    add("log density", np.logaddexp.reduce(terms, axis=2).T)
    if kind.background:
        add("background", amplitudes)
    return names, np.concatenate(values, axis=1)


def of_one(mixture, amplitude, kind, places):
    """Names and values of one mixture."""
    arrays = (mixture.fluxes[None], mixture.means[None], mixture.covariances[None])
    names, (values,) = numbers_of(*arrays, np.array([[amplitude]]), kind, places)
    return names, values.tolist()


def measured(kind, seed, method, n_draws):
    """Names, truths, values and ends of the intervals of one catalogue."""
    # The number of the kind is not 0, which a seed would not know from no number.
    rng = np.random.default_rng([7, 1 + list(KINDS.values()).index(kind), seed])
    truth = truth_of(kind)
    samples, given = drawn_catalogue(kind, truth, rng)
    total = kind.n / observed_part(kind) * (1 - kind.background)
    truth = replace(sought(kind), fluxes=sought(kind).fluxes * total)
    result = gmmx.fit_samples(samples, start=truth, n_components=2, threads=1, **given)
    order = [0, 1] if result.mixture.means[0, 0] < result.mixture.means[1, 0] else [1, 0]
    places = truth.sample(5, np.random.default_rng(3))
    names, truths = of_one(truth, kind.n * kind.background, kind, places)
    amplitude = sum(b.amplitude for b in result.backgrounds)
    _, values = of_one(result.mixture.select(order), amplitude, kind, places)
    began = time.process_time()
    draws = result.errors(n_draws, method=method, seed=seed, threads=1).draws
    seconds = time.process_time() - began
    drawn = draws.fluxes[:, order], draws.means[:, order], draws.covariances[:, order]
    _, drawn = numbers_of(*drawn, draws.amplitudes, kind, places)
    ends = np.percentile(drawn, [15.865, 84.135, 2.5, 97.5], axis=0)
    return {
        "seconds": seconds,
        "names": names,
        "truths": truths,
        "values": values,
        "ends": ends.tolist(),
    }


def shares(rows):
    """Parts of the intervals of 68 and 95 % that hold the truth, and pulls, for each number."""
    found, every = {}, np.array(rows[0]["names"])
    for name in dict.fromkeys(rows[0]["names"]):
        chosen = np.flatnonzero(every == name)
        truths, values = (
            np.array([r[key] for r in rows])[:, chosen] for key in ("truths", "values")
        )
        ends = np.array([row["ends"] for row in rows])[:, :, chosen]
        inside = [(ends[:, low] <= truths) & (truths <= ends[:, low + 1]) for low in (0, 2)]
        pulls = (values - truths) / ((ends[:, 1] - ends[:, 0]) / 2)
        held = [100 * one.mean() for one in inside]
        found[name] = (*held, pulls.mean(), np.sqrt((pulls**2).mean()))
    return found


def printed(table):
    """Print the coverage of all kinds in a table: first the means over all numbers, then each."""
    groups = {}
    for name in KINDS:
        for method in METHODS:
            rows = [row["found"] for row in table if row["case"][:2] == [name, method]]
            if rows:
                groups[name, method] = len(rows), rows, shares(rows)
    head = f"{'68 %':>8}{'95 %':>8}{'pull':>8}{'rms':>7}"
    print(f"\nMeans over all numbers{'catalogues':>30}{head}")
    for (name, method), (n, _, found) in groups.items():
        cells = "{:8.1f}{:8.1f}{:8.2f}{:7.2f}".format(*np.mean(list(found.values()), axis=0))
        print(f"  {name:<30}{method:<10}{n:>10}{cells}")
    for (name, method), (n, rows, found) in groups.items():
        seconds = np.mean([row["seconds"] for row in rows])
        errors = [100 * np.sqrt(p * (1 - p) / n) for p in (0.6827, 0.95)]
        print(f"\n{name}, {method}: {n} catalogues, {seconds:.2f} s of CPU time each")
        print(f"  {'':<26}{head}")
        print(f"  {'(binomial error)':<26}{errors[0]:8.1f}{errors[1]:8.1f}")
        for number, values in found.items():
            print(f"  {number:<26}" + "{:8.1f}{:8.1f}{:8.2f}{:7.2f}".format(*values))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*")
    parser.add_argument("--method", action="append", choices=METHODS)
    parser.add_argument("--skies", type=int, default=SKIES)
    parser.add_argument("--fewer", type=int, default=FEWER, help="Catalogues with refits.")
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--table", type=Path, default=Path("sample_errors.jsonl"))
    parser.add_argument("--print", action="store_true", dest="only_print")
    given = parser.parse_args()
    table = []
    if given.table.exists():
        table = [json.loads(line) for line in given.table.read_text().splitlines()]
    done = {tuple(row["case"]) for row in table}
    cases = [
        (name, method, seed)
        for method in given.method or METHODS
        for seed in range(given.skies if method == "laplace" else given.fewer)
        for name in given.kinds or (KINDS if method == "laplace" else REFITTED)
    ]
    if given.only_print:
        cases = []
    warnings.simplefilter("ignore", GmmxWarning)
    with given.table.open("a") as file:
        for name, method, seed in cases:
            if (name, method, seed) in done:
                continue
            n_draws = given.draws if method == "laplace" else REFITS
            found = measured(KINDS[name], seed, method, n_draws)
            table.append({"case": [name, method, seed], "found": found})
            file.write(json.dumps(table[-1]) + "\n")
            file.flush()
    print(machine())
    printed(table)


if __name__ == "__main__":
    main()
