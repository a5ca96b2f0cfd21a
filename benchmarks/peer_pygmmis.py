"""Fits a case of bench_peers.py with pyGMMis 1.1.4, as its README and its own test script use it.

This script needs only NumPy, SciPy and pygmmis, because it runs in an environment of its own.

A first fit without selection and PSF finds a start, with up to six attempts to split and merge
components. The second fit has both: samples are imputed with a random callback that keeps a sample
with probability Omega(x), and the PSF at each photon is its covariance. Neighbourhoods have
5 sigma, there are ten imputed samples per photon, the tolerance is 1e-3, and a uniform background
over the field has a fitted amplitude. Of several random starts the one of the highest likelihood
counts. The state is written at each iteration, so that a run that is stopped can be scored.

The settings were chosen on the case "small" by the held-out gap to the truth, from thirteen runs
of one start:

- splitting and merging: 0.039 with one seed and 0.120 with another, and 0.039 to 0.040 with more
  attempts or tighter tolerances;
- without splitting and merging: 0.179;
- from k-means: 0.058, and 0.050 with splitting and merging;
- from minmax: 0.216, and 0.106 and 0.109 with tolerances of 1e-4 and 1e-5;
- imputation from a random start: 0.269.

k-means has the lower integrated squared error (0.29 against 0.31) and the higher divergence (0.93
against 0.15).

``python peer_pygmmis.py JOB.npz STATE.npz SEED``
"""

import logging
import sys
import time
from pathlib import Path

import numpy as np
import pygmmis


class Recorder(logging.Handler):
    """Writes the mixture whenever pyGMMis logs an iteration.

    Once a start has finished, only starts that end better are written.
    """

    def __init__(self, out):
        super().__init__()
        self.out = out
        self.gmm = self.background = None
        self.began = self.last = time.perf_counter()
        self.iterations, self.times, self.imputing, self.best = 0, [], False, None

    def start(self, gmm, background):
        """Begin to record a mixture and a background."""
        self.gmm, self.background, self.imputing = gmm, background, False

    def emit(self, record):
        now = time.perf_counter()
        # Iterations are lines such as "12 150000 ..." or, while splitting and merging,
        # "SNM_F3 ...".
        if record.getMessage().removeprefix("SNM_P").removeprefix("SNM_F")[:1].isdigit():
            self.iterations += 1
            # The iterations without imputation are those of the start, not of the algorithm.
            if self.imputing:
                self.times.append(now - self.last)
            if self.best is None:
                self.write()
        self.last = time.perf_counter()

    def finish(self, log_likelihood):
        """Record that the mixture has converged at a mean log-likelihood."""
        if self.best is None or log_likelihood > self.best:
            self.best = log_likelihood
            self.write()

    def write(self):
        """Write the state to another file, and move it into place."""
        amp = self.gmm.amp / self.gmm.amp.sum()
        fraction = self.background.amp if self.background is not None else 0.0
        part = Path(self.out + ".part.npz")
        np.savez(
            part,
            amp=amp * (1 - fraction),
            mean=self.gmm.mean,
            covar=self.gmm.covar,
            background=fraction,
            iterations=self.iterations,
            per_iteration=np.median(self.times) if self.times else np.nan,
            imputing=self.imputing,
        )
        part.replace(self.out)


def bilinear(values, origin, step, coords):
    """Interpolate values on a grid at positions; beyond the grid its edge is taken."""
    if values.size == 1:
        return np.full(len(coords), values.flat[0])
    iy, ix = ((np.asarray(coords) - origin) / step).T[::-1]
    iy, ix = np.clip(iy, 0, values.shape[0] - 1), np.clip(ix, 0, values.shape[1] - 1)
    low = np.minimum(iy.astype(int), values.shape[0] - 2)
    left = np.minimum(ix.astype(int), values.shape[1] - 2)
    fy, fx = iy - low, ix - left
    bottom = (1 - fx) * values[low, left] + fx * values[low, left + 1]
    top = (1 - fx) * values[low + 1, left] + fx * values[low + 1, left + 1]
    return (1 - fy) * bottom + fy * top


class Telescope:
    """Selection and PSF of a job, as pyGMMis calls them."""

    def __init__(self, job, rng):
        self.rng = rng
        self.omega, self.variances = job["omega"], job["psf_variances"]
        self.omega_origin, self.omega_step = job["omega_origin"], job["omega_step"]
        self.psf_origin, self.psf_step = job["psf_origin"], job["psf_step"]

    def selected(self, coords):
        """Keep each position with the probability Omega, (n,) booleans."""
        omega = self.omega
        ix, iy = np.rint((coords - self.omega_origin) / self.omega_step).astype(int).T
        inside = (ix >= 0) & (iy >= 0) & (ix < omega.shape[1]) & (iy < omega.shape[0])
        chance = np.zeros(len(coords))
        chance[inside] = omega[iy[inside], ix[inside]]
        return self.rng.rand(len(coords)) < chance

    def covariances(self, coords):
        """The covariance of the PSF at positions, (n, 2, 2)."""
        variances = bilinear(self.variances, self.psf_origin, self.psf_step, coords)
        return variances[:, None, None] * np.eye(2)


def fit(job, rng, recorder):
    """Fit once from a random start."""
    telescope, data, width = Telescope(job, rng), job["data"], float(job["min_sigma"])
    background = None
    if job["has_background"]:
        background = pygmmis.Background((job["low"], job["high"]), amp=0.3)
    gmm = pygmmis.GMM(K=int(job["k"]), D=2)
    recorder.start(gmm, background)
    common = {"w": width, "cutoff": 5, "background": background, "rng": rng}
    pygmmis.fit(gmm, data, split_n_merge=min(6, gmm.K // 2), **common)
    # pyGMMis takes the amplitudes of a start to be those of the components alone.
    gmm.amp /= gmm.amp.sum()
    recorder.imputing = True
    log_likelihood, _ = pygmmis.fit(
        gmm,
        data,
        covar=telescope.covariances(data),
        init_method="none",
        sel_callback=telescope.selected,
        oversampling=10,
        covar_callback=telescope.covariances,
        **common,
    )
    recorder.finish(log_likelihood)


def main(job_path, out, seed):
    job, rng, recorder = np.load(job_path), np.random.RandomState(seed), Recorder(out)
    pygmmis.logger.setLevel(logging.INFO)
    pygmmis.logger.addHandler(recorder)
    pygmmis.logger.propagate = False
    for _ in range(int(job["starts"])):
        fit(job, rng, recorder)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
