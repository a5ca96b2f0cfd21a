"""SampleCompleteness: the probability that a sample is recorded, at any place of its columns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .._words import counted
from ..errors import InputError
from .expression import Expression
from .sample_grid import SampleGrid

# A completeness may exceed 1 by rounding.
_ROUNDING = 1e-9
# Base-2 logarithm of the values that are tried where one is missing.
_LOG_FILLS = 8


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class SampleCompleteness:
    """Omega(x): the probability that a sample at x is recorded, from 0 to 1.

    Parameters
    ----------
    function : callable
        From (N, D) values to (N,) probabilities, or truths.
        A `SampleGrid` is one, too.
    text : str
        The expression, if it is one; else what the function is called.

    Examples
    --------
    >>> half = SampleCompleteness.of("x < 6", ["x", "y"])
    >>> half
    SampleCompleteness(x < 6)
    >>> half(np.array([[5.0, 0.0], [7.0, 0.0]]))
    array([1., 0.])
    """

    function: Callable
    text: str = ""

    @classmethod
    def of(cls, given: "SampleCompleteness | SampleGrid | str | Callable", names: Sequence[str]):
        """The completeness that an expression over columns, a grid or a function stands for.

        Parameters
        ----------
        given : SampleCompleteness, SampleGrid, str or callable
        names : sequence of str
            Names of the columns of the samples, by which the axes of a grid are matched.

        Raises
        ------
        InputError
            If it is no expression, no probability, or nothing that can be called, or if the axes
            of a grid are not among the columns.
        """
        if isinstance(given, str):
            try:
                return cls(function=Expression(given, tuple(names)), text=given)
            except InputError as error:
                raise InputError(f"`completeness` {error}", parameter="completeness") from None
        if isinstance(given, SampleGrid):
            given = cls._of_grid(given)
        if isinstance(given, cls):
            if given.grid is None:
                return given
            return replace(given, function=given.grid.on_columns(names))
        if callable(given):
            return cls(function=given, text=getattr(given, "__name__", repr(given)))
        raise InputError(
            f"`completeness` = {given!r}: give an expression over the columns, an HDF5 file with a "
            "grid, a function of (N, D) values, or SampleCompleteness.on_grid(values, axes)",
            parameter="completeness",
        )

    @classmethod
    def on_grid(cls, values: np.ndarray, axes: Sequence[np.ndarray], names: Sequence[str] = ()):
        """The completeness of a grid, interpolated between its nodes and 0 outside.

        Parameters
        ----------
        values : array
            Probabilities at the nodes, one dimension for each axis.
        axes : sequence of arrays
            Rising coordinates of the nodes along each axis.
        names : sequence of str, optional
            The columns that the axes stand for; by default all columns in their order. The
            completeness does not depend on the others.

        Raises
        ------
        InputError
            If it is no grid, a value is no probability, or all are zero.

        Examples
        --------
        >>> ramp = SampleCompleteness.on_grid([0.0, 1.0], [[0.0, 10.0]])
        >>> ramp(np.array([[2.5], [11.0]]))
        array([0.25, 0.  ])
        """
        try:
            grid = SampleGrid(values=values, axes=axes, names=names)
        except InputError as error:
            raise InputError(f"`completeness`: {error}", parameter="completeness") from None
        return cls._of_grid(grid)

    @classmethod
    def _of_grid(cls, grid):
        what, values = "the completeness", grid.values
        grid.refuse_nodes(
            np.isnan(values), what, "give 0 where nothing was recorded, or leave these nodes out"
        )
        bad = (values < -_ROUNDING) | (values > 1 + _ROUNDING)
        most = f"a probability, from 0 to 1{_as_percent(values)}"
        grid.refuse_nodes(bad, what, f"it must be {most}")
        if not np.any(values > 0):
            raise InputError(
                "the completeness is zero everywhere: nothing could have been recorded",
                parameter="completeness",
            )
        return cls(function=grid, text=repr(grid))

    def __repr__(self):
        return f"SampleCompleteness({self.text})"

    @property
    def grid(self) -> SampleGrid | None:
        """The grid, if it is one."""
        return self.function if isinstance(self.function, SampleGrid) else None

    @property
    def is_expression(self) -> bool:
        """Whether the text says everything."""
        return isinstance(self.function, Expression)

    @property
    def used(self) -> tuple[int, ...] | None:
        """The columns that it depends on; None if that is not known, as of a function."""
        if self.grid is not None:
            return tuple(self.grid.columns)
        if isinstance(self.function, Expression):
            return tuple(self.function.names.index(name) for name in self.function.used)
        return None

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Omega at values (N, D), (N,).

        Raises
        ------
        InputError
            If it is not a probability somewhere.
        """
        values = np.asarray(self.function(x), float)
        if values.shape != (len(x),):
            raise InputError(
                f"`completeness` ({self.text}) gives an array of shape {values.shape} for {len(x)}"
                " samples: it must give one number for each",
                parameter="completeness",
            )
        bad = ~((values >= -_ROUNDING) & (values <= 1 + _ROUNDING))
        if np.any(bad):
            i = int(np.argmax(bad))
            names = getattr(self.function, "names", ())
            names = names if len(names) == x.shape[1] else [f"x{j}" for j in range(x.shape[1])]
            place = ", ".join(f"{n} = {v:.4g}" for n, v in zip(names, x[i], strict=True))
            raise InputError(
                f"`completeness` ({self.text}) is {values[i]:.4g} at {place}: it is a "
                "probability, from 0 to 1",
                parameter="completeness",
            )
        return np.clip(values, 0.0, 1.0)

    def check(self, samples, *, of_noisy_values=True) -> None:
        """Refuse samples that could not have been recorded.

        Parameters
        ----------
        samples : Samples
        of_noisy_values : bool
            Whether the completeness acts on values with noise. If it acts on values without,
            noise may have carried a sample to where nothing is recorded.

        Raises
        ------
        InputError
            If the completeness is zero at a sample; where values are missing, if it is zero
            whatever they are.
        """
        if not of_noisy_values and samples.noise_kind != "none":
            return
        values = self._at_best(samples)
        if not values.any():
            raise InputError(
                f"`completeness` ({self.text}) is zero at all samples{self._beside(samples.x)}",
                parameter="completeness",
            )
        hidden = np.flatnonzero((values <= 0) & (samples.weights > 0))
        if len(hidden):
            raise InputError(
                f"`completeness` ({self.text}) is zero at {counted(len(hidden), 'sample')}, the "
                f"first in row {hidden[0]}: leave them out, because they could not have been "
                f"recorded{self._beside(samples.x[hidden[:1]])}",
                parameter="completeness",
            )

    def _at_best(self, samples):
        """Omega at samples, and the largest that it can be where values are missing, (N,)."""
        missing = samples.missing
        rows = np.flatnonzero(missing.any(axis=1))
        if not len(rows):
            return self(samples.x)
        values = np.zeros(len(samples))
        whole = ~missing.any(axis=1)
        values[whole] = self(samples.x[whole])
        for fill in _fills(samples):
            rows = rows[values[rows] <= 0]
            if not len(rows):
                break
            values[rows] = self(np.where(missing[rows], fill, samples.x[rows]))
        return values

    def _beside(self, x):
        """A hint if samples lie outside of the grid."""
        if self.grid is None:
            return ""
        outside = ~self.grid.holds(x)
        if not outside.any(axis=1).all():
            return ""
        axis = int(np.argmax(outside.any(axis=0)))
        name, nodes = self.grid.names[axis], self.grid.axes[axis]
        value = x[np.argmax(outside[:, axis]), self.grid.columns[axis]]
        return (
            f"; {name} = {value:g} is outside of the grid, which goes from {nodes[0]:g} to "
            f"{nodes[-1]:g}, and there the completeness is zero: widen the grid if it is not"
        )


def _as_percent(values):
    """A hint for those who gave percentages."""
    return "; divide percentages by 100" if 2 < np.nanmax(values) <= 100 else ""


def _fills(samples):
    """Values that missing ones may have: combinations of quantiles of the columns, (n, D)."""
    from scipy.stats import qmc

    points = qmc.Sobol(samples.n_dimensions, seed=0).random_base2(_LOG_FILLS)
    columns = (np.nanquantile(c, p) for c, p in zip(samples.x.T, points.T, strict=True))
    return np.column_stack(list(columns))
