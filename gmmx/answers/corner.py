"""The numbers behind a corner plot: densities of a mixture along one and two of its columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..model.interval import ends
from .sample_intervals import drawn_results
from .sample_parts import marginal

if TYPE_CHECKING:
    from ..model.mixture import Mixture
    from ..model.samples_result import SamplesResult

# Parts of the probability that contours of a Gaussian at 1, 2 and 3 sigma hold in two dimensions.
HELD = tuple(float(1 - np.exp(-(sigma**2) / 2)) for sigma in (1, 2, 3))
# Draws from which the levels of contours and the ranges follow, and their seed.
_N_DRAWS, _SEED = 50_000, 0
# Points of a curve, and of the side of a grid; samples whose errors a curve is averaged over.
_POINTS, _SIDE, _MOST_NOISES = 300, 160, 300
# Ends of the ranges [%], and the space beside them.
_ENDS, _SPACE = (0.1, 99.9), 0.06


@dataclass(frozen=True, eq=False)
class Corner:
    """Ranges of the columns of a mixture, and its densities on them.

    Attributes
    ----------
    result : SamplesResult
    ranges : (D, 2) array
        Lower and upper end of each column, which hold nearly all samples and draws.
    drawn : (n, D) array
        Draws from the mixture.
    """

    result: SamplesResult
    ranges: np.ndarray
    drawn: np.ndarray

    @classmethod
    def of(cls, result: SamplesResult) -> Corner:
        """Ranges and draws of a result, always the same."""
        drawn = result.sample(_N_DRAWS, np.random.default_rng(_SEED))
        ends = np.stack(
            [np.nanpercentile(values, _ENDS, axis=0) for values in (drawn, result.samples.x)]
        )
        low, high = ends[:, 0].min(0), ends[:, 1].max(0)
        space = _SPACE * (high - low)
        return cls(result, np.column_stack([low - space, high + space]), drawn)

    def axis(self, i: int, n: int = _POINTS) -> np.ndarray:
        """Points along a column."""
        low, high = self.ranges[i]
        return np.linspace(low, high, n)

    def curve(self, i: int) -> np.ndarray:
        """Samples without errors per unit of a column, at the points of `axis`, backgrounds too.

        Samples whose value is missing in this column are not counted, as in its histogram.
        """
        result, at = self.result, self.axis(i)
        density = _one(result.mixture.marginal([i]), at, 0.0)
        for background in result.backgrounds:
            x = np.full((len(at), len(result.names)), np.nan)
            x[:, i] = at
            density += background.amplitude * background.density(x, [i])
        return self._known(i) * density

    def band(self, i: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Ends of the interval of 68 % of `curve` over the draws; None without draws."""
        if self.result.draws is None:
            return None
        results = drawn_results(self.result)
        return ends(np.array([replace(self, result=one).curve(i) for one in results]))

    def noisy_curve(self, i: int) -> np.ndarray | None:
        """Samples with their errors per unit of a column; None without errors.

        It is the mean over the errors of some samples.
        """
        samples = self.result.samples
        if samples.noise_kind == "none" or self.result.backgrounds:
            return None
        known = np.flatnonzero(~samples.missing[:, i])
        some = known[:: max(1, len(known) // _MOST_NOISES)]
        variances = samples.noise(some)[:, i, i]
        mixture, at = self.result.mixture.marginal([i]), self.axis(i)
        curves = [_one(mixture, at, variance) for variance in variances]
        return self._known(i) * np.mean(curves, axis=0)

    def _known(self, i: int) -> float:
        """Part of the samples, by weight, whose value is known in a column."""
        samples = self.result.samples
        return float(samples.weights @ ~samples.missing[:, i] / samples.weights.sum())

    def plane(self, i: int, j: int) -> tuple[np.ndarray, tuple[float, ...]]:
        """Density along the columns i and j, (n, n) with i along x, and levels of its contours.

        The levels, in rising order, hold the parts `HELD` of the mixture.
        """
        mixture = marginal(self.result, [self.result.names[i], self.result.names[j]])
        x, y = np.meshgrid(self.axis(i, _SIDE), self.axis(j, _SIDE))
        at_draws = mixture.density(*self.drawn[:, [i, j]].T)
        levels = np.quantile(at_draws, [1 - held for held in reversed(HELD)])
        return mixture.density(x, y), tuple(float(level) for level in levels)


def _one(mixture: Mixture, at: np.ndarray, variance: float) -> np.ndarray:
    """Density of a mixture in one dimension whose components get a further variance."""
    total = mixture.covariances[:, 0, 0] + variance
    offsets = at[:, None] - mixture.means[:, 0]
    norm = mixture.fluxes / np.sqrt(2 * np.pi * total)
    return np.exp(-(offsets**2) / (2 * total)) @ norm
