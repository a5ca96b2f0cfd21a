"""Ellipses of the components with their numbers, where they do not lie on one another."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import Ellipse

from .colour import FLAG
from .contours import boxes_of
from .marks import shade
from .style import SMALL, em

# Directions in which the number of a component is tried, and distances [its own height].
_TURNS = np.radians([45, 135, 225, 315, 90, 270, 20, 160, 200, 340])
_STEPS = (0.0, 1.0, 1.6, 2.4, 3.4, 4.8, 6.5)


def draw_ellipses(axes, result, sky, taken=()):
    """Draw the 1 sigma ellipses of the components, with their numbers in the component table.

    Point sources are crosses. Where numbers would lie on one another, they are moved aside, with
    a line to the centre of their component.

    Parameters
    ----------
    axes : WCSAxes
    result : FitResult
    sky : Sky
    taken : sequence of Text
        Texts that stand on the picture already.
    """
    mixture = result.mixture
    shown = np.flatnonzero(_touches(mixture, sky))
    for k in shown:
        values, vectors = np.linalg.eigh(mixture.covariances[k])
        (centre,) = sky.points(mixture.means[k][None])
        if result.points[k]:
            axes.plot(*centre, "+", ms=4, mew=0.8, color=FLAG, scalex=False, scaley=False)
            continue
        minor, major = sky.length(2 * np.sqrt(values))
        turn = np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1]))
        ellipse = Ellipse(centre, major, minor, angle=turn, fill=False, ec=FLAG, lw=0.8)
        ellipse.set_path_effects(shade("white"))
        ellipse.set_label(f"component {k}")
        axes.add_patch(ellipse)
    _number(axes, mixture, shown, sky, taken)


def _touches(mixture, sky):
    """Whether the centre of a component is shown."""
    return sky.inside(mixture.means) if len(mixture) else np.zeros(0, bool)


def _number(axes, mixture, shown, sky, taken):
    """Write the numbers of components beside one another."""
    height = _pixels_of_text(axes, sky)
    placed = boxes_of(taken, height)
    for k in shown:
        (centre,) = sky.points(mixture.means[k][None])
        half = np.array([0.3 * len(str(k)) + 0.1, 0.5]) * height
        place = _free_place(centre, half, placed, height, sky)
        placed = np.vstack([placed, [*place, *half]])
        style = {"color": FLAG, "fontsize": SMALL, "ha": "center", "va": "center"}
        style |= {"path_effects": shade("white"), "clip_on": True}
        if np.hypot(*(place - centre)) > height:
            line = {"color": FLAG, "lw": 0.6, "scalex": False, "scaley": False}
            line["path_effects"] = shade("white")
            axes.plot(*np.stack([centre, place], axis=1), **line)
        axes.text(*place, str(k), **style)


def _free_place(centre, half, placed, height, sky):
    """The place nearest to a centre at which a text lies on no other."""
    (x0, y0), (x1, y1) = sky.points(np.stack([sky.x, sky.y], axis=1))
    best, least = centre, np.inf
    for step in _STEPS:
        for turn in _TURNS if step else _TURNS[:1]:
            place = centre + step * height * np.array([np.cos(turn), np.sin(turn)])
            over = np.minimum(half + placed[:, 2:] - np.abs(placed[:, :2] - place), height)
            clash = np.prod(np.maximum(over, 0), axis=1).sum()
            outside = np.any(place - half < [x0, y0]) or np.any(place + half > [x1, y1])
            clash += height**2 * outside
            if clash == 0:
                return place
            if clash < least:
                best, least = place, clash
    return best


def _pixels_of_text(axes, sky):
    """Height of a small text in data coordinates."""
    figure = axes.get_figure(root=True)
    inches = axes.get_position().width * figure.get_figwidth()
    return 0.9 * em() * sky.length(sky.width) / inches
