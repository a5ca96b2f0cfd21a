"""The objective, its gradient and the M-step, all from the moments of one E-step.

With n the observed plus missing moments, s those of the exposure, ``e_k = s0``, a and nu the
strengths of the priors and S_k their scale, the penalised objective is

    log L + sum_k [ a log e_k - nu / 2 (log |Sigma_k| + tr(Sigma_k^-1 S_k)) ]
          - sum_b (B_b - m_b)^2 p_b / 2

with m_b the mean of the prior on a background amplitude and p_b one over its variance.

Without priors these are the equations of extreme deconvolution (Bovy, Hogg & Roweis 2011, AOAS 5,
1657, equations 14 to 18); the gradient follows from the same sums by Fisher's identity. They hold
in any number of dimensions D and for every likelihood.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..model.mixture import Mixture
from .likelihood import Likelihood, Phase
from .parameters import Parameters

# Smallest flux and smallest background responsibility [photon]: both have a logarithm.
_SMALLEST_FLUX = 1e-9
_SMALLEST_RESPONSIBILITY = 1e-12
_TINY = 1e-300


@dataclass(frozen=True, eq=False, kw_only=True)
class Gradient:
    """Exact derivatives of the objective.

    Attributes
    ----------
    log_fluxes : (K,) array
        ``n0 - F``.
    means : (K, D) array
        ``Sigma^-1 (n1 + a s1 / e)``.
    covariances : (K, D, D) array
        ``Sigma^-1 [n2 - n0 Sigma + a (s2 / e - Sigma) + nu (S - Sigma)] Sigma^-1 / 2``.
    log_amplitudes : tuple of (n_b,) arrays
        ``responsibility of b - B int q``.
    """

    log_fluxes: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    log_amplitudes: tuple

    def within(self, fixed):
        """The gradient with zeros where a parameter is fixed."""
        return replace(
            self,
            log_fluxes=np.where(fixed.fluxes, 0.0, self.log_fluxes),
            means=np.where(fixed.means[:, None], 0.0, self.means),
            covariances=np.where(fixed.covariances[:, None, None], 0.0, self.covariances),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Evaluation:
    """One E-step at `parameters`, and the M-step that follows from it.

    Attributes
    ----------
    parameters, successor : Parameters
    log_likelihood, objective : float
        At `parameters` [nat].
    observed : (K,) array
        Responsibilities summed over the data.
    observed_fraction : (K,) array
        e_k.
    gradient : Gradient
        At `parameters`.
    """

    parameters: Parameters
    successor: Parameters
    log_likelihood: float
    objective: float
    observed: np.ndarray
    observed_fraction: np.ndarray
    gradient: Gradient


@dataclass(frozen=True, eq=False)
class _Penalised:
    """Moments of the data and the priors together, which the M-step and the gradient share.

    Attributes
    ----------
    inverses : (K, D, D) array
        Sigma^-1.
    first : (K, D) array
        ``n1 + a s1 / e``.
    excess : (K, D, D) array
        ``n2 - n0 Sigma + a (s2 / e - Sigma) + nu (S - Sigma)``.
    """

    inverses: np.ndarray
    first: np.ndarray
    excess: np.ndarray


def evaluate(likelihood: Likelihood, parameters: Parameters, phase: Phase) -> Evaluation:
    """One E-step, and the objective, the gradient and the M-step that follow from its moments.

    Parameters
    ----------
    likelihood : Likelihood
    parameters : Parameters
    phase : Phase
        Of the likelihood, begun with as many components.

    Returns
    -------
    Evaluation
    """
    moments = likelihood.moments(parameters, phase)
    penalised = _penalised(moments, parameters, phase)
    return Evaluation(
        parameters=parameters,
        successor=_successor(likelihood, moments, penalised, parameters, phase),
        log_likelihood=moments.log_likelihood,
        objective=_objective(moments, penalised, parameters, phase),
        observed=moments.observed,
        observed_fraction=moments.exposure.zeroth,
        gradient=_gradient(likelihood, moments, penalised, parameters, phase.priors),
    )


def _penalised(moments, parameters, phase):
    """Add the priors to the moments."""
    covariances, priors = parameters.mixture.covariances, phase.priors
    a, nu = priors.mean_count, priors.covariance_count
    n0, n1, n2 = moments.complete
    _, s1, s2 = moments.exposure
    e = np.maximum(moments.exposure.zeroth, _TINY)
    scale = phase.prior_scales[:, None, None] * np.eye(covariances.shape[-1])
    return _Penalised(
        inverses=np.linalg.inv(covariances),
        first=n1 + a * s1 / e[:, None],
        excess=(
            n2
            - n0[:, None, None] * covariances
            + a * (s2 / e[:, None, None] - covariances)
            + nu * (scale - covariances)
        ),
    )


def _objective(moments, penalised, parameters, phase):
    """``log L + sum_k [a log e_k - nu / 2 (log |Sigma_k| + tr(Sigma_k^-1 S_k))]`` [nat]."""
    a, nu = phase.priors.mean_count, phase.priors.covariance_count
    e = np.maximum(moments.exposure.zeroth, _TINY)
    objective = moments.log_likelihood + a * float(np.log(e).sum())
    narrowness = np.linalg.slogdet(parameters.mixture.covariances)[
        1
    ] + phase.prior_scales * np.trace(penalised.inverses, axis1=1, axis2=2)
    # The width of a point source is no parameter, so that no prior applies to it.
    objective = objective - nu / 2 * float(narrowness[~parameters.points].sum())
    if phase.priors.amplitudes is None:
        return objective
    both = zip(parameters.amplitudes, phase.priors.amplitudes, strict=True)
    return objective - sum(float(p @ (b - m) ** 2) / 2 for b, (m, p) in both)


def _gradient(likelihood, moments, penalised, parameters, priors):
    """The derivatives of the objective, 0 by all that is fixed."""
    slopes = tuple(
        np.where(fixed, 0.0, responsibility - amplitude * integral)
        for fixed, responsibility, amplitude, integral in zip(
            likelihood.fixed_amplitudes,
            moments.responsibilities,
            parameters.amplitudes,
            likelihood.integrals,
            strict=True,
        )
    )
    if priors.amplitudes is not None:
        both = zip(slopes, parameters.amplitudes, priors.amplitudes, strict=True)
        slopes = tuple(slope - b * p * (b - m) for slope, b, (m, p) in both)
    gradient = Gradient(
        log_fluxes=moments.complete.zeroth - parameters.mixture.fluxes,
        means=np.einsum("kij,kj->ki", penalised.inverses, penalised.first),
        covariances=penalised.inverses @ penalised.excess @ penalised.inverses / 2,
        log_amplitudes=slopes,
    )
    return gradient if parameters.fixed is None else gradient.within(parameters.fixed)


def _successor(likelihood, moments, penalised, parameters, phase):
    """The M-step.

    ``F = n0``; ``d = (n1 + a s1 / e) / (n0 + a)`` is added to the mean;
    ``Sigma = [n2 + a s2 / e - (n0 + a) d d^T + nu S] / (n0 + a + nu)``;
    ``B = responsibility of b / int q``, or `with_prior`. Fixed parameters keep their values, with
    d = 0 where the mean is fixed.

    Eigenvalues of Sigma are at least `min_sigma`**2. Where quasi-Newton steps have brought a
    component below it, as far as `least_variance` allows, they are at least its own smallest one:
    raising it would lower the objective.
    """
    mixture, priors = parameters.mixture, phase.priors
    a, nu, n0 = priors.mean_count, priors.covariance_count, moments.complete.zeroth
    shift = penalised.first / (n0 + a)[:, None]
    if parameters.fixed is not None:
        # The spread is taken about the mean that the component will have: a fixed one widens it.
        shift = np.where(parameters.fixed.means[:, None], 0.0, shift)
    spread = (
        mixture.covariances
        + (penalised.excess - (n0 + a)[:, None, None] * shift[:, :, None] * shift[:, None, :])
        / (n0 + a + nu)[:, None, None]
    )
    successor = Mixture(
        fluxes=np.maximum(n0, _SMALLEST_FLUX),
        means=mixture.means + shift,
        covariances=floored(spread, _floors(mixture.covariances, priors)),
    )
    amplitudes = [
        np.where(
            fixed,
            amplitude,
            np.maximum(responsibility, _SMALLEST_RESPONSIBILITY) / np.maximum(integral, _TINY),
        )
        for fixed, amplitude, responsibility, integral in zip(
            likelihood.fixed_amplitudes,
            parameters.amplitudes,
            moments.responsibilities,
            likelihood.integrals,
            strict=True,
        )
    ]
    if priors.amplitudes is not None:
        rows = moments.responsibilities, likelihood.integrals, priors.amplitudes
        amplitudes = [
            np.where(p > 0, with_prior(responsibility, integral, m, p), amplitude)
            for amplitude, responsibility, integral, (m, p) in zip(amplitudes, *rows, strict=True)
        ]
    return parameters.moved(successor, amplitudes)


def with_prior(responsibility, integral, mean, precision):
    """The amplitudes that an M-step gives backgrounds with a Gaussian prior.

    They maximise ``R log B - B int q - (B - m)^2 p / 2``, that is they are the positive root of
    ``p B^2 + (int q - p m) B - R = 0``.

    Examples
    --------
    Without photons of its own, and with a prior that outweighs them:

    >>> with_prior(np.array([4.0]), np.array([2.0]), np.array([0.0]), np.array([0.0])).tolist()
    [2.0]
    >>> with_prior(np.array([4.0]), np.array([2.0]), np.array([5.0]), np.array([1e9])).round(6)
    array([5.])
    """
    half = (integral - precision * mean) / 2
    root = np.sqrt(half**2 + precision * responsibility)
    # Each form is free of cancellation on its side.
    positive = responsibility / np.maximum(half + root, _TINY)
    negative = (root - half) / np.maximum(precision, _TINY)
    found = np.where(half >= 0, positive, negative)
    return np.maximum(found, _SMALLEST_RESPONSIBILITY / np.maximum(integral, _TINY))


def _floors(covariances, priors):
    """Smallest eigenvalue that an M-step gives each component, (K,) [arcsec**2]."""
    if not len(covariances):
        return np.zeros(0)
    own = np.linalg.eigvalsh(covariances)[:, 0]
    return np.clip(own, priors.least_variance, priors.min_sigma**2)


def floored(covariances: np.ndarray, least: np.ndarray | float) -> np.ndarray:
    """Covariances with eigenvalues of at least `least`, a number or one for each of them.

    This is the maximum of the M-step under that constraint.

    Examples
    --------
    >>> floored(np.array([[[9.0, 0.0], [0.0, 1e-6]]]), least=0.01)
    array([[[9.  , 0.  ],
            [0.  , 0.01]]])
    """
    values, vectors = np.linalg.eigh(covariances)
    least = np.broadcast_to(least, len(values))[:, None]
    if np.all(values >= least):
        return covariances
    values = np.maximum(values, least)
    return (vectors * values[:, None, :]) @ np.swapaxes(vectors, 1, 2)
