"""What the rows of an event list tell beyond photons: repetitions, and the times they span."""

import numpy as np

from ..model.records import RowFacts
from ._columns import TIME_COLUMN

# Odd multipliers that mix the bits of a value (splitmix64; Steele, Lea and Flood 2014).
_MIX, _MORE = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)


def row_facts(table):
    """Count the rows that are equal to an earlier one, and find the first and last time.

    Parameters
    ----------
    table : EventTable
        With positions and energies, and with times if the file has them.

    Returns
    -------
    RowFacts
    """
    values, finite = table.values, np.isfinite(table.values["x"]) & np.isfinite(table.values["y"])
    if not finite.all():
        values = {name: column[finite] for name, column in values.items()}
    n, times = len(values["x"]), values.get(TIME_COLUMN)
    names = [name for name in ("x", "y", table.energy.name, TIME_COLUMN) if name in values]
    repeated = _repeated(*(values[name] for name in names))
    by_chance = 0.0
    if repeated and times is None:
        by_chance = _pairs(values["x"], values["y"])
        if table.energy.name is not None:
            # The probability that two photons have one energy.
            energies = np.unique(values[table.energy.name], return_counts=True)[1] / n
            by_chance *= float((energies**2).sum())
    known = times[np.isfinite(times)] if times is not None else np.zeros(0)
    span = (float(known.min()), float(known.max())) if len(known) else None
    return RowFacts(n_rows=n, n_repeated=repeated, n_by_chance=by_chance, time_span=span)


def _repeated(*columns):
    """Return the number of rows that are equal to another one before them."""
    return int(np.count_nonzero(_equal_neighbours(columns)))


def _pairs(*columns):
    """Return the number of pairs of equal rows."""
    lengths = np.diff(np.flatnonzero(np.append(np.insert(~_equal_neighbours(columns), 0, True), 1)))
    return float((lengths * (lengths - 1) / 2).sum())


def _equal_neighbours(columns):
    """Return whether each row but the first equals the one before it, in the order of hashes."""
    hashes = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        # Zero and minus zero are one number.
        bits = (np.asarray(column, np.float64) + 0.0).view(np.uint64)
        hashes = (hashes ^ bits) * _MIX
        hashes ^= hashes >> np.uint64(29)
        hashes *= _MORE
    hashes.sort()
    return hashes[1:] == hashes[:-1]
