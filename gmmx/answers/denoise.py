"""The posterior mean and covariance of each noise-free value, missing ones included."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from .sample_components import set_unit
from .samples import responsibilities, samples_of

if TYPE_CHECKING:
    from astropy.table import Table

    from ..model.samples import Samples
    from ..model.samples_result import SamplesResult

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


def denoised_table(result: SamplesResult, samples: Samples | None = None) -> Table:
    """Table of the noise-free values that a mixture expects behind noisy samples.

    Parameters
    ----------
    result : SamplesResult
    samples : Samples, optional
        By default those of the fit.

    Returns
    -------
    astropy.table.Table
        For each column NAME the posterior mean `NAME` and its standard deviation `NAME_err`, and
        for each pair of columns the correlation `corr_NAME_OTHER` of the posterior.

    Examples
    --------
    >>> import gmmx
    >>> x = np.random.default_rng(0).normal([0.0, 5.0], [1.0, 2.0], (500, 2))
    >>> result = gmmx.fit_samples(x, np.ones(x.shape), n_components=1, names=["a", "b"])
    >>> denoised_table(result).colnames
    ['a', 'a_err', 'b', 'b_err', 'corr_a_b']
    """
    # Loaded here because that takes a third of a second.
    from astropy.table import Table

    found, names, table = denoise(result, samples), result.names, Table()
    errors = found.errors
    for i, name in enumerate(names):
        table[name], table[f"{name}_err"] = found.means[:, i], errors[:, i]
        table[name].description = f"posterior mean of {name} without its error"
        table[f"{name}_err"].description = f"posterior standard deviation of {name}"
        for column in (name, f"{name}_err"):
            set_unit(table[column], result.units[i])
    for i, j in combinations(range(len(names)), 2):
        product = np.maximum(errors[:, i] * errors[:, j], np.finfo(float).tiny)
        table[f"corr_{names[i]}_{names[j]}"] = found.covariances[:, i, j] / product
    return table


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
