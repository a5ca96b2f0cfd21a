"""Contours of the signal over any map, with their levels."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...config.figures import parsed_contours
from ...errors import DataWarning
from .colour import numbers, power_of
from .fitting_text import width_of
from .marks import shade
from .style import SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

    from .view import View

# A contour that is shorter than this part of the panel's width has no label.
_SHORTEST = 0.35
# Places along a contour where its label is tried, and its least distance from the panel's edge.
_TRIED, _EDGE = 24, 0.08
# Corners of the panel where scale bar, arrows and beam stand: x0, x1, y0, y1 [part of its sides].
_TAKEN = ((0.0, 0.4, 0.0, 0.2), (0.72, 1.0, 0.0, 0.28), (0.0, 0.55, 0.85, 1.0))


def draw_contours(axes: Axes, view: View, ink: str) -> list[Text]:
    """Draw contours of the signal with their levels, and return the texts of the levels.

    Levels have the power of ten of the colour bar of surface brightness taken out.
    """
    values = view.scene.signal * view.scale
    low, high = float(values.min()), float(values.max())
    levels = [level for level in levels_of(view) if low < level < high]
    if not levels:
        _warn_of_none(view, low, high)
        return []
    drawn = axes.contour(values, levels=levels, colors=[ink], linewidths=0.6)
    drawn.set_path_effects(shade(ink))
    label = numbers(power_of(view.limits[1]))
    style: dict[str, Any] = {"fmt": lambda level: label(level, None), "fontsize": SMALL}
    places = _places(axes, drawn)
    texts = axes.clabel(drawn, manual=places, **style) if places else []
    for text in texts:
        text.set_path_effects(shade(ink))
        text.set_clip_on(True)
    return list(texts)


def _warn_of_none(view, low, high):
    """Say that no level is drawn, unless the title says that there is no signal at all."""
    if high > 0:
        warnings.warn(
            f"`contours` = {view.config.contours}: the signal crosses no level; it is from "
            f"{low:.3g} to {high:.3g}",
            DataWarning,
            stacklevel=3,
        )


def _places(axes, drawn):
    """One place for the label of each level, on its longest line and far from other labels."""
    (x0, x1), (y0, y1) = axes.get_xlim(), axes.get_ylim()
    low, size = np.array([x0, y0]), np.array([x1 - x0, y1 - y0])
    places = np.zeros((0, 2))
    for path in drawn.get_paths():
        lines = [line for line in path.to_polygons(closed_only=False) if len(line) > 1]
        lengths = [np.hypot(*np.diff(line, axis=0).T).sum() / size[0] for line in lines]
        if not lines or max(lengths) < _SHORTEST:
            continue
        line = lines[int(np.argmax(lengths))]
        tried = line[np.linspace(0, len(line) - 1, _TRIED).astype(int)]
        within = (tried - low) / size
        edge = np.minimum(within, 1 - within).min(1)
        apart = np.hypot(*(tried[:, None] - places).transpose(2, 0, 1) / size[0])
        taken = np.any([_inside(within, box) for box in _TAKEN], axis=0)
        free = np.minimum(apart.min(1, initial=1.0), 1.0) - 2 * (edge < _EDGE) - taken
        places = np.vstack([places, tried[np.argmax(free)]])
    return [tuple(place) for place in places]


def _inside(within, box):
    """Whether places lie in a part of the panel."""
    x0, x1, y0, y1 = box
    x, y = within.T
    return (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)


def levels_of(view: View) -> Sequence[float]:
    """The levels of the contours, in the units of the view."""
    levels = parsed_contours(view.config.contours or "5")
    if isinstance(levels, tuple):
        return levels
    values = view.scene.signal * view.scale
    top = float(values.max(initial=0.0))
    if top <= 0:
        return []
    low = max(min(view.limits[0], top / 10), float(values.min()), 1e-300)
    return [float(f"{one:.2g}") for one in np.geomspace(low, top, levels + 2)[1:-1]]


def boxes_of(texts: Sequence[Text], height: float) -> np.ndarray:
    """Centres and half sizes of turned texts in data coordinates, (n, 4).

    Parameters
    ----------
    texts : sequence of Text
    height : float
        Of the text in data coordinates.
    """
    boxes = np.zeros((len(texts), 4))
    for box, text in zip(boxes, texts, strict=True):
        angle = np.radians(text.get_rotation())
        wide = height * width_of(text.get_text(), SMALL) / width_of("0000", SMALL) * 2.2
        cosine, sine = abs(np.cos(angle)), abs(np.sin(angle))
        sides = wide * cosine + height * sine, wide * sine + height * cosine
        box[:] = *text.get_position(), *(np.array(sides) / 2)
    return boxes
