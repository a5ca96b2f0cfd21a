"""What the PSF as a mixture is worth: point sources of known blur, a galaxy with each kind of PSF, and what an iteration costs.

Reads the simulated observations from $GMMX_TEST_DATA (default ../shared/data beside the repository). Name parts to run only them:
``python benchmarks/bench_psf.py sources galaxy speed``.
"""

import json
import os
import sys
import tempfile
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

import gmmx
from gmmx import errors
from gmmx.commands.fit import fit
from gmmx.commands.score import score
from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Parameters, Priors
from gmmx.em.photons import PhotonLikelihood
from gmmx.model.psf import PsfModel
from gmmx.telescope.encircled import encircled_energy

DATA = (
    Path(os.environ.get("GMMX_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    / "marx"
)
GALAXY = DATA / "galaxy"
HELD_OUT = DATA / "realisations" / "galaxy" / "events_00.fits.gz"
# Within this of a point source its encircled energy is taken [arcsec].
APERTURE = 60.0
K = 15


def encircled_error(model, place, radii, shares):
    """Largest difference between a PSF's encircled energy and that of photons at given radii."""
    weights, covariances = model.at(*place)
    return np.abs(encircled_energy(weights[0], covariances[0], radii) - shares).max()


def sources():
    """Point sources on and off the axis: encircled energy, and each fitted as one component."""
    print(
        "\nmarx/psf: a point source of 1.5 keV, encircled-energy error within 60 arcsec, and fitted as one component (true size 0)"
    )
    print(f"  {'off axis':<9} {'PSF':<34} {'EE error':>8}  {'sigma':>12}  sigma/r50  flux/true")
    for name, truth in zip(
        ("00", "05", "10"),
        json.loads((DATA / "psf" / "truth.json").read_text())["points"],
        strict=True,
    ):
        observation = gmmx.read_observation(
            DATA / "psf" / f"events_{name}.fits.gz", psf="chandra", energy_kev="0.5:7"
        )
        place = observation.frame.to_plane(truth["ra"], truth["dec"])
        near = (
            np.hypot(observation.photons.x - place[0], observation.photons.y - place[1])
            < 3 * truth["r90"]
        )
        radii = np.hypot(
            observation.photons.x - observation.photons.x[near].mean(),
            observation.photons.y - observation.photons.y[near].mean(),
        )
        radii = np.sort(radii[radii < APERTURE])
        shares = np.linspace(0.01, 0.99, 99)
        models = {
            "chandra": observation.psf,
            "one Gaussian (map at ECF 0.393)": PsfModel.constant(truth["r39"]),
            "one Gaussian (map at ECF 0.9)": PsfModel.constant(
                truth["r90"] / np.sqrt(-2 * np.log(0.1))
            ),
        }
        for label, psf in models.items():
            error = encircled_error(psf, place, radii[(shares * len(radii)).astype(int)], shares)
            result = gmmx.fit(replace(observation, psf=psf), n_components=1, min_sigma=0.01, seed=1)
            sigma = np.sqrt(np.linalg.eigvalsh(result.mixture.covariances[0])[::-1])
            # As detected: without an exposure map the field has the mirrors' vignetting.
            flux = result.signal_photons / observation.n_photons
            size = f"{sigma[0]:.2f} x {sigma[1]:.2f}"
            print(
                f"  {truth['theta_arcmin']:>2} arcmin {label:<34} {error:>8.3f}  {size:>12}  {np.sqrt(sigma.prod()) / truth['r50']:>9.2f}  {flux:>9.4f}",
                flush=True,
            )


def settings():
    """PSFs of the galaxy, by what is written on the command line."""
    one, two = str(GALAXY / "psfmap.fits.gz"), str(GALAXY / "psfmap_90.fits.gz")
    return {"psfmap": (one,), "psfmap,psfmap_90": (one, two), "chandra": ("chandra",)}


def galaxy():
    """One galaxy with each PSF: held-out photons, smallest components, iterations."""
    truth = json.loads((GALAXY / "truth.json").read_text())["components"]
    small = sorted(truth, key=lambda c: c["sig_major"] * c["sig_minor"])[:4]
    print(
        f"\nmarx/galaxy, --k {K}: held-out log-likelihood over the first row's [nat in total], flux over true of the {len(small)} smallest components"
    )
    names = "  ".join(
        f'{c["name"]} {np.sqrt(c["sig_major"] * c["sig_minor"]):.1f}"'.rjust(12) for c in small
    )
    print(f"  {'PSF':<18} {'held out':>10} {names}  total   K  steps  seconds  ms/step", flush=True)
    first = None
    with tempfile.TemporaryDirectory() as folder:
        for label, psf in settings().items():
            options = {
                "exposure": (str(GALAXY / "expmap.fits.gz"),),
                "mask": (str(GALAXY / "sources.reg"),),
                "energy_kev": "0.5:2",
                "seed": 1,
            }
            out, result = fit(
                [GALAXY / "events.fits.gz"],
                Path(folder) / f"{label}.h5",
                gmmx.FitConfig(n_components=K, psf=psf, **options),
            )
            facts = score(out, [HELD_OUT])
            first = facts["score"] if first is None else first
            x, y = result.mixture.means.T
            ratios = []
            for c in small:
                cx, cy = result.frame.to_plane(c["ra"], c["dec"])
                size = np.sqrt(c["sig_major"] * c["sig_minor"])
                # Nearest in place and size.
                own = np.linalg.det(result.mixture.covariances) ** 0.25
                nearest = np.argmin(np.hypot(x - cx, y - cy) / size + np.abs(np.log(own / size)))
                ratios.append(
                    result.mixture.fluxes[nearest] / result.reference_exposure / c["flux"]
                )
            total = (
                result.mixture.fluxes.sum()
                / result.reference_exposure
                / sum(c["flux"] for c in truth)
            )
            told = "  ".join(f"{r:12.3f}" for r in ratios)
            work = f"{len(result.mixture):>3}  {result.iterations:>5}  {result.seconds:>7.1f}  {1e3 * result.seconds / result.iterations:>7.1f}"
            print(
                f"  {label:<18} {(facts['score'] - first) * facts['n_photons']:>+10.1f} {told}  {total:.3f} {work}",
                flush=True,
            )


def speed():
    """One evaluation with three Gaussians per component, over that with one."""
    observation = gmmx.read_observation(
        GALAXY / "events.fits.gz",
        exposure=GALAXY / "expmap.fits.gz",
        mask=GALAXY / "sources.reg",
        psf=settings()["psfmap"],
        energy_kev="0.5:2",
    )
    result = gmmx.fit(observation, n_components=K, seed=1, max_iter=60)
    listed = {"1 Gaussian": observation.psf}
    for label in ("psfmap,psfmap_90", "chandra"):
        listed[label] = gmmx.read_observation(
            GALAXY / "events.fits.gz", psf=settings()[label], energy_kev="0.5:2"
        ).psf
    first = None
    print(f"\none iteration, N = {len(observation.photons):,}, K = {K}")
    for label, psf in listed.items():
        prepared = PhotonLikelihood.of([replace(observation, psf=psf)])
        parameters = Parameters(
            mixture=result.mixture,
            amplitudes=(np.array([b.amplitude for b in result.observations[0].backgrounds]),),
        )
        phase = prepared.begin_phase(parameters, Priors())
        evaluate(prepared, parameters, phase)
        times = []
        for _ in range(25):
            began = time.perf_counter()
            evaluate(prepared, parameters, phase)
            times.append(time.perf_counter() - began)
        first = min(times) if first is None else first
        print(
            f"  {label:<18} {psf.n_gaussians} Gaussians: {1e3 * min(times):6.2f} ms, {min(times) / first:.2f} times one",
            flush=True,
        )


def main():
    if not DATA.is_dir():
        print(f"no simulated observations at {DATA}: set GMMX_TEST_DATA")
        return
    warnings.simplefilter("ignore", errors.GmmxWarning)
    parts = {"sources": sources, "galaxy": galaxy, "speed": speed}
    for name in sys.argv[1:] or parts:
        parts[name]()


if __name__ == "__main__":
    main()
