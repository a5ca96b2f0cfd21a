"""The driver: observations and options in, a FitResult out.

A fit grows the mixture, lets it settle, exchanges what is of little use for what is missing, and settles again. Each of these is a sequence of phases; within a
phase the objective never falls.
"""

import time
import warnings
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.cluster.vq import kmeans2

from ._kernels._jit import threads_at_most
from .accelerate import Chart, ascend
from .config import FitConfig
from .em import Parameters, Priors, begin_phase, evaluate, prepare_all
from .errors import ConvergenceWarning, DataWarning, DegeneracyWarning, InputError
from .information import Information
from .mixture import Mixture
from .result import HISTORY_COLUMNS, BackgroundSummary, FitResult, FitState
from .structure import Search, exchanged, grown, propose

# Evaluations after each round of growth, in two phases, and how many components a round adds at most.
_ROUND = 8
_MOST_ADDED = 10
# Evaluations of each of the two phases in which an exchange is tried, what it must promise [nat], and photons for its information matrix.
_TRIAL = 12
_WORTH = 6.0
_QUICK = 12_000
# A phase is ended after this many evaluations, so that PSF averages and prior scales follow the components.
_PHASE = 100
# Accepted steps over which the gain is watched for the stopping rule.
_WATCH = 5
# A component that is expected to hold fewer photons than this is dropped.
_EMPTY = 0.5
_CORRELATED = 0.9


@dataclass(eq=False)
class _Climb:
    """The state of a running fit: where it is, what it has cost, and what is told to the outside."""

    prepared: list
    priors: Priors
    callback: object
    began: float = field(default_factory=time.perf_counter)
    evaluations: int = 0
    history: list = field(default_factory=list)
    dropped: int = 0

    def record(self, evaluation, phase, kind):
        """Note an accepted iterate and tell the caller."""
        seconds = time.perf_counter() - self.began
        mixture = evaluation.parameters.mixture
        self.history.append((evaluation.log_likelihood, evaluation.objective, phase, kind, len(mixture), seconds))
        if self.callback is not None:
            self.callback(
                FitState(
                    mixture=mixture,
                    amplitudes=evaluation.parameters.amplitudes,
                    log_likelihood=evaluation.log_likelihood,
                    objective=evaluation.objective,
                    iteration=self.evaluations,
                    phase=phase,
                    step=kind,
                    seconds=seconds,
                )
            )

    def phase(self, parameters, name, budget, tol):
        """One phase of at most `budget` evaluations: (parameters, evaluation, evaluations spent, gain, gain still promised)."""
        phase = begin_phase(self.prepared, parameters, self.priors)
        chart = Chart.at(parameters, self.prepared, self.priors.min_sigma)
        spent, objectives, promise = 0, [], np.inf
        for step in ascend(lambda q: evaluate(self.prepared, q, phase), phase.holds, parameters, chart):
            spent += step.evaluations
            self.evaluations += step.evaluations
            last = step.evaluation
            objectives.append(last.objective)
            self.record(last, name, step.kind)
            # Neither the local model nor the recent gains alone can be trusted: both must be small.
            recent = objectives[-1] - objectives[-1 - _WATCH] if len(objectives) > _WATCH else np.inf
            promise = max(step.promise, recent)
            if promise < tol or spent >= budget:
                break
        else:
            # The components have narrowed beyond what this phase's integrals were made for: the step that said so begins the next one.
            return last.successor, last, spent, objectives[-1] - objectives[0], np.inf
        return last.parameters, last, spent, objectives[-1] - objectives[0], promise

    def settle(self, parameters, name, budget, tol):
        """Phases until less than `tol` is still to come: (parameters, whether that was reached)."""
        left = budget
        while left > 0:
            parameters, last, spent, gain, promise = self.phase(parameters, name, min(left, _PHASE), tol)
            left -= spent
            parameters = self.without_empty(parameters, last)
            # A phase that gained next to nothing from its fresh start has nothing left to refresh either.
            if promise < tol and gain < max(10 * tol, 1.0):
                return parameters, True
        return parameters, False

    def without_empty(self, parameters, evaluation):
        """The parameters without components that have lost their photons."""
        mixture = parameters.mixture
        keep = mixture.fluxes * np.maximum(evaluation.shares, 1e-3) > _EMPTY
        if np.all(keep):
            return parameters
        self.dropped += int((~keep).sum())
        return replace(parameters, mixture=mixture.select(keep))

    def look(self, parameters):
        """One evaluation in a phase of its own: (evaluation, phase)."""
        phase = begin_phase(self.prepared, parameters, self.priors)
        self.evaluations += 1
        return evaluate(self.prepared, parameters, phase), phase


