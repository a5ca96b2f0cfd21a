"""Filters of columns of bits by a pattern, as CIAO writes them: status=xxxx0000x0000000."""

import re
from dataclasses import dataclass

import numpy as np

from ..errors import DataError

# A pattern has an x, a b before it, or so many digits with a leading zero that it is no number.
_PATTERN = re.compile(r"[bB][01xX]+|[01xX]*[xX][01xX]*|0[01]{7,}")


@dataclass(frozen=True)
class BitFilter:
    """A pattern of bits.

    Attributes
    ----------
    column : str
        Name of the column in lower case.
    pattern : str
        0 or 1 for each bit that must have this value, x for each that may have any.
    exclude : bool
        Whether the filter drops the rows that have the pattern (True) or all others (False).
    text : str
        The condition as it was written.

    Examples
    --------
    >>> one = BitFilter("status", "0x1", exclude=False, text="status=0x1")
    >>> one.keeps(np.array([0b001, 0b011, 0b101, 0b000], dtype=np.uint64))
    array([ True,  True, False, False])
    """

    column: str
    pattern: str
    exclude: bool
    text: str

    def keeps(self, values: np.ndarray) -> np.ndarray:
        """Return whether each of (N,) unsigned integers passes."""
        mask = int(re.sub("[01]", "1", self.pattern).replace("x", "0"), 2)
        wanted = int(self.pattern.replace("x", "0"), 2)
        return ((values & np.uint64(mask)) == np.uint64(wanted)) != self.exclude

    def check(self, path, column):
        """Make sure that a column has as many bits as the pattern.

        Parameters
        ----------
        path : Path
            The file, for messages.
        column : Column

        Raises
        ------
        DataError
        """
        if not (column.is_bits and column.repeat == len(self.pattern)):
            has = f"{column.repeat} bits" if column.is_bits else "numbers instead of bits"
            raise DataError(
                f"{path}: [{self.text}] is a pattern of {len(self.pattern)} bits, and column "
                f"{column.name} has {has}: give a pattern of its length, or a number"
            )


def read_pattern(value: str) -> str | None:
    """Return a pattern of bits in lower case; None if a value is none.

    Parameters
    ----------
    value : str

    Examples
    --------
    >>> read_pattern("xx00X"), read_pattern("b101"), read_pattern("0"), read_pattern("101")
    ('xx00x', '101', None, None)
    """
    if not _PATTERN.fullmatch(value) or not value.strip("0"):
        return None
    return value.lower().lstrip("b")
