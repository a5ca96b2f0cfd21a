"""Maps and photons on another grid: means over pixels, nearest pixels, block sums, cells.

All ways from one raster to another are here; `affine` finds the grid of a map whose pixels are
only nearly regular. Positions are in arcsec in the plane; an image is an array [iy, ix].
"""

from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from .grid import PixelGrid

# A completeness grid of more cells than this would need several GB of memory.
MAX_CELLS = 100_000_000


def map_means(values: np.ndarray, grid: PixelGrid, target: PixelGrid) -> np.ndarray:
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


def nearest(values: np.ndarray, grid: PixelGrid, target: PixelGrid) -> np.ndarray:
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
    >>> grid = PixelGrid.covering((0, 2), (0, 1), 1.0)
    >>> wider = PixelGrid.covering((0, 3), (0, 1), 1.0)
    >>> nearest(np.array([[5.0, 6.0]]), grid, wider)
    array([[5., 6., 0.]])
    """
    ix, iy, inside = grid.locate(*target.centres())
    return np.where(inside, values[..., iy, ix], 0.0)


def area_means(
    maps: Sequence[np.ndarray], grid: PixelGrid, step: float
) -> tuple[PixelGrid, list[np.ndarray]]:
    """Maps in square cells of another size: the mean over the area of each new cell.

    Smaller cells repeat the value of the cell that they lie in. The part of a new cell that lies
    beyond the map counts as 0.

    Parameters
    ----------
    maps : sequence of (ny, nx) arrays
        Maps on one grid.
    grid : PixelGrid
        Their grid.
    step : float
        Side of the new cells [arcsec].

    Returns
    -------
    grid : PixelGrid
        It begins at the same corner.
    maps : list of arrays

    Raises
    ------
    InputError
        If the step is not positive, or if the grid would have more than 100 million cells.

    Examples
    --------
    >>> grid = PixelGrid.covering((0, 3), (0, 1), 1.0)
    >>> area_means([np.array([[1.0, 2.0, 6.0]])], grid, 1.5)[1][0]
    array([[0.88888889, 3.11111111]])
    """
    if not (np.isfinite(step) and step > 0):
        raise InputError(f"the cell of the completeness grid must be positive, got {step:g} arcsec")
    ratio = step / grid.step
    check_size(grid.shape[0] * grid.shape[1] / ratio**2, step)
    rows, columns = (_overlaps(n, ratio) for n in grid.shape)
    origin = np.array(grid.to_plane(*(2 * [(ratio - 1) / 2])))
    new = PixelGrid(
        shape=(rows.shape[0], columns.shape[0]), origin=origin, matrix=grid.matrix * ratio
    )
    return new, [rows @ (columns @ values.T).T for values in maps]


def _overlaps(n, ratio):
    """Fraction of each new cell (rows) that lies in each of n old cells (columns), sparse."""
    # Loaded here because that takes a tenth of a second.
    from scipy.sparse import csr_array

    m = max(1, int(np.ceil(n / ratio - 1e-9)))
    edges = np.arange(m + 1) * ratio
    first = np.floor(edges[:-1] + 1e-9).astype(int)
    span = int(np.ceil(ratio)) + 1
    old = first[:, None] + np.arange(span)
    overlap = (
        np.clip(np.minimum(edges[1:, None], old + 1) - np.maximum(edges[:-1, None], old), 0, None)
        / ratio
    )
    new = np.broadcast_to(np.arange(m)[:, None], old.shape)
    inside = (old < n) & (overlap > 1e-12)
    return csr_array((overlap[inside], (new[inside], old[inside])), shape=(m, n))


def check_size(n_cells: float, step: float) -> None:
    """Refuse a completeness grid of more than 100 million cells.

    Parameters
    ----------
    n_cells : float
    step : float
        Side of a cell [arcsec], for the message.

    Raises
    ------
    InputError
    """
    if n_cells > MAX_CELLS:
        raise InputError(
            f"a completeness grid of {n_cells:.2g} cells of {step:g} arcsec is too large: "
            "choose a coarser `grid`",
            parameter="grid",
        )


def halved(image: np.ndarray, n: int) -> list[np.ndarray]:
    """An image and n - 1 coarser versions of it, each the sum of 2 x 2 cells of the one before.

    Odd sizes are padded with zeros.

    Examples
    --------
    >>> [level.tolist() for level in halved(np.ones((2, 3)), 2)]
    [[[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]], [[4.0, 2.0]]]
    """
    levels = [image]
    while len(levels) < n:
        last = padded_to_even(levels[-1])
        levels.append(last[::2, ::2] + last[1::2, ::2] + last[::2, 1::2] + last[1::2, 1::2])
    return levels


def padded_to_even(image: np.ndarray) -> np.ndarray:
    """An image with a row or column of zeros added where their number is odd.

    Examples
    --------
    >>> padded_to_even(np.ones((2, 3))).shape
    (2, 4)
    """
    return np.pad(image, ((0, image.shape[0] % 2), (0, image.shape[1] % 2)))


def block_means(grid: PixelGrid, values: np.ndarray, most: int) -> tuple[PixelGrid, np.ndarray]:
    """Means over square blocks of pixels, such that at most `most` blocks remain along a side.

    NaN marks pixels without a value; they are left out of the means. (`astropy.nddata.block_reduce`
    cuts off incomplete blocks instead of padding them.)

    Parameters
    ----------
    grid : PixelGrid
    values : (ny, nx) array
    most : int

    Returns
    -------
    grid : PixelGrid
        One pixel for each block.
    means : array
        NaN where no pixel of a block has a value.

    Examples
    --------
    >>> grid = PixelGrid.covering((0, 4), (0, 2), 1.0)
    >>> block_means(grid, np.array([[1.0, np.nan, 3.0, 4.0], [2.0, 3.0, 3.0, 6.0]]), 2)[1]
    array([[2., 4.]])
    """
    n = -(-max(grid.shape) // most)
    if n == 1:
        return grid, values
    ny, nx = (-(-size // n) for size in grid.shape)
    padded = np.full((ny * n, nx * n), np.nan)
    padded[: grid.shape[0], : grid.shape[1]] = values
    good = np.isfinite(padded)
    total, count = (
        a.reshape(ny, n, nx, n).sum((1, 3)) for a in (np.where(good, padded, 0.0), good)
    )
    means = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return PixelGrid(
        shape=(ny, nx),
        origin=np.array(grid.to_plane((n - 1) / 2, (n - 1) / 2)),
        matrix=grid.matrix * n,
    ), means


def collected(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray, *, cell: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Photons collected into the square cells that hold any.

    The position of a cell is its centre, because the distances of its photons from there have the
    variance cell**2 / 12 along each axis, for any number of photons in the cell.

    Parameters
    ----------
    x, y, weights : (N,) array
        Positions [arcsec] and weights of the photons.
    cell : float
        Side of the cells [arcsec]; one corner of a cell is the plane's origin.

    Returns
    -------
    x, y, weights : (n,) array
        Centres of the cells [arcsec] and the sums of their photons' weights.

    Raises
    ------
    InputError
        If the cell is not positive.

    Examples
    --------
    >>> x, y, weights = collected(np.array([0.2, 0.8, 5.1]), np.zeros(3), np.ones(3), cell=1.0)
    >>> x, weights
    (array([0.5, 5.5]), array([2., 1.]))
    """
    if not (np.isfinite(cell) and cell > 0):
        raise InputError(
            f"the cell that photons are collected into must be positive, got {cell:g} arcsec"
        )
    ix, iy = (np.floor(v / cell).astype(np.int64) for v in (x, y))
    key = (iy - iy.min()) * (ix.max() - ix.min() + 1) + ix - ix.min()
    _, first, index = np.unique(key, return_index=True, return_inverse=True)
    return (ix[first] + 0.5) * cell, (iy[first] + 0.5) * cell, np.bincount(index, weights)
