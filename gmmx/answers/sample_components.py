"""The components of a mixture of samples as a table."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from ..errors import DataWarning
from .captions import draws_in_words
from .mixtures import expectation
from .sample_intervals import interval
from .sample_parts import part_of

if TYPE_CHECKING:
    from astropy.table import Column, Table

    from ..model.mixture import Mixture
    from ..model.samples_result import SamplesResult

# How the description of an error begins and ends.
_ERROR_OF, _HALF = "error of ", ": half the interval of 68 % over the draws"
_MEANINGS = {
    "samples": "samples, with those that the completeness hides",
    "fraction": "fraction of the samples of all components",
}


def sample_table(result: SamplesResult) -> Table:
    """Table of the components of a mixture of samples, by falling number of samples.

    Parameters
    ----------
    result : SamplesResult

    Returns
    -------
    astropy.table.Table
        One row for each component: `component`, `samples`, `fraction` and `observed_fraction`,
        and the columns of `mixture_numbers`. If the fit has draws, each fitted column is followed
        by its error, which ends in _err. ``meta`` says how the fit ended.

    Examples
    --------
    >>> import gmmx
    >>> x = np.random.default_rng(0).normal([0.0, 5.0], [1.0, 2.0], (500, 2))
    >>> table = sample_table(gmmx.fit_samples(x, n_components=1, names=["a", "b"]))
    >>> table.colnames[:4]
    ['component', 'samples', 'fraction', 'observed_fraction']
    """

    def numbers(one):
        return {"samples": one.mixture.fluxes} | mixture_numbers(one.mixture, result.names)

    table = _table(result, numbers)
    place = 1 + table.colnames.index("fraction_err" if result.draws else "fraction")
    table.add_column(result.observed_fraction, name="observed_fraction", index=place)
    table["observed_fraction"].description = "fraction that the completeness lets through"
    table.meta |= {
        "n_samples": len(result.samples),
        "log_likelihood": result.log_likelihood,
        "bic": result.bic,
        "aic": result.aic,
        "icl": result.icl,
        "converged": result.converged,
        "seed": result.seed,
    }
    return table


def part_table(
    result: SamplesResult, given: Mapping[str, float] | None = None, columns: Sequence[str] = ()
) -> Table:
    """Table of the components of the mixture of some columns, where others are known.

    Parameters
    ----------
    result, given, columns
        As for `part_of`.

    Returns
    -------
    astropy.table.Table
        `component`, and the columns of `mixture_numbers`, with errors if the fit has draws.
        ``meta["all"]`` has the mean and the standard deviation of each column over all
        components, under names such as "mean_b": a dictionary with the `value` and, if the fit has
        draws, the other fields of an `Interval`.

    Examples
    --------
    >>> import gmmx
    >>> x = np.random.default_rng(0).normal([0.0, 5.0], [1.0, 2.0], (500, 2))
    >>> result = gmmx.fit_samples(x, n_components=1, names=["a", "b"]).errors(100)
    >>> table = part_table(result, {"a": 0.5})
    >>> table.colnames[1:5]
    ['fraction', 'fraction_err', 'mean_b', 'mean_b_err']
    >>> list(table.meta["all"]["sigma_b"])
    ['value', 'error', 'lower68', 'upper68', 'lower95', 'upper95']
    """
    _, names = part_of(result, given, columns)
    with warnings.catch_warnings():
        # What the fit warns of needs not be said again for each draw.
        warnings.simplefilter("ignore", DataWarning)
        table = _table(result, lambda one: mixture_numbers(part_of(one, given, columns)[0], names))
        table.meta["all"] = moments_of(result, lambda one: part_of(one, given, columns)[0], names)
    return table


def moments_of(
    result: SamplesResult, part: Callable[[SamplesResult], Mixture], names: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Mean and standard deviation of each column of a part of a model.

    Parameters
    ----------
    result : SamplesResult
    part : callable
        Takes a result, and returns a mixture of some columns.
    names : sequence of str
        Of these columns.

    Returns
    -------
    dict of str to dict
        Of "mean_NAME" and "sigma_NAME": the `value` and, if the fit has draws, the other fields of
        an `Interval`.
    """

    def overall(one):
        mean, covariance = expectation(part(one))
        return np.concatenate([mean, np.sqrt(np.diag(covariance))])

    if result.draws is None:
        columns = {"value": overall(result)}
    else:
        found = interval(result, overall)
        columns = {field.name: getattr(found, field.name) for field in fields(found)}
    labels = [f"mean_{name}" for name in names] + [f"sigma_{name}" for name in names]
    return {
        label: {field: float(values[i]) for field, values in columns.items()}
        for i, label in enumerate(labels)
    }


