"""Compare models of the same photons, or of samples of the same columns."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..answers.canvas import output_grid
from ..answers.compare import compare as compare_results
from ..answers.sample_comparison import compare_samples as compare_sample_results
from ..config import CompareConfig, SampleCompareConfig
from ..errors import InputError
from ..io.images import IMAGE_SUFFIXES, write_images
from ..io.tables import TABLE_SUFFIXES, write_plain_table
from .kinds import one_kind, read_for

if TYPE_CHECKING:
    from ..answers.compare import Comparison
    from ..answers.sample_comparison import SampleComparison

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
    """Compare model files of the same photons.

    Parameters
    ----------
    models : sequence of path
        At least two.
    config, overwrite, inputs, command, callback
        See `gmmx.commands`.
    out : sequence of path
        Files to write: tables (.ecsv, .csv) and maps of the difference (.fits, .h5).

    Returns
    -------
    Comparison
    """
    config = CompareConfig() if config is None else config
    outputs = [(path, COMPARE_SUFFIXES) for path in out]
    results = _read(models, "photons", outputs, overwrite=overwrite, inputs=inputs)
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


def compare_samples(
    models: Sequence[str | Path],
    config: SampleCompareConfig | None = None,
    *,
    out: Sequence[str | Path] = (),
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
) -> "SampleComparison":
    """Compare model files of samples of the same columns.

    Parameters
    ----------
    models : sequence of path
        At least two.
    config, overwrite, inputs
        See `gmmx.commands`.
    out : sequence of path
        Tables of the components in pairs to write: .ecsv, .fits or .csv.

    Returns
    -------
    SampleComparison
    """
    config = SampleCompareConfig() if config is None else config
    outputs = [(path, TABLE_SUFFIXES) for path in out]
    results = _read(models, "samples", outputs, overwrite=overwrite, inputs=inputs)
    found = compare_sample_results(
        results, [str(model) for model in models], n=config.n, seed=config.seed
    )
    for path in out:
        write_plain_table(path, found.pairs(), overwrite=overwrite)
    return found


def _read(models, kind, outputs, *, overwrite, inputs):
    """Read models of one kind, once it is clear that the outputs can be written."""
    if len(models) < 2:
        raise InputError(
            f"{models[0]}: one model cannot be compared: give at least two of the same {kind}",
            parameter="models",
        )
    read = [*models, *inputs]
    results = [
        read_for("compare", model, outputs, overwrite=overwrite, inputs=read) for model in models
    ]
    one_kind(models, results)
    return results
