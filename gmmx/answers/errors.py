"""Draws of the parameters of a fit: what every error is made from."""

from dataclasses import replace

import numpy as np
from scipy.special import expit

from .._kernels.threads import threads_at_most
from ..config import N_DRAWS, ErrorsConfig, FitOptions, option_names
from ..em.drawing import Drawn, drawn_parameters
from ..em.parameters import Parameters
from ..fitting.problem import Problem
from ..fitting.redraw import WingScan, half_diagonal, refitted, resampled
from ..fitting.wings import predicted_gains, wings_of
from ..model.posterior import Draws
from ..model.samples_result import SamplesResult
from . import sample_errors

# Wings are tried if the level of a free background is correlated with the flux by more than this.
DEGENERATE = 0.7
# So they are where a component with this part of the flux is wider than this part of the
# half-diagonal of the field. The wings of such emission may go on where the background is measured,
# and the correlation does not show wings that the mixture lacks.
BRIGHT, BROAD = 0.1, 1 / 8
# And so they are where the score test predicts that the best of them gains more than this [nat]. On
# mixtures it predicts less than 2, on beta-models that end inside the field 1 to 16.
PREDICTED = 2.5
# By so many nats the log-likelihoods of equally good refits differ, because a mixture is an
# approximation of the sky and its fits end in local optima. Wings that differ less are not told
# apart.
TEMPERATURE = 3.0
# A wing is as likely as none if it raises the objective by so much [nat]. On skies that are
# mixtures the best of all shapes gains 0 to 3, on beta-models that fill the field 8 to 30.
WING_PRICE = 5.0


def make_draws(result, n=N_DRAWS, *, method="auto", seed=0, threads=0, callback=None):
    """Return a fit with draws: parameter sets that are consistent with its data.

    Parameters
    ----------
    result : FitResult or SamplesResult
        Draws of samples are those of `sample_errors.MAKERS`.
    n : int
        Number of parameter sets.
    method : {"auto", "laplace", "bootstrap", "scan"}
        How they are made: from the information matrix (laplace), by warm refits with Poisson
        weights of the photons (bootstrap), or by warm refits with wings of beta-models beside the
        mixture, with draws from the information matrix of each (scan). "auto" scans if a background
        is free and its correlation with the flux is above `DEGENERATE`, or a component with a part
        `BRIGHT` of the flux is wider than a part `BROAD` of the half-diagonal of the field, or the
        score test predicts that a wing gains more than `PREDICTED`. Else it takes laplace.
    seed : int
        Of the random numbers.
    threads : int
        Number of threads; 0 uses every core. The draws do not depend on it.
    callback : callable, optional
        Called with the number of finished steps and the number of all steps.

    Returns
    -------
    FitResult or SamplesResult
        A copy with `draws`.

    Raises
    ------
    InputError
        If the method is unknown or is none for samples, or if no draw is asked for.

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0.0, 5.0, (2, 500))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1, seed=1)
    >>> make_draws(result, 50).draws
    Draws: 50 parameter sets of 1 component and 0 backgrounds (laplace)
    """
    ErrorsConfig(draws=n, method=method, seed=seed, threads=threads)
    if isinstance(result, SamplesResult):
        make = sample_errors.maker(result, method)
    else:
        make = _MAKERS[chosen_method(result) if method == "auto" else method]
    tell = (lambda _done, _total: None) if callback is None else callback
    with threads_at_most(threads):
        draws = make(result, n, seed, tell)
    return replace(result, draws=draws)


def chosen_method(result):
    """The method that "auto" stands for: scan where a background may take the flux's place."""
    if not any(b.photons > 0 for b in result.backgrounds):
        return "laplace"
    is_degenerate = _has_free(result) and abs(result.background_correlation) > DEGENERATE
    return "scan" if is_degenerate or _is_broad(result) or _lacks_wing(result) else "laplace"


def _has_free(result):
    """Whether the level of any background was fitted, without a prior on it."""
    every = (b for o in result.observations for b in o.backgrounds)
    return any(not b.fixed and b.prior is None for b in every)


