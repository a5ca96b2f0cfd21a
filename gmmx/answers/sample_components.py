"""The components of a mixture of samples as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from astropy.table import Table

    from ..model.samples_result import SamplesResult


def sample_table(result: SamplesResult) -> Table:
    """Table of the components of a mixture of samples, by falling number of samples.

    Parameters
    ----------
    result : SamplesResult

    Returns
    -------
    astropy.table.Table
        One row for each component: `component`, `samples`, `fraction`, `observed_fraction`; for
        each column NAME of the samples `mean_NAME` and `sigma_NAME`; and for each pair the
        correlation `corr_NAME_OTHER` of the component's covariance.

    Examples
    --------
    >>> import gmmx
    >>> x = np.random.default_rng(0).normal([0.0, 5.0], [1.0, 2.0], (500, 2))
    >>> table = sample_table(gmmx.fit_samples(x, n_components=1, names=["a", "b"]))
    >>> table.colnames[4:]
    ['mean_a', 'sigma_a', 'mean_b', 'sigma_b', 'corr_a_b']
    """
    # Loaded here because that takes a third of a second.
    from astropy.table import Table

    mixture, names = result.mixture, result.names
    sigmas = np.sqrt(np.diagonal(mixture.covariances, axis1=1, axis2=2))
    table = Table(
        {
            "component": np.arange(len(mixture)),
            "samples": mixture.fluxes,
            "fraction": result.fractions,
            "observed_fraction": result.observed_fraction,
        },
        meta={
            "n_samples": len(result.samples),
            "log_likelihood": result.log_likelihood,
            "bic": result.bic,
            "aic": result.aic,
            "icl": result.icl,
            "converged": result.converged,
            "seed": result.seed,
        },
    )
    for i, name in enumerate(names):
        table[f"mean_{name}"] = mixture.means[:, i]
        table[f"sigma_{name}"] = sigmas[:, i]
    for i, j in zip(*np.triu_indices(len(names), 1), strict=True):
        product = np.maximum(sigmas[:, i] * sigmas[:, j], np.finfo(float).tiny)
        table[f"corr_{names[i]}_{names[j]}"] = mixture.covariances[:, i, j] / product
    descriptions = {
        "component": "number of the component",
        "samples": "samples of the component, with those that the completeness hides",
        "fraction": "fraction of the samples of all components",
        "observed_fraction": "fraction that the completeness lets through",
    }
    for name, text in descriptions.items():
        table[name].description = text
    return table
