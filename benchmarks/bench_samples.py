"""Mixtures of samples: speed and quality beside other programs, and what must come back.

``python benchmarks/bench_samples.py [PART ...] [--peers PYTHON] [--keep FILE]`` prints the table
benchmarks/samples.txt. The parts are

- speed: extreme deconvolution of 100,000 samples in 5 dimensions with 20 components and a full
  covariance for each sample: seconds per iteration and memory, beside the C code of Bovy
  (extreme-deconvolution) and pygmmis 1.1.4 from the same start; where the C code is not there,
  beside astroML, which has the same equations and takes minutes for an iteration;
- held-out: the same mixture, fitted to 20,000 and to 100,000 samples: log-likelihood of as many
  held-out samples, beside the best of five starts of the peers;
- plain: 200,000 samples without errors in 2 dimensions, 30 components, beside scikit-learn, with
  the same start and the same number of EM steps;
- selection: mean and covariance of a Gaussian behind a graded completeness, a half space and a box
  without a ball, over 20 seeds.

Times are those of the clock and, in brackets, of all cores together, which other programs on the
machine hardly change. PYTHON is the interpreter of an environment with the peers, by default
.venv-peers/bin/python; a peer that it does not have is left out. With FILE each fit of the part
held-out is kept as a row of that file, and those that it holds already are not repeated.
"""

import argparse
import sys
import tracemalloc
from pathlib import Path

import numpy as np
from common import ROOT, machine
from held_out import held_out
from sample_fits import drawn, job_of, mean_log, peer, steps

import gmmx
from gmmx.model.mixture import Mixture
from gmmx.model.samples import Samples

# Iterations of the peers that are timed, beyond the first, which is taken off as the start-up.
TIMED = {"extreme-deconvolution": 4, "pygmmis": 1, "astroml": 1}
# Iterations of gmmx, and repetitions, of which the fastest counts.
ITERATIONS, REPEATS = 20, 3


def speed(given):
    """Seconds per iteration of extreme deconvolution, and memory."""
    warm = drawn(np.random.default_rng(0), 500, 5, 2)
    steps(Samples(x=warm[0], covariances=warm[1]), warm[2], 1)
    n, d, k = 100_000, 5, 20
    x, noise, mixture = drawn(np.random.default_rng(1), n, d, k)
    size = (x.nbytes + noise.nbytes) / 1e6
    tracemalloc.start()
    samples = Samples(x=x, covariances=noise)
    steps(samples, mixture, 1)
    more = tracemalloc.get_traced_memory()[1] / 1e6 + size
    tracemalloc.stop()
    fits = [steps(samples, mixture, ITERATIONS) for _ in range(REPEATS)]
    own = min(f.seconds for f in fits) / ITERATIONS, min(f.cpu for f in fits) / ITERATIONS
    print(f"extreme deconvolution, N = {n:,}, D = {d}, K = {k}, full noise covariances")
    print(
        f"  {'gmmx':21s} {own[0]:8.3f} s per iteration ({own[1]:.3f}); memory of the input and of "
        f"the fit together {more / size:.1f} x the input",
        flush=True,
    )
    job, has_run = job_of(x, noise, mixture), set()
    for name in TIMED:
        if name == "astroml" and "extreme-deconvolution" in has_run:
            continue
        found = _per_iteration(given.peers, name, job)
        if found is None:
            continue
        has_run.add(name)
        seconds, cpu, after = found
        same = steps(samples, mixture, 1 + TIMED[name]).mixture
        print(
            f"  {name:21s} {seconds:8.3f} s per iteration ({cpu:.3f}): {seconds / own[0]:.0f} "
            f"({cpu / own[1]:.0f}) x gmmx; largest difference of the means after "
            f"{1 + TIMED[name]} iterations {np.abs(after.means - same.means).max():.0e}",
            flush=True,
        )


