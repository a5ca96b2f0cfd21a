"""Mixtures of samples: speed and quality beside other programs, and what must come back.

``python benchmarks/bench_samples.py [PART ...] [--peers PYTHON]`` prints the table
benchmarks/samples.txt. The parts are

- speed: extreme deconvolution of 100,000 samples in 5 dimensions with 20 components and a full
  covariance for each sample: seconds per iteration and memory, beside astroML and pygmmis 1.1.4;
- held-out: the same mixture with fewer samples: log-likelihood of held-out samples, beside the
  best of five starts of the peers;
- plain: 200,000 samples without errors in 2 dimensions, 30 components, beside scikit-learn, with
  the same start and the same number of EM steps;
- selection: mean and covariance of a Gaussian behind a graded completeness, a half space and a box
  without a ball, over 20 seeds.

Times are those of the clock and, in brackets, of all cores together, which other programs on the
machine hardly change. PYTHON is the interpreter of an environment with the peers, by default
.venv-peers/bin/python.
"""

import argparse
import subprocess
import sys
import tempfile
import time
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
from common import ROOT, machine

import gmmx
from gmmx._kernels.threads import Pace
from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Priors
from gmmx.em.samples import SampleLikelihood
from gmmx.model.mixture import Mixture
from gmmx.model.samples import Samples

HERE = Path(__file__).resolve().parent
OFF = Priors(mean_count=0.0, covariance_count=0.0, min_sigma=1e-9)
STARTS = 5


def drawn(rng, n, d, k, *, noisy=True):
    """Samples of a mixture of k overlapping components, their noise, and the mixture."""
    root = rng.normal(size=(k, d, d)) * 0.6
    mixture = Mixture(
        fluxes=rng.dirichlet(np.full(k, 3.0)),
        means=rng.normal(0, 2.5, (k, d)),
        covariances=root @ np.swapaxes(root, 1, 2) + 0.1 * np.eye(d),
    )
    x = mixture.sample(n, rng)
    if not noisy:
        return x, None, mixture
    root = rng.normal(size=(n, d, d)) * 0.3
    noise = root @ np.swapaxes(root, 1, 2) + 0.01 * np.eye(d)
    x += np.einsum("nij,nj->ni", np.linalg.cholesky(noise), rng.normal(size=(n, d)))
    return x, noise, mixture


