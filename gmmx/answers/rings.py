"""Rings about a centre: round or elliptical, whole or cut by a sector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from .._arrays import read_only
from .._kernels.discs import disc_fractions
from .._kernels.rings import ring_integrals
from ..errors import InputError

if TYPE_CHECKING:
    from ..plane.grid import PixelGrid

_TURN = 2 * np.pi
# Nodes at which a map is read are at most this many cells apart.
_CELLS = 1.0
# A cell on an edge is counted in so many parts along its side, fewer at larger distances from the
# centre, which are in half diagonals of a cell. Near the centre rings may be smaller than cells.
_NEAR = (4.0, 30.0)
_PARTS = (128, 32, 8)
_NOWHERE = np.zeros((1, 1)), np.zeros((2, 3)), 0.0, np.inf


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Rings:
    """Neighbouring rings about a centre, each between two similar ellipses.

    Parameters
    ----------
    centre : (2,) array
        [arcsec]
    edges : (n + 1,) array
        Semi-major axes, rising [arcsec].
    axis_ratio : float
        Minor over major axis, at most 1.
    angle : float
        Direction of the major axis in the plane, counter-clockwise from +x [deg].
    sector : (float, float), optional
        Directions in the plane between which the rings are kept, counter-clockwise [deg].

    Raises
    ------
    InputError
        If the edges do not rise from 0 or more, or if the axis ratio is not in (0, 1].

    Examples
    --------
    >>> rings = Rings(centre=(0.0, 0.0), edges=[0.0, 1.0, 2.0])
    >>> rings.areas().round(4)
    array([3.1416, 9.4248])
    >>> half = rings.photons(np.zeros((1, 2)), np.eye(2)[None])
    >>> half.round(6)
    array([[0.393469, 0.471195]])
    """

    centre: np.ndarray
    edges: np.ndarray
    axis_ratio: float = 1.0
    angle: float = 0.0
    sector: tuple[float, float] | None = None

    def __post_init__(self):
        read_only(self, may_be_unknown=("edges",), centre=(2,), edges=("n",))
        if len(self.edges) < 2 or not (self.edges[0] >= 0 and np.all(np.diff(self.edges) > 0)):
            raise InputError(
                "the edges of annuli must rise from 0 or more, such as 0,5,10,20", parameter="bins"
            )
        if not 0 < self.axis_ratio <= 1:
            raise InputError(
                f"`axis_ratio` = {self.axis_ratio:g}: it is minor over major axis, above 0 and at "
                "most 1",
                parameter="axis_ratio",
            )

    def __len__(self):
        return len(self.edges) - 1

    def __repr__(self):
        x, y = self.centre
        return f"Rings({len(self)} to {self.edges[-1]:.4g} arcsec about ({x:.4g}, {y:.4g}))"

    def with_edges(self, edges: np.ndarray) -> Rings:
        """Rings of the same form with other edges."""
        return Rings(
            centre=self.centre,
            edges=edges,
            axis_ratio=self.axis_ratio,
            angle=self.angle,
            sector=self.sector,
        )

    @cached_property
    def to_circles(self) -> np.ndarray:
        """Matrix that takes offsets from the centre to coordinates in which the rings are round."""
        c, s = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        return np.array([[c, s], [-s / self.axis_ratio, c / self.axis_ratio]])

    @cached_property
    def wedge(self) -> np.ndarray:
        """Directions of the sector's sides in those coordinates, (2,) [rad]."""
        if self.sector is None:
            return np.array([-np.pi, np.pi])
        start, stop = (
            np.arctan2(*(self.to_circles @ [np.cos(angle), np.sin(angle)])[::-1])
            for angle in np.radians(self.sector)
        )
        return np.array([start, start + ((stop - start) % _TURN or _TURN)])

    def areas(self) -> np.ndarray:
        """Area of each ring, (n,) [arcsec**2]."""
        return 0.5 * np.diff(self.wedge)[0] * self.axis_ratio * np.diff(self.edges**2)

    def radii(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Semi-major axis of the ellipse through each position; NaN outside of the sector."""
        u, v = np.tensordot(self.to_circles, [x - self.centre[0], y - self.centre[1]], 1)
        radius = np.hypot(u, v)
        if self.sector is None:
            return radius
        start, stop = self.wedge
        inside = (np.arctan2(v, u) - start) % _TURN <= stop - start
        return np.where(inside | (radius == 0), radius, np.nan)

    def counts(
        self, x: np.ndarray, y: np.ndarray, weights: np.ndarray, *, side: float = 0.0
    ) -> np.ndarray:
        """Sum of the weights of positions in each ring, (n,).

        Parameters
        ----------
        x, y, weights : (N,) arrays
        side : float
            Each weight is spread evenly over a square of this side [arcsec], so that narrow rings
            do not hold too many or too few photons that were counted in pixels.
        """
        if side > 0:
            return self._spread_counts(x, y, weights, side)
        radius = self.radii(x, y)
        inside = radius < self.edges[-1]
        number = np.searchsorted(self.edges, radius[inside], "right")
        return np.bincount(number, weights[inside], len(self) + 1)[1:]

    def _spread_counts(self, x, y, weights, side):
        """Sum of weights that are spread over squares: those on an edge are cut into parts."""
        half = 0.5 * side * np.abs(self.to_circles).sum()
        u, v = np.tensordot(self.to_circles, [x - self.centre[0], y - self.centre[1]], 1)
        radius = np.hypot(u, v)
        above = np.searchsorted(self.edges, radius + half, "right")
        split = np.searchsorted(self.edges, radius - half, "right") != above
        if self.sector is not None:
            split |= self._near_sides(u, v, half)
        whole = ~split
        total = self.counts(x[whole], y[whole], weights[whole])
        x, y, part = x[split], y[split], weights[split] / _PARTS[-1] ** 2
        offsets = side * ((np.arange(_PARTS[-1]) + 0.5) / _PARTS[-1] - 0.5)
        for dy in offsets:
            for dx in offsets:
                total = total + self.counts(x + dx, y + dy, part)
        return total

    def photons(self, means: np.ndarray, covariances: np.ndarray) -> np.ndarray:
        """Fraction of each Gaussian that lies in each ring, (V, n).

        Parameters
        ----------
        means : (V, 2) array
        covariances : (V, 2, 2) array
        """
        if self.sector is None:
            return np.diff(disc_fractions(*self._round(means, covariances), self.edges))
        return self._integrals(means, covariances, *_NOWHERE)[:, :, 0]

    def seen(
        self,
        means: np.ndarray,
        covariances: np.ndarray,
        grid: PixelGrid,
        values: np.ndarray,
        outside: float = 0.0,
    ) -> np.ndarray:
        """Integral of each Gaussian times a map over each ring, (V, n).

        Parameters
        ----------
        means : (V, 2) array
        covariances : (V, 2, 2) array
        grid : PixelGrid
        values : (ny, nx) array
            Of the map, which is constant in each cell.
        outside : float
            The map off its grid.
        """
        back = grid.inverse @ np.linalg.inv(self.to_circles)
        shift = grid.inverse @ (self.centre - grid.origin)
        to_cells = np.column_stack([back, shift])
        spacing = _CELLS * grid.step
        given = np.ascontiguousarray(values, np.float64), to_cells, float(outside), spacing
        return self._integrals(means, covariances, *given)[:, :, 1]

    def _round(self, means, covariances):
        """Gaussians in the coordinates in which the rings are round, as kernels take them."""
        matrix = self.to_circles
        round_means = (means - self.centre) @ matrix.T
        packed = (matrix @ covariances @ matrix.T).reshape(-1, 4)[:, [0, 1, 3]]
        return np.ascontiguousarray(round_means), np.ascontiguousarray(packed)

    def _integrals(self, means, covariances, values, to_cells, outside, spacing):
        given = self._round(means, covariances)
        return ring_integrals(*given, self.edges, self.wedge, values, to_cells, outside, spacing)

    def sums(self, grid: PixelGrid, maps: Sequence[np.ndarray]) -> np.ndarray:
        """Integrals over each ring of maps that are constant in each cell of a grid, (M, n).

        Parameters
        ----------
        grid : PixelGrid
        maps : sequence of M (ny, nx) arrays
        """
        x, y = grid.centres()
        u, v = np.tensordot(self.to_circles, [x - self.centre[0], y - self.centre[1]], 1)
        radius = np.hypot(u, v).ravel()
        half = 0.5 * np.abs(self.to_circles @ grid.matrix).sum()
        low = np.searchsorted(self.edges, radius - half, "right")
        split = low != np.searchsorted(self.edges, radius + half, "right")
        if self.sector is not None:
            split |= self._near_sides(u.ravel(), v.ravel(), half)
            low[np.isnan(self.radii(x, y)).ravel()] = 0
        values = np.array([np.ravel(values) for values in maps], np.float64) * grid.cell_area
        n = len(self)
        whole = ~split & (low > 0) & (low <= n)
        found = [np.bincount(low[whole], one[whole], n + 1)[1:] for one in values]
        distance = np.digitize(radius / half, _NEAR)
        for i, parts in enumerate(_PARTS):
            some = np.flatnonzero(split & (distance == i))
            cells, rings, fractions = self._parts(grid, some, parts)
            for number, one in enumerate(values):
                found[number] = found[number] + np.bincount(rings, fractions * one[cells], n)
        return np.array(found)

    def _near_sides(self, u, v, half):
        """Which positions are within a distance of a side of the sector."""
        near = np.zeros(len(u), bool)
        for angle in self.wedge:
            c, s = np.cos(angle), np.sin(angle)
            near |= (np.abs(c * v - s * u) < half) & (c * u + s * v > -half)
        return near

    def _parts(self, grid, cells, parts):
        """Cells of which parts lie in rings: cells, rings and the fractions of the cells."""
        iy, ix = np.divmod(cells, grid.shape[1])
        offsets = (np.arange(parts) + 0.5) / parts - 0.5
        number = np.zeros(len(cells) * len(self), np.int64)
        for shift in offsets:
            x, y = grid.to_plane(ix[:, None] + offsets, iy[:, None] + shift)
            radius = self.radii(x, y)
            inside = (radius >= self.edges[0]) & (radius < self.edges[-1])
            ring = np.searchsorted(self.edges, radius[inside], "right") - 1
            row = np.broadcast_to(np.arange(len(cells))[:, None], radius.shape)[inside]
            number += np.bincount(row * len(self) + ring, minlength=len(number))
        used = np.flatnonzero(number)
        row, ring = np.divmod(used, len(self))
        return cells[row], ring, number[used] / parts**2
