"""Images of a fit: the deconvolved sky, the sky as the PSF blurs it, background, expectation.

Every image holds means over pixels, on any pixel grid. In a joint fit counts, backgrounds and
completenesses are sums over the observations. The expected and recorded counts of each observation
stand beside the sums, because an error in the pointing or background of one may hide in a sum.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from ..config import RenderConfig
from ..errors import InputError
from ..model.density import Components, PointComponents, background_terms
from ..model.field import Field
from ..model.flux_notes import exposure_in_words
from ..plane.grid import PixelGrid, SkyImage
from .canvas import output_grid
from .residuals import poisson_residual

if TYPE_CHECKING:
    from ..model.result import FitResult

# Unit of signal and background for each choice of `units`.
UNITS = {"counts": "photon/pixel", "flux": "photon/cm**2/s/pixel", "sb": "photon/cm**2/s/arcsec**2"}


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
        Background of the whole field, as if there were no mask: ``sum_b B_b q_b``
        [the chosen units].
    completeness : SkyImage
        Omega, with the masks, from 0 to 1.
    expected : SkyImage
        Expected counts, ``(Omega (signal_psf + points) + sum_b B_b q_b) area`` [count].
    counts : SkyImage
        Recorded photons [count].
    residual : SkyImage
        Signed square root of the Poisson deviance, `poisson_residual`.
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
    points: SkyImage | None = None
    each: tuple[ObservationImages, ...] = ()

    def __repr__(self):
        return _listed(self, self.as_dict())

    def as_dict(self) -> dict[str, SkyImage]:
        """The images by the names of their extensions in files.

        The names are "SIGNAL" to "RESIDUAL", "POINTS" if there are point sources, and in a joint
        fit "EXPECTED_1", "COUNTS_1", "RESIDUAL_1", "EXPECTED_2" and so on for each observation.
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
) -> RenderedImages:
    """Draw all images of a fit.

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
    scale = _scale(result, units, grid.cell_area)
    signal = Components(result.extended, None, Field(None)).everywhere(grid)
    total, each = _Layers.none(grid), []
    for observation in result.observations:
        layers = _layers(result, observation, grid, signal)
        each.append((layers.expected * grid.cell_area, _counts(observation.photons, grid)))
        total = total + layers
    expected, counts = (sum(images) for images in zip(*each, strict=True))
    drawn = _drawn(result, total, len(each), signal, with_points)
    values = {name: (image * scale, UNITS[units]) for name, image in drawn.items()}
    values["completeness"] = (np.minimum(total.completeness, 1.0), "")
    return RenderedImages(
        **_images(values, grid, result.frame),
        **_compared(expected, counts, grid, result.frame),
        each=tuple(
            ObservationImages(**_compared(*images, grid, result.frame))
            for images in (each if len(each) > 1 else [])
        ),
    )


def _drawn(result, total, n, signal, with_points):
    """Signal, background and point sources by name [photon / arcsec**2]."""
    signal_psf, points = total.mean(total.extended, n), total.mean(total.points, n)
    if with_points:
        grid, sources = total.grid, result.point_sources
        signal = signal + grid.histogram(*sources.means.T, sources.fluxes) / grid.cell_area
        signal_psf = signal_psf + points
    drawn = {"signal": signal, "signal_psf": signal_psf, "background": total.background}
    return drawn | ({"points": points} if len(result.point_sources) else {})


def _scale(result, units, cell_area):
    """Factor from photon/arcsec**2 at the reference exposure to the units asked for."""
    if units not in UNITS:
        raise InputError(f"`units` is one of {', '.join(UNITS)}, got {units!r}", parameter="units")
    if units == "counts":
        return cell_area
    if not result.has_flux_unit:
        raise InputError(
            f"`units` = {units} needs an exposure that is an area times a time, but this one has "
            f"{exposure_in_words(result)}: fit with an exposure map in cm^2 s, as CIAO fluximage "
            "writes it, or with `area` for approximate fluxes, or render with `units` = counts",
            parameter="units",
        )
    return (cell_area if units == "flux" else 1.0) / result.reference_exposure


@dataclass(frozen=True, eq=False)
class _Layers:
    """Images of one observation, or sums over several [photon / arcsec**2].

    `extended` and `points` are pairs: as the PSF blurs them, and times the completeness.
    """

    grid: PixelGrid
    completeness: np.ndarray
    extended: tuple
    points: tuple
    background: np.ndarray
    expected: np.ndarray

    @classmethod
    def none(cls, grid):
        """Layers of no observation."""
        zero = np.zeros(grid.shape)
        return cls(grid, zero, (zero, zero), (zero, zero), zero, zero)

    def __add__(self, other):
        return _Layers(
            self.grid,
            self.completeness + other.completeness,
            tuple(a + b for a, b in zip(self.extended, other.extended, strict=True)),
            tuple(a + b for a, b in zip(self.points, other.points, strict=True)),
            self.background + other.background,
            self.expected + other.expected,
        )

    def mean(self, pair, n):
        """Mean over n observations, weighted with the completeness, plain where that is 0."""
        plain, seen = pair
        covered = self.completeness > 0
        return np.where(covered, seen / np.where(covered, self.completeness, 1.0), plain / n)


def _layers(result, observation, grid, signal):
    """The layers of one observation. `signal` are the extended components without any PSF."""
    field = Field(observation.completeness, result.reference_exposure)
    maps = field.maps_on(grid)
    if observation.psf is not None:
        signal = Components(result.extended, observation.psf, field).everywhere(grid)
    sources = PointComponents(result.point_sources, observation.psf, field).everywhere(grid)
    pairs = [(view, maps.omega * view) for view in (signal, sources)]
    background, expected = np.zeros(grid.shape), pairs[0][1] + pairs[1][1]
    for term in background_terms(observation, result.reference_exposure):
        background += term.amplitude * term.on(maps, masked=False)
        expected = expected + term.amplitude * term.on(maps)
    return _Layers(grid, maps.omega, *pairs, background, expected)


def _counts(photons, grid):
    """Photons in each pixel, (ny, nx)."""
    return grid.histogram(photons.x, photons.y, photons.weights, side=photons.pixel)


def _compared(expected, counts, grid, frame):
    """Expected counts, recorded counts and their residual as images, by name."""
    values = {
        "expected": (expected, "count"),
        "counts": (counts, "count"),
        "residual": (poisson_residual(counts, expected), ""),
    }
    return _images(values, grid, frame)


def _images(values, grid, frame):
    return {
        name: SkyImage(grid=grid, values=array, unit=unit, frame=frame)
        for name, (array, unit) in values.items()
    }
