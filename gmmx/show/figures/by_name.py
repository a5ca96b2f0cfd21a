"""One door to all figures and single panels, by name."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..._words import counted, either
from ...config import FIGURES, SAMPLE_FIGURES, PlotConfig
from ...errors import DataWarning, InputError
from ...model.result import FitResult
from ...plane.shapes import Shapes
from .alt import describe
from .catalogue import PAGES, PANELS
from .effects import without_effect
from .footer import write_cautions
from .layout import panels_figure
from .panels import draw_panel
from .paper_figure import PaperFigure
from .sky import Sky
from .style import styled
from .view import View


def plot(
    result: FitResult | Sequence[FitResult],
    what: str | PlotConfig = PlotConfig.what,
    *,
    ax: Axes | None = None,
    zoom_to: Shapes | None = None,
    overlays: Sequence[Shapes] = (),
    **options: Any,
) -> Figure:
    """Draw a figure of a fit, or one of its panels into given axes.

    Parameters
    ----------
    result : FitResult or sequence of FitResult
        Several, if the figure compares models.
    what : str or PlotConfig
        The name of a figure or of panels; or all options, and then no further ones.
    ax : matplotlib Axes, optional
        Where to draw a single panel. A map needs axes with a WCS:
        ``figure.add_subplot(projection=sky_of(result).wcs)``, with the same options for both.
    zoom_to : Shapes, optional
        The shapes of the file that `zoom` names.
    overlays : sequence of Shapes
        The shapes of the files that `region` names.
    **options
        Those of `PlotConfig`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        If an option is wrong, if a figure is asked for with axes, or if a map gets axes without
        a WCS.

    Examples
    --------
    >>> import numpy as np
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> [axes.get_label() for axes in plot(result, "data,signal", coords="offset").axes]
    ['data', 'signal', 'data bar']
    """
    config = _config(what, options)
    if ax is None:
        return paper_figure(result, config, zoom_to=zoom_to, overlays=overlays)
    return _into(ax, _views(result, config, zoom_to, overlays), config)


def paper_figure(
    result: FitResult | Sequence[FitResult],
    config: PlotConfig,
    *,
    zoom_to: Shapes | None = None,
    overlays: Sequence[Shapes] = (),
) -> PaperFigure:
    """Draw a figure with its description; the parameters are those of `plot`."""
    page = PAGES.get(config.what)
    views = _views(result, config, zoom_to, overlays)
    _warn_of_ignored(config, page)
    with styled(config.style):
        if page is not None:
            figure = page.draw(views)
        else:
            figure = panels_figure(views[0], [PANELS[name] for name in config.names])
        write_cautions(figure, [view.result for view in views])
    if len(views) == 1:
        figure.describe_by(lambda: describe(views[0]))
    figure.style_sheet = config.style
    return figure


def _warn_of_ignored(config, page):
    """Name the options that were given and do not change the figure."""
    if page is None or page.n_models == 1:
        given = without_effect(config)
    else:
        given = [n for n in page.ignores if getattr(config, n) != getattr(PlotConfig, n)]
    if given:
        verb = "does" if len(given) == 1 else "do"
        names = ", ".join(f"`{name}`" for name in given)
        warnings.warn(
            f"{names} {verb} not change the figure {config.what}",
            DataWarning,
            stacklevel=4,
        )


def _views(result, config, zoom_to, overlays):
    """One view for each model of a figure."""
    page = PAGES.get(config.what)
    results = _checked(result, config.what, 1 if page is None else page.n_models)
    return [View.of(one, config, zoom=zoom_to, regions=overlays) for one in results]


def sky_of(result: FitResult, **options: Any) -> Sky:
    """The part of the sky that the maps of a fit show, with the WCS that their axes need.

    Parameters
    ----------
    result : FitResult
    **options
        Those of `PlotConfig`, of which `zoom` matters.
    """
    return View.of(result, _config(PlotConfig.what, options)).sky


def _config(what, options):
    if isinstance(what, PlotConfig):
        return what
    PlotConfig.check_names(options)
    return PlotConfig(what=what, **options)


def _checked(result, what, wanted):
    """The models of a figure as a list: as many as it shows."""
    if what in SAMPLE_FIGURES:
        raise InputError(
            f"`what` = {what} shows samples, and the model is of photons: choose {either(FIGURES)}",
            parameter="what",
        )
    results = [result] if isinstance(result, FitResult) else list(result)
    if len(results) != wanted:
        given = f"{len(results)} {'was' if len(results) == 1 else 'were'} given"
        raise InputError(
            f"`what` = {what} shows {counted(wanted, 'model')}, and {given}: give as many, or "
            "choose another figure",
            parameter="what",
        )
    return results


def _into(ax, views, config):
    """Draw a single panel into given axes, in the style that is set."""
    if config.what not in PANELS:
        raise InputError(
            f"`what` = {config.what!r}: choose one of {', '.join(PANELS)} for `ax`",
            parameter="what",
        )
    panel = PANELS[config.what]
    if panel.on_sky and not hasattr(ax, "coords"):
        raise InputError(
            f"the panel {config.what!r} shows the sky and needs axes with a WCS:"
            " figure.add_subplot(projection=gmmx.show.figures.sky_of(result).wcs)",
            parameter="ax",
        )
    draw_panel(panel, ax, views[0])
    return ax.figure
