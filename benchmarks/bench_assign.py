"""Whether photons of a P_SIGNAL of 0.3 are of the signal in three of ten cases.

    bench_assign.py [--skies N] [--folder FOLDER]

Each of the ten ray-traced realisations of marx/galaxy, whose truth knows the component of every
photon, is fitted (K = 15, point sources masked), and its photons are assigned. Photons of all
realisations go into ten bins of P_SIGNAL. The readout smears 1.2 % of the photons along the columns
of a chip: they are of the signal, and no model without a streak says so. With the background
`streak` they are counted as P_BKG; the second table adds its probability to P_SIGNAL, since a
smeared photon is most probably of the signal. With --folder the probabilities are kept in files, so
that an interrupted run can go on.
"""

import argparse
import tempfile
import time
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
from astropy.io import fits
from common import DATA, machine

import gmmx
from gmmx.answers.membership import membership_of
from gmmx.io.virtual import parse_file_argument
from gmmx.reading.fitted_rows import fitted_rows

GALAXY = DATA / "marx" / "galaxy"
SKIES = DATA / "marx" / "realisations" / "galaxy"
BACKGROUNDS = {"without": ("sky", "particle"), "with": ("sky", "particle", "streak")}
# Numbers of point sources in the truth begin here.
FIRST_POINT = 100
# The true share is to be within this of P_SIGNAL.
LARGEST = 0.02


def assigned(path, backgrounds):
    """P_SIGNAL, the probability of a streak, and whether a photon is of the signal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        observation = gmmx.read_observation(
            path,
            exposure=SKIES / "expmap_hp.fits.gz",
            psf=GALAXY / "psfmap.fits.gz",
            mask=GALAXY / "sources.reg",
            energy_kev=(0.5, 2),
            background=backgrounds,
        )
        result = gmmx.fit(observation, n_components=15, seed=1)
    rows = fitted_rows(parse_file_argument(path), result.observations[0])
    found = membership_of(result, result.observations[0], rows.x, rows.y)
    component = fits.getdata(path)["COMP"][rows.rows]
    streak = found.backgrounds[-1] if "streak" in backgrounds else np.zeros(len(component))
    return found.signal, streak, (component >= 0) & (component < FIRST_POINT)


def table(probability, truth):
    """Print the true share in ten bins, and return the largest difference."""
    print(f"{'P_SIGNAL':<12}{'photons':>9}{'mean P':>9}{'true':>9}{'difference':>12}{'error':>8}")
    largest = 0.0
    for low, high in pairwise(np.linspace(0, 1, 11)):
        inside = (probability >= low) & ((probability < high) | (high == 1))
        n, mean, share = inside.sum(), probability[inside].mean(), truth[inside].mean()
        error = np.sqrt(mean * (1 - mean) / n)
        largest = max(largest, abs(share - mean))
        print(
            f"{low:.1f} to {high:.1f}  {n:>9,}{mean:>9.4f}{share:>9.4f}"
            f"{100 * (share - mean):>+11.2f}%{100 * error:>7.2f}%"
        )
    verdict = "within" if largest < LARGEST else "NOT within"
    print(f"largest difference {100 * largest:.2f} %: {verdict} {100 * LARGEST:g} %\n")
    return largest


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--skies", type=int, default=10)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if not SKIES.is_dir():
        raise SystemExit(f"no observations at {SKIES}: set GMMX_TEST_DATA")
    folder = given.folder or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    print(machine())
    for name, backgrounds in BACKGROUNDS.items():
        parts = []
        for number in range(given.skies):
            kept = folder / f"{name}_{number:02d}.npy"
            if not kept.exists():
                began = time.perf_counter()
                np.save(kept, assigned(SKIES / f"events_{number:02d}.fits.gz", backgrounds))
                print(f"# {kept.stem}: {time.perf_counter() - began:.0f} s", flush=True)
            parts.append(np.load(kept))
        signal, streak, truth = np.concatenate(parts, axis=1)
        print(f"\n{given.skies} realisations, background {', '.join(backgrounds)}\n")
        table(signal + streak, truth)


if __name__ == "__main__":
    main()
