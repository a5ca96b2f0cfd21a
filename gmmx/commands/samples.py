"""The fit of a mixture to samples, for notebooks: arrays in, a SamplesResult out."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from os import PathLike
from typing import Any

import numpy as np

from ..config import SampleOptions
from ..em.selection import Selection
from ..errors import DataWarning, InputError
from ..fitting.samples.driver import fit_samples as fit_prepared
from ..model.mixture import Mixture
from ..model.sample_background import SampleBackground
from ..model.sample_completeness import SampleCompleteness
from ..model.sample_grid import SampleGrid
from ..model.sample_iterate import SampleIterate
from ..model.samples import Samples
from ..model.samples_result import SamplesResult
from ..reading.sample_selection import background_of, completeness_of, noise_of


def fit_samples(
    x: "np.ndarray | Samples",
    covariances: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    *,
    names: Sequence[str] = (),
    completeness: "SampleCompleteness | SampleGrid | str | PathLike | Callable | None" = None,
    background: "SampleBackground | Mixture | SamplesResult | str | PathLike | tuple | None" = None,
    start: Mixture | None = None,
    options: SampleOptions | None = None,
    callback: Callable[[str, int], None] | None = None,
    on_iterate: Callable[[SampleIterate], None] | None = None,
    **single_options: Any,
) -> SamplesResult:
    """Fit a mixture of Gaussians to samples in any number of dimensions, each with its own errors.

    Maximises ``sum_i w_i log sum_k a_k N(x_i; mu_k, Sigma_k + S_i)`` (Bovy, Hogg & Roweis 2011,
    AOAS 5, 1657) plus the logarithm of the priors. Of a sample with missing values it takes the
    likelihood of those that are known, exactly.

    Parameters
    ----------
    x : (N, D) array or Samples
        Values, NaN where one is missing; or everything about the samples at once.
    covariances : array, optional
        Covariances of the noise: (N, D) variances, (N, D, D) covariances, or (D, D) for all.
    weights : (N,) array, optional
        Weights, which count samples: one of weight 2 is as good as two equal ones.
    names : sequence of str, optional
        Names of the columns.
    completeness : str, path, callable, SampleGrid or SampleCompleteness, optional
        Probability that a sample at x is recorded: an expression over the columns such as
        ``"mag < 24 & hypot(x - 6.5, y - 6) > 2"``, an HDF5 file with a grid, or a function of
        (n, D) values. The samples that are missing are integrated (Melchior & Goulding 2018,
        A&C 25, 183).
    background : str, path, (low, high), Mixture, SamplesResult or SampleBackground, optional
        Samples that belong to no component: uniform in the box that holds all samples
        ("uniform"), or in one with given corners; or distributed as a mixture, the fit of a
        control field for instance, or as a grid in an HDF5 file. Their number is fitted.
    start : Mixture, optional
        Components to start from, in the units of the columns. They are fitted as they are, unless
        `n_components` asks for more.
    options : SampleOptions, optional
        All other options at once.
    callback : callable, optional
        Called with ``(stage, k)`` before each trial. It stops the fit by raising an exception.
    on_iterate : callable, optional
        Called with a `SampleIterate` after each accepted iteration of the last ascent, from its
        start on: ``iterates.append`` keeps the whole ascent.
    **single_options
        Fields of SampleOptions, such as ``n_components=3`` or ``seed=1``.

    Returns
    -------
    SamplesResult

    Raises
    ------
    InputError
        If the arrays are no samples, or an option is none.

    Warns
    -----
    ConvergenceWarning
        If `max_iter` evaluations were not enough.
    DataWarning
        If there are fewer components than were asked for, or an option changes nothing.
    DegeneracyWarning
        If components are as narrow as `min_sigma`.

    Notes
    -----
    The function is long because this docstring is the reference of the fit.

    Examples
    --------
    >>> import numpy as np
    >>> import gmmx
    >>> rng = np.random.default_rng(0)
    >>> x = np.concatenate([rng.normal(0, 1, (300, 2)), rng.normal(8, 2, (200, 2))])
    >>> result = gmmx.fit_samples(x + rng.normal(0, 0.5, x.shape), np.full(x.shape, 0.25))
    >>> len(result.mixture)
    2
    >>> result.mixture.means.round(1)
    array([[-0. ,  0. ],
           [ 7.8,  7.8]])
    """
    SampleOptions.check_names(single_options)
    options = replace(SampleOptions() if options is None else options, **single_options)
    if isinstance(x, Samples):
        if covariances is not None or weights is not None or names:
            raise InputError("`x` holds the errors, weights and names already: give them once")
        samples = x
    else:
        samples = Samples(x=x, covariances=covariances, weights=weights, names=names)
    samples.check_columns()
    selection = _selection_of(samples, completeness, options)
    backgrounds = () if background is None else (background_of(background, samples),)
    return fit_prepared(
        samples,
        start=start,
        backgrounds=backgrounds,
        selection=selection,
        options=options,
        callback=callback,
        on_iterate=on_iterate,
        stacklevel=3,
    )


def _selection_of(samples, completeness, options):
    """How samples were selected; None if all were recorded."""
    noise = noise_of(options.noise_model, samples)
    if noise is not None and (completeness is None or options.noise_order == "after"):
        raise InputError(
            "`noise_model`: noise as a function of the values is for samples that a `completeness` "
            "hides, with `noise_order` = before",
            parameter="noise_model",
        )
    if completeness is None:
        for name in ("noise_order", "noise_model"):
            if getattr(options, name) != getattr(SampleOptions, name):
                warnings.warn(
                    f"`{name}` = {getattr(options, name)} changes nothing without a `completeness`",
                    DataWarning,
                    stacklevel=3,
                )
        return None
    omega = completeness_of(completeness, samples.names)
    omega.check(samples, of_noisy_values=options.noise_order == "before")
    return Selection(
        completeness=omega,
        noise_order=options.noise_order,
        noise_model=options.noise_model,
        noise=noise,
    )
