"""Region files that do not touch the field: which of their shapes, and the likely cause."""

import warnings
from dataclasses import dataclass
from itertools import product
from os import PathLike

import numpy as np

from .._words import counted
from ..errors import DataError, DataWarning
from ..io.regions import read_regions, region_items, region_name
from ..io.regions.elsewhere import RegionFile
from ..plane.frame import SkyFrame
from ..plane.grid import PixelGrid

# Cells up to which one shape is compared with the cells near it instead of its box.
_MOST_CELLS = 250_000
# Cells of the field that are enough to find the shape that is nearest to it.
_SOME_CELLS = 4000


@dataclass(frozen=True, eq=False)
class SeenField:
    """The part of a grid where the exposure is above zero; masks do not matter.

    Attributes
    ----------
    grid : PixelGrid
    seen : (ny, nx) array of bool
    frame : SkyFrame
    """

    grid: PixelGrid
    seen: np.ndarray
    frame: SkyFrame

    def __repr__(self):
        return f"SeenField({self.seen.sum() * self.grid.cell_area / 3600:.4g} arcmin^2)"

    def touched_by(self, terms, n_photons=None):
        """Tell which terms of a region list touch the field.

        Parameters
        ----------
        terms : sequence of Term
        n_photons : (T,) array, optional
            Photons in each term, which settle most cases at once.

        Returns
        -------
        (T,) array of bool
        """
        low, high = self._cells(np.array([term.bounds() for term in terms]).reshape(-1, 4))
        sums = np.zeros(np.add(self.seen.shape, 1), int)
        sums[1:, 1:] = self.seen.cumsum(0).cumsum(1)
        (x0, y0), (x1, y1) = low, high + 1
        touched = (sums[y1, x1] - sums[y0, x1] - sums[y1, x0] + sums[y0, x0]) > 0
        touched &= (x1 > x0) & (y1 > y0)
        certain = np.zeros(len(terms), bool) if n_photons is None else np.asarray(n_photons) > 0
        n_cells = (x1 - x0) * (y1 - y0)
        for i in np.flatnonzero(touched & ~certain & (n_cells <= _MOST_CELLS)):
            iy, ix = np.nonzero(self.seen[y0[i] : y1[i], x0[i] : x1[i]])
            x, y = self.grid.to_plane(ix + x0[i], iy + y0[i])
            # The distance from the centre of a cell to its corner.
            reach = np.hypot(*self.grid.matrix.sum(axis=1)) / 2
            touched[i] = np.any(terms[i].distance(x, y, False) >= -reach)
        return touched | certain

    def _cells(self, boxes):
        """Return the first and the last cell, each (2, T), of boxes (T, 4) [arcsec]."""
        boxes = np.clip(np.nan_to_num(boxes, posinf=1e9, neginf=-1e9), -1e9, 1e9)
        corners = np.array(
            [self.grid.to_pixels(boxes[:, i], boxes[:, j]) for i, j in product((0, 1), (2, 3))]
        )
        ny, nx = self.seen.shape
        most = np.array([[nx], [ny]])
        low = np.floor(corners.min(axis=0) + 0.5).astype(int)
        high = np.floor(corners.max(axis=0) + 0.5).astype(int)
        return np.clip(low, 0, most), np.clip(high, -1, most - 1)

    def distance_to(self, terms):
        """Return the angle on the sky from the field to the nearest of several terms [arcsec]."""
        boxes = np.array([term.bounds() for term in terms]).reshape(-1, 4)
        iy, ix = np.nonzero(self.seen)
        some = slice(None, None, max(1, len(ix) // _SOME_CELLS))
        x, y = self.grid.to_plane(ix[some], iy[some])
        best = np.inf, 0.0, 0.0, 0.0, 0.0
        for x0, x1, y0, y1 in boxes:
            near_x, near_y = np.clip(x, x0, x1), np.clip(y, y0, y1)
            squares = (near_x - x) ** 2 + (near_y - y) ** 2
            i = int(np.argmin(squares))
            best = min(best, (squares[i], x[i], y[i], near_x[i], near_y[i]))
        return _separation(self.frame, *best[1:])


def seen_field(observation):
    """Return the field of an observation, or None where it has no edge."""
    completeness = observation.completeness
    if completeness is None or observation.frame is None:
        return None
    return SeenField(completeness.grid, completeness.exposure > 0, observation.frame)


def n_outside(shapes, field, n_photons=None):
    """Return how many shapes of a list do not touch a field.

    Parameters
    ----------
    shapes : Shapes
    field : SeenField
    n_photons : (T,) array, optional
        As for `SeenField.touched_by`.

    Returns
    -------
    int
        The number of all shapes if those that count touch nothing: the included ones, or in a
        list of exclusions the excluded ones.
    """
    terms = shapes.terms
    if not terms:
        return 0
    touched = field.touched_by(terms, n_photons)
    if not np.any(touched & _counts(shapes)):
        return shapes.n_shapes
    return sum(len(term.parts) for term, here in zip(terms, touched, strict=True) if not here)


def _counts(shapes):
    included = np.array([not term.exclude for term in shapes.terms])
    return included if included.any() and not shapes.only_excludes else ~included


def likely_cause(shapes, field, file=None):
    """Return why shapes may lie outside a field, and what to do about it.

    Parameters
    ----------
    shapes : Shapes
    field : SeenField
    file : RegionFile, optional
        The file that they are from; None for objects and filters.

    Returns
    -------
    str
    """
    best, system, n_tried = 0, "", 0
    for name, other in () if file is None else file.in_other_systems():
        n_inside = int(np.sum(field.touched_by(other.terms) & _counts(other)))
        if n_inside > best:
            best, system, n_tried = n_inside, name, len(other.terms)
    if best > 0:
        inside = "some of them" if best < n_tried else "it" if n_tried == 1 else "they"
        return f"{inside} would lie in the field if the coordinates were {system}"
    terms = [term for term, used in zip(shapes.terms, _counts(shapes), strict=True) if used]
    return (
        f"the nearest shape is {_angle(field.distance_to(terms))} away: is it the region file of "
        "another observation?"
    )


def check_regions(observations, options, filters):
    """Make sure that each mask and region touches the field of an observation that it is for.

    Parameters
    ----------
    observations : sequence of Observation
        Each in its own plane.
    options : sequence of ReadOptions
        Those of each observation.
    filters : sequence of sequence of SkyFilter
        The filters by shapes behind the name of each file of photons.

    Raises
    ------
    DataError
        If a region file touches no field, and does not name the system of its coordinates.

    Warns
    -----
    DataWarning
        If a region file that names its system touches no field.
    """
    untouched: dict = {}
    for one, own, shapes in zip(observations, options, filters, strict=True):
        for item, record in zip(_items(own, shapes), one.pointing.masks, strict=True):
            misses = 0 < record.n_shapes == record.n_outside
            untouched.setdefault((record.kind, _name(item)), []).append(
                (item, one) if misses else None
            )
    for (kind, name), found in untouched.items():
        # A mask of a mosaic that is given once need not touch each of its fields.
        if all(found):
            _tell(kind, name, *found[0])


def _items(options, filters):
    """Return the region files, objects and filters of an observation, as `cut_regions` does."""
    return [
        *region_items(options.region),
        *(one for one in filters if not one.exclude),
        *region_items(options.mask),
        *(one for one in filters if one.exclude),
    ]


def _name(item):
    return item.path or item.text if hasattr(item, "exclude") else region_name(item)


def _tell(kind, name, item, observation):
    """Warn of a region file that touches no field, or refuse it where its system is a guess."""
    field, plane = seen_field(observation), {"frame": observation.frame}
    plane |= {"physical": observation.physical, "image_grid": observation.completeness.grid}
    shapes, file = shapes_and_file(item, plane)
    text = f"{name}: {_none_of(shapes)}"
    cause = likely_cause(shapes, field, file)
    if file is not None and file.names_no_system:
        raise DataError(
            f"{text} as physical pixels, and the file names no coordinate system: {cause}: name "
            "the system in the file, such as fk5 on a line of its own",
            parameter=kind,
        )
    warnings.warn(f"{text}, so that this {kind} does nothing: {cause}", DataWarning, stacklevel=5)


def shapes_and_file(item, plane):
    """Return the shapes of a region file, object or filter, and its RegionFile where it is a file.

    Parameters
    ----------
    item : str, Path, regions.Regions or SkyFilter
    plane : dict
        Keyword arguments of `read_regions`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if hasattr(item, "exclude"):
            shapes = item.read(frame=plane["frame"], physical=plane["physical"])
            item = item.path
        else:
            shapes = read_regions(item, **plane)
    file = RegionFile(item, **plane) if isinstance(item, (str, PathLike)) else None
    return shapes, file


def _none_of(shapes):
    if shapes.n_shapes == 1:
        return "its shape does not touch the field"
    return f"none of its {counted(shapes.n_shapes, 'shape')} touches the field"


def _separation(frame, x0, y0, x1, y1):
    """Return the angle between two positions of a plane [arcsec]."""
    (ra0, ra1), (dec0, dec1) = np.radians(frame.to_sky(np.array([x0, x1]), np.array([y0, y1])))
    half = np.hypot(
        np.sin((dec1 - dec0) / 2), np.sqrt(np.cos(dec0) * np.cos(dec1)) * np.sin((ra1 - ra0) / 2)
    )
    return float(np.degrees(2 * np.arcsin(np.minimum(half, 1))) * 3600)


def _angle(arcsec):
    """Return an angle as text."""
    if arcsec < 120:
        return f"{arcsec:.3g} arcsec"
    return f"{arcsec / 60:.3g} arcmin" if arcsec < 7200 else f"{arcsec / 3600:.3g} deg"
