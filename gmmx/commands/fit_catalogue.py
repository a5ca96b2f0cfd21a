"""Fit the samples of a catalogue or a picture and write the model."""

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from .._words import counted
from ..answers.errors import make_draws
from ..config import MODEL_SUFFIXES, SampleConfig, SampleOptions, option_names
from ..errors import DegeneracyWarning, InputError, about
from ..io.fits_pictures import split_extension
from ..io.inputs import files_among
from ..io.write import check_target
from ..model.samples_result import SamplesResult
from ..reading.sample_input import read_sample_input
from ..reading.sample_selection import background_of, completeness_of
from .samples import fit_samples

# The warning of components as narrow as `min_sigma`.
_AT_THE_FLOOR = r"\d+ of \d+ components are as narrow as"


def fit_catalogue(
    files: str | Path | Sequence[str | Path],
    out: str | Path | None = None,
    config: SampleConfig | None = None,
    *,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
    command: str | None = None,
    say: Callable[[str], None] = lambda _line: None,
    callback: Callable | None = None,
) -> tuple[Path, SamplesResult]:
    """Fit the columns of a table or the pixels of a picture, and write the model.

    Parameters
    ----------
    files : path or sequence of one path
        A table or a picture.
    out : path, optional
        The model file. Without it the model is written beside the input, with the suffix
        .model.h5.
    config, overwrite, inputs, command
        See `gmmx.commands`.
    say : callable
        Called with a line of text about the samples.
    callback : callable, optional
        Called with the stage of the fit and the number of components before each trial.

    Returns
    -------
    (Path, SamplesResult)
        The model file, and the fit.
    """
    path = _only(files)
    out = _beside(path) if out is None else Path(out)
    config = config or SampleConfig()
    read = [path, *inputs, *files_among(vars(config))]
    check_target(out, overwrite=overwrite, suffixes=MODEL_SUFFIXES, inputs=read)
    given = read_sample_input(path, config)
    for line in given.lines:
        say(line)
    say(f"samples: {given.samples!r}")
    completeness, background = given.config.completeness, None
    if completeness is not None:
        completeness = completeness_of(completeness, given.samples.names, lambda: given.columns)
    if given.config.background:
        background = background_of(given.config.background[0], given.samples)
    with about(path):
        result = _fitted(given, completeness, background, callback)
        if given.config.draws:
            result = make_draws(
                result, given.config.draws, seed=given.config.seed, threads=given.config.threads
            )
    options = {"events": [str(path)], **given.config.record(), **result.options, **given.facts}
    result = replace(result, options=options)
    result.write(out, overwrite=overwrite, command=command)
    return out, result


def _only(files):
    """The only file of a fit to samples."""
    paths = [files] if isinstance(files, str | Path) else list(files)
    if len(paths) != 1:
        raise InputError(f"{paths[-1]}: one catalogue or picture is fitted at a time")
    return Path(paths[0])


def _beside(path):
    """Return the model file beside a table or a picture."""
    if path.absolute().parts[1:2] in (("dev",), ("proc",)):
        raise InputError(
            f"{path}: no model can be written beside it: name one with `out`", parameter="out"
        )
    path, _ = split_extension(path)
    return path.with_name(path.name.removesuffix(".gz")).with_suffix(".model.h5")


def _fitted(given, completeness, background, callback):
    """Fit the samples of an input."""
    config = given.config
    n, d = len(given.samples), given.samples.n_dimensions
    if n <= d:
        raise InputError(
            f"{counted(n, 'sample')} in {counted(d, 'dimension')} determine no covariance: "
            "give more rows than columns"
        )
    with warnings.catch_warnings():
        if given.facts:
            # No component of a picture is narrower than a pixel, and thin lines are as narrow.
            warnings.filterwarnings("ignore", _AT_THE_FLOOR, DegeneracyWarning)
        result = fit_samples(
            given.samples,
            completeness=completeness,
            background=background,
            options=SampleOptions(
                **{name: getattr(config, name) for name in option_names(SampleOptions)}
            ),
            callback=callback,
        )
    if not given.facts:
        return result
    kept = (text for text in result.warnings if not re.match(_AT_THE_FLOOR, text))
    return replace(result, warnings=tuple(kept))
