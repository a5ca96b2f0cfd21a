"""Samples: rows of a catalogue in any number of dimensions, each with its own errors."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._words import counted
from ..errors import InputError

# A noise covariance may be this much below zero along an axis, relative to its largest variance.
_ROUNDING = 1e-9
# Noise covariances that are checked at a time.
_CHUNK = 65_536


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Samples:
    """N samples in D dimensions, with the errors of each.

    Parameters
    ----------
    x : (N, D) array
        Values; NaN where one is missing. An (N,) array has one dimension.
    covariances : array, optional
        Covariances of the noise: (N, D) variances, (N, D, D) covariances, or (D, D) for a
        covariance that all samples share. None: the samples have no errors. A value with an
        infinite variance is missing. What stands beside a missing value does not matter.
    weights : (N,) array, optional
        Weights, at least 0; 1 without them.
    names : sequence of str, optional
        Names of the columns; "x0", "x1", ... without them.
    units : sequence of str, optional
        Units of the columns, as astropy writes them; "" for a column without one.

    Raises
    ------
    InputError
        If shapes differ, if a value is infinite, a weight is negative, or a covariance is no
        covariance.

    Examples
    --------
    >>> samples = Samples(x=[[1.0, 2.0], [3.0, np.nan], [0.0, 1.0]], covariances=np.ones((3, 2)))
    >>> samples
    Samples(3 samples in 2 dimensions: x0, x1; noise diagonal; 1 value missing)
    >>> samples.missing[1]
    array([False,  True])
    """

    x: np.ndarray
    covariances: np.ndarray | None = None
    # None stands for weights of 1 until __post_init__ has run.
    weights: Any = None
    names: Sequence[str] = ()
    units: Sequence[str] = ()

    def __post_init__(self):
        x = _numbers(self.x, "x")
        x = x[:, None] if x.ndim == 1 else x
        if x.ndim != 2 or x.shape[0] == 0 or x.shape[1] == 0:
            raise InputError(
                f"`x` has shape {x.shape}: give N samples of D columns, at least one of each",
                parameter="x",
            )
        n, d = x.shape
        covariances = None
        if self.covariances is not None:
            covariances = _numbers(self.covariances, "covariances")
            if d == 1 and covariances.shape == (n,):
                covariances = covariances[:, None]
            if covariances.shape not in ((n, d), (n, d, d), (d, d)):
                raise InputError(
                    f"`covariances` has shape {covariances.shape} for {n} samples of {d} columns:"
                    f" give {(n, d)} variances, {(n, d, d)} covariances, or {(d, d)} for all",
                    parameter="covariances",
                )
            if d > 1 and covariances.shape == (d, d) == (n, d):
                raise InputError(
                    f"`covariances` of shape {(d, d)} may be variances of each sample or the "
                    f"covariance of all: give {(n, d, d)} covariances",
                    parameter="covariances",
                )
        x, covariances = _with_missing(x, covariances)
        weights = np.ones(n) if self.weights is None else _numbers(self.weights, "weights")
        if weights.shape != (n,) or not np.all(np.isfinite(weights) & (weights >= 0)):
            raise InputError(
                f"`weights` must be {n} finite numbers of at least 0", parameter="weights"
            )
        if not weights.any():
            raise InputError("all `weights` are 0: give at least one sample", parameter="weights")
        names = tuple(self.names) or tuple(f"x{i}" for i in range(d))
        _check_names(names, d)
        units = tuple(map(str, self.units)) or ("",) * d
        if len(units) != d:
            raise InputError(f"`units` has {len(units)} units for {d} columns", parameter="units")
        if covariances is not None:
            _check_covariances(covariances, np.isnan(x))
        for name, array in (("x", x), ("covariances", covariances), ("weights", weights)):
            if array is not None:
                # Views of the given arrays cannot be written to; the arrays themselves still can.
                array = array.view()
                array.flags.writeable = False
            object.__setattr__(self, name, array)
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "units", units)

    def __len__(self) -> int:
        """Number of samples, N."""
        return len(self.x)

    def __repr__(self) -> str:
        names = ", ".join(self.names[:6]) + (", ..." if self.n_dimensions > 6 else "")
        text = f"{counted(len(self), 'sample')} in {counted(self.n_dimensions, 'dimension')}"
        missing = int(self.missing.sum())
        end = f"; {counted(missing, 'value')} missing" if missing else ""
        return f"Samples({text}: {names}; noise {self.noise_kind}{end})"

    @property
    def n_dimensions(self) -> int:
        """Number of columns, D."""
        return self.x.shape[1]

    @property
    def missing(self) -> np.ndarray:
        """Which values are missing, (N, D) booleans."""
        return np.isnan(self.x)

    @property
    def noise_kind(self) -> str:
        """Kind of noise: "none", "common", "diagonal" or "full"."""
        if self.covariances is None:
            return "none"
        if self.covariances.ndim == 3:
            return "full"
        return "common" if len(self.covariances) != len(self) else "diagonal"

    def select(self, index: np.ndarray) -> "Samples":
        """The samples that `index` (integers or booleans) selects, in its order.

        Examples
        --------
        >>> Samples(x=[1.0, 2.0, 5.0]).select([2, 0]).x.ravel()
        array([5., 1.])
        """
        kept = self.covariances
        if kept is not None and self.noise_kind != "common":
            kept = kept[index]
        x = self.x[index]
        if kept is not None and kept.shape == (len(x), self.n_dimensions) == kept.T.shape:
            # As many samples as dimensions: variances must not be taken for a common covariance.
            full = kept if self.noise_kind == "common" else None
            kept = (
                np.stack([np.diag(v) for v in kept])
                if full is None
                else np.broadcast_to(full, (len(x), *full.shape))
            )
        return replace(self, x=x, covariances=kept, weights=self.weights[index])

    def check_columns(self) -> None:
        """Refuse samples of which a column has no value that counts: no fit can use it.

        Raises
        ------
        InputError

        Examples
        --------
        >>> Samples(x=[[1.0, np.nan], [2.0, np.nan]]).check_columns()
        Traceback (most recent call last):
        gmmx.errors.InputError: every value of column 'x1' is missing: leave the column out
        """
        for name, is_missing in zip(self.names, self.missing[self.weights > 0].T, strict=True):
            if is_missing.all():
                raise InputError(
                    f"every value of column {name!r} is missing: leave the column out",
                    parameter="x",
                )

    def noise(self, index: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Noise covariances of some samples as (n, D, D) matrices; NaN beside missing values."""
        n, d = self.x[index].shape
        if self.covariances is None:
            return np.zeros((n, d, d))
        if self.noise_kind == "common":
            return np.broadcast_to(self.covariances, (n, d, d))
        chosen = self.covariances[index]
        return chosen if chosen.ndim == 3 else chosen[:, :, None] * np.eye(d)


