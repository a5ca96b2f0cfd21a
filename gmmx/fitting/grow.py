"""New components where the photons exceed the model.

The result of EM depends on its start far more than on anything else. A mixture that grows from
the background up, by components placed where the photons exceed the model, ends close to the
truth where random starts do not.
"""

from dataclasses import dataclass

import numpy as np

from ..model.mixture import Mixture
from .phases import noted, refine, rejected
from .problem import parameters_of
from .stage import Stage
from .start import one_component

# Components that are added in one round, at most, and evaluations of each of the two phases
# after it.
MOST_ADDED = 10
_EVALUATIONS = 8

# New components are this many times further apart than the larger of their scales.
_APART = 1.5
# Part of the excess flux that a new component starts with, and the least flux [photon].
_START_FRACTION = 0.5
LEAST_FLUX = 1e-3


@dataclass(frozen=True, kw_only=True)
class Grow(Stage):
    """Add components where the photons exceed the model, until `most` or nothing is missing.

    The number of components at most doubles in a round, and rises by at most ten.
    """

    most: int

    def step(self, problem, state, _known, watch):
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
        larger, n_added = enlarged(
            problem.search,
            parameters,
            min(max(1, k), MOST_ADDED, self.most - k),
        )
        if n_added == 0:
            return state.after_stage(), None
        trial, last = refine(
            problem, state.with_parameters(larger), "grow", watch, budget=_EVALUATIONS
        )
        worth_it = len(trial.mixture) > k
        trial = noted(problem, trial, last, "grow", worth_it)
        if not worth_it:
            return rejected(trial, state).after_stage(), None
        return trial.going_on(rounds=state.progress["rounds"] + 1), None

    def _needs_a_first(self, problem, parameters):
        """Whether nothing that is fitted could carry the photons at first."""
        return (
            bool(np.all(parameters.any_fixed))
            and len(parameters.mixture) < self.most
            and not any(o.backgrounds for o in problem.observations)
        )


def enlarged(search, parameters, n_new, *, least=2.0):
    """Add up to `n_new` components where the photons exceed the model most.

    Parameters
    ----------
    search : Search
    parameters : Parameters
    n_new : int
    least : float
        Significance that an excess must have above the log of the number of places that were
        searched [nat].

    Returns
    -------
    parameters : Parameters
    n_added : int
    """
    _, x, y, scale, flux = search.candidates(parameters, least)
    chosen, index = [], []
    for i in range(len(x)):
        if len(chosen) == n_new:
            break
        if is_apart(x[i], y[i], scale[i], chosen):
            chosen.append((x[i], y[i], scale[i]))
            index.append(i)
    if not chosen:
        return parameters, 0
    fluxes = np.maximum(_START_FRACTION * flux[index], LEAST_FLUX)
    return parameters.joined(round_components(x[index], y[index], scale[index], fluxes)), len(
        chosen
    )


def is_apart(x, y, scale, chosen):
    """Whether a place is clear of all chosen ones (x, y, scale)."""
    return all(np.hypot(x - cx, y - cy) > _APART * max(scale, cs) for cx, cy, cs in chosen)


def round_components(x, y, sigma, fluxes):
    """Round Gaussians at positions, with standard deviations `sigma`, all (n,)."""
    return Mixture(
        fluxes=fluxes,
        means=np.stack([x, y], axis=1),
        covariances=(sigma**2)[:, None, None] * np.eye(2),
    )
