"""A FitResult from the state of a fit."""

from dataclasses import replace

from ..em.places import place_errors
from ..model.coverage import Coverage
from ..model.result import HISTORY_COLUMNS, PATH_COLUMNS, FitResult
from ..model.state import columns_of
from ..model.summary import BackgroundSummary
from .phases import evaluation_at
from .problem import parameters_of


def result_of(problem, state):
    """The result of a fit, from its state at the end or at any boundary before.

    Parameters
    ----------
    problem : Problem
    state : FitState

    Returns
    -------
    FitResult
        Without warnings.
    """
    evaluation, phase = evaluation_at(problem, state)
    information = problem.information(parameters_of(state), phase).at_boundary(evaluation)
    errors = information.uncertainty()
    completeness = problem.observations[0].completeness
    return FitResult(
        mixture=state.mixture,
        fixed=state.fixed,
        observations=tuple(_with_fitted_backgrounds(problem, state)),
        reference_exposure=problem.reference_exposure,
        exposure_unit=completeness.unit if completeness is not None else "",
        observed_fraction=evaluation.observed_fraction,
        observed_photons=evaluation.observed,
        prior_scales=phase.prior_scales,
        backgrounds=tuple(background_summaries(problem, state, errors)),
        signal_error=errors.signal,
        flux_errors=errors.fluxes,
        flux_upper95=errors.flux_limits,
        mean_errors=errors.means,
        background_error=errors.background,
        background_correlation=errors.background_correlation,
        place_errors=place_errors(information, Coverage.of(problem.observations)),
        log_likelihood=evaluation.log_likelihood,
        objective=evaluation.objective,
        converged=state.converged,
        stop_reason=stop_reason(problem.options, state),
        iterations=state.evaluations,
        requested_components=state.n_components,
        history=columns_of(state.history, HISTORY_COLUMNS),
        path=columns_of(state.path, PATH_COLUMNS),
        options=problem.options.record(),
        seed=problem.options.seed,
        seconds=problem.seconds,
    )


def stop_reason(options, state):
    """Why the fit ended, for people."""
    if state.converged:
        return f"less than {options.tol:g} nat still to be gained"
    return f"{options.max_iter} evaluations were not enough for {options.tol:g} nat"


def background_summaries(problem, state, errors):
    """One BackgroundSummary for each background of each observation."""
    for p, *rows in zip(
        problem.likelihood,
        state.amplitudes,
        errors.amplitudes,
        errors.amplitude_limits,
        errors.correlations,
        strict=True,
    ):
        for b, integral, amplitude, error, limit, correlation in zip(
            p.observation.backgrounds, p.integrals, *rows, strict=True
        ):
            yield BackgroundSummary(
                observation=p.observation.name,
                name=b.name,
                kind=b.kind,
                amplitude=float(amplitude),
                amplitude_error=float(error),
                amplitude_upper95=float(limit),
                photons=float(amplitude * integral),
                photons_error=float(error * integral),
                photons_upper95=float(limit * integral),
                correlation=float(correlation),
                fixed=b.fixed,
            )


def _with_fitted_backgrounds(problem, state):
    """The observations, whose backgrounds have the fitted amplitudes."""
    for o, amplitudes in zip(problem.observations, state.amplitudes, strict=True):
        backgrounds = (
            replace(b, amplitude=float(a)) for b, a in zip(o.backgrounds, amplitudes, strict=True)
        )
        yield replace(o, backgrounds=tuple(backgrounds))
