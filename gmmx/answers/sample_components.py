"""The components of a mixture of samples as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from astropy.table import Column, Table

    from ..model.mixture import Mixture
    from ..model.samples_result import SamplesResult


def sample_table(result: SamplesResult) -> Table:
    """Table of the components of a mixture of samples, by falling number of samples.

    Parameters
    ----------
    result : SamplesResult

    Returns
    -------
    astropy.table.Table
        One row for each component: `component`, `samples`, `fraction` and `observed_fraction`,
        and the columns of `mixture_table`. If the fit has draws, each fitted column is followed by
        its error, which ends in _err. ``meta`` says how the fit ended.

    Examples
    --------
    >>> import gmmx
    >>> x = np.random.default_rng(0).normal([0.0, 5.0], [1.0, 2.0], (500, 2))
    >>> table = sample_table(gmmx.fit_samples(x, n_components=1, names=["a", "b"]))
    >>> table.colnames[:4]
    ['component', 'samples', 'fraction', 'observed_fraction']
    """
    table = mixture_table(result.mixture, result.names, result.units)
    table.add_column(result.mixture.fluxes, name="samples", index=1)
    table["samples"].description = "samples, with those that the completeness hides"
    table.add_column(result.observed_fraction, name="observed_fraction", index=3)
    table["observed_fraction"].description = "fraction that the completeness lets through"
    if result.draws is not None:
        _add_errors(table, result)
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


def mixture_table(mixture: Mixture, names: Sequence[str], units: Sequence[str] = ()) -> Table:
    """Table of the components of a mixture of any columns.

    Parameters
    ----------
    mixture : Mixture
    names : sequence of str
        Names of the D columns.
    units : sequence of str, optional
        And their units, "" where there is none.

    Returns
    -------
    astropy.table.Table
        `component` and `fraction`; for each column NAME `mean_NAME` and `sigma_NAME`, the standard
        deviation; and for each pair of columns the correlation `corr_NAME_OTHER`.

    Examples
    --------
    >>> from gmmx.model.mixture import Mixture
    >>> one = Mixture(fluxes=[2.0], means=[[0.0, 1.0]], covariances=[[[4.0, 1.0], [1.0, 1.0]]])
    >>> table = mixture_table(one, ["a", "b"])
    >>> table.colnames
    ['component', 'fraction', 'mean_a', 'sigma_a', 'mean_b', 'sigma_b', 'corr_a_b']
    >>> float(table["corr_a_b"][0])
    0.5
    """
    # Loaded here because that takes a third of a second.
    from astropy.table import Table

    sigmas = np.sqrt(np.diagonal(mixture.covariances, axis1=1, axis2=2))
    fractions = mixture.fluxes / mixture.fluxes.sum()
    table = Table({"component": np.arange(len(mixture)), "fraction": fractions})
    table["component"].description = "number of the component"
    table["fraction"].description = "fraction of the samples of all components"
    for i, name in enumerate(names):
        table[f"mean_{name}"] = mixture.means[:, i]
        table[f"sigma_{name}"] = sigmas[:, i]
        for column in (f"mean_{name}", f"sigma_{name}"):
            set_unit(table[column], units[i] if units else "")
    for i, j in combinations(range(len(names)), 2):
        product = np.maximum(sigmas[:, i] * sigmas[:, j], np.finfo(float).tiny)
        table[f"corr_{names[i]}_{names[j]}"] = mixture.covariances[:, i, j] / product
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


def _add_errors(table, result):
    """Add the spread of each fitted column over the draws, beside it."""
    draws = result.draws
    every = [
        mixture_table(replace(result.mixture, fluxes=f, means=m, covariances=c), result.names)
        for f, m, c in zip(draws.fluxes, draws.means, draws.covariances, strict=True)
    ]
    names = [name for name in every[0].colnames if name != "component"]
    errors = {name: np.std([one[name] for one in every], axis=0) for name in names}
    errors["samples"] = draws.fluxes.std(axis=0)
    for name, error in errors.items():
        place = table.colnames.index(name) + 1
        table.add_column(error, name=f"{name}_err", index=place)
        table[f"{name}_err"].description = f"standard error of {name}, over the draws"
        table[f"{name}_err"].unit = table[name].unit
