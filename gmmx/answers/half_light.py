"""The radius that holds half of the deconvolved flux."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..model.interval import Interval
from .centres import centre_of, reach_of
from .drawn_skies import DrawnSkies
from .errors import draws_of
from .rings import Rings

if TYPE_CHECKING:
    from ..model.result import FitResult

# Radii at which the enclosed flux is computed for the fit and for the draws, rounds of refinement
# for the fit, and how far the radius of a draw may lie from that of the fit, as a factor.
_RADII, _RADII_OF_DRAWS, _ROUNDS, _FARTHEST = 33, 25, 4, 4.0


def half_light_radius(skies: DrawnSkies, rings: Rings, reach: float) -> Interval:
    """The semi-major axis that holds half of the flux of the extended components.

    Parameters
    ----------
    skies : DrawnSkies
    rings : Rings
        Rings of the form of the ellipse or sector, with any edges.
    reach : float
        The semi-major axis that holds all flux that counts [arcsec]; it may be infinite.

    Returns
    -------
    Interval
        One value [arcsec]; NaN without flux.

    Examples
    --------
    >>> import gmmx
    >>> from gmmx.answers.drawn_skies import DrawnSkies
    >>> from gmmx.answers.errors import draws_of
    >>> from gmmx.answers.rings import Rings
    >>> x, y = np.random.default_rng(0).normal(0.0, 5.0, (2, 500))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> rings = Rings(centre=result.mixture.means[0], edges=[0.0, 1.0])
    >>> found = half_light_radius(DrawnSkies(result, draws_of(result)), rings, np.inf)
    >>> bool(abs(found.value[0] / (1.1774 * 5.0) - 1) < 0.05)
    True
    """
    fitted = skies.result.extended
    total = fitted.fluxes @ _enclosed(rings, fitted, [reach]) if len(fitted) else np.zeros(1)
    if not total[0] > 0:
        return Interval.over(np.full((2, 1), np.nan))
    low, high = 0.0, min(reach, _widest(rings, fitted))
    for _ in range(_ROUNDS):
        radii = np.linspace(low, high, _RADII)[1:]
        inside = fitted.fluxes @ _enclosed(rings, fitted, radii)
        i = min(int(np.searchsorted(inside, total[0] / 2)), len(radii) - 1)
        low, high = (low if i == 0 else radii[i - 1]), radii[i]
    best = (low + high) / 2
    radii = np.geomspace(best / _FARTHEST, min(best * _FARTHEST, reach), _RADII_OF_DRAWS)
    last = [reach] if reach > radii[-1] else []
    fine = rings.with_edges(np.array([0.0, *radii, *last]))
    fit, drawn = (np.cumsum(values, -1) for values in skies.photons(fine))
    found = np.array([_crossing(radii, row[: len(radii)], row[-1] / 2) for row in drawn])
    # Between the radii the curve is interpolated, for the fit and for the draws.
    found *= best / _crossing(radii, fit[: len(radii)], fit[-1] / 2)
    value = skies.draws.estimate(np.array([best]), found[:, None])
    return Interval.over(found[:, None], value=value)


def half_light_of(result: FitResult) -> tuple[Interval, np.ndarray]:
    """The half-light radius of a fit about its brightest place, as `gmmx profile` gives it.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    radius : Interval
        One value [arcsec].
    centre : (2,) array
        [arcsec]
    """
    centre = centre_of(result, "brightest")
    rings = Rings(centre=centre, edges=np.array([0.0, 1.0]))
    bounded = any(o.completeness is not None for o in result.observations)
    reach = reach_of(result, rings) if bounded else np.inf
    return half_light_radius(DrawnSkies(result, draws_of(result)), rings, reach), centre


def _enclosed(rings, mixture, radii):
    """Fraction of each component within each radius, (K, n)."""
    fine = rings.with_edges(np.array([0.0, *radii]))
    return np.cumsum(fine.photons(mixture.means, mixture.covariances), -1)


def _widest(rings, mixture):
    """A radius beyond which there is nothing of a mixture."""
    offsets = (mixture.means - rings.centre) @ rings.to_circles.T
    matrix = rings.to_circles
    variances = np.linalg.eigvalsh(matrix @ mixture.covariances @ matrix.T)[:, -1]
    return float((np.hypot(*offsets.T) + 7 * np.sqrt(variances)).max())


def _crossing(radii, enclosed, level):
    """Radius at which a rising curve reaches a level."""
    from scipy.interpolate import PchipInterpolator

    if not enclosed[-1] > 0:
        return np.nan
    if not enclosed[0] < level < enclosed[-1]:
        return float(radii[0] if level <= enclosed[0] else radii[-1])
    i = int(np.searchsorted(enclosed, level))
    # The four neighbours make the slopes at both ends of the interval.
    near = slice(max(i - 2, 0), i + 2)
    curve = PchipInterpolator(np.log(radii[near]), enclosed[near])
    roots = curve.solve(level, extrapolate=False)
    roots = roots[(roots >= np.log(radii[i - 1]) - 1e-9) & (roots <= np.log(radii[i]) + 1e-9)]
    return float(np.exp(roots[0]))
