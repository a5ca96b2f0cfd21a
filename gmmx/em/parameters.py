"""The parameters of a fit, a mixture and background amplitudes, and the priors on them."""

from dataclasses import dataclass, field, replace

import numpy as np

from ..config import FitOptions
from ..errors import InputError
from ..model.mixture import Fixed, Mixture

# The least variance lies this far below the square of min_sigma, relatively.
_BELOW_FLOOR = 1e-3


@dataclass(frozen=True, kw_only=True)
class Priors:
    """Strengths of the priors, and the floor of the covariances.

    Parameters
    ----------
    mean_count : float
        a: the prior of a mean weighs as much as this many photons that are spread as the
        exposure is over the component.
    covariance_count : float
        nu: the prior of a covariance weighs as much as this many photons that are spread as the
        core of the PSF.
    min_sigma : float
        Smallest intrinsic standard deviation of a component [arcsec].
    amplitudes : tuple of (2, n_b) arrays, optional
        Mean of the Gaussian prior on each background amplitude of each observation
        [photon / arcsec**2], and one over its variance, 0 without a prior. None: there is none.

    Raises
    ------
    InputError
        If a strength is negative or the floor is not positive.

    Examples
    --------
    >>> Priors(covariance_count=0.0)
    Priors(mean_count=1.0, covariance_count=0.0, min_sigma=0.1)
    """

    mean_count: float = FitOptions.prior_mean_count
    covariance_count: float = FitOptions.prior_covariance_count
    min_sigma: float = FitOptions.min_sigma
    amplitudes: tuple | None = field(default=None, repr=False)

    @property
    def least_variance(self):
        """Smallest variance of a component along any axis within a phase [arcsec**2].

        It lies a little below `min_sigma`**2, to which an M-step raises a component: a component
        on the floor then has a logarithm of what lies above it, by which quasi-Newton steps move.
        """
        return (1 - _BELOW_FLOOR) * self.min_sigma**2


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Parameters:
    """A mixture, the background amplitudes, and which of the mixture's numbers stay fixed.

    Parameters
    ----------
    mixture : Mixture
        K components in D dimensions.
    amplitudes : tuple of (n_b,) arrays
        Background amplitudes B of each observation [photon / arcsec**2]; an empty array for one
        without backgrounds.
    fixed : Fixed or None
        Which numbers of the mixture are not fitted; None if all are. `moved`, `select` and
        `joined` keep it in step with the components.

    Raises
    ------
    InputError
        If `fixed` has another number of components than the mixture.

    Examples
    --------
    >>> from gmmx.model.mixture import Mixture
    >>> mixture = Mixture(fluxes=[100.0], means=[[0.0, 0.0]], covariances=[[[4.0, 0], [0, 4.0]]])
    >>> parameters = Parameters(mixture=mixture, amplitudes=(np.zeros(0),))
    >>> parameters.joined(mixture)
    Parameters(Mixture(2 components in 2 dimensions, flux 200), 0 background amplitudes)
    """

    mixture: Mixture
    amplitudes: tuple
    fixed: Fixed | None = None

    def __post_init__(self):
        if self.fixed is not None and len(self.fixed) != len(self.mixture):
            raise InputError(
                f"`fixed` has {len(self.fixed)} components, but the mixture has {len(self.mixture)}"
            )

    def __repr__(self):
        n, fixed = sum(map(len, self.amplitudes)), "" if self.fixed is None else f", {self.fixed}"
        amplitudes = f"{n} background amplitude{'' if n == 1 else 's'}"
        return f"Parameters({self.mixture}, {amplitudes}{fixed})"

    @property
    def any_fixed(self):
        """Components that have a fixed parameter, (K,) booleans."""
        return np.zeros(len(self.mixture), bool) if self.fixed is None else self.fixed.any_fixed

    @property
    def points(self):
        """Components that are point sources, (K,) booleans."""
        return np.zeros(len(self.mixture), bool) if self.fixed is None else self.fixed.points

    def scales(self, phase):
        """Covariances in whose units a mean is moved, (K, D, D) [arcsec**2].

        These are the component's own covariances. A point source has none, so that the core of
        the PSF takes its place.
        """
        covariances = self.mixture.covariances
        if not np.any(self.points):
            return covariances
        cores = phase.prior_scales[:, None, None] * np.eye(covariances.shape[-1])
        return np.where(self.points[:, None, None], cores, covariances)

    def moved(self, mixture, amplitudes):
        """The same components with other values; fixed numbers keep theirs to the bit."""
        if self.fixed is not None:
            mixture = self.fixed.keep(self.mixture, mixture)
        return Parameters(mixture=mixture, amplitudes=tuple(amplitudes), fixed=self.fixed)

    def select(self, index):
        """The parameters with only the components of `index` (integers or booleans)."""
        return replace(
            self,
            mixture=self.mixture.select(index),
            fixed=None if self.fixed is None else self.fixed.select(index),
        )

    def joined(self, mixture):
        """The parameters with the components of another mixture added, all of them free."""
        fixed = None if self.fixed is None else self.fixed.joined(Fixed.none(len(mixture)))
        return replace(self, mixture=self.mixture.joined(mixture), fixed=fixed)
