"""CIAO's virtual files: `events.fits[EVENTS][energy=500:2000][exclude sky=region(sources.reg)]`.

gmmx understands the filters of rows (CIAO, "ahelp dmfiltering"): ranges of columns, whose ends
are included, and shapes on the sky. Conditions that are joined by commas or stand in brackets
one after the other must all hold. Everything else in brackets is an error, because a filter that
is ignored in silence means a fit to other photons.
"""

import math
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import numpy as np

from ..errors import DataError, DataWarning, InputError
from ._bit_filter import BitFilter
from ._virtual_text import FilterError, SkyFilter, blocks_of, brackets, read_block
from .units import energy_scale

UNDERSTOOD = (
    "understood are [EVENTS], column ranges such as energy=500:2000 (eV), ccd_id=0,2:3 or grade<5, "
    "sky=SHAPE, sky=region(FILE), and exclude before one"
)
_BLOCKS = ("events", "stdevt")
# Detector coordinates: an exposure map on the sky cannot be cut in the same way.
DETECTOR_COLUMNS = ("chipx", "chipy", "tdetx", "tdety", "detx", "dety", "rawx", "rawy", "node_id")


@dataclass(frozen=True, repr=False)
class FileArgument:
    """A file with the filters that stand behind its name.

    Attributes
    ----------
    text : str
        The whole argument as it was given.
    path : Path
        The file.
    columns : tuple of ColumnFilter or BitFilter
        Ranges of columns, and patterns of bits.
    sky : tuple of SkyFilter
        Shapes on the sky.
    filters : str
        The filters as they were written; empty if there is none.

    Examples
    --------
    >>> file = parse_file_argument("evt2.fits[energy=500:2000][sky=circle(4096,4096,50)]")
    >>> file
    FileArgument(evt2.fits, [energy=500:2000][sky=circle(4096,4096,50)])
    >>> file.columns[0].ranges
    ((500.0, 2000.0),)
    """

    text: str
    path: Path
    columns: tuple = ()
    sky: tuple = ()
    filters: str = ""

    def __repr__(self):
        filters = f", {self.filters}" if self.filters else ""
        return f"FileArgument({self.path}{filters})"

    def __str__(self):
        return self.text

    @property
    def stem(self) -> str:
        """Name of the file without folder, filters and endings: the name of its observation.

        Examples
        --------
        >>> parse_file_argument("data/acisf00755_evt2.fits.gz[energy=500:2000]").stem
        'acisf00755_evt2'
        """
        return re.sub(r"(\.(fits?|evt\d?|img))?(\.gz)?$", "", self.path.name) or "observation"

    def beside(self, suffix: str) -> Path:
        """Return the path of a file beside this one, with another suffix.

        Parameters
        ----------
        suffix : str

        Examples
        --------
        >>> parse_file_argument("evt2.fits.gz[energy=500:2000]").beside(".model.h5").name
        'evt2.model.h5'
        """
        name = re.sub(r"\.gz$", "", self.path.name, flags=re.IGNORECASE)
        return self.path.with_name(Path(name).stem + suffix)


def parse_file_argument(argument: str | PathLike | FileArgument) -> FileArgument:
    """Separate a file from the filters in brackets behind its name.

    Parameters
    ----------
    argument : str, Path or FileArgument
        `FILE[FILTER][FILTER]...`. If a file with this whole name exists, brackets included, the
        argument has no filters. A FileArgument is returned as it is.

    Returns
    -------
    FileArgument

    Raises
    ------
    InputError
        If a filter is not understood.

    Examples
    --------
    >>> parse_file_argument("evt2.fits[EVENTS][ccd_id=0:3]").path.name
    'evt2.fits'
    >>> parse_file_argument("evt2.fits[bin sky=4]")
    Traceback (most recent call last):
    gmmx.errors.InputError: evt2.fits[bin sky=4]: [bin sky=4] is not understood ...
    """
    if isinstance(argument, FileArgument):
        return argument
    text = str(argument)
    start = _start_of_filters(text)
    if start is None:
        return FileArgument(text, Path(text))
    path, filters = Path(text[:start]), text[start:].strip()
    try:
        found = _filters(filters)
    except FilterError as problem:
        raise InputError(f"{text}: {problem}: {UNDERSTOOD}") from None
    return FileArgument(
        text,
        path,
        columns=tuple(one for one in found if not isinstance(one, SkyFilter)),
        sky=tuple(one for one in found if isinstance(one, SkyFilter)),
        filters=filters if found else "",
    )


def parse_file_arguments(arguments: Iterable[str | PathLike | FileArgument]) -> list[FileArgument]:
    """Return the FileArgument of each of several arguments, as `parse_file_argument` does.

    Parameters
    ----------
    arguments : sequence of str, Path or FileArgument
    """
    return [parse_file_argument(one) for one in arguments]


