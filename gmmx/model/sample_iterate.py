"""SampleIterate: one iterate of a fit to samples."""

from dataclasses import dataclass

import numpy as np

from .mixture import Mixture


@dataclass(frozen=True, eq=False, kw_only=True)
class SampleIterate:
    """An accepted iterate of the last ascent, with which a fit calls `on_iterate`.

    Parameters
    ----------
    iteration : int
        0 for the start of the ascent. With ``accelerate=False`` this is the number of EM steps.
    mixture : Mixture
        In the units of the columns. The components keep the order of the start.
    amplitudes : (n_b,) array
        Background amplitudes.
    log_likelihood : float
        Of the normalised density at this mixture [nat].
    objective : float
        Extended log-likelihood with the priors [nat].
    step : str
        How the iterate was reached: "em", "quasi-newton", or "maximum" where no step raises the
        objective. "start" is the first of a phase, at whose start coordinates are chosen anew.

    Examples
    --------
    >>> import gmmx
    >>> iterates = []
    >>> x = np.random.default_rng(0).normal(size=(200, 1))
    >>> start = gmmx.Mixture(fluxes=[1.0], means=[[3.0]], covariances=[[[1.0]]])
    >>> result = gmmx.fit_samples(x, start=start, accelerate=False, on_iterate=iterates.append)
    >>> [round(float(one.mixture.means[0, 0]), 3) for one in iterates[:2]]
    [3.0, 0.015]
    """

    iteration: int
    mixture: Mixture
    amplitudes: np.ndarray
    log_likelihood: float
    objective: float
    step: str
