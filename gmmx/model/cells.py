"""Integrals of a mixture over cells of any size, exact enough that sums of cells agree.

A Gaussian that is broad compared with the cells is sampled on a lattice of a tenth to a twentieth
of its standard deviation. All Gaussians of one lattice share a spline of degree 5, whose integral
over a cell is a sum of few samples along each axis. The others are integrated one by one. Both
ways are right to some 1e-7 of the peak of a Gaussian, whatever the size of the cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._kernels.cells import add_cell_integrals, sample_gaussians

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Samples of the lattice for each standard deviation of its narrowest Gaussian.
_SAMPLES = 10.0
# The finest lattice is this many times coarser than the cells: a finer one would cost more than
# its Gaussians do one by one.
_COARSER = 2.0
# Samples beyond the outer edges, so that the ends of the spline do not matter: 0.43**24 is 2e-9.
_MARGIN = 24
_DEGREE = 5
# What is lower than this part of the highest row of a lattice is an error of the spline.
_NOTHING = 1e-10
# Smallest variance, in units of the edges, of a Gaussian: a point is drawn with this width.
_POINT = 1e-12


@dataclass(frozen=True, eq=False, repr=False)
class CellIntegrals:
    """A sum of Gaussians that can be integrated over the cells between edges, row by row.

    Attributes
    ----------
    x_edges : (nx + 1,) array
    y_edges : (ny + 1,) array
        Rising, in the coordinates of the Gaussians.
    lattices : list of (sparse (ny, n) array, (n, nx) array)
        For each lattice, the weights of its rows in the cells, and its columns summed already.
    least : float
        Integrals over a cell below this are errors of the splines, and count as 0.
    narrow : tuple of arrays
        Fluxes, means and packed covariances of the Gaussians without a lattice.

    Examples
    --------
    >>> edges = np.arange(-20.0, 21.0, 5.0)
    >>> two = CellIntegrals.of(
    ...     np.array([3.0, 4.0]), np.zeros((2, 2)), np.array([np.eye(2), 900 * np.eye(2)]), edges,
    ...     edges,
    ... )
    >>> image = two.rows(0, 8)
    >>> image.shape, round(float(image[:4].sum() / image[4:].sum()), 9)
    ((8, 8), 1.0)
    """

    x_edges: np.ndarray
    y_edges: np.ndarray
    lattices: list
    least: float
    narrow: tuple

    @classmethod
    def of(
        cls,
        fluxes: np.ndarray,
        means: np.ndarray,
        covariances: np.ndarray,
        x_edges: np.ndarray,
        y_edges: np.ndarray,
    ) -> CellIntegrals:
        """Prepare Gaussians for the cells between edges.

        Parameters
        ----------
        fluxes : (V,) array
        means : (V, 2) array
        covariances : (V, 2, 2) array
        x_edges, y_edges : arrays
            Rising, in the coordinates of the Gaussians.
        """
        covariances = covariances + _POINT * np.eye(2)
        widths = [np.ptp(edges) / (len(edges) - 1) for edges in (x_edges, y_edges)]
        step = _COARSER * np.sqrt(widths[0] * widths[1])
        sigma = np.sqrt(np.linalg.eigvalsh(covariances)[:, 0].clip(_POINT))
        level = np.floor(np.log2(sigma / (_SAMPLES * step))).astype(int)
        lattices = []
        for one in np.unique(level[level >= 0]):
            its = level == one
            given = fluxes[its], means[its], covariances[its]
            lattices.append(_lattice(*given, x_edges, y_edges, 2.0**one * step))
        rest = level < 0
        packed = covariances[rest].reshape(-1, 4)[:, [0, 1, 3]]
        narrow = fluxes[rest], np.ascontiguousarray(means[rest]), np.ascontiguousarray(packed)
        highest = max((columns.max() for _, columns in lattices), default=0.0)
        return cls(x_edges, y_edges, lattices, _NOTHING * highest, narrow)

    def __repr__(self):
        ny, nx = len(self.y_edges) - 1, len(self.x_edges) - 1
        return f"CellIntegrals({nx} x {ny} cells, {len(self.lattices)} lattices)"

    def rows(self, first: int, last: int) -> np.ndarray:
        """Integrals over the cells of the rows from `first` up to `last`, (last - first, nx)."""
        image = np.zeros((last - first, len(self.x_edges) - 1))
        for weights, columns in self.lattices:
            image += weights[first:last] @ columns
        image[image < self.least] = 0.0
        fluxes, means, covariances = self.narrow
        if len(fluxes):
            edges = self.x_edges, self.y_edges[first : last + 1]
            add_cell_integrals(image, fluxes, means, covariances, edges[0], edges[1])
        return image


def _lattice(fluxes, means, covariances, x_edges, y_edges, step):
    """Weights of the rows of a lattice in the cells, and the columns summed over the cells."""
    # Loaded here because that takes a fifth of a second.
    from scipy.ndimage import spline_filter

    starts = np.array([edges[0] - _MARGIN * step for edges in (x_edges, y_edges)])
    nx, ny = (int(np.ceil(np.ptp(edges) / step)) + 2 * _MARGIN + 1 for edges in (x_edges, y_edges))
    inverses = np.linalg.inv(covariances / step**2)
    peaks = fluxes * np.sqrt(np.linalg.det(inverses)) / (2 * np.pi)
    samples = sample_gaussians(
        peaks,
        (means - starts) / step,
        np.ascontiguousarray(inverses.reshape(-1, 4)[:, [0, 1, 3]]),
        ny,
        nx,
    )
    spline = spline_filter(samples, _DEGREE, mode="mirror")
    columns = _weights((x_edges - starts[0]) / step, nx)
    rows = _weights((y_edges - starts[1]) / step, ny)
    return rows, np.ascontiguousarray((columns @ spline.T).T)


def _weights(edges, n) -> csr_array:
    """Integral of each of n basis splines, centred at 0, 1, ..., between neighbouring edges."""
    from scipy.interpolate import BSpline
    from scipy.sparse import csr_array

    reach = (_DEGREE + 1) / 2
    integral = BSpline.basis_element(np.arange(-reach, reach + 1)).antiderivative()
    base = integral(-reach)
    first = np.floor(edges[:-1] - reach).astype(int)
    span = int(np.ceil(np.diff(edges).max() + 2 * reach)) + 1
    index = first[:, None] + np.arange(span)
    upper, lower = (
        integral(np.clip(edge[:, None] - index, -reach, reach)) - base
        for edge in (edges[1:], edges[:-1])
    )
    values = upper - lower
    cells = np.broadcast_to(np.arange(len(first))[:, None], index.shape)
    kept = (values != 0) & (index >= 0) & (index < n)
    return csr_array((values[kept], (cells[kept], index[kept])), shape=(len(first), n))
