"""Which components there are: growing them where the data exceed the model, and exchanging those of little use for those that are missing.

Where EM ends depends on where it starts, far more than on anything else. A mixture that grows from the background up, by components placed where the photons
exceed what the model expects of them, ends close to the truth where random starts do not.
"""

from dataclasses import dataclass

import numpy as np

from ._kernels.search import significances, smoothed
from .em import Parameters, background_maps, floored, log_densities, removal_losses
from .grid import PixelGrid
from .information import Information
from .mixture import Mixture
from .raster import blurred, pixel_means

# Cells of the search grid per side, at most.
_MAX_CELLS = 1280
_FINEST_SCALE = 2.0
_COARSEST_SCALE = 128.0
# Smoothing scale in cells of its level.
_SIGMA_CELLS = 2.0
_MOST_PEAKS = 200
_MOST_PROPOSED = 60
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
        model, omega = _levels(expected, len(self.smoothed)), _levels(omega, len(self.smoothed))
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
            found.append(np.stack([ratio[iy, ix] - threshold, x, y, sigma, area * (d - m)[iy, ix] / seen]))
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
    taps = np.exp(-0.5 * (np.arange(int(3 * _SIGMA_CELLS) + 1) / _SIGMA_CELLS) ** 2)
    return smoothed(np.ascontiguousarray(image, np.float64), taps / (taps[0] + 2 * taps[1:].sum()))


def _apart(x, y, scale, chosen):
    """Whether a place is clear of those already chosen, at its scale or theirs."""
    return all(np.hypot(x - cx, y - cy) > 1.5 * max(scale, cs) for cx, cy, cs in chosen)


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
    _, x, y, scale, flux = search.candidates(prepared, parameters, least)
    chosen, index = [], []
    for i in range(len(x)):
        if len(chosen) == count:
            break
        if _apart(x[i], y[i], scale[i], chosen):
            chosen.append((x[i], y[i], scale[i]))
            index.append(i)
    if not chosen:
        return parameters
    added = _round(x[index], y[index], scale[index], np.maximum(0.5 * flux[index], 1e-3))
    return Parameters(mixture=parameters.mixture.joined(added), amplitudes=parameters.amplitudes)


def _round(x, y, scale, flux):
    return Mixture(fluxes=flux, means=np.stack([x, y], axis=1), covariances=(scale**2)[:, None, None] * np.eye(2))


@dataclass(frozen=True, eq=False)
class Proposal:
    """Components that could be added, by falling gain, and what removing each present one would cost.

    Attributes
    ----------
    added : Mixture
        Candidates, each with the flux it would take.
    gains : (n,) array
        Estimated gain of each, alone, after all others have made room [nat].
    parents : (n,) integers
        Component that a candidate was made from; -1 for one found in the residual.
    losses : (K,) array
        Estimated loss of removing each present component, alone, after the others have filled its place [nat].
    """

    added: Mixture
    gains: np.ndarray
    parents: np.ndarray
    losses: np.ndarray


def propose(search, prepared, parameters, phase, shares, *, min_sigma, photons):
    """What could be added and what removed, with gains and losses estimated by the information matrix.

    Candidates are the residual's peaks, and for each present component one wider and one narrower about its centre, and two halves along its major axis: where
    a component stands for two, the residual shows little, because the one has settled between them.
    """
    mixture = parameters.mixture
    k = len(mixture)
    _, x, y, scale, flux = search.candidates(prepared, parameters, -4.0)[:, :_MOST_PROPOSED]
    values, vectors = np.linalg.eigh(mixture.covariances)
    along = np.sqrt(values[:, 1])[:, None] * vectors[:, :, 1]
    parts = [_round(x, y, scale, np.maximum(flux, 1.0))]
    for factor, shift in ((4.0, 0.0), (0.25, 0.0), (0.4, 0.9), (0.4, -0.9)):
        parts.append(Mixture(fluxes=mixture.fluxes, means=mixture.means + shift * along, covariances=floored(factor * mixture.covariances, min_sigma)))
    candidates = parts[0]
    for part in parts[1:]:
        candidates = candidates.joined(part)
    parents = np.concatenate([np.full(len(x), -1), np.tile(np.arange(k), len(parts) - 1)])
    information = Information.at(prepared, parameters, phase, photons=photons)
    gains, fluxes = information.addition_gains(candidates, log_densities(prepared, parameters, phase))
    order = np.argsort(-gains, kind="stable")
    order = order[gains[order] > 0]
    # The quadratic estimate may ask for more than there is: a child takes at most half of its parent.
    most = np.where(parents >= 0, 0.5 * candidates.fluxes, 2 * candidates.fluxes)
    added = Mixture(fluxes=np.clip(fluxes, 1e-3, most)[order], means=candidates.means[order], covariances=candidates.covariances[order])
    losses = np.minimum(information.removal_losses(), removal_losses(prepared, parameters, phase, shares))
    return Proposal(added, gains[order], parents[order], losses)


def exchanged(parameters, proposal, n_components, count, *, margin, skip=0):
    """The parameters after up to `count` exchanges, each removing a component for one that promises more, and additions up to `n_components`.

    Parameters
    ----------
    margin : float
        What a pair must promise to gain at least [nat].
    skip : int
        Leave out this many of the best candidates.

    Returns
    -------
    Parameters
        The same object where nothing promises enough.
    """
    mixture = parameters.mixture
    room = max(n_components - len(mixture), 0)
    removable = np.argsort(proposal.losses, kind="stable")
    removed, added, places, touched = [], [], [], set()
    for i in range(skip, len(proposal.gains)):
        if len(added) == count:
            break
        parent = int(proposal.parents[i])
        where = (*proposal.added.means[i], np.linalg.det(proposal.added.covariances[i]) ** 0.25)
        if parent in touched or parent in removed or (parent < 0 and not _apart(*where, places)):
            continue
        if len(added) >= room:
            spare = next((r for r in removable if r not in removed and r not in touched and r != parent), None)
            if spare is None or proposal.gains[i] < proposal.losses[spare] + margin:
                break
            removed.append(int(spare))
        elif proposal.gains[i] < margin:
            break
        added.append(i)
        places.append(where)
        if parent >= 0:
            touched.add(parent)
    if not added:
        return parameters
    fluxes = mixture.fluxes.copy()
    for i in added:
        if proposal.parents[i] >= 0:
            fluxes[proposal.parents[i]] -= proposal.added.fluxes[i]
    kept = np.setdiff1d(np.arange(len(mixture)), removed)
    remaining = Mixture(fluxes=fluxes[kept], means=mixture.means[kept], covariances=mixture.covariances[kept])
    return Parameters(mixture=remaining.joined(proposal.added.select(added)), amplitudes=parameters.amplitudes)
