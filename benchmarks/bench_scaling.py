"""How the time of an EM iteration and the engine's memory follow the number of photons and of components; draws benchmarks/scaling.png.

Photons are those of marx/galaxy, from $GMMX_TEST_DATA (default ../shared/data beside the repository), drawn again with replacement and moved by 0.25 arcsec; of
"ngc4636" where the former is absent. Components are those of "ngc4636" and smaller ones strewn over its field, up to the number that is wanted.
"""

import os
import time
import warnings
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
from bench_accuracy import GALAXY, observed
from cases import ngc4636
from matplotlib.figure import Figure

from gmmx import errors
from gmmx._kernels.threads import threads_at_most
from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Parameters, Priors
from gmmx.em.photons import PhotonLikelihood
from gmmx.model.mixture import Mixture
from gmmx.model.photons import Photons

PHOTONS = (150_000, 300_000, 600_000, 1_200_000, 3_000_000)
COMPONENTS = (10, 30, 60, 100, 180, 300)
OUT = Path(__file__).with_name("scaling.png")


def resampled(observation, n, rng):
    """n photons drawn from an observation's, each moved within the field so that none coincide."""
    x, y = np.empty(0), np.empty(0)
    while len(x) < n:
        i = rng.integers(len(observation.photons), size=n - len(x))
        more = (
            observation.photons.x[i] + rng.normal(0, 0.25, len(i)),
            observation.photons.y[i] + rng.normal(0, 0.25, len(i)),
        )
        inside = observation.completeness.effective_at(*more) > 0
        x, y = np.concatenate([x, more[0][inside]]), np.concatenate([y, more[1][inside]])
    return replace(
        observation,
        photons=Photons(x, y, weights=np.ones(n)),
    )


def model(case, observation, k, rng):
    """k components as a fit would have them: a few broad ones, and the more the smaller."""
    mixture = case.truth.mixture
    order = np.argsort(-np.linalg.det(mixture.covariances), kind="stable")
    broad = mixture.select(order[: min(k, len(mixture))])
    extra = max(k - len(mixture), 0)
    sigma = np.exp(rng.uniform(np.log(1), np.log(14), extra))
    fluxes = np.concatenate([broad.fluxes, np.full(extra, np.median(mixture.fluxes))])
    total = observation.n_photons * 0.7
    return Parameters(
        mixture=Mixture(
            fluxes=fluxes * total / fluxes.sum(),
            means=np.concatenate([broad.means, rng.uniform(-330, 330, (extra, 2))]),
            covariances=np.concatenate([broad.covariances, sigma[:, None, None] ** 2 * np.eye(2)]),
        ),
        amplitudes=(np.array([1e-3 * observation.n_photons / 4e5]),),
    )


def seconds(prepared, parameters, repeats):
    """Shortest time of an iteration on one thread and on all; what is fixed within a phase is not in it."""
    phase = prepared.begin_phase(parameters, Priors())
    shortest = []
    for threads in (1, 0):
        with threads_at_most(threads):
            times = []
            for _ in range(repeats):
                began = time.perf_counter()
                evaluate(prepared, parameters, phase)
                times.append(time.perf_counter() - began)
        shortest.append(min(times))
    return shortest


def array_bytes(prepared):
    """Bytes of the arrays that an iteration works on, those of the completeness included, and of the photons as they were read."""
    arrays = [*(getattr(prepared, f.name) for f in fields(prepared)), *prepared.tiled]
    arrays.append(prepared.pyramid.values)
    read = tuple(getattr(prepared.observation.photons, name) for name in ("x", "y", "weights"))
    return sum(a.nbytes for a in arrays if isinstance(a, np.ndarray)), sum(a.nbytes for a in read)


def picture(by_photons, by_components):
    """Both curves beside the slope of 1."""
    figure = Figure(figsize=(9, 3.6), facecolor="white")
    for panel, (values, label) in enumerate(
        ((by_photons, "photons N (K = 60)"), (by_components, "components K (N = 150,000)"))
    ):
        n = np.array(sorted(values))
        one, every = 1e3 * np.array([values[i] for i in n]).T
        axes = figure.add_subplot(1, 2, panel + 1)
        axes.loglog(n, one, "o-", color="#20639b", label="one EM iteration, 1 thread")
        axes.loglog(n, every, "s-", color="#ed553b", label=f"{os.cpu_count()} threads")
        axes.loglog(n, one[0] * n / n[0], "--", color="0.6", label="in proportion")
        axes.set_xlabel(label)
        axes.set_ylabel("milliseconds")
        axes.grid(alpha=0.3, which="both")
        axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(OUT, dpi=100)


def main():
    warnings.simplefilter("ignore", errors.GmmxWarning)
    case, rng = ngc4636(), np.random.default_rng(3)
    source = (
        observed(GALAXY / "events.fits.gz", GALAXY / "expmap.fits.gz")
        if GALAXY.is_dir()
        else case.train
    )
    print(f"photons of {'marx/galaxy' if GALAXY.is_dir() else 'ngc4636'}, resampled")
    by_photons, by_components = {}, {}
    print(
        f"  {'N':>10s}{'ms':>10s}{'over linear':>13s}{f'{os.cpu_count()} threads':>11s}{'bytes/photon':>14s}{'as read':>10s}{'prepare s':>11s}   K = 60"
    )
    for n in PHOTONS:
        observation = resampled(source, n, rng)
        began = time.perf_counter()
        prepared = PhotonLikelihood.of([observation])
        took = time.perf_counter() - began
        one, every = by_photons[n] = seconds(
            prepared, model(case, observation, 60, np.random.default_rng(4)), 12
        )
        over = one / by_photons[PHOTONS[0]][0] * PHOTONS[0] / n
        engine, read = array_bytes(prepared[0])
        print(
            f"  {n:10,d}{1e3 * one:10.1f}{over:13.2f}{1e3 * every:11.1f}{engine / n:14.1f}{read / n:10.1f}{took:11.2f}",
            flush=True,
        )
    observation = resampled(source, PHOTONS[0], rng)
    prepared = PhotonLikelihood.of([observation])
    print(
        f"  {'K':>10s}{'ms':>10s}{'over linear':>13s}{f'{os.cpu_count()} threads':>11s}   N = {PHOTONS[0]:,}"
    )
    for k in COMPONENTS:
        one, every = by_components[k] = seconds(
            prepared, model(case, observation, k, np.random.default_rng(4)), 40
        )
        over = one / by_components[COMPONENTS[0]][0] * COMPONENTS[0] / k
        print(f"  {k:10d}{1e3 * one:10.1f}{over:13.2f}{1e3 * every:11.1f}", flush=True)
    picture(by_photons, by_components)
    print(f"drawn in {OUT.name}, {OUT.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
