"""Three models of one sky in three bands as one picture in true colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...answers.true_colour import TrueColour, true_colour
from . import marks as on
from .alt_several import describe_true_colour
from .colour import plain, power_of, scaled
from .compare import grid_of, printed_unit
from .paper_figure import PaperFigure
from .sky import Sky, dress
from .style import SMALL, em
from .words import angle, psf_in_signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from .view import View

# Distance of the text below the picture, in units of the text's size.
_BELOW = 3.6
# Light tints, which are legible on the dark picture.
_TINTS = ("#ff8a80", "#7dff9b", "#8cb4ff")


def true_colour_figure(views: Sequence[View]) -> PaperFigure:
    """Draw the deconvolved signals of three models in true colour: soft is red, hard is blue.

    Parameters
    ----------
    views : sequence of three View
        Those of models of one sky, the softest band first. Of the options `zoom`, `coords`,
        `degrees`, `smooth`, `width`, `colour_stretch`, `colour_q` and `colour_minimum` matter.

    Returns
    -------
    PaperFigure
        Its axes are labelled "colour".
    """
    config = views[0].config
    found = true_colour(
        [view.result for view in views],
        stretch=config.colour_stretch,
        q=config.colour_q,
        minimum=config.colour_minimum,
        at=config.smooth,
        grid=grid_of(views[0]),
    )
    sky = Sky(found.grid, found.sky.frame, *found.grid.extent())
    figure, axes = _empty(sky, config.inches)
    draw_true_colour(axes, found, sky)
    dress(axes, sky, coords=config.coords, degrees=config.degrees)
    figure.describe_by(lambda: describe_true_colour(found))
    return figure


def draw_true_colour(axes: Axes, found: TrueColour, sky: Sky) -> None:
    """Draw a picture in true colour with its bands, and how its colours were made."""
    ny, nx = found.grid.shape
    (x0, y0), (x1, y1) = sky.points(
        np.stack(found.grid.to_plane([-0.5, nx - 0.5], [-0.5, ny - 0.5]), axis=1)
    )
    axes.imshow(found.rgb, extent=(x0, x1, y0, y1), origin="lower", interpolation="nearest")
    axes.set_facecolor("black")
    on.hatch(axes, found.sky.seen.astype(float), found.grid, sky, 0.5)
    on.scale_bar(axes, sky)
    on.compass(axes, sky)
    for i, (band, tint) in enumerate(zip(found.bands, _TINTS, strict=True)):
        on.note(axes, 0.03, 0.97 - 0.06 * i, band, color=tint, ha="left", va="top")
    results = (model.result for model in found.sky.models)
    on.title(axes, f"signal, {psf_in_signal(*results)}")
    below: dict[str, Any] = {
        "xycoords": "axes fraction",
        "textcoords": "offset points",
        "va": "top",
    }
    points = -_BELOW * 72 * em()
    axes.annotate(rule_of(found), (0, 0), (0, points), fontsize=SMALL, **below)


def rule_of(found: TrueColour) -> str:
    """How the colours of a picture were made, in three lines."""
    power = power_of(float(found.means.max()))
    means = ", ".join(plain(float(f"{one / 10.0**power:.2g}")) for one in found.means)
    if power:
        means = rf"({means}) $\times$"
    return (
        "white: the mean colour of the picture, that is\n"
        f"{means} {scaled(printed_unit(found.sky.unit), power)}\n"
        f"smoothed by {angle(found.at)}; asinh, stretch {found.stretch:.2g}, Q {found.q:g}"
    )


def _empty(sky, width):
    """The axes of a figure of one picture."""
    text = em()
    left, right, top, bottom = 5.2 * text, 1.8 * text, 2.0 * text, 7.0 * text
    wide = width - left - right
    tall = wide * float(np.clip(sky.aspect, 0.3, 3.0))
    height = tall + top + bottom
    figure = PaperFigure(figsize=(width, height))
    box = (left / width, bottom / height, wide / width, tall / height)
    return figure, figure.add_axes(box, label="colour", projection=sky.wcs)
