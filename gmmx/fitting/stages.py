"""The stages of a fit: each is a few numbers, and one method that takes a FitState to the next.

A stage holds no more than what it was told: how many evaluations, how many components, which
price. Everything that changes is in the FitState, which also lists the stages. `run` repeats
`step` until the stage ends; after each step the fit can be stopped and resumed.
"""

from dataclasses import asdict, dataclass, replace

import numpy as np

from . import exchange, grow, prune
from .phases import Watch, evaluated, evaluation_at, left, noted, refine, settle
from .problem import parameters_of
from .start import kmeans, one_component

# When a stage is run: in any case, if there is a component, or if the latest exchange was worth it.
ALWAYS, WITH_COMPONENTS, AFTER_IMPROVEMENT = "always", "with components", "after improvement"
# Evaluations of each of the two phases after new components were added, and after a trial.
_GROWTH_EVALUATIONS = 8
_TRIAL_EVALUATIONS = 12
# Components that are added at once, at most.
_MOST_ADDED = 10
# Rise of the objective that a trial of exchanges must bring [nat].
_LEAST_RISE = 1.0


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage of a fit.

    Parameters
    ----------
    when : str
        ALWAYS, WITH_COMPONENTS or AFTER_IMPROVEMENT.
    """

    when: str = ALWAYS

    def run(self, problem, state, callback=None):
        """Run the stage to its end, or from where `state` is in it.

        Parameters
        ----------
        problem : Problem
        state : FitState
        callback : callable, optional
            Called with an Iterate at each accepted iterate.

        Returns
        -------
        FitState
            At the beginning of the next stage.
        """
        if not state.progress and not self._is_due(state):
            return state.after_stage()
        number, known = state.stage, None
        while state.stage == number:
            state, known = self.step(problem, state, known, Watch(problem, callback, state))
        return state

    def _is_due(self, state):
        if self.when == WITH_COMPONENTS:
            return len(state.mixture) > 0
        return self.when == ALWAYS or state.improved

    def step(self, problem, state, known, watch):
        """Go on to the next state that the fit can be resumed from.

        Parameters
        ----------
        problem : Problem
        state : FitState
        known : object or None
            What the step before this one computed from the state; None after a resumption, when
            it is computed again.
        watch : Watch

        Returns
        -------
        state : FitState
        known : object or None
        """
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Begin(Stage):
    """Evaluate the likelihood where the fit starts."""

    def step(self, problem, state, known, watch):
        """Evaluate, and end."""
        state, evaluation, _ = evaluated(problem, state)
        return noted(problem, state, evaluation, "start").after_stage(), None


@dataclass(frozen=True, kw_only=True)
class Cluster(Stage):
    """Add components by k-means++ clustering of the photons."""

    n_new: int

    def step(self, problem, state, known, watch):
        """Cluster, and end."""
        rng = state.rng()
        parameters = kmeans(
            problem.likelihood, parameters_of(state), self.n_new, rng, problem.priors.min_sigma
        )
        state = state.with_parameters(parameters)
        return state.after_stage(generator=rng.bit_generator.state), None


@dataclass(frozen=True, kw_only=True)
class Grow(Stage):
    """Add components where the photons exceed the model, until `most` or nothing is missing.

    The number of components at most doubles in a round, and rises by at most ten.
    """

    most: int

    def step(self, problem, state, known, watch):
        """One round of growth."""
        parameters = parameters_of(state)
        if not state.progress:
            state = state.going_on(rounds=0)
            if self._needs_a_first(problem, parameters):
                parameters = one_component(problem.likelihood, parameters, problem.priors.min_sigma)
                state = state.with_parameters(parameters)
        k = len(parameters.mixture)
        if k >= self.most:
            return state.after_stage(), None
        larger, n_added = grow.enlarged(
            problem.search,
            problem.likelihood,
            parameters,
            min(max(1, k), _MOST_ADDED, self.most - k),
        )
        if n_added == 0:
            return state.after_stage(), None
        trial, last = refine(
            problem, state.with_parameters(larger), "grow", watch, budget=_GROWTH_EVALUATIONS
        )
        worth_it = len(trial.mixture) > k
        trial = noted(problem, trial, last, "grow", worth_it)
        if not worth_it:
            return left(trial, state).after_stage(), None
        return trial.going_on(rounds=state.progress["rounds"] + 1), None

    def _needs_a_first(self, problem, parameters):
        """Whether nothing that is fitted could carry the photons at first."""
        return (
            bool(np.all(parameters.any_fixed))
            and len(parameters.mixture) < self.most
            and not any(o.backgrounds for o in problem.observations)
        )


@dataclass(frozen=True, kw_only=True)
class Settle(Stage):
    """Run phases until less than `tolerance` [nat] is to be gained.

    `evaluations` is how many there are at most.
    """

    evaluations: int
    tolerance: float

    def step(self, problem, state, known, watch):
        """One phase."""
        state, finished = settle(
            problem, state, "settle", watch, budget=self.evaluations, tolerance=self.tolerance
        )
        return (state.after_stage() if finished else state), None


@dataclass(frozen=True, kw_only=True)
class Exchange(Stage):
    """Exchange components of little use for missing ones, while it pays.

    Several are exchanged at a time, then fewer. Components are added, too, while there are fewer
    than `most` of them. `price` is the gain that a component must bring where their number is
    chosen [nat], and None where it is given.
    """

    rounds: int
    most: int
    price: float | None

    def step(self, problem, state, known, watch):
        """One trial."""
        if not state.progress:
            state, best, phase = evaluated(problem, state)
            state = state.going_on(rounds=0, n_trials=_MOST_ADDED, skip=0, accepted=0)
            known = best, phase, None
        best, phase, proposal = known or (*evaluation_at(problem, state), None)
        at = state.progress
        if at["rounds"] == self.rounds:
            return state.after_stage(improved=at["accepted"] > 0), None
        parameters = parameters_of(state)
        if proposal is None:
            proposal = exchange.propose(problem, parameters, phase, best.observed_fraction)
        larger, n_added = exchange.exchanged(
            parameters,
            proposal,
            self.most,
            at["n_trials"],
            price=exchange.WORTH if self.price is None else self.price,
            skip=at["skip"],
        )
        if n_added == 0:
            return state.after_stage(improved=at["accepted"] > 0), None
        trial, found, found_phase = _tried(problem, state, larger, "exchange", watch)
        worth_it = _merit(found, self.price) > _merit(best, self.price) + _LEAST_RISE
        trial = noted(problem, trial, found, "exchange", worth_it)
        if worth_it:
            progress = {"n_trials": at["n_trials"], "skip": 0, "accepted": at["accepted"] + 1}
            return (
                trial.going_on(rounds=at["rounds"] + 1, **progress),
                (found, found_phase, None),
            )
        # As many as before that were too few would only be tried again.
        progress = (
            {"n_trials": prune.fewer(n_added), "skip": at["skip"]}
            if n_added > 1
            else {"n_trials": 1, "skip": at["skip"] + 1}
        )
        state = left(trial, state).going_on(rounds=at["rounds"] + 1, **progress)
        return state, (best, phase, proposal)


@dataclass(frozen=True, kw_only=True)
class Prune(Stage):
    """Remove components whose removal costs less than `price` [nat], the cheapest first.

    Several are removed at a time, then fewer.
    """

    price: float

    def step(self, problem, state, known, watch):
        """One trial."""
        if not state.progress:
            state, best, phase = evaluated(problem, state)
            known = best, phase, None
            # Few at a time: two components that stand in for each other are cheap one by one,
            # and expensive together.
            state = state.going_on(n_trials=max(1, len(state.mixture) // 6))
        best, phase, losses = known or (*evaluation_at(problem, state), None)
        if len(state.mixture) == 0:
            return state.after_stage(), None
        parameters, n_trials = parameters_of(state), state.progress["n_trials"]
        if losses is None:
            losses = prune.removal_losses(
                problem.information(parameters, phase, photons=exchange.ESTIMATE_PHOTONS),
                best.observed_fraction,
            )
        cheap = prune.cheapest(losses, self.price, n_trials)
        if len(cheap):
            kept = np.setdiff1d(np.arange(len(losses)), cheap)
            trial, found, found_phase = _tried(
                problem, state, parameters.select(kept), "prune", watch
            )
            worth_it = _merit(found, self.price) > _merit(best, self.price)
            trial = noted(problem, trial, found, "prune", worth_it)
            if worth_it:
                return trial, (found, found_phase, None)
            state = left(trial, state)
        if n_trials == 1:
            return state.after_stage(), None
        return state.going_on(n_trials=prune.fewer(n_trials)), (best, phase, losses)


@dataclass(frozen=True, kw_only=True)
class ReleasePointSources(Stage):
    """Settle with the positions of the point sources free.

    A source that leaves its region is brought back to the edge and stays there. The point
    sources are the first components of the mixture.
    """

    evaluations: int
    tolerance: float

    def step(self, problem, state, known, watch):
        """One phase."""
        sources = problem.point_sources
        n = len(sources)
        if not state.progress:
            state = _with_fixed_means(state, np.zeros(n, bool))
        state, finished = settle(
            problem, state, "points", watch, budget=self.evaluations, tolerance=self.tolerance
        )
        if not finished:
            return state, None
        at_edge = state.fixed.means[:n]
        outside, places = sources.strayed(state.mixture.means[:n])
        if not np.any(outside & ~at_edge):
            return state.after_stage(at_edge=int(at_edge.sum())), None
        means = np.concatenate([places, state.mixture.means[n:]])
        state = replace(state, mixture=replace(state.mixture, means=means))
        return _with_fixed_means(state, at_edge | outside).going_on(spent=0), None


@dataclass(frozen=True, kw_only=True)
class Conclude(Stage):
    """Order the components by falling flux, and evaluate the likelihood there."""

    def step(self, problem, state, known, watch):
        """Order, evaluate, and end."""
        order = np.argsort(-state.mixture.fluxes, kind="stable")
        state = state.with_parameters(parameters_of(state).select(order))
        state, evaluation, _ = evaluated(problem, state)
        row = watch.row(
            evaluation,
            "final",
            "evaluation",
            evaluations=state.evaluations,
            phase=state.phases,
        )
        state = replace(state, history=(*state.history, row))
        return noted(problem, state, evaluation, "final").after_stage(), None


def _tried(problem, state, parameters, stage, watch):
    """The state, the evaluation and the phase after other components were briefly fitted."""
    trial = state.with_parameters(parameters)
    trial, _ = refine(problem, trial, stage, watch, budget=_TRIAL_EVALUATIONS)
    return evaluated(problem, trial)


def _merit(evaluation, price):
    """What mixtures of different structure are compared by [nat].

    It is the objective where their number is given, and else the likelihood less the price of
    all components.
    """
    if price is None:
        return evaluation.objective
    return evaluation.log_likelihood - price * len(evaluation.parameters.mixture)


def _with_fixed_means(state, which):
    """The state with these of its first components kept where they are."""
    means = np.concatenate([which, state.fixed.means[len(which) :]])
    return replace(state, fixed=replace(state.fixed, means=means))


_KINDS = {
    kind.__name__: kind
    for kind in (Begin, Cluster, Grow, Settle, Exchange, Prune, ReleasePointSources, Conclude)
}


def record_of(stage):
    """The stage as a dict that JSON can hold.

    Examples
    --------
    >>> record_of(Grow(most=20))
    {'stage': 'Grow', 'when': 'always', 'most': 20}
    """
    return {"stage": type(stage).__name__, **asdict(stage)}


def stages_of(state):
    """The stages that a FitState has before it: the one it is in, and all that follow.

    Examples
    --------
    >>> from gmmx.model.mixture import Mixture
    >>> from gmmx.model.state import FitState
    >>> plan = [record_of(Begin()), record_of(Grow(most=20))]
    >>> stages_of(FitState.initial(Mixture.empty(), (), seed=0, stages=plan))
    [Begin(when='always'), Grow(when='always', most=20)]
    """
    rest = [dict(record) for record in state.stages[state.stage :]]
    return [_KINDS[record.pop("stage")](**record) for record in rest]
