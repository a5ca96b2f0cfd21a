"""What the data say of one amount that cannot be negative, all other parameters following it.

Along the path on which the others follow an amount t, the density at a datum changes by the factor
``1 + (t - t_0) d_i``. With g the slope of the objective at t_0 and r the curvature of the priors

    l(t) = g (t - t_0) - r (t - t_0)^2 / 2 + sum_i w_i [log(1 + (t - t_0) d_i) - (t - t_0) d_i].

This is the Poisson likelihood of t itself, not its quadratic approximation, so that it holds for a
few photons and at t = 0. A flat prior on t >= 0 makes it a posterior, whose quantiles are one-sided
errors and upper limits.
"""

from dataclasses import dataclass

import numpy as np

# Data of similar changes are counted together, in so many bins.
_BINS = 2000
# Points at which the posterior is integrated, out to this many nats below its maximum.
_POINTS = 400
_DEPTH = 15.0
# Where a larger amount lets the density fall below this part of itself, because other parameters
# make room, a parabola takes the place of the logarithm: they do not follow linearly so far. Where
# a smaller amount does, the logarithm holds almost to the end.
_LEAST_DENSITY, _LEAST_WITHOUT = 0.5, 1e-3


@dataclass(frozen=True, eq=False, kw_only=True)
class Profile:
    """The log-likelihood of an amount about its fitted value.

    Attributes
    ----------
    value : float
        The fitted amount t_0, at least 0.
    slope : float
        g: derivative of the objective by t at t_0.
    rest : float
        r: curvature that does not come from the data.
    weights, changes : (n,) arrays
        w and d of the data, or of groups of them.

    Examples
    --------
    Three photons and nothing else: the posterior is a gamma distribution of shape 4.

    >>> three = Profile.of(3.0, 0.0, 1 / 3, np.ones(3), np.full(3, 1 / 3))
    >>> three.quantiles([0.95]).round(2)
    array([7.75])

    No photon was seen, and t expects t:

    >>> Profile.of(0.0, -1.0, 0.0, np.zeros(0), np.zeros(0)).quantiles([0.6827, 0.95]).round(2)
    array([1.15, 3.  ])
    """

    value: float
    slope: float
    rest: float
    weights: np.ndarray
    changes: np.ndarray

    @classmethod
    def of(cls, value, slope, curvature, weights, changes):
        """The profile of an amount from the changes of the density at all data.

        Parameters
        ----------
        value, slope : float
        curvature : float
            Of minus the objective along the path. What the data do not explain of it is `rest`.
        weights, changes : (N,) arrays
        """
        rest = max(curvature - float(weights @ changes**2), 0.0)
        if len(changes) > _BINS:
            low, high = float(changes.min()), float(changes.max())
            step = (high - low) / _BINS or 1.0
            index = np.minimum(((changes - low) / step).astype(np.int64), _BINS - 1)
            sums = np.bincount(index, weights, _BINS), np.bincount(index, weights * changes, _BINS)
            kept = sums[0] > 0
            weights, changes = sums[0][kept], sums[1][kept] / sums[0][kept]
        return cls(value=value, slope=slope, rest=rest, weights=weights, changes=changes)

    def relative(self, steps: np.ndarray) -> np.ndarray:
        """The log-likelihood at t_0 + steps, relative to that at t_0 [nat]."""
        steps = np.asarray(steps, float)
        z = steps[:, None] * self.changes
        least = np.where(steps > 0, _LEAST_DENSITY, _LEAST_WITHOUT)[:, None]
        below = np.minimum(1 + z - least, 0.0) / least
        logs = np.log(np.maximum(1 + z, least)) + below - below**2 / 2
        return self.slope * steps - self.rest * steps**2 / 2 + (logs - z) @ self.weights

    def quantiles(self, probabilities):
        """Amounts below which so much of the posterior lies; infinite if nothing limits them.

        Parameters
        ----------
        probabilities : sequence of float

        Returns
        -------
        array
        """
        curvature = self.rest + float(self.weights @ self.changes**2)
        scale = 1 / (abs(self.slope) + np.sqrt(curvature) + 1e-300)
        top, up = 0.0, scale
        while (at := float(self.relative([up])[0])) > top - _DEPTH:
            top, up = max(top, at), 1.3 * up
            if not up < 1e100:
                return np.full(len(probabilities), np.inf)
        down = min(scale, self.value)
        while down < self.value and (at := float(self.relative([-down])[0])) > top - _DEPTH:
            top, down = max(top, at), min(1.3 * down, self.value)
        steps = np.linspace(-down, up, _POINTS)
        values = self.relative(steps)
        density = np.exp(values - values.max())
        total = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
        return self.value + np.interp(np.asarray(probabilities) * total[-1], total, steps)
