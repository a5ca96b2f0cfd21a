"""The error of the signal as a picture: at the resolution of the data, on few cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..plane.grid import PixelGrid
from .beam import beam_at
from .errors import draws_of
from .uncertainty import spread_of_signal

if TYPE_CHECKING:
    from ..model.result import FitResult

# Cells along the longer side, at most, and cells in the sigma of the smoothing, at least.
_CELLS = 200
_PER_SIGMA = 1.5


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SignalError:
    """The error of the signal, half of its interval of 68 % over the draws.

    Attributes
    ----------
    grid : PixelGrid
    values : (ny, nx) array
        [photon / arcsec**2 at the reference exposure]
    sigma : float
        Of the Gaussian that the signal is smoothed with [arcsec].
    n_draws : int
    """

    grid: PixelGrid
    values: np.ndarray
    sigma: float
    n_draws: int

    def __repr__(self):
        ny, nx = self.grid.shape
        return f"SignalError({nx} x {ny} cells, smoothed by {self.sigma:.3g} arcsec)"


def error_of_signal(
    result: FitResult,
    x: tuple[float, float],
    y: tuple[float, float],
    sigma: float | None = None,
) -> SignalError:
    """The error of the signal in a part of the plane.

    Parameters
    ----------
    result : FitResult
    x, y : (float, float)
        The part of the plane [arcsec].
    sigma : float, optional
        Resolution: standard deviation of a Gaussian [arcsec]. By default the radius that holds
        39 % of the PSF, and at least one and a half cells of the picture, because the error of a
        point is dominated by what the data do not resolve.

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> error_of_signal(result, (-20, 20), (-20, 20), 2.0)
    SignalError(30 x 30 cells, smoothed by 2 arcsec)
    """
    span = max(x[1] - x[0], y[1] - y[0])
    least = _PER_SIGMA * span / _CELLS
    if sigma is None:
        beam = beam_at(result, (sum(x) / 2, sum(y) / 2))
        sigma = max(0.0 if beam is None else float(np.linalg.det(beam) ** 0.25), least)
    grid = PixelGrid.covering(x, y, max(sigma / _PER_SIGMA, span / _CELLS))
    draws = draws_of(result)
    spread = spread_of_signal(result, grid, at=sigma, draws=draws)
    values = spread.error / grid.cell_area
    return SignalError(grid=grid, values=values, sigma=sigma, n_draws=len(draws))
