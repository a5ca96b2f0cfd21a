"""Errors and upper limits of fluxes and background amplitudes, zero included.

A flux that fits to zero has no standard error: the likelihood falls with a slope there. Its error
is the value below which 68.27 % of its posterior lies, with a flat prior on all values that are not
negative. It moves all other parameters as an independent deviation. An amount that is not zero
keeps its standard error. Upper limits at 95 % are those of the likelihood ratio (see `profile`).
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from .profile import Profile
from .propagation import Wings

# Part of the posterior below a one-sided error, as of a Gaussian within one standard deviation.
ONE_SIDED = 0.682689492137
# Confidence of an upper limit.
UPPER = 0.95
# An amount is zero below so many photons, or if it is so many times smaller than its error.
_NO_PHOTONS = 0.1
_VAGUE = 3.0
# No component is taken to be observed to a smaller fraction.
_LEAST_OBSERVED = 1e-6
# Above so many standard errors the posterior is log-normal to a sixth of a standard error.
_WELL_KNOWN = 10.0
# What a fit may still gain along one path if it has converged [nat].
_MOST_GAIN = 0.2
# Fewest data that the matrix must have summed over for an amount; with fewer all are used.
_FEWEST_DATA = 25
# Length of the step along which densities are compared, in coordinates of the matrix.
_STEP = 1e-3
_TINY = 1e-300


def amount_rows(parameters):
    """Rows of the fluxes and of the amplitudes among those of an information matrix."""
    (k, d), n = parameters.mixture.means.shape, sum(len(a) for a in parameters.amplitudes)
    first = (1 + d + d * (d + 1) // 2) * k
    return np.concatenate([np.arange(k), np.arange(first, first + n)])


def _units(information):
    """Photons per unit of each amount: 1 for fluxes, the integral of q for amplitudes."""
    integrals = information.likelihood.integrals
    return np.concatenate([np.ones(len(information.parameters.mixture)), *integrals])


def _values(information):
    """All amounts, as photons."""
    parameters = information.parameters
    return _units(information) * np.concatenate([parameters.mixture.fluxes, *parameters.amplitudes])


def at_zero(information):
    """Rows of the fluxes and amplitudes that are zero, (n,) booleans."""
    k, rows = len(information.parameters.mixture), amount_rows(information.parameters)
    unit = np.zeros((len(information.fixed), len(rows) - k))
    unit[rows[k:], np.arange(len(rows) - k)] = 1.0
    variances = np.einsum("ij,ij->j", unit, information.solve(unit))
    unknown = np.concatenate([np.diag(information.raw)[:k] < 1 / _VAGUE**2, variances > _VAGUE**2])
    if information.stride > 1:
        # A compact component may have photons of which the matrix has seen none.
        unknown[:k] = False
    found = np.zeros(len(information.fixed), bool)
    found[rows] = (_values(information) < _NO_PHOTONS) | unknown
    return found


def held_moves(information):
    """One-sided errors of the amounts that are zero, as changes of the coordinates, (n, n_held)."""
    rows = amount_rows(information.parameters)
    held = np.flatnonzero(information.held[rows])
    moves = np.zeros((len(information.fixed), len(held)))
    for column, i in enumerate(held):
        value = _values(information)[i]
        error = information.profiles[i].quantile(ONE_SIDED) - value
        moves[rows[i], column] = error / max(value, _TINY)
    return moves


def limits_of(information, errors):
    """Upper limits at 95 % of all amounts, NaN for those that were not fitted.

    Parameters
    ----------
    information : Information
        That of `Information.at_boundary`.
    errors : (n,) array
        Of the amounts, in their own units: the fluxes, then the background amplitudes.

    Returns
    -------
    (n,) array
    """
    rows, units = amount_rows(information.parameters), _units(information)
    values, errors = _values(information), errors * units
    limits = np.full(len(rows), np.nan)
    for i, row in enumerate(rows):
        if information.fixed[row] and not information.held[row]:
            continue
        relative = errors[i] / max(values[i], _TINY)
        if relative * _WELL_KNOWN < 1:
            limits[i] = values[i] * np.exp(ndtri(UPPER) * relative)
            continue
        profile = information.profiles[i] if information.held[row] else profile_of(information, i)
        above = profile.upper_limit(UPPER) - values[i]
        if not information.held[row]:
            # What is not on the path, fixed amplitudes for instance, may widen the error.
            above *= max(errors[i] * np.sqrt(profile.curvature), 1.0)
        limits[i] = values[i] + above
    return limits / units


def profile_of(information, i):
    """The profile of an amount, all other parameters following it."""
    k, row = len(information.parameters.mixture), amount_rows(information.parameters)[i]
    value = _values(information)[i]
    path = _Path.of(information, row, max(value, _TINY), with_wings=i >= k)
    if information.stride > 1 and i < k and value < _FEWEST_DATA * information.stride:
        data = path.all_changes(information)
    else:
        data = path.changes(information)
    seen = max(information.evaluation.observed_fraction[i], _LEAST_OBSERVED) if i < k else 1.0
    slope = _slopes(information)[i]
    if _gain(value, slope, path.curvature) > _MOST_GAIN:
        # The fit has stopped before its maximum: its own values must not be excluded.
        slope = 0.0
    return Profile.of(value, slope, path.curvature, *data, per_photon=1 / seen)


def _gain(value, slope, curvature):
    """What the objective could gain along a path from a value that cannot be negative [nat]."""
    gain = slope**2 / max(curvature, _TINY) / 2
    return min(gain, -slope * value) if slope < 0 else gain


def _slopes(information):
    """Derivatives of the objective by all amounts, per photon."""
    mixture, k = information.parameters.mixture, len(information.parameters.mixture)
    gradient, values = information.evaluation.gradient, np.maximum(_values(information), _TINY)
    slopes = np.concatenate([gradient.log_fluxes, *gradient.log_amplitudes]) / values
    held = np.flatnonzero(information.held[:k])
    if len(held):
        # The sums of an E-step leave out components that have next to no flux.
        candidates = mixture.select(held)
        phase = information.phase_of(candidates)
        slopes[held] = information.likelihood.flux_slopes(candidates, phase, information.logs)
    return slopes


@dataclass(frozen=True, eq=False)
class _Path:
    """How all other parameters follow an amount.

    Attributes
    ----------
    row : int
        Of the amount.
    direction : (n,) array
        Changes of the coordinates of the matrix per photon.
    curvature : float
        Of minus the objective, per photon**2.
    wings : list of (n_o, 1) arrays
        Relative change of the density by the wings, as `Information.scores` have it.
    """

    row: int
    direction: np.ndarray
    curvature: float
    wings: list

    @classmethod
    def of(cls, information, row, value, *, with_wings):
        """The path of an amount of which there are `value` photons, held or free."""
        wings = information.wings if with_wings else Wings.none(information)
        unit = np.zeros((len(information.fixed), 1))
        unit[row] = 1.0
        if information.held[row]:
            # The others maximise the objective for each value of the amount.
            own = [score[:, [row]] for score in information.scores]
            right = -information.raw[:, [row]]
            right_wings = -wings.crossed_with(own)
            followed, wing = wings.solve(information, right, right_wings)
            explained = (right * followed).sum() + (right_wings * wing).sum()
            squared = information.raw[row, row] - explained
            direction = followed + unit
        else:
            column, wing = wings.solve(information, unit, np.zeros((len(wings.fluxes), 1)))
            squared = 1 / column[row, 0]
            direction, wing = column * squared, wing * squared
        ratios = [ratio @ (wings.fluxes[:, None] * wing / value) for ratio in wings.ratios]
        return cls(row, direction[:, 0] / value, max(float(squared), 0.0) / value**2, ratios)

    def changes(self, information):
        """Weights of the data of the matrix, and the relative changes of the density there."""
        stride, weights, changes = information.stride, [], []
        both = zip(information.scores, self.wings, information.likelihood.weights, strict=True)
        for scores, wings, all_weights in both:
            chosen = stride * all_weights[stride // 2 :: stride]
            kept = chosen > 0
            weights.append(chosen[kept])
            changed = scores @ self.direction + wings[:, 0]
            changes.append(changed[kept] / np.sqrt(chosen[kept]))
        return np.concatenate(weights), np.concatenate(changes)

    def all_changes(self, information):
        """The same for all data, for a component of which the matrix has seen few."""
        others = np.where(np.arange(len(self.direction)) == self.row, 0.0, self.direction)
        length = _STEP / max(np.abs(others).max(initial=0.0), _STEP)
        moved = information.moved(length * others)
        fluxes = moved.mixture.fluxes.copy()
        # The density is linear in a flux, so that its own step needs not be small.
        fluxes[self.row] += length
        moved = replace(moved, mixture=replace(moved.mixture, fluxes=fluxes))
        after = information.likelihood.log_densities(moved, information.phase)
        changes = [np.expm1(a - b) / length for a, b in zip(after, information.logs, strict=True)]
        return np.concatenate(information.likelihood.weights), np.concatenate(changes)
