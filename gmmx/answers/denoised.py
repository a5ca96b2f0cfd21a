"""Samples without their errors, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from astropy.table import Table

    from ..model.samples import Samples
    from ..model.samples_result import SamplesResult


def denoised_table(result: SamplesResult, samples: Samples | None = None) -> Table:
    """Table of the noise-free values that a mixture expects behind noisy samples.

    Parameters
    ----------
    result : SamplesResult
    samples : Samples, optional
        By default those of the fit.

    Returns
    -------
    astropy.table.Table
        For each column NAME the posterior mean `NAME` and its standard deviation `NAME_err`, and
        for each pair of columns the correlation `corr_NAME_OTHER` of the posterior.

    Examples
    --------
    >>> import gmmx
    >>> x = np.random.default_rng(0).normal([0.0, 5.0], [1.0, 2.0], (500, 2))
    >>> result = gmmx.fit_samples(x, np.ones(x.shape), n_components=1, names=["a", "b"])
    >>> denoised_table(result).colnames
    ['a', 'a_err', 'b', 'b_err', 'corr_a_b']
    """
    # Loaded here because that takes a third of a second.
    from astropy.table import Table

    found, names, table = result.denoise(samples), result.names, Table()
    errors = np.sqrt(np.diagonal(found.covariances, axis1=1, axis2=2))
    for i, name in enumerate(names):
        table[name], table[f"{name}_err"] = found.means[:, i], errors[:, i]
        table[name].description = f"posterior mean of {name} without its error"
        table[f"{name}_err"].description = f"posterior standard deviation of {name}"
    for i, j in zip(*np.triu_indices(len(names), 1), strict=True):
        product = np.maximum(errors[:, i] * errors[:, j], np.finfo(float).tiny)
        table[f"corr_{names[i]}_{names[j]}"] = found.covariances[:, i, j] / product
    return table
