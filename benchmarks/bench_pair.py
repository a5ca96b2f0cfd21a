"""Compares a joint fit of two pointings with either fit, and with a fit to the stacked events.

``python benchmarks/bench_pair.py [--k K ...] [--psf library|maps|both] [--seed N] [--threads N]``
prints the table benchmarks/pair.txt for marx/pair, two simulated pointings of one sky.

The first table compares the fits to all photons with the image of the truth: half the integrated
absolute difference after smoothing with 2 and 8 arcsec, total flux and annuli. All are outside the
masks, because truth.fits has no point sources, and a fit may rightly find a masked source again
from its photons beside the mask. The flux behind the masks has a column of its own, as a fraction
of the true flux.

The second table compares the fits to a random half of each pointing's photons by the other half.
Every model is fixed and seen through each pointing's exposure, PSF and masks, and only its
backgrounds are fitted again to the fitted half. The gap is the mean log[lambda / int lambda] of the
truth less that of the model. `beside joint` is the gap to the joint fit, with the standard error of
the paired difference.
"""

import argparse
import os
import tempfile
import time
import warnings
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
from common import GMMX, MARX, is_missing, successful
from galaxy import RINGS, Truth, true_parameters
from scores import halves, mean_and_error
from stacking import stacked

import gmmx
from gmmx.answers.score import expected_photons, photon_density
from gmmx.errors import GmmxWarning
from gmmx.io.images import read_grid_like
from gmmx.io.regions import read_regions
from gmmx.model.completeness import reference_exposure
from gmmx.model.mixture import Fixed, Mixture

PAIR = MARX / "pair"
EVENTS = [PAIR / f"events_{i}.fits.gz" for i in (1, 2)]
POINTINGS = {"joint": (0, 1), "pointing 1": (0,), "pointing 2": (1,)}
# Required of the joint command: seconds, and memory over the sum of the single commands'.
SECONDS, MEMORY = 30, 1.2


def exposure_map(i):
    """The exposure map of a pointing."""
    return str(PAIR / f"expmap_{i + 1}.fits.gz")


def psf_maps(i):
    """The two PSF maps of a pointing."""
    return f"{PAIR}/psfmap_{i + 1}.fits.gz,{PAIR}/psfmap_90_{i + 1}.fits.gz"


class DiffuseTruth(Truth):
    """The image of the truth outside the masks of the point sources."""

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
        """The model's flux behind the masks over all of the truth's flux."""
        image, _ = super().rendered(result)
        return (image * (1 - self.open_fraction)).sum() / self.everything


def fit_in_process(which, psf, given, model):
    """Run `gmmx fit` for some of the pointings."""
    words = [*GMMX, "fit", *(EVENTS[i] for i in which), "--mask", PAIR / "sources.reg"]
    for i in which:
        words += ["--exposure", exposure_map(i)]
        words += ["--psf", psf_maps(i)] if psf == "maps" else []
    words += ["--energy", "0.5:2", "--k", given.k, "--seed", 1, "--threads", given.threads]
    return successful([*words, "--out", model, "--overwrite", "-q"])


def scores(mixture, exposure, train, held_out):
    """log[lambda / int lambda] of each held-out photon of each pointing [nat].

    Parameters
    ----------
    mixture : Mixture
        The model, in photons at an exposure.
    exposure : float
    train : list of Observation
        The backgrounds are fitted to them.
    held_out : list of Observation
    """
    reference = reference_exposure([o.completeness for o in train])
    mixture = replace(mixture, fluxes=mixture.fluxes * reference / exposure)
    everything = np.ones(len(mixture), bool)
    fixed = Fixed(fluxes=everything, means=everything, covariances=everything)
    seen = gmmx.fit(train, start=Mixture.empty(), fixed=(mixture, fixed))
    return [
        np.log(
            photon_density(seen, o, other.photons.x, other.photons.y) / expected_photons(seen, o)
        )
        for o, other in zip(seen.observations, held_out, strict=True)
    ]


def print_comparison_with_truth(models):
    """Print the first table; the differences at 2 and 8 arcsec by model."""
    truth = DiffuseTruth(PAIR, models["joint"].frame)
    everywhere = Truth(PAIR)
    print(
        "\nall photons, outside the masks, model over truth (differences as they are); hidden:"
        " behind the masks, over the true flux in all;\n"
        "last, the differences with the sky behind the masks"
    )
    columns = ('diff 2"', 'diff 8"', "total", *RINGS, "hidden", 'all 2"', 'all 8"')
    print(f"  {'':12s}{'K':>4s}" + "".join(f"{name:>9s}" for name in columns))
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
        cells = "".join(f"{value:9.4f}" for value in values)
        print(f"  {name:12s}{len(result.extended):4d}{cells}", flush=True)
    return differences


