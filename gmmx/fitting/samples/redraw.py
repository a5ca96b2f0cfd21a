"""Draws of the parameters of a mixture of samples: from the information matrix, or from refits."""

from dataclasses import replace

import numpy as np

from ..._kernels.threads import threads_at_most
from ...config import SampleOptions
from ...em.drawing import drawn_parameters
from ...em.information import Information
from ...em.maximise import evaluate
from ...em.missing import Selection
from ...em.observed import observed
from ...em.structure import ties_of
from ...model.posterior import Draws
from .climb import BRIEF_TOLERANCE, climb
from .problem import SampleProblem, threads_for

# Evaluations of each refit.
_EVALUATIONS = 40
# Numbers in the scores that a matrix is summed over, which is half a gigabyte.
_MOST_SCORES = 60_000_000


def prepared(result):
    """The problem of a fit, and its parameters.

    Parameters
    ----------
    result : SamplesResult

    Returns
    -------
    (SampleProblem, Parameters)
    """
    known = {name: result.options[name] for name in vars(SampleOptions()) if name in result.options}
    options, selection = SampleOptions(**known), None
    if result.completeness is not None:
        selection = Selection(
            completeness=result.completeness,
            noise_order=options.noise_order,
            noise_model=options.noise_model,
        )
    problem = SampleProblem.of(
        result.samples, options, backgrounds=result.backgrounds, selection=selection
    )
    amplitudes = [b.amplitude for b in result.backgrounds]
    return problem, problem.likelihood.parameters(result.mixture, amplitudes)


def n_coordinates(result):
    """Rows of the information matrix of a fit, whatever the form of its covariances."""
    k, d = result.mixture.means.shape
    return (1 + d + d * (d + 1) // 2) * k + len(result.backgrounds)


def information_of(result):
    """The information matrix of a fit, with amounts of zero held.

    It is the curvature of the log-likelihood itself, if it can be summed over all samples and is
    positive definite, as it is at a maximum. Otherwise it is the sum over the squares of scores.
    """
    problem, parameters = prepared(result)
    likelihood, form = problem.likelihood, problem.options.covariance_form
    phase = problem.begin_phase(parameters)
    information = Information.at(
        likelihood,
        parameters,
        phase,
        photons=_MOST_SCORES // n_coordinates(result),
        ties=ties_of(form, *result.mixture.means.shape, len(result.backgrounds)),
    )
    evaluation = evaluate(likelihood, parameters, phase)
    if information.stride == 1:
        try:
            return replace(information, raw=observed(information)).at_boundary(evaluation)
        except np.linalg.LinAlgError:
            pass
    return information.at_boundary(evaluation)


def drawn_from_information(result, n, seed, tell):
    """Gaussian draws from the information matrix.

    Parameters
    ----------
    result : SamplesResult
    n : int
    seed : int
    tell : callable
        Called with the number of finished steps and the number of all.

    Returns
    -------
    Draws
        Its fluxes are numbers of samples, as those of the fit.
    """
    tell(0, 1)
    with threads_at_most(threads_for(result.samples, 0)):
        information = information_of(result)
    drawn = drawn_parameters(information, n, np.random.default_rng(seed), with_wings=False)
    scaling = information.likelihood.scaling
    tell(1, 1)
    return Draws(
        fluxes=drawn.fluxes,
        means=scaling.back(drawn.means),
        covariances=drawn.covariances * scaling.outer,
        amplitudes=drawn.amplitudes,
        method="laplace",
        seed=seed,
    )


def bootstrapped(result, n, seed, tell):
    """Refit a mixture to its samples with random weights, once for each draw.

    The weights are those of the Bayesian bootstrap (Rubin 1981, Annals of Statistics 9, 130), but
    do not add up to the number of samples, which is a Poisson number: each sample gets an
    exponential random number times its weight. Weights that are whole numbers count equal samples,
    of which each gets one. Every refit starts at the fit, so that the components of all draws are
    those of the fit. The parameters are those of `drawn_from_information`.
    """
    rng, found, given = np.random.default_rng(seed), [], result.samples.weights
    with threads_at_most(threads_for(result.samples, 0)):
        whole, start = prepared(result)
        for i in range(n):
            tell(i, n)
            if are_counts(given):
                weights = rng.standard_gamma(given)
            else:
                weights = given * rng.standard_exponential(len(given))
            problem = replace(whole, likelihood=whole.likelihood.reweighted(weights))
            climbed = climb(
                problem, start, budget=_EVALUATIONS, tolerance=BRIEF_TOLERANCE, keep_empty=True
            )
            found.append(climbed.parameters)
    tell(n, n)
    mixtures = [whole.likelihood.scaling.mixture_back(p.mixture) for p in found]
    return Draws(
        fluxes=np.array([m.fluxes for m in mixtures]),
        means=np.array([m.means for m in mixtures]),
        covariances=np.array([m.covariances for m in mixtures]),
        amplitudes=np.array([p.amplitudes[0] for p in found]),
        method="bootstrap",
        seed=seed,
    )


def are_counts(weights):
    """Whether weights are whole numbers, which count equal samples."""
    return bool(np.all(weights == np.round(weights)))