def _background_only(prepared):
    """Starting amplitudes: those given, or all photons shared equally."""
    amplitudes = []
    for p in prepared:
        backgrounds = p.observation.backgrounds
        share = p.weights.sum() / max(len(backgrounds), 1)
        amplitudes.append(np.array([b.amplitude if b.amplitude is not None else share / i for b, i in zip(backgrounds, p.integrals, strict=True)], float))
    return Parameters(mixture=Mixture.empty(), amplitudes=tuple(amplitudes))


def _one_component(prepared, parameters, min_sigma):
    """Half the photons as one component with their own mean and spread, where no background can carry them."""
    x, y, w = (np.concatenate([getattr(p, name) for p in prepared]) for name in ("x", "y", "weights"))
    mean = np.array([np.average(x, weights=w), np.average(y, weights=w)])
    spread = np.cov(np.stack([x, y]), aweights=w, bias=True).reshape(2, 2) + min_sigma**2 * np.eye(2)
    return replace(parameters, mixture=Mixture(fluxes=np.array([0.7 * w.sum()]), means=mean[None], covariances=spread[None]))


def _grow(climb, parameters, n_components):
    """Components where the photons exceed the model, some at a time, doubling at first."""
    if not any(p.observation.backgrounds for p in climb.prepared):
        parameters = _one_component(climb.prepared, parameters, climb.priors.min_sigma)
    search = Search.over(climb.prepared)
    while len(parameters.mixture) < n_components:
        k = len(parameters.mixture)
        larger = grown(search, climb.prepared, parameters, min(max(1, k), _MOST_ADDED, n_components - k))
        if larger is parameters:
            break
        for _ in range(2):
            larger, last, *_ = climb.phase(larger, "grow", _ROUND, 0.0)
        larger = climb.without_empty(larger, last)
        if len(larger.mixture) <= k:
            break
        parameters = larger
    return parameters, search


def _exchange(climb, search, parameters, n_components, tries):
    """Exchange components of little use for missing ones, several at a time, then fewer, while the objective gains."""
    best, phase = climb.look(parameters)
    count, skip, proposal = _MOST_ADDED, 0, None
    for _ in range(tries):
        if proposal is None:
            proposal = propose(search, climb.prepared, parameters, phase, best.shares, min_sigma=climb.priors.min_sigma, photons=_QUICK)
        trial = exchanged(parameters, proposal, n_components, count, margin=_WORTH, skip=skip)
        if trial is parameters:
            break
        for _ in range(2):
            trial, last, *_ = climb.phase(trial, "exchange", _TRIAL, 0.0)
        trial = climb.without_empty(trial, last)
        found, found_phase = climb.look(trial)
        if found.objective > best.objective + 1.0:
            parameters, best, phase, proposal = trial, found, found_phase, None
            skip = 0
        elif count > 1:
            count = count // 3 if count > 3 else 1
        else:
            skip += 1
    return parameters


