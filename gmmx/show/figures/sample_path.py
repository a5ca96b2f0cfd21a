"""The path over the number of components of a mixture of samples."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import MaxNLocator

from ...errors import InputError
from ...model.samples_result import SamplesResult
from .colour import INK, MEDIUM, SMALL
from .paper_figure import PaperFigure
from .style import em

# Colour and marker of each criterion, and its name.
_CRITERIA = {
    "bic": ("#1f5fa8", "o", "BIC"),
    "aic": ("#d95f0e", "s", "AIC"),
    "icl": ("#1b9e77", "^", "ICL"),
}
_LEFT, _BELOW, _RIGHT, _ABOVE = 5.0, 3.6, 0.9, 1.9


def path_figure(result: SamplesResult, width: float) -> PaperFigure:
    """Figure of the criteria and the log-likelihood against the number of components.

    Parameters
    ----------
    result : SamplesResult
    width : float
        [inch]

    Returns
    -------
    PaperFigure
        Its axes are labelled "criteria" and "likelihood".

    Raises
    ------
    InputError
        If only one number of components was tried.
    """
    rows = path_rows(result)
    height = 1.15 * width
    figure = PaperFigure(figsize=(width, height), facecolor="white")
    unit = em()
    upper, lower = figure.subplots(
        2,
        1,
        sharex=True,
        height_ratios=(1.5, 1),
        gridspec_kw={
            "left": _LEFT * unit / width,
            "right": 1 - _RIGHT * unit / width,
            "bottom": _BELOW * unit / height,
            "top": 1 - _ABOVE * unit / height,
            "hspace": 0.07,
        },
    )
    upper.set_label("criteria")
    lower.set_label("likelihood")
    _draw_criteria(upper, rows)
    _draw_likelihood(lower, rows)
    chosen = len(result.mixture)
    for axes in (upper, lower):
        axes.axvline(chosen, color="0.6", lw=0.8, ls=":", zorder=0)
        axes.tick_params(direction="in", top=True, right=True, labelsize=SMALL)
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    criterion = str(result.options.get("criterion", "bic")).upper()
    by = f"chosen by {criterion}" if result.requested_components is None else "given"
    upper.set_title(f"K = {chosen}, {by}", loc="left", fontsize=MEDIUM)
    upper.legend(fontsize=SMALL, frameon=False, loc="best")
    return figure


def _draw_criteria(upper, rows):
    k = rows["k"]
    for name, (colour, marker, title) in _CRITERIA.items():
        values = rows[name] - rows[name].min()
        upper.plot(k, values, marker, ls="-", color=colour, ms=3.5, lw=0.9, label=title)
    upper.set_yscale("symlog", linthresh=10)
    upper.set_ylim(bottom=-1)
    upper.set_ylabel("above the smallest value", fontsize=MEDIUM)


def _draw_likelihood(lower, rows):
    """The log-likelihood, and that of held-out samples where there are some."""
    k = rows["k"]
    lower.plot(k, rows["log_likelihood"], "o-", color=INK, ms=3.5, lw=0.9)
    lower.set_ylabel(r"$\ln L$ [nat]", fontsize=MEDIUM)
    lower.set_xlabel("number of components K", fontsize=MEDIUM)
    lower.ticklabel_format(axis="y", useOffset=False)
    held_out = rows["held_out"]
    if np.isfinite(held_out).all():
        twin = lower.twinx()
        twin.set_label("held out")
        twin.plot(k, held_out, "D--", color="#7b3fa0", ms=3, lw=0.8)
        twin.set_ylabel("held out [nat per sample]", fontsize=SMALL, color="#7b3fa0")
        twin.tick_params(labelsize=SMALL)


def path_rows(result: SamplesResult) -> dict[str, np.ndarray]:
    """The best trial of each number of components: rows of the path by rising K."""
    path = {name: np.asarray(column) for name, column in result.path.items()}
    is_held_out = np.isfinite(path.get("held_out", np.zeros(0)).astype(float))
    if is_held_out.any():
        # The other rows are fits to all samples, whose criteria do not compare.
        path = {name: column[is_held_out] for name, column in path.items()}
    k = path.get("k", np.zeros(0)).astype(int)
    if len(np.unique(k)) < 2:
        raise InputError(
            "`what` = path: only one number of components was tried: fit with `n_components` auto",
            parameter="what",
        )
    names = ("k", "log_likelihood", "bic", "aic", "icl", "held_out")
    best = [
        max(np.flatnonzero(k == one), key=lambda row: path["log_likelihood"][row])
        for one in np.unique(k)
    ]
    return {name: path[name][best].astype(float) for name in names}
