"""A term of a region list."""

from dataclasses import dataclass

import numpy as np

from .kinds import EVERYWHERE
from .polygon import Polygon


@dataclass(frozen=True, repr=False)
class Term:
    """One entry of a region list: an intersection of shapes, some of them negated.

    Parameters
    ----------
    parts : tuple of (Shape, bool)
        Shapes, and whether each is negated.
    exclude : bool
        Whether the term is cut out of the terms before it instead of being added.
    label : str
        The text from which the term was read.

    Examples
    --------
    >>> from gmmx.plane.shapes import circle
    >>> term = Term(((circle(0.0, 0.0, 2.0), False), (circle(0.0, 0.0, 1.0), True)), label="ring")
    >>> term
    Term('ring')
    >>> term.contains(np.array([0.5, 1.5, 2.5]), np.zeros(3))
    array([False,  True, False])
    """

    parts: tuple
    exclude: bool = False
    label: str = ""

    def __repr__(self):
        return f"Term({self.short_label!r}{', exclude=True' if self.exclude else ''})"

    @property
    def short_label(self) -> str:
        """The label, or a shorter text where the label is too long for a line."""
        if len(self.label) <= 60:
            return self.label or "without a name"
        if len(self.parts) == 1 and isinstance(self.parts[0][0], Polygon):
            return f"polygon of {len(self.parts[0][0].vertices)} vertices"
        return self.label[:57] + "..."

    def contains(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Tell which positions [arcsec] are in the term's area, whether it is excluded or not."""
        return np.logical_and.reduce(
            [shape.contains(x, y) != negated for shape, negated in self.parts]
        )

    def distance(self, x: np.ndarray, y: np.ndarray, lower_bound: bool) -> np.ndarray:
        """Return the distance to the term's edge [arcsec], negative outside.

        `lower_bound` is that of `Shape.distance`.
        """
        return np.minimum.reduce(
            [
                -shape.distance(x, y, lower_bound) if negated else shape.distance(x, y, lower_bound)
                for shape, negated in self.parts
            ]
        )

    def bounds(self) -> tuple[float, float, float, float]:
        """Return (x_min, x_max, y_min, y_max) [arcsec] that contain all of the term."""
        x0, x1, y0, y1 = np.array(
            [shape.bounds() for shape, negated in self.parts if not negated] or [EVERYWHERE]
        ).T
        return x0.max(), x1.min(), y0.max(), y1.min()
