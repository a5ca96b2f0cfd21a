"""The parameters that a fit starts from: the background alone, given components, or clusters."""

import warnings
from dataclasses import replace

import numpy as np

from ..em.maximise import floored
from ..em.parameters import Parameters
from ..errors import InputError
from ..model.mixture import Mixture

# Part of the photons that components start with, where backgrounds start with the rest, and the
# part that backgrounds start with beside given components.
_COMPONENTS_FRACTION = 0.7
_BACKGROUND_FRACTION = 0.5


def background_only(likelihood):
    """No component, and backgrounds at given amplitudes or with equal parts of all photons.

    Parameters
    ----------
    likelihood : PhotonLikelihood

    Returns
    -------
    start : Parameters
    """
    amplitudes = []
    for p in likelihood:
        backgrounds = p.observation.backgrounds
        photons = p.weights.sum() / max(len(backgrounds), 1)
        values = [
            b.amplitude if b.amplitude is not None else photons / integral
            for b, integral in zip(backgrounds, p.integrals, strict=True)
        ]
        amplitudes.append(np.array(values, float))
    return Parameters(mixture=Mixture.empty(), amplitudes=tuple(amplitudes))


def one_component(likelihood, parameters, min_sigma):
    """Add one component with the mean and the spread of all photons.

    Without a background no other parameter could carry them.
    """
    x, y, w = _photons(likelihood)
    mean = np.array([np.average(x, weights=w), np.average(y, weights=w)])
    spread = np.cov(np.stack([x, y]), aweights=w, bias=True).reshape(2, 2)
    return parameters.joined(
        Mixture(
            fluxes=np.array([_COMPONENTS_FRACTION * w.sum()]),
            means=mean[None],
            covariances=(spread + min_sigma**2 * np.eye(2))[None],
        )
    )


def kmeans(likelihood, parameters, n_new, rng, min_sigma):
    """Add k-means++ clusters of the photons as components; empty clusters are left out.

    Parameters
    ----------
    likelihood : PhotonLikelihood
    parameters : Parameters
    n_new : int
        Number of clusters.
    rng : numpy.random.Generator
    min_sigma : float
        Smallest standard deviation [arcsec].

    Returns
    -------
    start : Parameters
        Its backgrounds keep three tenths of their photons.
    """
    # Imported here because only this start needs it.
    from scipy.cluster.vq import kmeans2

    x, y, _ = _photons(likelihood)
    points = np.stack([x, y], axis=1)
    sample = points
    if len(points) > 200 * n_new:
        sample = points[rng.choice(len(points), 200 * n_new, replace=False)]
    with warnings.catch_warnings():
        # scipy warns of empty clusters.
        warnings.simplefilter("ignore", UserWarning)
        centres, labels = kmeans2(sample, n_new, minit="++", seed=rng)
    photons, amplitudes = photons_for_components(likelihood, parameters)
    fluxes, means, covariances = [], [], []
    for k in range(n_new):
        members = sample[labels == k]
        if len(members) == 0:
            continue
        fluxes.append(photons * len(members) / len(sample))
        means.append(centres[k])
        scatter = np.cov(members.T, bias=True) if len(members) > 2 else np.zeros((2, 2))
        sigma = max(min_sigma, 0.1 * np.sqrt(np.trace(scatter) / 2 + 1e-12))
        covariances.append(scatter + sigma**2 * np.eye(2))
    clusters = Mixture(
        fluxes=np.array(fluxes), means=np.array(means), covariances=np.array(covariances)
    )
    return replace(parameters, amplitudes=amplitudes).joined(clusters)


def photons_for_components(likelihood, parameters):
    """Photons for new components, and the background amplitudes beside them.

    New components get seven tenths of all photons, or all of them where there is no background.
    """
    fraction = _COMPONENTS_FRACTION if any(len(a) for a in parameters.amplitudes) else 1.0
    photons = sum(p.weights.sum() for p in likelihood)
    amplitudes = tuple(
        np.where(p.fixed, a, (1 - fraction) * a)
        for p, a in zip(likelihood, parameters.amplitudes, strict=True)
    )
    remaining = fraction * photons - parameters.mixture.fluxes.sum()
    return max(remaining, 0.1 * photons), amplitudes


def with_given(likelihood, parameters, mixture, min_sigma, *, fixed=None):
    """Start from a given mixture, with half of the photons in the backgrounds.

    Parameters
    ----------
    likelihood : PhotonLikelihood
    parameters : Parameters
        The background alone; amplitudes that are given are kept.
    mixture : Mixture
    min_sigma : float
        Covariances that are fitted are raised to this standard deviation [arcsec].
    fixed : Fixed, optional

    Returns
    -------
    start : Parameters

    Raises
    ------
    InputError
        If a fixed covariance is narrower than `min_sigma`.
    """
    fraction = _BACKGROUND_FRACTION if len(mixture) else 1.0
    amplitudes = tuple(
        np.where([b.amplitude is None for b in p.observation.backgrounds], fraction * a, a)
        for p, a in zip(likelihood, parameters.amplitudes, strict=True)
    )
    raised = replace(mixture, covariances=floored(mixture.covariances, min_sigma**2))
    if fixed is not None:
        _check_widths(mixture, fixed, min_sigma)
        raised = fixed.keep(mixture, raised)
    return Parameters(mixture=raised, amplitudes=amplitudes, fixed=fixed)


def _check_widths(mixture, fixed, min_sigma):
    if len(mixture) == 0:
        return
    sigma = np.sqrt(np.linalg.eigvalsh(mixture.covariances)[:, 0])
    narrow = fixed.covariances & ~fixed.points & (sigma < min_sigma * (1 - 1e-6))
    if np.any(narrow):
        k = int(np.argmax(narrow))
        raise InputError(
            f"component {k} has a fixed covariance with a sigma of {sigma[k]:.4g} arcsec, below"
            f" the floor of {min_sigma:g}: lower `min_sigma`",
            parameter="min_sigma",
        )


def _photons(likelihood):
    """Positions and weights of all photons."""
    return tuple(
        np.concatenate([getattr(p, name) for p in likelihood]) for name in ("x", "y", "weights")
    )
