"""The mixture of some columns where the values of others are known."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..answers.sample_components import mixture_table
from ..config import ConditionConfig
from ..errors import InputError, about
from ..io.tables import TABLE_SUFFIXES, write_plain_table
from ..io.write import check_target
from .kinds import read_samples_model

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
    model : path
        A model of samples.
    config : ConditionConfig
    out : path, optional
        Table to write: .ecsv, .fits or .csv.
    overwrite : bool
        Whether an existing file may be replaced.
    inputs : sequence of path
        Further files that the output must not replace.

    Returns
    -------
    astropy.table.Table
        One row for each component, with fractions that add up to 1. Its metadata have the mean
        and the standard deviation of each remaining column.

    Raises
    ------
    GmmxError
        If the output cannot be written, which is checked first, the model cannot be read or is
        one of photons, or a column does not exist.
    """
    if not config.given:
        raise InputError("give the known values with `given`, such as r_i=0.4", parameter="given")
    if out is not None:
        check_target(out, overwrite=overwrite, suffixes=TABLE_SUFFIXES, inputs=[model, *inputs])
    result = read_samples_model(model, "condition")
    with about(model):
        mixture = result.condition(config.values)
        table = mixture_table(mixture, result.other_names(list(config.values)))
    if out is not None:
        write_plain_table(out, table, overwrite=overwrite)
    return table
