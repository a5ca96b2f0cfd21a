"""Completeness: the chance that a photon arriving at x becomes an event, up to the scale of the reference exposure."""

from dataclasses import dataclass, replace

import numpy as np

from .._arrays import read_only
from ..errors import InputError
from ..plane.grid import PixelGrid
from ..plane.resample import area_means


@dataclass(frozen=True, eq=False, kw_only=True)
class Completeness:
    """Exposure and mask of one observation.

    ``Omega(x) = exposure(x) * open_share(x) / E_ref``, with E_ref the reference exposure of the whole fit. The two stay apart, because what the telescope
    would have seen behind a mask is needed wherever a background is compared with the sky.

    Attributes
    ----------
    grid : PixelGrid
    exposure : (ny, nx) array
        Exposure map, no mask in it, 0 outside the field [unit].
    open_share : (ny, nx) array
        Share of each cell's area that no mask covers, 0 to 1.
    unit : str
        "cm**2 s", "cm**2", "s", or "" for a relative map.
    """

    grid: PixelGrid
    exposure: np.ndarray
    open_share: np.ndarray = None
    unit: str = ""

    def __post_init__(self):
        if self.open_share is None:
            object.__setattr__(self, "open_share", np.ones(self.grid.shape))
        read_only(self, exposure=self.grid.shape, open_share=self.grid.shape)
        if self.exposure.min() < 0:
            raise InputError(f"an exposure map cannot be negative, got {self.exposure.min():.6g}")
        if self.open_share.min() < 0 or self.open_share.max() > 1:
            raise InputError(
                f"an open share lies between 0 and 1, got {self.open_share.min():.6g} to {self.open_share.max():.6g}"
            )

    @property
    def effective(self):
        """(ny, nx) array: exposure times open share [unit]."""
        return self.exposure * self.open_share

    @property
    def has_flux_unit(self):
        """Whether photons over exposure is a flux: the exposure has area and time."""
        return self.unit == "cm**2 s"

    def exposure_at(self, x, y):
        """Exposure, no mask in it, of the cell that holds each position [unit]; 0 off the grid."""
        ix, iy, inside = self.grid.locate(x, y)
        return np.where(inside, self.exposure[iy, ix], 0.0)

    def effective_at(self, x, y):
        """Exposure times open share of the cell that holds each position [unit]; 0 off the grid."""
        ix, iy, inside = self.grid.locate(x, y)
        return np.where(inside, self.exposure[iy, ix] * self.open_share[iy, ix], 0.0)

    def masked(self, open_share):
        """The same exposure with a further mask: open shares multiply."""
        return replace(self, open_share=self.open_share * open_share)

    def regridded(self, step):
        """The same exposure and masks in cells of another size: means over the area of each cell.

        Parameters
        ----------
        step : float
            Side of the new cells [arcsec]. Smaller cells repeat the value of the old cell.
        """
        if abs(step / self.grid.step - 1) < 1e-6:
            return self
        grid, maps = area_means([self.exposure, self.effective], self.grid, step)
        exposure, effective = (np.maximum(values, 0) for values in maps)
        with np.errstate(invalid="ignore", divide="ignore"):
            open_share = np.where(exposure > 0, np.clip(effective / exposure, 0, 1), 1)
        return replace(self, grid=grid, exposure=exposure, open_share=open_share)


def reference_exposure(completenesses):
    """Maximum over the sky of the summed effective exposure, E_ref [unit of the maps].

    The sum is taken at the cell centres of each map in turn; a fit without maps has E_ref = 1.

    Raises
    ------
    InputError
        When some observations have a map and others have none, or when units differ.
    """
    maps = [c for c in completenesses if c is not None]
    if not maps:
        return 1.0
    if len(maps) < len(completenesses):
        raise InputError(
            "some observations have an exposure map and others have none: give all of them one"
        )
    units = sorted({c.unit for c in maps})
    if len(units) > 1:
        raise InputError(
            f"exposure maps of different units cannot be summed: {', '.join(repr(u) for u in units)}"
        )
    if len(maps) == 1:
        return float(maps[0].exposure.max())
    peak = 0.0
    for one in maps:
        x, y = one.grid.centres()
        total = sum(other.exposure if other is one else other.exposure_at(x, y) for other in maps)
        peak = max(peak, float(total.max()))
    return peak
