"""The pixel grid of a map whose pixels are nearly or not at all on a regular grid in the plane."""

from collections.abc import Callable

import numpy as np

from .grid import PixelGrid

# An affine grid stands for a map's own projection as long as it errs by less than this [pixel].
MAX_RESIDUAL = 0.02


def affine_grid(shape: tuple[int, int], place: Callable) -> tuple[PixelGrid | None, float]:
    """Pixel grid that fits a map from pixels to the plane best, and how far it errs.

    The six numbers of the grid are a least-squares fit to 5 x 5 positions across the image.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the image.
    place : callable
        ``x, y = place(ix, iy)``: positions [arcsec] of pixel coordinates.

    Returns
    -------
    grid : PixelGrid or None
        None where positions are not finite or fall on a line.
    residual : float
        Largest distance between the two maps [pixel].

    Examples
    --------
    >>> grid, residual = affine_grid((10, 10), lambda ix, iy: (2.0 * ix, 2.0 * iy + 1e-3 * ix**2))
    >>> round(residual, 3)
    0.006
    """
    ny, nx = shape
    ix, iy = _sampled_pixels(shape, 5)
    x, y = place(ix, iy)
    if not (np.all(np.isfinite(x)) and np.all(np.isfinite(y))):
        return None, np.inf
    middle = np.array([(nx - 1) / 2, (ny - 1) / 2])
    design = np.column_stack([np.ones(len(ix)), ix - middle[0], iy - middle[1]])
    solution = np.linalg.lstsq(design, np.column_stack([x, y]), rcond=None)[0]
    matrix = solution[1:].T
    if abs(np.linalg.det(matrix)) < 1e-12:
        return None, np.inf
    grid = PixelGrid(shape=shape, origin=solution[0] - matrix @ middle, matrix=matrix)
    jx, jy = grid.to_pixels(x, y)
    return grid, float(np.hypot(jx - ix, jy - iy).max())


def resampled(
    values: np.ndarray, place: Callable, unplace: Callable, *, fill: float
) -> tuple[PixelGrid, np.ndarray]:
    """Map whose pixels are on no regular grid in the plane, on a grid that is aligned with it.

    Each new pixel holds the value of the nearest old one. The pixels are as large as those in the
    middle of the map.

    Parameters
    ----------
    values : (ny, nx) array
        The map.
    place, unplace : callable
        ``x, y = place(ix, iy)``: positions [arcsec] of pixel coordinates, and the inverse.
    fill : float
        Value outside the map.

    Returns
    -------
    grid : PixelGrid
    values : array of the grid's shape
    """
    ny, nx = values.shape
    x, y = (v[np.isfinite(v)] for v in place(*_sampled_pixels(values.shape, 65)))
    (x0, x1), (y0, y1) = place((nx - 1) / 2 + np.array([-0.5, 0.5]), np.full(2, (ny - 1) / 2))
    grid = PixelGrid.covering(
        (x.min(), x.max()), (y.min(), y.max()), float(np.hypot(x1 - x0, y1 - y0))
    )
    jx, jy = unplace(*grid.centres())
    good = np.isfinite(jx) & np.isfinite(jy)
    jx, jy = (np.floor(np.where(good, j, -9.0) + 0.5).astype(np.int64) for j in (jx, jy))
    good = (jx >= 0) & (jx < nx) & (jy >= 0) & (jy < ny)
    return grid, np.where(good, values[np.clip(jy, 0, ny - 1), np.clip(jx, 0, nx - 1)], fill)


def _sampled_pixels(shape, n):
    """Pixel coordinates of n x n places across an image, edges included."""
    ny, nx = shape
    columns, rows = np.linspace(-0.5, nx - 0.5, n), np.linspace(-0.5, ny - 0.5, n)
    return tuple(a.ravel() for a in np.meshgrid(columns, rows))
