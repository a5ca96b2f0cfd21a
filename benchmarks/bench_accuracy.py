"""How far gmmx is from the truth: simulated observations and a beta-model.

Models are compared with the truth in images, annuli, totals and held-out photons. Name parts of
the table to run only them: ``python benchmarks/bench_accuracy.py galaxy realisations beta``.
"""

import numpy as np
from astropy.io import fits
from beta import N_BACKGROUND, N, beta_observations, fraction_within, photons_in_rings
from common import run_parts
from galaxy import (
    RINGS,
    Truth,
    chi2_of_next,
    observed,
    realisation,
    realisation_path,
    true_background,
    true_parameters,
)

import gmmx

N_REALISATIONS = 10
NAMES = (
    *("total flux", "background"),
    *(f'{ring}"' for ring in RINGS),
    *('difference 2"', 'difference 8"'),
)
LIMIT = 400.0


def galaxy():
    """Fit one observation with two K."""
    truth = Truth()
    print(
        '\nmarx/galaxy: half the integrated absolute difference at 2" and 8", total flux over'
        " truth, background photons"
    )
    observation = observed()
    for k in (15, 40):
        result = gmmx.fit(observation, n_components=k, seed=1)
        two, eight = truth.differences(result)
        print(
            f"  --k {k}: K = {len(result.mixture)}  {two:.4f}  {eight:.4f}"
            f"  {truth.total(result):.4f}  {result.background_photons:.0f}"
            f"  {result.seconds:.1f} s"
        )


def realisations():
    """Fit ten observations of one sky: with a given K, with K chosen, and from the truth."""
    observations, backgrounds = [], []
    for i in range(N_REALISATIONS):
        observations.append(realisation(i))
        with fits.open(realisation_path(i)) as files:
            events = files["EVENTS"].data
            backgrounds.append(true_background(observations[-1], events, events["COMP"]))

    def table(label, results):
        return compared(label, results, backgrounds)

    table("--k 20", [gmmx.fit(o, n_components=20, seed=1) for o in observations])
    chosen = table("--k auto", [gmmx.fit(o, n_components="auto", seed=1) for o in observations])
    starts = [true_parameters(o).mixture for o in observations]
    best = table(
        "K = 15, started at the truth",
        [
            gmmx.fit(o, n_components=15, start=start, seed=1)
            for o, start in zip(observations, starts, strict=True)
        ],
    )
    ratio = chosen / best
    print(
        "\n  differences of --k auto over those of the start at the truth:"
        f' {ratio[0]:.3f} at 2", {ratio[1]:.3f} at 8"'
    )


def compared(label, results, backgrounds):
    """Print the means of several fits; the two mean differences from the truth."""
    truth = Truth()
    rows = np.array(
        [
            [
                truth.total(result),
                result.background_photons / background,
                *truth.annuli(result),
                *truth.differences(result),
            ]
            for result, background in zip(results, backgrounds, strict=True)
        ]
    )
    n = [len(result.mixture) for result in results]
    print(
        f"\nmarx/galaxy, ten realisations, {label} (K {min(n)} to {max(n)}): mean of model over"
        " truth, and mean differences"
    )
    errors = rows.std(0, ddof=1) / np.sqrt(len(rows))
    for name, mean, error in zip(NAMES, rows.mean(0), errors, strict=True):
        print(f"  {name:14s} {mean:.4f} +- {error:.4f}")
    chi2 = chi2_of_next(results)
    print(
        f'  chi^2 per degree of freedom against the next realisation, 4" {chi2[0]:.3f},'
        f' 16" {chi2[1]:.3f}, 64" {chi2[2]:.3f}',
        flush=True,
    )
    return rows[:, -2:].mean(0)


def beta(k=30, seeds=10):
    """Test the error of the background where a beta-model reaches the edge of the field."""
    base = observed(psf=None)
    print(
        f"\nbeta-model (beta 0.6, core 25 arcsec), {N} photons and {N_BACKGROUND} of background,"
        f" K = {k}"
    )
    true = N * fraction_within(LIMIT)
    fluxes, deviations = [], []
    for seed in range(seeds):
        free, fixed, amplitude = beta_observations(base, seed)
        results = [gmmx.fit(o, n_components=k, seed=1) for o in (fixed, free)]
        flux = [photons_in_rings(result, (0, LIMIT))[0] / true for result in results]
        b = results[1].backgrounds[0]
        deviation = (b.amplitude - amplitude) / b.amplitude_error
        fluxes.append(flux[0])
        deviations.append(abs(deviation))
        print(
            f"  seed {seed}: flux within 400 arcsec over truth, fixed {flux[0]:.4f}"
            f" free {flux[1]:.4f}; background over truth {b.amplitude / amplitude:.3f}"
            f" +- {b.amplitude_error / amplitude:.3f} ({deviation:+.2f} sigma),"
            f" correlation {b.correlation:+.2f};"
            f" K {len(results[0].mixture)} {len(results[1].mixture)}",
            flush=True,
        )
    within = [int((np.array(deviations) < limit).sum()) for limit in (1, 1.96)]
    print(
        f"  background fixed: mean flux {np.mean(fluxes):.4f}; free: the truth is in the 68 %"
        f" interval of {within[0]} fits of {seeds}, in the 95 % interval of {within[1]}"
    )


if __name__ == "__main__":
    run_parts({"galaxy": galaxy, "realisations": realisations, "beta": beta})
