"""The values of a row of a FITS region table: positions, radii and angles."""

import numpy as np

from ._frames import RegionProblem
from ._values import LARGEST


class Row:
    """The values of one row, given out as a shape asks for them.

    Vectors are as long as the longest shape of the table needs. Shapes with fewer values are padded
    with NaN or with values that mean nothing, so that values left over are not an error.
    """

    def __init__(self, values, frames, system, kind):
        for key, vector in values.items():
            if np.isinf(vector).any():
                raise RegionProblem(f"{key} is infinite")
        finite = {
            key: [float(v) for v in vector if np.isfinite(v)] for key, vector in values.items()
        }
        self.x, self.y = finite["X"], finite["Y"]
        self.radii, self.angles = finite.get("R", []), finite.get("ROTANG", [])
        self.lost_angle = "ROTANG" in finite and not self.angles
        self.frames, self.system, self.is_annular = frames, system, "annulus" in kind
        self.shown = [*self.x[:1], *self.y[:1], *self.radii, *self.angles[:1]]
        if len(self.x) != len(self.y) or not self.x:
            raise RegionProblem("X and Y are not pairs of numbers")
        largest = max(map(abs, (*self.x, *self.y, *self.radii, *self.angles)))
        if largest > LARGEST:
            raise RegionProblem(f"{largest:g} is too large")
        if min(self.radii, default=0) < 0:
            raise RegionProblem(f"{min(self.radii):g} is a negative length")

    def at(self, x, y):
        """Return the Place of a physical position."""
        return self.frames.place(self.system, x, y)

    def place(self):
        """Return the position of the row."""
        self.here = self.at(self.x[0], self.y[0])
        return self.here

    def places(self):
        """Return all positions of the row, without the zeros that fill it up."""
        corners = _without_padding(list(zip(self.x, self.y, strict=True)))
        return [self.at(x, y) for x, y in corners]

    def corners(self):
        """Return two opposite corners, the place midway, and that they are in pixels."""
        if len(self.x) < 2:
            raise RegionProblem("a rectangle needs two corners")
        (x0, x1), (y0, y1) = self.x[:2], self.y[:2]
        return (x0, y0), (x1, y1), self.at((x0 + x1) / 2, (y0 + y1) / 2), True

    def lengths(self, n=None):
        """Return the next n radii [arcsec], two by default."""
        n = 2 if n is None else n
        if len(self.radii) < n:
            raise RegionProblem(f"needs {n} radii, has {len(self.radii)}")
        taken, self.radii = self.radii[:n], self.radii[n:]
        return [radius * self.here.scale for radius in taken]

    def axes(self):
        """Return the pairs of axes [arcsec], and the angle [deg]."""
        lengths = self.lengths(4 if self.is_annular else 2)
        pairs = list(zip(lengths[::2], lengths[1::2], strict=True))
        if self.lost_angle and any(a != b for a, b in pairs):
            raise RegionProblem("ROTANG is not a number")
        return pairs, self.angle(0.0)

    def angle(self, default=None):
        """Return the next angle [deg], or `default` if none is left."""
        if not self.angles and default is not None:
            return default
        if not self.angles:
            raise RegionProblem("an angle is missing")
        return self.angles.pop(0)

    def count(self):
        """Refuse a shape that is divided into parts."""
        raise RegionProblem("a shape that FITS region tables do not have")

    def end(self):
        """Take no notice of values that are left over."""


def _without_padding(corners):
    """Return the corners of a polygon without those at (0, 0) that fill up its row.

    A single (0, 0) at the end is a corner of a polygon beside it, and padding where it is farther
    from the polygon than the polygon is wide.
    """
    kept = list(corners)
    while len(kept) > 3 and kept[-1] == (0.0, 0.0):
        kept.pop()
    if len(corners) - len(kept) > 1 or len(kept) == len(corners):
        return kept
    x, y = np.array(kept).T
    width = max(np.ptp(x), np.ptp(y))
    if kept[0] == (0.0, 0.0) or np.hypot(x, y).min() > width:
        return kept
    raise RegionProblem(
        "the last corner is (0, 0), which may be padding: pad with NaN, or repeat the first corner"
    )
