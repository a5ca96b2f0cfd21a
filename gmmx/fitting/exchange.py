"""Components of little use are exchanged for missing ones."""

from dataclasses import dataclass, replace

import numpy as np

from ..em.maximise import floored
from ..model.mixture import Mixture
from .grow import LEAST_FLUX, MOST_ADDED, is_apart, round_components
from .phases import evaluated, evaluation_at, merit, noted, rejected, tried
from .problem import ESTIMATE_PHOTONS, parameters_of
from .prune import fewer, removal_losses
from .stage import Stage

# Peaks of the residual that are considered, and how far below the significance of growing.
_MOST_PEAKS = 60
_LEAST_SIGNIFICANCE = -4.0
# Children of a component: factor on its covariance, and shift along its major axis in sigma.
_CHILDREN = ((4.0, 0.0), (0.25, 0.0), (0.4, 0.9), (0.4, -0.9))
# Gain that an exchange must promise beyond what the removal costs [nat].
_WORTH = 6.0
# Rise of the objective that a trial must bring [nat].
_LEAST_RISE = 1.0


@dataclass(frozen=True, kw_only=True)
class Exchange(Stage):
    """Exchange components of little use for missing ones, while it pays.

    Several are exchanged at a time, then fewer. Components are added, too, while there are fewer
    than `most` of them. `has_price` says whether the number of components is chosen, so that each
    of them must be worth its price.
    """

    rounds: int
    most: int
    has_price: bool

    def step(self, problem, state, known, watch):
        """One trial."""
        if not state.progress:
            state, best, phase = evaluated(problem, state)
            state = state.going_on(rounds=0, n_trials=MOST_ADDED, skip=0, accepted=0)
            known = best, phase, None
        best, phase, proposal = known or (*evaluation_at(problem, state), None)
        at = state.progress
        if at["rounds"] == self.rounds:
            return state.after_stage(improved=at["accepted"] > 0), None
        parameters = parameters_of(state)
        price = problem.price if self.has_price else None
        if proposal is None:
            proposal = propose(problem, parameters, phase, best.observed_fraction, price)
        larger, n_added = exchanged(
            parameters,
            proposal,
            self.most,
            at["n_trials"],
            least=_WORTH if price is None else 0.0,
            skip=at["skip"],
        )
        if n_added == 0:
            return state.after_stage(improved=at["accepted"] > 0), None
        trial, found, found_phase = tried(problem, state, larger, "exchange", watch)
        worth_it = merit(found, price) > merit(best, price) + _LEAST_RISE
        trial = noted(problem, trial, found, "exchange", worth_it)
        if worth_it:
            progress = {"n_trials": at["n_trials"], "skip": 0, "accepted": at["accepted"] + 1}
            return (
                trial.going_on(rounds=at["rounds"] + 1, **progress),
                (found, found_phase, None),
            )
        # As many as before that were too few would only be tried again.
        progress = (
            {"n_trials": fewer(n_added), "skip": at["skip"]}
            if n_added > 1
            else {"n_trials": 1, "skip": at["skip"] + 1}
        )
        state = rejected(trial, state).going_on(rounds=at["rounds"] + 1, **progress)
        return state, (best, phase, proposal)


@dataclass(frozen=True, eq=False)
class Proposal:
    """Components that could be added, by falling gain, and the loss of removing present ones.

    Parameters
    ----------
    added : Mixture
        n candidates, each with the flux it would take.
    gains : (n,) array
        Estimated gain of each candidate alone, after all others have made room, less its price
        where components have one [nat].
    parents : (n,) integers
        The component that a candidate was made from; -1 for one found in the residual.
    losses : (K,) array
        Estimated loss of removing each present component alone, after the others have filled
        its place, less its price where components have one [nat].
    """

    added: Mixture
    gains: np.ndarray
    parents: np.ndarray
    losses: np.ndarray


