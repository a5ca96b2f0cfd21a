"""Assign the rows of a catalogue to the components of a mixture of samples."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..answers.samples import log_density, responsibilities
from ..config import AssignConfig
from ..errors import DataError, InputError
from ..io.catalogues import read_catalogue
from ..io.inputs import files_behind
from ..io.tables import TABLE_SUFFIXES, write_plain_table
from ..io.write import check_target
from ..model.samples_result import SamplesResult
from ..reading.catalogue import samples_in
from ..reading.sample_units import in_units
from .other_samples import options_of

if TYPE_CHECKING:
    from astropy.table import Table

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
    options = options_of(model, result, no_checksum=config.no_checksum)
    path = _catalogue_of(result, catalogues, config)
    read = [model, *inputs, path, *files_behind(result)]
    check_target(out, overwrite=overwrite, suffixes=TABLE_SUFFIXES, inputs=read)
    table = read_catalogue(path, options.names, no_checksum=config.no_checksum)
    taken = [name for name in table.colnames if name.upper() in _TEXTS]
    if taken:
        raise DataError(f"{path}: it has a column {taken[0]} already: rename it")
    samples, known = samples_in(table, path, options)
    samples = in_units(samples, result.units, path)
    densities, parts = log_density(result, samples), responsibilities(result, samples)
    _add_columns(table, parts, densities, known, len(result.mixture), config)
    table.meta |= {name: value for name, (value, _) in cards_of(model, config).items()}
    write_plain_table(out, table, overwrite=overwrite)
    signal = float(samples.weights @ parts[:, : len(result.mixture)].sum(axis=1))
    return [
        {
            "file": str(out),
            "n_rows": len(table),
            "n_assigned": int(known.sum()),
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


def _add_columns(table: "Table", parts, densities, known, k, config):
    """Add the columns of `_TEXTS` to a table."""
    background = parts[:, k:].sum(axis=1, keepdims=True)
    joined = np.concatenate([parts[:, :k], background], axis=1)
    best = np.argmax(joined, axis=1)
    columns = {
        "COMPONENT": _spread(np.where(best == k, -1, best), known, -2),
        "P_COMPONENT": _spread(joined.max(axis=1), known, np.nan),
        "P_BKG": _spread(background[:, 0], known, np.nan),
        "LOG_DENSITY": _spread(densities, known, np.nan),
    }
    if config.label == "draw":
        rng = np.random.default_rng(config.seed)
        edges = np.cumsum(joined, axis=1)
        best = np.argmax(edges > rng.random((len(joined), 1)) * edges[:, -1:], axis=1)
    if config.label is not None:
        columns["LABEL"] = _spread(np.where(best == k, -1, best), known, -2)
    for name, values in columns.items():
        table[name] = values
        table[name].description = _TEXTS[name]


def _spread(values, known, empty):
    """Values of the known rows, and another in the others."""
    found = np.full(len(known), empty, dtype=values.dtype)
    found[known] = values
    return found
