"""Flux against size of the components: the component table as a picture."""

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.ticker import LogFormatterMathtext, LogLocator, NullFormatter

from ...answers.components import component_table
from .colour import INK, MEDIUM, SMALL, power_of, scaled
from .panel import Drawn
from .rings import plain_log_axis

_DOUBTFUL = ("not significant", "mostly unseen", "scarcely observed")
_GREY, _PSF = "0.6", "#2b7bba"
# Space about the points, as a factor of the largest and smallest.
_SPACE = 1.6
# Point sources stand this far below the smallest size.
_POINTS = 2.5
_POINTS_PER_INCH = 72
_ERRORS = {"fmt": "none", "lw": 0.8, "zorder": 2}


def draw_sizes(axes, view):
    """Draw flux against size of the components with their errors and their numbers.

    The size is the geometric mean of both sigmas. Sizes have errors if the fit has draws. A flux
    below two standard errors is an upper limit at 95 %. Doubtful components are grey.

    Parameters
    ----------
    axes : matplotlib Axes
    view : View
    """
    result = view.result
    axes.tick_params(which="both", direction="in", top=True, right=True, labelsize=SMALL)
    axes.set_xlabel(r"$\sqrt{\sigma_1 \sigma_2}$ [arcsec]", fontsize=MEDIUM)
    power = 0
    if len(result.mixture):
        power = _draw_table(axes, result)
    else:
        axes.set_xticks([])
        axes.set_yticks([])
        style = {"transform": axes.transAxes, "ha": "center", "fontsize": MEDIUM, "color": "0.4"}
        axes.text(0.5, 0.5, "no component above the background", **style)
    unit = scaled(r"photon cm$^{-2}$ s$^{-1}$" if result.has_flux_unit else "photons", power)
    axes.set_ylabel(f"flux [{unit}]", fontsize=MEDIUM)
    return Drawn(("flux against size",))


def _draw_table(axes, result):
    """Draw the rows of the component table; return the power of ten that the fluxes lack."""
    table = component_table(result, result.draws)
    points = result.points[np.asarray(table["component"])]
    size, error = _sizes(table, points)
    name = "flux" if result.has_flux_unit else "photons"
    flux, upper, flux_error = (
        np.asarray(table[f"{name}{end}"]) for end in ("", "_upper95", "_error")
    )
    doubtful = np.array([any(word in text for word in _DOUBTFUL) for text in table["flags"]])
    limit = (flux < 2 * flux_error) & np.isfinite(upper) & (upper > 0)
    drawn = np.where(limit, upper, flux)
    axes.set_xscale("log")
    axes.set_yscale("log")
    _limit_axes(axes, size, drawn, flux_error, limit)
    for which, colour in ((~doubtful, INK), (doubtful, _GREY)):
        _draw_points(axes, which & ~limit & ~points, size, error, flux, flux_error, colour, "o")
        _draw_points(axes, which & ~limit & points, size, error, flux, flux_error, colour, "+")
        if np.any(which & limit):
            at = size[which & limit], upper[which & limit]
            arrows = {"uplims": True, "capsize": 1.5, "ecolor": colour}
            axes.errorbar(*at, 0.35 * at[1], **_ERRORS, **arrows)
    colours = np.where(doubtful, _GREY, INK)
    _number(axes, table["component"], np.column_stack([size, drawn]), colours)
    _mark_psf(axes, result)
    plain_log_axis(axes.xaxis)
    _explain(axes, doubtful, limit, points)
    return _flux_ticks(axes)


def _sizes(table, points):
    """Geometric means of both sigmas and their errors; point sources stand at the left."""
    major, minor = (np.asarray(table[f"sigma_{axis}"]) for axis in ("major", "minor"))
    size = np.sqrt(major * minor)
    error = np.zeros(len(size))
    if "sigma_major_error" in table.colnames:
        parts = [
            np.asarray(table[f"sigma_{axis}_error"]) / np.where(points, 1, value)
            for axis, value in (("major", major), ("minor", minor))
        ]
        error = size * np.hypot(*parts) / 2
    smallest = size[~points].min() if np.any(~points) else 1.0
    return np.where(points, smallest / _POINTS, size), error


