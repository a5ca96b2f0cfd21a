"""Models of samples side by side: divergences, log-likelihoods, and components in pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from .._words import lettered
from ..config import SampleCompareConfig
from ..errors import InputError
from .mixtures import kl_divergence
from .sample_pairs import pair_table
from .samples import recorded_log_densities

if TYPE_CHECKING:
    from astropy.table import Table

    from ..model.samples_result import SamplesResult


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SampleComparison:
    """M models of samples of the same columns.

    Attributes
    ----------
    names : tuple of str
        What the models are called.
    results : tuple of SamplesResult
    divergences, divergence_errors : (M, M) array
        Kullback-Leibler divergence of model j from model i, ``E_i[log p_i - log p_j]`` of their
        components without noise, and its standard error [nat].
    gains, gain_errors : (M, M, M) array
        On the samples of model s, the log-likelihood of model i less that of model j, and its
        standard error from the paired differences [nat].
    """

    names: tuple[str, ...]
    results: tuple[SamplesResult, ...]
    divergences: np.ndarray
    divergence_errors: np.ndarray
    gains: np.ndarray
    gain_errors: np.ndarray

    def __repr__(self):
        value, error = self.divergences[0, 1], self.divergence_errors[0, 1]
        return (
            f"SampleComparison: the divergence of {self.names[1]} from {self.names[0]} is "
            f"{value:.4g} +- {error:.2g} nat"
        )

    @cached_property
    def are_of_the_same_samples(self) -> bool:
        """Whether all models were fitted to the same values, so that their criteria compare."""
        first = self.results[0].samples
        return all(
            np.array_equal(first.x, one.samples.x, equal_nan=True)
            and np.array_equal(first.weights, one.samples.weights)
            for one in self.results[1:]
        )

    def pairs(self, i: int = 0, j: int = 1) -> Table:
        """The components of two models in pairs, the most alike beside each other.

        Parameters
        ----------
        i, j : int
            Numbers of the models.

        Returns
        -------
        astropy.table.Table
            One row for each component of either: the numbers `component_1` and `component_2`, -1
            where there is none, the columns of `mixture_numbers` of both, which end in _1 and _2,
            and the Hellinger distance `distance` between their shapes, from 0 for equal ones to 1.
        """
        return pair_table(self.results[i], self.results[j])


def compare_samples(
    results: Sequence[SamplesResult],
    names: Sequence[str] | None = None,
    *,
    n: int = SampleCompareConfig.n,
    seed: int = SampleCompareConfig.seed,
) -> SampleComparison:
    """Compare models of samples of the same columns.

    Parameters
    ----------
    results : sequence of SamplesResult
        At least two.
    names : sequence of str, optional
        What they are called; by default A, B and so on.
    n : int
        Number of samples that are drawn from each model for the divergences.
    seed : int
        Of these draws.

    Returns
    -------
    SampleComparison

    Raises
    ------
    InputError
        If there is only one model, or if their columns or their units differ.

    Examples
    --------
    >>> import gmmx
    >>> x = np.random.default_rng(0).normal([[0.0]], 1.0, (500, 1))
    >>> found = compare_samples([gmmx.fit_samples(x + d, n_components=1) for d in (0.0, 1.0)])
    >>> found
    SampleComparison: the divergence of B from A is 0.4... +- 0.003... nat
    >>> found.pairs()["component_1", "component_2"].pformat(show_unit=False)[-1].split()
    ['0', '0']
    """
    SampleCompareConfig(n=n, seed=seed)
    if len(results) < 2:
        raise InputError("one model cannot be compared: give at least two", parameter="models")
    names = lettered(len(results)) if names is None else names
    _check_columns(results, names)
    divergences, divergence_errors = _divergences(results, np.random.default_rng(seed), n)
    gains, gain_errors = np.swapaxes([_gains(results, one.samples) for one in results], 0, 1)
    return SampleComparison(
        names=tuple(names),
        results=tuple(results),
        divergences=divergences,
        divergence_errors=divergence_errors,
        gains=gains,
        gain_errors=gain_errors,
    )


def _check_columns(results, names):
    """Refuse models of other columns, or of the same in other units."""
    first = results[0]
    for name, one in zip(names, results, strict=True):
        if one.names != first.names:
            raise InputError(
                f"{name}: a model of {', '.join(one.names)}, and {names[0]} is one of "
                f"{', '.join(first.names)}: give models of the same columns in the same order"
            )
        for column, unit, other in zip(one.names, one.units, first.units, strict=True):
            if unit and other and unit != other:
                raise InputError(
                    f"{name}: {column} is in {unit}, and in {names[0]} it is in {other}: give "
                    "models in the same units"
                )


def _divergences(results, rng, n):
    """Divergences of each model from each other one, and their standard errors."""
    found = np.zeros((2, len(results), len(results)))
    for i, one in enumerate(results):
        for j, other in enumerate(results):
            if i != j:
                found[:, i, j] = kl_divergence(one, other, rng, n)
    return found


def _gains(results, samples):
    """Differences of the log-likelihoods of samples (M, M), and their standard errors."""
    logs = np.stack([recorded_log_densities(one, samples) for one in results])
    weights, differences = samples.weights, logs[:, None] - logs[None]
    total = differences @ weights
    mean = total / weights.sum()
    return total, np.sqrt((differences - mean[..., None]) ** 2 @ weights**2)
