"""Whether fits of simulated event lists find the model that they were simulated from.

    bench_simulate.py [--skies N] [--k K] [--table FILE]

The model is the fit of the sample observation. Each event list that `gmmx simulate` makes of it is
read and fitted as the sample was, from the beginning. With --table the results are kept in JSON
lines, one for each event list, so that an interrupted run can go on. The error of a mean is the
scatter of the fits over the root of their number; a mean is unbiased if it is within 3 such errors
of the model. pull is the root mean square of (fit - model) / error of the fit.
"""

import argparse
import json
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from common import machine

import gmmx
from gmmx.commands.simulate import simulate
from gmmx.config import SimulateConfig

SAMPLE = Path(__file__).resolve().parents[1] / "data_samples"
EDGES = (0, 4, 8, 16, 32, 64, 128, 256)
FILES = {
    "exposure": SAMPLE / "expmap.fits.gz",
    "psf": SAMPLE / "psfmap.fits.gz",
    "mask": SAMPLE / "sources.reg",
}


def fitted(events, k):
    """The fit of an event list, with the maps of the sample, in the band that it has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        observation = gmmx.read_observation(events, **FILES)
        return gmmx.fit(observation, n_components=k, seed=1)


def numbers(result, centre):
    """Quantities by name: value and error."""
    profile = result.profile(centre, bins=EDGES)
    flux, error = result.flux_in_field, result.errors_by_place.in_field
    found = {"flux in the field": (flux.value, error * result.flux_per_photon.value)}
    backgrounds = result.background_photons, result.background_error
    found["background photons"] = backgrounds
    for row in profile:
        low, high = row["R"].value
        name = f"profile {low:g} to {high:g} arcsec"
        value, error = (row[f"DECONV_SUR_FLUX{end}"].value for end in ("", "_ERR"))
        found[name] = float(value), float(error)
    return found


def rows_of(table, n, model, k, centre):
    """The quantities of each simulated event list, from the table or fitted now."""
    rows = [json.loads(line) for line in table.read_text().splitlines()] if table.exists() else []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.h5"
        model.write(path)
        for seed in range(len(rows), n):
            began = time.perf_counter()
            events = Path(folder) / f"{seed}.fits"
            simulate(path, events, SimulateConfig(seed=seed))
            rows.append(numbers(fitted(events, k), centre))
            with table.open("a") as file:
                file.write(json.dumps(rows[-1]) + "\n")
            print(f"# {seed}: {time.perf_counter() - began:.0f} s", flush=True)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--skies", type=int, default=20)
    parser.add_argument("--k", type=int, default=6)
    parser.add_argument("--table", type=Path)
    given = parser.parse_args()
    model = fitted(SAMPLE / "events.fits.gz", given.k)
    brightest = model.coords[0]
    centre = f"{brightest.ra.deg:.8f},{brightest.dec.deg:.8f}"
    truth = numbers(model, centre)
    table = given.table or Path(tempfile.mkdtemp()) / "fits.jsonl"
    rows = rows_of(table, given.skies, model, given.k, centre)
    print(machine())
    print(f"{len(rows)} simulated event lists, K = {given.k}\n")
    print(f"{'quantity':<28}{'model':>12}{'bias':>9}{'error':>9}{'sigma':>8}{'pull':>7}")
    worst = 0.0
    for name, (value, _) in truth.items():
        fits, errors = np.array([row[name] for row in rows]).T
        bias, error = fits.mean() - value, fits.std(ddof=1) / np.sqrt(len(fits))
        pull = np.sqrt(np.mean(((fits - value) / errors) ** 2))
        worst = max(worst, abs(bias / error))
        print(
            f"{name:<28}{value:>12.4g}{100 * bias / value:>8.2f}%{100 * error / value:>8.2f}%"
            f"{bias / error:>+8.2f}{pull:>7.2f}"
        )
    print(f"\nlargest bias: {worst:.2f} sigma: {'unbiased' if worst < 3 else 'BIASED'}")


if __name__ == "__main__":
    main()
