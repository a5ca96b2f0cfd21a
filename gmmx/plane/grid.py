"""Pixel grids in the tangent plane, and images on them.

An image is an array [iy, ix]. Pixel indices count from 0 at the centre of the first pixel.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from .._arrays import read_only
from ..errors import InputError
from .frame import SkyFrame

if TYPE_CHECKING:
    from astropy.nddata import CCDData
    from astropy.units import Quantity
    from astropy.wcs import WCS


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class PixelGrid:
    """A grid of pixels in the plane: pixel (ix, iy) is centred at ``origin + matrix @ (ix, iy)``.

    The matrix may turn and shear, so that a map of another pointing, with its own tangent point and
    roll, is used as it is instead of being resampled.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns (ny, nx).
    origin : (2,) array
        Centre of pixel (0, 0) [arcsec].
    matrix : (2, 2) array
        Columns are the steps along ix and iy [arcsec / pixel].

    Raises
    ------
    InputError
        If there is no row or no column, or if the pixels have no area.

    Examples
    --------
    >>> grid = PixelGrid.covering((-40, 40), (-30, 30), 2.0)
    >>> grid
    PixelGrid(40 x 30 pixels of 2 x 2 arcsec, x -40 to 40, y -30 to 30 arcsec)
    >>> grid.shape
    (30, 40)
    """

    shape: tuple[int, int]
    origin: np.ndarray
    matrix: np.ndarray

    def __post_init__(self):
        read_only(self, origin=(2,), matrix=(2, 2))
        object.__setattr__(self, "shape", (int(self.shape[0]), int(self.shape[1])))
        if min(self.shape) < 1 or abs(np.linalg.det(self.matrix)) < 1e-12:
            raise InputError(
                "a pixel grid needs rows, columns and pixels of some area, "
                f"got {self.shape} and {self.matrix.tolist()}"
            )

    def __repr__(self):
        (ny, nx), ((x0, x1), (y0, y1)) = self.shape, self.extent()
        width, height = np.hypot(*self.matrix)
        angle = np.degrees(np.arctan2(self.matrix[1, 0], self.matrix[0, 0]))
        turned = "" if self.is_aligned else f" turned by {angle:.4g} deg"
        return (
            f"PixelGrid({nx} x {ny} pixels of {width:.4g} x {height:.4g} arcsec{turned}, "
            f"x {x0:.6g} to {x1:.6g}, y {y0:.6g} to {y1:.6g} arcsec)"
        )

    @classmethod
    def covering(cls, x_range: tuple, y_range: tuple, step: float) -> "PixelGrid":
        """Make the aligned grid of square pixels that covers two intervals.

        Parameters
        ----------
        x_range, y_range : (float, float)
            Intervals to cover [arcsec]. The grid is symmetric about their centres.
        step : float
            Side of a pixel [arcsec].
        """
        n = [max(1, int(np.ceil((high - low) / step - 1e-9))) for low, high in (x_range, y_range)]
        origin = [
            (low + high - (count - 1) * step) / 2
            for (low, high), count in zip((x_range, y_range), n, strict=True)
        ]
        return cls(shape=(n[1], n[0]), origin=np.array(origin), matrix=step * np.eye(2))

    @cached_property
    def inverse(self) -> np.ndarray:
        """(2, 2) array: pixels per arcsec."""
        return np.linalg.inv(self.matrix)

    @property
    def cell_area(self) -> float:
        """Area of a pixel [arcsec**2]."""
        return abs(np.linalg.det(self.matrix))

    @property
    def step(self) -> float:
        """Side of the square that has the area of a pixel [arcsec]."""
        return np.sqrt(self.cell_area)

    @property
    def is_aligned(self) -> bool:
        """Whether rows and columns run along the plane's axes."""
        return abs(self.matrix[0, 1]) + abs(self.matrix[1, 0]) < 1e-9 * self.step

    def to_plane(self, ix: ArrayLike, iy: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return the positions (x, y) [arcsec] of pixel coordinates."""
        ix, iy, m, o = np.asarray(ix, float), np.asarray(iy, float), self.matrix, self.origin
        return o[0] + m[0, 0] * ix + m[0, 1] * iy, o[1] + m[1, 0] * ix + m[1, 1] * iy

    def to_pixels(self, x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return the pixel coordinates (ix, iy), not rounded, of positions (x, y) [arcsec]."""
        m, dx, dy = self.inverse, np.asarray(x) - self.origin[0], np.asarray(y) - self.origin[1]
        return m[0, 0] * dx + m[0, 1] * dy, m[1, 0] * dx + m[1, 1] * dy

    def locate(self, x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Find the pixels that hold positions [arcsec].

        Returns
        -------
        ix, iy : array of int
            Pixel indices, clipped to the grid.
        inside : array of bool
            Whether each position is on the grid. A pixel owns its lower edges.
        """
        ix, iy = (np.floor(index + 0.5) for index in self.to_pixels(x, y))
        inside = (ix >= 0) & (ix < self.shape[1]) & (iy >= 0) & (iy < self.shape[0])
        return (
            np.clip(ix, 0, self.shape[1] - 1).astype(np.int64),
            np.clip(iy, 0, self.shape[0] - 1).astype(np.int64),
            inside,
        )

    def centres(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the positions (x, y) [arcsec] of all pixel centres, two (ny, nx) arrays."""
        return self.to_plane(*np.meshgrid(np.arange(self.shape[1]), np.arange(self.shape[0])))

    def extent(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return the intervals of x and y [arcsec] that the pixels' outer edges span."""
        ny, nx = self.shape
        x, y = self.to_plane([-0.5, nx - 0.5, -0.5, nx - 0.5], [-0.5, -0.5, ny - 0.5, ny - 0.5])
        return (x.min(), x.max()), (y.min(), y.max())

    def histogram(
        self, x: ArrayLike, y: ArrayLike, weights: np.ndarray | None = None, *, side: float = 0.0
    ) -> np.ndarray:
        """Sum weights in each pixel; positions off the grid are left out.

        Parameters
        ----------
        x, y : (N,) array
            Positions [arcsec].
        weights : (N,) array, optional
            1 for each position by default.
        side : float
            Each weight is spread evenly over a square of this side [arcsec] along the grid's axes,
            so that weights of a lattice that is no multiple of the grid's make no moire.

        Examples
        --------
        >>> grid = PixelGrid.covering((0, 3), (0, 2), 1.0)
        >>> grid.histogram(np.array([0.5, 0.6, 2.5]), np.array([0.5, 0.5, 1.5]))
        array([[2., 0., 0.],
               [0., 0., 1.]])
        """
        if side > 0:
            weights = np.ones(np.shape(x)) if weights is None else weights
            return self._spread_histogram(x, y, weights, side / self.step)
        ix, iy, inside = self.locate(x, y)
        flat = np.bincount(
            (iy * self.shape[1] + ix)[inside],
            None if weights is None else weights[inside],
            self.shape[0] * self.shape[1],
        )
        return flat.reshape(self.shape).astype(np.float64)

    def _spread_histogram(self, x, y, weights, side):
        """Sum weights that are spread over squares of `side` pixels."""
        ny, nx = self.shape
        columns, rows = (
            _overlaps(index, n, side)
            for index, n in zip(self.to_pixels(x, y), (nx, ny), strict=True)
        )
        total = np.zeros(ny * nx)
        for ix, across in columns:
            for iy, along in rows:
                total += np.bincount(iy * nx + ix, weights * across * along, ny * nx)
        return total.reshape(self.shape)


def _overlaps(index, n, side):
    """Divide intervals of length `side` [pixel], centred at `index`, among n pixels of one axis.

    Returns
    -------
    list of (array of int, array)
        Indices of the pixels that an interval can touch, and the fractions that lie in them.
    """
    low, high = index + 0.5 - side / 2, index + 0.5 + side / 2
    # An interval that ends on a pixel's edge, but for rounding, does not reach beyond that edge.
    first = np.floor(low + 1e-6).astype(np.int64)
    last = np.ceil(high - 1e-6).astype(np.int64)
    cells = [first + j for j in range(max(int((last - first).max(initial=1)), 1))]
    lengths = [
        np.clip(np.minimum(high, c + 1) - np.maximum(low, c), 0, None) * (c < last) for c in cells
    ]
    whole = sum(lengths)
    return [
        (np.clip(c, 0, n - 1), length * (c >= 0) * (c < n) / whole)
        for c, length in zip(cells, lengths, strict=True)
    ]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SkyImage:
    """An image: values on a PixelGrid, with their unit.

    Parameters
    ----------
    grid : PixelGrid
    values : (ny, nx) array
    unit : str
        In FITS notation ("cm**2 s", "photon/cm**2/s"); empty where there is none.
    frame : SkyFrame, optional
        The tangent plane of the grid. Without it the image has no `wcs`.
    comments : tuple of str
        What the values are, for the header of a file.

    Raises
    ------
    InputError
        If the values do not fit the grid or are not finite.

    Examples
    --------
    >>> grid = PixelGrid.covering((0, 4), (0, 2), 1.0)
    >>> image = SkyImage(grid=grid, values=np.arange(8.0).reshape(2, 4), unit="photon/cm**2/s")
    >>> image
    SkyImage(4 x 2 pixels of 1 x 1 arcsec, values 0 to 7 photon/cm**2/s)
    >>> image.shape, np.sum(image), image.quantity.sum()
    ((2, 4), np.float64(28.0), <Quantity 28. ph / (s cm2)>)
    """

    grid: PixelGrid
    values: np.ndarray
    unit: str = ""
    frame: SkyFrame | None = None
    comments: tuple[str, ...] = ()

    def __post_init__(self):
        read_only(self, values=self.grid.shape)

    def __repr__(self):
        pixels = repr(self.grid).removeprefix("PixelGrid(").split(", x ")[0]
        low, high = self.values.min(), self.values.max()
        return f"SkyImage({pixels}, values {low:.4g} to {high:.4g} {self.unit}".rstrip() + ")"

    def __array__(self, dtype=None, copy=None):
        """Return the values, so that numpy and matplotlib take the image as an array."""
        return np.array(self.values, dtype=dtype, copy=copy)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns (ny, nx)."""
        return self.grid.shape

    @property
    def quantity(self) -> "Quantity":
        """The values with their unit, an astropy Quantity; dimensionless where there is no unit."""
        from astropy import units

        # Text that is not a unit of the FITS standard stays one by its name.
        unit = units.Unit(self.unit, format="fits", parse_strict="silent")
        return units.Quantity(self.values, unit)

    @property
    def wcs(self) -> "WCS | None":
        """The astropy WCS of the pixels; None for an image without `frame`."""
        from .wcs import wcs_of

        return None if self.frame is None else wcs_of(self.grid, self.frame)

    def at(self, x: ArrayLike, y: ArrayLike) -> np.ndarray:
        """Return the value of the pixel that holds each position [arcsec]; 0 off the grid."""
        ix, iy, inside = self.grid.locate(x, y)
        return np.where(inside, self.values[iy, ix], 0.0)

    def to_ccddata(self) -> "CCDData":
        """Return the image as astropy.nddata.CCDData, with its unit and its WCS."""
        from astropy.nddata import CCDData

        return CCDData(self.quantity, wcs=self.wcs)
