"""FITS region tables: rows of SHAPE, X, Y, R, ROTANG and COMPONENT, in physical pixels.

X and Y are physical sky pixels, often of another tangent point than the events', told by the keywords of the two columns; radii are semi-axes, widths of a box
are full; `!` before a name excludes; rows of one component are ANDed, components are ORed (CXC FITS region convention).
"""

import io
import warnings
from dataclasses import replace

import numpy as np
from astropy.io import fits

from ...errors import DataError, DataWarning
from ...plane.frame import PhysicalFrame, SkyFrame
from ...plane.shapes import Polygon, Shapes, Term
from .._read import reading
from ._shapes import AREALESS, RegionProblem, build, shape_name


def read_table(path, stream, frames):
    """The shapes of a FITS file's first region table.

    Parameters
    ----------
    path : str or Path
        For messages.
    stream : file object
        The FITS file.
    frames : Frames

    Returns
    -------
    Shapes

    Raises
    ------
    DataError
        When there is no such table, no row in it, or a row that cannot be read.

    Warns
    -----
    DataWarning
        When there are further region tables, which are left out, and of rows that cover no area.
    """
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
        table = tables[0]
        columns = {name.upper(): np.asarray(table.data[name]) for name in table.columns.names}
        index = {name.upper(): i for i, name in enumerate(table.columns.names, 1)}
        header = table.header.copy()
    if len(tables) > 1:
        warnings.warn(
            f"{path}: the shapes are those of {names[0]}; {', '.join(names[1:])} left out",
            DataWarning,
            stacklevel=3,
        )
    if (
        "POS" in columns
        and "X" not in columns
        and columns["POS"].ndim > 1
        and columns["POS"].shape[-1] == 2
    ):
        columns |= {"X": columns["POS"][..., 0], "Y": columns["POS"][..., 1]}
        index |= {"X": index["POS"], "Y": index["POS"]}
    if "X" not in columns or "Y" not in columns:
        raise DataError(
            f"{path}[{names[0]}]: no X and Y columns (found {', '.join(columns)}): give a table in physical pixels, or a DS9 file"
        )
    frames = _table_frames(frames, header, index["X"], index["Y"])
    return _from_rows(f"{path}[{names[0]}]", columns, frames)


def read_chips(path, stream, frames):
    """The outlines of a field-of-view table, [(chip, corners (n, 2) [arcsec])]; None where the first region table is not one."""
    # astropy closes what it was given to open.
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
    # A row that is a hole, or that makes one shape with another, is more than an outline.
    return (
        list(zip(chips.tolist(), (np.array(o.vertices) for o in outlines), strict=True))
        if len(chips) == len(terms) == len(outlines)
        else None
    )


def _is_field_of_view(hdu):
    names = {name.upper() for name in hdu.columns.names}
    return {"SHAPE", "CCD_ID"} <= names


def _table_frames(frames, header, ix, iy):
    """The frames with the physical pixels that the X and Y columns' own keywords describe, where they do."""
    keys = [[header.get(f"{key}{i}") for key in ("TCRVL", "TCRPX", "TCDLT")] for i in (ix, iy)]
    if not str(header.get(f"TCTYP{ix}", "")).upper().endswith("TAN") or any(
        value is None for axis in keys for value in axis
    ):
        return frames
    (ra0, x0, step_x), (dec0, y0, step_y) = keys
    if step_x * step_y == 0:
        return frames
    system = (
        str(header.get("RADESYS", header.get("RADECSYS", frames.frame.radesys))).strip().upper()
    )
    sky = SkyFrame(
        float(ra0),
        float(dec0),
        system if system in ("ICRS", "FK5", "FK4") else frames.frame.radesys,
    )
    physical = PhysicalFrame(
        x0=float(x0), y0=float(y0), step_x=-3600.0 * step_x, step_y=3600.0 * step_y
    )
    same = sky.radesys == frames.frame.radesys and np.allclose(
        [sky.ra0, sky.dec0], [frames.frame.ra0, frames.frame.dec0], rtol=0, atol=1e-9
    )
    return replace(frames, physical=physical, physical_sky=None if same else sky)


