"""One monotone map in, fewer steps out: a quasi-Newton ascent that starts from EM's own metric.

EM never lowers the objective, but it creeps along directions that the data hardly constrain. The moments of an E-step also give the exact gradient, and the
complete-data information, which is what EM divides the gradient by, is known in closed form. So: L-BFGS (Nocedal & Wright 2006, algorithm 7.4) in coordinates
scaled by that information, where its first step is about EM's and later ones learn what EM cannot see.

Measured from grown and disturbed mixtures (benchmarks/bench_acceleration.py), nats gained in 200 (400) evaluations by EM, Anderson/DAAREM of depth 10,
SQUAREM with one step length per component, which is the better one, and L-BFGS: 60 components on 150,000 photons 1975 (1997), 1976 (1997), 1997 (2011),
2010 (2020); 31 components on the 152,682 photons of a ray-traced galaxy 1965 (2003), 1967 (2001), 2023 (2062), 2026 (2054); 12 components on 15,000 photons
249 (250), 250 (250), 266 (272), 271 (271). L-BFGS leads in all three after 200; given twice as many, SQUAREM passes it where many summits lie close
together. In the first dozen evaluations none leads by much, and nothing is learnt yet: hence the EM steps at the start.
"""

from dataclasses import dataclass

import numpy as np

from ..model.mixture import Mixture
from .photons import Evaluation, Parameters

MEMORY = 20
# A step may change no coordinate by more than this: a factor e in flux or width, one sigma in position.
_LONGEST = 1.0
_SHORTEN = 0.3
_TRIES = 5
_SUFFICIENT = 1e-4


def _above(covariances, floor):
    """What of covariances lies above the floor, positive definite: a component that has flattened onto the floor leaves nothing but rounding."""
    values, vectors = np.linalg.eigh(covariances - floor)
    least = np.maximum(1e-4 * floor[0, 0], 1e-12 * values[:, 1:])
    return (vectors * np.maximum(values, least)[:, None, :]) @ np.swapaxes(vectors, 1, 2)


@dataclass(frozen=True, eq=False)
class Chart:
    """Coordinates z about given parameters in which a step means the same for every component.

    ``z = w * (log F, L0^-1 (mu - mu0), log-Cholesky of E0^-1 (Sigma - f) E0^-T, log B of the free amplitudes)`` with ``Sigma0 = L0 L0^T`` (for a point source,
    whose Sigma is nothing, L0 is that of the PSF's core), f the floor of the covariances and ``Sigma0 - f = E0 E0^T``: what lies above the floor is positive by
    construction, so that a component may rest on the floor without a kink.
    What is fixed has no slope, so that no step moves it, and comes back as it was.

    w is the square root of the complete-data information: n for log F and the means, n and 2 n for the off-diagonal and the logarithms of the diagonal, times
    the share of Sigma above the floor, with n = F or B int q photons.
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
    def at(cls, parameters, prepared, min_sigma, *, scales=None):
        """The chart about `parameters`; `scales` (K, 2, 2) are the units of the means where they are not the covariances [arcsec**2]."""
        mixture = parameters.mixture
        # A little below the floor that the M-step keeps, so that the logarithm of what lies above exists.
        floor = (1 - 1e-3) * min_sigma**2 * np.eye(2)
        roots, shape_roots = (
            np.linalg.cholesky(mixture.covariances if scales is None else scales),
            np.linalg.cholesky(_above(mixture.covariances, floor)),
        )
        photons = np.sqrt(np.maximum(mixture.fluxes, 1.0))
        above = np.linalg.det(shape_roots) / np.linalg.det(roots)
        free = tuple(~p.fixed for p in prepared)
        backgrounds = [
            np.sqrt(np.maximum(a * p.integrals, 1.0))[f]
            for a, p, f in zip(parameters.amplitudes, prepared, free, strict=True)
        ]
        shapes = (photons * np.maximum(above, 1e-3))[:, None] * np.sqrt([2, 1, 2])
        return cls(
            parameters,
            roots,
            np.linalg.inv(roots),
            shape_roots,
            np.linalg.inv(shape_roots),
            np.concatenate([photons, np.repeat(photons, 2), shapes.ravel(), *backgrounds]),
            free,
            floor,
        )

    def _relative_root(self, covariances):
        return np.linalg.cholesky(
            self.shape_inverses
            @ _above(covariances, self.floor)
            @ np.swapaxes(self.shape_inverses, 1, 2)
        )

    def to_vector(self, parameters):
        """z of parameters."""
        m = parameters.mixture
        shifts = np.einsum("kij,kj->ki", self.inverses, m.means - self.origin.mixture.means)
        c = self._relative_root(m.covariances)
        shapes = np.stack([np.log(c[:, 0, 0]), c[:, 1, 0], np.log(c[:, 1, 1])], axis=1)
        amplitudes = [
            np.log(np.maximum(a[f], 1e-300))
            for a, f in zip(parameters.amplitudes, self.free, strict=True)
        ]
        return self.scales * np.concatenate(
            [np.log(m.fluxes), shifts.ravel(), shapes.ravel(), *amplitudes]
        )

    def to_parameters(self, z):
        """Parameters of z."""
        k = len(self.roots)
        vector = z / self.scales
        shifts, shapes, rest = (
            vector[k : 3 * k].reshape(k, 2),
            vector[3 * k : 6 * k].reshape(k, 3),
            vector[6 * k :],
        )
        c = np.zeros((k, 2, 2))
        c[:, 0, 0], c[:, 1, 0], c[:, 1, 1] = (
            np.exp(shapes[:, 0]),
            shapes[:, 1],
            np.exp(shapes[:, 2]),
        )
        root = self.shape_roots @ c
        amplitudes, used = [], 0
        for held, free in zip(self.origin.amplitudes, self.free, strict=True):
            values = held.copy()
            values[free] = np.exp(rest[used : used + int(free.sum())])
            used += int(free.sum())
            amplitudes.append(values)
        mixture = Mixture(
            fluxes=np.exp(vector[:k]),
            means=self.origin.mixture.means + np.einsum("kij,kj->ki", self.roots, shifts),
            covariances=self.floor + root @ np.swapaxes(root, 1, 2),
        )
        return self.origin.moved(mixture, amplitudes)

    def gradient(self, evaluation):
        """Derivative of the objective by z."""
        g = evaluation.gradient
        c = self._relative_root(evaluation.parameters.mixture.covariances)
        # Sigma = f + (E0 C) (E0 C)^T: d/dC = 2 E0^T (d/dSigma) E0 C, lower triangle.
        by_root = 2 * np.swapaxes(self.shape_roots, 1, 2) @ g.covariances @ self.shape_roots @ c
        shapes = np.stack(
            [by_root[:, 0, 0] * c[:, 0, 0], by_root[:, 1, 0], by_root[:, 1, 1] * c[:, 1, 1]], axis=1
        )
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
    kind : {"start", "em", "quasi-newton", "summit"}
    evaluations : int
        Evaluations it took, rejected trials included.
    promise : float
        What the local quadratic model says is still to be gained [nat]; infinite where there is none.
    """

    evaluation: Evaluation
    kind: str
    evaluations: int
    promise: float


