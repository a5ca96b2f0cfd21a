"""The rule that chooses the number of components: Schwarz's criterion.

Schwarz's criterion (1978, Annals of Statistics 6, 461) charges half the logarithm of the number
of data for each parameter. A component has six parameters: one flux, two coordinates and three
elements of its covariance.

On one path for each sky (benchmarks/choice.txt) this rule, the integrated completed likelihood
and held-out photons alike find 1, 3 and 10 separated sources, and none in a flat sky (five seeds
each; held-out photons once found an eleventh). The rules differ where components overlap. On a
ray-traced galaxy of 15 components they choose 15, 6 and 17 to 19 components, whose images differ
from the truth by 1.3, 16 and 1.4 % at 8 arcsec; on a beta-model they choose 3 to 4, 1 and 3 to 4.
The integrated completed likelihood fails there because its entropy term punishes overlap.
Held-out photons serve as well as Schwarz's criterion, but need twice the work and half of the
photons.
"""

import numpy as np

# Parameters of a component.
_PARAMETERS = 6


def price(n_photons):
    """Gain in log L that one more component must bring: 3 log N [nat].

    Examples
    --------
    >>> print(round(price(10_000), 2))
    27.63
    """
    return _PARAMETERS / 2 * float(np.log(max(n_photons, 2.0)))


def criterion(log_likelihood, n_components, n_photons):
    """Schwarz's criterion, log L - 3 K log N [nat]; the larger the better.

    Examples
    --------
    >>> print(criterion(-100.0, 0, 10_000))
    -100.0
    """
    return log_likelihood - price(n_photons) * n_components
