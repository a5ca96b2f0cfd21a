"""Mixture: the sky as a sum of Gaussians, and which of its numbers a fit leaves alone."""

from dataclasses import dataclass

import numpy as np

from .._arrays import read_only
from ..errors import InputError

# Standard deviation that stands for none: that of a point source [arcsec].
POINT_SIGMA = 1e-3
# What a file calls the fields of Fixed.
_FIELDS = ("fluxes", "means", "covariances", "points")
FIXED_COLUMNS = {"fixed_flux": "fluxes", "fixed_mean": "means", "fixed_covariance": "covariances"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Mixture:
    """A sum of K Gaussians on the sky, before the telescope blurs it.

    Attributes
    ----------
    fluxes : (K,) array
        Photons each component would give at the reference exposure [photon].
    means : (K, 2) array
        Centres in the tangent plane [arcsec].
    covariances : (K, 2, 2) array
        Intrinsic covariances, PSF not included [arcsec**2].
    """

    fluxes: np.ndarray
    means: np.ndarray
    covariances: np.ndarray

    def __post_init__(self):
        read_only(self, fluxes=("K",), means=("K", 2), covariances=("K", 2, 2))
        if np.any(self.fluxes <= 0):
            raise InputError(f"fluxes must be positive, got {self.fluxes.min():.6g}")
        c = self.covariances
        if (
            np.any(c[:, 0, 0] <= 0)
            or np.any(np.linalg.det(c) <= 0)
            or np.any(np.abs(c[:, 0, 1] - c[:, 1, 0]) > 1e-9 * np.sqrt(c[:, 0, 0] * c[:, 1, 1]))
        ):
            raise InputError("covariances must be symmetric and positive definite")

    @classmethod
    def empty(cls):
        """The mixture of no component."""
        return cls(fluxes=np.zeros(0), means=np.zeros((0, 2)), covariances=np.zeros((0, 2, 2)))

    def __len__(self):
        return len(self.fluxes)

    def select(self, index):
        """The components that `index` (integers or booleans) names, in its order."""
        return Mixture(
            fluxes=self.fluxes[index], means=self.means[index], covariances=self.covariances[index]
        )

    def joined(self, other):
        """These components followed by those of another mixture."""
        return Mixture(
            fluxes=np.concatenate([self.fluxes, other.fluxes]),
            means=np.concatenate([self.means, other.means]),
            covariances=np.concatenate([self.covariances, other.covariances]),
        )

    def ordered(self):
        """The components by falling flux."""
        return self.select(np.argsort(-self.fluxes, kind="stable"))

    def density(self, x, y):
        """Surface brightness ``sum_k F_k N(x; mu_k, Sigma_k)`` at positions [photon / arcsec**2]."""
        x, y = np.broadcast_arrays(np.asarray(x, np.float64), np.asarray(y, np.float64))
        total = np.zeros(x.shape)
        for flux, mean, inverse in zip(
            self.fluxes, self.means, np.linalg.inv(self.covariances), strict=True
        ):
            dx, dy = x - mean[0], y - mean[1]
            q = inverse[0, 0] * dx * dx + 2 * inverse[0, 1] * dx * dy + inverse[1, 1] * dy * dy
            total += flux * np.sqrt(np.linalg.det(inverse)) / (2 * np.pi) * np.exp(-q / 2)
        return total

    def sample(self, n, rng):
        """n positions (n, 2) [arcsec] drawn from the normalised mixture with the generator `rng`."""
        counts = rng.multinomial(n, self.fluxes / self.fluxes.sum())
        draws = [
            rng.multivariate_normal(m, c, k)
            for m, c, k in zip(self.means, self.covariances, counts, strict=True)
        ]
        return rng.permutation(np.concatenate([np.zeros((0, 2)), *draws]))


@dataclass(frozen=True, eq=False, kw_only=True)
class Fixed:
    """Which numbers of a mixture a fit leaves as they are, to the bit.

    Attributes
    ----------
    fluxes, means, covariances : (K,) booleans
        Whether the flux, the mean or the covariance of each component is held.
    points : (K,) booleans, optional
        Which components are point sources: no wider than POINT_SIGMA, and held there. None where not given.
    """

    fluxes: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    points: np.ndarray = None

    def __post_init__(self):
        if self.points is None:
            object.__setattr__(self, "points", np.zeros(np.size(self.fluxes), bool))
        for name in _FIELDS:
            array = np.array(getattr(self, name), bool)
            if array.shape != (np.size(self.fluxes),):
                raise InputError(
                    f"Fixed.{name} must be one boolean per component, got shape {array.shape} for {np.size(self.fluxes)}"
                )
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        if np.any(self.points & ~self.covariances):
            raise InputError("the covariance of a point source is held")

    @classmethod
    def none(cls, k):
        """Nothing of k components."""
        return cls(fluxes=np.zeros(k, bool), means=np.zeros(k, bool), covariances=np.zeros(k, bool))

    def __len__(self):
        return len(self.fluxes)

    @property
    def any_fixed(self):
        """(K,) booleans: components of which anything is held; they are never removed or exchanged."""
        return self.fluxes | self.means | self.covariances

    def select(self, index):
        """Of the components that `index` (integers or booleans) names, in its order."""
        return Fixed(**{name: getattr(self, name)[index] for name in _FIELDS})

    def joined(self, other):
        """Of these components followed by those of another mixture."""
        return Fixed(
            **{
                name: np.concatenate([getattr(self, name), getattr(other, name)])
                for name in _FIELDS
            }
        )

    def keep(self, before, after):
        """The mixture `after` with what is held as it is in `before`."""
        return Mixture(
            fluxes=np.where(self.fluxes, before.fluxes, after.fluxes),
            means=np.where(self.means[:, None], before.means, after.means),
            covariances=np.where(
                self.covariances[:, None, None], before.covariances, after.covariances
            ),
        )
