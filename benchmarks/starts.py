"""Random starts, which the fit is compared with: from them the result is a matter of luck."""

import numpy as np

from gmmx.model.mixture import Mixture


def scattered(observation, n_components, rng, *, uniform=False, fraction=0.7):
    """Equal components at random places, each with the spread of the photons over K.

    Parameters
    ----------
    observation : Observation
    n_components : int
    rng : numpy.random.Generator
    uniform : bool
        Whether the places are uniform in the box around the photons. Otherwise they are those of
        random photons.
    fraction : float
        Part of the photons that belong to the components.

    Returns
    -------
    Mixture
        To be given to `gmmx.fit` as its start.
    """
    x, y, w = observation.photons.x, observation.photons.y, observation.photons.weights
    if uniform:
        means = rng.uniform([x.min(), y.min()], [x.max(), y.max()], (n_components, 2))
    else:
        means = np.stack([x, y], axis=1)[rng.choice(len(x), n_components, p=w / w.sum())]
    covariance = np.cov(np.stack([x, y]), aweights=w, bias=True) / n_components
    return Mixture(
        fluxes=np.full(n_components, fraction * w.sum() / n_components),
        means=means,
        covariances=np.tile(covariance, (n_components, 1, 1)),
    )
