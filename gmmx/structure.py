"""Which components there are: growing them where the data exceed the model.

Where EM ends depends on where it starts, far more than on anything else. A mixture that grows from the background up, by components placed where the photons
exceed what the model expects of them, ends close to the truth where random starts do not.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from .em import Parameters, background_maps
from .grid import PixelGrid
from .mixture import Mixture
from .raster import blurred, pixel_means

# Cells of the search grid per side, at most.
_MAX_CELLS = 1280
_FINEST_SCALE = 2.0
_COARSEST_SCALE = 128.0
# Smoothing scale in cells of its level.
_SIGMA_CELLS = 2.0


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
        step = max(_FINEST_SCALE / _SIGMA_CELLS, span / _MAX_CELLS)
        n_levels = 1 + max(0, int(np.log2(min(_COARSEST_SCALE, span / 6) / (step * _SIGMA_CELLS))))
        grid = PixelGrid.covering((x_low - step, x_high + step), (y_low - step, y_high + step), step)
        centres = grid.centres()
        omegas, backgrounds = [], []
        for p in prepared:
            c = p.observation.completeness
            if c is None:
                omegas.append(np.ones(grid.shape))
                backgrounds.append(np.zeros((0, *grid.shape)))
                continue
            ix, iy, inside = c.grid.locate(*centres)
            # E_ref, from the one number that both the pyramid and the map know.
            reference = c.effective.sum() / max(p.pyramid.values[: c.exposure.size].sum(), 1e-300)
            omegas.append(np.where(inside, (c.effective / reference)[iy, ix], 0.0))
            backgrounds.append(np.where(inside, background_maps(p.observation, reference)[:, iy, ix], 0.0))
        counts = sum(grid.histogram(p.x, p.y, p.weights) for p in prepared)
        return cls(grid, tuple(omegas), tuple(backgrounds), tuple(_smooth(level) for level in _levels(counts, n_levels)))

    def expected(self, prepared, parameters):
        """Expected counts in each cell of the finest level."""
        total = np.zeros(self.grid.shape)
        for p, amplitude, omega, q in zip(prepared, parameters.amplitudes, self.omegas, self.backgrounds, strict=True):
            signal = pixel_means(*blurred(parameters.mixture, p.observation.psf), self.grid)
            total += omega * signal + np.tensordot(amplitude, q, 1)
        return total * self.grid.cell_area

    def candidates(self, prepared, parameters):
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
        for level, (d, m, o) in enumerate(zip(self.smoothed, _levels(expected, len(self.smoothed)), _levels(omega, len(self.smoothed)), strict=True)):
            m = np.maximum(_smooth(m), 1e-12)
            excess = d - m
            ratio = np.where(excess > 0, area * (d * np.log(np.maximum(d, 1e-300) / m) - excess), 0.0)
            peaks = (ratio > 0) & (ratio == ndimage.maximum_filter(ratio, 5))
            iy, ix = np.nonzero(peaks)
            best = np.argsort(-ratio[iy, ix], kind="stable")[:200]
            iy, ix = iy[best], ix[best]
            scale = 2**level
            x, y = self.grid.to_plane((ix + 0.5) * scale - 0.5, (iy + 0.5) * scale - 0.5)
            seen = np.maximum(o[iy, ix] / scale**2, 0.05)
            sigma = np.full(len(ix), _SIGMA_CELLS * scale * self.grid.step)
            # Signal recorded elsewhere in the kernel counts too, but where little is seen an excess must not be blown up.
            threshold = np.log(d.size)
            found.append(np.stack([ratio[iy, ix] - threshold, x, y, sigma, area * excess[iy, ix] / seen]))
        table = np.concatenate(found, axis=1)
        return table[:, np.argsort(-table[0], kind="stable")]


def _levels(image, n):
    """An image and its n - 1 coarser versions, each the sum of 2 x 2 cells of the one before."""
    levels = [image]
    while len(levels) < n:
        last = levels[-1]
        last = np.pad(last, ((0, last.shape[0] % 2), (0, last.shape[1] % 2)))
        levels.append(last[::2, ::2] + last[1::2, ::2] + last[::2, 1::2] + last[1::2, 1::2])
    return levels


def _smooth(image):
    return ndimage.gaussian_filter(image, _SIGMA_CELLS, mode="constant", truncate=3.0)


def grown(search, prepared, parameters, count, *, least=2.0):
    """The parameters with up to `count` more components, where the photons exceed the model most.

    Parameters
    ----------
    search : Search
    prepared : sequence of Prepared
    parameters : Parameters
    count : int
    least : float
        Significance a component must have above the log of the number of places it was looked for in [nat].

    Returns
    -------
    Parameters
        The same object where nothing is significant.
    """
    significance, x, y, scale, flux = search.candidates(prepared, parameters)
    chosen = []
    for i in range(len(significance)):
        if significance[i] < least or len(chosen) == count:
            break
        if all(np.hypot(x[i] - x[j], y[i] - y[j]) > 1.5 * max(scale[i], scale[j]) for j in chosen):
            chosen.append(i)
    if not chosen:
        return parameters
    index = np.array(chosen)
    added = Mixture(
        fluxes=np.maximum(0.5 * flux[index], 1e-3),
        means=np.stack([x[index], y[index]], axis=1),
        covariances=(scale[index] ** 2)[:, None, None] * np.eye(2),
    )
    return Parameters(mixture=parameters.mixture.joined(added), amplitudes=parameters.amplitudes)
