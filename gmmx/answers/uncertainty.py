"""Images of the deconvolved signal with its uncertainty over the draws of a fit.

Every image is a function of one parameter set, and its error is the spread of that function over
the draws. The images of the draws are made for some rows at a time, so that no more than a few
million values are in memory. A draw is drawn by `PixelMeans`, whose error is at most 1.3e-4 of the
peak of a component: a pixel scatters by much more over the draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._kernels.quantiles import interval_ends
from ..model.components import Components
from ..model.drawing import PixelMeans
from ..model.field import Field
from ..model.interval import INSIDE, ends
from ..model.mixture import Mixture
from .errors import draws_of
from .pixels import photons_in_pixels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..model.posterior import Draws
    from ..model.result import FitResult
    from ..plane.grid import PixelGrid

# Values of all draws that are in memory at a time: 64 MB.
_VALUES = 8_000_000
# Draws below which there is nothing to gain from a kernel.
_FEW = 8
# Covariance of a point source before it is smoothed [arcsec**2].
_POINT = 1e-12


@dataclass(frozen=True, eq=False, repr=False)
class Spread:
    """The interval of 68 % of a signal over the draws, in each pixel [photon].

    Attributes
    ----------
    lower, upper : (ny, nx) arrays
    """

    lower: np.ndarray
    upper: np.ndarray

    def __repr__(self):
        ny, nx = self.lower.shape
        return f"Spread({nx} x {ny} pixels)"

    @property
    def error(self) -> np.ndarray:
        """Half the width of the interval."""
        return (self.upper - self.lower) / 2


def signal_photons(
    result: FitResult,
    grid: PixelGrid,
    *,
    with_points: bool = False,
    estimate: str = "best",
    at: float | None = None,
    draws: Draws | None = None,
) -> np.ndarray:
    """The deconvolved signal, (ny, nx) [photon at the reference exposure].

    Parameters
    ----------
    result : FitResult
    grid : PixelGrid
    with_points : bool
        Whether it contains the point sources, each in the pixel of its position.
    estimate : {"best", "mean"}
        The best fit, or the mean over the draws.
    at : float, optional
        Standard deviation of the Gaussian that the signal is smoothed with [arcsec].
    draws : Draws, optional
        Those of the mean; by default those of the result, see `draws_of`.

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> grid = gmmx.PixelGrid.covering((-30, 30), (-30, 30), 2.0)
    >>> sharp, smooth = (signal_photons(result, grid, at=at) for at in (None, 5.0))
    >>> bool(smooth.max() < 0.6 * sharp.max())
    True
    """
    if estimate == "best":
        extended, points = result.extended, result.point_sources
        signal = photons_in_pixels(Components(smoothed(extended, at), None, Field(None)), grid)
    else:
        draws = draws_of(result) if draws is None else draws
        extended = smoothed(_mean([draws.mixture(i, result.points) for i in range(len(draws))]), at)
        points = _mean(_points_of(draws, result.points))
        signal = PixelMeans.of([extended], grid).rows(0, grid.shape[0])[0] * grid.cell_area
    if not with_points:
        return signal
    if at is None:
        x, y = points.means.T
        return signal + grid.histogram(x, y, points.fluxes)
    sources = Components(smoothed(_sizeless(points), at), None, Field(None))
    return signal + photons_in_pixels(sources, grid)


def spread_of_signal(
    result: FitResult,
    grid: PixelGrid,
    *,
    with_points: bool = False,
    at: float | None = None,
    draws: Draws | None = None,
) -> Spread:
    """The interval of 68 % of the deconvolved signal in each pixel.

    Parameters
    ----------
    result : FitResult
    grid : PixelGrid
    with_points : bool
        Whether the signal contains the point sources.
    at : float, optional
        Standard deviation of the Gaussian that the signal is smoothed with [arcsec].
    draws : Draws, optional
        By default those of the result; see `draws_of`.

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> spread_of_signal(result, gmmx.PixelGrid.covering((-30, 30), (-30, 30), 2.0))
    Spread(30 x 30 pixels)
    """
    draws = draws_of(result) if draws is None else draws
    mixtures = [draws.mixture(i, result.points) for i in range(len(draws))]
    points = _points_of(draws, result.points) if with_points else [Mixture.empty()] * len(draws)
    if at is not None:
        mixtures = [_joined(one, _sizeless(its)) for one, its in zip(mixtures, points, strict=True)]
        points = [Mixture.empty()] * len(draws)
    means = PixelMeans.of([smoothed(one, at) for one in mixtures], grid)
    sharp = _PointPixels.of(points, grid)
    lower, upper = np.empty(grid.shape), np.empty(grid.shape)
    rows = max(1, _VALUES // (len(draws) * grid.shape[1]))
    for first in range(0, grid.shape[0], rows):
        last = min(first + rows, grid.shape[0])
        drawn = means.rows(first, last)
        sharp.add_to(drawn, first, last)
        lower[first:last], upper[first:last] = _ends(drawn)
    return Spread(lower * grid.cell_area, upper * grid.cell_area)


def _ends(drawn):
    """The ends of the interval of 68 % in each pixel, as `gmmx.model.interval.ends` gives them."""
    if len(drawn) < _FEW:
        return ends(drawn)
    columns = drawn.reshape(len(drawn), -1)
    lower, upper = np.empty(columns.shape[1]), np.empty(columns.shape[1])
    interval_ends(columns, (1 - INSIDE[0]) / 2, lower, upper)
    return lower.reshape(drawn.shape[1:]), upper.reshape(drawn.shape[1:])


def smoothed(mixture: Mixture, at: float | None) -> Mixture:
    """A mixture, smoothed with a round Gaussian of a standard deviation [arcsec].

    Examples
    --------
    >>> star = Mixture(fluxes=[8.0], means=[[0.0, 0.0]], covariances=[9 * np.eye(2)])
    >>> smoothed(star, 4.0).covariances
    array([[[25.,  0.],
            [ 0., 25.]]])
    """
    if at is None or len(mixture) == 0:
        return mixture
    return Mixture(
        fluxes=mixture.fluxes,
        means=mixture.means,
        covariances=mixture.covariances + at**2 * np.eye(2),
    )


def _mean(mixtures: Sequence[Mixture]) -> Mixture:
    """The mixture whose density is the mean of those of several mixtures."""
    return Mixture(
        fluxes=np.concatenate([one.fluxes for one in mixtures]) / len(mixtures),
        means=np.concatenate([one.means for one in mixtures]),
        covariances=np.concatenate([one.covariances for one in mixtures]),
    )


def _points_of(draws, points):
    """The point sources of each draw."""
    k = draws.fluxes.shape[1]
    others = np.ones(k, bool)
    others[: len(points)] = ~points
    return [draws.mixture(i, others) for i in range(len(draws))]


@dataclass(frozen=True, eq=False)
class _PointPixels:
    """Point sources of all draws in the pixels that hold them.

    Attributes
    ----------
    draw, iy, ix : (P,) integer arrays
    brightness : (P,) array
        [photon / arcsec**2]
    """

    draw: np.ndarray
    iy: np.ndarray
    ix: np.ndarray
    brightness: np.ndarray

    @classmethod
    def of(cls, points, grid):
        """Find the pixels of the point sources of each draw."""
        x, y = np.concatenate([one.means for one in points]).T
        ix, iy, inside = grid.locate(x, y)
        draw = np.repeat(np.arange(len(points)), [len(one) for one in points])
        brightness = np.concatenate([one.fluxes for one in points]) / grid.cell_area
        return cls(draw[inside], iy[inside], ix[inside], brightness[inside])

    def add_to(self, images, first, last):
        """Add the points to the rows from `first` up to `last` of all draws, in place."""
        here = (self.iy >= first) & (self.iy < last)
        place = self.draw[here], self.iy[here] - first, self.ix[here]
        np.add.at(images, place, self.brightness[here])


def _joined(one, other):
    return Mixture(
        fluxes=np.concatenate([one.fluxes, other.fluxes]),
        means=np.concatenate([one.means, other.means]),
        covariances=np.concatenate([one.covariances, other.covariances]),
    )


def _sizeless(points):
    """Point sources as Gaussians that are much narrower than any smoothing."""
    return Mixture(
        fluxes=points.fluxes,
        means=points.means,
        covariances=np.tile(_POINT * np.eye(2), (len(points), 1, 1)),
    )
