"""Which rule finds the number of components, and which number `--k auto` finds.

Each sky is fitted with every K on an upward path, where each fit starts from the one before, to
all photons and to one half of them. Every rule chooses from the same path:

- BIC: largest log L - 3 K log N (Schwarz 1978);
- ICL: largest BIC less the entropy of the responsibilities, those of the background included
  (Biernacki, Celeux & Govaert 2000);
- held-out: largest log-likelihood per photon of the half that was not fitted;
- one-error: fewest components within one standard error of that (Breiman et al. 1984).

The halves are random and, where the photons have times, also alternating blocks of time. The gap
of the chosen model is the log-likelihood per fresh photon of the truth less that of the fit of K
components to all photons.

    bench_choice.py [--seeds N] [NAME ...]        the rules (5 seeds)
    bench_choice.py auto [--seeds N] [NAME ...]   what `--k auto` finds (20 seeds)

The names are those of the skies to run: separated, background, beta, galaxy.
"""

import argparse
import time
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from astropy.io import fits
from choice_path import path
from choice_skies import Sky, beta_model, flat, separated
from common import MARX
from galaxy import GALAXY, Truth, observed
from scores import divided, fitted_parameters, halves, log_scores

import gmmx
from gmmx.em.parameters import Priors
from gmmx.em.photons import PhotonLikelihood
from gmmx.errors import GmmxWarning
from gmmx.fitting.criterion import price

# Components with a smaller geometric mean sigma are small [arcsec].
SMALL = 5.0
K_TRUE = (1, 3, 10)
RULES = ("BIC", "ICL", "held-out", "one-error", "held-out, time", "one-error, time")
NAMES = ("separated", "background", "beta", "galaxy")
# Blocks of time that the halves alternate in.
TIME_BLOCKS = 20
# Photons whose responsibilities are calculated together.
CHUNK = 4096


def entropy(result):
    """sum_i w_i H(responsibilities of photon i) over components and background [nat]."""
    parameters, k = fitted_parameters(result), len(result.mixture)
    if k == 0:
        return 0.0
    prepared = PhotonLikelihood.of([result.observations[0]])
    phase, p = prepared.begin_phase(parameters, Priors()), prepared[0]
    coefficients, means, precisions, _ = phase.psfs[0].views(parameters.mixture)
    total = 0.0
    for first in range(0, len(p.x), CHUNK):
        part = slice(first, first + CHUNK)
        dx, dy = p.x[part, None] - means[:, 0], p.y[part, None] - means[:, 1]
        logs = coefficients - 0.5 * (
            precisions[:, 0] * dx * dx + 2 * precisions[:, 1] * dx * dy + precisions[:, 2] * dy * dy
        )
        signal = np.exp(logs).reshape(len(dx), k, -1).sum(2)
        r = np.column_stack([signal, parameters.amplitudes[0] * p.ratios[:, part].T])
        r /= r.sum(1, keepdims=True)
        terms = np.where(r > 0, r * np.log(np.maximum(r, 1e-300)), 0.0)
        total -= float(p.weights[part] @ terms.sum(1))
    return total


def time_halves(observation, events):
    """Divide the photons of an observation into alternating blocks of time."""

    def rounded(x, y):
        return zip(np.round(x, 6).tolist(), np.round(y, 6).tolist(), strict=True)

    with fits.open(events) as files:
        table = files["EVENTS"].data
        when, (x, y) = table["TIME"], observation.physical.to_plane(table["X"], table["Y"])
    known = dict(zip(rounded(x, y), when.tolist(), strict=True))
    photons = observation.photons
    times = np.array([known[place] for place in rounded(photons.x, photons.y)])
    block = np.floor((times - when.min()) / np.ptp(when) * TIME_BLOCKS).astype(int)
    return divided(observation, block % 2 == 0)


def held_out_choices(fits_of_path, other):
    """Indices of the best held-out score, and of the fewest components within its error."""
    scores = np.array([log_scores(other, fitted_parameters(result)) for result in fits_of_path])
    best = int(np.argmax(scores.mean(1)))
    # The error is that of the difference, photon by photon, because the scores themselves depend
    # on the positions of the photons more than on the model.
    less = scores[best] - scores
    within = less.mean(1) <= less.std(1, ddof=1) / np.sqrt(scores.shape[1])
    return best, int(np.flatnonzero(within)[0])


def choose(sky, splits, **options):
    """Choose K for one sky by every rule.

    Parameters
    ----------
    sky : Sky
    splits : dict of str to (Observation, Observation)
        Halves of the photons, by the suffix of their rules: "" and ", time".
    **options
        Of `path`.

    Returns
    -------
    dict of str to (FitResult, float)
        For each rule a fit on the path of all photons, and the seconds that the rule took.
    """
    began = time.perf_counter()
    whole = path(sky.train, **options)
    seconds = time.perf_counter() - began
    ks = np.array([len(result.mixture) for result in whole])
    bic = np.array([result.log_likelihood for result in whole]) - price(sky.train.n_photons) * ks
    icl = bic - np.array([entropy(result) for result in whole])
    chosen = {
        "BIC": (whole[int(bic.argmax())], seconds),
        "ICL": (whole[int(icl.argmax())], seconds),
    }
    for suffix, (one, other) in splits.items():
        began = time.perf_counter()
        results = path(one, **options)
        picks = held_out_choices(results, other)
        spent = seconds + time.perf_counter() - began
        for rule, pick in zip(("held-out", "one-error"), picks, strict=True):
            # Where the path of all photons has no such K, the next larger one is taken, or else
            # the last.
            k = len(results[pick].mixture)
            chosen[rule + suffix] = whole[np.lexsort((abs(ks - k), ks < k))[0]], spent
    return chosen


