"""How many components? Schwarz's criterion, the integrated completed likelihood and held-out photons as rules for K; and what `--k auto` finds.

Each sky is fitted once with every K on a path upwards, each model the start of the next, on all photons and on one half of them; then every rule chooses from
the same path:

    BIC       log L - 3 K log N (Schwarz 1978), largest
    ICL       BIC less the entropy of the responsibilities, background included (Biernacki, Celeux & Govaert 2000), largest
    held-out  log-likelihood per photon of the half that was not fitted, largest
    one-error the fewest components within one standard error of that (Breiman et al. 1984); both by photons taken at random, and by blocks of time where
              the photons have times

What the model with the chosen K is worth is told by the fit to all photons: the gap is what the truth's log-likelihood per fresh photon exceeds it by.

    bench_choice.py [--seeds N] [NAME ...]        the rules (5 seeds); names of the skies to run only them: separated, background, beta, galaxy
    bench_choice.py auto [--seeds N] [NAME ...]   what `--k auto` finds (20 seeds), and what is asked of it
"""

import argparse
import time
import warnings
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from astropy.io import fits
from bench_accuracy import DATA, GALAXY, Truth, observed
from cases import log_scores
from choice_skies import Sky, beta_model, flat, separated

import gmmx
from gmmx import errors
from gmmx.em.parameters import Parameters, Priors
from gmmx.em.photons import PhotonLikelihood
from gmmx.fitting.excess import Search
from gmmx.fitting.grow import enlarged

SMALL = 5.0
K_TRUE = (1, 3, 10)
RULES = ("BIC", "ICL", "held-out", "one-error", "held-out, time", "one-error, time")
NAMES = ("separated", "background", "beta", "galaxy")
# A path goes on this far beyond the first component that had to be forced upon it, and ends here anyway.
BEYOND = 3
MOST = 40
BLOCKS = 20


@dataclass(frozen=True, eq=False)
class Rung:
    """The fit with K components."""

    k: int
    result: object

    @property
    def parameters(self):
        amplitudes = np.array([b.amplitude for b in self.result.backgrounds])
        return Parameters(mixture=self.result.mixture, amplitudes=(amplitudes,))


def path(observation, *, step=lambda k: k + 1, exchanges=3, threads=1):
    """Fits with 0, 1, ... components, each begun at the one before, until nothing more is to be found, and some components beyond that."""
    rungs = [Rung(0, gmmx.fit(observation, start=gmmx.Mixture.empty(), threads=threads))]
    prepared = PhotonLikelihood.of([rungs[0].result.observations[0]])
    search = Search.over(prepared)
    forced = 0
    while forced < BEYOND and rungs[-1].k < MOST:
        last = rungs[-1]
        result = gmmx.fit(
            observation,
            start=last.result.mixture,
            n_components=step(last.k),
            exchanges=exchanges,
            threads=threads,
        )
        if len(result.mixture) <= last.k:
            # What growing would not add is added where the photons exceed the model most, however little that is: the rules are to say no, not the search.
            forced += 1
            larger, n_added = enlarged(search, last.parameters, 1, least=-50.0)
            if n_added == 0:
                break
            result = gmmx.fit(observation, start=larger.mixture, threads=threads)
            if len(result.mixture) <= last.k:
                break
        rungs.append(Rung(len(result.mixture), result))
    return rungs


def entropy(rung):
    """sum_i w_i H(responsibilities of photon i) over components and background [nat]."""
    parameters = rung.parameters
    if rung.k == 0:
        return 0.0
    prepared = PhotonLikelihood.of([rung.result.observations[0]])
    phase, p = prepared.begin_phase(parameters, Priors()), prepared[0]
    coefficients, means, precisions, _ = phase.psfs[0].views(parameters.mixture)
    total = 0.0
    for chunk in range(0, len(p.x), 4096):
        part = slice(chunk, chunk + 4096)
        dx, dy = (v[part, None] - m for v, m in ((p.x, means[:, 0]), (p.y, means[:, 1])))
        logs = coefficients - 0.5 * (
            precisions[:, 0] * dx * dx + 2 * precisions[:, 1] * dx * dy + precisions[:, 2] * dy * dy
        )
        signal = np.exp(logs).reshape(len(dx), rung.k, -1).sum(2)
        r = np.column_stack([signal, parameters.amplitudes[0] * p.ratios[:, part].T])
        r /= r.sum(1, keepdims=True)
        total -= float(
            p.weights[part] @ np.where(r > 0, r * np.log(np.maximum(r, 1e-300)), 0.0).sum(1)
        )
    return total


