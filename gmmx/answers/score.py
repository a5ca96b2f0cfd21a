"""How well a fit predicts the positions of other photons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import DataError
from ..model.density import Term, density, expected_counts, terms_of

if TYPE_CHECKING:
    from ..model.observation import Observation
    from ..model.result import FitResult


@dataclass(frozen=True, kw_only=True)
class Score:
    """Held-out log-likelihood per photon.

    Attributes
    ----------
    mean : float
        Mean over the photons of ``log[lambda(x) / integral lambda]`` [nat, x in arcsec].
    error : float
        Standard error of the mean, from the scatter of the photons [nat]. It is common to all
        models of the same photons, so that two models are compared by the mean of their paired
        differences, whose error is smaller.
    n_photons : float
        Sum of the photons' weights.
    expected_photons : float
        Integral of lambda: the photons that the model expects in its own exposure.
    """

    mean: float
    error: float
    n_photons: float
    expected_photons: float

    def __repr__(self):
        return (
            f"Score({self.mean:.5f} +- {self.error:.5f} nat per photon, "
            f"{self.n_photons:,.0f} photons)"
        )


def terms_of_fit(result: FitResult, observation: Observation) -> list[Term]:
    """The terms of lambda(x) that a fit has in one of its observations."""
    return terms_of(observation, result.reference_exposure, result.extended, result.point_sources)


def photon_density(
    result: FitResult, observation: Observation, x: np.ndarray, y: np.ndarray
) -> np.ndarray:
    """Expected density of photons in one observation, as if there were no mask.

    ``lambda(x) = Omega(x) sum_km F_k c_km N(x; mu_k, T_km) + sum_b B_b q_b(x)``

    Parameters
    ----------
    result : FitResult
    observation : Observation
        One of the result's.
    x, y : (N,) array
        Positions [arcsec].

    Returns
    -------
    (N,) array
        [photon / arcsec**2]; 0 outside the field.

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> observation = gmmx.Observation(photons=gmmx.Photons(x, y))
    >>> result = gmmx.fit(observation, n_components=1)
    >>> float(photon_density(result, observation, np.zeros(1), np.zeros(1))[0].round(1))
    2.6
    """
    return density(terms_of_fit(result, observation), x, y)


def expected_photons(result: FitResult, observation: Observation) -> float:
    """Photons that a fit expects in one of its observations, outside the masks.

    This is the integral of `photon_density` over the open field.
    """
    return expected_counts(terms_of_fit(result, observation))


def held_out_score(result: FitResult, photons: Sequence[Observation]) -> Score:
    """Score a fit on photons that it was not fitted to.

    The score is the mean over these photons of ``log[lambda(x) / integral lambda]``. Each
    observation is normalised by itself, so that the exposure time of the other photons does not
    matter.

    Parameters
    ----------
    result : FitResult
    photons : sequence of Observation
        Other photons for each observation of the result, in its order, with the same cuts. Only
        their positions and weights are used.

    Returns
    -------
    Score

    Raises
    ------
    DataError
        If no photon is left, or if the model expects none where one was recorded.

    Examples
    --------
    >>> import gmmx
    >>> rng = np.random.default_rng(0)
    >>> seen, other = (gmmx.Photons(*rng.normal(0, 5, (2, 400))) for _ in range(2))
    >>> result = gmmx.fit(gmmx.Observation(photons=seen), n_components=1)
    >>> held_out_score(result, [gmmx.Observation(photons=other)])
    Score(-6.0... +- 0.0... nat per photon, 400 photons)
    """
    logs, weights, total = [], [], 0.0
    for fitted, other in zip(result.observations, photons, strict=True):
        log_ratios, expected = _log_ratios(result, fitted, other)
        logs.append(log_ratios)
        weights.append(np.asarray(other.photons.weights))
        total += expected
    ratios, counts = np.concatenate(logs), np.concatenate(weights)
    n = counts.sum()
    if n == 0:
        raise DataError(
            "no photon to score lies in the energy band and the field of the model: are these "
            "events of the same part of the sky?"
        )
    mean = float(counts @ ratios / n)
    return Score(
        mean=mean,
        error=float(np.sqrt(counts @ (ratios - mean) ** 2 / n / max(n - 1, 1))),
        n_photons=float(n),
        expected_photons=total,
    )


def _log_ratios(result, fitted, other):
    """``log[lambda(x) / integral lambda]`` at the photons of `other`, and the integral."""
    terms = terms_of_fit(result, fitted)
    expected = expected_counts(terms)
    found = density(terms, other.photons.x, other.photons.y)
    n_unexpected = int((found <= 0).sum())
    if n_unexpected:
        photons_were = "1 photon was" if n_unexpected == 1 else f"{n_unexpected:,} photons were"
        raise DataError(
            f"{other.name}: the model expects nothing where {photons_were} recorded: "
            "fit it with a background"
        )
    return np.log(found / expected), expected
