"""The protocol by which maximisation, ascent and information know a likelihood.

A likelihood says what its data know about every component: the sums (moments) that an E-step
takes over the data, and the derivatives of log lambda at each datum. It has no part in what
follows from them. The priors, the objective, the gradient and the M-step are in `maximise`, the
quasi-Newton ascent is in `ascent` and the error bars are in `information`; they are the same for
every likelihood and in any number of dimensions D.

`photons.PhotonLikelihood` is the Poisson likelihood of photons on the sky.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from ..model.mixture import Mixture
from .parameters import Parameters, Priors


class GaussianSums(NamedTuple):
    """Weighted sums of 1, d and d d^T over the offsets d from each component's mean.

    Attributes
    ----------
    zeroth : (K,) array
    first : (K, D) array
    second : (K, D, D) array
    """

    zeroth: np.ndarray
    first: np.ndarray
    second: np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True)
class Moments:
    """The sums of one pass over the data, from which every parameter is updated: the E-step.

    Attributes
    ----------
    log_likelihood : float
        [nat]; terms that do not depend on the parameters are left out.
    observed : (K,) array
        Responsibilities of each component, summed over the data.
    complete : GaussianSums
        n0, n1, n2: moments of the data and of the expected data that were not recorded, both
        deconvolved.
    exposure : GaussianSums
        s0, s1, s2: integrals of the completeness under each component, deconvolved. s0 is the
        observed fraction e_k.
    responsibilities : tuple of (n_b,) arrays
        Responsibilities of each background, summed over the data of each observation.
    """

    log_likelihood: float
    observed: np.ndarray
    complete: GaussianSums
    exposure: GaussianSums
    responsibilities: tuple


def completed(observed, exposure, mixture):
    """Moments of the recorded data, and of those that the model expects beside them.

    Of a component, the part under the completeness was recorded, so that the missing moments are
    ``F_k ([1, 0, Sigma_k] - [s0, s1, s2])``.

    Parameters
    ----------
    observed, exposure : GaussianSums
        Of the data, and integrals of the completeness; both deconvolved.
    mixture : Mixture

    Returns
    -------
    GaussianSums
        n0, n1, n2.
    """
    fluxes = mixture.fluxes
    return GaussianSums(
        observed.zeroth + fluxes * (1 - exposure.zeroth),
        observed.first - fluxes[:, None] * exposure.first,
        observed.second + fluxes[:, None, None] * (mixture.covariances - exposure.second),
    )


class Phase(Protocol):
    """Quantities that stay fixed while objectives are compared between iterates.

    Attributes
    ----------
    priors : Priors
    prior_scales : (K,) array
        S_k: scale of the covariance prior, a variance along every axis.
    """

    priors: Priors
    prior_scales: np.ndarray

    def is_valid(self, parameters: Parameters) -> bool:
        """Whether an objective at these parameters is as precise as at the phase's start."""


class Likelihood(Protocol):
    """Data, and what they say about a mixture and about background amplitudes.

    The likelihood is extended, that is Poisson: ``log L = sum_i w_i log lambda(x_i) - Lambda``
    with Lambda the integral of lambda over all that can be recorded. Derivatives of log lambda
    are by (log F, L^-1 mu, log-Cholesky of Sigma, log B), with ``L L^T`` from
    `Parameters.scales`: one column for each flux, then D blocks of K columns for the means, then
    D (D + 1) / 2 blocks for the lower triangle, row by row, then the amplitudes. The arrays of an
    observation without backgrounds are empty.

    Attributes
    ----------
    weights : tuple of (N_o,) arrays
        Weights of the data of each observation.
    integrals : tuple of (n_b,) arrays
        Expected data per unit of each background amplitude.
    fixed_amplitudes : tuple of (n_b,) booleans
        Amplitudes that are not fitted.
    deviations : tuple of (n_deviations, n_b) arrays
        Independent standard deviations of the fixed amplitudes of each observation.
    """

    weights: tuple
    integrals: tuple
    fixed_amplitudes: tuple
    deviations: tuple

    def begin_phase(self, parameters: Parameters, priors: Priors) -> Phase:
        """Fix everything but the parameters that the objective depends on."""

    def moments(self, parameters: Parameters, phase: Phase) -> Moments:
        """The E-step at given parameters."""

    def log_densities(self, parameters: Parameters, phase: Phase) -> list:
        """Logarithm of lambda at each datum, an (N_o,) array for each observation [nat]."""

    def scores(self, parameters: Parameters, phase: Phase, stride: int) -> list:
        """Derivatives of log lambda at every stride-th datum, times sqrt(stride w_i).

        An (n_o, n) array for each observation, where n is the number of all parameters.
        """

    def density_ratios(self, candidates: Mixture, phase: Phase, logs: list, stride: int) -> list:
        """N_c(x_i) / lambda_i of candidates at every stride-th datum, times sqrt(stride w_i).

        An (n_o, C) array for each observation [1 / datum]. The phase must have been begun at the
        candidates, and `logs` are what `log_densities` returns.
        """

    def flux_slopes(self, candidates: Mixture, phase: Phase, logs: list) -> np.ndarray:
        """Derivative of log L by the flux of each candidate, (C,) [nat / datum]."""

    def removal_losses(
        self, parameters: Parameters, phase: Phase, observed_fraction: np.ndarray
    ) -> np.ndarray:
        """Log-likelihood lost when a component is removed and nothing else changes, (K,) [nat]."""

    def wings(self, mixture: Mixture) -> Mixture:
        """Broad components that the mixture may lack, each with the flux it may have."""
