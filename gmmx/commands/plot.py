"""Draw a figure of models and write it."""

from collections.abc import Sequence
from pathlib import Path

from ..config import PlotConfig
from ..config.figures import parsed_zoom
from ..errors import InputError, about
from ..io.inputs import recorded_files
from ..io.models import read_model
from ..io.regions.figure import figure_regions
from ..io.write import check_no_input, check_target, replacing

FIGURE_SUFFIXES = (".png", ".pdf", ".svg")


def plot(
    models: str | Path | Sequence[str | Path],
    out: str | Path,
    config: PlotConfig | None = None,
    *,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
) -> Path:
    """Draw a figure of model files and write it.

    Parameters
    ----------
    models : path or sequence of path
        One model file, or as many as the figure shows.
    out : path
        A PNG, PDF or SVG file.
    config : PlotConfig, optional
    overwrite : bool
        Whether an existing file may be replaced.
    inputs : sequence of path
        Further files that the output must not replace. The files that the models were made from
        are never replaced.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    GmmxError
        If the output cannot be written, which is checked first, or a model cannot be read.
    """
    # Matplotlib is imported only when a figure is drawn.
    from ..show.figures import plot as draw
    from ..show.figures import save

    config = PlotConfig() if config is None else config
    if config.alt is not None:
        raise InputError("`alt`: descriptions are not written yet: leave it out", parameter="alt")
    models = [models] if isinstance(models, str | Path) else list(models)
    read = [*models, *_files(config), *inputs]
    check_target(out, overwrite=overwrite, suffixes=FIGURE_SUFFIXES, inputs=read)
    results = [read_model(model) for model in models]
    for result in results:
        check_no_input(out, recorded_files(result.observations))
    with about(models[0]):
        regions = figure_regions(config, results[0])
        figure = draw(results, config, zoom_to=regions.zoom_to, overlays=regions.overlays)
    with replacing(out, overwrite, suffixes=FIGURE_SUFFIXES) as aside:
        save(figure, aside, dpi=config.dpi, style=config.style)
    return Path(out)


def _files(config):
    """The files that the options name."""
    files = [one for one in (*config.region, config.style) if isinstance(one, str)]
    if isinstance(config.zoom, str) and parsed_zoom(config.zoom) is None:
        files.append(config.zoom)
    return files
