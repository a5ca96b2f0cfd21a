"""How well models predict photons that they have not seen: cross-validation over their own photons.

The photons are divided into folds. Each model is fitted again, from its own parameters, without the
photons of one fold, whose score is then taken; all models have the same folds. A model keeps its
components and their number. The weights of the photons that are left are raised, so that amounts
that are fixed keep their values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..fitting.problem import Problem
from ..fitting.redraw import refitted
from ..model.density import density, expected_counts, terms_of
from .errors import options_of

if TYPE_CHECKING:
    from ..model.observation import Observation
    from ..model.result import FitResult


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class CrossValidation:
    """Scores of M models on the photons of folds that they were not fitted to.

    Attributes
    ----------
    folds : int
    logs : (M, R) array
        ``log[lambda(x) / integral lambda]`` for each row of photons and each fold that it has
        photons in [nat, x in arcsec].
    weights : (R,) array
        Photons of each.

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> found = cross_validated([result, result], folds=4)
    >>> found
    CrossValidation(2 models, 4 folds, 400 photons)
    >>> found.difference(0, 1)
    (0.0, 0.0)
    """

    folds: int
    logs: np.ndarray
    weights: np.ndarray

    def __repr__(self):
        n = self.weights.sum()
        return f"CrossValidation({len(self.logs)} models, {self.folds} folds, {n:,.0f} photons)"

    @property
    def scores(self) -> np.ndarray:
        """Mean score of each model, (M,) [nat per photon]."""
        return self.logs @ self.weights / self.weights.sum()

    @property
    def errors(self) -> np.ndarray:
        """Standard errors of the scores, (M,), which all models share for the most part."""
        n = self.weights.sum()
        return np.array([_scatter(row, self.weights) / n for row in self.logs])

    def difference(self, i: int, j: int) -> tuple[float, float]:
        """Score of model i less that of model j, summed over all photons, with its error [nat].

        The error is that of the sum of paired differences, photon by photon.
        """
        apart = self.logs[i] - self.logs[j]
        return float(apart @ self.weights), _scatter(apart, self.weights)


def cross_validated(
    results: Sequence[FitResult],
    *,
    folds: int,
    seed: int = 0,
    callback: Callable[[int, int], None] | None = None,
) -> CrossValidation:
    """Score models on photons that they have not seen, by refits without them.

    Parameters
    ----------
    results : sequence of FitResult
        Of the same photons, in the same order.
    folds : int
    seed : int
        Of the random division into folds.
    callback : callable, optional
        Called with the number of finished refits and the number of all.

    Returns
    -------
    CrossValidation
    """
    parts = _divided(results[0].observations, folds, np.random.default_rng(seed))
    total, logs = folds * len(results), []
    for number, result in enumerate(results):
        rows: list[np.ndarray] = []
        for fold in range(folds):
            if callback is not None:
                callback(number * folds + fold, total)
            rows += _held_out(result, parts, fold)
        logs.append(np.concatenate(rows))
    if callback is not None:
        callback(total, total)
    held = [part[fold][part[fold] > 0] for fold in range(folds) for part in parts]
    return CrossValidation(folds=folds, logs=np.array(logs), weights=np.concatenate(held))


def _divided(observations, folds, rng):
    """Photons of each row in each fold, one (folds, N) array for each observation."""
    parts = []
    for o in observations:
        weights = np.asarray(o.photons.weights)
        if np.array_equal(weights, np.round(weights)):
            # Several photons that were counted together are divided, too.
            found = rng.multinomial(weights.astype(np.int64), np.full(folds, 1 / folds)).T
        else:
            found = weights * (rng.integers(folds, size=len(weights)) == np.arange(folds)[:, None])
        parts.append(found.astype(np.float64))
    return parts


def _held_out(result: FitResult, parts, fold: int) -> Iterator[np.ndarray]:
    """Log densities of the photons of one fold in each observation, after a refit without them."""
    kept = [_without(o, part[fold]) for o, part in zip(result.observations, parts, strict=True)]
    mixture, fixed = result.mixture, result.fixed
    amplitudes = tuple(
        np.array([b.amplitude for b in o.backgrounds], float) for o in result.observations
    )
    problem = Problem.of(kept, options_of(result))
    state = refitted(problem, mixture, amplitudes, fixed)
    extended = np.ones(len(mixture), bool) if fixed is None else ~fixed.points
    split = state.mixture.select(extended), state.mixture.select(~extended)
    for o, its, part in zip(result.observations, state.amplitudes, parts, strict=True):
        backgrounds = tuple(
            replace(b, amplitude=float(a)) for b, a in zip(o.backgrounds, its, strict=True)
        )
        own = replace(o, backgrounds=backgrounds)
        terms = terms_of(own, problem.reference_exposure, *split)
        at = part[fold] > 0
        found = density(terms, o.photons.x[at], o.photons.y[at])
        yield np.log(np.maximum(found, 1e-300) / expected_counts(terms))


def _without(observation: Observation, left_out: np.ndarray) -> Observation:
    """An observation without some of its photons; the others stand for all."""
    photons = observation.photons
    weights = photons.weights - left_out
    kept = np.flatnonzero(weights > 0)
    factor = photons.weights.sum() / max(float(weights.sum()), 1e-300)
    rest = replace(photons.select(kept), weights=weights[kept] * factor)
    return replace(observation, photons=rest)


def _scatter(values, weights):
    """Standard error of the weighted sum of values, from their scatter."""
    n = weights.sum()
    moved = values - values @ weights / n
    return float(np.sqrt(weights @ moved**2 * n / max(n - 1, 1)))
