"""Mixture: the sky as a sum of Gaussians, and which of its numbers a fit keeps fixed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .._arrays import is_positive_definite, read_only
from .._words import counted
from ..errors import InputError
from .gaussians import conditional_of, density_of, marginal_of

# Standard deviation that a point source is given [arcsec].
POINT_SIGMA = 1e-3
# Columns of component tables, and the fields of Fixed that they hold.
FIXED_COLUMNS = {"fixed_flux": "fluxes", "fixed_mean": "means", "fixed_covariance": "covariances"}
_FIELDS = ("fluxes", "means", "covariances", "points")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Mixture:
    """A sum of K Gaussians in D dimensions, before PSF and measurement errors.

    On the sky D is 2 and the columns of the means are x and y in the tangent plane. The methods
    that need no sky work for any D >= 1.

    Parameters
    ----------
    fluxes : (K,) array
        Photons that each component would give at the reference exposure [photon]; positive.
    means : (K, D) array
        Centres [arcsec].
    covariances : (K, D, D) array
        Intrinsic covariances, without the PSF [arcsec**2]; symmetric and positive definite.

    Raises
    ------
    InputError
        If the lengths differ, a number is not finite, a flux is not positive or a covariance is
        not positive definite.

    Examples
    --------
    >>> narrow, broad = [[1.0, 0.0], [0.0, 1.0]], [[25.0, 0.0], [0.0, 9.0]]
    >>> Mixture(fluxes=[100.0, 300.0], means=[[0.0, 0.0], [8.0, 2.0]], covariances=[narrow, broad])
    Mixture(2 components in 2 dimensions, flux 400)
    """

    fluxes: np.ndarray
    means: np.ndarray
    covariances: np.ndarray

    def __post_init__(self):
        read_only(self, fluxes=("K",), means=("K", "D"), covariances=("K", "D", "D"))
        if self.n_dimensions == 0:
            raise InputError("a mixture has at least one dimension: give `means` a column")
        if np.any(self.fluxes <= 0):
            raise InputError(f"fluxes must be positive, got {self.fluxes.min():.6g}")
        if not is_positive_definite(self.covariances):
            raise InputError("covariances must be symmetric and positive definite")

    @classmethod
    def empty(cls, n_dimensions: int = 2) -> "Mixture":
        """The mixture without components."""
        d = n_dimensions
        return cls(fluxes=np.zeros(0), means=np.zeros((0, d)), covariances=np.zeros((0, d, d)))

    def __len__(self) -> int:
        """Number of components, K."""
        return len(self.fluxes)

    def __repr__(self) -> str:
        components = counted(len(self), "component")
        dimensions = counted(self.n_dimensions, "dimension")
        return f"Mixture({components} in {dimensions}, flux {self.fluxes.sum():.6g})"

    @property
    def n_dimensions(self) -> int:
        """Number of dimensions, D."""
        return self.means.shape[1]

    def select(self, index: np.ndarray) -> "Mixture":
        """The components that `index` (integers or booleans) selects, in its order.

        Examples
        --------
        >>> one = Mixture(fluxes=[1.0, 2.0], means=[[0.0], [5.0]], covariances=[[[1.0]], [[4.0]]])
        >>> one.select([1]).means
        array([[5.]])
        """
        return Mixture(
            fluxes=self.fluxes[index], means=self.means[index], covariances=self.covariances[index]
        )

    def joined(self, other: "Mixture") -> "Mixture":
        """The mixture of these components, followed by those of another mixture.

        Raises
        ------
        InputError
            If the other mixture has another number of dimensions.
        """
        if other.n_dimensions != self.n_dimensions:
            raise InputError(
                f"mixtures of {self.n_dimensions} and {other.n_dimensions} dimensions cannot be "
                "joined"
            )
        return Mixture(
            fluxes=np.concatenate([self.fluxes, other.fluxes]),
            means=np.concatenate([self.means, other.means]),
            covariances=np.concatenate([self.covariances, other.covariances]),
        )

    def ordered(self) -> "Mixture":
        """The components in order of falling flux."""
        return self.select(np.argsort(-self.fluxes, kind="stable"))

    def density(self, *coordinates: np.ndarray) -> np.ndarray:
        """Density ``sum_k F_k N(x; mu_k, Sigma_k)`` at positions.

        Parameters
        ----------
        *coordinates : D arrays that broadcast with each other
            On the sky x and y [arcsec].

        Returns
        -------
        array
            Of the coordinates' shape; on the sky the surface brightness [photon / arcsec**2].

        Examples
        --------
        >>> one = Mixture(fluxes=[100.0], means=[[0.0, 0.0]], covariances=[[[4.0, 0], [0, 1.0]]])
        >>> one.density([0.0, 2.0], 0.0).round(3)
        array([7.958, 4.827])
        """
        if len(coordinates) != self.n_dimensions:
            raise InputError(
                f"a mixture of {self.n_dimensions} dimensions has no density at "
                f"{len(coordinates)} coordinates"
            )
        return density_of(self, coordinates)

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw positions from the normalised mixture.

        Parameters
        ----------
        n : int
            Number of positions.
        rng : numpy.random.Generator

        Returns
        -------
        (n, D) array
            [arcsec]

        Examples
        --------
        >>> one = Mixture(fluxes=[1.0], means=[[5.0, 0.0]], covariances=[[[4.0, 0], [0, 1.0]]])
        >>> one.sample(1000, np.random.default_rng(0)).shape
        (1000, 2)
        """
        counts = rng.multinomial(n, self.fluxes / self.fluxes.sum())
        draws = [
            rng.multivariate_normal(m, c, k)
            for m, c, k in zip(self.means, self.covariances, counts, strict=True)
        ]
        return rng.permutation(np.concatenate([np.zeros((0, self.n_dimensions)), *draws]))

    def marginal(self, columns: int | Sequence[int]) -> "Mixture":
        """Mixture of some of the coordinates, integrated over the others.

        See `gmmx.model.gaussians.marginal_of`.

        Examples
        --------
        >>> line = Mixture(fluxes=[1.0], means=[[0.0, 2.0]], covariances=[[[1.0, 0.8], [0.8, 4.0]]])
        >>> line.marginal([1]).covariances
        array([[[4.]]])
        """
        return marginal_of(self, columns)

    def conditional(self, given: Mapping[int, float]) -> "Mixture":
        """Mixture of the remaining coordinates when some are known.

        See `gmmx.model.gaussians.conditional_of`.

        Examples
        --------
        >>> line = Mixture(fluxes=[1.0], means=[[0.0, 0.0]], covariances=[[[1.0, 0.8], [0.8, 1.0]]])
        >>> line.conditional({1: 1.0}).means
        array([[0.8]])
        """
        return conditional_of(self, given)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Fixed:
    """The parameters of a mixture that a fit keeps fixed.

    Parameters
    ----------
    fluxes, means, covariances : (K,) booleans
        Whether the flux, the mean or the covariance of each component is fixed.
    points : (K,) booleans, optional
        Which components are point sources, whose width is fixed at `POINT_SIGMA`; none by default.

    Raises
    ------
    InputError
        If the lengths differ, or the covariance of a point source is not fixed.

    Examples
    --------
    >>> Fixed(fluxes=[False, False], means=[True, False], covariances=[True, False])
    Fixed(1 of 2 components: 0 fluxes, 1 mean, 1 covariance; 0 point sources)
    """

    fluxes: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    # None stands for no point source until __post_init__ has run.
    points: np.ndarray = None  # type: ignore[assignment]

    def __post_init__(self):
        if self.points is None:
            object.__setattr__(self, "points", np.zeros(np.size(self.fluxes), bool))
        for name in _FIELDS:
            array = np.array(getattr(self, name), bool)
            if array.shape != (np.size(self.fluxes),):
                raise InputError(
                    f"Fixed.{name} must be one boolean for each component, got shape "
                    f"{array.shape} for {np.size(self.fluxes)}"
                )
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        if np.any(self.points & ~self.covariances):
            raise InputError("the covariance of a point source must be fixed")

    @classmethod
    def none(cls, n_components: int) -> "Fixed":
        """The record of K components in which nothing is fixed."""
        free = np.zeros(n_components, bool)
        return cls(fluxes=free, means=free, covariances=free)

    def __len__(self) -> int:
        """Number of components, K."""
        return len(self.fluxes)

    def __repr__(self) -> str:
        names = (("flux", "fluxes"), ("mean", "means"), ("covariance", "covariances"))
        parts = ", ".join(
            counted(int(getattr(self, several).sum()), one, several) for one, several in names
        )
        return (
            f"Fixed({int(self.any_fixed.sum())} of {counted(len(self), 'component')}: {parts}; "
            f"{counted(int(self.points.sum()), 'point source')})"
        )

    @property
    def any_fixed(self) -> np.ndarray:
        """Components that have a fixed number, (K,) booleans.

        A fit never removes or exchanges them.
        """
        return self.fluxes | self.means | self.covariances

    def select(self, index: np.ndarray) -> "Fixed":
        """The components that `index` (integers or booleans) selects, in its order."""
        return Fixed(**{name: getattr(self, name)[index] for name in _FIELDS})

    def joined(self, other: "Fixed") -> "Fixed":
        """These components, followed by those of another mixture."""
        return Fixed(
            **{
                name: np.concatenate([getattr(self, name), getattr(other, name)])
                for name in _FIELDS
            }
        )

    def keep(self, before: Mixture, after: Mixture) -> Mixture:
        """The mixture `after` with the fixed numbers of `before`."""
        return Mixture(
            fluxes=np.where(self.fluxes, before.fluxes, after.fluxes),
            means=np.where(self.means[:, None], before.means, after.means),
            covariances=np.where(
                self.covariances[:, None, None], before.covariances, after.covariances
            ),
        )
