"""Draws of the parameters of a mixture of samples: from the information matrix, or from refits."""

from contextlib import suppress
from dataclasses import replace

import numpy as np

from ..._kernels.threads import threads_at_most
from ...config import SampleOptions
from ...em.drawing import drawn_parameters
from ...em.information import Information
from ...em.maximise import evaluate
from ...em.observed import misfit, observed, robust
from ...em.selection import Selection
from ...em.structure import ties_of
from ...model.posterior import Draws
from ...model.scaling import Scaling
from .climb import BRIEF_TOLERANCE, climb
from .problem import SampleProblem, threads_for

# Evaluations of each refit.
_EVALUATIONS = 40
# Scatter of the scores over the curvature above which the samples are not those of a mixture. It is
# 0.9 to 1.17 on 300 samples of mixtures in 1 to 5 dimensions, and 1.8 where these have the tails of
# Student's t with 5 degrees of freedom.
MISFIT = 1.25
# Numbers in the scores that a matrix is summed over, which are 160 MB.
_MOST_SCORES = 20_000_000
# Samples for each parameter that are summed over in any case.
_SAMPLES_PER_PARAMETER = 8


def prepared(result, stride=1):
    """The problem of a fit, its parameters, and what all numbers of samples are multiplied with.

    Weights that are no counts have any unit. They are multiplied such that their sum is the
    number of samples that would tell as much, ``(sum w)^2 / sum w^2``.

    Parameters
    ----------
    result : SamplesResult
    stride : int
        Take every stride-th sample, which stands for so many.

    Returns
    -------
    (SampleProblem, Parameters, float)
    """
    known = {name: result.options[name] for name in vars(SampleOptions()) if name in result.options}
    # The result holds the noise itself.
    known.pop("noise_model", None)
    options, selection = SampleOptions(**known), Selection.of_result(result)
    samples = result.samples
    unit = 1.0 if are_counts(samples.weights) else _unit(samples.weights)
    if stride > 1:
        samples = samples.select(np.arange(stride // 2, len(samples), stride))
    problem = SampleProblem.of(
        samples,
        options,
        scaling=Scaling.of(result.samples, isotropic=options.covariance_form == "spherical"),
        backgrounds=result.backgrounds,
        selection=selection,
    )
    likelihood = problem.likelihood.reweighted(stride * unit * samples.weights)
    mixture = replace(result.mixture, fluxes=unit * result.mixture.fluxes)
    amplitudes = [unit * b.amplitude for b in result.backgrounds]
    parameters = likelihood.parameters(mixture, amplitudes)
    return replace(problem, likelihood=likelihood), parameters, unit


def are_counts(weights):
    """Whether weights are whole numbers, which count equal samples."""
    return bool(np.all(weights == np.round(weights)))


def _unit(weights):
    return float(weights.sum() / (weights**2).sum())


def n_coordinates(result):
    """Rows of the information matrix of a fit, whatever the form of its covariances."""
    k, d = result.mixture.means.shape
    return (1 + d + d * (d + 1) // 2) * k + len(result.backgrounds)


def information_of(result):
    """The information matrix of a fit with amounts of zero held, and the unit of `prepared`.

    It is the curvature of the log-likelihood itself, if that is positive definite, as it is at a
    maximum. Otherwise it is the sum over the squares of scores. Where the two differ by more than
    `MISFIT`, the samples are not those of a mixture. Then, and for weights that are no counts, the
    inverse of the matrix is the covariance that holds all the same.
    """
    n, n_data = n_coordinates(result), len(result.samples)
    stride = max(1, n_data // max(_MOST_SCORES // n, _SAMPLES_PER_PARAMETER * n))
    problem, parameters, unit = prepared(result, stride)
    likelihood, form = problem.likelihood, problem.options.covariance_form
    phase = problem.begin_phase(parameters)
    information = Information.at(
        likelihood,
        parameters,
        phase,
        photons=n_data,
        ties=ties_of(form, *result.mixture.means.shape, len(result.backgrounds)),
    )
    evaluation = evaluate(likelihood, parameters, phase)
    found = information.at_boundary(evaluation)
    with suppress(np.linalg.LinAlgError):
        found = replace(information, raw=observed(information)).at_boundary(evaluation)
    are_rows = not are_counts(result.samples.weights)
    once = unit * problem.samples.weights if are_rows else np.ones(len(problem.samples))
    if are_rows or misfit(found, once) > MISFIT:
        with suppress(np.linalg.LinAlgError):
            found = robust(found, once)
    return found, unit


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
        information, unit = information_of(result)
    drawn = drawn_parameters(information, n, np.random.default_rng(seed), with_wings=False)
    scaling = information.likelihood.scaling
    tell(1, 1)
    return Draws(
        fluxes=drawn.fluxes / unit,
        means=scaling.back(drawn.means),
        covariances=drawn.covariances * scaling.outer,
        amplitudes=drawn.amplitudes / unit,
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
        whole, start, unit = prepared(result)
        for i in range(n):
            tell(i, n)
            if are_counts(given):
                weights = rng.standard_gamma(given)
            else:
                weights = unit * given * rng.standard_exponential(len(given))
            problem = replace(whole, likelihood=whole.likelihood.reweighted(weights))
            climbed = climb(
                problem, start, budget=_EVALUATIONS, tolerance=BRIEF_TOLERANCE, keep_empty=True
            )
            found.append(climbed.parameters)
    tell(n, n)
    mixtures = [whole.likelihood.scaling.mixture_back(p.mixture) for p in found]
    return Draws(
        fluxes=np.array([m.fluxes for m in mixtures]) / unit,
        means=np.array([m.means for m in mixtures]),
        covariances=np.array([m.covariances for m in mixtures]),
        amplitudes=np.array([p.amplitudes[0] for p in found]) / unit,
        method="bootstrap",
        seed=seed,
    )
