"""SampleNoise: the noise that samples have as a function of their noise-free values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import InputError
from .sample_grid import SampleGrid

# A noise covariance may be this much below zero along an axis, relative to its largest variance.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class SampleNoise:
    """S(y): the noise covariance of samples whose noise-free values are y.

    Parameters
    ----------
    function : callable, optional
        From (N, D) values to (N, D) variances or (N, D, D) covariances.
    grids : dict of str to SampleGrid, optional
        Standard deviations of columns, by name; columns without one have no noise.
    names : sequence of str
        Names of the columns.
    text : str
        What the function is called, or the file of the grids.

    Examples
    --------
    >>> noise = SampleNoise.of(lambda y: 0.01 * y**2, ["flux"])
    >>> noise(np.array([[2.0], [10.0]])).ravel()
    array([0.04, 1.  ])
    """

    function: Callable | None = None
    grids: Mapping[str, SampleGrid] | None = None
    names: Sequence[str] = ()
    text: str = ""

    @classmethod
    def of(cls, given: Any, names: Sequence[str]) -> "SampleNoise":
        """The noise that a function or grids stand for.

        Parameters
        ----------
        given : SampleNoise, callable, or dict of str to SampleGrid
        names : sequence of str
            Names of the columns of the samples.

        Raises
        ------
        InputError
            If it is none of these, or a grid is of a column that is not there.
        """
        if isinstance(given, Mapping):
            given = cls(grids=given, text="grid")
        if isinstance(given, cls):
            if given.grids is None:
                return given
            return replace(given, names=tuple(names), grids=_matched(given.grids, names))
        if callable(given):
            text = getattr(given, "__name__", repr(given))
            return cls(function=given, names=tuple(names), text=text)
        raise InputError(
            f"`noise_model` = {given!r}: choose constant or local, or give an HDF5 file with grids "
            "of standard deviations, or a function of (N, D) values",
            parameter="noise_model",
        )

    def __repr__(self):
        return f"SampleNoise({self.text})"

    def __call__(self, y: np.ndarray) -> np.ndarray:
        """Noise covariances at noise-free values (N, D), (N, D, D).

        Outside of a grid they are those at the nearest place on it.

        Raises
        ------
        InputError
            If a function gives something that is no covariance.
        """
        y = np.asarray(y, float)
        n, d = y.shape
        if self.grids is not None:
            sigmas = np.zeros((n, d))
            for name, grid in self.grids.items():
                sigmas[:, list(self.names).index(name)] = grid(y, outside="nearest")
            return sigmas[:, :, None] ** 2 * np.eye(d)
        if self.function is None:
            raise InputError("the noise has neither grids nor a function", parameter="noise_model")
        found = np.asarray(self.function(y), float)
        if found.shape not in ((n, d), (n, d, d)):
            raise InputError(
                f"`noise_model` ({self.text}) gives an array of shape {found.shape} for {n} "
                f"values of {d} columns: it must give {(n, d)} variances or {(n, d, d)} "
                "covariances",
                parameter="noise_model",
            )
        # As many values as columns: variances are meant.
        matrices = found[:, :, None] * np.eye(d) if found.ndim == 2 else found
        self._check(matrices, y)
        return matrices

    def _check(self, matrices, y):
        good = np.isfinite(matrices).all(axis=(1, 2))
        finite = np.where(good[:, None, None], matrices, 0.0)
        largest = np.abs(finite).max(axis=(1, 2))
        skew = np.abs(finite - finite.swapaxes(1, 2)).max(axis=(1, 2))
        good &= skew <= 1e-6 * largest
        good &= np.linalg.eigvalsh(finite)[:, 0] >= -_ROUNDING * largest
        if not good.all():
            place = ", ".join(f"{value:.4g}" for value in y[np.argmin(good)])
            raise InputError(
                f"`noise_model` ({self.text}) gives no covariance at ({place}): it must be "
                "finite, symmetric and positive semi-definite",
                parameter="noise_model",
            )


def _matched(grids, names):
    """Grids whose axes are matched to columns, and whose values are standard deviations."""
    for name, grid in grids.items():
        if name not in names:
            raise InputError(
                f"it has errors of {name}, which is none of the fitted columns {', '.join(names)}",
                parameter="noise_model",
            )
        bad = ~(np.isfinite(grid.values) & (grid.values >= 0))
        cure = "a standard deviation is finite and at least 0"
        grid.refuse_nodes(bad, f"the error of {name}", cure)
    return {name: grid.on_columns(names) for name, grid in grids.items()}
