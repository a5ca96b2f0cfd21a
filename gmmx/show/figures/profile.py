"""The radial profile as a panel, and as a figure for a paper: both are drawn alike."""

from astropy.table import QTable
from mpl_toolkits.axes_grid1.axes_divider import make_axes_locatable

from ...config.figures import WIDTHS
from .alt_several import describe_profile
from .panel import Drawn
from .paper_figure import PaperFigure
from .rings import draw_profile
from .style import styled

# Width of a column of a journal, and height [inch].
_SIZE = (WIDTHS["single"], 4.1)


def profile_panel(axes, view):
    """Draw the profile about the brightest emission, and data over model below it."""
    lower = make_axes_locatable(axes).append_axes("bottom", "33%", pad=0.04)
    lower.set_label("ratio")
    draw_profile(axes, lower, view.profile)
    centre = "peak" if len(view.result.extended) else "centroid"
    return Drawn((f"profile about the {centre}",))


def profile_figure(table: QTable) -> PaperFigure:
    """Draw a radial profile as a figure for a paper.

    Parameters
    ----------
    table : astropy.table.QTable
        As `FitResult.profile` makes it.

    Returns
    -------
    matplotlib.figure.Figure
        Its axes are labelled "brightness" and "ratio".

    Examples
    --------
    >>> import numpy as np
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0.0, 5.0, (2, 500))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> [axes.get_label() for axes in profile_figure(result.profile(bins="0,5,10,15")).axes]
    ['brightness', 'ratio']
    """
    with styled():
        figure = PaperFigure(figsize=_SIZE, facecolor="white")
        space = {"left": 0.185, "right": 0.97, "bottom": 0.105, "top": 0.98, "hspace": 0.06}
        upper, lower = figure.subplots(2, 1, height_ratios=(3, 1), gridspec_kw=space)
        upper.set_label("brightness")
        lower.set_label("ratio")
        draw_profile(upper, lower, table)
        figure.align_ylabels()
    figure.describe_by(lambda: describe_profile(table))
    return figure