def _kmeans(prepared, parameters, n_components, rng, min_sigma):
    """k-means++ clusters of the photons, with half of the photons left to the background."""
    x, y, w = (np.concatenate([getattr(p, name) for p in prepared]) for name in ("x", "y", "weights"))
    points = np.stack([x, y], axis=1)
    sample = points[rng.choice(len(points), min(len(points), 200 * n_components), replace=False)] if len(points) > 200 * n_components else points
    with warnings.catch_warnings():
        # An empty cluster is dropped below.
        warnings.simplefilter("ignore", UserWarning)
        centres, labels = kmeans2(sample, n_components, minit="++", seed=rng)
    share = 0.7 if any(len(a) for a in parameters.amplitudes) else 1.0
    fluxes, means, covariances = [], [], []
    for k in range(n_components):
        members = sample[labels == k]
        if len(members) == 0:
            continue
        fluxes.append(share * w.sum() * len(members) / len(sample))
        means.append(centres[k])
        scatter = np.cov(members.T, bias=True) if len(members) > 2 else np.zeros((2, 2))
        covariances.append(scatter + max(min_sigma, 0.1 * np.sqrt(np.trace(scatter) / 2 + 1e-12)) ** 2 * np.eye(2))
    amplitudes = tuple(np.where(p.fixed, a, (1 - share) * a) for p, a in zip(prepared, parameters.amplitudes, strict=True))
    return Parameters(mixture=Mixture(fluxes=np.array(fluxes), means=np.array(means), covariances=np.array(covariances)), amplitudes=amplitudes)


def _summaries(prepared, parameters, errors):
    rows = []
    for p, amplitudes, relative, correlations in zip(prepared, parameters.amplitudes, errors.amplitudes, errors.correlations, strict=True):
        for b, amplitude, integral, error, correlation in zip(p.observation.backgrounds, amplitudes, p.integrals, relative, correlations, strict=True):
            photons = float(amplitude * integral)
            rows.append(
                BackgroundSummary(
                    observation=p.observation.name,
                    name=b.name,
                    kind=b.kind,
                    amplitude=float(amplitude),
                    amplitude_error=float(error * amplitude),
                    photons=photons,
                    photons_error=float(error * photons),
                    correlation=float(correlation),
                    fixed=b.fixed,
                )
            )
    return tuple(rows)


