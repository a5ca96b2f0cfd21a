"""The result of another fit as the start of a fit of these observations."""

from dataclasses import replace

import numpy as np

from ..errors import InputError


def carried(model, observations, reference):
    """Bring the components and background amplitudes of another fit to these observations.

    Where the tangent points differ, means and covariances go through the sky. Fluxes are scaled
    by the ratio of the reference exposures if both have the same unit. A background starts with
    the other fit's amplitude if the photons are those of the same file.

    Parameters
    ----------
    model : FitResult
    observations : list of Observation
    reference : float
        Their reference exposure E_ref.

    Returns
    -------
    mixture : Mixture
    observations : list of Observation

    Raises
    ------
    InputError
        If the model is of another part of the sky.
    """
    mixture, frame = model.mixture, observations[0].frame
    if len(mixture) and frame is not None and model.frame is not None and frame != model.frame:
        mixture = _in_frame(mixture, model.frame, frame)
    completeness = observations[0].completeness
    unit = "" if completeness is None else completeness.unit
    ratio = 1.0
    if unit and unit == model.exposure_unit:
        ratio = reference / model.reference_exposure
    mixture = replace(mixture, fluxes=mixture.fluxes * ratio)
    known = {
        (_digest(o), b.name, b.kind): b.amplitude
        for o in model.observations
        for b in o.backgrounds
        if _digest(o)
    }
    return mixture, [_with_amplitudes(o, known, ratio) for o in observations]


def _with_amplitudes(observation, known, ratio):
    """The observation with the amplitudes that its free backgrounds had in the other fit."""
    backgrounds = []
    for b in observation.backgrounds:
        amplitude = known.get((_digest(observation), b.name, b.kind))
        if amplitude is not None and not b.fixed:
            # Only the sky is seen through the exposure.
            b = replace(b, amplitude=amplitude * (ratio if b.is_vignetted else 1.0))
        backgrounds.append(b)
    return replace(observation, backgrounds=tuple(backgrounds))


def _digest(observation):
    """Digest of the file that the photons are from; empty if it is not known."""
    file = observation.pointing.events_file
    return "" if file is None else file.sha256


def _in_frame(mixture, old, new):
    """A mixture in another tangent plane: means through the sky, covariances linearly."""

    def moved(shift):
        return np.stack(old.to_frame(new, *(mixture.means + shift).T), axis=1)

    means = moved([0.0, 0.0])
    if not np.all(np.isfinite(means)):
        raise InputError(
            "the components of the model are on the other side of the sky from these events:"
            " start from a model of the same sky"
        )
    # Central differences over 2 arcsec are exact to the curvature of the plane.
    right, left = moved([1.0, 0.0]), moved([-1.0, 0.0])
    up, down = moved([0.0, 1.0]), moved([0.0, -1.0])
    turn = np.stack([(right - left) / 2, (up - down) / 2], axis=2)
    covariances = turn @ mixture.covariances @ np.swapaxes(turn, 1, 2)
    symmetric = (covariances + np.swapaxes(covariances, 1, 2)) / 2
    return replace(mixture, means=means, covariances=symmetric)
