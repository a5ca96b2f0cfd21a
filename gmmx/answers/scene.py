"""The numbers behind the figures: the visible part of the sky, smoothed photons, residual blocks.

Residual blocks and profile sum photons and model over the same cells, so that a cell that is cut
by an edge of the field counts alike in both.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..model.density import background_terms
from ..model.field import Field
from .blocks import ResidualBlocks, adaptive_blocks, uniform_blocks
from .canvas import display_grid, seen_ranges
from .images import RenderedImages, render
from .pixels import means_in_pixels
from .profile import RadialProfile, radial_profile
from .uncertainty import signal_photons

if TYPE_CHECKING:
    from ..model.result import FitResult

# Below this completeness an image of the sky shows the model alone.
SCARCE = 0.05
# Below this completeness a cell has no residual.
_CLOSED = 0.02
# Residual blocks across the image, at most.
_BLOCKS = 250


class Scene:
    """A fit, drawn once on the cells that all panels of a figure share.

    Parameters
    ----------
    result : FitResult
    x, y : (float, float), optional
        The part of the plane that is shown [arcsec]. By default everything that was recorded,
        with a margin, and no side more than 1.35 times as long as the other, because the panels
        would not fill a page.

    Attributes
    ----------
    result : FitResult
    grid : PixelGrid
        The cells of the completeness map, square groups of them, or equal parts of them.
    x, y : (float, float)
        The part of the plane that is shown [arcsec].
    bounded : bool
        Whether any observation has an exposure map, so that the field has an edge.

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> scene = Scene(gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1))
    >>> scene
    Scene(36 x 34 arcsec, drawn on 350 x 328 cells)
    >>> scene.residual_blocks().values.shape
    (328, 350)
    """

    def __init__(
        self,
        result: FitResult,
        x: tuple[float, float] | None = None,
        y: tuple[float, float] | None = None,
    ):
        self.result = result
        self.bounded = any(o.completeness is not None for o in result.observations)
        if x is None or y is None:
            (x0, x1), (y0, y1) = seen_ranges(result)
            x, y = _widened(x0, x1, (y1 - y0) / 1.35), _widened(y0, y1, (x1 - x0) / 1.35)
        self.x, self.y = x, y
        self.grid = display_grid(result, self.x, self.y)

    def __repr__(self):
        ny, nx = self.grid.shape
        return f"Scene({self.width:.0f} x {self.height:.0f} arcsec, drawn on {nx} x {ny} cells)"

    @property
    def width(self) -> float:
        """Extent along x [arcsec]."""
        return self.x[1] - self.x[0]

    @property
    def height(self) -> float:
        """Extent along y [arcsec]."""
        return self.y[1] - self.y[0]

    @cached_property
    def images(self) -> RenderedImages:
        """All images, in units of counts."""
        return render(self.result, self.grid)

    @cached_property
    def counts(self) -> np.ndarray:
        """Recorded photons of all observations, (ny, nx) [photon]."""
        total = np.zeros(self.grid.shape)
        for photons in (o.photons for o in self.result.observations):
            total += self.grid.histogram(photons.x, photons.y, photons.weights, side=photons.pixel)
        return total

    @cached_property
    def completeness(self) -> np.ndarray:
        """Completeness of all observations together, with the masks, (ny, nx), from 0 to 1."""
        total = np.zeros(self.grid.shape)
        for observation in self.result.observations:
            field = Field(observation.completeness, self.result.reference_exposure)
            if field.completeness is None:
                total += 1.0
                continue
            own = field.own_maps()
            total += means_in_pixels([own.omega], own.grid, self.grid)[0]
        return np.minimum(total, 1.0)

    @cached_property
    def signal(self) -> np.ndarray:
        """Surface brightness of the deconvolved signal, (ny, nx) [photon / arcsec**2]."""
        if "images" in self.__dict__:
            return self.images.signal.values / self.grid.cell_area
        return signal_photons(self.result, self.grid) / self.grid.cell_area

    @cached_property
    def whole(self) -> np.ndarray:
        """Surface brightness of signal, point sources and background as the PSF blurs them.

        It is that of a telescope which records every photon, (ny, nx) [photon / arcsec**2].
        """
        points = 0.0 if self.images.points is None else self.images.points.values
        return (self.images.signal_psf.values + points) / self.grid.cell_area + self.background

    @cached_property
    def background(self) -> np.ndarray:
        """Background where every photon is recorded, (ny, nx) [photon / arcsec**2].

        In a joint fit it is the mean over the observations, weighted with the largest
        completeness of each.
        """
        total, weight = np.zeros(self.grid.shape), 0.0
        for observation in self.result.observations:
            completeness = observation.completeness
            peak = (
                1.0
                if completeness is None
                else completeness.effective.max() / self.result.reference_exposure
            )
            weight += peak
            for term in background_terms(observation, self.result.reference_exposure):
                total = total + term.amplitude * term.filled(*self.grid.centres(), peak)
        return total / max(weight, 1e-300)

    @cached_property
    def smoothed(self) -> tuple[np.ndarray, float]:
        """Smoothed photons (ny, nx) [photon / arcsec**2], and sigma of the kernel [arcsec].

        The kernel covers some six photons in the mean field; its sigma is at least one cell and
        at most a fortieth of the image.
        """
        counts, seen = self.counts, self.completeness > 0
        density = counts.sum() / max(seen.sum(), 1)
        # The effective area of the kernel is 4 pi sigma**2 cells.
        kernel = np.clip(
            np.sqrt(6 / (4 * np.pi * max(density, 1e-12))), 1.0, max(1.0, min(self.grid.shape) / 40)
        )
        sigma = float(kernel * self.grid.step)
        return self.smoothed_by(sigma), sigma

    def smoothed_by(self, sigma: float) -> np.ndarray:
        """Photons, smoothed with a Gaussian of sigma [arcsec], (ny, nx) [photon / arcsec**2]."""
        # Loaded here because that takes a tenth of a second.
        from scipy.ndimage import gaussian_filter

        smooth = gaussian_filter(self.counts, sigma / self.grid.step, mode="constant")
        return smooth / self.grid.cell_area

    def brightness_limits(self) -> tuple[float, float]:
        """Both ends of the scale that photons, scene and signal share [photon / arcsec**2]."""
        smooth, _ = self.smoothed
        top = max(np.percentile(self.whole, 99.98), np.percentile(smooth, 99.95), 1e-12)
        seen = self.whole[self.completeness > SCARCE] if self.bounded else self.whole[:0]
        # The faintest level of the field is the background, or the components in its place.
        faintest = max(
            float(np.median(self.background)), float(np.percentile(seen, 5)) if len(seen) else 0.0
        )
        if faintest > 0:
            floor = faintest / 3
        else:
            lit = smooth[smooth > top / 1e3]
            floor = np.percentile(lit, 10) / 2 if len(lit) else top / 1e3
        return float(np.clip(floor, top / 1e4, top / 10)), float(top)

    def residual_blocks(self, side: float | None = None) -> ResidualBlocks:
        """Residuals in blocks that expect at least 10 photons, or in equal square blocks.

        Blocks are large enough to be distinguished in the image. A cell that is open in less than
        2 % of its area tells nothing.

        Parameters
        ----------
        side : float, optional
            Side of equal blocks [arcsec]. They may expect fewer photons.
        """
        counts, expected, omega = (
            getattr(self.images, name).values for name in ("counts", "expected", "completeness")
        )
        seen = np.where(omega > _CLOSED, expected, 0.0)
        if side is not None:
            return uniform_blocks(self.grid, counts, seen, side)
        return adaptive_blocks(self.grid, counts, seen, smallest=self.width / _BLOCKS)

    def centre(self) -> tuple[float, float]:
        """Centre of the profile [arcsec]: the centroid about the highest peak of the signal.

        Without a signal it is the mean position of the photons.
        """
        from scipy.ndimage import gaussian_filter

        x, y = self.grid.centres()
        if len(self.result.mixture) == 0:
            weights = self.counts
        else:
            seen = self.signal * (self.completeness > SCARCE)
            seen = seen if seen.any() else self.signal
            radius = max(2 * self.grid.step, self.width / 80)
            smooth = gaussian_filter(seen, radius / self.grid.step, mode="constant")
            iy, ix = np.unravel_index(np.argmax(smooth), smooth.shape)
            weights = smooth * (np.hypot(x - x[iy, ix], y - y[iy, ix]) < 2 * radius)
        cx, cy = (float((axis * weights).sum() / max(weights.sum(), 1e-300)) for axis in (x, y))
        return cx, cy

    def profile(self, centre: tuple[float, float] | None = None) -> RadialProfile:
        """Radial profile about a place [arcsec], by default about `centre`."""
        return radial_profile(self.images, self.centre() if centre is None else centre)


def _widened(low, high, least):
    """An interval, widened about its middle to at least a length."""
    spare = max(least - (high - low), 0) / 2
    return float(low - spare), float(high + spare)
