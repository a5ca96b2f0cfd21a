"""Ends of central intervals of many columns of numbers."""

import math

import numpy as np

from ._jit import kernel, parallel_kernel, prange

# Columns that are copied at a time.
_COLUMNS = 64


@parallel_kernel
def interval_ends(values, part, lower, upper):
    """Quantiles of each column at two parts, with straight lines between the sorted numbers.

    Parameters
    ----------
    values : (N, M) array
        At least 4 numbers in each column.
    part : float
        Below 1/2: the quantiles are at `part` and at 1 - `part`.
    lower, upper : (M,) arrays
        They are written.
    """
    n, m = values.shape
    place = part * (n - 1)
    below = math.floor(place)
    rest = place - below
    above = n - 1 - below
    for chunk in prange((m + _COLUMNS - 1) // _COLUMNS):
        start, stop = chunk * _COLUMNS, min((chunk + 1) * _COLUMNS, m)
        columns = np.empty((stop - start, n))
        for i in range(n):
            for j in range(start, stop):
                columns[j - start, i] = values[i, j]
        for j in range(start, stop):
            column = columns[j - start]
            _select(column, 0, n - 1, below)
            low = column[below]
            _select(column, below + 1, n - 1, above)
            high = column[above]
            after = column[below + 1]
            for i in range(below + 2, above):
                after = min(after, column[i])
            before = column[below + 1]
            for i in range(below + 2, above):
                before = max(before, column[i])
            lower[j] = low + rest * (min(after, high) - low)
            upper[j] = high - rest * (high - max(before, low))


@kernel
def _select(column, first, last, k):
    """Put the k-th smallest number into its place, smaller ones before and larger ones after."""
    while first < last:
        pivot = column[(first + last) // 2]
        i, j = first, last
        while i <= j:
            while column[i] < pivot:
                i += 1
            while column[j] > pivot:
                j -= 1
            if i <= j:
                column[i], column[j] = column[j], column[i]
                i += 1
                j -= 1
        if k <= j:
            last = j
        elif k >= i:
            first = i
        else:
            return
