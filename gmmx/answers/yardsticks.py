"""What the photons of a sky are compared with: blocks, annuli, sectors, and discs everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..plane.grid import PixelGrid
from ..plane.resample import halved
from .canvas import seen_ranges
from .centres import centre_of
from .sights import Sights
from .significance import LEAST_EXPECTED, Discs

if TYPE_CHECKING:
    from ..model.result import FitResult

# Finest cells [arcsec], and cells along the longer side, at most.
_STEP, _MOST_CELLS = 2.0, 1024
# Sides of the blocks [arcsec], and blocks that photons are expected in, at least.
BLOCKS = (4.0, 16.0, 64.0)
_FEWEST_BLOCKS = 9
# Annuli at most, and photons expected in each, at least.
_ANNULI, _LEAST_PHOTONS = 24, 20.0
# Sectors in each of the zones, which hold equal numbers of expected photons.
SECTORS, ZONES = 12, 3


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Yardsticks:
    """The statistics that a fit is tested with, all fixed by the fit.

    Attributes
    ----------
    sights : Sights
    discs : Discs
    blocks : tuple of float
        Sides of the blocks [arcsec].
    centre : (2,) array
        Of annuli and sectors [arcsec].
    edges : (n + 1,) array
        Radii of the annuli [arcsec].
    rings, sectors : (ny, nx) arrays of int
        Annulus and sector of each cell; as many as there are for cells of none.
    zones : (n + 1,) array
        Radii between which the sectors lie [arcsec].
    """

    sights: Sights
    discs: Discs
    blocks: tuple
    centre: np.ndarray
    edges: np.ndarray
    rings: np.ndarray
    zones: np.ndarray
    sectors: np.ndarray

    @classmethod
    def of(cls, result: FitResult) -> Yardsticks:
        """The yardsticks of a fit.

        Raises
        ------
        InputError
            If there are neither photons nor exposure maps.
        """
        sights = Sights(result, _grid(result))
        expected = sights.expected_of_fit().sum(0)
        shape, cells = sights.grid.shape, sights.seen.sum() * sights.grid.cell_area
        centre = _centre(result)
        x, y = sights.grid.centres()
        radius = np.where(sights.seen, np.hypot(x - centre[0], y - centre[1]), np.inf)
        edges = _edges(radius, expected, sights.grid.step)
        zones = _zones(radius, expected)
        # Position angles run from north (y) through east (-x).
        angle = np.degrees(np.arctan2(centre[0] - x, y - centre[1])) % 360
        sector = np.minimum((angle / 360 * SECTORS).astype(int), SECTORS - 1)
        zone = np.searchsorted(zones, radius, side="right") - 1
        outside = zone >= len(zones) - 1
        return cls(
            sights=sights,
            discs=Discs(sights.grid, sights.seen),
            blocks=tuple(
                b
                for b in BLOCKS
                if b >= sights.grid.step and cells >= _FEWEST_BLOCKS * b**2 and min(shape) > 1
            ),
            centre=centre,
            edges=edges,
            rings=np.minimum(np.searchsorted(edges, radius, side="right") - 1, len(edges) - 1),
            zones=zones,
            sectors=np.where(outside, (len(zones) - 1) * SECTORS, zone * SECTORS + sector),
        )

    @property
    def names(self) -> list[tuple[str, float]]:
        """Name and scale [arcsec] of each statistic; the scale of a profile is NaN."""
        return [
            *(("blocks", side) for side in self.blocks),
            ("radial profile", np.nan),
            ("azimuthal profile", np.nan),
            *(("largest residual", radius) for radius in self.discs.radii[self._first]),
        ]

    @property
    def _first(self):
        """Index of the smallest disc of each octave."""
        return np.flatnonzero(np.diff(self.discs.octaves, prepend=-1))

    def statistics(self, counts: np.ndarray, expected: np.ndarray) -> np.ndarray:
        """The value of each statistic; the larger, the worse the expectation.

        Parameters
        ----------
        counts, expected : (n_o, ny, nx) arrays
            [photon]
        """
        total, mean = counts.sum(0), expected.sum(0)
        return np.array(
            [
                *self.cash_in_blocks(counts, expected),
                cash(*(_binned(self.rings, v, len(self.edges) - 1) for v in (total, mean))),
                cash(*(_binned(self.sectors, v, self.n_sectors) for v in (total, mean))),
                *self.discs.largest(total, mean),
            ]
        )

    @property
    def n_sectors(self) -> int:
        """Number of sectors in all zones."""
        return SECTORS * (len(self.zones) - 1)

    def cash_in_blocks(self, counts: np.ndarray, expected: np.ndarray) -> list[float]:
        """Cash statistic in the blocks of each size, summed over the observations."""
        if not self.blocks:
            return []
        wanted = [round(np.log2(side / self.sights.grid.step)) for side in self.blocks]
        found = np.zeros(len(wanted))
        for d, m in zip(counts, expected, strict=True):
            levels = [halved(v, wanted[-1] + 1) for v in (d, m)]
            found += [cash(levels[0][level], levels[1][level]) for level in wanted]
        return found.tolist()

    def profile(self, image: np.ndarray) -> np.ndarray:
        """Sums of an image over the annuli."""
        return _binned(self.rings, image, len(self.edges) - 1)

    def around(self, image: np.ndarray) -> np.ndarray:
        """Sums of an image over the sectors, (zones, sectors)."""
        return _binned(self.sectors, image, self.n_sectors).reshape(-1, SECTORS)


def cash(counts: np.ndarray, expected: np.ndarray) -> float:
    """Cash statistic of counts d against their expectation m: ``2 sum [m - d + d log(d / m)]``.

    It is 0 where both agree, and about the number of bins where many photons are expected in each
    (Cash 1979, ApJ 228, 939, less its value for m = d).

    Examples
    --------
    >>> round(cash(np.array([110.0, 0.0]), np.array([100.0, 2.0])), 3)
    4.968
    """
    used = (counts > 0) | (expected > LEAST_EXPECTED)
    d, m = counts[used], np.maximum(expected[used], LEAST_EXPECTED)
    logs = np.log(np.where(d > 0, d, m) / m)
    return float(2 * (m - d + d * logs).sum())


def _grid(result):
    """Finest cells: 2 arcsec, and larger where the field or its pixels are large."""
    (x0, x1), (y0, y1) = seen_ranges(result)
    span = max(x1 - x0, y1 - y0)
    pixel = max(o.photons.pixel for o in result.observations)
    least = max(_STEP, span / _MOST_CELLS, 0.9 * pixel)
    step = _STEP * 2.0 ** np.ceil(np.log2(least / _STEP) - 1e-9)
    return PixelGrid.covering((x0, x1), (y0, y1), step)


def _centre(result):
    """The brightest place of the extended components, or else the mean of the photons."""
    if len(result.extended):
        return np.asarray(centre_of(result, "brightest"), float)
    x, y, w = (
        np.concatenate([getattr(o.photons, name) for o in result.observations])
        for name in ("x", "y", "weights")
    )
    return np.array([w @ x, w @ y]) / max(w.sum(), 1e-300)


def _edges(radius, expected, step):
    """Edges of annuli, in which enough photons are expected."""
    seen = np.isfinite(radius)
    farthest = float(radius[seen].max())
    first = max(1.5 * step, farthest / 200)
    edges = np.array([0.0, *np.geomspace(first, max(farthest, 2 * first) * 1.0001, _ANNULI)])
    photons = np.histogram(radius[seen], edges, weights=expected[seen])[0]
    kept, total = [0.0], 0.0
    for edge, n in zip(edges[1:], photons, strict=True):
        total += n
        if total >= _LEAST_PHOTONS:
            kept.append(float(edge))
            total = 0.0
    if len(kept) == 1:
        return np.array([0.0, edges[-1]])
    # A remainder belongs to the last annulus.
    kept[-1] = float(edges[-1])
    return np.array(kept)


def _zones(radius, expected):
    """Radii that hold equal parts of the expected photons."""
    seen = np.isfinite(radius)
    order = np.argsort(radius[seen], kind="stable")
    sorted_radius, total = radius[seen][order], np.cumsum(expected[seen][order])
    places = np.searchsorted(total, total[-1] * np.arange(1, ZONES) / ZONES)
    return np.array([0.0, *sorted_radius[places], sorted_radius[-1] * 1.0001 + 1e-9])


def _binned(index, image, n):
    """Sums of an image over cells of equal index, (n,)."""
    return np.bincount(index.ravel(), image.ravel(), n + 1)[:n]
