"""Which components there are: growing them where the data exceed the model, and exchanging those of little use for those that are missing.

Where EM ends depends on where it starts, far more than on anything else. A mixture that grows from the background up, by components placed where the photons
exceed what the model expects of them, ends close to the truth where random starts do not.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..em.information import Information
from ..em.maximise import floored
from ..model.mixture import Mixture
from .start import one_component

_MOST_PROPOSED = 60
# Evaluations after each round of growth, in two phases, and how many components a round adds at most.
_ROUND = 8
_MOST_ADDED = 10
# Evaluations of each of the two phases in which an exchange is tried, what it must promise [nat], and photons for its information matrix.
_TRIAL = 12
_WORTH = 6.0
_QUICK = 12_000


def _apart(x, y, scale, chosen):
    """Whether a place is clear of those already chosen, at its scale or theirs."""
    return all(np.hypot(x - cx, y - cy) > 1.5 * max(scale, cs) for cx, cy, cs in chosen)


def _grown(search, prepared, parameters, count, *, least=2.0):
    """The parameters with up to `count` more components, where the photons exceed the model most.

    Parameters
    ----------
    search : Search
    prepared : sequence of Prepared
    parameters : Parameters
    count : int
    least : float
        Significance a component must have above the log of the number of places it was looked for in [nat].

    Returns
    -------
    Parameters
        The same object where nothing is significant.
    """
    _, x, y, scale, flux = search.candidates(prepared, parameters, least)
    chosen, index = [], []
    for i in range(len(x)):
        if len(chosen) == count:
            break
        if _apart(x[i], y[i], scale[i], chosen):
            chosen.append((x[i], y[i], scale[i]))
            index.append(i)
    if not chosen:
        return parameters
    added = _round(x[index], y[index], scale[index], np.maximum(0.5 * flux[index], 1e-3))
    return parameters.joined(added)


def _round(x, y, scale, flux):
    return Mixture(
        fluxes=flux,
        means=np.stack([x, y], axis=1),
        covariances=(scale**2)[:, None, None] * np.eye(2),
    )


@dataclass(frozen=True, eq=False)
class Proposal:
    """Components that could be added, by falling gain, and what removing each present one would cost.

    Attributes
    ----------
    added : Mixture
        Candidates, each with the flux it would take.
    gains : (n,) array
        Estimated gain of each, alone, after all others have made room [nat].
    parents : (n,) integers
        Component that a candidate was made from; -1 for one found in the residual.
    losses : (K,) array
        Estimated loss of removing each present component, alone, after the others have filled its place [nat].
    """

    added: Mixture
    gains: np.ndarray
    parents: np.ndarray
    losses: np.ndarray


def _propose(search, prepared, parameters, phase, shares, *, min_sigma, photons):
    """What could be added and what removed, with gains and losses estimated by the information matrix.

    Candidates are the residual's peaks, and for each present component of which nothing is fixed one wider and one narrower about its centre, and two halves
    along its major axis: where a component stands for two, the residual shows little, because the one has settled between them.
    """
    mixture = parameters.mixture
    free = np.flatnonzero(~parameters.any_fixed)
    _, x, y, scale, flux = search.candidates(prepared, parameters, -4.0)[:, :_MOST_PROPOSED]
    split = mixture.select(free)
    values, vectors = np.linalg.eigh(split.covariances)
    along = np.sqrt(values[:, 1])[:, None] * vectors[:, :, 1]
    parts = [_round(x, y, scale, np.maximum(flux, 1.0))]
    for factor, shift in ((4.0, 0.0), (0.25, 0.0), (0.4, 0.9), (0.4, -0.9)):
        parts.append(
            Mixture(
                fluxes=split.fluxes,
                means=split.means + shift * along,
                covariances=floored(factor * split.covariances, min_sigma),
            )
        )
    candidates = parts[0]
    for part in parts[1:]:
        candidates = candidates.joined(part)
    parents = np.concatenate([np.full(len(x), -1), np.tile(free, len(parts) - 1)])
    information = Information.at(prepared, parameters, phase, photons=photons)
    gains, fluxes = information.addition_gains(
        candidates, prepared.log_densities(parameters, phase)
    )
    order = np.argsort(-gains, kind="stable")
    order = order[gains[order] > 0]
    # The quadratic estimate may ask for more than there is: a child takes at most half of its parent.
    most = np.where(parents >= 0, 0.5 * candidates.fluxes, 2 * candidates.fluxes)
    added = Mixture(
        fluxes=np.clip(fluxes, 1e-3, most)[order],
        means=candidates.means[order],
        covariances=candidates.covariances[order],
    )
    losses = _removal_losses(information, shares)
    return Proposal(added, gains[order], parents[order], losses)


def _removal_losses(information, shares):
    """What removing each component would cost, the smaller of two estimates, (K,) [nat]; infinite where anything of it is fixed."""
    prepared, parameters, phase = information.likelihood, information.parameters, information.phase
    losses = np.minimum(
        information.removal_losses(), prepared.removal_losses(parameters, phase, shares)
    )
    return np.where(parameters.any_fixed, np.inf, losses)


def _exchanged(parameters, proposal, limit, count, *, price, skip=0):
    """The parameters after up to `count` exchanges, each removing a component for one that promises more, and additions up to `limit`.

    Parameters
    ----------
    price : float
        What an addition must promise to gain at least [nat]; an exchange, _WORTH.
    skip : int
        Leave out this many of the best candidates.

    Returns
    -------
    parameters : Parameters
        The same object where nothing promises enough.
    made : int
        How many components were added.
    """
    mixture = parameters.mixture
    room = max(limit - len(mixture), 0)
    removable = np.argsort(proposal.losses, kind="stable")
    removed, added, places, touched = [], [], [], set()
    for i in range(skip, len(proposal.gains)):
        if len(added) == count:
            break
        parent = int(proposal.parents[i])
        where = (*proposal.added.means[i], np.linalg.det(proposal.added.covariances[i]) ** 0.25)
        if parent in touched or parent in removed or (parent < 0 and not _apart(*where, places)):
            continue
        spare = next(
            (r for r in removable if r not in removed and r not in touched and r != parent), None
        )
        if len(added) - len(removed) < room and proposal.gains[i] >= price:
            pass
        elif spare is not None and proposal.gains[i] >= proposal.losses[spare] + _WORTH:
            removed.append(int(spare))
        else:
            break
        added.append(i)
        places.append(where)
        if parent >= 0:
            touched.add(parent)
    if not added:
        return parameters, 0
    fluxes = mixture.fluxes.copy()
    for i in added:
        if proposal.parents[i] >= 0:
            fluxes[proposal.parents[i]] -= proposal.added.fluxes[i]
    kept = np.setdiff1d(np.arange(len(mixture)), removed)
    return replace(parameters, mixture=replace(mixture, fluxes=fluxes)).select(kept).joined(
        proposal.added.select(added)
    ), len(added)


def grow(climb, search, parameters, limit):
    """Components where the photons exceed the model, some at a time, doubling at first, until there are `limit` or nothing is left to explain."""
    if (
        np.all(parameters.any_fixed)
        and len(parameters.mixture) < limit
        and not any(p.observation.backgrounds for p in climb.prepared)
    ):
        parameters = one_component(climb.prepared, parameters, climb.priors.min_sigma)
    while len(parameters.mixture) < limit:
        k = len(parameters.mixture)
        larger = _grown(search, climb.prepared, parameters, min(max(1, k), _MOST_ADDED, limit - k))
        if larger is parameters:
            break
        for _ in range(2):
            larger, last, *_ = climb.phase(larger, "grow", _ROUND, 0.0)
        larger = climb.without_empty(larger, last)
        worth_it = len(larger.mixture) > k
        climb.note(last, "grow", worth_it)
        if not worth_it:
            break
        parameters = larger
    return parameters


def _merit(evaluation, price):
    """What is compared between mixtures of different structure: the objective, or the likelihood less the price of each component."""
    return (
        evaluation.objective
        if price is None
        else evaluation.log_likelihood - price * len(evaluation.parameters.mixture)
    )


def exchange(climb, search, parameters, limit, tries, *, price=None):
    """Exchange components of little use for missing ones and fill up to `limit`, several at a time, then fewer, while it pays.

    Parameters
    ----------
    climb : Climb
    search : Search
    parameters : Parameters
        Settled.
    limit, tries : int
    price : float or None
        What a component must gain to be added [nat]; None where their number is given.
    """
    best, phase = climb.look(parameters)
    count, skip, proposal = _MOST_ADDED, 0, None
    for _ in range(tries):
        if proposal is None:
            proposal = _propose(
                search,
                climb.prepared,
                parameters,
                phase,
                best.observed_fraction,
                min_sigma=climb.priors.min_sigma,
                photons=_QUICK,
            )
        trial, made = _exchanged(
            parameters, proposal, limit, count, price=_WORTH if price is None else price, skip=skip
        )
        if trial is parameters:
            break
        for _ in range(2):
            trial, last, *_ = climb.phase(trial, "exchange", _TRIAL, 0.0)
        trial = climb.without_empty(trial, last)
        found, found_phase = climb.look(trial)
        worth_it = _merit(found, price) > _merit(best, price) + 1.0
        climb.note(found, "exchange", worth_it)
        if worth_it:
            parameters, best, phase, proposal = trial, found, found_phase, None
            skip = 0
        elif made > 1:
            # Fewer of the same: as many as before that found too few would only be tried again.
            count = made // 3 if made > 3 else 1
        else:
            count, skip = 1, skip + 1
    return parameters


def prune(climb, parameters, price):
    """Remove components whose removal costs less than `price` each, cheapest first, several at a time, then fewer."""
    best, phase = climb.look(parameters)
    # Few at a time: two that stand in for each other are cheap one by one, and dear together.
    count = max(1, len(parameters.mixture) // 6)
    while len(parameters.mixture):
        losses = _removal_losses(
            Information.at(climb.prepared, parameters, phase, photons=_QUICK),
            best.observed_fraction,
        )
        # The estimates are rough: what costs somewhat more is tried too, one at a time.
        cheap = np.argsort(losses, kind="stable")[
            : int((losses < (price if count > 1 else 2 * price)).sum())
        ][:count]
        if len(cheap) == 0 and count == 1:
            break
        if len(cheap):
            trial = parameters.select(np.setdiff1d(np.arange(len(losses)), cheap))
            for _ in range(2):
                trial, last, *_ = climb.phase(trial, "prune", _TRIAL, 0.0)
            trial = climb.without_empty(trial, last)
            found, found_phase = climb.look(trial)
            worth_it = _merit(found, price) > _merit(best, price)
            climb.note(found, "prune", worth_it)
            if worth_it:
                parameters, best, phase = trial, found, found_phase
                continue
        if count == 1:
            break
        count = count // 3 if count > 3 else 1
    return parameters
