"""Columns of a FITS binary table, read in blocks of rows.

astropy reads a whole table with all of its columns, which takes several times the memory of the
four columns that are needed: 114 bytes of a row of a Chandra event list, of which 26 are used.
"""

import re
from dataclasses import dataclass

import numpy as np

from ..errors import DataError

ROWS_PER_BLOCK = 1 << 16
CCD_COLUMNS = ("ccd_id", "ccdnr", "ccd")
# numpy's type for each letter of TFORMn (FITS standard 4.0, table 18).
FORMATS = {
    "L": "i1",
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
    format : str
        Type of numpy, such as ">f4".
    repeat : int
        Values in a row.
    offset : int
        Bytes of a row before the column.
    scale, zero : float
        TSCALn and TZEROn.
    null : int or None
        TNULLn, the integer that stands for no value.
    unit : str
        TUNITn in lower case.
    """

    number: int
    name: str
    format: str
    repeat: int
    offset: int
    scale: float
    zero: float
    null: int | None
    unit: str

    @property
    def is_float(self):
        """Whether the file has floating-point numbers, which need no value for null."""
        return self.format[1] == "f"


@dataclass(frozen=True, kw_only=True)
class EnergyColumn:
    """The column that holds the energy: keV = (value + offset) * scale.

    Attributes
    ----------
    name : str or None
        Name in lower case; None if no column holds energies.
    scale, offset : float
    """

    name: str | None = None
    scale: float = 1.0
    offset: float = 0.0


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
    """

    columns: dict[str, Column]
    values: dict[str, np.ndarray]
    energy: EnergyColumn
    ccd: str | None


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
    ValueError
        If the columns do not fill a row.
    """
    columns, offset = {}, 0
    for number in range(1, header["TFIELDS"] + 1):
        repeat, letter = re.match(r"\s*(\d*)([A-Z])", header[f"TFORM{number}"]).groups()
        column = Column(
            number=number,
            name=str(header.get(f"TTYPE{number}", f"column{number}")).strip(),
            format=FORMATS[letter],
            repeat=int(repeat or 1),
            offset=offset,
            scale=header.get(f"TSCAL{number}", 1),
            zero=header.get(f"TZERO{number}", 0),
            null=header.get(f"TNULL{number}"),
            unit=str(header.get(f"TUNIT{number}", "")).strip().lower(),
        )
        size = np.dtype(column.format).itemsize
        offset += -(-column.repeat // 8) if letter == "X" else column.repeat * size
        columns.setdefault(column.name.lower(), column)
    if offset != header["NAXIS1"]:
        raise ValueError(f"its columns take {offset} bytes of rows of {header['NAXIS1']}")
    return columns


def read_columns(path, stream, header, columns):
    """Read some columns of a binary table, one block of rows after the other.

    Parameters
    ----------
    path : Path
        The file, for messages.
    stream : file object
        At the first row.
    header : astropy.io.fits.Header
    columns : dict of str to Column
        The columns to read.

    Returns
    -------
    dict of str to (N,) array
        int16 for the number of a chip, float64 for any other column, with NaN for null.

    Raises
    ------
    DataError
        If a column has several values in a row, or rows are missing.
    """
    vectors = [column.name for column in columns.values() if column.repeat != 1]
    if vectors:
        raise DataError(f"{path}: column {vectors[0]} has several values per row: one is needed")
    n_rows, row = header["NAXIS2"], header["NAXIS1"]
    dtype = np.dtype(
        {
            "names": list(columns),
            "formats": [column.format for column in columns.values()],
            "offsets": [column.offset for column in columns.values()],
            "itemsize": row,
        }
    )
    table = {
        name: np.empty(n_rows, np.int16 if name in CCD_COLUMNS else np.float64) for name in columns
    }
    for first in range(0, n_rows, ROWS_PER_BLOCK):
        n = min(ROWS_PER_BLOCK, n_rows - first)
        data = stream.read(n * row)
        if len(data) < n * row:
            raise DataError(
                f"{path}: truncated: its header announces {n_rows} rows, "
                f"{first + len(data) // row} are there: fetch it again"
            )
        block = np.frombuffer(data, dtype)
        for name, column in columns.items():
            _convert(block[name], column, table[name][first : first + n])
    return table


def _convert(raw, column, out):
    """Write the values of a block of rows, scaled and with NaN for null, into an array."""
    out[:] = raw
    if out.dtype == np.int16:
        return
    if (column.scale, column.zero) != (1, 0):
        out *= column.scale
        out += column.zero
    if column.null is not None and not column.is_float:
        out[raw == column.null] = np.nan
