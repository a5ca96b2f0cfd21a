"""Wings of beta-models beside a mixture.

A mixture ends where the background hides its photons, and real emission goes on. A wing

    A (1 + m^2 / r_c^2)^(-3 beta + 1/2)  [photon / arcsec**2 at the reference exposure]

with the elliptical radius m (Cavaliere & Fusco-Femiano 1976, A&A 49, 137) is fitted beside the
mixture as one more background that the mirrors vignette. It is broad, so that the PSF does not
matter.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gamma

from ..em.photons import PhotonLikelihood
from ..model.background import Background
from ..model.field import Field

# Shapes that are tried: r_c as parts of the half-diagonal of the field, and beta.
CORES, BETAS = (1 / 24, 1 / 12, 1 / 6, 1 / 3), (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
# Mean and scatter of beta. Clusters and groups of galaxies have 0.5 to 0.8 (Jones & Forman 1999,
# ApJ 511, 65).
_USUAL_BETA, _BETA_SCATTER = 0.65, 0.12
# Number of Gaussians of which a wing is the sum, and r_c over the smallest of their sigmas.
N_GAUSSIANS, _NARROWEST = 12, 5.0
# The sum follows the wing out to so many half-diagonals of the field.
_REACH = 2.0
# A wing must keep this part of its own information beside all other parameters. Otherwise they can
# imitate it to all the digits that its gain has.
_DISTINCT = 1e-3


@dataclass(frozen=True, eq=False)
class BetaWing:
    """The shape of a wing.

    Attributes
    ----------
    centre : (2,) array
        [arcsec]
    ellipse : (2, 2) array
        Of determinant 1: m^2 = d^T ellipse^-1 d.
    core : float
        r_c [arcsec].
    beta : float
    reach : float
        Out to here the sum of Gaussians follows the shape [arcsec].
    """

    centre: np.ndarray
    ellipse: np.ndarray
    core: float
    beta: float
    reach: float

    def at(self, x, y):
        """The shape at positions, 1 at the centre.

        Examples
        --------
        >>> wing = BetaWing(np.zeros(2), np.eye(2), core=20.0, beta=0.5, reach=500.0)
        >>> wing.at(np.array([0.0, 20.0]), np.zeros(2))
        array([1. , 0.5])
        """
        d = np.stack([x - self.centre[0], y - self.centre[1]])
        m2 = np.einsum("i...,ij,j...->...", d, np.linalg.inv(self.ellipse), d)
        return (1 + m2 / self.core**2) ** (0.5 - 3 * self.beta)

    @property
    def log_prior(self):
        """Logarithm of how usual the shape is [nat]."""
        return -0.5 * ((self.beta - _USUAL_BETA) / _BETA_SCATTER) ** 2

    def gaussians(self):
        """The shape as a sum of Gaussians about its centre.

        A power of 1 + m^2 / r_c^2 is a mean of exp(-u m^2 / r_c^2) over a gamma distribution of u,
        and the sum is in equal steps of log u. The widest Gaussian takes the place of all that are
        wider.

        Returns
        -------
        fluxes : (N_GAUSSIANS,) array
            For an amplitude of 1 [arcsec**2].
        covariances : (N_GAUSSIANS, 2, 2) array
            [arcsec**2]

        Examples
        --------
        >>> wing = BetaWing(np.zeros(2), np.eye(2), core=20.0, beta=0.6, reach=500.0)
        >>> fluxes, covariances = wing.gaussians()
        >>> variances = covariances[:, 0, 0]
        >>> levels = fluxes / (2 * np.pi * variances)
        >>> for r in (0.0, 30.0, 300.0):
        ...     sum_of_them = (levels * np.exp(-(r**2) / 2 / variances)).sum()
        ...     print(round(float(sum_of_them / wing.at(r, 0.0)), 2))
        1.0
        1.0
        1.0
        """
        power = 3 * self.beta - 0.5
        least = (self.core / max(self.reach, self.core)) ** 2 / 2
        u = np.geomspace(least, _NARROWEST**2 / 2, N_GAUSSIANS)
        step = np.log(u[1] / u[0])
        levels = step * u**power * np.exp(-u) / gamma(power)
        levels[0] = (u[0] * np.exp(step / 2)) ** power / power / gamma(power)
        variances = self.core**2 / (2 * u)
        return levels * 2 * np.pi * variances, variances[:, None, None] * self.ellipse


def wings_of(mixture, half_diagonal):
    """The wings that a mixture may lack.

    They have the centre and the ellipse of its broad emission, because each component counts by
    its width.

    Parameters
    ----------
    mixture : Mixture
        The extended components.
    half_diagonal : float
        Of the field [arcsec].

    Returns
    -------
    list of BetaWing
    """
    if not len(mixture):
        return []
    widths = np.linalg.det(mixture.covariances) ** 0.25
    centre = np.average(mixture.means, axis=0, weights=mixture.fluxes * widths)
    ellipse = np.average(
        mixture.covariances / (widths**2)[:, None, None], axis=0, weights=mixture.fluxes * widths**2
    )
    ellipse = ellipse / np.sqrt(np.linalg.det(ellipse))
    reach = _REACH * half_diagonal
    return [BetaWing(centre, ellipse, c * half_diagonal, b, reach) for c in CORES for b in BETAS]


def with_wing(observations):
    """The observations with one more free background each, which `in_shape` makes a wing."""
    wing = Background(name="wing", kind="sky")
    return [replace(o, backgrounds=(*o.backgrounds, wing)) for o in observations]


def predicted_gains(information, wings):
    """Gain of the log-likelihood from a small wing of each shape, once all others have made room.

    This is Rao's score test: with D = d log L / d A, V the information of A, c that between A and
    the other parameters and I theirs, it is D^2 / 2 (V - c^T I^-1 c), or 0 where D < 0.

    Parameters
    ----------
    information : Information
        Of a fit at its maximum.
    wings : sequence of BetaWing

    Returns
    -------
    (n,) array
        [nat]
    """
    slopes, columns = np.zeros(len(wings)), []
    for p, log in zip(information.likelihood, information.logs, strict=True):
        chosen = p.every(information.stride)
        weights = np.sqrt(information.stride * p.weights[chosen])
        columns.append(np.empty((len(chosen), len(wings))))
        for i, wing in enumerate(wings):
            ratio = wing.at(p.x, p.y) * np.exp(-log)
            slopes[i] += p.weights @ ratio - _integral(p, wing)
            columns[-1][:, i] = weights * ratio[chosen]
    crossed = information.crossed(columns)
    own = sum((column**2).sum(0) for column in columns)
    left = own - np.einsum("ij,ij->j", crossed, information.solve(crossed))
    is_distinct = left > _DISTINCT * own
    return np.where((slopes > 0) & is_distinct, slopes**2 / np.where(is_distinct, 2 * left, 1), 0.0)


def _integral(prepared, wing):
    """Photons that an observation expects of a wing of amplitude 1."""
    maps = Field(prepared.observation.completeness, prepared.reference).own_maps()
    seen = maps.omega * wing.at(*maps.grid.centres())
    return float(seen.sum() * maps.grid.cell_area)


def in_shape(problem, wing):
    """The problem with the last background of each observation in the shape of a wing.

    Parameters
    ----------
    problem : Problem
        Of observations that `with_wing` returns.
    wing : BetaWing

    Returns
    -------
    Problem
    """
    prepared = []
    for p in problem.likelihood:
        ratios, integrals = p.tiled.ratios.copy(), p.integrals.copy()
        ratios[-1], integrals[-1] = wing.at(p.x, p.y), _integral(p, wing)
        prepared.append(replace(p, tiled=p.tiled._replace(ratios=ratios), integrals=integrals))
    likelihood = PhotonLikelihood(tuple(prepared), problem.likelihood.reference_exposure)
    return replace(problem, likelihood=likelihood)
