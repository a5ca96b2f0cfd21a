"""The layout of panels: sizes in units of the text, so that nothing depends on the figure's width.

Every row has a strip above its panels: the colour bars with their labels, and the titles. Maps that
stand beside or above one another share their coordinates, and pictures of one scale share one bar.
The panels are drawn first; the lines of their titles and labels then decide the heights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from string import ascii_lowercase

from matplotlib.axes import Axes

from . import marks as on
from .colour import flat_bar, power_of, scaled
from .fitting_text import lines_of
from .panel import Drawn, Panel
from .panels import draw_panel
from .paper_figure import PaperFigure
from .style import MEDIUM, SMALL, em
from .view import View
from .words import heading_lines, write_heading

# Narrowest panel, in units of the text's size.
_NARROWEST = 14.0
# Distances in units of the text's size: labels at the left or right of a panel, and below it; a
# gap without labels; a line of a title; the bar with its numbers; a line of its label; the heading.
_LEFT, _RIGHT, _BELOW, _GAP = 4.2, 5.2, 3.5, 0.8
_TITLE, _BAR, _LABEL, _HEADING = 1.25, 2.3, 1.0, 3.6
_SPACE, _MARGIN = 0.45, 1.1
_BAR_HEIGHT = 0.5
# Height of a curve over its width, where no map sets it.
_CURVE = 0.9


@dataclass(frozen=True, eq=False)
class _Cell:
    """A panel at its place: row, column, and its box along x [inch]; what it drew, and where."""

    panel: Panel
    row: int
    column: int
    left: float
    width: float
    axes: Axes | None = None
    drawn: Drawn = field(default_factory=lambda: Drawn(("",)))

    @property
    def right(self):
        return self.left + self.width


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
    PaperFigure
        Its axes are labelled with the names of the panels; those of the colour bars end in "bar".
    """
    width = view.config.inches
    cells = _columns(panels, width, least=2 if heading else 1)
    # The height is set at the end, and does not change what is drawn.
    figure = PaperFigure(figsize=(width, width))
    drawn = [_drawn(figure, cell, cells, view) for cell in cells]
    if lettered:
        drawn = [
            _lettered(one, letter) for one, letter in zip(drawn, ascii_lowercase, strict=False)
        ]
    bars = _bars(drawn)
    lines = heading_lines(view.result, width - 2 * _GAP * em()) if heading else []
    _arrange(figure, drawn, bars, view, top=_HEADING + 1.15 * (len(lines) - 2) if lines else 0.3)
    if lines:
        write_heading(figure, lines, left=_GAP * em())
    return figure


