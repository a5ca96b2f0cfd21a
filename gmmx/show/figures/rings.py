"""How a radial profile is drawn: brightness above, data over the model after the PSF below."""

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from matplotlib.ticker import (
    FixedLocator,
    LogFormatterMathtext,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
)

from .colour import INK, MEDIUM, SMALL, numbers, power_of, scaled

_BEFORE, _BACKGROUND = "#d95f0e", "#2b7bba"
_POINTS = {"fmt": "o", "ms": 2.6, "color": INK, "mfc": "white", "mew": 0.8, "lw": 0.8}
_LEGEND = {"framealpha": 0.85, "edgecolor": "none", "handlelength": 1.4}
_LEGEND |= {"labelspacing": 0.15, "borderpad": 0.15, "handletextpad": 0.5}
# Decades that the brightness spans at most.
_DECADES = 6
_POINTS_PER_INCH = 72
# If the innermost annulus is larger than this, the axis is in arcmin [arcsec].
_LARGE = 12.0


def draw_profile(upper, lower, table):
    """Draw data and models against radius, and the ratio of data and model below.

    Backgrounds and point sources are subtracted from the data, whose error bars are Poisson and
    background errors in quadrature. The model after the PSF is what the data are compared with;
    the model before the PSF is the sky. Bands hold 68 % of the draws that the model has. The ratio
    is left out where its error is above 1. Without any signal, data and background are compared.

    Parameters
    ----------
    upper, lower : matplotlib Axes
    table : astropy.table.QTable
        As `gmmx.answers.profile_table.profile_of` makes it.
    """
    values = {
        name: np.asarray(getattr(table[name], "value", table[name])) for name in table.colnames
    }
    far = values["R"][0, 1] > _LARGE
    edges = np.append(values["R"][:, 0], values["R"][-1, 1]) / (60.0 if far else 1.0)
    if edges[0] == 0:
        # The innermost annulus is a disc: on a logarithmic axis it needs an inner edge.
        edges[0] = edges[1] / 2
    for axes in (upper, lower):
        if axes.get_axes_locator() is not None:
            # The parts of a divided panel get their places only when they are drawn.
            axes.apply_aspect(axes.get_axes_locator()(axes, None))
    shown = _Compared.of(values, edges, table.meta.get("psf", "all"))
    _draw_brightness(upper, shown, table.meta.get("estimate", "best"))
    _draw_ratio(lower, shown)
    for axes in (upper, lower):
        axes.tick_params(which="both", direction="in", top=True, right=True, labelsize=SMALL)
        axes.set_xscale("log")
        axes.set_xlim(edges[0], edges[-1])
        plain_log_axis(axes.xaxis)
    power = _brightness_ticks(upper)
    upper.tick_params(labelbottom=False)
    name = "semi-major axis" if table.meta.get("axis_ratio", 1.0) < 1 else "radius"
    lower.set_xlabel(f"{name} [{'arcmin' if far else 'arcsec'}]", fontsize=MEDIUM)
    flux = r" cm$^{-2}$ s$^{-1}$" if "CUM_FLUX" in table.colnames else ""
    whole = scaled(rf"photon{flux} arcsec$^{{-2}}$", power)
    short = scaled(rf"ph{flux} arcsec$^{{-2}}$", power)
    _name(upper, (f"surface brightness [{whole}]", MEDIUM), (whole, MEDIUM), (short, SMALL))
    _name(lower, ("data / model", MEDIUM), ("ratio", SMALL))
    _explain(upper, shown)


def _name(axes, *names):
    """Give the vertical axis the first of the names that is not longer than it."""
    figure = axes.get_figure(root=True)
    room = axes.get_window_extent().height / figure.dpi * _POINTS_PER_INCH
    for name, size in names:
        font = FontProperties(size=size)
        wide, _, _ = text_to_path.get_text_width_height_descent(name, font, ismath="$" in name)
        if wide < room:
            break
    axes.set_ylabel(name, fontsize=size)


def _explain(axes, shown):
    """Put the legend into the corner where it hides the fewest data."""
    handles, labels = axes.get_legend_handles_labels()
    first = [i for i, label in enumerate(labels) if label.startswith("data")]
    order = first + [i for i in range(len(labels)) if i not in first]
    given = [handles[i] for i in order], [labels[i] for i in order]
    points = np.column_stack([np.repeat(shown.middle, 2), np.ravel([shown.data, shown.after], "F")])
    points = axes.transData.transform(points[np.all(points > 0, axis=1)])
    hidden = {}
    for place in ("upper right", "lower left", "upper left", "lower right"):
        box = axes.legend(*given, fontsize=SMALL, loc=place, **_LEGEND).get_window_extent()
        inside = (points > box.min) & (points < box.max)
        hidden[place] = int(np.all(inside, axis=1).sum())
    best = min(hidden, key=hidden.__getitem__)
    axes.legend(*given, fontsize=SMALL, loc=best, **_LEGEND)


