"""Completeness, noise and background of samples: expressions, files and functions become nouns."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from .._words import listed
from ..config import NOISE_MODELS, box_of
from ..errors import DataWarning, InputError, about
from ..io.models import read_any
from ..io.sample_grids import is_grid_file, is_model_file, read_grid, read_grids
from ..model.sample_background import SampleBackground
from ..model.sample_completeness import SampleCompleteness
from ..model.sample_noise import SampleNoise
from ..model.samples import Samples
from ..model.samples_result import SamplesResult
from .sample_units import factor_between


def completeness_of(given: Any, names: Sequence[str], others: Callable[[], Sequence[str]] = tuple):
    """The completeness that an expression, a file, a grid or a function stands for.

    Parameters
    ----------
    given : str, path, callable, SampleGrid or SampleCompleteness
    names : sequence of str
        Names of the fitted columns.
    others : callable
        Gives the names of all columns of the table, for the message about one that is not fitted.

    Returns
    -------
    SampleCompleteness

    Raises
    ------
    InputError
        If it is no probability, or depends on a column that is not fitted.
    DataError
        If the file cannot be used.

    Examples
    --------
    >>> completeness_of("mag < 24", ["mag"])
    SampleCompleteness(mag < 24)
    >>> completeness_of("mag < 24", ["g_r"], lambda: ["g_r", "mag"])
    Traceback (most recent call last):
    gmmx.errors.InputError: `completeness` needs mag, which is not fitted: add mag to `columns`
    """
    if is_grid_file(given):
        grid = read_grid(given, "completeness")
        with about(given):
            return replace(SampleCompleteness.of(grid, names), text=str(given))
    if isinstance(given, PathLike) or (isinstance(given, str) and _is_file(given)):
        raise InputError(
            f"{given}: a completeness is read from an HDF5 file, whose name ends in .h5 or .hdf5",
            parameter="completeness",
        )
    try:
        return SampleCompleteness.of(given, names)
    except InputError as error:
        unfitted = _unfitted(given, tuple(names), others) if isinstance(given, str) else ()
        if not unfitted:
            raise
        noun = listed(unfitted)
        raise InputError(
            f"`completeness` needs {noun}, which is not fitted: add {noun} to `columns`",
            parameter="completeness",
        ) from error


def _is_file(text):
    """Whether a text is the name of a file rather than an expression."""
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def _unfitted(text, names, others):
    """Columns of the table that an expression uses and that are not fitted.

    What is wrong with it for all columns of the table is raised.
    """
    more = [name for name in others() if name not in names]
    every = SampleCompleteness.of(text, (*names, *more))
    return [name for name in every.function.used if name not in names]


def noise_of(given: Any, samples: Samples) -> SampleNoise | None:
    """The noise as a function of the noise-free values; None for the words "constant" and "local".

    Parameters
    ----------
    given : str, path, callable or SampleNoise
        A file holds grids of standard deviations in its group `errors`.
    samples : Samples

    Raises
    ------
    InputError
        If the samples have errors in a column and the file has none, or none at all.
    DataError
        If the file cannot be used.
    """
    if isinstance(given, str) and given in NOISE_MODELS:
        return None
    if samples.noise_kind == "none":
        raise InputError(
            "`noise_model`: the samples have no errors: name them, or leave the model out",
            parameter="noise_model",
        )
    if not is_grid_file(given):
        return SampleNoise.of(given, samples.names)
    found = read_grids(given, "errors")
    # A file may have the errors of further columns.
    grids = {name: grid for name, grid in found.items() if name in samples.names}
    with about(given):
        noise = SampleNoise.of(SampleNoise(grids=grids, text=str(given)), samples.names)
        variances = np.diagonal(samples.noise(), axis1=1, axis2=2)
        for i, name in enumerate(samples.names):
            if name not in grids and np.any((variances[:, i] > 0) & ~samples.missing[:, i]):
                raise InputError(
                    f"it has no errors of {name}, but the samples have: add a dataset errors/{name}"
                )
    return noise


def background_of(given: Any, samples: Samples) -> SampleBackground:
    """The background that a word, a file, a model or a density stands for.

    Parameters
    ----------
    given : str, path, (low, high), SamplesResult, Mixture, SampleGrid or SampleBackground
        "uniform"; "uniform:LOW:HIGH,..." with a range for each column; or a file: a model of
        samples with these columns, or an HDF5 grid with the dataset `density`.
    samples : Samples

    Raises
    ------
    InputError
        If it is none of these, or has other columns than the samples.
    DataError
        If the file cannot be used.

    Warns
    -----
    DataWarning
        If a model has backgrounds of its own, which are left out.

    Examples
    --------
    >>> stars = Samples(x=[[0.0, 20.0], [1.0, 22.0]], names=["g_r", "mag"])
    >>> background_of("uniform:-1:3,18:24", stars)
    SampleBackground(uniform, -1 to 3 x 18 to 24)
    """
    if is_grid_file(given):
        if is_model_file(given):
            return _of_model(read_any(given), str(given), samples)
        grid = read_grid(given, "density")
        with about(given):
            return SampleBackground.of(grid, samples)
    if isinstance(given, SamplesResult):
        return _of_model(given, "the model", samples)
    if isinstance(given, str):
        box = box_of(given)
        given = "uniform" if box is None else tuple(np.transpose(box))
    return SampleBackground.of(given, samples)


def _of_model(result, label, samples):
    """The background whose density is the mixture of a fit, in the columns of the samples."""
    if not isinstance(result, SamplesResult):
        raise InputError(
            f"{label}: a model of photons, not of samples with the columns "
            f"{', '.join(samples.names)}",
            parameter="background",
        )
    for name in samples.names:
        if name not in result.names:
            near = get_close_matches(name, result.names, 1)
            hint = f"is it {near[0]}?" if near else f"it has {', '.join(result.names)}"
            raise InputError(
                f"{label}: the model has no column {name}: {hint}", parameter="background"
            )
    if result.backgrounds:
        warnings.warn(
            f"{label}: the mixture of this model is taken as the background, without the "
            "background of the model itself",
            DataWarning,
            stacklevel=5,
        )
    columns = [result.names.index(name) for name in samples.names]
    mixture, factors = result.mixture.marginal(columns), np.ones(len(columns))
    for i, name in enumerate(samples.names):
        units = result.units[columns[i]], samples.units[i]
        factor = factor_between(*units)
        if factor is None:
            raise InputError(
                f"{label}: {name} is in {units[0]}, but in {units[1]} in the catalogue: correct "
                "the unit of one of them",
                parameter="background",
            )
        factors[i] = factor
    return SampleBackground.of_mixture(
        replace(
            mixture,
            means=mixture.means * factors,
            covariances=mixture.covariances * np.outer(factors, factors),
        ),
        name=Path(label).name.removesuffix(".h5").removesuffix(".model"),
        adds_noise=result.samples.noise_kind != "none",
    )
