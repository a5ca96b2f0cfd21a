"""Doubts about the values of a catalogue: what can be read, but may not be what it seems."""

import warnings
from collections.abc import Sequence
from os import PathLike

import numpy as np

from .._words import counted
from ..errors import DataWarning

# A value that marks missing ones stands this far from all others [quartile distances].
_GAP = 5.0


def warn_of_markers(path: str | PathLike, x: np.ndarray, names: Sequence[str]) -> None:
    """Warn of values that seem to mark missing ones, such as -9999.

    They are the largest or the smallest value of a column, occur more than once, and are far from
    all others.

    Parameters
    ----------
    path : str or Path
    x : (N, D) array
        NaN where missing.
    names : sequence of str

    Warns
    -----
    DataWarning
        For each such value.
    """
    for name, column in zip(names, x.T, strict=True):
        known = column[np.isfinite(column)]
        for value in {known.min(), known.max()} if known.size else ():
            rest = known[known != value]
            n = known.size - rest.size
            if n < 2 or rest.size < 2:
                continue
            low, high = np.percentile(rest, [25, 75])
            if high > low and np.abs(rest - value).min() > _GAP * (high - low):
                warnings.warn(
                    f"{path}: {name} is {value:g} in {counted(n, 'row')}, far from all others: make"
                    " these cells empty if they mark missing values",
                    DataWarning,
                    stacklevel=5,
                )
