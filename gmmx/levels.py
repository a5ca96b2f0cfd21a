"""Levels of backgrounds where there is nothing but background: their maximum likelihood amplitudes, and what these are uncertain by."""

from dataclasses import replace

import numpy as np

from .completeness import reference_exposure
from .errors import InputError
from .layout import background_maps, prepare

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
        raise InputError("no photon lies in it on open, exposed sky: draw it where there is background to be seen")
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
    photons = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(_LEAST, None)] * len(fitted), options=precise).x
    scores = ratios * np.sqrt(w) / (photons @ ratios + rest)
    # Backgrounds that the region cannot tell apart have their sum alone determined: a trace of information keeps the matrix regular.
    values, vectors = np.linalg.eigh(scores @ scores.T + np.eye(len(fitted)) * 1e-9 / n)
    deviations = vectors / np.sqrt(values)
    made = list(backgrounds)
    for row, (i, integral) in enumerate(zip(fitted, prepared.integrals[fitted], strict=True)):
        made[i] = replace(made[i], amplitude=float(photons[row] / integral), fixed=True, deviations=tuple(deviations[row] / integral))
    return tuple(made)


def expected_counts(observation, background):
    """Photons that a background of a given amplitude makes in an observation's own exposure."""
    completeness = observation.completeness
    q = background_maps(replace(observation, backgrounds=(background,)), reference_exposure([completeness]))
    return background.amplitude * float(q.sum() * completeness.grid.cell_area)
