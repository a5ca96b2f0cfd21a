"""Fits a case of bench_peers.py with scikit-learn's GaussianMixture.

It knows neither selection nor PSF. The background is one further component, the broadest after the
fit.

``python peer_sklearn.py JOB.npz STATE.npz SEED``
"""

import sys
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture


def main(job_path, out, seed):
    job = np.load(job_path)
    began = time.perf_counter()
    extra = int(job["has_background"])
    mixture = GaussianMixture(
        int(job["k"]) + extra,
        reg_covar=float(job["min_sigma"]) ** 2,
        max_iter=1000,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit(job["data"])
    seconds = time.perf_counter() - began
    order = np.argsort(np.linalg.det(mixture.covariances_))
    np.savez(
        out,
        amp=mixture.weights_[order],
        mean=mixture.means_[order],
        covar=mixture.covariances_[order],
        # The last component in this order is the background.
        n_background=extra,
        iterations=mixture.n_iter_,
        per_iteration=seconds / mixture.n_iter_,
        seconds=seconds,
        finished=mixture.converged_,
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
