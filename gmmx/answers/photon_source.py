"""Photons that one observation would detect, drawn from the expected density lambda(x).

lambda is that of `gmmx.model.density`: the PSF is averaged over each component, the completeness
is that of a cell, and backgrounds have their shapes on the cells of the exposure map. A photon is
therefore drawn

- of a component: from one of the Gaussians ``N(mu_k, Sigma_k + S_km)``, whose photons are then
  thinned by the exposure where they are detected;
- of a background: from the cells, evenly within each.

In a cell that a mask covers in part, photons are kept where the mask does not cover them, as those
of the file are. Photons that are counted in pixels are drawn without the variance of the pixel,
which their PSF contains, and then counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..model.density import background_terms
from ..model.drawing import convolved
from ..model.photons import Photons
from ..plane.grid import PixelGrid
from .counted import at_centres, pixels_of

if TYPE_CHECKING:
    from ..model.density import BackgroundTerm
    from ..model.mixture import Mixture
    from ..model.observation import Observation

# Candidates that are drawn at once at most, of which the exposure leaves a part.
_MOST = 2_000_000


@dataclass(frozen=True, eq=False, repr=False)
class Views:
    """The Gaussians of the components as one observation sees them.

    Attributes
    ----------
    fluxes : (V,) array
        Photons where the exposure is highest [photon].
    means : (V, 2) array
        [arcsec]
    roots : (V, 2, 2) array
        Cholesky roots of the covariances [arcsec].
    components : (V,) integers
        The component of each.
    """

    fluxes: np.ndarray
    means: np.ndarray
    roots: np.ndarray
    components: np.ndarray

    def __repr__(self):
        return f"Views({len(self.fluxes)} Gaussians of {np.ptp(self.components) + 1} components)"


@dataclass(frozen=True, eq=False, repr=False)
class CellRates:
    """The expected photons of one background in the cells of the exposure map, masks ignored.

    Attributes
    ----------
    cells : (n,) integers
        Flat indices of the cells in which there are some.
    sums : (n,) array
        Running sums of the photons in them [photon].
    """

    cells: np.ndarray
    sums: np.ndarray

    @classmethod
    def of(cls, term: BackgroundTerm, amplitude: float) -> CellRates:
        """The rates of a background, without those of the cells that masks cover wholly."""
        maps = term.field.own_maps()
        values = np.where(maps.opened > 0, term.on(maps, masked=False), 0.0).ravel()
        cells = np.flatnonzero(values > 0)
        return cls(cells, np.cumsum(values[cells]) * (amplitude * maps.grid.cell_area))

    def __repr__(self):
        return f"CellRates({self.total:.5g} photons in {len(self.cells):,} cells)"

    @property
    def total(self) -> float:
        """Expected photons, masks ignored [photon]."""
        return float(self.sums[-1]) if len(self.sums) else 0.0

    def drawn(self, grid: PixelGrid, scale: float, rng: np.random.Generator):
        """Positions of a Poisson number of photons, two (n,) arrays [arcsec]."""
        n = rng.poisson(self.total * scale)
        place = np.searchsorted(self.sums, rng.random(n) * self.total, side="right")
        iy, ix = np.divmod(self.cells[np.minimum(place, len(self.cells) - 1)], grid.shape[1])
        across, along = rng.random((2, n)) - 0.5
        return grid.to_plane(ix + across, iy + along)


@dataclass(frozen=True, eq=False, repr=False)
class PhotonSource:
    """The expected density of one observation, from which photons are drawn any number of times.

    Attributes
    ----------
    observation : Observation
        Whose field, masks, PSF and pixels count; its own photons do not, except that they show
        where the pixels of a counts image lie.
    views : Views
    backgrounds : tuple of CellRates
    pixels : PixelGrid or None
        In whose pixels photons are counted; None for single photons.

    Examples
    --------
    A uniform sky of 0.02 photon/arcsec**2 on a field of 100 arcsec**2, and one component:

    >>> from gmmx.model.background import Background
    >>> from gmmx.model.completeness import Completeness
    >>> from gmmx.model.mixture import Mixture
    >>> from gmmx.model.observation import Observation
    >>> grid = PixelGrid.covering((-5, 5), (-5, 5), 0.5)
    >>> observation = Observation(
    ...     photons=Photons([], []),
    ...     completeness=Completeness(grid=grid, exposure=np.ones(grid.shape)),
    ...     backgrounds=(Background(kind="sky"),),
    ... )
    >>> star = Mixture(fluxes=[1000.0], means=[[0.0, 0.0]], covariances=[np.eye(2)])
    >>> source = PhotonSource.of(observation, star, [0.5], reference=1.0)
    >>> source
    PhotonSource(observation: 1 component, 1 background)
    >>> photons, origin = source.drawn(np.random.default_rng(0))
    >>> photons, int((origin == 0).sum()), int((origin == -1).sum())
    (Photons(1,068 photons), 1012, 56)
    """

    observation: Observation
    views: Views
    backgrounds: tuple[CellRates, ...]
    pixels: PixelGrid | None

    @classmethod
    def of(
        cls,
        observation: Observation,
        mixture: Mixture,
        amplitudes: Sequence[float] | np.ndarray,
        *,
        reference: float,
    ) -> PhotonSource:
        """Prepare an observation and a parameter set.

        Parameters
        ----------
        observation : Observation
        mixture : Mixture
            All components, point sources included.
        amplitudes : (n_b,) array
            Of the observation's backgrounds [photon / arcsec**2].
        reference : float
            E_ref of the fit, at which the fluxes are counted.
        """
        highest = 1.0
        if observation.completeness is not None:
            highest = float(observation.completeness.exposure.max()) / reference
        rates = tuple(
            CellRates.of(term, float(amplitude))
            for term, amplitude in zip(
                background_terms(observation, reference), amplitudes, strict=True
            )
        )
        return cls(
            observation, _views(mixture, observation, highest), rates, pixels_of(observation)
        )

    def __repr__(self):
        k, b = len(np.unique(self.views.components)), len(self.backgrounds)
        return (
            f"PhotonSource({self.observation.name}: {k} component{'s' * (k != 1)}, "
            f"{b} background{'s' * (b != 1)})"
        )

    def drawn(self, rng: np.random.Generator, scale: float = 1.0) -> tuple[Photons, np.ndarray]:
        """Draw the photons of one exposure, in random order.

        Parameters
        ----------
        rng : numpy.random.Generator
        scale : float
            Factor on the exposure time.

        Returns
        -------
        photons : Photons
            Detected photons, each of weight 1.
        origin : (N,) integers
            The component of each photon, or -1 - b for a photon of the b-th background.
        """
        parts = [*self._of_components(rng, scale), *self._of_backgrounds(rng, scale)]
        x, y, origin = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        order = rng.permutation(len(x))
        x, y, origin = x[order], y[order], origin[order]
        if self.pixels is not None:
            x, y = at_centres(self.observation, self.pixels, x, y)
        return Photons(x, y, pixel=self.observation.photons.pixel), origin

    def _of_components(self, rng, scale):
        """Positions and origins of the detected photons of the components, part by part."""
        views = self.views
        left = rng.poisson(views.fluxes * scale)
        yield np.zeros(0), np.zeros(0), np.zeros(0, np.int64)
        while left.any():
            # As many views as there is room for, and of the last of them a part.
            now = np.diff(np.minimum(np.cumsum(left), _MOST), prepend=0)
            left = left - now
            view = np.repeat(np.arange(len(now)), now)
            normal = rng.standard_normal((len(view), 2))
            x, y = (views.means[view] + np.einsum("nij,nj->ni", views.roots[view], normal)).T
            yield self._recorded(rng, x, y, views.components[view], by_exposure=True)

    def _of_backgrounds(self, rng, scale):
        """Positions and origins of the detected photons of each background."""
        for b, rates in enumerate(self.backgrounds):
            if rates.total > 0:
                x, y = rates.drawn(self.observation.completeness.grid, scale, rng)
                yield self._recorded(rng, x, y, np.full(len(x), -1 - b), by_exposure=False)

    def _recorded(self, rng, x, y, origin, *, by_exposure):
        """The candidates that the telescope records and no mask covers."""
        completeness = self.observation.completeness
        if completeness is None:
            return x, y, origin
        ix, iy, keep = completeness.grid.locate(x, y)
        if by_exposure:
            exposure = completeness.exposure
            keep = keep & (rng.random(len(x)) * exposure.max() < exposure[iy, ix])
        fraction = completeness.open_fraction[iy, ix]
        keep &= fraction > 0
        partly = np.flatnonzero(keep & (fraction < 1))
        if len(partly):
            if self.observation.masks is None:
                keep[partly] = rng.random(len(partly)) < fraction[partly]
            else:
                keep[partly] = ~self.observation.cuts_out(x[partly], y[partly])
        return x[keep], y[keep], origin[keep]


def _views(mixture, observation, highest):
    """The Gaussians of a mixture in one observation, without the variance of pixels."""
    fluxes, means, covariances = convolved(mixture, observation.psf)
    if observation.psf is not None:
        covariances = covariances - observation.photons.pixel**2 / 12 * np.eye(2)
    per_component = len(fluxes) // max(len(mixture), 1)
    return Views(
        fluxes=fluxes * highest,
        means=means,
        roots=np.linalg.cholesky(covariances),
        components=np.repeat(np.arange(len(mixture)), per_component),
    )
