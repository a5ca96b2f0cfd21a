"""Skies that are simulated from a fit, each fitted again from the parameters it was drawn from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..fitting.problem import Problem
from ..fitting.redraw import refitted
from .photon_source import PhotonSource
from .simulate import ParameterSet

if TYPE_CHECKING:
    from ..config import FitOptions
    from ..model.mixture import Fixed, Mixture
    from ..model.observation import Observation
    from ..model.result import FitResult


@dataclass(frozen=True, eq=False, repr=False)
class Truth:
    """A parameter set and the observations that it describes.

    Attributes
    ----------
    observations : tuple of Observation
    mixture : Mixture
    amplitudes : tuple of (n_b,) arrays
    fixed : Fixed or None
    reference : float
        Reference exposure.
    """

    observations: tuple[Observation, ...]
    mixture: Mixture
    amplitudes: tuple
    fixed: Fixed | None
    reference: float

    @classmethod
    def of(cls, result: FitResult) -> Truth:
        """The best parameters of a fit."""
        best = ParameterSet.of(result)
        return cls(
            result.observations,
            best.mixture,
            best.amplitudes,
            result.fixed,
            result.reference_exposure,
        )

    def skies(self, n: int, seed: int) -> Iterator[tuple[Observation, ...]]:
        """Simulate n skies; each has a random generator of its own.

        A background with a prior gets another measurement, too, because the prior is part of the
        data.
        """
        sources = [
            PhotonSource.of(o, self.mixture, a, reference=self.reference)
            for o, a in zip(self.observations, self.amplitudes, strict=True)
        ]
        for rng in np.random.default_rng(seed).spawn(n):
            yield tuple(
                replace(
                    o,
                    photons=source.drawn(rng)[0],
                    backgrounds=_measured(o.backgrounds, amplitudes, rng),
                    dropped={},
                )
                for o, source, amplitudes in zip(
                    self.observations, sources, self.amplitudes, strict=True
                )
            )


def warm_refit(observations, truth: Truth, options: FitOptions):
    """Fit a simulated sky from the parameters that it was drawn from.

    Returns
    -------
    problem : Problem
    state : FitState
        With the components of the truth, in its order.
    """
    problem = Problem.of(observations, options)
    return problem, refitted(problem, truth.mixture, truth.amplitudes, truth.fixed)


def _measured(backgrounds, amplitudes, rng):
    """Backgrounds whose priors are measurements of the given amplitudes."""
    return tuple(
        b
        if b.prior is None
        else replace(
            b, prior=(max(amplitude + b.prior[1] * rng.standard_normal(), 0.0), b.prior[1])
        )
        for b, amplitude in zip(backgrounds, amplitudes, strict=True)
    )
