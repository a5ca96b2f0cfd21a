"""Models of photons and models of samples: which commands each has, and how a command reads one."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from .._words import listed
from ..errors import InputError
from ..io.inputs import files_behind
from ..io.models import read_any
from ..io.write import check_apart, check_no_input, check_target

# The commands that have a meaning for each kind of model, in the order of the work.
COMMANDS = {
    "photons": (
        *("errors", "render", "plot", "info", "flux", "profile", "export", "score", "compare"),
        *("test", "assign", "simulate", "sample"),
    ),
    "samples": (
        *("errors", "render", "plot", "info", "export", "score", "compare"),
        *("assign", "sample", "condition", "denoise", "compress"),
    ),
}


def read_for(
    command: str,
    model: str | Path,
    outputs: Iterable[tuple[str | Path | None, Sequence[str]]] = (),
    *,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
    kind: str | None = None,
) -> Any:
    """Read the model of a command, once it is clear that its outputs can be written.

    Parameters
    ----------
    command : str
        Its name on the command line.
    model : path
        The model file.
    outputs : iterable of (path or None, suffixes)
        The files that the command will write, and the endings that each may have. None stands
        for an output that is not asked for.
    overwrite : bool
        Whether existing files may be replaced.
    inputs : sequence of path
        Further files that no output may replace, beside the model and what it was made from.
    kind : {"photons", "samples"}, optional
        The kind of model that is needed, where the command does something else with the other.

    Returns
    -------
    FitResult or SamplesResult
        Its `kind` tells which.

    Raises
    ------
    OutputError
        If an output cannot be written, which is checked first.
    InputError
        If the command has no meaning for this kind of model.
    DataError
        If the model cannot be read.
    """
    wanted = [(path, suffixes) for path, suffixes in outputs if path is not None]
    for path, suffixes in wanted:
        check_target(path, overwrite=overwrite, suffixes=suffixes, inputs=[model, *inputs])
    check_apart(path for path, _ in wanted)
    result = read_any(model)
    if command not in COMMANDS[result.kind]:
        raise InputError(
            f"{model}: a model of {result.kind}, which gmmx {command} cannot use: the commands for "
            f"it are {listed(COMMANDS[result.kind])}"
        )
    if kind not in (None, result.kind):
        raise InputError(f"{model}: a model of {result.kind}, where one of {kind} is needed")
    for path, _ in wanted:
        check_no_input(path, files_behind(result))
    return result


def one_kind(models: Sequence[str | Path], results: Sequence[Any]) -> str:
    """The kind of several models, which must all be of one.

    Parameters
    ----------
    models : sequence of path
    results : sequence of FitResult or SamplesResult

    Raises
    ------
    InputError
        If models of photons and of samples are mixed.
    """
    first = results[0].kind
    for model, result in zip(models, results, strict=True):
        if result.kind != first:
            raise InputError(
                f"{model}: a model of {result.kind}, and {models[0]} is one of {first}: give models"
                " of one kind"
            )
    return first
