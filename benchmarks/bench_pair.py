"""Two pointings of one sky: the joint fit beside the fit of either alone and the fit of both stacked into one event list.

``python benchmarks/bench_pair.py [--k K ...] [--psf library|maps|both] [--seed N] [--threads N]`` prints a table, which `make bench` stores in
benchmarks/pair.txt. Reads marx/pair from $GMMX_TEST_DATA (default ../shared/data beside the repository).

The stacked observation is what people make when a tool takes one event list: both lists in one tangent plane, exposure maps summed, and a particle background
that is flat on the detector, weighted with the time. Its PSF at each place is the exact one, the mixture of the two, weighted with their exposures there; or,
as `merged PSF`, one Gaussian of their mean 39 % radius, weighted likewise, as merge_obs averages PSF maps.

Two kinds of worth. Against truth.fits, of the fits to all photons: half the integrated absolute difference after smoothing by 2 and 8 arcsec, total flux and
annuli, all outside the masks: truth.fits has no point sources, and a fit that finds one again by the photons it has beside its mask is not wrong. What lies
behind the masks is told apart, as a share of the true flux. In held-out photons, of the fits to a random half of each pointing's photons: every sky, whatever
it was fitted to, is held and seen through each pointing's own exposure, PSF and masks, its backgrounds refitted there to the fitted half; the gap is what the
true sky's mean log[lambda / int lambda] over the other half exceeds it by, and `beside joint` how far it falls behind the joint fit, with the standard error of
the paired difference.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass, replace
from itertools import pairwise, product
from pathlib import Path

import numpy as np
from bench_accuracy import ANNULI, DATA, Truth, true_parameters

import gmmx
from gmmx import errors
from gmmx.answers.score import expected_photons, photon_density
from gmmx.config import FitConfig
from gmmx.io.images import read_grid_like
from gmmx.io.regions import read_regions
from gmmx.io.virtual import parse_file_argument
from gmmx.model.background import Background
from gmmx.model.completeness import Completeness, reference_exposure
from gmmx.model.mixture import Fixed, Mixture
from gmmx.model.observation import Observation
from gmmx.model.psf import PsfModel, core_radius
from gmmx.plane.grid import PixelGrid, SkyImage
from gmmx.plane.resample import map_means
from gmmx.reading.door import observations_of

PAIR = DATA / "pair"
EVENTS = [PAIR / f"events_{i}.fits.gz" for i in (1, 2)]
# Between two nodes of the stacked PSF [arcsec].
NODES = 20.0
# What is asked of the joint command: seconds, and memory over the sum of the singles'.
SECONDS, MEMORY = 30, 1.2


def settings(psf, k, threads=0):
    """The options of the joint fit."""
    blur = (
        tuple(f"{PAIR}/psfmap_{i}.fits.gz,{PAIR}/psfmap_90_{i}.fits.gz" for i in (1, 2))
        if psf == "maps"
        else ()
    )
    maps = tuple(f"{PAIR}/expmap_{i}.fits.gz" for i in (1, 2))
    return FitConfig(
        n_components=k,
        exposure=maps,
        psf=blur,
        mask=(f"{PAIR}/sources.reg",),
        energy_kev="0.5:2",
        seed=1,
        threads=threads,
    )


class DiffuseTruth(Truth):
    """truth.fits outside the masks: it has no point sources, and so says nothing of what lies behind their masks."""

    def __init__(self, folder, frame):
        super().__init__(folder)
        grid = read_grid_like(self.path, frame)
        self.open_fraction = read_regions(folder / "sources.reg", frame=frame).open_fraction(grid)
        self.everything = self.values.sum()
        self.values = self.values * self.open_fraction

    def rendered(self, result):
        image, grid = super().rendered(result)
        return image * self.open_fraction, grid

    def hidden(self, result):
        """The model's flux behind the masks, over the truth's in all."""
        image, _ = super().rendered(result)
        return (image * (1 - self.open_fraction)).sum() / self.everything


@dataclass(frozen=True)
class Run:
    """A command: its wall time, the processors' time [s], and its peak memory [MB]."""

    seconds: float
    worked: float
    memory: float


