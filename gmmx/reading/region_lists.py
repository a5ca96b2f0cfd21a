"""Read the masks and regions of an observation."""

import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import DataWarning
from ..io.regions import read_regions, region_items, region_name
from ..io.regions.elsewhere import RegionFile
from ..plane.shapes import Shapes


@dataclass(frozen=True, eq=False)
class RegionList:
    """The shapes of one mask or region.

    Attributes
    ----------
    name : str
        Path of the file, text of the filter, or kind of the object.
    kind : {"mask", "region"}
        Whether the photons inside are left out, or are the only ones that are kept.
    shapes : Shapes
    file : RegionFile or None
        None where the regions are objects.
    """

    name: str
    kind: str
    shapes: Shapes
    file: RegionFile | None = None

    def __repr__(self):
        return f"RegionList({self.kind} {self.name}: {self.shapes.n_shapes} shapes)"


@dataclass(frozen=True, eq=False)
class RegionLists:
    """All masks and regions of one observation.

    Attributes
    ----------
    masks : tuple of RegionList
        A photon in any of them is left out.
    regions : tuple of tuple of RegionList
        A photon is kept if each of these groups has a list that holds it.
    """

    masks: tuple = ()
    regions: tuple = ()


def read_region_lists(recorded, pixels, options, filters=()):
    """Read the masks and regions of an observation.

    Parameters
    ----------
    recorded : EventList or CountsImage
    pixels : PixelGrid or None
        The image whose pixels "image" coordinates count.
    options : ReadOptions
        `mask` and `region` are read. The files of one option add up.
    filters : sequence of SkyFilter
        Filters by shapes behind the name of the photons' file. Each is a further condition.

    Returns
    -------
    RegionLists
    """
    masks = _lists("mask", options.mask, recorded, pixels)
    masks = [replace(one, shapes=_as_mask(one, recorded)) for one in masks]
    regions = [_lists("region", options.region, recorded, pixels)]
    for one in filters:
        shapes = one.read(frame=recorded.frame, physical=recorded.physical)
        name = one.path or one.text
        if one.exclude:
            masks.append(RegionList(name, "mask", shapes))
        else:
            regions.append([RegionList(name, "region", shapes)])
    return RegionLists(tuple(masks), tuple(tuple(group) for group in regions if group))


def source_free_lists(lists, recorded, pixels, options):
    """Return the masks of an observation with its source-free regions instead of its regions.

    Parameters
    ----------
    lists : RegionLists
        As `read_region_lists` returns them.
    recorded, pixels, options
        As for `read_region_lists`; `background_region` is read.
    """
    regions = _lists("region", options.background_region, recorded, pixels)
    return RegionLists(lists.masks, (tuple(regions),))


def region_files(options, filters=()):
    """Return role and path of each region file that an observation reads, in order."""
    given = (
        ("mask", options.mask),
        ("region", options.region),
        ("background region", options.background_region),
    )
    files = [
        (role, item)
        for role, items in given
        for item in region_items(items)
        if isinstance(item, (str, Path))
    ]
    return files + [("mask" if one.exclude else "region", one.path) for one in filters if one.path]


def _lists(kind, regions, recorded, pixels):
    """Read the regions of one option, a list for each file or object."""
    plane = {"frame": recorded.frame, "physical": recorded.physical, "image_grid": pixels}
    return [
        RegionList(
            region_name(item),
            kind,
            read_regions(item, **plane),
            RegionFile(item, **plane) if isinstance(item, (str, Path)) else None,
        )
        for item in region_items(regions)
    ]


def _as_mask(one, recorded):
    """Return the shapes of a mask; of a list that consists of holes, these are the holes.

    CIAO writes masks as holes in everything, or as holes in a first shape that holds every
    photon, such as `rectangle` and `-ellipse`. Read literally, such a list masks everything else.
    """
    shapes, photons = one.shapes, recorded.photons
    if shapes.only_excludes:
        return shapes.holes()
    first_then_holes = all(
        len(group) > 1 and all(term.exclude for term in group[1:]) for group in shapes.groups
    )
    if not (shapes.groups and first_then_holes):
        return shapes
    if not all(
        group[0].exclude or np.all(group[0].contains(photons.x, photons.y))
        for group in shapes.groups
    ):
        return shapes
    warnings.warn(
        f"{one.name}: its first shape holds every photon, and the others are excluded from it: as "
        "a mask it leaves out the photons in the excluded shapes (as `region` it keeps the rest)",
        DataWarning,
        stacklevel=4,
    )
    return shapes.holes()
