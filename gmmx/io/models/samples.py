"""The model file of a mixture of samples, in HDF5.

The layout of schema "gmmx-samples", version 1:

    /              attributes: schema, schema_version, gmmx_version, created, command, options,
                   warnings, names and units (JSON), log_likelihood, objective, n_parameters, bic,
                   aic, icl, converged, iterations, requested_components, seed, seconds
    /mixture       flux (K,), mean (K, D), covariance (K, D, D), observed_fraction (K,)
    /samples       x (N, D), NaN where missing; weight (N,); covariance as it was given, if there
                   is noise
    /background    a group for each: attributes name, amplitude, observed_fraction, uniform, kind
                   ("uniform", "mixture", "grid", "function"), low, high, adds_noise; for a mixture
                   the datasets flux, mean, covariance; for a grid those of a completeness
    /completeness  attributes: text, kind ("expression", "grid", "function"); for a grid the
                   datasets values, axis0, axis1, ..., and the attribute columns (JSON)
    /noise         attributes: text, kind ("grid", "function"); for grids a group for each column
                   with those of a completeness; only if it is a function of the values
    /history       log_likelihood, objective, step, k
    /draws         flux (n, K), mean (n, K, D), covariance (n, K, D, D), amplitude (n, B);
                   attributes: method, seed; only if draws were made
    /path          stage, k, log_likelihood, bic, aic, icl, held_out, accepted

A function of Python cannot be written: read back, it refuses to be called.
"""

from datetime import UTC, datetime
from os import PathLike

import h5py

from ... import __version__
from ..._words import readable
from ...model.mixture import Mixture
from ...model.samples import Samples
from ...model.samples_result import SamplesResult
from ..write import replacing_hdf5
from .draws import get_draws, put_draws
from .nodes import as_json, get_columns, in_order, optional, plain, put, put_columns
from .sample_parts import (
    get_background,
    get_completeness,
    get_noise,
    put_background,
    put_completeness,
    put_noise,
)
from .values import finite, flag, from_json, number, whole

SCHEMA = "gmmx-samples"
SCHEMA_VERSION = 1
_ATTRIBUTES = (
    "log_likelihood",
    "objective",
    "n_parameters",
    "bic",
    "aic",
    "icl",
    "converged",
    "iterations",
    "requested_components",
    "seed",
    "seconds",
)


def write_samples(
    path: str | PathLike,
    result: SamplesResult,
    *,
    overwrite: bool = False,
    command: str | None = None,
) -> None:
    """Write a mixture of samples to an HDF5 file, with the samples.

    Parameters
    ----------
    path : str or Path
    result : SamplesResult
    overwrite : bool
        Replace the file if it exists.
    command : str, optional
        The command line that made the fit, for the record.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is false, or if it cannot be written.

    Examples
    --------
    >>> import gmmx
    >>> result = gmmx.fit_samples([0.0, 1.0, 2.0, 3.0], n_components=1)
    >>> write_samples("line.h5", result)
    >>> gmmx.read("line.h5").mixture
    Mixture(1 component in 1 dimension, flux 4)
    """
    with replacing_hdf5(path, overwrite) as file:
        file.attrs.update(
            schema=SCHEMA,
            schema_version=SCHEMA_VERSION,
            gmmx_version=__version__,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            command=readable(command or ""),
            options=as_json(result.options, "options"),
            warnings=as_json(list(result.warnings), "warnings"),
            names=as_json(list(result.names), "names"),
            units=as_json(list(result.units), "units"),
        )
        file.attrs.update({name: optional(getattr(result, name)) for name in _ATTRIBUTES})
        _put_parts(file, result)


def _put_parts(file, result):
    """Write mixture, samples, backgrounds, completeness, history and path."""
    group = file.create_group("mixture")
    put(group, "flux", result.mixture.fluxes, "")
    put(group, "mean", result.mixture.means, "")
    put(group, "covariance", result.mixture.covariances, "")
    put(group, "observed_fraction", result.observed_fraction, "")
    group = file.create_group("samples")
    put(group, "x", result.samples.x, "")
    put(group, "weight", result.samples.weights, "")
    if result.samples.covariances is not None:
        put(group, "covariance", result.samples.covariances, "")
    backgrounds = file.create_group("background")
    for i, one in enumerate(result.backgrounds):
        put_background(backgrounds.create_group(str(i)), one, i)
    if result.completeness is not None:
        put_completeness(file.create_group("completeness"), result.completeness)
    if result.noise is not None:
        put_noise(file.create_group("noise"), result.noise)
    put_columns(file.create_group("history"), result.history)
    put_columns(file.create_group("path"), result.path)
    if result.draws is not None:
        put_draws(file, result.draws, of_sky=False)


def read_samples(file: h5py.File) -> SamplesResult:
    """Read the mixture of samples of an open file."""
    mixture, samples = file["mixture"], file["samples"]
    names = tuple(map(str, from_json(file, "names", list)))
    count = "requested_components"
    is_chosen = count in file.attrs and plain(file.attrs[count]) is None
    return SamplesResult(
        mixture=Mixture(
            fluxes=mixture["flux"][()],
            means=mixture["mean"][()],
            covariances=mixture["covariance"][()],
        ),
        samples=Samples(
            x=samples["x"][()],
            covariances=samples["covariance"][()] if "covariance" in samples else None,
            weights=samples["weight"][()],
            names=names,
            units=tuple(map(str, from_json(file, "units", list))) if "units" in file.attrs else (),
        ),
        observed_fraction=mixture["observed_fraction"][()],
        backgrounds=tuple(get_background(part, names) for part in in_order(file["background"])),
        completeness=(
            get_completeness(file["completeness"], names) if "completeness" in file else None
        ),
        noise=get_noise(file["noise"], names) if "noise" in file else None,
        log_likelihood=number(file, "log_likelihood"),
        objective=number(file, "objective"),
        n_parameters=whole(file, "n_parameters"),
        bic=number(file, "bic"),
        aic=number(file, "aic"),
        icl=number(file, "icl"),
        converged=flag(file, "converged"),
        iterations=whole(file, "iterations"),
        requested_components=None if is_chosen else whole(file, count),
        history=get_columns(file["history"]),
        path=get_columns(file["path"]),
        options=from_json(file, "options", dict),
        seed=whole(file, "seed"),
        seconds=finite(file, "seconds"),
        warnings=tuple(map(str, from_json(file, "warnings", list))),
        draws=get_draws(file),
    )
