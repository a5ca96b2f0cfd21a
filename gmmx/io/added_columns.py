"""Adding columns to a table of a FITS file, everything else of which stays, to the byte."""

import gzip
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike

import numpy as np
from astropy.io import fits

from ..errors import DataError
from ._checksum import BLOCK, with_sums
from ._columns import FORMATS, table_columns
from ._hdu import CARD
from .events import is_events
from .files import open_fits
from .image_header import printable
from .write import replacing

TABLE_SUFFIXES = (".fits", ".fits.gz", ".fit", ".evt")
# Keywords of a table that more columns change.
_CHANGED = ("NAXIS1", "TFIELDS", "THEAP", "CHECKSUM", "DATASUM")


@dataclass(frozen=True, eq=False, kw_only=True)
class AddedColumn:
    """A column to add to a table.

    Attributes
    ----------
    name : str
    values : (N,) array
        float64 or int32, one for each row.
    text : str
        What it holds.
    """

    name: str
    values: np.ndarray
    text: str

    @property
    def letter(self) -> str:
        """The letter of its format."""
        return "D" if self.values.dtype.kind == "f" else "J"


def write_with_columns(
    path: str | PathLike,
    events: str | PathLike,
    columns: Sequence[AddedColumn],
    *,
    comments: Sequence[str] = (),
    cards: Mapping[str, tuple] | None = None,
    overwrite: bool = False,
) -> None:
    """Copy a FITS file and add columns to its table of events.

    All rows and columns, all other HDUs and all header cards are kept to the byte. A column of the
    same name and format is replaced, so that a file that has such columns can be used again.

    Parameters
    ----------
    path : str or Path
        The file to write; it ends in .fits, .fits.gz, .fit or .evt.
    events : str or Path
        The file to copy, gzipped or not.
    columns : sequence of AddedColumn
        With one value for each row of the table.
    comments : sequence of str
        For the header of the table.
    cards : mapping of str to (value, str), optional
        Further keywords.
    overwrite : bool
        Replace the file if it exists.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is false, or if it cannot be written.
    DataError
        If the events cannot be read, or have a column of the same name and another format.
    """
    parts = []
    with open_fits(events) as opened:
        is_found = False
        for hdu in opened.hdus():
            content = opened.content(hdu)
            if not is_found and is_events(hdu.header):
                is_found = True
                content = _extended(events, hdu, content, columns, comments, cards or {})
            parts.append(content + bytes(-len(content) % BLOCK))
    with replacing(path, overwrite, suffixes=TABLE_SUFFIXES) as aside:
        if aside.suffix == ".gz":
            with gzip.open(aside, "wb") as file:
                file.writelines(parts)
        else:
            with aside.open("wb") as file:
                file.writelines(parts)


def _extended(events, hdu, content, columns, comments, cards):
    """The bytes of a table with more columns."""
    header, start = hdu.header, hdu.start - hdu.offset
    n_rows, width = header["NAXIS2"], header["NAXIS1"]
    present = table_columns(header)
    replaced = [one for one in columns if one.name.lower() in present]
    added = [one for one in columns if one not in replaced]
    rows = np.frombuffer(content, np.uint8, n_rows * width, start).reshape(n_rows, width).copy()
    for one in replaced:
        column = present[one.name.lower()]
        if (column.letter, column.repeat) != (one.letter, 1):
            raise DataError(f"{events}: it has a column {column.name} of another format: rename it")
        rows[:, column.offset : column.offset + column.n_bytes] = _bytes_of(one)
    rows = np.concatenate([rows, *map(_bytes_of, added)], axis=1)
    # The heap of columns of variable length follows the rows.
    data = rows.tobytes() + content[start + n_rows * width : start + hdu.size]
    changes = {"NAXIS1": rows.shape[1], "TFIELDS": header["TFIELDS"] + len(added)}
    if "THEAP" in header:
        changes["THEAP"] = header["THEAP"] + rows.size - n_rows * width
    more = _cards_of(added, header["TFIELDS"]) + _cards_in(cards, comments)
    return with_sums(_changed(content[:start], changes, more), data)


def _bytes_of(column):
    """The values of a column as bytes of the rows, (N, n)."""
    values = np.ascontiguousarray(column.values, FORMATS[column.letter])
    return values.view(np.uint8).reshape(len(values), -1)


def _cards_of(added, n_before):
    """The cards that describe the added columns."""
    found = []
    for number, one in enumerate(added, n_before + 1):
        found.append(fits.Card(f"TTYPE{number}", one.name, printable(one.text)))
        found.append(fits.Card(f"TFORM{number}", one.letter))
    return found


def _cards_in(cards, comments):
    """Further keywords, and comments."""
    found = [fits.Card(key, value, text) for key, (value, text) in cards.items()]
    return found + [fits.Card("COMMENT", printable(text)) for text in comments]


def _changed(content, changes, more):
    """The bytes of a header with some values changed and cards added before its end.

    Checksums are taken out.
    """
    cards = [content[i : i + CARD] for i in range(0, len(content), CARD)]
    end = next(i for i, card in enumerate(cards) if card.rstrip(b" \0") == b"END")
    found = []
    # Keywords that are given again, by an earlier run, take the place of the old ones.
    again = {card.keyword for card in more} - {"COMMENT"}
    for card in cards[:end]:
        key = card[:8].decode("ascii", "replace").strip()
        if key in changes:
            found.append(str(fits.Card(key, changes[key])).encode("ascii"))
        elif key not in _CHANGED and key not in again:
            found.append(card)
    # Blank cards at the end of a header make room for what is added.
    while found and not found[-1].strip():
        found.pop()
    texts = [str(card).encode("ascii") for card in more]
    comments = {text for text in found if re.match(rb"COMMENT ", text)}
    found += [text for text in texts if text not in comments]
    return b"".join(found)
