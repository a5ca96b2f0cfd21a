"""The flux of a fit by place: in the field, under its masks, and outside."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np

from .coverage import Coverage

if TYPE_CHECKING:
    from astropy.units import Quantity

    from .result import FitResult
    from .totals import Totals

# A component is mostly unseen if more than this fraction of its flux lies outside of the field or
# under masks.
MOSTLY = 0.5


@dataclass(frozen=True, kw_only=True)
class PlaceErrors:
    """Standard errors of the flux by place [photon at the reference exposure]; NaN if unknown.

    Attributes
    ----------
    in_field, under_masks, outside : float
        Of the extended components' flux in the field, of its part under masks, and of the flux
        that the mixture has outside of the field.

    Examples
    --------
    >>> PlaceErrors(in_field=3.5)
    PlaceErrors(in_field=3.5, under_masks=nan, outside=nan)
    """

    in_field: float = np.nan
    under_masks: float = np.nan
    outside: float = np.nan


class FluxByPlace:
    """The part of a FitResult that says where its flux lies."""

    @property
    def _fit(self) -> FitResult:
        """The object itself, because the only class with these properties is FitResult."""
        return cast("FitResult", self)

    @cached_property
    def place_fractions(self) -> np.ndarray:
        """Fractions of each component in the field, under its masks, and outside, (3, K).

        The field is where the exposure of any observation is above zero, masks ignored. What is
        under masks is a part of what is in the field.
        """
        coverage = Coverage.of(self._fit.observations)
        if coverage is None:
            return np.outer([1.0, 0.0, 0.0], np.ones(len(self._fit.mixture)))
        return coverage.fractions(self._fit.mixture)

    @property
    def is_bounded(self) -> bool:
        """Whether the field has an edge: every observation has an exposure map."""
        return all(o.completeness is not None for o in self._fit.observations)

    @property
    def unseen_fraction(self) -> np.ndarray:
        """Fraction of each component's flux that lies outside the field or under masks, (K,)."""
        _, masked, outside = self.place_fractions
        return np.clip(masked + outside, 0.0, 1.0)

    @property
    def mostly_unseen(self) -> np.ndarray:
        """(K,) booleans: extended components of which more than half was not observed.

        No photon says how large such a component is, so that its flux rests on its assumed shape.
        """
        return (self.unseen_fraction > MOSTLY) & ~self._fit.points

    @property
    def fitted_photons_by_place(self) -> np.ndarray:
        """The fitted components in the field, under masks and outside, (3,) [photon at E_ref].

        Point sources do not count.
        """
        extended = ~self._fit.points
        return self.place_fractions[:, extended] @ self._fit.mixture.fluxes[extended]

    @property
    def photons_by_place(self) -> np.ndarray:
        """The same (3,), or the mean over the draws if that is better: see `Draws.estimate`."""
        if self._fit.draws is None:
            return self.fitted_photons_by_place
        places = (self.totals.in_field, self.totals.under_masks, self.totals.outside)
        return np.concatenate([place.value for place in places])

    @cached_property
    def errors_by_place(self) -> PlaceErrors:
        """Errors of `photons_by_place`: over the draws if there are any, else those of the fit."""
        if self._fit.draws is None:
            return self._fit.place_errors
        totals = self.totals
        return PlaceErrors(
            in_field=float(totals.in_field.error[0]),
            under_masks=float(totals.under_masks.error[0]),
            outside=float(totals.outside.error[0]),
        )

    @cached_property
    def totals(self) -> Totals:
        """Photons of signal, point sources and backgrounds, each with its interval."""
        from .totals import Totals

        return Totals.of(self._fit)

    @property
    def flux_in_field(self) -> Quantity:
        """Flux of the extended components in the field, masks ignored: the headline of a fit."""
        return float(self.photons_by_place[0]) * self._fit.flux_per_photon

    @property
    def flux_in_field_error(self) -> Quantity:
        """Error of `flux_in_field`, over the draws if there are any.

        It is NaN for files that were written before it was kept.
        """
        return float(self.errors_by_place.in_field) * self._fit.flux_per_photon

    @property
    def flux_under_masks(self) -> Quantity:
        """The part of `flux_in_field` under masks, where the mixture is interpolated."""
        return float(self.photons_by_place[1]) * self._fit.flux_per_photon

    @property
    def flux_outside_field(self) -> Quantity:
        """Flux that the mixture has outside of the field: an extrapolation, not a measurement."""
        return float(self.photons_by_place[2]) * self._fit.flux_per_photon
