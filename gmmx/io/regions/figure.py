"""The region files that a figure is drawn with."""

from __future__ import annotations

from dataclasses import dataclass

from ...config import PlotConfig
from ...config.figures import parsed_zoom
from ...errors import InputError
from ...model.result import FitResult
from ...plane.shapes import Shapes
from . import read_regions, region_items


@dataclass(frozen=True, eq=False)
class FigureRegions:
    """Regions of a figure in the plane of a fit.

    Attributes
    ----------
    zoom_to : Shapes or None
        What the figure shows; None if `zoom` names no file.
    overlays : tuple of Shapes
        What is drawn over the maps.
    """

    zoom_to: Shapes | None
    overlays: tuple[Shapes, ...]


def figure_regions(config: PlotConfig, result: FitResult) -> FigureRegions:
    """Read the region files that the options of a figure name.

    Raises
    ------
    GmmxError
        If a file cannot be read, or the fit has no celestial frame for its regions.

    Examples
    --------
    >>> import gmmx
    >>> import numpy as np
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> figure_regions(PlotConfig(zoom="0,0,10"), result)
    FigureRegions(zoom_to=None, overlays=())
    """
    zoom = config.zoom
    is_text = zoom is None or (isinstance(zoom, str) and parsed_zoom(zoom) is not None)
    shapes = None if is_text else _read(zoom, result, "zoom")
    return FigureRegions(shapes, tuple(_read(one, result, "region") for one in config.region))


def _read(source, result, parameter):
    """The shapes of one source in the plane of a fit."""
    if result.frame is None:
        raise InputError(
            f"`{parameter}` = {source}: the fit has no celestial frame, so that it has no regions "
            "of the sky",
            parameter=parameter,
        )
    (item,) = region_items(source, parameter=parameter)
    physical = result.observations[0].physical
    return read_regions(item, frame=result.frame, physical=physical)