def print_held_out_photons(observations, seed, fitted):
    """Print the second table; (gap, error) beside the joint fit by model."""
    rng = np.random.default_rng(seed)
    train, held_out = (list(one) for one in zip(*(halves(o, rng) for o in observations)))
    models = fit_each(train, **fitted)
    reference = models["joint"].reference_exposure
    # Half of the photons are those of half the true flux at the whole exposure.
    true = true_parameters(train[0], PAIR, reference).mixture
    best = scores(replace(true, fluxes=true.fluxes / 2), reference, train, held_out)
    print(
        f"\nhalf of the photons fitted, {sum(len(s) for s in best)} held out: nats per photon below"
        " the truth, +- of the paired difference"
    )
    columns = ("on pointing 1", "on pointing 2", "on both")
    print(f"  {'':12s}" + "".join(f"{name:>20s}" for name in columns) + f"{'beside joint':>21s}")
    joint, behind = None, {}
    for name, result in models.items():
        own = scores(result.mixture, result.reference_exposure, train, held_out)
        gaps = [a - b for a, b in zip(best, own, strict=True)]
        cells = [mean_and_error(gap) for gap in (*gaps, np.concatenate(gaps))]
        text = "".join(f"{gap:9.5f} +- {error:.5f}" for gap, error in cells)
        beside = f"{'-':>11s}"
        if joint is None:
            joint = np.concatenate(own)
        else:
            behind[name] = gap, error = mean_and_error(joint - np.concatenate(own))
            beside = f"{gap:11.5f} +- {error:.5f}"
        print(f"  {name:12s}{text}{beside}", flush=True)
    return behind


def fit_each(observations, **fitted):
    """Fit pointings jointly, each alone, and stacked; by name."""
    models = {"joint": gmmx.fit(observations, **fitted)}
    models |= {f"pointing {i + 1}": gmmx.fit(o, **fitted) for i, o in enumerate(observations)}
    return models | fit_stacked(observations, **fitted)


def fit_stacked(observations, **fitted):
    """Fit stacked pointings, with the exact PSF and with a merged one; by name."""
    return {
        "stacked": gmmx.fit(stacked(observations), **fitted),
        "merged PSF": gmmx.fit(stacked(observations, merged=True), **fitted),
    }


def print_processes(runs, threads):
    """Print time and memory of the commands; whether the joint one is as good as required."""
    busy = f"mean load of the last minutes {os.getloadavg()[1]:.1f}, {os.cpu_count()} processors"
    of_threads = f"{threads} thread(s)" if threads else "all threads"
    print(f"\nthe command, from files to a model file, {of_threads} ({busy})")
    for name, run in runs.items():
        print(
            f"  {name:12s}{run.seconds:7.1f} s{run.memory:7.0f} MB{run.processor_seconds:8.1f} s"
            " of processor time"
        )
    ratio = runs["joint"].memory / (runs["pointing 1"].memory + runs["pointing 2"].memory)
    print(
        f"  memory of the joint fit over the sum of the single ones: {ratio:.2f} (required:"
        f" {MEMORY}); seconds required: {SECONDS}"
    )
    return ratio <= MEMORY and runs["joint"].seconds <= SECONDS


def compare(psf, given, folder):
    """Print the tables of one PSF and one K; whether the joint fit is best in everything."""
    observations = gmmx.read_observations(
        EVENTS,
        exposure=tuple(exposure_map(i) for i in range(2)),
        psf=tuple(psf_maps(i) for i in range(2)) if psf == "maps" else (),
        mask=(str(PAIR / "sources.reg"),),
        energy_kev="0.5:2",
    )
    kind = "of the built-in library" if psf == "library" else "maps, two Gaussians"
    n = sum(o.n_photons for o in observations)
    print(f"\nPSF {kind}, --k {given.k}; {n:.0f} photons")

    runs, models = {}, {}
    for name, which in POINTINGS.items():
        path = folder / f"{name.replace(' ', '_')}.h5"
        runs[name] = fit_in_process(which, psf, given, path)
        models[name] = gmmx.read(path)
    fitted = {"n_components": given.k, "seed": 1, "threads": given.threads}
    models |= fit_stacked(observations, **fitted)
    differences = print_comparison_with_truth(models)
    behind = print_held_out_photons(observations, given.seed, fitted)
    is_cheap = print_processes(runs, given.threads)

    ahead = ", ".join(f"{name} by {gap / error:.1f} sigma" for name, (gap, error) in behind.items())
    print(f"  held-out photons, joint ahead of {ahead}")
    is_likeliest = all(gap > 0 for gap, _ in behind.values())
    is_nearest = all(
        mine < other
        for name in behind
        for mine, other in zip(differences["joint"], differences[name], strict=True)
    )
    print(
        f"  joint is best in held-out photons: {'yes' if is_likeliest else 'NO'}; nearest to the"
        f" truth at 2 and 8 arcsec: {'yes' if is_nearest else 'NO'}",
        flush=True,
    )
    return is_likeliest and is_nearest and is_cheap


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--k", type=int, nargs="+", default=[40, 20])
    parser.add_argument("--psf", choices=("library", "maps", "both"), default="both")
    parser.add_argument("--seed", type=int, default=1, help="seed of the division into halves")
    parser.add_argument("--threads", type=int, default=0, help="0 uses every core")
    given = parser.parse_args()
    if is_missing(PAIR):
        return
    warnings.simplefilter("ignore", GmmxWarning)
    began = time.perf_counter()
    good = []
    with tempfile.TemporaryDirectory() as folder:
        psfs = ("library", "maps") if given.psf == "both" else (given.psf,)
        for psf, k in product(psfs, given.k):
            options = argparse.Namespace(**{**vars(given), "k": k})
            good.append(compare(psf, options, Path(folder)))
    print(
        f"\nthe requirements are {'met' if all(good) else 'NOT met'};"
        f" {time.perf_counter() - began:.0f} s in total"
    )


if __name__ == "__main__":
    main()
