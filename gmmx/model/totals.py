"""The photons of a fit in all: signal, point sources and backgrounds, each with its interval.

If the fit has draws, the intervals are the spread over them, for all numbers alike, and the values
are those of the fit or the mean over the draws of a scan. Otherwise they are made of the standard
errors of the fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .components import Components
from .coverage import Coverage
from .density import background_terms
from .field import Field
from .interval import Interval
from .mixture import Mixture

if TYPE_CHECKING:
    from .result import FitResult


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Totals:
    """Photons of a fit, each an `Interval` of one value.

    Attributes
    ----------
    in_field, under_masks, outside : Interval
        The extended components in the field with its masks, under its masks, and outside of the
        field [photon at the reference exposure].
    total : Interval
        The extended components in the field and outside [photon at the reference exposure].
    detected, points, background : Interval
        Expected detected photons of the extended components, of the point sources, and of all
        backgrounds [photon].
    backgrounds : Interval
        Expected detected photons of each background, (B,) [photon].

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0.0, 5.0, (2, 500))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> result.totals.detected
    Interval: 500 -22 +22
    """

    in_field: Interval
    under_masks: Interval
    outside: Interval
    total: Interval
    detected: Interval
    points: Interval
    background: Interval
    backgrounds: Interval

    @classmethod
    def of(cls, result: FitResult) -> Totals:
        """The totals of a fit: over its draws if it has some, else from its standard errors."""
        places = result.fitted_photons_by_place
        best = {
            **dict(zip(("in_field", "under_masks", "outside"), places, strict=True)),
            "total": result.extended.fluxes.sum(),
            "detected": result.signal_photons,
            "points": result.point_photons,
            "background": result.background_photons,
        }
        each = np.array([b.photons for b in result.backgrounds], np.float64)
        if result.draws is None:
            errors = _standard_errors(result)
            found = {
                name: Interval.about(np.array([value]), np.array([errors[name]]))
                for name, value in best.items()
            }
            errors = np.array([b.photons_error for b in result.backgrounds], np.float64)
            return cls(**found, backgrounds=Interval.about(each, errors))
        drawn = _drawn(result)
        every = drawn.pop("backgrounds")
        found = {
            name: _over(result.draws, drawn[name][:, None], np.array([value]))
            for name, value in best.items()
        }
        return cls(**found, backgrounds=_over(result.draws, every, each))

    def __repr__(self):
        return f"Totals(detected {self.detected!r})"


def _over(draws, drawn, best):
    """The interval over draws, about the values of the fit or the mean: `Draws.estimate`."""
    return Interval.over(drawn, value=draws.estimate(best, drawn))


def _standard_errors(result):
    """Standard errors of the totals from those of the fit.

    At the best fit the signal is what the backgrounds B leave of the N photons. The covariance of
    N with a fitted B is B, as for all unbiased estimates of a Poisson expectation, so that the
    variance of N - B is N + var B - 2 B.
    """
    at = result.points
    points = np.hypot.reduce(result.flux_errors[at] * result.observed_fraction[at], initial=0.0)
    fitted = sum(b.photons for b in result.backgrounds if not b.fixed)
    background = result.background_error if result.backgrounds else 0.0
    variance = (result.n_photons + background**2 - 2 * fitted) + (
        points**2 - 2 * result.point_photons
    )
    places = result.place_errors
    return {
        "in_field": places.in_field,
        "under_masks": places.under_masks,
        "outside": places.outside,
        "total": result.signal_error,
        # Not below the Poisson error of its own photons.
        "detected": np.sqrt(max(variance, result.signal_photons)),
        "points": points,
        "background": background,
    }


def _drawn(result):
    """The totals of each draw by name, (N,) each; all backgrounds are (N, B)."""
    draws, k = result.draws, len(result.points)
    extended = np.ones(draws.fluxes.shape[1], bool)
    extended[:k] = ~result.points
    fluxes = draws.fluxes * extended
    number, component = np.nonzero(fluxes > 0)
    every = Mixture(
        fluxes=fluxes[number, component],
        means=draws.means[number, component],
        covariances=draws.covariances[number, component],
    )

    def summed(fractions):
        return np.bincount(number, fractions * every.fluxes, len(draws))

    coverage = Coverage.of(result.observations)
    if coverage is None:
        places = np.outer([1.0, 0.0, 0.0], np.ones(len(every)))
    else:
        places = coverage.fractions(every)
    seen = _seen(result, every, component, places[0])
    units = [
        term.seen()
        for o in result.observations
        for term in background_terms(o, result.reference_exposure)
    ]
    at = np.flatnonzero(result.points)
    backgrounds = draws.amplitudes * np.reshape(units, draws.amplitudes.shape[1])
    return {
        "in_field": summed(places[0]),
        "under_masks": summed(places[1]),
        "outside": summed(places[2]),
        "total": summed(np.ones(len(every))),
        "detected": summed(seen),
        "points": draws.fluxes[:, at] @ result.observed_fraction[at],
        "background": backgrounds.sum(1),
        "backgrounds": backgrounds,
    }


def _seen(result, every, component, in_field):
    """Fractions of drawn components that are recorded.

    That of a component of the fit changes as its fraction in the field does. The others are broad,
    so that the PSF does not matter.
    """
    seen, added = np.zeros(len(every)), component >= len(result.points)
    per_field = result.observed_fraction / np.maximum(result.place_fractions[0], 1e-300)
    seen[~added] = in_field[~added] * per_field[component[~added]]
    for o in result.observations if added.any() else ():
        field = Field(o.completeness, result.reference_exposure)
        seen[added] += Components(every.select(added), None, field).seen_fractions()
    return seen