def _is_broad(result):
    """Whether a component with a good part of the flux is as wide as the field, nearly."""
    mixture = result.extended
    if not len(mixture):
        return False
    widths = np.linalg.det(mixture.covariances) ** 0.25
    bright = mixture.fluxes > BRIGHT * mixture.fluxes.sum()
    return bool(np.any(bright & (widths > BROAD * half_diagonal(result.observations))))


def _lacks_wing(result):
    """Whether the score test predicts that a wing raises the likelihood."""
    if not result.is_bounded:
        return False
    wings = wings_of(result.extended, half_diagonal(result.observations))
    return bool(np.any(predicted_gains(information_of(result), wings) > PREDICTED))


def draws_of(result, n=N_DRAWS, seed=0):
    """The draws of a fit: those that it has, or else draws from the information matrix.

    Parameters
    ----------
    result : FitResult
    n, seed : int
        For draws that are made now.

    Returns
    -------
    Draws
    """
    if result.draws is not None:
        return result.draws
    with threads_at_most(0):
        return _laplace(result, n, seed, lambda _done, _total: None)


def options_of(result):
    """The options of a fit, without the files that it started from."""
    names = set(option_names(FitOptions)) - {"init", "fix"}
    return FitOptions(**{name: v for name, v in result.options.items() if name in names})


def information_of(result):
    """The information matrix at the parameters of a fit, with amounts of zero held."""
    problem = Problem.of(result.observations, options_of(result))
    parameters = Parameters(
        mixture=result.mixture, amplitudes=_amplitudes(result), fixed=result.fixed
    )
    phase = problem.begin_phase(parameters)
    evaluation = problem.evaluate(parameters, phase)
    return problem.information(parameters, phase).at_boundary(evaluation)


def _amplitudes(result):
    return tuple(np.array([b.amplitude for b in o.backgrounds]) for o in result.observations)


def _laplace(result, n, seed, tell):
    """Draws from the information matrix."""
    tell(0, 1)
    drawn = drawn_parameters(information_of(result), n, np.random.default_rng(seed))
    tell(1, 1)
    return _draws([drawn], "laplace", seed)


def _scan(result, n, seed, tell):
    """Draws of refits with wings of given shapes, of which each counts as its objective says."""
    options, rng = options_of(result), np.random.default_rng(seed)
    scan = WingScan.of(result.observations, options, result.mixture, result.fixed)
    shapes, refits = [None, *scan.wings], []
    for i, wing in enumerate(shapes):
        tell(i, len(shapes))
        refits.append(scan.refit(wing))
    counts = rng.multinomial(n, _weights(refits))
    parts = [
        scan.drawn(refit, count, rng) for refit, count in zip(refits, counts, strict=True) if count
    ]
    tell(len(shapes), len(shapes))
    return _draws(parts, "scan", seed)


def _weights(refits):
    """Probability of each refit, the one without a wing first."""
    gains = np.array([refit.objective - refits[0].objective for refit in refits])[1:]
    if not len(gains):
        return np.ones(1)
    has_wing = expit(gains.max() - WING_PRICE)
    logs = gains / TEMPERATURE + [refit.wing.log_prior for refit in refits[1:]]
    shapes = np.exp(logs - logs.max())
    return np.append(1 - has_wing, has_wing * shapes / shapes.sum())


def _bootstrap(result, n, seed, tell):
    """Refits with a Poisson number of each photon; the components keep their number."""
    options, drawn = options_of(result), []
    for i, rng in enumerate(np.random.default_rng(seed).spawn(n)):
        tell(i, n)
        problem = Problem.of(resampled(result.observations, rng), options)
        state = refitted(problem, result.mixture, _amplitudes(result), result.fixed)
        drawn.append(
            Drawn(
                fluxes=state.mixture.fluxes[None],
                means=state.mixture.means[None],
                covariances=state.mixture.covariances[None],
                amplitudes=np.concatenate([np.zeros(0), *state.amplitudes])[None],
            )
        )
    tell(n, n)
    return _draws(drawn, "bootstrap", seed)


def _draws(parts, method, seed):
    """Parts of the draws, one after another."""
    names = ("fluxes", "means", "covariances", "amplitudes")
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return Draws(method=method, seed=seed, **arrays)


_MAKERS = {"laplace": _laplace, "scan": _scan, "bootstrap": _bootstrap}
