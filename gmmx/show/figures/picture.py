"""A single image with its colour bar."""

import numpy as np
from matplotlib.colors import Normalize

from ...config import PlotConfig
from ...plane.frame import SkyFrame
from ...plane.grid import SkyImage
from . import marks as on
from .colour import SKY, brightness_bar, brightness_norm, signed_bar
from .paper_figure import PaperFigure
from .sky import Sky, dress


def image_figure(
    image: SkyImage,
    *,
    title: str = "",
    stretch: str = PlotConfig.stretch,
    frame: SkyFrame | None = None,
    label: str | None = None,
) -> PaperFigure:
    """Figure of one image.

    Parameters
    ----------
    image : SkyImage
        An image with negative values is drawn on a linear scale that is symmetric about 0.
    title : str
    stretch : {"log", "asinh", "sqrt", "linear"}
    frame : SkyFrame, optional
        The tangent plane; without one the axes are x and y [arcsec].
    label : str, optional
        Label of the colour bar; without one, the unit of the image.

    Returns
    -------
    matplotlib.figure.Figure
        Its axes are labelled "image" and "bar".

    Raises
    ------
    InputError
        If the stretch is unknown.

    Examples
    --------
    >>> from gmmx.plane.grid import PixelGrid
    >>> grid = PixelGrid.covering((-5, 5), (-5, 5), 1.0)
    >>> figure = image_figure(SkyImage(grid=grid, values=np.ones(grid.shape), unit="count"))
    >>> [axes.get_label() for axes in figure.axes]
    ['image', 'bar']
    """
    sky = Sky(image.grid, frame, *image.grid.extent())
    tall = 5.0 * float(np.clip(sky.aspect, 0.4, 1.8))
    width, height = 7.1, tall + 1.05
    figure = PaperFigure(figsize=(width, height), facecolor="white")
    bottom, high = 0.62 / height, tall / height
    box = (0.85 / width, bottom, 5.0 / width, high)
    axes = figure.add_axes(box, label="image", projection=sky.wcs)
    bar = figure.add_axes((6.0 / width, bottom, 0.15 / width, high), label="bar")
    text = image.unit if label is None else label
    brightness = brightness_norm(stretch, *_limits(image.values))
    if image.values.min() < 0:
        edge = float(np.percentile(np.abs(image.values), 99.5)) or 1.0
        shown = on.show(axes, image.values, image.grid, sky, "RdBu_r", Normalize(-edge, edge))
        signed_bar(figure, shown, bar, text)
    else:
        shown = on.show(axes, image.values, image.grid, sky, SKY, brightness)
        brightness_bar(figure, shown, bar, text, _limits(image.values)[0])
    dress(axes, sky)
    on.title(axes, title)
    return figure


def _limits(values):
    """Faintest and brightest value that the picture should tell apart."""
    positive = values[values > 0]
    if len(positive) == 0:
        return 0.1, 1.0
    high = float(np.percentile(positive, 99.98))
    return float(np.clip(np.percentile(positive, 5), high / 1e4, high / 10)), high
