"""Places, annuli and sectors in which photons and model differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .significance import local_sigma
from .yardsticks import SECTORS, Yardsticks

# Local significance of a place that is listed [sigma], and number of those listed, at most.
LEAST_SIGMA, _MOST_PLACES = 4.0, 200


@dataclass(frozen=True, kw_only=True)
class Place:
    """A disc in which photons and model differ.

    Attributes
    ----------
    x, y : float
        Its centre in the tangent plane [arcsec].
    radius : float
        [arcsec]
    counts, expected : float
        Recorded and expected photons within.
    sigma : float
        Local significance, negative where photons are missing.
    """

    x: float
    y: float
    radius: float
    counts: float
    expected: float
    sigma: float


@dataclass(frozen=True, kw_only=True)
class Annulus:
    """Photons and model in an annulus, or in one of its sectors.

    Attributes
    ----------
    low, high : float
        Radii [arcsec].
    start, stop : float
        Position angles [deg].
    counts, expected : float
        Recorded and expected photons.
    sigma : float
        Local significance.
    """

    low: float
    high: float
    start: float = 0.0
    stop: float = 360.0
    counts: float
    expected: float
    sigma: float


def places_of(
    yardsticks: Yardsticks,
    counts: np.ndarray,
    expected: np.ndarray,
    least: float = LEAST_SIGMA,
) -> tuple[Place, ...]:
    """The places where photons and model differ most, by falling significance.

    No centre lies within another place. The first is listed in any case, the others if their
    local significance is at least `least`.

    Parameters
    ----------
    yardsticks : Yardsticks
    counts, expected : (ny, nx) arrays
        On the finest cells [photon].
    least : float
        [sigma]
    """
    discs = yardsticks.discs
    found = []
    sums = zip(
        discs.sigmas(counts, expected), discs.sums(counts), discs.sums(expected), strict=True
    )
    for radius, level, (sigma, d, m) in zip(discs.radii, discs.levels, sums, strict=True):
        size = np.abs(sigma)
        iy, ix = np.nonzero(size >= min(least, size.max()))
        scale = 2.0**level
        x, y = discs.grid.to_plane((ix + 0.5) * scale - 0.5, (iy + 0.5) * scale - 0.5)
        rows = (x, y, np.full(len(x), radius), d[iy, ix], m[iy, ix], sigma[iy, ix])
        found.append(np.stack(rows))
    table = np.concatenate(found, axis=1)
    table = table[:, np.argsort(-np.abs(table[5]), kind="stable")]
    chosen: list[Place] = []
    for x, y, radius, d, m, sigma in table.T.tolist():
        if len(chosen) == _MOST_PLACES or (chosen and abs(sigma) < least):
            break
        if all(np.hypot(x - p.x, y - p.y) > max(radius, p.radius) for p in chosen):
            chosen.append(
                Place(
                    x=x, y=y, radius=radius, counts=max(d, 0.0), expected=max(m, 0.0), sigma=sigma
                )
            )
    return tuple(chosen)


def annuli_of(yardsticks: Yardsticks, counts, expected) -> tuple[Annulus, ...]:
    """The radial profile of photons and model."""
    d, m = yardsticks.profile(counts), yardsticks.profile(expected)
    edges, sigma = yardsticks.edges.tolist(), local_sigma(d, m)
    return tuple(
        Annulus(
            low=edges[i],
            high=edges[i + 1],
            counts=float(d[i]),
            expected=float(m[i]),
            sigma=float(sigma[i]),
        )
        for i in range(len(d))
    )


def sectors_of(yardsticks: Yardsticks, counts, expected) -> tuple[Annulus, ...]:
    """The azimuthal profile of photons and model, zone by zone."""
    d, m = yardsticks.around(counts), yardsticks.around(expected)
    zones, sigma, step = yardsticks.zones.tolist(), local_sigma(d, m), 360 / SECTORS
    return tuple(
        Annulus(
            low=zones[i],
            high=zones[i + 1],
            start=j * step,
            stop=(j + 1) * step,
            counts=float(d[i, j]),
            expected=float(m[i, j]),
            sigma=float(sigma[i, j]),
        )
        for i in range(len(d))
        for j in range(SECTORS)
    )
