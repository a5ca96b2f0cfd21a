"""The posterior mean and covariance of each noise-free value, missing ones included."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from ..model.mixture import Mixture
from ..model.sample_densities import log_terms
from .sample_components import set_unit
from .samples import prepared, samples_of

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
    background where values are missing; a background of a mixture without noise is treated as the
    components are. Where the completeness tells something about missing values, it is used.

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
    likelihood, parameters = prepared(result, samples, recorded=True)
    logs, d = likelihood.log_terms(parameters), samples.n_dimensions
    parts = np.exp(logs - np.logaddexp.reduce(logs, axis=1)[:, None])
    means, covariances = np.zeros((len(samples), d)), np.zeros((len(samples), d, d))
    patterns, labels = np.unique(samples.missing, axis=0, return_inverse=True)
    for pattern, gone in enumerate(patterns):
        members, known = np.flatnonzero(labels.ravel() == pattern), np.flatnonzero(~gone)
        for first in range(0, len(members), _CHUNK):
            index = members[first : first + _CHUNK]
            x, noise = samples.x[index], samples.noise(index)[:, known[:, None], known]
            found = posterior_of(result, x, noise, known, parts[index])
            means[index], covariances[index] = found
    selected = likelihood.selection and likelihood.selection.values_of(likelihood, parameters)
    if selected is not None and selected.points is not None:
        _put_selected(result, likelihood, parameters, selected, means, covariances)
    return Denoised(means, covariances)


def _put_selected(result, likelihood, parameters, selected, means, covariances):
    """Put in the posteriors of samples that the selection knew better, by their points."""
    (n, q), scaling = selected.log_factors.shape, likelihood.scaling
    every = np.arange(scaling.scale.size)
    for first in range(0, n, max(1, _CHUNK // q)):
        some = np.arange(first, min(first + max(1, _CHUNK // q), n))
        points = selected.points.rows_at((some[:, None] * q + np.arange(q)).ravel())
        logs = points.log_terms(parameters)
        sums = np.logaddexp.reduce(logs, axis=1)
        parts = np.exp(logs - sums[:, None])
        x = scaling.back(points.rows.x.T)
        noise = points.noise_matrices() * scaling.outer
        b, own = posterior_of(result, x, noise, every, parts)
        b, own = b.reshape(len(some), q, -1), own.reshape(len(some), q, *own.shape[1:])
        sums = sums.reshape(len(some), q) + selected.log_factors[some]
        weights = np.exp(sums - np.logaddexp.reduce(sums, axis=1)[:, None])
        mean = np.einsum("nq,nqi->ni", weights, b)
        offsets = b - mean[:, None]
        spread = np.einsum("nq,nqi,nqj->nij", weights, offsets, offsets)
        index = selected.index[some]
        means[index] = mean
        covariances[index] = spread + np.einsum("nq,nqij->nij", weights, own)


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


def posterior_of(result, x, noise, known, parts):
    """Posterior means and covariances of samples of which the same columns are known.

    Parameters
    ----------
    result : SamplesResult
    x : (n, D) array
    noise : (n, d, d) array
        In the columns that are known.
    known : (d,) integers
    parts : (n, K + n_backgrounds) array
        Responsibilities.
    """
    mixture, sums = result.mixture, _Sums.of_nothing(*x.shape)
    for k, (mean, sigma) in enumerate(zip(mixture.means, mixture.covariances, strict=True)):
        sums.add(parts[:, k], *_gaussian_posterior(mean, sigma, x, noise, known))
    for b, background in enumerate(result.backgrounds, start=len(mixture)):
        for part, mean, covariance in _background_posteriors(background, x, noise, known):
            sums.add(parts[:, b] * part, mean, covariance)
    return sums.means, sums.covariances


@dataclass(frozen=True, eq=False)
class _Sums:
    """Moments of the posteriors that were added so far (West 1979, CACM 22, 532).

    The covariance is a sum of covariances, so that no digits cancel where errors are small.
    """

    parts: np.ndarray
    means: np.ndarray
    covariances: np.ndarray

    @classmethod
    def of_nothing(cls, n, d):
        return cls(np.zeros(n), np.zeros((n, d)), np.zeros((n, d, d)))

    def add(self, part, mean, covariance):
        before = self.parts.copy()
        self.parts[:] += part
        ratio = part / np.maximum(self.parts, np.finfo(float).tiny)
        offsets = mean - self.means
        self.means[:] += ratio[:, None] * offsets
        outer = offsets[:, :, None] * offsets[:, None, :]
        self.covariances[:] += part[:, None, None] * covariance
        self.covariances[:] += (before * ratio)[:, None, None] * outer


def _gaussian_posterior(mean, sigma, x, noise, known):
    """Mean and covariance of the noise-free values of samples of one Gaussian.

    ``Sigma - G R Sigma`` is written as ``(1 - G R) Sigma (1 - G R)^T + G S G^T``, which is positive
    and keeps its digits where the noise is small.
    """
    totals = sigma[np.ix_(known, known)] + noise
    gains = np.swapaxes(np.linalg.solve(totals, sigma[known][None]), 1, 2)
    shifts = np.einsum("nij,nj->ni", gains, x[:, known] - mean[known])
    rest = np.tile(np.eye(len(mean)), (len(gains), 1, 1))
    rest[:, :, known] -= gains
    covariances = rest @ sigma @ np.swapaxes(rest, 1, 2)
    return mean + shifts, covariances + gains @ noise @ np.swapaxes(gains, 1, 2)


def _background_posteriors(background, x, noise, known):
    """Parts, means and covariances of the noise-free values of samples of a background."""
    if isinstance(background.function, Mixture):
        field, is_bare = background.function, background.adds_noise
        logs = log_terms(field, x, known, noise if is_bare else None)
        parts = np.exp(logs - np.logaddexp.reduce(logs, axis=1)[:, None])
        for part, mean, sigma in zip(parts.T, field.means, field.covariances, strict=True):
            own = noise if is_bare else np.zeros_like(noise)
            mean, covariance = _gaussian_posterior(mean, sigma, x, own, known)
            if not is_bare:
                covariance = np.array(covariance)
                covariance[:, known[:, None], known] = noise
            yield part, mean, covariance
        return
    centre, spread = background.moments()
    mean, covariance = np.tile(centre, (len(x), 1)), np.tile(spread, (len(x), 1, 1))
    mean[:, known] = x[:, known]
    covariance[:, known] = covariance[:, :, known] = 0.0
    covariance[:, known[:, None], known] = noise
    yield np.ones(len(x)), mean, covariance
