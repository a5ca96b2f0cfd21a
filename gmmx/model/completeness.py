"""Completeness: the probability that a photon from a position is recorded, up to a common scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .._arrays import read_only
from ..errors import InputError
from ..plane.grid import PixelGrid
from ..plane.resample import area_means


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Completeness:
    """Exposure and masks of one observation.

    ``Omega(x) = exposure(x) open(x) / E_ref``, with E_ref the reference exposure of the whole fit.
    Exposure and masks are kept apart because the exposure behind a mask is needed wherever a
    background is compared with the sky.

    Parameters
    ----------
    grid : PixelGrid
    exposure : (ny, nx) array
        Exposure map without masks; 0 outside the field [unit].
    open_fraction : (ny, nx) array, optional
        Fraction of each cell's area that no mask covers, 0 to 1. Without it there are no masks.
    unit : str
        "cm**2 s", "cm**2", "s", or "" for a relative map.

    Raises
    ------
    InputError
        If the exposure is negative, or the open fraction is not between 0 and 1.

    Examples
    --------
    >>> grid = PixelGrid.covering((0, 60), (0, 60), 1.0)
    >>> Completeness(grid=grid, exposure=np.full(grid.shape, 2e7), unit="cm**2 s")
    Completeness(60 x 60 cells of 1 arcsec, 1 arcmin^2 seen, exposure to 2e+07 cm**2 s)
    """

    grid: PixelGrid
    exposure: np.ndarray
    # None only until the instance is complete.
    open_fraction: np.ndarray = None  # type: ignore[assignment]
    unit: str = ""

    def __post_init__(self):
        if self.open_fraction is None:
            object.__setattr__(self, "open_fraction", np.ones(self.grid.shape))
        read_only(self, exposure=self.grid.shape, open_fraction=self.grid.shape)
        if self.exposure.min() < 0:
            raise InputError(f"an exposure map cannot be negative, got {self.exposure.min():.6g}")
        low, high = self.open_fraction.min(), self.open_fraction.max()
        if low < 0 or high > 1:
            raise InputError(
                f"the open fraction of a cell lies between 0 and 1, got {low:.6g} to {high:.6g}"
            )

    def __repr__(self):
        ny, nx = self.grid.shape
        area = self.open_area / 3600
        return (
            f"Completeness({nx} x {ny} cells of {self.grid.step:.4g} arcsec, {area:.4g} arcmin^2 "
            f"seen, exposure to {self.exposure.max():.4g} {self.unit}".rstrip()
            + ")"
        )

    @property
    def open_area(self) -> float:
        """Area that was exposed and is not masked [arcsec**2]."""
        return float((self.open_fraction * (self.exposure > 0)).sum() * self.grid.cell_area)

    @property
    def effective(self) -> np.ndarray:
        """Exposure times open fraction, (ny, nx) [unit]."""
        return self.exposure * self.open_fraction

    @property
    def has_flux_unit(self) -> bool:
        """Whether the exposure is an area times a time, so that photons over it are a flux."""
        return self.unit == "cm**2 s"

    def exposure_at(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Exposure at positions [arcsec], as if there were no mask; 0 off the grid [unit]."""
        ix, iy, inside = self.grid.locate(x, y)
        return np.where(inside, self.exposure[iy, ix], 0.0)

    def effective_at(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Exposure times open fraction at positions [arcsec]; 0 off the grid [unit]."""
        ix, iy, inside = self.grid.locate(x, y)
        return np.where(inside, self.exposure[iy, ix] * self.open_fraction[iy, ix], 0.0)

    def masked(self, open_fraction: np.ndarray) -> Completeness:
        """The same exposure with another mask in addition.

        Parameters
        ----------
        open_fraction : (ny, nx) array
            Open fraction of each cell; it is multiplied with the present one.
        """
        return replace(self, open_fraction=self.open_fraction * open_fraction)

    def regridded(self, step: float) -> Completeness:
        """The same exposure and masks in cells of another size: means over the area of each cell.

        Parameters
        ----------
        step : float
            Side of the new cells [arcsec]. Smaller cells repeat the value of the old cell.

        Raises
        ------
        InputError
            If the step is not positive, or for more than 100 million cells.
        """
        if abs(step / self.grid.step - 1) < 1e-6:
            return self
        grid, maps = area_means([self.exposure, self.effective], self.grid, step)
        exposure, effective = (np.maximum(values, 0) for values in maps)
        with np.errstate(invalid="ignore", divide="ignore"):
            open_fraction = np.where(exposure > 0, np.clip(effective / exposure, 0, 1), 1)
        return replace(self, grid=grid, exposure=exposure, open_fraction=open_fraction)


def reference_exposure(completenesses: Sequence[Completeness | None]) -> float:
    """Reference exposure E_ref: the maximum over the sky of the summed exposures.

    The sum is taken at the cell centres of each map in turn. Without exposure maps E_ref is 1.

    Parameters
    ----------
    completenesses : sequence of Completeness or None
        One for each observation.

    Returns
    -------
    float
        In the unit of the maps.

    Raises
    ------
    InputError
        If some observations have a map and others have none, or if the units differ.

    Examples
    --------
    >>> grid = PixelGrid.covering((0, 3), (0, 1), 1.0)
    >>> one = Completeness(grid=grid, exposure=[[1.0, 2.0, 0.0]], unit="s")
    >>> other = Completeness(grid=grid, exposure=[[0.0, 5.0, 6.0]], unit="s")
    >>> reference_exposure([one, other])
    7.0
    """
    maps = [c for c in completenesses if c is not None]
    if not maps:
        return 1.0
    if len(maps) < len(completenesses):
        raise InputError(
            "some observations have an exposure map and others have none: give one for each "
            "with `exposure`",
            parameter="exposure",
        )
    units = sorted({c.unit for c in maps})
    if len(units) > 1:
        raise InputError(
            "exposure maps of different units cannot be summed: "
            f"{', '.join(repr(unit) for unit in units)}"
        )
    if len(maps) == 1:
        return float(maps[0].exposure.max())
    peak = 0.0
    for one in maps:
        x, y = one.grid.centres()
        total = np.zeros(one.grid.shape)
        for other in maps:
            total += other.exposure if other is one else other.exposure_at(x, y)
        peak = max(peak, float(total.max()))
    return peak
