"""The layout of panels: sizes in units of the text, so that nothing depends on the figure's width.

Every row has a strip above its panels: the colour bars with their labels, and the titles. Maps that
stand beside or above one another share their coordinates, and pictures of one scale share one bar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from string import ascii_lowercase

from . import marks as on
from .colour import flat_bar
from .panel import Drawn, Panel
from .panels import draw_panel
from .paper_figure import PaperFigure
from .style import em
from .view import View
from .words import write_heading

# Narrowest panel, in units of the text's size.
_NARROWEST = 11.5
# Distances in units of the text's size: labels at the left or right of a panel, and below it; a
# gap without labels; the title; the bar with its numbers and its label; the heading.
_LABELS, _BELOW, _GAP, _TITLE, _BAR, _HEADING = 4.0, 3.7, 0.8, 1.6, 3.6, 3.4
# The same for the labels of a curve, which may be powers of ten.
_POWERS = 5.2
_BAR_HEIGHT = 0.5
_RIGHT = 1.1
# Height of a curve over its width, where no map sets it.
_CURVE = 0.9


@dataclass(frozen=True, eq=False)
class _Cell:
    """A panel at its place: row, column and box [inch from the left and from the top]."""

    panel: Panel
    row: int
    column: int
    left: float
    top: float
    width: float
    height: float


def panels_figure(
    view: View, panels: Sequence[Panel], *, heading: bool = False, lettered: bool = False
) -> PaperFigure:
    """Figure of panels in rows, as many in a row as the width allows.

    Parameters
    ----------
    view : View
    panels : sequence of Panel
    heading : bool
        Whether target and facts of the fit stand above.
    lettered : bool
        Whether the titles begin with (a), (b) and so on.

    Returns
    -------
    matplotlib.figure.Figure
        Its axes are labelled with the names of the panels; those of the colour bars end in "bar".
    """
    width = view.config.inches
    cells, height = _placed(view, panels, width, heading)
    figure = PaperFigure(figsize=(width, height))
    drawn: list[tuple[_Cell, Drawn]] = []
    first_map = True
    for cell in cells:
        axes = _axes(figure, cell, view)
        left, bottom = _labelled(cell, cells)
        one = draw_panel(cell.panel, axes, view, left=left, bottom=bottom, marked=first_map)
        first_map = first_map and not cell.panel.on_sky
        if not cell.panel.on_sky and cell.column > 0 and cell.column == _last_column(cells):
            _label_at_right(figure, axes)
        if lettered:
            on.title(axes, f"({ascii_lowercase[len(drawn)]}) {one.title}")
        drawn.append((cell, one))
    _draw_bars(figure, drawn)
    if heading:
        write_heading(figure, view.result, left=_GAP * em())
    return figure


def _placed(view, panels, width, heading):
    """The places of panels, and the height of the figure [inch]."""
    unit = em()
    room = width - (_LABELS + _RIGHT) * unit
    n = len(panels)
    columns = max(1, min(n, int((room + _GAP * unit) / ((_NARROWEST + _GAP) * unit))))
    # Rows are filled evenly: four panels make two rows of two rather than three and one.
    columns = -(-n // -(-n // columns))
    gaps = [_gap_before(panels, column, columns) for column in range(columns)]
    curve_last = columns > 1 and any(not p.on_sky for p in panels[columns - 1 :: columns])
    right = _POWERS if curve_last else _RIGHT
    side = (width - (sum(gaps) + right) * unit) / columns
    cells, top = [], (_HEADING if heading else _GAP / 2) * unit
    for row, first in enumerate(range(0, n, columns)):
        its = panels[first : first + columns]
        top += (_TITLE + (_BAR if any(p.on_sky for p in its) else 0)) * unit
        tall = side * (view.sky.aspect if any(p.on_sky for p in its) else _CURVE)
        left = 0.0
        for column, panel in enumerate(its):
            left += gaps[column] * unit
            cells.append(_Cell(panel, row, column, left, top, side, tall))
            left += side
        ends = first + columns >= n or any(not p.on_sky for p in panels[first:])
        top += tall + (_BELOW if ends else _GAP) * unit
    return cells, top


def _gap_before(panels, column, columns):
    """Space before a column in units of the text: for labels, where a panel has its own."""
    if column == 0:
        return _LABELS
    here, before = (panels[c::columns] for c in (column, column - 1))
    if column == columns - 1 and all(p.on_sky for p in before):
        return _GAP
    return _GAP if all(p.on_sky for p in (*here, *before)) else _LABELS + _GAP


def _axes(figure, cell, view):
    """Make the axes of a panel."""
    width, height = figure.get_size_inches()
    box = (
        cell.left / width,
        1 - (cell.top + cell.height) / height,
        cell.width / width,
        cell.height / height,
    )
    projection = {"projection": view.sky.wcs} if cell.panel.on_sky else {}
    return figure.add_axes(box, label=cell.panel.name, **projection)


def _last_column(cells):
    return max(cell.column for cell in cells)


def _labelled(cell, cells):
    """Whether a map has coordinates at its left and below it: where no other map has them."""
    maps = {(one.row, one.column) for one in cells if one.panel.on_sky}
    rows_end = any(not one.panel.on_sky for one in cells if one.row > cell.row)
    below = (cell.row + 1, cell.column) in maps and not rows_end
    return (cell.row, cell.column - 1) not in maps, not below


def _label_at_right(figure, axes):
    """Move the labels of a curve to its right side, where the row ends."""
    place = axes.get_position(original=True).bounds
    for one in figure.axes:
        # A panel of two parts has axes that share one place.
        if one is axes or (
            one.get_axes_locator() is not None and one.get_position(original=True).bounds == place
        ):
            one.yaxis.tick_right()
            one.yaxis.set_label_position("right")
            one.tick_params(which="both", left=True)


def _draw_bars(figure, drawn):
    """Draw the colour bars above the rows: one for neighbours of one scale."""
    height = figure.get_figheight()
    bars = [(cell, one) for cell, one in drawn if one.shown is not None]
    for _, group in groupby(bars, key=lambda pair: (pair[0].row, id(pair[1].shown.norm))):
        (first, one), (last, _) = (pairs := list(group))[0], pairs[-1]
        unit = em()
        width = figure.get_figwidth()
        low = first.top - (_TITLE + _BAR_HEIGHT) * unit
        box = (
            first.left / width,
            1 - (low + _BAR_HEIGHT * unit) / height,
            (last.left + last.width - first.left) / width,
            _BAR_HEIGHT * unit / height,
        )
        axes = figure.add_axes(box, label=f"{first.panel.name} bar")
        flat_bar(figure, one.shown, axes, one.label, low=one.low, ticks=one.ticks)
