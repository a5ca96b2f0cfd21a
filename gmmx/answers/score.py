"""How well a fit tells where other photons fall."""

from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from ..model.density import density, expected_counts, terms_of


@dataclass(frozen=True, kw_only=True)
class Score:
    """Held-out log-likelihood per photon.

    Attributes
    ----------
    mean, error : float
        Mean over the photons of ``log[lambda(x) / integral lambda]``, and its standard error [nat, x in arcsec].
    n_photons : float
        Sum of the photons' weights.
    expected_photons : float
        The integral of lambda: the photons that the model would have in its own exposure.
    """

    mean: float
    error: float
    n_photons: float
    expected_photons: float


def photon_density(result, observation, x, y):
    """Expected density of detected photons of one observation, at positions outside its masks.

    ``lambda(x) = Omega(x) sum_km F_k c_km N(x; mu_k, T_km) + sum_b B_b q_b(x)``.

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
    """
    return density(terms_of(observation, *_sky(result)), x, y)


def expected_photons(result, observation):
    """Photons expected in one observation, signal and background: the integral of `photon_density` over the field outside the masks."""
    return expected_counts(terms_of(observation, *_sky(result)))


def _sky(result):
    return result.reference_exposure, result.extended, result.point_sources


def held_out_score(result, photons):
    """Mean over photons that the fit has not seen of ``log[lambda(x) / integral lambda]``.

    Each observation is normalised for itself: how long the other photons were collected does not count.

    Parameters
    ----------
    result : FitResult
    photons : list of Observation
        Other photons for each of the result's observations, in its order, cut as these were; of each only the positions and weights are used.

    Returns
    -------
    Score

    Raises
    ------
    DataError
        When no photon is left, or the model expects none where one fell.
    """
    logs, weights, total = [], [], 0.0
    for fitted, other in zip(result.observations, photons, strict=True):
        expected = expected_photons(result, fitted)
        expected_density = photon_density(result, fitted, other.photons.x, other.photons.y)
        if np.any(expected_density <= 0):
            raise DataError(
                f"{other.name}: the model expects nothing where {int((expected_density <= 0).sum())} photons fell: fit it with a background"
            )
        logs.append(np.log(expected_density / expected))
        weights.append(other.photons.weights)
        total += expected
    logs, weights = np.concatenate(logs), np.concatenate(weights)
    n = weights.sum()
    if n == 0:
        raise DataError(
            "no photon to score in the model's energy band and field: were these events taken of the same sky?"
        )
    mean = float(weights @ logs / n)
    return Score(
        mean=mean,
        error=float(np.sqrt(weights @ (logs - mean) ** 2 / n / max(n - 1, 1))),
        n_photons=float(n),
        expected_photons=total,
    )
