"""Samples from the columns of a catalogue."""

import warnings
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from .._words import counted
from ..config import CatalogueOptions
from ..errors import DataError, DataWarning, InputError, about
from ..io.catalogues import columns_of, read_catalogue, units_of
from ..model.samples import Samples
from .sample_doubts import warn_of_markers
from .sample_units import factor_between

if TYPE_CHECKING:
    from astropy.table import Table

# A correlation may exceed 1 by as much as single precision rounds.
_ROUNDING = 1e-6


def read_samples(
    path: str | PathLike, options: CatalogueOptions | None = None, **single_options: Any
) -> Samples:
    """Read samples from the columns of a table.

    A value without an error, and an error without a value, make the value missing: nothing is
    known about it. Rows without any value are left out.

    Parameters
    ----------
    path : str or Path
    options : CatalogueOptions, optional
    **single_options
        Fields of `CatalogueOptions` instead of those of `options`: `columns`, `errors`,
        `correlations`, `covariance` and `weights` name columns of the table.

    Returns
    -------
    Samples
        With the names and the units of the columns.

    Raises
    ------
    InputError
        If no column is named, or the numbers of columns do not fit together.
    DataError
        If the file or a column cannot be used, an error is negative, or the errors of a row are
        no covariance.

    Warns
    -----
    DataWarning
        If rows are left out, or values have no error.

    Examples
    --------
    >>> from astropy.table import Table
    >>> stars = Table({"a": [1.0, 2.0, 3.0], "b": [0.0, np.nan, 1.0], "e": [0.1, 0.1, 0.1]})
    >>> stars.write("stars.ecsv")
    >>> read_samples("stars.ecsv", columns="a,b", errors="e,e")
    Samples(3 samples in 2 dimensions: a, b; noise diagonal; 1 value missing)
    """
    CatalogueOptions.check_names(single_options)
    options = replace(CatalogueOptions() if options is None else options, **single_options)
    if not options.columns:
        raise InputError(f"{path}: name the `columns` to read", parameter="columns")
    table = read_catalogue(path, options.names, no_checksum=options.no_checksum)
    return samples_in(table, path, options)[0]


def samples_in(
    table: "Table", path: str | PathLike, options: CatalogueOptions
) -> tuple[Samples, np.ndarray]:
    """Samples of a table as `read_samples` makes them, and which of its rows they are.

    Parameters
    ----------
    table : astropy.table.Table
    path : str or Path
        The file that it was read from, for messages.
    options : CatalogueOptions

    Returns
    -------
    samples : Samples
    known : (n_rows,) booleans
        Which rows have a value.
    """
    found = columns_of(path, table, options.names)
    x = _matrix(path, found, options.columns)
    covariances = _covariances(path, table, found, options)
    weights = None if options.weights is None else _weights(path, found[options.weights], options)
    x = _without_unknown_errors(path, x, covariances)
    _refuse_infinite(path, x, options.columns)
    warn_of_markers(path, x, options.columns)
    known = ~np.isnan(x).all(axis=1)
    if not known.any():
        raise DataError(f"{path}: no row has a value in {', '.join(options.columns)}")
    if not known.all():
        lost = counted(int((~known).sum()), "row")
        warnings.warn(
            f"{path}: {lost} of {len(x):,} without any value left out", DataWarning, stacklevel=4
        )
        x = x[known]
        covariances = None if covariances is None else covariances[known]
        weights = None if weights is None else weights[known]
    if covariances is not None and covariances.shape == (x.shape[1],) * 2:
        # As many rows as columns: variances must not be taken for one covariance of all.
        covariances = covariances[:, :, None] * np.eye(x.shape[1])
    with about(path):
        samples = Samples(
            x=x,
            covariances=covariances,
            weights=weights,
            names=options.columns,
            units=units_of(path, table, options.columns),
        )
    return samples, known


def _matrix(path, found, names):
    """Columns side by side, (N, D)."""
    for name in names:
        if found[name].ndim != 1:
            raise DataError(
                f"{path}: each cell of the column {name} holds an array: name columns of numbers"
            )
    return np.stack([found[name] for name in names], axis=1)


def _weights(path, values, options):
    if not np.all(np.isfinite(values) & (values >= 0)):
        row = int(np.argmin(np.isfinite(values) & (values >= 0)))
        raise DataError(
            f"{path}: row {row} has the weight {values[row]:g} in {options.weights}: weights are "
            "finite and not negative"
        )
    return values


