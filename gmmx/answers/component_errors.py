"""Errors of the columns of the component table, and their correlations, over the draws.

A column is a function of one parameter set, and its error is half the width of its interval of
68 % over the draws. A component that is not there in the fit has a one-sided error. The first
components of every draw are those of the fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..model.components import Components
from ..model.field import Field
from ..model.interval import INSIDE, ends
from ..model.mixture import Mixture
from .flags import FWHM_PER_SIGMA, principal_axes

if TYPE_CHECKING:
    from ..model.posterior import Draws
    from ..model.result import FitResult


def column_errors(result: FitResult, draws: Draws) -> dict[str, np.ndarray]:
    """Errors of columns by the name of the column, each (K,), in the order of the result.

    The error of `ra` is an arc, in arcsec as that of `dec`. Sizes of point sources have no error.

    Parameters
    ----------
    result : FitResult
    draws : Draws

    Returns
    -------
    dict of str to (K,) array

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> errors = column_errors(result, result.errors(method="laplace").draws)
    >>> bool(0.2 < errors["x"][0] < 0.3), bool(errors["photons"][0] > 17)
    (True, True)
    """
    k = len(result.mixture)
    fluxes, means = draws.fluxes[:, :k], draws.means[:, :k]
    covariances = draws.covariances[:, :k]
    shape = fluxes.shape
    axes = principal_axes(covariances.reshape(-1, 2, 2))
    major, minor, angle = (axis.reshape(shape) for axis in axes)
    sized = ~result.points
    photons = flux_errors(result, draws)
    per_photon = 1 / result.reference_exposure if result.has_flux_unit else np.nan
    # The ratio of infinite numbers is not a number, and a point source has no peak.
    peak = np.where(sized, _half_width(fluxes / (2 * np.pi * major * minor)), np.nan)
    fractions = observed_fractions(result, means, covariances)
    return {
        **_sky_errors(result, means),
        "x": _half_width(means[:, :, 0]),
        "y": _half_width(means[:, :, 1]),
        "sigma_major": _half_width(major) * sized,
        "sigma_minor": _half_width(minor) * sized,
        "fwhm_major": FWHM_PER_SIGMA * _half_width(major) * sized,
        "position_angle": np.where(sized, _error_of_axes(angle), np.nan),
        "photons": photons,
        "flux": photons * per_photon,
        "peak_density": peak,
        "peak_brightness": peak * per_photon,
        "observed_fraction": _half_width(fractions),
        "observed_photons": _half_width(fractions * fluxes),
    }


def flux_errors(result: FitResult, draws: Draws) -> np.ndarray:
    """Errors of the fluxes of all components over the draws, (K,) [photon at E_ref].

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> bool(flux_errors(result, result.errors(method="laplace").draws)[0] > 17)
    True
    """
    k = len(result.mixture)
    return _one_sided(draws.fluxes[:, :k], result.mixture.fluxes)


def correlations(draws: Draws, order: np.ndarray) -> np.ndarray:
    """Correlations of the components' photons, x and y over the draws, (3 K, 3 K).

    Parameters
    ----------
    draws : Draws
    order : (K,) integer array
        Components in the order of the rows: first the photons of all components, then x, then y.
        What does not vary is correlated with itself only.

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> correlations(result.errors(method="laplace").draws, np.array([0])).shape
    (3, 3)
    """
    means = draws.means[:, order]
    drawn = np.concatenate([draws.fluxes[:, order], means[:, :, 0], means[:, :, 1]], axis=1)
    n = drawn.shape[1]
    if n == 0:
        return np.zeros((0, 0))
    moved = drawn - drawn.mean(0)
    size = np.sqrt((moved**2).sum(0))
    varies = size > 1e-12 * np.maximum(np.abs(drawn).max(0), 1e-300)
    units = np.where(varies, moved / np.where(varies, size, 1.0), 0.0)
    matrix = units.T @ units
    matrix[np.diag_indices(n)] = 1.0
    return np.clip(matrix, -1.0, 1.0)


def observed_fractions(result: FitResult, means: np.ndarray, covariances: np.ndarray) -> np.ndarray:
    """Fractions of components that the telescope records, (N, K), as the fit defines them.

    Parameters
    ----------
    result : FitResult
    means : (N, K, 2) array
    covariances : (N, K, 2, 2) array

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> observed_fractions(result, np.zeros((2, 1, 2)), np.tile(np.eye(2), (2, 1, 1, 1)))
    array([[1.],
           [1.]])
    """
    shape = means.shape[:2]
    mixture = Mixture(
        fluxes=np.ones(shape[0] * shape[1]),
        means=means.reshape(-1, 2),
        covariances=covariances.reshape(-1, 2, 2),
    )
    total = np.zeros(len(mixture))
    if len(mixture) == 0:
        return total.reshape(shape)
    for observation in result.observations:
        field = Field(observation.completeness, result.reference_exposure)
        total += Components(mixture, observation.psf, field).seen_fractions()
    return total.reshape(shape)


def _half_width(drawn):
    """Half the width of the interval of 68 % over the draws; zero below the rounding error."""
    lower, upper = ends(drawn)
    half = (upper - lower) / 2
    return np.where(half > 1e-12 * np.abs(upper), half, 0.0)


def _one_sided(drawn, best):
    """The half width, or for what is zero in the fit what 68 % of the draws lie below."""
    return np.where(best > 0, _half_width(drawn), np.quantile(drawn, INSIDE[0], axis=0))


def _sky_errors(result, means):
    """Errors of right ascension and declination as arcs [arcsec]; NaN without a sky."""
    k = means.shape[1]
    if result.frame is None or k == 0:
        return {"ra": np.full(k, np.nan), "dec": np.full(k, np.nan)}
    ra0, dec0 = result.frame.to_sky(*result.mixture.means.T)
    ra, dec = result.frame.to_sky(means[..., 0].ravel(), means[..., 1].ravel())
    east = np.mod(ra.reshape(means.shape[:2]) - ra0 + 180, 360) - 180
    return {
        "ra": 3600 * np.cos(np.radians(dec0)) * _half_width(east),
        "dec": 3600 * _half_width(dec.reshape(means.shape[:2]) - dec0),
    }


def _error_of_axes(angle):
    """Half the width of the interval of 68 % of axes, whose angles repeat after 180 degrees.

    The angles count from the circular mean of their doubles, so that an axis near 0 and one near
    180 are neighbours. An axis of which nothing is known has an error of 61 degrees.
    """
    doubled = np.exp(2j * np.radians(angle))
    middle = np.degrees(np.angle(doubled.mean(0))) / 2
    return _half_width(np.mod(angle - middle + 90, 180) - 90)
