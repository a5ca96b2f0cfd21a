"""Models of the same photons side by side: which describes them best, and by how much."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from .._kernels.threads import threads_at_most
from .._words import counted, lettered
from ..config import CompareConfig
from ..errors import InputError
from ..model.mixture import Fixed
from ..plane.grid import PixelGrid, SkyImage
from .cross_validation import CrossValidation, cross_validated
from .difference import Difference, difference
from .same_photons import check_same_photons

if TYPE_CHECKING:
    from astropy.table import QTable

    from ..model.result import FitResult

# A difference in the score below so many of its errors prefers no model.
DECISIVE = 2.0


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Comparison:
    """M models of the same photons.

    Attributes
    ----------
    names : tuple of str
        What the models are called.
    results : tuple of FitResult
    n_parameters : (M,) integers
        Free parameters.
    log_likelihoods : (M,) array
        [nat]; that of the first is that of its fit. The others count the same terms, also if
        their exposure maps differ.
    validation : CrossValidation
        Scores on photons that the models were not fitted to.
    """

    names: tuple[str, ...]
    results: tuple[FitResult, ...]
    n_parameters: np.ndarray
    log_likelihoods: np.ndarray
    validation: CrossValidation

    def __repr__(self):
        return f"Comparison: {self.verdict[0]}"

    @property
    def aic(self) -> np.ndarray:
        """Akaike's information criterion of each model, 2 p - 2 log L."""
        return 2 * self.n_parameters - 2 * self.log_likelihoods

    @property
    def bic(self) -> np.ndarray:
        """Schwarz's information criterion of each model, p log N - 2 log L."""
        n = self.results[0].n_photons
        return self.n_parameters * np.log(n) - 2 * self.log_likelihoods

    @property
    def best(self) -> int:
        """Number of the model with the highest score on held-out photons."""
        return int(np.argmax(self.validation.scores))

    @property
    def preferred(self) -> int:
        """Number of the preferred model.

        It is the one with the fewest free parameters among those whose score is not worse than
        the best by more than `DECISIVE` errors.
        """
        enough = [i for i in range(len(self.names)) if not self._is_worse(i)]
        return min(enough, key=lambda i: (self.n_parameters[i], i != self.best, i))

    @cached_property
    def gains(self) -> tuple[np.ndarray, np.ndarray]:
        """Score of each model less that of the best, over all photons, and its error [nat]."""
        pairs = [self.validation.difference(i, self.best) for i in range(len(self.names))]
        gains, errors = np.transpose(pairs)
        return gains, errors

    @property
    def verdict(self) -> list[str]:
        """Sentences that say which model is preferred, by how much, and with which error."""
        names, (gains, errors), best = self.names, self.gains, self.best
        lines = []
        others = [i for i in range(len(names)) if i != best]
        for i in sorted(others, key=lambda i: -gains[i]):
            gain, error = 0.0 - gains[i], errors[i]
            # The score of a model that is the same does not differ.
            sigma = gain / error if error > 0 else 0.0
            by = f"{gain:.1f} +- {error:.1f} nat ({sigma:.1f} sigma)"
            if self._is_worse(i):
                lines.append(
                    f"{names[best]} is preferred to {names[i]}: it predicts held-out photons "
                    f"better by {by}."
                )
            elif gain == 0:
                lines.append(f"{names[best]} and {names[i]} predict held-out photons equally well.")
            else:
                lines.append(
                    f"Neither {names[best]} nor {names[i]} is preferred by held-out photons, which "
                    f"the first predicts better by only {by}."
                )
        if self.preferred != best:
            fewer = int(self.n_parameters[best] - self.n_parameters[self.preferred])
            lines.append(
                f"{names[self.preferred]} is enough: it has {counted(fewer, 'free parameter')} "
                f"fewer than {names[best]}."
            )
        for name, values in (("AIC", self.aic), ("BIC", self.bic)):
            lines.append(_by_criterion(name, values, names))
        return lines

    def _is_worse(self, i):
        gain, error = self.gains[0][i], self.gains[1][i]
        return gain < 0 and -gain > DECISIVE * error

    def table(self) -> QTable:
        """One row for each model, with units and descriptions."""
        from .compare_table import comparison_table

        return comparison_table(self)

    def difference(self, i: int = 0, j: int = 1, grid: PixelGrid | None = None) -> Difference:
        """The difference of two models on one grid, with its standard deviation.

        The standard deviation is over paired draws, because the photons are the same: what the
        photons do to both models is no difference.

        Parameters
        ----------
        i, j : int
            Numbers of the models.
        grid : PixelGrid, optional
            In the plane of model i.
        """
        return difference(self.results[i], self.results[j], grid)

    def images(self, grid: PixelGrid | None = None) -> dict[str, SkyImage]:
        """Maps of the difference of the first model and each other one.

        Parameters
        ----------
        grid : PixelGrid, optional
            In the plane of the first model.

        Returns
        -------
        dict of str to SkyImage
            "SIGNIFICANCE", "DIFFERENCE" and "ERROR"; those of further models have their numbers,
            such as "SIGNIFICANCE3".
        """
        found = {}
        for j in range(1, len(self.names)):
            apart = self.difference(0, j, grid)
            end = "" if j == 1 else str(j + 1)
            text = f"{self.names[0]} less {self.names[j]}, deconvolved signals"
            spread = f"standard deviation from {apart.pairing}"
            for name, values, unit, words in (
                (
                    "SIGNIFICANCE",
                    np.nan_to_num(apart.significance()),
                    "",
                    f"{text}, over the {spread}; 0 where not both models were observed",
                ),
                ("DIFFERENCE", apart.value, apart.sky.unit, text),
                ("ERROR", apart.error, apart.sky.unit, f"{spread} of {text}"),
            ):
                found[name + end] = SkyImage(
                    grid=apart.grid,
                    values=values,
                    unit=unit,
                    frame=apart.sky.frame,
                    comments=(words,),
                )
        return found