def mixture_numbers(mixture: Mixture, names: Sequence[str]) -> dict[str, np.ndarray]:
    """The numbers of the components of a mixture of any columns, each an array (K,).

    Parameters
    ----------
    mixture : Mixture
    names : sequence of str
        Names of the D columns.

    Returns
    -------
    dict of str to array
        `fraction`; for each column NAME `mean_NAME` and `sigma_NAME`, the standard deviation; and
        for each pair of columns the correlation `corr_NAME_OTHER`.

    Examples
    --------
    >>> from gmmx.model.mixture import Mixture
    >>> one = Mixture(fluxes=[2.0], means=[[0.0, 1.0]], covariances=[[[4.0, 1.0], [1.0, 1.0]]])
    >>> numbers = mixture_numbers(one, ["a", "b"])
    >>> list(numbers)
    ['fraction', 'mean_a', 'sigma_a', 'mean_b', 'sigma_b', 'corr_a_b']
    >>> numbers["corr_a_b"]
    array([0.5])
    """
    sigmas = np.sqrt(np.diagonal(mixture.covariances, axis1=1, axis2=2))
    numbers = {"fraction": mixture.fluxes / mixture.fluxes.sum()}
    for i, name in enumerate(names):
        numbers[f"mean_{name}"] = mixture.means[:, i]
        numbers[f"sigma_{name}"] = sigmas[:, i]
    for i, j in combinations(range(len(names)), 2):
        product = np.maximum(sigmas[:, i] * sigmas[:, j], np.finfo(float).tiny)
        numbers[f"corr_{names[i]}_{names[j]}"] = mixture.covariances[:, i, j] / product
    return numbers


def error_columns(table: Table) -> dict[str, str]:
    """The column with the error of each column that has one.

    Parameters
    ----------
    table : astropy.table.Table
        Of this module.
    """
    found = {}
    for own in table.colnames:
        text = table[own].description or ""
        if text.startswith(_ERROR_OF) and text.endswith(_HALF):
            found[text.removeprefix(_ERROR_OF).removesuffix(_HALF)] = own
    return {name: own for name, own in found.items() if name in table.colnames}


def _table(result, numbers):
    """Table of the numbers of each component, each with its error if the fit has draws."""
    # Loaded here because that takes a third of a second.
    from astropy.table import Table

    found = numbers(result)
    table = Table({"component": np.arange(len(result.mixture))} | found)
    table["component"].description = "number of the component"
    for column, unit in zip(result.names, result.units, strict=True):
        for name in {f"mean_{column}", f"sigma_{column}"} & set(found):
            set_unit(table[name], unit)
    for name, text in _MEANINGS.items():
        if name in found:
            table[name].description = text
    if result.draws is not None:
        spread = interval(result, lambda one: np.concatenate([*numbers(one).values()])).error
        for name, error in zip(found, np.split(spread, len(found)), strict=True):
            # A fitted column may have the name of an error.
            own = f"{name}_err" if f"{name}_err" not in found else f"{name}_draws_err"
            table.add_column(error, name=own, index=table.colnames.index(name) + 1)
            table[own].description = f"{_ERROR_OF}{name}{_HALF}"
            table[own].unit = table[name].unit
        table.meta["errors"] = draws_in_words(result.draws)
    return table


def set_unit(column: Column, unit: str) -> None:
    """Give a column of a table its unit, one included that astropy does not know.

    Parameters
    ----------
    column : astropy.table.Column
    unit : str
        "" for none.
    """
    from astropy.units import Unit

    if unit:
        column.unit = Unit(unit, parse_strict="silent")
