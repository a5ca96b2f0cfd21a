"""Units of the columns of samples: values in one become values in another."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from os import PathLike

import numpy as np

from ..errors import DataError, DataWarning
from ..model.samples import Samples


def factor_between(unit: str, other: str) -> float | None:
    """What turns values in a unit into values in another; None if nothing does.

    A column without a unit is taken as it is, and so is one whose unit astropy does not know. A
    plain magnitude is one of any zero point: the error of a column in mag(AB) is in mag.

    Parameters
    ----------
    unit, other : str

    Examples
    --------
    >>> factor_between("min", "s"), factor_between("", "mas"), factor_between("mag", "mas")
    (60.0, 1.0, None)
    >>> factor_between("mag", "mag(AB)"), factor_between("mag(ST)", "mag(AB)")
    (1.0, None)
    """
    from astropy import units

    if not unit or not other or unit == other:
        return 1.0
    pair = [units.Unit(text, parse_strict="silent") for text in (unit, other)]
    if any(isinstance(one, units.UnrecognizedUnit) for one in pair):
        return 1.0
    # "function_unit" is what a logarithmic unit is without its zero point.
    if not all(hasattr(one, "function_unit") for one in pair):
        pair = [getattr(one, "function_unit", one) for one in pair]
    try:
        return float(pair[0].to(pair[1]))
    except units.UnitConversionError:
        return None


def in_units(samples: Samples, units: Sequence[str], path: str | PathLike) -> Samples:
    """Samples of a file in the units of a model.

    Parameters
    ----------
    samples : Samples
    units : sequence of str
        One for each column.
    path : str or Path
        The file, for messages.

    Raises
    ------
    DataError
        If a unit measures something else.

    Warns
    -----
    DataWarning
        If values are converted.

    Examples
    --------
    >>> samples = Samples(x=[[1.0], [2.0]], names=["parallax"], units=["arcsec"])
    >>> in_units(samples, ["arcsec"], "stars.fits") is samples
    True
    """
    factors = np.ones(samples.n_dimensions)
    for i, (name, own, other) in enumerate(zip(samples.names, samples.units, units, strict=True)):
        factor = factor_between(own, other)
        if factor is None:
            raise DataError(
                f"{path}: {name} is in {own}, and that of the model is in {other}: correct the "
                "unit of one of them"
            )
        factors[i] = factor
        if factor != 1:
            warnings.warn(
                f"{path}: {name} is in {own}, and was converted to {other}, the unit of the model",
                DataWarning,
                stacklevel=3,
            )
    if np.all(factors == 1):
        return samples
    covariances = samples.covariances
    if covariances is not None:
        is_diagonal = samples.noise_kind == "diagonal"
        covariances = covariances * (factors**2 if is_diagonal else np.outer(factors, factors))
    return replace(samples, x=samples.x * factors, covariances=covariances, units=tuple(units))
