"""The difference of two models of one sky, in units of its standard deviation.

The standard deviation is half of the 68 % interval over the draws. Where both models were fitted to
the same photons the draws are paired, draw by draw: those of one bootstrap, or else those of
`with_paired_draws`. What the photons do to both models cancels then. Otherwise the errors of both
models are added in quadrature. For models that share some of their photons, whose errors are
correlated, that makes the difference look less significant than it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..model.drawing import PixelMeans
from ..model.interval import Interval, ends
from .one_sky import OneSky
from .pairing import INDEPENDENT, PAIRED, SAME_PHOTONS, SHARED_PHOTONS, check_pair, pairing_of
from .rings import Rings
from .same_photons import with_paired_draws

if TYPE_CHECKING:
    from ..model.result import FitResult
    from ..plane.grid import PixelGrid

__all__ = [
    "INDEPENDENT",
    "PAIRED",
    "SAME_PHOTONS",
    "SHARED_PHOTONS",
    "Difference",
    "difference",
    "pairing_of",
]

# Values of all draws of both models that are in memory at a time: 64 MB.
_VALUES = 8_000_000
# Rings of the profile, and the radius of the innermost as a part of the outermost.
_RINGS, _INNERMOST = 24, 1 / 100


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Difference:
    """Two models on one grid, and their difference.

    Attributes
    ----------
    sky : OneSky
        The models, the grid and the unit.
    first, second : (ny, nx) arrays
        Deconvolved signal of each model [`sky.unit`].
    errors : (2, ny, nx) array
        Half of the 68 % interval of each signal over its draws.
    error : (ny, nx) array
        Standard deviation of `first` - `second`.
    pairing : str
        How `error` was made: `PAIRED`, `SAME_PHOTONS`, `SHARED_PHOTONS` or `INDEPENDENT`.
    rings : Rings
        About the brightest emission of the first model on the grid.
    profiles : (Interval, Interval)
        Mean brightness of each model in the rings [`sky.unit`].
    profile_difference : Interval
        `first` - `second` in the rings.
    """

    sky: OneSky
    first: np.ndarray
    second: np.ndarray
    errors: np.ndarray
    error: np.ndarray
    pairing: str
    rings: Rings
    profiles: tuple[Interval, Interval]
    profile_difference: Interval

    def __repr__(self):
        return f"Difference({self.grid!r}: largest {self.largest():.2g} sigma, {self.pairing})"

    @property
    def grid(self) -> PixelGrid:
        """The pixels, in the tangent plane of the first model."""
        return self.sky.grid

    @property
    def value(self) -> np.ndarray:
        """`first` - `second`, (ny, nx)."""
        return self.first - self.second

    def significance(self, floor: float = 0.0) -> np.ndarray:
        """The difference in units of its standard deviation, (ny, nx).

        Parameters
        ----------
        floor : float
            Where both models are fainter than this, or not both were observed, it is NaN: the
            faint wings of Gaussians differ by many of their tiny errors.
        """
        bright = np.maximum(self.first, self.second) > floor
        shown = bright & self.sky.seen & (self.error > 0)
        return np.divide(self.value, self.error, out=np.full_like(self.error, np.nan), where=shown)

    def largest(self, floor: float | None = None) -> float:
        """The largest significance; by default where a model has 1 % of its peak. 0 if nowhere."""
        peak = max(float(self.first.max()), float(self.second.max()))
        found = np.abs(self.significance(0.01 * peak if floor is None else floor))
        return float(np.nanmax(found, initial=0.0))


def difference(first: FitResult, second: FitResult, grid: PixelGrid | None = None) -> Difference:
    """Compare the deconvolved signals of two models.

    Parameters
    ----------
    first, second : FitResult
        In any tangent planes: the second is brought into that of the first through the sky. A
        model without draws gets 200 draws from its information matrix.
    grid : PixelGrid, optional
        In the plane of the first; by default one of 350 pixels a side over the common field.

    Returns
    -------
    Difference

    Raises
    ------
    InputError
        If the units of the exposures differ, or if the fields do not overlap.

    Warns
    -----
    DataWarning
        If the bands differ.

    Examples
    --------
    >>> import gmmx
    >>> rng = np.random.default_rng(0)
    >>> photons = (gmmx.Photons(*rng.normal(0, 5, (2, n))) for n in (400, 1600))
    >>> fits = [gmmx.fit(gmmx.Observation(photons=one), n_components=1) for one in photons]
    >>> found = difference(*fits)
    >>> found.pairing
    'in quadrature'
    >>> bool(found.largest() > 5)
    True
    """
    check_pair(first, second)
    if pairing_of(first, second) == SAME_PHOTONS:
        first, second = with_paired_draws([first, second])
    sky, pairing = OneSky.of([first, second], grid), pairing_of(first, second)
    errors, error = _errors(sky, is_paired=pairing == PAIRED)
    rings = _rings_of(sky)
    (best, drawn), (other, other_drawn) = (model.profile(rings) for model in sky.models)
    profiles = Interval.over(drawn, value=best), Interval.over(other_drawn, value=other)
    return Difference(
        sky=sky,
        first=sky.brightnesses[0],
        second=sky.brightnesses[1],
        errors=errors,
        error=error,
        pairing=pairing,
        rings=rings,
        profiles=profiles,
        profile_difference=_between(profiles, drawn, other_drawn, pairing == PAIRED),
    )


def _errors(sky, *, is_paired):
    """Half of the 68 % interval of both signals, and of their difference."""
    grid, areas = sky.grid, [model.scale for model in sky.models]
    means = [PixelMeans.of(model.drawn, grid) for model in sky.models]
    errors, error = np.empty((2, *grid.shape)), np.empty(grid.shape)
    n = max(len(model.draws) for model in sky.models)
    rows = max(1, _VALUES // (2 * n * grid.shape[1]))
    for start in range(0, grid.shape[0], rows):
        part = slice(start, min(start + rows, grid.shape[0]))
        drawn = [
            one.rows(part.start, part.stop) * scale for one, scale in zip(means, areas, strict=True)
        ]
        for i in range(2):
            errors[i, part] = _half_width(drawn[i])
        error[part] = _half_width(drawn[0] - drawn[1]) if is_paired else np.hypot(*errors[:, part])
    return errors, error


def _half_width(drawn):
    lower, upper = ends(drawn)
    return (upper - lower) / 2


def _between(profiles, drawn, other, is_paired):
    """The interval of the difference in rings."""
    value = profiles[0].value - profiles[1].value
    if is_paired:
        return Interval.over(drawn - other, value=value)
    halves = {}
    for inside in ("68", "95"):
        # A low first model and a high second one make a low difference.
        ways = (("lower", "upper"), ("upper", "lower"))
        for one, two in ways:
            sign = -1 if one == "lower" else 1
            a = getattr(profiles[0], one + inside) - profiles[0].value
            b = getattr(profiles[1], two + inside) - profiles[1].value
            halves[one + inside] = value + sign * np.hypot(a, b)
    error = (halves["upper68"] - halves["lower68"]) / 2
    return Interval(value=value, error=error, **halves)


def _rings_of(sky):
    """Rings about the brightest emission of the first model, to the end of the common field."""
    grid = sky.grid
    x, y = grid.centres()
    centre = _centre(sky, x, y)
    reach = float(np.hypot(x[sky.seen] - centre[0], y[sky.seen] - centre[1]).max())
    first_edge = max(_INNERMOST * reach, grid.step / 2)
    edges = np.array([0.0, *np.geomspace(first_edge, reach, _RINGS)])
    return Rings(centre=centre, edges=edges)


def _centre(sky, x, y):
    """The centroid about the highest place that is seen, at an 80th of the picture's width."""
    # Loaded here because that takes a tenth of a second.
    from scipy.ndimage import gaussian_filter

    bright = next((one for one in sky.brightnesses if one[sky.seen].any()), sky.seen.astype(float))
    cells = max(2.0, sky.grid.shape[1] / 80)
    smooth = gaussian_filter(bright * sky.seen, cells, mode="constant")
    iy, ix = np.unravel_index(np.argmax(smooth), smooth.shape)
    near = np.hypot(x - x[iy, ix], y - y[iy, ix]) < 2 * cells * sky.grid.step
    weights = smooth * near
    return np.array([(axis * weights).sum() / weights.sum() for axis in (x, y)])
