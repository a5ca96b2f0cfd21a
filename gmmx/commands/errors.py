"""Add draws of the parameters to a model."""

from collections.abc import Callable, Sequence
from pathlib import Path

from ..answers.errors import make_draws
from ..config import MODEL_SUFFIXES, ErrorsConfig
from ..errors import about
from ..io.inputs import files_behind
from ..io.models import write_draws
from ..io.write import check_target
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
    (Path, FitResult or SamplesResult)
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
    check_target(out, overwrite=overwrite, inputs=[*kept, *files_behind(result, without=("init",))])
    with about(model):
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