def _numbers(values, name):
    """An array of float64; a masked array, such as a column of a table, has NaN where masked."""
    try:
        if isinstance(values, np.ma.MaskedArray):
            values = values.astype(np.float64).filled(np.nan)
        return np.ascontiguousarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(
            f"`{name}` holds values that are not numbers, or rows of different lengths",
            parameter=name,
        ) from None


def _with_missing(x, covariances):
    """Make values missing whose variance is infinite."""
    if np.any(np.isinf(x)):
        row = int(np.argmax(np.isinf(x).any(1)))
        raise InputError(
            f"`x`: row {row} holds an infinite value: give NaN where a value is missing",
            parameter="x",
        )
    if covariances is None:
        return x, covariances
    variances = (
        covariances
        if covariances.shape == x.shape
        else np.diagonal(covariances, axis1=-2, axis2=-1)
    )
    unknown = np.isposinf(np.broadcast_to(variances, x.shape))
    if np.any(unknown & ~np.isnan(x)):
        x = np.where(unknown, np.nan, x)
    return x, covariances


def _check_names(names, d):
    if len(names) != d:
        raise InputError(f"`names` has {len(names)} names for {d} columns", parameter="names")
    if len(set(names)) < d:
        raise InputError("`names` repeats a name: give each column its own", parameter="names")


def _check_covariances(covariances, missing):
    """Refuse noise that is not known beside a value that is, or that is no covariance."""
    n, d = missing.shape
    if covariances.shape == (n, d):
        bad = ~missing & ~(covariances >= 0)
        if np.any(bad):
            row, column = np.argwhere(bad)[0]
            raise InputError(
                f"`covariances`: row {row} has the variance {covariances[row, column]:g} in "
                f"column {column}: it must be at least 0",
                parameter="covariances",
            )
        return
    if covariances.shape == (d, d):
        covariances, missing = covariances[None], np.zeros((1, d), bool)
    for first in range(0, len(covariances), _CHUNK):
        chunk, gone = covariances[first : first + _CHUNK], missing[first : first + _CHUNK]
        if gone.any():
            unknown = gone[:, :, None] | gone[:, None, :]
            chunk = np.where(unknown, 0.0, chunk)
        row = _first_bad(chunk)
        if row is not None:
            raise InputError(
                f"`covariances`: that of row {first + row} is not symmetric and positive "
                "semi-definite",
                parameter="covariances",
            )


def _first_bad(matrices):
    """Index of the first matrix (n, D, D) that is no covariance, or None."""
    if not np.all(np.isfinite(matrices)):
        return int(np.argmin(np.isfinite(matrices).all((1, 2))))
    largest = np.abs(matrices).max((1, 2))
    skew = np.abs(matrices - np.swapaxes(matrices, 1, 2)).max((1, 2)) > 1e-6 * largest
    if skew.any():
        return int(np.argmax(skew))
    try:
        np.linalg.cholesky(matrices)
        return None
    except np.linalg.LinAlgError:
        # Some are only semi-definite, as where one coordinate has no error.
        negative = np.linalg.eigvalsh(matrices)[:, 0] < -_ROUNDING * largest
        return int(np.argmax(negative)) if negative.any() else None
