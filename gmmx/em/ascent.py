"""A quasi-Newton ascent that starts from EM's own metric.

EM never lowers the objective, but it is slow along directions that the data hardly constrain. The
moments of an E-step also give the exact gradient, and the complete-data information, by which EM
divides the gradient, is known in closed form. This module therefore runs L-BFGS (Nocedal & Wright
2006, algorithm 7.4) in coordinates that are scaled by that information: its first step is about
EM's own, and later steps use the curvature that EM does not know.

Measured from grown and disturbed mixtures (benchmarks/bench_acceleration.py), nats gained in 200
(400) evaluations by EM, by Anderson/DAAREM of depth 10, by the better SQUAREM, which has one step
length for each component, and by L-BFGS:

====================================  ===========  ===========  ===========  ===========
case                                  EM           DAAREM       SQUAREM      L-BFGS
====================================  ===========  ===========  ===========  ===========
60 components, 150,000 photons        1975 (1997)  1976 (1997)  1997 (2011)  2010 (2020)
31 components, 152,682 of a galaxy    1965 (2003)  1967 (2001)  2023 (2062)  2026 (2054)
12 components, 15,000 photons         249 (250)    250 (250)    266 (272)    271 (271)
====================================  ===========  ===========  ===========  ===========

After 200 evaluations L-BFGS leads in all three; after 400, SQUAREM passes it where many maxima lie
close together. In the first dozen evaluations none leads by much, and L-BFGS has no curvature yet:
hence the EM steps at the start.
"""

from dataclasses import dataclass

import numpy as np

from ..model.mixture import Mixture
from .maximise import Evaluation
from .parameters import Parameters

# Pairs of steps and gradient changes that L-BFGS remembers.
MEMORY = 20
# A step changes no coordinate by more than this: a factor e in flux or width, one sigma in
# position.
_LONGEST = 1.0
# Line search: each trial is this much shorter than the one before, for at most so many trials.
_SHORTEN = 0.3
_TRIES = 5
# The gain must be at least this part of what the slope promises (Armijo's condition).
_SUFFICIENT = 1e-4
# The floor of a chart lies this far below that of the M-step, so that the logarithm of what lies
# above it exists.
_BELOW_FLOOR = 1e-3
# Bounds of the initial inverse Hessian, relative to EM's metric.
_INITIAL_SCALE = (0.05, 50.0)


def _above(covariances, floor):
    """The part of covariances above the floor, made positive definite.

    A component that has become as narrow as the floor along an axis leaves only rounding there.
    """
    values, vectors = np.linalg.eigh(covariances - floor)
    least = np.maximum(1e-4 * floor[0, 0], 1e-12 * values[:, -1:])
    return (vectors * np.maximum(values, least)[:, None, :]) @ np.swapaxes(vectors, 1, 2)


