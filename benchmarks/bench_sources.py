"""What modelled point sources change, compared with masked ones: the simulated galaxy.

The columns left of the bar are those of the diffuse emission. The columns right of the bar
concern the point sources with at least 50 detected photons:

- scatter, /reported: rms of F - F_true over F_true / sqrt(counts), and over the reported error;
- error/Poisson: median of the reported errors over F_true / sqrt(counts);
- mean ratio, bright: mean F / F_true, weighted by counts, and that of sources with 500 counts;
- offset, /reported: median distance from the true position, and the rms of the offsets along each
  axis in units of the reported errors.

Two differences from the truth remain with the Chandra library. The readout streak contains 1.28 %
of the photons, so that fluxes are expected to be low by as much, which four realisations hardly
tell from zero. Off axis the centroid of a source's photons is up to 0.35 arcsec from its position,
which concentric Gaussians do not describe: offsets of bright sources exceed their errors.

Name parts to run only them: ``python benchmarks/bench_sources.py galaxy masked realisations``.
"""

import json
import os

import numpy as np
from astropy.io import fits
from common import run_parts
from galaxy import GALAXY, REALISATIONS, RINGS, Truth, realisation_path

import gmmx
from gmmx.answers.flags import component_flags
from gmmx.io.regions import read_regions
from gmmx.model.completeness import reference_exposure

PSFS = {
    "Chandra library": None,
    "psfmap": (GALAXY / "psfmap.fits.gz",),
    "psfmap, psfmap_90": (GALAXY / "psfmap.fits.gz", GALAXY / "psfmap_90.fits.gz"),
}
N_REALISATIONS = 4
THREADS = int(os.environ.get("GMMX_BENCH_THREADS", "0"))
# Sources with fewer detected photons are left out of the statistics; brighter ones are bright.
LEAST_COUNTS, BRIGHT_COUNTS = 50, 500
TITLE = (
    f"  {'PSF':<18} {'K':>9}  {'flux':>6}  "
    + " ".join(f"{ring:>7}" for ring in RINGS)
    + '    at 2"   at 8"  flagged  | scatter  /reported  error/Poisson  mean ratio  bright'
    + '  offset ["]  /reported |    s'
)


def read(events, exposure, psf, mask=()):
    """Read an observation of the galaxy, and its point sources in the same plane."""
    observation = gmmx.read_observation(
        events, exposure=exposure, psf=psf, mask=mask, energy_kev=(0.5, 2)
    )
    shapes = read_regions(
        GALAXY / "sources.reg", frame=observation.frame, physical=observation.physical
    )
    reference = reference_exposure([observation.completeness])
    sources, _ = gmmx.PointSources.of_shapes(shapes).usable([observation], reference)
    return observation, sources


class TruePoints:
    """The true point sources with enough detected photons."""

    def __init__(self, counts=None):
        about = json.loads((GALAXY / "truth.json").read_text())
        if counts is None:
            counts = about["observations"][0]["detected_per_point"]
        counts = np.array(counts, float)
        use = counts >= LEAST_COUNTS
        self.counts = counts[use]
        self.ra, self.dec, self.fluxes = (
            np.array([p[name] for p in about["points"]], float)[use]
            for name in ("ra", "dec", "flux")
        )

    def compared(self, result):
        """Compare each source with the nearest fitted one.

        Returns
        -------
        dict of str to (n,) array
            "poisson" and "reported": offsets of the flux over the Poisson error and over the
            reported error. "errors": reported over Poisson errors. "ratio": flux over truth.
            "distance" [arcsec]. "places", (n, 2): offsets of the position over reported errors.
        """
        x, y = result.frame.to_plane(self.ra, self.dec)
        points = result.points
        fluxes, means = result.mixture.fluxes[points], result.mixture.means[points]
        flux_errors, mean_errors = result.flux_errors[points], result.mean_errors[points]
        distances = np.hypot(means[:, :1] - x, means[:, 1:] - y)
        nearest = distances.argmin(0)
        true = self.fluxes * result.reference_exposure
        excess = fluxes[nearest] - true
        poisson = true / np.sqrt(self.counts)
        shift = means[nearest] - np.stack([x, y], axis=1)
        return {
            "poisson": excess / poisson,
            "reported": excess / flux_errors[nearest],
            "errors": flux_errors[nearest] / poisson,
            "ratio": fluxes[nearest] / true,
            "distance": distances.min(0),
            "places": shift / np.maximum(mean_errors[nearest], 1e-9),
        }


