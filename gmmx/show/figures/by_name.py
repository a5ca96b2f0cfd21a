"""One door to all figures and single panels, by name."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...answers.scene import Scene
from ...config import FIGURES, PlotConfig
from ...errors import InputError
from ...model.result import FitResult
from . import panels
from .history import history_figure
from .overview import overview_figure
from .profile import draw_profile
from .residuals import residuals_figure
from .sky import Sky

_ON_ONE_SCALE = {
    "data": panels.draw_data,
    "scene": panels.draw_scene,
    "signal": panels.draw_signal,
}


def plot(
    result: FitResult,
    what: str = PlotConfig.what,
    *,
    stretch: str = PlotConfig.stretch,
    ax: Axes | None = None,
) -> Figure:
    """Draw a figure of a fit, or one of its panels into given axes.

    Parameters
    ----------
    result : FitResult
    what : str
        A whole figure: "overview", "residuals" or "history". With `ax`, a single panel: "data",
        "scene", "signal", "completeness", "residual" or "profile".
    stretch : {"log", "asinh", "sqrt", "linear"}
    ax : matplotlib Axes, optional
        Where to draw a panel. A panel of the sky needs axes with a WCS:
        ``figure.add_subplot(projection=sky_of(result).wcs)``.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        If the name is unknown, or if a panel is asked for without axes, or a figure with them.

    Examples
    --------
    >>> import numpy as np
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> [axes.get_label() for axes in plot(result, "history").axes]
    ['objective', 'path', 'k']
    """
    if ax is not None:
        return _draw_panel(result, what, stretch, ax)
    if what not in FIGURES:
        raise InputError(
            f"`what` = {what!r}: choose one of {', '.join(FIGURES)}"
            + (", or give axes for a single panel with `ax`" if what in _PANELS else ""),
            parameter="what",
        )
    if what == "overview":
        return overview_figure(result, stretch=stretch)
    return {"residuals": residuals_figure, "history": history_figure}[what](result)


def sky_of(result: FitResult) -> Sky:
    """The part of the sky that the panels of a fit show, with the WCS that their axes need."""
    scene = Scene(result)
    return Sky(scene.grid, result.frame, scene.x, scene.y)


def _draw_panel(result, what, stretch, ax):
    if what not in _PANELS:
        raise InputError(
            f"`what` = {what!r}: choose one of {', '.join(_PANELS)} for `ax`", parameter="what"
        )
    scene = Scene(result)
    if what == "profile":
        ratio = ax.inset_axes((0, -0.32, 1, 0.3))
        draw_profile(ax, ratio, scene.profile(), "profile about the brightest emission")
        return ax.figure
    if not hasattr(ax, "coords"):
        raise InputError(
            f"the panel {what!r} shows the sky and needs axes with a WCS:"
            " figure.add_subplot(projection=gmmx.show.figures.sky_of(result).wcs)",
            parameter="ax",
        )
    sky = Sky(scene.grid, result.frame, scene.x, scene.y)
    if what in _ON_ONE_SCALE:
        norm, _ = panels.norm_of(scene, stretch)
        _ON_ONE_SCALE[what](ax, scene, sky, norm, result)
    elif what == "completeness":
        panels.draw_completeness(ax, scene, sky, result)
    else:
        panels.draw_residual(ax, scene, sky)
    sky.dress(ax, left=True, bottom=True)
    return ax.figure


_PANELS = (*_ON_ONE_SCALE, "completeness", "residual", "profile")