def _error_units(path, table, options):
    """What turns each error into the unit of its column, (D,)."""
    factors = np.ones(len(options.columns))
    units = [units_of(path, table, names) for names in (options.columns, options.errors)]
    for i, (own, error) in enumerate(zip(*units, strict=True)):
        name, factor = options.errors[i], factor_between(error, own)
        if factor is None:
            raise DataError(
                f"{path}: {name} is in {error}, and {options.columns[i]}, whose error it is, in "
                f"{own}: correct the unit of one of them"
            )
        # An error has no sign, though dex and mag rise in opposite directions.
        factors[i] = abs(factor)
        if factor != 1:
            warnings.warn(
                f"{path}: {name} was converted from {error} to {own}, the unit of its column",
                DataWarning,
                stacklevel=6,
            )
    return factors


def _covariances(path, table, found, options):
    """Covariances of the errors: None, (N, D) variances or (N, D, D) matrices."""
    d = len(options.columns)
    if options.covariance is not None:
        given = found[options.covariance]
        if given.size != len(given) * d * d:
            raise DataError(
                f"{path}: a cell of {options.covariance} has shape {given.shape[1:]}: {d} columns "
                f"need {(d, d)}"
            )
        covariances = given.reshape(-1, d, d)
        _refuse_indefinite(path, covariances)
        return covariances
    if not options.errors:
        return None
    errors = _matrix(path, found, options.errors) * _error_units(path, table, options)
    if np.any(errors < 0):
        row, column = np.argwhere(errors < 0)[0]
        raise DataError(
            f"{path}: row {row} has the error {errors[row, column]:g} in {options.errors[column]}: "
            "errors are standard deviations and not negative"
        )
    if not options.correlations:
        return errors**2
    covariances = _correlations(path, found, options) * errors[:, :, None] * errors[:, None, :]
    _refuse_indefinite(path, covariances)
    return covariances


def _correlations(path, found, options):
    """Correlation matrices of the errors, (N, D, D); those that are not known count as 0."""
    d, n_unknown = len(options.columns), 0
    is_known = np.stack([~np.isnan(found[name]) for name in options.errors], axis=1)
    correlations = np.repeat(np.eye(d)[None], len(is_known), axis=0)
    pairs = zip(*np.triu_indices(d, 1), strict=True)
    for (i, j), name in zip(pairs, options.correlations, strict=True):
        values = found[name]
        if np.any(np.abs(values) > 1 + _ROUNDING):
            row = int(np.argmax(np.abs(values) > 1 + _ROUNDING))
            raise DataError(
                f"{path}: row {row} has the correlation {values[row]:g} in {name}: correlations "
                "lie between -1 and 1"
            )
        n_unknown += int((np.isnan(values) & is_known[:, i] & is_known[:, j]).sum())
        correlations[:, i, j] = correlations[:, j, i] = np.clip(np.nan_to_num(values), -1, 1)
    if n_unknown:
        warnings.warn(
            f"{path}: {counted(n_unknown, 'correlation')} counted as 0, because they are not given",
            DataWarning,
            stacklevel=6,
        )
    return correlations


def _refuse_indefinite(path, covariances):
    """Name the first row whose known errors are no covariance."""
    unknown = np.isnan(np.diagonal(covariances, axis1=1, axis2=2))
    unknown |= np.isinf(np.diagonal(covariances, axis1=1, axis2=2))
    beside = unknown[:, :, None] | unknown[:, None, :]
    known = np.where(beside, 0.0, covariances)
    largest = np.abs(known).max(axis=(1, 2))
    bad = ~np.isfinite(known).all(axis=(1, 2))
    known[bad] = 0.0
    skew = np.abs(known - known.swapaxes(1, 2)).max(axis=(1, 2)) > _ROUNDING * largest
    bad |= skew | (np.linalg.eigvalsh(known)[:, 0] < -_ROUNDING * largest)
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(
            f"{path}: the errors of row {row} are no covariance, because it is not symmetric and "
            "positive semi-definite: correct that row or leave it out"
        )


def _without_unknown_errors(path, x, covariances):
    """Values whose error is not known are missing."""
    if covariances is None:
        return x
    variances = covariances
    if covariances.ndim == 3:
        variances = np.diagonal(covariances, axis1=1, axis2=2)
    unknown = np.isnan(variances) & ~np.isnan(x)
    if unknown.any():
        warnings.warn(
            f"{path}: {counted(int(unknown.sum()), 'value')} without an error counted as missing",
            DataWarning,
            stacklevel=5,
        )
        x = np.where(unknown, np.nan, x)
    return x


def _refuse_infinite(path, x, names):
    if np.any(np.isinf(x)):
        row, column = np.argwhere(np.isinf(x))[0]
        raise DataError(
            f"{path}: row {row} holds an infinite value in {names[column]}: make it empty or NaN "
            "where it is not known"
        )
