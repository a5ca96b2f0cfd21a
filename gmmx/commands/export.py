"""Write the components of a model as a table or as regions."""

from collections.abc import Sequence
from pathlib import Path

from ..answers.components import component_table
from ..answers.errors import draws_of
from ..answers.sample_components import sample_table
from ..config import ExportConfig
from ..errors import InputError, OutputError, about
from ..io.regions import names_region_file
from ..io.tables import SUFFIXES, write_plain_table, write_table
from .kinds import read_for

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

    The parameters are those of all commands, see `gmmx.commands`.

    Returns
    -------
    Path
        The file that was written.
    """
    config = ExportConfig() if config is None else config
    holds_vectors = str(out).lower().endswith(_OF_VECTORS) and not names_region_file(out)
    result = read_for("export", model, [(out, SUFFIXES)], overwrite=overwrite, inputs=inputs)
    if config.correlations and not holds_vectors:
        raise InputError(
            f"{out}: `correlations` are vectors, which only tables in ECSV and FITS hold: give an "
            "`out` that ends in .ecsv or .fits",
            parameter="correlations",
        )
    _WRITERS[result.kind](model, result, out, config, overwrite)
    return Path(out)


def _write_sky(model, result, out, config, overwrite):
    """Write components on the sky, as a table or as regions."""
    if names_region_file(out):
        table = component_table(result)
    else:
        with about(model):
            draws = draws_of(result)
        table = component_table(result, draws, correlated=config.correlations)
    write_table(out, table, frame=config.frame, scale=config.scale, overwrite=overwrite)


def _write_samples(_model, result, out, config, overwrite):
    """Write the components of a mixture of samples, which have no place on the sky."""
    if names_region_file(out):
        raise OutputError(
            f"{out}: regions are on the sky, and the components of samples are not: use a table, "
            ".ecsv, .fits or .csv"
        )
    if config.correlations:
        raise InputError(
            "`correlations` applies to models of photons: leave it out", parameter="correlations"
        )
    write_plain_table(out, sample_table(result), overwrite=overwrite)


_WRITERS = {"photons": _write_sky, "samples": _write_samples}
