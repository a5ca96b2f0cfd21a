"""What modelling point sources is worth: the galaxy's diffuse flux, its forty sources' fluxes and places, beside masking them, for each kind of PSF.

The columns right of the bar are of the sources with at least 50 detected photons: rms of (F - F_true) over F_true / sqrt(counts) and over the reported error;
the median of reported over Poisson errors; F / F_true, weighted by counts, and of those beyond 500 counts; the median distance from the true place, and its rms
in reported errors along each axis. What remains with the Chandra library: 1.28 % of
the photons are in the readout streak, so fluxes are expected that much low, which a handful of realisations hardly tells from none; and off axis the centroid
of a source's photons is up to 0.35 arcsec from its place, which Gaussians about one centre do not know: places of bright sources are off by more than their
errors.

Reads the simulated observations from $GMMX_TEST_DATA (default ../shared/data beside the repository). Name parts of the table to run only them:
``python benchmarks/bench_sources.py galaxy masked realisations``.
"""

import json
import os
import sys
import time
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
from astropy.io import fits
from bench_accuracy import ANNULI, GALAXY, Truth

import gmmx
from gmmx import errors
from gmmx.answers.flags import component_flags
from gmmx.fitting.point_sources import PointSources
from gmmx.io.regions import read_regions
from gmmx.model.completeness import reference_exposure

REALISATIONS = GALAXY.parent / "realisations" / "galaxy"
PSFS = {
    "Chandra library": None,
    "psfmap": (GALAXY / "psfmap.fits.gz",),
    "psfmap, psfmap_90": (GALAXY / "psfmap.fits.gz", GALAXY / "psfmap_90.fits.gz"),
}
N_REALISATIONS = 4
THREADS = int(os.environ.get("GMMX_BENCH_THREADS", "0"))
# Sources with fewer detected photons are left out of the scatter.
LEAST_COUNTS = 50


def read(events, exposure, psf, mask=()):
    """An observation of the galaxy, and its point sources in its plane."""
    observation = gmmx.read_observation(
        events, exposure=exposure, psf=psf, mask=mask, energy_kev=(0.5, 2)
    )
    shapes = read_regions(
        GALAXY / "sources.reg", frame=observation.frame, physical=observation.physical
    )
    return observation, PointSources.of_shapes(shapes).usable(
        [observation], reference_exposure([observation.completeness])
    )[0]


class Points:
    """The sources of truth.json that left enough photons, and those of a fit beside them."""

    def __init__(self, counts=None):
        about = json.loads((GALAXY / "truth.json").read_text())
        self.counts = np.array(
            about["observations"][0]["detected_per_point"] if counts is None else counts, float
        )
        use = self.counts >= LEAST_COUNTS
        self.counts = self.counts[use]
        self.ra, self.dec, self.fluxes = (
            np.array([p[name] for p in about["points"]], float)[use]
            for name in ("ra", "dec", "flux")
        )

    def compared(self, result):
        """Offsets from the truth over the Poisson error and over the reported one, reported errors over Poisson's, and of the places; (n,) arrays."""
        x, y = result.frame.to_plane(self.ra, self.dec)
        points, fluxes = result.points, result.mixture.fluxes[result.points]
        means, errors_, place_errors = (
            result.mixture.means[points],
            result.flux_errors[points],
            result.mean_errors[points],
        )
        distances = np.hypot(means[:, :1] - x, means[:, 1:] - y)
        nearest = distances.argmin(0)
        excess = fluxes[nearest] - self.fluxes * result.reference_exposure
        poisson = self.fluxes * result.reference_exposure / np.sqrt(self.counts)
        shift = means[nearest] - np.stack([x, y], axis=1)
        return {
            "poisson": excess / poisson,
            "reported": excess / errors_[nearest],
            "errors": errors_[nearest] / poisson,
            "ratio": fluxes[nearest] / (self.fluxes * result.reference_exposure),
            "distance": distances.min(0),
            "places": shift / np.maximum(place_errors[nearest], 1e-9),
        }


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


