"""How good the mixtures are that `--k auto` finds, with its own price and with others.

Every sky is fitted with the price of gmmx, with Schwarz's criterion (3 log N for N photons) and
with fixed prices. The differences are half the integrated absolute differences of the images of
model and truth, after both are smoothed by 2 or 8 arcsec.

    bench_choice.py [--seeds N] [--table FILE] [NAME ...]

The names are those of the skies to run. A table of numbers in JSON lines, one for each fit, lets
an interrupted run go on: fits that it has are not repeated.
"""

import argparse
import json
import time
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from cases import small_galaxy
from choice_skies import Sky, beta_model, filling_beta_model, flat, separated
from common import MARX, machine
from galaxy import GALAXY, Truth, differences, observed
from irregular_skies import CHOSEN_ON, KINDS, irregular_sky
from scores import fitted_parameters, log_scores

import gmmx
from gmmx.errors import GmmxWarning
from gmmx.model.background import Background
from gmmx.model.drawing import pixel_means

# Components with a smaller geometric mean sigma are small [arcsec].
SMALL = 5.0
PRICES = (20.0, 15.0, 12.0, 8.0)
GMMX, SCHWARZ = "gmmx", "3 log N"
RULES = (GMMX, SCHWARZ, *(f"{price:g}" for price in PRICES))
# Skies whose number of components is known or has a bound, with the seeds of the requirement.
COUNTED = {
    "background": flat,
    "smooth": beta_model,
    **{f"separated-{k}": partial(separated, k) for k in (1, 3, 10)},
}
NAMES = (*KINDS, "mixtures", "galaxy", "small", *COUNTED, "held", "free")


class Table:
    """Numbers of fits by sky, seed and rule, which are kept in a file as they come."""

    def __init__(self, path):
        self.path, self.rows = path, {}
        if path is not None and path.exists():
            for line in path.read_text().splitlines():
                row = json.loads(line)
                self.rows[tuple(row["key"])] = row

    def numbers(self, name, seed, rule, measure):
        """The numbers of one fit; `measure` is called where the table lacks them."""
        key = (name, seed, rule)
        if key not in self.rows:
            self.rows[key] = {"key": key, **measure()}
            if self.path is not None:
                with self.path.open("a") as file:
                    file.write(json.dumps(self.rows[key]) + "\n")
        return self.rows[key]

    def column(self, name, rule, quantity):
        """One number of all seeds of a sky."""
        rows = (r for key, r in self.rows.items() if (key[0], key[2]) == (name, rule))
        return np.array([row[quantity] for row in rows], float)


def fitted(observation, rule):
    """The fit of an observation by a rule."""
    price = None
    if rule == SCHWARZ:
        price = 3 * float(np.log(observation.n_photons))
    elif rule != GMMX:
        price = float(rule)
    return gmmx.fit(observation, price=price, threads=1)


def measured(observation, rule, more):
    """Numbers of one fit, with those that `more` takes from the result."""
    began = time.process_time()
    result = fitted(observation, rule)
    seconds = time.process_time() - began
    mixture = result.mixture
    small = (np.linalg.det(mixture.covariances) ** 0.25 < SMALL).sum() if len(mixture) else 0
    return {"k": len(mixture), "small": int(small), "seconds": seconds} | more(result)


def of_irregular(name, seed):
    """An irregular sky, and the numbers that a fit of it has."""
    sky = irregular_sky(name, seed)

    def more(result):
        two, eight, flux = sky.compared(result)
        scores = log_scores(sky.fresh, fitted_parameters(result))
        return {"two": two, "eight": eight, "flux": flux, "score": float(scores.mean())}

    return sky.train, more


def of_mixture(_name, seed):
    """A drawn galaxy of twelve components, and the numbers that a fit of it has."""
    case = small_galaxy(seed)
    truth, grid = case.truth.mixture, case.train.completeness.grid

    def image(mixture):
        return pixel_means(mixture.fluxes, mixture.means, mixture.covariances, grid)

    def more(result):
        two, eight = differences(image(result.mixture), image(truth), grid.step)
        scores = log_scores(case.held_out, fitted_parameters(result))
        return {"two": two, "eight": eight, "score": float(scores.mean())}

    return case.train, more


def of_simulation(name, _seed):
    """An observation that was simulated with MARX, and the numbers that a fit of it has."""
    folder = GALAXY if name == "galaxy" else MARX / "small"
    truth = Truth(folder)
    observation = observed(
        folder / "events.fits.gz",
        exposure=folder / "expmap.fits.gz",
        psf=folder / "psfmap.fits.gz",
        mask=folder / "sources.reg",
    )

    def more(result):
        two, eight = truth.differences(result)
        return {"two": two, "eight": eight}

    return observation, more


def of_counted(name, seed):
    """A sky whose number of components is known or has a bound."""
    sky: Sky = COUNTED[name](seed)
    return sky.train, lambda _result: {}


