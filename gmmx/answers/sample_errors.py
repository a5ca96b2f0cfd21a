"""Standard errors of the parameters of a mixture of samples, by draws."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..config import N_DRAWS
from ..errors import InputError
from ..fitting.samples.redraw import bootstrapped
from ..model.samples_result import SamplesResult


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


def with_draws(
    result: SamplesResult,
    draws: int = N_DRAWS,
    *,
    seed: int = 0,
    threads: int = 0,
    callback: Callable[[int, int], None] | None = None,
) -> SamplesResult:
    """The result with draws of its parameters; see `gmmx.fitting.samples.redraw.bootstrapped`.

    Examples
    --------
    >>> import gmmx
    >>> x = np.random.default_rng(0).normal(0.0, 3.0, 400)
    >>> result = with_draws(gmmx.fit_samples(x, n_components=1), 50)
    >>> result.draws
    Draws: 50 parameter sets of 1 component and 0 backgrounds (bootstrap)
    >>> bool(0.1 < errors_of(result).means[0, 0] < 0.2)
    True
    """
    if draws < 1:
        raise InputError(f"`draws` = {draws}: give at least 1", parameter="draws")
    made = bootstrapped(result, draws, seed=seed, threads=threads, callback=callback)
    return replace(result, draws=made)


def errors_of(result: SamplesResult) -> SampleErrors:
    """Standard errors of the parameters over the draws of a result.

    Raises
    ------
    InputError
        If it has none.
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
