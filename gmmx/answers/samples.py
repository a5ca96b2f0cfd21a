"""Answers of a mixture fitted to samples: densities, memberships, noise-free values, and distances.

Every function takes the result first. Data are samples with errors of their own: `Samples`, or
an array whose rows have none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..em.samples import SampleLikelihood
from ..errors import InputError
from ..model.mixture import Mixture
from ..model.samples import Samples
from ..model.samples_result import SamplesResult
from ..model.scaling import Scaling

# Draws from which a divergence is estimated, by default.
N_DRAWS = 100_000


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
    likelihood, parameters = _prepared(result, samples_of(result, samples, covariances))
    return np.logaddexp.reduce(likelihood.log_terms(parameters), axis=1)


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
    likelihood, parameters = _prepared(result, samples)
    logs = likelihood.log_terms(parameters)
    return np.exp(logs - np.logaddexp.reduce(logs, axis=1)[:, None])


def score(result, samples) -> SampleScore:
    """Mean log-likelihood of samples that were not fitted, as they were recorded.

    With a completeness it is ``log [Omega(x) lambda(x) / Lambda]``.
    """
    samples = samples_of(result, samples)
    likelihood, parameters = _prepared(result, samples)
    logs = np.logaddexp.reduce(likelihood.log_terms(parameters), axis=1)
    if result.completeness is not None:
        backgrounds = sum(b.amplitude for b in result.backgrounds)
        hidden = sum(
            b.amplitude * (1 - b.expected(result.completeness)) for b in result.backgrounds
        )
        everything = result.mixture.fluxes.sum() + backgrounds
        hidden += float(result.mixture.fluxes @ (1 - result.observed_fraction))
        with np.errstate(divide="ignore"):
            logs += np.log(result.completeness(samples.x)) - np.log1p(-hidden / everything)
    weights = samples.weights
    mean = float(np.average(logs, weights=weights))
    spread = float(weights**2 @ (logs - mean) ** 2)
    return SampleScore(mean=mean, error=float(np.sqrt(spread)) / weights.sum(), n=len(samples))


def condition(result, given: Mapping[str, float]) -> Mixture:
    """Mixture of the other columns when some are known, with fluxes that add up to 1.

    Parameters
    ----------
    result : SamplesResult
    given : dict of str to float
        Values of columns by name.

    Returns
    -------
    Mixture
        Its columns are those of `other_names`.
    """
    columns = {_column(result, name): float(value) for name, value in given.items()}
    return _normalised(result.mixture.conditional(columns))


def other_names(result, given: Sequence[str]) -> tuple[str, ...]:
    """Names of the columns that are not given, in order."""
    known = {_column(result, name) for name in given}
    return tuple(name for i, name in enumerate(result.names) if i not in known)


def marginal(result, names: Sequence[str]) -> Mixture:
    """Mixture of some of the columns, with fluxes that add up to 1."""
    names = [names] if isinstance(names, str) else names
    return _normalised(result.mixture.marginal([_column(result, name) for name in names]))


def expectation(result) -> tuple[np.ndarray, np.ndarray]:
    """Mean (D,) and covariance (D, D) of the normalised mixture."""
    mixture = _mixture(result)
    parts = mixture.fluxes / mixture.fluxes.sum()
    mean = parts @ mixture.means
    offsets = mixture.means - mean
    outer = mixture.covariances + offsets[:, :, None] * offsets[:, None, :]
    return mean, np.einsum("k,kij->ij", parts, outer)


def kl_divergence(result, other, rng, n: int = N_DRAWS) -> tuple[float, float]:
    """Kullback-Leibler divergence of another model from this one, and its standard error [nat].

    It is ``E_p[log p(x) - log q(x)]`` over n draws from the mixture of `result`, without noise.

    Parameters
    ----------
    result, other : SamplesResult or Mixture
    rng : numpy.random.Generator
    n : int
    """
    p, q = _mixture(result), _mixture(other)
    if p.n_dimensions != q.n_dimensions:
        raise InputError(
            f"models of {p.n_dimensions} and {q.n_dimensions} dimensions cannot be compared"
        )
    x = Samples(x=p.sample(n, rng))
    difference = mixture_log_density(p, x) - mixture_log_density(q, x)
    return float(difference.mean()), float(difference.std() / np.sqrt(n))


def component_log_terms(mixture, samples) -> np.ndarray:
    """Logarithm of the weighted density of each component of a normalised mixture, (N, K).

    Parameters
    ----------
    mixture : Mixture
    samples : Samples
    """
    likelihood = SampleLikelihood.of(samples, scaling=_scaling(mixture))
    return likelihood.log_terms(likelihood.parameters(_normalised(mixture), None))


def mixture_log_density(mixture, samples) -> np.ndarray:
    """Logarithm of the normalised density of a mixture at samples, (N,).

    Parameters
    ----------
    mixture : Mixture
    samples : Samples or (N, D) array
    """
    samples = samples if isinstance(samples, Samples) else Samples(x=samples)
    likelihood = SampleLikelihood.of(samples, scaling=_scaling(mixture))
    return likelihood.log_densities(likelihood.parameters(_normalised(mixture)), None)[0]


def _mixture(model):
    return model.mixture if isinstance(model, SamplesResult) else model


def _normalised(mixture):
    return replace(mixture, fluxes=np.maximum(mixture.fluxes / mixture.fluxes.sum(), 1e-300))


def _scaling(mixture):
    """Coordinates in which the components are neither huge nor tiny."""
    mean, covariance = expectation(mixture)
    return Scaling(centre=mean, scale=np.sqrt(np.diag(covariance)))


def _prepared(result, samples):
    """The likelihood of samples, and the parameters of a normalised density."""
    everything = result.mixture.fluxes.sum() + sum(b.amplitude for b in result.backgrounds)
    mixture = replace(result.mixture, fluxes=result.mixture.fluxes / everything)
    amplitudes = [b.amplitude / everything for b in result.backgrounds]
    likelihood = SampleLikelihood.of(
        samples, scaling=_scaling(mixture), backgrounds=result.backgrounds
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


def _column(result, name):
    if name in result.names:
        return result.names.index(name)
    if isinstance(name, int | np.integer) and 0 <= name < len(result.names):
        return int(name)
    raise InputError(f"there is no column {name!r}: choose from {', '.join(result.names)}")
