"""Where a fit starts from: the background alone, one component, clusters of the photons, random places, or a given mixture.

Random starts are there to be compared with: from them, the summit that a fit reaches is a matter of luck.
"""

import warnings
from dataclasses import replace

import numpy as np

from ..em.maximise import floored
from ..em.parameters import Parameters
from ..errors import InputError
from ..model.mixture import Mixture


def background_only(prepared):
    """Starting amplitudes: those given, or all photons shared equally."""
    amplitudes = []
    for p in prepared:
        backgrounds = p.observation.backgrounds
        share = p.weights.sum() / max(len(backgrounds), 1)
        amplitudes.append(
            np.array(
                [
                    b.amplitude if b.amplitude is not None else share / i
                    for b, i in zip(backgrounds, p.integrals, strict=True)
                ],
                float,
            )
        )
    return Parameters(mixture=Mixture.empty(), amplitudes=tuple(amplitudes))


def _photons(prepared):
    """Positions and weights of all photons."""
    return tuple(
        np.concatenate([getattr(p, name) for p in prepared]) for name in ("x", "y", "weights")
    )


def _spread(x, y, w, min_sigma):
    return np.cov(np.stack([x, y]), aweights=w, bias=True).reshape(2, 2) + min_sigma**2 * np.eye(2)


def _shared(prepared, parameters):
    """Photons for new components, and the amplitudes that the backgrounds are left with: seven tenths and three, where there are any."""
    share = 0.7 if any(len(a) for a in parameters.amplitudes) else 1.0
    photons = sum(p.weights.sum() for p in prepared)
    amplitudes = tuple(
        np.where(p.fixed, a, (1 - share) * a)
        for p, a in zip(prepared, parameters.amplitudes, strict=True)
    )
    return max(share * photons - parameters.mixture.fluxes.sum(), 0.1 * photons), amplitudes


def one_component(prepared, parameters, min_sigma):
    """Seven tenths of the photons as one component with their own mean and spread, where no background can carry them."""
    x, y, w = _photons(prepared)
    mean = np.array([np.average(x, weights=w), np.average(y, weights=w)])
    return parameters.joined(
        Mixture(
            fluxes=np.array([0.7 * w.sum()]),
            means=mean[None],
            covariances=_spread(x, y, w, min_sigma)[None],
        )
    )


def kmeans(prepared, parameters, n_components, rng, min_sigma):
    """k-means++ clusters of the photons, with three tenths of the photons left to the background."""
    # Loaded where it is needed: that takes a tenth of a second.
    from scipy.cluster.vq import kmeans2

    x, y, _ = _photons(prepared)
    points = np.stack([x, y], axis=1)
    sample = (
        points[rng.choice(len(points), min(len(points), 200 * n_components), replace=False)]
        if len(points) > 200 * n_components
        else points
    )
    with warnings.catch_warnings():
        # An empty cluster is dropped below.
        warnings.simplefilter("ignore", UserWarning)
        centres, labels = kmeans2(sample, n_components, minit="++", seed=rng)
    photons, amplitudes = _shared(prepared, parameters)
    fluxes, means, covariances = [], [], []
    for k in range(n_components):
        members = sample[labels == k]
        if len(members) == 0:
            continue
        fluxes.append(photons * len(members) / len(sample))
        means.append(centres[k])
        scatter = np.cov(members.T, bias=True) if len(members) > 2 else np.zeros((2, 2))
        covariances.append(
            scatter + max(min_sigma, 0.1 * np.sqrt(np.trace(scatter) / 2 + 1e-12)) ** 2 * np.eye(2)
        )
    clusters = Mixture(
        fluxes=np.array(fluxes), means=np.array(means), covariances=np.array(covariances)
    )
    return replace(parameters, amplitudes=amplitudes).joined(clusters)


def scattered(prepared, parameters, n_components, rng, min_sigma, *, uniform):
    """Equal components at random places, each with the photons' spread over K, with three tenths of the photons left to the background.

    Parameters
    ----------
    uniform : bool
        Whether the places are uniform in the photons' box instead of those of random photons.
    """
    x, y, w = _photons(prepared)
    if uniform:
        means = rng.uniform([x.min(), y.min()], [x.max(), y.max()], (n_components, 2))
    else:
        chosen = rng.choice(len(x), n_components, p=w / w.sum())
        means = np.stack([x, y], axis=1)[chosen]
    photons, amplitudes = _shared(prepared, parameters)
    covariance = _spread(x, y, w, 0.0) / n_components + min_sigma**2 * np.eye(2)
    added = Mixture(
        fluxes=np.full(n_components, photons / n_components),
        means=means,
        covariances=np.tile(covariance, (n_components, 1, 1)),
    )
    return replace(parameters, amplitudes=amplitudes).joined(added)


