"""What chooses the number of components: BIC, AIC, ICL and held-out samples."""

from dataclasses import dataclass

import numpy as np

from ...em.selection import recorded_terms
from ...em.structure import n_shape_parameters
from .problem import log_likelihood_of

# Part of the samples that is held out.
HELD_OUT = 0.2


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """Criteria of a fitted mixture; the smaller the better, but for `held_out`.

    Parameters
    ----------
    log_likelihood : float
        Of the normalised density [nat].
    n_parameters : int
        Free parameters p.
    bic : float
        ``p log W - 2 log L``, with W the sum of the weights (Schwarz 1978).
    aic : float
        ``2 p - 2 log L`` (Akaike 1974).
    icl : float
        ``BIC + 2 x entropy of the responsibilities`` (Biernacki, Celeux & Govaert 2000).
    held_out : float
        Mean log-likelihood of held-out samples [nat]; NaN if there are none.
    """

    log_likelihood: float
    n_parameters: int
    bic: float
    aic: float
    icl: float
    held_out: float = np.nan

    @classmethod
    def of(cls, problem, evaluation, held_out=None):
        """Criteria of an evaluation.

        Parameters
        ----------
        problem : SampleProblem
        evaluation : Evaluation
        held_out : SampleLikelihood, optional
            Of samples that were not fitted.
        """
        likelihood, parameters = problem.likelihood, evaluation.parameters
        n_b = len(likelihood.background_integrals)
        k, d = parameters.mixture.means.shape
        shapes = n_shape_parameters(problem.options.covariance_form, k, d)
        p = k - 1 + k * d + shapes + n_b
        value = log_likelihood_of(likelihood, evaluation)
        bic = p * float(np.log(likelihood.total_weight)) - 2 * value
        return cls(
            log_likelihood=value,
            n_parameters=p,
            bic=bic,
            aic=2 * p - 2 * value,
            icl=bic + 2 * likelihood.entropy(parameters),
            held_out=np.nan if held_out is None else _mean_log(held_out, evaluation),
        )

    def merit(self, criterion):
        """What is to be maximised."""
        return self.held_out if criterion == "held-out" else -getattr(self, criterion)

    @property
    def row(self):
        """Log-likelihood, BIC, AIC, ICL and held-out log-likelihood, for the path."""
        return self.log_likelihood, self.bic, self.aic, self.icl, self.held_out


def _mean_log(held_out, evaluation):
    """Mean of log [lambda / Lambda] over held-out samples, as they were recorded [nat]."""
    parameters = evaluation.parameters
    expected = float(parameters.mixture.fluxes @ evaluation.observed_fraction)
    expected += float(parameters.amplitudes[0] @ held_out.background_integrals)
    terms, log_omega = recorded_terms(held_out, parameters)
    logs = np.logaddexp.reduce(terms, axis=1) + np.nan_to_num(log_omega)
    weights = held_out.weights[0]
    return float(weights @ logs / weights.sum() - np.log(expected))
