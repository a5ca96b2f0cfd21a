"""Components that are not worth their price are removed."""

from dataclasses import dataclass

import numpy as np

from .phases import evaluated, evaluation_at, merit, noted, rejected, tried
from .problem import ESTIMATE_PHOTONS, parameters_of
from .stage import Stage

# Wald's estimate of a component of n photons cannot exceed n / 2 nats, and the others cannot fill
# its place when it is faint. With fewer photons than this the loss before the others have moved
# is the better estimate.
_BRIGHT = 200.0
# Single removals that are tried in vain before the stage ends.
_MOST_FAILURES = 4


@dataclass(frozen=True, kw_only=True)
class Prune(Stage):
    """Remove components whose removal costs less than their price, the cheapest first.

    Several are removed at a time, then fewer. The estimates of the losses are rough: where one
    removal is not worth it, the next cheapest is tried.
    """

    def step(self, problem, state, known, watch):
        """One trial."""
        if not state.progress:
            state, best, phase = evaluated(problem, state)
            known = best, phase, None
            # Few at a time: two components that stand in for each other are cheap one by one,
            # and expensive together.
            state = state.going_on(n_trials=max(1, len(state.mixture) // 6), skip=0)
        best, phase, losses = known or (*evaluation_at(problem, state), None)
        if len(state.mixture) == 0:
            return state.after_stage(), None
        parameters = parameters_of(state)
        n_trials, skip = state.progress["n_trials"], state.progress["skip"]
        if losses is None:
            losses = removal_losses(
                problem.information(parameters, phase, photons=ESTIMATE_PHOTONS),
                best.observed_fraction,
                bright=_BRIGHT,
            )
        prices = problem.price.of(best.parameters.mixture)
        cheap = cheapest(losses, prices, n_trials, skip=skip)
        if len(cheap):
            kept = np.setdiff1d(np.arange(len(losses)), cheap)
            trial, found, found_phase = tried(
                problem, state, parameters.select(kept), "prune", watch
            )
            worth_it = merit(found, problem.price) > merit(best, problem.price)
            trial = noted(problem, trial, found, "prune", worth_it)
            if worth_it:
                return trial.going_on(n_trials=n_trials, skip=0), (found, found_phase, None)
            state = rejected(trial, state)
        if n_trials > 1:
            progress = {"n_trials": fewer(n_trials), "skip": 0}
        elif len(cheap) and skip + 1 < _MOST_FAILURES:
            progress = {"n_trials": 1, "skip": skip + 1}
        else:
            return state.after_stage(), None
        return state.going_on(**progress), (best, phase, losses)


def removal_losses(information, observed_fraction, *, bright=0.0):
    """Estimated loss in log L when each component is removed and the others fill its place.

    The loss of a bright component is the smaller of two estimates: Wald's, from the information
    matrix, and the loss before the others have moved. That of a faint one is the second.

    Parameters
    ----------
    information : Information
    observed_fraction : (K,) array
    bright : float
        Photons of a bright component.

    Returns
    -------
    (K,) array
        [nat]; infinite for components that have a fixed parameter.
    """
    likelihood, parameters = information.likelihood, information.parameters
    losses = likelihood.removal_losses(parameters, information.phase, observed_fraction)
    is_bright = parameters.mixture.fluxes * observed_fraction >= bright
    losses = np.where(is_bright, np.minimum(losses, information.removal_losses()), losses)
    return np.where(parameters.any_fixed, np.inf, losses)


def cheapest(losses, prices, n_most, *, skip=0):
    """Up to `n_most` components whose removal costs less than their price, cheapest first.

    The cheapest is the one whose removal gains most. The first `skip` are left out.

    The estimates are rough. For this reason components that cost up to twice their price are
    tried, too, when they are tried one at a time.

    Examples
    --------
    >>> cheapest(np.array([30.0, 5.0, 50.0]), np.array([20.0, 20.0, 20.0]), 2)
    array([1])
    >>> cheapest(np.array([30.0, 25.0, 50.0]), np.array([20.0, 20.0, 20.0]), 1)
    array([1])
    >>> cheapest(np.array([8.0, 12.0]), np.array([9.0, 18.0]), 2)
    array([1, 0])
    """
    limits = prices if n_most > 1 else 2 * prices
    order = np.argsort(losses - prices, kind="stable")
    return order[losses[order] < limits[order]][skip : skip + n_most]


def fewer(count):
    """How many to try next after `count` at once were not worth it.

    Examples
    --------
    >>> fewer(10), fewer(3)
    (3, 1)
    """
    return count // 3 if count > 3 else 1
