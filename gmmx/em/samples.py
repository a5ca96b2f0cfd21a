"""The likelihood of samples with errors of their own, in any number of dimensions.

==================  =====================  ==============  =====================================
symbol              variable               shape           meaning
==================  =====================  ==============  =====================================
F_k                 mixture.fluxes         (K,)            expected samples of component k
mu_k, Sigma_k       mixture.means, ...     (K, D), ...     without noise
x_i, S_i            Samples.x, ...         (N, D), ...     values and noise covariances
R_i                 SampleGroup.columns    (d,)            which coordinates of sample i are known
T_ki                (in the kernel)        (d, d)          R_i Sigma_k R_i^T + S_i
G_ki                (in the kernel)        (D, d)          Sigma_k R_i^T T_ki^-1
B_b, q_b(x)         amplitudes, Rows       (n_b,), ...     background amplitudes and densities
==================  =====================  ==============  =====================================

The expected density of samples is

    lambda(x_i) = sum_k F_k N(x_i; R_i mu_k, T_ki) + sum_b B_b q_b(x_i),

as Bovy, Hogg & Roweis (2011, AOAS 5, 1657, equations 1 to 18) have it. The likelihood is
extended, so that the fluxes add up to the number of samples; the amplitudes of a normalised
mixture are ``F_k / sum F``. At the maximum over the fluxes it is the usual log-likelihood plus
``W log W - W``, with W the sum of the weights.

Coordinates are scaled (`Scaling`), but densities are in the units of the columns.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._kernels.samples import (
    sample_entropy,
    sample_log_densities,
    sample_moments,
)
from ..model.mixture import Mixture
from ..model.scaling import Scaling
from .likelihood import GaussianSums, Moments, completed
from .parameters import Parameters
from .sample_groups import groups_of, local_noise, mean_noise
from .sample_phase import SamplePhase
from .sample_scores import log_terms_of, losses_of, ratios_of, scores_of

# Sum of responsibilities of a component that has none.
_NOTHING = 1e-100


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class SampleLikelihood:
    """The extended likelihood of samples, grouped by which of their coordinates are known.

    Parameters
    ----------
    groups : tuple of SampleGroup
    scaling : Scaling
    mean_noise : (D, D) array
        Mean covariance of the noise in scaled coordinates; 0 without noise.
    selection : Selection, optional
        The completeness, and how missing samples are integrated.
    background_integrals : (n_b,) array
        Expected samples per unit of each background amplitude.
    backgrounds : tuple of SampleBackground

    Examples
    --------
    >>> from gmmx.em.maximise import evaluate
    >>> from gmmx.em.parameters import Parameters, Priors
    >>> from gmmx.model.mixture import Mixture
    >>> from gmmx.model.samples import Samples
    >>> likelihood = SampleLikelihood.of(Samples(x=[[0.0, 0.0], [1.0, 0.0], [2.0, 3.0]]))
    >>> likelihood
    SampleLikelihood(3 samples in 2 dimensions)
    >>> start = Mixture(fluxes=[3.0], means=[[0.0, 0.0]], covariances=[[[4.0, 0], [0, 4.0]]])
    >>> parameters = likelihood.parameters(start)
    >>> phase = likelihood.begin_phase(parameters, Priors())
    >>> likelihood.scaling.mixture_back(evaluate(likelihood, parameters, phase).successor.mixture)
    Mixture(1 component in 2 dimensions, flux 3)
    """

    groups: tuple
    scaling: Scaling
    mean_noise: np.ndarray
    selection: Any = None
    background_integrals: np.ndarray
    backgrounds: tuple = ()

    @classmethod
    def of(cls, samples, *, scaling=None, backgrounds=(), selection=None):
        """Lay samples out for the kernels.

        Parameters
        ----------
        samples : Samples
        scaling : Scaling, optional
        backgrounds : sequence of SampleBackground
        selection : Selection, optional
        """
        scaling = Scaling.of(samples) if scaling is None else scaling
        groups = groups_of(samples, scaling, backgrounds)
        noise = mean_noise(groups, len(scaling.scale))
        completeness, added = None, None
        if selection is not None:
            completeness, added = selection.completeness, selection.added_noise(noise, scaling)
        integrals = [b.recorded_part(completeness, added) for b in backgrounds]
        return cls(
            groups=groups,
            scaling=scaling,
            mean_noise=noise,
            selection=selection,
            background_integrals=np.array(integrals, float),
            backgrounds=tuple(backgrounds),
        )

    def __repr__(self):
        n, d = sum(len(g.index) for g in self.groups), len(self.scaling.scale)
        return f"SampleLikelihood({n:,} samples in {d} dimensions)"

    @property
    def noise_variance(self):
        """Mean variance of the noise over the axes, in scaled coordinates; 0 without noise."""
        return float(np.diag(self.mean_noise).mean())

    @property
    def weights(self):
        """Weights of the samples in their own order, as a tuple of one array."""
        weights = np.empty(sum(len(g.index) for g in self.groups))
        for group in self.groups:
            weights[group.index] = group.rows.weights
        return (weights,)

    @property
    def total_weight(self):
        """W: the sum of the weights."""
        return float(sum(g.rows.weights.sum() for g in self.groups))

    @property
    def integrals(self):
        """Expected samples per unit of each background amplitude, as a tuple of one array."""
        return (self.background_integrals,)

    @property
    def fixed_amplitudes(self):
        """No amplitude is fixed."""
        return (np.zeros(len(self.background_integrals), bool),)

    @property
    def deviations(self):
        """No fixed amplitude deviates."""
        return (np.zeros((0, len(self.background_integrals))),)

    def parameters(self, mixture, amplitudes=None):
        """Parameters of a mixture in the units of the columns; amplitudes are 0 by default."""
        return self.scaled_parameters(self.scaling.mixture_forward(mixture), amplitudes)

    def scaled_parameters(self, mixture, amplitudes=None):
        """Parameters of a mixture in scaled coordinates; amplitudes are 0 by default."""
        n_b = len(self.background_integrals)
        amplitudes = np.zeros(n_b) if amplitudes is None else np.asarray(amplitudes, float)
        return Parameters(mixture=mixture, amplitudes=(amplitudes,))

    def reweighted(self, weights):
        """The likelihood of the same samples with other weights (N,)."""
        groups = (
            replace(g, rows=g.rows._replace(weights=np.array(weights[g.index])))
            for g in self.groups
        )
        return replace(self, groups=tuple(groups))

    def part(self, index, weights, *, with_backgrounds=False):
        """The likelihood of some samples with other weights, without a completeness.

        Parameters
        ----------
        index : (n,) integers
            Samples, in their own order.
        weights : (n,) array
        with_backgrounds : bool
            Keep the backgrounds' densities; otherwise there is no background.
        """
        n = sum(len(g.index) for g in self.groups)
        place = np.full(n, -1)
        place[index] = np.arange(len(index))
        groups = (g.part(place, weights, with_backgrounds) for g in self.groups)
        integrals = self.background_integrals
        return replace(
            self,
            groups=tuple(g for g in groups if len(g.index)),
            selection=None,
            background_integrals=integrals if with_backgrounds else integrals[:0],
        )

    def begin_phase(self, parameters, priors):
        """Fix the scale of the priors, and draw the points of missing samples.

        The covariance prior guards against deconvolving too much, and the prior of the means
        against components that nobody saw. Where nothing is deconvolved or everything is seen,
        they would only slow EM.
        """
        if not self.mean_noise.any():
            priors = replace(priors, covariance_count=0.0)
        if self.selection is None:
            priors = replace(priors, mean_count=0.0)
        fluxes = np.maximum(parameters.mixture.fluxes, 1.0)
        # There is nothing to draw points about without components.
        selection = self.selection if len(fluxes) else None
        missing = None if selection is None else selection.points_for(self, parameters)
        return SamplePhase(
            priors=priors,
            prior_scales=np.full(len(fluxes), max(self.noise_variance, priors.min_sigma**2)),
            shares=fluxes / max(fluxes.sum(), 1.0),
            missing=missing,
            selected=None if missing is None else selection.values_of(self, parameters),
        )

    def moments(self, parameters, phase):
        """The E-step; see `Likelihood.moments`."""
        mixture, (amplitudes,) = parameters.mixture, parameters.amplitudes
        k, d = mixture.means.shape
        observed = GaussianSums(np.zeros(k), np.zeros((k, d)), np.zeros((k, d, d)))
        log_likelihood = -float(amplitudes @ self.background_integrals)
        if phase.selected is not None:
            log_likelihood += phase.selected.constant
        responsibilities = np.zeros(len(amplitudes))
        for group, (sums, parts, log_sum) in self._moments(amplitudes, mixture, phase.selected):
            log_likelihood += log_sum
            responsibilities += parts
            for total, some in zip(observed, group.deconvolved(sums, mixture), strict=True):
                total += some
        # A component that no sample belongs to stays as it is.
        lost = observed.zeroth <= 0
        observed.zeroth[lost] = _NOTHING
        observed.second[lost] = _NOTHING * mixture.covariances[lost]
        if phase.missing is None:
            exposure = GaussianSums(np.ones(k), np.zeros((k, d)), mixture.covariances)
        else:
            exposure = phase.missing.exposure(mixture)
        return Moments(
            log_likelihood=log_likelihood - float(mixture.fluxes @ exposure.zeroth),
            observed=observed.zeroth,
            complete=completed(observed, exposure, mixture),
            exposure=exposure,
            responsibilities=(responsibilities,),
        )

    def _moments(self, amplitudes, mixture, selected):
        """Each group, and what `sample_moments` returns for it."""
        for group in self.groups if selected is None else selected.groups:
            yield group, sample_moments(group.rows, amplitudes, group.gaussians(mixture))
        if selected is not None and selected.points is not None:
            yield selected.points, selected.moments_of_points(amplitudes, mixture)

    def log_densities(self, parameters, phase):
        """Logarithm of lambda at each sample, a list of one (N,) array in the samples' order."""
        if phase is not None and phase.selected is not None:
            return [np.logaddexp.reduce(log_terms_of(self, parameters, phase), axis=1)]
        (amplitudes,) = parameters.amplitudes
        logs = np.empty(sum(len(g.index) for g in self.groups))
        for group in self.groups:
            gaussians = group.gaussians(parameters.mixture)
            logs[group.index] = sample_log_densities(group.rows, amplitudes, gaussians)
        return [logs]

    def log_terms(self, parameters):
        """Logarithm of F_k N(x_i; ...) of each component and of B_b q_b(x_i), (N, K + n_b)."""
        return log_terms_of(self, parameters, None)

    def scores(self, parameters, phase, stride):
        """Derivatives of log lambda by all parameters; see `Likelihood.scores`."""
        return [scores_of(self, parameters, phase, stride)]

    def density_ratios(self, candidates, phase, logs, stride):
        """N_c / lambda of candidates; see `Likelihood.density_ratios`."""
        return [ratios_of(self, candidates, phase, logs[0], stride)]

    def flux_slopes(self, candidates, phase, logs):
        """Derivative of log L by the flux of each candidate, (C,); see `Likelihood`."""
        (ratios,), (weights,) = self.density_ratios(candidates, phase, logs, 1), self.weights
        seen = 1.0 if phase.missing is None else phase.missing.exposure(candidates).zeroth
        return np.sqrt(weights) @ ratios - seen

    def removal_losses(self, parameters, phase, observed_fraction):
        """Log-likelihood lost without each component; see `Likelihood.removal_losses`."""
        return losses_of(self, parameters, phase) - parameters.mixture.fluxes * observed_fraction

    def wings(self, mixture):
        """No wings: what a mixture of samples lacks is not known to lie outside of it."""
        return Mixture.empty(mixture.n_dimensions)

    def local_noise(self, parameters):
        """Mean noise covariance of the samples of each component, (K, D, D)."""
        return local_noise(self.groups, parameters, self.mean_noise)

    def entropy(self, parameters):
        """Entropy of the responsibilities, summed over the samples [nat]."""
        (amplitudes,) = parameters.amplitudes
        return sum(
            float(sample_entropy(g.rows, amplitudes, g.gaussians(parameters.mixture)))
            for g in self.groups
        )
