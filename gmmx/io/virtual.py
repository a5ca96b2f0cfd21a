"""CIAO's virtual files: ``events.fits[EVENTS][energy=500:2000,ccd_id=0:3][exclude sky=region(sources.reg)]``.

The part that filters rows is understood (CIAO, "ahelp dmfiltering"): ranges of columns, both ends included, and shapes on the sky. Conditions that commas
or brackets join must all hold. Whatever else may stand in brackets is an error: a filter that is quietly left out is a fit to other photons.
"""

import math
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DataError, DataWarning, InputError
from ._virtual_text import FilterProblem, SkyFilter, blocks_of, brackets, read_block

UNDERSTOOD = "understood are [EVENTS], column ranges such as energy=500:2000 (eV), ccd_id=0,2:3 or grade<5, sky=SHAPE, sky=region(FILE), and exclude before one"
_BLOCKS = ("events", "stdevt")
# Positions on the detector, which no cut of an exposure map on the sky can follow.
DETECTOR_COLUMNS = ("chipx", "chipy", "tdetx", "tdety", "detx", "dety", "rawx", "rawy", "node_id")


@dataclass(frozen=True)
class VirtualFile:
    """A file with the filters that go with its name.

    Attributes
    ----------
    text : str
        All of it, as given.
    path : Path
        The file.
    columns : tuple of ColumnFilter
    sky : tuple of SkyFilter
    filters : str
        The filters as they were written, for people; "" where there are none.
    """

    text: str
    path: Path
    columns: tuple = ()
    sky: tuple = ()
    filters: str = ""


def bare_path(text):
    """The file of a virtual file's name, without what stands in brackets; a file that is called so, brackets and all, is itself."""
    given = str(text)
    if "[" not in given or Path(given).exists():
        return Path(given)
    candidates = [Path(given[:start]) for start in brackets(given)]
    bare = next((path for path in reversed(candidates) if path.is_file()), candidates[0])
    # A filter that lost its last bracket is one still where the file is there.
    return bare if given.rstrip().endswith("]") or bare.is_file() else Path(given)


def virtual_file(text):
    """A file's name with CIAO's filters in brackets, taken apart.

    Parameters
    ----------
    text : str or Path
        ``FILE[FILTER][FILTER]...``. A file that is called so, brackets and all, has no filters.

    Returns
    -------
    VirtualFile

    Raises
    ------
    InputError
        When something in the brackets is not understood: what, and what is.
    """
    given = str(text)
    path = bare_path(given)
    start = next((start for start in brackets(given) if Path(given[:start]) == path), None)
    if path == Path(given) or start is None:
        return VirtualFile(given, path)
    try:
        columns, sky = [], []
        for number, block in enumerate(blocks_of(given[start:].strip())):
            if number == 0 and block.strip().lower() in _BLOCKS:
                continue
            for one in read_block(block):
                (sky if isinstance(one, SkyFilter) else columns).append(one)
    except FilterProblem as problem:
        raise InputError(f"{given}: {problem}: {UNDERSTOOD}") from None
    return VirtualFile(
        given, path, tuple(columns), tuple(sky), given[start:].strip() if columns or sky else ""
    )


def check_columns(virtual, columns, energy_column):
    """Make sure that a file has the columns that its filters speak of, and that an energy is one.

    Parameters
    ----------
    virtual : VirtualFile
    columns : iterable of str
        In lower case.
    energy_column : str or None
        The one that tells the energy.

    Raises
    ------
    DataError
        When it has not.
    """
    for one in virtual.columns:
        if one.column not in columns:
            raise DataError(
                f"{virtual.path}: no column {one.column}, which [{one.text}] filters by (found {', '.join(columns)})"
            )
        if one.column == "energy" and energy_column != "energy":
            raise DataError(
                f"{virtual.path}: [{one.text}]: this instrument's energy column tells no energies: filter by pi, or leave it out"
            )


def filter_rows(virtual, table, columns, metadata, *, energy, ccd_column):
    """Cut the rows of a table by the filters of its file's name, and note in the metadata what these say of energies and chips.

    Each filter sees the column as the file has it, an energy in eV. Columns that only a filter wanted are taken out.

    Parameters
    ----------
    virtual : VirtualFile
    table : dict of str to (N,) array
        The columns; changed in place.
    columns : dict of str to dict
        What the file says of each, "unit" among it.
    metadata : dict
        Changed in place: "recorded_energy_band_kev" [keV] and "filtered_chips".
    energy : (str or None, float, float)
        Column that tells the energy, scale and offset: keV = (value + offset) * scale.
    ccd_column : str or None

    Returns
    -------
    dict of str to int
        Rows dropped, by reason.

    Raises
    ------
    DataError
        When no row is left.
    """
    n_before, keep = len(table["x"]), None
    for one in virtual.columns:
        scale = 1000 if columns[one.column]["unit"] == "kev" else 1
        passes = one.keeps(table[one.column] * scale if scale != 1 else table[one.column])
        keep = passes if keep is None else keep & passes
        if not keep.any():
            values = table[one.column][np.isfinite(table[one.column])] * scale
            span = (
                f"the file has {one.column} {values.min():g} to {values.max():g}"
                if len(values)
                else f"{one.column} holds no number"
            )
            raise DataError(f"{virtual.text}: [{one.text}] leaves no photon ({span})")
        if one.column in DETECTOR_COLUMNS:
            message = f"{virtual.path}: [{one.text}] cuts the detector: an exposure map has to be of that part too (cut on the sky with sky=SHAPE otherwise)"
            warnings.warn(message, DataWarning, stacklevel=3)
    if keep is not None and not keep.all():
        for name in table:
            table[name] = table[name][keep]
    energy_column, scale, offset = energy
    bands = [one.span for one in virtual.columns if one.column == energy_column]
    if bands:
        unit = 1000 if columns[energy_column]["unit"] == "kev" else 1
        found = [
            (float(v) + offset) * scale
            for v in (table[energy_column].min(), table[energy_column].max())
        ]
        low, high = metadata.get("recorded_energy_band_kev", (0.0, math.inf))
        low, high = (
            max([low] + [(b[0] / unit + offset) * scale for b in bands]),
            min([high] + [(b[1] / unit + offset) * scale for b in bands]),
        )
        # An end left open is where the photons end.
        metadata["recorded_energy_band_kev"] = [
            max(low, 0.0),
            high if math.isfinite(high) else max(found[1], low),
        ]
    if any(one.column == ccd_column for one in virtual.columns):
        metadata["filtered_chips"] = np.unique(table[ccd_column]).tolist()
    for name in set(table) - {"x", "y", energy_column, ccd_column}:
        del table[name]
    return {} if len(table["x"]) == n_before else {"filter": n_before - len(table["x"])}
