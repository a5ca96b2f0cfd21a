"""Standard errors of fluxes, means and background amplitudes from the information matrix."""

from dataclasses import dataclass

import numpy as np

from .limits import limits_of
from .propagation import Slopes, covariance_of


@dataclass(frozen=True, eq=False, kw_only=True)
class Uncertainty:
    """Standard errors of the totals, of each flux and of each mean, and upper limits.

    Attributes
    ----------
    signal : float
        Of sum(F_k) over all components but point sources [photon at the reference exposure].
    fluxes : (K,) array
        [photon at the reference exposure]; 0 for a fixed flux.
    means : (K, D) array
        Along each axis [arcsec]; 0 for a fixed mean.
    amplitudes : tuple of (n_b,) arrays
        Of each background amplitude [photon / arcsec**2]. A fixed amplitude has the error of its
        deviations, 0 without any.
    correlations : tuple of (n_b,) arrays
        Of each amplitude with the total signal flux.
    background : float
        Of the expected detected photons of all backgrounds together [photon].
    background_correlation : float
        Of these photons with the total signal flux.
    flux_limits : (K,) array
        Upper limit of each flux at 95 % [photon at the reference exposure]; NaN for a fixed flux,
        or if it was not computed.
    amplitude_limits : tuple of (n_b,) arrays
        Upper limit of each amplitude at 95 % [photon / arcsec**2]; NaN as for fluxes.
    """

    signal: float
    fluxes: np.ndarray
    means: np.ndarray
    amplitudes: tuple
    correlations: tuple
    background: float
    background_correlation: float
    flux_limits: np.ndarray
    amplitude_limits: tuple


def uncertainty_of(information):
    """Errors of background amplitudes, of the total signal and of each component.

    Wings that are not in the fit are free beside all its parameters: see `Likelihood.wings`. The
    flux of each is 0 with a standard deviation of the flux that it may have. A mixture
    alone does not show that wings are missing from it; without them the error bar would be that of
    the mixture, not that of the sky (on a beta-model that fills the field, eight times too small).

    A fixed amplitude that is uncertain by d moves everything else: ``d theta = -I^-1 I_h d``, with
    I_h the columns of the fixed amplitudes. That adds to the errors.

    A flux or an amplitude that is zero is held there, and moves everything else in the same way by
    its one-sided error, if the matrix is that of `Information.at_boundary`. Only then are there
    limits.

    Parameters
    ----------
    information : Information

    Returns
    -------
    Uncertainty
    """
    k = len(information.parameters.mixture)
    cuts = np.cumsum([len(a) for a in information.parameters.amplitudes])[:-1]
    covariance = covariance_of(information, _totals(information))
    errors = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    scale = errors[1:] * errors[0]
    correlations = np.where(scale > 0, covariance[0, 1:] / np.where(scale > 0, scale, 1.0), 0.0)
    signal, amplitudes, background = errors[0], errors[1:-1], errors[-1]
    fluxes, means = _component_errors(information)
    limits = np.full(k + len(amplitudes), np.nan)
    if information.evaluation is not None:
        limits = limits_of(information, np.concatenate([fluxes, amplitudes]))
    return Uncertainty(
        signal=float(signal),
        fluxes=fluxes,
        means=means,
        amplitudes=tuple(np.split(amplitudes, cuts)),
        correlations=tuple(np.split(correlations[:-1], cuts)),
        background=float(background),
        background_correlation=float(correlations[-1]),
        flux_limits=limits[:k],
        amplitude_limits=tuple(np.split(limits[k:], cuts)),
    )


def _totals(information):
    """The signal flux, each background amplitude, and the photons of all backgrounds."""
    parameters, likelihood = information.parameters, information.likelihood
    n = sum(len(a) for a in parameters.amplitudes)
    fluxes, amplitudes = np.zeros((2 + n, len(parameters.mixture))), np.zeros((2 + n, n))
    fluxes[0] = ~parameters.points
    amplitudes[1:-1] = np.eye(n)
    amplitudes[-1] = np.concatenate([*likelihood.integrals])
    wings = np.zeros((2 + n, len(likelihood.wings(parameters.mixture))))
    wings[0] = 1.0
    cuts = np.cumsum([len(a) for a in parameters.amplitudes])[:-1]
    return Slopes(fluxes=fluxes, amplitudes=np.split(amplitudes, cuts, axis=1), wings=wings)


def _component_errors(information):
    """Standard errors of each flux (K,) and mean (K, D), with all other parameters free."""
    parameters, n = information.parameters, len(information.fixed)
    k, d = parameters.mixture.means.shape
    rows = (1 + d) * k
    covariance = information.solve(np.eye(n)[:, :rows])[:rows].reshape(1 + d, k, 1 + d, k)
    each = np.arange(k)
    moved = information.followed(information.moves)
    # The number of moves is named, because without components it cannot be inferred.
    moved = moved[:rows].reshape(1 + d, k, moved.shape[-1])
    variances = np.maximum(covariance[0, each, 0, each], 0.0) + (moved[0] ** 2).sum(-1)
    roots = np.linalg.cholesky(parameters.scales(information.phase))
    own = covariance[1:, each, 1:, each] + np.einsum("ikm,jkm->kij", moved[1:], moved[1:])
    means = np.sqrt(np.maximum(np.einsum("kij,kjl,kil->ki", roots, own, roots), 0.0))
    return parameters.mixture.fluxes * np.sqrt(variances), means
