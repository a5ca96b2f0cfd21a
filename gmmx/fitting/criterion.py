"""The rule that chooses the number of components: what a component must gain to be kept.

A component is kept where it raises log L by more than its price. The price has two parts. The
first is Akaike's (1974, IEEE Transactions on Automatic Control 19, 716): one nat for each of the
six parameters, because six parameters that mean nothing raise the log-likelihood of the fitted
photons by three nats and lower that of other photons by as many. The second accounts for the
look-elsewhere effect: a component is placed at the best of all positions and scales that were
searched, and the best of n noise peaks exceeds a single one by about log n. A broad component has
few positions in the field, and is cheap; a component as narrow as the PSF has many.

The tables of benchmarks/choice.txt compare this rule with Schwarz's criterion and with fixed
prices. Schwarz's criterion (1978, Annals of Statistics 6, 461) demands 3 log N nats for N photons.
It is right where the sky is a mixture, and too dear where it is not, as with beta-models, spirals
and jets: there more components bring the image closer to the truth.
"""

from dataclasses import dataclass

import numpy as np

# Parameters of a component: a flux, two coordinates, and three elements of its covariance.
_PARAMETERS = 6


@dataclass(frozen=True, kw_only=True)
class Price:
    """Gain in log L that a component must bring [nat].

    The price of a component with the geometric mean sigma s is

        constant + log(1 + A / (4 pi (s^2 + h^2))),

    where A is the area that was searched, 4 pi s^2 the effective area of a Gaussian, and h the
    cell of the search.

    Parameters
    ----------
    constant : float
        Part that is the same for all components [nat].
    area : float
        A [arcsec**2]; zero makes the price the same for all components.
    finest : float
        h [arcsec].

    Examples
    --------
    >>> from gmmx.model.mixture import Mixture
    >>> covariances = np.array([1.0, 60.0])[:, None, None] ** 2 * np.eye(2)
    >>> pair = Mixture(fluxes=np.ones(2), means=np.zeros((2, 2)), covariances=covariances)
    >>> Price.of_search(area=480.0**2, n_scales=7, finest=1.0).of(pair).round(1).tolist()
    [17.1, 9.8]
    >>> Price(constant=20.0).of(pair).tolist()
    [20.0, 20.0]
    """

    constant: float
    area: float = 0.0
    finest: float = 1.0

    @classmethod
    def of_search(cls, *, area, n_scales, finest):
        """The price where an area [arcsec**2] was searched on a number of scales."""
        return cls(constant=_PARAMETERS + float(np.log(n_scales)), area=area, finest=finest)

    def of(self, mixture):
        """Price of each component, (K,) [nat]."""
        squares = np.sqrt(np.linalg.det(mixture.covariances)) + self.finest**2
        return self.constant + np.log1p(self.area / (4 * np.pi * squares))

    def criterion(self, log_likelihood, mixture):
        """Log L less the price of all components [nat]; the larger the better."""
        return float(log_likelihood) - float(self.of(mixture).sum())
