"""Radial profiles: photons and model in annuli about a place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .images import RenderedImages

_ANNULI = 31
_LEAST_PHOTONS = 20.0


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class RadialProfile:
    """Surface brightness in annuli, divided by the exposure.

    Attributes
    ----------
    low, high, radius : (n,) array
        Inner and outer radius of each annulus, and the root of the mean of their squares [arcsec].
    counts, expected : (n,) array
        Recorded and expected photons in each annulus [photon].
    data, error : (n,) array
        Recorded surface brightness and its Poisson error
        [photon / arcsec**2 at the reference exposure].
    model, signal, background : (n,) array
        Expected surface brightness and its two parts, in the same unit. The signal includes the
        point sources.
    """

    low: np.ndarray
    high: np.ndarray
    radius: np.ndarray
    counts: np.ndarray
    expected: np.ndarray
    data: np.ndarray
    error: np.ndarray
    model: np.ndarray
    signal: np.ndarray
    background: np.ndarray

    def __len__(self):
        return len(self.radius)

    def __repr__(self):
        return (
            f"RadialProfile({len(self)} annuli to {self.high[-1]:.4g} arcsec: "
            f"{self.counts.sum():,.0f} photons, {self.expected.sum():,.0f} expected)"
        )


def radial_profile(images: RenderedImages, centre: tuple[float, float]) -> RadialProfile:
    """Radial profile of a fit about a place.

    Photons and model are summed over the same pixels, so that a pixel that is cut by an edge of
    the field counts alike in both. Neighbouring annuli are joined outwards until at least 20
    photons are expected in each.

    Parameters
    ----------
    images : RenderedImages
        In units of counts.
    centre : (float, float)
        Position [arcsec].

    Returns
    -------
    RadialProfile

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> grid = gmmx.PixelGrid.covering((-30, 30), (-30, 30), 1.0)
    >>> radial_profile(gmmx.render(result, grid), (0.0, 0.0))
    RadialProfile(12 annuli to 41.72 arcsec: 400 photons, 400 expected)
    """
    edges, fine = _annuli(images, centre)
    first = _joined(fine["expected"] * (fine["exposed"] > 0), _LEAST_PHOTONS)
    sums = {name: np.add.reduceat(values, first) for name, values in fine.items()}
    low, high = edges[first], edges[np.append(first[1:], len(edges) - 1)]
    exposed = np.maximum(sums["exposed"], 1e-300)
    return RadialProfile(
        low=low,
        high=high,
        radius=np.sqrt((low**2 + high**2) / 2),
        counts=sums["counts"],
        expected=sums["expected"],
        data=sums["counts"] / exposed,
        error=np.sqrt(np.maximum(sums["counts"], 1.0)) / exposed,
        model=sums["expected"] / exposed,
        signal=sums["signal"] / exposed,
        background=(sums["expected"] - sums["signal"]) / exposed,
    )


def _annuli(images, centre):
    """Edges of fine annuli [arcsec], and sums of the maps over each of them."""
    grid, omega = images.counts.grid, images.completeness.values
    x, y = grid.centres()
    radius = np.hypot(x - centre[0], y - centre[1])
    farthest = radius[omega > 0].max() if (omega > 0).any() else radius.max()
    first_edge = max(1.5 * grid.step, farthest / 200)
    edges = np.array([0.0, *np.geomspace(first_edge, farthest * 1.0001, _ANNULI)])
    ring = np.digitize(radius.ravel(), edges) - 1
    maps = {
        "counts": images.counts.values,
        "expected": images.expected.values,
        "signal": np.maximum(images.expected.values - images.background.values, 0.0),
        "exposed": omega * grid.cell_area,
    }
    return edges, {
        name: np.bincount(ring, values.ravel(), len(edges))[: len(edges) - 1]
        for name, values in maps.items()
    }


def _joined(values, least):
    """Indices at which groups of neighbours begin whose sums are at least `least`.

    A remainder at the end belongs to the last group.
    """
    first, total = [0], 0.0
    for j, value in enumerate(values):
        total += value
        if total >= least and j + 1 < len(values):
            first.append(j + 1)
            total = 0.0
    if len(first) > 1 and total < least:
        first.pop()
    return np.array(first)
