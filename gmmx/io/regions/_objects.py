"""Objects of the package `regions` (https://astropy-regions.readthedocs.io) as Shapes.

The package is not imported here: objects are known by the names of their classes.
"""

import operator
from itertools import product

import numpy as np

from ...errors import InputError
from ...plane.shapes import Field, Term
from ._frames import RegionProblem
from ._lists import Entry, shapes_in_order, warn_of_no_area
from ._shapes import AREALESS, build

# Names of the package's classes, without PixelRegion or SkyRegion, and of the shapes they make.
_KINDS = {
    "Circle": "circle",
    "Ellipse": "ellipse",
    "Rectangle": "box",
    "Polygon": "polygon",
    "CircleAnnulus": "annulus",
    "EllipseAnnulus": "elliptannulus",
    "RectangleAnnulus": "box",
    "Point": "point",
    "Text": "text",
    "Line": "line",
}
_OPERATORS = {
    operator.and_: "and",
    np.logical_and: "and",
    np.bitwise_and: "and",
    operator.or_: "or",
    np.logical_or: "or",
    np.bitwise_or: "or",
    operator.xor: "xor",
    np.logical_xor: "xor",
    np.bitwise_xor: "xor",
}
# A compound is expanded into a list of intersections. This many take about a second to apply.
MAX_TERMS = 1000


def shapes_of_objects(regions, frames, *, name):
    """Return the Shapes of objects of the package `regions`.

    Parameters
    ----------
    regions : sequence of regions.Region
    frames : Frames
        Pixel regions count the pixels of its `image_grid`, from 0.
    name : str
        Name of the list in errors and warnings.

    Raises
    ------
    InputError
        If there is none that covers an area, or one that cannot be expressed.

    Warns
    -----
    DataWarning
        If some cover no area, or are tagged as background beside source regions.
    """
    entries, left_out = [], []
    for number, region in enumerate(regions, 1):
        label = _label(region)
        try:
            terms = _terms(region, frames, label)
        except RegionProblem as problem:
            place = label if len(regions) == 1 else f"{name}, region {number}: {label}"
            raise InputError(f"{place}: {problem}") from None
        if not terms:
            left_out.append(f"region {number}: {label}")
        background = region.meta.get("source", 1) in (0, False, "0") or bool(
            region.meta.get("background", False)
        )
        entries += [Entry(term, background) for term in terms]
    warn_of_no_area(name, left_out, "region")
    if not entries:
        raise InputError(f"{name}: no region in it that covers an area: give circles or polygons")
    return shapes_in_order(entries, exclusions_last=True, name=name)


def _terms(region, frames, label):
    """Return the terms of one region: several for a compound, none for a region of no area."""
    excluded = _is_excluded(region)
    if not _is_compound(region):
        shape = _shape(region, frames)
        return [] if shape is None else [Term(((shape, False),), excluded, label)]
    if _inherits_meta(region):
        excluded = False
    shape_of = _remembered(lambda part: _shape(part, frames))
    return [Term(parts, excluded, label) for parts in _alternatives(region, shape_of, False)]


def _remembered(shape_of):
    """Return a function that makes the shape of each region once.

    An expanded compound names its parts many times, and a shape takes some milliseconds.
    """
    found = {}

    def once(region):
        if id(region) not in found:
            found[id(region)] = shape_of(region)
        return found[id(region)]

    return once


def _alternatives(region, shape_of, negated):
    """Return a region as a union of intersections (its disjunctive normal form).

    Parameters
    ----------
    region : regions.Region
    shape_of : callable
        The shape of a region that is no compound.
    negated : bool
        Expand the complement of the region.

    Returns
    -------
    list of tuple of (shape, bool)
        Each tuple is an intersection of shapes, some of them negated.
    """
    if not _is_compound(region):
        shape = shape_of(region)
        negated = negated != _is_excluded(region)
        if shape is None:
            return [((Field(), False),)] if negated else []
        return [((shape, negated),)]
    kind = _OPERATORS.get(region.operator)
    if kind is None:
        raise RegionProblem(
            "its operator cannot be expressed: combine regions with operator.and_, or_ or xor"
        )

    def one(negate):
        return _alternatives(region.region1, shape_of, negate)

    def two(negate):
        return _alternatives(region.region2, shape_of, negate)

    if kind == "xor":
        found = _both(one(False), two(not negated)) + _both(one(True), two(negated))
    elif (kind == "and") != negated:
        found = _both(one(negated), two(negated))
    else:
        found = one(negated) + two(negated)
    if len(found) > MAX_TERMS:
        raise RegionProblem(
            f"the compound needs more than {MAX_TERMS} intersections: give it as a list of regions"
        )
    return found


