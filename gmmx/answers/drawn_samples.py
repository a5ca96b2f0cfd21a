"""Samples that are drawn from a model, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..model.samples_result import SamplesResult
from .sample_components import set_unit

if TYPE_CHECKING:
    from astropy.table import Table

    from ..model.result import FitResult


def drawn_table(result: FitResult | SamplesResult, n: int, rng: np.random.Generator) -> Table:
    """Table of samples that are drawn from a model: its columns, or positions on the sky.

    Parameters
    ----------
    result : FitResult or SamplesResult
    n : int
        Number of samples.
    rng : numpy.random.Generator

    Returns
    -------
    astropy.table.Table
        The columns of the samples without noise; of a fit to photons `ra`, `dec` [deg] of
        deconvolved positions of extended components, or `x`, `y` [arcsec] without a sky.

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> drawn_table(result, 3, np.random.default_rng(1)).colnames
    ['x', 'y']
    """
    # Loaded here because that takes a third of a second.
    from astropy.table import Table

    drawn = result.sample(n, rng)
    if isinstance(result, SamplesResult):
        table = Table(drawn, names=result.names)
        for name, unit in zip(result.names, result.units, strict=True):
            set_unit(table[name], unit)
        return table
    if result.frame is None:
        return Table(drawn, names=("x", "y"), units=("arcsec", "arcsec"))
    return Table(result.frame.to_sky(*drawn.T), names=("ra", "dec"), units=("deg", "deg"))
