"""Answers of a mixture fitted to samples: densities, memberships and scores.

Every function takes the result first. Data are samples with errors of their own: `Samples`, or
an array whose rows have none.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..em.samples import SampleLikelihood
from ..em.selection import Selection, recorded_terms
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
    likelihood, parameters = prepared(result, samples, recorded=True)
    logs, _ = recorded_terms(likelihood, parameters)
    return np.exp(logs - np.logaddexp.reduce(logs, axis=1)[:, None])


def score(result, samples) -> SampleScore:
    """Mean log-likelihood of samples that were not fitted, as they were recorded.

    See `recorded_log_densities`.
    """
    samples = samples_of(result, samples)
    logs, weights = recorded_log_densities(result, samples), samples.weights
    mean = float(np.average(logs, weights=weights))
    spread = float(weights**2 @ (logs - mean) ** 2)
    return SampleScore(mean=mean, error=float(np.sqrt(spread)) / weights.sum(), n=len(samples))


def recorded_log_densities(result, samples) -> np.ndarray:
    """Logarithm of the density of samples as they were recorded, (N,) [nat].

    It is that of `log_density`, or with a completeness ``log [Omega(x) lambda(x) / Lambda]``, which
    is integrated over values that are missing.

    Parameters
    ----------
    result : SamplesResult
    samples : Samples
    """
    likelihood, parameters = prepared(result, samples, recorded=True)
    terms, log_omega = recorded_terms(likelihood, parameters)
    logs = np.logaddexp.reduce(terms, axis=1)
    if result.completeness is None:
        return logs
    known = np.isnan(log_omega)
    with np.errstate(divide="ignore"):
        log_omega[known] = np.log(result.completeness(samples.x[known]))
    return logs + log_omega - np.log1p(-_hidden_part(result))


def log_terms(result, samples) -> np.ndarray:
    """Logarithm of the part of each component and background in the density, (N, K + B) [nat].

    A completeness has no part in it.

    Parameters
    ----------
    result : SamplesResult
    samples : Samples
    """
    likelihood, parameters = prepared(result, samples)
    return likelihood.log_terms(parameters)


def _hidden_part(result):
    """Fraction of all samples that the completeness hides."""
    backgrounds = sum(b.amplitude for b in result.backgrounds)
    hidden = sum(
        b.amplitude * (1 - b.recorded_part(result.completeness)) for b in result.backgrounds
    )
    hidden += float(result.mixture.fluxes @ (1 - result.observed_fraction))
    return hidden / (result.mixture.fluxes.sum() + backgrounds)


def prepared(result, samples, *, recorded=False):
    """The likelihood of samples, and the parameters of a normalised density.

    Parameters
    ----------
    result : SamplesResult
    samples : Samples
    recorded : bool
        Whether the samples were selected as those of the fit.

    Returns
    -------
    (SampleLikelihood, Parameters)
    """
    everything = result.mixture.fluxes.sum() + sum(b.amplitude for b in result.backgrounds)
    mixture = replace(result.mixture, fluxes=result.mixture.fluxes / everything)
    amplitudes = [b.amplitude / everything for b in result.backgrounds]
    likelihood = SampleLikelihood.of(
        samples,
        scaling=scaling_of(mixture),
        backgrounds=result.backgrounds,
        selection=Selection.of_result(result) if recorded else None,
    )
    return likelihood, likelihood.parameters(mixture, amplitudes)


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
