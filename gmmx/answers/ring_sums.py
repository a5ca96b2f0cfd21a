"""Sums over rings of what the observations of a fit saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..model.coverage import joined_grid
from ..model.density import background_terms
from ..model.drawing import convolved
from ..model.field import Field

if TYPE_CHECKING:
    from ..model.mixture import Mixture
    from ..model.result import FitResult
    from .rings import Rings

# Positions with a smaller completeness are extrapolated.
SCARCE = 0.05


class FieldSums:
    """Sums over rings of what the observations of a fit saw.

    Parameters
    ----------
    result : FitResult
    rings : Rings

    Attributes
    ----------
    counts, exposed : (n,) arrays
        As in `RingProfile`.
    templates : (B, n) array
        Integrals of the shapes q of all backgrounds.
    extrapolated : (n,) array
        Photons of the best fit where the completeness is below 5 %.
    """

    def __init__(self, result: FitResult, rings: Rings):
        self.result, self.rings = result, rings
        self.counts, self.exposed = np.zeros(len(rings)), np.zeros(len(rings))
        shapes = []
        for o in result.observations:
            photons = o.photons
            self.counts += rings.counts(photons.x, photons.y, photons.weights, side=photons.pixel)
            if o.completeness is None:
                self.exposed += rings.areas()
                continue
            own = Field(o.completeness, result.reference_exposure).own_maps()
            terms = background_terms(o, result.reference_exposure)
            exposed, *its = rings.sums(own.grid, [own.omega, *(term.on(own) for term in terms)])
            self.exposed += exposed
            shapes += its
        self.templates = np.array(shapes).reshape(-1, len(rings))
        self.extrapolated = self._extrapolated()

    def seen(self, mixture: Mixture) -> tuple[np.ndarray, np.ndarray]:
        """Expected photons of unit components in each ring, (K, n), and the same everywhere."""
        seen = np.zeros((len(mixture), len(self.rings)))
        everywhere = np.zeros_like(seen)
        for o in self.result.observations if len(mixture) else ():
            fluxes, means, covariances = convolved(mixture, o.psf)
            weights = fluxes / np.repeat(mixture.fluxes, len(fluxes) // len(mixture))
            whole = self.rings.photons(means, covariances)
            part = whole
            if o.completeness is not None:
                omega = o.completeness.effective / self.result.reference_exposure
                part = self.rings.seen(means, covariances, o.completeness.grid, omega)
            shape = len(mixture), -1, len(self.rings)
            seen += (weights[:, None] * part).reshape(shape).sum(1)
            everywhere += (weights[:, None] * whole).reshape(shape).sum(1)
        return seen, everywhere

    def __repr__(self):
        return f"FieldSums({self.rings!r}: {self.counts.sum():,.0f} photons)"

    def _extrapolated(self):
        """Photons of the fit where the sum of the completenesses is below 5 %."""
        extended = self.result.extended
        maps = [o.completeness for o in self.result.observations if o.completeness is not None]
        if not maps or not len(extended):
            return np.zeros(len(self.rings))
        grid = joined_grid([one.grid for one in maps])
        if len(maps) == 1:
            grid, total = maps[0].grid, maps[0].effective
        else:
            x, y = grid.centres()
            total = sum(one.effective_at(x, y) for one in maps)
        scarce = total < SCARCE * self.result.reference_exposure
        given = extended.means, extended.covariances, grid, scarce, 1.0
        return extended.fluxes @ self.rings.seen(*given)
