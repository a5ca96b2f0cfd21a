"""Regions as geometry in the plane: shapes, and lists of them that are joined and cut.

A region list is read in order. Each of its terms is added to the area of the terms before it (OR)
or is cut out of that area (AND NOT). A list that starts with a cut starts from everywhere.

A shape answers two questions about a point: whether it is inside, exactly, and a lower bound of its
distance to the edge. The first selects photons. The second settles in one step whether a whole
block of cells is in or out, so that only cells on an edge cost time.
"""

from .cover import Shapes
from .kinds import Box, Ellipse, Field, Shape, circle
from .polygon import Polygon
from .sectors import Ring, Sector
from .term import Term

__all__ = [
    "Box",
    "Ellipse",
    "Field",
    "Polygon",
    "Ring",
    "Sector",
    "Shape",
    "Shapes",
    "Term",
    "circle",
]
