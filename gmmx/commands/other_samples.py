"""Samples of another catalogue, from the columns that a fit was made of."""

from pathlib import Path

from ..config import CatalogueOptions
from ..errors import InputError
from ..io.catalogues import is_catalogue
from ..model.samples import Samples
from ..model.samples_result import SamplesResult
from ..reading.catalogue import read_samples
from ..reading.sample_units import in_units

_LISTS = ("columns", "errors", "correlations")


def samples_like(
    model: str | Path, result: SamplesResult, catalogue: str | Path, *, no_checksum: bool = False
) -> Samples:
    """Read the samples of another catalogue, from the columns that a fit was made of.

    Parameters
    ----------
    model : path
        The model file, for messages.
    result : SamplesResult
    catalogue : path
    no_checksum : bool
        Read a FITS file even if its CHECKSUM or DATASUM does not hold.

    Raises
    ------
    InputError
        If the fit was not made of the columns of a table, or this is no table.
    DataError
        If the table cannot be used.
    """
    options = options_of(model, result, no_checksum=no_checksum)
    if not is_catalogue(catalogue):
        raise InputError(
            f"{catalogue}: not a table with the columns {', '.join(result.names)} of the fit"
        )
    return in_units(read_samples(catalogue, options), result.units, catalogue)


def options_of(
    model: str | Path, result: SamplesResult, *, no_checksum: bool = False
) -> CatalogueOptions:
    """The options that say which columns a fit was made of.

    Raises
    ------
    InputError
        If the fit was not made of the columns of a table.
    """
    given = result.options
    columns, errors, correlations = (tuple(given.get(name) or ()) for name in _LISTS)
    if not columns:
        raise InputError(
            f"{model}: a model of a picture or of arrays, which names no columns of a table: fit "
            "the table, or read the model in Python"
        )
    return CatalogueOptions(
        columns=columns,
        errors=errors,
        correlations=correlations,
        covariance=given.get("covariance"),
        weights=given.get("weights"),
        no_checksum=no_checksum,
    )
