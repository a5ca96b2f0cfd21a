"""Amounts with intervals, as people write them."""

import numpy as np

from .interval import Interval
from .summary import with_error

# Distances to the two ends of an interval that differ by less than this factor are one error.
_ALIKE = 1.3
# A value outside of its interval that is below this part of its width is shown as zero.
_IS_ZERO = 0.02


def with_interval(value: float, lower: float, upper: float) -> str:
    """A value with the interval of 68 %: one error if its ends are about as far away, else two.

    Parameters
    ----------
    value, lower, upper : float
        In the same unit. If the value lies outside of the interval, both ends are written out.

    Returns
    -------
    str

    Examples
    --------
    >>> with_interval(7.9534e-3, 7.91e-3, 8.0e-3)
    '7.95e-03 +- 4e-05'
    >>> with_interval(7.9534e-3, 7.9e-3, 8.2e-3)
    '(7.95 -0.05 +0.25)e-03'
    >>> with_interval(1200.0, 1170.0, 1300.0)
    '1,200 -30 +100'
    >>> with_interval(1200.0, 1270.0, 1500.0)
    '1,200 (68 %: 1,270 to 1,500)'
    """
    if not np.isfinite([value, lower, upper]).all():
        return f"{with_error(value, np.nan)}, error not known"
    down, up = value - lower, upper - value
    ends = [abs(one) for one in (down, up) if one != 0]
    if not ends or (min(down, up) > 0 and max(ends) <= _ALIKE * min(ends)):
        return with_error(value, (upper - lower) / 2)
    if min(down, up) < 0:
        shown = "0" if value < _IS_ZERO * (upper - lower) else _plain(value)
        return f"{shown} (68 %: {_plain(lower)} to {_plain(upper)})"
    finest = max(min(ends), 1e-3 * max(ends))
    exponent = int(np.floor(np.log10(finest)))
    last = exponent - (finest < 2 * 10.0**exponent)
    size = max(value, down, up)
    power = 0 if 1e-2 <= size < 1e7 else int(np.floor(np.log10(size)))
    decimals = max(0, power - last)
    shown, below, above = (f"{one / 10.0**power:,.{decimals}f}" for one in (value, down, up))
    text = f"{shown} -{below} +{above}"
    return text if power == 0 else f"({text})e{power:+03d}"


def _plain(value):
    """A number with three digits, or all of a large one."""
    return f"{value:,.0f}" if 1e3 <= abs(value) < 1e7 else f"{value:.3g}"


def in_words(interval: Interval, i: int = 0, scale: float = 1.0) -> str:
    """One value of an interval, times a scale, as `with_interval` writes it.

    Examples
    --------
    >>> in_words(Interval.about([40_462.3], [123.4]))
    '40,462 +- 123'
    """
    ends = (interval.value[i], interval.lower68[i], interval.upper68[i])
    return with_interval(*(float(one) * scale for one in ends))
