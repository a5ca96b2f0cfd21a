"""Assign the photons of event lists, or the rows of a catalogue, to the components of a model."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..answers.counted import in_pixels_of
from ..answers.label_map import label_map
from ..answers.membership import NOT_FITTED, membership_of
from ..config import AssignConfig
from ..errors import DataError, InputError
from ..io.added_columns import TABLE_SUFFIXES, AddedColumn, write_with_columns
from ..io.files import checksums
from ..io.images import FITS_SUFFIXES, write_labels
from ..io.inputs import recorded_files
from ..io.virtual import parse_file_argument, parse_file_arguments
from ..io.write import check_apart, check_no_input, check_target
from ..reading.fitted_rows import fitted_rows
from .assign_samples import assign_samples, cards_of
from .kinds import read_for
from .simulate import numbered

_TEXTS = {
    "P_SIGNAL": "probability of the extended components",
    "P_BKG": "probability of the backgrounds",
    "P_POINT": "probability of the point sources",
    "COMPONENT": "most probable origin; -1 background, -2 not fitted",
    "P_COMPONENT": "its probability",
    "LABEL": "decision; -1 background, -2 not fitted",
}


def assign(
    model: str | Path,
    events: Sequence[str | Path] = (),
    out: str | Path = "",
    config: AssignConfig | None = None,
    *,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
    command: str | None = None,
) -> list[dict]:
    """Copy tables, with the probabilities that each row is of a component.

    Parameters
    ----------
    model, config, overwrite, inputs, command
        See `gmmx.commands`.
    events : sequence of path
        One event list for each observation of the model, in its order; or one catalogue. Without
        any those that the model names are read.
    out : path
        File to write. For a joint fit the number of the observation is added to its name.

    Returns
    -------
    list of dict
        For each file what JSON can hold: "file", "n_rows", "n_assigned" and the sums "signal",
        "background" and, of photons, "point_sources".
    """
    config = AssignConfig() if config is None else config
    result = read_for("assign", model)
    if result.kind == "samples":
        given = (model, result, events, out, config)
        return assign_samples(*given, overwrite=overwrite, inputs=inputs)
    return _assign_photons(model, result, events, out, config, overwrite, inputs, command)


def _assign_photons(model, result, events, out, config, overwrite, inputs, command):
    """Assign the photons of event lists."""
    given = parse_file_arguments(events)
    read = [model, *inputs, *(file.path for file in given)]
    check_target(out, overwrite=True, suffixes=TABLE_SUFFIXES, inputs=read)
    if config.map is not None:
        check_target(config.map, overwrite=overwrite, suffixes=FITS_SUFFIXES, inputs=read)
    files = _files_of(model, result, given)
    paths = numbered(out, len(files))
    read += [*recorded_files(result.observations), *(file.path for file in files)]
    for path in paths:
        check_target(path, overwrite=overwrite, suffixes=TABLE_SUFFIXES, inputs=read)
    if config.map is not None:
        check_no_input(config.map, read)
        check_apart([*paths, config.map])
    with checksums(verified=not config.no_checksum):
        facts = _written(model, result, files, paths, config, overwrite)
    if config.map is not None:
        image = label_map(result)
        write_labels(config.map, image, result, overwrite=overwrite, command=command)
    return facts


def _written(model, result, files, paths, config, overwrite):
    """Write the files with their new columns, and return the facts about each."""
    rng = np.random.default_rng(config.seed) if config.label == "draw" else None
    facts = []
    for number, (file, path) in enumerate(zip(files, paths, strict=True)):
        columns, found = _columns(result, number, file, config, rng)
        write_with_columns(
            path,
            file.path,
            columns,
            comments=_comments(model),
            cards=cards_of(model, config),
            overwrite=overwrite,
        )
        facts.append({"file": str(path), "events": file.text, **found})
    return facts


def _files_of(model, result, given):
    """The event list of each observation: those that are given, or those that the model names."""
    n = len(result.observations)
    if given:
        if len(given) != n:
            raise InputError(
                f"{model}: the model has {n} observation{'s' * (n > 1)}, and {len(given)} event "
                f"list{'s were' if len(given) > 1 else ' was'} given: give one for each, in order",
                parameter="events",
            )
        return given
    files = []
    for observation in result.observations:
        own = observation.pointing.events_file
        if own is None:
            raise InputError(
                f"{model}: it does not name the event list of {observation.name}: name it as EVENTS"
            )
        file = parse_file_argument(own.path)
        if not file.path.is_file():
            raise DataError(
                f"{file.path}: no such file, although {model} was fitted to it: name the event "
                "list as EVENTS"
            )
        files.append(file)
    return files


def _columns(result, number, file, config, rng):
    """The columns to add to the event list of an observation, and their sums."""
    observation = result.observations[number]
    rows = fitted_rows(file, observation)
    at = in_pixels_of(observation, rows.x, rows.y)
    found = membership_of(result, observation, *at, rng=rng)
    values = {
        "P_SIGNAL": found.signal,
        "P_BKG": found.background,
        "P_POINT": found.points,
        "COMPONENT": found.best,
        "P_COMPONENT": found.best_probability,
    }
    if config.label is not None:
        values["LABEL"] = found.best if found.drawn is None else found.drawn
    columns = [
        AddedColumn(name=name, values=_spread(rows, some), text=_TEXTS[name])
        for name, some in values.items()
    ]
    return columns, {
        "n_rows": rows.n_rows,
        "n_assigned": len(rows.rows),
        "signal": float(found.signal.sum()),
        "background": float(found.background.sum()),
        "point_sources": float(found.points.sum()),
    }


def _spread(rows, values):
    """A value for each row of the table; NaN or -2 where it was not fitted."""
    is_number = values.dtype.kind == "f"
    spread = np.full(rows.n_rows, np.nan if is_number else NOT_FITTED, float if is_number else "i4")
    spread[rows.rows] = values
    return spread


def _comments(model):
    return (
        f"P_SIGNAL, P_BKG, P_POINT, COMPONENT: gmmx assign, {Path(model).name}",
        "Components count from 0, as in the component table of gmmx export.",
    )
