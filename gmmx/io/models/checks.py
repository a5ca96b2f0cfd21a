"""Checks that the parts of a model file agree with each other."""

import numpy as np

from ...model.completeness import reference_exposure
from ...model.result import FitResult
from .values import BadValueError

# Relative difference of numbers that are stored twice.
SAME = 1e-6
# No field reaches farther from its tangent point [arcsec].
FARTHEST = 1e6
# A model never expects so many times the photons that were recorded.
MOST_EXPECTED = 1e4


def check_agreement(result: FitResult) -> FitResult:
    """Return a result whose parts agree.

    Parameters
    ----------
    result : FitResult

    Raises
    ------
    BadValueError
        If the reference exposure is not that of the exposure maps, if the summaries of the
        backgrounds are not those of the observations' backgrounds, or if a number is impossible.
    """
    maps = reference_exposure([one.completeness for one in result.observations])
    if not np.isclose(result.reference_exposure, maps, rtol=SAME, atol=0):
        raise BadValueError(
            f"the reference exposure {result.reference_exposure:.6g} is not that of the exposure "
            f"maps, {maps:.6g}"
        )
    summaries = {(one.observation, one.name): one.amplitude for one in result.backgrounds}
    own = {(o.name, b.name): b.amplitude for o in result.observations for b in o.backgrounds}
    if summaries.keys() != own.keys():
        odd = sorted(name for _, name in summaries.keys() ^ own.keys())
        raise BadValueError(f"the background {odd[0]} is not in both /background and /observations")
    for key, amplitude in own.items():
        if not np.isclose(amplitude or 0.0, summaries[key], rtol=SAME, atol=0):
            raise BadValueError(
                f"the amplitude of the background {key[1]} is {summaries[key]:.6g} in /background "
                f"and {amplitude or 0.0:.6g} in /observations"
            )
    units = {one.completeness.unit for one in result.observations if one.completeness is not None}
    if units and units != {result.exposure_unit}:
        given = sorted({*units, result.exposure_unit})
        raise BadValueError(f"the exposure has several units: {given[0]!r} and {given[-1]!r:.60}")
    _check_parts(result)
    _check_numbers(result)
    _check_photons(result)
    return result


def _check_parts(result: FitResult) -> None:
    """Refuse an observation without the exposure or the PSF of the files that it names."""
    for one in result.observations:
        roles = {file.role for file in one.pointing.inputs}
        for role, part in (("exposure", one.completeness), ("psf", one.psf)):
            if role in roles and part is None:
                raise BadValueError(f"the observation {one.name} has no {role}")


def _check_photons(result: FitResult) -> None:
    """Refuse positions off the sky, and a model of far more photons than there are."""
    for one in result.observations:
        farthest = np.abs([one.photons.x, one.photons.y]).max(initial=0.0)
        if one.frame is not None and farthest > FARTHEST:
            raise BadValueError(f"a photon {farthest:.4g} arcsec off the tangent point")
    expected = float(result.mixture.fluxes @ result.observed_fraction)
    if expected > MOST_EXPECTED * (result.n_photons + 1):
        raise BadValueError(f"{expected:.4g} expected for {result.n_photons:,.0f} photons")


def _check_numbers(result: FitResult) -> None:
    """Refuse negative sizes and errors, and tables whose columns have different lengths."""
    for name in (
        *("observed_fraction", "observed_photons", "prior_scales", "flux_errors"),
        *("mean_errors", "signal_error"),
    ):
        least = np.min(getattr(result, name), initial=0.0)
        if least < 0:
            raise BadValueError(f"{name} cannot be negative, one is {least:.6g}")
    # Each observation records a photon at most once.
    most = np.max(result.observed_fraction, initial=0.0)
    if most > len(result.observations) * (1 + SAME):
        raise BadValueError(f"observed_fraction cannot be {most:.6g}: nothing is seen so often")
    for name in ("history", "path"):
        lengths = {np.shape(column) for column in getattr(result, name).values()}
        if len(lengths) > 1 or any(len(shape) != 1 for shape in lengths):
            raise BadValueError(f"the columns of /{name} differ in length")
