"""Fits of one observation with a rising number of components."""

from scores import fitted_parameters

import gmmx
from gmmx.em.photons import PhotonLikelihood
from gmmx.fitting.excess import Search
from gmmx.fitting.grow import enlarged

# Components that are added after the search for components has ended, and the largest K.
BEYOND = 3
MOST = 40
# Least significance of such a component [nat]: the rules have to refuse it, not the search.
LEAST = -50.0


def path(observation, *, step=lambda k: k + 1, exchanges=3, threads=1):
    """Fit with 0, 1, ... components, each time from the fit before.

    The path goes on for `BEYOND` components after the search for components has ended.

    Parameters
    ----------
    observation : Observation
    step : callable
        From a number of components to the next one.
    exchanges : int
        Rounds of exchanges in each fit.
    threads : int

    Returns
    -------
    list of FitResult
        By rising number of components.
    """
    results = [gmmx.fit(observation, start=gmmx.Mixture.empty(), threads=threads)]
    search = Search.over(PhotonLikelihood.of([results[0].observations[0]]))
    forced = 0
    while forced < BEYOND and len(results[-1].mixture) < MOST:
        last = results[-1]
        k = len(last.mixture)
        result = gmmx.fit(
            observation,
            start=last.mixture,
            n_components=step(k),
            exchanges=exchanges,
            threads=threads,
        )
        if len(result.mixture) <= k:
            # A component is added where the photons exceed the model most, however little.
            forced += 1
            larger, n_added = enlarged(search, fitted_parameters(last), 1, least=LEAST)
            if n_added == 0:
                break
            result = gmmx.fit(observation, start=larger.mixture, threads=threads)
            if len(result.mixture) <= k:
                break
        results.append(result)
    return results
