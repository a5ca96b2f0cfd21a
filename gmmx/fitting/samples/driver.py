"""The fit of a mixture to samples: samples and options in, a SamplesResult out."""

import warnings
from dataclasses import replace
from itertools import count

import numpy as np

from ..._kernels.threads import threads_at_most
from ..._words import counted
from ...config.samples import SampleOptions
from ...em.structure import in_form
from ...errors import ConvergenceWarning, DataWarning, DegeneracyWarning, InputError
from ...model.sample_iterate import SampleIterate
from ...model.samples_result import HISTORY_COLUMNS, SamplesResult
from .climb import climb
from .criteria import HELD_OUT, Criteria
from .path import Search, columns_of
from .problem import SampleProblem, threads_for
from .starts import amplitudes_at_start

# A component is at the floor if its smallest variance is less than this times it.
_AT_FLOOR = 1.5


def fit_samples(
    samples,
    *,
    start=None,
    backgrounds=(),
    selection=None,
    options=None,
    callback=None,
    on_iterate=None,
    stacklevel=2,
):
    """Fit a mixture to samples; `gmmx.fit_samples` is its public face.

    Parameters
    ----------
    samples : Samples
    start : Mixture, optional
        Components to start from, in the units of the columns.
    backgrounds : sequence of SampleBackground
    selection : Selection, optional
    options : SampleOptions, optional
    callback : callable, optional
        Called with the stage and the number of components before each trial.
    on_iterate : callable, optional
        Called with each SampleIterate of the last ascent.
    stacklevel : int
        Of warnings, as for `warnings.warn`.

    Returns
    -------
    SamplesResult
    """
    options = SampleOptions() if options is None else options
    with threads_at_most(threads_for(samples, options.threads)):
        problem = SampleProblem.of(samples, options, backgrounds=backgrounds, selection=selection)
        rng = np.random.default_rng(options.seed)
        search = Search(problem, rng, progress=callback)
        parameters = _found(search, start, samples, backgrounds, selection)
        search.tell("final", len(parameters.mixture))
        climbed = climb(
            problem,
            parameters,
            budget=options.max_iter,
            tolerance=options.tol,
            callback=_watch(problem, on_iterate),
        )
        search.note("final", climbed)
        result = _result_of(problem, climbed, search)
    found = _warnings_of(problem, result)
    for warning in found:
        warnings.warn(warning, stacklevel=stacklevel)
    return replace(result, warnings=tuple(map(str, found)))


def _watch(problem, on_iterate):
    """The callback of the last ascent, which makes a SampleIterate of each row; None for none."""
    if on_iterate is None:
        return None
    counter = count()

    def watch(row, parameters):
        log_likelihood, objective, step, _ = row
        iterate = SampleIterate(
            iteration=next(counter),
            mixture=problem.likelihood.scaling.mixture_back(parameters.mixture),
            amplitudes=parameters.amplitudes[0],
            log_likelihood=log_likelihood,
            objective=objective,
            step=step,
        )
        on_iterate(iterate)

    return watch


def _found(search, start, samples, backgrounds, selection):
    """Parameters for the last ascent."""
    problem, k = search.problem, search.problem.options.n_components
    if start is not None:
        return _from_start(search, start)
    if k != "auto":
        return search.with_components(k).parameters
    if problem.options.criterion != "held-out":
        return search.exchanged(search.chosen()).parameters
    kept, out = _held_out(samples, search.rng)
    part = SampleProblem.of(
        samples.select(kept),
        problem.options,
        scaling=problem.likelihood.scaling,
        backgrounds=backgrounds,
        selection=selection,
    )
    held_out = problem.likelihood.part(out, samples.weights[out], with_backgrounds=True)
    held_out = replace(held_out, selection=selection)
    chooser = Search(part, search.rng, held_out, search.path, search.progress)
    best = chooser.chosen()
    return search.exchanged(climb(problem, best.parameters, budget=30)).parameters


def _held_out(samples, rng):
    """Samples that are fitted while K is chosen, and those that are held out; none of weight 0."""
    order = rng.permutation(np.flatnonzero(samples.weights > 0))
    n_out = max(1, round(HELD_OUT * len(order)))
    n_kept, d = len(order) - n_out, samples.n_dimensions
    if n_kept <= d:
        raise InputError(
            f"`criterion` = held-out leaves {counted(n_kept, 'sample')} to fit, which determine no "
            f"covariance in {counted(d, 'dimension')}: choose bic",
            parameter="criterion",
        )
    return np.sort(order[n_out:]), np.sort(order[:n_out])


