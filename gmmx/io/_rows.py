"""Values of the columns of a FITS binary table, read in blocks of rows.

astropy reads a whole table with all of its columns, which takes several times the memory of the
four columns that are needed: 114 bytes of a row of a Chandra event list, of which 26 are used.
Columns of variable length, which lie behind the rows, are read by astropy.
"""

import io

import numpy as np
from astropy.io import fits

from ..errors import DataError
from ._causes import reading
from ._columns import CCD_COLUMNS, FORMATS, Column

ROWS_PER_BLOCK = 1 << 16
# The number of a chip that the file leaves open.
NO_CHIP = -1
# Letters of columns that hold no numbers, and what they hold.
_NO_NUMBERS = {"A": "text", "C": "complex numbers", "M": "complex numbers"}
MOST_BITS = 64


def read_columns(opened, hdu, columns):
    """Read some columns of a binary table, one block of rows after the other.

    Parameters
    ----------
    opened : OpenFits
    hdu : Hdu
    columns : dict of str to Column
        The columns to read.

    Returns
    -------
    dict of str to (N,) array
        int16 for the number of a chip, uint64 for bits, the first of which is the highest, and
        float64 for any other column, with NaN for null.

    Raises
    ------
    DataError
        If a column has several values in a row or no numbers, or if rows are missing.
    """
    for column in columns.values():
        _check_readable(opened.path, column)
    variable = {name: one for name, one in columns.items() if one.is_variable}
    plain = {name: one for name, one in columns.items() if not one.is_variable}
    if not variable:
        opened.stream.seek(hdu.start)
        return _read_rows(opened.path, opened.stream, hdu, plain, opened.most_bytes - hdu.start)
    content = opened.content(hdu)
    rows = io.BytesIO(memoryview(content)[hdu.start - hdu.offset :])
    table = _read_rows(opened.path, rows, hdu, plain, hdu.size)
    return table | _read_variable(opened.path, content, variable)


def _check_readable(path, column):
    if column.letter in _NO_NUMBERS:
        raise DataError(
            f"{path}: column {column.name} holds {_NO_NUMBERS[column.letter]}: "
            "a column of numbers is needed"
        )
    if column.is_bits and column.repeat > MOST_BITS:
        raise DataError(
            f"{path}: column {column.name} has {column.repeat} bits: at most {MOST_BITS} are read"
        )
    if column.repeat != 1 and not column.is_bits:
        raise DataError(
            f"{path}: column {column.name} has several values per row: one is needed"
            if column.repeat
            else f"{path}: column {column.name} is empty: values are needed"
        )


def _read_rows(path, stream, hdu, columns, most_bytes):
    """Read columns from the rows, the first of which is the next in a stream."""
    n_rows, row = hdu.header["NAXIS2"], hdu.header["NAXIS1"]
    dtype = np.dtype(
        {
            "names": list(columns),
            "formats": [_format(column) for column in columns.values()],
            "offsets": [column.offset for column in columns.values()],
            "itemsize": row,
        }
    )
    # No larger than the file allows, whatever the header says.
    n_possible = min(n_rows, most_bytes // max(row, 1) + 1)
    table = {
        name: np.empty(n_possible, _type_in_memory(name, one)) for name, one in columns.items()
    }
    for first in range(0, n_rows, ROWS_PER_BLOCK):
        n = min(ROWS_PER_BLOCK, n_rows - first)
        data = stream.read(n * row)
        if len(data) < n * row:
            raise DataError(
                f"{path}: truncated: its header announces {n_rows} rows, "
                f"{first + len(data) // max(row, 1)} are there: fetch it again"
            )
        block = np.frombuffer(data, dtype)
        for name, column in columns.items():
            _convert(block[name], column, table[name][first : first + n])
    return table


def _format(column):
    return f"({column.n_bytes},)u1" if column.is_bits else FORMATS[column.letter]


def _type_in_memory(name, column):
    if column.is_bits:
        return np.uint64
    return np.int16 if name in CCD_COLUMNS else np.float64


def _convert(raw, column, out):
    """Write the values of a block of rows into an array: scaled, and without the null values."""
    if column.is_bits:
        out[:] = 0
        for byte in raw.T:
            out <<= np.uint64(8)
            out |= byte
        # The last byte is filled up with bits that do not count.
        out >>= np.uint64(8 * raw.shape[1] - column.repeat)
        return
    is_chip = out.dtype == np.int16
    is_scaled = (column.scale, column.zero) != (1, 0)
    values = out
    if column.letter == "L":
        raw, values = _logical(raw), out
    if is_chip and (is_scaled or not np.can_cast(raw.dtype, np.int16)):
        values = np.empty(len(raw))
    values[:] = raw
    if is_scaled:
        values *= column.scale
        values += column.zero
    if column.null is not None and not column.is_float:
        values[raw == column.null] = NO_CHIP if is_chip else np.nan
    if values is not out:
        is_number = np.abs(values) <= np.iinfo(np.int16).max
        out[:] = np.where(is_number, values, NO_CHIP)


def _logical(raw):
    """Return 1 for T, 0 for F, and NaN for no value."""
    return np.select([raw == ord("T"), raw == ord("F")], [1.0, 0.0], np.nan)


def _read_variable(path, content, columns):
    """Read columns of variable length, by astropy, which must have one value in each row."""
    primary = fits.PrimaryHDU().header.tostring().encode()
    table = {}
    with reading(path), fits.open(io.BytesIO(primary + content), memmap=False) as hdus:
        for name, column in columns.items():
            values = hdus[1].data.field(column.number - 1)
            if any(len(value) != 1 for value in values):
                raise DataError(
                    f"{path}: column {column.name} has arrays of other lengths than 1: one value "
                    "per row is needed"
                )
            found = np.concatenate(list(values)) if len(values) else np.empty(0)
            out = np.empty(len(found), _type_in_memory(name, column))
            _convert(found, Column(number=column.number, name=name, letter="D"), out)
            if column.null is not None and out.dtype != np.int16:
                out[found == column.null] = np.nan
            table[name] = out
    return table