@dataclass(frozen=True, eq=False)
class Chart:
    """Coordinates z about given parameters in which a step means the same for every component.

    ``z = w * (log F, L0^-1 (mu - mu0), log-Cholesky of E0^-1 (Sigma - f) E0^-T, log B)`` with
    ``Sigma0 = L0 L0^T`` (see `Parameters.scales`), f the floor of the covariances and ``Sigma0 - f
    = E0 E0^T``. Sigma - f is positive by construction, so that a component may rest on the floor
    without a kink. The lower triangle of a Cholesky factor is read row by row, with the logarithm
    of its diagonal. Fixed amplitudes are no coordinates. Fixed numbers of the mixture have no
    slope, so that no step moves them.

    w is the square root of the complete-data information. With n = F or B int q photons it is n
    for log F and the means, and n and 2 n for the off-diagonal and the logarithms of the diagonal,
    times the part of Sigma that lies above the floor.

    Attributes
    ----------
    origin : Parameters
    roots, inverses : (K, D, D) arrays
        L0 and its inverse.
    shape_roots, shape_inverses : (K, D, D) arrays
        E0 and its inverse.
    scales : (n,) array
        w.
    free : tuple of (n_b,) booleans
        Amplitudes that are fitted.
    floor : (D, D) array
        f [arcsec**2].
    """

    origin: Parameters
    roots: np.ndarray
    inverses: np.ndarray
    shape_roots: np.ndarray
    shape_inverses: np.ndarray
    scales: np.ndarray
    free: tuple
    floor: np.ndarray

    @classmethod
    def at(cls, likelihood, parameters, phase):
        """The chart about given parameters."""
        mixture, d = parameters.mixture, parameters.mixture.means.shape[1]
        floor = (1 - _BELOW_FLOOR) * phase.priors.min_sigma**2 * np.eye(d)
        roots = np.linalg.cholesky(parameters.scales(phase))
        shape_roots = np.linalg.cholesky(_above(mixture.covariances, floor))
        photons = np.sqrt(np.maximum(mixture.fluxes, 1.0))
        above = np.linalg.det(shape_roots) / np.linalg.det(roots)
        free = tuple(~fixed for fixed in likelihood.fixed_amplitudes)
        backgrounds = [
            np.sqrt(np.maximum(a * integral, 1.0))[f]
            for a, integral, f in zip(
                parameters.amplitudes, likelihood.integrals, free, strict=True
            )
        ]
        rows, columns = np.tril_indices(d)
        shapes = (photons * np.maximum(above, 1e-3))[:, None] * np.sqrt(1 + (rows == columns))
        return cls(
            origin=parameters,
            roots=roots,
            inverses=np.linalg.inv(roots),
            shape_roots=shape_roots,
            shape_inverses=np.linalg.inv(shape_roots),
            scales=np.concatenate([photons, np.repeat(photons, d), shapes.ravel(), *backgrounds]),
            free=free,
            floor=floor,
        )

    def _relative_root(self, covariances):
        """C: the Cholesky factor of E0^-1 (Sigma - f) E0^-T, (K, D, D)."""
        above = _above(covariances, self.floor)
        inverses = self.shape_inverses
        return np.linalg.cholesky(inverses @ above @ np.swapaxes(inverses, 1, 2))

    def to_vector(self, parameters):
        """z of parameters, (n,)."""
        m = parameters.mixture
        shifts = np.einsum("kij,kj->ki", self.inverses, m.means - self.origin.mixture.means)
        rows, columns = np.tril_indices(m.means.shape[1])
        shapes = self._relative_root(m.covariances)[:, rows, columns]
        shapes[:, rows == columns] = np.log(shapes[:, rows == columns])
        amplitudes = [
            np.log(np.maximum(a[f], 1e-300))
            for a, f in zip(parameters.amplitudes, self.free, strict=True)
        ]
        return self.scales * np.concatenate(
            [np.log(m.fluxes), shifts.ravel(), shapes.ravel(), *amplitudes]
        )

    def to_parameters(self, z):
        """Parameters of z."""
        mixture = self.origin.mixture
        k, d = mixture.means.shape
        rows, columns = np.tril_indices(d)
        logs, shifts, shapes, rest = np.split(z / self.scales, np.cumsum([k, k * d, k * len(rows)]))
        c, shapes = np.zeros((k, d, d)), shapes.reshape(k, len(rows))
        c[:, rows, columns] = np.where(rows == columns, np.exp(shapes), shapes)
        root = self.shape_roots @ c
        return self.origin.moved(
            Mixture(
                fluxes=np.exp(logs),
                means=mixture.means + np.einsum("kij,kj->ki", self.roots, shifts.reshape(k, d)),
                covariances=self.floor + root @ np.swapaxes(root, 1, 2),
            ),
            self._amplitudes(rest),
        )

    def _amplitudes(self, logs):
        """Amplitudes of each observation, the free ones from their logarithms."""
        amplitudes, used = [], 0
        for before, free in zip(self.origin.amplitudes, self.free, strict=True):
            n, values = int(free.sum()), before.copy()
            values[free] = np.exp(logs[used : used + n])
            used += n
            amplitudes.append(values)
        return amplitudes

    def gradient(self, evaluation):
        """Derivative of the objective by z, (n,)."""
        g = evaluation.gradient
        c = self._relative_root(evaluation.parameters.mixture.covariances)
        # Sigma = f + (E0 C) (E0 C)^T: d/dC = 2 E0^T (d/dSigma) E0 C, lower triangle.
        by_root = 2 * np.swapaxes(self.shape_roots, 1, 2) @ g.covariances @ self.shape_roots @ c
        rows, columns = np.tril_indices(c.shape[1])
        shapes = by_root[:, rows, columns] * np.where(rows == columns, c[:, rows, columns], 1.0)
        means = np.einsum("kji,kj->ki", self.roots, g.means)
        amplitudes = [a[f] for a, f in zip(g.log_amplitudes, self.free, strict=True)]
        return (
            np.concatenate([g.log_fluxes, means.ravel(), shapes.ravel(), *amplitudes]) / self.scales
        )


