"""A second likelihood, for tests of the protocol: samples with their own errors in D dimensions."""

from dataclasses import dataclass, replace

import numpy as np

from gmmx.em.likelihood import GaussianSums, Moments
from gmmx.em.parameters import Priors
from gmmx.model.mixture import Mixture


@dataclass(frozen=True, eq=False)
class SamplePhase:
    """A phase that always is_valid, because nothing depends on the parameters beside them."""

    priors: Priors
    prior_scales: np.ndarray

    def is_valid(self, parameters):
        """Objectives can always be compared."""
        return True


@dataclass(frozen=True, eq=False)
class SampleLikelihood:
    """Points (N, D) of weights (N,), each with an error of covariance (N, D, D); all recorded."""

    points: np.ndarray
    errors: np.ndarray
    row_weights: np.ndarray

    @property
    def weights(self):
        """Weights of the one set of samples."""
        return (self.row_weights,)

    @property
    def integrals(self):
        """There are no backgrounds."""
        return (np.zeros(0),)

    @property
    def fixed_amplitudes(self):
        """There are no backgrounds."""
        return (np.zeros(0, bool),)

    @property
    def deviations(self):
        """There are no backgrounds."""
        return (np.zeros((0, 0)),)

    def begin_phase(self, parameters, priors):
        """The prior's scale is the mean variance of the errors."""
        variance = np.trace(self.errors.mean(0)) / self.points.shape[1]
        return SamplePhase(priors, np.full(len(parameters.mixture), variance))

    def moments(self, parameters, phase):
        """The E-step."""
        mixture = parameters.mixture
        covariances, totals = mixture.covariances[:, None], self._totals(mixture)
        logs = self._log_values(mixture)
        log_densities = np.logaddexp.reduce(logs, axis=0)
        r = self.row_weights * np.exp(logs - log_densities)
        gains = covariances @ np.linalg.inv(totals)
        b = np.einsum("knij,knj->kni", gains, self._offsets(mixture))
        spread = b[..., :, None] * b[..., None, :] + covariances - gains @ covariances
        sums = GaussianSums(
            r.sum(1), np.einsum("kn,kni->ki", r, b), np.einsum("kn,knij->kij", r, spread)
        )
        everything = GaussianSums(
            np.ones(len(mixture)), np.zeros(mixture.means.shape), mixture.covariances
        )
        return Moments(
            log_likelihood=float(self.row_weights @ log_densities - mixture.fluxes.sum()),
            observed=sums.zeroth,
            complete=sums,
            exposure=everything,
            responsibilities=(np.zeros(0),),
        )

    def log_densities(self, parameters, phase):
        """Logarithm of lambda at each point."""
        return [np.logaddexp.reduce(self._log_values(parameters.mixture), axis=0)]

    def scores(self, parameters, phase, stride):
        """Derivatives of log lambda at some points."""
        mixture, chosen = parameters.mixture, self._every(stride)
        logs = self._log_values(mixture)
        r = np.exp(logs - np.logaddexp.reduce(logs, axis=0))
        roots = np.linalg.cholesky(parameters.scales(phase))[:, None]
        slopes = np.swapaxes(roots, 2, 3) @ np.linalg.inv(self._totals(mixture))
        u = np.einsum("knij,knj->nki", slopes, self._offsets(mixture))
        curvatures = np.moveaxis(slopes @ roots, 0, 1)
        rows, columns = np.tril_indices(self.points.shape[1])
        shapes = u[..., rows] * u[..., columns] - curvatures[..., rows, columns]
        terms = np.concatenate([np.ones((*u.shape[:2], 1)), u, shapes], axis=2) * r.T[..., None]
        rows = np.swapaxes(terms, 1, 2).reshape(len(self.points), -1)[chosen]
        return [rows * np.sqrt(stride * self.row_weights[chosen])[:, None]]

    def density_ratios(self, candidates, phase, logs, stride):
        """N_c / lambda at some points."""
        chosen = self._every(stride)
        ratios = np.exp(self._log_values(_with_unit_fluxes(candidates)) - logs[0]).T[chosen]
        return [ratios * np.sqrt(stride * self.row_weights[chosen])[:, None]]

    def flux_slopes(self, candidates, phase, logs):
        """Derivative of log L by the candidates' fluxes."""
        ratios = np.exp(self._log_values(_with_unit_fluxes(candidates)) - logs[0])
        return ratios @ self.row_weights - 1

    def removal_losses(self, parameters, phase, observed_fraction):
        """Log-likelihood lost without each component."""
        logs = self._log_values(parameters.mixture)
        left = np.maximum(1 - np.exp(logs - np.logaddexp.reduce(logs, axis=0)), 1e-9)
        return -np.log(left) @ self.row_weights - parameters.mixture.fluxes * observed_fraction

    def wings(self, mixture):
        """No wings: every sample is recorded."""
        return Mixture.empty(mixture.n_dimensions)

    def _every(self, stride):
        return np.arange(stride // 2, len(self.points), stride)

    def _totals(self, mixture):
        return mixture.covariances[:, None] + self.errors

    def _offsets(self, mixture):
        return self.points - mixture.means[:, None]

    def _log_values(self, mixture):
        """Logarithm of F_k N(x_i; mu_k, Sigma_k + S_i), (K, N)."""
        totals, offsets = self._totals(mixture), self._offsets(mixture)
        q = np.einsum("kni,knij,knj->kn", offsets, np.linalg.inv(totals), offsets)
        norms = np.linalg.slogdet(2 * np.pi * totals)[1]
        return np.log(mixture.fluxes)[:, None] - 0.5 * (q + norms)


def _with_unit_fluxes(mixture):
    return replace(mixture, fluxes=np.ones(len(mixture)))
