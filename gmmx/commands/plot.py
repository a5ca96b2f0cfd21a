"""Draw a figure of models and write it."""

from collections.abc import Sequence
from pathlib import Path

from .._words import readable
from ..config import PlotConfig
from ..config.figures import parsed_zoom
from ..errors import about
from ..io.files import file_digest
from ..io.inputs import files_behind
from ..io.regions.figure import figure_regions
from ..io.write import check_no_input, check_target, replacing
from .kinds import one_kind, read_for

FIGURE_SUFFIXES = (".png", ".pdf", ".svg")
_TEXT = (".txt",)


def plot(
    models: str | Path | Sequence[str | Path],
    out: str | Path,
    config: PlotConfig | None = None,
    *,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
    command: str = "",
) -> Path:
    """Draw a figure of model files and write it.

    Parameters
    ----------
    models : path or sequence of path
        One model file, or as many as the figure shows.
    out : path
        A PNG, PDF or SVG file.
    config, overwrite, inputs
        See `gmmx.commands`.
    command : str
        The command line without its outputs, for the record in the file.

    Returns
    -------
    Path
        The file that was written.
    """
    # Matplotlib is imported only when a figure is drawn.
    from ..show.figures import Provenance, save

    config = PlotConfig() if config is None else config
    models = [models] if isinstance(models, str | Path) else list(models)
    read = [*models, *_files(config), *inputs]
    _check_targets(out, config, read, overwrite)
    figure = _drawn(models, config, out)
    digests = [(Path(model).name, file_digest(model)) for model in models]
    made = Provenance.of(figure, digests, readable(command))
    with replacing(out, overwrite, suffixes=FIGURE_SUFFIXES) as aside:
        save(figure, aside, dpi=config.dpi, style=config.style, made=made)
    if config.alt is not None:
        with replacing(config.alt, overwrite, suffixes=_TEXT) as aside:
            aside.write_text(f"{made.description}\n", encoding="utf-8")
    return Path(out)


def _drawn(models, config, out):
    """The figure of models of one kind."""
    results = [read_for("plot", model) for model in models]
    for target in filter(None, (str(out), config.alt)):
        for result in results:
            check_no_input(target, files_behind(result))
    return _FIGURES[one_kind(models, results)](models, results, config)


def _sky_figure(models, results, config):
    """The figure of models of photons."""
    from ..show.figures import paper_figure

    regions = figure_regions(config, results[0])
    with about(models[0]):
        return paper_figure(results, config, zoom_to=regions.zoom_to, overlays=regions.overlays)


def _samples_figure(models, results, config):
    """The figure of a model of samples."""
    from ..show.figures import samples_figure

    with about(models[0]):
        return samples_figure(results, config)


_FIGURES = {"photons": _sky_figure, "samples": _samples_figure}


def _check_targets(out, config, read, overwrite):
    """Make sure that the figure and its description can be written."""
    check_target(out, overwrite=overwrite, suffixes=FIGURE_SUFFIXES, inputs=read)
    if config.alt is not None:
        check_target(config.alt, overwrite=overwrite, suffixes=_TEXT, inputs=[*read, out])


def _files(config):
    """The files that the options name."""
    files = [one for one in (*config.region, config.style) if isinstance(one, str)]
    if isinstance(config.zoom, str) and parsed_zoom(config.zoom) is None:
        files.append(config.zoom)
    return files
