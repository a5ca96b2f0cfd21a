"""Which options change which panels, so that an option without effect can be named."""

from ...config import PlotConfig

_BRIGHTNESS = frozenset({"data", "scene", "signal", "components"})
_MAPS = _BRIGHTNESS | {"completeness", "residual", "significance", "error"}
_BLOCKS = frozenset({"residual", "observations"})
# The panels that an option changes.
_CHANGED = {
    "contours": _MAPS,
    "components": _MAPS,
    "region": _MAPS,
    "coords": _MAPS | {"observations"},
    "degrees": _MAPS | {"observations"},
    "smooth": frozenset({"data", "error"}),
    "block": _BLOCKS,
    "significant": _BLOCKS,
    "units": _BRIGHTNESS | {"error", "profile", "observations"},
    "vmin": _BRIGHTNESS,
    "vmax": _BRIGHTNESS,
    "stretch": _BRIGHTNESS | {"error"},
    "cmap": _BRIGHTNESS | {"error"},
    "colour_stretch": frozenset(),
    "colour_q": frozenset(),
    "colour_minimum": frozenset(),
}
# The panels of figures with a layout of their own.
_OF_PAGES = {
    "overview": ("data", "scene", "signal", "completeness", "residual", "profile"),
}


def without_effect(config: PlotConfig) -> list[str]:
    """Options that were given and change none of the panels of a figure of one model.

    Parameters
    ----------
    config : PlotConfig

    Returns
    -------
    list of str

    Examples
    --------
    >>> without_effect(PlotConfig(what="history", contours="5", dpi=100))
    ['contours']
    """
    panels = set(_OF_PAGES.get(config.what, config.names))
    # The levels of contours are in the unit that is asked for.
    of_levels = {"units": _MAPS} if config.contours is not None else {}
    return [
        name
        for name, changed in (_CHANGED | of_levels).items()
        if getattr(config, name) != getattr(PlotConfig, name) and not panels & changed
    ]
