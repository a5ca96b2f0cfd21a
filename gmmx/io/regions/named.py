"""Regions with names, as answers about regions need them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...plane.frame import PhysicalFrame, SkyFrame
from ...plane.shapes import Shapes
from . import read_regions, region_items, region_name

if TYPE_CHECKING:
    from . import Source


def named_regions(
    sources: "Source | Sequence[Source]",
    *,
    frame: SkyFrame,
    physical: PhysicalFrame | None = None,
    each: bool = False,
) -> list[tuple[str, Shapes]]:
    r"""Read regions, and name each after its file or its text.

    Parameters
    ----------
    sources : path, regions.Region, regions.Regions, or a sequence of these
        Each is one region, the union of its shapes.
    frame, physical
        As for `read_regions`.
    each : bool
        Whether every shape is a region of its own, less the shapes that its list excludes after it.

    Returns
    -------
    list of (str, Shapes)

    Examples
    --------
    >>> from regions import Regions
    >>> from gmmx.plane.frame import SkyFrame
    >>> two = Regions.parse("icrs; circle(150, 20, 3\"); circle(150, 20.01, 5\")", format="ds9")
    >>> named = named_regions(two, frame=SkyFrame(150, 20), each=True)
    >>> [round(shapes.area()) for _, shapes in named]
    [28, 79]
    """
    several = sources if isinstance(sources, (list, tuple)) else [sources]
    found: list[tuple[str, Shapes]] = []
    for source in several:
        (item,) = region_items(source, parameter="region")
        shapes = read_regions(item, frame=frame, physical=physical)
        found += _shape_by_shape(shapes) if each else [(region_name(item), shapes)]
    return found


def _shape_by_shape(shapes):
    """Each shape that is not excluded, without the excluded shapes that follow it in its list."""
    return [
        (term.short_label, Shapes(((term, *(o for o in group[i + 1 :] if o.exclude)),)))
        for group in shapes.groups
        for i, term in enumerate(group)
        if not term.exclude
    ]
