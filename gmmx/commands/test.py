"""Test a model against its photons."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..answers.component_significance import component_significance
from ..answers.components import component_table
from ..answers.errors import draws_of
from ..answers.goodness import goodness_of_fit, significance_map
from ..config import GoodnessConfig
from ..errors import InputError, about
from ..io.images import IMAGE_SUFFIXES, write_images
from ..io.tables import TABLE_SUFFIXES, write_plain_table, write_table
from .kinds import read_for

if TYPE_CHECKING:
    from astropy.table import Table

    from ..answers.goodness import Goodness


def goodness(
    model: str | Path,
    config: GoodnessConfig | None = None,
    *,
    out: str | Path | None = None,
    out_map: str | Path | None = None,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
    command: str | None = None,
    callback: Callable[[int, int], None] | None = None,
) -> "Goodness":
    """Compare the photons of a model file with simulated ones.

    Parameters
    ----------
    model, config, overwrite, inputs, command, callback
        See `gmmx.commands`.
    out : path, optional
        Table to write: .ecsv, .fits or .csv.
    out_map : path, optional
        Images of the significance of the residuals to write: .fits or .h5.

    Returns
    -------
    Goodness
    """
    config = GoodnessConfig() if config is None else config
    outputs = [(out, TABLE_SUFFIXES), (out_map, IMAGE_SUFFIXES)]
    result = read_for("test", model, outputs, overwrite=overwrite, inputs=inputs)
    with about(model):
        found = goodness_of_fit(
            result,
            config.simulations,
            refit=not config.no_refit,
            seed=config.seed,
            threads=config.threads,
            callback=callback,
        )
    if out is not None:
        write_plain_table(out, found.table(), overwrite=overwrite)
    if out_map is not None:
        images = significance_map(result)
        write_images(out_map, images, result, overwrite=overwrite, command=command)
    return found


def significance(
    model: str | Path,
    config: GoodnessConfig | None = None,
    *,
    out: str | Path | None = None,
    out_map: str | Path | None = None,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
    callback: Callable[[int, int], None] | None = None,
) -> "Table":
    """Measure the significance of the components of a model file.

    Parameters
    ----------
    model, config, overwrite, inputs, callback
        As for `goodness`.
    out : path, optional
        Table of components to write: .ecsv, .fits or .csv.
    out_map : None
        There is no map of the significance of components.

    Returns
    -------
    astropy.table.Table
        The component table with the columns `sqrt_ts` and `p_value`.

    Raises
    ------
    GmmxError
        If the output cannot be written, which is checked first, or the model cannot be read.
    """
    config = GoodnessConfig(components=True) if config is None else config
    if out_map is not None:
        raise InputError(
            "`out_map` does not go with `components`: run the command twice, or leave out one",
            parameter="out_map",
        )
    result = read_for("test", model, [(out, TABLE_SUFFIXES)], overwrite=overwrite, inputs=inputs)
    with about(model):
        found = component_significance(
            result,
            config.simulations,
            seed=config.seed,
            threads=config.threads,
            callback=callback,
        )
        draws = draws_of(result)
    table = found.added_to(component_table(result, draws))
    if out is not None:
        write_table(out, table, overwrite=overwrite)
    return table
