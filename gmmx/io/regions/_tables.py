"""FITS region tables: rows of SHAPE, X, Y, R, ROTANG and COMPONENT, in physical pixels.

X and Y are physical sky pixels. The keywords of the two columns name their tangent point, which is
often not that of the events. Radii of an ellipse are semi-axes, widths of a box are full. `!`
before a name excludes the shape. Rows of one component are intersected, and components are joined
(CXC FITS region convention).
"""

import io
import warnings
from dataclasses import dataclass, replace

import numpy as np
from astropy.io import fits

from ...errors import DataError, DataWarning
from ...plane.shapes import Polygon, Shapes, Term
from .._column_keys import column_keywords
from .._hdu import readable
from .._sky_columns import columns_of
from .._systems import system_of
from ..files import reading
from ._frames import UNNAMED, RegionProblem
from ._lists import warn_of_no_area
from ._rows import Row
from ._shapes import AREALESS, build, shape_name
from ._table_units import in_pixels


def read_table(path, stream, frames, *, assumed=None):
    """Return the Shapes of the first region table of a FITS file.

    Parameters
    ----------
    path : str or Path
        Name of the file in messages.
    stream : file object
        The FITS file.
    frames : Frames
    assumed : str, optional
        Coordinate system of X and Y, whatever their keywords say. UNNAMED stands for that of the
        keywords alone.

    Raises
    ------
    DataError
        If there is no such table, no row in it, or a row that cannot be read.

    Warns
    -----
    DataWarning
        If further region tables are left out, or rows that cover no area.
    """
    names, columns, header = _first_table(path, stream)
    if len(names) > 1:
        warnings.warn(
            f"{path}: the shapes are those of {names[0]}; {', '.join(names[1:])} left out",
            DataWarning,
            stacklevel=4,
        )
    index = {name: i for i, name in enumerate(columns, 1)}
    pairs = columns.get("POS")
    if pairs is not None and "X" not in columns and pairs.ndim > 1 and pairs.shape[-1] == 2:
        columns |= {"X": pairs[..., 0], "Y": pairs[..., 1]}
        index |= {"X": index["POS"], "Y": index["POS"]}
    if "X" not in columns or "Y" not in columns:
        raise DataError(
            f"{path}[{names[0]}]: no X and Y columns (found {', '.join(columns)}): "
            "give a table in physical pixels, or a DS9 file"
        )
    name = f"{path}[{names[0]}]"
    _check_columns(name, columns)
    system = assumed or "physical"
    if assumed in (None, UNNAMED):
        described = _table_frames(name, frames, header, index["X"], index["Y"])
        system = "physical" if described is not frames else system
        frames = described
    units = {key: str(header.get(f"TUNIT{number}", "")).strip() for key, number in index.items()}
    columns = in_pixels(name, columns, units, frames, system)
    return _from_rows(name, columns, frames, system)


def _first_table(path, stream):
    """Return the names of all region tables, and the columns and the header of the first."""
    with reading(path), fits.open(stream, memmap=False) as hdus:
        tables = [
            hdu
            for hdu in hdus[1:]
            if isinstance(hdu, fits.BinTableHDU)
            and "SHAPE" in [name.upper() for name in hdu.columns.names]
        ]
        if not tables:
            found = ", ".join(hdu.name or "unnamed" for hdu in hdus)
            raise DataError(
                f"{path}: no table with a SHAPE column (found {found}): is it a region file?"
            )
        names = [hdu.name or "unnamed" for hdu in tables]
        data = tables[0].data
        columns = {name.upper(): np.asarray(data[name]) for name in tables[0].columns.names}
        # Cards that FITS does not allow raise errors wherever they are looked at.
        return names, columns, readable(tables[0].header.tostring().encode("latin-1"))[0]


def _check_columns(name, columns):
    """Refuse columns whose values are not of the kind that they have to be."""
    for key in ("X", "Y", "R", "ROTANG"):
        if key in columns and columns[key].dtype.kind not in "iuf":
            raise DataError(f"{name}: column {key} does not hold numbers: is it a region table?")
    component = columns.get("COMPONENT", np.zeros(1, int))
    if component.ndim != 1 or component.dtype.kind not in "iu":
        raise DataError(f"{name}: column COMPONENT does not hold one whole number in each row")
    if columns["SHAPE"].dtype.kind not in "SU":
        raise DataError(f"{name}: column SHAPE does not hold texts")