class _Compared:
    """Data, the line that they are compared with, and further lines.

    Attributes
    ----------
    edges, middle : arrays
        Of the annuli, and where their points are drawn.
    data, low, high : (n,) arrays
        Brightness of the data, and their error bars.
    label : str
        What the data are.
    after : (n,) array
        The model that the data are compared with.
    lines : list of (name, values, (lower, upper) or None, style)
    """

    def __init__(self, edges, data, errors, label, lines):
        self.edges, self.middle = edges, np.sqrt(edges[:-1] * edges[1:])
        self.data, self.label, self.lines = data, label, lines
        self.low, self.high = errors
        self.after = lines[0][1]

    @classmethod
    def of(cls, values, edges, psf):
        """What the columns of a profile show, with the words that its PSF allows."""
        data, background = values["SUR_FLUX"], values["BG_SUR_FLUX"]
        poisson = [values[f"SUR_FLUX_ERR_{end}"] for end in ("LOW", "HIGH")]
        dashed = {"color": _BACKGROUND, "ls": "--"}
        if not np.any(values["MODEL_SUR_FLUX"] > 0):
            lines = [("background", background, None, dashed)]
            return cls(edges, data + background, poisson, "data", lines)
        errors = [np.hypot(one, values["SUR_FLUX_BG_ERR"]) for one in poisson]
        lines = [_line(values, "MODEL_SUR_FLUX", _after(psf), {"color": INK})]
        if psf != "none":
            # Dashes, because both models are often the same.
            style = {"color": _BEFORE, "ls": (0, (4, 1.5)), "zorder": 2.5}
            lines.append(_line(values, "DECONV_SUR_FLUX", "model before PSF", style))
        if np.any(background > 0):
            lines.append(("background", background, None, dashed))
        return cls(edges, data, errors, "data $-$ background", lines)


def _after(psf):
    """The name of the model that data are compared with."""
    if psf == "none":
        return "model (no PSF was given)"
    return "model after PSF" + ("" if psf == "all" else f" ({psf} observations have one)")


def _line(values, name, label, style):
    """A model line with the 68 % band of its errors, if it has any."""
    band = values[f"{name}_LOWER68"], values[f"{name}_UPPER68"]
    has_errors = np.any(band[1] > band[0])
    return label, values[name], band if has_errors else None, style


def _draw_brightness(axes, shown, estimate):
    axes.set_yscale("log")
    for name, values, band, style in shown.lines:
        if band is not None:
            steps = [np.append(one, one[-1]) for one in band]
            look = {"step": "post", "color": style["color"], "alpha": 0.25, "lw": 0}
            axes.fill_between(shown.edges, *steps, **look)
        axes.stairs(values, shown.edges, label=name, baseline=None, lw=1.1, **style)
    positive = shown.data > 0
    bars = np.stack([np.minimum(shown.low, 0.999 * np.abs(shown.data)), shown.high])
    given = shown.middle[positive], shown.data[positive], bars[:, positive]
    axes.errorbar(*given, label=shown.label, zorder=3, **_POINTS)
    if any(band is not None for _, _, band, _ in shown.lines):
        # Draws of a scan have wings that the fit lacks: their mean is drawn in its place.
        label = "mean and 68 % of draws" if estimate == "mean" else "bands: 68 %"
        axes.fill_between([], [], color="0.75", lw=0, label=label)
    limits = shown.data + shown.high
    _draw_limits(axes, shown.middle, limits, ~positive & np.isfinite(limits) & (limits > 0))
    _limit_brightness(axes, shown, shown.data[positive & (shown.data > shown.low)])


def _limit_brightness(axes, shown, data):
    """Set the axis to what the data tell: models may be far fainter than the faintest of them."""
    # The background does not count, unless it is all that there is.
    alone = len(shown.lines) == 1
    lines = [values for name, values, _, _ in shown.lines if alone or name != "background"]
    values = np.concatenate([data, *lines])
    values = values[np.isfinite(values) & (values > 0)]
    if not len(values):
        return
    bands = [band[1] for _, _, band, _ in shown.lines if band is not None]
    top = 2.5 * max(values.max(), *(np.nanmax(band) for band in bands), 0.0)
    faintest = data.min() / 10 if len(data) else 0.0
    low = max(values.min() / 3, faintest, top / 10.0**_DECADES)
    axes.set_ylim(min(low, top / 10), top)


def _draw_limits(axes, middle, limits, chosen):
    """Arrows where the background explains all photons: the upper end of the error bar."""
    style = {"fmt": "none", "ecolor": INK, "lw": 0.8, "uplims": True, "capsize": 1.5}
    if chosen.any():
        axes.errorbar(middle[chosen], limits[chosen], 0.5 * limits[chosen], **style)


def _draw_ratio(axes, shown):
    model = np.where(shown.after > 0, shown.after, np.nan)
    low, high, ratio = (one / model for one in (shown.low, shown.high, shown.data))
    # Where the model is fainter than the errors of the data their ratio tells nothing.
    told = np.maximum(low, high) < 1
    middle, ratio, low, high = (one[told] for one in (shown.middle, ratio, low, high))
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


def _brightness_ticks(axes):
    """Number the axis of brightness, and return the power of ten that its numbers lack.

    Powers of ten, or over less than two decades numbers with a common power in the label.
    """
    low, high = axes.get_ylim()
    axes.yaxis.set_minor_formatter(NullFormatter())
    if high / low > 100:
        axes.yaxis.set_major_locator(LogLocator(10, numticks=9))
        axes.yaxis.set_major_formatter(LogFormatterMathtext())
        return 0
    power = power_of(high)
    plain_log_axis(axes.yaxis, power)
    return power


def plain_log_axis(axis, power=0):
    """Plain numbers on a logarithmic axis, fewer in a decade where there are many decades."""
    low, high = axis.get_view_interval()
    axis.set_minor_formatter(NullFormatter())
    if high / low < 4:
        # A logarithmic axis without a power of ten may have no tick at all.
        ticks = MaxNLocator(4, steps=[1, 2, 5]).tick_values(low, high)
        axis.set_major_locator(FixedLocator([t for t in ticks if low <= t <= high]))
        axis.set_minor_locator(NullLocator())
    else:
        steps = (1.0, 2.0, 5.0) if high / low < 30 else (1.0, 3.0) if high / low < 3000 else (1.0,)
        axis.set_major_locator(LogLocator(10, subs=steps, numticks=12))
    axis.set_major_formatter(numbers(power))
