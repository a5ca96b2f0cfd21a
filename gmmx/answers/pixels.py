"""Photons of components in the pixels of any grid, before and after the telescope's completeness.

Completeness and components both vary inside a coarse pixel, so that the mean of their product is
not the product of their means. The product is therefore taken in cells that no edge of the map
divides, and summed: a coarse pixel is the sum of the fine ones that it holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..model.cells import CellIntegrals
from ..plane.grid import PixelGrid
from ..plane.refinement import Refinement, add_overlaps

if TYPE_CHECKING:
    from ..model.components import Components

# Cells that are held in memory at a time.
_BLOCK = 4_000_000
# Largest part of a cell that is turned against the pixels [arcsec], and number of all parts.
_PART = 1.0
_MOST_PARTS = 30_000_000


def photons_in_pixels(components: Components, grid: PixelGrid) -> np.ndarray:
    """Photons of components in each pixel, if every photon is recorded, (ny, nx) [photon].

    Parameters
    ----------
    components : Components
        Seen through their PSF.
    grid : PixelGrid

    Examples
    --------
    >>> from gmmx.model.components import Components
    >>> from gmmx.model.field import Field
    >>> from gmmx.model.mixture import Mixture
    >>> star = Mixture(fluxes=[8.0], means=[[0.0, 0.0]], covariances=[np.eye(2)])
    >>> grid = PixelGrid.covering((-20, 20), (-20, 20), 20.0)
    >>> photons_in_pixels(Components(star, None, Field(None)), grid).round(6)
    array([[2., 2.],
           [2., 2.]])
    """
    pixels = Refinement.of(grid)
    return _integrals(components, grid, pixels).rows(0, grid.shape[0])


def seen_photons(
    components: Components, grid: PixelGrid, own: PixelGrid, omega: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Photons of components in each pixel, if every photon is recorded, and as recorded.

    Parameters
    ----------
    components : Components
    grid : PixelGrid
        The pixels.
    own : PixelGrid
        The grid of the completeness. If its axes are parallel to those of the pixels, the
        recorded photons are exact. Otherwise they are spread evenly over small parts of its cells.
    omega : array
        Completeness with the masks, on its own grid.

    Returns
    -------
    everywhere, seen : (ny, nx) arrays
        [photon]
    """
    if len(components.mixture) == 0:
        return np.zeros(grid.shape), np.zeros(grid.shape)
    cells = Refinement.of(grid, own)
    if cells is None:
        return photons_in_pixels(components, grid), _seen_on_parts(components, grid, own, omega)
    everywhere, seen = np.empty(grid.shape), np.empty(grid.shape)
    integrals = _integrals(components, grid, cells)
    for low, high in cells.blocks(_BLOCK):
        first, last = cells.y.starts[low], cells.y.starts[high]
        photons = integrals.rows(first, last)
        everywhere[low:high] = cells.sums(photons, low, high)
        photons *= cells.rows_of(omega, first, last)
        seen[low:high] = cells.sums(photons, low, high)
    return everywhere, seen


def _seen_on_parts(components, grid, own, omega):
    """Recorded photons in pixels that are turned against the completeness, (ny, nx).

    The parts depend on the completeness alone, so that sums over pixels of any size agree.
    """
    parts = max(2, int(np.ceil(own.step / _PART)))
    parts = max(1, min(parts, int(np.sqrt(_MOST_PARTS / omega.size))))
    shift = 0.5 / parts - 0.5
    fine = PixelGrid(
        shape=(own.shape[0] * parts, own.shape[1] * parts),
        origin=np.array(own.to_plane(shift, shift)),
        matrix=own.matrix / parts,
    )
    seen = np.zeros(grid.shape)
    cells = Refinement.of(fine, own)
    integrals = _integrals(components, fine, cells)
    for low, high in cells.blocks(_BLOCK):
        photons = integrals.rows(low, high)
        photons *= cells.rows_of(omega, low, high)
        add_overlaps(seen, grid, photons, fine, low)
    return seen


def means_in_pixels(
    maps: Sequence[np.ndarray], own: PixelGrid, grid: PixelGrid
) -> list[np.ndarray]:
    """Means of maps over the area of each pixel, 0 off the maps.

    Parameters
    ----------
    maps : sequence of arrays
        On one grid.
    own, grid : PixelGrid
        The grid of the maps, and the pixels.

    Examples
    --------
    >>> fine = PixelGrid.covering((0, 4), (0, 1), 1.0)
    >>> means_in_pixels([np.arange(4.0)[None]], fine, PixelGrid.covering((0, 4), (0, 1), 2.0))
    [array([[0.25, 1.25]])]
    """
    cells = Refinement.of(grid, own)
    if cells is not None:
        return [cells.means(values) for values in maps]
    found = []
    for values in maps:
        image = np.zeros(grid.shape)
        add_overlaps(image, grid, values, own)
        found.append(image * (own.cell_area / grid.cell_area))
    return found


def _integrals(components, grid, cells):
    """The components, ready to be integrated over the cells of a refinement."""
    fluxes, means, covariances = components.views
    return CellIntegrals.of(
        fluxes,
        np.stack(grid.to_pixels(means[:, 0], means[:, 1]), axis=1),
        grid.inverse @ covariances @ grid.inverse.T,
        cells.x.edges,
        cells.y.edges,
    )
