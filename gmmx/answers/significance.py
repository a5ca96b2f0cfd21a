"""Where and on which scales photons and expectation differ: discs of several radii, everywhere.

A disc of radius r is the matched filter of a cavity or clump of that size. Photons and expectation
are summed over the disc about every place, and their difference is expressed in the standard
deviations of a normal distribution that has the same tail as the Poisson distribution.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..plane.grid import PixelGrid, SkyImage
from ..plane.resample import halved
from .residuals import poisson_residual

if TYPE_CHECKING:
    from ..plane.frame import SkyFrame

# Radii of the discs [arcsec]: from twice the finest cell, so many to a factor of two.
_LARGEST, _IN_OCTAVE = 64.0, 4
# A disc larger than this part of the field is no local residual.
_WIDEST = 1 / 5
# Cells of the level on which a disc is moved, at least, within its radius.
_CELLS = 4
# Deviates above this are computed from the exact tail.
_FAR = 2.0
# Photons that are expected in a disc or a block, at least: less is not known so precisely.
LEAST_EXPECTED = 1e-3
_UNDERFLOW = 1e-300


def local_sigma(counts: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Significance of counts against their expectation in standard deviations, with its sign.

    It is the deviate of a normal distribution whose tail is as probable as that of the Poisson
    distribution, P(>= d) for an excess and P(<= d) for a lack. Below 2 it is the signed root of
    the deviance, which takes less time. It knows nothing of the number of places that were
    searched.

    Parameters
    ----------
    counts, expected : arrays of one shape
        [photon]

    Examples
    --------
    >>> expected = np.array([100.0, 100.0, 8.0, 100.0])
    >>> local_sigma(np.array([140.0, 60.0, 0.0, 101.0]), expected).round(2)
    array([ 3.74, -4.25, -3.4 ,  0.1 ])
    """
    # Loaded here because that takes a tenth of a second.
    from scipy.special import gammainc, gammaincc, ndtri

    sigma = poisson_residual(counts, expected)
    far = np.abs(sigma) > _FAR
    d, m = np.maximum(counts[far], 0.0), expected[far]
    tail = np.where(d > m, gammainc(np.maximum(d, 1e-12), m), gammaincc(d + 1, m))
    exact = -np.sign(d - m) * ndtri(np.maximum(tail, _UNDERFLOW))
    sigma[far] = np.where(tail > _UNDERFLOW, exact, sigma[far])
    return sigma


