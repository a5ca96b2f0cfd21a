"""The history of a fit: the objective, the number of components, and how it was chosen."""

import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator
from mpl_toolkits.axes_grid1.axes_divider import make_axes_locatable

from ...model.result import FitResult
from . import marks as on
from .colour import INK, MEDIUM, SMALL
from .panel import Drawn
from .paper_figure import PaperFigure

# Differences below this are drawn on a linear scale, larger ones on a logarithmic one [nat].
_LINEAR = 10.0
# Colour of each stage of a fit, and what it does.
_STAGES = {
    "start": ("0.2", "start"),
    "grow": ("#2b7bba", "components added"),
    "exchange": ("#7b3fa0", "components exchanged"),
    "prune": ("#d95f0e", "components removed"),
    "settle": ("#1b9e77", "parameters refined"),
    "points": ("#c2297f", "point sources released"),
}


def history_panel(axes, view):
    """Draw the objective against accepted iterations, and K below it."""
    lower = make_axes_locatable(axes).append_axes("bottom", "40%", pad=0.04)
    lower.set_label("k")
    _draw_objective(axes, lower, view.result)
    return Drawn(axes.get_title(loc="left"))


def history_figure(result: FitResult, width: float = 7.1) -> PaperFigure:
    """Figure of the objective and K against accepted iterations, and of the criterion against K.

    Parameters
    ----------
    result : FitResult
    width : float
        [inch]

    Returns
    -------
    matplotlib.figure.Figure
        Its axes are labelled "objective", "k" and "path".
    """
    figure = PaperFigure(figsize=(width, 0.42 * width), facecolor="white")
    grid = {"height_ratios": [2.4, 1], "left": 0.08, "right": 0.985, "bottom": 0.14, "top": 0.91}
    axes = figure.subplot_mosaic(
        [["objective", "path"], ["k", "path"]], gridspec_kw=grid | {"wspace": 0.25, "hspace": 0.1}
    )
    for name, one in axes.items():
        one.set_label(name)
        one.tick_params(labelsize=SMALL)
        one.grid(alpha=0.25, lw=0.5)
    _draw_objective(axes["objective"], axes["k"], result)
    _draw_path(axes["path"], result)
    return figure


def _draw_objective(upper, lower, result):
    objective = np.asarray(result.history.get("objective", ()), np.float64)
    steps = np.arange(1, len(objective) + 1)
    if len(objective):
        stages = np.asarray(result.history.get("stage", [""] * len(objective))).astype(str)
        # The objective of a later phase may have another zero, so its best need not be its last.
        gap = np.maximum(np.nanmax(objective) - objective, 1e-3)
        for name in dict.fromkeys(stages):
            inside = stages == name
            colour, words = _STAGES.get(name, ("0.2", name))
            upper.plot(steps[inside], gap[inside], ".", color=colour, ms=4, label=words or None)
        upper.set_yscale("log")
        if any(stages):
            upper.legend(fontsize=SMALL, frameon=False, loc="upper right")
        k = np.asarray(result.history.get("k", np.full(len(steps), np.nan)), np.float64)
        lower.step(steps, k, where="mid", color=INK, lw=1.2)
    for axes in (upper, lower):
        axes.set_xlim(0, len(steps) + 1)
    upper.tick_params(labelbottom=False)
    lower.yaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
    lower.set_xlabel("accepted iteration", fontsize=MEDIUM)
    lower.set_ylabel("K", fontsize=MEDIUM)
    upper.set_ylabel("objective below its maximum [nat]", fontsize=MEDIUM)
    ended = "converged" if result.converged else "not converged"
    reason = f": {result.stop_reason}" if result.stop_reason else ""
    on.title(upper, f"{ended} after {result.iterations:,} evaluations{reason}")


def _draw_path(axes, result):
    """Draw the criterion of every set of components that was tried."""
    axes.set_xlabel("number of components K", fontsize=MEDIUM)
    axes.set_ylabel("log L - price of all components, below its maximum [nat]", fontsize=MEDIUM)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    asked = result.requested_components
    chosen = _rule(result) if asked is None else f"{asked} requested"
    on.title(axes, f"sets of components tried; K = {len(result.extended)} ({chosen})")
    if not {"criterion", "stage", "accepted", "k"} <= result.path.keys():
        style = {"transform": axes.transAxes, "ha": "center", "fontsize": MEDIUM, "color": "0.4"}
        axes.text(0.5, 0.5, "the model file has no record of them", **style)
        return
    # Without a background, the start without components has a likelihood of 0.
    finite = np.isfinite(np.asarray(result.path["criterion"], np.float64))
    stages = np.asarray(result.path["stage"]).astype(str)[finite]
    accepted = np.asarray(result.path["accepted"], bool)[finite]
    k, criterion = (
        np.asarray(result.path[name], np.float64)[finite] for name in ("k", "criterion")
    )
    below = criterion - criterion.max()
    axes.set_yscale("symlog", linthresh=_LINEAR, linscale=1.0)
    axes.plot(k[accepted], below[accepted], "-", color="0.75", lw=1, zorder=1)
    if not accepted.all():
        left = {"color": "0.6", "ms": 5, "mew": 1, "label": "tried and rejected", "zorder": 2}
        axes.plot(k[~accepted], below[~accepted], "x", **left)
    for name, (colour, words) in _STAGES.items():
        inside = accepted & (stages == name)
        if inside.any():
            axes.plot(k[inside], below[inside], "o", color=colour, ms=5, label=words, zorder=3)
    star = {"color": "#e6b800", "mec": INK, "mew": 0.8, "ms": 16, "label": "the model", "zorder": 4}
    axes.plot(k[-1], below[-1], "*", **star)
    _limit_path(axes, k, below.min())
    axes.legend(fontsize=SMALL, framealpha=0.9, edgecolor="none", loc="lower right")


def _rule(result):
    """The rule that chose the number of components, in a few words."""
    price = result.options.get("price")
    return "chosen by the price" if price is None else f"at a price of {price:g} nat each"


def _limit_path(axes, k, lowest):
    powers = range(1, max(2, int(np.ceil(np.log10(max(-lowest, _LINEAR)))) + 1))
    axes.set_yticks([0.0, *(-(10.0**p) for p in powers)])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(min(1.6 * lowest, -1.6 * _LINEAR), 0.3 * _LINEAR)
    axes.set_xlim(k.min() - 0.05 * np.ptp(k) - 0.5, k.max() + 0.05 * np.ptp(k) + 0.5)
