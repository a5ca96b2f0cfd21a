"""The panel of the local significance: where the model differs, with contours."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from ...answers.goodness import significance_map
from . import marks as on
from .blocks import CMAP, EDGE, LEVELS
from .colour import INK
from .panel import Drawn
from .view import View


def draw_significance(axes: Axes, view: View) -> Drawn:
    """Draw the significance of the disc about each place that differs most from the model.

    Contours are at 3, 4 and 5 sigma, dashed where photons are missing.
    """
    images = significance_map(view.result)
    image, radii = images["SIGNIFICANCE"], images["RADIUS"].values
    seen = radii > 0
    values = np.where(seen, image.values, np.nan)
    shown = on.show(axes, values, image.grid, view.sky, CMAP, Normalize(-EDGE, EDGE))
    axes.set_facecolor("0.85")
    x, y = view.sky.grid.to_pixels(*image.grid.centres())
    levels = [*(-np.array(LEVELS[::-1])), *LEVELS]
    axes.contour(
        x,
        y,
        image.values,
        levels=levels,
        colors=INK,
        linewidths=[0.4 + 0.3 * (abs(level) - LEVELS[0]) for level in levels],
        linestyles=["dashed" if level < 0 else "solid" for level in levels],
    )
    text = r"contours at 3, 4, 5 $\sigma$, dashed: photons are missing"
    on.note(axes, 0.03, 0.965, text, va="top", color=INK, path_effects=[])
    reach = f'{radii[seen].min():.2g}" to {radii.max():.2g}"' if seen.any() else "no radius"
    title = "local significance", f"discs of {reach}"
    label = (r"significance of data $-$ model [$\sigma$]",)
    return Drawn(title, shown, label, ticks=[-EDGE, 0, EDGE], ink="black")