def _from_start(search, start):
    """Parameters of given components, grown where more of them are asked for."""
    problem, k = search.problem, search.problem.options.n_components
    if start.n_dimensions != problem.samples.n_dimensions:
        raise InputError(
            f"`start` has {start.n_dimensions} dimensions, but the samples have "
            f"{problem.samples.n_dimensions}",
            parameter="start",
        )
    if k != "auto" and k < len(start):
        raise InputError(
            f"`start` has {len(start)} components, but `n_components` = {k}",
            parameter="n_components",
        )
    amplitudes = amplitudes_at_start(problem)
    total = problem.likelihood.total_weight - float(
        amplitudes @ problem.likelihood.background_integrals
    )
    fluxes = start.fluxes * total / start.fluxes.sum()
    scaled = problem.likelihood.scaling.mixture_forward(start)
    shapes = in_form(scaled.covariances, fluxes, problem.options.covariance_form)
    scaled = replace(scaled, fluxes=fluxes, covariances=shapes)
    parameters = problem.likelihood.scaled_parameters(scaled, amplitudes)
    if k == "auto" or k == len(start):
        return parameters
    return search.exchanged(search.grown(climb(problem, parameters, budget=30), k)).parameters


def _result_of(problem, climbed, search):
    """The result of a fit, its components by decreasing flux and in the units of the columns."""
    evaluation, options = climbed.evaluation, problem.options
    selection = problem.likelihood.selection
    order = np.argsort(-evaluation.parameters.mixture.fluxes, kind="stable")
    mixture = problem.likelihood.scaling.mixture_back(evaluation.parameters.mixture.select(order))
    criteria = Criteria.of(problem, evaluation)
    (amplitudes,) = evaluation.parameters.amplitudes
    integrals = problem.likelihood.background_integrals
    return SamplesResult(
        mixture=mixture,
        samples=problem.samples,
        backgrounds=tuple(
            replace(b, amplitude=float(a), observed_fraction=float(part))
            for b, a, part in zip(problem.backgrounds, amplitudes, integrals, strict=True)
        ),
        completeness=None if selection is None else selection.completeness,
        noise=None if selection is None else selection.noise,
        observed_fraction=evaluation.observed_fraction[order],
        log_likelihood=criteria.log_likelihood,
        objective=evaluation.objective,
        bic=criteria.bic,
        aic=criteria.aic,
        icl=criteria.icl,
        n_parameters=criteria.n_parameters,
        converged=climbed.converged,
        iterations=climbed.spent,
        requested_components=None if options.n_components == "auto" else options.n_components,
        history={
            name: np.array(column)
            for name, column in zip(
                HISTORY_COLUMNS, zip(*climbed.history, strict=True), strict=True
            )
        },
        path=columns_of(search.path),
        options=options.record(),
        seed=options.seed,
        seconds=problem.seconds,
    )


def _warnings_of(problem, result):
    """Warnings about a fit."""
    found, options = [], problem.options
    if not result.converged:
        found.append(
            ConvergenceWarning(
                f"{result.iterations} evaluations were not enough for {options.tol:g} nat: raise "
                "`max_iter`, or `tol`"
            )
        )
    asked, k = result.requested_components, len(result.mixture)
    total = problem.likelihood.total_weight
    if asked != 1 and total <= problem.samples.n_dimensions:
        found.append(
            DataWarning(
                f"`weights` add up to {total:.3g}: they count samples, by which components are "
                "chosen and removed: multiply them, such that they add up to the number of samples"
            )
        )
    if asked is not None and k < asked:
        found.append(
            DataWarning(
                f"{counted(k, 'component')} instead of {asked}: the others had no samples left"
            )
        )
    scaled = problem.likelihood.scaling.mixture_forward(result.mixture)
    least = np.linalg.eigvalsh(scaled.covariances)[:, 0]
    narrow = int((least < _AT_FLOOR * options.min_sigma**2).sum())
    if narrow:
        found.append(
            DegeneracyWarning(
                f"{narrow} of {k} components are as narrow as `min_sigma` = {options.min_sigma:g}"
                " of a column's spread: a few samples coincide, or the noise explains all of their"
                " width; fit fewer components, or raise `prior_covariance_count`"
            )
        )
    return found
