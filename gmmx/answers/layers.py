"""What one observation makes of a fit, in the pixels of a grid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..model.components import Components, PointComponents
from ..model.density import background_terms
from ..model.field import Field
from ..plane.grid import PixelGrid
from .pixels import means_in_pixels, photons_in_pixels, seen_photons

if TYPE_CHECKING:
    from ..model.observation import Observation
    from ..model.result import FitResult


@dataclass(frozen=True, eq=False)
class Layers:
    """Images of one observation, or sums over several.

    Attributes
    ----------
    grid : PixelGrid
    completeness, unmasked : (ny, nx) arrays
        Omega as means over pixels, with the masks and as if there were none.
    extended, points : (array, array)
        Photons in each pixel as the PSF blurs them: all of them, and the recorded ones.
    background, behind_masks : (ny, nx) arrays
        Recorded background photons, and the same as if there were no mask.
    """

    grid: PixelGrid
    completeness: np.ndarray
    unmasked: np.ndarray
    extended: tuple[np.ndarray, np.ndarray]
    points: tuple[np.ndarray, np.ndarray]
    background: np.ndarray
    behind_masks: np.ndarray

    def __add__(self, other: Layers) -> Layers:
        """Sum over observations; of the pairs, the second image must be `weighted`."""
        return Layers(
            self.grid,
            self.completeness + other.completeness,
            self.unmasked + other.unmasked,
            (self.extended[0] + other.extended[0], self.extended[1] + other.extended[1]),
            (self.points[0] + other.points[0], self.points[1] + other.points[1]),
            self.background + other.background,
            self.behind_masks + other.behind_masks,
        )

    def weighted(self) -> Layers:
        """The same with pairs of photons, and of photons times the mean completeness."""
        return replace(
            self,
            extended=(self.extended[0], self.completeness * self.extended[0]),
            points=(self.points[0], self.completeness * self.points[0]),
        )

    @property
    def expected(self) -> np.ndarray:
        """Expected counts of each pixel."""
        return self.extended[1] + self.points[1] + self.background

    def mean(self, pair: tuple[np.ndarray, np.ndarray], n: int) -> np.ndarray:
        """Mean over n observations, weighted with the completeness, plain where that is 0."""
        everywhere, weighted = pair
        if n == 1:
            return everywhere
        covered = self.completeness > 0
        return np.where(
            covered, weighted / np.where(covered, self.completeness, 1.0), everywhere / n
        )


def layers_of(result: FitResult, observation: Observation, grid: PixelGrid) -> Layers:
    """The layers of one observation of a fit.

    Parameters
    ----------
    result : FitResult
    observation : Observation
        One of the result's.
    grid : PixelGrid

    Returns
    -------
    Layers
    """
    field = Field(observation.completeness, result.reference_exposure)
    components = (
        Components(result.extended, observation.psf, field),
        PointComponents(result.point_sources, observation.psf, field),
    )
    backgrounds = background_terms(observation, result.reference_exposure)
    if field.completeness is None:
        maps, ones = field.maps_on(grid), np.ones(grid.shape)
        extended, points = (photons_in_pixels(its, grid) for its in components)
        background = _sum(backgrounds, maps, masked=True) * grid.cell_area
        both = (extended, extended), (points, points)
        return Layers(grid, ones, ones, both[0], both[1], background, background)
    own = field.own_maps()
    seen, seen_points = (seen_photons(its, grid, own.grid, own.omega) for its in components)

    def means(values):
        return means_in_pixels([values], own.grid, grid)[0]

    omega, whole = means(own.omega), means(own.unmasked)
    # One after the other, because a map may fill a gigabyte.
    background, behind_masks = (
        means(_sum(backgrounds, own, masked=masked)) for masked in (True, False)
    )
    area = grid.cell_area
    return Layers(grid, omega, whole, seen, seen_points, background * area, behind_masks * area)


def _sum(backgrounds, maps, *, masked):
    """Sum of backgrounds on the grid of maps, (ny, nx) [photon / arcsec**2]."""
    total = np.zeros(maps.grid.shape)
    for term in backgrounds:
        total += term.amplitude * term.on(maps, masked=masked)
    return total