def compare(
    results: Sequence[FitResult],
    names: Sequence[str] | None = None,
    *,
    folds: int = CompareConfig.folds,
    seed: int = CompareConfig.seed,
    threads: int = CompareConfig.threads,
    callback: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Compare models of the same photons; long because its docstring is.

    Parameters
    ----------
    results : sequence of FitResult
        At least two.
    names : sequence of str, optional
        What they are called; by default A, B and so on.
    folds : int
        Number of parts into which the photons are divided for the cross-validation.
    seed : int
        Of the random division.
    threads : int
        Number of threads; 0 uses every core. The result does not depend on it.
    callback : callable, optional
        Called with the number of finished refits and the number of all.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If there is only one model, or if their photons differ.

    Examples
    --------
    >>> import gmmx
    >>> rng = np.random.default_rng(0)
    >>> x, y = np.concatenate([rng.normal(-20, 4, (2, 300)), rng.normal(20, 4, (2, 300))], 1)
    >>> observation = gmmx.Observation(photons=gmmx.Photons(x, y))
    >>> fits = [gmmx.fit(observation, n_components=k) for k in (1, 2)]
    >>> found = compare(fits, ["one", "two"])
    >>> found
    Comparison: two is preferred to one: it predicts held-out photons better by ... nat (... sigma).
    >>> found.preferred, found.n_parameters.tolist()
    (1, [6, 12])
    """
    CompareConfig(folds=folds, seed=seed, threads=threads)
    if len(results) < 2:
        raise InputError("one model cannot be compared: give at least two", parameter="models")
    names = lettered(len(results)) if names is None else names
    check_same_photons(results, names)
    first = _log_completeness(results[0])
    with threads_at_most(threads):
        validation = cross_validated(results, folds=folds, seed=seed, callback=callback)
    return Comparison(
        names=tuple(names),
        results=tuple(results),
        n_parameters=np.array([free_parameters(one) for one in results]),
        log_likelihoods=np.array(
            [one.log_likelihood + _log_completeness(one) - first for one in results]
        ),
        validation=validation,
    )


def free_parameters(result: FitResult) -> int:
    """Number of parameters that a fit could change.

    A component has a flux, two coordinates and three elements of its covariance, a point source no
    covariance, a background an amplitude.

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> free_parameters(gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=2))
    12
    """
    fixed = Fixed.none(len(result.mixture)) if result.fixed is None else result.fixed
    free = (~fixed.fluxes).sum() + 2 * (~fixed.means).sum() + 3 * (~fixed.covariances).sum()
    return int(free) + sum(not b.fixed for b in result.backgrounds)


def _log_completeness(result):
    """The terms w log Omega, which the log-likelihood of a fit leaves out."""
    total = 0.0
    for o in result.observations:
        if o.completeness is not None:
            seen = o.completeness.effective_at(o.photons.x, o.photons.y)
            total += float(o.photons.weights @ np.log(seen / result.reference_exposure))
    return total


def _by_criterion(name, values, names):
    """Which model an information criterion prefers."""
    order = np.argsort(values, kind="stable")
    apart = values[order[1]] - values[order[0]]
    if apart == 0:
        return f"{name} is the same for {names[order[0]]} and {names[order[1]]}."
    return f"{name} is lowest for {names[order[0]]}, by {apart:.1f} from {names[order[1]]}."
