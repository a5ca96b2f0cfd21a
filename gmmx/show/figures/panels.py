"""The single panels of a figure: each function draws one of them into given axes from a View."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from ..._words import counted
from ...answers.beam import beam_at
from ...answers.scene import SCARCE
from . import marks as on
from .blocks import EDGE, draw_blocks, label_of, summary_of
from .colour import SKY, brightness_norm, colours, is_curved, plain, power_of
from .contours import draw_contours
from .ellipses import draw_ellipses
from .panel import Drawn, Panel
from .sky import dress
from .style import MEDIUM
from .view import View
from .words import angle, psf_in_signal


def draw_data(axes: Axes, view: View) -> Drawn:
    """Draw the smoothed photons with the outlines of the masks."""
    scene, sigma = view.scene, view.config.smooth
    values, kernel = (scene.smoothed_by(sigma), sigma) if sigma else scene.smoothed
    shown = _brightness(axes, values, view)
    on.outlines(axes, view.result.observations, view.sky)
    return _in_brightness(view, ("photons", f"smoothed by {angle(kernel)}"), shown)


def draw_scene(axes: Axes, view: View) -> Drawn:
    """Draw signal and background after the PSF, as a telescope without gaps would record them."""
    shown = _brightness(axes, view.scene.whole, view)
    _hatch_unseen(axes, view)
    with_background = any(o.backgrounds for o in view.result.observations)
    text = "model with background" if with_background else "model after the PSF"
    return _in_brightness(view, (text if with_background or view.has_psf else "model",), shown)


def draw_signal(axes: Axes, view: View) -> Drawn:
    """Draw the extended emission before the PSF, without the background."""
    result = view.result
    shown = _brightness(axes, view.scene.signal, view)
    _hatch_unseen(axes, view)
    if not _has_ellipses(view):
        on.mark_points(axes, result.point_sources, view.sky)
        scarce = result.scarcely_observed & ~result.points
        on.mark_components(axes, result.mixture, scarce, view.sky, "dashed: scarcely observed")
    what = psf_in_signal(result) if len(result.extended) else "none found"
    return _in_brightness(view, ("signal", what), shown)


def draw_components(axes: Axes, view: View) -> Drawn:
    """Draw the signal with the numbered ellipses of the components."""
    shown = _brightness(axes, view.scene.signal, view)
    _hatch_unseen(axes, view)
    k = len(view.result.mixture)
    text = (counted(k, "component"), "ellipses of 1 sigma") if k else ("no component",)
    return _in_brightness(view, text, shown)


def draw_completeness(axes: Axes, view: View) -> Drawn:
    """Draw the completeness with the outlines of the masks."""
    values = view.scene.completeness
    shown = on.show(axes, values, view.scene.grid, view.sky, "bone", Normalize(0, 1))
    axes.set_facecolor("black")
    on.outlines(axes, view.result.observations, view.sky)
    ink = "white"
    if not view.scene.bounded:
        ink = "black"
        style = {"fontsize": MEDIUM, "color": ink}
        on.note(axes, 0.5, 0.5, "complete everywhere", ha="center", va="center", **style)
    return Drawn(("completeness",), shown, ("completeness",), ticks=[0, 0.5, 1], ink=ink)


def draw_residual(axes: Axes, view: View) -> Drawn:
    """Draw the significance of data minus model in blocks of at least 10 expected photons."""
    blocks = view.scene.residual_blocks(view.config.block)
    shown = draw_blocks(axes, blocks, view.sky, contours=view.config.significant)
    title = "residual", summary_of(blocks).rpartition(", ")[2]
    return Drawn(title, shown, label_of(blocks), ticks=[-EDGE, 0, EDGE], ink="black")


def draw_error(axes: Axes, view: View) -> Drawn:
    """Draw the error of the signal over the draws of the parameters, at a stated resolution."""
    found = view.error
    values = found.values * view.scale
    high = float(np.percentile(values, 99.9)) or 1.0
    low = high / 100
    norm = brightness_norm(view.config.stretch, low, high)
    shown = on.show(axes, values, found.grid, view.sky, colours(view.config.cmap or SKY), norm)
    axes.set_facecolor(shown.cmap(0.0))
    label = *view.unit, f"{found.n_draws} draws"
    title = "error of the signal", f"smoothed by {angle(found.sigma)}"
    return Drawn(title, shown, label + _floor(view, norm, low), low=low)


def draw_panel(
    panel: Panel, axes: Axes, view: View, *, left=True, bottom=True, marked=True
) -> Drawn:
    """Draw a panel, and what maps have in common.

    Parameters
    ----------
    panel : Panel
    axes : Axes
        WCSAxes for a map.
    view : View
    left, bottom : bool
        Which edges of a map get coordinates.
    marked : bool
        Whether a map gets the scale bar, the arrows and the beam.
    """
    drawn = panel.draw(axes, view)
    if panel.on_sky:
        config, sky, ink = view.config, view.sky, drawn.ink
        style: dict[str, Any] = {"coords": config.coords, "degrees": config.degrees}
        dress(axes, sky, left=left, bottom=bottom, ink="0.75" if ink == "white" else "0.3", **style)
        on.regions(axes, view.regions, sky)
        taken = draw_contours(axes, view, ink) if config.contours is not None else []
        if _has_ellipses(view) or panel.name == "components":
            draw_ellipses(axes, view.result, sky, taken)
        if marked:
            on.scale_bar(axes, sky, ink)
            on.compass(axes, sky, ink)
            beam = beam_at(view.result, sky.middle) if panel.name in _BLURRED else None
            if beam is not None:
                on.beam(axes, sky, beam, ink)
    on.title(axes, ", ".join(drawn.title))
    return drawn


def _has_ellipses(view):
    return view.config.components


def _brightness(axes, values, view):
    cmap = colours(view.config.cmap or SKY)
    shown = on.show(axes, values * view.scale, view.scene.grid, view.sky, cmap, view.norm)
    # Beyond its grid the picture is as dark as its darkest pixel.
    axes.set_facecolor(cmap(0.0))
    return shown


def _in_brightness(view, title, shown):
    """What a panel of surface brightness shows."""
    low, _ = view.limits
    return Drawn(title, shown, (*view.unit, *_floor(view, view.norm, low)), low=low)


def _floor(view, norm, low):
    """The stretch and where it ends, in words."""
    if not is_curved(norm):
        return () if view.config.stretch == "linear" else (view.config.stretch,)
    # The numbers of the colour bar lack the same power of ten.
    power = power_of(max(abs(norm.vmin), abs(norm.vmax)))
    return (f"{view.config.stretch}, linear below {plain(float(f'{low / 10.0**power:.1g}'))}",)


def _hatch_unseen(axes, view):
    if view.scene.bounded:
        on.hatch(axes, view.scene.completeness, view.scene.grid, view.sky, SCARCE)


_BLURRED = ("data", "scene")
