"""Fit event files and write the model."""

import warnings
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ..answers.errors import make_draws
from ..config import MODEL_SUFFIXES, FitConfig
from ..errors import GmmxWarning, InputError
from ..fitting.driver import fit as fit_photons
from ..io.counts_image import NoCountsError
from ..io.models import write_model
from ..io.virtual import parse_file_arguments
from ..io.write import check_target
from ..model.observation import Observation, finest_detail
from ..model.result import FitResult
from ..reading.fit_input import read_fit_input
from ..reading.inputs import named_files


def fit(
    events: Sequence[str | Path],
    out: str | Path | None = None,
    config: FitConfig | None = None,
    *,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
    command: str | None = None,
    say: Callable[[str], None] = lambda _line: None,
    callback: Callable | None = None,
) -> tuple[Path, FitResult]:
    """Fit event files, jointly if there are several, and write the model.

    Parameters
    ----------
    events : sequence of path
        Event lists or counts images; CIAO filters may follow a name in brackets.
    out : path, optional
        The model file. Without it the model is written beside the first of the events, with the
        suffix .model.h5.
    config : FitConfig, optional
    overwrite : bool
        Whether an existing model file may be replaced.
    inputs : sequence of path
        Further files that the output must not replace, beside those that the fit reads.
    command : str, optional
        The command line, which the model file records.
    say : callable
        Called with one line of text for each choice for the instrument and each selection.
    callback : callable, optional
        Called with an Iterate at each accepted iterate.

    Returns
    -------
    (Path, FitResult)
        The model file, and the fit.

    Raises
    ------
    GmmxError
        If the output cannot be written, which is checked first, or the input cannot be used.
    """
    config = config or FitConfig()
    files = parse_file_arguments(events)
    out = _beside(files[0]) if out is None else Path(out)
    inputs = [*named_files(files, config), *inputs]
    check_target(out, overwrite=overwrite, suffixes=MODEL_SUFFIXES, inputs=inputs)
    with _remembered_warnings() as remembered:
        given = _read(files, config)
    for line in _choices(given, config):
        say(line)
    result = _fitted(given, config, callback)
    if config.draws:
        result = make_draws(result, config.draws, seed=config.seed, threads=config.threads)
    options = {"events": [file.text for file in files], **result.options}
    result = replace(result, options=options, warnings=(*remembered, *result.warnings))
    write_model(out, result, overwrite=overwrite, command=command)
    return out, result


def _read(files, config):
    """Read the input of a fit; an image that holds no counts may be meant as a picture."""
    try:
        return read_fit_input(files, config)
    except NoCountsError as error:
        raise NoCountsError(f"{error}; to fit the image as a picture, give `picture`") from None


def _beside(file):
    """Return the model file beside a file of photons."""
    if file.path.absolute().parts[1:2] in (("dev",), ("proc",)):
        raise InputError(
            f"{file.path}: no model can be written beside it: name one with `out`", parameter="out"
        )
    return file.beside(".model.h5")


def _fitted(given, config, callback):
    """Fit the input of a fit."""
    return fit_photons(
        given.observations,
        options=config,
        start=given.start.mixture,
        fixed=given.start.fixed,
        point_sources=given.sources,
        callback=callback,
    )


def described(observation: Observation) -> list[str]:
    """Describe an observation: the choices made for it, its masks, and its photons.

    Returns
    -------
    list of str
        One line for each fact.
    """
    lines = [f"{name}: {text}" for name, text in observation.pointing.choices.items()]
    for mask in observation.pointing.masks:
        lines.append(
            f"{mask.kind}: {mask.file}, {mask.counted_shapes}, {mask.area_arcmin2:.3g} arcmin^2, "
            f"{mask.n_photons:,} photons"
        )
    dropped = [f"{count:,.0f} {reason}" for reason, count in observation.dropped.items() if count]
    lost = f"; left out: {', '.join(dropped)}" if dropped else ""
    lines.append(f"photons: {observation.n_photons:,.0f} fitted{lost}")
    return lines


def _choices(given, config):
    """Describe the input of a fit, one line for each fact."""
    observations = given.observations
    for observation in observations:
        name = "" if len(observations) == 1 else f"{observation.name}: "
        yield from (name + line for line in described(observation))
    finest = finest_detail(observations)
    if config.min_sigma < finest:
        yield (
            f"min_sigma: raised from {config.min_sigma:g} to {finest:.3g} arcsec, half of the pixel"
            " that the photons are counted in, because they do not resolve smaller components"
        )
    if given.n_started:
        yield f"point sources: the initial components contain {given.n_started} of the list"


@contextmanager
def _remembered_warnings():
    """Collect the texts of gmmx's warnings, and give all warnings again at the end."""
    texts = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield texts
    ours = (str(one.message) for one in caught if issubclass(one.category, GmmxWarning))
    texts += dict.fromkeys(ours)
    for one in caught:
        warnings.warn(one.message, one.category, stacklevel=4)
