"""The mixture of some columns of a model of samples: marginal and conditional mixtures."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from .._words import nearest
from ..errors import DataWarning, InputError
from ..model.mixture import Mixture
from ..model.samples import Samples
from .mixtures import component_log_terms, normalised

# Values that are further from all components [standard deviations] lead to a warning.
FAR = 5.0


def condition(result, given: Mapping[str, float]) -> Mixture:
    """Mixture of the other columns when some are known, with fluxes that add up to 1.

    Parameters
    ----------
    result : SamplesResult
    given : dict of str to float
        Values of columns by name.

    Returns
    -------
    Mixture
        Its columns are those of `other_names`.

    Raises
    ------
    InputError
        If a column does not exist, all are given, or a value is not finite.

    Warns
    -----
    DataWarning
        If the values are far from all components.
    """
    columns = {_column(result, name): float(value) for name, value in given.items()}
    said = ", ".join(f"{name} = {value:g}" for name, value in given.items())
    if len(columns) == len(result.names):
        raise InputError("`given` has all columns: leave out at least one", parameter="given")
    if not np.all(np.isfinite(list(columns.values()))):
        raise InputError(
            f"{said}: a value that is not finite says nothing: leave the column out",
            parameter="given",
        )
    known, values = result.mixture.marginal(list(columns)), np.array(list(columns.values()))
    _check_distance(known, values, said)
    # In logarithms, because densities far from all components are smaller than any number.
    logs = component_log_terms(known, Samples(x=values[None]))[0]
    conditional = result.mixture.conditional(columns)
    return normalised(replace(conditional, fluxes=np.maximum(np.exp(logs - logs.max()), 1e-300)))


def _check_distance(known, values, said):
    """Warn of values that are far from all components."""
    offsets = values - known.means
    solved = np.linalg.solve(known.covariances, offsets[..., None])[..., 0]
    with np.errstate(over="ignore"):
        distance = float(np.sqrt(np.einsum("ki,ki->k", offsets, solved).min()))
    if not np.isfinite(distance):
        raise InputError(f"{said} is too far from all components", parameter="given")
    if distance > FAR:
        warnings.warn(
            f"{said} is {distance:.3g} sigma from the nearest component: the conditional mixture "
            "is an extrapolation",
            DataWarning,
            stacklevel=4,
        )


def other_names(result, given: Sequence[str]) -> tuple[str, ...]:
    """Names of the columns that are not given, in order."""
    known = {_column(result, name) for name in given}
    return tuple(name for i, name in enumerate(result.names) if i not in known)


def part_of(
    result, given: Mapping[str, float] | None = None, columns: Sequence[str] = ()
) -> tuple[Mixture, tuple[str, ...]]:
    """Mixture of some columns where the values of others are known, and their names.

    Parameters
    ----------
    result : SamplesResult
    given : dict of str to float, optional
        Values of columns by name.
    columns : sequence of str
        The columns to keep; the mixture is integrated over the others. By default all that are not
        given.

    Examples
    --------
    >>> import gmmx
    >>> x = np.random.default_rng(0).normal([0.0, 5.0, 1.0], 1.0, (500, 3))
    >>> part_of(gmmx.fit_samples(x, n_components=1, names="abc"), {"b": 5.0}, ["c"])
    (Mixture(1 component in 1 dimension, flux 1), ('c',))
    """
    given = given or {}
    for name in columns:
        if name in given:
            raise InputError(
                f"{name} is given, and is among the `columns` to keep: leave out one",
                parameter="columns",
            )
        _column(result, name)
    mixture = condition(result, given) if given else normalised(result.mixture)
    names = other_names(result, list(given))
    if columns:
        mixture = mixture.marginal([names.index(name) for name in columns])
        names = tuple(columns)
    return mixture, names


def marginal(result, names: Sequence[str]) -> Mixture:
    """Mixture of some of the columns, with fluxes that add up to 1."""
    names = [names] if isinstance(names, str) else names
    return normalised(result.mixture.marginal([_column(result, name) for name in names]))


def _column(result, name):
    if name in result.names:
        return result.names.index(name)
    if isinstance(name, int | np.integer) and 0 <= name < len(result.names):
        return int(name)
    raise InputError(f"there is no column {name}: {nearest(str(name), result.names)}")
