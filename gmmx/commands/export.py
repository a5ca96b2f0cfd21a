"""Write the components of a model as a table or as regions."""

from collections.abc import Sequence
from pathlib import Path

from ..answers.components import component_table
from ..answers.errors import draws_of
from ..answers.sample_components import sample_table
from ..config import ExportConfig
from ..errors import InputError, about
from ..io.inputs import recorded_files
from ..io.models import read_any
from ..io.regions import names_region_file
from ..io.tables import SUFFIXES, TABLE_SUFFIXES, write_plain_table, write_table
from ..io.write import check_no_input, check_target
from ..model.samples_result import SamplesResult

# Endings of the tables whose cells may hold vectors.
_OF_VECTORS = (".ecsv", ".fits")


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
    holds_vectors = str(out).lower().endswith(_OF_VECTORS) and not names_region_file(out)
    if config.correlations and not holds_vectors:
        raise InputError(
            f"{out}: `correlations` are vectors, which only tables in ECSV and FITS hold: give an "
            "`out` that ends in .ecsv or .fits",
            parameter="correlations",
        )
    result = read_any(model)
    if isinstance(result, SamplesResult):
        return _export_samples(out, result, overwrite)
    check_no_input(out, recorded_files(result.observations))
    if names_region_file(out):
        table = component_table(result)
    else:
        with about(model):
            draws = draws_of(result)
        table = component_table(result, draws, correlated=config.correlations)
    write_table(out, table, frame=config.frame, scale=config.scale, overwrite=overwrite)
    return Path(out)


def _export_samples(out, result, overwrite):
    """Write the components of a mixture of samples, which have no place on the sky."""
    check_target(out, overwrite=overwrite, suffixes=TABLE_SUFFIXES)
    write_plain_table(out, sample_table(result), overwrite=overwrite)
    return Path(out)
