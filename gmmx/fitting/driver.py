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
    stacklevel: int = 2,
    **single_options: Any,
) -> FitResult:
    """Fit a mixture of Gaussians and the backgrounds to photons; `gmmx.fit` is its public face.

    Parameters
    ----------
    observations, start, callback, **single_options
        As for `gmmx.fit`.
    fixed : (Mixture, Fixed), optional
        Further components to start from, and which of their parameters are kept fixed.
    point_sources : PointSources, optional
        Point sources that are fitted with the components.
    options : FitOptions, optional
        All other options at once. They may not name files.
    stacklevel : int
        Of warnings, as for `warnings.warn`: 2 is the caller.

    Returns
    -------
    FitResult

    Raises
    ------
    InputError
        If there is no photon, or if arguments contradict each other.
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
        warnings.warn(warning, stacklevel=stacklevel)
    return replace(result, warnings=tuple(map(str, found)))
