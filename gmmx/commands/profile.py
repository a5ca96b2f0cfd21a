"""Measure the radial profile of a model."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .._words import readable
from ..answers.profile_table import profile_of
from ..config import PlotConfig, ProfileConfig
from ..io.files import file_digest
from ..io.tables import TABLE_SUFFIXES, write_plain_table
from ..io.write import replacing
from .kinds import read_for
from .plot import FIGURE_SUFFIXES

if TYPE_CHECKING:
    from astropy.table import QTable

PROFILE_SUFFIXES = (*TABLE_SUFFIXES, *FIGURE_SUFFIXES)


def profile(
    model: str | Path,
    config: ProfileConfig | None = None,
    *,
    out: Sequence[str | Path] = (),
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
    command: str = "",
) -> "QTable":
    """Measure the radial profile of a model file.

    Parameters
    ----------
    model, config, overwrite, inputs
        See `gmmx.commands`.
    out : sequence of path
        Files to write: tables (.ecsv, .fits, .csv) and figures (.png, .pdf, .svg).
    command : str
        The command line without its outputs, for the record in figures.

    Returns
    -------
    astropy.table.QTable
        See `gmmx.answers.profile_table.profile_of`.
    """
    outputs = [(path, PROFILE_SUFFIXES) for path in out]
    result = read_for("profile", model, outputs, overwrite=overwrite, inputs=inputs)
    table = profile_of(result, ProfileConfig() if config is None else config)
    for path in out:
        if str(path).lower().endswith(FIGURE_SUFFIXES):
            _draw(path, table, model, command, overwrite)
        else:
            is_csv = str(path).lower().endswith(".csv")
            write_plain_table(path, flat(table) if is_csv else table, overwrite=overwrite)
    return table


def flat(table: "QTable") -> "QTable":
    """The table with the two columns R_LOW and R_HIGH in place of R, for files that hold no pairs.

    Examples
    --------
    >>> from astropy.table import QTable
    >>> flat(QTable({"R": [[0.0, 1.0], [1.0, 2.0]], "AREA": [3.1, 9.4]})).colnames
    ['R_LOW', 'R_HIGH', 'AREA']
    """
    single = table.copy()
    pairs = np.moveaxis(table["R"], 1, 0)
    single.remove_column("R")
    for i, name in enumerate(("R_LOW", "R_HIGH")):
        single.add_column(pairs[i], name=name, index=i)
    return single


def _draw(path, table, model, command, overwrite):
    # Matplotlib is imported only when a figure is drawn.
    from ..show.figures import Provenance, profile_figure, save

    figure = profile_figure(table)
    made = Provenance.of(figure, [(Path(model).name, file_digest(model))], readable(command))
    with replacing(path, overwrite, suffixes=FIGURE_SUFFIXES) as aside:
        save(figure, aside, dpi=PlotConfig.dpi, made=made)
