"""Other components for a mixture of samples: splits, removals and exchanges.

A component that stands for two is found by fitting two Gaussians to the samples that belong to
it, each with its responsibility as its weight. Their gain is a lower bound of what the whole
mixture gains (the bound of EM). Two components that are nearly one are merged. Ueda et al. (2000,
Neural Computation 12, 2109) exchange components in this way.
"""

from dataclasses import dataclass, replace

import numpy as np

from ...em.maximise import floored
from ...em.sample_groups import responsibilities_of
from ...em.structure import in_form
from ...model.mixture import Mixture
from .climb import BRIEF_TOLERANCE, climb

# Starts of two children: factors on their covariances, shifts along the major axis [sigma].
_CHILDREN = (((0.4, 0.4), (0.9, -0.9)), ((0.25, 2.0), (0.0, 0.0)))
# EM evaluations of two children.
_CHILD_EVALUATIONS = 12
# Elements of the matrix of responsibilities that estimates are made from, and samples a component.
_MOST_ELEMENTS = 4_000_000
_MOST_MEMBERS = 5_000
# Samples whose responsibility is lower are left out of a component's own fit.
_LEAST_PART = 0.01
# Components whose splits are estimated, those with most samples, and exchanges in one trial.
_MOST_SPLIT = 60
_MOST_EXCHANGED = 10
# Evaluations of a trial, and the rise of the objective that it must bring [nat].
_TRIAL_EVALUATIONS = 25
_LEAST_RISE = 1.0
# Gain that a split must promise beyond the loss of the removal [nat]. It is negative, because the
# estimates of gains are too low and those of losses too high.
_WORTH = -10.0


@dataclass(frozen=True, eq=False)
class Proposal:
    """What could be split and what removed.

    Parameters
    ----------
    children : list of Mixture or None
        Two children of each component, in scaled coordinates; None if it cannot be split.
    gains : (K,) array
        Estimated gain of each split [nat].
    losses : (K,) array
        Estimated loss of removing each component, or of merging it with its partner [nat].
    partners : (K,) integers
        The component that each is merged with; -1 if its removal costs less.
    """

    children: list
    gains: np.ndarray
    losses: np.ndarray
    partners: np.ndarray