def peer(python, name, job, iterations, seed=0):
    """A fit of another program: its mixture and its seconds, or None if it cannot run."""
    with tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/job.npz", **{key: v for key, v in job.items() if v is not None})
        files = [f"{folder}/job.npz", f"{folder}/out.npz"]
        command = [python, HERE / "peer_samples.py", name, *files, str(iterations), str(seed)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            print(f"  {name}: could not run: {done.stderr.strip().splitlines()[-1:]}")
            return None
        found = np.load(files[1])
        mixture = Mixture(fluxes=found["amp"], means=found["mean"], covariances=found["covar"])
        return mixture, float(found["seconds"]), float(found["cpu"])


def steps(samples, mixture, n):
    """The mixture after n plain EM steps, and their seconds by the clock and of all cores."""
    likelihood = SampleLikelihood.of(samples)
    scaled = Mixture(
        fluxes=mixture.fluxes / mixture.fluxes.sum() * len(samples),
        means=mixture.means,
        covariances=mixture.covariances,
    )
    parameters = likelihood.parameters(scaled)
    phase = likelihood.begin_phase(parameters, OFF)
    pace = Pace()
    began, cpu = time.perf_counter(), time.process_time()
    for _ in range(n):
        parameters = pace(evaluate, likelihood, parameters, phase).successor
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return likelihood.scaling.mixture_back(parameters.mixture), seconds, cpu


def mean_log(x, noise, mixture):
    """Mean log-likelihood of samples under a normalised mixture [nat]."""
    likelihood = SampleLikelihood.of(Samples(x=x, covariances=noise))
    parameters = likelihood.parameters(mixture)
    (logs,) = likelihood.log_densities(parameters, None)
    return float(logs.mean() - np.log(mixture.fluxes.sum()))


def speed(python):
    """Seconds per iteration of extreme deconvolution, and memory."""
    warm = drawn(np.random.default_rng(0), 500, 5, 2)
    steps(Samples(x=warm[0], covariances=warm[1]), warm[2], 1)
    n, d, k = 100_000, 5, 20
    x, noise, mixture = drawn(np.random.default_rng(1), n, d, k)
    size = (x.nbytes + noise.nbytes) / 1e6
    tracemalloc.start()
    steps(Samples(x=x, covariances=noise), mixture, 1)
    more = tracemalloc.get_traced_memory()[1] / 1e6 + size
    tracemalloc.stop()
    _, seconds, cpu = steps(Samples(x=x, covariances=noise), mixture, 10)
    print(f"extreme deconvolution, N = {n:,}, D = {d}, K = {k}, full noise covariances")
    print(
        f"  gmmx         {seconds / 10:8.3f} s per iteration ({cpu / 10:.3f}); memory of the input"
        f" and of the fit together {more / size:.1f} x the input",
        flush=True,
    )
    job = {
        "x": x,
        "noise": noise,
        "amp": mixture.fluxes,
        "mean": mixture.means,
        "covar": mixture.covariances,
    }
    for name, iterations in (("pygmmis", 3), ("astroml", 1)):
        found = peer(python, name, job, iterations)
        if found is not None:
            each, own = found[1] / iterations, found[2] / iterations
            print(
                f"  {name:12s} {each:8.3f} s per iteration ({own:.3f}): "
                f"{each / seconds * 10:.0f} ({own / cpu * 10:.0f}) x gmmx",
                flush=True,
            )


def held_out(python):
    """Log-likelihood of held-out samples, beside the best of the peers' starts."""
    n, d, k = 5_000, 5, 20
    x, noise, truth = drawn(np.random.default_rng(1), 2 * n, d, k)
    training, test = (x[:n], noise[:n]), (x[n:], noise[n:])
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = gmmx.fit_samples(*training, n_components=k, seed=1)
    print(f"held-out log-likelihood of a sample, N = {n:,}, D = {d}, K = {k} [nat]")
    print(f"  truth        {mean_log(*test, truth):.4f}")
    seconds = time.perf_counter() - began
    print(f"  gmmx         {mean_log(*test, result.mixture):.4f}  ({seconds:.0f} s)")
    for name, iterations in (("pygmmis", 100), ("astroml", 60)):
        job = {"x": training[0], "noise": training[1], "k": np.array(k)}
        values, seconds = [], 0.0
        for seed in range(STARTS):
            found = peer(python, name, job, iterations, seed)
            if found is None:
                break
            values.append(mean_log(*test, found[0]))
            seconds += found[1]
        if values:
            listed = ", ".join(f"{v:.4f}" for v in values)
            print(f"  {name:12s} {max(values):.4f}  ({seconds:.0f} s; starts: {listed})")


def plain(python):
    """Speed and log-likelihood beside scikit-learn after the same EM steps."""
    n, d, k, iterations = 200_000, 2, 30, 30
    rng = np.random.default_rng(2)
    x, _, _ = drawn(rng, n, d, k, noisy=False)
    start = Mixture(
        fluxes=np.full(k, 1 / k), means=x[:k], covariances=np.tile(np.cov(x.T) / k, (k, 1, 1))
    )
    steps(Samples(x=x[:1000]), start, 1)
    mixture, seconds, cpu = steps(Samples(x=x), start, iterations)
    value = mean_log(x, None, mixture)
    print(f"plain mixture, N = {n:,}, D = {d}, K = {k}, {iterations} EM steps")
    print(f"  gmmx         {seconds:7.2f} s ({cpu:.2f}), log-likelihood of a sample {value:.9f}")
    job = {"x": x, "amp": start.fluxes, "mean": start.means, "covar": start.covariances}
    found = peer(python, "scikit-learn", job, iterations)
    if found is not None:
        other = mean_log(x, None, found[0])
        print(
            f"  scikit-learn {found[1]:7.2f} s ({found[2]:.2f}), log-likelihood of a sample "
            f"{other:.9f}: {found[1] / seconds:.1f} ({found[2] / cpu:.1f}) x gmmx, relative "
            f"difference {abs(value / other - 1):.1e}"
        )


def selection(_python):
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


PARTS = {"speed": speed, "held-out": held_out, "plain": plain, "selection": selection}


def main():
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS])
    parser.add_argument("--peers", default=str(ROOT / ".venv-peers" / "bin" / "python"))
    given = parser.parse_args()
    print(machine())
    for name in given.parts or PARTS:
        PARTS[name](given.peers)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
