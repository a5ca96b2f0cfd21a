"""How a fit went: what the objective still had to gain, how K followed, and how the number of components came about."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from . import _draw as draw

# Differences below this are drawn on a linear scale, larger ones on a logarithmic one [nat].
_LINEAR = 10.0
_TRIAL = "0.6"
# Colour and words of each way in which a structure came about.
_MADE_BY = {
    "start": ("0.2", "start"),
    "grow": ("#2b7bba", "grown"),
    "exchange": ("#7b3fa0", "exchanged"),
    "prune": ("#d95f0e", "pruned"),
    "settle": ("#1b9e77", "settled"),
    "points": ("#c2297f", "points let go"),
}


def plot_history(result):
    """How the fit went: what the objective still had to gain, and K, against accepted iterates; and Schwarz's criterion against K.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    matplotlib.figure.Figure
        Its axes carry the labels "objective", "k" and "path".
    """
    figure = Figure(figsize=(13.0, 5.0), facecolor="white")
    upper, lower = (
        figure.add_axes((0.065, 0.37, 0.43, 0.54), label="objective"),
        figure.add_axes((0.065, 0.11, 0.43, 0.22), label="k"),
    )
    objective = np.asarray(result.history.get("objective", ()), np.float64)
    steps = np.arange(1, len(objective) + 1)
    phases = np.asarray(result.history.get("stage", [""] * len(objective))).astype(str)
    if len(objective):
        # The objective is re-based between phases, so its best need not be its last; no gap has a place on a logarithmic axis.
        gap = np.maximum(np.nanmax(objective) - objective, 1e-3)
        names = list(dict.fromkeys(phases))
        for name in names:
            inside = phases == name
            upper.plot(
                steps[inside],
                gap[inside],
                ".",
                color=_MADE_BY.get(name, ("0.2",))[0],
                ms=4,
                label=name or None,
            )
        upper.set_yscale("log")
        if any(names):
            upper.legend(fontsize=draw.SMALL, frameon=False, loc="upper right")
        lower.step(
            steps,
            np.asarray(result.history.get("k", np.full(len(steps), np.nan)), np.float64),
            where="mid",
            color=draw.INK,
            lw=1.2,
        )
    lower.yaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
    lower.set_xlabel("accepted iterate", fontsize=draw.MEDIUM)
    lower.set_ylabel("K", fontsize=draw.MEDIUM)
    upper.set_ylabel("objective below its best [nat]", fontsize=draw.MEDIUM)
    ended = "converged" if result.converged else "not converged"
    draw.title(
        upper,
        f"{ended} after {result.iterations:,} evaluations"
        + (f": {result.stop_reason}" if result.stop_reason else ""),
    )
    for axes in (upper, lower):
        axes.set_xlim(0, len(steps) + 1)
        axes.tick_params(labelsize=draw.SMALL)
        axes.grid(alpha=0.25, lw=0.5)
    upper.tick_params(labelbottom=False)
    _draw_path(figure.add_axes((0.575, 0.11, 0.41, 0.80), label="path"), result)
    return figure


def _draw_path(axes, result):
    """Structures that the fit went on from, in their order, and the trials that it left, K against the criterion below its best."""
    axes.set_xlabel("number of components K", fontsize=draw.MEDIUM)
    axes.set_ylabel("worth: log L - 3 K log N, against the best [nat]", fontsize=draw.MEDIUM)
    axes.tick_params(labelsize=draw.SMALL)
    # Whole numbers alone are marked, be there a single one.
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    chosen = (
        "chosen"
        if result.requested_components is None
        else f"{result.requested_components} asked for"
    )
    draw.title(axes, f"how K = {len(result.extended)} ({chosen}) came about: higher is better")
    if not result.path:
        axes.text(
            0.5,
            0.5,
            "the model file holds no path",
            transform=axes.transAxes,
            ha="center",
            fontsize=draw.MEDIUM,
            color="0.4",
        )
        return
    made, accepted = (
        np.asarray(result.path["stage"]).astype(str),
        np.asarray(result.path["accepted"], bool),
    )
    k, criterion = (np.asarray(result.path[name], np.float64) for name in ("k", "criterion"))
    below = criterion - criterion.max()
    axes.set_yscale("symlog", linthresh=_LINEAR, linscale=1.0)
    axes.plot(k[accepted], below[accepted], "-", color="0.75", lw=1, zorder=1)
    if not accepted.all():
        axes.plot(
            k[~accepted],
            below[~accepted],
            "x",
            color=_TRIAL,
            ms=5,
            mew=1,
            label="tried, not taken",
            zorder=2,
        )
    for name, (colour, words) in _MADE_BY.items():
        inside = accepted & (made == name)
        if inside.any():
            axes.plot(k[inside], below[inside], "o", color=colour, ms=5, label=words, zorder=3)
    axes.plot(
        k[-1],
        below[-1],
        "*",
        color="#e6b800",
        mec=draw.INK,
        mew=0.8,
        ms=16,
        label="the model",
        zorder=4,
    )
    lowest = below.min()
    powers = range(1, max(2, int(np.ceil(np.log10(max(-lowest, _LINEAR)))) + 1))
    axes.set_yticks([0.0, *(-(10.0**p) for p in powers)])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(min(1.6 * lowest, -1.6 * _LINEAR), 0.3 * _LINEAR)
    axes.set_xlim(k.min() - 0.05 * np.ptp(k) - 0.5, k.max() + 0.05 * np.ptp(k) + 0.5)
    axes.grid(alpha=0.25, lw=0.5)
    axes.legend(fontsize=draw.SMALL, framealpha=0.9, edgecolor="none", loc="lower right")
