"""The sky of a fit and those of its draws, in rings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..model.mixture import Mixture

if TYPE_CHECKING:
    from ..model.posterior import Draws
    from ..model.result import FitResult
    from .rings import Rings


@dataclass(frozen=True, eq=False)
class DrawnSkies:
    """The extended components and point sources of a fit and of its draws.

    Attributes
    ----------
    result : FitResult
    draws : Draws
    """

    result: FitResult
    draws: Draws

    @cached_property
    def columns(self) -> np.ndarray:
        """Which components of the draws are extended, (K+,) booleans."""
        extended = np.ones(self.draws.fluxes.shape[1], bool)
        extended[: len(self.result.points)] = ~self.result.points
        return extended

    @cached_property
    def fluxes(self) -> np.ndarray:
        """Fluxes of the extended components in each draw, (N, K')."""
        return self.draws.fluxes[:, self.columns]

    @cached_property
    def present(self) -> tuple[np.ndarray, np.ndarray]:
        """Draw and component of each extended component that has a flux."""
        draw, component = np.nonzero(self.fluxes > 0)
        return draw, component

    @cached_property
    def reference(self) -> Mixture:
        """A component for each column of the draws: that of the fit, or else of a draw.

        Only the form counts: components that the fit does not have get a flux of 1.
        """
        fitted, k = self.result.extended, self.fluxes.shape[1]
        first = (self.fluxes[:, len(fitted) :] > 0).argmax(0), np.arange(len(fitted), k)
        means, covariances = (
            getattr(self.draws, name)[:, self.columns] for name in ("means", "covariances")
        )
        added = Mixture(
            fluxes=np.ones(k - len(fitted)), means=means[first], covariances=covariances[first]
        )
        return fitted.joined(added)

    @cached_property
    def best_fluxes(self) -> np.ndarray:
        """Fluxes of the fit in the same columns, (K',); 0 where it has no component."""
        fluxes = self.result.extended.fluxes
        return np.append(fluxes, np.zeros(self.fluxes.shape[1] - len(fluxes)))

    def photons(self, rings: Rings) -> tuple[np.ndarray, np.ndarray]:
        """Photons of the extended components in rings: of the fit (n,), of the draws (N, n)."""
        fitted = self.result.extended
        best = fitted.fluxes @ rings.photons(fitted.means, fitted.covariances)
        return best, np.einsum("nk,nkj->nj", self.fluxes, self.fractions(rings))

    def fractions(self, rings: Rings, added: np.ndarray | None = None) -> np.ndarray:
        """The fraction of each drawn component that lies in each ring, (N, K', n).

        Parameters
        ----------
        rings : Rings
        added : (K', 2, 2) array, optional
            Covariances that are added to those of the components.
        """
        found = np.zeros((*self.fluxes.shape, len(rings)))
        means = self.draws.means[:, self.columns][self.present]
        covariances = self.draws.covariances[:, self.columns][self.present]
        if added is not None:
            covariances = covariances + added[self.present[1]]
        found[self.present] = rings.photons(means, covariances)
        return found
