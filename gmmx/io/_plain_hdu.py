"""Any table as a FITS extension, with what FITS can hold of its texts and metadata."""

import re
from collections.abc import Mapping

import numpy as np
from astropy.io import fits
from astropy.table import MaskedColumn, Table


def plain_hdu(table: Table, keywords: Mapping[str, str]) -> fits.BinTableHDU:
    """A table as a FITS extension, with descriptions, and its metadata as keywords or comments.

    Parameters
    ----------
    table : astropy.table.Table
    keywords : dict of str to str
        FITS keywords for the names of metadata; other names are cut to eight letters.

    Examples
    --------
    >>> table = Table({"name": np.array(["M 67", "M 44"], dtype=object)}, meta={"notes": ["old"]})
    >>> hdu = plain_hdu(table, {})
    >>> hdu.columns["name"].format, str(hdu.header["COMMENT"])
    ('4A', "notes: ['old']")
    """
    hdu = fits.table_to_hdu(Table(_with_texts(table), meta={}))
    for number, column in enumerate(table.columns.values(), 1):
        if column.info.description:
            hdu.header[f"TCOMM{number}"] = _ascii(column.info.description)
    for name, value in table.meta.items():
        key = keywords.get(name, str(name)[:8].upper())
        if isinstance(value, dict):
            for part, one in value.items():
                hdu.header.add_comment(_ascii(f"{name}, {part}: {one}"))
        elif re.fullmatch(r"[A-Z0-9_-]+", key) and _is_plain(value):
            hdu.header[key] = _ascii(value) if isinstance(value, str) else value
        else:
            hdu.header.add_comment(_ascii(f"{name}: {value}"))
    return hdu


def _is_plain(value):
    """Whether a header card holds a value: a text or a finite number."""
    if isinstance(value, str):
        return True
    return isinstance(value, bool | int | float | np.generic) and bool(np.isfinite(value))


def _ascii(text):
    """A text in one line of the letters that a FITS header holds."""
    line = " ".join(text.split())
    return re.sub(r"[^ -~]", "?", line.encode("ascii", "replace").decode())


def _with_texts(table):
    """A table whose columns of Python's texts, as VOTables and Parquet have them, are arrays."""
    table = table.copy(copy_data=False)
    for name, column in list(table.columns.items()):
        if getattr(column, "dtype", np.dtype(float)).kind == "O":
            gone = np.ma.getmaskarray(np.ma.asarray(column))
            texts = ["" if no else one for one, no in zip(column, gone, strict=True)]
            if all(isinstance(one, str) for one in texts):
                found = MaskedColumn(texts, mask=gone, dtype=str, description=column.description)
                table.replace_column(name, found)
    return table
