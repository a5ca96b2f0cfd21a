"""Counts images of a real cluster, ZwCl 2341.1+0000 in three ACIS-I pointings: radial profiles of data against model, fitted one at a time and jointly.

Reads real/zwcl2341_acisi from $GMMX_TEST_DATA (default ../shared/data beside the repository). ``--background`` is that of `gmmx fit`, once for all pointings;
``{}`` in it stands for the ObsID, and commas join what each pointing has: ``--background sky,stowed/{}.img``. ``--only joint`` or ``--only 17490`` leaves the
other fits out.
"""

import argparse
import os
import resource
import time
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

from gmmx import errors, fit_mixture, render_images
from gmmx.config import FitConfig
from gmmx.joint import read_observations

DATA = Path(os.environ.get("GMMX_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "real" / "zwcl2341_acisi"
OBSIDS = ("5786", "17170", "17490")
ANNULI = np.array([0, 5, 10, 15, 20, 30, 40, 50, 60, 80, 100, 120, 150, 180, 210, 240, 280, 320, 360, 400, 450, 500, 550, 600, 660, 720, 800])
# The profile counts from here on: inside, a few photons and the choice of the centre decide [arcsec].
INNER = 10.0
SMOOTHING = 12.0
# An annulus needs as many expected photons for its chi^2 to follow the distribution of that name.
LEAST = 10.0


def observed(obsids, background):
    """The pointings as the command line would read them, each with its exposure map and the mask of 250 shapes."""
    config = FitConfig(
        exposure=tuple(str(DATA / f"srcfree_bin4_500-2000_{o}_band1_thresh.expmap_nosrcedg.gz") for o in obsids),
        mask=(str(DATA / "zwcl2341_sources_phys_excl.reg"),),
        psf=("none",),
        background=tuple(background.format(o) for o in obsids),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", errors.DataWarning)
        return read_observations([str(DATA / f"srcfree_bin4_500-2000_{o}_band1_thresh.img.gz") for o in obsids], config)


def centre(observation):
    """The cluster's centre: where counts over exposure, both smoothed, are brightest on well exposed sky [arcsec]."""
    completeness = observation.completeness
    grid, sigma = completeness.grid, SMOOTHING / completeness.grid.step
    seen = gaussian_filter(completeness.effective / completeness.exposure.max(), sigma)
    smooth = gaussian_filter(grid.histogram(observation.x, observation.y, observation.weights), sigma)
    bright = np.where(seen > 0.5 * seen.max(), smooth / np.maximum(seen, 1e-12), 0.0)
    x, y = grid.centres()
    return x.flat[bright.argmax()], y.flat[bright.argmax()]


def profile(images, about):
    """Counts and expected counts in annuli about a place, two (n,) arrays."""
    x, y = images.counts.grid.centres()
    ring = np.digitize(np.hypot(x - about[0], y - about[1]).ravel(), ANNULI) - 1
    return tuple(np.bincount(ring, image.values.ravel(), len(ANNULI))[: len(ANNULI) - 1] for image in (images.counts, images.expected))


def chi2(counts, expected):
    """Pearson's chi^2 beyond the inner radius, and the number of its annuli."""
    used = (ANNULI[:-1] >= INNER) & (expected > LEAST)
    return float(((counts - expected) ** 2 / np.maximum(expected, 1e-300))[used].sum()), int(used.sum())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--background", default="sky")
    parser.add_argument("--only", action="append")
    arguments = parser.parse_args()
    background = arguments.background
    cases = {o: (o,) for o in OBSIDS} | {"joint": OBSIDS}
    # The deepest pointing tells where the centre is, for all; the three share one tangent plane.
    profiles, about = {}, centre(observed(("17490",), "sky")[0])
    print(f"backgrounds: {background}")
    for name, obsids in cases.items():
        if arguments.only and name not in arguments.only:
            continue
        observations = observed(obsids, background)
        began = time.perf_counter()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = fit_mixture(observations)
        seconds = time.perf_counter() - began
        images = render_images(result)
        profiles[name] = profile(images, about)
        total, n = chi2(*profiles[name])
        levels = "; ".join(f"{b.observation[21:26].strip('_')} {b.name} {b.photons:,.0f} +- {b.photons_error:,.0f}" for b in result.backgrounds)
        photons = sum(o.n_photons for o in observations)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"\n{name}: {photons:,.0f} photons, K {len(result.mixture)}, {seconds:.0f} s, {peak:.0f} MB at most so far")
        print(f"  chi^2 {total:.1f} in {n} annuli beyond {INNER:g} arcsec: {total / n:.2f}; backgrounds: {levels}")
        for w in caught:
            print(f"  {w.message}")
    print("\ncounts and (counts - expected) / sqrt(expected) in annuli [arcsec] about the centre")
    print(" ".join(["   annulus", *(f"{name:>15}" for name in profiles)]))
    for j, (low, high) in enumerate(pairwise(ANNULI)):
        cells = [f"{counts[j]:8.0f} {(counts[j] - expected[j]) / np.sqrt(max(expected[j], 1e-300)):+6.2f}" for counts, expected in profiles.values()]
        print(" ".join([f"{low:4d} - {high:3d}", *cells]))


if __name__ == "__main__":
    main()
