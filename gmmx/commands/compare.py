"""Compare models of the same photons."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..answers.canvas import output_grid
from ..answers.compare import compare as compare_results
from ..config import CompareConfig
from ..errors import InputError
from ..io.images import IMAGE_SUFFIXES, write_images
from ..io.inputs import recorded_files
from ..io.tables import write_plain_table
from ..io.write import check_apart, check_no_input, check_target
from .kinds import read_for

if TYPE_CHECKING:
    from ..answers.compare import Comparison

# Endings of the tables; .fits is that of the maps.
COMPARE_SUFFIXES = (".ecsv", ".csv", *IMAGE_SUFFIXES)


def compare(
    models: Sequence[str | Path],
    config: CompareConfig | None = None,
    *,
    out: Sequence[str | Path] = (),
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
    command: str | None = None,
    callback: Callable[[int, int], None] | None = None,
) -> "Comparison":
    """Compare model files of the same photons; long because its docstring is.

    Parameters
    ----------
    models : sequence of path
        At least two.
    config : CompareConfig, optional
    out : sequence of path
        Files to write: tables (.ecsv, .csv) and maps of the difference (.fits, .h5).
    overwrite : bool
        Whether existing files may be replaced.
    inputs : sequence of path
        Further files that the outputs must not replace.
    command : str, optional
        The command line, for the history of the maps.
    callback : callable, optional
        Called with the number of finished refits and the number of all.

    Returns
    -------
    Comparison

    Raises
    ------
    GmmxError
        If an output cannot be written, which is checked first, if a model cannot be read, or if
        the models are not of the same photons.
    """
    config = CompareConfig() if config is None else config
    if len(models) < 2:
        raise InputError(
            f"{models[0]}: one model cannot be compared: give at least two of the same photons",
            parameter="models",
        )
    for path in out:
        check_target(
            path, overwrite=overwrite, suffixes=COMPARE_SUFFIXES, inputs=[*models, *inputs]
        )
    check_apart(out)
    results = [read_for("compare", model) for model in models]
    for path in out:
        for result in results:
            check_no_input(path, recorded_files(result.observations))
    found = compare_results(
        results,
        [str(model) for model in models],
        folds=config.folds,
        seed=config.seed,
        threads=config.threads,
        callback=callback,
    )
    for path in out:
        if str(path).lower().endswith(IMAGE_SUFFIXES):
            images = found.images(output_grid(results[0], bin=config.bin))
            write_images(path, images, results[0], overwrite=overwrite, command=command)
        else:
            write_plain_table(path, found.table(), overwrite=overwrite)
    return found
