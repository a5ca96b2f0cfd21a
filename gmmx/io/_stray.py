"""Photons without a position on the sky: rows that hold a wild one instead.

Programs write such rows for events whose position is not known, for instance at -99999999 or at
0, 0. A single one of them would stretch the field over the whole sky.
"""

import warnings

import numpy as np

from ..errors import DataWarning

# No focusing telescope leaves a gap of this width [arcsec] within one field.
LARGEST_GAP = 3600.0
# A larger part of the photons than this is not stray, wherever it lies; of ten photons one may be.
MOST_STRAY, LEAST_PHOTONS = 0.01, 10
# The smallest positive number that may stand for no position.
LEAST_CODE = 1e6


def has_legal_position(path, columns, values):
    """Return which rows have positions in the range that TLMIN and TLMAX of X and Y name.

    The same number in X and Y, at most 0 or at least a million, is taken for a missing value, too,
    if it lies outside the box of all other positions.

    Parameters
    ----------
    path : Path
        The file, for messages.
    columns : dict of str to Column
    values : dict of str to (N,) array
        The columns x and y as they are in the file, with NaN where they have no value. Positions
        that are not legal become NaN, too.

    Returns
    -------
    (N,) array of bool
        NaN is legal here: it is counted elsewhere.

    Warns
    -----
    DataWarning
        If the range leaves out more than half of the rows, and is therefore not applied.
    """
    x, y = values["x"], values["y"]
    legal = np.ones(len(x), bool)
    for name in ("x", "y"):
        low, high = columns[name].limits or (-np.inf, np.inf)
        # Fast, because it is so for nearly all files.
        if np.fmin.reduce(values[name]) >= low and np.fmax.reduce(values[name]) <= high:
            continue
        legal &= ~((values[name] < low) | (values[name] > high))
    n_out = int(np.count_nonzero(~legal))
    if n_out > len(x) / 2:
        warnings.warn(
            f"{path}: TLMIN and TLMAX of X and Y leave out {n_out:,} of {len(x):,} photons, and "
            "are therefore ignored: are they those of another table?",
            DataWarning,
            stacklevel=5,
        )
        legal = np.ones(len(x), bool)
    legal &= ~_without_position(x, y, legal)
    if not legal.all():
        x[~legal] = y[~legal] = np.nan
    return legal


def _without_position(x, y, legal):
    """Return which rows have the same telling number in X and Y, outside all others."""
    coded = x == y
    if not coded.any():
        return coded
    coded &= (x <= 0) | (x >= LEAST_CODE)
    others = legal & ~coded & np.isfinite(x) & np.isfinite(y)
    if np.count_nonzero(others) < LEAST_PHOTONS:
        return np.zeros(len(x), bool)
    return coded & (
        (x < x[others].min())
        | (x > x[others].max())
        | (y < y[others].min())
        | (y > y[others].max())
    )


def is_far_from_others(x, y):
    """Return which few photons are separated from all others by a degree of empty sky.

    Parameters
    ----------
    x, y : (N,) array
        Positions [arcsec]; NaN is allowed.

    Returns
    -------
    (N,) array of bool
        True for at most one in a hundred photons.

    Examples
    --------
    >>> x = np.append(np.linspace(-500.0, 500.0, 200), 1e6)
    >>> is_far_from_others(x, np.zeros(201)).nonzero()
    (array([200]),)
    """
    far = np.zeros(len(x), bool)
    allowed = max(MOST_STRAY * len(x), float(len(x) >= LEAST_PHOTONS))
    # Each round finds the photons beyond a gap on one side of one axis.
    for values in (x, y):
        if np.fmax.reduce(values) - np.fmin.reduce(values) <= LARGEST_GAP:
            continue
        here = np.flatnonzero(np.isfinite(values) & ~far)
        order = here[np.argsort(values[here], kind="stable")]
        gaps = np.flatnonzero(np.diff(values[order]) > LARGEST_GAP) + 1
        if len(gaps) == 0:
            continue
        ends = [0, *gaps, len(order)]
        sizes = np.diff(ends)
        largest = int(np.argmax(sizes))
        if len(order) - sizes[largest] <= allowed:
            far[order[: ends[largest]]] = far[order[ends[largest + 1] :]] = True
    if np.count_nonzero(far) > allowed:
        return np.zeros(len(x), bool)
    return far
