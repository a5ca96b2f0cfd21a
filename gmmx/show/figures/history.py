"""The history of a fit: the log-likelihood, the number of components, and how it was chosen.

Everything is drawn relative to the model, so that its own values are 0 and what was reached on the
way, and given up for its price, lies above.
"""

from typing import Any

import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator
from mpl_toolkits.axes_grid1.axes_divider import make_axes_locatable

from ...model.result import FitResult
from . import marks as on
from .colour import INK, MEDIUM, SMALL
from .footer import write_below
from .history_words import explained, rule_of
from .panel import Drawn
from .paper_figure import PaperFigure
from .style import em

# Differences below this are drawn on a linear scale, larger ones on a logarithmic one [nat].
_LINEAR = 10.0
# Colour of each stage of a fit, and what it does.
_STAGES = {
    "start": ("0.2", "start"),
    "grow": ("#2b7bba", "components added"),
    "exchange": ("#7b3fa0", "exchanged"),
    "prune": ("#d95f0e", "removed"),
    "settle": ("#1b9e77", "parameters refined"),
    "points": ("#c2297f", "point sources released"),
    "final": ("0.2", "last ascent"),
}
_LEGEND = {"framealpha": 0.85, "edgecolor": "none", "handlelength": 1.2, "borderpad": 0.2}
# Space for titles and legend above the panels [inch], in one column and in two.
_TOP = (0.9, 0.5)
_LIKELIHOOD = r"$\ln L$"


def history_panel(axes, view):
    """Draw the log-likelihood against accepted iterations, and K below it."""
    lower = make_axes_locatable(axes).append_axes("bottom", "40%", pad=0.04)
    lower.set_label("k")
    _draw_course(axes, lower, view.result)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=SMALL, loc="best", **_LEGEND)
    return Drawn((axes.get_title(loc="left"),))


def history_figure(result: FitResult, width: float = 7.1) -> PaperFigure:
    """Figure of the log-likelihood and K against iterations, and of the criterion against K.

    Words below it say why the model may lie below the highest log-likelihood that was reached.

    Parameters
    ----------
    result : FitResult
    width : float
        [inch]

    Returns
    -------
    matplotlib.figure.Figure
        Its axes are labelled "likelihood", "k" and "path".
    """
    side_by_side = width > 5
    height = 0.42 * width if side_by_side else 1.5 * width
    figure = PaperFigure(figsize=(width, height), facecolor="white")
    mosaic: Any = [["likelihood", "path"], ["k", "path"]]
    grid = {"height_ratios": [2.4, 1], "left": 0.72 / width, "right": 1 - 0.1 / width}
    grid |= {
        "bottom": 0.42 / height,
        "top": 1 - _TOP[side_by_side] / height,
        "wspace": 0.27,
        "hspace": 0.1,
    }
    if not side_by_side:
        mosaic = [["likelihood"], ["k"], ["."], ["path"]]
        grid |= {"height_ratios": [2.4, 1, 0.8, 3.4]}
    axes = figure.subplot_mosaic(mosaic, gridspec_kw=grid)
    for name, one in axes.items():
        one.set_label(name)
    _draw_course(axes["likelihood"], axes["k"], result)
    _draw_path(axes["path"], result)
    # The names of the stages stand above the title of the first panel.
    above = 1 + 3.2 * em() / (0.6 * height)
    place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, above)}
    look: dict[str, Any] = _LEGEND | {"columnspacing": 1.2, "borderaxespad": 0}
    ncol = 7 if side_by_side else 2
    if axes["likelihood"].get_legend_handles_labels()[0]:
        axes["likelihood"].legend(fontsize=SMALL, ncol=ncol, **place, **look)
    write_below(figure, explained(result), colour="0.25")
    return figure


