"""The components of two models of samples in pairs, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

from .sample_components import sample_table

if TYPE_CHECKING:
    from astropy.table import Table

    from ..model.mixture import Mixture
    from ..model.samples_result import SamplesResult


def pair_table(first: SamplesResult, second: SamplesResult) -> Table:
    """Tabulate the components of two models in pairs, the most alike beside each other.

    See `gmmx.answers.sample_comparison.SampleComparison.pairs`.

    Parameters
    ----------
    first, second : SamplesResult
        Of the same columns.
    """
    # Loaded here because that takes a third of a second.
    from astropy.table import MaskedColumn, Table

    i, j, distances = paired(first.mixture, second.mixture)
    rows = sorted(zip(i, j, distances, strict=True))
    rows += [(a, -1, np.nan) for a in range(len(first.mixture)) if a not in i]
    rows += [(-1, b, np.nan) for b in range(len(second.mixture)) if b not in j]
    numbers = np.array([row[:2] for row in rows], dtype=int)
    table = Table({f"component_{end + 1}": numbers[:, end] for end in (0, 1)})
    for end in (0, 1):
        table[f"component_{end + 1}"].description = f"number in model {end + 1}; -1 for none"
    parts = [sample_table(one) for one in (first, second)]
    shared = [name for name in parts[0].colnames if name in parts[1].colnames]
    for name in shared:
        if name in ("component", "observed_fraction"):
            continue
        for end, part in enumerate(parts):
            gone = numbers[:, end] < 0
            values = np.where(gone, np.nan, np.asarray(part[name], float)[numbers[:, end]])
            table[f"{name}_{end + 1}"] = MaskedColumn(
                values, mask=gone, unit=part[name].unit, description=part[name].description
            )
    single = np.any(numbers < 0, axis=1)
    table["distance"] = MaskedColumn([row[2] for row in rows], mask=single)
    table["distance"].description = "Hellinger distance of their shapes, from 0 to 1"
    return table


def paired(first: Mixture, second: Mixture) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of the components of two mixtures with the least sum of distances.

    Parameters
    ----------
    first, second : Mixture

    Returns
    -------
    i, j : (n,) integers
        Numbers of the components, n being the smaller number of them.
    distances : (n,) array
        Hellinger distances between their shapes, from 0 to 1.

    Examples
    --------
    >>> from gmmx.model.mixture import Mixture
    >>> one = Mixture(fluxes=[2.0, 1.0], means=[[0.0], [9.0]], covariances=[[[1.0]], [[4.0]]])
    >>> other = Mixture(fluxes=[1.0], means=[[9.0]], covariances=[[[4.0]]])
    >>> [values.tolist() for values in paired(one, other)]
    [[1], [0], [0.0]]
    """
    distances = np.array(
        [
            _hellinger(mean, covariance, second)
            for mean, covariance in zip(first.means, first.covariances, strict=True)
        ]
    )
    i, j = linear_sum_assignment(distances)
    return i, j, distances[i, j]


def _hellinger(mean, covariance, others):
    """Hellinger distances between a Gaussian and each component of a mixture, (K,)."""
    middle = (covariance + others.covariances) / 2
    offsets = mean - others.means
    far = np.einsum("ki,ki->k", offsets, np.linalg.solve(middle, offsets[..., None])[..., 0])
    log_dets = [np.linalg.slogdet(one)[1] for one in (covariance, others.covariances, middle)]
    log_overlap = log_dets[0] / 4 + log_dets[1] / 4 - log_dets[2] / 2 - far / 8
    return np.sqrt(np.maximum(1 - np.exp(log_overlap), 0.0))
