"""One region of a fit: the photons inside it, and what the fit expects there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..em.profile import Profile
from ..errors import InputError
from ..model.cells import CellIntegrals
from ..model.density import background_terms, density, terms_of
from ..model.field import Field
from ..plane.grid import PixelGrid
from ..plane.shapes import Shapes

if TYPE_CHECKING:
    from ..model.mixture import Mixture
    from ..model.result import FitResult

# Cells along the longer side of a region.
_CELLS = 256
# Positions at which a component is sampled for the spread over the draws.
_SAMPLES = 2048
# Positions with a smaller completeness are extrapolated.
_SCARCE = 0.05
# Part of the probability below an upper limit.
LIMIT = 0.95
# Photons of other origin that a region has at least, where a source is asked for.
_NOTHING = 1e-6


@dataclass(frozen=True, eq=False)
class Place:
    """A region of one fit, on a grid that covers it.

    Parameters
    ----------
    result : FitResult
    shapes : Shapes
    grid : PixelGrid
    cover : (ny, nx) array
        Fraction of each cell that lies in the region.
    """

    result: FitResult
    shapes: Shapes
    grid: PixelGrid
    cover: np.ndarray

    @classmethod
    def of(cls, result, region):
        """Lay a grid over a region; a region without bounds ends at the edge of the fields."""
        ranges = np.array(region.shapes.bounding_box())
        if not np.isfinite(ranges).all():
            bounds = _bounds(result, region.name)
            ranges = np.stack(
                [np.maximum(ranges[:, 0], bounds[:, 0]), np.minimum(ranges[:, 1], bounds[:, 1])],
                axis=1,
            )
        sides = np.diff(ranges, axis=1)
        if not np.all(sides > 0):
            raise InputError(f"{region.name}: the region has no area", parameter="region")
        grid = PixelGrid.covering(*ranges, float(sides.max()) / _CELLS)
        cover = 1 - region.shapes.open_fraction(grid)
        if not cover.any():
            raise InputError(f"{region.name}: the region has no area", parameter="region")
        return cls(result, region.shapes, grid, cover)

    @property
    def area(self):
        """Area of the region [arcsec**2]."""
        return float(self.cover.sum() * self.grid.cell_area)

    def photons(self, mixture):
        """Photons of a mixture in the region."""
        return float((self.cover * _integrals(mixture, self.grid)).sum())

    def sampled(self, mixture, samples):
        """The same from samples of each component: rougher, but quick."""
        if not len(mixture):
            return 0.0
        roots = np.linalg.cholesky(mixture.covariances)
        x, y = (mixture.means[:, :, None] + roots @ samples.T).transpose(1, 0, 2)
        return float(mixture.fluxes @ self.shapes.contains(x, y).mean(1))

    def extrapolated(self, mixture):
        """Fraction of the photons of a mixture where the completeness is below 5 %."""
        weights = self.cover * _integrals(mixture, self.grid)
        seen = np.zeros(self.grid.shape)
        for o in self.result.observations:
            omega = Field(o.completeness, self.result.reference_exposure).at(*self.grid.centres())
            masked = o.masks is not None and o.masks.contains(*self.grid.centres())
            seen += np.where(masked, 0.0, omega)
        total = weights.sum()
        return float(weights[seen < _SCARCE].sum() / total) if total > 0 else 0.0

    @cached_property
    def _inside(self):
        """The photons inside the region, of each observation: indices."""
        return [
            np.flatnonzero(self.shapes.contains(o.photons.x, o.photons.y))
            for o in self.result.observations
        ]

    @property
    def counts(self):
        """Recorded photons in the region."""
        pairs = zip(self.result.observations, self._inside, strict=True)
        return float(sum(o.photons.weights[inside].sum() for o, inside in pairs))

    @cached_property
    def _expected(self):
        """Expected photons in the region: of the signal, and of everything else."""
        signal = other = 0.0
        for o in self.result.observations:
            if o.completeness is None:
                terms = terms_of(o, self.result.reference_exposure, self.result.extended)
                signal += self.photons(terms[0].mixture) if len(self.result.extended) else 0.0
                continue
            grid = o.completeness.grid
            part = (1 - self.shapes.open_fraction(grid)) * grid.cell_area
            terms = self._terms(o)
            maps = Field(o.completeness, self.result.reference_exposure).own_maps()
            for term, is_signal in terms:
                counts = float(term.amplitude * (part * term.on(maps)).sum())
                signal, other = (signal + counts, other) if is_signal else (signal, other + counts)
        return signal, other

    def _terms(self, o):
        """The terms of lambda in one observation, and whether each is the signal."""
        reference = self.result.reference_exposure
        n = len(background_terms(o, reference))
        signal = terms_of(o, reference, self.result.extended)
        points = terms_of(o, reference, points=self.result.point_sources)
        return [(t, True) for t in signal[: len(signal) - n]] + [(t, False) for t in points]

    @cached_property
    def observed_fraction(self):
        """Mean of the completeness over the region, summed over the observations."""
        total = 0.0
        for o in self.result.observations:
            if o.completeness is None:
                total += 1.0
                continue
            maps = Field(o.completeness, self.result.reference_exposure).own_maps()
            part = 1 - self.shapes.open_fraction(maps.grid)
            total += float((part * maps.omega).sum() * maps.grid.cell_area) / self.area
        return total

    def of_a_faint_source(self, n):
        """Quantiles of the photons that a uniform source in the region may have, and their limit.

        Returns
        -------
        photons : (n,) array
            At n equal steps of probability; not a number where nothing was observed.
        limit : float
        """
        seen = self.observed_fraction
        if seen <= 0:
            return np.full(n, np.nan), np.nan
        weights, changes = [], []
        for o, inside in zip(self.result.observations, self._inside, strict=True):
            x, y = o.photons.x[inside], o.photons.y[inside]
            other = density([t for t, is_signal in self._terms(o) if not is_signal], x, y)
            omega = Field(o.completeness, self.result.reference_exposure).at(x, y)
            # Where nothing else could have made a photon, the source has made it.
            changes.append(omega / self.area / np.maximum(other, _NOTHING / self.area))
            weights.append(o.photons.weights[inside])
        weights, changes = np.concatenate(weights), np.concatenate(changes)
        profile = Profile.of(
            0.0,
            float(weights @ changes) - seen,
            float(weights @ changes**2),
            weights,
            changes,
            per_photon=1 / seen,
        )
        steps = (np.arange(n) + 0.5) / n
        known = np.unique(np.concatenate([steps[:1], np.linspace(0.02, 0.98, 25), steps[-1:]]))
        photons = np.interp(steps, known, [profile.quantile(p) for p in known])
        return photons, profile.upper_limit(LIMIT)

    @property
    def background_counts(self):
        """Expected photons of everything but the signal."""
        return self._expected[1]

    def drawn_background(self, draws):
        """The same for each draw, (N,); point sources keep their places."""
        units = []
        for o in self.result.observations:
            for term in background_terms(o, self.result.reference_exposure):
                if o.completeness is None:
                    units.append(0.0)
                    continue
                maps = Field(o.completeness, self.result.reference_exposure).own_maps()
                part = 1 - self.shapes.open_fraction(maps.grid)
                units.append(float((part * term.on(maps)).sum()) * maps.grid.cell_area)
        found = draws.amplitudes @ np.reshape(units, draws.amplitudes.shape[1])
        best = sum(
            (b.amplitude or 0.0) * unit
            for b, unit in zip(
                (b for o in self.result.observations for b in o.backgrounds), units, strict=True
            )
        )
        points = np.flatnonzero(self.result.points)
        inside = points[self.shapes.contains(*self.result.mixture.means[points].T)]
        fluxes = self.result.mixture.fluxes[inside].sum()
        scale = draws.fluxes[:, inside].sum(1) / fluxes if fluxes > 0 else 1.0
        return found + (self.background_counts - best) * scale

    @property
    def significance(self):
        """sqrt(2 delta log L) against no signal in the region."""
        gain = -self._expected[0]
        for o, inside in zip(self.result.observations, self._inside, strict=True):
            x, y = o.photons.x[inside], o.photons.y[inside]
            terms = self._terms(o)
            signal, other = (
                density([t for t, is_signal in terms if is_signal == wanted], x, y)
                for wanted in (True, False)
            )
            with np.errstate(divide="ignore"):
                ratios = np.log1p(signal / np.where(other > 0, other, 0.0)) if len(x) else signal
            gain += float(o.photons.weights[inside] @ np.where(signal > 0, ratios, 0.0))
        return float(np.sqrt(2 * max(gain, 0.0)))


def _integrals(mixture: Mixture, grid: PixelGrid) -> np.ndarray:
    """Photons of a mixture in each cell of a grid that is not turned, (ny, nx)."""
    (x0, x1), (y0, y1) = grid.extent()
    ny, nx = grid.shape
    edges = np.linspace(x0, x1, nx + 1), np.linspace(y0, y1, ny + 1)
    cells = CellIntegrals.of(mixture.fluxes, mixture.means, mixture.covariances, *edges)
    return cells.rows(0, ny)


def _bounds(result, name):
    """Intervals of x and y that all fields lie in, (2, 2)."""
    extents = [o.completeness.grid.extent() for o in result.observations if o.completeness]
    if not extents:
        raise InputError(
            f"{name}: the region has no bounds, and neither has the field: give a region that ends",
            parameter="region",
        )
    extents = np.array(extents)
    return np.stack([extents[:, :, 0].min(0), extents[:, :, 1].max(0)], axis=1)


def normal_samples():
    """Positions of a round Gaussian of unit width, evenly spread, (n, 2).

    They lie on the sunflower spiral, whose rings hold equal parts of the Gaussian.
    """
    i = np.arange(_SAMPLES) + 0.5
    radius = np.sqrt(-2 * np.log1p(-i / _SAMPLES))
    angle = np.pi * (1 + np.sqrt(5)) * i
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
