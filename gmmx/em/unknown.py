"""What a selection knew of samples and the catalogue does not: its posterior, and points from it.

The posterior of the unknown coordinates u of a sample, without regard to the selection, is a
mixture: of component k it is a Gaussian of mean ``mu_u + G (x - mu_o)`` and covariance ``Sigma_uu -
G Sigma_ou + N``, with ``G = Sigma_uo T_oo^-1`` and N the noise of u, if u is a noisy value. Points
are drawn from this mixture with covariances that are wider, so that they cover the tails.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .proposal import Proposal, root
from .sample_groups import SampleGroup

# Where the noise varies, points also come from the posteriors with noise that is so many times
# larger, and from the components: noise may be larger at other noise-free values. The parts of the
# points, and the factors on variances.
_MORE_NOISE = ((0.5, 1.0), (0.25, 4.0), (0.25, np.inf))
# Added to the noise, in units of the scale of the columns, so that it has a root.
_JITTER = 1e-24
# Digits of values that are left after scaling.
_DIGITS = 12
_LOG_2_PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, eq=False, kw_only=True)
class Points:
    """Points of some samples.

    Attributes
    ----------
    values : (n, Q, D) array
        All coordinates, scaled.
    omega : (n, Q) array
        The completeness there.
    log_factors : (n, Q) array
        Logarithm of what multiplies it and lambda: the density of the noise over that of the
        points.
    noise : (n, D, D) array
        Noise of the points of each sample; 0 if they are noise-free values.
    change : (n,) array
        By which factor standard deviations of the noise differ between the points of a sample.
    """

    values: np.ndarray
    omega: np.ndarray
    log_factors: np.ndarray
    noise: np.ndarray
    change: np.ndarray

    def varies(self, tolerance):
        """Whether the integrand of a sample depends on what is unknown, (n,) booleans."""
        least, most = self.omega.min(axis=1), self.omega.max(axis=1)
        return (least < most) | (most <= 0) | (self.change > 1 + tolerance)

    def select(self, index):
        """The points of some of the samples."""
        names = ("values", "omega", "log_factors", "noise", "change")
        return Points(**{name: getattr(self, name)[index] for name in names})


@dataclass(frozen=True, eq=False, kw_only=True)
class Unknown:
    """Samples of which the same coordinates are unknown.

    Attributes
    ----------
    group : SampleGroup
    likelihood : SampleLikelihood
    selection : Selection
    columns : (u,) integers
        The unknown coordinates, in the order of the columns.
    noisy : (m,) integers
        Those of them whose noisy value is known.
    """

    group: SampleGroup
    likelihood: Any
    selection: Any
    columns: np.ndarray
    noisy: np.ndarray

    @classmethod
    def parts_of(cls, group, likelihood, selection):
        """The samples of a group by what is unknown of them; None if all is known of all."""
        d = len(likelihood.scaling.scale)
        missing = np.setdiff1d(np.arange(d), group.columns)
        if not selection.acts_on_truth and selection.noise is None:
            if not len(missing):
                return None
            return [cls._of(group, likelihood, selection, missing, missing[:0])]
        diagonals = np.diagonal(group.noise_matrices(), axis1=1, axis2=2) > 0
        if not len(missing) and not diagonals.any():
            return None
        patterns, labels = np.unique(diagonals, axis=0, return_inverse=True)
        if len(patterns) == 1:
            noisy = group.columns[patterns[0]]
            return [cls._of(group, likelihood, selection, np.union1d(missing, noisy), noisy)]
        found = []
        for i, pattern in enumerate(patterns):
            noisy = group.columns[pattern]
            some = group.rows_at(np.flatnonzero(labels.ravel() == i))
            found.append(cls._of(some, likelihood, selection, np.union1d(missing, noisy), noisy))
        return found

    @classmethod
    def _of(cls, group, likelihood, selection, columns, noisy):
        return cls(
            group=group,
            likelihood=likelihood,
            selection=selection,
            columns=columns.astype(int),
            noisy=noisy,
        )

    @property
    def is_truth(self):
        """Whether the unknown coordinates are noise-free values."""
        return self.selection.acts_on_truth or self.selection.noise is not None

    @property
    def is_without_effect(self):
        """Whether the completeness is known to depend on nothing that is unknown."""
        used = self.selection.completeness.used
        return (
            used is not None
            and self.selection.noise is None
            and not np.intersect1d(used, self.columns).size
        )

    def pieces(self, size):
        """The samples in pieces."""
        n = len(self.group.index)
        if n <= size:
            yield self
            return
        for first in range(0, n, size):
            yield replace(self, group=self.group.rows_at(np.arange(first, min(first + size, n))))

    def drawn(self, parameters, n_points):
        """The group of these samples, and their points at given parameters."""
        scaling, group = self.likelihood.scaling, self.group
        missing = np.setdiff1d(self.columns, self.noisy)
        has_errors = self.selection.noise is not None
        proposal, best = self._proposal(parameters)
        at, log_density, errors = proposal.drawn(
            group.index, n_points, len(missing) if has_errors else 0
        )
        n, d = len(at), len(scaling.scale)
        log_factors = np.log(scaling.scale[missing]).sum() - log_density - np.log(n_points)
        values = np.zeros((n, n_points, d))
        values[:, :, group.columns] = group.rows.x.T[:, None]
        acted = values.copy()
        values[:, :, self.columns] = at
        change, noise = np.ones(n), np.zeros((n, d, d))
        if self.is_truth:
            more, change = self._log_noise(values, best)
            log_factors += more
        else:
            noise = self._noise_of_points()
        if has_errors:
            acted[:, :, missing] = values[:, :, missing] + self._errors(values, missing, errors)
        else:
            acted = values
        omega = self.selection.completeness(self._in_units(acted).reshape(-1, d))
        found = Points(
            values=values,
            omega=omega.reshape(n, n_points),
            log_factors=log_factors,
            noise=noise,
            change=change,
        )
        return group, found

    def _in_units(self, acted):
        """Values that the selection acted on, in the units of the columns.

        Known values are rounded to the digits that scaling has left: one that is as bright as a
        limit must not be on its other side.
        """
        values = self.likelihood.scaling.back(acted)
        known = np.setdiff1d(np.arange(values.shape[2]), self.columns)
        if self.selection.noise is not None:
            known = self.group.columns
        for column in known:
            largest = np.abs(values[:, :, column]).max()
            if largest > 0:
                decimals = _DIGITS - int(np.ceil(np.log10(largest)))
                values[:, :, column] = np.round(values[:, :, column], decimals)
        return values

    def _proposal(self, parameters):
        """Where points are drawn, and the expectation of the unknown coordinates (n, u)."""
        group, mixture, u = self.group, parameters.mixture, self.columns
        logs = group.log_terms(parameters)
        parts = np.exp(logs - np.logaddexp.reduce(logs, axis=1)[:, None])
        own = np.zeros((len(u), len(u)))
        if not self.is_truth:
            own = self.likelihood.mean_noise[np.ix_(u, u)]
        varies = self.selection.noise is not None
        plain = mixture.fluxes / mixture.fluxes.sum() * parts[:, : len(mixture)].sum(1)[:, None]
        found: list = []
        for part, factor in _MORE_NOISE if varies else ((1.0, 1.0),):
            rows = plain if np.isinf(factor) else parts[:, : len(mixture)]
            for k in range(len(mixture)):
                found.append((part * rows[:, k], *self._posterior(mixture, k, factor, own)))
        best = sum(parts[:, k, None] * found[k][1] for k in range(len(mixture)))
        for b in range(len(mixture), parts.shape[1]):
            background = self.likelihood.backgrounds[b - len(mixture)]
            found.append((parts[:, b], *self._of_background(background, own)))
            best = best + parts[:, b, None] * found[-1][1]
        n = len(parts)
        return Proposal.of(
            np.stack([one[0] for one in found], axis=1),
            np.stack([np.broadcast_to(one[1], (n, len(u))) for one in found], axis=1),
            np.stack([np.broadcast_to(one[2], (n, len(u), len(u))) for one in found], axis=1),
        ), best

    def _posterior(self, mixture, k, factor, own):
        """Mean and covariance of the unknown coordinates for one component, with larger noise."""
        mean, sigma, u = mixture.means[k], mixture.covariances[k], self.columns
        columns, x, noise = self.group.columns, self.group.rows.x.T, self.group.noise_matrices()
        at = np.arange(len(columns))
        if np.isinf(factor):
            # What has noise tells nothing.
            at, factor = np.flatnonzero(~np.isin(columns, self.noisy)), 0.0
        if self.group.common is not None:
            noise = noise[:1]
        o = columns[at]
        totals = sigma[np.ix_(o, o)] + factor * noise[:, at[:, None], at]
        gains = np.swapaxes(np.linalg.solve(totals, sigma[np.ix_(o, u)][None]), 1, 2)
        gains = np.broadcast_to(gains, (len(x), *gains.shape[1:]))
        shifts = np.einsum("nij,nj->ni", gains, x[:, at] - mean[o])
        return mean[u] + shifts, sigma[np.ix_(u, u)] + own - gains @ sigma[np.ix_(o, u)]

    def _of_background(self, background, own):
        """Mean and covariance for samples of a background: near their values, or anywhere in it."""
        x, scaling, u = self.group.rows.x.T, self.likelihood.scaling, self.columns
        n = len(x)
        mean, covariance = background.moments()
        means = np.tile(scaling.forward(mean)[u], (n, 1))
        spread = np.tile((covariance / scaling.outer)[np.ix_(u, u)] + own, (n, 1, 1))
        known = np.isin(u, self.noisy)
        at = np.isin(self.group.columns, self.noisy)
        means[:, known] = x[:, at]
        spread[:, known] = spread[:, :, known] = 0.0
        which = np.flatnonzero(known)
        spread[:, which[:, None], which] = self.group.noise_matrices()[:, at][:, :, at]
        return means, spread

    def _noise_of_points(self):
        """Noise of all coordinates, (n, D, D); that of missing values is the mean of all."""
        mean, o = self.likelihood.mean_noise, self.group.columns
        noise = np.zeros((len(self.group.index), *mean.shape))
        noise[:, self.columns[:, None], self.columns] = mean[np.ix_(self.columns, self.columns)]
        noise[:, o[:, None], o] = self.group.noise_matrices()
        return noise

    def _log_noise(self, values, best):
        """Logarithm of N(x_i; y, S_i(y)) at the points, and how the noise varies over them."""
        at = np.isin(self.group.columns, self.noisy)
        x, noise = self.group.rows.x.T[:, at], self.group.noise_matrices()[:, at][:, :, at]
        offsets = x[:, None] - values[:, :, self.noisy]
        logs, change = np.zeros(offsets.shape[:2]), np.ones(len(x))
        if self.selection.noise is not None:
            factors = self._factors(values, best)
            offsets = offsets / factors
            logs -= np.log(factors).sum(2)
            change = (factors.max(1) / factors.min(1)).max(1, initial=1.0)
        roots = np.linalg.cholesky(noise + _JITTER * np.eye(noise.shape[1]))
        solved = offsets @ np.linalg.inv(roots).swapaxes(1, 2)
        logs -= np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(1)[:, None]
        return logs - 0.5 * (solved**2).sum(2) - offsets.shape[2] / 2 * _LOG_2_PI, change

    def _factors(self, values, best):
        """Standard deviations of the noise at the points, over those at the samples, (n, Q, m).

        The errors of a catalogue are those at the recorded values, so that at another noise-free
        value they would be larger or smaller by this factor.
        """
        d = values.shape[2]
        recorded = np.zeros((len(values), d))
        recorded[:, self.columns] = best
        recorded[:, self.group.columns] = self.group.rows.x.T
        here = self.selection.scaled_sigmas(recorded, self.likelihood.scaling)[:, self.noisy]
        there = self.selection.scaled_sigmas(values.reshape(-1, d), self.likelihood.scaling)
        there = there.reshape(values.shape)[:, :, self.noisy]
        known = (here[:, None] > 0) & (there > 0)
        return np.where(known, there, 1.0) / np.where(known, here[:, None], 1.0)

    def _errors(self, values, missing, errors):
        """Errors of missing values at the points, (n, Q, m)."""
        d = values.shape[2]
        noise = self.selection.scaled_noise(values.reshape(-1, d), self.likelihood.scaling)
        noise = noise[:, missing[:, None], missing]
        return np.einsum(
            "nqij,nqj->nqi", root(noise).reshape(*errors.shape, errors.shape[2]), errors
        )
