"""What the data say of one amount that cannot be negative, all other parameters following it.

Along the path on which the others follow an amount t, the density at a datum changes by the factor
``1 + (t - t_0) d_i``. With g the slope of the objective at t_0 and r the curvature of the priors

    l(t) = g (t - t_0) - r (t - t_0)^2 / 2 + sum_i w_i [log(1 + (t - t_0) d_i) - (t - t_0) d_i].

This is the Poisson likelihood of t itself, not its quadratic approximation, so that it holds for a
few photons and at t = 0. A flat prior on t >= 0 makes it a posterior, from which one-sided errors
are taken. Upper limits come from the likelihood ratio: those of the posterior hold the truth too
often where it is about as large as the noise of what lies below (in 99.5 % of skies instead of 95).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import gammaincinv, ndtri

# Data of similar changes are counted together, in so many bins.
_BINS = 500
# Points at which the posterior is integrated, out to this many nats below its maximum.
_POINTS = 200
_DEPTH = 15.0
# A likelihood that changes by less than this with a photon says nothing, nor does one that has not
# fallen so many times further than it should have.
_FLAT, _FURTHEST = 1e-12, 1e6
# Photons of the amount itself that an upper limit adds.
_CONTINUITY = 0.5
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
    per_photon : float
        The amount of which one photon is expected to be detected.

    Examples
    --------
    Three photons and nothing else: the posterior is a gamma distribution of shape 4.

    >>> three = Profile.of(3.0, 0.0, 1 / 3, np.ones(3), np.full(3, 1 / 3))
    >>> round(three.quantile(0.95), 1), round(three.upper_limit(0.95), 1)
    (7.8, 7.5)

    No photon was seen, and t expects t:

    >>> none = Profile.of(0.0, -1.0, 0.0, np.zeros(0), np.zeros(0))
    >>> round(none.quantile(0.6827), 2), round(none.upper_limit(0.95), 2)
    (1.15, 3.0)
    """

    value: float
    slope: float
    rest: float
    weights: np.ndarray
    changes: np.ndarray
    per_photon: float = 1.0

    @classmethod
    def of(cls, value, slope, curvature, weights, changes, per_photon=1.0):
        """The profile of an amount from the changes of the density at all data.

        Parameters
        ----------
        value, slope : float
        curvature : float
            Of minus the objective along the path. What the data do not explain of it is `rest`.
        weights, changes : (N,) arrays
        per_photon : float
        """
        rest = max(curvature - float(weights @ changes**2), 0.0)
        if len(changes) > _BINS:
            low, high = float(changes.min()), float(changes.max())
            step = (high - low) / _BINS or 1.0
            index = np.minimum(((changes - low) / step).astype(np.int64), _BINS - 1)
            sums = np.bincount(index, weights, _BINS), np.bincount(index, weights * changes, _BINS)
            kept = sums[0] > 0
            weights, changes = sums[0][kept], sums[1][kept] / sums[0][kept]
        return cls(
            value=value,
            slope=slope,
            rest=rest,
            weights=weights,
            changes=changes,
            per_photon=per_photon,
        )

    @property
    def curvature(self) -> float:
        """Of minus the log-likelihood at t_0."""
        return self.rest + float(self.weights @ self.changes**2)

    def relative(self, steps: np.ndarray) -> np.ndarray:
        """The log-likelihood at t_0 + steps, relative to that at t_0 [nat]."""
        steps = np.asarray(steps, float)
        z = steps[:, None] * self.changes
        least = np.where(steps > 0, _LEAST_DENSITY, _LEAST_WITHOUT)[:, None]
        below = np.minimum(1 + z - least, 0.0) / least
        logs = np.log(np.maximum(1 + z, least)) + below - below**2 / 2
        return self.slope * steps - self.rest * steps**2 / 2 + (logs - z) @ self.weights

    def quantile(self, probability: float) -> float:
        """The amount below which so much of the posterior with a flat prior lies.

        It is infinite if nothing limits the amount.
        """
        steps = self._steps
        if steps is None:
            return np.inf
        values = self.relative(steps)
        density = np.exp(values - values.max())
        total = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
        return self.value + float(np.interp(probability * total[-1], total, steps))

    def upper_limit(self, probability: float) -> float:
        """The amount above the maximum from which on the likelihood ratio excludes it.

        This is where ``l(t)`` is ``z^2 / 2`` below its maximum over t >= 0, with z the quantile of
        a Gaussian. Half a photon of the amount is added to the data as a continuity correction.
        Below the limit of a single photon (4.7 photons at 95 %) the limit is not smaller than the
        quantile of the posterior, because a fluctuation of what lies below must not exclude what
        would show no photon.
        """
        steps = self._steps
        if steps is None:
            return np.inf
        positive = float(self.weights @ np.maximum(self.changes, 0.0))
        own = self.curvature / positive if positive > 0 else 0.0
        own = min(own, (1 - 1e-9) / max(self.value, 1e-300))
        values = self.relative(steps) + _CONTINUITY * np.log1p(steps * own)
        top = int(np.argmax(values))
        fall = values[top] - values[top:]
        # Beyond its maximum a concave function falls, so that its inverse can be interpolated.
        limit = float(np.interp(ndtri(probability) ** 2 / 2, fall, steps[top:]))
        one_photon = float(gammaincinv(2.0, probability)) * self.per_photon
        return max(self.value + limit, min(self.quantile(probability), one_photon))

    @cached_property
    def _steps(self):
        """Steps from t_0 over which the likelihood is worth a look; None if it has no end."""
        steepness = abs(self.slope) + np.sqrt(self.curvature)
        if steepness < _FLAT:
            return None
        scale = 1 / steepness
        top, up = 0.0, scale
        while (at := float(self.relative([up])[0])) > top - _DEPTH:
            top, up = max(top, at), 1.3 * up
            if up > _FURTHEST * scale:
                return None
        down = min(scale, self.value)
        while down < self.value and (at := float(self.relative([-down])[0])) > top - _DEPTH:
            top, down = max(top, at), min(1.3 * down, self.value)
        return np.linspace(-down, up, _POINTS)
