"""Fits samples with another program, for bench_samples.py, in the environment of the peers.

``python peer_samples.py PEER JOB.npz OUT.npz ITERATIONS SEED`` where PEER is "astroml" (its
equations are those of Bovy, Hogg & Roweis 2011), "pygmmis" or "scikit-learn". The job holds x,
noise and, where a common start is wanted, amp, mean and covar.
"""

import logging
import resource
import sys
import time
import warnings

import numpy as np


def astroml(job, iterations, seed):
    """A fixed number of iterations of extreme deconvolution; scikit-learn makes the start."""
    from astroML.density_estimation import XDGMM

    start = starting_mixture(job, seed)
    model = XDGMM(len(start[0]))
    model.alpha, model.mu, model.V = start
    began = time.perf_counter()
    for _ in range(iterations):
        model._EMstep(job["x"], job["noise"])
    return model.alpha, model.mu, model.V, time.perf_counter() - began


def pygmmis(job, iterations, seed):
    """A fixed number of iterations of pygmmis, all of whose components see all samples."""
    import pygmmis as peer

    logging.disable(logging.CRITICAL)
    d = job["x"].shape[1]
    amp, mean, covar = starting_mixture(job, seed)
    gmm = peer.GMM(K=len(amp), D=d)
    gmm.amp[:], gmm.mean[:], gmm.covar[:] = amp, mean, covar
    began = time.perf_counter()
    peer.fit(
        gmm,
        job["x"],
        covar=job["noise"],
        init_method="none",
        maxiter=iterations,
        tol=1e-300,
        rng=np.random.RandomState(seed),
    )
    return gmm.amp, gmm.mean, gmm.covar, time.perf_counter() - began


def scikit_learn(job, iterations, seed):
    """A fixed number of EM steps of a mixture without errors."""
    from sklearn.mixture import GaussianMixture

    model = GaussianMixture(
        len(job["amp"]),
        reg_covar=0.0,
        max_iter=iterations,
        tol=0.0,
        weights_init=job["amp"],
        means_init=job["mean"],
        precisions_init=np.linalg.inv(job["covar"]),
        # With precisions given, k-means is still run; one random point each costs nothing.
        init_params="random_from_data",
        random_state=seed,
    )
    began = time.perf_counter()
    model.fit(job["x"])
    seconds = time.perf_counter() - began
    return model.weights_, model.means_, model.covariances_, seconds


def starting_mixture(job, seed):
    """The start that the job gives, or a few steps of scikit-learn from k-means clusters."""
    if "amp" in job:
        return job["amp"], job["mean"], job["covar"]
    from sklearn.mixture import GaussianMixture

    model = GaussianMixture(int(job["k"]), max_iter=10, random_state=seed).fit(job["x"])
    return model.weights_, model.means_, model.covariances_


def cpu_seconds():
    """Time on all cores of this process and of its children, with that of the start [s]."""
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in found)


PEERS = {"astroml": astroml, "pygmmis": pygmmis, "scikit-learn": scikit_learn}


def main(peer, job_path, out, iterations, seed):
    """Fit, and store the mixture and the seconds."""
    warnings.simplefilter("ignore")
    job = dict(np.load(job_path))
    before = cpu_seconds()
    amp, mean, covar, seconds = PEERS[peer](job, int(iterations), int(seed))
    cpu = cpu_seconds() - before
    np.savez(out, amp=amp, mean=mean, covar=covar, seconds=seconds, cpu=cpu)


if __name__ == "__main__":
    main(*sys.argv[1:])
