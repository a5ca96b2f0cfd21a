"""Where things are: the tangent plane, the telescope's physical pixels in it, and rasters on it.

A position is (x, y) in arcsec in the tangent plane (TAN projection) about a reference direction, with the handedness of the image on the screen: x grows
with the image column (west), y with the row (north). An image is an array [iy, ix]; pixel indices count from 0 at the centre of the first pixel. Right
ascension, declination and position angle appear only where files are read and written.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .._arrays import read_only
from ..errors import InputError

ARCSEC_PER_RADIAN = 206264.80624709636


@dataclass(frozen=True)
class SkyFrame:
    """A tangent plane.

    Attributes
    ----------
    ra0, dec0 : float
        The direction in which the plane touches the sphere [deg].
    radesys : str
        The celestial reference system of ra0 and dec0.
    """

    ra0: float
    dec0: float
    radesys: str = "ICRS"

    def __post_init__(self):
        if not (np.isfinite(self.ra0) and -90 <= self.dec0 <= 90):
            raise InputError(
                f"a tangent point needs a finite right ascension and a declination in [-90, 90], got {self.ra0}, {self.dec0}"
            )

    def to_plane(self, ra, dec):
        """Gnomonic projection of directions [deg] to positions (x, y) [arcsec] (Calabretta & Greisen 2002, section 5.1.3).

        Directions 90 degrees away or more have no image in the plane: they come back as NaN.
        """
        ra, dec = np.radians(ra), np.radians(dec)
        ra0, dec0 = np.radians(self.ra0), np.radians(self.dec0)
        cosine = np.sin(dec0) * np.sin(dec) + np.cos(dec0) * np.cos(dec) * np.cos(ra - ra0)
        cosine = np.where(cosine > 0, cosine, np.nan)
        east = np.cos(dec) * np.sin(ra - ra0) / cosine
        north = (
            np.cos(dec0) * np.sin(dec) - np.sin(dec0) * np.cos(dec) * np.cos(ra - ra0)
        ) / cosine
        return -east * ARCSEC_PER_RADIAN, north * ARCSEC_PER_RADIAN

    def to_sky(self, x, y):
        """Directions (ra, dec) [deg] of positions (x, y) [arcsec]: the inverse of `to_plane`."""
        east, north = -np.asarray(x) / ARCSEC_PER_RADIAN, np.asarray(y) / ARCSEC_PER_RADIAN
        dec0 = np.radians(self.dec0)
        down = np.cos(dec0) - north * np.sin(dec0)
        ra = self.ra0 + np.degrees(np.arctan2(east, down))
        dec = np.degrees(np.arctan2(np.sin(dec0) + north * np.cos(dec0), np.hypot(east, down)))
        return np.mod(ra, 360.0), dec

    def north(self, x, y):
        """Which way north is at positions (x, y) [arcsec]: its angle from the plane's y axis, counter-clockwise [deg].

        Meridians are straight lines through the pole's image, (0, cot dec0): away from the tangent point, and the more so the nearer the pole, north is not up.
        """
        dec0 = np.radians(self.dec0)
        return np.degrees(
            np.arctan2(
                np.asarray(x) * np.sin(dec0),
                ARCSEC_PER_RADIAN * np.cos(dec0) - np.asarray(y) * np.sin(dec0),
            )
        )


@dataclass(frozen=True)
class PhysicalFrame:
    """The telescope's own sky pixels (CIAO's and DS9's "physical" coordinates), an axis-aligned scale in a tangent plane.

    Attributes
    ----------
    x0, y0 : float
        Physical coordinates of the plane's origin [pixel].
    step_x, step_y : float
        Size of a physical pixel along x and y [arcsec]; negative where the physical axis runs against the plane's.
    """

    x0: float
    y0: float
    step_x: float
    step_y: float

    def to_plane(self, x_pix, y_pix):
        """Positions (x, y) [arcsec] of physical coordinates [pixel]."""
        return (np.asarray(x_pix, np.float64) - self.x0) * self.step_x, (
            np.asarray(y_pix, np.float64) - self.y0
        ) * self.step_y

    def to_physical(self, x, y):
        """Physical coordinates [pixel] of positions (x, y) [arcsec]."""
        return np.asarray(x) / self.step_x + self.x0, np.asarray(y) / self.step_y + self.y0


@dataclass(frozen=True, eq=False, kw_only=True)
class PixelGrid:
    """A raster in the plane: pixel (ix, iy) is centred at ``origin + matrix @ (ix, iy)``.

    The matrix may turn and shear: a map of another pointing, with its own tangent point and roll, is used as it is instead of being resampled.

    Attributes
    ----------
    shape : (int, int)
        Rows and columns (ny, nx).
    origin : (2,) array
        Centre of pixel (0, 0) [arcsec].
    matrix : (2, 2) array
        Columns are the steps along ix and iy [arcsec / pixel].
    """

    shape: tuple
    origin: np.ndarray
    matrix: np.ndarray

    def __post_init__(self):
        read_only(self, origin=(2,), matrix=(2, 2))
        object.__setattr__(self, "shape", (int(self.shape[0]), int(self.shape[1])))
        if min(self.shape) < 1 or abs(np.linalg.det(self.matrix)) < 1e-12:
            raise InputError(
                f"a pixel grid needs rows, columns and pixels of some area, got {self.shape} and {self.matrix.tolist()}"
            )

    @classmethod
    def covering(cls, x_range, y_range, step):
        """The axis-aligned grid of square pixels of `step` [arcsec] that covers two intervals [arcsec], symmetric about their centres."""
        n = [max(1, int(np.ceil((high - low) / step - 1e-9))) for low, high in (x_range, y_range)]
        origin = [
            (low + high - (count - 1) * step) / 2
            for (low, high), count in zip((x_range, y_range), n, strict=True)
        ]
        return cls(shape=(n[1], n[0]), origin=np.array(origin), matrix=step * np.eye(2))

    @cached_property
    def inverse(self):
        """(2, 2) array: pixels per arcsec."""
        return np.linalg.inv(self.matrix)

    @property
    def cell_area(self):
        """Area of a pixel [arcsec**2]."""
        return abs(np.linalg.det(self.matrix))

    @property
    def step(self):
        """Side of the square of a pixel's area [arcsec]."""
        return np.sqrt(self.cell_area)

    @property
    def is_aligned(self):
        """Whether rows and columns run along the plane's own axes."""
        return abs(self.matrix[0, 1]) + abs(self.matrix[1, 0]) < 1e-9 * self.step

    def to_plane(self, ix, iy):
        """Positions (x, y) [arcsec] of pixel coordinates."""
        ix, iy = np.asarray(ix, np.float64), np.asarray(iy, np.float64)
        m, o = self.matrix, self.origin
        return o[0] + m[0, 0] * ix + m[0, 1] * iy, o[1] + m[1, 0] * ix + m[1, 1] * iy

    def to_pixels(self, x, y):
        """Pixel coordinates (ix, iy), not rounded, of positions (x, y) [arcsec]."""
        dx, dy = np.asarray(x) - self.origin[0], np.asarray(y) - self.origin[1]
        m = self.inverse
        return m[0, 0] * dx + m[0, 1] * dy, m[1, 0] * dx + m[1, 1] * dy

    def locate(self, x, y):
        """Pixels that hold positions: integer (ix, iy), clipped to the grid, and whether each position is on the grid."""
        ix, iy = (np.floor(index + 0.5) for index in self.to_pixels(x, y))
        inside = (ix >= 0) & (ix < self.shape[1]) & (iy >= 0) & (iy < self.shape[0])
        return (
            np.clip(ix, 0, self.shape[1] - 1).astype(np.int64),
            np.clip(iy, 0, self.shape[0] - 1).astype(np.int64),
            inside,
        )

    def centres(self):
        """Positions (x, y) [arcsec] of all pixel centres, two (ny, nx) arrays."""
        return self.to_plane(*np.meshgrid(np.arange(self.shape[1]), np.arange(self.shape[0])))

    def extent(self):
        """The interval of x and of y [arcsec] that the pixels' outer edges span: ((x_min, x_max), (y_min, y_max))."""
        ny, nx = self.shape
        x, y = self.to_plane([-0.5, nx - 0.5, -0.5, nx - 0.5], [-0.5, -0.5, ny - 0.5, ny - 0.5])
        return (x.min(), x.max()), (y.min(), y.max())

    def histogram(self, x, y, weights=None, *, side=0.0):
        """Sum of weights in each pixel, (ny, nx); positions off the grid are left out.

        Parameters
        ----------
        side : float
            Each weight is spread evenly over a square of this side [arcsec] along the grid's axes: weights that belong to other pixels then make no moire.
        """
        if side > 0:
            return self._spread_histogram(
                x, y, np.ones(len(x)) if weights is None else weights, side / self.step
            )
        ix, iy, inside = self.locate(x, y)
        flat = np.bincount(
            (iy * self.shape[1] + ix)[inside],
            None if weights is None else weights[inside],
            self.shape[0] * self.shape[1],
        )
        return flat.reshape(self.shape).astype(np.float64)

    def _spread_histogram(self, x, y, weights, side):
        """`histogram` of weights spread over squares of `side` pixels, by the area that each pixel shares with them."""
        ny, nx = self.shape
        shares = []
        for index, n in zip(self.to_pixels(x, y), (nx, ny), strict=True):
            low, high = index + 0.5 - side / 2, index + 0.5 + side / 2
            # A square that ends on a pixel's edge, but for rounding, does not reach beyond it.
            first, last = (
                np.floor(low + 1e-6).astype(np.int64),
                np.ceil(high - 1e-6).astype(np.int64),
            )
            cells = [first + j for j in range(max(int((last - first).max(initial=1)), 1))]
            parts = [
                np.clip(np.minimum(high, c + 1) - np.maximum(low, c), 0, None)
                * (c < last)
                * (c >= 0)
                * (c < n)
                for c in cells
            ]
            whole = sum(
                np.clip(np.minimum(high, c + 1) - np.maximum(low, c), 0, None) * (c < last)
                for c in cells
            )
            shares.append(
                [(np.clip(c, 0, n - 1), part / whole) for c, part in zip(cells, parts, strict=True)]
            )
        total = np.zeros(ny * nx)
        for ix, across in shares[0]:
            for iy, along in shares[1]:
                total += np.bincount(iy * nx + ix, weights * across * along, ny * nx)
        return total.reshape(self.shape)


@dataclass(frozen=True, eq=False, kw_only=True)
class SkyImage:
    """An array on a PixelGrid, with its unit.

    Attributes
    ----------
    grid : PixelGrid
    values : (ny, nx) array
    unit : str
        In FITS notation ("cm**2 s", "photon/cm**2/s"); empty where there is none.
    """

    grid: PixelGrid
    values: np.ndarray
    unit: str = ""

    def __post_init__(self):
        read_only(self, values=self.grid.shape)

    def at(self, x, y):
        """The value of the pixel that holds each position; 0 off the grid."""
        ix, iy, inside = self.grid.locate(x, y)
        return np.where(inside, self.values[iy, ix], 0.0)