@dataclass(frozen=True, eq=False, repr=False)
class Discs:
    """Discs of several radii that are moved over a field.

    Parameters
    ----------
    grid : PixelGrid
        Finest cells, square.
    seen : (ny, nx) array of bool
        Cells that any photon may be recorded in.

    Examples
    --------
    >>> grid = PixelGrid.covering((-64, 64), (-64, 64), 2.0)
    >>> discs = Discs(grid, np.ones(grid.shape, bool))
    >>> discs
    Discs(radii 4 to 22.6 arcsec)
    >>> expected = np.ones(grid.shape)
    >>> counts = expected.copy()
    >>> counts[32, 32] += 12
    >>> discs.largest(counts, expected).round(1)
    array([2.9, 1.7, 0.8])
    """

    grid: PixelGrid
    seen: np.ndarray

    def __repr__(self):
        return f"Discs(radii {self.radii[0]:.3g} to {self.radii[-1]:.3g} arcsec)"

    @cached_property
    def radii(self) -> np.ndarray:
        """Radii of the discs, rising [arcsec]."""
        first = 2 * self.grid.step
        last = max(min(_LARGEST, _WIDEST * self.grid.step * max(self.grid.shape)), first)
        n = 1 + int(np.floor(_IN_OCTAVE * np.log2(last / first) + 1e-9))
        return first * 2 ** (np.arange(n) / _IN_OCTAVE)

    @property
    def octaves(self) -> np.ndarray:
        """The octave of each disc: those of one scale have radii within a factor of two, (n,)."""
        return np.arange(len(self.radii)) // _IN_OCTAVE

    @cached_property
    def levels(self) -> np.ndarray:
        """Level of each disc; level l has cells 2**l as large as the finest."""
        ratio = self.radii / (_CELLS * self.grid.step)
        return np.maximum(np.floor(np.log2(ratio) + 1e-9), 0).astype(int)

    @cached_property
    def _seen(self):
        """Whether anything is recorded, of each level."""
        return [s > 0 for s in halved(self.seen.astype(float), int(self.levels[-1]) + 1)]

    @cached_property
    def _plans(self):
        """Shape of the transforms of each level, and the transformed kernel of each disc."""
        from scipy.fft import next_fast_len, rfft2

        reaches = self.radii / (self.grid.step * 2.0**self.levels)
        shapes = {}
        for level in range(int(self.levels[-1]) + 1):
            # A disc at one edge must not reach around to the other.
            margin = int(np.ceil(reaches[self.levels == level].max())) + 1
            shapes[level] = tuple(
                next_fast_len(n + margin, real=True) for n in self._seen[level].shape
            )
        kernels = []
        for reach, level in zip(reaches, self.levels, strict=True):
            ny, nx = shapes[level]
            y, x = (np.minimum(np.arange(n), n - np.arange(n)) for n in (ny, nx))
            kernels.append(rfft2((np.hypot(x, y[:, None]) <= reach + 1e-9).astype(float)))
        return shapes, kernels

    def sums(self, image: np.ndarray) -> list[np.ndarray]:
        """Sums of an image over each disc about each cell of its level."""
        from scipy.fft import irfft2, rfft2

        shapes, kernels = self._plans
        levels = halved(image, int(self.levels[-1]) + 1)
        transformed = {level: rfft2(levels[level], s=shape) for level, shape in shapes.items()}
        found = []
        for level, kernel in zip(self.levels, kernels, strict=True):
            whole = irfft2(transformed[level] * kernel, s=shapes[level])
            ny, nx = levels[level].shape
            found.append(whole[:ny, :nx])
        return found

    def sigmas(self, counts: np.ndarray, expected: np.ndarray) -> list[np.ndarray]:
        """Significance in the disc about each cell, one array for each radius; 0 off the field.

        Parameters
        ----------
        counts, expected : (ny, nx) arrays
            On the finest cells [photon].
        """
        both = zip(self.sums(counts), self.sums(expected), self.levels, strict=True)
        return [
            np.where(
                self._seen[level],
                local_sigma(np.maximum(d, 0.0), np.maximum(m, LEAST_EXPECTED)),
                0.0,
            )
            for d, m, level in both
        ]

    def largest(self, counts: np.ndarray, expected: np.ndarray) -> np.ndarray:
        """Largest significance of either sign in each octave of radii, (n,)."""
        found = np.array([np.abs(s).max() for s in self.sigmas(counts, expected)])
        return np.maximum.reduceat(found, np.flatnonzero(np.diff(self.octaves, prepend=-1)))


def significance_images(
    discs: Discs, counts: np.ndarray, expected: np.ndarray, frame: SkyFrame | None
) -> dict[str, SkyImage]:
    """Images of the significance, by their names in files.

    Parameters
    ----------
    discs : Discs
    counts, expected : (ny, nx) arrays
        [photon]
    frame : SkyFrame or None

    Returns
    -------
    dict of str to SkyImage
        "SIGNIFICANCE", at each place that of the disc with the largest one, with its sign,
        "RADIUS" of that disc, and "SIGMA_R4" and so on of each disc.
    """
    ny, nx = discs.grid.shape
    maps = np.array(
        [
            np.repeat(np.repeat(s, 2**level, axis=0), 2**level, axis=1)[:ny, :nx]
            for s, level in zip(discs.sigmas(counts, expected), discs.levels, strict=True)
        ]
    )
    maps = np.where(discs.seen, maps, 0.0)
    best = np.abs(maps).argmax(0)
    where = "significance of the photons against the model in a disc about each place, in standard"
    text = f"Local {where} deviations; negative where photons are missing"

    def image(values, unit, *comments):
        return SkyImage(grid=discs.grid, values=values, unit=unit, frame=frame, comments=comments)

    found = {
        "SIGNIFICANCE": image(
            np.take_along_axis(maps, best[None], 0)[0],
            "",
            text,
            f"Of {len(discs.radii)} discs of {discs.radii[0]:.3g} to {discs.radii[-1]:.3g} arcsec, "
            "the one with the largest",
        ),
        "RADIUS": image(
            np.where(discs.seen, discs.radii[best], 0.0), "arcsec", "Radius of the disc"
        ),
    }
    for radius, values in zip(discs.radii, maps, strict=True):
        comment = f"Radius of the disc: {radius:.4g} arcsec"
        found[f"SIGMA_R{radius:.3g}"] = image(values, "", text, comment)
    return found
