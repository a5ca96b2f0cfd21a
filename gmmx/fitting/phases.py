"""The steps that all stages are made of: a phase, a single evaluation, a row of the history.

Within a phase the objective never falls, because PSF averages, resolutions and prior scales stay
fixed. Every function takes the problem and a FitState and returns a new FitState.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..em.ascent import ascend
from ..em.chart import Chart
from ..em.maximise import Evaluation
from ..model.state import FitState, Iterate
from .problem import Problem, parameters_of

# A phase ends after this many evaluations, so that PSF averages and prior scales can follow the
# components.
LONGEST_PHASE = 100
# Evaluations of each of the two phases of a trial.
_TRIAL_EVALUATIONS = 12
# Accepted steps over which the stopping rule watches the gain.
_WATCHED_STEPS = 5
# A component is removed when fewer photons than this are expected of it.
_FEWEST_PHOTONS = 0.5
# A component is removed when its observed fraction is below this, because a few photons beside
# a mask would determine a large flux behind it.
_LEAST_OBSERVED = 0.02


@dataclass(frozen=True)
class Watch:
    """Tells the caller of a fit about each accepted iterate.

    Parameters
    ----------
    problem : Problem
    callback : callable or None
        Called with an Iterate; it may raise to stop the fit.
    resumable : FitState
        The state that a stopped fit can be resumed from.
    """

    problem: Problem
    callback: Callable | None
    resumable: FitState

    def row(self, evaluation, stage, step, *, evaluations, phase):
        """Tell the caller, and return the row of the history."""
        parameters, seconds = evaluation.parameters, self.problem.seconds
        if self.callback is not None:
            self.callback(
                Iterate(
                    mixture=parameters.mixture,
                    amplitudes=parameters.amplitudes,
                    log_likelihood=evaluation.log_likelihood,
                    objective=evaluation.objective,
                    iteration=evaluations,
                    stage=stage,
                    step=step,
                    seconds=seconds,
                    state=self.resumable,
                )
            )
        values = float(evaluation.log_likelihood), float(evaluation.objective)
        return (*values, stage, step, _n_extended(parameters), seconds, phase)


@dataclass(frozen=True, eq=False)
class PhaseEnd:
    """How a phase ended.

    Parameters
    ----------
    evaluation : Evaluation
        Of its last accepted iterate.
    spent : int
        Evaluations.
    gain : float
        Rise of the objective within the phase [nat].
    promise : float
        What the objective may still gain [nat].
    """

    evaluation: Evaluation
    spent: int
    gain: float
    promise: float

    def is_settled(self, tolerance):
        """Whether neither this phase nor a further one gains more than the tolerance.

        If the objective hardly rose after PSF averages and prior scales were computed anew, a
        further phase would not raise it either.
        """
        return self.promise < tolerance and self.gain < max(10 * tolerance, 1.0)


def _n_extended(parameters):
    """Number of components that are not point sources."""
    return int((~parameters.points).sum())


def run_phase(problem, state, stage, watch, *, budget, tolerance=0.0):
    """Raise the objective within one phase, for at most `budget` evaluations.

    The phase ends when less than `tolerance` [nat] is to be gained. Neither the quadratic model
    of the ascent nor the gain of the latest steps can be trusted alone: both must be small.

    Returns
    -------
    state : FitState
    end : PhaseEnd
    """
    parameters, number = parameters_of(state), state.phases + 1
    phase = problem.begin_phase(parameters)
    chart = Chart.at(problem.likelihood, parameters, phase)
    spent, objectives, promise, rows = 0, [], np.inf, []
    for step in ascend(lambda q: problem.evaluate(q, phase), phase.is_valid, parameters, chart):
        spent += step.evaluations
        last = step.evaluation
        objectives.append(last.objective)
        evaluations = state.evaluations + spent
        rows.append(watch.row(last, stage, step.kind, evaluations=evaluations, phase=number))
        at_maximum = step.kind == "maximum"
        recent = np.inf
        if len(objectives) > _WATCHED_STEPS:
            recent = objectives[-1] - objectives[-1 - _WATCHED_STEPS]
        promise = 0.0 if at_maximum else max(step.promise, recent)
        if promise < tolerance or at_maximum or spent >= budget:
            parameters = last.parameters
            break
    else:
        # The components have become narrower than the phase's integrals resolve. The step that
        # said so begins the next phase.
        parameters, promise = last.successor, np.inf
    state = replace(
        state.with_parameters(parameters),
        evaluations=state.evaluations + spent,
        phases=number,
        history=(*state.history, *rows),
        seconds=problem.seconds,
    )
    return state, PhaseEnd(last, spent, objectives[-1] - objectives[0], promise)


def refine(problem, state, stage, watch, *, budget):
    """Two phases of at most `budget` evaluations each, after which empty components are removed.

    Returns
    -------
    state : FitState
    evaluation : Evaluation
        The last one, before the removal.
    """
    for _ in range(2):
        state, end = run_phase(problem, state, stage, watch, budget=budget)
    return without_empty(state, end.evaluation), end.evaluation


def tried(problem, state, parameters, stage, watch):
    """The state, the evaluation and the phase after other components were briefly fitted."""
    trial = state.with_parameters(parameters)
    trial, _ = refine(problem, trial, stage, watch, budget=_TRIAL_EVALUATIONS)
    return evaluated(problem, trial)


def settle(problem, state, stage, watch, *, budget, tolerance):
    """One phase of a stage that runs phases until the objective has settled.

    Returns
    -------
    state : FitState
    finished : bool
        Whether this was the last phase.
    """
    spent = state.progress.get("spent", 0)
    state, end = run_phase(
        problem,
        state,
        stage,
        watch,
        budget=min(budget - spent, LONGEST_PHASE),
        tolerance=tolerance,
    )
    state = without_empty(state, end.evaluation)
    converged = end.is_settled(tolerance)
    finished = converged or spent + end.spent >= budget
    if finished:
        state = noted(problem, state, end.evaluation, stage)
    return replace(state.going_on(spent=spent + end.spent), converged=converged), finished


def without_empty(state, evaluation):
    """The state without components that have no photons or that were hardly observed."""
    parameters, observed = parameters_of(state), evaluation.observed_fraction
    expected = parameters.mixture.fluxes * np.maximum(observed, 1e-3)
    keep = (expected > _FEWEST_PHOTONS) & (observed > _LEAST_OBSERVED) | parameters.any_fixed
    if np.all(keep):
        return state
    state = state.with_parameters(parameters.select(keep))
    return replace(state, removed=state.removed + int((~keep).sum()))


def evaluated(problem, state):
    """Evaluate the likelihood once, in a phase of its own.

    Returns
    -------
    state : FitState
        With the evaluation counted.
    evaluation : Evaluation
    phase : Phase
    """
    evaluation, phase = evaluation_at(problem, state)
    state = replace(state, evaluations=state.evaluations + 1, phases=state.phases + 1)
    return state, evaluation, phase


def evaluation_at(problem, state):
    """The evaluation at a state, and its phase; nothing is counted."""
    parameters = parameters_of(state)
    phase = problem.begin_phase(parameters)
    return problem.evaluate(parameters, phase), phase


def noted(problem, state, evaluation, stage, accepted=True):
    """The state with one more row in its path: K, log L, and whether the fit accepted them."""
    log_likelihood = float(evaluation.log_likelihood)
    value = merit(evaluation, problem.price)
    row = (stage, _n_extended(evaluation.parameters), log_likelihood, value, bool(accepted))
    return replace(state, path=(*state.path, row), seconds=problem.seconds)


def merit(evaluation, price):
    """The merit of a mixture, by which the fit accepts or rejects other components [nat].

    It is the objective if the number of components is given. If the fit chooses the number, it is
    the log-likelihood less the price of all components. Point sources have no price, because
    the user placed them.

    Parameters
    ----------
    evaluation : Evaluation
    price : Price or None
        None if the number of components is given.
    """
    if price is None:
        return evaluation.objective
    parameters = evaluation.parameters
    extended = parameters.mixture.select(np.flatnonzero(~parameters.points))
    return price.criterion(evaluation.log_likelihood, extended)


def rejected(state, before):
    """The state after a rejected trial: the parameters before it, and the evaluations it took."""
    return replace(
        state.with_parameters(parameters_of(before)),
        removed=before.removed,
        progress=before.progress,
    )
