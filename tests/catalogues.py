"""Makers of samples with errors, for the tests of mixtures of samples."""

import numpy as np

from gmmx.model.mixture import Mixture
from gmmx.model.samples import Samples


def make_covariances(rng, n, d, scale=1.0):
    """Covariances (n, d, d) of all shapes."""
    a = scale * rng.normal(size=(n, d, d))
    return a @ np.swapaxes(a, 1, 2) + 0.05 * scale**2 * np.eye(d)


def make_mixture(rng, k, d, total=1.0):
    """A mixture of k components in d dimensions whose fluxes add up to `total`."""
    return Mixture(
        fluxes=total * rng.dirichlet(np.full(k, 5.0)),
        means=rng.normal(0, 4, (k, d)),
        covariances=make_covariances(rng, k, d),
    )


def drawn_samples(rng, mixture, n, *, noise="none", missing=0.0):
    """Samples of a mixture, with noise of a kind, and a fraction of missing values."""
    d = mixture.n_dimensions
    x = mixture.sample(n, rng)
    if noise == "none":
        covariances = None
    elif noise == "common":
        covariances = make_covariances(rng, 1, d, 0.4)[0]
    elif noise == "diagonal":
        covariances = rng.uniform(0.02, 0.5, (n, d))
    else:
        covariances = make_covariances(rng, n, d, 0.4)
    if covariances is not None:
        full = Samples(x=x, covariances=covariances).noise()
        x = x + np.einsum("nij,nj->ni", np.linalg.cholesky(full), rng.normal(size=(n, d)))
    if missing:
        x[rng.random(x.shape) < missing] = np.nan
    return Samples(x=x, covariances=covariances, weights=rng.uniform(0.5, 1.5, n))
