"""The radial profile as a figure for a paper."""

import numpy as np
from astropy.table import QTable
from matplotlib.ticker import LogFormatterMathtext, LogLocator, MaxNLocator, NullFormatter

from .colour import INK
from .paper_figure import PaperFigure
from .profile import plain_log_axis

# Width of a column of a journal, and height [inch].
_SIZE = (3.5, 4.1)
_SMALL, _MEDIUM = 7.0, 8.0
_DECONVOLVED, _BACKGROUND = "#d95f0e", "#2b7bba"
_POINTS = {"fmt": "o", "ms": 2.6, "color": INK, "mfc": "white", "mew": 0.8, "lw": 0.8}
_LEGEND = {"framealpha": 0.85, "edgecolor": "none", "loc": "lower left", "handlelength": 1.8}
_ORDER = ("data", "model with PSF", "deconvolved model", "background (subtracted)")
# Decades that the brightness spans at most.
_DECADES = 6
# Above this radius the axis is in arcmin [arcsec].
_LARGE = 600.0


def profile_figure(table: QTable) -> PaperFigure:
    """Draw a radial profile: brightness above, data over the blurred model below.

    Error bars of the data are Poisson and background errors in quadrature. The band holds 68 % of
    the deconvolved model. The ratio is left out where its error is above 1.

    Parameters
    ----------
    table : astropy.table.QTable
        As `FitResult.profile` makes it.

    Returns
    -------
    matplotlib.figure.Figure
        Its axes are labelled "brightness" and "ratio".

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0.0, 5.0, (2, 500))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> [axes.get_label() for axes in profile_figure(result.profile(bins="0,5,10,15")).axes]
    ['brightness', 'ratio']
    """
    numbers = {
        name: np.asarray(getattr(table[name], "value", table[name])) for name in table.colnames
    }
    far = numbers["R"].max() > _LARGE
    edges = np.append(numbers["R"][:, 0], numbers["R"][-1, 1]) / (60.0 if far else 1.0)
    if edges[0] == 0:
        # The innermost annulus is a disc: on a logarithmic axis it needs an inner edge.
        edges[0] = edges[1] / 2
    middle = np.sqrt(edges[:-1] * edges[1:])
    figure = PaperFigure(figsize=_SIZE, facecolor="white")
    space = {"left": 0.185, "right": 0.97, "bottom": 0.105, "top": 0.98, "hspace": 0.06}
    upper, lower = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True, gridspec_kw=space)
    upper.set_label("brightness")
    lower.set_label("ratio")
    _draw_brightness(upper, numbers, middle, edges)
    _draw_ratio(lower, numbers, middle)
    for axes in (upper, lower):
        axes.tick_params(which="both", direction="in", top=True, right=True, labelsize=_SMALL)
    lower.set_xscale("log")
    lower.set_xlim(edges[0], edges[-1])
    plain_log_axis(lower.xaxis)
    upper.tick_params(labelbottom=False)
    name = "semi-major axis" if table.meta.get("axis_ratio", 1.0) < 1 else "radius"
    lower.set_xlabel(f"{name} [{'arcmin' if far else 'arcsec'}]", fontsize=_MEDIUM)
    flux = r" cm$^{-2}$ s$^{-1}$" if "CUM_FLUX" in table.colnames else ""
    label = rf"surface brightness [photon{flux} arcsec$^{{-2}}$]"
    upper.set_ylabel(label, fontsize=_MEDIUM)
    lower.set_ylabel("data / model", fontsize=_MEDIUM)
    figure.align_ylabels()
    return figure


