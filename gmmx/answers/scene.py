"""The numbers behind the panels: which part of the sky is shown, smoothed photons, the filled scene, residual blocks, the radial profile.

Residual and profile gather the same cells for photons and model, so that a cell cut by an edge counts alike in both.
"""

from functools import cached_property

import numpy as np
from scipy.ndimage import gaussian_filter

from ..errors import InputError
from ..model.density import background_terms
from ..model.psf import core_radius
from ..plane.grid import PixelGrid
from .images import output_grid, poisson_residual, render_images

# Completeness below which a picture of the sky is the model's word alone.
SCARCE = 0.05
_CELLS = 700
_BLOCK = 8.0
_ANNULI = 31
_LEAST_PHOTONS = 20.0


class Scene:
    """A fit rendered once on the cells that all panels share.

    Attributes
    ----------
    result : FitResult
    images : RenderedImages
    grid : PixelGrid
        Its cells are those of the completeness where these are few enough.
    x, y : (float, float)
        The part of the plane that is shown [arcsec]: what was seen, with a rim, where no other was given.
    """

    def __init__(self, result, x=None, y=None):
        self.result = result
        self.bounded = any(o.completeness is not None for o in result.observations)
        if x is None or y is None:
            (x0, x1), (y0, y1) = _seen(result)
            # Neither side more than 1.35 times the other, or six panels do not fill a page.
            x, y = _widened(x0, x1, (y1 - y0) / 1.35), _widened(y0, y1, (x1 - x0) / 1.35)
        self.x, self.y = x, y
        self.images = render_images(result, _cells(result, self.x, self.y))
        self.grid = self.images.signal.grid

    @property
    def width(self):
        return self.x[1] - self.x[0]

    @property
    def height(self):
        return self.y[1] - self.y[0]

    @cached_property
    def signal(self):
        """Surface brightness of the deconvolved signal [photon / arcsec**2]."""
        return self.images.signal.values / self.grid.cell_area

    @cached_property
    def whole(self):
        """Surface brightness of blurred signal and background where every photon is recorded [photon / arcsec**2]."""
        return (
            self.images.signal_psf.values + self._points
        ) / self.grid.cell_area + self.background

    @property
    def _points(self):
        """The point sources as blurred [photon / pixel at the reference exposure], 0 without any."""
        return 0.0 if self.images.points is None else self.images.points.values

    @cached_property
    def background(self):
        """Background where every photon is recorded, (ny, nx) [photon / arcsec**2]."""
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
    def smoothed(self):
        """Photons, smoothed so that the faint sky is more than single ones [photon / arcsec**2], and the kernel's sigma [arcsec]."""
        counts = self.images.counts.values
        seen = self.images.completeness.values > 0
        density = counts.sum() / max(seen.sum(), 1)
        # Some six photons under the kernel, 4 pi s**2 cells, in the mean field; between one cell and a fortieth of the picture.
        kernel = np.clip(
            np.sqrt(6 / (4 * np.pi * max(density, 1e-12))), 1.0, max(1.0, min(self.grid.shape) / 40)
        )
        return gaussian_filter(
            counts, kernel, mode="constant"
        ) / self.grid.cell_area, kernel * self.grid.step

    def brightness_limits(self):
        """Both ends of the scale that photons, scene and signal share [photon / arcsec**2]."""
        smooth, _ = self.smoothed
        top = max(np.percentile(self.whole, 99.98), np.percentile(smooth, 99.95), 1e-12)
        seen = (
            self.whole[self.images.completeness.values > SCARCE] if self.bounded else self.whole[:0]
        )
        # The faintest that the field shows: the background, or what took its place.
        level = max(
            float(np.median(self.background)), float(np.percentile(seen, 5)) if len(seen) else 0.0
        )
        if level > 0:
            floor = level / 3
        else:
            lit = smooth[smooth > top / 1e3]
            floor = np.percentile(lit, 10) / 2 if len(lit) else top / 1e3
        return float(np.clip(floor, top / 1e4, top / 10)), float(top)

    def residual_blocks(self):
        """Signed root of the Poisson deviance in square blocks: their grid, the values (NaN where nothing was seen), and their size [arcsec]."""
        counts, expected, omega = (
            getattr(self.images, name).values for name in ("counts", "expected", "completeness")
        )
        density = expected.sum() / max((expected > 0).sum() * self.grid.cell_area, 1e-300)
        size = _BLOCK
        # Blocks gather whole cells, expect a photon each in the mean field, and can be told apart in the picture.
        least = max(
            1.5 * self.grid.step, np.sqrt(1 / density) if density > 0 else 0.0, self.width / 250
        )
        if size < least or size > self.width / 30:
            size = min(2.0 ** np.ceil(np.log2(least)), self.width / 6)
        grid = PixelGrid.covering(self.x, self.y, size)
        x, y = (axis.ravel() for axis in self.grid.centres())
        d, m, opened = (
            grid.histogram(x, y, values.ravel()) for values in (counts, expected, omega)
        )
        # A block with a sliver of open cells says nothing.
        told = (m > 0) & (opened * self.grid.cell_area > 0.02 * grid.cell_area)
        return grid, np.where(told, poisson_residual(d, m), np.nan), size

    def centre(self):
        """Where the profile is centred [arcsec]: the centroid about the signal's highest peak, or the photons' mean where there is no signal."""
        x, y = self.grid.centres()
        if len(self.result.mixture) == 0:
            weights = self.images.counts.values
        else:
            seen = self.signal * (self.images.completeness.values > SCARCE)
            seen = seen if seen.any() else self.signal
            radius = max(2 * self.grid.step, self.width / 80)
            smooth = gaussian_filter(seen, radius / self.grid.step, mode="constant")
            iy, ix = np.unravel_index(np.argmax(smooth), smooth.shape)
            weights = smooth * (np.hypot(x - x[iy, ix], y - y[iy, ix]) < 2 * radius)
        return tuple(float((axis * weights).sum() / max(weights.sum(), 1e-300)) for axis in (x, y))

    def profile(self, centre=None):
        """Surface brightness in annuli about a place [arcsec], `self.centre()` without one, exposure taken out: a dict of (n,) arrays.

        Keys are radius, low, high [arcsec]; counts, expected [photon]; data, error, model, signal, background [photon / arcsec**2 at the reference exposure].
        Annuli are joined outwards until 20 photons are expected in each.
        """
        cx, cy = self.centre() if centre is None else centre
        x, y = self.grid.centres()
        radius = np.hypot(x - cx, y - cy)
        omega, expected = self.images.completeness.values, self.images.expected.values
        farthest = radius[omega > 0].max() if (omega > 0).any() else radius.max()
        edges = np.array(
            [
                0.0,
                *np.geomspace(
                    max(1.5 * self.grid.step, farthest / 200), farthest * 1.0001, _ANNULI
                ),
            ]
        )
        ring = np.digitize(radius.ravel(), edges) - 1
        fine = {
            "counts": self.images.counts.values,
            "expected": expected,
            "signal": np.minimum(omega * (self.images.signal_psf.values + self._points), expected),
            "exposed": omega * self.grid.cell_area,
        }
        fine = {
            name: np.bincount(ring, values.ravel(), len(edges))[: len(edges) - 1]
            for name, values in fine.items()
        }
        first = _joined(fine["expected"] * (fine["exposed"] > 0), _LEAST_PHOTONS)
        sums = {name: np.add.reduceat(values, first) for name, values in fine.items()}
        low, high = edges[first], edges[np.append(first[1:], len(edges) - 1)]
        exposed = np.maximum(sums["exposed"], 1e-300)
        return {
            "radius": np.sqrt((low**2 + high**2) / 2),
            "low": low,
            "high": high,
            "counts": sums["counts"],
            "expected": sums["expected"],
            "data": sums["counts"] / exposed,
            "error": np.sqrt(np.maximum(sums["counts"], 1.0)) / exposed,
            "model": sums["expected"] / exposed,
            "signal": sums["signal"] / exposed,
            "background": (sums["expected"] - sums["signal"]) / exposed,
        }

    def psf_radii(self):
        """Off-axis distances and the radii that hold 39 % of the blur there, two (3,) arrays [arcsec]; None without a blur.

        On axis, half way, and at the field's farthest corner of the first observation that has a blur.
        """
        observation = next((o for o in self.result.observations if o.psf is not None), None)
        if observation is None:
            return None
        cx, cy = _aim_point(observation, self)
        reach = max(np.hypot(x - cx, y - cy) for x in self.x for y in self.y)
        if observation.completeness is not None:
            x, y = observation.completeness.grid.centres()
            seen = observation.completeness.exposure > 0
            reach = np.hypot(x - cx, y - cy)[seen].max() if seen.any() else reach
        off = np.array([0.0, 0.5, 1.0]) * reach
        # Means over a circle: the blur depends on the azimuth, and three directions would be a choice.
        turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        radii = [
            core_radius(*observation.psf.at(cx + r * np.cos(turn), cy + r * np.sin(turn))).mean()
            for r in off
        ]
        return off, np.array(radii)