HEAD = (
    f"  {'PSF':<18} {'K':>9}  {'flux':>6}  "
    + " ".join(f"{f'{a}-{b}':>7}" for a, b in pairwise(ANNULI))
    + '    at 2"   at 8"  flagged  | scatter  /reported  error/Poisson  mean ratio  bright  offset ["]  /reported |    s'
)


def line(label, asked, result, truth, points):
    """A row of the table."""
    two, eight = truth.differences(result)
    flagged = sum(any("wings" in word for word in words) for words in component_flags(result))
    text = (
        f"  {label:<18} {len(result.extended):>3} {asked:<5}  {truth.total(result):.4f}  "
        + " ".join(f"{v:7.4f}" for v in truth.annuli(result))
    )
    text += f"  {two:.4f}  {eight:.4f}  {flagged:>7}  |"
    if result.points.any():
        found = points.compared(result)
        bright = found["ratio"][points.counts >= 500].mean()
        weighted = np.average(found["ratio"], weights=points.counts)
        text += f" {rms(found['poisson']):>7.2f}  {rms(found['reported']):>9.2f}  {np.median(found['errors']):>13.2f}  {weighted:>10.4f}  {bright:.4f}"
        text += f"  {np.median(found['distance']):>10.3f}  {rms(found['places']):>9.2f}"
    else:
        text += " " * 70
    return text + f" | {result.seconds:4.0f}"


def galaxy(masked=False):
    """One observation, three kinds of PSF, two ways to K."""
    truth, points = Truth(), Points()
    print(
        f"\nmarx/galaxy, point sources {'masked' if masked else 'modelled'}: diffuse flux over the truth, in annuli [arcsec], half the integrated difference"
    )
    print(HEAD, flush=True)
    for label, psf in PSFS.items():
        observation, sources = read(
            GALAXY / "events.fits.gz",
            GALAXY / "expmap.fits.gz",
            psf,
            mask=GALAXY / "sources.reg" if masked else (),
        )
        for k in (None, 20):
            result = gmmx.fit(
                observation,
                n_components=k,
                point_sources=None if masked else sources,
                seed=1,
                threads=THREADS,
            )
            print(
                line(label, "auto" if k is None else f"of {k}", result, truth, points), flush=True
            )


def realisations():
    """Further observations of the same sky, with the Chandra library."""
    truth, ratios, counts = Truth(), [], []
    print(f"\nmarx/galaxy, {N_REALISATIONS} realisations, point sources modelled, Chandra library")
    print(HEAD, flush=True)
    for i in range(N_REALISATIONS):
        path = REALISATIONS / f"events_{i:02d}.fits.gz"
        with fits.open(path) as files:
            label = files["EVENTS"].data["COMP"]
        points = Points(np.bincount(label[label >= 100] - 100, minlength=40))
        observation, sources = read(path, REALISATIONS / "expmap_hp.fits.gz", None)
        result = gmmx.fit(observation, point_sources=sources, seed=1, threads=THREADS)
        print(line(f"realisation {i}", "auto", result, truth, points), flush=True)
        ratios.append(points.compared(result)["ratio"])
        counts.append(points.counts)
    ratios, counts = np.concatenate(ratios), np.concatenate(counts)
    mean, error = np.average(ratios, weights=counts), 1 / np.sqrt(counts.sum())
    print(
        f"  fluxes of all sources together over the truth: {mean:.4f} +- {error:.4f}; 0.9872 without the readout streak's photons"
    )


def main():
    wanted = sys.argv[1:] or ["galaxy", "masked", "realisations"]
    if not Path(GALAXY).is_dir():
        print(f"no simulated observations at {GALAXY}: set GMMX_TEST_DATA")
        return
    warnings.simplefilter("ignore", errors.GmmxWarning)
    began = time.perf_counter()
    for name in wanted:
        {"galaxy": galaxy, "masked": lambda: galaxy(masked=True), "realisations": realisations}[
            name
        ]()
    print(f"\n{time.perf_counter() - began:.0f} s in all")


if __name__ == "__main__":
    main()
