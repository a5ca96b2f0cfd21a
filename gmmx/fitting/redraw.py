"""Warm refits to changed data: at given levels of the background, or with other weights.

The components keep their number and order: the k-th of a refit is the k-th of the fit.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..em.information import Information
from ..model.mixture import Fixed, Mixture
from ..model.state import FitState
from .phases import Watch, evaluation_at, run_phase
from .problem import Problem, parameters_of

# Phases of a refit, evaluations of each, and the gain that ends it [nat].
_PHASES, _EVALUATIONS, _TOLERANCE = 3, 25, 0.3
# Levels of all free backgrounds that are scanned, in units of those of the fit.
LEVELS = tuple(round(0.1 * i, 1) for i in range(4, 13))
# Standard deviation of the level within a draw of one level, half of their distance.
_WITHIN = 0.05
# Sigmas of the wings that a refit at a given level starts with, as parts of the half-diagonal of
# the field, and the least part of the flux that they start with.
_WINGS, _LEAST_WING = (1 / 12, 1 / 6, 0.37), 0.03


@dataclass(frozen=True, eq=False)
class Refit:
    """A warm refit.

    Attributes
    ----------
    state : FitState
    log_likelihood : float
        [nat]
    information : Information
        With amounts of zero held.
    """

    state: FitState
    log_likelihood: float
    information: Information


def refitted(problem, mixture, amplitudes, fixed, phases=_PHASES):
    """Raise the objective from given parameters, with all components kept.

    Parameters
    ----------
    problem : Problem
    mixture : Mixture
    amplitudes : tuple of (n_b,) arrays
    fixed : Fixed or None
    phases : int

    Returns
    -------
    FitState
    """
    state = FitState.initial(mixture, amplitudes, seed=0, fixed=fixed)
    watch = Watch(problem, None, state)
    for _ in range(phases):
        state, end = run_phase(
            problem, state, "settle", watch, budget=_EVALUATIONS, tolerance=_TOLERANCE
        )
        if end.is_settled(_TOLERANCE):
            break
    return state


def scanned(observations, options, mixture, fixed, level, correlated):
    """The refit with all free backgrounds kept at a level, and with wings free beside the mixture.

    Parameters
    ----------
    observations : sequence of Observation
        With fitted amplitudes.
    options : FitOptions
    mixture : Mixture
    fixed : Fixed or None
    level : float
        Of all free backgrounds, in units of their fitted amplitudes.
    correlated : sequence of (n_deviations, n_b) arrays
        Deviations of the free amplitudes of each observation at a given level.

    Returns
    -------
    Refit
    """
    kept = [
        replace(o, backgrounds=_held(o.backgrounds, level, rows))
        for o, rows in zip(observations, correlated, strict=True)
    ]
    problem = Problem.of(kept, options)
    amplitudes = tuple(np.array([b.amplitude for b in o.backgrounds], float) for o in kept)
    wings = _wings(problem, mixture, level)
    if fixed is not None:
        fixed = fixed.joined(Fixed.none(len(wings)))
    state = refitted(problem, mixture.joined(wings), amplitudes, fixed)
    # The shapes of the wings are hardly known. Draws of them would spread what the others have.
    known = np.arange(len(state.mixture)) >= len(mixture)
    own = Fixed.none(len(known)) if state.fixed is None else state.fixed
    held = replace(own, means=own.means | known, covariances=own.covariances | known)
    state = replace(state, fixed=held)
    evaluation, phase = evaluation_at(problem, state)
    information = problem.information(parameters_of(state), phase).at_boundary(evaluation)
    return Refit(state, float(evaluation.log_likelihood), information)


def _held(backgrounds, level, rows):
    """Backgrounds of which the free ones are kept at a level, give or take half a step.

    One with a prior is kept at its mean, and the error of the prior becomes its deviation.
    """
    n_old = max((len(b.deviations) for b in backgrounds), default=0)
    kept = []
    for i, (b, own) in enumerate(zip(backgrounds, np.asarray(rows).T, strict=True)):
        if b.fixed:
            kept.append(b)
            continue
        if b.prior is not None:
            mean, error = b.prior
            known = {"amplitude": mean, "fixed": True, "prior": None}
            kept.append(
                replace(b, **known, deviations=(0.0,) * (n_old + 1 + len(own) + i) + (error,))
            )
            continue
        deviations = (0.0,) * n_old + (_WITHIN * b.amplitude, *own)
        kept.append(replace(b, amplitude=level * b.amplitude, fixed=True, deviations=deviations))
    return tuple(kept)


def _wings(problem, mixture, level):
    """Round, broad components about the signal's centre, which take what the backgrounds lose."""
    sigmas = np.array(_WINGS) * half_diagonal(problem.observations)
    lost = max(1 - level, 0.0) * sum(
        float(a @ integrals) / max(level, 1e-3)
        for a, integrals in zip(_amplitudes(problem), problem.likelihood.integrals, strict=True)
    )
    flux = max(lost, _LEAST_WING * float(mixture.fluxes.sum())) / len(sigmas)
    centre = np.average(mixture.means, axis=0, weights=mixture.fluxes)
    return Mixture(
        fluxes=np.full(len(sigmas), flux),
        means=np.tile(centre, (len(sigmas), 1)),
        covariances=(sigmas**2)[:, None, None] * np.eye(2),
    )


def half_diagonal(observations):
    """Half the diagonal of a square of the field's area [arcsec]."""
    maps = [o.completeness for o in observations if o.completeness is not None]
    areas = [(c.effective > 0).sum() * c.grid.cell_area for c in maps]
    if not areas:
        x, y = (np.concatenate([getattr(o.photons, v) for o in observations]) for v in "xy")
        areas = [float(np.ptp(x) * np.ptp(y))]
    return float(np.sqrt(max(areas) / 2))


def _amplitudes(problem):
    """Amplitudes of the backgrounds that are kept at a level, 0 of the others."""
    for o in problem.observations:
        yield np.array([b.amplitude if b.fixed else 0.0 for b in o.backgrounds], float)


def resampled(observations, rng):
    """The observations with a Poisson number of each of their photons."""
    found = []
    for o in observations:
        weights = o.photons.weights * rng.poisson(1.0, len(o.photons))
        kept = np.flatnonzero(weights > 0)
        photons = o.photons.select(kept)
        found.append(replace(o, photons=replace(photons, weights=weights[kept])))
    return found
