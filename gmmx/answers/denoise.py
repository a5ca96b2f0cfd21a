"""The posterior mean and covariance of each noise-free value, missing ones included."""

from dataclasses import dataclass

import numpy as np

from .samples import responsibilities, samples_of

# Samples whose posterior covariances are computed at a time.
_CHUNK = 8192


@dataclass(frozen=True, eq=False, repr=False)
class Denoised:
    """The posterior mean and covariance of each noise-free value.

    Attributes
    ----------
    means : (N, D) array
    covariances : (N, D, D) array
    """

    means: np.ndarray
    covariances: np.ndarray

    def __repr__(self):
        n, d = self.means.shape
        return f"Denoised({n:,} samples in {d} dimensions)"

    @property
    def errors(self) -> np.ndarray:
        """Posterior standard deviations, (N, D)."""
        return np.sqrt(np.diagonal(self.covariances, axis1=1, axis2=2))


def denoise(result, samples=None) -> Denoised:
    """Posterior mean and covariance of each noise-free value, missing ones included.

    With ``b_ik = mu_k + G (x_i - R mu_k)`` and ``B_ik = Sigma_k - G R Sigma_k`` (Bovy et al. 2011,
    equations 9 and 10) they are the moments of ``sum_k r_ik N(b_ik, B_ik)``. The mean and the
    covariance of one that belongs to a background are its own value and noise, and those of the
    box where values are missing.

    Parameters
    ----------
    result : SamplesResult
    samples : Samples or (N, D) array, optional
        By default the samples of the fit.

    Returns
    -------
    Denoised
    """
    samples = result.samples if samples is None else samples_of(result, samples)
    parts, d = responsibilities(result, samples), samples.n_dimensions
    means, covariances = np.zeros((len(samples), d)), np.zeros((len(samples), d, d))
    patterns, labels = np.unique(samples.missing, axis=0, return_inverse=True)
    for pattern, gone in enumerate(patterns):
        members = np.flatnonzero(labels.ravel() == pattern)
        for first in range(0, len(members), _CHUNK):
            index = members[first : first + _CHUNK]
            found = _posterior(result, samples, index, np.flatnonzero(~gone), parts[index])
            means[index], covariances[index] = found
    return Denoised(means, covariances)


def _posterior(result, samples, index, known, parts):
    """Posterior means and covariances of samples of which the same columns are known."""
    mixture, x = result.mixture, samples.x[index[:, None], known]
    noise = samples.noise(index)[:, known[:, None], known]
    d, k = mixture.n_dimensions, len(mixture)
    means, seconds = np.zeros((len(index), d)), np.zeros((len(index), d, d))
    centre = mixture.means.mean(0)
    for mean, sigma, part in zip(mixture.means, mixture.covariances, parts[:, :k].T, strict=True):
        totals = sigma[np.ix_(known, known)] + noise
        gains = np.swapaxes(np.linalg.solve(totals, sigma[known][None]), 1, 2)
        b = mean - centre + np.einsum("nij,nj->ni", gains, x - mean[known])
        rest = sigma - gains @ sigma[known]
        means += part[:, None] * b
        seconds += part[:, None, None] * (rest + b[:, :, None] * b[:, None, :])
    for background, part in zip(result.backgrounds, parts[:, k:].T, strict=True):
        own = np.tile((background.low + background.high) / 2 - centre, (len(index), 1))
        own[:, known] = x - centre[known]
        spread = np.tile(np.diag((background.high - background.low) ** 2 / 12), (len(index), 1, 1))
        spread[:, known] = spread[:, :, known] = 0.0
        spread[:, known[:, None], known] = noise
        means += part[:, None] * own
        seconds += part[:, None, None] * (spread + own[:, :, None] * own[:, None, :])
    covariances = seconds - means[:, :, None] * means[:, None, :]
    return centre + means, (covariances + np.swapaxes(covariances, 1, 2)) / 2
