"""SampleCompleteness: the probability that a sample is recorded, at any place of its columns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError
from .expression import Expression

# A completeness may exceed 1 by rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class SampleCompleteness:
    """Omega(x): the probability that a sample at x is recorded, from 0 to 1.

    Parameters
    ----------
    function : callable
        From (N, D) values to (N,) probabilities, or truths.
    text : str
        The expression, if it is one; else what the function is called.
    grid : (array, tuple of arrays), optional
        Values at the nodes of a grid and its D axes, if it is one.

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
    grid: Any = None

    @classmethod
    def of(cls, given: "SampleCompleteness | str | Callable", names: Sequence[str]):
        """The completeness that an expression over columns, or a function, stands for.

        Raises
        ------
        InputError
            If it is no expression, or nothing that can be called.
        """
        if isinstance(given, cls):
            return given
        if isinstance(given, str):
            return cls(function=Expression(given, tuple(names)), text=given)
        if callable(given):
            return cls(function=given, text=getattr(given, "__name__", repr(given)))
        raise InputError(
            f"`completeness` = {given!r}: give an expression over the columns, a function of"
            " (N, D) values, or SampleCompleteness.on_grid(values, axes)",
            parameter="completeness",
        )

    @classmethod
    def on_grid(cls, values: np.ndarray, axes: Sequence[np.ndarray]):
        """The completeness of a grid, interpolated between its nodes and 0 outside.

        Parameters
        ----------
        values : array of D dimensions
        axes : sequence of D arrays
            Rising coordinates of the nodes along each axis.

        Examples
        --------
        >>> ramp = SampleCompleteness.on_grid([0.0, 1.0], [[0.0, 10.0]])
        >>> ramp(np.array([[2.5], [11.0]]))
        array([0.25, 0.  ])
        """
        # Imported here because only this kind needs it.
        from scipy.interpolate import RegularGridInterpolator

        values = np.array(values, float)
        axes = tuple(np.array(axis, float) for axis in axes)
        try:
            function = RegularGridInterpolator(axes, values, bounds_error=False, fill_value=0.0)
        except ValueError as error:
            raise InputError(
                f"`completeness`: not a grid: {error}", parameter="completeness"
            ) from None
        return cls(function=function, text=f"grid of {values.shape} nodes", grid=(values, axes))

    def __repr__(self):
        return f"SampleCompleteness({self.text})"

    @property
    def is_expression(self) -> bool:
        """Whether the text says everything."""
        return isinstance(self.function, Expression)

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
            place = ", ".join(f"{v:.4g}" for v in x[i])
            raise InputError(
                f"`completeness` ({self.text}) is {values[i]:.4g} at ({place}): it is a "
                "probability, from 0 to 1",
                parameter="completeness",
            )
        return np.clip(values, 0.0, 1.0)

    def check(self, samples, *, of_noisy_values=True) -> None:
        """Refuse samples where nothing can be recorded, or whose completeness is unknown.

        Parameters
        ----------
        samples : Samples
        of_noisy_values : bool
            Whether the completeness acts on values with noise. If it acts on values without,
            noise may have carried a sample to where nothing is recorded.

        Raises
        ------
        InputError
            If values are missing, or the completeness is zero at a sample.
        """
        if samples.missing.any():
            raise InputError(
                "`completeness` needs all values of a sample, and some are missing: leave the"
                " completeness out, or the samples with missing values",
                parameter="completeness",
            )
        values = self(samples.x)
        if not of_noisy_values and samples.noise_kind != "none":
            noise = samples.noise(slice(0, None, max(1, len(samples) // 1000)))
            if np.linalg.eigvalsh(noise)[:, 0].min() <= 0:
                raise InputError(
                    "`noise_order` = after needs noise in every column of every sample",
                    parameter="noise_order",
                )
            return
        if not values.any():
            raise InputError(
                f"`completeness` ({self.text}) is zero at all samples", parameter="completeness"
            )
        hidden = np.flatnonzero((values <= 0) & (samples.weights > 0))
        if len(hidden):
            raise InputError(
                f"`completeness` ({self.text}) is zero at {len(hidden):,} samples, the first in "
                f"row {hidden[0]}: leave them out, because they could not have been recorded",
                parameter="completeness",
            )
