"""Cards of the WCS of an image that wcslib would take no notice of.

It takes a CDELT2 that is a text for 1 degree, the default of the standard, and says nothing.
"""

import math
import re

from ..errors import DataError


def check_cards(path, header, letter=""):
    """Refuse cards of the first two axes that are not numbers, and axes without a step.

    Parameters
    ----------
    path : str or Path
        For messages.
    header : astropy.io.fits.Header
    letter : str
        Of an alternate WCS; empty for the primary one.

    Raises
    ------
    DataError
        If a card of the WCS holds no finite number, or an axis has no step.
    """
    numeric = re.compile(
        rf"((CRVAL|CRPIX|CDELT|CROTA)[12]|(PC|CD)[12]_[12]|PV[12]_\d+|LONPOLE|LATPOLE){letter}"
    )
    for key in header:
        if numeric.fullmatch(key) and not _is_number(header[key]):
            raise DataError(
                f"{path}: no usable WCS: {key} {header[key]!r} is no number: correct its header"
            )
    has_matrix = any(_has_row(header, "CD", axis, letter) for axis in (1, 2))
    for axis in (1, 2):
        if has_matrix and not _has_row(header, "CD", axis, letter):
            raise DataError(
                f"{path}: no usable WCS: its matrix has no CD{axis}_{axis}{letter}: "
                "correct its header"
            )
        # A matrix may hold the step.
        has_step = f"CDELT{axis}{letter}" in header or _has_row(header, "PC", axis, letter)
        if not (has_step or has_matrix):
            raise DataError(
                f"{path}: no usable WCS: there is no CDELT{axis}{letter}: correct its header"
            )


def _has_row(header, form, axis, letter):
    """Whether a header has an element of the matrix in the row of an axis."""
    return any(f"{form}{axis}_{k}{letter}" in header for k in (1, 2))


def _is_number(value):
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and math.isfinite(value)
