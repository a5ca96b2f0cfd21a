"""Errors and upper limits of fluxes and background amplitudes, zero included.

A flux that fits to zero has no standard error: the likelihood falls with a slope there. Its error
is the value below which 68.27 % of its posterior lies, with a flat prior on all values that are not
negative, and its upper limit that below which 95 % lies (see `profile`). An amount that is not zero
keeps its standard error, and has an upper limit of the same kind.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from .profile import Profile

# Part of the posterior below a one-sided error, as of a Gaussian within one standard deviation.
ONE_SIDED = 0.682689492137
# Part of the posterior below an upper limit.
UPPER = 0.95
# An amount is zero below so many photons, or if its own information on its logarithm is smaller.
_NO_PHOTONS = 0.1
_NO_INFORMATION = 0.01
# Above so many standard errors the posterior is log-normal to a sixth of a standard error.
_WELL_KNOWN = 10.0
# Fewest data that the matrix must have summed over for an amount; with fewer all are used.
_FEWEST_DATA = 100
# Length of the step along which densities are compared, in coordinates of the matrix.
_STEP = 1e-3
_TINY = 1e-300


@dataclass(frozen=True, eq=False, kw_only=True)
class Limits:
    """Errors and upper limits of all amounts: the fluxes, then the background amplitudes.

    Attributes
    ----------
    errors, limits : (n,) arrays
        In the units of the amounts. Limits are NaN for those that were not fitted.
    signal, background : float
        What amounts that are zero add to the errors of the totals, in quadrature [photon].
    """

    errors: np.ndarray
    limits: np.ndarray
    signal: float
    background: float


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
    rows, values = amount_rows(information.parameters), _values(information)
    found = np.zeros(len(information.fixed), bool)
    unknown = np.diag(information.raw)[rows] < _NO_INFORMATION
    if information.stride > 1:
        # A compact component may have photons of which the matrix has seen none.
        unknown[: len(information.parameters.mixture)] = False
    found[rows] = (values < _NO_PHOTONS) | unknown
    return found


def limits_of(information, gradient, errors):
    """Errors and upper limits of all amounts.

    Parameters
    ----------
    information : Information
        With the amounts that are zero held, see `Information.at_boundary`.
    gradient : Gradient
        Of the objective.
    errors : (n,) array
        Standard errors from the matrix, in the units of the amounts.

    Returns
    -------
    Limits
    """
    parameters, units = information.parameters, _units(information)
    rows, k = amount_rows(parameters), len(parameters.mixture)
    logs = information.likelihood.log_densities(parameters, information.phase)
    found, limits, totals = errors * units, np.full(len(rows), np.nan), np.zeros(2)
    values, slopes = _values(information), _slopes(information, gradient, logs)
    for i, row in enumerate(rows):
        held = information.held[row]
        if information.fixed[row] and not held:
            continue
        relative = found[i] / max(values[i], _TINY)
        if not held and relative * _WELL_KNOWN < 1:
            limits[i] = values[i] * np.exp(ndtri(UPPER) * relative)
            continue
        path = _Path.of(information, row, max(values[i], _TINY))
        few = i < k and values[i] < _FEWEST_DATA * information.stride
        if information.stride > 1 and few:
            weights, changes = path.all_changes(information, logs)
        else:
            weights, changes = path.changes(information)
        profile = Profile.of(values[i], slopes[i], path.curvature, weights, changes)
        error, limits[i] = profile.quantiles([ONE_SIDED, UPPER])
        if held:
            found[i] = error
            totals = np.hypot(totals, error * path.totals(information))
        else:
            # Wings and fixed amplitudes may make the error larger than that of the path.
            width = max(found[i] * np.sqrt(path.curvature), 1.0)
            limits[i] = values[i] + width * (limits[i] - values[i])
    return Limits(
        errors=found / units,
        limits=limits / units,
        signal=float(totals[0]),
        background=float(totals[1]),
    )


def _slopes(information, gradient, logs):
    """Derivatives of the objective by all amounts, per photon."""
    mixture, k = information.parameters.mixture, len(information.parameters.mixture)
    relative = np.concatenate([gradient.log_fluxes, *gradient.log_amplitudes])
    slopes = relative / np.maximum(_values(information), _TINY)
    held = np.flatnonzero(information.held[:k])
    if len(held):
        # The sums of an E-step leave out components that have next to no flux.
        candidates = mixture.select(held)
        phase = information.phase_of(candidates)
        slopes[held] = information.likelihood.flux_slopes(candidates, phase, logs)
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
    """

    row: int
    direction: np.ndarray
    curvature: float

    @classmethod
    def of(cls, information, row, value):
        """The path of an amount of which there are `value` photons, held or free."""
        if information.held[row]:
            # The others maximise the objective for each value of the amount.
            crossed = information.raw[:, row] / value
            direction = -information.solve(crossed[:, None])[:, 0]
            curvature = information.raw[row, row] / value**2 + crossed @ direction
            direction[row] = 1 / value
            return cls(row, direction, max(float(curvature), 0.0))
        unit = np.zeros((len(information.fixed), 1))
        unit[row] = 1.0
        column = information.solve(unit)[:, 0]
        return cls(row, column / (column[row] * value), float(1 / (column[row] * value**2)))

    def changes(self, information):
        """Weights of the data of the matrix, and the relative changes of the density there."""
        stride, weights, changes = information.stride, [], []
        both = zip(information.scores, information.likelihood.weights, strict=True)
        for scores, all_weights in both:
            chosen = stride * all_weights[stride // 2 :: stride]
            kept = chosen > 0
            weights.append(chosen[kept])
            changes.append((scores @ self.direction)[kept] / np.sqrt(chosen[kept]))
        return np.concatenate(weights), np.concatenate(changes)

    def all_changes(self, information, logs):
        """The same for all data, for a component of which the matrix has seen few."""
        others = np.where(np.arange(len(self.direction)) == self.row, 0.0, self.direction)
        length = _STEP / max(np.abs(others).max(initial=0.0), _STEP)
        moved = information.moved(length * others)
        fluxes = moved.mixture.fluxes.copy()
        # The density is linear in a flux, so that its own step needs not be small.
        fluxes[self.row] += length
        moved = replace(moved, mixture=replace(moved.mixture, fluxes=fluxes))
        after = information.likelihood.log_densities(moved, information.phase)
        changes = [np.expm1(a - b) / length for a, b in zip(after, logs, strict=True)]
        return np.concatenate(information.likelihood.weights), np.concatenate(changes)

    def totals(self, information):
        """Change of the signal or of all backgrounds per photon of an amount that is zero."""
        parameters, rows = information.parameters, amount_rows(information.parameters)
        k = len(parameters.mixture)
        counted = np.concatenate([~parameters.points, np.ones(len(rows) - k, bool)])
        counted &= (np.arange(len(rows)) < k) == (self.row < k)
        total = float((_values(information) * counted) @ self.direction[rows])
        if self.row < k:
            return np.array([0.0 if parameters.points[self.row] else total, 0.0])
        return np.array([0.0, total])
