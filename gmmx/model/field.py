"""The field of one observation: the parts of the plane that it records, and how completely."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import InputError
from ..plane.grid import PixelGrid, SkyImage
from ..plane.resample import map_means
from .completeness import Completeness


@dataclass(frozen=True, eq=False, repr=False)
class Field:
    """The part of the plane that one observation records, relative to a reference exposure.

    Attributes
    ----------
    completeness : Completeness or None
        Exposure and masks. None: everything is recorded, everywhere.
    reference : float
        E_ref, in the unit of the exposure.

    Examples
    --------
    >>> grid = PixelGrid.covering((0, 4), (0, 1), 1.0)
    >>> exposure = np.array([[2.0, 4.0, 4.0, 0.0]])
    >>> open_fraction = np.array([[1.0, 1.0, 0.5, 1.0]])
    >>> field = Field(Completeness(grid=grid, exposure=exposure, open_fraction=open_fraction), 4.0)
    >>> field.at(np.array([0.5, 2.5]), np.array([0.5, 0.5]))
    array([0.5, 1. ])
    >>> maps = field.own_maps()
    >>> maps.omega, maps.opened
    (array([[0.5, 1. , 0.5, 0. ]]), array([[1. , 1. , 0.5, 0. ]]))
    """

    completeness: Completeness | None
    reference: float = 1.0

    def __repr__(self):
        seen = "everything" if self.completeness is None else repr(self.completeness)
        return f"Field({seen}, reference exposure {self.reference:.4g})"

    def at(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Completeness Omega at positions, as if there were no mask; 0 outside the field."""
        if self.completeness is None:
            return np.ones(np.shape(x))
        return self.completeness.exposure_at(x, y) / self.reference

    def own_maps(self) -> "FieldMaps":
        """Maps of the field on the grid of its completeness.

        Raises
        ------
        InputError
            If there is no completeness, and therefore no grid.
        """
        if self.completeness is None:
            raise InputError("a field without a completeness has no grid of its own")
        return FieldMaps(self, self.completeness.grid, is_own=True)

    def maps_on(self, grid: PixelGrid) -> "FieldMaps":
        """Maps of the field as means over the pixels of any grid."""
        return FieldMaps(self, grid, is_own=False)


@dataclass(frozen=True, eq=False, repr=False)
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

    def __repr__(self):
        return f"FieldMaps({self.grid})"

    @cached_property
    def omega(self) -> np.ndarray:
        """Completeness with the masks, (ny, nx), from 0 to 1."""
        if self.field.completeness is None:
            return np.ones(self.grid.shape)
        return self._means(self.field.completeness.effective) / self.field.reference

    @cached_property
    def unmasked(self) -> np.ndarray:
        """Completeness as if there were no mask, (ny, nx), from 0 to 1."""
        if self.field.completeness is None:
            return np.ones(self.grid.shape)
        return self._means(self.field.completeness.exposure) / self.field.reference

    @cached_property
    def opened(self) -> np.ndarray:
        """Open fraction of each pixel inside the field, (ny, nx); 0 outside the field."""
        c = self.field.completeness
        if c is None:
            return np.ones(self.grid.shape)
        return self._means(np.where(c.exposure > 0, c.open_fraction, 0.0))

    def of_template(self, template: SkyImage) -> np.ndarray:
        """A background's template on this grid, (ny, nx)."""
        if self.is_own:
            return template.at(*self.grid.centres())
        return map_means(template.values, template.grid, self.grid)

    def _means(self, values):
        if self.is_own:
            return values
        return map_means(values, self.field.completeness.grid, self.grid)
