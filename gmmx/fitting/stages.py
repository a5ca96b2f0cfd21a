"""The stages of a fit: each is a few numbers, and one method that takes a FitState to the next.

A stage holds only its settings: a number of evaluations or of components, or a price. Everything
that changes is in the FitState, which also lists the stages. `run` repeats `step` until the stage
ends; after each step the fit can be stopped and resumed.
"""

from dataclasses import asdict, dataclass, replace

import numpy as np

from .exchange import Exchange
from .grow import Grow
from .phases import evaluated, noted, settle
from .problem import parameters_of
from .prune import Prune
from .stage import Stage
from .start import kmeans


@dataclass(frozen=True, kw_only=True)
class Begin(Stage):
    """Evaluate the likelihood where the fit starts."""

    def step(self, problem, state, _known, _watch):
        """Evaluate, and end."""
        state, evaluation, _ = evaluated(problem, state)
        return noted(problem, state, evaluation, "start").after_stage(), None


@dataclass(frozen=True, kw_only=True)
class Cluster(Stage):
    """Add components by k-means++ clustering of the photons."""

    n_new: int

    def step(self, problem, state, _known, _watch):
        """Cluster, and end."""
        rng = state.rng()
        parameters = kmeans(
            problem.likelihood, parameters_of(state), self.n_new, rng, problem.priors.min_sigma
        )
        state = state.with_parameters(parameters)
        return state.after_stage(generator=rng.bit_generator.state), None


@dataclass(frozen=True, kw_only=True)
class Settle(Stage):
    """Run phases until less than `tolerance` [nat] is to be gained.

    A last phase ends soon after `evaluations` evaluations.
    """

    evaluations: int
    tolerance: float

    def step(self, problem, state, _known, watch):
        """One phase."""
        state, finished = settle(
            problem, state, "settle", watch, budget=self.evaluations, tolerance=self.tolerance
        )
        return (state.after_stage() if finished else state), None


@dataclass(frozen=True, kw_only=True)
class ReleasePointSources(Stage):
    """Settle with the positions of the point sources free.

    A source that leaves its region is brought back to the edge and stays there. The point
    sources are the first components of the mixture.
    """

    evaluations: int
    tolerance: float

    def step(self, problem, state, _known, watch):
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

    def step(self, problem, state, _known, watch):
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
