"""The mixture of some columns where the values of others are known."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..answers.sample_components import mixture_table
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
    """Condition the mixture of a model file on given values of some columns.

    Parameters
    ----------
    model, config, overwrite, inputs
        See `gmmx.commands`.
    out : path, optional
        Table to write: .ecsv, .fits or .csv.

    Returns
    -------
    astropy.table.Table
        One row for each component, with fractions that add up to 1. Its metadata have the mean
        and the standard deviation of each remaining column.
    """
    if not config.given:
        raise InputError("give the known values with `given`, such as r_i=0.4", parameter="given")
    outputs = [(out, TABLE_SUFFIXES)]
    result = read_for("condition", model, outputs, overwrite=overwrite, inputs=inputs)
    with about(model):
        mixture = result.condition(config.values)
        table = mixture_table(mixture, result.other_names(list(config.values)))
    if out is not None:
        write_plain_table(out, table, overwrite=overwrite)
    return table
