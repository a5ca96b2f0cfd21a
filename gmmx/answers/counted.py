"""The pixels in which a fit counted photons, and single photons in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..plane.grid import PixelGrid

if TYPE_CHECKING:
    from ..model.observation import Observation

# Largest distance of a photon from the centre of its pixel, for a grid to be that of the pixels
# [pixel].
_SAME_CENTRE = 0.02


def in_pixels_of(
    observation: Observation, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The positions at which a fit counted photons: the centres of its pixels, if it has some.

    Parameters
    ----------
    observation : Observation
        Of the fit.
    x, y : (N,) array
        Positions of single photons [arcsec].

    Examples
    --------
    >>> from gmmx.model.observation import Observation
    >>> from gmmx.model.photons import Photons
    >>> observation = Observation(photons=Photons([1.0, 5.0], [1.0, 3.0], pixel=2.0))
    >>> in_pixels_of(observation, np.array([4.1]), np.array([-0.3]))
    (array([5.]), array([-1.]))
    """
    pixels = pixels_of(observation)
    return (x, y) if pixels is None else at_centres(observation, pixels, x, y)


def at_centres(
    observation: Observation, pixels: PixelGrid, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Centres of the pixels; a photon stays where it is if its centre was not observed."""
    centre_x, centre_y = pixels.to_plane(*np.rint(pixels.to_pixels(x, y)))
    completeness = observation.completeness
    if completeness is None:
        return centre_x, centre_y
    seen = completeness.effective_at(centre_x, centre_y) > 0
    return np.where(seen, centre_x, x), np.where(seen, centre_y, y)


def pixels_of(observation: Observation) -> PixelGrid | None:
    """The grid in whose pixels photons are counted; None for single photons.

    It is the grid of the completeness, if the photons are at the centres of its cells, as those
    of counts images mostly are; else a grid that begins at the plane's origin or at the first
    photon.
    """
    side, x, y = observation.photons.pixel, observation.photons.x, observation.photons.y
    if side == 0:
        return None
    starts = [np.full(2, side / 2), *np.column_stack([x, y])[:1]]
    grids = [PixelGrid(shape=(1, 1), origin=start, matrix=side * np.eye(2)) for start in starts]
    completeness = observation.completeness
    if completeness is not None and abs(completeness.grid.step / side - 1) < 1e-6:
        grids.insert(0, completeness.grid)

    def n_at_centres(grid):
        index = np.array(grid.to_pixels(x, y))
        return int((np.abs(index - np.rint(index)).max(0) < _SAME_CENTRE).sum())

    return max(grids, key=n_at_centres)
