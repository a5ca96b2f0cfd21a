"""Standard errors of the parameters of a mixture of samples, by draws."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..fitting.samples.redraw import (
    are_counts,
    bootstrapped,
    drawn_from_information,
    n_coordinates,
)
from ..model.samples_result import SamplesResult

# Most rows of an information matrix.
MOST_COORDINATES = 3_500
MAKERS = {"laplace": drawn_from_information, "bootstrap": bootstrapped}


@dataclass(frozen=True, eq=False, kw_only=True)
class SampleErrors:
    """Standard errors over the draws.

    Attributes
    ----------
    fluxes, fractions : (K,) arrays
        Of the numbers of samples, and of their fractions.
    means : (K, D) array
    covariances : (K, D, D) array
    amplitudes : (n_b,) array
        Of the numbers of samples of backgrounds.
    """

    fluxes: np.ndarray
    fractions: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    amplitudes: np.ndarray


def maker(result: SamplesResult, method: str) -> Callable:
    """The function that makes draws of a mixture of samples.

    Parameters
    ----------
    result : SamplesResult
    method : {"auto", "laplace", "bootstrap"}

    Raises
    ------
    InputError
        If the method is none for samples, or if the information matrix is too large.
    """
    if method == "scan":
        raise InputError(
            "`method` = scan: its wings are those of emission on the sky: give laplace, bootstrap "
            "or auto for samples",
            parameter="method",
        )
    n = n_coordinates(result)
    if method == "laplace" and n > MOST_COORDINATES:
        raise InputError(
            f"`method` = laplace: the information matrix of {n:,} parameters is too large (at most "
            f"{MOST_COORDINATES:,}): give bootstrap",
            parameter="method",
        )
    return MAKERS[chosen_method(result) if method == "auto" else method]


def chosen_method(result: SamplesResult) -> str:
    """The method that "auto" stands for.

    It is "bootstrap" where weights are not counts, because the information matrix takes a row of
    weight 2 for two rows, and where the matrix would be too large; else it is "laplace".
    """
    if n_coordinates(result) > MOST_COORDINATES or not are_counts(result.samples.weights):
        return "bootstrap"
    return "laplace"


def errors_of(result: SamplesResult) -> SampleErrors:
    """Standard errors of the parameters over the draws of a result.

    Raises
    ------
    InputError
        If it has none.

    Examples
    --------
    >>> import gmmx
    >>> x = np.random.default_rng(0).normal(0.0, 3.0, 400)
    >>> result = gmmx.fit_samples(x, n_components=1).errors(50)
    >>> result.draws
    Draws: 50 parameter sets of 1 component and 0 backgrounds (laplace)
    >>> bool(0.1 < errors_of(result).means[0, 0] < 0.2)
    True
    """
    draws = result.draws
    if draws is None:
        raise InputError("this fit has no draws: make them with `result.errors()`")
    sums = draws.fluxes.sum(1, keepdims=True)
    return SampleErrors(
        fluxes=draws.fluxes.std(0),
        fractions=(draws.fluxes / sums).std(0),
        means=draws.means.std(0),
        covariances=draws.covariances.std(0),
        amplitudes=draws.amplitudes.std(0),
    )
