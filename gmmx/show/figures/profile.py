"""The panel of the radial profile."""

import numpy as np
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter
from mpl_toolkits.axes_grid1.axes_divider import make_axes_locatable

from . import marks as on
from .colour import INK, MEDIUM, SMALL, numbers, power_of, scaled
from .panel import Drawn

_LINES = (("background", "#2b7bba", "--"), ("signal", "#d95f0e", "-."), ("model", INK, "-"))
_ORDER = ("data", "model", "signal", "background")
_POINTS = {"fmt": "o", "ms": 3, "color": "0.1", "mfc": "white", "mew": 0.9, "lw": 0.9}


def profile_panel(axes, view):
    """Draw the profile about the brightest emission, and data over model below it."""
    ratio = make_axes_locatable(axes).append_axes("bottom", "33%", pad=0.04)
    ratio.set_label("ratio")
    title = "radial profile"
    draw_profile(axes, ratio, view.scene.profile(), title)
    return Drawn(title)


def draw_profile(axes, ratio, profile, title):
    """Draw data, model, signal and background against radius, and data over model below.

    Parameters
    ----------
    axes, ratio : matplotlib Axes
        Upper and lower panel.
    profile : RadialProfile
    title : str
    """
    unit, name = (60.0, "arcmin") if profile.high[-1] > 180 else (1.0, "arcsec")
    edges = np.append(profile.low, profile.high[-1]) / unit
    # The innermost annulus is a disc: on a logarithmic axis it needs an inner edge.
    edges[0] = edges[0] or edges[1] / 2
    radius = profile.radius / unit
    _draw_brightness(axes, profile, radius, edges)
    _draw_ratio(ratio, profile, radius)
    for panel in (axes, ratio):
        panel.set_xlim(edges[0], edges[-1] * 1.03)
        panel.tick_params(labelsize=SMALL, which="both", direction="in", left=True, right=True)
        panel.tick_params(which="both", top=True, bottom=True)
        panel.grid(alpha=0.2, lw=0.5)
        plain_log_axis(panel.xaxis)
    ratio.yaxis.set_major_locator(MaxNLocator(4, prune="upper"))
    power = power_of(axes.get_ylim()[1])
    plain_log_axis(axes.yaxis, power)
    axes.tick_params(labelbottom=False)
    axes.set_ylabel(scaled(r"photons arcsec$^{-2}$", power), fontsize=MEDIUM)
    ratio.set_ylabel("data / model", fontsize=SMALL)
    ratio.set_xlabel(f"radius [{name}]", fontsize=MEDIUM, labelpad=2)
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    shown = [name for name in _ORDER if name in handles]
    style = {"fontsize": SMALL, "framealpha": 0.9, "edgecolor": "none", "loc": "lower left"}
    axes.legend([handles[name] for name in shown], shown, **style)
    on.title(axes, title)


def _draw_brightness(axes, profile, radius, edges):
    # Without a background the signal is the model.
    apart = np.any(profile.background > 1e-9 * profile.model)
    for key, colour, style in _LINES:
        if np.any(getattr(profile, key) > 0) and (key == "model" or apart):
            line = {"color": colour, "ls": style, "lw": 1.4, "label": key, "baseline": None}
            axes.stairs(getattr(profile, key), edges, **line)
    seen = profile.counts > 0
    data, error = profile.data[seen], profile.error[seen]
    # A bar that reaches 0 has no lower end on a logarithmic axis.
    bars = np.stack([np.minimum(error, 0.999 * data), error])
    axes.errorbar(radius[seen], data, bars, label="data", zorder=3, **_POINTS)
    axes.set_xscale("log")
    axes.set_yscale("log")
    values = np.concatenate([data, profile.model[profile.model > 0]])
    if len(values):
        faint = profile.background[profile.background > values.min() / 50]
        low = max(min([values.min() / 4, *faint / 1.5]), values.max() / 1e6)
        axes.set_ylim(low, values.max() * 2.5)


def _draw_ratio(ratio, profile, radius):
    safe = np.maximum(profile.expected, 1e-300)
    value, error = profile.counts / safe, np.sqrt(np.maximum(profile.counts, 1)) / safe
    ratio.axhline(1, color=INK, lw=1)
    ratio.errorbar(radius, value, error, **_POINTS)
    precise = error < 0.5
    largest = np.max(np.abs(value - 1)[precise] + error[precise], initial=0.05)
    reach = np.clip(1.25 * largest, 0.06, 0.9)
    ratio.set_ylim(1 - reach, 1 + reach)
    # Points beyond the axis are marked at its edge.
    for beyond, sign, marker in ((value > 1 + reach, 1, "^"), (value < 1 - reach, -1, "v")):
        edge = np.full(beyond.sum(), 1 + sign * 0.88 * reach)
        ratio.plot(radius[beyond], edge, marker, ms=4, color="0.1")
    ratio.set_xscale("log")


def plain_log_axis(axis, power=0):
    """Plain numbers on a logarithmic axis, fewer in a decade where there are many decades."""
    low, high = axis.get_view_interval()
    steps = (1.0, 2.0, 5.0) if high / low < 30 else (1.0, 3.0) if high / low < 3000 else (1.0,)
    axis.set_major_locator(LogLocator(10, subs=steps, numticks=12))
    axis.set_major_formatter(numbers(power))
    axis.set_minor_formatter(NullFormatter())
