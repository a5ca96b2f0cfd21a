"""How often an upper limit at 95 % holds the truth: simulated skies with few photons or none.

For each of three amounts and each true level, 200 skies are drawn and fitted:

- background: that of a field with one extended source of 400 photons;
- point source, broad component: a component of known position and width (0.1 and 5 arcsec), over a
  background of 0.14 photon/arcsec^2 beside an extended source.

The columns are the fraction of skies whose limit is at or above the truth, with its binomial error;
the fraction in which the amount fits to zero; the mean fitted amount; the medians of the reported
error and of the limit.

``--skies N`` changes their number. With ``--keep FILE`` each fit is a line of a file, and a run
that was stopped goes on where it was. All fits take about ten minutes.
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
from common import machine
from limit_skies import KINDS, found_in, make_sky

LEVELS = (0, 3, 10, 30)
TITLE = (
    f"{'amount':<16} {'true':>5} {'skies':>6}  {'held':>6}  {'+-':>4}"
    f"  {'at zero':>7}  {'mean':>6}  {'error':>6}  {'limit':>6}"
)


def known_fits(path):
    """The fits that a file holds already, by kind, level and seed."""
    if path is None or not path.exists():
        return {}
    rows = map(json.loads, path.read_text().splitlines())
    return {(row["kind"], row["level"], row["seed"]): row["found"] for row in rows}


def fits_of(kind, level, skies, known, path):
    """Values, errors and limits of all skies of a kind and level, (n, 3)."""
    rows = []
    for i in range(skies):
        # Skies of different levels share no photons.
        seed = 1000 * LEVELS.index(level) + i
        found = known.get((kind, level, seed))
        if found is None:
            found = found_in(make_sky(kind, level, seed))
            if path is not None:
                row = {"kind": kind, "level": level, "seed": seed, "found": found}
                with path.open("a") as file:
                    file.write(json.dumps(row) + "\n")
        rows.append(found)
    return np.array(rows, float)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--skies", type=int, default=200)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    began, known = time.perf_counter(), known_fits(given.keep)
    print(f"upper limits at 95 %; {machine()}\n\n{TITLE}", flush=True)
    for kind in KINDS:
        for level in LEVELS:
            values, errors, limits = fits_of(kind, level, given.skies, known, given.keep).T
            held = float(np.mean(limits >= level))
            scatter = np.sqrt(held * (1 - held) / len(values))
            print(
                f"{kind:<16} {level:>5} {len(values):>6}  {100 * held:5.1f}%  {100 * scatter:4.1f}"
                f"  {100 * np.mean(values < 0.1):6.1f}%  {values.mean():6.2f}"
                f"  {np.median(errors):6.2f}  {np.median(limits):6.2f}",
                flush=True,
            )
    print(f"\n{time.perf_counter() - began:.0f} s in total")


if __name__ == "__main__":
    main()
