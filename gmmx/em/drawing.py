"""Random parameters that are consistent with the data: Gaussian draws from the information matrix.

Fluxes, amplitudes and wings are drawn in linear coordinates. The log-likelihood is concave in them,
so that its curvature describes it far from the maximum too, and the sum of two components that
cannot be told apart keeps its small error. In log F the errors of both would add to the sum. What
would become negative is drawn again: this is a truncated Gaussian. Wings, which the fit left out,
start from the slope that the likelihood has at a flux of zero. Means and covariances are drawn in
L^-1 mu and log-Cholesky, so that every covariance is positive definite.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from ..model.mixture import Mixture
from .limits import ONE_SIDED, amount_rows
from .propagation import Wings

# Rounds in which draws with a negative flux are drawn again; what is left then is cut at zero.
_ROUNDS = 300
# Logarithms of axes and shears change by at most this, because the matrix knows nothing of what
# the likelihood does further away.
_FURTHEST = 2.0
# A drawn covariance keeps at least this part of the floor of a fit.
_LEAST_FLOOR = 1e-3
_TINY = 1e-300


@dataclass(frozen=True, eq=False, kw_only=True)
class Drawn:
    """N parameter sets.

    Attributes
    ----------
    fluxes : (N, K + C) array
        The wings follow the K components.
    means : (N, K + C, D) array
    covariances : (N, K + C, D, D) array
    amplitudes : (N, B) array
        Of all observations, one after another.
    """

    fluxes: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    amplitudes: np.ndarray

    def first(self, n):
        """The first n parameter sets."""
        return Drawn(
            fluxes=self.fluxes[:n],
            means=self.means[:n],
            covariances=self.covariances[:n],
            amplitudes=self.amplitudes[:n],
        )


def drawn_parameters(information, n, rng, *, with_wings=True):
    """Draw parameter sets from the information matrix of a fit.

    Parameters
    ----------
    information : Information
        That of `Information.at_boundary`.
    n : int
        Number of parameter sets.
    rng : numpy.random.Generator
    with_wings : bool
        Whether each parameter set has the wings, too.

    Returns
    -------
    Drawn
    """
    wings = _WingSlopes.of(information) if with_wings else _WingSlopes.none(information)
    z, w = _within_bounds(information, wings, n, rng)
    k, d = information.parameters.mixture.means.shape
    rows = amount_rows(information.parameters)
    factors = np.maximum(1 + z[:, rows], 0.0)
    means, covariances = moved_shapes(information, z)
    c = len(wings.mixture)
    amplitudes = np.concatenate([np.zeros(0), *information.parameters.amplitudes])
    return Drawn(
        fluxes=np.concatenate(
            [information.parameters.mixture.fluxes * factors[:, :k], w * wings.mixture.fluxes], 1
        ),
        means=np.concatenate([means, np.broadcast_to(wings.mixture.means, (n, c, d))], 1),
        covariances=np.concatenate(
            [covariances, np.broadcast_to(wings.mixture.covariances, (n, c, d, d))], 1
        ),
        amplitudes=amplitudes * factors[:, k:],
    )


@dataclass(frozen=True, eq=False)
class _WingSlopes:
    """The wings, and the most probable flux of each in units of the flux that it may have.

    Attributes
    ----------
    mixture : Mixture
    wings : Wings
    shift : (C,) array
    root : (C, C) array
        Of their covariance.
    """

    mixture: Mixture
    wings: Wings
    shift: np.ndarray
    root: np.ndarray

    @classmethod
    def of(cls, information):
        """The wings of an information matrix."""
        mixture = information.likelihood.wings(information.parameters.mixture)
        if not len(mixture):
            return cls.none(information)
        covariance = np.linalg.inv(information.wings.complement)
        slopes = information.likelihood.flux_slopes(
            mixture, information.phase_of(mixture), information.logs
        )
        shift = covariance @ (slopes * mixture.fluxes)
        return cls(
            mixture, information.wings, shift, np.linalg.cholesky((covariance + covariance.T) / 2)
        )

    @classmethod
    def none(cls, information):
        """No wings."""
        d = information.parameters.mixture.n_dimensions
        empty = Mixture.empty(d)
        return cls(empty, Wings.none(information), np.zeros(0), np.zeros((0, 0)))


def _within_bounds(information, wings, n, rng):
    """Changes of all coordinates (n, n_coordinates) and wings (n, C), none below zero."""
    z, w = _proposed(information, wings, n, rng)
    for _ in range(_ROUNDS):
        bad = np.flatnonzero(_is_negative(information, z, w))
        if not len(bad):
            break
        z[bad], w[bad] = _proposed(information, wings, len(bad), rng)
    return z, np.maximum(w, 0.0)


def _is_negative(information, z, w):
    """Which parameter sets have a flux, an amplitude or a wing below zero, (n,) booleans."""
    rows = amount_rows(information.parameters)
    return (z[:, rows] < -1).any(1) | (w < 0).any(1)


def _proposed(information, wings, n, rng):
    """Gaussian changes of all coordinates and of the wings, whatever their signs."""
    n_all, n_free = len(information.fixed), len(information.free)
    z, c = np.zeros((n, n_all)), len(wings.mixture)
    normal = rng.standard_normal((n, n_free + c))
    if n_free:
        factor, lower = information.factor
        solved = solve_triangular(
            factor, normal[:, :n_free].T, lower=lower, trans="T" if lower else "N"
        )
        z = np.ascontiguousarray(information.spread(solved).T)
    w = wings.shift + normal[:, n_free:] @ wings.root.T
    if c:
        z = z - w @ wings.wings.through.T
    moves = information.moves
    if moves.shape[1]:
        sizes = _deviates(information, n, moves.shape[1], rng)
        moved, follow = _with_wings(information, wings.wings, moves)
        z = z + sizes @ moved.T
        w = w + sizes @ follow.T
    return z, w


def _deviates(information, n, n_moves, rng):
    """How far each deviation goes, in its own units: Gaussian, and one-sided for amounts at zero.

    The unit of an amount at zero is its one-sided error.
    """
    held = sorted(information.profiles) if information.evaluation is not None else []
    first = n_moves - len(held)
    sizes = rng.standard_normal((n, n_moves))
    uniform = rng.random((n, len(held)))
    for column, i in enumerate(held):
        profile = information.profiles[i]
        knots = np.linspace(0.0, 1.0, 201)[1:-1]
        values = np.array([profile.quantile(p) for p in knots]) - profile.value
        unit = profile.quantile(ONE_SIDED) - profile.value
        if not (np.isfinite(unit) and unit > 0):
            sizes[:, first + column] = 0.0
            continue
        sizes[:, first + column] = np.interp(uniform[:, column], knots, values) / unit
    return sizes


def _with_wings(information, wings, moves):
    """Each deviation with all other coordinates and the wings having followed it."""
    seen = [score @ moves for score in information.scores]
    pull = -sum(score.T @ part for score, part in zip(information.scores, seen, strict=True))
    followed, follow = wings.solve(information, pull, -wings.crossed_with(seen))
    return followed + moves, follow


def moved_shapes(information, z):
    """Means (n, K, D) and covariances (n, K, D, D) at changes z of the coordinates."""
    parameters, mixture = information.parameters, information.parameters.mixture
    (k, d), n = mixture.means.shape, len(z)
    rows, columns = np.tril_indices(d)
    first, last = (1 + d) * k, (1 + d + len(rows)) * k
    shifts = z[:, k:first].reshape(n, d, k)
    shapes = np.clip(z[:, first:last], -_FURTHEST, _FURTHEST).reshape(n, len(rows), k)
    roots = np.linalg.cholesky(parameters.scales(information.phase))
    means = mixture.means + np.einsum("kij,njk->nki", roots, shifts)
    c = np.zeros((n, k, d, d))
    c[:, :, rows, columns] = np.swapaxes(shapes, 1, 2)
    diagonal = np.arange(d)
    c[:, :, diagonal, diagonal] = np.exp(c[:, :, diagonal, diagonal])
    root = roots @ c
    covariances = root @ np.swapaxes(root, -1, -2)
    if parameters.fixed is not None:
        fixed = parameters.fixed
        means = np.where(fixed.means[:, None], mixture.means, means)
        covariances = np.where(fixed.covariances[:, None, None], mixture.covariances, covariances)
    least = _LEAST_FLOOR * information.phase.priors.min_sigma**2
    free = np.ones(k, bool) if parameters.fixed is None else ~parameters.fixed.covariances
    covariances = covariances + np.where(free, least, 0.0)[:, None, None] * np.eye(d)
    return means, covariances