def halves(observation, rng):
    """The photons in two halves at random."""
    first = rng.random(len(observation.photons)) < 0.5
    return _split(observation, first)


def time_halves(observation, events):
    """The photons in two halves by alternating blocks of time."""
    with fits.open(events) as files:
        table = files["EVENTS"].data
        when, (x, y) = table["TIME"], observation.physical.to_plane(table["X"], table["Y"])
    known = dict(
        zip(
            zip(np.round(x, 6).tolist(), np.round(y, 6).tolist(), strict=True),
            when.tolist(),
            strict=True,
        )
    )
    mine = np.array(
        [
            known[place]
            for place in zip(
                np.round(observation.photons.x, 6).tolist(),
                np.round(observation.photons.y, 6).tolist(),
                strict=True,
            )
        ]
    )
    block = np.floor((mine - when.min()) / np.ptp(when) * BLOCKS).astype(int)
    return _split(observation, block % 2 == 0)


def _split(observation, first):
    return tuple(
        replace(
            observation,
            photons=observation.photons.select(part),
        )
        for part in (first, ~first)
    )


def held_out(rungs, other):
    """The indices of two rungs: of the highest mean score on other photons, and of the fewest components within one standard error of it."""
    scores = np.array([log_scores(other, rung.parameters) for rung in rungs])
    best = int(np.argmax(scores.mean(1)))
    # The error is that of the difference, photon by photon: the scores themselves scatter with where the photons fell.
    less = scores[best] - scores
    within = less.mean(1) <= less.std(1, ddof=1) / np.sqrt(scores.shape[1])
    return best, int(np.flatnonzero(within)[0])


def choose(sky, splits, **options):
    """{rule: (rung of the whole path, seconds)} by every rule on one sky; `splits` are ("", ", time") with their halves."""
    began = time.perf_counter()
    whole = path(sky.train, **options)
    seconds = time.perf_counter() - began
    price = 3 * np.log(sky.train.n_photons)
    bic = np.array([rung.result.log_likelihood - price * rung.k for rung in whole])
    icl = bic - np.array([entropy(rung) for rung in whole])
    chosen = {
        "BIC": (whole[int(bic.argmax())], seconds),
        "ICL": (whole[int(icl.argmax())], seconds),
    }
    for suffix, (one, other) in splits.items():
        began = time.perf_counter()
        rungs = path(one, **options)
        picks = held_out(rungs, other)
        spent = seconds + time.perf_counter() - began
        for rule, pick in zip(("held-out", "one-error"), picks, strict=True):
            # The path of all photons may have no such K: the next larger one, or its last.
            k = rungs[pick].k
            chosen[rule + suffix] = (
                min(whole, key=lambda rung: (rung.k < k, abs(rung.k - k))),
                spent,
            )
    return chosen


def gap(sky, rung):
    """What the truth's log-likelihood exceeds the model's by, on fresh photons [nat per 1000 photons]."""
    return 1000 * float((sky.truth_scores - log_scores(sky.fresh, rung.parameters)).mean())


def small(mixture):
    """Components of a geometric mean sigma below 5 arcsec."""
    return int((np.linalg.det(mixture.covariances) ** 0.25 < SMALL).sum()) if len(mixture) else 0


def row(name, rule, ks, right, facts, seconds):
    seconds = seconds if isinstance(seconds, str) else f"{seconds:.1f}"
    print(f"{name:14s} {rule:16s} {ks:16s} {right:>6s}   {facts:38s} {seconds:>7s}", flush=True)


