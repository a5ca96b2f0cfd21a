"""Write the components of a model as a table or as regions."""

from collections.abc import Sequence
from pathlib import Path

from ..answers.components import component_table
from ..config import ExportConfig
from ..io.inputs import recorded_files
from ..io.models import read_model
from ..io.tables import SUFFIXES, write_table
from ..io.write import check_no_input, check_target


def export(
    model: str | Path,
    out: str | Path,
    config: ExportConfig | None = None,
    *,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
) -> Path:
    """Write the components of a model file as a table or as regions.

    Parameters
    ----------
    model, out : path
        The model file, and a file whose suffix names the format.
    config : ExportConfig, optional
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
    config = ExportConfig() if config is None else config
    read = [model, *inputs]
    check_target(out, overwrite=overwrite, suffixes=SUFFIXES, inputs=read)
    result = read_model(model)
    check_no_input(out, recorded_files(result.observations))
    table = component_table(result)
    write_table(out, table, frame=config.frame, scale=config.scale, overwrite=overwrite)
    return Path(out)
