"""Regions: DS9 and CIAO text, FITS region tables and objects of the package `regions`, as Shapes.

One parser of our own reads all files and finds their format by their content, because the package
`regions` (0.12) drops everything that it does not know: shapes in physical coordinates, all of
CIAO's text, pies, sectors and pandas, and the exclusion of a FITS row. A mask without those shapes
would be wrong in silence. Here a shape that cannot be read is an error, which names file, line and
text, and a shape that is left out on purpose is named in a warning.
"""

import io
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, Union

import numpy as np

from ...errors import InputError
from ...plane.frame import PhysicalFrame, SkyFrame
from ...plane.grid import PixelGrid
from ...plane.shapes import Shapes
from ..files import check_sums
from ._content import content_of, is_fits, text_of
from ._frames import Frames
from ._objects import shapes_of_objects
from ._tables import read_chips, read_table
from ._text import parse_regions
from .component_files import (
    REGION_SUFFIXES,
    component_region_text,
    names_region_file,
    write_component_regions,
)
from .components import component_regions

__all__ = [
    "REGION_SUFFIXES",
    "component_region_text",
    "component_regions",
    "names_region_file",
    "read_field_of_view",
    "read_region_text",
    "read_regions",
    "region_items",
    "region_name",
    "write_component_regions",
]


if TYPE_CHECKING:
    from regions import Region, Regions

Source: TypeAlias = Union[str, Path, "Region", "Regions"]


def read_regions(
    source: "Source | list[Source]",
    *,
    frame: SkyFrame,
    physical: PhysicalFrame | None = None,
    image_grid: PixelGrid | None = None,
) -> Shapes:
    r"""Read regions from a file, or from objects of the package `regions`.

    A file is DS9 text (coordinates of the sky, image or physical; physical where none is named),
    CIAO text, or a FITS table with SHAPE, X and Y; gzipped or not. A list adds each shape to those
    before it, and cuts excluded shapes out: in CIAO's text in order, in all others at the end. A
    list of nothing but exclusions cuts them out of the whole plane.

    Parameters
    ----------
    source : str, Path, regions.Region, regions.Regions, or a list of these
        Compounds by and, or and xor are allowed. Pixel regions count the pixels of `image_grid`
        from 0, which is the convention of `regions`. In a list, objects that follow one another
        are one list of regions, and its files are joined with them.
    frame : SkyFrame
        The plane in which the shapes are wanted.
    physical : PhysicalFrame, optional
        Physical pixels in that plane.
    image_grid : PixelGrid, optional
        The image whose pixels "image" coordinates count. DS9 counts them from (1, 1).

    Raises
    ------
    DataError
        If a file is not there, holds no shape, or holds one that cannot be read.
    InputError
        If `source` is of another type, or an object cannot be expressed as a shape.

    Warns
    -----
    DataWarning
        If shapes without area, background shapes or further tables of a file are left out.

    Examples
    --------
    >>> from regions import Regions
    >>> from gmmx.plane.frame import SkyFrame
    >>> circle = Regions.parse("icrs; circle(150, 20, 3\")", format="ds9")
    >>> shapes = read_regions(circle, frame=SkyFrame(150.0, 20.0))
    >>> shapes.contains([0.0, 2.9, 3.1], [0.0, 0.0, 0.0])
    array([ True,  True, False])
    """
    frames = Frames(frame, physical, image_grid)
    shapes = [
        _read_file(item, frames)
        if isinstance(item, (str, Path))
        else shapes_of_objects(item, frames, name=region_name(item))
        for item in region_items(source)
    ]
    return shapes[0] if len(shapes) == 1 else Shapes.union(shapes)


def read_region_text(
    text: str,
    *,
    frame: SkyFrame,
    physical: PhysicalFrame | None = None,
    image_grid: PixelGrid | None = None,
    name: str = "regions",
) -> Shapes:
    r"""Read regions from DS9 or CIAO text, as `read_regions` does from a file.

    Parameters
    ----------
    text : str
    frame, physical, image_grid
        As for `read_regions`.
    name : str
        Name of the text in errors and warnings.

    Examples
    --------
    >>> from gmmx.plane.frame import SkyFrame
    >>> read_region_text("icrs; circle(150, 20, 3\")", frame=SkyFrame(150.0, 20.0)).labels
    ('circle(150, 20, 3")',)
    """
    return parse_regions(text, Frames(frame, physical, image_grid), name=name)


def region_items(
    source: "Source | list[Source] | None", *, parameter: str = "regions"
) -> "tuple[str | Path | Regions, ...]":
    """Return the value of a parameter for regions as a tuple of items for `read_regions`.

    Parameters
    ----------
    source : None, str, Path, regions.Region, regions.Regions, or a sequence of these
    parameter : str
        Name of the parameter in errors.

    Returns
    -------
    tuple of str, Path or regions.Regions
        Paths as they are. Objects that follow one another are one `regions.Regions`, because one
        may exclude part of another.

    Raises
    ------
    InputError
        If something else was given.

    Examples
    --------
    >>> region_items("mask.reg"), region_items(None)
    (('mask.reg',), ())
    """
    if source is None:
        return ()
    if isinstance(source, (str, Path)):
        return (source,)
    if isinstance(source, (list, tuple)) and all(isinstance(one, (str, Path)) for one in source):
        # Importing regions takes 0.1 s, and files do not need it.
        return tuple(source)
    from regions import Region, Regions

    if isinstance(source, Region):
        return (Regions([source]),)
    if isinstance(source, Regions):
        return (source,)
    if not isinstance(source, (list, tuple)):
        raise InputError(
            f"`{parameter}` takes paths and objects of the package regions, "
            f"got a {type(source).__name__}"
        )
    items: list = []
    for one in source:
        (item,) = region_items(one, parameter=parameter) or (None,)
        if isinstance(one, Region) and items and isinstance(items[-1], Regions):
            items[-1] = Regions([*items[-1], one])
        elif item is not None:
            items.append(item)
    return tuple(items)


def region_name(item: "str | Path | Regions") -> str:
    """Return the name of an item of `region_items` in messages and records."""
    if isinstance(item, (str, Path)):
        return str(item)
    return type(item[0]).__name__ if len(item) == 1 else f"list of {len(item)} regions"


def read_field_of_view(
    path: "str | Path | Regions", *, frame: SkyFrame, physical: PhysicalFrame | None = None
) -> list[tuple[int, np.ndarray]] | None:
    """Read the outlines of the chips from a field-of-view file, as CIAO's skyfov writes it.

    Such a file is a FITS region table whose rows are polygons with a CCD_ID.

    Parameters
    ----------
    path : str, Path or regions.Regions
    frame : SkyFrame
    physical : PhysicalFrame, optional

    Returns
    -------
    list of (int, (n, 2) array), or None
        Chip, and its corners in order [arcsec]; None for regions of another kind.
    """
    if not isinstance(path, (str, Path)):
        return None
    content = content_of(path)
    if not is_fits(content):
        return None
    return read_chips(path, io.BytesIO(content), Frames(frame, physical))


def _read_file(path, frames):
    """Return the Shapes of a region file."""
    content = content_of(path)
    if is_fits(content):
        check_sums(path)
        return read_table(path, io.BytesIO(content), frames)
    return parse_regions(text_of(content), frames, name=str(path))
