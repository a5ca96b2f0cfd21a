"""A fit's pictures: the deconvolved sky, the sky as the telescope blurs it, the background, what was expected and what came.

Everything is the mean over a pixel times the pixel's area, on whatever grid is asked for. With several observations, counts, backgrounds and completenesses are
sums over them; what was expected of each, and what came, is beside the sums: one that errs, in its pointing or in its background, may hide in them.
"""

import re
from dataclasses import dataclass, fields

import numpy as np

from ..errors import InputError
from ..model.density import Components, PointSources, background_terms
from ..model.drawing import pixel_means
from ..model.field import Field
from ..plane.grid import PixelGrid, SkyImage

# More than this is a mistyped pixel size, and more than most machines can hold.
MAX_PIXELS = 50_000_000
UNITS = {"counts": "photon/pixel", "flux": "photon/cm**2/s/pixel", "sb": "photon/cm**2/s/arcsec**2"}


@dataclass(frozen=True, eq=False, kw_only=True)
class ObservationImages:
    """What one of several observations was expected to record, and did: `expected`, `counts` and `residual` as in `RenderedImages`."""

    expected: SkyImage
    counts: SkyImage
    residual: SkyImage


@dataclass(frozen=True, eq=False, kw_only=True)
class RenderedImages:
    """The pictures of one fit, all on one grid.

    Attributes
    ----------
    signal : SkyImage
        The sky as it is: no blur, no gap, no background, and no point sources unless asked for [unit asked for].
    signal_psf : SkyImage
        The same, blurred; in a joint fit the mean over observations, weighted with their completeness, plain where none sees the sky.
    points : SkyImage or None
        The point sources, blurred likewise [unit asked for]; None where there are none.
    background : SkyImage
        Background over the whole field, masks filled: ``sum_b B_b q_b`` with q_b from unmasked maps [unit asked for].
    completeness : SkyImage
        Omega, mask included, from 0 to 1.
    expected : SkyImage
        Expected photons in each pixel, ``(Omega (signal_psf + points) + sum_b B_b q_b) area`` [count].
    counts : SkyImage
        Photons in each pixel [count].
    residual : SkyImage
        Signed square root of the Poisson deviance, ``sign(d - m) sqrt(2 (d log(d / m) - d + m))``; 0 where nothing is expected.
    each : tuple of ObservationImages
        Of each observation by itself, in a joint fit; empty where there is one observation.
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

    @classmethod
    def names(cls):
        """What images there may be, but for those of single observations."""
        return [f.name for f in fields(cls) if f.name != "each"]

    def named(self):
        """The images by the names they have in files.

        A dict from "SIGNAL" to "RESIDUAL", "POINTS" where there are point sources, and in a joint fit "EXPECTED_1", "COUNTS_1", "RESIDUAL_1", "EXPECTED_2" and
        so on, counting observations from 1.
        """
        images = {
            name.upper(): getattr(self, name)
            for name in self.names()
            if getattr(self, name) is not None
        }
        for i, its in enumerate(self.each, start=1):
            images |= {f"{f.name.upper()}_{i}": getattr(its, f.name) for f in fields(its)}
        return images


def number_of(name):
    """Which observation an image's name speaks of, counted from 0: 1 for "RESIDUAL_2"; None for one of them all."""
    found = re.search(r"_([1-9]\d*)$", name)
    return int(found[1]) - 1 if found else None


def output_grid(result, *, bin=None):
    """The grid that a fit is drawn on when none is given.

    It is the first observation's completeness grid, extended by whole pixels until it covers the maps of all observations. Without maps it is the square pixels
    of 1 arcsec that cover the photons.

    Parameters
    ----------
    result : FitResult
    bin : float, optional
        Square pixels of this size [arcsec] instead, over the same extent.

    Raises
    ------
    InputError
        When nothing says what to draw, or it would take more than 50 million pixels.
    """
    if bin is not None and not (np.isfinite(bin) and bin > 0):
        raise InputError(f"a pixel size must be positive, got {bin:g} arcsec")
    first = result.observations[0].completeness
    if first is None:
        x, y = (
            np.concatenate([getattr(o.photons, axis) for o in result.observations]) for axis in "xy"
        )
        if len(x) == 0:
            raise InputError(
                "no photons and no exposure map: nothing says what to draw, give a grid"
            )
        return _drawable((x.min(), x.max()), (y.min(), y.max()), 1.0 if bin is None else bin)
    grid, (ny, nx) = first.grid, first.grid.shape
    corners = []
    for other in (o.completeness.grid for o in result.observations if o.completeness is not None):
        sy, sx = other.shape
        corners.append(
            grid.to_pixels(
                *other.to_plane([-0.5, sx - 0.5, -0.5, sx - 0.5], [-0.5, -0.5, sy - 0.5, sy - 0.5])
            )
        )
    ix, iy = np.concatenate(corners, axis=1)
    # Hundredths of a pixel beyond an edge are rounding, not field.
    left, low = (int(np.floor(min(index.min() + 0.5, 0) + 0.01)) for index in (ix, iy))
    right, high = (
        int(np.ceil(max(index.max() + 0.5, n) - 0.01)) for index, n in ((ix, nx), (iy, ny))
    )
    grid = PixelGrid(
        shape=(high - low, right - left), origin=grid.to_plane(left, low), matrix=grid.matrix
    )
    return _drawable(
        *grid.extent(), bin if bin is not None else grid.step, None if bin is not None else grid
    )


