"""Assign the rows of a catalogue to the components of a mixture of samples."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..answers.samples import log_density, responsibilities
from ..config import AssignConfig
from ..errors import DataError, InputError
from ..io.inputs import files_behind
from ..io.tables import TABLE_SUFFIXES, write_plain_table
from ..io.write import check_target
from ..model.samples_result import SamplesResult
from .other_samples import catalogue_like

_TEXTS = {
    "COMPONENT": "most probable component; -1 background, -2 no value",
    "P_COMPONENT": "its probability",
    "P_BKG": "probability of the backgrounds",
    "LOG_DENSITY": "logarithm of the density of the known values with their errors [nat]",
    "LABEL": "decision; -1 background, -2 no value",
}


def assign_samples(
    model: str | Path,
    result: SamplesResult,
    catalogues: Sequence[str | Path],
    out: str | Path,
    config: AssignConfig,
    *,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
) -> list[dict]:
    """Copy a catalogue, with the component of each row and its probability.

    Parameters
    ----------
    model, overwrite, inputs
        See `gmmx.commands`.
    result : SamplesResult
        Of the columns of a table.
    catalogues : sequence of path
        One table, or none for that of the fit.
    out : path
        Table to write: .ecsv, .fits or .csv.
    config : AssignConfig

    Returns
    -------
    list of dict
        One, with the number of rows and the samples of components and backgrounds.
    """
    path = _catalogue_of(result, catalogues, config)
    read = [model, *inputs, path, *files_behind(result)]
    check_target(out, overwrite=overwrite, suffixes=TABLE_SUFFIXES, inputs=read)
    other = catalogue_like(model, result, path, no_checksum=config.no_checksum)
    table, samples = other.table, other.samples
    taken = [name for name in table.colnames if name.upper() in _TEXTS]
    # Columns of an earlier run are replaced; those of somebody else are not.
    if taken and "ASGMODEL" not in table.meta:
        raise DataError(f"{path}: it has a column {taken[0]} already: rename it")
    densities, parts = log_density(result, samples), responsibilities(result, samples)
    _add_columns(other, parts, densities, len(result.mixture), config)
    table.meta |= {name: value for name, (value, _) in cards_of(model, config).items()}
    write_plain_table(out, table, overwrite=overwrite)
    signal = float(samples.weights @ parts[:, : len(result.mixture)].sum(axis=1))
    return [
        {
            "file": str(out),
            "n_rows": len(table),
            "n_assigned": len(samples),
            "signal": signal,
            "background": float(samples.weights.sum()) - signal,
        }
    ]


def _catalogue_of(result, catalogues, config):
    """The only table to read: the given one, or that of the fit."""
    paths = [str(path) for path in catalogues] or list(result.options.get("events", ()))
    if len(paths) != 1:
        raise InputError(
            f"a mixture of samples assigns the rows of one catalogue, and {len(paths)} were given",
            parameter="events",
        )
    if config.map is not None:
        raise InputError("a catalogue has no `map`: leave it out", parameter="map")
    return paths[0]


def cards_of(model: str | Path, config: AssignConfig) -> dict[str, tuple]:
    """Keywords that say which model the columns are of: values with their descriptions.

    Parameters
    ----------
    model : path
    config : AssignConfig
    """
    cards: dict[str, tuple] = {"ASGMODEL": (Path(model).name, "model that assigned the photons")}
    if config.label is not None:
        cards["ASGLABEL"] = (config.label, "how LABEL was decided")
    if config.label == "draw":
        cards["ASGSEED"] = (config.seed, "seed of LABEL")
    return cards


def _add_columns(other, parts, densities, k, config):
    """Add the columns of `_TEXTS` to the table of a catalogue."""
    background = parts[:, k:].sum(axis=1, keepdims=True)
    joined = np.concatenate([parts[:, :k], background], axis=1)
    best = np.argmax(joined, axis=1)
    columns = {
        "COMPONENT": other.in_rows(np.where(best == k, -1, best), -2),
        "P_COMPONENT": other.in_rows(joined.max(axis=1)),
        "P_BKG": other.in_rows(background[:, 0]),
        "LOG_DENSITY": other.in_rows(densities),
    }
    if config.label == "draw":
        rng = np.random.default_rng(config.seed)
        edges = np.cumsum(joined, axis=1)
        best = np.argmax(edges > rng.random((len(joined), 1)) * edges[:, -1:], axis=1)
    if config.label is not None:
        columns["LABEL"] = other.in_rows(np.where(best == k, -1, best), -2)
    for name, values in columns.items():
        other.table[name] = values
        other.table[name].description = _TEXTS[name]
