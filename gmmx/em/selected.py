"""Samples that were selected before the noise was added to them.

The completeness then acts on the noise-free value y, so that a sample was recorded with the density

    lambda(x_i) = int Omega(y) N(x_i; y, S_i) sum_k F_k N(y; mu_k, Sigma_k) dy.

Where Omega is the same for all y that are plausible, this is what it is without a completeness.
For the other samples, near an edge, the integral is a sum over quasi-random points y_iq, drawn once
for a phase from a density g_i about the posterior of y_i, with fixed ``v_iq = Omega(y_iq) N(x_i;
y_iq, S_i) / (Q g_i(y_iq))``. A step of EM takes each point as a sample of weight ``w_i v_iq
lambda(y_iq) / sum_q v_iq lambda(y_iq)``, and never lowers the objective.
"""

from dataclasses import dataclass, replace

import numpy as np

from .._kernels.samples import Rows, sample_log_densities, sample_moments
from .sample_groups import SampleGroup

# Base-2 logarithm of the points of each sample, and their covariance over the posterior's.
_LOG_POINTS = 6
_WIDER = 1.5
_SEED = 20110601
_TINY = 1e-300


@dataclass(frozen=True, eq=False, kw_only=True)
class SelectedValues:
    """Noise-free values of samples near an edge, and the others as they were.

    Attributes
    ----------
    groups : tuple of SampleGroup
        Samples whose completeness does not vary within their noise.
    points : SampleGroup or None
        All points of the other samples, sample by sample, without noise.
    weights : (n,) array
        Weights of these samples.
    log_factors : (n, Q) array
        log v; minus infinity where nothing can be recorded.
    """

    groups: tuple
    points: SampleGroup | None
    weights: np.ndarray
    log_factors: np.ndarray

    @classmethod
    def of(cls, likelihood, parameters, completeness):
        """Draw points at given parameters.

        Parameters
        ----------
        likelihood : SampleLikelihood
            Without missing values and with noise that is positive definite.
        parameters : Parameters
        completeness : SampleCompleteness
        """
        (group,) = likelihood.groups
        values, covariances = _posteriors(group, parameters)
        x, noise = group.rows.x.T, group.noise_matrices()
        n, d = x.shape
        normal = _normal_points(d)
        roots = np.linalg.cholesky(covariances) * np.sqrt(_WIDER)
        y = values[:, None] + np.einsum("nij,qj->nqi", roots, normal)
        offsets = np.linalg.solve(np.linalg.cholesky(noise)[:, None], (x[:, None] - y)[..., None])
        log_factors = -0.5 * (offsets[..., 0] ** 2).sum(2) - _log_det(noise)[:, None] / 2
        volumes = np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(1)
        log_factors += 0.5 * (normal**2).sum(1) + volumes[:, None] - np.log(len(normal))
        omega = completeness(likelihood.scaling.back(y.reshape(-1, d))).reshape(n, -1)
        varies = omega.max(1) > omega.min(1)
        if not varies.any():
            return cls(groups=likelihood.groups, points=None, weights=x[:0, 0], log_factors=omega)
        with np.errstate(divide="ignore"):
            log_factors = log_factors[varies] + np.log(omega[varies])
        near, rest = np.flatnonzero(varies), np.flatnonzero(~varies)
        return cls(
            groups=(group.rows_at(rest),) if len(rest) else (),
            points=_points(group, near, y[near].reshape(-1, d), likelihood),
            weights=group.rows.weights[near],
            log_factors=log_factors,
        )

    def moments_of_points(self, amplitudes, mixture):
        """Sums, responsibilities of the backgrounds and log-likelihood, as `sample_moments`."""
        gaussians, rows = self.points.gaussians(mixture), self.points.rows
        logs = sample_log_densities(rows, amplitudes, gaussians).reshape(self.log_factors.shape)
        logs += self.log_factors
        peak = np.maximum(logs.max(1), np.log(_TINY))
        parts = np.exp(logs - peak[:, None])
        sums = np.maximum(parts.sum(1), _TINY)
        parts *= (self.weights / sums)[:, None]
        moments, responsibilities, _ = sample_moments(
            rows._replace(weights=parts.ravel()), amplitudes, gaussians
        )
        return moments, responsibilities, float(self.weights @ (peak + np.log(sums)))


def _points(group, near, y, likelihood):
    """All points as one group without noise."""
    n_b = len(group.rows.backgrounds)
    original = likelihood.scaling.back(y)
    densities = np.array([b.density(original) for b in likelihood.backgrounds])
    d = len(group.columns)
    rows = Rows(
        np.array(y.T, order="C"),
        np.zeros((0, len(y))),
        np.ones(len(y)),
        densities.reshape(n_b, len(y)),
    )
    return replace(
        group, index=np.repeat(near, len(y) // len(near)), rows=rows, common=np.zeros((d, d))
    )


def _posteriors(group, parameters):
    """Mean and covariance of each noise-free value, without regard to the completeness."""
    mixture, x, noise = parameters.mixture, group.rows.x.T, group.noise_matrices()
    logs = group.log_terms(parameters)
    parts = np.exp(logs - np.logaddexp.reduce(logs, axis=1)[:, None])
    n, d = x.shape
    means, seconds, k = np.zeros((n, d)), np.zeros((n, d, d)), len(mixture)
    for mean, sigma, part in zip(mixture.means, mixture.covariances, parts[:, :k].T, strict=True):
        gains = np.swapaxes(np.linalg.solve(sigma + noise, sigma[None]), 1, 2)
        b = mean + np.einsum("nij,nj->ni", gains, x - mean)
        means += part[:, None] * b
        seconds += part[:, None, None] * (sigma - gains @ sigma + b[:, :, None] * b[:, None, :])
    rest = 1.0 - parts[:, :k].sum(1)
    means += rest[:, None] * x
    seconds += rest[:, None, None] * (noise + x[:, :, None] * x[:, None, :])
    covariances = seconds - means[:, :, None] * means[:, None, :]
    return means, (covariances + np.swapaxes(covariances, 1, 2)) / 2 + 1e-12 * np.eye(d)


def _normal_points(d):
    """Quasi-random points of a unit Gaussian, (Q, d)."""
    from scipy.special import ndtri
    from scipy.stats import qmc

    sequence = qmc.Sobol(d, seed=np.random.default_rng(_SEED))
    return ndtri(np.clip(sequence.random_base2(_LOG_POINTS), 1e-12, 1 - 1e-12))


def _log_det(matrices):
    return np.linalg.slogdet(matrices)[1]