def _drawable(x_range, y_range, step, grid=None):
    """A grid, or the one of square pixels that covers two intervals, after making sure that it is not absurdly large."""
    n = np.ptp(x_range) / step * np.ptp(y_range) / step
    if n > MAX_PIXELS:
        size = f"{np.ptp(x_range):.0f} x {np.ptp(y_range):.0f} arcsec in pixels of {step:g} arcsec"
        raise InputError(
            f"an image of {size} would have {n:.3g} pixels, more than {MAX_PIXELS:.0g}: choose larger pixels"
        )
    return PixelGrid.covering(x_range, y_range, step) if grid is None else grid


def poisson_residual(counts, expected):
    """Signed square root of the Poisson deviance, ``sign(d - m) sqrt(2 (d log(d / m) - d + m))``; 0 where m is 0."""
    seen = expected > 0
    m = np.where(seen, expected, 1.0)
    d = np.where(seen, counts, 1.0)
    deviance = 2 * (np.where(d > 0, d * np.log(np.where(d > 0, d, 1.0) / m), 0.0) - (d - m))
    return np.where(seen, np.sign(d - m) * np.sqrt(np.maximum(deviance, 0.0)), 0.0)


def render_images(result, grid=None, *, units="counts", with_points=False):
    """All pictures of a fit.

    Parameters
    ----------
    result : FitResult
    grid : PixelGrid, optional
        Where to draw; `output_grid` of the result when not given.
    units : {"counts", "flux", "sb"}
        Of signal and background: photons per pixel at the reference exposure, photon / cm**2 / s per pixel, or photon / cm**2 / s / arcsec**2.

    with_points : bool
        Whether the signal has the point sources in it, each in the pixel where it is.

    Returns
    -------
    RenderedImages

    Raises
    ------
    InputError
        For unknown units, and for a flux where the exposure has no area and time.
    """
    if units not in UNITS:
        raise InputError(f"units are one of {', '.join(UNITS)}, got {units!r}")
    if units != "counts" and result.exposure_unit != "cm**2 s":
        unit = result.exposure_unit or "none"
        way_out = "fit with an exposure map in cm**2 s, or draw with --units counts"
        raise InputError(
            f"--units {units}: the exposure has no area and time (its unit is {unit}): {way_out}"
        )
    grid = output_grid(result) if grid is None else grid
    area = grid.cell_area
    scale = {
        "counts": area,
        "flux": area / result.reference_exposure,
        "sb": 1 / result.reference_exposure,
    }[units]

    mixture, point_sources = result.extended, result.point_sources
    signal = pixel_means(mixture.fluxes, mixture.means, mixture.covariances, grid)
    completeness, background = np.zeros(grid.shape), np.zeros(grid.shape)
    extended, points, each = _Blurred(grid), _Blurred(grid), []
    for observation in result.observations:
        field = Field(observation.completeness, result.reference_exposure)
        maps = field.maps_on(grid)
        completeness += maps.omega
        view = Components(mixture, observation.psf, field).everywhere(grid)
        expected = extended.add(view, maps.omega)
        if len(point_sources):
            view = PointSources(point_sources, observation.psf, field).everywhere(grid)
            expected = expected + points.add(view, maps.omega)
        for term in background_terms(observation, result.reference_exposure):
            background += term.amplitude * term.on(maps, masked=False)
            expected = expected + term.amplitude * term.on(maps)
        photons = observation.photons
        each.append(
            (
                expected * area,
                grid.histogram(photons.x, photons.y, photons.weights, side=photons.pixel),
            )
        )
    expected, counts = (sum(images) for images in zip(*each, strict=True))
    blurry, spots = (part.mean(completeness) for part in (extended, points))
    if with_points:
        signal = signal + grid.histogram(*point_sources.means.T, point_sources.fluxes) / area
        blurry = blurry + spots
    own = [_compared(grid, *images) for images in each] if len(each) > 1 else []
    values = {
        "signal": (signal * scale, UNITS[units]),
        "signal_psf": (blurry * scale, UNITS[units]),
        "background": (background * scale, UNITS[units]),
        "completeness": (np.minimum(completeness, 1.0), ""),
    }
    if len(point_sources):
        values["points"] = (spots * scale, UNITS[units])
    images = {
        name: SkyImage(grid=grid, values=array, unit=unit) for name, (array, unit) in values.items()
    }
    return RenderedImages(
        **images,
        **_compared(grid, expected, counts),
        each=tuple(ObservationImages(**its) for its in own),
    )


def _compared(grid, expected, counts):
    """What was expected, what came, and the residual, by name."""
    values = {
        "expected": (expected, "count"),
        "counts": (counts, "count"),
        "residual": (poisson_residual(counts, expected), ""),
    }
    return {
        name: SkyImage(grid=grid, values=array, unit=unit) for name, (array, unit) in values.items()
    }


class _Blurred:
    """Blurred images of several observations on their way into one."""

    def __init__(self, grid):
        self.seen, self.plain, self.count = np.zeros(grid.shape), np.zeros(grid.shape), 0

    def add(self, view, omega):
        """Take in an observation's view; what it sees of it."""
        seen = omega * view
        self.seen += seen
        self.plain += view
        self.count += 1
        return seen

    def mean(self, completeness):
        """Weighted with the completeness, plain where no observation sees the sky."""
        return np.where(
            completeness > 0,
            self.seen / np.where(completeness > 0, completeness, 1.0),
            self.plain / max(self.count, 1),
        )
