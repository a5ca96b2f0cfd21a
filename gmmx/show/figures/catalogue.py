"""All panels and all figures with a layout of their own, by name."""

from .compare import compare_figure
from .history import history_figure, history_panel
from .layout import panels_figure
from .panel import Page, Panel
from .panels import (
    draw_completeness,
    draw_components,
    draw_data,
    draw_error,
    draw_residual,
    draw_scene,
    draw_signal,
)
from .profile import profile_panel
from .residuals import residuals_figure
from .significance import draw_significance
from .sizes import draw_sizes
from .true_colour import true_colour_figure

PANELS = {
    panel.name: panel
    for panel in (
        Panel("data", draw_data),
        Panel("scene", draw_scene),
        Panel("signal", draw_signal),
        Panel("completeness", draw_completeness),
        Panel("residual", draw_residual),
        Panel("significance", draw_significance),
        Panel("error", draw_error),
        Panel("components", draw_components),
        Panel("profile", profile_panel, on_sky=False),
        Panel("history", history_panel, on_sky=False),
    )
}
_OVERVIEW = ("data", "scene", "signal", "completeness", "residual", "profile")


def overview(views):
    """Figure of six panels: photons, whole scene, signal, completeness, residual, profile.

    Photons, scene and signal share one scale. The masks are outlined. Hatching covers the sky that
    was seen with a completeness below 5 %.
    """
    (view,) = views
    panels = [PANELS[name] for name in _OVERVIEW]
    return panels_figure(view, panels, heading=True, lettered=True)


def _history(views):
    (view,) = views
    return history_figure(view.result, view.config.inches)


def components(views):
    """Figure of the components: numbered ellipses on the signal, and flux against size."""
    (view,) = views
    return panels_figure(view, [PANELS["components"], Panel("sizes", draw_sizes, on_sky=False)])


# Options that figures of several models do not have.
_OVER_MAPS = ("contours", "components", "region", "block", "significant")
_OF_BRIGHTNESS = ("vmin", "vmax", "stretch", "cmap")
_TRUE_COLOUR = ("colour_stretch", "colour_q", "colour_minimum")

PAGES = {
    page.name: page
    for page in (
        Page("overview", overview),
        Page("observations", residuals_figure),
        Page("history", _history),
        Page("compare", compare_figure, 2, (*_OVER_MAPS, "smooth", "units", *_TRUE_COLOUR)),
        Page("colour", true_colour_figure, 3, (*_OVER_MAPS, "units", *_OF_BRIGHTNESS)),
        Page("components", components),
    )
}
