"""The panel of the radial profile."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from . import _draw as draw

_SIGNAL, _BACKGROUND = "#d95f0e", "#2b7bba"


def draw_profile(axes, ratio, profile, title):
    """Data with Poisson bars, model, signal and background against radius; below, data over model. The y axes stand on the right."""
    unit, name = (60.0, "arcmin") if profile["high"][-1] > 180 else (1.0, "arcsec")
    radius, low, high = (profile[key] / unit for key in ("radius", "low", "high"))
    edges = np.append(low, high[-1])
    # The innermost annulus is a disc: on a logarithmic axis it needs an edge.
    edges[0] = edges[0] or edges[1] / 2
    for key, colour, style in (
        ("background", _BACKGROUND, "--"),
        ("signal", _SIGNAL, "-."),
        ("model", draw.INK, "-"),
    ):
        # Without a background the signal is the model.
        if np.any(profile[key] > 0) and (
            key == "model" or np.any(profile["background"] > 1e-9 * profile["model"])
        ):
            axes.stairs(
                profile[key], edges, color=colour, ls=style, lw=1.4, label=key, baseline=None
            )
    seen = profile["counts"] > 0
    # A bar that reaches 0 has no lower end on a logarithmic axis.
    bars = np.stack([np.minimum(profile["error"], 0.999 * profile["data"]), profile["error"]])
    axes.errorbar(
        radius[seen],
        profile["data"][seen],
        bars[:, seen],
        fmt="o",
        ms=3,
        color="0.1",
        mfc="white",
        mew=0.9,
        lw=0.9,
        label="data",
        zorder=3,
    )
    axes.set_xscale("log")
    axes.set_yscale("log")
    values = np.concatenate([profile["data"][seen], profile["model"][profile["model"] > 0]])
    if len(values):
        floor = values.min() / 4
        faint = profile["background"][profile["background"] > values.min() / 50]
        axes.set_ylim(max(min([floor, *faint / 1.5]), values.max() / 1e6), values.max() * 2.5)
    safe = np.maximum(profile["expected"], 1e-300)
    ratio.axhline(1, color=draw.INK, lw=1)
    share, error = profile["counts"] / safe, np.sqrt(np.maximum(profile["counts"], 1)) / safe
    ratio.errorbar(radius, share, error, fmt="o", ms=3, color="0.1", mfc="white", mew=0.9, lw=0.9)
    told = error < 0.5
    reach = np.clip(1.25 * np.max(np.abs(share - 1)[told] + error[told], initial=0.05), 0.06, 0.9)
    ratio.set_ylim(1 - reach, 1 + reach)
    for beyond, edge, marker in (
        (share > 1 + reach, 1 + 0.88 * reach, "^"),
        (share < 1 - reach, 1 - 0.88 * reach, "v"),
    ):
        ratio.plot(radius[beyond], np.full(beyond.sum(), edge), marker, ms=4, color="0.1")
    ratio.set_xscale("log")
    for panel in (axes, ratio):
        panel.set_xlim(edges[0], edges[-1] * 1.03)
        panel.yaxis.tick_right()
        panel.yaxis.set_label_position("right")
        panel.tick_params(
            labelsize=draw.SMALL,
            which="both",
            direction="in",
            left=True,
            right=True,
            top=True,
            bottom=True,
        )
        panel.grid(alpha=0.2, lw=0.5)
        draw.log_axis(panel.xaxis)
    ratio.yaxis.set_major_locator(MaxNLocator(4, prune="upper"))
    power = draw.power_of(axes.get_ylim()[1])
    draw.log_axis(axes.yaxis, power)
    axes.tick_params(labelbottom=False)
    axes.set_ylabel(draw.scaled(r"photons arcsec$^{-2}$", power), fontsize=draw.MEDIUM)
    ratio.set_ylabel("data / model", fontsize=draw.SMALL)
    ratio.set_xlabel(f"radius [{name}]", fontsize=draw.MEDIUM, labelpad=2)
    handles, labels = axes.get_legend_handles_labels()
    order = sorted(
        range(len(labels)), key=lambda j: ("data", "model", "signal", "background").index(labels[j])
    )
    axes.legend(
        [handles[j] for j in order],
        [labels[j] for j in order],
        fontsize=draw.SMALL,
        framealpha=0.9,
        edgecolor="none",
        loc="lower left",
    )
    draw.title(axes, title)
