"""The fit: observations and options in, a FitResult out."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from .._kernels.threads import threads_at_most
from ..config import FitOptions
from ..model.mixture import Fixed, Mixture
from ..model.observation import Observation
from ..model.result import FitResult
from ..model.state import FitState, Iterate
from .outcome import result_of
from .plan import first_state
from .point_sources import PointSources
from .problem import Problem
from .stages import stages_of
from .warnings import warnings_of


def fit(
    observations: Observation | Sequence[Observation],
    *,
    start: Mixture | FitState | None = None,
    fixed: tuple[Mixture, Fixed] | None = None,
    point_sources: PointSources | None = None,
    options: FitOptions | None = None,
    callback: Callable[[Iterate], None] | None = None,
    **single_options: Any,
) -> FitResult:
    """Fit a mixture of Gaussians and the backgrounds to photons.

    Maximises

        log L = sum_o [ sum_i w_i log lambda_o(x_i) - int lambda_o(x) dx ]

    plus the logarithm of the priors, with

        lambda_o(x) = Omega_o(x) sum_k F_k sum_m c_okm N(x; mu_k, Sigma_k + S_okm)
                      + sum_b B_b q_b(x)

    (Melchior & Goulding 2018, A&C 25, 183; Bovy, Hogg & Roweis 2011, AOAS 5, 1657).

    Parameters
    ----------
    observations : Observation or sequence of Observation
        One pointing, or several of one field in the same tangent plane.
    start : Mixture or FitState, optional
        Components to start from. More are added if `n_components` is larger than their number.
        A FitState resumes a fit that was stopped; everything else must be given as before.
    fixed : (Mixture, Fixed), optional
        Further components to start from, and which of their parameters are kept fixed.
    point_sources : PointSources, optional
        Point sources that are fitted with the components. They do not count as components.
        Their positions are fitted last, once the emission around them has settled.
    options : FitOptions, optional
        All other options at once.
    callback : callable, optional
        Called with an `Iterate` after each accepted iteration. It stops the fit by raising an
        exception.
    **single_options
        Fields of FitOptions, such as ``n_components=20`` or ``seed=1``, instead of those of
        `options`. With ``n_components="auto"`` a component stays if it increases log L by more
        than 3 log N for N photons (Schwarz 1978).

    Returns
    -------
    FitResult

    Raises
    ------
    InputError
        If there is no photon, if something else than observations is given, or if arguments
        contradict each other.

    Warns
    -----
    ConvergenceWarning
        If `max_iter` evaluations were not enough.
    DataWarning
        If there are fewer components than were asked for, or if point sources would leave their
        regions.
    DegeneracyWarning
        If a background and the signal are correlated by more than 0.9, or if broad components
        have absorbed a background.

    Notes
    -----
    The function is long because this docstring is the reference of the fit for notebooks.

    Examples
    --------
    >>> import numpy as np
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal([[10.0], [-5.0]], 3.0, (2, 1000))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> result.mixture.means.round(1)
    array([[ 9.9, -5. ]])
    """
    FitOptions.check_names(single_options)
    options = replace(FitOptions() if options is None else options, **single_options)
    with threads_at_most(options.threads):
        problem = Problem.of(observations, options, point_sources)
        if isinstance(start, FitState):
            state, problem = start, problem.resumed(start)
        else:
            state = first_state(problem, start, fixed)
        for stage in stages_of(state):
            state = stage.run(problem, state, callback)
        result = result_of(problem, state)
    found = warnings_of(problem, state, result)
    for warning in found:
        warnings.warn(warning, stacklevel=2)
    return replace(result, warnings=tuple(map(str, found)))
