"""The plan of a fit: which stages it has, and the state before the first of them."""

from ..config import STARTS
from ..errors import InputError
from ..model.mixture import Fixed, Mixture
from ..model.state import FitState
from .exchange import Exchange
from .grow import Grow
from .prune import Prune
from .stage import AFTER_IMPROVEMENT, ALWAYS, WITH_COMPONENTS
from .stages import Begin, Cluster, Conclude, ReleasePointSources, Settle, record_of
from .start import background_only, with_given

# Largest number of components where their number is chosen.
_MOST_COMPONENTS = 400
# Evaluations of a settling between other stages.
_SETTLING_EVALUATIONS = 60
# How often components are pruned and missing ones searched again.
_REVISIONS = 3


def first_state(problem, start=None, fixed=None):
    """The state of a fit before its first stage.

    Parameters
    ----------
    problem : Problem
    start : Mixture, optional
        Components to start from.
    fixed : (Mixture, Fixed), optional
        Further components to start from, and which of their numbers are not fitted.

    Returns
    -------
    FitState

    Raises
    ------
    InputError
        If the number of components, `start` and `fixed` contradict each other.
    """
    options = problem.options
    mixture, marks = _given_components(problem, start, fixed)
    n_points = int(marks.points.sum())
    n_start = len(mixture) - n_points
    n_components = _requested(options, start, fixed, n_start)
    parameters = background_only(problem.likelihood)
    if len(mixture) or start is not None:
        which = marks if marks.any_fixed.any() else None
        parameters = with_given(
            problem.likelihood, parameters, mixture, options.min_sigma, fixed=which
        )
    most = n_components
    if n_components is None:
        most = max(_MOST_COMPONENTS, len(mixture)) - n_points
    sources = problem.point_sources
    return FitState.initial(
        parameters.mixture,
        parameters.amplitudes,
        fixed=parameters.fixed,
        seed=options.seed,
        n_components=n_components,
        stages=planned(
            options,
            n_start=len(mixture),
            most=most + n_points,
            chooses=n_components is None,
            grows=start is None or n_start < most,
            releases=sources is not None and len(sources) > 0 and sources.movable,
        ),
    )


def _given_components(problem, start, fixed):
    """All components that a fit starts with, and which of their numbers are not fitted.

    Point sources come first, then components with fixed parameters, then those of `start`.
    """
    given = []
    if problem.point_sources is not None:
        given.append(
            problem.point_sources.started(problem.observations, problem.reference_exposure)
        )
    if fixed is not None:
        given.append(fixed)
    if start is not None:
        given.append((start, Fixed.none(len(start))))
    mixture, marks = Mixture.empty(), Fixed.none(0)
    for components, its in given:
        mixture, marks = mixture.joined(components), marks.joined(its)
    return mixture, marks


def _requested(options, start, fixed, n_start):
    """The number of components asked for, None if it is to be chosen."""
    n_components = None if options.n_components == "auto" else options.n_components
    if start is None and options.init not in STARTS:
        raise InputError(
            f"`init` = {options.init} names a file: read it, and give its mixture as `start`",
            parameter="init",
        )
    if fixed is None and start is None and options.fix is not None:
        raise InputError(
            f"`fix` = {options.fix} names a table: read it, and give its components as `fixed`",
            parameter="fix",
        )
    if start is not None and n_components is None:
        if options.price is not None:
            raise InputError(
                f"`price` = {options.price:g}, but the fit keeps the {n_start} components that it"
                " starts from: a price chooses the number of components of a mixture that grows",
                parameter="price",
            )
        return n_start
    if n_components is None and options.init != "grow":
        raise InputError(
            f"`init` = {options.init} needs a number of components, because only growing can"
            " choose it: give `n_components`",
            parameter="n_components",
        )
    if n_components is not None and n_components < n_start:
        raise InputError(
            f"`n_components` = {n_components}, but the fit starts from {n_start} components: give"
            " at least as many",
            parameter="n_components",
        )
    return n_components


def planned(options, *, n_start, most, chooses=False, grows=True, releases=False):
    """The stages of a fit, as data.

    Parameters
    ----------
    options : FitOptions
    n_start : int
        Components that the fit starts from.
    most : int
        Components that it may have.
    chooses : bool
        Whether the number of components is chosen.
    grows : bool
        Whether components are added to those of the start, by growing or clustering.
    releases : bool
        Whether positions of point sources are fitted at the end.

    Returns
    -------
    list of dict
    """
    stages = [Begin()]
    if grows and options.init == "kmeans":
        if most > n_start:
            stages.append(Cluster(n_new=most - n_start))
    elif grows:
        stages += _growing(options, n_start, most, chooses)
    last = ReleasePointSources if releases else Settle
    stages.append(last(evaluations=options.max_iter, tolerance=options.tol))
    return [record_of(stage) for stage in (*stages, Conclude())]


def _growing(options, n_start, most, chooses):
    """The stages between the start and the last settling of a mixture that grows.

    Components that were pruned together may be missed. Those that are worth their price come
    back, until none does.
    """

    def settled(when=ALWAYS):
        evaluations = min(options.max_iter, _SETTLING_EVALUATIONS)
        return Settle(evaluations=evaluations, tolerance=options.tol, when=when)

    def exchanges(when):
        return Exchange(rounds=options.exchanges, most=most, has_price=chooses, when=when)

    # An excess over the model means something once all free parameters have settled.
    stages = [settled()] if n_start else []
    stages.append(Grow(most=most))
    if options.exchanges:
        stages += [settled(WITH_COMPONENTS), exchanges(WITH_COMPONENTS)]
    if chooses:
        for when in (ALWAYS, *(AFTER_IMPROVEMENT,) * (_REVISIONS - 1)):
            stages += [Prune(when=when), settled(when), exchanges(when)]
        stages.append(Prune(when=AFTER_IMPROVEMENT))
    return stages
