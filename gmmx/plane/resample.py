"""Maps and photons on another grid: means over pixels, nearest pixels, block sums, cells.

All ways from one raster to another are here. Positions are in arcsec in the plane; an image is
an array [iy, ix].
"""

import numpy as np


def map_means(values, grid, target):
    """Mean of a map over each pixel of another grid; 0 off the map.

    Each pixel of the target is the mean of n x n nearest neighbours, where n is twice the ratio of
    the pixels' sides, rounded up. This is exact where whole pixels are gathered, and the nearest
    pixel where the target is finer.

    Parameters
    ----------
    values : (ny, nx) array
        The map.
    grid : PixelGrid
        The grid of the map.
    target : PixelGrid
        The grid that is wanted. It may be turned and sheared against the map's.

    Returns
    -------
    array of the target's shape
        In the unit of the map.

    Examples
    --------
    >>> from gmmx.plane.grid import PixelGrid
    >>> fine = PixelGrid.covering((0, 4), (0, 2), 1.0)
    >>> coarse = PixelGrid.covering((0, 4), (0, 2), 2.0)
    >>> map_means(np.arange(8.0).reshape(2, 4), fine, coarse)
    array([[2.5, 4.5]])
    """
    n = max(1, int(np.ceil(2 * target.step / grid.step - 1e-6)))
    parts = (np.arange(n) + 0.5) / n - 0.5
    step = grid.inverse @ target.matrix
    if abs(step[0, 1]) + abs(step[1, 0]) < 1e-9 * abs(step).max():
        return _means_along_axes(values, grid, target, step, parts)
    ny, nx = target.shape
    ix, iy = np.meshgrid(np.arange(nx), np.arange(ny))
    total = np.zeros(target.shape)
    for dy in parts:
        for dx in parts:
            jx, jy, inside = grid.locate(*target.to_plane(ix + dx, iy + dy))
            total += np.where(inside, values[jy, jx], 0.0)
    return total / n**2


def _means_along_axes(values, grid, target, step, parts):
    """`map_means` where the axes of both grids are parallel: rows first, then columns."""
    n, (ny, nx) = len(parts), target.shape
    start = grid.inverse @ (target.origin - grid.origin)
    ix = np.floor(start[0] + step[0, 0] * (np.arange(nx)[:, None] + parts).ravel() + 0.5 + 1e-9)
    iy = np.floor(start[1] + step[1, 1] * (np.arange(ny)[:, None] + parts).ravel() + 0.5 + 1e-9)
    ix, iy = (
        np.clip(index, -1, size).astype(np.int64) + 1
        for index, size in ((ix, values.shape[1]), (iy, values.shape[0]))
    )
    padded = np.pad(values, 1)
    rows = padded[iy].reshape(ny, n, -1).mean(1)
    return rows[:, ix].reshape(ny, nx, n).mean(2)


def nearest(values, grid, target):
    """Value of a map at the centre of each pixel of another grid; 0 off the map.

    Parameters
    ----------
    values : (..., ny, nx) array
        One map or several on the same grid.
    grid, target : PixelGrid
        The grid of the map, and the grid that is wanted.

    Returns
    -------
    array of shape (..., *target.shape)

    Examples
    --------
    >>> from gmmx.plane.grid import PixelGrid
    >>> grid = PixelGrid.covering((0, 2), (0, 1), 1.0)
    >>> wider = PixelGrid.covering((0, 3), (0, 1), 1.0)
    >>> nearest(np.array([[5.0, 6.0]]), grid, wider)
    array([[5., 6., 0.]])
    """
    ix, iy, inside = grid.locate(*target.centres())
    return np.where(inside, values[..., iy, ix], 0.0)
