"""How the samples of a catalogue were selected: expressions, files and functions become nouns."""

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any

from .._words import listed
from ..errors import InputError, about
from ..io.sample_grids import is_grid_file, read_grid
from ..model.expression import Expression
from ..model.sample_completeness import SampleCompleteness


def completeness_of(given: Any, names: Sequence[str], others: Callable[[], Sequence[str]] = tuple):
    """The completeness that an expression, a file, a grid or a function stands for.

    Parameters
    ----------
    given : str, path, callable, SampleGrid or SampleCompleteness
    names : sequence of str
        Names of the fitted columns.
    others : callable
        Gives the names of all columns of the table, for the message about one that is not fitted.

    Returns
    -------
    SampleCompleteness

    Raises
    ------
    InputError
        If it is no probability, or depends on a column that is not fitted.
    DataError
        If the file cannot be used.

    Examples
    --------
    >>> completeness_of("mag < 24", ["mag"])
    SampleCompleteness(mag < 24)
    >>> completeness_of("mag < 24", ["g_r"], lambda: ["g_r", "mag"])
    Traceback (most recent call last):
    gmmx.errors.InputError: `completeness` needs mag, which is not fitted: add mag to `columns`
    """
    if is_grid_file(given):
        grid = read_grid(given, "completeness")
        with about(given):
            return SampleCompleteness.of(grid, names)
    if isinstance(given, PathLike):
        raise InputError(
            f"{given}: a completeness is read from an HDF5 file, whose name ends in .h5 or .hdf5",
            parameter="completeness",
        )
    try:
        return SampleCompleteness.of(given, names)
    except InputError as error:
        unfitted = _unfitted(given, tuple(names), others) if isinstance(given, str) else ()
        if not unfitted:
            raise
        noun = listed(unfitted)
        raise InputError(
            f"`completeness` needs {noun}, which is not fitted: add {noun} to `columns`",
            parameter="completeness",
        ) from error


def _unfitted(text, names, others):
    """Columns of the table that an expression uses and that are not fitted."""
    more = [name for name in others() if name not in names]
    try:
        used = Expression(text, (*names, *more)).used
    except InputError:
        return ()
    return [name for name in used if name not in names]
