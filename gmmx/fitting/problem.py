"""Problem: the data and the priors of a fit, prepared once."""

import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import PurePath

import numpy as np

from .._kernels.threads import Pace
from ..config import FitOptions
from ..em.information import Information
from ..em.maximise import evaluate
from ..em.parameters import Parameters, Priors
from ..em.photons import PhotonLikelihood
from ..errors import InputError
from ..model.observation import Observation, finest_detail
from .criterion import Price
from .excess import Search, search_grid, searched_area
from .point_sources import PointSources

# Photons that the information matrix is summed over where gains and losses are estimated.
ESTIMATE_PHOTONS = 12_000


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Problem:
    """What a fit is given and does not change.

    Parameters
    ----------
    observations : tuple of Observation
        Without the photons that lie where the exposure is zero.
    likelihood : PhotonLikelihood
        Of their photons.
    options : FitOptions
        With `min_sigma` raised to what pixels of the observations resolve.
    priors : Priors
    point_sources : PointSources or None
        Point sources that are fitted with the components.
    pace : Pace
        Chooses the number of threads of each evaluation. The result does not depend on it.
    began : float
        Reading of `time.perf_counter` when the fit began.
    """

    observations: tuple
    likelihood: PhotonLikelihood
    options: FitOptions
    priors: Priors
    point_sources: PointSources | None
    pace: Pace
    began: float

    @classmethod
    def of(cls, observations, options, point_sources=None):
        """Prepare observations for a fit.

        Parameters
        ----------
        observations : Observation or sequence of Observation
        options : FitOptions
        point_sources : PointSources, optional

        Returns
        -------
        Problem

        Raises
        ------
        InputError
            If there is no photon, if a point source lacks a PSF, or if the observations do not
            fit together.
        """
        observations = [o.exposed() for o in checked_observations(observations)]
        if sum(o.n_photons for o in observations) <= 0:
            raise InputError("there is no photon to fit")
        if point_sources is not None and any(o.psf is None for o in observations):
            raise InputError(
                "point sources cannot be fitted without a PSF, because it is their shape: "
                "give one with `psf`",
                parameter="psf",
            )
        options = replace(options, min_sigma=max(options.min_sigma, finest_detail(observations)))
        return cls(
            observations=tuple(observations),
            likelihood=PhotonLikelihood.of(observations),
            options=options,
            priors=Priors(
                mean_count=options.prior_mean_count,
                covariance_count=options.prior_covariance_count,
                min_sigma=options.min_sigma,
                amplitudes=_amplitude_priors(observations),
            ),
            point_sources=point_sources,
            pace=Pace(),
            began=time.perf_counter(),
        )

    def resumed(self, state):
        """The problem of a fit that had run for some time when it was stopped.

        Raises
        ------
        InputError
            If the state is of a fit of other observations.
        """
        expected = [len(o.backgrounds) for o in self.observations]
        if [len(amplitudes) for amplitudes in state.amplitudes] != expected:
            raise InputError(
                "`start` is the state of a fit of other observations: their backgrounds differ",
                parameter="start",
            )
        return replace(self, began=time.perf_counter() - state.seconds)

    def __repr__(self):
        """Say how much there is to fit."""
        n = len(self.observations)
        return f"Problem: {self.n_photons:,.0f} photons of {n} observation{'s' * (n != 1)}"

    @property
    def n_photons(self):
        """Sum of all weights [photon]."""
        return float(sum(weights.sum() for weights in self.likelihood.weights))

    @property
    def reference_exposure(self):
        """The exposure E_ref at which fluxes are given."""
        return self.likelihood.reference_exposure

    @property
    def seconds(self):
        """Time since the fit began [s]."""
        return time.perf_counter() - self.began

    @cached_property
    def search(self):
        """The search for places where the photons exceed a model; smoothing takes a moment."""
        return Search.over(self.likelihood)

    @cached_property
    def price(self):
        """What a component must gain where their number is chosen, and in the path of K."""
        if self.options.price is not None:
            return Price(constant=self.options.price)
        grid, n_scales = search_grid(self.likelihood)
        return Price.of_search(
            area=searched_area(self.likelihood, grid), n_scales=n_scales, finest=grid.step
        )

    def begin_phase(self, parameters):
        """Fix PSF averages, resolutions and prior scales at some parameters."""
        return self.likelihood.begin_phase(parameters, self.priors)

    def evaluate(self, parameters, phase):
        """One evaluation of the likelihood, with the EM step that follows from it."""
        return self.pace(evaluate, self.likelihood, parameters, phase)

    def information(self, parameters, phase, **options):
        """The information matrix at some parameters."""
        return Information.at(self.likelihood, parameters, phase, **options)


def _amplitude_priors(observations):
    """Means and precisions of the priors on the amplitudes; None if there is no prior."""
    if all(b.prior is None for o in observations for b in o.backgrounds):
        return None
    return tuple(
        np.array(
            [
                (0.0, 0.0) if b.prior is None else (b.prior[0], b.prior[1] ** -2)
                for b in o.backgrounds
            ]
        )
        .reshape(-1, 2)
        .T
        for o in observations
    )


def parameters_of(state):
    """The parameters of a FitState, as the EM iterations take them."""
    return Parameters(mixture=state.mixture, amplitudes=state.amplitudes, fixed=state.fixed)


def checked_observations(observations):
    """Return what a fit was given as a list of observations.

    Parameters
    ----------
    observations : Observation or sequence of Observation

    Returns
    -------
    list of Observation

    Raises
    ------
    InputError
        If there is none, or if something else was given.
    """
    if isinstance(observations, Observation | str | PurePath):
        observations = [observations]
    observations = list(observations)
    if not observations:
        raise InputError("there is no observation to fit")
    for one in observations:
        if not isinstance(one, Observation):
            raise InputError(
                f"cannot fit {one!r:.60}: give observations, as `read_observation` returns them"
            )
    return observations
