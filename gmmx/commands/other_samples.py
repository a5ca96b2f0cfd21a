"""Samples of another catalogue, from the columns that a fit was made of."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..config import CatalogueOptions
from ..errors import InputError
from ..io.catalogues import is_catalogue, read_catalogue
from ..model.samples import Samples
from ..model.samples_result import SamplesResult
from ..reading.catalogue import samples_in
from ..reading.sample_units import in_units

if TYPE_CHECKING:
    from astropy.table import Table

_LISTS = ("columns", "errors", "correlations")


@dataclass(frozen=True, eq=False)
class OtherCatalogue:
    """A catalogue with the columns of a fit.

    Attributes
    ----------
    table : astropy.table.Table
    samples : Samples
        Of the rows that have a value, in the units of the fit.
    known : (n_rows,) booleans
        Which rows these are.
    """

    table: "Table"
    samples: Samples
    known: np.ndarray

    def in_rows(self, values: np.ndarray, empty: float = np.nan) -> np.ndarray:
        """Values of the samples in the rows of the table, and another in the rows without any."""
        found = np.full(len(self.known), empty, dtype=values.dtype)
        found[self.known] = values
        return found


def catalogue_like(
    model: str | Path, result: SamplesResult, catalogue: str | Path, *, no_checksum: bool = False
) -> OtherCatalogue:
    """Read another catalogue, with the columns that a fit was made of.

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
    options = _options_of(model, result, no_checksum)
    if not is_catalogue(catalogue):
        raise InputError(
            f"{catalogue}: not a table with the columns {', '.join(result.names)} of the fit"
        )
    table = read_catalogue(catalogue, options.names, no_checksum=no_checksum)
    samples, known = samples_in(table, catalogue, options)
    return OtherCatalogue(table, in_units(samples, result.units, catalogue), known)


def _options_of(model, result, no_checksum):
    """The options that say which columns a fit was made of."""
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
