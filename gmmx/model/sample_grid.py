"""SampleGrid: numbers at the nodes of a grid over some of the columns of samples."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

import numpy as np

from .._words import counted
from ..errors import InputError


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class SampleGrid:
    """Values at the nodes of a grid, interpolated linearly between them.

    Parameters
    ----------
    values : array of A dimensions
        One dimension for each axis.
    axes : sequence of A arrays
        Rising coordinates of the nodes along each axis, two at least.
    columns : sequence of int, optional
        The columns of the samples that the axes stand for; 0, 1, ... by default.
    names : sequence of str, optional
        Names of the axes, for messages.

    Raises
    ------
    InputError
        If there are not as many axes as dimensions, an axis does not rise, or lengths differ.

    Examples
    --------
    >>> ramp = SampleGrid(values=[0.0, 1.0], axes=[[0.0, 10.0]], columns=[1])
    >>> ramp(np.array([[7.0, 2.5], [7.0, 11.0]]))
    array([0.25, 0.  ])
    >>> ramp(np.array([[7.0, 11.0]]), outside="nearest")
    array([1.])
    """

    values: np.ndarray
    axes: Sequence
    columns: Sequence[int] = ()
    names: Sequence[str] = ()

    def __post_init__(self):
        values, axes = np.array(self.values, float), tuple(np.array(a, float) for a in self.axes)
        names = tuple(self.names) or tuple(f"axis {i}" for i in range(len(axes)))
        columns = tuple(int(c) for c in self.columns) or tuple(range(len(axes)))
        if values.ndim != len(axes) or len(columns) != len(axes) or not axes:
            raise InputError(
                f"a grid of {counted(values.ndim, 'dimension')} with "
                f"{counted(len(axes), 'axis', 'axes')}: give one axis for each dimension"
            )
        for axis, name, length in zip(axes, names, values.shape, strict=True):
            _check_axis(axis, name, length)
        for array in (values, *axes):
            array.flags.writeable = False
        fields = {"values": values, "axes": axes, "columns": columns, "names": names}
        for field, value in fields.items():
            object.__setattr__(self, field, value)

    def __repr__(self):
        sides = " x ".join(
            f"{name} {axis[0]:g} to {axis[-1]:g}"
            for name, axis in zip(self.names, self.axes, strict=True)
        )
        return f"SampleGrid({sides}, {' x '.join(map(str, self.values.shape))} nodes)"

    def __call__(self, x: np.ndarray, outside: str = "zero") -> np.ndarray:
        """Values at samples (N, D), (N,).

        Parameters
        ----------
        x : (N, D) array
        outside : {"zero", "nearest"}
            The value outside of the grid: zero, or that at the nearest place on the grid.
        """
        # Imported here because only grids need it.
        from scipy.interpolate import RegularGridInterpolator

        at = np.asarray(x, float)[:, self.columns]
        if outside == "nearest":
            at = np.clip(at, [axis[0] for axis in self.axes], [axis[-1] for axis in self.axes])
        function = RegularGridInterpolator(
            self.axes, self.values, bounds_error=False, fill_value=0.0
        )
        return function(at)

    def on_columns(self, fitted: Sequence[str]) -> "SampleGrid":
        """The grid with its axes matched by name to the columns of samples.

        Axes without names stand for the columns in their order.

        Parameters
        ----------
        fitted : sequence of str
            Names of the columns of the samples.

        Raises
        ------
        InputError
            If an axis is no such column, or axes without names are not as many as the columns.
        """
        if self.has_no_names:
            if len(self.axes) != len(fitted):
                raise InputError(
                    f"a grid of {counted(len(self.axes), 'dimension')} for samples of "
                    f"{counted(len(fitted), 'column')}: name the columns of its axes"
                )
            return replace(self, columns=range(len(fitted)), names=fitted)
        for name in self.names:
            if name not in fitted:
                raise InputError(
                    f"its axis {name} is none of the fitted columns {', '.join(fitted)}: "
                    f"{_meant(name, fitted)}"
                )
        return replace(self, columns=[list(fitted).index(name) for name in self.names])

    @property
    def has_no_names(self) -> bool:
        """Whether nobody named the axes."""
        return self.names == tuple(f"axis {i}" for i in range(len(self.axes)))

    def holds(self, x: np.ndarray) -> np.ndarray:
        """Whether samples (N, D) lie on the grid along each axis, (N, A) booleans.

        A missing value lies on it, because it may.
        """
        at = np.asarray(x, float)[:, self.columns]
        low, high = (np.array([axis[end] for axis in self.axes]) for end in (0, -1))
        return ~((at < low) | (at > high))

    def place(self, node: Sequence[int]) -> str:
        """The place of a node in words, such as "mag = 24, g_r = 0.5"."""
        parts = zip(self.names, self.axes, node, strict=True)
        return ", ".join(f"{name} = {axis[i]:g}" for name, axis, i in parts)

    def refuse_nodes(self, bad: np.ndarray, what: str, cure: str) -> None:
        """Refuse the grid if some of its nodes are bad, and name the first of them.

        Parameters
        ----------
        bad : array of booleans
            In the shape of the values.
        what : str
            What the values are.
        cure : str
            What is allowed, and what to do.
        """
        if np.any(bad):
            node = tuple(int(i) for i in np.argwhere(bad)[0])
            others = int(bad.sum()) - 1
            also = f" and at {counted(others, 'other node')}" if others else ""
            raise InputError(f"{what} is {self.values[node]:g} at {self.place(node)}{also}: {cure}")

    def integral(self) -> float:
        """Integral of the interpolated values over the grid."""
        return float(_integrated(self.values, self.axes, range(len(self.axes))))

    def marginal(self, columns: Sequence[int]) -> "SampleGrid":
        """The grid of some of its columns, integrated over the others.

        Examples
        --------
        >>> plane = SampleGrid(values=np.ones((2, 3)), axes=[[0.0, 4.0], [0.0, 1.0, 2.0]])
        >>> plane.marginal([1]).values
        array([4., 4., 4.])
        """
        kept = [i for i, column in enumerate(self.columns) if column in columns]
        others = [i for i in range(len(self.axes)) if i not in kept]
        return SampleGrid(
            values=_integrated(self.values, self.axes, others),
            axes=[self.axes[i] for i in kept],
            columns=[self.columns[i] for i in kept],
            names=[self.names[i] for i in kept],
        )


def _meant(name, fitted):
    """What to do about an axis that is no fitted column."""
    near = get_close_matches(name.lower(), [one.lower() for one in fitted], 1, 0.7)
    if near:
        return f"did you mean {next(one for one in fitted if one.lower() == near[0])}?"
    return f"fit {name} too, because all that a grid depends on is integrated over"


def _integrated(values, axes, along):
    """Integral of interpolated values along some axes: the trapezoidal rule is exact."""
    from scipy.integrate import trapezoid

    for i in sorted(along, reverse=True):
        values = trapezoid(values, axes[i], axis=i)
    return values


def _check_axis(axis, name, length):
    """Refuse an axis that does not fit to its dimension, or does not rise."""
    if axis.ndim != 1 or len(axis) != length:
        raise InputError(
            f"the axis {name} has shape {axis.shape}, but the grid has {length} nodes along it"
        )
    if length < 2:
        raise InputError(f"the axis {name} has one node: give two at least")
    if not np.all(np.isfinite(axis)):
        raise InputError(f"the axis {name} holds {axis[~np.isfinite(axis)][0]:g}: give numbers")
    falls = np.flatnonzero(np.diff(axis) <= 0)
    if len(falls):
        i = int(falls[0])
        raise InputError(
            f"the axis {name} does not rise: {axis[i + 1]:g} follows {axis[i]:g} at its node "
            f"{i + 1}: sort the nodes, and the values with them"
        )
