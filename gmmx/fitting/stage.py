"""The base class of the stages of a fit."""

from dataclasses import dataclass

from .phases import Watch

# When a stage is run: always, if there is a component, or if the latest exchange was accepted.
ALWAYS, WITH_COMPONENTS, AFTER_IMPROVEMENT = "always", "with components", "after improvement"


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
            Results that the step before this one computed from the state. After a resumption it
            is None, and they are computed again.
        watch : Watch

        Returns
        -------
        state : FitState
        known : object or None
        """
        raise NotImplementedError