def _columns(panels, width, least):
    """Rows and columns of panels, at least so many columns, and their boxes along x."""
    unit, n = em(), len(panels)
    room = width / unit - _LEFT - _MARGIN
    columns = max(least, min(n, int((room + _GAP) / (_NARROWEST + _GAP))))
    # Rows are filled evenly: four panels make two rows of two rather than three and one.
    columns = -(-n // -(-n // columns))
    gaps = [_gap_before(panels, column, columns) for column in range(columns)]
    at_right = columns > 1 and any(not p.on_sky for p in panels[columns - 1 :: columns])
    side = (width - (sum(gaps) + (_RIGHT if at_right else _MARGIN)) * unit) / columns
    lefts = [sum(gaps[: i + 1]) * unit + i * side for i in range(columns)]
    return [
        _Cell(panel, i // columns, i % columns, lefts[i % columns], side)
        for i, panel in enumerate(panels)
    ]


def _gap_before(panels, column, columns):
    """Space before a column in units of the text: for labels, where a panel has its own."""
    if column == 0:
        return _LEFT
    here, before = (panels[c::columns] for c in (column, column - 1))
    shared = all(p.on_sky for p in before) and (
        column == columns - 1 or all(p.on_sky for p in here)
    )
    return _GAP if shared else _LEFT + _GAP


def _drawn(figure, cell, cells, view):
    """Draw a panel into axes whose width is final."""
    width = figure.get_figwidth()
    tall = view.sky.aspect if cell.panel.on_sky else _CURVE
    box = cell.left / width, 0.0, cell.width / width, tall * cell.width / width
    projection = {"projection": view.sky.wcs} if cell.panel.on_sky else {}
    axes = figure.add_axes(box, label=cell.panel.name, **projection)
    maps = [(one.row, one.column) for one in cells if one.panel.on_sky]
    last_row = max((row for row, column in maps if column == cell.column), default=-1)
    shared = all(one.panel.on_sky for one in cells)
    left = (cell.row, cell.column - 1) not in maps
    bottom = cell.row == last_row or not shared
    marked = cell.panel.on_sky and (cell.row, cell.column) == maps[0]
    others = set(figure.axes)
    drawn = draw_panel(cell.panel, axes, view, left=left, bottom=bottom, marked=marked)
    if not cell.panel.on_sky and 0 < cell.column == max(one.column for one in cells):
        for one in {axes} | set(figure.axes) - others:
            one.yaxis.tick_right()
            one.yaxis.set_label_position("right")
            one.tick_params(which="both", left=True)
    return replace(cell, axes=axes, drawn=drawn)


def _lettered(cell, letter):
    first, *others = cell.drawn.title
    return replace(cell, drawn=replace(cell.drawn, title=(f"({letter}) {first}", *others)))


def _bars(cells):
    """Cells with one colour bar: neighbours in a row that have one scale."""
    coloured = [cell for cell in cells if cell.drawn.shown is not None]
    groups = groupby(coloured, key=lambda cell: (cell.row, id(cell.drawn.shown.norm)))
    return [list(group) for _, group in groups]


def _label(cell):
    """The phrases of a colour bar's label, the power of ten of its numbers before the first."""
    norm, (first, *others) = cell.drawn.shown.norm, cell.drawn.label
    return scaled(first, power_of(max(abs(norm.vmin), abs(norm.vmax)))), *others


def _arrange(figure, cells, bars, view, top):
    """Set the height of the figure, and put panels, titles and colour bars in their places."""
    unit, width = em(), figure.get_figwidth()
    titles = [lines_of(cell.drawn.title, cell.width, MEDIUM) for cell in cells]
    labels = [lines_of(_label(its[0]), its[-1].right - its[0].left, SMALL) for its in bars]
    shared = all(cell.panel.on_sky for cell in cells)
    n_rows = cells[-1].row + 1
    tops, heights, y = [], [], top * unit
    for row in range(n_rows):
        its = [cell for cell in cells if cell.row == row]
        lines = max(len(t) for t, cell in zip(titles, cells, strict=True) if cell.row == row)
        names = [len(t) for t, b in zip(labels, bars, strict=True) if b[0].row == row]
        bar = _BAR + _LABEL * max(names) if names else 0.0
        y += (_TITLE * lines + _SPACE + bar) * unit
        is_map = any(cell.panel.on_sky for cell in its)
        tall = its[0].width * (view.sky.aspect if is_map else _CURVE)
        tops.append(y)
        heights.append(tall)
        y += tall + (_GAP if shared and row < n_rows - 1 else _BELOW) * unit
    figure.set_figheight(y)

    def box(left, low, wide, tall):
        return left / width, 1 - low / y, wide / width, tall / y

    for cell, lines in zip(cells, titles, strict=True):
        low = tops[cell.row] + heights[cell.row]
        cell.axes.set_position(box(cell.left, low, cell.width, heights[cell.row]))
        on.title(cell.axes, "\n".join(lines))
    for its, lines in zip(bars, labels, strict=True):
        first, drawn = its[0], its[0].drawn
        above = max(len(t) for t, c in zip(titles, cells, strict=True) if c.row == first.row)
        low = tops[first.row] - (_TITLE * above + _SPACE) * unit
        place = box(first.left, low, its[-1].right - first.left, _BAR_HEIGHT * unit)
        axes = figure.add_axes(place, label=f"{first.panel.name} bar")
        label = "\n".join(lines)
        flat_bar(figure, drawn.shown, axes, label, low=drawn.low, ticks=drawn.ticks)
