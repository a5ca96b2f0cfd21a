"""Draws of the parameters of a mixture of samples, and their errors."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..fitting.samples.redraw import (
    bootstrapped,
    drawn_from_information,
    n_coordinates,
)
from ..model.samples_result import SamplesResult
from .sample_intervals import interval

# Most rows of an information matrix.
MOST_COORDINATES = 3_500
MAKERS = {"laplace": drawn_from_information, "bootstrap": bootstrapped}


@dataclass(frozen=True, eq=False, kw_only=True)
class SampleErrors:
    """Errors over the draws: half the widths of the intervals of 68 %.

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
    """The method that "auto" stands for: "bootstrap" where the information matrix is too large."""
    return "bootstrap" if n_coordinates(result) > MOST_COORDINATES else "laplace"


def errors_of(result: SamplesResult) -> SampleErrors:
    """Errors of the parameters of a result, over its draws.

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

    def parameters(one):
        parts = one.mixture.fluxes, one.fractions, one.mixture.means, one.mixture.covariances
        return np.concatenate([*map(np.ravel, parts), [b.amplitude for b in one.backgrounds]])

    (k, d), error = result.mixture.means.shape, interval(result, parameters).error
    cuts = np.cumsum([k, k, k * d, k * d * d])
    fluxes, fractions, means, covariances, amplitudes = np.split(error, cuts)
    return SampleErrors(
        fluxes=fluxes,
        fractions=fractions,
        means=means.reshape(k, d),
        covariances=covariances.reshape(k, d, d),
        amplitudes=amplitudes,
    )
