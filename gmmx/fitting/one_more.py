"""The largest gain of one more component, and the loss of one component less."""

from dataclasses import replace

import numpy as np

from ..em.parameters import Parameters
from ..model.mixture import Fixed
from .exchange import exchanged, propose
from .phases import Watch, evaluation_at, run_phase, without_empty
from .problem import parameters_of
from .redraw import refitted

# Candidates that are tried, and evaluations of each of the two phases of a trial.
_TRIED, _TRIAL = 6, 12
# Phases of the refit of the best one, and of a refit without a component.
PHASES = 6
# A component stays the same within this many standard deviations, and this factor of its flux and
# width; refits in which components that did not are kept in place, at most.
_SAME, _ROUNDS = 3.0, 4


def log_likelihood_of(problem, state):
    """The log-likelihood at a state [nat]."""
    return float(evaluation_at(problem, state)[0].log_likelihood)


def without(problem, parameters: Parameters, k: int):
    """Refit without one component, in whose place its neighbours may move.

    A component that would leave its own place for that of the removed one is kept where it is,
    because else a faint one would stand in for any bright one, and be missing where it was.

    Returns
    -------
    FitState
        Of the other components, in their order.
    """
    kept = parameters.select(np.flatnonzero(np.arange(len(parameters.mixture)) != k))
    cores = problem.begin_phase(kept).prior_scales
    held = kept.fixed
    for _ in range(_ROUNDS):
        state = refitted(problem, kept.mixture, kept.amplitudes, held, phases=PHASES)
        away = strayed(kept.mixture, state.mixture, cores) & ~kept.any_fixed
        held = Fixed.none(len(away)) if held is None else held
        if not np.any(away & ~held.means):
            break
        held = replace(held, means=held.means | away, covariances=held.covariances | away)
    return replace(state, fixed=kept.fixed)


def strayed(before, after, cores):
    """Components that are not the same any more, (K,) booleans.

    Their centre has moved by three standard deviations, or their flux or width has changed by a
    factor of three.

    Parameters
    ----------
    before, after : Mixture
    cores : (K,) array
        Variance of the core of the PSF at each [arcsec**2].
    """
    wide = before.covariances + cores[:, None, None] * np.eye(2)
    wider = after.covariances + cores[:, None, None] * np.eye(2)
    shift = after.means - before.means
    distance = np.einsum("ki,kij,kj->k", shift, np.linalg.inv(wide), shift)
    width = np.log(np.linalg.det(wider) / np.linalg.det(wide)) / 4
    flux = np.log(np.maximum(after.fluxes, 1e-300) / np.maximum(before.fluxes, 1e-300))
    limit = np.log(_SAME)
    # A flux may vanish: that the others need it no more is no sign of another place.
    return (distance > _SAME**2) | (np.abs(width) > limit) | (flux > limit)


def with_one_more(problem, state):
    """Refit with the further component that raises the log-likelihood most.

    The candidates are those of the search that exchanges components during a fit: peaks of the
    residual on all scales, and parts of the present components. The information matrix estimates
    their gains, and the best ones are tried.

    Returns
    -------
    FitState
        `state` itself if no candidate gains anything.
    """
    parameters = parameters_of(state)
    evaluation, phase = evaluation_at(problem, state)
    proposal = propose(problem, parameters, phase, evaluation.observed_fraction)
    best, highest = state, float(evaluation.log_likelihood)
    for skip in range(min(_TRIED, len(proposal.gains))):
        most = len(parameters.mixture) + 1
        larger, n_added = exchanged(parameters, proposal, most, 1, least=0.0, skip=skip)
        if n_added == 0 or len(larger.mixture) < most:
            continue
        trial = state.with_parameters(larger)
        for _ in range(2):
            trial, end = run_phase(
                problem, trial, "settle", Watch(problem, None, trial), budget=_TRIAL
            )
        trial = without_empty(trial, end.evaluation)
        if len(trial.mixture) == most and end.evaluation.log_likelihood > highest:
            best, highest = trial, float(end.evaluation.log_likelihood)
    if best is state:
        return state
    return refitted(problem, best.mixture, best.amplitudes, best.fixed, phases=PHASES)
