"""New components where the photons exceed the model.

The result of EM depends on its start far more than on anything else. A mixture that grows from
the background up, by components placed where the photons exceed the model, ends close to the
truth where random starts do not.
"""

import numpy as np

from ..model.mixture import Mixture

# New components are this many times further apart than the larger of their scales.
_APART = 1.5
# Part of the excess flux that a new component starts with, and the least flux [photon].
_START_FRACTION = 0.5
LEAST_FLUX = 1e-3


def enlarged(search, prepared, parameters, n_new, *, least=2.0):
    """Add up to `n_new` components where the photons exceed the model most.

    Parameters
    ----------
    search : Search
    prepared : PhotonLikelihood
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
    _, x, y, scale, flux = search.candidates(prepared, parameters, least)
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
