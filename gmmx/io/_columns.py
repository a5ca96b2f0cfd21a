"""Columns of a FITS binary table: where they lie in a row, and what they mean."""

import math
import re
from dataclasses import dataclass

import numpy as np

from ._causes import BadFileError

CCD_COLUMNS = ("ccd_id", "ccdnr", "ccd")
TIME_COLUMN = "time"
# Name under which the number of each row is kept, which no column of a filter has.
ROW = "#row"
# numpy's type for each letter of TFORMn (FITS standard 4.0, table 18).
FORMATS = {
    "L": "u1",
    "X": "u1",
    "B": "u1",
    "I": ">i2",
    "J": ">i4",
    "K": ">i8",
    "A": "S1",
    "E": ">f4",
    "D": ">f8",
    "C": ">c8",
    "M": ">c16",
    "P": ">i8",
    "Q": ">c16",
}


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a binary table.

    Attributes
    ----------
    number : int
        Counted from 1, as in the keywords.
    name : str
        As it stands in the file.
    letter : str
        The letter of TFORMn.
    repeat : int
        Values in a row; the number of bits in a column of bits.
    offset : int
        Bytes of a row before the column.
    scale, zero : float
        TSCALn and TZEROn.
    null : int or None
        TNULLn, the integer that stands for no value.
    unit : str
        TUNITn in lower case.
    limits : (float, float) or None
        TLMINn and TLMAXn, between which values are legal; None if they say nothing.
    """

    number: int
    name: str
    letter: str
    repeat: int = 1
    offset: int = 0
    scale: float = 1.0
    zero: float = 0.0
    null: int | None = None
    unit: str = ""
    limits: tuple[float, float] | None = None

    @property
    def n_bytes(self):
        """Bytes of a row that the column takes."""
        if self.letter == "X":
            return -(-self.repeat // 8)
        return self.repeat * np.dtype(FORMATS[self.letter]).itemsize

    @property
    def is_bits(self):
        """Whether its values are rows of bits."""
        return self.letter == "X"

    @property
    def is_variable(self):
        """Whether its values lie behind the rows, as arrays of variable length."""
        return self.letter in "PQ"

    @property
    def is_float(self):
        """Whether the file has floating-point numbers, which need no value for null."""
        return self.letter in "ED"


@dataclass(frozen=True, kw_only=True)
class EnergyColumn:
    """The column that holds the energy: keV = (value + offset) * scale.

    Attributes
    ----------
    name : str or None
        Name in lower case; None if no column holds energies.
    scale, offset : float
    half : float
        Half of the width of a channel, in the unit of the column; 0 for energies.
    """

    name: str | None = None
    scale: float = 1.0
    offset: float = 0.0
    half: float = 0.0


@dataclass(frozen=True, kw_only=True)
class EventTable:
    """Columns of an event list, as far as they were read.

    Attributes
    ----------
    columns : dict of str to Column
        All columns of the table, by name in lower case.
    values : dict of str to (N,) array
        Values of the columns that were read. Rows are selected and units converted in place,
        because these arrays are most of the memory that a large file takes.
    energy : EnergyColumn
    ccd : str or None
        Name of the column with the number of the chip.
    screening : tuple of str
        Names of the columns that tell whether events are good, if that is to be checked.
    """

    columns: dict[str, Column]
    values: dict[str, np.ndarray]
    energy: EnergyColumn
    ccd: str | None
    screening: tuple[str, ...] = ()

    def keep(self, rows):
        """Keep some of the rows.

        Parameters
        ----------
        rows : (N,) array of bool
        """
        if not rows.all():
            for name in self.values:
                self.values[name] = self.values[name][rows]

    def drop_others(self):
        """Drop the columns that only filters need."""
        for name in set(self.values) - {"x", "y", self.energy.name, self.ccd, ROW}:
            del self.values[name]


def table_columns(header):
    """Return the columns of a binary table.

    Parameters
    ----------
    header : astropy.io.fits.Header

    Returns
    -------
    dict of str to Column
        By name in lower case; the first of several columns of one name.

    Raises
    ------
    BadFileError
        If the columns do not fill a row, or the format of one is missing or none.
    """
    columns: dict[str, Column] = {}
    offset = 0
    for number in range(1, header["TFIELDS"] + 1):
        form = header.get(f"TFORM{number}")
        found = re.match(r"\s*(\d*)([A-Z])", str(form).upper())
        if form is None or found is None or found[2] not in FORMATS:
            raise BadFileError(
                f"TFORM{number} = {form!r} is not the format of a column: fetch it again"
            )
        column = Column(
            number=number,
            name=str(header.get(f"TTYPE{number}", f"column{number}")).strip(),
            letter=found[2],
            repeat=int(found[1] or 1),
            offset=offset,
            scale=_number(header, f"TSCAL{number}", 1),
            zero=_number(header, f"TZERO{number}", 0),
            null=_null(header.get(f"TNULL{number}")),
            unit=str(header.get(f"TUNIT{number}", "")).strip().lower(),
            limits=_limits(header, number),
        )
        offset += column.n_bytes
        columns.setdefault(column.name.lower(), column)
    if offset != header["NAXIS1"]:
        raise BadFileError(
            f"its columns take {offset} bytes of rows of {header['NAXIS1']}: fetch it again"
        )
    return columns


def _number(header, key, default):
    value = header.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadFileError(f"{key} = {value!r} is not a number: correct it")
    return value


def _null(value):
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _limits(header, number):
    """Return TLMIN and TLMAX; None unless both are numbers and leave room."""
    low, high = (header.get(f"{key}{number}") for key in ("TLMIN", "TLMAX"))
    are_numbers = all(
        isinstance(end, int | float) and not isinstance(end, bool) and math.isfinite(end)
        for end in (low, high)
    )
    return (float(low), float(high)) if are_numbers and low < high else None