def _draw_brightness(axes, numbers, middle, edges):
    low, high = _errors(numbers)
    data, model = numbers["SUR_FLUX"], numbers["MODEL_SUR_FLUX"]
    band = numbers["DECONV_SUR_FLUX_LOWER68"], numbers["DECONV_SUR_FLUX_UPPER68"]
    axes.set_yscale("log")
    steps = [np.append(one, one[-1]) for one in band]
    style = {"step": "post", "color": _DECONVOLVED, "alpha": 0.3, "lw": 0}
    axes.fill_between(edges, *steps, **style, label="_band")
    line = {"baseline": None, "lw": 1.1}
    axes.stairs(model, edges, color=INK, label="model with PSF", **line)
    # Dashes, because both models are often the same.
    dashes = {"color": _DECONVOLVED, "ls": (0, (4, 1.5)), "zorder": 2.5, **line}
    axes.stairs(numbers["DECONV_SUR_FLUX"], edges, label="deconvolved model", **dashes)
    shown = data > 0
    bars = np.stack([np.minimum(low, 0.999 * np.abs(data)), high])[:, shown]
    axes.errorbar(middle[shown], data[shown], bars, label="data", zorder=3, **_POINTS)
    _draw_limits(axes, middle, data + high, ~shown & np.isfinite(data) & (data + high > 0))
    if np.any(numbers["BG_SUR_FLUX"] > 0):
        style = {"color": _BACKGROUND, "ls": "--", **line}
        axes.stairs(numbers["BG_SUR_FLUX"], edges, label="background (subtracted)", **style)
    values = np.concatenate([data[shown], model[model > 0], numbers["DECONV_SUR_FLUX"]])
    values = values[np.isfinite(values) & (values > 0)]
    if len(values):
        top = 2.5 * max(values.max(), np.nanmax(band[1]))
        # Model values far below the faintest data would take up the panel.
        faintest = data[shown].min() / 10 if shown.any() else 0.0
        axes.set_ylim(max(values.min() / 3, faintest, top / 10.0**_DECADES), top)
    axes.yaxis.set_major_locator(LogLocator(10, numticks=9))
    axes.yaxis.set_major_formatter(LogFormatterMathtext())
    axes.yaxis.set_minor_formatter(NullFormatter())
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    shown = [name for name in _ORDER if name in handles]
    axes.legend([handles[name] for name in shown], shown, fontsize=_SMALL, **_LEGEND)


def _draw_limits(axes, middle, limits, chosen):
    """Arrows where the background explains all photons: the upper end of the error bar."""
    style = {"fmt": "none", "ecolor": INK, "lw": 0.8, "uplims": True, "capsize": 1.5}
    if chosen.any():
        axes.errorbar(middle[chosen], limits[chosen], 0.5 * limits[chosen], **style)


def _draw_ratio(axes, numbers, middle):
    model = np.where(numbers["MODEL_SUR_FLUX"] > 0, numbers["MODEL_SUR_FLUX"], np.nan)
    low, high = (one / model for one in _errors(numbers))
    ratio = numbers["SUR_FLUX"] / model
    # Where the model is fainter than the errors of the data their ratio tells nothing.
    told = np.maximum(low, high) < 1
    middle, ratio, low, high = (one[told] for one in (middle, ratio, low, high))
    axes.axhline(1, color=INK, lw=0.8)
    axes.errorbar(middle, ratio, np.stack([low, high]), **_POINTS)
    precise = np.maximum(low, high) < 0.5
    reach = np.max((np.abs(ratio - 1) + high)[precise], initial=0.05)
    reach = float(np.clip(1.25 * reach, 0.06, 0.95))
    axes.set_ylim(1 - reach, 1 + reach)
    # Points beyond the axis are marked at its edge.
    for beyond, sign, marker in ((ratio > 1 + reach, 1, "^"), (ratio < 1 - reach, -1, "v")):
        edge = np.full(beyond.sum(), 1 + sign * 0.88 * reach)
        axes.plot(middle[beyond], edge, marker, ms=3.5, color=INK)
    axes.yaxis.set_major_locator(MaxNLocator(4, prune="both"))


def _errors(numbers):
    """Lower and upper error bars of the data, with the error of the background."""
    background = numbers["SUR_FLUX_BG_ERR"]
    return (np.hypot(numbers[f"SUR_FLUX_ERR_{end}"], background) for end in ("LOW", "HIGH"))
