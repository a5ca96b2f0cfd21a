"""What regions become: plane shapes, and lists of them that are joined and cut as region files say.

A region file is a list of terms, read in order: each is added to what the terms before it cover (OR), or cut out of it (AND NOT); a list that starts with a
cut starts from everywhere. Every shape knows two things of a point: whether it is inside, exactly, and how far the edge is, at least. The first sorts photons;
the second decides with one look whether a whole cell is in or out, so that only cells on an edge cost anything.
"""

from .cover import Shapes
from .kinds import Box, Ellipse, Field, Polygon, Ring, Sector, Term, circle

__all__ = ["Box", "Ellipse", "Field", "Polygon", "Ring", "Sector", "Shapes", "Term", "circle"]
