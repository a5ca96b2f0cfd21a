"""The components of a mixture as terms of the expected density of photons."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from .._words import counted
from ..plane.grid import PixelGrid
from .field import Field, FieldMaps
from .mixture import Mixture

if TYPE_CHECKING:
    from .psf import PsfModel


@dataclass(frozen=True, eq=False, repr=False)
class Components:
    """The components of a mixture, seen by one observation.

    ``q(x) = Omega(x) sum_k F_k sum_m c_km N(x; mu_k, Sigma_k + S_km)`` with the PSF averaged over
    each component. The fluxes are part of q, so that the amplitude is 1.

    Attributes
    ----------
    mixture : Mixture
    psf : PsfModel or None
        None: the mixture is seen as it is.
    field : Field
    """

    mixture: Mixture
    psf: PsfModel | None
    field: Field
    amplitude: ClassVar[float] = 1.0

    def __repr__(self):
        return f"{type(self).__name__}({counted(len(self.mixture), 'component')})"

    @cached_property
    def views(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Fluxes, means and covariances of the Gaussians as the PSF spreads them."""
        from .drawing import convolved

        return convolved(self.mixture, self.psf)

    def shape(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Shape q at positions [photon / arcsec**2], as if there were no mask."""
        return self.field.at(x, y) * self.ratio(x, y)

    def ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Ratio q / Omega at positions: the convolved components [photon / arcsec**2]."""
        fluxes, means, covariances = self.views
        # A Gaussian of the PSF may have no weight here, but a flux is positive.
        return Mixture(
            fluxes=np.maximum(fluxes, 1e-300), means=means, covariances=covariances
        ).density(x, y)

    def everywhere(self, grid: PixelGrid) -> np.ndarray:
        """Ratio q / Omega as means over the pixels of a grid, (ny, nx) [photon / arcsec**2]."""
        from .drawing import pixel_means

        return pixel_means(*self.views, grid)

    def on(self, maps: FieldMaps, *, masked: bool = True) -> np.ndarray:
        """Shape q as means over the pixels of a grid, (ny, nx) [photon / arcsec**2].

        Omega and the components are averaged one by one.
        """
        return (maps.omega if masked else maps.unmasked) * self.everywhere(maps.grid)

    def seen(self) -> float:
        """Integral of q over the open field, sum_k F_k e_k [photon]."""
        fluxes, _, _ = self.views
        if self.field.completeness is None:
            return float(fluxes.sum())
        return float(fluxes @ self._seen_of_views())

    def seen_fractions(self) -> np.ndarray:
        """Fraction e_k of each component that is recorded, (K,)."""
        fluxes, _, _ = self.views
        seen = (fluxes * self._seen_of_views()).reshape(len(self.mixture), -1)
        return seen.sum(1) / self.mixture.fluxes

    def _seen_of_views(self) -> np.ndarray:
        """Fraction of each view that is recorded."""
        fluxes, means, covariances = self.views
        if self.field.completeness is None or len(fluxes) == 0:
            return np.ones(len(fluxes))
        from .pyramid import Pyramid

        maps = self.field.own_maps()
        pyramid = Pyramid.of(maps.grid, maps.omega)
        return pyramid.moments(means, covariances, pyramid.levels(covariances))[:, 0]


class PointComponents(Components):
    """Point sources, seen by one observation: components that have no size of their own."""
