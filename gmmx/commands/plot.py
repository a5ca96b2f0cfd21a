"""Draw a figure of a model and write it."""

from collections.abc import Sequence
from pathlib import Path

from ..config import PlotConfig
from ..io.inputs import recorded_files
from ..io.models import read_model
from ..io.write import check_no_input, check_target, replacing

FIGURE_SUFFIXES = (".png", ".pdf", ".svg")


def plot(
    model: str | Path,
    out: str | Path,
    config: PlotConfig | None = None,
    *,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
) -> Path:
    """Draw a figure of a model file and write it.

    Parameters
    ----------
    model, out : path
        The model file, and a PNG, PDF or SVG file.
    config : PlotConfig, optional
    overwrite : bool
        Whether an existing file may be replaced.
    inputs : sequence of path
        Further files that the output must not replace. The files that the model was made from
        are never replaced.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    GmmxError
        If the output cannot be written, which is checked first, or the model cannot be read.
    """
    # Matplotlib is imported only when a figure is drawn.
    from ..show.figures import plot as draw

    config = PlotConfig() if config is None else config
    read = [model, *inputs]
    check_target(out, overwrite=overwrite, suffixes=FIGURE_SUFFIXES, inputs=read)
    result = read_model(model)
    check_no_input(out, recorded_files(result.observations))
    figure = draw(result, config.what, stretch=config.stretch)
    with replacing(out, overwrite, suffixes=FIGURE_SUFFIXES) as aside:
        figure.savefig(aside, dpi=config.dpi)
    return Path(out)
