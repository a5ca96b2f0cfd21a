"""Mixtures of samples that the benchmarks draw, and fits of them by gmmx and by other programs."""

import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gmmx._kernels.threads import Pace
from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Priors
from gmmx.em.samples import SampleLikelihood
from gmmx.model.mixture import Mixture
from gmmx.model.samples import Samples

HERE = Path(__file__).resolve().parent
OFF = Priors(mean_count=0.0, covariance_count=0.0, min_sigma=1e-9)


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted mixture, and its time by the clock and of all cores [s]."""

    mixture: Mixture
    seconds: float
    cpu: float


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


def job_of(x, noise, start=None, n_components=None):
    """What another program is asked to fit, from a common start or from one of its own."""
    job = {"x": x} if noise is None else {"x": x, "noise": noise}
    if start is None:
        return {**job, "k": np.array(n_components)}
    return {**job, "amp": start.fluxes, "mean": start.means, "covar": start.covariances}


def peer(python, name, job, iterations, seed=0):
    """A `Fit` of another program, or None, after a line that says why, if it cannot run."""
    with tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/job.npz", **job)
        files = [f"{folder}/job.npz", f"{folder}/out.npz"]
        command = [python, HERE / "peer_samples.py", name, *files, str(iterations), str(seed)]
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except OSError as error:
            print(f"  {name}: could not run: {error}", flush=True)
            return None
        if done.returncode:
            reason = " ".join(done.stderr.strip().splitlines()[-1:])
            print(f"  {name}: could not run: {reason}", flush=True)
            return None
        found = np.load(files[1])
        mixture = Mixture(fluxes=found["amp"], means=found["mean"], covariances=found["covar"])
        return Fit(mixture, float(found["seconds"]), float(found["cpu"]))


def steps(samples, mixture, n, *, tolerance=-np.inf):
    """A `Fit` of n plain EM steps; laying the samples out does not count.

    There are fewer where the mean log-likelihood gains less than `tolerance` [nat].
    """
    likelihood = SampleLikelihood.of(samples)
    scaled = Mixture(
        fluxes=mixture.fluxes / mixture.fluxes.sum() * len(samples),
        means=mixture.means,
        covariances=mixture.covariances,
    )
    parameters = likelihood.parameters(scaled)
    phase = likelihood.begin_phase(parameters, OFF)
    pace = Pace()
    began, cpu, before = time.perf_counter(), time.process_time(), -np.inf
    for _ in range(n):
        evaluation = pace(evaluate, likelihood, parameters, phase)
        parameters = evaluation.successor
        if evaluation.objective - before < tolerance * len(samples):
            break
        before = evaluation.objective
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return Fit(likelihood.scaling.mixture_back(parameters.mixture), seconds, cpu)


def mean_log(x, noise, mixture):
    """Mean log-likelihood of samples under a normalised mixture [nat]."""
    likelihood = SampleLikelihood.of(Samples(x=x, covariances=noise))
    parameters = likelihood.parameters(mixture)
    (logs,) = likelihood.log_densities(parameters, None)
    return float(logs.mean() - np.log(mixture.fluxes.sum()))
