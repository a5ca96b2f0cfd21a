"""Amplitudes of backgrounds that are fixed: the photons that they make, and their scale."""

import warnings
from dataclasses import replace

import numpy as np

from ..errors import DataWarning
from ..model.completeness import reference_exposure
from ..model.density import BACKGROUND_KINDS, expected_counts
from ..model.field import Field


def photons_of(background, completeness):
    """Return the number of photons that a background makes in a single observation.

    Parameters
    ----------
    background : Background
        With an amplitude.
    completeness : Completeness

    Returns
    -------
    float
        Integral of the background over the open field [photon].
    """
    field = Field(completeness, reference_exposure([completeness]))
    return expected_counts([BACKGROUND_KINDS[background.kind](background, field)])


def warn_of_bright_backgrounds(observation):
    """Warn if a fixed background makes more photons than there are.

    Parameters
    ----------
    observation : Observation
    """
    for b in observation.backgrounds:
        if not (b.fixed and b.amplitude > 0):
            continue
        expected, n = photons_of(b, observation.completeness), observation.n_photons
        if expected > n + 5 * np.sqrt(n):
            warnings.warn(
                f"background {_described(b, observation)} makes {expected:.3g} photons, "
                f"more than the {n:,.0f} of {observation.name}: is its level in another unit? The "
                "help of `background` names the units",
                DataWarning,
                stacklevel=4,
            )


def _described(b, observation):
    """Name a background, with its brightness if that was given."""
    given = observation.pointing.sky_brightness
    if b.kind != "sky" or given is None:
        return b.name
    return f"{b.name}={given.value:g} {given.unit}"


def at_reference(observation, reference):
    """Rescale a sky background that is fixed at a brightness to the exposure of a joint fit.

    The amplitude of a vignetted background is its brightness times the reference exposure.

    Parameters
    ----------
    observation : Observation
        Its pointing has the brightness, if one was given.
    reference : float
        Reference exposure of the joint fit.
    """
    brightness = observation.pointing.sky_brightness
    if brightness is None or brightness.is_amplitude:
        return observation
    amplitude, backgrounds = brightness.value * reference, []
    for b in observation.backgrounds:
        if b.is_vignetted and b.prior is not None:
            mean, error = b.prior
            b = replace(b, prior=(amplitude, error * amplitude / mean))
        elif b.is_vignetted and b.fixed and b.amplitude > 0:
            factor = amplitude / b.amplitude
            deviations = tuple(factor * d for d in b.deviations)
            b = replace(b, amplitude=amplitude, deviations=deviations)
        backgrounds.append(b)
    return replace(observation, backgrounds=tuple(backgrounds))