def propose(problem, parameters, phase, observed_fraction, price=None):
    """Estimate with the information matrix what could be added and what removed.

    Parameters
    ----------
    problem : Problem
    parameters : Parameters
    phase : Phase
    observed_fraction : (K,) array
    price : Price, optional
        Of a component, where their number is chosen.

    Returns
    -------
    Proposal
    """
    candidates, parents = _candidates(problem, parameters)
    information = problem.information(parameters, phase, photons=ESTIMATE_PHOTONS)
    gains, fluxes = information.addition_gains(
        candidates, problem.likelihood.log_densities(parameters, phase)
    )
    worth = gains if price is None else gains - price.of(candidates)
    order = np.argsort(-worth, kind="stable")
    order = order[gains[order] > 0]
    # The quadratic estimate may ask for more flux than there is: a child takes at most half of
    # its parent's.
    most = np.where(parents >= 0, 0.5 * candidates.fluxes, 2 * candidates.fluxes)
    added = Mixture(
        fluxes=np.clip(fluxes, LEAST_FLUX, most)[order],
        means=candidates.means[order],
        covariances=candidates.covariances[order],
    )
    losses = removal_losses(information, observed_fraction)
    if price is not None:
        losses = losses - price.of(parameters.mixture)
    return Proposal(added, worth[order], parents[order], losses)


def _candidates(problem, parameters):
    """Candidates and the components they were made from.

    Candidates are the peaks of the residual and, for each component that has no fixed parameter,
    one wider and one narrower component about its centre and two halves along its major axis.
    The residual shows little where one component stands for two, because it has settled between
    them.
    """
    free = np.flatnonzero(~parameters.any_fixed)
    peaks = problem.search.candidates(parameters, _LEAST_SIGNIFICANCE).first(_MOST_PEAKS)
    split = parameters.mixture.select(free)
    values, vectors = np.linalg.eigh(split.covariances)
    along = np.sqrt(values[:, 1])[:, None] * vectors[:, :, 1]
    candidates = round_components(peaks.x, peaks.y, peaks.sigma, np.maximum(peaks.flux, 1.0))
    for factor, shift in _CHILDREN:
        children = Mixture(
            fluxes=split.fluxes,
            means=split.means + shift * along,
            covariances=floored(factor * split.covariances, problem.priors.min_sigma**2),
        )
        candidates = candidates.joined(children)
    return candidates, np.concatenate([np.full(len(peaks.x), -1), np.tile(free, len(_CHILDREN))])


def exchanged(parameters, proposal, most, n_trials, *, least, skip=0):
    """Make up to `n_trials` exchanges and additions.

    An exchange removes a component for one that promises more. While there are fewer than `most`
    components, a candidate may be added without a removal.

    Parameters
    ----------
    parameters : Parameters
    proposal : Proposal
    most : int
        Largest number of components.
    n_trials : int
    least : float
        Gain, less its price, that an addition must promise [nat]; for an exchange it is _WORTH.
    skip : int
        Number of the best candidates to leave out.

    Returns
    -------
    parameters : Parameters
    n_added : int
    """
    added, removed = _chosen(parameters, proposal, most, n_trials, least, skip)
    if not added:
        return parameters, 0
    mixture = parameters.mixture
    fluxes = mixture.fluxes.copy()
    for i in added:
        if proposal.parents[i] >= 0:
            fluxes[proposal.parents[i]] -= proposal.added.fluxes[i]
    kept = np.setdiff1d(np.arange(len(mixture)), removed)
    remaining = replace(parameters, mixture=replace(mixture, fluxes=fluxes)).select(kept)
    return remaining.joined(proposal.added.select(added)), len(added)


def _chosen(parameters, proposal, most, n_trials, least, skip):
    """Indices of the candidates to add and of the components to remove."""
    room = max(most - len(parameters.mixture), 0)
    removable = np.argsort(proposal.losses, kind="stable")
    removed, added, places, split = [], [], [], set()
    for i in range(skip, len(proposal.gains)):
        if len(added) == n_trials:
            break
        parent = int(proposal.parents[i])
        scale = np.linalg.det(proposal.added.covariances[i]) ** 0.25
        place = (*proposal.added.means[i], scale)
        if parent in split or parent in removed or (parent < 0 and not is_apart(*place, places)):
            continue
        spare = next(
            (r for r in removable if r not in removed and r not in split and r != parent), None
        )
        if len(added) - len(removed) < room and proposal.gains[i] >= least:
            pass
        elif spare is not None and proposal.gains[i] >= proposal.losses[spare] + _WORTH:
            removed.append(int(spare))
        else:
            break
        added.append(i)
        places.append(place)
        if parent >= 0:
            split.add(parent)
    return added, removed
