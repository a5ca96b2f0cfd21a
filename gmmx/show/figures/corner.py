"""The corner plot of a mixture of samples: every column, and every pair of columns."""

from __future__ import annotations

import numpy as np
from matplotlib.collections import EllipseCollection
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import blended_transform_factory

from ...answers.corner import Corner
from ...model.samples_result import SamplesResult
from .colour import MEDIUM, SMALL
from .paper_figure import PaperFigure
from .style import em

# Most columns that a figure shows, points of a panel, and error ellipses.
MOST_COLUMNS = 8
_MOST_POINTS, _MOST_ELLIPSES = 20_000, 150
_DATA, _MODEL, _NOISY = "0.45", "#1f5fa8", "#d95f0e"
_CONTOUR_WIDTHS = (0.7, 0.9, 1.2)
_LEGEND = {"fontsize": SMALL, "frameon": False, "handlelength": 1.6, "borderpad": 0}
# Space at the left, below, right and above [units of the text].
_LEFT, _BELOW, _RIGHT, _ABOVE = 5.2, 4.2, 0.9, 1.2


def corner_figure(result: SamplesResult, width: float) -> PaperFigure:
    """Figure of the density of each column with its histogram, and of each pair with contours.

    The contours hold 39.3, 86.5 and 98.9 % of the mixture without errors, as those of a Gaussian
    at 1, 2 and 3 sigma do. Where there are few samples with errors, these are drawn as ellipses.
    If the fit has draws, a density has the band that holds 68 % of them.

    Parameters
    ----------
    result : SamplesResult
    width : float
        [inch]

    Returns
    -------
    PaperFigure
        Its axes are labelled with the names of columns, such as "a" and "b against a".
    """
    corner = Corner.of(result)
    names = result.names[:MOST_COLUMNS]
    units = result.units[:MOST_COLUMNS]
    titles = [f"{name} [{unit}]" if unit else name for name, unit in zip(names, units, strict=True)]
    n, unit = len(names), em()
    height = width if n > 1 else 0.75 * width
    figure = PaperFigure(figsize=(width, height), facecolor="white")
    grid = figure.add_gridspec(
        n,
        n,
        left=_LEFT * unit / width,
        right=1 - _RIGHT * unit / width,
        bottom=_BELOW * unit / height,
        top=1 - _ABOVE * unit / height,
        wspace=0.06,
        hspace=0.06,
    )
    for row in range(n):
        for column in range(row + 1):
            own = names[row] if row == column else f"{names[row]} against {names[column]}"
            axes = figure.add_subplot(grid[row, column], label=own)
            _prepare(axes, n, alone=n == 1)
            if row == column:
                draw_density(axes, corner, row)
            else:
                draw_plane(axes, corner, column, row)
            _label(axes, titles, row, column)
    figure.align_xlabels()
    _explain(figure, n, width, height)
    return figure


def draw_density(axes, corner, i):
    """Draw the histogram of a column and the density of the mixture along it."""
    samples = corner.result.samples
    known = ~samples.missing[:, i]
    values, weights = samples.x[known, i], samples.weights[known]
    bins = np.linspace(*corner.ranges[i], 1 + int(np.clip(2 * len(values) ** (1 / 3), 10, 60)))
    counts, _ = np.histogram(values, bins, weights=weights)
    per_unit = counts / np.diff(bins)
    axes.stairs(per_unit, bins, fill=True, color="0.85", label="samples")
    axes.stairs(per_unit, bins, color=_DATA, lw=0.6)
    axes.plot(corner.axis(i), corner.curve(i), color=_MODEL, lw=1.2, label="mixture")
    band = corner.band(i)
    if band is not None:
        look = {"color": _MODEL, "alpha": 0.3, "lw": 0, "label": "68 % of the draws"}
        axes.fill_between(corner.axis(i), *band, **look)
    noisy = corner.noisy_curve(i)
    if noisy is not None:
        axes.plot(corner.axis(i), noisy, "--", color=_NOISY, lw=1.0, label="with the errors")
    top = max(per_unit.max(), corner.curve(i).max())
    axes.set_ylim(0, 1.12 * min(top, 3 * per_unit.max()))
    axes.set_xlim(*corner.ranges[i])


