"""One door to the figures of mixtures of samples, by name."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import fields

from ..._words import counted, either
from ...config import SAMPLE_FIGURES, WIDTHS, PlotConfig
from ...config.figures import parsed_width
from ...errors import DataWarning, InputError
from ...model.samples_result import SamplesResult
from .corner import MOST_COLUMNS, corner_figure
from .paper_figure import PaperFigure
from .sample_path import path_figure
from .style import styled

# Options that these figures know.
_KNOWN = ("what", "width", "style", "alt", "dpi")
# More columns than this take two columns of a journal.
_NARROW = 2


def samples_figure(
    results: SamplesResult | Sequence[SamplesResult], config: PlotConfig
) -> PaperFigure:
    """Draw a figure of a mixture of samples.

    Parameters
    ----------
    results : SamplesResult or sequence of one
    config : PlotConfig
        Its `what` is "corner", "path", or "overview", the default, for the corner plot.

    Raises
    ------
    InputError
        If the figure shows the sky, or several models are given.

    Examples
    --------
    >>> import gmmx
    >>> result = gmmx.fit_samples([[0.0, 1.0], [1.0, 0.0], [2.0, 3.0], [4.0, 3.0]], n_components=1)
    >>> [axes.get_label() for axes in samples_figure(result, PlotConfig()).axes]
    ['x0', 'x1 against x0', 'x1']
    """
    given = [results] if isinstance(results, SamplesResult) else list(results)
    if len(given) != 1:
        raise InputError(
            f"a figure of samples shows 1 model, and {counted(len(given), 'model')} were given"
        )
    (result,) = given
    what = "corner" if config.what == PlotConfig.what else config.what
    if what not in SAMPLE_FIGURES:
        raise InputError(
            f"`what` = {what} shows the sky, and the model is of samples: choose "
            f"{either(SAMPLE_FIGURES)}",
            parameter="what",
        )
    _warn_of_ignored(config)
    is_narrow = what == "path" or len(result.names) <= _NARROW
    width = parsed_width(str(config.width)) or WIDTHS["single" if is_narrow else "double"]
    with styled(config.style):
        figure = (corner_figure if what == "corner" else path_figure)(result, width)
    figure.style_sheet = config.style
    figure.describe_by(lambda: _described(result, what))
    return figure


def _warn_of_ignored(config):
    """Name the options that were given and do not change the figure."""
    given = [
        f"`{field.name}`"
        for field in fields(PlotConfig)
        if field.name not in _KNOWN and getattr(config, field.name) != field.default
    ]
    if given:
        verb = "does" if len(given) == 1 else "do"
        warnings.warn(
            f"{', '.join(given)} {verb} not change a figure of samples", DataWarning, stacklevel=4
        )


def _described(result, what):
    """What the figure shows, in two sentences."""
    k, n = len(result.mixture), len(result.samples)
    if what == "path":
        return (
            "Two panels show the criteria and the log-likelihood of mixtures of samples against "
            f"their number of components. The model has {counted(k, 'component')}."
        )
    names = ", ".join(result.names[:MOST_COLUMNS])
    return (
        f"A corner plot shows {n:,} samples of {names}, the histogram of each column, and "
        f"the density of a mixture of {counted(k, 'component')}. The contours of each pair hold "
        "39.3, 86.5 and 98.9 % of the mixture without errors."
    )
