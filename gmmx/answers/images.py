"""Images of a fit: the deconvolved sky, the sky as the PSF blurs it, background, expectation.

Every image holds sums or means over pixels, on any pixel grid; expected counts are sums over the
cells of the completeness map. In a joint fit counts, backgrounds and completenesses are sums over
the observations. The expected and recorded counts of each observation
stand beside the sums, because an error in the pointing or background of one may hide in a sum.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from ..config import RenderConfig
from ..plane.grid import PixelGrid, SkyImage
from .canvas import output_grid
from .captions import captions
from .layers import layers_of
from .residuals import poisson_residual
from .signal import signal_images
from .units import UNITS, scale_of

if TYPE_CHECKING:
    from ..model.result import FitResult


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class ObservationImages:
    """Expected and recorded counts of one observation of a joint fit.

    Attributes
    ----------
    expected, counts, residual : SkyImage
        As in `RenderedImages`.
    """

    expected: SkyImage
    counts: SkyImage
    residual: SkyImage

    def __repr__(self):
        return _listed(self, [f.name for f in fields(self)])


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class RenderedImages:
    """The images of one fit, all on one grid.

    Attributes
    ----------
    signal : SkyImage
        The deconvolved sky: no PSF, no gap, no background, and no point sources unless they were
        asked for [the chosen units].
    signal_psf : SkyImage
        The same, convolved with the PSF. In a joint fit it is the mean over the observations,
        weighted with their completeness; the plain mean where no observation has any
        [the chosen units].
    background : SkyImage
        In units of counts the recorded photons of all backgrounds, ``sum_b B_b q_b`` with gaps and
        masks [count]. In other units the brightness that makes them: the background of the field
        as if there were no mask, over the exposure, and 0 where nothing was exposed
        [the chosen units].
    completeness : SkyImage
        Omega, with the masks, from 0 to 1.
    expected : SkyImage
        Expected counts: the integral of ``Omega (signal_psf + points) + sum_b B_b q_b`` over each
        pixel, so that a coarse pixel holds the sum of the fine ones [count].
    counts : SkyImage
        Recorded photons [count].
    residual : SkyImage
        Signed square root of the Poisson deviance, `poisson_residual`.
    error, snr, lower, upper : SkyImage or None
        The uncertainty of the signal over the draws, if it was asked for: half the width of its
        interval of 68 %, the signal over that, and the ends of the interval.
    points : SkyImage or None
        The point sources, convolved with the PSF as in `signal_psf`; None if there are none
        [the chosen units].
    each : tuple of ObservationImages
        The images of each observation of a joint fit; empty if there is one observation.
    """

    signal: SkyImage
    signal_psf: SkyImage
    background: SkyImage
    completeness: SkyImage
    expected: SkyImage
    counts: SkyImage
    residual: SkyImage
    error: SkyImage | None = None
    snr: SkyImage | None = None
    lower: SkyImage | None = None
    upper: SkyImage | None = None
    points: SkyImage | None = None
    each: tuple[ObservationImages, ...] = ()

    def __repr__(self):
        return _listed(self, self.as_dict())

    def as_dict(self) -> dict[str, SkyImage]:
        """The images by the names of their extensions in files.

        The names are "SIGNAL" to "RESIDUAL", "ERROR" to "UPPER" if there are errors, "POINTS" if
        there are point sources, and in a joint fit "EXPECTED_1", "COUNTS_1", "RESIDUAL_1",
        "EXPECTED_2" and so on for each observation.
        """
        images = {
            f.name.upper(): getattr(self, f.name)
            for f in fields(self)
            if f.name != "each" and getattr(self, f.name) is not None
        }
        for number, its in enumerate(self.each, start=1):
            images |= {f"{f.name.upper()}_{number}": getattr(its, f.name) for f in fields(its)}
        return images


def _listed(images, names):
    pixels = repr(images.counts.grid).removeprefix("PixelGrid(").split(", x ")[0]
    return f"{type(images).__name__}({', '.join(names)}: {pixels})"


def render(
    result: FitResult,
    grid: PixelGrid | None = None,
    *,
    units: str = RenderConfig.units,
    with_points: bool = RenderConfig.points,
    estimate: str = RenderConfig.estimate,
    at: float | None = RenderConfig.at,
    errors: bool = False,
) -> RenderedImages:
    """Draw all images of a fit.

    The function is long because it makes all images in one pass over the observations.

    Parameters
    ----------
    result : FitResult
    grid : PixelGrid, optional
        Pixels to draw on; by default those of `output_grid`.
    units : {"counts", "flux", "sb"}
        Unit of signal and background: photon/pixel at the reference exposure,
        photon/cm**2/s/pixel, or photon/cm**2/s/arcsec**2.
    with_points : bool
        Whether the signal contains the point sources, each in the pixel of its position.
    estimate : {"best", "mean"}
        What the signal is: the best fit, or the mean over the draws.
    at : float, optional
        Resolution of the signal and its uncertainty: the standard deviation of the Gaussian that
        they are smoothed with [arcsec]. Without it each pixel stands for itself.
    errors : bool
        Whether the images of the uncertainty are made. A fit without draws gets 200 draws from
        its information matrix for them.

    Returns
    -------
    RenderedImages
        Each image is a `SkyImage`: an array with `unit`, `grid` and `wcs`, which ``to_ccddata()``
        turns into an astropy CCDData.

    Raises
    ------
    InputError
        For unknown units, or for a flux if the exposure is not an area times a time.

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> images = render(result, gmmx.PixelGrid.covering((-30, 30), (-30, 30), 2.0))
    >>> round(float(images.signal.values.sum())), float(images.counts.values.sum())
    (400, 400.0)
    """
    grid = output_grid(result) if grid is None else grid
    scale = scale_of(result, units, grid.cell_area)
    signals = signal_images(
        result,
        grid,
        units=units,
        with_points=with_points,
        estimate=estimate,
        at=at,
        errors=errors,
    )
    total, each = _summed(result, grid)
    n = len(each)
    values = {
        name: (photons * scale, UNITS[units])
        for name, photons in _drawn(result, total, n, with_points).items()
    }
    values["background"] = _background(total, units, scale)
    values["completeness"] = (np.minimum(total.completeness, 1.0), "")
    texts = captions(units, points="points" in values, with_points=with_points)
    compared = [_compared(one, grid, result.frame, texts) for one in each]
    if n > 1:
        both = sum(one for one, _ in each), sum(one for _, one in each)
        compared.insert(0, _compared(both, grid, result.frame, texts))
    return RenderedImages(
        **signals,
        **_images(values, grid, result.frame, texts),
        **compared[0],
        each=tuple(ObservationImages(**images) for images in compared[1:]),
    )


def _summed(result, grid):
    """The layers of all observations, and the expected and recorded counts of each."""
    each, sums = [], []
    for observation in result.observations:
        layers = layers_of(result, observation, grid)
        each.append((layers.expected, _counts(observation.photons, grid)))
        if len(result.observations) > 1:
            layers = layers.weighted()
        sums = [sums[0] + layers if sums else layers]
    return sums[0], each


def _drawn(result, total, n, with_points):
    """Blurred signal and point sources by name [photon at the reference exposure]."""
    signal_psf, points = total.mean(total.extended, n), total.mean(total.points, n)
    drawn = {"signal_psf": signal_psf + points if with_points else signal_psf}
    return drawn | ({"points": points} if len(result.point_sources) else {})


def _background(total, units, scale):
    """Background and its unit: recorded photons, or the brightness that would make them.

    A brightness is the background of the field as if there were no mask, over the exposure there,
    so that it compares with the signal. Nothing is known of it off the field.
    """
    if units == "counts":
        return total.background, "count"
    exposed = total.unmasked > 0
    ratio = total.behind_masks / np.where(exposed, total.unmasked, 1.0)
    return np.where(exposed, ratio, 0.0) * scale, UNITS[units]


def _counts(photons, grid):
    """Photons in each pixel, (ny, nx)."""
    return grid.histogram(photons.x, photons.y, photons.weights, side=photons.pixel)


def _compared(pair, grid, frame, texts):
    """Expected counts, recorded counts and their residual as images, by name."""
    expected, counts = pair
    values = {
        "expected": (expected, "count"),
        "counts": (counts, "count"),
        "residual": (poisson_residual(counts, expected), ""),
    }
    return _images(values, grid, frame, texts)


def _images(values, grid, frame, texts):
    return {
        name: SkyImage(grid=grid, values=array, unit=unit, frame=frame, comments=texts[name])
        for name, (array, unit) in values.items()
    }
