"""Answers of a mixture fitted to samples: densities, memberships and scores.

Every function takes the result first. Data are samples with errors of their own: `Samples`, or
an array whose rows have none.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..em.samples import SampleLikelihood
from ..errors import InputError
from ..model.samples import Samples
from .mixtures import scaling_of


@dataclass(frozen=True, kw_only=True)
class SampleScore:
    """Mean log-likelihood of samples, each counted by its weight [nat].

    Attributes
    ----------
    mean, error : float
        And its standard error.
    n : int
        Number of samples.
    """

    mean: float
    error: float
    n: int


def log_density(result, samples, covariances=None) -> np.ndarray:
    """Logarithm of the normalised density ``p(x_i)``, components and backgrounds together.

    Of a sample with noise it is the density of noisy values, and of one with missing values that
    of the others. A completeness has no part in it.

    Parameters
    ----------
    result : SamplesResult
    samples : Samples or (N, D) array
    covariances : array, optional
        Noise of an array, as for `Samples`.

    Returns
    -------
    (N,) array
        [nat]

    Examples
    --------
    >>> import gmmx
    >>> result = gmmx.fit_samples([0.0, 1.0, 2.0, 3.0], n_components=1)
    >>> log_density(result, [[1.5]]).round(3)
    array([-1.031])
    """
    samples = samples_of(result, samples, covariances)
    return np.logaddexp.reduce(log_terms(result, samples), axis=1)


def responsibilities(result, samples=None) -> np.ndarray:
    """Probability that each sample belongs to each component, or to a background.

    Parameters
    ----------
    result : SamplesResult
    samples : Samples or (N, D) array, optional
        By default the samples of the fit.

    Returns
    -------
    (N, K + n_backgrounds) array
        Rows add up to 1.
    """
    samples = result.samples if samples is None else samples_of(result, samples)
    logs = log_terms(result, samples)
    return np.exp(logs - np.logaddexp.reduce(logs, axis=1)[:, None])


def score(result, samples) -> SampleScore:
    """Mean log-likelihood of samples that were not fitted, as they were recorded.

    With a completeness it is ``log [Omega(x) lambda(x) / Lambda]``.
    """
    samples = samples_of(result, samples)
    logs, weights = recorded_log_densities(result, samples), samples.weights
    mean = float(np.average(logs, weights=weights))
    spread = float(weights**2 @ (logs - mean) ** 2)
    return SampleScore(mean=mean, error=float(np.sqrt(spread)) / weights.sum(), n=len(samples))


def recorded_log_densities(result, samples) -> np.ndarray:
    """Logarithm of the density of samples as they were recorded, (N,) [nat].

    It is that of `log_density`, or with a completeness ``log [Omega(x) lambda(x) / Lambda]``.

    Parameters
    ----------
    result : SamplesResult
    samples : Samples
    """
    logs = log_density(result, samples)
    if result.completeness is not None:
        backgrounds = sum(b.amplitude for b in result.backgrounds)
        hidden = sum(
            b.amplitude * (1 - b.expected(result.completeness)) for b in result.backgrounds
        )
        everything = result.mixture.fluxes.sum() + backgrounds
        hidden += float(result.mixture.fluxes @ (1 - result.observed_fraction))
        with np.errstate(divide="ignore"):
            logs += np.log(result.completeness(samples.x)) - np.log1p(-hidden / everything)
    return logs


def log_terms(result, samples) -> np.ndarray:
    """Logarithm of the part of each component and background in the density, (N, K + B) [nat].

    Parameters
    ----------
    result : SamplesResult
    samples : Samples
    """
    everything = result.mixture.fluxes.sum() + sum(b.amplitude for b in result.backgrounds)
    mixture = replace(result.mixture, fluxes=result.mixture.fluxes / everything)
    amplitudes = [b.amplitude / everything for b in result.backgrounds]
    likelihood = SampleLikelihood.of(
        samples, scaling=scaling_of(mixture), backgrounds=result.backgrounds
    )
    return likelihood.log_terms(likelihood.parameters(mixture, amplitudes))


def samples_of(result, given, covariances=None):
    """Samples with the columns of a result."""
    if isinstance(given, Samples):
        samples = given
    else:
        x = np.asarray(given, float) if not isinstance(given, np.ma.MaskedArray) else given
        samples = Samples(x=x, covariances=covariances, names=())
    if samples.n_dimensions != result.mixture.n_dimensions:
        raise InputError(
            f"the samples have {samples.n_dimensions} columns, the model has "
            f"{result.mixture.n_dimensions}: {', '.join(result.names)}"
        )
    return samples
