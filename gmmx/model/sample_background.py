"""SampleBackground: samples that belong to no component, uniform in a box or of a given density."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import InputError

# Base-2 logarithm of the number of points that integrate a completeness over a box.
_POINTS = 15


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class SampleBackground:
    """A background of density B q(x) per unit volume, whose amplitude B is fitted.

    q integrates to 1 over the box, so that B is a number of samples.

    Parameters
    ----------
    low, high : (D,) arrays
        Corners of the box, in the units of the columns.
    function : callable, optional
        q: from (N, D) values inside the box to (N,) densities. By default q is uniform.
    name : str
    amplitude : float, optional
        B, once it is fitted.

    Raises
    ------
    InputError
        If the box has no volume.

    Examples
    --------
    >>> box = SampleBackground(low=[0.0, 0.0], high=[2.0, 5.0])
    >>> box
    SampleBackground(uniform, 0 to 2 x 0 to 5)
    >>> box.density(np.array([[1.0, 1.0], [1.0, 9.0]]))
    array([0.1, 0. ])
    """

    low: np.ndarray
    high: np.ndarray
    function: Callable | None = None
    name: str = "uniform"
    amplitude: float | None = None

    def __post_init__(self):
        low, high = (np.array(v, float, ndmin=1) for v in (self.low, self.high))
        if low.shape != high.shape or low.ndim != 1 or not np.all(np.isfinite(high - low)):
            raise InputError(
                "the corners of a background's box must be two lists of D numbers",
                parameter="background",
            )
        if np.any(high <= low):
            i = int(np.argmin(high - low))
            raise InputError(
                f"the background's box goes from {low[i]:g} to {high[i]:g} along column {i}: it"
                " has no volume",
                parameter="background",
            )
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)

    @classmethod
    def of(cls, given, samples):
        """The background that a word, two corners or a background stands for.

        Parameters
        ----------
        given : "uniform", (low, high) or SampleBackground
            "uniform" is the smallest box that holds all samples.
        samples : Samples

        Raises
        ------
        InputError
            If it is none of these, or has other dimensions than the samples.
        """
        if isinstance(given, str) and given == "uniform":
            given = np.nanmin(samples.x, axis=0), np.nanmax(samples.x, axis=0)
        if not isinstance(given, cls):
            try:
                low, high = given
            except (TypeError, ValueError):
                raise InputError(
                    f"`background` = {given!r}: choose uniform, or give the corners of a box",
                    parameter="background",
                ) from None
            given = cls(low=low, high=high)
        if len(given.low) != samples.n_dimensions:
            raise InputError(
                f"the background's box has {len(given.low)} dimensions, the samples have "
                f"{samples.n_dimensions}",
                parameter="background",
            )
        return given

    def __repr__(self):
        sides = " x ".join(f"{a:g} to {b:g}" for a, b in zip(self.low, self.high, strict=True))
        fitted = "" if self.amplitude is None else f"; {self.amplitude:.6g} samples"
        return f"SampleBackground({self.name}, {sides}{fitted})"

    def density(self, x, columns=None):
        """Density q at samples of which some columns are known, (N,).

        Parameters
        ----------
        x : (N, D) array
        columns : (d,) integers, optional
            The columns that are known; all by default. The others are integrated over.
        """
        columns = np.arange(len(self.low)) if columns is None else columns
        known, low, high = x[:, columns], self.low[columns], self.high[columns]
        inside = np.all((known >= low) & (known <= high), axis=1)
        if self.function is None:
            return np.where(inside, 1.0 / np.prod(high - low), 0.0)
        if len(columns) < len(self.low):
            raise InputError(
                f"background {self.name!r} has a density of its own, which needs all values of a"
                " sample, and some are missing",
                parameter="background",
            )
        values = np.zeros(len(x))
        values[inside] = self.function(x[inside])
        if not np.all(np.isfinite(values) & (values >= 0)):
            raise InputError(
                f"background {self.name!r} has a density that is negative or not finite",
                parameter="background",
            )
        return values

    def expected(self, completeness=None):
        """Fraction of the background's samples that a completeness lets through."""
        if completeness is None:
            return 1.0
        from scipy.stats import qmc

        points = qmc.Sobol(len(self.low), seed=0).random_base2(_POINTS)
        x = self.low + points * (self.high - self.low)
        values = completeness(x)
        if self.function is None:
            return float(values.mean())
        densities = self.density(x)
        return float(values @ densities / densities.sum())