def propose(problem, parameters):
    """Estimate what could be split, and what removed."""
    likelihood, mixture = problem.likelihood, parameters.mixture
    n, k = len(problem.samples), len(mixture)
    stride = max(1, -(-n * (k + 1) // _MOST_ELEMENTS))
    index = np.arange(0, n, stride)
    weights = problem.samples.weights[index] * stride
    if stride > 1:
        likelihood = likelihood.part(index, weights, with_backgrounds=True)
    parts = responsibilities_of(likelihood.groups, parameters)
    removal = np.array([-(weights @ np.log1p(-np.minimum(part, 1 - 1e-9))) for part in parts])
    merging = _merging_losses(mixture, likelihood.mean_noise)
    partners = merging.argmin(1) if k > 1 else np.full(k, -1)
    merging = merging.min(1, initial=np.inf)
    children: list = [None] * k
    gains = np.full(k, -np.inf)
    for j in np.argsort(-mixture.fluxes, kind="stable")[:_MOST_SPLIT]:
        own = mixture.select([j])
        children[j], gains[j] = _split(problem, own, index, weights * parts[j], parts[j])
    partners = np.where(merging < removal, partners, -1)
    return Proposal(children, gains, np.minimum(merging, removal), partners)


def _merging_losses(mixture, noise):
    """Log-likelihood lost when two components become one with their moments, (K, K) [nat].

    Each sample is taken to belong to one of the components; the diagonal is infinite.
    """
    k, totals = len(mixture), mixture.covariances + noise
    logs = np.linalg.slogdet(totals)[1]
    losses = np.full((k, k), np.inf)
    for i in range(k):
        for j in range(i):
            n = mixture.fluxes[[i, j]]
            pair = _merged(mixture, i, j).covariances[0] + noise
            loss = n.sum() * np.linalg.slogdet(pair)[1] - n @ logs[[i, j]]
            losses[i, j] = losses[j, i] = max(loss / 2 + n @ np.log(n / n.sum()), 0.0)
    return losses


def _merged(mixture, i, j):
    """The Gaussian that has the moments of two components together."""
    n = mixture.fluxes[[i, j]]
    mean = n @ mixture.means[[i, j]] / n.sum()
    offsets = mixture.means[[i, j]] - mean
    spread = mixture.covariances[[i, j]] + offsets[:, :, None] * offsets[:, None, :]
    return Mixture(
        fluxes=[n.sum()],
        means=mean[None],
        covariances=np.einsum("i,ijk->jk", n / n.sum(), spread)[None],
    )


def _split(problem, parent, index, weights, parts):
    """Two children of a component and their gain, from the samples that belong to it."""
    members = np.flatnonzero((parts > _LEAST_PART) & (weights > 0))
    d = parent.n_dimensions
    if weights[members].sum() < 2 * (d + 1):
        return None, -np.inf
    step = max(1, -(-len(members) // _MOST_MEMBERS))
    members = members[::step]
    part = problem.of_part(index[members], weights[members] * step)
    part = replace(part, options=replace(part.options, accelerate=False))
    total = part.likelihood.total_weight
    alone = replace(parent, fluxes=np.array([total]))
    before = climb(part, part.likelihood.scaled_parameters(alone), budget=2).objective
    values, vectors = np.linalg.eigh(parent.covariances[0])
    along = np.sqrt(values[-1]) * vectors[:, -1]
    best, gain = None, -np.inf
    for factors, shifts in _CHILDREN:
        pair = Mixture(
            fluxes=np.full(2, total / 2),
            means=parent.means[0] + np.outer(shifts, along),
            covariances=floored(
                np.array(factors)[:, None, None] * parent.covariances,
                problem.options.min_sigma**2,
            ),
        )
        if problem.options.covariance_form == "tied":
            pair = replace(pair, covariances=np.repeat(parent.covariances, 2, axis=0))
        found = climb(part, part.likelihood.scaled_parameters(pair), budget=_CHILD_EVALUATIONS)
        if found.objective - before > gain:
            best, gain = found.parameters.mixture, found.objective - before
    fluxes = best.fluxes / best.fluxes.sum() * parent.fluxes[0]
    return replace(best, fluxes=np.maximum(fluxes, 1e-9)), float(gain)


def with_splits(problem, parameters, proposal, chosen, removed=()):
    """Parameters in which some components are split and others removed."""
    k = len(parameters.mixture)
    whole = parameters.mixture
    partners = [int(proposal.partners[j]) for j in removed if proposal.partners[j] >= 0]
    mixture = whole.select(np.setdiff1d(np.arange(k), [*chosen, *removed, *partners]))
    for j in removed:
        if proposal.partners[j] >= 0:
            one = _merged(whole, j, int(proposal.partners[j]))
            form = problem.options.covariance_form
            shape = in_form(one.covariances, one.fluxes, form)
            mixture = mixture.joined(replace(one, covariances=shape))
    for j in chosen:
        mixture = mixture.joined(proposal.children[j])
    if problem.options.covariance_form == "tied":
        common = parameters.mixture.covariances[:1]
        mixture = replace(mixture, covariances=np.repeat(common, len(mixture), axis=0))
    return replace(parameters, mixture=mixture)


def enlarged(problem, climbed, n_new, *, budget):
    """Climb after the most promising splits; None if nothing can be split."""
    proposal = propose(problem, climbed.parameters)
    order = [int(j) for j in np.argsort(-proposal.gains, kind="stable") if proposal.children[j]]
    if not order:
        return None
    larger = with_splits(problem, climbed.parameters, proposal, order[:n_new])
    return climb(problem, larger, budget=budget, tolerance=BRIEF_TOLERANCE)


def exchange(problem, climbed, rounds, note):
    """Exchange components that are of little use for the halves of others, while it pays.

    Parameters
    ----------
    problem : SampleProblem
    climbed : Climbed
    rounds : int
        Trials at most.
    note : callable
        Called with each trial, and whether it was accepted.

    Returns
    -------
    Climbed
    """
    tried, proposal = set(), None
    n = max(1, min(_MOST_EXCHANGED, len(climbed.parameters.mixture) // 5))
    for _ in range(rounds):
        if proposal is None:
            proposal, tried = propose(problem, climbed.parameters), set()
        pairs = _best_pairs(proposal, tried, n)
        if not pairs:
            break
        splits, removed = zip(*pairs, strict=True)
        trial = with_splits(problem, climbed.parameters, proposal, splits, removed)
        found = climb(problem, trial, budget=_TRIAL_EVALUATIONS, tolerance=BRIEF_TOLERANCE)
        accepted = found.objective > climbed.objective + _LEAST_RISE
        note(found, accepted)
        if accepted:
            climbed, proposal = found, None
        elif len(pairs) > 1:
            # As many as before that were too many would only be tried again.
            n = len(pairs) // 2
        else:
            tried.add(pairs[0])
            split, other = pairs[0][0], int(proposal.partners[pairs[0][1]])
            if other >= 0 and proposal.partners[other] == pairs[0][1]:
                # The same merger, named by its other component.
                tried.add((split, other))
    return climbed


def _best_pairs(proposal, tried, n):
    """At most n untried pairs of a split and a removal that promise most; no component twice."""
    k, pairs = len(proposal.losses), []
    promise = proposal.gains[:, None] - proposal.losses[None, :]
    promise[np.diag_indices(k)] = -np.inf
    merged = np.flatnonzero(proposal.partners >= 0)
    promise[proposal.partners[merged], merged] = -np.inf
    for split, removed in tried:
        promise[split, removed] = -np.inf
    while k > 1 and len(pairs) < n:
        split, removed = (int(i) for i in np.unravel_index(np.argmax(promise), promise.shape))
        if not promise[split, removed] > _WORTH:
            break
        pairs.append((split, removed))
        used = [split, removed, int(proposal.partners[removed])]
        used = [j for j in used if j >= 0]
        promise[used] = promise[:, used] = -np.inf
        promise[:, np.isin(proposal.partners, used)] = -np.inf
    return pairs