def rules(names, seeds):
    """The table of the rules."""
    print(
        f"rules for K on one path for each sky; {seeds} seeds; seconds for each sky\ngap: of log-likelihood to the truth, on fresh photons [nat per 1000]\n"
    )
    row("sky", "rule", "K chosen", "right", "what it is worth", "seconds")
    groups = [("separated", partial(separated, k)) for k in K_TRUE] + [
        ("background", flat),
        ("beta", beta_model),
    ]
    for group, make in groups:
        if group not in names:
            continue
        found = {}
        for seed in range(seeds):
            sky = make(seed)
            for rule, (rung, seconds) in choose(
                sky, {"": halves(sky.train, np.random.default_rng(seed))}
            ).items():
                found.setdefault(rule, []).append(
                    (rung.k, gap(sky, rung), small(rung.result.mixture), seconds)
                )
        for rule in RULES:
            if rule in found:
                ks, gaps, smalls, seconds = (
                    np.array(column) for column in zip(*found[rule], strict=True)
                )
                right = (
                    f"{int((ks == sky.k_true).sum())}/{seeds}" if sky.k_true is not None else "-"
                )
                facts = f"gap {gaps.mean():.2f}" + (
                    "" if sky.k_true is not None else f', {smalls.sum()} components of sigma < 5"'
                )
                row(sky.name, rule, " ".join(map(str, ks)), right, facts, seconds.mean())
    if "galaxy" in names and DATA.is_dir():
        observation, truth = observed(GALAXY / "events.fits.gz", GALAXY / "expmap.fits.gz"), Truth()
        splits = {
            "": halves(observation, np.random.default_rng(0)),
            ", time": time_halves(observation, GALAXY / "events.fits.gz"),
        }
        sky = Sky("marx/galaxy", observation, k_true=15)
        for rule, (rung, seconds) in choose(
            sky, splits, step=lambda k: k + (1 if k < 4 or k >= 10 else 2), exchanges=2, threads=0
        ).items():
            two, eight = truth.differences(rung.result)
            row(
                sky.name,
                rule,
                str(rung.k),
                "-",
                f'difference {two:.4f} (2") {eight:.4f} (8")',
                seconds,
            )


def auto(names, seeds):
    """What `--k auto` finds, and what is asked of it: {name: whether it is met}."""
    print(f"--k auto, {seeds} seeds\n")
    met = {}
    for k in K_TRUE if "separated" in names else ():
        ks = np.array(
            [len(gmmx.fit(separated(k, seed).train, threads=1).mixture) for seed in range(seeds)]
        )
        least = int(np.ceil(0.9 * seeds - 1e-9)) if seeds >= 10 else seeds - 1
        _asked(
            met,
            f"{k} separated",
            f"K = {k} in {(ks == k).sum()} of {seeds}",
            f"at least {least}",
            (ks == k).sum() >= least,
            ks,
        )
    if "background" in names:
        ks = np.array([len(gmmx.fit(flat(seed).train, threads=1).mixture) for seed in range(seeds)])
        least = int(np.ceil(0.95 * seeds - 1e-9)) if seeds >= 20 else seeds - (seeds > 1)
        _asked(
            met,
            "background",
            f"K = 0 in {(ks == 0).sum()} of {seeds}",
            f"at least {least}",
            (ks == 0).sum() >= least,
            ks,
        )
    if "beta" in names:
        fitted = [gmmx.fit(beta_model(seed).train, threads=1).mixture for seed in range(seeds)]
        few = sum(map(small, fitted))
        _asked(
            met,
            "beta-model",
            f'{few} of sigma < 5" in {seeds} fits',
            "at most 1",
            few <= 1,
            [len(m) for m in fitted],
        )
    if "galaxy" in names and DATA.is_dir():
        result = gmmx.fit(observed(GALAXY / "events.fits.gz", GALAXY / "expmap.fits.gz"))
        k, (two, eight) = len(result.mixture), Truth().differences(result)
        _asked(
            met,
            "marx/galaxy",
            f'K = {k}, difference {two:.4f} (2") {eight:.4f} (8"), {result.seconds:.0f} s',
            "K in 13 to 28",
            13 <= k <= 28,
            [k],
        )
    return met


def _asked(met, name, found, asked, holds, ks):
    met[name] = bool(holds)
    print(
        f"{name:14s} {found}; asked: {asked}: {'met' if holds else 'NOT MET'}   (K {' '.join(map(str, ks))})",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=Path(__file__).name)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"auto, or skies: {', '.join(NAMES)}"
    )
    parser.add_argument("--seeds", type=int)
    arguments = parser.parse_intermixed_args()
    names = [name for name in arguments.names if name != "auto"] or list(NAMES)
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        parser.error(f"no sky is called {', '.join(unknown)}: there are {', '.join(NAMES)}")
    warnings.simplefilter("ignore", errors.GmmxWarning)
    began = time.perf_counter()
    if "auto" in arguments.names:
        auto(names, arguments.seeds or 20)
    else:
        rules(names, arguments.seeds or 5)
    print(f"\n{time.perf_counter() - began:.0f} s in all")


if __name__ == "__main__":
    main()
