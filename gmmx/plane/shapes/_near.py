"""Which points lie near which shape."""

import numpy as np


class Near:
    """Points, sorted into cells once, so that a small shape meets only those near it."""

    CELLS = 240  # squared, they fit 16 bits, which numpy sorts by radix

    def __init__(self, x, y, boxes):
        boxes = boxes[np.isfinite(boxes).all(axis=1)]
        self.order = None
        if len(x) * len(boxes) < 20_000:
            return
        x0, y0 = max(boxes[:, 0].min(), x.min()), max(boxes[:, 2].min(), y.min())
        x1, y1 = min(boxes[:, 1].max(), x.max()), min(boxes[:, 3].max(), y.max())
        self.low = np.array([x0, y0])
        self.per = self.CELLS / np.maximum([x1 - x0, y1 - y0], 1e-9)
        cx, cy = (x - x0) * self.per[0], (y - y0) * self.per[1]
        # Cells that no shape comes near are not sorted: a mask of small sources leaves most photons alone.
        wanted = np.zeros((self.CELLS, self.CELLS), bool)
        for box in boxes:
            (ix0, ix1), (iy0, iy1) = self._cells(box)
            wanted[iy0 : iy1 + 1, ix0 : ix1 + 1] = True
        # The outermost points themselves may come to lie beyond the cells by rounding.
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
        self.many = len(x) // 3

    def _cells(self, box):
        # One cell to spare on each side, against rounding.
        edges = (np.reshape(box, (2, 2)) - self.low[:, None]) * self.per[:, None] + [-1, 1]
        return np.clip(edges, 0, self.CELLS - 1).astype(int)

    def __call__(self, box):
        """Indices of the points that may lie in a box, or the slice of all."""
        if self.order is None or not np.isfinite(box).all():
            return slice(None)
        (ix0, ix1), (iy0, iy1) = self._cells(box)
        rows = np.arange(iy0, iy1 + 1) * self.CELLS
        first, last = self.starts[rows + ix0], self.starts[rows + ix1 + 1]
        if (last - first).sum() > self.many:
            return slice(None)
        return np.concatenate([self.order[a:b] for a, b in zip(first, last, strict=True)])
