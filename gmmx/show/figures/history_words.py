"""The course of a fit in words: which rule chose K, and why the model has not the highest ln L."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ...model.result import FitResult

# A smaller difference of log-likelihoods needs no explanation [nat].
_LITTLE = 1.0


def rule_of(result: FitResult) -> str:
    """The rule that chose the number of components, in a few words."""
    if result.requested_components is not None:
        return f"{result.requested_components} requested"
    price = result.options.get("price")
    return "chosen by the price" if price is None else f"at a price of {price:g} nat each"


def explained(result: FitResult) -> str:
    """Say why the model lies below the highest log-likelihood that was reached.

    Returns
    -------
    str
        One or two sentences; empty if the file has no record of the fit.

    Examples
    --------
    >>> import numpy as np
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> explained(gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1))
    'No set of parameters that was tried has a higher log-likelihood than the model.'
    """
    best, k_best = highest(result)
    if not np.isfinite(best):
        return ""
    gap, k = best - result.log_likelihood, len(result.extended)
    if gap < _LITTLE:
        return "No set of parameters that was tried has a higher log-likelihood than the model."
    more = k_best - k
    if more <= 0:
        return (
            f"The highest log-likelihood, {gap:,.0f} nat above that of the model, was reached on "
            f"the way with {_counted(k_best)}. The fit maximises it together with the priors, and "
            "renews the prior scales and the averages of the PSF, after which it may fall."
        )
    reached = (
        f"The highest log-likelihood, {gap:,.0f} nat above that of the model, was reached with "
        f"{_counted(k_best)}."
    )
    asked, one = result.requested_components, more == 1
    others = "The other one" if one else f"The {more} others"
    removed = "it was removed" if one else "they were removed"
    if asked is None:
        price = _price(result, k_best)
        if price is None or price < gap:
            return f"{reached} {others} gained less than the price, and {removed}."
        return (
            f"{reached} {others} cost {price:,.0f} nat, more than {'it' if one else 'they'} "
            f"gained, and {removed}."
        )
    if k_best > asked:
        return (
            f"{reached} An exchange adds components and then removes the least important, so that "
            f"{asked} remain."
        )
    which, were = ("it", "was") if one else ("them", "were")
    return (
        f"{reached} {others} {were} removed, because no photon needed {which} or less than 2 % of "
        f"{which} was observed."
    )


def highest(result: FitResult) -> tuple[float, int]:
    """The highest log-likelihood that was reached, and its number of components; NaN without any.

    The record of accepted iterations has no components that were only tried.
    """
    found = []
    for record in (result.history, result.path):
        values = np.asarray(record.get("log_likelihood", ()), np.float64)
        k = np.asarray(record.get("k", ()), np.float64)
        if len(values) and len(k) == len(values) and np.isfinite(values).any():
            i = int(np.nanargmax(np.where(np.isfinite(values), values, -np.inf)))
            found.append((float(values[i]), int(k[i])))
    return max(found, default=(float("nan"), 0))


def _price(result, k):
    """What the components beyond those of the model cost [nat]; None if it was not recorded."""
    path = result.path
    if not {"log_likelihood", "criterion", "k"} <= path.keys() or not len(path["k"]):
        return None
    paid = np.asarray(path["log_likelihood"], float) - np.asarray(path["criterion"], float)
    same = np.flatnonzero((np.asarray(path["k"]) == k) & np.isfinite(paid))
    if not len(same) or not np.isfinite(paid[-1]):
        return None
    return float(np.median(paid[same]) - paid[-1])


def _counted(k):
    return "1 component" if k == 1 else f"{k} components"
