"""The field of one observation: the parts of the plane that it records, and how completely."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..plane.grid import PixelGrid
from ..plane.resample import map_means
from .completeness import Completeness


@dataclass(frozen=True, eq=False)
class Field:
    """What one observation records of the plane, relative to the reference exposure of a fit.

    Attributes
    ----------
    completeness : Completeness or None
        Exposure and masks. None: everything is recorded, everywhere.
    reference : float
        E_ref, in the unit of the exposure.
    """

    completeness: Completeness | None
    reference: float = 1.0

    def at(self, x, y):
        """Completeness Omega at positions, as if there were no mask; 0 outside the field."""
        if self.completeness is None:
            return np.ones(np.shape(x))
        return self.completeness.exposure_at(x, y) / self.reference

    def own_maps(self):
        """Maps of the field on the grid of its completeness."""
        return FieldMaps(self, self.completeness.grid, is_own=True)

    def maps_on(self, grid):
        """Maps of the field as means over the pixels of any grid."""
        return FieldMaps(self, grid, is_own=False)


@dataclass(frozen=True, eq=False)
class FieldMaps:
    """The maps of one field on one grid, each made when it is first asked for.

    Attributes
    ----------
    field : Field
    grid : PixelGrid
    is_own : bool
        Whether the grid is that of the completeness, so that nothing is resampled.
    """

    field: Field
    grid: PixelGrid
    is_own: bool

    @cached_property
    def omega(self):
        """Completeness with the masks, (ny, nx), from 0 to 1."""
        if self.field.completeness is None:
            return np.ones(self.grid.shape)
        return self._means(self.field.completeness.effective) / self.field.reference

    @cached_property
    def unmasked(self):
        """Completeness as if there were no mask, (ny, nx), from 0 to 1."""
        if self.field.completeness is None:
            return np.ones(self.grid.shape)
        return self._means(self.field.completeness.exposure) / self.field.reference

    @cached_property
    def opened(self):
        """Open fraction of each pixel inside the field, (ny, nx); 0 outside the field."""
        c = self.field.completeness
        if c is None:
            return np.ones(self.grid.shape)
        return self._means(np.where(c.exposure > 0, c.open_share, 0.0))

    def of_template(self, template):
        """A background's template on this grid, (ny, nx)."""
        if self.is_own:
            return template.at(*self.grid.centres())
        return map_means(template.values, template.grid, self.grid)

    def _means(self, values):
        if self.is_own:
            return values
        return map_means(values, self.field.completeness.grid, self.grid)