def _draw_course(upper, lower, result):
    likelihood = np.asarray(result.history.get("log_likelihood", ()), np.float64)
    steps = np.arange(1, len(likelihood) + 1)
    for axes in (upper, lower):
        axes.tick_params(labelsize=SMALL)
        axes.grid(alpha=0.25, lw=0.5)
        axes.set_xlim(0, len(steps) + 1)
    if len(likelihood):
        gain = likelihood - result.log_likelihood
        stages = np.asarray(result.history.get("stage", [""] * len(steps))).astype(str)
        for name in [*_STAGES, *sorted(set(stages) - _STAGES.keys())]:
            inside = stages == name
            colour, words = _STAGES.get(name, ("0.2", name))
            if inside.any():
                label = words or None
                upper.plot(steps[inside], gain[inside], ".", color=colour, ms=3, label=label)
        upper.axhline(0, color=INK, lw=0.8, ls="--", label="the model")
        _relative_axis(upper, gain[np.isfinite(gain)])
        k = np.asarray(result.history.get("k", np.full(len(steps), np.nan)), np.float64)
        lower.step(steps, k, where="mid", color=INK, lw=1.0)
    upper.tick_params(labelbottom=False)
    lower.yaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
    lower.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    lower.set_xlabel("accepted iteration", fontsize=MEDIUM)
    lower.set_ylabel("K", fontsize=MEDIUM)
    upper.set_ylabel(rf"$\Delta${_LIKELIHOOD} [nat]", fontsize=MEDIUM)
    ended = "converged" if result.converged else "NOT CONVERGED"
    on.title(upper, f"{ended} after {result.iterations:,} evaluations")


def _draw_path(axes, result):
    """Draw log-likelihood and criterion of every set of components that was tried."""
    axes.tick_params(labelsize=SMALL)
    axes.grid(alpha=0.25, lw=0.5)
    axes.set_xlabel("number of components K", fontsize=MEDIUM)
    axes.set_ylabel("relative to the model [nat]", fontsize=MEDIUM)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    on.title(axes, f"K = {len(result.extended)}, {rule_of(result)}")
    path = {name: np.asarray(column) for name, column in result.path.items()}
    if not {"criterion", "log_likelihood", "stage", "accepted", "k"} <= path.keys():
        style = {"transform": axes.transAxes, "ha": "center", "fontsize": MEDIUM, "color": "0.4"}
        axes.text(0.5, 0.5, "the model file has no record of them", **style)
        return
    # Without a background, the start without components has a likelihood of 0.
    finite = np.isfinite(np.asarray(path["criterion"], np.float64))
    path = {name: column[finite] for name, column in path.items()}
    stages, accepted = path["stage"].astype(str), path["accepted"].astype(bool)
    k, likelihood, criterion = (
        path[name].astype(np.float64) for name in ("k", "log_likelihood", "criterion")
    )
    likelihood, criterion = likelihood - likelihood[-1], criterion - criterion[-1]
    order = np.flatnonzero(accepted)
    style = {"color": "0.55", "ms": 3.5, "mew": 0.8, "mfc": "none", "lw": 0.8, "zorder": 1}
    axes.plot(k[order], likelihood[order], "s-", label=_LIKELIHOOD, **style)
    axes.plot(k[order], criterion[order], "-", color="0.75", lw=0.8, zorder=1)
    if not accepted.all():
        left = {"color": "0.6", "ms": 3.5, "mew": 0.8, "zorder": 2}
        axes.plot(k[~accepted], criterion[~accepted], "x", label="tried and rejected", **left)
    for name, (colour, _) in _STAGES.items():
        inside = accepted & (stages == name)
        if inside.any() and name != "final":
            axes.plot(k[inside], criterion[inside], "o", color=colour, ms=3.5, zorder=3)
    axes.plot([], [], "o", color="0.4", ms=3.5, label=f"{_LIKELIHOOD} less the price, by stage")
    star = {"color": "#e6b800", "mec": INK, "mew": 0.7, "ms": 10, "label": "the model", "zorder": 4}
    axes.plot(k[-1], 0.0, "*", **star)
    _relative_axis(axes, np.concatenate([likelihood[order], criterion]))
    axes.set_xlim(k.min() - 0.05 * np.ptp(k) - 0.5, k.max() + 0.05 * np.ptp(k) + 0.5)
    axes.legend(fontsize=SMALL, loc="best", **_LEGEND)


def _relative_axis(axes, values):
    """A scale that is linear about 0 and logarithmic far from it, with few numbers."""
    low, high = min(values.min(), -_LINEAR), max(values.max(), 0.0)
    axes.set_yscale("symlog", linthresh=_LINEAR, linscale=1.0)
    powers = np.arange(1, max(2, int(np.ceil(np.log10(max(-low, high, _LINEAR)))) + 1))
    powers = powers[:: max(1, -(-len(powers) // 5))]
    axes.set_yticks([*(-(10.0 ** powers[::-1])), 0.0, *(10.0**powers)])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(1.6 * low, max(1.6 * high, 0.5 * _LINEAR))
