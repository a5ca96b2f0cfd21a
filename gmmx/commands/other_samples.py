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
    result: SamplesResult, catalogue: str | Path, *, no_checksum: bool = False
) -> Samples:
    """Read the samples of another catalogue, from the columns that a fit was made of.

    Parameters
    ----------
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
    options = options_of(result, no_checksum=no_checksum)
    if not options.columns or not is_catalogue(catalogue):
        raise InputError(
            f"{catalogue}: not a table with the columns {', '.join(result.names)} of the fit"
        )
    return in_units(read_samples(catalogue, options), result.units, catalogue)


def options_of(result: SamplesResult, *, no_checksum: bool = False) -> CatalogueOptions:
    """The options that say which columns a fit was made of."""
    given = result.options
    columns, errors, correlations = (tuple(given.get(name) or ()) for name in _LISTS)
    return CatalogueOptions(
        columns=columns,
        errors=errors,
        correlations=correlations,
        covariance=given.get("covariance"),
        weights=given.get("weights"),
        no_checksum=no_checksum,
    )
