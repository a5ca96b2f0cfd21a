"""Add draws of the parameters to a model."""

from collections.abc import Callable, Sequence
from pathlib import Path

from ..answers.errors import make_draws
from ..answers.sample_errors import with_draws
from ..config import MODEL_SUFFIXES, ErrorsConfig
from ..errors import InputError
from ..io.inputs import files_behind, recorded_files
from ..io.models import write_draws
from ..io.write import check_no_input, check_target
from ..model.result import FitResult
from ..model.samples_result import SamplesResult
from .kinds import read_for


def errors(
    model: str | Path,
    out: str | Path | None = None,
    config: ErrorsConfig | None = None,
    *,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
    callback: Callable[[int, int], None] | None = None,
) -> tuple[Path, FitResult | SamplesResult]:
    """Add draws of the parameters to a model file, or write a copy that has them.

    Parameters
    ----------
    model : path
        The model file. It is rewritten through a temporary file unless `out` is given.
    out : path, optional
        Another model file.
    config : ErrorsConfig, optional
    overwrite : bool
        Whether an existing `out` may be replaced.
    inputs : sequence of path
        Further files that the output must not replace. The files that the model was made from
        are never replaced.
    callback : callable, optional
        Called with the number of finished steps and the number of all steps.

    Returns
    -------
    (Path, FitResult)
        The model file, and the fit with its draws.

    Raises
    ------
    GmmxError
        If the output cannot be written, which is checked first, or the model cannot be read.
    """
    config = ErrorsConfig() if config is None else config
    kept = list(inputs) if out is None else [model, *inputs]
    if out is not None:
        check_target(out, overwrite=overwrite, suffixes=MODEL_SUFFIXES, inputs=kept)
    result = read_for("errors", model)
    out, overwrite = (model, True) if out is None else (out, overwrite)
    check_target(out, overwrite=overwrite, inputs=kept)
    if result.kind == "samples":
        check_no_input(out, files_behind(result))
        return Path(out), _sample_errors(model, result, out, config, overwrite, callback)
    check_no_input(out, recorded_files(result.observations, without=("init",)))
    result = make_draws(
        result,
        config.draws,
        method=config.method,
        seed=config.seed,
        threads=config.threads,
        callback=callback,
    )
    write_draws(out, model, result, overwrite=overwrite)
    return Path(out), result


def _sample_errors(model, mixture, out, config, overwrite, callback):
    """Add draws to a mixture of samples, from refits with other weights of the samples."""
    if config.method not in ("auto", "bootstrap"):
        raise InputError(
            f"{model}: the draws of a mixture of samples are made by `method` = bootstrap, not by "
            f"{config.method}",
            parameter="method",
        )
    drawn = with_draws(
        mixture, config.draws, seed=config.seed, threads=config.threads, callback=callback
    )
    drawn.write(out, overwrite=overwrite)
    return drawn