def gap(sky, result):
    """Log-likelihood of the truth over that of a fit, on fresh photons [nat per 1000 photons]."""
    scores = log_scores(sky.fresh, fitted_parameters(result))
    return 1000 * float((sky.truth_scores - scores).mean())


def n_small(mixture):
    """Number of components with a geometric mean sigma below 5 arcsec."""
    return int((np.linalg.det(mixture.covariances) ** 0.25 < SMALL).sum()) if len(mixture) else 0


def print_row(name, rule, ks, right, facts, seconds):
    """Print a row of the table of the rules."""
    seconds = seconds if isinstance(seconds, str) else f"{seconds:.1f}"
    print(f"{name:14s} {rule:16s} {ks:16s} {right:>6s}   {facts:38s} {seconds:>7s}", flush=True)


def rules(names, seeds):
    """Print the table of the rules."""
    print(
        f"rules for K on one path for each sky; {seeds} seeds; seconds for each sky\n"
        "gap: of log-likelihood to the truth, on fresh photons [nat per 1000]\n"
    )
    print_row("sky", "rule", "K chosen", "right", "result", "seconds")
    groups = [("separated", partial(separated, k)) for k in K_TRUE]
    groups += [("background", flat), ("beta", beta_model)]
    for group, make in groups:
        if group in names:
            rules_of_drawn(make, seeds)
    if "galaxy" in names and MARX.is_dir():
        rules_of_galaxy()


def rules_of_drawn(make, seeds):
    """Print the rows of a sky that is drawn with several seeds."""
    found = {}
    for seed in range(seeds):
        sky = make(seed)
        splits = {"": halves(sky.train, np.random.default_rng(seed))}
        for rule, (result, seconds) in choose(sky, splits).items():
            mixture = result.mixture
            numbers = (len(mixture), gap(sky, result), n_small(mixture), seconds)
            found.setdefault(rule, []).append(numbers)
    for rule, numbers in found.items():
        ks, gaps, smalls, seconds = (np.array(column) for column in zip(*numbers, strict=True))
        facts, right = f"gap {gaps.mean():.2f}", f"{int((ks == sky.k_true).sum())}/{seeds}"
        if sky.k_true is None:
            facts, right = f'{facts}, {smalls.sum()} components of sigma < 5"', "-"
        print_row(sky.name, rule, " ".join(map(str, ks)), right, facts, seconds.mean())


def rules_of_galaxy():
    """Print the rows of the simulated galaxy."""
    observation, truth = observed(), Truth()
    splits = {
        "": halves(observation, np.random.default_rng(0)),
        ", time": time_halves(observation, GALAXY / "events.fits.gz"),
    }

    def step(k):
        return k + (1 if k < 4 or k >= 10 else 2)

    sky = Sky("marx/galaxy", observation, k_true=15)
    chosen = choose(sky, splits, step=step, exchanges=2, threads=0)
    for rule in RULES:
        result, seconds = chosen[rule]
        two, eight = truth.differences(result)
        facts = f'difference {two:.4f} (2") {eight:.4f} (8")'
        print_row(sky.name, rule, str(len(result.mixture)), "-", facts, seconds)


@dataclass(frozen=True)
class Requirement:
    """A number that `--k auto` has to reach.

    Attributes
    ----------
    found, required : str
    is_met : bool
    """

    found: str
    required: str
    is_met: bool

    @classmethod
    def often(cls, ks, k, fraction, enough):
        """K has one value in a fraction of the fits; of fewer than `enough`, in all but one."""
        n, right = len(ks), sum(one == k for one in ks)
        least = int(np.ceil(fraction * n - 1e-9)) if n >= enough else n - (n > 1)
        return cls(f"K = {k} in {right} of {n}", f"at least {least}", right >= least)


def auto(names, seeds):
    """Print the numbers of components that `--k auto` finds, and whether they are right."""
    print(f"--k auto, {seeds} seeds\n")

    def fitted(make):
        return [gmmx.fit(make(seed).train, threads=1).mixture for seed in range(seeds)]

    for k in K_TRUE if "separated" in names else ():
        ks = [len(mixture) for mixture in fitted(partial(separated, k))]
        print_requirement(f"{k} separated", Requirement.often(ks, k, 0.9, 10), ks)
    if "background" in names:
        ks = [len(mixture) for mixture in fitted(flat)]
        print_requirement("background", Requirement.often(ks, 0, 0.95, 20), ks)
    if "beta" in names:
        mixtures = fitted(beta_model)
        few = sum(map(n_small, mixtures))
        found = f'{few} of sigma < 5" in {seeds} fits'
        ks = [len(mixture) for mixture in mixtures]
        print_requirement("beta-model", Requirement(found, "at most 1", few <= 1), ks)
    if "galaxy" in names and MARX.is_dir():
        result = gmmx.fit(observed())
        k, (two, eight) = len(result.mixture), Truth().differences(result)
        found = f'K = {k}, difference {two:.4f} (2") {eight:.4f} (8"), {result.seconds:.0f} s'
        required = Requirement(found, "K in 13 to 28", 13 <= k <= 28)
        print_requirement("marx/galaxy", required, [k])


def print_requirement(name, requirement, ks):
    """Print a row of what `--k auto` finds."""
    print(
        f"{name:14s} {requirement.found}; required: {requirement.required}:"
        f" {'met' if requirement.is_met else 'NOT MET'}   (K {' '.join(map(str, ks))})",
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
    warnings.simplefilter("ignore", GmmxWarning)
    began = time.perf_counter()
    if "auto" in arguments.names:
        auto(names, arguments.seeds or 20)
    else:
        rules(names, arguments.seeds or 5)
    print(f"\n{time.perf_counter() - began:.0f} s in total")


if __name__ == "__main__":
    main()
