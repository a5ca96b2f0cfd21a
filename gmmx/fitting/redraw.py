"""Warm refits to changed data: with a wing beside the mixture, or with other weights.

The components keep their number and order: the k-th of a refit is the k-th of the fit.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..em.drawing import Drawn, drawn_parameters
from ..model.mixture import Fixed, Mixture
from ..model.state import FitState
from .phases import Watch, evaluation_at, run_phase
from .problem import Problem, parameters_of
from .wings import N_GAUSSIANS, BetaWing, in_shape, wings_of, with_wing

# Phases of a refit, evaluations of each, and the gain that ends it [nat].
_PHASES, _EVALUATIONS, _TOLERANCE = 3, 25, 0.3
# Part of the signal that a wing starts with.
_START = 0.5


@dataclass(frozen=True, eq=False)
class Refit:
    """A warm refit.

    Attributes
    ----------
    wing : BetaWing or None
        The wing beside the mixture.
    state : FitState
        The amplitude of the wing is the last one of each observation.
    objective : float
        [nat]
    """

    wing: BetaWing | None
    state: FitState
    objective: float


@dataclass(frozen=True, eq=False)
class WingScan:
    """A fit that is repeated with wings of given shapes beside its mixture.

    Attributes
    ----------
    alone : Problem
        Without a wing.
    beside : Problem or None
        With one more background for the wing; None if there is no field to see it in.
    mixture : Mixture
        Of the fit.
    amplitudes : tuple of (n_b,) arrays
    fixed : Fixed or None
    wings : list of BetaWing
    """

    alone: Problem
    beside: Problem | None
    mixture: Mixture
    amplitudes: tuple
    fixed: Fixed | None
    wings: list

    @classmethod
    def of(cls, observations, options, mixture, fixed):
        """Prepare the refits.

        Parameters
        ----------
        observations : sequence of Observation
            With fitted amplitudes.
        options : FitOptions
        mixture : Mixture
        fixed : Fixed or None
        """
        kept = [replace(o, backgrounds=_with_prior(o.backgrounds)) for o in observations]
        extended = mixture if fixed is None else mixture.select(np.flatnonzero(~fixed.points))
        is_seen = all(o.completeness is not None for o in kept) and len(extended)
        return cls(
            alone=Problem.of(kept, options),
            beside=Problem.of(with_wing(kept), options) if is_seen else None,
            mixture=mixture,
            amplitudes=tuple(np.array([b.amplitude for b in o.backgrounds], float) for o in kept),
            fixed=fixed,
            wings=wings_of(extended, half_diagonal(kept)) if is_seen else [],
        )

    def refit(self, wing=None):
        """The refit with a wing beside the mixture, or without one."""
        problem = self._problem(wing)
        start = self.mixture, self.amplitudes
        if wing is not None:
            start = self._with_room(problem)
        state = refitted(problem, *start, self.fixed)
        evaluation, _ = evaluation_at(problem, state)
        return Refit(wing, state, float(evaluation.objective))

    def drawn(self, refit, n, rng):
        """Draw parameter sets from the information matrix of a refit, with the wing as Gaussians.

        Parameters
        ----------
        refit : Refit
        n : int
        rng : numpy.random.Generator

        Returns
        -------
        Drawn
            `N_GAUSSIANS` components follow those of the fit, with a flux of zero without a wing.
        """
        problem = self._problem(refit.wing)
        evaluation, phase = evaluation_at(problem, refit.state)
        information = problem.information(parameters_of(refit.state), phase)
        drawn = drawn_parameters(information.at_boundary(evaluation), n, rng, with_wings=False)
        fluxes, covariances = np.zeros(N_GAUSSIANS), np.tile(np.eye(2), (N_GAUSSIANS, 1, 1))
        centre, levels, amplitudes = np.zeros(2), np.zeros(n), drawn.amplitudes
        if refit.wing is not None:
            fluxes, covariances = refit.wing.gaussians()
            centre = refit.wing.centre
            levels, amplitudes = _split(amplitudes, problem.likelihood.integrals)
        return Drawn(
            fluxes=np.hstack([drawn.fluxes, levels[:, None] * fluxes]),
            means=_beside(drawn.means, np.tile(centre, (N_GAUSSIANS, 1))),
            covariances=_beside(drawn.covariances, covariances),
            amplitudes=amplitudes,
        )

    def _problem(self, wing):
        return self.alone if wing is None else in_shape(self.beside, wing)

    def _with_room(self, problem):
        """The mixture and the amplitudes that leave a part of the signal to a wing."""
        likelihood = problem.likelihood
        signal = sum(
            float(weights.sum() - a @ integrals[:-1])
            for weights, a, integrals in zip(
                likelihood.weights, self.amplitudes, likelihood.integrals, strict=True
            )
        )
        level = _START * max(signal, 1.0) / sum(i[-1] for i in likelihood.integrals)
        free = True if self.fixed is None else ~(self.fixed.fluxes | self.fixed.points)
        fluxes = self.mixture.fluxes * np.where(free, 1 - _START, 1.0)
        amplitudes = tuple(np.append(a, level) for a in self.amplitudes)
        return replace(self.mixture, fluxes=fluxes), amplitudes


def _split(amplitudes, integrals):
    """The level of the wing in each draw, (n,), and the other amplitudes.

    Each observation has measured the same wing, and counts by the photons that it has of it.
    """
    last = np.cumsum([len(i) for i in integrals]) - 1
    level = np.average(amplitudes[:, last], axis=1, weights=[i[-1] for i in integrals])
    return level, np.delete(amplitudes, last, axis=1)


def _beside(drawn, more):
    """Arrays of all draws with the same further components behind those of each."""
    return np.concatenate([drawn, np.broadcast_to(more, (len(drawn), *more.shape))], axis=1)


def _with_prior(backgrounds):
    """Backgrounds of which the one that was measured has a prior in place of its deviations.

    Several that were measured are kept, because a prior would know nothing of the correlation of
    their errors. Their draws follow the deviations.
    """
    known = [b for b in backgrounds if b.fixed and any(b.deviations)]
    if len(known) != 1:
        return backgrounds
    prior = known[0].amplitude, float(np.linalg.norm(known[0].deviations))
    free = replace(known[0], fixed=False, deviations=(), prior=prior)
    return tuple(free if b is known[0] else b for b in backgrounds)


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


def half_diagonal(observations):
    """Half the diagonal of a square of the field's area [arcsec]."""
    maps = [o.completeness for o in observations if o.completeness is not None]
    areas = [(c.effective > 0).sum() * c.grid.cell_area for c in maps]
    if not areas:
        x, y = (np.concatenate([getattr(o.photons, v) for o in observations]) for v in "xy")
        areas = [float(np.ptp(x) * np.ptp(y))]
    return float(np.sqrt(max(areas) / 2))


def resampled(observations, rng):
    """The observations with a Poisson number of each of their photons."""
    found = []
    for o in observations:
        weights = o.photons.weights * rng.poisson(1.0, len(o.photons))
        kept = np.flatnonzero(weights > 0)
        photons = o.photons.select(kept)
        found.append(replace(o, photons=replace(photons, weights=weights[kept])))
    return found