def _draw_points(axes, which, size, error, flux, flux_error, colour, marker):
    if not which.any():
        return
    x, y, sx, sy = size[which], flux[which], error[which], flux_error[which]
    # A bar that reaches 0 has no lower end on a logarithmic axis.
    bars = {"xerr": np.stack([np.minimum(sx, 0.999 * x), sx]) if sx.any() else None}
    bars["yerr"] = np.stack([np.minimum(sy, 0.999 * y), sy])
    axes.errorbar(x, y, **bars, **_ERRORS, ecolor=colour)
    look = {"ms": 3.2 if marker == "o" else 5, "mew": 0.8, "mfc": "white", "mec": colour}
    axes.plot(x, y, marker, zorder=3, color=colour, **look)


def _number(axes, numbers, places, colours):
    """Write the numbers of components beside their points, where there is room for them."""
    room = FontProperties(size=SMALL).get_size_in_points() / _POINTS_PER_INCH
    figure = axes.get_figure(root=True)
    taken = axes.transData.transform(places) / figure.dpi
    half = np.full((len(taken), 2), 0.025)
    for number, colour, place, here in zip(numbers, colours, places, taken.copy(), strict=True):
        size = np.array([0.6 * len(str(number)), 0.75]) * room / 2
        for side in ((1, 1), (-1, 1), (1, -1), (-1, -1)):
            middle = here + np.array(side) * (size + 0.03)
            if np.all(np.any(np.abs(taken - middle) > half + size, axis=1)):
                taken, half = np.vstack([taken, middle]), np.vstack([half, size])
                shift = (middle - here) * _POINTS_PER_INCH
                style = {"fontsize": SMALL, "color": colour, "ha": "center", "va": "center"}
                offset = {"xytext": tuple(shift), "textcoords": "offset points"}
                axes.annotate(str(number), tuple(place), **offset, **style)
                break


def _limit_axes(axes, size, flux, error, limit):
    axes.set_xlim(size.min() / _SPACE, size.max() * _SPACE)
    low = np.where(limit, 0.5 * flux, np.maximum(flux - error, flux / 3))
    axes.set_ylim(low.min() / _SPACE, (flux + np.where(limit, 0, error)).max() * _SPACE)


def _mark_psf(axes, result):
    """A line at the core of the PSF, where any observation has one."""
    if not any(o.psf is not None for o in result.observations):
        return
    core = float(np.median(np.sqrt(result.prior_scales)))
    low, high = axes.get_xlim()
    if low < core < high:
        line = {"color": _PSF, "ls": ":", "lw": 1.0, "zorder": 1}
        axes.axvline(core, label="PSF radius (39 %), median", **line)


def _flux_ticks(axes):
    """Number the axis of fluxes, and return the power of ten that its numbers lack."""
    low, high = axes.get_ylim()
    if high / low > 100:
        axes.yaxis.set_major_locator(LogLocator(10, numticks=9))
        axes.yaxis.set_major_formatter(LogFormatterMathtext())
        axes.yaxis.set_minor_formatter(NullFormatter())
        return 0
    power = power_of(high)
    plain_log_axis(axes.yaxis, power)
    return power


def _explain(axes, doubtful, limit, points):
    """A legend of what is not an ordinary point."""
    if limit.any():
        axes.plot([], [], marker="v", ls="none", ms=3, color=INK, label="upper limit, 95 %")
    if points.any():
        axes.plot([], [], "+", ms=5, color=INK, label="point source (no size)")
    if doubtful.any():
        text = "hardly observed or not significant"
        axes.plot([], [], "o", ms=3.2, mfc="white", color=_GREY, label=text)
    if axes.get_legend_handles_labels()[0]:
        style = {"framealpha": 0.85, "edgecolor": "none", "handlelength": 1.4}
        axes.legend(fontsize=SMALL, loc="best", **style)
