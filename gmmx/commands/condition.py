"""The mixture of some columns, where values of others may be known."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..answers.sample_components import part_table
from ..config import ConditionConfig
from ..errors import InputError, about
from ..io.tables import TABLE_SUFFIXES, write_plain_table
from .kinds import read_for

if TYPE_CHECKING:
    from astropy.table import Table


def condition(
    model: str | Path,
    config: ConditionConfig,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
) -> "Table":
    """Condition the mixture of a model file on known values, and integrate it over columns.

    Parameters
    ----------
    model, config, overwrite, inputs
        See `gmmx.commands`.
    out : path, optional
        Table to write: .ecsv, .fits or .csv.

    Returns
    -------
    astropy.table.Table
        That of `gmmx.answers.sample_components.part_table`.
    """
    if not (config.given or config.columns):
        raise InputError(
            "give the known values with `given`, such as r_i=0.4, or the `columns` to keep",
            parameter="given",
        )
    outputs = [(out, TABLE_SUFFIXES)]
    result = read_for("condition", model, outputs, overwrite=overwrite, inputs=inputs)
    with about(model):
        table = part_table(result, config.values, config.columns)
    if out is not None:
        write_plain_table(out, table, overwrite=overwrite)
    return table
