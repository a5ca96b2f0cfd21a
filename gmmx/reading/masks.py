"""Regions and masks at work: which photons and which part of the field a pointing keeps, and a record of what each file took."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import DataError, DataWarning
from ..io.regions import read_field_of_view, read_regions
from ..model.photons import CountsImage
from ..plane.shapes import Shapes
from .counts_image import image_open_share
from .selection import select_shapes

# Share of the photons that one shape of a mask takes from which a warning is due.
MASKED_BY_ONE_SHAPE = 0.05


def paths_of(paths):
    """The paths of an option that takes one or several."""
    return (paths,) if isinstance(paths, (str, Path)) else tuple(paths or ())


def apply_shapes(listed, completeness, map_grid, mask, region, filters=()):
    """Photons and completeness inside the regions and outside the masks, what was cut out, and a record of each file for people.

    The files of one option add up; a filter of the events' name is a further condition.

    Parameters
    ----------
    listed : EventList or CountsImage
    completeness : Completeness
    map_grid : PixelGrid or None
        The image whose pixels "image" coordinates count.
    mask, region : path or sequence of paths
    filters : sequence of SkyFilter
        Of the events' name.

    Returns
    -------
    listed : EventList or CountsImage
    completeness : Completeness
    cut : Shapes or None
    records : list of dict

    Raises
    ------
    DataError
        When no photon is left.
    """
    n_before, records, shares = listed.n_photons, [], {}
    read = {"frame": listed.frame, "physical": listed.physical}
    masks = [(path, read_regions(path, **read, image_grid=map_grid)) for path in paths_of(mask)]
    # Such a list says what to cut out by cutting it out; taken at its word it would mask all the rest.
    masks = [
        (path, covered.holes() if _is_field_with_holes(path, covered, listed) else covered)
        for path, covered in masks
    ]
    masks += [(one.path or one.text, one.read(**read)) for one in filters if one.exclude]
    kept = [[(path, read_regions(path, **read, image_grid=map_grid)) for path in paths_of(region)]]
    kept = [some for some in kept if some] + [
        [(one.path or one.text, one.read(**read))] for one in filters if not one.exclude
    ]
    for kind, path, covered in [("region", *pair) for some in kept for pair in some] + [
        ("mask", *pair) for pair in masks
    ]:
        shares[id(covered)] = _open_share(covered, listed, completeness.grid)
        area = float(
            (1 - shares[id(covered)])[completeness.exposure > 0].sum()
            * completeness.grid.cell_area
            / 3600
        )
        photons = listed.photons.count(covered.contains(listed.photons.x, listed.photons.y))
        records.append(
            {
                "file": _shown(path),
                "kind": kind,
                "shapes": covered.n_shapes,
                "area_arcmin2": area,
                "photons": photons,
            }
        )
        if kind == "mask":
            records[-1]["by_shape"] = covered.count_by_term(
                listed.photons.x, listed.photons.y, listed.photons.weights
            ).tolist()

    def joined(some):
        """The union of several files' shapes and its open share, which for overlapping shapes is not the product of theirs."""
        union = Shapes.union([covered for _, covered in some])
        return union, shares[id(some[0][1])] if len(some) == 1 else _open_share(
            union, listed, completeness.grid
        )

    everything = []
    for some in kept:
        union, share = joined(some)
        listed = select_shapes(listed, union, keep=True)
        completeness = completeness.masked(1 - share)
        everything.append(_complement(union))
        if len(listed) == 0:
            raise DataError(
                f"{', '.join(str(path) for path, _ in some)}: none of {n_before:.0f} photons lies in the region: nothing is left to fit"
            )
    if masks:
        _warn_of_greedy_shapes(listed, masks)
        union, share = joined(masks)
        listed = select_shapes(listed, union, keep=False)
        completeness = completeness.masked(share)
        everything = [*(covered for _, covered in masks), *everything]
        if len(listed) == 0:
            raise DataError(
                f"{', '.join(str(path) for path, _ in masks)}: every one of {n_before:.0f} photons is masked: nothing is left to fit"
            )
    return listed, completeness, Shapes.union(everything) if everything else None, records


def chip_outlines(region, listed, chips):
    """The outlines of the chosen chips that the regions tell, where one is a field-of-view file; else none."""
    for path in paths_of(region):
        found = read_field_of_view(path, frame=listed.frame, physical=listed.physical)
        outlines = [outline for chip, outline in found or () if chips is None or chip in chips]
        if found and not outlines:
            have = ",".join(str(chip) for chip, _ in found)
            raise DataError(
                f"{path}: a field of view without CCD {','.join(map(str, chips))} (it has {have}): give the one of these events, or choose with --ccd"
            )
        if outlines:
            return outlines
    return ()


def _shown(path):
    """A region file's name without its folder; the shapes of a filter as they are."""
    return Path(path).name if Path(path).is_file() else str(path)


def _open_share(covered, listed, grid):
    """Share of each cell that shapes leave open: of its area for single photons, of the image's whole pixels for those counted in pixels."""
    return (
        image_open_share(covered, listed.pixels, grid)
        if isinstance(listed, CountsImage)
        else covered.open_fraction(grid)
    )


def _is_field_with_holes(path, covered, listed):
    """Whether a list of shapes is nothing but holes: in everything, or in a first shape that holds every photon, as CIAO writes `rectangle` and `-ellipse`."""
    if covered.only_excludes:
        return True
    if not covered.groups or any(
        len(g) < 2 or not all(t.exclude for t in g[1:]) for g in covered.groups
    ):
        return False
    if not all(
        g[0].exclude or np.all(g[0].contains(listed.photons.x, listed.photons.y))
        for g in covered.groups
    ):
        return False
    message = f"{path}: its first shape holds every photon, the others are cut out of it: as a mask it excludes what is cut out (with --region it keeps the rest)"
    warnings.warn(message, DataWarning, stacklevel=4)
    return True


def _warn_of_greedy_shapes(listed, masks):
    """Name each shape of the masks, pairs of (path, Shapes), that alone takes more than 5 % of the photons."""
    for path, covered in masks:
        inside = listed.photons.select(covered.contains(listed.photons.x, listed.photons.y))
        shares = covered.count_by_term(inside.x, inside.y, inside.weights) / listed.n_photons
        for number, (term, taken) in enumerate(zip(covered.terms, shares, strict=True), 1):
            if taken > MASKED_BY_ONE_SHAPE and not term.exclude:
                name = f"{path}: shape {number} ({term.short_label})"
                warnings.warn(
                    f"{name} takes {100 * taken:.1f} % of the photons: is it the source that is to be fitted?",
                    DataWarning,
                    stacklevel=4,
                )


def _complement(shapes):
    """What lists of shapes leave uncovered; nothing where more than one of them has holes, which no list of terms can say."""
    # A list that only adds may as well go on where another ends; then every addition is a cut, and every cut an addition.
    groups = sorted(shapes.groups, key=lambda group: not any(term.exclude for term in group))
    if any(term.exclude for group in groups[1:] for term in group):
        return Shapes()
    return Shapes(
        (tuple(replace(term, exclude=not term.exclude) for group in groups for term in group),)
    )
