"""The warnings of a fit below its figure, in lines of the figure's width."""

from typing import Any

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from ...model.result import FitResult
from ..cautions import cautions

CAUTION = "#a11a10"
_POINTS_PER_INCH = 72
# Distance of two lines, and of the text from the panels, in units of the text's size.
_LINE, _SPACE = 1.3, 0.9


def write_cautions(figure: Figure, result: FitResult, *, size: float, left: float = 0.1) -> None:
    """Write the warnings of a fit below everything else; the figure grows by their lines.

    Parameters
    ----------
    figure : Figure
        With axes at fixed places: no layout engine moves them.
    result : FitResult
    size : float
        Of the text [pt].
    left : float
        Space at both sides [inch].
    """
    found = cautions(result)
    if not found:
        return
    text = f"{'Warning' if len(found) == 1 else 'Warnings'}: {'. '.join(map(_capital, found))}."
    width, height = figure.get_size_inches()
    lines = wrapped(text, (width - 2 * left) * _POINTS_PER_INCH, size)
    unit = size / _POINTS_PER_INCH
    added = (_LINE * len(lines) + _SPACE) * unit
    _lift(figure, added)
    # A dollar sign would start a formula.
    shown = "\n".join(lines).replace("$", r"\$")
    place = left / width, 0.5 * _SPACE * unit / (height + added)
    style: dict[str, Any] = {"fontsize": size, "color": CAUTION, "linespacing": _LINE / 1.2}
    figure.text(*place, shown, va="bottom", ha="left", gid="warnings", **style)


def wrapped(text: str, width: float, size: float) -> list[str]:
    """Lines of a text that are not wider than a width [pt], unless one word is.

    Examples
    --------
    >>> wrapped("no exposure map: vignetting as at 0.5-2 keV", 130.0, 8.0)
    ['no exposure map: vignetting', 'as at 0.5-2 keV']
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