def _both(some, others):
    """Return the intersection of two unions of intersections."""
    return [one + other for one, other in product(some, others)]


def _shape(region, frames):
    """Return the shape of a region that is no compound; None where it has no area."""
    kind = kind_of(region)
    return None if kind in AREALESS else build(kind, _Values(region, frames))


def kind_of(region):
    """Return the name of the shape of a region.

    Raises
    ------
    RegionProblem
        If there is no such shape.
    """
    for ancestor in type(region).__mro__:
        stem = ancestor.__name__.removesuffix("PixelRegion").removesuffix("SkyRegion")
        if stem in _KINDS and stem != ancestor.__name__:
            return _KINDS[stem]
    raise RegionProblem(
        f"a {type(region).__name__} cannot be expressed: give circles, ellipses, rectangles, "
        "polygons, annuli, or compounds of these"
    )


def _is_compound(region):
    return type(region).__name__ in ("CompoundSkyRegion", "CompoundPixelRegion")


def _is_excluded(region):
    """Tell whether a region is marked as excluded, as `regions` marks `-circle(...)` of a file."""
    return region.meta.get("include", True) in (0, False, "0", "-")


def _inherits_meta(compound):
    """Tell whether a compound has the metadata of its first region, as it has by default."""
    return compound.meta == compound.region1.meta


def _label(region):
    """Return the text by which messages name a region."""
    named = region.meta.get("text") or region.meta.get("label")
    return type(region).__name__ + (f" {named!r}" if named else "")


class _Values:
    """The numbers of one region, given out as a shape asks for them."""

    def __init__(self, region, frames):
        self.region, self.frames = region, frames
        self.in_pixels = type(region).__name__.endswith("PixelRegion")
        if self.in_pixels and frames.image_grid is None:
            raise RegionProblem(
                "counts pixels, but there is no image whose pixels it counts: give an exposure "
                "map, or a region on the sky (region.to_sky)"
            )

    def place(self):
        """Return the centre as a Place."""
        centre = self.region.center
        self.here = (
            self.frames.place("image", centre.x + 1, centre.y + 1)
            if self.in_pixels
            else self.frames.place_of(centre)
        )
        return self.here

    def places(self):
        """Return the vertices as Places."""
        vertices = self.region.vertices
        if self.in_pixels:
            return [
                self.frames.place("image", x + 1, y + 1)
                for x, y in zip(vertices.x, vertices.y, strict=True)
            ]
        return [self.frames.place_of(vertex) for vertex in vertices]

    def lengths(self, _n=None):
        """Return the radii [arcsec]."""
        if hasattr(self.region, "radius"):
            return [self._arcsec(self.region.radius)]
        return [self._arcsec(self.region.inner_radius), self._arcsec(self.region.outer_radius)]

    def axes(self):
        """Return the pairs of axes [arcsec], and the angle [deg]."""
        # An ellipse has semi-axes here and full axes there; a box has full sides in both.
        part = 0.5 if "Ellipse" in type(self.region).__name__ else 1.0
        pairs = [
            (f"{prefix}width", f"{prefix}height")
            for prefix in ("", "inner_", "outer_")
            if hasattr(self.region, f"{prefix}width")
        ]
        axes = [
            tuple(part * self._arcsec(getattr(self.region, name)) for name in pair)
            for pair in pairs
        ]
        return axes, self.angle()

    def angle(self, _default=None):
        """Return the angle [deg]."""
        return float(self.region.angle.to_value("deg"))

    def end(self):
        """Take no notice: a region has the numbers of its shape and no others."""

    def _arcsec(self, length):
        if self.in_pixels:
            return float(length) * self.here.scale
        return float(length.to_value("arcsec"))
