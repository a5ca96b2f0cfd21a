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

from .maximise import Evaluation

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
# A plain step that lowers the objective by no more than this has lost to rounding [nat].
_ROUNDING = 1e-6
# Bounds of the initial inverse Hessian, relative to EM's metric.
_INITIAL_SCALE = (0.05, 50.0)


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


def ascend(evaluate, is_valid, parameters, chart, *, em_steps=2):
    """Iterates of rising objective: EM steps first, then quasi-Newton steps.

    They end at a maximum, or when the phase is not valid any more at the next iterate.

    Parameters
    ----------
    evaluate : callable
        Parameters to Evaluation. An arithmetic or a value error rejects a trial.
    is_valid : callable
        Whether objectives at given parameters can be compared with those at the start, as
        `Phase.is_valid` says.
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

    Examples
    --------
    >>> from itertools import islice
    >>> from gmmx.em.chart import Chart
    >>> from gmmx.em.maximise import evaluate
    >>> from gmmx.em.parameters import Parameters, Priors
    >>> from gmmx.em.photons import PhotonLikelihood
    >>> from gmmx.model.mixture import Mixture
    >>> from gmmx.model.observation import Observation
    >>> from gmmx.model.photons import Photons
    >>> x, y = np.random.default_rng(0).normal(0, 3, (2, 500))
    >>> likelihood = PhotonLikelihood.of([Observation(photons=Photons(x=x, y=y))])
    >>> start = Mixture(fluxes=[500.0], means=[[1.0, 1.0]], covariances=[[[1.0, 0], [0, 1.0]]])
    >>> parameters = Parameters(mixture=start, amplitudes=(np.zeros(0),))
    >>> phase = likelihood.begin_phase(parameters, Priors())
    >>> chart = Chart.at(likelihood, parameters, phase)
    >>> steps = ascend(
    ...     lambda q: evaluate(likelihood, q, phase), phase.is_valid, parameters, chart
    ... )
    >>> [step.kind for step in islice(steps, 4)]
    ['start', 'em', 'em', 'quasi-newton']
    """
    now, wasted = evaluate(parameters), 0
    yield Step(now, "start", 1, np.inf)
    for _ in range(em_steps):
        if not is_valid(now.successor):
            return
        following = evaluate(now.successor)
        if following.objective < now.objective - _ROUNDING:
            wasted = 1
            break
        now = following
        yield Step(now, "em", 1, np.inf)
    yield from _quasi_newton(evaluate, is_valid, chart, now, wasted)


def _quasi_newton(evaluate, is_valid, chart, now, wasted):
    """L-BFGS steps from an evaluation; where none gains enough, a plain EM step.

    The first step counts evaluations that were wasted before it.
    """
    memory, z, gradient = _Memory(), chart.to_vector(now.parameters), chart.gradient(now)
    while True:
        direction = memory.apply(gradient)
        promised = direction @ gradient
        trial, spent = _searched(evaluate, is_valid, chart, now, z, direction, promised)
        spent, wasted = spent + wasted, 0
        kind = "quasi-newton"
        if trial is None:
            # The curvature in memory does not fit here. EM's own step never fails.
            if not is_valid(now.successor):
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


def _searched(evaluate, is_valid, chart, now, z, direction, promised):
    """The first of ever shorter steps that gains enough, or None; and evaluations spent."""
    largest = max(np.max(np.abs(direction / chart.scales), initial=0.0), 1e-300)
    length, spent = min(1.0, _LONGEST / largest), 0
    for _ in range(_TRIES):
        try:
            # What a step that is far too long leads to is no number, and it is shortened.
            with np.errstate(over="ignore", invalid="ignore"):
                candidate = chart.to_parameters(z + length * direction)
            if is_valid(candidate):
                spent += 1
                found = evaluate(candidate)
                enough = now.objective + _SUFFICIENT * length * promised
                if np.isfinite(found.objective) and found.objective >= enough:
                    return found, spent
        except (ArithmeticError, ValueError, np.linalg.LinAlgError):
            pass
        length *= _SHORTEN
    return None, spent
