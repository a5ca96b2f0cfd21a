"""The overview of a fit: what was recorded, what was made of it, and whether to believe it."""

from matplotlib.figure import Figure

from ...answers.scene import Scene
from ...config import PlotConfig
from ...model.result import FitResult
from . import panels, words
from .colour import brightness_bar
from .profile import draw_profile
from .sky import Sky

_PANEL = 4.2
_MOSAIC = [
    ["data", "scene", "signal", "brightness bar"],
    [".", ".", ".", "."],
    ["completeness", "residual", "profile", "."],
    ["completeness", "residual", "ratio", "."],
]
ON_THE_SKY = ("data", "scene", "signal", "completeness", "residual")


def overview_figure(result: FitResult, *, stretch: str = PlotConfig.stretch) -> Figure:
    """Figure of six panels: photons, whole scene, signal, completeness, residual, profile.

    Photons, scene and signal share one scale in photons / arcsec**2 at the reference exposure. The
    masks are outlined. Hatching covers the sky that was seen with a completeness below 5 %.

    Parameters
    ----------
    result : FitResult
    stretch : {"log", "asinh", "sqrt", "linear"}

    Returns
    -------
    matplotlib.figure.Figure
        Its axes are labelled "data", "scene", "signal", "completeness", "residual", "profile" and
        "ratio"; those of the colour bars end in "bar".

    Raises
    ------
    InputError
        If the stretch is unknown, or if there are neither photons nor an exposure map.
    """
    scene = Scene(result)
    sky = Sky(scene.grid, result.frame, scene.x, scene.y)
    figure, axes = _empty(sky)
    norm, low = panels.norm_of(scene, stretch)
    panels.draw_data(axes["data"], scene, sky, norm, result)
    panels.draw_scene(axes["scene"], scene, sky, norm, result)
    shown = panels.draw_signal(axes["signal"], scene, sky, norm, result)
    panels.draw_completeness(axes["completeness"], scene, sky, result)
    panels.draw_residual(axes["residual"], scene, sky)
    bar = axes["brightness bar"]
    brightness_bar(figure, shown, bar, panels.brightness_label(result), low)
    about = "profile about the brightest emission"
    draw_profile(axes["profile"], axes["ratio"], scene.profile(), about)
    for name in ON_THE_SKY:
        left, bottom = name in ("data", "completeness"), name in ("completeness", "residual")
        sky.dress(axes[name], left=left, bottom=bottom)
    for letter, name in zip("abcdef", (*ON_THE_SKY, "profile"), strict=True):
        panels.on.title(axes[name], f"({letter}) {axes[name].get_title(loc='left')}")
    words.write_heading(figure, result, left=0.7)
    return figure


def _empty(sky):
    """A figure with the axes of the overview, sized so that the panels have the sky's shape."""
    tall, gap = _PANEL * sky.aspect, 0.85
    width, height = 3 * _PANEL + 2.4, 2 * tall + gap + 1.75
    figure = Figure(figsize=(width, height), facecolor="white")
    grid = {
        "width_ratios": [_PANEL, _PANEL, _PANEL, 0.15],
        "height_ratios": [tall, gap, 0.75 * tall, 0.25 * tall],
        "left": 0.75 / width,
        "right": 1 - 0.95 / width,
        "bottom": 0.62 / height,
        "top": 1 - 1.13 / height,
        "wspace": 0.075,
        "hspace": 0.0,
    }
    on_sky = {name: {"projection": sky.wcs} for name in ON_THE_SKY}
    axes = figure.subplot_mosaic(_MOSAIC, gridspec_kw=grid, per_subplot_kw=on_sky)
    for name, one in axes.items():
        one.set_label(name)
    return figure, axes
