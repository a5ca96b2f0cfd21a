"""The values of samples without their errors."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..answers.denoise import denoised_table
from ..errors import about
from ..io.tables import TABLE_SUFFIXES, write_plain_table
from .kinds import read_for
from .other_samples import catalogue_like


def denoise(
    model: str | Path,
    out: str | Path,
    catalogue: str | Path | None = None,
    *,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
) -> Path:
    """Write the posterior mean and error of the noise-free values of samples.

    Parameters
    ----------
    model, out, overwrite, inputs
        See `gmmx.commands`.
    catalogue : path, optional
        A table with the columns that the model was fitted to, of which each row gets a row. By
        default the samples of the fit.

    Returns
    -------
    Path
        The file that was written.
    """
    read = [*inputs] if catalogue is None else [*inputs, catalogue]
    result = read_for("denoise", model, [(out, TABLE_SUFFIXES)], overwrite=overwrite, inputs=read)
    if catalogue is None:
        with about(model):
            table = denoised_table(result)
    else:
        other = catalogue_like(model, result, catalogue)
        with about(catalogue):
            table = _in_rows(denoised_table(result, other.samples), other)
    write_plain_table(out, table, overwrite=overwrite)
    return Path(out)


def _in_rows(table, other):
    """A table of samples with one row for each row of their catalogue."""
    # Loaded here because that takes a third of a second.
    from astropy.table import Column, Table

    return Table(
        [
            Column(
                other.in_rows(np.asarray(column)),
                name=column.name,
                unit=column.unit,
                description=column.description,
            )
            for column in table.columns.values()
        ]
    )
