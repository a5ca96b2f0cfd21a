"""How time and memory grow with the number of photons and of components; draws scaling.png.

The photons are those of marx/galaxy, or of "ngc4636" where that is missing, drawn again with
replacement and moved by 0.25 arcsec. The components are those of "ngc4636" and smaller ones at
random positions in its field.
"""

import os
import time
import warnings
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
from cases import ngc4636
from common import machine, shortest
from galaxy import GALAXY, observed
from matplotlib.figure import Figure

from gmmx._kernels.threads import threads_at_most
from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Parameters, Priors
from gmmx.em.photons import PhotonLikelihood
from gmmx.errors import GmmxWarning
from gmmx.model.mixture import Mixture
from gmmx.model.photons import Photons

PHOTONS = (150_000, 300_000, 600_000, 1_200_000, 3_000_000)
COMPONENTS = (10, 30, 60, 100, 180, 300)
K, N = 60, PHOTONS[0]
OUT = Path(__file__).with_name("scaling.png")
THREADS = f"{os.cpu_count()} threads"


def resampled(observation, n, rng):
    """Draw n photons from an observation, and move each so that none coincide."""
    photons = observation.photons
    x, y = np.empty(0), np.empty(0)
    while len(x) < n:
        i = rng.integers(len(photons), size=n - len(x))
        new_x = photons.x[i] + rng.normal(0, 0.25, len(i))
        new_y = photons.y[i] + rng.normal(0, 0.25, len(i))
        inside = observation.completeness.effective_at(new_x, new_y) > 0
        x, y = np.concatenate([x, new_x[inside]]), np.concatenate([y, new_y[inside]])
    return replace(observation, photons=Photons(x, y))


def made_parameters(mixture, n_photons, k):
    """Parameters of k components: the broadest of a mixture, and then small ones at random."""
    rng = np.random.default_rng(4)
    order = np.argsort(-np.linalg.det(mixture.covariances), kind="stable")
    broad = mixture.select(order[: min(k, len(mixture))])
    extra = max(k - len(mixture), 0)
    sigma = np.exp(rng.uniform(np.log(1), np.log(14), extra))
    fluxes = np.concatenate([broad.fluxes, np.full(extra, np.median(mixture.fluxes))])
    small = sigma[:, None, None] ** 2 * np.eye(2)
    return Parameters(
        mixture=Mixture(
            fluxes=fluxes * 0.7 * n_photons / fluxes.sum(),
            means=np.concatenate([broad.means, rng.uniform(-330, 330, (extra, 2))]),
            covariances=np.concatenate([broad.covariances, small]),
        ),
        amplitudes=(np.array([1e-3 * n_photons / 4e5]),),
    )


def seconds(prepared, parameters, repeats):
    """Shortest time of an iteration on one thread and on all, without the start of a phase."""
    phase = prepared.begin_phase(parameters, Priors())
    times = []
    for threads in (1, 0):
        with threads_at_most(threads):
            times.append(shortest(lambda: evaluate(prepared, parameters, phase), repeats))
    return times


def array_bytes(prepared):
    """Bytes of the arrays of an iteration, completeness included, and of the photons as read."""
    arrays = [*(getattr(prepared, f.name) for f in fields(prepared)), *prepared.tiled]
    arrays.append(prepared.pyramid.values)
    photons = prepared.observation.photons
    read = photons.x.nbytes + photons.y.nbytes + photons.weights.nbytes
    return sum(a.nbytes for a in arrays if isinstance(a, np.ndarray)), read


def by_photons(source, mixture, rng):
    """Print a row for each number of photons; the times by that number."""
    print(
        f"  {'N':>10s}{'ms':>10s}{'over linear':>13s}{THREADS:>11s}{'bytes/photon':>14s}"
        f"{'as read':>10s}{'prepare s':>11s}   K = {K}"
    )
    times = {}
    for n in PHOTONS:
        observation = resampled(source, n, rng)
        began = time.perf_counter()
        prepared = PhotonLikelihood.of([observation])
        took = time.perf_counter() - began
        parameters = made_parameters(mixture, observation.n_photons, K)
        one, every = times[n] = seconds(prepared, parameters, 12)
        over = one / times[N][0] * N / n
        engine, read = array_bytes(prepared[0])
        print(
            f"  {n:10,d}{1e3 * one:10.1f}{over:13.2f}{1e3 * every:11.1f}{engine / n:14.1f}"
            f"{read / n:10.1f}{took:11.2f}",
            flush=True,
        )
    return times


def by_components(source, mixture, rng):
    """Print a row for each number of components; the times by that number."""
    observation = resampled(source, N, rng)
    prepared = PhotonLikelihood.of([observation])
    print(f"  {'K':>10s}{'ms':>10s}{'over linear':>13s}{THREADS:>11s}   N = {N:,}")
    times = {}
    for k in COMPONENTS:
        parameters = made_parameters(mixture, observation.n_photons, k)
        one, every = times[k] = seconds(prepared, parameters, 40)
        over = one / times[COMPONENTS[0]][0] * COMPONENTS[0] / k
        print(f"  {k:10d}{1e3 * one:10.1f}{over:13.2f}{1e3 * every:11.1f}", flush=True)
    return times


def draw(panels):
    """Draw times over numbers beside a line of slope 1, one panel for each label."""
    figure = Figure(figsize=(9, 3.6), facecolor="white")
    for axes, (label, times) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        n = np.array(sorted(times))
        one, every = 1e3 * np.array([times[i] for i in n]).T
        axes.loglog(n, one, "o-", color="#20639b", label="one EM iteration, 1 thread")
        axes.loglog(n, every, "s-", color="#ed553b", label=THREADS)
        axes.loglog(n, one[0] * n / n[0], "--", color="0.6", label="in proportion")
        axes.set_xlabel(label)
        axes.set_ylabel("milliseconds")
        axes.grid(alpha=0.3, which="both")
        axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(OUT, dpi=100)


def main():
    warnings.simplefilter("ignore", GmmxWarning)
    case, rng = ngc4636(), np.random.default_rng(3)
    source, name = (observed(), "marx/galaxy") if GALAXY.is_dir() else (case.train, "ngc4636")
    print(machine())
    print(f"photons of {name}, resampled")
    mixture = case.truth.mixture
    panels = {
        f"photons N (K = {K})": by_photons(source, mixture, rng),
        f"components K (N = {N:,})": by_components(source, mixture, rng),
    }
    draw(panels)
    print(f"drawn in {OUT.name}, {OUT.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
