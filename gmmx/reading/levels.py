"""Levels of backgrounds that are held: from a region where there is nothing but background, at a joint fit's reference exposure, and whether they can be."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..em.tiles import prepare
from ..errors import DataWarning, InputError
from ..model.completeness import reference_exposure
from ..model.density import BACKGROUND_KINDS
from ..model.density import expected_counts as expected_of_terms
from ..model.field import Field
from ..model.observation import Observation

# Of an amplitude that comes out as nothing, in photons: a background that is there has a logarithm.
_LEAST = 1e-6


def held_by(observation, free):
    """The backgrounds at the levels of a source-free observation, held there.

    Maximises ``sum_i w_i log sum_b B_b q_b(x_i) - sum_b B_b int q_b`` over the free amplitudes: concave, so that there is one maximum. The errors are those of
    its curvature, ``sum_i w_i q_b q_c / lambda^2``: for a single background the square root of the number of photons.

    Parameters
    ----------
    observation : Observation
        Photons and completeness of the source-free region alone.
    free : Completeness
        That of the whole observation, whose reference exposure the amplitudes are for.

    Returns
    -------
    tuple of Background
        In the order of the observation's, amplitudes held; those that were held already stay as they are.

    Raises
    ------
    InputError
        When there is no photon, or a background has no open sky in the region.
    """
    # Loaded where it is needed: that takes a tenth of a second.
    from scipy.optimize import minimize

    backgrounds = observation.backgrounds
    fitted = [i for i, b in enumerate(backgrounds) if not b.fixed]
    if not fitted:
        return backgrounds
    observation = observation.exposed()
    if observation.n_photons <= 0:
        raise InputError(
            "no photon lies in it on open, exposed sky: draw it where there is background to be seen"
        )
    prepared = prepare(observation, reference_exposure([free]))
    held = np.array([b.amplitude if b.fixed else 0.0 for b in backgrounds])
    # In units of photons, where all numbers are of one size.
    ratios = prepared.ratios[fitted] / prepared.integrals[fitted][:, None]
    rest, w, n = held @ prepared.ratios, prepared.weights, observation.n_photons

    def loss(photons):
        density = photons @ ratios + rest
        return float(photons.sum() - w @ np.log(density)) / n, (1 - ratios @ (w / density)) / n

    start = np.full(len(fitted), max(n - float(held @ prepared.integrals), 0.1 * n) / len(fitted))
    precise = {"ftol": 1e-15, "gtol": 1e-10, "maxiter": 1000}
    photons = minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(_LEAST, None)] * len(fitted),
        options=precise,
    ).x
    scores = ratios * np.sqrt(w) / (photons @ ratios + rest)
    # Backgrounds that the region cannot tell apart have their sum alone determined: a trace of information keeps the matrix regular.
    values, vectors = np.linalg.eigh(scores @ scores.T + np.eye(len(fitted)) * 1e-9 / n)
    deviations = vectors / np.sqrt(values)
    made = list(backgrounds)
    for row, (i, integral) in enumerate(zip(fitted, prepared.integrals[fitted], strict=True)):
        made[i] = replace(
            made[i],
            amplitude=float(photons[row] / integral),
            fixed=True,
            deviations=tuple(deviations[row] / integral),
        )
    return tuple(made)


def expected_counts(completeness, background):
    """Photons that a background of a given amplitude makes through an exposure."""
    field = Field(completeness, reference_exposure([completeness]))
    return expected_of_terms([BACKGROUND_KINDS[background.kind](background, field)])


def levels_from_region(backgrounds, listed, inside, completeness, region):
    """Backgrounds at their levels in a source-free region, held there; the sky's level, for the metadata; and what was done, for people.

    Parameters
    ----------
    backgrounds : tuple of Background
    listed : EventList
        The photons of the region, outside the masks.
    inside : Completeness
        Open in the region alone.
    completeness : Completeness
        That of the observation.
    region : sequence of path
        For messages.

    Raises
    ------
    InputError
        When no level is free, or the region holds no photon or nothing of a background.
    """
    names = ", ".join(map(str, region))
    if all(b.fixed for b in backgrounds):
        raise InputError(
            f"{names}: no background is left whose level could be taken from a region: leave out --background-region, or the levels"
        )
    alone = Observation(
        photons=listed.photons,
        frame=listed.frame,
        completeness=inside,
        backgrounds=backgrounds,
        name=names,
    )
    try:
        found = held_by(alone, completeness)
    except InputError as error:
        raise InputError(f"{names}: {str(error).removeprefix(f'{names}: ')}") from None
    said = f"levels from the {alone.exposed().n_photons:,.0f} photons in {', '.join(Path(path).name for path in region)} alone, and held"
    sky = next((b for b in found if b.kind == "sky" and b.deviations), None)
    if sky is None:
        return found, {}, said
    unit = (
        "photon/cm**2/s/arcsec**2"
        if completeness.has_flux_unit
        else "photon/arcsec**2 per unit of exposure"
    )
    return (
        found,
        {
            "sky_background": sky.amplitude / reference_exposure([completeness]),
            "sky_background_unit": unit,
        },
        said,
    )


def check_held(observation):
    """Warn where a held background expects more photons than there are."""
    for b in observation.backgrounds:
        if b.fixed and b.amplitude > 0:
            expected = expected_counts(observation.completeness, b)
            if expected > observation.n_photons + 5 * np.sqrt(observation.n_photons):
                given, unit = (
                    observation.metadata.get(f"sky_background{end}") for end in ("", "_unit")
                )
                level = (
                    f"{b.name}={given:g} {unit}"
                    if b.kind == "sky" and given is not None
                    else b.name
                )
                warnings.warn(
                    f"background {level} makes {expected:.3g} photons, more than the {observation.n_photons:.0f} that are there",
                    DataWarning,
                    stacklevel=3,
                )


def held_at(observation, reference):
    """The observation with a sky background that is held at a flux, at the reference exposure of a joint fit."""
    level = observation.metadata.get("sky_background")
    if level is None or observation.metadata.get("sky_background_unit") == "photon/arcsec**2":
        return observation
    moved = []
    for b in observation.backgrounds:
        if b.is_vignetted and b.fixed and b.amplitude > 0:
            factor = level * reference / b.amplitude
            b = replace(
                b, amplitude=level * reference, deviations=tuple(factor * d for d in b.deviations)
            )
        moved.append(b)
    return replace(observation, backgrounds=tuple(moved))
