"""Cut photons and exposure by masks and regions, and record how much each of them takes."""

import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import DataError, DataWarning
from ..model.completeness import Completeness
from ..model.photons import CountsImage, EventList
from ..model.pointing import MaskRecord
from ..plane.resample import map_means
from ..plane.shapes import Shapes
from .outside import SeenField, likely_cause, n_outside

# Fraction of the photons that one shape of a mask takes from which a warning is due.
MASKED_BY_ONE_SHAPE = 0.05


@dataclass(frozen=True, eq=False)
class Cut:
    """Photons and exposure after the masks and regions.

    Attributes
    ----------
    recorded : EventList or CountsImage
        The photons that are left.
    completeness : Completeness
    shapes : Shapes or None
        Everything that was cut out; None if nothing was.
    records : tuple of MaskRecord
        Area and photons of each mask and region.
    """

    recorded: EventList | CountsImage
    completeness: Completeness
    shapes: Shapes | None
    records: tuple

    def __repr__(self):
        return f"Cut({self.recorded.n_photons:,} photons left by {len(self.records)} regions)"


def cut_regions(recorded, completeness, lists, open_fraction, *, warn=True):
    """Keep the photons and the exposure inside the regions and outside the masks.

    Parameters
    ----------
    recorded : EventList or CountsImage
    completeness : Completeness
    lists : RegionLists
    open_fraction : callable
        `open_fraction(shapes, grid)` is the fraction of each cell that shapes leave open:
        `Shapes.open_fraction` for single photons, `whole_pixels(image)` for a counts image.
    warn : bool
        Whether to warn of a shape of a mask that takes many of the photons in the regions.

    Returns
    -------
    Cut

    Raises
    ------
    DataError
        If no photon is left.
    """
    n_before, removed, left_open = recorded.n_photons, [], 1.0
    everything = [*(one for group in lists.regions for one in group), *lists.masks]
    opened = {one: open_fraction(one.shapes, completeness.grid) for one in everything}
    field = SeenField(completeness.grid, completeness.exposure > 0, recorded.frame)
    records = tuple(_record(one, recorded, field, opened[one]) for one in everything)
    for group in lists.regions:
        shapes, fraction = _union(group, opened, completeness.grid, open_fraction)
        inside = shapes.contains(recorded.photons.x, recorded.photons.y)
        recorded = recorded.select(inside, "region")
        left_open = left_open * (1 - fraction)
        removed.append(_complement(shapes))
        _check_left(recorded, group, f"none of {n_before:.0f} photons lies in the region", field)
    if lists.masks:
        if warn:
            _warn_of_large_shapes(recorded, lists.masks)
        shapes, fraction = _union(lists.masks, opened, completeness.grid, open_fraction)
        inside = shapes.contains(recorded.photons.x, recorded.photons.y)
        recorded = recorded.select(~inside, "mask")
        left_open = left_open * fraction
        removed = [*(one.shapes for one in lists.masks), *removed]
        _check_left(recorded, lists.masks, f"every one of {n_before:.0f} photons is masked", field)
    if removed:
        completeness = completeness.masked(left_open)
    return Cut(recorded, completeness, Shapes.union(removed) if removed else None, records)


def whole_pixels(image):
    """Return the `open_fraction` of a counts image: its pixels are open or masked as a whole.

    A pixel is masked if its centre lies in the shapes, as its photons are. On the grid of the
    image the fraction is 0 or 1; off the image it is 1.

    Parameters
    ----------
    image : CountsImage
    """

    def open_fraction(shapes, grid):
        inside = shapes.contains(*image.pixels.centres()).astype(np.float64)
        return 1 - np.clip(map_means(inside, image.pixels, grid), 0, 1)

    return open_fraction


def _record(one, recorded, field, fraction):
    """Record the area and the photons that a mask or region covers."""
    photons = recorded.photons
    area = float((1 - fraction)[field.seen].sum() * field.grid.cell_area / 3600)
    in_terms = one.shapes.count_by_term(photons.x, photons.y, photons.weights)
    return MaskRecord(
        file=Path(one.name).name if Path(one.name).is_file() else one.name,
        kind=one.kind,
        n_shapes=one.shapes.n_shapes,
        area_arcmin2=area,
        n_photons=photons.count(one.shapes.contains(photons.x, photons.y)),
        by_shape=in_terms.tolist() if one.kind == "mask" else (),
        n_outside=n_outside(one.shapes, field, in_terms),
    )


def _union(lists, opened, grid, open_fraction):
    """Return the union of several lists and its open fraction.

    For shapes that overlap, that is not the product of the lists' fractions.
    """
    if len(lists) == 1:
        return lists[0].shapes, opened[lists[0]]
    shapes = Shapes.union([one.shapes for one in lists])
    return shapes, open_fraction(shapes, grid)


def _check_left(recorded, lists, problem, field):
    """Make sure that photons are left; else name the cause if a region lies outside the field."""
    if len(recorded) > 0:
        return
    names = ", ".join(one.name for one in lists)
    one, cause = lists[0], ""
    if one.kind == "region" and n_outside(one.shapes, field) == one.shapes.n_shapes:
        cause = f" ({likely_cause(one.shapes, field, one.file)})"
    raise DataError(f"{names}: {problem}{cause}: nothing is left to fit")


def _warn_of_large_shapes(recorded, masks):
    """Warn of each single shape of the masks that takes more than 5 % of the photons."""
    for one in masks:
        inside = recorded.photons.select(
            one.shapes.contains(recorded.photons.x, recorded.photons.y)
        )
        taken = one.shapes.count_by_term(inside.x, inside.y, inside.weights) / recorded.n_photons
        for number, (term, part) in enumerate(zip(one.shapes.terms, taken, strict=True), 1):
            if part > MASKED_BY_ONE_SHAPE and not term.exclude:
                cure = " If it is the region to keep, give it with `region`" if part > 0.5 else ""
                warnings.warn(
                    f"{one.name}: shape {number} ({term.short_label}) takes {100 * part:.1f} % of "
                    f"the photons: is it the source that is to be fitted?{cure}",
                    DataWarning,
                    stacklevel=4,
                )


def _complement(shapes):
    """Return shapes that cover the rest of the plane.

    A list of terms cannot express it if more than one group has holes; then nothing is covered.
    """
    # A group that only adds may follow another one. In the complement every addition becomes an
    # exclusion and every exclusion an addition.
    groups = sorted(shapes.groups, key=lambda group: not any(term.exclude for term in group))
    if any(term.exclude for group in groups[1:] for term in group):
        return Shapes()
    return Shapes(
        (tuple(replace(term, exclude=not term.exclude) for group in groups for term in group),)
    )
