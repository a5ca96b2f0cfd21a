"""Two models side by side: their signals, the difference in sigma, and both profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import Normalize

from ...answers.difference import Difference, difference
from ...answers.one_sky import energies_of
from ...plane.grid import PixelGrid
from . import marks as on
from .alt_several import describe_difference
from .colour import (
    SKY,
    brightness_bar,
    brightness_norm,
    colours,
    is_curved,
    numbers,
    plain,
    power_of,
    scaled,
)
from .paper_figure import PaperFigure
from .rings import plain_log_axis
from .sky import Sky, dress
from .style import INK, SMALL, em

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from ...config import PlotConfig
    from .view import View
from .words import psf_in_signal

MAPS = ("first", "second", "difference")
# What the two models are called.
NAMES = ("A", "B")
# Pixels along the longer side of a part that is zoomed to.
_CELLS = 350
# The first and the second model: colours that a colour-blind reader tells apart, and line styles.
_LINES = (("#0072b2", "-"), ("#d55e00", (0, (4, 1.5))))
# The colours of the difference end here [sigma].
_END = 5.0
# Decades that the colours of the signals span at most.
_DECADES = 4
# Decades that the profile spans at most.
_PROFILE_DECADES = 5
# Above this radius the axis is in arcmin [arcsec].
_LARGE = 180.0


def compare_figure(views: Sequence[View]) -> PaperFigure:
    """Draw two models of one sky, their difference in units of its sigma, and their profiles.

    Both signals are deconvolved and share one scale. The second model is brought into the tangent
    plane of the first. The difference is grey where both are fainter than the faint end of the
    scale, and hatched where not both were observed.

    Parameters
    ----------
    views : (View, View)
        Those of the two models. Of the options `zoom`, `coords`, `degrees`, `vmin`, `vmax`,
        `stretch`, `cmap` and `width` matter. The unit is photon/cm^2/s/arcsec^2 if the exposures
        have one.

    Returns
    -------
    PaperFigure
        Its axes are labelled "first", "second", "difference", "profile" and "significance"; those
        of the colour bars end in "bar".

    Raises
    ------
    InputError
        If the models cannot be compared; see `gmmx.answers.difference.difference`.

    Examples
    --------
    >>> import gmmx
    >>> from gmmx.show.figures import plot
    >>> rng = np.random.default_rng(0)
    >>> photons = (gmmx.Photons(*rng.normal(0, 5, (2, n))) for n in (400, 1600))
    >>> fits = [gmmx.fit(gmmx.Observation(photons=one), n_components=1) for one in photons]
    >>> [axes.get_label() for axes in plot(fits, "compare").axes[:3]]
    ['first', 'second', 'difference']
    """
    first, second = views
    config = first.config
    found = difference(first.result, second.result, grid_of(first))
    return draw_comparison(found, config)


def draw_comparison(found: Difference, config: PlotConfig) -> PaperFigure:
    """Draw the numbers of a comparison; see `compare_figure`."""
    sky = Sky(found.grid, found.sky.frame, *found.grid.extent())
    figure, axes = _empty(sky, config.inches)
    norm, low = norm_of(found, config)
    for name, values, model, label in zip(
        MAPS, (found.first, found.second), found.sky.models, NAMES, strict=False
    ):
        shown = _draw_signal(axes[name], values, found, sky, norm, config)
        on.title(axes[name], f"{label}: {_about(model.result)}")
    on.scale_bar(axes["first"], sky)
    on.compass(axes["first"], sky)
    bar = axes["brightness bar"]
    bar = brightness_bar(figure, shown, bar, _bar_label(found, norm, low, config), low)
    bar.ax.yaxis.label.set_fontsize(SMALL)
    _draw_difference(figure, axes, found, sky, low)
    _draw_profiles(axes["profile"], axes["significance"], found)
    for name in MAPS:
        ink = "0.3" if name == "difference" else "0.75"
        style: dict[str, Any] = {"coords": config.coords, "degrees": config.degrees}
        dress(axes[name], sky, left=name != "second", ink=ink, **style)
    for letter, name in zip("abcd", (*MAPS, "profile"), strict=True):
        on.title(axes[name], f"({letter}) {axes[name].get_title(loc='left')}")
    figure.describe_by(lambda: describe_difference(found, NAMES, low, float(norm.vmax)))
    return figure


def grid_of(view: View) -> PixelGrid | None:
    """The pixels of the part that is zoomed to, in the plane of a view; None without a zoom."""
    if not view.is_zoomed:
        return None
    scene = view.scene
    return PixelGrid.covering(scene.x, scene.y, max(scene.width, scene.height) / _CELLS)


def norm_of(found: Difference, config: PlotConfig):
    """The normalisation that both signals share, and its faint end.

    The faint end is the faintest brightness that either model tells from zero, that is, where it
    is above its error.
    """
    brighter = np.maximum(found.first, found.second)
    seen = brighter[found.sky.seen]
    top = float(np.percentile(seen, 99.98)) or float(seen.max()) or 1.0
    top = top if config.vmax is None else config.vmax
    signals = np.stack([found.first, found.second])
    told = brighter[found.sky.seen & np.any(signals > np.maximum(found.errors, 0), axis=0)]
    low = float(np.percentile(told, 1)) if len(told) else 0.0
    low = float(np.clip(low, top / 10**_DECADES, top / 10))
    return brightness_norm(config.stretch, low, top, start=config.vmin or 0.0), low


def _about(model):
    """Band and number of components of a model."""
    return f"{energies_of(model)}, K = {len(model.mixture)}"


def _bar_label(found, norm, low, config):
    text = printed_unit(found.sky.unit)
    if is_curved(norm):
        text += f"\n({config.stretch}, linear below {plain_text(low)})"
    return text


def printed_unit(unit: str) -> str:
    r"""A unit such as photon/cm**2/s/arcsec**2, as figures write it.

    Examples
    --------
    >>> printed_unit("photon/cm**2/s/arcsec**2")
    'photon cm$^{-2}$ s$^{-1}$ arcsec$^{-2}$'
    """
    first, *others = unit.split("/")
    powers = [one.partition("**") for one in others]
    return " ".join([first, *(f"{name}$^{{-{power or 1}}}$" for name, _, power in powers)])


def _draw_signal(axes, values, found, sky, norm, config):
    cmap = colours(config.cmap or SKY)
    shown = on.show(axes, values, found.grid, sky, cmap, norm)
    axes.set_facecolor(cmap(0.0))
    on.hatch(axes, found.sky.seen.astype(float), found.grid, sky, 0.5)
    return shown


def _draw_difference(figure, axes, found, sky, low):
    panel, bar = axes["difference"], axes["difference bar"]
    values = found.significance(low)
    shown = on.show(panel, values, found.grid, sky, "RdBu_r", Normalize(-_END, _END))
    panel.set_facecolor("0.85")
    on.hatch(panel, found.sky.seen.astype(float), found.grid, sky, 0.5)
    drawn = figure.colorbar(shown, cax=bar, extend="both", ticks=range(-4, 5, 2))
    drawn.set_label(rf"$\sigma$ ({found.pairing})", fontsize=SMALL)
    bar.tick_params(labelsize=SMALL, length=2)
    drawn.outline.set_linewidth(0.6)
    grey = f"grey: both below {plain_text(low)}"
    on.title(panel, f"({NAMES[0]} - {NAMES[1]}) / $\\sigma$; {grey}")


def plain_text(value):
    """A number of one digit for a title."""
    return plain(float(f"{value:.1g}"))


def _draw_profiles(upper, lower, found):
    """Both profiles with their bands above, the difference in sigma below."""
    unit, name = (60.0, "arcmin") if found.rings.edges[-1] > _LARGE else (1.0, "arcsec")
    edges = found.rings.edges / unit
    # The innermost ring is a disc: on a logarithmic axis it needs an inner edge.
    edges = np.append(edges[1] / 2, edges[1:])
    for profile, label, (colour, style) in zip(found.profiles, NAMES, _LINES, strict=True):
        band = [np.append(one, one[-1]) for one in (profile.lower68, profile.upper68)]
        fill = {"step": "post", "color": colour, "alpha": 0.25, "lw": 0}
        upper.fill_between(edges, *band, **fill, label=f"_band of {label}")
        line = {"color": colour, "ls": style, "lw": 1.2, "baseline": None, "label": label}
        upper.stairs(profile.value, edges, **line)
    values = np.concatenate([one.value for one in found.profiles])
    top = float(values.max()) * 2.5 or 1.0
    positive = values[values > 0]
    least = max(float(positive.min(initial=top)) / 2, top / 10.0**_PROFILE_DECADES)
    upper.set(xscale="log", yscale="log", xlim=(edges[0], edges[-1]), ylim=(least, top))
    upper.legend(loc="best", edgecolor="none", framealpha=0.9)
    power = power_of(top)
    plain_log_axis(upper.yaxis, power)
    upper.set_ylabel(scaled(printed_unit(found.sky.unit), power), fontsize=SMALL)
    _draw_significance(lower, found, edges)
    lower.set_xlabel(f"radius [{name}]", labelpad=2)
    for axes in (upper, lower):
        axes.yaxis.tick_right()
        axes.yaxis.set_label_position("right")
        axes.tick_params(which="both", direction="in", left=True, right=True, top=True)
        axes.grid(alpha=0.2, lw=0.5)
        plain_log_axis(axes.xaxis)
    upper.tick_params(labelbottom=False)
    results = (model.result for model in found.sky.models)
    on.title(upper, f"profiles, {psf_in_signal(*results)}, 68 % bands")


def _draw_significance(axes, found, edges):
    its = found.profile_difference
    ratio = np.divide(its.value, its.error, out=np.zeros_like(its.value), where=its.error > 0)
    axes.axhspan(-1, 1, color="0.88", lw=0)
    axes.axhline(0, color=INK, lw=0.6)
    axes.stairs(ratio, edges, color=INK, baseline=None, lw=1.0, label="significance")
    reach = max(3.0, 1.15 * float(np.abs(ratio).max()))
    axes.set(xscale="log", xlim=(edges[0], edges[-1]), ylim=(-reach, reach))
    axes.yaxis.set_major_formatter(numbers(0))
    axes.set_ylabel(r"diff. [$\sigma$]", fontsize=SMALL)


def _empty(sky, width):
    """A figure with the axes of a comparison."""
    text = em()
    left, gap, right = 5.2 * text, 6.0 * text, 7.8 * text
    panel = (width - left - gap - right) / 2
    tall = panel * float(np.clip(sky.aspect, 0.4, 2.0))
    top, between, bottom = 2.0 * text, 4.6 * text, 3.6 * text
    height = 2 * tall + top + between + bottom
    figure = PaperFigure(figsize=(width, height))
    second, upper, lower = left + panel + gap, bottom + tall + between, bottom
    thin = 0.9 * text

    def add(label, x, y, wide, high, **options):
        box = (x / width, y / height, wide / width, high / height)
        return figure.add_axes(box, label=label, **options)

    axes: dict[str, Axes] = {
        name: add(name, x, y, panel, tall, projection=sky.wcs)
        for name, x, y in zip(MAPS, (left, second, left), (upper, upper, lower), strict=True)
    }
    axes["brightness bar"] = add("brightness bar", second + panel + 0.6 * text, upper, thin, tall)
    axes["difference bar"] = add("difference bar", left + panel + 0.6 * text, lower, thin, tall)
    axes["profile"] = add("profile", second, lower + 0.34 * tall, panel, 0.66 * tall)
    axes["significance"] = add("significance", second, lower, panel, 0.31 * tall)
    return figure, axes
