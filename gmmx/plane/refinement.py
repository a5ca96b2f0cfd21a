"""The cells between the edges of two grids with parallel axes: neither grid divides one of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from .._kernels import overlap as kernels
from .grid import PixelGrid

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Edges of both grids that are nearer than this are one edge [pixel].
_SAME = 1e-7


@dataclass(frozen=True, eq=False, repr=False)
class Axis:
    """The intervals between the edges of two grids along one axis.

    Attributes
    ----------
    edges : (n + 1,) array
        Rising, in pixel coordinates of the target.
    pixel : (n,) integers
        Pixel of the target that holds each interval, none of them missing.
    cell : (n,) integers
        Cell of the map that holds it; -1 off the map.
    n_pixels, n_cells : int
        Pixels of the target and cells of the map.
    """

    edges: np.ndarray
    pixel: np.ndarray
    cell: np.ndarray
    n_pixels: int
    n_cells: int

    @classmethod
    def of(cls, n_pixels: int, n_cells: int, start: float, step: float) -> Axis:
        """Axis of a target and a map whose cell j has its middle at ``start + step j``."""
        own = np.arange(n_pixels + 1) - 0.5
        other = start + step * (np.arange(n_cells + 1) - 0.5)
        nearest = np.clip(np.rint(other + 0.5), 0, n_pixels) - 0.5
        new = (np.abs(other - nearest) > _SAME) & (other > own[0]) & (other < own[-1])
        edges = np.sort(np.concatenate([own, other[new]]))
        middle = (edges[1:] + edges[:-1]) / 2
        cell = np.floor((middle - start) / step + 0.5)
        on_map = (cell >= 0) & (cell < n_cells)
        pixel = np.clip(np.floor(middle + 0.5), 0, n_pixels - 1).astype(np.int64)
        return cls(edges, pixel, np.where(on_map, cell, -1).astype(np.int64), n_pixels, n_cells)

    @cached_property
    def starts(self) -> np.ndarray:
        """First interval of each pixel, (n_pixels + 1,), with their number at the end."""
        return np.append(np.flatnonzero(np.diff(self.pixel, prepend=-1)), len(self.pixel))

    @cached_property
    def overlaps(self) -> csr_array:
        """Fraction of each pixel (rows) that lies in each cell of the map (columns)."""
        # Loaded here because that takes a tenth of a second.
        from scipy.sparse import csr_array

        on = self.cell >= 0
        lengths = np.diff(self.edges)[on]
        return csr_array(
            (lengths, (self.pixel[on], self.cell[on])), shape=(self.n_pixels, self.n_cells)
        )


@dataclass(frozen=True, eq=False, repr=False)
class Refinement:
    """The cells between the edges of a target grid and of a map with parallel axes.

    Where a product of the map with something else is averaged over the pixels of the target, the
    map is constant in each of these cells.

    Attributes
    ----------
    x, y : Axis

    Examples
    --------
    >>> fine = PixelGrid.covering((0, 6), (0, 3), 1.0)
    >>> target = PixelGrid.covering((0, 6), (0, 3), 1.5)
    >>> both = Refinement.of(target, fine)
    >>> both.x.edges
    array([-0.5       ,  0.16666667,  0.5       ,  0.83333333,  1.5       ,
            2.16666667,  2.5       ,  2.83333333,  3.5       ])
    >>> both.means(np.arange(18.0).reshape(3, 6))[0].round(3)
    array([2.333, 3.667, 5.333, 6.667])
    """

    x: Axis
    y: Axis

    @classmethod
    def of(cls, target: PixelGrid, grid: PixelGrid | None = None) -> Refinement | None:
        """Refinement of a target by a map's grid; None if their axes are not parallel.

        Without a map's grid the cells are the pixels of the target.
        """
        grid = target if grid is None else grid
        step = target.inverse @ grid.matrix
        if abs(step[0, 1]) + abs(step[1, 0]) >= 1e-9 * abs(step).max():
            return None
        start = target.inverse @ (grid.origin - target.origin)
        (ny, nx), (height, width) = target.shape, grid.shape
        return cls(
            Axis.of(nx, width, start[0], step[0, 0]), Axis.of(ny, height, start[1], step[1, 1])
        )

    def __repr__(self):
        cells = f"{len(self.x.pixel)} x {len(self.y.pixel)}"
        pixels = f"{self.x.n_pixels} x {self.y.n_pixels}"
        return f"Refinement({cells} cells of {pixels} pixels)"

    def means(self, values: np.ndarray) -> np.ndarray:
        """Mean of a map over the area of each pixel of the target, 0 off the map, (ny, nx)."""
        return self.y.overlaps @ (self.x.overlaps @ values.T).T

    def rows_of(self, values: np.ndarray, first: int, last: int) -> np.ndarray:
        """The map in the cells of rows first to last of the refinement, 0 off the map."""
        rows, columns = self.y.cell[first:last], self.x.cell
        found = values[rows][:, columns]
        found[rows < 0] = 0.0
        found[:, columns < 0] = 0.0
        return found

    def sums(self, cells: np.ndarray, low: int, high: int) -> np.ndarray:
        """Sums over the pixels of the target's rows low to high, of all cells in those rows."""
        rows, columns = self.y.starts[low:high], self.x.starts[:-1]
        if len(columns) < cells.shape[1]:
            cells = np.add.reduceat(cells, columns, axis=1)
        if len(rows) < len(cells):
            cells = np.add.reduceat(cells, rows - rows[0], axis=0)
        return cells

    def blocks(self, most: int) -> list[tuple[int, int]]:
        """Ranges of the target's rows whose cells are at most some `most`, at least one row."""
        per_row = len(self.x.pixel) * len(self.y.pixel) / self.y.n_pixels
        size = max(1, int(most / per_row))
        n = self.y.n_pixels
        return [(low, min(low + size, n)) for low in range(0, n, size)]


def add_overlaps(
    image: np.ndarray, target: PixelGrid, amounts: np.ndarray, grid: PixelGrid, first_row: int = 0
) -> None:
    """Add amounts in the cells of a grid to the pixels of another one, by the area that they share.

    Parameters
    ----------
    image : (ny, nx) array
        Amounts in the pixels of the target; changed in place.
    target : PixelGrid
        It may be turned and sheared against the grid.
    amounts : (rows, nx) array
        Amounts in the grid's rows from `first_row` on.
    grid : PixelGrid
    first_row : int

    Examples
    --------
    >>> grid = PixelGrid.covering((-4, 4), (-4, 4), 1.0)
    >>> turned = PixelGrid(shape=(1, 1), origin=np.zeros(2), matrix=np.array([[2.0, -2], [2, 2]]))
    >>> image = np.zeros((1, 1))
    >>> add_overlaps(image, turned, np.ones((8, 8)), grid)
    >>> image.round(9)
    array([[8.]])
    """
    kernels.add_overlaps(
        image,
        np.ascontiguousarray(amounts),
        first_row,
        np.array(grid.to_pixels(*target.origin)),
        grid.inverse @ target.matrix,
        target.inverse @ grid.matrix,
    )
