"""How significant each component is, for having searched the field for it.

The gain of a component is the log-likelihood that is lost when it is removed and all others are
fitted again. Where it should not be there, the search would have placed it on the largest noise
peak: its gain is compared with the largest gain of one more component on skies without it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .._kernels.threads import threads_at_most
from ..config import GoodnessConfig
from ..em.parameters import Parameters
from ..errors import InputError
from ..fitting.one_more import PHASES, log_likelihood_of, with_one_more, without
from ..fitting.problem import Problem, parameters_of
from ..fitting.redraw import refitted
from .errors import options_of
from .goodness import p_values
from .refits import Truth, warm_refit

if TYPE_CHECKING:
    from astropy.table import Table

    from ..model.result import FitResult

_COLUMNS = {
    "sqrt_ts": "square root of twice the gain in log-likelihood of the component, against a refit "
    "without it",
    "p_value": "chance of a component of such a gain anywhere in a field without it; for a point "
    "source, at its own place",
}


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class ComponentSignificance:
    """The significance of every component.

    Attributes
    ----------
    gains : (K,) array
        Log-likelihood that a refit without the component loses [nat]. NaN for a component whose
        flux is fixed; infinite if nothing else explains a photon.
    points : (K,) array of bool
        Point sources, whose places were given.
    simulated : (N,) array
        Largest gains of one more component on simulated skies without it [nat].
    """

    gains: np.ndarray
    points: np.ndarray
    simulated: np.ndarray

    def __len__(self):
        """Number of simulations."""
        return len(self.simulated)

    def __repr__(self):
        k = len(self.gains)
        least = f"least sqrt_ts {np.nanmin(self.sqrt_ts):.1f}" if np.any(self.known) else "none"
        return f"ComponentSignificance({k} components, {least}, {len(self)} simulations)"

    @property
    def known(self) -> np.ndarray:
        """Components whose significance is known, (K,) booleans."""
        return ~np.isnan(self.gains)

    @property
    def sqrt_ts(self) -> np.ndarray:
        """Square root of twice the gain, (K,)."""
        return np.sqrt(2 * np.maximum(self.gains, 0.0))

    @property
    def p_values(self) -> np.ndarray:
        """Chance of such a gain anywhere in the field if the component is not there, (K,).

        A point source was looked for at one place, so that its chance is the tail of a normal
        distribution.
        """
        from scipy.special import ndtr

        searched = p_values(self.gains, np.tile(self.simulated[:, None], len(self.gains)))
        found = np.where(self.points, ndtr(-self.sqrt_ts), searched)
        return np.where(self.known, found, np.nan)

    def added_to(self, table: Table) -> Table:
        """A component table with the columns `sqrt_ts` and `p_value`, before its flags."""
        table, rows = table.copy(), np.asarray(table["component"])
        for name, values in (("sqrt_ts", self.sqrt_ts), ("p_value", self.p_values)):
            table.add_column(values[rows], name=name, index=table.index_column("flags"))
            table[name].description = _COLUMNS[name]
        table.meta["simulations"] = len(self)
        return table


def component_significance(
    result: FitResult,
    simulations: int = GoodnessConfig.simulations,
    *,
    seed: int = GoodnessConfig.seed,
    threads: int = GoodnessConfig.threads,
    callback: Callable[[int, int], None] | None = None,
) -> ComponentSignificance:
    """Measure the significance of every component; long because each option needs words.

    Skies are simulated from the refit without the least significant component, and fitted again.
    The search of the fit then adds the component that gains most.

    Parameters
    ----------
    result : FitResult
    simulations : int
        Number of simulated skies.
    seed : int
        Of the random numbers.
    threads : int
        Number of threads; 0 uses every core. The result does not depend on it.
    callback : callable, optional
        Called with the number of finished steps and the number of all.

    Returns
    -------
    ComponentSignificance

    Raises
    ------
    InputError
        If there is no component with a free flux.

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0.0, 5.0, (2, 300))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=2, seed=1)
    >>> component_significance(result, 5)
    ComponentSignificance(2 components, least sqrt_ts ..., 5 simulations)
    """
    GoodnessConfig(simulations=simulations, seed=seed, threads=threads)
    free = np.ones(len(result.mixture), bool)
    if result.fixed is not None:
        free &= ~result.fixed.fluxes
    if not free.any():
        raise InputError("the model has no component with a free flux, so that none can be tested")
    tell = (lambda _done, _total: None) if callback is None else callback
    steps = int(free.sum()) + simulations
    with threads_at_most(threads):
        gains, weakest = _gains(result, free, lambda done: tell(done, steps))
        simulated = []
        for i, sky in enumerate(weakest.skies(simulations, seed)):
            tell(steps - simulations + i, steps)
            simulated.append(_largest_gain(sky, weakest, options_of(result)))
        tell(steps, steps)
    return ComponentSignificance(gains=gains, points=result.points, simulated=np.array(simulated))


def _largest_gain(sky, truth, options):
    """Gain of the best further component on a simulated sky [nat]."""
    if not any(len(o.photons) for o in sky):
        return 0.0
    problem, state = warm_refit(sky, truth, options)
    more = with_one_more(problem, state)
    return max(log_likelihood_of(problem, more) - log_likelihood_of(problem, state), 0.0)


def _gains(result, free, tell):
    """Gain of each component, and the parameters without the least significant one."""
    truth = Truth.of(result)
    problem = Problem.of(result.observations, options_of(result))
    whole = refitted(problem, truth.mixture, truth.amplitudes, truth.fixed, phases=PHASES)
    parameters, highest = parameters_of(whole), log_likelihood_of(problem, whole)
    gains, least = np.full(len(free), np.nan), None
    # Point sources are weakest only if there is nothing else.
    for done, k in enumerate(np.flatnonzero(free)):
        tell(done)
        state = without(problem, parameters, k)
        rest = log_likelihood_of(problem, state)
        gains[k] = max(highest - rest, 0.0) if np.isfinite(rest) else np.inf
        rank = (bool(result.points[k]), gains[k])
        if least is None or rank < least[0]:
            least = rank, state
    return gains, _truth_at(truth, least[1])


def _truth_at(truth, state):
    """The parameters of a refit as what skies are simulated from."""
    parameters: Parameters = parameters_of(state)
    return replace(
        truth,
        mixture=parameters.mixture,
        amplitudes=parameters.amplitudes,
        fixed=parameters.fixed,
    )
