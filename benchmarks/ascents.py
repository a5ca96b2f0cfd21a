"""Methods to raise the objective of a fit, for bench_acceleration.py.

Each method is called as ``method(objective, z)`` and evaluates a `CountedObjective` until its
evaluations are used up, or returns where the phase ends.
"""

from functools import partial

import numpy as np

from gmmx.em.ascent import ascend
from gmmx.em.chart import Chart
from gmmx.em.maximise import evaluate
from gmmx.em.parameters import Priors


class EvaluationsUsedUp(Exception):
    """The objective has been evaluated as often as it may be."""


class CountedObjective:
    """The objective of a fit, phase after phase, with a limited number of evaluations.

    Attributes
    ----------
    gained : list of float
        The largest gain so far after each evaluation [nat]. A change of the phase, which redefines
        the objective, is not counted as a gain.
    n_phases : int
    chart : Chart
        Coordinates of the present phase.
    """

    def __init__(self, prepared, parameters, most):
        self.prepared, self.most = prepared, most
        self.gained, self.n_phases = [], 0
        self.start = parameters
        self.begin_phase(0.0)

    def begin_phase(self, gained):
        """Begin a phase at `start`, with the gain so far."""
        self.n_phases += 1
        self.phase = self.prepared.begin_phase(self.start, Priors())
        self.chart = Chart.at(self.prepared, self.start, self.phase)
        self.best = evaluate(self.prepared, self.start, self.phase)
        self.zero = self.best.objective - gained

    def __call__(self, parameters):
        if len(self.gained) >= self.most:
            raise EvaluationsUsedUp
        found = evaluate(self.prepared, parameters, self.phase)
        if found.objective > self.best.objective:
            self.best = found
        self.gained.append(self.best.objective - self.zero)
        return found

    def raise_with(self, method):
        """Apply a method, phase after phase, until the evaluations are used up."""
        try:
            while True:
                method(self, self.chart.to_vector(self.start))
                self.start = self.best.successor
                self.begin_phase(self.gained[-1])
        except EvaluationsUsedUp:
            return self

    def at(self, z):
        """The evaluation at z; None if z is no mixture or the phase is not valid there."""
        try:
            parameters = self.chart.to_parameters(z)
            if self.phase.is_valid(parameters):
                found = self(parameters)
                self.chart.to_vector(found.successor)
                return found if np.isfinite(found.objective) else None
        except (ArithmeticError, ValueError, np.linalg.LinAlgError):
            pass
        return None

    def em_step(self, evaluation):
        """G(z): the coordinates after one EM step."""
        return self.chart.to_vector(evaluation.successor)


def plain(objective, z):
    """Raise the objective by expectation maximisation."""
    while (now := objective.at(z)) is not None:
        z = objective.em_step(now)


def squarem(objective, z, *, by_component=False):
    """Raise the objective by SQUAREM, scheme S3 (Varadhan & Roland 2008, Scand. J. Stat. 35, 335).

    The longest step adapts. There is one step length, or one for each component.
    """
    k = len(objective.best.parameters.mixture)
    groups = np.zeros(len(z), int)
    if by_component:
        each = np.arange(k)
        background = np.full(len(z) - 6 * k, k)
        groups = np.concatenate([each, np.repeat(each, 2), np.repeat(each, 3), background])
    longest = 1.0
    while (first := objective.at(z)) is not None:
        one = objective.em_step(first)
        second = objective.at(one)
        if second is None:
            return
        two = objective.em_step(second)
        r, v = one - z, two - 2 * one + z
        lengths = np.sqrt(
            np.bincount(groups, r * r) / np.maximum(np.bincount(groups, v * v), 1e-300)
        )
        hit = lengths.max() >= longest
        a = np.clip(lengths, 1.0, longest)[groups]
        # A step of length 1 is two EM steps, which have been done already.
        third = objective.at(z + 2 * a * r + a * a * v) if longest > 1 else None
        if third is not None and third.objective >= second.objective:
            z = objective.em_step(third)
            longest *= 4 if hit else 1
        else:
            z = two
            longest = max(longest / 4, 1.0) if longest > 1 else 4.0


def daarem(objective, z, depth=10, slack=0.01):
    """Raise the objective by damped Anderson acceleration with restarts and control.

    DAAREM of Henderson & Varadhan 2019 (JCGS 28, 834).
    """
    now, success = objective.at(z), 0
    while now is not None:
        f = objective.em_step(now) - z
        steps, changes = [], []
        for _ in range(depth):
            proposal = trial = None
            if changes:
                damping = 1 / (1 + 1.2 ** (25 - success))
                coefficients = _damped(np.array(changes).T, f, damping)
                proposal = z + f - (np.array(steps) + np.array(changes)).T @ coefficients
                trial = objective.at(proposal)
            if trial is not None and trial.objective >= now.objective - slack:
                success += 1
            else:
                success = max(success - depth, 0) if proposal is not None else success
                proposal = z + f
                trial = objective.at(proposal)
                if trial is None:
                    return
            g = objective.em_step(trial) - proposal
            steps, changes = [*steps, proposal - z], [*changes, g - f]
            now, z, f = trial, proposal, g


def _damped(matrix, right, fraction):
    """Ridge regression with a fraction of the squared length of the least-squares coefficients."""
    u, s, vt = np.linalg.svd(matrix, full_matrices=False)
    projected = u.T @ right
    s = np.maximum(s, 1e-12 * s[0])
    wanted = fraction * np.sum((projected / s) ** 2)
    low, high = -60.0, 60.0
    for _ in range(60):
        middle = (low + high) / 2
        if np.sum((s * projected / (s * s + np.exp(middle))) ** 2) > wanted:
            low = middle
        else:
            high = middle
    return vt.T @ (s * projected / (s * s + np.exp(high)))


def quasi_newton(objective, z):
    """Raise the objective by gmmx's own L-BFGS."""
    chart = objective.chart
    for _ in ascend(objective, objective.phase.is_valid, chart.to_parameters(z), chart):
        pass


METHODS = {
    "EM": plain,
    "SQUAREM": squarem,
    "SQUAREM by component": partial(squarem, by_component=True),
    "DAAREM, depth 10": daarem,
    "L-BFGS (gmmx)": quasi_newton,
}
