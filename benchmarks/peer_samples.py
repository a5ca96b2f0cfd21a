"""Fits samples with another program, for bench_samples.py, in the environment of the peers.

``python peer_samples.py PEER JOB.npz OUT.npz ITERATIONS SEED`` where PEER is
"extreme-deconvolution" (the C code of Bovy, Hogg & Roweis 2011), "astroml" (the same equations),
"pygmmis" or "scikit-learn"; "start" gives the start of those. The job holds x, noise and, where a
common start is wanted, amp, mean and covar. ITERATIONS may be "converged": iterations then go on
until the mean log-likelihood gains less than 1e-6, the default of the C code.
"""

import logging
import resource
import sys
import time
import warnings

import numpy as np

# The gain below which a fit has converged, and one that is never reached; most iterations.
CONVERGED, NEVER, MOST = 1e-6, 1e-300, 1000


def extreme_deconvolution(job, iterations, tolerance, _seed):
    """Iterations of the C code, on as many threads as OpenMP takes."""
    from extreme_deconvolution import extreme_deconvolution as fit

    # It writes into the arrays that it is given.
    amp, mean, covar = (np.array(value) for value in (job["amp"], job["mean"], job["covar"]))
    began = time.perf_counter()
    fit(job["x"], job["noise"], amp, mean, covar, tol=tolerance, maxiter=iterations)
    return amp, mean, covar, time.perf_counter() - began


def astroml(job, iterations, tolerance, _seed):
    """Iterations of astroML's steps."""
    from astroML.density_estimation import XDGMM

    model = XDGMM(len(job["amp"]))
    model.alpha, model.mu, model.V = job["amp"], job["mean"], job["covar"]
    began, before = time.perf_counter(), -np.inf
    for _ in range(iterations):
        model._EMstep(job["x"], job["noise"])
        if tolerance > NEVER:
            value = model.logL(job["x"], job["noise"]) / len(job["x"])
            if value - before < tolerance:
                break
            before = value
    return model.alpha, model.mu, model.V, time.perf_counter() - began


def pygmmis(job, iterations, tolerance, seed):
    """Iterations of pygmmis, all of whose components see all samples."""
    import pygmmis as peer

    logging.disable(logging.CRITICAL)
    gmm = peer.GMM(K=len(job["amp"]), D=job["x"].shape[1])
    gmm.amp[:], gmm.mean[:], gmm.covar[:] = job["amp"], job["mean"], job["covar"]
    began = time.perf_counter()
    peer.fit(
        gmm,
        job["x"],
        covar=job["noise"],
        init_method="none",
        maxiter=iterations,
        tol=tolerance,
        rng=np.random.RandomState(seed),
    )
    return gmm.amp, gmm.mean, gmm.covar, time.perf_counter() - began


def scikit_learn(job, iterations, _tolerance, seed):
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


def with_start(job, seed):
    """The job with a start: what it gives, or a few steps of scikit-learn from k-means."""
    if "amp" in job:
        return job
    from sklearn.mixture import GaussianMixture

    model = GaussianMixture(int(job["k"]), max_iter=10, random_state=seed).fit(job["x"])
    return {**job, "amp": model.weights_, "mean": model.means_, "covar": model.covariances_}


def start(job, _iterations, _tolerance, _seed):
    """The start itself."""
    return job["amp"], job["mean"], job["covar"], 0.0


def cpu_seconds():
    """Time on all cores of this process and of its children [s]."""
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in found)


PEERS = {
    "extreme-deconvolution": extreme_deconvolution,
    "astroml": astroml,
    "pygmmis": pygmmis,
    "scikit-learn": scikit_learn,
    "start": start,
}


def main(peer, job_path, out, iterations, seed):
    """Fit, and store the mixture and the seconds."""
    warnings.simplefilter("ignore")
    job = with_start(dict(np.load(job_path)), int(seed))
    converge = iterations == "converged"
    most, tolerance = (MOST, CONVERGED) if converge else (int(iterations), NEVER)
    before = cpu_seconds()
    amp, mean, covar, seconds = PEERS[peer](job, most, tolerance, int(seed))
    cpu = cpu_seconds() - before
    np.savez(out, amp=amp, mean=mean, covar=covar, seconds=seconds, cpu=cpu)


if __name__ == "__main__":
    main(*sys.argv[1:])
