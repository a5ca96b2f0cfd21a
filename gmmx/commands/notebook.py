"""The verbs of the package for notebooks: objects in, objects out, as the commands do for files."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, Any, Union, cast

from ..config import FitConfig, FitOptions, SourceOptions
from ..errors import InputError
from ..fitting.driver import fit as fit_photons
from ..fitting.point_sources import PointSources
from ..fitting.problem import checked_observations
from ..model.mixture import Fixed, Mixture
from ..model.observation import Observation
from ..model.result import FitResult
from ..model.state import FitState, Iterate
from ..reading.fit_input import fit_input_of
from ..reading.point_sources import check_places

if TYPE_CHECKING:
    from regions import Region, Regions


def fit(
    observations: Observation | Sequence[Observation],
    *,
    start: Mixture | FitState | None = None,
    fixed: tuple[Mixture, Fixed] | None = None,
    sources: Union[PointSources, str, PathLike, "Region", "Regions", Sequence, None] = None,
    source_positions: str = SourceOptions.source_positions,
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
    sources : PointSources, path, region or sequence of these, optional
        Point sources that are fitted with the components: region files, source lists, or objects
        of the package `regions`, one circle or ellipse for each source. They do not count as
        components.
    source_positions : {"free", "fixed"}
        Whether the positions of the sources are fitted. They then stay within their regions, and
        are fitted last, once the emission around them has settled.
    options : FitOptions, optional
        All other options at once.
    callback : callable, optional
        Called with an `Iterate` after each accepted iteration. It stops the fit by raising an
        exception.
    **single_options
        Fields of FitOptions, such as ``n_components=20`` or ``seed=1``, instead of those of
        `options`. With ``n_components="auto"`` a component stays if it increases log L by more
        than its price (see `gmmx.fitting.criterion.Price`). ``init="model.h5"`` starts from a
        model file, and ``fix="components.ecsv"`` from a component table.

    Returns
    -------
    FitResult

    Raises
    ------
    InputError
        If there is no photon, if something else than observations is given, if arguments
        contradict each other, or if no source can be fitted.
    DataError
        If a file cannot be read.

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
    The function is long because this docstring is the reference of the fit.

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
    if (isinstance(start, Mixture) or fixed is not None) and (
        options.starts_from_model or options.fix is not None
    ):
        raise InputError(
            "`init` or `fix` names a file, and `start` or `fixed` gives components, too: give one"
        )
    if sources is None and isinstance(options, SourceOptions):
        sources, source_positions = options.sources, options.source_positions
    known, paths = (sources, ()) if isinstance(sources, PointSources) else (None, sources)
    # The class makes a tuple of a single path or region.
    listed = SourceOptions(sources=cast("tuple", paths), source_positions=source_positions)
    observations = checked_observations(observations)
    check_places(listed.sources, observations)
    given = fit_input_of(
        observations,
        FitConfig(**{**vars(options), **vars(listed)}),
        sources=known,
    )
    result = fit_photons(
        given.observations,
        point_sources=given.sources,
        options=options,
        callback=callback,
        start=given.start.mixture if start is None else start,
        fixed=given.start.fixed if fixed is None else fixed,
        stacklevel=3,
    )
    return replace(
        result, options={**result.options, **(listed.record() if listed.sources else {})}
    )
