"""SampleProblem: the samples and the priors of a fit, prepared once."""

import time
from dataclasses import dataclass, field, replace

import numpy as np

from ..._kernels.threads import Pace
from ..._words import counted
from ...config.samples import SampleOptions
from ...em.maximise import evaluate
from ...em.parameters import Priors
from ...em.samples import SampleLikelihood
from ...em.structure import constrained
from ...errors import InputError
from ...model.samples import Samples
from ...model.scaling import Scaling

# Elements of the data, N D**2, below which one thread is faster than several.
_FEW_ELEMENTS = 100_000


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SampleProblem:
    """What a fit to samples is given and does not change.

    Parameters
    ----------
    samples : Samples
    likelihood : SampleLikelihood
    options : SampleOptions
    priors : Priors
    backgrounds : tuple of SampleBackground
    """

    samples: Samples
    likelihood: SampleLikelihood
    options: SampleOptions
    priors: Priors
    backgrounds: tuple = ()
    pace: Pace = field(default_factory=Pace)
    began: float = field(default_factory=time.perf_counter)

    @classmethod
    def of(cls, samples, options, *, scaling=None, backgrounds=(), selection=None):
        """Prepare samples for a fit.

        Raises
        ------
        InputError
            If there are not more samples with a weight than dimensions.
        """
        n, d = np.count_nonzero(samples.weights), samples.n_dimensions
        if n <= d:
            raise InputError(
                f"{counted(int(n), 'sample')} in {counted(d, 'dimension')} determine no covariance:"
                " give more samples than dimensions",
                parameter="x",
            )
        if scaling is None:
            scaling = Scaling.of(samples, isotropic=options.covariance_form == "spherical")
        likelihood = SampleLikelihood.of(
            samples, scaling=scaling, backgrounds=backgrounds, selection=selection
        )
        priors = Priors(
            mean_count=options.prior_mean_count,
            covariance_count=options.prior_covariance_count,
            min_sigma=options.min_sigma,
        )
        return cls(
            samples=samples,
            likelihood=likelihood,
            options=options,
            priors=priors,
            backgrounds=tuple(backgrounds),
        )

    @property
    def seconds(self):
        """Time since the fit began [s]."""
        return time.perf_counter() - self.began

    def begin_phase(self, parameters):
        """A phase with the priors of this fit."""
        return self.likelihood.begin_phase(parameters, self.priors)

    def evaluate(self, parameters, phase):
        """One E-step and M-step, with covariances in their form."""
        found = self.pace(evaluate, self.likelihood, parameters, phase)
        return constrained(found, self.options.covariance_form, phase)

    def of_part(self, index, weights):
        """The problem of some of the samples with other weights, complete and unselected.

        Parameters
        ----------
        index : (n,) integers
            In the order of `Samples`.
        weights : (n,) array
        """
        likelihood = self.likelihood.part(index, weights)
        return replace(self, likelihood=likelihood, backgrounds=())


def threads_for(samples, threads):
    """The number of threads, or 1 where they cost more than they bring because of few samples."""
    return 1 if samples.x.size * samples.n_dimensions < _FEW_ELEMENTS else threads


def log_likelihood_of(likelihood, evaluation):
    """Log-likelihood of the normalised density: sum_i w_i log [lambda(x_i) / Lambda] [nat].

    Lambda is the expected number of samples. The extended log-likelihood of an evaluation is ``sum
    w log lambda - Lambda``.
    """
    parameters = evaluation.parameters
    expected = float(parameters.mixture.fluxes @ evaluation.observed_fraction)
    for amplitudes, integrals in zip(parameters.amplitudes, likelihood.integrals, strict=True):
        expected += float(amplitudes @ integrals)
    return evaluation.log_likelihood + expected - likelihood.total_weight * np.log(expected)