def _start_of_filters(text):
    """Index of the bracket where the filters begin; None if the text has no filters."""
    if "[" not in text or Path(text).exists():
        return None
    starts = brackets(text)
    start = next((s for s in reversed(starts) if Path(text[:s]).is_file()), starts[0])
    # A filter whose last bracket is missing is still a filter if the file exists.
    if text.rstrip().endswith("]") or Path(text[:start]).is_file():
        return start
    return None


def _filters(text):
    """Read the blocks in brackets as filters; the first may name the EVENTS extension."""
    blocks = blocks_of(text)
    if blocks[0].strip().lower() in _BLOCKS:
        blocks = blocks[1:]
    return [one for block in blocks for one in read_block(block)]


def check_columns(file, columns, energy_column):
    """Make sure that a table has the columns that the filters name.

    Parameters
    ----------
    file : FileArgument
    columns : dict of str to Column
        By name in lower case.
    energy_column : str or None
        The column that holds the energy.

    Raises
    ------
    DataError
        If a column is missing or has no such bits, or a filter by energy meets a column that holds
        no energies.
    """
    for one in file.columns:
        if one.column not in columns:
            raise DataError(
                f"{file.path}: no column {one.column}, which [{one.text}] filters by "
                f"(found {', '.join(columns)})"
            )
        if isinstance(one, BitFilter):
            one.check(file.path, columns[one.column])
        if one.column == "energy" and energy_column != "energy":
            raise DataError(
                f"{file.path}: [{one.text}]: the energy column of this instrument holds no "
                "energies: filter by pi, or leave the filter out"
            )


def filter_rows(file, table, pointing):
    """Keep the rows of a table that the filters of its file's name keep.

    Each filter sees the column as the file has it, an energy in eV.

    Parameters
    ----------
    file : FileArgument
    table : EventTable
        Its values are changed in place.
    pointing : Pointing

    Returns
    -------
    pointing : Pointing
        With the energies and chips to which the filters cut the file.
    dropped : dict of str to int
        Number of rows dropped, by reason.

    Raises
    ------
    DataError
        If no row is left.
    """
    values = table.values
    n_before = len(values["x"])
    keep = _rows_kept(file, table)
    table.keep(keep)
    band = _band(file, table, pointing.recorded_band_kev)
    if band is not None:
        pointing = replace(pointing, recorded_band_kev=band)
    if any(one.column == table.ccd for one in file.columns):
        pointing = replace(pointing, recorded_chips=np.unique(values[table.ccd]).tolist())
    n_lost = n_before - len(values["x"])
    return pointing, {"filter": n_lost} if n_lost else {}


def _rows_kept(file, table):
    """Return which rows pass all filters, (N,) booleans."""
    keep = np.ones(len(table.values["x"]), bool)
    for one in file.columns:
        column = table.values[one.column]
        scale = _in_ev(table.columns[one.column])
        keep &= one.keeps(column * scale if scale != 1 else column)
        if not keep.any():
            finite = column[np.isfinite(column)] * scale
            span = (
                f"the file has {one.column} {finite.min():g} to {finite.max():g}"
                if len(finite)
                else f"{one.column} holds no number"
            )
            unit = ", in eV" if one.column == "energy" else ""
            raise DataError(f"{file.text}: [{one.text}] leaves no photon ({span}{unit})")
        if one.column in DETECTOR_COLUMNS:
            warnings.warn(
                f"{file.path}: [{one.text}] selects a part of the detector: the exposure map has "
                "to be of that part too. Select on the sky with sky=SHAPE instead if it is not",
                DataWarning,
                stacklevel=4,
            )
    return keep


def _band(file, table, recorded):
    """Return the band [keV] that the filters and the file leave; None if no filter sets one."""
    energy = table.energy
    spans = [one.span for one in file.columns if one.column == energy.name]
    if not spans:
        return None
    unit = _in_ev(table.columns[energy.name])
    low, high = recorded or (0.0, math.inf)
    # Channels are filtered as a whole.
    first, last = energy.offset - energy.half, energy.offset + energy.half
    low = max([low] + [(span[0] / unit + first) * energy.scale for span in spans])
    high = min([high] + [(span[1] / unit + last) * energy.scale for span in spans])
    if not math.isfinite(high):
        # An open end is where the photons end.
        highest = float(table.values[energy.name].max())
        high = max((highest + last) * energy.scale, low)
    return max(low, 0.0), high


def _in_ev(column):
    """Return the size of the unit of a column [eV]; 1 for what is no energy, such as a channel."""
    scale = energy_scale(column.unit)
    return 1 if scale is None else 1000 * scale