@dataclass(frozen=True, eq=False)
class Step:
    """An accepted iterate.

    Attributes
    ----------
    evaluation : Evaluation
    kind : {"start", "em", "quasi-newton", "maximum"}
        How it was reached; "maximum" if no step raises the objective beyond rounding.
    evaluations : int
        Evaluations that it took, with those of rejected trials.
    promise : float
        Gain that the local quadratic model still expects [nat]; infinite without a model.
    """

    evaluation: Evaluation
    kind: str
    evaluations: int
    promise: float


class _Memory:
    """Pairs of steps and gradient changes, and the inverse Hessian that follows from them."""

    def __init__(self):
        self.pairs = []

    def add(self, step, change):
        """Remember a pair, unless its curvature is not positive."""
        if step @ change > 1e-10 * np.sqrt((step @ step) * (change @ change)):
            self.pairs = [*self.pairs[1 - MEMORY :], (step, change, 1 / (step @ change))]

    def apply(self, gradient):
        """H g by the two-loop recursion (Nocedal & Wright 2006, algorithm 7.4)."""
        q, factors = gradient.copy(), []
        for step, change, inverse in reversed(self.pairs):
            factors.append(inverse * (step @ q))
            q -= factors[-1] * change
        if self.pairs:
            step, change, inverse = self.pairs[-1]
            q *= np.clip(1 / (inverse * (change @ change)), *_INITIAL_SCALE)
        for (step, change, inverse), factor in zip(self.pairs, reversed(factors), strict=True):
            q += step * (factor - inverse * (change @ q))
        return q


def ascend(evaluate, holds, parameters, chart, *, em_steps=2):
    """Iterates of rising objective, without end; stops if the phase no longer holds.

    Parameters
    ----------
    evaluate : callable
        Parameters to Evaluation. An arithmetic or a value error rejects a trial.
    holds : callable
        Whether objectives at given parameters can be compared with those at the start, as
        `Phase.holds` says.
    parameters : Parameters
        Where to start.
    chart : Chart
        About the start.
    em_steps : int
        Plain EM steps at the start.

    Yields
    ------
    Step
        No iterate has a lower objective than the one before.
    """
    now = evaluate(parameters)
    yield Step(now, "start", 1, np.inf)
    for _ in range(em_steps):
        if not holds(now.successor):
            return
        now = evaluate(now.successor)
        yield Step(now, "em", 1, np.inf)
    memory, z, gradient = _Memory(), chart.to_vector(now.parameters), chart.gradient(now)
    while True:
        direction = memory.apply(gradient)
        promised = direction @ gradient
        trial, spent = _searched(evaluate, holds, chart, now, z, direction, promised)
        kind = "quasi-newton"
        if trial is None:
            # The curvature in memory does not fit here. EM's own step never fails.
            if not holds(now.successor):
                return
            trial, kind, memory = evaluate(now.successor), "em", _Memory()
            spent += 1
            if trial.objective < now.objective:
                # EM's own step has lost to rounding: this is the maximum.
                yield Step(now, "maximum", spent, 0.0)
                return
        try:
            new_z, new_gradient = chart.to_vector(trial.parameters), chart.gradient(trial)
        except np.linalg.LinAlgError:
            # After an EM step onto the floor a component may be singular in a chart far above it.
            yield Step(trial, kind, spent, np.inf)
            return
        memory.add(new_z - z, gradient - new_gradient)
        now, z, gradient = trial, new_z, new_gradient
        yield Step(now, kind, spent, promised / 2)


def _searched(evaluate, holds, chart, now, z, direction, promised):
    """The first of ever shorter steps that gains enough, or None; and evaluations spent."""
    largest = max(np.max(np.abs(direction / chart.scales), initial=0.0), 1e-300)
    length, spent = min(1.0, _LONGEST / largest), 0
    for _ in range(_TRIES):
        try:
            candidate = chart.to_parameters(z + length * direction)
            if holds(candidate):
                spent += 1
                found = evaluate(candidate)
                enough = now.objective + _SUFFICIENT * length * promised
                if np.isfinite(found.objective) and found.objective >= enough:
                    return found, spent
        except (ArithmeticError, ValueError, np.linalg.LinAlgError):
            pass
        length *= _SHORTEN
    return None, spent