def read_chips(path, stream, frames):
    """Return the outlines of the chips of a field-of-view table.

    Returns
    -------
    list of (int, (n, 2) array), or None
        Chip and corners [arcsec]; None where the first region table is no field of view.
    """
    # astropy closes the stream that it was given to open.
    with reading(path), fits.open(io.BytesIO(stream.getvalue()), memmap=False) as hdus:
        chips = next(
            (
                np.asarray(hdu.data["CCD_ID"])
                for hdu in hdus[1:2]
                if isinstance(hdu, fits.BinTableHDU) and _is_field_of_view(hdu)
            ),
            None,
        )
    if chips is None:
        return None
    terms = read_table(path, stream, frames).terms
    outlines = [
        term.parts[0][0]
        for term in terms
        if len(term.parts) == 1 and not term.exclude and isinstance(term.parts[0][0], Polygon)
    ]
    if not len(chips) == len(terms) == len(outlines):
        # A row that is a hole, or that makes one shape with another, is more than an outline.
        return None
    corners = (np.array(outline.vertices) for outline in outlines)
    return list(zip(chips.tolist(), corners, strict=True))


def _is_field_of_view(hdu):
    names = {name.upper() for name in hdu.columns.names}
    return {"SHAPE", "CCD_ID"} <= names


def _table_frames(name, frames, header, ix, iy):
    """Return the frames with the physical pixels of a table.

    The keywords of columns number `ix` and `iy` describe them; without keywords, `frames` does.
    """
    if ix == iy:
        return frames
    header = header.copy()
    for number in (ix, iy):
        # CIAO names the axes of the sky XLON and XLAT in region tables.
        kind = str(header.get(f"TCTYP{number}", "")).upper()
        if kind.startswith(("XLON", "XLAT")):
            header[f"TCTYP{number}"] = kind.replace("XLON", "RA--").replace("XLAT", "DEC-")
    found = column_keywords(name, header, (ix, iy))
    if found is None:
        if any("-" in str(header.get(f"TCTYP{number}", "")) for number in (ix, iy)):
            raise DataError(
                f"{name}: the keywords of its columns X and Y are not complete: correct "
                f"TCTYP{ix}, TCRVL{ix}, TCRPX{ix}, TCDLT{ix} and those of {iy}"
            )
        return frames
    system = system_of(name, {**header, **found.system}, default=frames.frame.radesys)
    columns = columns_of(name, found, system)
    if columns.frame is None:
        raise DataError(
            f"{name}: its columns X and Y are in no tangent plane ({columns.wcs.axes}): "
            "save the regions in fk5"
        )
    sky, native = columns.frame, frames.frame
    same = sky.radesys == native.radesys and np.allclose(
        [sky.ra0, sky.dec0], [native.ra0, native.dec0], rtol=0, atol=1e-9
    )
    return replace(frames, physical=columns.physical, physical_sky=None if same else sky)


@dataclass(frozen=True)
class _RowShape:
    """The shape of a row, whether the row excludes it, and the label of the row."""

    shape: object
    excluded: bool
    label: str


def _from_rows(name, columns, frames, system):
    """Return the Shapes of the rows of a table."""
    components = columns.get("COMPONENT", np.arange(len(columns["SHAPE"])))
    groups, left_out = {}, []
    for row, component in enumerate(components):
        text = columns["SHAPE"][row]
        text = (text.decode("ascii", "replace") if isinstance(text, bytes) else str(text)).strip()
        label = f"row {row + 1}: {text}"
        try:
            found = _row_shape(text, label, columns, row, (frames, system))
        except RegionProblem as problem:
            raise DataError(f"{name}, {label}: {problem}") from None
        if found is None:
            left_out.append(label)
        else:
            groups.setdefault(int(component), []).append(found)
    warn_of_no_area(name, left_out, "row")
    if not groups:
        raise DataError(f"{name}: no shape in it" + (" that covers an area" if left_out else ""))
    return _joined(groups.values())


def _row_shape(text, label, columns, row, plane):
    """Return the shape of a row, or None for a row that covers no area."""
    kind = shape_name(text.lstrip("!+-"))
    if kind is None:
        raise RegionProblem("not a shape")
    keys = [key for key in ("X", "Y", "R", "ROTANG") if key in columns]
    values = {key: np.atleast_1d(columns[key][row]) for key in keys}
    numbers = Row(values, *plane, kind)
    shape = None if kind in AREALESS else build(kind, numbers)
    if shape is None:
        return None
    shown = ", ".join(f"{value:g}" for value in numbers.shown)
    return _RowShape(shape, text[:1] in "!-", f"{label}({shown})")


def _joined(components):
    """Join components, each of them an intersection of rows, with exclusions last."""
    added, cut = [], []
    for rows in components:
        label = "&".join(row.label for row in rows)
        included = tuple((row.shape, False) for row in rows if not row.excluded)
        if not included:
            cut += [Term(((row.shape, False),), True, label) for row in rows]
        elif len(components) == 1:
            # As cuts, the exclusions are compared with the points near them only.
            added.append(Term(included, False, label))
            cut += [Term(((row.shape, False),), True, row.label) for row in rows if row.excluded]
        else:
            parts = tuple((row.shape, row.excluded) for row in rows)
            added.append(Term(parts, False, label))
    return Shapes(((*added, *cut),))
