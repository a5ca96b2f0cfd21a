"""Where the photons exceed the model, on all scales at once."""

from dataclasses import dataclass

import numpy as np

from .._kernels.search import significances, smoothed
from ..model.density import Components, background_terms
from ..model.field import Field
from ..plane.grid import PixelGrid
from ..plane.resample import halved, nearest

# Cells of the search grid per side, at most.
_MAX_CELLS = 1280
_FINEST_SCALE = 2.0
_COARSEST_SCALE = 128.0
# Smoothing scale in cells of its level.
_SIGMA_CELLS = 2.0
_MOST_PEAKS = 200
# An excess below this is never looked at, however few places there are [nat].
_LEAST_EXCESS = 3.0


@dataclass(frozen=True, eq=False)
class Search:
    """Photons smoothed on all scales, ready to be compared with what a model expects.

    Attributes
    ----------
    grid : PixelGrid
        Of the finest level; level l has cells 2**l as large and is smoothed with two of its own cells.
    omegas : tuple of (ny, nx) arrays
        Completeness of each observation on the grid.
    backgrounds : tuple of (n_b, ny, nx) arrays
        q_b of each observation on the grid.
    smoothed : tuple of arrays
        Smoothed counts of each level [photon per cell].
    """

    grid: PixelGrid
    omegas: tuple
    backgrounds: tuple
    smoothed: tuple

    @classmethod
    def over(cls, prepared):
        """The search over the common field of prepared observations."""
        x = np.concatenate([p.x for p in prepared])
        y = np.concatenate([p.y for p in prepared])
        (x_low, x_high), (y_low, y_high) = (x.min(), x.max()), (y.min(), y.max())
        span = max(x_high - x_low, y_high - y_low, 8 * _FINEST_SCALE)
        # Nothing finer than the photons' own pixels is looked for.
        step = max(
            _FINEST_SCALE / _SIGMA_CELLS,
            span / _MAX_CELLS,
            min(p.observation.photons.pixel for p in prepared) / _SIGMA_CELLS,
        )
        n_levels = 1 + max(0, int(np.log2(min(_COARSEST_SCALE, span / 6) / (step * _SIGMA_CELLS))))
        grid = PixelGrid.covering(
            (x_low - step, x_high + step), (y_low - step, y_high + step), step
        )
        omegas, backgrounds = [], []
        for p in prepared:
            c = p.observation.completeness
            if c is None:
                omegas.append(np.ones(grid.shape))
                backgrounds.append(np.zeros((0, *grid.shape)))
                continue
            maps = Field(c, p.reference).own_maps()
            shapes = [term.on(maps) for term in background_terms(p.observation, p.reference)]
            omegas.append(nearest(maps.omega, c.grid, grid))
            backgrounds.append(
                nearest(np.array(shapes).reshape(len(shapes), *c.grid.shape), c.grid, grid)
            )
        counts = sum(
            grid.histogram(p.x, p.y, p.weights, side=p.observation.photons.pixel) for p in prepared
        )
        return cls(
            grid,
            tuple(omegas),
            tuple(backgrounds),
            tuple(_smooth(level) for level in halved(counts, n_levels)),
        )

    def expected(self, prepared, parameters):
        """Expected counts in each cell of the finest level."""
        total = np.zeros(self.grid.shape)
        for p, amplitude, omega, q in zip(
            prepared, parameters.amplitudes, self.omegas, self.backgrounds, strict=True
        ):
            field = Field(p.observation.completeness, p.reference)
            components = Components(parameters.mixture, p.observation.psf, field)
            signal = components.everywhere(self.grid)
            total += omega * signal + np.tensordot(amplitude, q, 1)
        return total * self.grid.cell_area

    def candidates(self, prepared, parameters, least):
        """Places where the photons exceed the model, by falling significance.

        The significance of a place at a scale s is the Poisson likelihood ratio of the smoothed counts d against the equally smoothed expectation m,
        ``A (d log(d / m) - (d - m))`` with A = 4 pi s**2 the kernel's effective area.

        Returns
        -------
        significance, x, y, scale, flux : (n,) arrays
            [nat, arcsec, arcsec, arcsec, photon at the reference exposure]
        """
        expected = self.expected(prepared, parameters)
        omega = sum(self.omegas)
        found = []
        area = 4 * np.pi * _SIGMA_CELLS**2
        model, omega = halved(expected, len(self.smoothed)), halved(omega, len(self.smoothed))
        for level, (d, m, o) in enumerate(zip(self.smoothed, model, omega, strict=True)):
            # A peak somewhere among so many places means little.
            threshold = np.log(d.size)
            m = np.maximum(_smooth(m), 1e-12)
            ratio = significances(d, m, area, max(threshold + least, _LEAST_EXCESS))
            iy, ix = np.nonzero(ratio)
            around = np.pad(ratio, 2)
            here = ratio[iy, ix]
            peaks = np.ones(len(iy), bool)
            for dy in range(5):
                for dx in range(5):
                    peaks &= here >= around[iy + dy, ix + dx]
            iy, ix = iy[peaks], ix[peaks]
            best = np.argsort(-ratio[iy, ix], kind="stable")[:_MOST_PEAKS]
            iy, ix = iy[best], ix[best]
            scale = 2**level
            x, y = self.grid.to_plane((ix + 0.5) * scale - 0.5, (iy + 0.5) * scale - 0.5)
            # Signal that was not recorded counts too, but where little is seen an excess must not be blown up.
            seen = np.maximum(o[iy, ix] / scale**2, 0.05)
            sigma = np.full(len(ix), _SIGMA_CELLS * scale * self.grid.step)
            found.append(
                np.stack([ratio[iy, ix] - threshold, x, y, sigma, area * (d - m)[iy, ix] / seen])
            )
        table = np.concatenate(found, axis=1)
        return table[:, np.argsort(-table[0], kind="stable")]


def _smooth(image):
    taps = np.exp(-0.5 * (np.arange(int(3 * _SIGMA_CELLS) + 1) / _SIGMA_CELLS) ** 2)
    return smoothed(np.ascontiguousarray(image, np.float64), taps / (taps[0] + 2 * taps[1:].sum()))