def command(config, which, model):
    """`gmmx fit` of some of the pointings, in a process of its own."""
    words = [
        sys.executable,
        "-m",
        "gmmx.cli.main",
        "fit",
        *(str(EVENTS[i]) for i in which),
        "--mask",
        *config.mask,
        "--energy",
        "{:g}:{:g}".format(*config.energy_kev),
    ]
    for name in ("exposure", "psf"):
        values = getattr(config, name)
        words += [word for i in which if values for word in (f"--{name}", values[i])]
    words += [
        "--k",
        str(config.n_components),
        "--seed",
        str(config.seed),
        "--threads",
        str(config.threads),
        "--out",
        str(model),
        "--overwrite",
        "-q",
    ]
    began = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)}: exit code {process.returncode}")
    return Run(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def stacked(observations, *, merged=False):
    """Several observations of one plane as if they were one; `merged`: with a PSF of one Gaussian, as a map that merge_obs makes has it."""
    ranges = np.array([o.completeness.grid.extent() for o in observations])
    step = observations[0].completeness.grid.step
    grid = PixelGrid.covering(
        *(
            (low, high)
            for low, high in zip(ranges[..., 0].min(0), ranges[..., 1].max(0), strict=True)
        ),
        step,
    )
    exposures, effective = (
        [map_means(getattr(o.completeness, name), o.completeness.grid, grid) for o in observations]
        for name in ("exposure", "effective")
    )
    total = sum(exposures)
    open_fraction = np.where(
        total > 0, np.clip(sum(effective) / np.where(total > 0, total, 1.0), 0, 1), 1.0
    )
    completeness = Completeness(
        grid=grid, exposure=total, open_fraction=open_fraction, unit=observations[0].completeness.unit
    )

    nodes = PixelGrid.covering(*grid.extent(), NODES)
    x, y = nodes.centres()
    there = np.array([o.completeness.exposure_at(x, y) for o in observations]) + 1e-9 * total.max()
    weights, covariances, radii = [], [], []
    for o, share in zip(observations, there / there.sum(0), strict=True):
        c, s = o.psf.at(x.ravel(), y.ravel())
        weights.append(share[..., None] * c.reshape(*nodes.shape, -1))
        covariances.append(s.reshape(*nodes.shape, -1, 2, 2))
        radii.append(share * core_radius(c, s).reshape(nodes.shape))
    psf = PsfModel(
        grid=nodes, weights=np.concatenate(weights, -1), covariances=np.concatenate(covariances, -3)
    )
    if merged:
        variances = sum(radii)[..., None] ** 2
        psf = PsfModel(
            grid=nodes,
            weights=np.ones_like(variances),
            covariances=variances[..., None, None] * np.eye(2),
        )

    seconds = [o.pointing.exposure_time for o in observations]
    on = sum(t * (e > 0) for t, e in zip(seconds, exposures, strict=True)) / sum(seconds)
    backgrounds = (
        Background(),
        Background(name="particle", kind="particle", template=SkyImage(grid=grid, values=on)),
    )
    x, y, weights = (
        np.concatenate([getattr(o, name) for o in observations]) for name in ("x", "y", "weights")
    )
    everything = {
        "x": x,
        "y": y,
        "weights": weights,
        "frame": observations[0].frame,
        "name": "stacked",
    }
    return Observation(
        **everything, completeness=completeness, psf=psf, backgrounds=backgrounds
    ).exposed()


def halves(observations, rng):
    """Each observation with a random half of its photons, and with the others."""
    parts = []
    for o in observations:
        first = rng.random(len(o.photons)) < 0.5
        parts.append(
            [
                replace(
                    o,
                    photons=o.photons.select(half),
                )
                for half in (first, ~first)
            ]
        )
    return [list(one) for one in zip(*parts, strict=True)]


def scores(mixture, exposure, train, held_out):
    """log[lambda / int lambda] of each held-out photon of each pointing under a sky in photons at an exposure, backgrounds fitted to the other half."""
    reference = reference_exposure([o.completeness for o in train])
    mixture = replace(mixture, fluxes=mixture.fluxes * reference / exposure)
    everything = np.ones(len(mixture), bool)
    seen = gmmx.fit(
        train,
        start=Mixture.empty(),
        fixed=(mixture, Fixed(fluxes=everything, means=everything, covariances=everything)),
    )
    pairs = zip(seen.observations, held_out, strict=True)
    return [
        np.log(
            photon_density(seen, o, other.photons.x, other.photons.y) / expected_photons(seen, o)
        )
        for o, other in pairs
    ]


def paired(better, worse):
    """Mean difference per photon and its standard error."""
    lost = better - worse
    return float(lost.mean()), float(lost.std(ddof=1) / np.sqrt(len(lost)))


def compared(psf, k, seed, folder, threads):
    """One table; whether the joint fit is best in everything."""
    config = settings(psf, k, threads)
    observations = observations_of([parse_file_argument(one) for one in EVENTS], config)
    truth, everywhere = DiffuseTruth(PAIR, observations[0].frame), Truth(PAIR)
    print(
        f"\nPSF {'of the built-in library' if psf == 'library' else 'maps, two Gaussians'}, --k {k}; {sum(o.n_photons for o in observations):.0f} photons"
    )

    fitted = {"n_components": k, "seed": 1, "threads": threads}
    chosen = {"joint": (0, 1), "pointing 1": (0,), "pointing 2": (1,)}
    runs, models = {}, {}
    for name, which in chosen.items():
        path = folder / f"{psf}_{'_'.join(map(str, which))}.h5"
        runs[name], models[name] = command(config, which, path), None
        models[name] = gmmx.read(path)
    models["stacked"] = gmmx.fit(stacked(observations), **fitted)
    models["merged PSF"] = gmmx.fit(stacked(observations, merged=True), **fitted)
    print(
        "\nall photons, outside the masks, model over truth (differences as they are); hidden: behind the masks, over the true flux in all;"
    )
    print("last, the differences with what lies behind the masks")
    rings = "".join(f"{f'{a}-{b}':>9s}" for a, b in pairwise(ANNULI))
    print(
        f"""  {"":12s}{"K":>4s}{'diff 2"':>9s}{'diff 8"':>9s}{"total":>9s}{rings}{"hidden":>9s}{'all 2"':>9s}{'all 8"':>9s}"""
    )
    differences = {}
    for name, result in models.items():
        differences[name] = truth.differences(result)
        values = [
            *differences[name],
            truth.total(result),
            *truth.annuli(result),
            truth.hidden(result),
            *everywhere.differences(result),
        ]
        print(
            f"  {name:12s}{len(result.extended):4d}{''.join(f'{value:9.4f}' for value in values)}",
            flush=True,
        )

    train, held_out = halves(observations, np.random.default_rng(seed))
    skies = {"joint": gmmx.fit(train, **fitted)}
    skies |= {f"pointing {i + 1}": gmmx.fit(o, **fitted) for i, o in enumerate(train)}
    skies["stacked"] = gmmx.fit(stacked(train), **fitted)
    skies["merged PSF"] = gmmx.fit(stacked(train, merged=True), **fitted)
    reference = skies["joint"].reference_exposure
    # Half of the photons are what half of the true flux gives at the whole exposure.
    true = true_parameters(train[0], PAIR, reference).mixture
    true = scores(replace(true, fluxes=true.fluxes / 2), reference, train, held_out)
    found = {
        name: scores(result.mixture, result.reference_exposure, train, held_out)
        for name, result in skies.items()
    }
    print(
        f"\nhalf of the photons fitted, {sum(len(s) for s in true)} held out: nats per photon behind the true sky, +- of the paired difference"
    )
    print(
        f"  {'':12s}{'on pointing 1':>20s}{'on pointing 2':>20s}{'on both':>20s}{'beside joint':>21s}"
    )
    behind = {}
    for name, its in found.items():
        columns = [
            paired(a, b)
            for a, b in zip([*true, np.concatenate(true)], [*its, np.concatenate(its)], strict=True)
        ]
        behind[name] = paired(np.concatenate(found["joint"]), np.concatenate(its))
        beside = (
            f"{behind[name][0]:11.5f} +- {behind[name][1]:.5f}"
            if name != "joint"
            else f"{'-':>11s}"
        )
        print(
            f"  {name:12s}{''.join(f'{gap:9.5f} +- {error:.5f}' for gap, error in columns)}{beside}",
            flush=True,
        )

    busy = f"mean load of the last minutes {os.getloadavg()[1]:.1f}, {os.cpu_count()} processors"
    print(
        f"\nthe command, files to model, {f'{threads} thread(s)' if threads else 'all threads'} ({busy})"
    )
    for name, run in runs.items():
        print(
            f"  {name:12s}{run.seconds:7.1f} s{run.memory:7.0f} MB{run.worked:8.1f} s of processor time"
        )
    ratio = runs["joint"].memory / (runs["pointing 1"].memory + runs["pointing 2"].memory)
    print(
        f"  memory of the joint fit over the sum of the single ones: {ratio:.2f} (asked for: {MEMORY}); seconds asked for: {SECONDS}"
    )
    others = [name for name in models if name != "joint"]
    held = all(behind[name][0] > 0 for name in others)
    print(
        f"  held-out photons, joint ahead of {', '.join(f'{name} by {gap / error:.1f} sigma' for name, (gap, error) in behind.items() if name != 'joint')}"
    )
    near = all(differences["joint"][j] < differences[name][j] for name in others for j in (0, 1))
    print(
        f"  joint is best in held-out photons: {'yes' if held else 'NO'}; nearest to the truth at 2 and 8 arcsec: {'yes' if near else 'NO'}",
        flush=True,
    )
    return held and near and ratio <= MEMORY and runs["joint"].seconds <= SECONDS


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--k", type=int, nargs="+", default=[40, 20])
    parser.add_argument("--psf", choices=("library", "maps", "both"), default="both")
    parser.add_argument("--seed", type=int, default=1, help="Of the split into halves.")
    parser.add_argument("--threads", type=int, default=0, help="0: all.")
    asked = parser.parse_args()
    if not PAIR.is_dir():
        print(f"no simulated observations at {PAIR}: set GMMX_TEST_DATA")
        return
    warnings.simplefilter("ignore", errors.GmmxWarning)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        skies = product(("library", "maps") if asked.psf == "both" else (asked.psf,), asked.k)
        good = [compared(psf, k, asked.seed, Path(folder), asked.threads) for psf, k in skies]
    print(
        f"\nwhat was asked for is {'met' if all(good) else 'NOT met'}; {time.perf_counter() - began:.0f} s in all"
    )


if __name__ == "__main__":
    main()
