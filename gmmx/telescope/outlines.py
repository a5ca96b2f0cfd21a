"""Outline of the photons of a chip, at any roll.

The outline of a chip shows where the field ends when there is no exposure map, and which chip a
place belongs to.
"""

import numpy as np

# Photons are thinned to one for each cell of this side, so that a bright source has the weight of
# its place [arcsec].
THINNED = 8.0
# A cell is a stray if its second neighbour is this many times farther than that of nine cells in
# ten.
STRAY = 6.0
# An outline is a rectangle if the hull of the photons fills this fraction of it.
FULL = 0.8


def chip_outline(x: np.ndarray, y: np.ndarray, step: float) -> np.ndarray:
    """Return the convex outline of the photons of a chip; strays do not count.

    The outline is the smallest rectangle around the photons, at any roll, if their convex hull
    fills most of it, because few photons would make a hull that is too small. Otherwise it is the
    hull.

    Parameters
    ----------
    x, y : (N,) array
        Positions of the photons [arcsec].
    step : float
        Side of a cell of the field [arcsec]. If all photons lie on a line, the outline is a box
        that exceeds them by half a cell.

    Returns
    -------
    (n, 2) array
        Corners, counter-clockwise [arcsec].

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> corners = chip_outline(*rng.uniform(0, 100, (2, 5000)), step=1.0)
    >>> corners.shape, np.ptp(corners, axis=0).round()
    ((4, 2), array([100., 100.]))
    """
    # Imported here because it takes 0.1 s.
    from scipy.spatial import ConvexHull, QhullError

    cells = _Cells(x, y)
    used = cells.without_strays()
    wanted = np.zeros(cells.count, bool)
    try:
        # A photon can only be a corner if its cell sticks out of the hull of one photon per cell.
        some = cells.one_photon[used]
        facets = ConvexHull(np.column_stack([x[some], y[some]])).equations
        reach = (
            cells.centres(used) @ facets[:, :2].T
            + facets[:, 2]
            + cells.size / 2 * np.abs(facets[:, :2]).sum(1)
        ).max(1)
        wanted[used[reach >= -1e-9 * cells.size]] = True
        near = wanted[cells.of_photons]
        hull = ConvexHull(np.column_stack([x[near], y[near]]))
    except (QhullError, ValueError):
        # There are too few photons, or all lie on a line.
        wanted[used] = True
        near = wanted[cells.of_photons]
        return _box(x[near], y[near], step / 2)
    corners = hull.points[hull.vertices]
    rectangle, area = smallest_rectangle(corners)
    return rectangle if hull.volume >= FULL * area else corners


def smallest_rectangle(corners: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the smallest rectangle around a convex polygon.

    One of its sides lies on a side of the polygon (Freeman and Shapira 1975, CACM 18, 409).

    Parameters
    ----------
    corners : (n, 2) array
        Corners in order.

    Returns
    -------
    rectangle : (4, 2) array
        Corners, counter-clockwise.
    area : float

    Examples
    --------
    >>> rectangle, area = smallest_rectangle(np.array([[0, 0], [2, 0], [2, 1], [0, 1]]))
    >>> float(area)
    2.0
    """
    best, smallest = corners, np.inf
    for side in np.roll(corners, -1, axis=0) - corners:
        along = side / np.hypot(*side)
        turn = np.array([along, [-along[1], along[0]]])
        low, high = (corners @ turn.T).min(0), (corners @ turn.T).max(0)
        if np.prod(high - low) < smallest:
            smallest = np.prod(high - low)
            best = np.array([low, [high[0], low[1]], high, [low[0], high[1]]]) @ turn
    return best, smallest


def counter_clockwise(corners: np.ndarray) -> np.ndarray:
    """Return the corners of a polygon in counter-clockwise order."""
    x, y = corners.T
    return corners if np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) > 0 else corners[::-1]


class _Cells:
    """Photons sorted into square cells, with one photon that stands for each cell."""

    def __init__(self, x, y):
        self.low, extent = np.array([x.min(), y.min()]), np.array([np.ptp(x), np.ptp(y)])
        self.size = max(THINNED, extent.max() / 2000)
        self.nx, ny = (extent / self.size).astype(int) + 1
        self.count = self.nx * ny
        column = ((x - self.low[0]) / self.size).astype(np.int32)
        self.of_photons = ((y - self.low[1]) / self.size).astype(np.int32) * self.nx + column
        self.one_photon = np.full(self.count, -1)
        self.one_photon[self.of_photons] = np.arange(len(x))

    def centres(self, index):
        """Return the centres of cells (n,), an (n, 2) array."""
        return self.low + self.size * np.column_stack(
            [index % self.nx + 0.5, index // self.nx + 0.5]
        )

    def without_strays(self):
        """Return the cells that hold photons and have neighbours."""
        from scipy.spatial import cKDTree

        used = np.flatnonzero(self.one_photon >= 0)
        if len(used) <= 10:
            return used
        centres = self.centres(used)
        distance = cKDTree(centres).query(centres, 3)[0][:, 2]
        return used[distance <= STRAY * np.quantile(distance, 0.9)]


def _box(x, y, margin):
    (x0, x1), (y0, y1) = ((v.min() - margin, v.max() + margin) for v in (x, y))
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