def fit_mixture(
    observations,
    *,
    n_components=FitConfig.k,
    init=FitConfig.init,
    seed=FitConfig.seed,
    max_iter=FitConfig.max_iter,
    tol=FitConfig.tol,
    min_sigma=FitConfig.min_sigma,
    prior_count=FitConfig.prior_count,
    prior_shape=FitConfig.prior_shape,
    exchanges=FitConfig.exchanges,
    threads=FitConfig.threads,
    options=None,
    callback=None,
):
    """Fit a mixture of Gaussians and the backgrounds to photons.

    Maximises ``sum_o [sum_i w_i log lambda_o(x_i) - int lambda_o dx]`` plus the priors of `em.evaluate`, with
    ``lambda_o = Omega_o sum_k F_k sum_m c_okm N(x; mu_k, Sigma_k + S_okm) + sum_b B_b q_b``.

    Parameters
    ----------
    observations : Observation or sequence of Observation
        Pointings of one sky, in one tangent plane.
    n_components : int
        K to reach; fewer where the photons do not carry as many.
    init : {"grow", "kmeans"} or Mixture
        Where to start.
    seed : int
        Of k-means; growing draws nothing at random.
    max_iter : int
        Evaluations of the likelihood at most, after the start.
    tol : float
        Gain still to come at which the fit stops [nat in total].
    min_sigma : float
        Floor of the intrinsic standard deviations [arcsec].
    prior_count, prior_shape : float
        a and nu.
    exchanges : int
        Rounds in which useless components may be exchanged for missing ones.
    threads : int
        0: all. The answer does not depend on it.
    options : dict, optional
        What to note in the result as asked for, beside the arguments here.
    callback : callable, optional
        Called with a FitState at each accepted iterate; it may raise to interrupt the fit.

    Returns
    -------
    FitResult

    Raises
    ------
    InputError
        For no photon, K < 1, or observations that do not fit together.

    Warns
    -----
    ConvergenceWarning
        When `max_iter` came first.
    DataWarning
        When fewer than K components came out.
    DegeneracyWarning
        When a background's level and the signal flux are correlated by more than 0.9.
    """
    observations = [observations] if hasattr(observations, "x") else list(observations)
    if not observations:
        raise InputError("there is no observation to fit")
    if n_components < 1:
        raise InputError(f"the number of components must be at least 1, got {n_components}")
    if not isinstance(init, Mixture) and init not in ("grow", "kmeans"):
        raise InputError(f"init is 'grow', 'kmeans' or a Mixture, got {init!r}")
    observations = [o.exposed() for o in observations]
    if sum(o.n_photons for o in observations) <= 0:
        raise InputError("there is no photon to fit")
    notes = []
    with threads_at_most(threads):
        prepared, reference = prepare_all(observations)
        climb = _Climb(prepared, Priors(count=prior_count, shape=prior_shape, min_sigma=min_sigma), callback)
        parameters = _background_only(prepared)
        if isinstance(init, Mixture):
            n_components = len(init)
            share = 0.5 if len(init) else 1.0
            amplitudes = tuple(
                np.where([b.amplitude is None for b in p.observation.backgrounds], share * a, a) for p, a in zip(prepared, parameters.amplitudes, strict=True)
            )
            parameters = Parameters(mixture=init, amplitudes=amplitudes)
        elif init == "kmeans":
            parameters = _kmeans(prepared, parameters, n_components, np.random.default_rng(seed), min_sigma)
        else:
            parameters, search = _grow(climb, parameters, n_components)
            if exchanges and len(parameters.mixture) > 1:
                parameters, _ = climb.settle(parameters, "settle", min(max_iter, 60), tol)
                parameters = _exchange(climb, search, parameters, n_components, exchanges)
        parameters, converged = climb.settle(parameters, "settle", max_iter, tol)
        order = np.argsort(-parameters.mixture.fluxes, kind="stable")
        parameters = replace(parameters, mixture=parameters.mixture.select(order))
        final, phase = climb.look(parameters)
        climb.record(final, "final", "look")
        errors = Information.at(prepared, parameters, phase).uncertainty()
    k = len(parameters.mixture)
    stop_reason = f"less than {tol:g} nat still to be gained" if converged else f"{max_iter} evaluations were not enough for {tol:g} nat"
    if not converged:
        notes.append((f"the fit has not converged: {stop_reason}; raise --max-iter", ConvergenceWarning))
    if k < n_components:
        lost = f", {climb.dropped} of them dropped for want of photons" if climb.dropped else ""
        notes.append((f"the photons carry {k} components, {n_components} were asked for{lost}", DataWarning))
    backgrounds = _summaries(prepared, parameters, errors)
    for b in backgrounds:
        if abs(b.correlation) > _CORRELATED:
            message = f"background {b.name!r} of {b.observation} and the signal flux are correlated by {b.correlation:.2f}"
            notes.append((f"{message}: hold its level with --background {b.name}=VALUE", DegeneracyWarning))
    for message, category in notes:
        warnings.warn(message, category, stacklevel=2)
    fitted = [
        replace(o, backgrounds=tuple(replace(b, amplitude=float(a)) for b, a in zip(o.backgrounds, amplitudes, strict=True)))
        for o, amplitudes in zip(observations, parameters.amplitudes, strict=True)
    ]
    completeness = observations[0].completeness
    return FitResult(
        mixture=parameters.mixture,
        observations=tuple(fitted),
        reference_exposure=reference,
        exposure_unit=completeness.unit if completeness is not None else "",
        observed_shares=final.shares,
        observed_photons=final.observed,
        prior_scales=phase.prior_scales,
        backgrounds=backgrounds,
        signal_error=errors.signal,
        log_likelihood=final.log_likelihood,
        objective=final.objective,
        converged=converged,
        stop_reason=stop_reason,
        iterations=climb.evaluations,
        requested_components=n_components,
        history=dict(zip(HISTORY_COLUMNS, map(np.array, zip(*climb.history, strict=True)), strict=True)),
        options=dict(options or {}),
        seed=seed,
        seconds=time.perf_counter() - climb.began,
        warnings=tuple(message for message, _ in notes),
    )
