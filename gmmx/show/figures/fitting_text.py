"""Text that fits: its width before it is drawn, and the lines that a width allows."""

from __future__ import annotations

import re
from functools import lru_cache

from matplotlib import rcParams
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

_POINTS_PER_INCH = 72


def width_of(text: str, size: str | float) -> float:
    """Width of a line of text [inch].

    Parameters
    ----------
    text : str
        Mathematics stands between dollar signs.
    size : str or float
        As matplotlib takes it.

    Examples
    --------
    >>> 0.4 < width_of("declination", 8.0) < 0.7
    True
    """
    points = FontProperties(size=size).get_size_in_points()
    return _measured(text, points, tuple(rcParams["font.family"]))


@lru_cache(maxsize=1000)
def _measured(text, points, _family):
    prop = FontProperties(size=points)
    wide, _, _ = text_to_path.get_text_width_height_descent(text, prop, ismath="$" in text)
    return wide / _POINTS_PER_INCH


def lines_of(parts: tuple[str, ...], width: float, size: str | float) -> list[str]:
    """Lines of phrases with commas between them, as many phrases in a line as fit a width [inch].

    A phrase that begins with "at" follows without a comma.

    Examples
    --------
    >>> lines_of(("signal", "deconvolved"), 5.0, 8.0)
    ['signal, deconvolved']
    >>> lines_of(("signal", "deconvolved"), 0.8, 8.0)
    ['signal,', 'deconvolved']
    """
    lines: list[str] = []
    for part in parts:
        comma = "" if part.startswith("at ") else ","
        longer = f"{lines[-1]}{comma} {part}" if lines else part
        if width_of(longer, size) <= width:
            lines[-1:] = [longer]
            continue
        if lines:
            lines[-1] += comma
        lines += _wrapped(part, width, size)
    return lines


def _wrapped(phrase, width, size):
    """A phrase in lines, broken at spaces outside of mathematics."""
    lines = [""]
    for word in re.split(r" (?=(?:[^$]*\$[^$]*\$)*[^$]*$)", phrase):
        longer = f"{lines[-1]} {word}".strip()
        if width_of(longer, size) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
