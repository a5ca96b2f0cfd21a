"""The style of figures: sizes for print, and style sheets of matplotlib."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

import matplotlib
from matplotlib import rc_context, rcParams
from matplotlib.style import library

from ...errors import InputError

# Sizes relative to `font.size`: 7 pt for the smallest text. A style sheet scales them all.
SMALL, MEDIUM, LARGE = "small", "medium", "x-large"
INK = "#222222"
_POINTS_PER_INCH = 72
_OURS: Any = {
    "font.size": 8.5,
    "axes.titlesize": MEDIUM,
    "axes.labelsize": MEDIUM,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.0,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "hatch.linewidth": 0.5,
    "figure.facecolor": "white",
    # Fonts are embedded as fonts, so that a journal can set and search the text.
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    # Identifiers inside of an SVG are made from this word; random ones would differ each time.
    "svg.hashsalt": "gmmx",
}
# Settings of matplotlib are global: figures of several threads are drawn one after the other.
_LOCK = RLock()


@contextmanager
def styled(sheet: str | None = None) -> Iterator[None]:
    """Draw with the settings of figures, and with those of a style sheet over them.

    Parameters
    ----------
    sheet : path, optional
        A file of matplotlib settings, or the name of a style that comes with matplotlib.

    Raises
    ------
    InputError
        If the sheet cannot be read.

    Examples
    --------
    >>> with styled():
    ...     round(0.833 * rcParams["font.size"], 1)
    7.1
    """
    settings = {} if sheet is None else _sheet(sheet)
    with _LOCK, rc_context(_OURS), rc_context(settings):
        yield


def em() -> float:
    """Size of the text of a figure [inch], the unit of its margins."""
    return float(rcParams["font.size"]) / _POINTS_PER_INCH


def _sheet(name):
    """The settings of a style sheet."""
    if name in library:
        return library[name]
    try:
        with Path(name).open(encoding="utf-8") as lines:
            unknown = [key for key in map(_key, lines) if key and key not in rcParams]
        if unknown:
            raise ValueError(f"{unknown[0]} is no setting of matplotlib")
        return matplotlib.rc_params_from_file(name, fail_on_error=True, use_default_template=False)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        cause = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise InputError(
            f"`style` = {name}: not a style sheet of matplotlib: {cause}. Give a file of lines "
            "such as font.size: 9, or a name such as grayscale",
            parameter="style",
        ) from None


def _key(line):
    """The setting that a line of a style sheet makes; empty if it makes none."""
    text = line.split("#", 1)[0].strip()
    return text.partition(":")[0].strip()
