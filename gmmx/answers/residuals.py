"""Residuals of photons against their expectation."""

import numpy as np


def poisson_residual(counts: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Signed square root of the Poisson deviance of counts d against their expectation m.

    ``sign(d - m) sqrt(2 (d log(d / m) - d + m))``, which is nearly a standard normal deviate where
    m is large. It is 0 where nothing is expected.

    Parameters
    ----------
    counts, expected : arrays of one shape
        [photon]

    Examples
    --------
    >>> poisson_residual(np.array([110.0, 90.0, 0.0]), np.array([100.0, 100.0, 2.0])).round(2)
    array([ 0.98, -1.02, -2.  ])
    """
    seen = expected > 0
    m = np.where(seen, expected, 1.0)
    d = np.where(seen, counts, 1.0)
    deviance = 2 * (np.where(d > 0, d * np.log(np.where(d > 0, d, 1.0) / m), 0.0) - (d - m))
    return np.where(seen, np.sign(d - m) * np.sqrt(np.maximum(deviance, 0.0)), 0.0)