def _from_rows(name, columns, frames):
    components = columns.get("COMPONENT", np.arange(len(columns["SHAPE"])))
    groups, left_out = {}, []
    for row, (kind, component) in enumerate(zip(columns["SHAPE"], components, strict=True)):
        text = (kind.decode("ascii", "replace") if isinstance(kind, bytes) else str(kind)).strip()
        label = f"row {row + 1}: {text}"
        kind = shape_name(text.lstrip("!+-"))
        try:
            if kind is None:
                raise RegionProblem("not a shape")
            numbers = _Row(
                {
                    key: np.atleast_1d(columns[key][row])
                    for key in ("X", "Y", "R", "ROTANG")
                    if key in columns
                },
                frames,
                "annulus" in kind,
            )
            shape = None if kind in AREALESS else build(kind, numbers)
        except RegionProblem as problem:
            raise DataError(f"{name}, {label}: {problem}") from None
        if shape is None:
            left_out.append(label)
        else:
            groups.setdefault(int(component), []).append(
                (shape, text[:1] in "!-", f"{label}({', '.join(f'{v:g}' for v in numbers.shown)})")
            )
    if left_out:
        count = f"{len(left_out)} {'row covers' if len(left_out) == 1 else 'rows cover'}"
        warnings.warn(
            f"{name}: {count} no area and {'counts' if len(left_out) == 1 else 'count'} for nothing ({left_out[0]})",
            DataWarning,
            stacklevel=5,
        )
    if not groups:
        raise DataError(f"{name}: no shape in it" + (" that covers an area" if left_out else ""))
    added, cut = [], []
    for group in groups.values():
        label = "&".join(label for _, _, label in group)
        if all(negated for _, negated, _ in group):
            cut += [Term(((shape, False),), True, label) for shape, _, label in group]
        elif len(groups) == 1:
            added.append(
                Term(
                    tuple((shape, False) for shape, negated, _ in group if not negated),
                    False,
                    label,
                )
            )
            cut += [
                Term(((shape, False),), True, label) for shape, negated, label in group if negated
            ]
        else:
            added.append(Term(tuple((shape, negated) for shape, negated, _ in group), False, label))
    return Shapes(((*added, *cut),))


class _Row:
    """One row's values, given out as a shape asks for them; NaN pads vectors that are too long."""

    def __init__(self, values, frames, is_annular):
        finite = {
            key: [float(v) for v in vector if np.isfinite(v)] for key, vector in values.items()
        }
        self.x, self.y = finite["X"], finite["Y"]
        self.radii, self.angles = finite.get("R", []), finite.get("ROTANG", [])
        self.frames, self.is_annular = frames, is_annular
        self.shown = [*self.x[:1], *self.y[:1], *self.radii, *self.angles[:1]]
        if len(self.x) != len(self.y) or not self.x:
            raise RegionProblem("X and Y are not pairs of numbers")
        if min(self.radii, default=0) < 0:
            raise RegionProblem(f"{min(self.radii):g} is a negative length")

    def at(self, x, y):
        return self.frames.place("physical", x, y)

    def place(self):
        self.here = self.at(self.x[0], self.y[0])
        return self.here

    def places(self):
        return [self.at(x, y) for x, y in zip(self.x, self.y, strict=True)]

    def corners(self):
        if len(self.x) < 2:
            raise RegionProblem("a rectangle needs two corners")
        (x0, x1), (y0, y1) = self.x[:2], self.y[:2]
        return (x0, y0), (x1, y1), self.at((x0 + x1) / 2, (y0 + y1) / 2), True

    def lengths(self, n=None):
        n = 2 if n is None else n
        if len(self.radii) < n:
            raise RegionProblem(f"needs {n} radii, has {len(self.radii)}")
        taken, self.radii = self.radii[:n], self.radii[n:]
        return [radius * self.here.scale for radius in taken]

    def axes(self):
        lengths = self.lengths(4 if self.is_annular else 2)
        return list(zip(lengths[::2], lengths[1::2], strict=True)), self.angle(0.0)

    def angle(self, default=None):
        if not self.angles and default is not None:
            return default
        if not self.angles:
            raise RegionProblem("an angle is missing")
        return self.angles.pop(0)

    def count(self):
        raise RegionProblem("a shape that FITS region tables do not have")

    def end(self):
        """Vectors are as long as the table's longest shape needs: what is left over means nothing."""
