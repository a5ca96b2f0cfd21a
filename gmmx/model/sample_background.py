"""SampleBackground: samples that belong to no component, uniform in a box or of a given density."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._words import counted
from ..errors import InputError
from .mixture import Mixture
from .sample_densities import log_terms, moments_of, quasi_random
from .sample_grid import SampleGrid

# Base-2 logarithms of the numbers of points that integrate a completeness over a background, and a
# density over values that are missing.
_POINTS, _FEW_POINTS = 15, 10
# A value may be outside of the box by this part of its side, because of rounding.
_ROUNDING = 1e-12
# Values of a function that are computed at a time.
_CHUNK = 1_000_000


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class SampleBackground:
    """A background of density B q(x) per unit volume, whose amplitude B is fitted.

    q integrates to 1, so that B is a number of samples.

    Parameters
    ----------
    low, high : (D,) arrays
        Corners of the box, in the units of the columns. A grid and a mixture need none.
    function : callable, SampleGrid or Mixture, optional
        q: from (N, D) values inside the box to (N,) densities. A grid and a mixture are
        normalised. By default q is uniform.
    name : str
    amplitude : float, optional
        B, once it is fitted.
    observed_fraction : float, optional
        Fraction of its samples that the completeness lets through, once it is fitted.
    adds_noise : bool
        Whether q is a mixture without noise, to which that of each sample is added.

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

    # None stands for the box of a grid, or for no box, until __post_init__ has run.
    low: np.ndarray = None  # type: ignore[assignment]
    high: np.ndarray = None  # type: ignore[assignment]
    function: Any = None
    name: str = "uniform"
    amplitude: float | None = None
    observed_fraction: float | None = None
    adds_noise: bool = False

    def __post_init__(self):
        if isinstance(self.function, Mixture):
            d = self.function.n_dimensions
            object.__setattr__(self, "low", np.full(d, -np.inf))
            object.__setattr__(self, "high", np.full(d, np.inf))
            return
        if isinstance(self.function, SampleGrid):
            order = np.argsort(self.function.columns)
            axes = [self.function.axes[i] for i in order]
            object.__setattr__(self, "low", np.array([axis[0] for axis in axes]))
            object.__setattr__(self, "high", np.array([axis[-1] for axis in axes]))
            return
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
    def of_mixture(cls, mixture: Mixture, name: str = "mixture", *, adds_noise: bool = True):
        """The background whose density is that of a mixture, such as a fit to a control field.

        Parameters
        ----------
        mixture : Mixture
            Its fluxes are normalised.
        name : str
        adds_noise : bool
            Whether the mixture is without noise, as a fit with errors is.
        """
        return cls(function=mixture, name=name, adds_noise=adds_noise)

    @classmethod
    def on_grid(cls, values: np.ndarray, axes: Sequence, names: Sequence[str] = ()):
        """The background whose density is interpolated between the nodes of a grid.

        Parameters
        ----------
        values : array of D dimensions
            At least 0; they are normalised.
        axes : sequence of D arrays
            Rising coordinates of the nodes along each axis.
        names : sequence of str, optional
            The columns that the axes stand for; by default the columns in their order.

        Examples
        --------
        >>> SampleBackground.on_grid([0.0, 1.0, 1.0], [[0.0, 1.0, 2.0]])
        SampleBackground(grid, 0 to 2)
        """
        return cls(function=SampleGrid(values=values, axes=axes, names=names), name="grid")

    @classmethod
    def of(cls, given, samples):
        """The background that a word, two corners, a density or a background stands for.

        Parameters
        ----------
        given : "uniform", (low, high), Mixture, SampleGrid or SampleBackground
            "uniform" is the smallest box that holds all samples.
        samples : Samples

        Raises
        ------
        InputError
            If it is none of these, or has other dimensions than the samples.
        """
        if isinstance(given, str) and given == "uniform":
            given = np.nanmin(samples.x, axis=0), np.nanmax(samples.x, axis=0)
        if isinstance(given, Mixture):
            given = cls.of_mixture(given)
        if isinstance(given, SampleGrid):
            given = cls(function=given, name="grid")
        if not isinstance(given, cls):
            try:
                low, high = given
            except (TypeError, ValueError):
                raise InputError(
                    f"`background` = {given!r}: choose uniform, give the corners of a box, or a "
                    "density as a mixture, a model file or a grid",
                    parameter="background",
                ) from None
            given = cls(low=low, high=high)
        if isinstance(given.function, SampleGrid):
            given = given._on_columns(samples.names)
        if len(given.low) != samples.n_dimensions:
            raise InputError(
                f"the background has {counted(len(given.low), 'dimension')}, the "
                f"samples have {samples.n_dimensions}",
                parameter="background",
            )
        inside = np.isnan(samples.x) | ((samples.x >= given.low) & (samples.x <= given.high))
        if not inside.all(axis=1).any():
            raise InputError(
                f"none of the samples lies inside the background {given!r}", parameter="background"
            )
        return replace(given, amplitude=None, observed_fraction=None)

    def _on_columns(self, names):
        """The same with the axes of its grid matched to columns, and its values checked."""
        grid = self.function.on_columns(names)
        lost = [name for name in names if name not in grid.names]
        if lost:
            raise InputError(
                f"the background's grid has no axis {lost[0]}: its density must be one over all "
                f"columns {', '.join(names)}",
                parameter="background",
            )
        bad = ~(np.isfinite(grid.values) & (grid.values >= 0))
        grid.refuse_nodes(bad, "the background's density", "give numbers of at least 0")
        if not grid.values.any():
            raise InputError("the background's density is 0 everywhere", parameter="background")
        return replace(self, function=grid)

    def __repr__(self):
        shown = " x ".join(f"{a:g} to {b:g}" for a, b in zip(self.low, self.high, strict=True))
        if isinstance(self.function, Mixture):
            shown = counted(len(self.function), "component")
        fitted = "" if self.amplitude is None else f"; {self.amplitude:.6g} samples"
        return f"SampleBackground({self.name}, {shown}{fitted})"

    def density(self, x, columns=None, noise=None):
        """Density q at samples of which some columns are known, (N,).

        Parameters
        ----------
        x : (N, D) array
        columns : (d,) integers, optional
            The columns that are known; all by default. The others are integrated over.
        noise : (N, d, d) or (1, d, d) array, optional
            Noise covariances of the samples in these columns, which a background with
            `adds_noise` adds.
        """
        columns = np.arange(len(self.low)) if columns is None else np.asarray(columns)
        if len(columns) == 0:
            return np.ones(len(x))
        if isinstance(self.function, Mixture):
            terms = log_terms(self.function, x, columns, noise if self.adds_noise else None)
            return np.exp(np.logaddexp.reduce(terms, axis=1))
        if isinstance(self.function, SampleGrid):
            return self.function.marginal(columns)(x) / self.function.integral()
        known, low, high = x[:, columns], self.low[columns], self.high[columns]
        edge = _ROUNDING * (high - low)
        inside = np.all((known >= low - edge) & (known <= high + edge), axis=1)
        if self.function is None:
            return np.where(inside, 1.0 / np.prod(high - low), 0.0)
        values = np.zeros(len(x))
        values[inside] = self._of_function(x[inside], columns)
        return values

    def _of_function(self, x, columns):
        """Values of a function, which is integrated over the columns that are not known."""
        missing = np.setdiff1d(np.arange(len(self.low)), columns)
        if not len(missing):
            return self._checked(self.function(x))
        points = self._points(_FEW_POINTS)[:, missing]
        volume = np.prod(self.high[missing] - self.low[missing])
        values = np.empty(len(x))
        size = max(1, _CHUNK // len(points))
        for first in range(0, len(x), size):
            some = np.repeat(x[first : first + size], len(points), axis=0)
            some[:, missing] = np.tile(points, (len(some) // len(points), 1))
            found = self._checked(self.function(some)).reshape(-1, len(points))
            values[first : first + size] = volume * found.mean(axis=1)
        return values

    def _checked(self, values):
        if not np.all(np.isfinite(values) & (values >= 0)):
            raise InputError(
                f"background {self.name!r} has a density that is negative or not finite",
                parameter="background",
            )
        return np.asarray(values, float)

    def _points(self, log_n):
        """Quasi-random points that are uniform in the box."""
        from scipy.stats import qmc

        points = qmc.Sobol(len(self.low), seed=0).random_base2(log_n)
        return self.low + points * (self.high - self.low)

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean (D,) and covariance (D, D) of q."""
        if isinstance(self.function, Mixture):
            return moments_of(self.function)
        if self.function is None:
            return (self.low + self.high) / 2, np.diag((self.high - self.low) ** 2 / 12)
        x = self._points(_POINTS)
        parts = self.density(x)
        mean = parts @ x / parts.sum()
        return mean, np.einsum("n,ni,nj->ij", parts / parts.sum(), x - mean, x - mean)

    def expected(self, completeness=None, noise=None) -> float:
        """Fraction of the background's samples that a completeness lets through.

        Parameters
        ----------
        completeness : SampleCompleteness, optional
            None: everything is recorded.
        noise : (D, D) array or callable, optional
            Noise of samples that nobody saw, which a background with `adds_noise` adds: its
            covariance, or a function from (N, D) values to (N, D, D) covariances.
        """
        if completeness is None:
            return 1.0
        if isinstance(self.function, Mixture):
            added = noise if self.adds_noise else None
            return float(completeness(quasi_random(self.function, _POINTS, added)).mean())
        x = self._points(_POINTS)
        values = completeness(x)
        if self.function is None:
            return float(values.mean())
        densities = self.density(x)
        return float(values @ densities / densities.sum())

    def recorded_part(self, completeness=None, noise=None) -> float:
        """The observed fraction that was fitted, or else what `expected` gives."""
        fitted = self.observed_fraction
        return self.expected(completeness, noise) if fitted is None else fitted
