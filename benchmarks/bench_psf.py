"""What a PSF of several Gaussians costs, and how well it recovers sources and a galaxy.

Name parts to run only them: ``python benchmarks/bench_psf.py sources galaxy speed``.
"""

import json
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from common import MARX, run_parts, shortest
from galaxy import GALAXY, observed, realisation_path
from scores import fitted_parameters

import gmmx
from gmmx.commands.fit import fit
from gmmx.commands.score import score
from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Priors
from gmmx.em.photons import PhotonLikelihood
from gmmx.model.psf import PsfModel
from gmmx.telescope.encircled import encircled_energy

# Radius within which the encircled energy of a point source is measured [arcsec].
APERTURE = 60.0
K = 15
# The PSFs of the galaxy, by their names on the command line.
ONE, TWO = str(GALAXY / "psfmap.fits.gz"), str(GALAXY / "psfmap_90.fits.gz")
PSFS = {"psfmap": (ONE,), "psfmap,psfmap_90": (ONE, TWO), "chandra": ("chandra",)}


def sources():
    """Fit point sources on and off the axis, each as one component."""
    print(
        "\nmarx/psf: a point source of 1.5 keV, error of the encircled energy within 60 arcsec, and"
        " the fit of one component (true size 0)"
    )
    print(f"  {'off axis':<9} {'PSF':<34} {'EE error':>8}  {'sigma':>12}  sigma/r50  flux/true")
    points = json.loads((MARX / "psf" / "truth.json").read_text())["points"]
    for name, truth in zip(("00", "05", "10"), points, strict=True):
        observation = gmmx.read_observation(
            MARX / "psf" / f"events_{name}.fits.gz", psf="chandra", energy_kev="0.5:7"
        )
        of_90 = truth["r90"] / np.sqrt(-2 * np.log(0.1))
        models = {
            "chandra": observation.psf,
            "one Gaussian (map at ECF 0.393)": PsfModel.constant(truth["r39"]),
            "one Gaussian (map at ECF 0.9)": PsfModel.constant(of_90),
        }
        for label, psf in models.items():
            error = encircled_error(observation, psf, truth)
            result = gmmx.fit(replace(observation, psf=psf), n_components=1, min_sigma=0.01, seed=1)
            sigma = np.sqrt(np.linalg.eigvalsh(result.mixture.covariances[0])[::-1])
            # Detected photons are compared, because without an exposure map the field has the
            # vignetting of the mirrors.
            flux = result.signal_photons / observation.n_photons
            size = f"{sigma[0]:.2f} x {sigma[1]:.2f}"
            print(
                f"  {truth['theta_arcmin']:>2} arcmin {label:<34} {error:>8.3f}  {size:>12}"
                f"  {np.sqrt(sigma.prod()) / truth['r50']:>9.2f}  {flux:>9.4f}",
                flush=True,
            )


def encircled_error(observation, psf, truth):
    """Largest difference between the encircled energies of a PSF and of a source's photons."""
    place = observation.frame.to_plane(truth["ra"], truth["dec"])
    x, y = observation.photons.x, observation.photons.y
    near = np.hypot(x - place[0], y - place[1]) < 3 * truth["r90"]
    radii = np.sort(np.hypot(x - x[near].mean(), y - y[near].mean()))
    radii = radii[radii < APERTURE]
    fractions = np.linspace(0.01, 0.99, 99)
    weights, covariances = psf.at(*place)
    at = radii[(fractions * len(radii)).astype(int)]
    return np.abs(encircled_energy(weights[0], covariances[0], at) - fractions).max()


def galaxy():
    """Fit one galaxy with each PSF: held-out photons, smallest components, iterations."""
    truth = json.loads((GALAXY / "truth.json").read_text())["components"]
    small = sorted(truth, key=lambda c: c["sig_major"] * c["sig_minor"])[:4]
    print(
        f"\nmarx/galaxy, --k {K}: held-out log-likelihood over the first row's [nat in total], flux"
        f" over truth of the {len(small)} smallest components"
    )
    names = "  ".join(f'{c["name"]} {_size(c):.1f}"'.rjust(12) for c in small)
    print(f"  {'PSF':<18} {'held out':>10} {names}  total   K  steps  seconds  ms/step", flush=True)
    first = None
    for label, psf in PSFS.items():
        result, facts = fitted_and_scored(psf)
        first = facts["score"] if first is None else first
        ratios = "  ".join(f"{flux_over_truth(result, c):12.3f}" for c in small)
        flux = result.mixture.fluxes.sum() / result.reference_exposure
        total = flux / sum(c["flux"] for c in truth)
        print(
            f"  {label:<18} {(facts['score'] - first) * facts['n_photons']:>+10.1f} {ratios}"
            f"  {total:.3f} {len(result.mixture):>3}  {result.iterations:>5}"
            f"  {result.seconds:>7.1f}  {1e3 * result.seconds / result.iterations:>7.1f}",
            flush=True,
        )


def fitted_and_scored(psf):
    """A fit of the galaxy, and the facts of its score on another realisation."""
    config = gmmx.FitConfig(
        n_components=K,
        exposure=(str(GALAXY / "expmap.fits.gz"),),
        mask=(str(GALAXY / "sources.reg"),),
        psf=psf,
        energy_kev="0.5:2",
        seed=1,
    )
    with tempfile.TemporaryDirectory() as folder:
        out, result = fit([GALAXY / "events.fits.gz"], Path(folder) / "model.h5", config)
        return result, score(out, [realisation_path(0)])


def flux_over_truth(result, component):
    """Flux over truth of the fitted component that is nearest in position and size."""
    x, y = result.mixture.means.T
    cx, cy = result.frame.to_plane(component["ra"], component["dec"])
    own = np.linalg.det(result.mixture.covariances) ** 0.25
    size = _size(component)
    nearest = np.argmin(np.hypot(x - cx, y - cy) / size + np.abs(np.log(own / size)))
    return result.mixture.fluxes[nearest] / result.reference_exposure / component["flux"]


def _size(component):
    """Geometric mean sigma of a true component [arcsec]."""
    return np.sqrt(component["sig_major"] * component["sig_minor"])


def speed():
    """Time one evaluation with one, two and three Gaussians for each component."""
    observation = observed(psf=PSFS["psfmap"])
    parameters = fitted_parameters(gmmx.fit(observation, n_components=K, seed=1, max_iter=60))
    print(f"\none iteration, N = {len(observation.photons):,}, K = {K}")
    first = None
    for label, psf in PSFS.items():
        model = gmmx.read_observation(GALAXY / "events.fits.gz", psf=psf, energy_kev="0.5:2").psf
        prepared = PhotonLikelihood.of([replace(observation, psf=model)])
        phase = prepared.begin_phase(parameters, Priors())
        time = shortest(lambda: evaluate(prepared, parameters, phase), 25)  # noqa: B023
        first = time if first is None else first
        print(
            f"  {label:<18} {model.n_gaussians} Gaussians: {1e3 * time:6.2f} ms,"
            f" {time / first:.2f} times the first",
            flush=True,
        )


if __name__ == "__main__":
    run_parts({"sources": sources, "galaxy": galaxy, "speed": speed})
