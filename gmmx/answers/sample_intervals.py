"""Intervals of the answers of a mixture of samples, over its draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import InputError
from ..model.interval import Interval
from ..model.mixture import Mixture
from ..model.samples_result import SamplesResult

# Number of samples of a component that a draw does not have.
_NOTHING = 1e-300


def drawn_results(result: SamplesResult) -> Iterator[SamplesResult]:
    """The result with the parameters of each draw, its components in the order of the fit.

    Observed fractions stay those of the fit.

    Parameters
    ----------
    result : SamplesResult
        With draws.

    Raises
    ------
    InputError
        If it has none.
    """
    draws = result.draws
    if draws is None:
        raise InputError("this fit has no draws: make them with `result.errors()`")
    bare = replace(result, draws=None)
    for i in range(len(draws)):
        yield replace(
            bare,
            mixture=Mixture(
                fluxes=np.maximum(draws.fluxes[i], _NOTHING),
                means=draws.means[i],
                covariances=draws.covariances[i],
            ),
            backgrounds=tuple(
                replace(b, amplitude=float(a))
                for b, a in zip(result.backgrounds, draws.amplitudes[i], strict=True)
            ),
        )


def interval(result: SamplesResult, answer: Callable[[SamplesResult], Any]) -> Interval:
    """The value of an answer with its intervals of 68 and 95 % over the draws.

    Parameters
    ----------
    result : SamplesResult
        With draws.
    answer : callable
        Takes a result, and returns a number or an array.

    Returns
    -------
    Interval
        One for each number, those of an array in its order.

    Raises
    ------
    InputError
        If the result has no draws.

    Examples
    --------
    The mean of 400 samples that scatter by 3:

    >>> import gmmx
    >>> x = np.random.default_rng(0).normal(0.0, 3.0, 400)
    >>> result = gmmx.fit_samples(x, n_components=1).errors()
    >>> mean = interval(result, lambda one: one.expectation()[0])
    >>> bool(0.13 < mean.error[0] < 0.17)
    True
    """
    drawn = [np.ravel(answer(one)) for one in drawn_results(result)]
    return Interval.over(np.array(drawn), np.ravel(answer(result)))