class _Memory:
    """Pairs of steps and gradient changes, and the inverse Hessian they imply."""

    def __init__(self):
        self.pairs = []

    def add(self, step, change):
        if step @ change > 1e-10 * np.sqrt((step @ step) * (change @ change)):
            self.pairs = [*self.pairs[1 - MEMORY :], (step, change, 1 / (step @ change))]

    def apply(self, gradient):
        """H g by the two-loop recursion."""
        q, factors = gradient.copy(), []
        for step, change, inverse in reversed(self.pairs):
            factors.append(inverse * (step @ q))
            q -= factors[-1] * change
        if self.pairs:
            step, change, inverse = self.pairs[-1]
            q *= np.clip(1 / (inverse * (change @ change)), 0.05, 50.0)
        for (step, change, inverse), factor in zip(self.pairs, reversed(factors), strict=True):
            q += step * (factor - inverse * (change @ q))
        return q


def ascend(evaluate, holds, parameters, chart, *, em_steps=2):
    """Iterates of rising objective, without end; stops where the phase no longer holds.

    Parameters
    ----------
    evaluate : callable
        Parameters to Evaluation; it may raise an arithmetic or value error for parameters that cannot be evaluated.
    holds : callable
        Whether an objective at these parameters can be compared with one at the start.
    parameters : Parameters
    chart : Chart
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
        length = min(
            1.0, _LONGEST / max(np.max(np.abs(direction / chart.scales), initial=0.0), 1e-300)
        )
        trial, kind, spent = None, "quasi-newton", 0
        for _ in range(_TRIES):
            try:
                candidate = chart.to_parameters(z + length * direction)
                if holds(candidate):
                    spent += 1
                    found = evaluate(candidate)
                    if (
                        np.isfinite(found.objective)
                        and found.objective >= now.objective + _SUFFICIENT * length * promised
                    ):
                        trial = found
                        break
            except (ArithmeticError, ValueError, np.linalg.LinAlgError):
                pass
            length *= _SHORTEN
        if trial is None:
            # What was learnt does not fit here: EM's own step never fails.
            if not holds(now.successor):
                return
            trial, kind, memory = evaluate(now.successor), "em", _Memory()
            spent += 1
            if trial.objective < now.objective:
                # At the summit to all digits: EM's own step has lost to rounding.
                yield Step(now, "summit", spent, 0.0)
                return
        try:
            new_z, new_gradient = chart.to_vector(trial.parameters), chart.gradient(trial)
        except np.linalg.LinAlgError:
            # A step of EM onto the floor, seen from a chart far above it, may be flat to all digits.
            yield Step(trial, kind, spent, np.inf)
            return
        memory.add(new_z - z, gradient - new_gradient)
        now, z, gradient = trial, new_z, new_gradient
        yield Step(now, kind, spent, promised / 2)
