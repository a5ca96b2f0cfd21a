"""Draws of the parameters of a fit: what every error is made from."""

from dataclasses import replace

import numpy as np

from .._kernels.threads import threads_at_most
from ..config import FitOptions
from ..config._checks import option_names
from ..em.drawing import drawn_parameters
from ..em.parameters import Parameters
from ..errors import InputError
from ..fitting.problem import Problem
from ..model.posterior import METHODS, Draws

# How draws can be made, "auto" included.
CHOICES = ("auto", *METHODS)


def make_draws(result, n=200, *, method="auto", seed=0, threads=0, callback=None):
    """Return a fit with draws: parameter sets that are consistent with its data.

    Parameters
    ----------
    result : FitResult
    n : int
        Number of parameter sets.
    method : {"auto", "laplace"}
        How they are made. "laplace" draws from the information matrix.
    seed : int
        Of the random numbers.
    threads : int
        Number of threads; 0 uses every core. The draws do not depend on it.
    callback : callable, optional
        Called with the number of finished steps and the number of all steps.

    Returns
    -------
    FitResult
        A copy with `draws`.

    Raises
    ------
    InputError
        If the method is unknown, or if no draw is asked for.

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0.0, 5.0, (2, 500))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1, seed=1)
    >>> make_draws(result, 50).draws
    Draws: 50 parameter sets of 1 component and 0 backgrounds (laplace)
    """
    if method not in CHOICES:
        raise InputError(f"`method` = {method}: choose {', '.join(CHOICES)}", parameter="method")
    if n < 1:
        raise InputError(f"`n` = {n}: give at least 1, such as 200", parameter="n")
    with threads_at_most(threads):
        draws = _laplace(result, n, seed)
    if callback is not None:
        callback(1, 1)
    return replace(result, draws=draws)


def draws_of(result, n=200, seed=0):
    """The draws of a fit: those that it has, or else draws from the information matrix.

    Parameters
    ----------
    result : FitResult
    n, seed : int
        For draws that are made now.

    Returns
    -------
    Draws
    """
    if result.draws is not None:
        return result.draws
    with threads_at_most(0):
        return _laplace(result, n, seed)


def problem_of(result):
    """The problem that a fit has solved, as its observations and options say."""
    names = set(option_names(FitOptions)) - {"init", "fix"}
    options = {name: value for name, value in result.options.items() if name in names}
    return Problem.of(result.observations, FitOptions(**options))


def information_of(problem, result):
    """The information matrix at the parameters of a fit, with amounts of zero held."""
    amplitudes = tuple(
        np.array([b.amplitude for b in o.backgrounds], float) for o in problem.observations
    )
    parameters = Parameters(mixture=result.mixture, amplitudes=amplitudes, fixed=result.fixed)
    phase = problem.begin_phase(parameters)
    evaluation = problem.evaluate(parameters, phase)
    return problem.information(parameters, phase).at_boundary(evaluation)


def _laplace(result, n, seed):
    """Draws from the information matrix."""
    information = information_of(problem_of(result), result)
    drawn = drawn_parameters(information, n, np.random.default_rng(seed))
    return Draws(
        fluxes=drawn.fluxes,
        means=drawn.means,
        covariances=drawn.covariances,
        amplitudes=drawn.amplitudes,
        method="laplace",
        seed=seed,
    )