def of_filling(name, seed):
    """A beta-model that fills the field, with its background held or free."""
    observation, amplitude, true_flux = filling_beta_model(seed)
    if name == "held":
        held = Background(amplitude=amplitude, fixed=True)
        observation = replace(observation, backgrounds=(held,))
    completeness = observation.completeness

    def more(result):
        m, grid = result.mixture, completeness.grid
        flux = pixel_means(m.fluxes, m.means, m.covariances, grid).sum() * grid.cell_area
        flux *= completeness.exposure.max() / result.reference_exposure
        background = result.backgrounds[0].amplitude / amplitude
        return {"flux": flux / true_flux, "background": background}

    return observation, more


def maker_of(name):
    """The function that makes a sky and says what is measured on it."""
    if name in KINDS:
        return of_irregular
    if name in COUNTED:
        return of_counted
    if name in ("held", "free"):
        return of_filling
    return of_mixture if name == "mixtures" else of_simulation


def run(table, names, seeds):
    """Fit all skies by all rules that the table lacks."""
    for name in names:
        if name in ("galaxy", "small") and not MARX.is_dir():
            continue
        count = 1 if name in ("galaxy", "small") else seeds * (2 if name in COUNTED else 1)
        for seed in range(count):
            missing = [rule for rule in RULES if (name, seed, rule) not in table.rows]
            if missing:
                observation, more = maker_of(name)(name, seed)
            for rule in missing:
                table.numbers(name, seed, rule, partial(measured, observation, rule, more))


def print_table(table, names):
    """Print one row for each sky and rule, and what has to be reached."""
    print(f"{'sky':14s} {'rule':8s} {'K':>5s} {'small':>6s}  {'result':44s} {'seconds':>7s}")
    for name in names:
        for rule in RULES:
            ks = table.column(name, rule, "k")
            if not len(ks):
                continue
            small, seconds = (table.column(name, rule, q).mean() for q in ("small", "seconds"))
            row = f"{name:14s} {rule:8s} {ks.mean():5.1f} {small:6.2f}"
            print(f"{row}  {result_of(table, name, rule):44s} {seconds:7.2f}")
    print()
    print_ratios(table, [name for name in names if name in KINDS], "fixed")
    print_ratios(table, [name for name in names if name in ("mixtures", "galaxy", "small")], None)


def result_of(table, name, rule):
    """The middle of a row."""
    if name in COUNTED:
        ks = table.column(name, rule, "k")
        if name == "smooth":
            few = (table.column(name, rule, "small") == 0).sum()
            return f"no component under 5 arcsec in {few} of {len(ks)}"
        true = 0 if name == "background" else int(name.split("-")[1])
        return f"K = {true} in {(ks == true).sum()} of {len(ks)}"
    if name in ("held", "free"):
        flux, background = (table.column(name, rule, q) for q in ("flux", "background"))
        error = flux.std(ddof=1) / np.sqrt(len(flux))
        return f"flux {flux.mean():.4f} +- {error:.4f}, background {background.mean():.3f}"
    two, eight = (table.column(name, rule, quantity).mean() for quantity in ("two", "eight"))
    text = f'difference {two:.4f} (2") {eight:.4f} (8")'
    if name in KINDS or name == "mixtures":
        better = table.column(name, rule, "score") - table.column(name, SCHWARZ, "score")
        # In nat per 1,000 photons, beside Schwarz's criterion.
        error = better.std(ddof=1) / np.sqrt(len(better)) if len(better) > 1 else np.nan
        text += f" held-out {1000 * better.mean():+.1f} +- {1000 * error:.1f}"
    return text


def print_ratios(table, names, against):
    """Print the differences over those of the best fixed price, or of Schwarz's criterion."""
    others = [SCHWARZ, *(f"{p:g}" for p in PRICES)] if against else [SCHWARZ]
    words = "the best fixed price of each sky" if against else "Schwarz's criterion"
    groups = {"all": names}
    if against:
        groups = {
            "chosen on": [name for name in names if name in CHOSEN_ON],
            "others": [name for name in names if name not in CHOSEN_ON],
        }
    for label, group in groups.items():
        if not any(len(table.column(name, GMMX, "two")) for name in group):
            continue
        for quantity, scale in (("two", 2), ("eight", 8)):
            ratios = []
            for rule in (GMMX, *others):
                of_rule, best = [], []
                for name in group:
                    of_rule.append(table.column(name, rule, quantity))
                    best.append(np.min([table.column(name, o, quantity) for o in others], axis=0))
                ratio = np.concatenate(of_rule) / np.concatenate(best)
                ratios.append(f"{rule} {ratio.mean():.3f}")
            print(f'difference at {scale}" over that of {words}, {label}: {"; ".join(ratios)}')


def main():
    parser = argparse.ArgumentParser(description=Path(__file__).name)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--table", type=Path)
    arguments = parser.parse_intermixed_args()
    names = arguments.names or list(NAMES)
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        parser.error(f"no sky is called {', '.join(unknown)}: there are {', '.join(NAMES)}")
    warnings.simplefilter("ignore", GmmxWarning)
    table = Table(arguments.table)
    run(table, names, arguments.seeds)
    print(f"{machine()}\n{arguments.seeds} seeds; seconds of processor time for each fit")
    print('small: components of a geometric mean sigma below 5"\n')
    print_table(table, names)


if __name__ == "__main__":
    main()
