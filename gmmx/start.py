"""Where a fit starts from: the background alone, one component, clusters of the photons, or a given mixture."""

import warnings
from dataclasses import replace

import numpy as np
from scipy.cluster.vq import kmeans2

from .em import Parameters, floored
from .mixture import Mixture


def background_only(prepared):
    """Starting amplitudes: those given, or all photons shared equally."""
    amplitudes = []
    for p in prepared:
        backgrounds = p.observation.backgrounds
        share = p.weights.sum() / max(len(backgrounds), 1)
        amplitudes.append(np.array([b.amplitude if b.amplitude is not None else share / i for b, i in zip(backgrounds, p.integrals, strict=True)], float))
    return Parameters(mixture=Mixture.empty(), amplitudes=tuple(amplitudes))


def one_component(prepared, parameters, min_sigma):
    """Half the photons as one component with their own mean and spread, where no background can carry them."""
    x, y, w = (np.concatenate([getattr(p, name) for p in prepared]) for name in ("x", "y", "weights"))
    mean = np.array([np.average(x, weights=w), np.average(y, weights=w)])
    spread = np.cov(np.stack([x, y]), aweights=w, bias=True).reshape(2, 2) + min_sigma**2 * np.eye(2)
    return replace(parameters, mixture=Mixture(fluxes=np.array([0.7 * w.sum()]), means=mean[None], covariances=spread[None]))


def kmeans(prepared, parameters, n_components, rng, min_sigma):
    """k-means++ clusters of the photons, with half of the photons left to the background."""
    x, y, w = (np.concatenate([getattr(p, name) for p in prepared]) for name in ("x", "y", "weights"))
    points = np.stack([x, y], axis=1)
    sample = points[rng.choice(len(points), min(len(points), 200 * n_components), replace=False)] if len(points) > 200 * n_components else points
    with warnings.catch_warnings():
        # An empty cluster is dropped below.
        warnings.simplefilter("ignore", UserWarning)
        centres, labels = kmeans2(sample, n_components, minit="++", seed=rng)
    share = 0.7 if any(len(a) for a in parameters.amplitudes) else 1.0
    fluxes, means, covariances = [], [], []
    for k in range(n_components):
        members = sample[labels == k]
        if len(members) == 0:
            continue
        fluxes.append(share * w.sum() * len(members) / len(sample))
        means.append(centres[k])
        scatter = np.cov(members.T, bias=True) if len(members) > 2 else np.zeros((2, 2))
        covariances.append(scatter + max(min_sigma, 0.1 * np.sqrt(np.trace(scatter) / 2 + 1e-12)) ** 2 * np.eye(2))
    amplitudes = tuple(np.where(p.fixed, a, (1 - share) * a) for p, a in zip(prepared, parameters.amplitudes, strict=True))
    return Parameters(mixture=Mixture(fluxes=np.array(fluxes), means=np.array(means), covariances=np.array(covariances)), amplitudes=amplitudes)


def given(prepared, parameters, mixture, min_sigma):
    """A given mixture, and half of the photons in the backgrounds whose amplitude is not given."""
    share = 0.5 if len(mixture) else 1.0
    amplitudes = tuple(
        np.where([b.amplitude is None for b in p.observation.backgrounds], share * a, a) for p, a in zip(prepared, parameters.amplitudes, strict=True)
    )
    return Parameters(mixture=replace(mixture, covariances=floored(mixture.covariances, min_sigma)), amplitudes=amplitudes)
