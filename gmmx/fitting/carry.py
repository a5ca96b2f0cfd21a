"""The result of another fit as the start of a fit of these observations."""

from dataclasses import replace

from ..errors import InputError
from ..model.moving import moved_mixture


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
    try:
        mixture = moved_mixture(mixture, model.frame, frame)
    except InputError:
        raise InputError(
            "the components of the model are on the other side of the sky from these events:"
            " start from a model of the same sky"
        ) from None
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
