"""The deconvolved signal and its uncertainty as images, in the units asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..config import RenderConfig
from ..plane.grid import PixelGrid, SkyImage
from .canvas import output_grid
from .captions import psf_in_words, signal_captions
from .errors import draws_of
from .uncertainty import signal_photons, spread_of_signal
from .units import UNITS, scale_of

if TYPE_CHECKING:
    from ..model.result import FitResult


def signal_images(
    result: FitResult,
    grid: PixelGrid | None = None,
    *,
    units: str = RenderConfig.units,
    with_points: bool = RenderConfig.points,
    estimate: str = RenderConfig.estimate,
    at: float | None = RenderConfig.at,
    errors: bool = True,
) -> dict[str, SkyImage]:
    """The deconvolved signal, and the images of its uncertainty; long because its docstring is.

    Parameters
    ----------
    result : FitResult
    grid, units, with_points, estimate, at : optional
        As in `gmmx.render`.
    errors : bool
        Whether the images of the uncertainty are made: "error", "snr", "lower" and "upper".

    Returns
    -------
    dict of str to SkyImage

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> images = signal_images(result, gmmx.PixelGrid.covering((-10, 10), (-10, 10), 20.0))
    >>> list(images)
    ['signal', 'error', 'snr', 'lower', 'upper']
    """
    grid = output_grid(result) if grid is None else grid
    scale = scale_of(result, units, grid.cell_area)
    RenderConfig(estimate=estimate, at=at)
    draws = draws_of(result) if errors or estimate == "mean" else None
    signal = signal_photons(
        result, grid, with_points=with_points, estimate=estimate, at=at, draws=draws
    )
    values = {"signal": signal * scale}
    if errors:
        spread = spread_of_signal(result, grid, with_points=with_points, at=at, draws=draws)
        values |= _uncertain(signal, spread, scale)
    texts = signal_captions(
        draws,
        units=units,
        with_points=with_points,
        estimate=estimate,
        at=at,
        psf=psf_in_words(result),
    )
    return {
        name: SkyImage(
            grid=grid,
            values=array,
            unit="" if name == "snr" else UNITS[units],
            frame=result.frame,
            comments=texts[name],
        )
        for name, array in values.items()
    }


def _uncertain(signal, spread, scale):
    """The images of the uncertainty by name, in the units asked for."""
    ratio = np.divide(signal, spread.error, out=np.zeros_like(signal), where=spread.error > 0)
    return {
        "error": spread.error * scale,
        "snr": ratio,
        "lower": spread.lower * scale,
        "upper": spread.upper * scale,
    }
