"""A fit on its way up: phases within which the objective never falls, and what they cost."""

import time
from dataclasses import dataclass, field

import numpy as np

from .._kernels.threads import Pace
from ..em.ascent import Chart, ascend
from ..em.maximise import evaluate
from ..em.parameters import Priors
from ..model.result import FitState

# A phase is ended after this many evaluations, so that PSF averages and prior scales follow the components.
_PHASE = 100
# Accepted steps over which the gain is watched for the stopping rule.
_WATCH = 5
# A component that is expected to hold fewer photons than this is dropped.
_EMPTY = 0.5
# And one of which less than this was seen: a few photons beside a mask would stand for any flux behind it.
_UNSEEN = 0.02


@dataclass(eq=False)
class Climb:
    """The state of a running fit: where it is, what it has cost, and what is told to the outside."""

    prepared: list
    priors: Priors
    callback: object
    began: float = field(default_factory=time.perf_counter)
    evaluations: int = 0
    history: list = field(default_factory=list)
    path: list = field(default_factory=list)
    dropped: int = 0
    phase_number: int = 0
    pace: Pace = field(default_factory=Pace)

    def _begin(self, parameters):
        """A phase, counted: what it holds is made for these parameters, so its objectives compare with no other's."""
        self.phase_number += 1
        return self.prepared.begin_phase(parameters, self.priors)

    def record(self, evaluation, phase, kind):
        """Note an accepted iterate and tell the caller."""
        seconds = time.perf_counter() - self.began
        mixture, k = evaluation.parameters.mixture, int((~evaluation.parameters.points).sum())
        self.history.append(
            (
                evaluation.log_likelihood,
                evaluation.objective,
                phase,
                kind,
                k,
                seconds,
                self.phase_number,
            )
        )
        if self.callback is not None:
            self.callback(
                FitState(
                    mixture=mixture,
                    amplitudes=evaluation.parameters.amplitudes,
                    log_likelihood=evaluation.log_likelihood,
                    objective=evaluation.objective,
                    iteration=self.evaluations,
                    stage=phase,
                    step=kind,
                    seconds=seconds,
                )
            )

    @property
    def price(self):
        """What Schwarz's criterion asks of a component: half the logarithm of the number of photons for each of its six parameters [nat]."""
        return 3 * float(np.log(max(sum(p.weights.sum() for p in self.prepared), 2.0)))

    def note(self, evaluation, name, accepted=True):
        """Note a structure that was looked at: how many components, what they are worth, and whether the fit goes on from them."""
        k = int((~evaluation.parameters.points).sum())
        self.path.append(
            (
                name,
                k,
                evaluation.log_likelihood,
                evaluation.log_likelihood - self.price * k,
                bool(accepted),
            )
        )

    def phase(self, parameters, name, budget, tol):
        """One phase of at most `budget` evaluations: (parameters, evaluation, evaluations spent, gain, gain still promised)."""
        phase = self._begin(parameters)
        chart = Chart.at(self.prepared, parameters, phase)
        spent, objectives, promise = 0, [], np.inf
        for step in ascend(
            lambda q: self.pace(evaluate, self.prepared, q, phase), phase.holds, parameters, chart
        ):
            spent += step.evaluations
            self.evaluations += step.evaluations
            last = step.evaluation
            objectives.append(last.objective)
            self.record(last, name, step.kind)
            # Neither the local model nor the recent gains alone can be trusted: both must be small.
            recent = (
                objectives[-1] - objectives[-1 - _WATCH] if len(objectives) > _WATCH else np.inf
            )
            promise = max(step.promise, recent) if step.kind != "maximum" else 0.0
            if promise < tol or step.kind == "maximum" or spent >= budget:
                break
        else:
            # The components have narrowed beyond what this phase's integrals were made for: the step that said so begins the next one.
            return last.successor, last, spent, objectives[-1] - objectives[0], np.inf
        return last.parameters, last, spent, objectives[-1] - objectives[0], promise

    def settle(self, parameters, name, budget, tol):
        """Phases until less than `tol` is still to come: (parameters, whether that was reached)."""
        left, done = budget, False
        while left > 0:
            parameters, last, spent, gain, promise = self.phase(
                parameters, name, min(left, _PHASE), tol
            )
            left -= spent
            parameters = self.without_empty(parameters, last)
            # A phase that gained next to nothing from its fresh start has nothing left to refresh either.
            if promise < tol and gain < max(10 * tol, 1.0):
                done = True
                break
        if budget > 0:
            self.note(last, name)
        return parameters, done

    def without_empty(self, parameters, evaluation):
        """The parameters without components that have lost their photons, or that next to nothing was seen of."""
        mixture = parameters.mixture
        keep = (
            (mixture.fluxes * np.maximum(evaluation.observed_fraction, 1e-3) > _EMPTY)
            & (evaluation.observed_fraction > _UNSEEN)
        ) | parameters.any_fixed
        if np.all(keep):
            return parameters
        self.dropped += int((~keep).sum())
        return parameters.select(keep)

    def look(self, parameters):
        """One evaluation in a phase of its own: (evaluation, phase)."""
        phase = self._begin(parameters)
        self.evaluations += 1
        return evaluate(self.prepared, parameters, phase), phase
