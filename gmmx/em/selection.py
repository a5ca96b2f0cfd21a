"""Selection: how samples were selected, and what that asks of their likelihood."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .missing import MissingSamples
from .selected import SelectedValues


@dataclass(frozen=True, eq=False, kw_only=True)
class Selection:
    """How samples were selected.

    Parameters
    ----------
    completeness : SampleCompleteness
    noise_order : {"before", "after"}
        Whether the completeness acts on values with noise, or on those without.
    noise_model : {"constant", "local"}
        Noise of samples that were not recorded: the mean of all, or that of each component's own.
    noise : SampleNoise, optional
        Noise as a function of the noise-free values, in place of `noise_model`.
    """

    completeness: Any
    noise_order: str = "before"
    noise_model: str = "constant"
    noise: Any = None

    @classmethod
    def of_result(cls, result):
        """How the samples of a fit were selected; None if all were recorded."""
        if result.completeness is None:
            return None
        model = result.options.get("noise_model", "constant")
        return cls(
            completeness=result.completeness,
            noise_order=result.options.get("noise_order", "before"),
            noise_model="constant" if result.noise is not None else model,
            noise=result.noise,
        )

    @property
    def acts_on_truth(self):
        """Whether the completeness acts on values without noise."""
        return self.noise_order == "after"

    def scaled_noise(self, z, scaling):
        """Noise covariances (n, D, D) at scaled noise-free values (n, D), scaled."""
        return self.noise(scaling.back(z)) / scaling.outer

    def scaled_sigmas(self, z, scaling):
        """Standard deviations of the noise (n, D) at scaled noise-free values (n, D), scaled."""
        noise = self.scaled_noise(z, scaling)
        return np.sqrt(np.maximum(np.diagonal(noise, axis1=1, axis2=2), 0.0))

    def added_noise(self, mean_noise, scaling):
        """Noise of samples that nobody saw, in the units of the columns; None without.

        A covariance (D, D), or a function from values to covariances.
        """
        if self.acts_on_truth:
            return None
        return self.noise if self.noise is not None else mean_noise * scaling.outer

    def values_of(self, likelihood, parameters):
        """Points of the samples of which something is unknown that the selection knew, or None."""
        has_noise = bool(likelihood.mean_noise.any())
        d = len(likelihood.scaling.scale)
        is_complete = all(len(group.columns) == d for group in likelihood.groups)
        noise_matters = has_noise and (self.acts_on_truth or self.noise is not None)
        if is_complete and not noise_matters:
            return None
        return SelectedValues.of(likelihood, parameters, self)

    def points_for(self, likelihood, parameters):
        """The missing samples of a phase that begins at given parameters."""
        mixture, scaling = parameters.mixture, likelihood.scaling
        k, d = mixture.means.shape
        noise, added = np.zeros((k, d, d)), None
        if not self.acts_on_truth and self.noise is not None:

            def added(z):
                return self.scaled_noise(z, scaling)

        elif not self.acts_on_truth:
            noise += likelihood.mean_noise
            if self.noise_model == "local" and likelihood.mean_noise.any():
                noise = likelihood.local_noise(parameters)
        return MissingSamples.of(mixture, noise, self.completeness, scaling, added)


def recorded_terms(likelihood, parameters):
    """Logarithm of each term of the density of recorded samples, and of the completeness.

    Where something is unknown of a sample that the selection knew, the terms are integrals with
    the completeness.

    Parameters
    ----------
    likelihood : SampleLikelihood
    parameters : Parameters

    Returns
    -------
    terms : (N, K + n_b) array
    log_omega : (N,) array
        0 where the terms have the completeness in them; NaN where all is known that it depends on.
    """
    terms = likelihood.log_terms(parameters)
    selected = None
    if likelihood.selection is not None:
        selected = likelihood.selection.values_of(likelihood, parameters)
    if selected is None:
        return terms, np.full(len(terms), np.nan)
    log_omega = selected.log_omega.copy()
    if selected.points is not None:
        terms[selected.index] = selected.log_terms_of_points(parameters)
        log_omega[selected.index] = 0.0
    return terms, log_omega
