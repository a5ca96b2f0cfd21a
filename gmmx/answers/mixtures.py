"""Densities and moments of mixtures of any columns, and the divergence between two."""

from dataclasses import replace

import numpy as np

from ..config import SampleCompareConfig
from ..em.samples import SampleLikelihood
from ..errors import InputError
from ..model.mixture import Mixture
from ..model.sample_densities import moments_of
from ..model.samples import Samples
from ..model.samples_result import SamplesResult
from ..model.scaling import Scaling


def expectation(result) -> tuple[np.ndarray, np.ndarray]:
    """Mean (D,) and covariance (D, D) of the normalised mixture."""
    return moments_of(_mixture(result))


def kl_divergence(result, other, rng, n: int = SampleCompareConfig.n) -> tuple[float, float]:
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
    likelihood = SampleLikelihood.of(samples, scaling=scaling_of(mixture))
    return likelihood.log_terms(likelihood.parameters(normalised(mixture), None))


def mixture_log_density(mixture, samples) -> np.ndarray:
    """Logarithm of the normalised density of a mixture at samples, (N,).

    Parameters
    ----------
    mixture : Mixture
    samples : Samples or (N, D) array
    """
    samples = samples if isinstance(samples, Samples) else Samples(x=samples)
    likelihood = SampleLikelihood.of(samples, scaling=scaling_of(mixture))
    return likelihood.log_densities(likelihood.parameters(normalised(mixture)), None)[0]


def _mixture(model):
    return model.mixture if isinstance(model, SamplesResult) else model


def normalised(mixture: Mixture) -> Mixture:
    """The mixture with fluxes that add up to 1; a flux stays positive."""
    return replace(mixture, fluxes=np.maximum(mixture.fluxes / mixture.fluxes.sum(), 1e-300))


def scaling_of(mixture: Mixture) -> Scaling:
    """Coordinates in which the components are neither huge nor tiny."""
    mean, covariance = expectation(mixture)
    return Scaling(centre=mean, scale=np.sqrt(np.diag(covariance)))
