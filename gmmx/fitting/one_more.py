"""The largest gain of one more component, and the loss of one component less."""

from dataclasses import replace

import numpy as np

from ..em.parameters import Parameters
from ..model.mixture import Fixed
from .exchange import exchanged, propose
from .phases import Watch, evaluation_at, run_phase, without_empty
from .problem import parameters_of
from .redraw import refitted

# Phases of the first refits without a component. Components that still leave their places after
# all refits are kept there with all others.
_SHORT_REFITS = (1,) * 8
# Candidates that are tried, and evaluations of each of the two phases of a trial.
_TRIED, _TRIAL = 6, 12
# Phases of the refit of the best one, and of a refit without a component.
PHASES = 6
# A component stays the same within such a shift in standard deviations, and such a factor of its
# flux and width: one that overlaps the removed component, and any other. Two of them overlap within
# so many standard deviations of both together.
_SHIFTS, _FACTORS, _NEAR = (2.0, 1.0), (3.0, 1.5), 2.5


def log_likelihood_of(problem, state):
    """The log-likelihood at a state [nat]."""
    return float(evaluation_at(problem, state)[0].log_likelihood)


def without(problem, parameters: Parameters, k: int):
    """Refit without one component, in whose place its neighbours may move.

    A component that would leave its own place for that of the removed one, or of a neighbour that
    has gone there, is kept where it is, because else the faintest component would stand in for any
    other one, and be missing where it was.

    Returns
    -------
    FitState
        Of the other components, in their order.
    """
    kept = parameters.select(np.flatnonzero(np.arange(len(parameters.mixture)) != k))
    cores = problem.begin_phase(kept).prior_scales
    near = _is_near(kept.mixture, parameters.mixture, k, cores)
    limits = [np.where(near, *both) for both in (_SHIFTS, _FACTORS)]
    held, start = kept.fixed, kept.mixture
    # Most of those that leave do so at once, so that short refits tell them.
    for phases in (*_SHORT_REFITS, PHASES, PHASES):
        state = refitted(problem, start, kept.amplitudes, held, phases=phases)
        away = strayed(kept.mixture, state.mixture, cores, *limits) & ~kept.any_fixed
        own = Fixed.none(len(away)) if held is None else held
        if np.any(away & ~own.means):
            held = replace(own, means=own.means | away, covariances=own.covariances | away)
            start = kept.mixture
        elif phases == PHASES:
            break
        else:
            start = state.mixture
    else:
        everything = np.ones(len(kept.mixture), bool)
        held = replace(own, means=everything, covariances=everything)
        state = refitted(problem, kept.mixture, kept.amplitudes, held, phases=PHASES)
    return replace(state, fixed=kept.fixed)


def strayed(before, after, cores, shifts, factors):
    """Components that are not the same any more, (K,) booleans.

    Their centre has moved by more than a shift in standard deviations, their width has changed by
    more than a factor, or their flux has grown by more than that.

    Parameters
    ----------
    before, after : Mixture
    cores : (K,) array
        Variance of the core of the PSF at each [arcsec**2].
    shifts, factors : (K,) arrays
    """
    wide, wider = (m.covariances + cores[:, None, None] * np.eye(2) for m in (before, after))
    shift = after.means - before.means
    distance = np.einsum("ki,kij,kj->k", shift, np.linalg.inv(wide), shift)
    width = np.log(np.linalg.det(wider) / np.linalg.det(wide)) / 4
    # A flux may vanish: that the others need it no more is no sign of another place.
    flux = np.log(np.maximum(after.fluxes, 1e-300) / np.maximum(before.fluxes, 1e-300))
    most = np.log(factors)
    return (distance > shifts**2) | (np.abs(width) > most) | (flux > most)


def _is_near(kept, mixture, k, cores):
    """Components that overlap the k-th one of a mixture, (K - 1,) booleans."""
    covariances = kept.covariances + mixture.covariances[k] + cores[:, None, None] * np.eye(2)
    shift = kept.means - mixture.means[k]
    return np.einsum("ki,kij,kj->k", shift, np.linalg.inv(covariances), shift) < _NEAR**2


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
