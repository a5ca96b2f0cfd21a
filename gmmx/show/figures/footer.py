"""The warnings of a fit below its figure, in lines of the figure's width."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from ...model.result import FitResult
from ..cautions import cautions
from .style import SMALL, em

CAUTION = "#a11a10"
_POINTS_PER_INCH = 72
# Distance of two lines, and of the text from the panels, in units of the text's size.
_LINE, _SPACE = 1.3, 0.9


def write_cautions(figure: Figure, results: Sequence[FitResult]) -> None:
    """Write the warnings of fits below everything else; the figure grows by their lines.

    Parameters
    ----------
    figure : Figure
        With axes at fixed places: no layout engine moves them.
    results : sequence of FitResult
    """
    found = list(dict.fromkeys(text for result in results for text in cautions(result)))
    if found:
        name = "Warning" if len(found) == 1 else "Warnings"
        text = f"{name}: {'. '.join(map(_capital, found))}."
        write_below(figure, text, colour=CAUTION, name="warnings")


def write_below(figure: Figure, text: str, *, colour: str, name: str = "") -> None:
    """Write a text below everything else, in lines of the figure's width.

    Parameters
    ----------
    figure : Figure
    text : str
    colour : str
    name : str
        Stored as the group id of the text.
    """
    if not text:
        return
    size = FontProperties(size=SMALL).get_size_in_points()
    width, height = figure.get_size_inches()
    left = em()
    text = text.replace("cm^2", "cm\N{SUPERSCRIPT TWO}")
    lines = wrapped(text, (width - 2 * left) * _POINTS_PER_INCH, size)
    unit = size / _POINTS_PER_INCH
    added = (_LINE * len(lines) + _SPACE) * unit
    _lift(figure, added)
    # A dollar sign would start a formula.
    shown = "\n".join(lines).replace("$", r"\$")
    place = left / width, 0.5 * _SPACE * unit / (height + added)
    style: dict[str, Any] = {"fontsize": size, "color": colour, "linespacing": _LINE / 1.2}
    figure.text(*place, shown, va="bottom", ha="left", gid=name, **style)


def wrapped(text: str, width: float, size: float) -> list[str]:
    """Lines of a text that are not wider than a width [pt], unless one word is.

    Examples
    --------
    >>> wrapped("no exposure map", 1.0, 8.0), wrapped("no exposure map", 500.0, 8.0)
    (['no', 'exposure', 'map'], ['no exposure map'])
    """
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and _width(longer, size) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _width(text, size):
    return text_to_path.get_text_width_height_descent(text, FontProperties(size=size), False)[0]


def _capital(text):
    """A sentence begins with a capital letter, but the name of a file stays as it is."""
    first = text.split(" ", 1)[0]
    return text if "." in first or "_" in first else text[:1].upper() + text[1:]


def _lift(figure, added):
    """Make room below the axes and texts of a figure [inch]."""
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + added)
    scale, shift = height / (height + added), added / (height + added)
    for axes in figure.axes:
        box = axes.get_position(original=True)
        axes.set_position((box.x0, shift + scale * box.y0, box.width, scale * box.height))
    for text in figure.texts:
        x, y = text.get_position()
        text.set_position((x, shift + scale * y))