def rms(values):
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(values))))


def row(label, asked, result, truth, points):
    """Format a row of the table."""
    two, eight = truth.differences(result)
    flagged = sum(any("wings" in word for word in words) for words in component_flags(result))
    text = (
        f"  {label:<18} {len(result.extended):>3} {asked:<5}  {truth.total(result):.4f}  "
        + " ".join(f"{v:7.4f}" for v in truth.annuli(result))
        + f"  {two:.4f}  {eight:.4f}  {flagged:>7}  |"
    )
    if not result.points.any():
        return f"{text}{'':70} | {result.seconds:4.0f}"
    found = points.compared(result)
    bright = found["ratio"][points.counts >= BRIGHT_COUNTS].mean()
    weighted = np.average(found["ratio"], weights=points.counts)
    return (
        f"{text} {rms(found['poisson']):>7.2f}  {rms(found['reported']):>9.2f}"
        f"  {np.median(found['errors']):>13.2f}  {weighted:>10.4f}  {bright:.4f}"
        f"  {np.median(found['distance']):>10.3f}  {rms(found['places']):>9.2f}"
        f" | {result.seconds:4.0f}"
    )


def galaxy(masked=False):
    """Fit one observation with three kinds of PSF, with K chosen and given."""
    truth, points = Truth(), TruePoints()
    print(
        f"\nmarx/galaxy, point sources {'masked' if masked else 'modelled'}: diffuse flux over the"
        " truth, in annuli [arcsec], half the integrated difference"
    )
    print(TITLE, flush=True)
    for label, psf in PSFS.items():
        observation, sources = read(
            GALAXY / "events.fits.gz",
            GALAXY / "expmap.fits.gz",
            psf,
            mask=GALAXY / "sources.reg" if masked else (),
        )
        for k, asked in (("auto", "auto"), (20, "of 20")):
            result = gmmx.fit(
                observation,
                n_components=k,
                sources=None if masked else sources,
                seed=1,
                threads=THREADS,
            )
            print(row(label, asked, result, truth, points), flush=True)


def masked():
    """Fit the same observation with its point sources masked."""
    galaxy(masked=True)


def realisations():
    """Fit further observations of the same sky with the Chandra library."""
    truth, ratios, counts = Truth(), [], []
    print(f"\nmarx/galaxy, {N_REALISATIONS} realisations, point sources modelled, Chandra library")
    print(TITLE, flush=True)
    for i in range(N_REALISATIONS):
        path = realisation_path(i)
        with fits.open(path) as files:
            label = files["EVENTS"].data["COMP"]
        points = TruePoints(np.bincount(label[label >= 100] - 100, minlength=40))
        observation, sources = read(path, REALISATIONS / "expmap_hp.fits.gz", None)
        result = gmmx.fit(observation, sources=sources, seed=1, threads=THREADS)
        print(row(f"realisation {i}", "auto", result, truth, points), flush=True)
        ratios.append(points.compared(result)["ratio"])
        counts.append(points.counts)
    ratios, counts = np.concatenate(ratios), np.concatenate(counts)
    mean, error = np.average(ratios, weights=counts), 1 / np.sqrt(counts.sum())
    print(
        f"  fluxes of all sources together over the truth: {mean:.4f} +- {error:.4f}; expected:"
        " 0.9872, because the photons in the readout streak are lost"
    )


if __name__ == "__main__":
    run_parts({"galaxy": galaxy, "masked": masked, "realisations": realisations})
