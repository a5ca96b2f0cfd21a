"""Samples that were not recorded: integrals of the completeness by quasi-random points.

Melchior & Goulding (2018, A&C 25, 183) draw the missing samples at random in every iteration, so
that their likelihood jitters. Here points x_q are drawn once for a phase, from a density g that
covers the components, and are reweighted as the components move. With ``v_q = (1 - Omega(x_q)) /
(Q g(x_q))`` the hidden part of component k is

    h_k = sum_q v_q N(x_q; mu_k, T_k),      e_k = 1 - h_k,

which is a smooth function of the parameters. Where the noise varies with the noise-free value y,
the points are pairs of y and noise e, ``v_q = (1 - Omega(y_q + e_q)) / (Q g(y_q))``, and T_k is
Sigma_k: the completeness of y is its mean over the noise there. The points are samples of weight
``v_q sum_k F_k N(x_q; mu_k, T_k)``, and a step of EM with them never lowers the objective: ``v
lambda >= v lambda_0 (1 + log lambda - log lambda_0)``.
"""

from dataclasses import dataclass

import numpy as np

from .._kernels.samples import Gaussians, point_moments
from ..model.sample_densities import root
from .likelihood import GaussianSums
from .triangles import packed, square

# Points for each component: a power of 2, of which more are taken for more dimensions.
_LOG_POINTS = (12, 15)
# By how much it grows where each point has noise of its own, too.
_MORE_POINTS = 2
# Covariance of the points, over that of the component: it covers the tails.
_WIDER = 1.5
# How far a component may go from where its points were drawn: shift in sigma, factor on variances.
_FARTHEST = 0.5
_WIDEST = 1.5
# Least observed fraction, because the points are not exact.
_LEAST = 1e-6
_SEED = 20180301


@dataclass(frozen=True, eq=False, kw_only=True)
class MissingSamples:
    """Points that stand for the missing samples of one phase, in scaled coordinates.

    Attributes
    ----------
    x : (D, Q) array
    weights : (Q,) array
        v.
    noise : (K, D, D) array
        Noise covariance of the missing samples of each component.
    means, inverse_roots : arrays
        Of T_k where the points were drawn, (K, D) and (K, D, D).
    """

    x: np.ndarray
    weights: np.ndarray
    noise: np.ndarray
    means: np.ndarray
    inverse_roots: np.ndarray

    @classmethod
    def of(cls, mixture, noise, completeness, scaling, added=None):
        """Draw points about the components of a mixture.

        Parameters
        ----------
        mixture : Mixture
            In scaled coordinates.
        noise : (K, D, D) array
        completeness : SampleCompleteness
        scaling : Scaling
        added : callable, optional
            Noise that is added to the points: from (n, D) values to (n, D, D) covariances, scaled.
        """
        k, d = mixture.means.shape
        least, most = _LOG_POINTS
        each = int(np.clip(most - int(np.log2(k)), least - 2, least + (d > 2) + (d > 4)))
        each += 0 if added is None else _MORE_POINTS
        roots = np.linalg.cholesky(mixture.covariances + noise)
        x, errors = np.empty((k, 2**each, d)), np.zeros((k, 2**each, d))
        for j in range(k):
            normal = _normal_points(d if added is None else 2 * d, each, j)
            x[j] = mixture.means[j] + np.sqrt(_WIDER) * normal[:, :d] @ roots[j].T
            if added is not None:
                errors[j] = np.einsum("qij,qj->qi", root(added(x[j])), normal[:, d:])
        x, errors = x.reshape(-1, d), errors.reshape(-1, d)
        hidden = 1.0 - completeness(scaling.back(x if added is None else x + errors))
        x, hidden = x[hidden > 0], hidden[hidden > 0]
        inverses = np.linalg.inv(roots)
        logs = np.empty((k, len(x)))
        for j in range(k):
            q = (((x - mixture.means[j]) @ inverses[j].T) ** 2).sum(1) / _WIDER
            logs[j] = (
                -q / 2 - np.log(np.diagonal(roots[j])).sum() - d / 2 * np.log(2 * np.pi * _WIDER)
            )
        density = np.exp(np.logaddexp.reduce(logs, axis=0)) * 2.0**each if len(x) else np.ones(0)
        return cls(
            x=np.array(x.T, order="C"),
            weights=hidden / density,
            noise=noise,
            means=mixture.means,
            inverse_roots=inverses,
        )

    def covers(self, mixture):
        """Whether the components are still where the points were drawn."""
        shifts = np.einsum("kij,kj->ki", self.inverse_roots, mixture.means - self.means)
        if np.any((shifts**2).sum(1) > _FARTHEST**2):
            return False
        totals = mixture.covariances + self.noise
        ratios = np.linalg.eigvalsh(
            self.inverse_roots @ totals @ np.swapaxes(self.inverse_roots, 1, 2)
        )
        return bool(ratios.min() > 1 / _WIDEST and ratios.max() < _WIDEST)

    def exposure(self, mixture):
        """Moments s0, s1, s2 of the completeness under each component, without noise.

        Parameters
        ----------
        mixture : Mixture

        Returns
        -------
        GaussianSums
        """
        k, d = mixture.means.shape
        sigma, totals = mixture.covariances, mixture.covariances + self.noise
        roots = np.linalg.cholesky(totals)
        logs = -np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(1) - d / 2 * np.log(2 * np.pi)
        gaussians = Gaussians(np.zeros(k), mixture.means.copy(), packed(np.linalg.inv(roots)))
        hidden = point_moments(self.x, self.weights, gaussians) * np.exp(logs)[:, None]
        zeroth = np.maximum(1.0 - hidden[:, 0], _LEAST)
        gains = sigma @ np.linalg.inv(totals)
        first = -np.einsum("kij,kj->ki", gains, hidden[:, 1 : 1 + d])
        second = gains @ (totals - square(hidden[:, 1 + d :], d)) @ np.swapaxes(
            gains, 1, 2
        ) + zeroth[:, None, None] * (sigma - gains @ sigma)
        return GaussianSums(zeroth, first, (second + np.swapaxes(second, 1, 2)) / 2)


def _normal_points(d, log_n, component):
    """Quasi-random points of a unit Gaussian for a component, (n, d)."""
    from scipy.special import ndtri
    from scipy.stats import qmc

    sequence = qmc.Sobol(d, seed=np.random.default_rng([_SEED, component]))
    return ndtri(np.clip(sequence.random_base2(log_n), 1e-12, 1 - 1e-12))
