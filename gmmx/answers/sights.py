"""Recorded and expected photons of a fit on common cells, for any parameters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..model.components import Components, PointComponents
from ..model.density import background_terms
from ..model.field import Field
from ..plane.grid import PixelGrid
from .pixels import means_in_pixels, photons_in_pixels, seen_photons
from .simulate import ParameterSet

if TYPE_CHECKING:
    from ..model.mixture import Mixture
    from ..model.result import FitResult


@dataclass(frozen=True, eq=False, repr=False)
class Sights:
    """The field of each observation of a fit on common cells, to draw any parameters on.

    Parameters
    ----------
    result : FitResult
        For its observations and reference exposure.
    grid : PixelGrid
    """

    result: FitResult
    grid: PixelGrid

    @cached_property
    def fields(self):
        """The field of each observation."""
        reference = self.result.reference_exposure
        return [Field(o.completeness, reference) for o in self.result.observations]

    @cached_property
    def _backgrounds(self):
        """Photons of each background at an amplitude of 1 in each cell, (n_b, ny, nx) each."""
        found = []
        for o, field in zip(self.result.observations, self.fields, strict=True):
            terms = background_terms(o, self.result.reference_exposure)
            if not terms:
                found.append(np.zeros((0, *self.grid.shape)))
                continue
            own = field.own_maps()
            shapes = [t.on(own) for t in terms]
            area = self.grid.cell_area
            found.append(np.array(means_in_pixels(shapes, own.grid, self.grid)) * area)
        return found

    @cached_property
    def seen(self) -> np.ndarray:
        """Cells that any observation may record a photon in, (ny, nx)."""
        seen = np.zeros(self.grid.shape, bool)
        for field in self.fields:
            if field.completeness is None:
                return np.ones(self.grid.shape, bool)
            own = field.own_maps()
            seen |= means_in_pixels([own.omega], own.grid, self.grid)[0] > 0
        return seen

    def expected(self, mixture: Mixture, amplitudes: tuple) -> np.ndarray:
        """Expected photons of each observation in each cell, (n_o, ny, nx).

        Parameters
        ----------
        mixture : Mixture
            With the components of the fit, in its order.
        amplitudes : tuple of (n_b,) arrays
        """
        points = self.result.points
        found = []
        rows = zip(
            self.result.observations, self.fields, self._backgrounds, amplitudes, strict=True
        )
        for o, field, backgrounds, amplitude in rows:
            total = np.tensordot(amplitude, backgrounds, 1)
            for kind, chosen in ((Components, ~points), (PointComponents, points)):
                if chosen.any():
                    total = total + self._seen(kind(mixture.select(chosen), o.psf, field))
            found.append(total)
        return np.array(found)

    def expected_of_fit(self) -> np.ndarray:
        """The same for the best parameters of the fit."""
        best = ParameterSet.of(self.result)
        return self.expected(best.mixture, best.amplitudes)

    def _seen(self, components):
        """Recorded photons of components in each cell."""
        if components.field.completeness is None:
            return photons_in_pixels(components, self.grid)
        own = components.field.own_maps()
        return seen_photons(components, self.grid, own.grid, own.omega)[1]

    def counts(self, observations) -> np.ndarray:
        """Recorded photons of each observation in each cell, (n_o, ny, nx)."""
        return np.array(
            [
                self.grid.histogram(
                    o.photons.x, o.photons.y, o.photons.weights, side=o.photons.pixel
                )
                for o in observations
            ]
        )
