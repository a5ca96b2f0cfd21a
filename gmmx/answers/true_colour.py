"""Three models of one sky in three bands as a picture in true colour.

The softest band is red, the hardest blue (Lupton et al. 2004, PASP 116, 133). Each band is divided
by its mean brightness over the common field, so that white is the mean colour of the field, and a
colour is a departure from it.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ..errors import DataWarning, InputError
from ..model.observation import common_band
from .one_sky import OneSky, energies_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..model.result import FitResult
    from ..plane.grid import PixelGrid

CHANNELS = ("red", "green", "blue")
# So many per cent of the pixels may be brighter than white if no stretch is given.
_SATURATED = 0.1
# Pixels along the longer side of the picture.
_CELLS = 600


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class TrueColour:
    """A picture in true colour.

    Attributes
    ----------
    sky : OneSky
        The models, softest first, and the grid.
    signals : tuple of three (ny, nx) arrays
        Deconvolved signal of each band, smoothed by `at` [`sky.unit`].
    rgb : (ny, nx, 3) array of uint8
    bands : tuple of str
        The energies of red, green and blue.
    means : (3,) array
        Brightness that each band was divided by [`sky.unit`].
    stretch, q, minimum : float
        The parameters of `astropy.visualization.make_lupton_rgb`, in units of these means.
    at : float
        Standard deviation of the Gaussian that the signals are smoothed with [arcsec].
    """

    sky: OneSky
    signals: tuple[np.ndarray, ...]
    rgb: np.ndarray
    bands: tuple[str, ...]
    means: np.ndarray
    stretch: float
    q: float
    minimum: float
    at: float

    def __repr__(self):
        named = zip(CHANNELS, self.bands, strict=True)
        return f"TrueColour({', '.join(f'{c} {band}' for c, band in named)}: {self.grid!r})"

    @property
    def grid(self) -> PixelGrid:
        """The pixels, in the tangent plane of the first model."""
        return self.sky.grid


def true_colour(
    results: Sequence[FitResult],
    *,
    stretch: float | None = None,
    q: float = 8.0,
    minimum: float = 0.0,
    at: float | None = None,
    grid: PixelGrid | None = None,
) -> TrueColour:
    """Draw the deconvolved signals of three models in true colour.

    Parameters
    ----------
    results : sequence of three FitResult
        In any tangent planes; softest first.
    stretch : float, optional
        Brightness up to which the picture is linear, in units of the mean of each band over the
        common field. By default 0.1 % of the pixels are brighter than white.
    q : float
        How strongly what is brighter is compressed.
    minimum : float
        Brightness that becomes black, in the same units.
    at : float, optional
        Standard deviation of the Gaussian that the signals are smoothed with [arcsec]; by default
        the side of a pixel, so that a point source is not a square.
    grid : PixelGrid, optional
        In the plane of the first model; by default one of 600 pixels a side over the common field.

    Returns
    -------
    TrueColour

    Raises
    ------
    InputError
        If there are not three models, or they cannot be laid over each other.

    Warns
    -----
    DataWarning
        If the bands do not rise from red to blue, or a model has no band or no signal.

    Examples
    --------
    >>> import gmmx
    >>> rng = np.random.default_rng(0)
    >>> photons = gmmx.Photons(*rng.normal(0.0, 5.0, (2, 400)))
    >>> bands = [gmmx.Pointing(band_kev=band) for band in ((0.5, 1.2), (1.2, 2.0), (2.0, 7.0))]
    >>> observations = [gmmx.Observation(photons=photons, pointing=band) for band in bands]
    >>> true_colour([gmmx.fit(one, n_components=1) for one in observations])
    TrueColour(red 0.5-1.2 keV, green 1.2-2 keV, blue 2-7 keV: PixelGrid(...))
    """
    _check_number(results)
    _check_bands(results)
    sky = OneSky.of(results, grid, cells=_CELLS)
    at = sky.grid.step if at is None else at
    return _picture(sky, tuple(energies_of(one) for one in results), stretch, q, minimum, at)


def _picture(sky, bands, stretch, q, minimum, at):
    """The picture of models on one sky."""
    signals = tuple(model.brightness(sky.grid, at=at) for model in sky.models)
    means = np.array([one[sky.seen].mean() for one in signals])
    _check_signals(means)
    unit = np.where(means > 0, means, 1.0)
    channels = [one / mean - minimum for one, mean in zip(signals, unit, strict=True)]
    stretch = _stretch(channels, sky.seen, q) if stretch is None else stretch
    rgb = _mixed(channels, stretch, q)
    return TrueColour(
        sky=sky,
        signals=signals,
        rgb=rgb,
        bands=bands,
        means=means,
        stretch=stretch,
        q=q,
        minimum=minimum,
        at=at,
    )


def _mixed(channels, stretch, q):
    """The channels as colours, (ny, nx, 3)."""
    # Imported here because it takes a fifth of a second.
    from astropy.visualization import make_lupton_rgb

    # Where nothing is bright astropy divides by zero, and then puts black.
    with np.errstate(invalid="ignore", divide="ignore"):
        return make_lupton_rgb(*(np.maximum(one, 0.0) for one in channels), stretch=stretch, Q=q)


def _stretch(channels, seen, q):
    """The stretch at which `_SATURATED` per cent of the pixels are brighter than white.

    The intensity I of the scheme is the mean of the channels, and white is where
    asinh(Q I / stretch) 0.1 / asinh(0.1 Q) = 1.
    """
    intensity = np.maximum(np.mean(channels, axis=0), 0.0)[seen]
    top = float(np.percentile(intensity, 100 - _SATURATED))
    white = float(np.sinh(10 * np.arcsinh(0.1 * q))) / q
    return top / white if top > 0 else 1.0


def _check_number(results):
    if len(results) != len(CHANNELS):
        raise InputError(
            f"a picture in true colour needs three models, softest band first, got {len(results)}",
            parameter="what",
        )


def _check_bands(results):
    """Warn if the bands are unknown, or do not rise from the first to the last."""
    bands = [common_band(one.observations) for one in results]
    names = ", ".join(energies_of(one) for one in results)
    if any(band is None for band in bands):
        warnings.warn(
            f"not every model has an energy band ({names}), so that the colours may be in the "
            "wrong order: fit each with `energy_kev`, and give the softest first",
            DataWarning,
            stacklevel=3,
        )
        return
    risen = all(a[0] <= b[0] and a[1] <= b[1] and a != b for a, b in pairwise(bands))
    if not risen:
        warnings.warn(
            f"the bands are not in the order of their energies ({names}): the first is drawn in "
            "red and the last in blue; give the softest first",
            DataWarning,
            stacklevel=3,
        )


def _check_signals(means):
    for channel, mean in zip(CHANNELS, means, strict=True):
        if not mean > 0:
            warnings.warn(
                f"the model of the {channel} band has no signal in the common field, so that "
                f"there is no {channel} in the picture",
                DataWarning,
                stacklevel=3,
            )
