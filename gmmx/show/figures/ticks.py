"""The ticks of maps: round values whose numbers fit into the edge that they stand at."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from .fitting_text import width_of
from .style import SMALL, em

if TYPE_CHECKING:
    from astropy.units import Quantity, UnitBase

# Numbers of ticks that are tried; the largest number that fits is taken.
_NUMBERS = (2, 3, 4, 5, 6, 7, 9, 12)
_MOST = 5
# Space between two numbers, and how far a number may stand out at the ends of its edge [em].
_SPACE, _OVER = 0.8, 0.3
# Numbers but the first leave out the fields that they share: width of the others [of the first].
_SHORTER = 0.75


@dataclass(frozen=True)
class Notation:
    """How a coordinate is written.

    Attributes
    ----------
    unit : Unit
        The ticks are round numbers of it: hours, degrees, arcmin or arcsec.
    decimal : bool
        Whether it is a decimal number, or else degrees or hours with minutes and seconds.
    """

    unit: UnitBase
    decimal: bool = False


def place_ticks(coordinate: Any, values: np.ndarray, length: float, notation: Notation) -> None:
    """Set the ticks of a coordinate of WCSAxes.

    Parameters
    ----------
    coordinate : CoordinateHelper
    values : (n,) array
        The coordinate at equal steps along the edge [deg]; longitudes without jumps.
    length : float
        Of the edge [inch].
    notation : Notation
    """
    from astropy import units

    best: tuple[list[float], str] = [], ""
    for number in _NUMBERS:
        ticks, form = _round_values(values, number, notation)
        kept, clear = _fitting(ticks, form, values, length, notation)
        if clear and len(best[0]) < len(kept) <= _MOST:
            best = kept, form
    coordinate.set_format_unit(notation.unit, decimal=notation.decimal)
    if not best[0]:
        coordinate.set_ticks(number=3)
        return
    coordinate.set_major_formatter(best[1])
    coordinate.set_ticks(values=np.array(best[0]) * units.deg)


def _round_values(values, number, notation):
    """Round values of a coordinate inside its range [deg], and the format that writes them."""
    found = _locator(notation, number=number)
    from astropy import units

    low, high = (np.array([values.min(), values.max()]) * units.deg).to_value(notation.unit)
    ticks, spacing = found.locator(float(low), float(high))
    return ticks.to_value("deg"), _form(spacing, notation)


def _locator(notation, **options):
    from astropy.visualization.wcsaxes.formatter_locator import AngleFormatterLocator

    return AngleFormatterLocator(
        unit=notation.unit, decimal=notation.decimal, show_decimal_unit=False, **options
    )


def _form(spacing: Quantity, notation: Notation) -> str:
    """The format of astropy that writes multiples of a spacing without rounding.

    Examples
    --------
    >>> from astropy import units
    >>> _form(20 * units.arcsec, Notation(units.deg))
    'dd:mm:ss'
    >>> _form(0.05 * units.deg, Notation(units.deg, decimal=True))
    'd.dd'
    """
    step = spacing.to_value(notation.unit)
    if notation.decimal:
        letter = {"deg": "d", "arcmin": "m", "arcsec": "s"}[str(notation.unit)]
        return letter + _decimals(step, letter)
    letter = "h" if str(notation.unit) == "hourangle" else "d"
    seconds = 3600 * step
    if abs(seconds / 60 - round(seconds / 60)) < 1e-6:
        return f"{2 * letter}:mm"
    return f"{2 * letter}:mm:ss{_decimals(seconds, 's')}"


def _decimals(step, letter):
    """The decimals of a format that writes multiples of a step."""
    n = next(n for n in range(9) if abs(step * 10**n - round(step * 10**n)) < 1e-6 * 10**n * step)
    return "." + n * letter if n else ""


def _fitting(ticks, form, values, length, notation):
    """Ticks whose numbers lie inside the edge, and whether none of them touches another.

    The first number is written in full, and the others without the fields that they share.
    """
    from astropy import units

    write = _locator(notation, format=form).formatter
    texts = write(ticks * units.deg, 1 * units.deg) if len(ticks) else []
    widths = [width_of(text, SMALL) for text in texts]
    crossed = [_crossings(values, tick) * length for tick in ticks]
    first = min((float(at.min()) for at in crossed if len(at)), default=0.0)
    shorter = 1.0 if notation.decimal else _SHORTER
    kept, ends = [], []
    for tick, wide, places in zip(ticks, widths, crossed, strict=True):
        half = [wide / 2 * (1.0 if at == first else shorter) for at in places]
        spans = [(at - h, at + h) for at, h in zip(places, half, strict=True)]
        over = _OVER * em()
        if spans and all(low > -over and high < length + over for low, high in spans):
            kept.append(float(tick))
            ends += spans
    ends.sort()
    space = _SPACE * em()
    return kept, all(right + space < left for (_, right), (left, _) in pairwise(ends))


def _crossings(values, tick):
    """Where the coordinate has a value along the edge, in fractions of its length."""
    below = values - tick
    at = np.flatnonzero(np.diff(np.signbit(below)))
    return (at + below[at] / (below[at] - below[at + 1])) / (len(values) - 1)