def _seen(result):
    """The intervals of x and y [arcsec] in which anything was seen, with a rim; those of the photons where nothing has a completeness."""
    corners = []
    for observation in result.observations:
        if observation.completeness is not None:
            grid, seen = observation.completeness.grid, observation.completeness.effective > 0
            if seen.any():
                (x0, x1), (y0, y1) = (
                    (index[0] - 0.5, index[-1] + 0.5)
                    for index in (np.flatnonzero(seen.any(axis)) for axis in (0, 1))
                )
                corners.append(grid.to_plane([x0, x1, x0, x1], [y0, y0, y1, y1]))
        elif len(observation.photons):
            corners.append((observation.photons.x, observation.photons.y))
    if not corners:
        raise InputError("no photons and no exposure: nothing says what to draw")
    ranges = [(axis.min(), axis.max()) for axis in np.concatenate(corners, axis=1)]
    rim = 0.03 * max(high - low for low, high in ranges) or 1.0
    return [(low - rim, high + rim) for low, high in ranges]


def _cells(result, x, y):
    """The grid on which a fit is drawn: the completeness' own cells, whole multiples of them where they are too many."""
    span = max(x[1] - x[0], y[1] - y[0])
    if not any(o.completeness is not None for o in result.observations):
        return PixelGrid.covering(x, y, span / 350)
    own = output_grid(result)
    if not own.is_aligned:
        return PixelGrid.covering(x, y, max(own.step, span / _CELLS))
    times = int(np.ceil(span / own.step / _CELLS))
    # Edges of the new cells are edges of the map's, so that none is cut.
    (ix0, ix1), (iy0, iy1) = (np.sort(index) for index in own.to_pixels(np.array(x), np.array(y)))
    left, low = int(np.floor(ix0 + 0.5)), int(np.floor(iy0 + 0.5))
    nx, ny = int(np.ceil((ix1 + 0.5 - left) / times)), int(np.ceil((iy1 + 0.5 - low) / times))
    middle = (times - 1) / 2
    return PixelGrid(
        shape=(ny, nx),
        origin=np.array(own.to_plane(left + middle, low + middle)),
        matrix=times * own.matrix,
    )


def _aim_point(observation, scene):
    ra, dec = (observation.metadata.get(name) for name in ("RA_PNT", "DEC_PNT"))
    if (
        observation.frame is not None
        and isinstance(ra, int | float)
        and isinstance(dec, int | float)
    ):
        x, y = (float(axis) for axis in observation.frame.to_plane(ra, dec))
        if scene.x[0] < x < scene.x[1] and scene.y[0] < y < scene.y[1]:
            return x, y
    return sum(scene.x) / 2, sum(scene.y) / 2


def _widened(low, high, least):
    spare = max(least - (high - low), 0) / 2
    return float(low - spare), float(high + spare)


def _joined(values, least):
    """Indices at which groups of neighbours that hold at least `least` begin; what is left over at the end belongs to the last group."""
    first, total = [0], 0.0
    for j, value in enumerate(values):
        total += value
        if total >= least and j + 1 < len(values):
            first.append(j + 1)
            total = 0.0
    if len(first) > 1 and total < least:
        first.pop()
    return np.array(first)