def draw_plane(axes, corner, i, j):
    """Draw the samples of two columns, their errors if they are few, and the contours."""
    samples = corner.result.samples
    known = np.flatnonzero(~(samples.missing[:, i] | samples.missing[:, j]))
    shown = known[:: max(1, -(-len(known) // _MOST_POINTS))]
    few = samples.noise_kind != "none" and len(known) <= _MOST_ELLIPSES
    if few:
        _draw_errors(axes, samples, known, i, j)
    size = np.clip(60 / np.sqrt(max(len(shown), 1)), 0.7, 3.0)
    style = {"color": _DATA, "mew": 0, "rasterized": True, "zorder": 1}
    style["alpha"] = float(np.clip(30 / np.sqrt(max(len(shown), 1)), 0.25, 0.9))
    axes.plot(samples.x[shown, i], samples.x[shown, j], "o", ms=size, **style)
    density, levels = corner.plane(i, j)
    x, y = (corner.axis(k, len(density)) for k in (i, j))
    rising = np.unique(levels)
    style = {"colors": _MODEL, "linewidths": _CONTOUR_WIDTHS[-len(rising) :], "zorder": 3}
    axes.contour(x, y, density, levels=rising, **style)
    axes.set_xlim(*corner.ranges[i])
    axes.set_ylim(*corner.ranges[j])


def _draw_errors(axes, samples, known, i, j):
    """Ellipses of one standard deviation of the errors."""
    noise = samples.noise(known)[:, [[i], [j]], [i, j]]
    values, vectors = np.linalg.eigh(noise)
    angles = np.degrees(np.arctan2(vectors[:, 1, 1], vectors[:, 0, 1]))
    minor, major = 2 * np.sqrt(np.maximum(values, 0)).T
    places = {"offsets": samples.x[known][:, [i, j]], "offset_transform": axes.transData}
    look = {"facecolors": "none", "edgecolors": "0.7", "linewidths": 0.5, "zorder": 0}
    axes.add_collection(EllipseCollection(major, minor, angles, units="xy", **places, **look))


def _prepare(axes, n, *, alone):
    axes.tick_params(direction="in", top=True, right=True, labelsize=SMALL)
    most = 5 if alone else max(2, 6 - n // 2)
    axes.xaxis.set_major_locator(MaxNLocator(most, prune=None if alone else "both"))
    axes.yaxis.set_major_locator(MaxNLocator(most, prune=None if alone else "both"))


def _label(axes, names, row, column):
    """Names and numbers at the left and below; a density has no numbers beside others."""
    last, alone = row == len(names) - 1, len(names) == 1
    axes.tick_params(labelbottom=last, labelleft=alone or (column == 0 and row > 0))
    if last:
        axes.set_xlabel(names[column], fontsize=MEDIUM)
        for tick in axes.get_xticklabels():
            tick.set(rotation=0 if len(names) < 4 else 45)
    if alone:
        axes.set_ylabel("samples per unit of " + names[0].split(" [")[0], fontsize=MEDIUM)
    elif column == 0 and row > 0:
        axes.set_ylabel(names[row], fontsize=MEDIUM)
        figure = axes.figure
        at = blended_transform_factory(figure.transFigure, axes.transAxes)
        axes.yaxis.set_label_coords(1.3 * em() / figure.get_figwidth(), 0.5, transform=at)
    elif row == column:
        axes.set_yticks([])


def _explain(figure, n, width, height):
    """A legend: in the panel that stands alone, else in the empty corner."""
    first = figure.axes[0]
    handles, labels = first.get_legend_handles_labels()
    if n == 1:
        # Room for the legend above the peaks.
        first.set_ylim(0, 1.25 * first.get_ylim()[1])
        first.legend(loc="best", **_LEGEND)
        return
    handles.append(figure.axes[1].plot([], [], color=_MODEL, lw=0.8)[0])
    labels.append("39.3, 86.5, 98.9 %")
    place = 1 - _RIGHT * em() / width, 1 - _ABOVE * em() / height
    figure.legend(handles, labels, loc="upper right", bbox_to_anchor=place, **_LEGEND)
