"""Ascents to the nearest maximum, by quasi-Newton or by plain EM steps."""

from dataclasses import dataclass

import numpy as np

from ...em.ascent import ascend
from ...em.chart import Chart
from ...em.maximise import Evaluation
from ...em.sample_phase import SamplePhase
from .problem import log_likelihood_of

# Evaluations after which coordinates, and the points of missing samples, are chosen anew.
LONGEST_PHASE = 100
# Accepted steps over which the stopping rule watches the gain.
_WATCHED_STEPS = 5
# Gain at which a trial is over [nat].
BRIEF_TOLERANCE = 0.1
# A component is removed when fewer samples than this are expected of it.
_FEWEST_SAMPLES = 0.5
# A component is removed when its observed fraction is below this, because a few samples beside an
# edge would determine how many lie behind it.
_LEAST_OBSERVED = 0.02


@dataclass(frozen=True, eq=False)
class Climbed:
    """Where an ascent ended.

    Parameters
    ----------
    evaluation : Evaluation
    phase : SamplePhase
    spent : int
        Evaluations.
    converged : bool
    history : tuple of tuple
        One row for each accepted iterate: log-likelihood, objective, step and K.
    """

    evaluation: Evaluation
    phase: SamplePhase
    spent: int
    converged: bool
    history: tuple

    @property
    def parameters(self):
        """Parameters of the last accepted iterate."""
        return self.evaluation.parameters

    @property
    def objective(self):
        """Objective of the last accepted iterate [nat]."""
        return self.evaluation.objective


def climb(problem, parameters, *, budget, tolerance=0.0, callback=None, keep_empty=False):
    """Raise the objective, for at most `budget` evaluations.

    Phase follows phase until less than `tolerance` [nat] is to be gained. Components that lose
    their samples are removed between phases, if the fit is accelerated; plain EM keeps them.

    Parameters
    ----------
    problem : SampleProblem
    parameters : Parameters
    budget : int
    tolerance : float
    callback : callable, optional
        Called with each row of the history and its parameters.
    keep_empty : bool
        Keep components without samples in any case.

    Returns
    -------
    Climbed
    """
    spent, rows, converged = 0, [], False
    while True:
        phase = problem.begin_phase(parameters)
        steps = _steps(problem, parameters, phase)
        most = min(budget - spent, LONGEST_PHASE)
        last, used, gain, promise = _one_phase(problem, steps, most, tolerance, rows, callback)
        spent += used
        converged = promise < tolerance and gain < max(10 * tolerance, 1.0)
        if converged or spent >= budget:
            return Climbed(last, phase, spent, converged, tuple(rows))
        # A phase of plain EM begins with the next step, so that each iterate is one step more.
        is_repeated = used >= most and problem.options.accelerate
        parameters = last.parameters if is_repeated else last.successor
        if problem.options.accelerate and not keep_empty:
            parameters = without_empty(parameters, last.observed_fraction)


def _steps(problem, parameters, phase):
    """Accepted iterates of one phase: evaluations, kinds, costs, and what may still be gained."""
    if problem.options.accelerate:
        chart = Chart.at(problem.likelihood, parameters, phase)
        for step in ascend(lambda q: problem.evaluate(q, phase), phase.is_valid, parameters, chart):
            yield step.evaluation, step.kind, step.evaluations, step.promise
        return
    now, kind = problem.evaluate(parameters, phase), "start"
    while True:
        yield now, kind, 1, 0.0
        if not phase.is_valid(now.successor):
            return
        now, kind = problem.evaluate(now.successor, phase), "em"


def _one_phase(problem, steps, most, tolerance, rows, callback):
    """The last evaluation of a phase, what it cost and gained, and what it may still gain."""
    spent, objectives, promise = 0, [], np.inf
    for evaluation, kind, cost, expected in steps:
        spent += cost
        last = evaluation
        objectives.append(last.objective)
        value = log_likelihood_of(problem.likelihood, last)
        rows.append((value, last.objective, kind, len(last.parameters.mixture)))
        if callback is not None:
            callback(rows[-1], last.parameters)
        if kind == "maximum":
            promise = 0.0
        elif len(objectives) > _WATCHED_STEPS:
            promise = max(expected, objectives[-1] - objectives[-1 - _WATCHED_STEPS])
        if promise < tolerance or kind == "maximum" or spent >= most:
            break
    else:
        promise = np.inf
    return last, spent, objectives[-1] - objectives[0], promise


def without_empty(parameters, observed_fraction):
    """The parameters without components that have no samples; one stays in any case."""
    expected = parameters.mixture.fluxes * np.maximum(observed_fraction, 1e-3)
    keep = (expected > _FEWEST_SAMPLES) & (observed_fraction > _LEAST_OBSERVED)
    return parameters if keep.all() else parameters.select(keep | (expected == expected.max()))