def _per_iteration(python, name, job):
    """Seconds and processor seconds of an iteration, and the mixture; None if it cannot run.

    Of each of the two runs the fastest repetition counts.
    """
    more, runs = TIMED[name], []
    repeats = REPEATS if more > 1 else 1
    for iterations in (1, 1 + more):
        fits = []
        for _ in range(repeats):
            fits.append(peer(python, name, job, iterations))
            if fits[-1] is None:
                return None
        runs.append((min(f.seconds for f in fits), min(f.cpu for f in fits), fits[-1].mixture))
    (first, first_cpu, _), (last, last_cpu, after) = runs
    return (last - first) / more, (last_cpu - first_cpu) / more, after


def part_held_out(given):
    """Log-likelihood of held-out samples, beside the best of the peers' starts."""
    held_out(given.peers, given.keep)


def plain(given):
    """Speed and log-likelihood beside scikit-learn after the same EM steps."""
    n, d, k, iterations = 200_000, 2, 30, 30
    rng = np.random.default_rng(2)
    x, _, _ = drawn(rng, n, d, k, noisy=False)
    start = Mixture(
        fluxes=np.full(k, 1 / k), means=x[:k], covariances=np.tile(np.cov(x.T) / k, (k, 1, 1))
    )
    steps(Samples(x=x[:1000]), start, 1)
    own = steps(Samples(x=x), start, iterations)
    value = mean_log(x, None, own.mixture)
    print(f"plain mixture, N = {n:,}, D = {d}, K = {k}, {iterations} EM steps")
    print(
        f"  gmmx         {own.seconds:7.2f} s ({own.cpu:.2f}), log-likelihood of a sample "
        f"{value:.9f}"
    )
    found = peer(given.peers, "scikit-learn", job_of(x, None, start), iterations)
    if found is not None:
        other = mean_log(x, None, found.mixture)
        print(
            f"  scikit-learn {found.seconds:7.2f} s ({found.cpu:.2f}), log-likelihood of a sample "
            f"{other:.9f}: {found.seconds / own.seconds:.1f} ({found.cpu / own.cpu:.1f}) x gmmx, "
            f"relative difference {abs(value / other - 1):.1e}"
        )


def selection(_given):
    """Mean and covariance of a unit Gaussian behind a completeness, over 20 seeds."""
    omegas = {
        "graded": lambda x: np.clip(0.5 - 0.25 * x[:, 0], 0.02, 1),
        "half space": lambda x: x[:, 0] < 0.5,
        "box, no ball": lambda x: np.all(np.abs(x) < 2, axis=1) & ((x**2).sum(1) > 0.2),
    }
    print("one Gaussian of 3,000 samples behind a completeness, 20 seeds: largest pull [sigma]")
    for name, omega in omegas.items():
        for d in (1, 2, 5):
            means, covariances = [], []
            for seed in range(20):
                rng = np.random.default_rng(seed)
                x = rng.normal(size=(3000, d))
                x = x[rng.random(3000) < omega(x)]
                found = gmmx.fit_samples(x, n_components=1, completeness=omega).mixture
                means.append(found.means[0])
                covariances.append(found.covariances[0][np.tril_indices(d)])
            pulls = [
                np.abs((np.mean(v, 0) - truth) / (np.std(v, 0, ddof=1) / np.sqrt(20)))
                for v, truth in ((means, 0.0), (covariances, np.eye(d)[np.tril_indices(d)]))
            ]
            print(
                f"  {name:12s} D = {d}: mean {pulls[0].max():.1f} of {len(pulls[0])}, "
                f"covariance {pulls[1].max():.1f} of {len(pulls[1])}",
                flush=True,
            )


PARTS = {"speed": speed, "held-out": part_held_out, "plain": plain, "selection": selection}


def main():
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS])
    parser.add_argument("--peers", default=str(ROOT / ".venv-peers" / "bin" / "python"))
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    print(machine())
    for name in given.parts or PARTS:
        PARTS[name](given)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
