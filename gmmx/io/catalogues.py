"""Columns of a catalogue: FITS, ECSV, CSV, VOTable, HDF5 and Parquet tables, through astropy."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import Table

from .._words import nearest
from ..errors import DataError
from .files import check_input, check_sums, reading

# The name of astropy's reader for each ending, without ".gz". "fits" is read table by table.
FORMATS = {
    ".fits": "fits",
    ".fit": "fits",
    ".ecsv": "ascii.ecsv",
    ".csv": "ascii.csv",
    ".txt": "ascii",
    ".dat": "ascii",
    ".vot": "votable",
    ".xml": "votable",
    ".hdf5": "hdf5",
    ".h5": "hdf5",
    ".parquet": "parquet.votable",
}
SUFFIXES = tuple(FORMATS)


def read_columns(
    path: str | PathLike, names: Sequence[str], *, no_checksum: bool = False
) -> dict[str, np.ndarray]:
    """Read columns of a table as numbers.

    Parameters
    ----------
    path : str or Path
        A table that astropy reads; its ending tells the format. Of a FITS file the first table
        that has all columns is read.
    names : sequence of str
        The columns. Upper and lower case are not distinguished where the names stay unique.
    no_checksum : bool
        Read a FITS file even if its CHECKSUM or DATASUM does not hold.

    Returns
    -------
    dict of str to array
        float64, by the names that were given, one row for each row of the table. A cell may hold
        an array, such as a covariance matrix. Masked values are NaN.

    Raises
    ------
    DataError
        If the file cannot be read, a column is not there, or a column does not hold numbers.

    Examples
    --------
    >>> Table({"g_r": [0.4, 0.6], "g_r_err": [0.1, 0.1]}).write("colours.ecsv")
    >>> read_columns("colours.ecsv", ["g_r"])["g_r"].tolist()
    [0.4, 0.6]
    >>> read_columns("colours.ecsv", ["g_i"])
    Traceback (most recent call last):
    gmmx.errors.DataError: colours.ecsv: it has no column g_i: did you mean g_r?
    """
    return columns_of(path, read_catalogue(path, names, no_checksum=no_checksum), names)


def columns_of(path: str | PathLike, table: Table, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Columns of a table that was read from a file, as numbers; see `read_columns`."""
    return {name: _numbers(path, table, name) for name in names}


def units_of(path: str | PathLike, table: Table, names: Sequence[str]) -> tuple[str, ...]:
    """Units of the columns of a table that was read from a file; "" where there is none.

    Examples
    --------
    >>> from astropy.table import Column
    >>> units_of("a.ecsv", Table({"v": Column([1.0], unit="km/s"), "n": [1]}), ["v", "n"])
    ('km / s', '')
    """
    return tuple(str(table[_found(path, table.colnames, name)].unit or "") for name in names)


def read_catalogue(
    path: str | PathLike, names: Sequence[str] = (), *, no_checksum: bool = False
) -> Table:
    """Read a table; of a FITS file the first one that has all columns of some names.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    return _table_of(check_input(path), names, no_checksum)


def is_catalogue(path: str | PathLike) -> bool:
    """Whether the ending of a file name is that of a table, FITS included.

    Examples
    --------
    >>> is_catalogue("gaia.vot"), is_catalogue("gaia.fits.gz"), is_catalogue("photo.png")
    (True, True, False)
    """
    return _suffix(path) in FORMATS


def _suffix(path):
    suffixes = [one.lower() for one in Path(path).suffixes]
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _table_of(path, names, no_checksum):
    """The table of a file that has the columns, or else its first table."""
    form = FORMATS.get(_suffix(path))
    if form is None:
        raise DataError(
            f"{path}: its ending does not name a table: rename it to end in one of "
            f"{', '.join(SUFFIXES)}"
        )
    if form == "fits":
        if not no_checksum:
            check_sums(path)
        return _fits_table(path, names)
    if form == "parquet.votable":
        return _parquet(path)
    with reading(path, "a table"):
        return Table.read(path, format=form)


def _fits_table(path, names):
    with reading(path), fits.open(path) as hdus:
        tables = [one for one in hdus if isinstance(one, fits.BinTableHDU | fits.TableHDU)]
        if not tables:
            raise DataError(f"{path}: it holds no table: name a file that has one")
        wanted = {name.lower() for name in names}
        holds_all = (
            one for one in tables if wanted <= {name.lower() for name in one.columns.names}
        )
        return Table.read(next(holds_all, tables[0]))


def _parquet(path):
    """A Parquet file, which needs the package pyarrow."""
    try:
        from pyarrow import parquet
    except ImportError:
        raise DataError(
            f"{path}: Parquet files need the package pyarrow: install it with pip, or convert the "
            "file to FITS or ECSV"
        ) from None
    with reading(path, "a table"):
        found = parquet.read_table(path)
        return Table({name: found[name].to_numpy() for name in found.column_names})


def _numbers(path, table, name):
    """A column as float64, with NaN where it is masked."""
    column = table[_found(path, table.colnames, name)]
    kind = getattr(getattr(column, "dtype", None), "kind", "V")
    if kind not in "iufb":
        raise DataError(
            f"{path}: the column {name} holds {'text' if kind in 'USO' else 'no real numbers'}: "
            "name a column of numbers"
        )
    values = np.ma.filled(np.ma.asarray(column).astype(float), np.nan)
    return np.ascontiguousarray(values)


def _found(path, columns, name):
    """The column of a name: the same, or the only one that differs in case alone."""
    if name in columns:
        return name
    same = [one for one in columns if one.lower() == name.lower()]
    if len(same) == 1:
        return same[0]
    hint = nearest(name, columns)
    raise DataError(f"{path}: it has no column {name}: {hint}", parameter="columns")
