"""Draws of the parameters of a mixture of samples: refits with other weights of the samples."""

from dataclasses import replace

import numpy as np

from ..._kernels.threads import threads_at_most
from ...config import SampleOptions
from ...em.missing import Selection
from ...model.posterior import Draws
from .climb import BRIEF_TOLERANCE, climb
from .problem import SampleProblem

# Evaluations of each refit.
_EVALUATIONS = 40


def bootstrapped(result, draws, *, seed=0, threads=0, callback=None):
    """Refit a mixture to its samples with random weights, once for each draw.

    The weights are those of the Bayesian bootstrap (Rubin 1981, Annals of Statistics 9, 130): each
    sample's own times an exponential random number. Every refit starts at the fit, so that the
    components of all draws are those of the fit.

    Parameters
    ----------
    result : SamplesResult
    draws : int
    seed : int
    threads : int
        0 uses every core.
    callback : callable, optional
        Called with the number of finished refits and the number of all.

    Returns
    -------
    Draws
        Its fluxes are numbers of samples, as those of the fit.
    """
    known = {name: result.options[name] for name in vars(SampleOptions()) if name in result.options}
    options = replace(SampleOptions(**known), threads=threads)
    rng, found = np.random.default_rng(seed), []
    selection = None
    if result.completeness is not None:
        selection = Selection(
            completeness=result.completeness,
            noise_order=options.noise_order,
            noise_model=options.noise_model,
        )
    with threads_at_most(threads):
        whole = SampleProblem.of(
            result.samples, options, backgrounds=result.backgrounds, selection=selection
        )
        amplitudes = [b.amplitude for b in result.backgrounds]
        start = whole.likelihood.parameters(result.mixture, amplitudes)
        for i in range(draws):
            weights = rng.exponential(size=len(result.samples)) * result.samples.weights
            weights *= result.samples.weights.sum() / weights.sum()
            problem = replace(whole, likelihood=whole.likelihood.reweighted(weights))
            climbed = climb(
                problem, start, budget=_EVALUATIONS, tolerance=BRIEF_TOLERANCE, keep_empty=True
            )
            found.append(climbed.parameters)
            if callback is not None:
                callback(i + 1, draws)
    mixtures = [whole.likelihood.scaling.mixture_back(p.mixture) for p in found]
    return Draws(
        fluxes=np.array([m.fluxes for m in mixtures]),
        means=np.array([m.means for m in mixtures]),
        covariances=np.array([m.covariances for m in mixtures]),
        amplitudes=np.array([p.amplitudes[0] for p in found]).reshape(draws, len(amplitudes)),
        method="bootstrap",
        seed=seed,
    )