def given(prepared, parameters, mixture, min_sigma, *, fixed=None):
    """A given mixture, and half of the photons in the backgrounds whose amplitude is not given.

    Parameters
    ----------
    fixed : Fixed, optional
        What of the mixture is held: free covariances are raised to the floor, held ones must lie on or above it.
    """
    share = 0.5 if len(mixture) else 1.0
    amplitudes = tuple(
        np.where([b.amplitude is None for b in p.observation.backgrounds], share * a, a)
        for p, a in zip(prepared, parameters.amplitudes, strict=True)
    )
    raised = replace(mixture, covariances=floored(mixture.covariances, min_sigma))
    if fixed is not None:
        sigma = (
            np.sqrt(np.linalg.eigvalsh(mixture.covariances)[:, 0]) if len(mixture) else np.zeros(0)
        )
        narrow = fixed.covariances & ~fixed.points & (sigma < min_sigma * (1 - 1e-6))
        if np.any(narrow):
            k = int(np.argmax(narrow))
            raise InputError(
                f"fixed component {k} has a sigma of {sigma[k]:.4g} arcsec, below the floor of {min_sigma:g}: lower it with --min-sigma"
            )
        raised = fixed.keep(mixture, raised)
    return Parameters(mixture=raised, amplitudes=amplitudes, fixed=fixed)


def carried(model, observations, reference):
    """What another fit found, as the start for these observations: its components in their plane, at their reference exposure, and its backgrounds' levels.

    Means and covariances go through the sky where the tangent points differ, fluxes by the ratio of the reference exposures where both have the same unit.
    A background takes over its level where the photons are those of the same file.

    Parameters
    ----------
    model : FitResult
    observations : list of Observation
    reference : float
        Their E_ref.

    Returns
    -------
    mixture : Mixture
    observations : list of Observation

    Raises
    ------
    InputError
        When the model is of another part of the sky.
    """
    mixture, frame = model.mixture, observations[0].frame
    if len(mixture) and frame is not None and model.frame is not None and frame != model.frame:
        mixture = _in_plane(mixture, model.frame, frame)
    completeness = observations[0].completeness
    unit, ratio = (
        "" if completeness is None else completeness.unit,
        reference / model.reference_exposure,
    )
    ratio = ratio if unit and unit == model.exposure_unit else 1.0
    mixture = replace(mixture, fluxes=mixture.fluxes * ratio)
    levels = {
        (o.metadata.get("sha256"), b.name): (b.kind, b.amplitude)
        for o in model.observations
        for b in o.backgrounds
    }
    started = []
    for o in observations:
        backgrounds = []
        for b in o.backgrounds:
            kind, level = levels.get((o.metadata.get("sha256"), b.name), (None, None))
            known = not b.fixed and level is not None and kind == b.kind and "sha256" in o.metadata
            # The sky is seen through the exposure, the others are not.
            backgrounds.append(
                replace(b, amplitude=level * (ratio if b.is_vignetted else 1.0)) if known else b
            )
        started.append(replace(o, backgrounds=tuple(backgrounds)))
    return mixture, started


def _in_plane(mixture, old, new):
    """A mixture in another tangent plane: means through the sky, covariances by the local linear map."""

    def there(shift):
        return np.stack(new.to_plane(*old.to_sky(*(mixture.means + shift).T)), axis=1)

    means = there([0.0, 0.0])
    if not np.all(np.isfinite(means)):
        raise InputError(
            "the model's components are on the other side of the sky from these events: start from a model of the same sky"
        )
    # Central differences over 2 arcsec: exact to the plane's curvature.
    turn = np.stack(
        [
            (there([1.0, 0.0]) - there([-1.0, 0.0])) / 2,
            (there([0.0, 1.0]) - there([0.0, -1.0])) / 2,
        ],
        axis=2,
    )
    covariances = turn @ mixture.covariances @ np.swapaxes(turn, 1, 2)
    return replace(
        mixture, means=means, covariances=(covariances + np.swapaxes(covariances, 1, 2)) / 2
    )
