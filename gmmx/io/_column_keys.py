"""The WCS keywords of two columns of a table, in all the forms in which they are met.

FITS standard 4.0, table 22: TCTYPn, TCRVLn, TCRPXn, TCDLTn, TCUNIn, TCROTn, the matrix as TPn_k,
TPCn_k, TCn_k or TCDn_k, LONPn, LATPn, TVn_m, RADEn and EQUIn; with a letter for an alternate
WCS. SAS and eROSITA write REFXCTYP, REFYCTYP, ... beside them or in their place.
"""

import math
import re
import warnings
from dataclasses import dataclass

from astropy.io import fits
from astropy.wcs import WCS

from ..errors import DataError, DataWarning

# Parts of the names, for the primary and for an alternate WCS, and in SAS's own form.
_PRIMARY = ("TCTYP", "TCRVL", "TCRPX", "TCDLT", "TCUNI", "TCROT")
_ALTERNATE = ("TCTY", "TCRV", "TCRP", "TCDE", "TCUN", "TCRO")
_SAS = ("CTYP", "CRVL", "CRPX", "CDLT", "CUNI", "CROT")
# The forms of the matrix: those that TCDLT multiplies, and those in place of it.
_PC, _CD = ("TP", "TPC"), ("TC", "TCD")
# Distortions that no keyword of columns can give.
_DISTORTED = ("TPV", "TPD", "TNX", "ZPX", "DSS")
# Two descriptions of one column agree to this [arcsec].
_SAME = 1e-3


@dataclass(frozen=True, eq=False)
class ColumnKeywords:
    """The keywords of two columns.

    Attributes
    ----------
    numbers : (int, int)
        Numbers of the columns.
    letter : str
        Of an alternate WCS, else empty.
    cards : astropy.io.fits.Header
        The cards of the two columns, and no others.
    system : dict of str to object
        RADESYS and EQUINOX of these columns, where they have their own.
    """

    numbers: tuple[int, int]
    letter: str
    cards: fits.Header
    system: dict

    @property
    def steps(self):
        """Names of the keywords that give the size of the pixels."""
        return [self._key(3, number) for number in self.numbers]

    def _key(self, part, number):
        return f"{(_ALTERNATE if self.letter else _PRIMARY)[part]}{number}{self.letter}"

    def value(self, part, number):
        """Return the value of a part, an index to TCTYP ..., of a column."""
        return self.cards.get(self._key(part, number))

    @property
    def is_complete(self):
        """Whether the keywords place both columns on the sky."""
        has_types = all("-" in str(self.value(0, n) or "") for n in self.numbers)
        has_zeros = all(_is_number(self.value(part, n)) for part in (1, 2) for n in self.numbers)
        steps = [self.value(3, n) for n in self.numbers]
        has_steps = all(_is_number(step) and step != 0 for step in steps)
        return has_types and has_zeros and (has_steps or bool(self.matrix_cards(_CD)))

    def matrix_cards(self, forms=_PC + _CD):
        """Return the elements of the matrix, by the name of their keyword."""
        i, j = self.numbers
        return {
            key: self.cards[key]
            for form in forms
            for key in (f"{form}{n}_{k}{self.letter}" for n in (i, j) for k in (i, j))
            if key in self.cards
        }

    def wcs(self):
        """Return the astropy WCS of the columns; its axes are X and Y in this order."""
        # astropy takes columns in the order of the table.
        wcs = WCS(self.cards, keysel=["pixel"], colsel=sorted(self.numbers), key=self.letter or " ")
        wcs.wcs.set()
        return wcs if self.numbers[0] < self.numbers[1] else wcs.swapaxes(0, 1)


def column_keywords(path, header, numbers):
    """Return the keywords that place two columns on the sky; None if there are none.

    Parameters
    ----------
    path : str or Path
        For messages.
    header : astropy.io.fits.Header
    numbers : (int, int)
        The columns X and Y, counted from 1.

    Returns
    -------
    ColumnKeywords or None

    Raises
    ------
    DataError
        If there are keywords that contradict each other, or that mean nothing here.

    Warns
    -----
    DataWarning
        If SAS's own keywords describe other pixels than those of the columns.
    """
    sas = _of_sas(header, numbers)
    for letter in ("", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
        cards = _cards(path, header, numbers, letter)
        found = ColumnKeywords(numbers, letter, cards, _system(cards, numbers, letter))
        if found.is_complete:
            _check(path, found)
            if sas is not None and not letter:
                _warn_of_two(path, found, sas)
            return found
    if sas is not None:
        _check(path, sas)
    return sas


def _cards(path, header, numbers, letter):
    """Return the cards of two columns, with projections in capitals."""
    either = f"({numbers[0]}|{numbers[1]})"
    if letter:
        names = "|".join((*_ALTERNATE, "LONP", "LATP", "RADE", "EQUI"))
    else:
        names = "|".join((*_PRIMARY, "LONP", "LATP", "RADE", "EQUI"))
    wanted = re.compile(
        rf"({names}){either}{letter}|(TP|TPC|TC|TCD|TV|TPV|TS|TPS){either}_\d+{letter}"
    )
    cards = fits.Header()
    for key in header:
        if not wanted.fullmatch(key):
            continue
        try:
            value = header[key]
        except (ValueError, fits.VerifyError) as error:
            raise DataError(
                f"{path}: no usable WCS: the card {key} cannot be read: correct its header"
            ) from error
        if isinstance(value, float) and not math.isfinite(value):
            raise DataError(f"{path}: no usable WCS: {key} is {value}: correct its header")
        is_text = isinstance(value, str)
        cards[key] = value.strip().upper() if is_text and key.startswith("TCTY") else value
    for short, full in (("LONP", "LONPOLE"), ("LATP", "LATPOLE")):
        # Without a number the keyword is for all columns.
        own, common = f"{short}{numbers[0]}{letter}", f"{full}{letter}"
        if common in header and own not in cards:
            cards[own] = value = header[common]
            if isinstance(value, str):
                raise DataError(
                    f"{path}: no usable WCS: {common} {value!r} is no number: correct it"
                )
    return cards


def _system(cards, numbers, letter):
    """Return RADESYS and EQUINOX of two columns, where the columns have their own."""
    return {
        full: cards[key]
        for short, full in (("RADE", "RADESYS"), ("EQUI", "EQUINOX"))
        for key in (f"{short}{number}{letter}" for number in reversed(numbers))
        if key in cards
    }


def _of_sas(header, numbers):
    """Return SAS's own keywords as those of columns; None if they are not complete."""
    cards = fits.Header()
    for axis, number in zip("XY", numbers, strict=True):
        for theirs, ours in zip(_SAS, _PRIMARY, strict=True):
            value = header.get(f"REF{axis}{theirs}")
            if value is not None:
                is_type = theirs == "CTYP"
                cards[f"{ours}{number}"] = str(value).strip().upper() if is_type else value
    found = ColumnKeywords(numbers, "", cards, {})
    return found if found.is_complete else None


def _check(path, found):
    """Refuse keywords that astropy.wcs would take no notice of."""
    for number in found.numbers:
        kind = str(found.value(0, number))
        if kind[5:8] in _DISTORTED:
            raise DataError(
                f"{path}: no usable WCS: the projection of {found._key(0, number)} {kind!r} has "
                "distortions that columns cannot give: reproject the events to RA---TAN"
            )
    both = {str(number) for number in found.numbers}
    for key, value in found.cards.items():
        at = re.fullmatch(r"(?:TP|TPC|TC|TCD)(\d+)_(\d+)[A-Z]?", key)
        if at and not {at[1], at[2]} <= both and value != 0:
            raise DataError(
                f"{path}: no usable WCS: {key} makes the sky depend on a third column: "
                "reproject the events to RA---TAN"
            )
        if isinstance(value, (bool, str)) and not re.match("TCTY|TCUN|RADE|EQUI", key):
            raise DataError(f"{path}: no usable WCS: {key} {value!r} is no number: correct it")
    if found.matrix_cards(_PC) and found.matrix_cards(_CD):
        keys = (*found.matrix_cards(_PC), *found.matrix_cards(_CD))
        raise DataError(
            f"{path}: no usable WCS: two matrices, {keys[0]} and {keys[-1]}: remove one"
        )
    _check_angles(path, found)


def _check_angles(path, found):
    """Refuse a TCROT that would be ignored: on the longitude, or beside a matrix."""
    angles = [float(found.value(5, number) or 0) for number in found.numbers]
    # The angle belongs to the latitude.
    on_longitude = 0 if str(found.value(0, found.numbers[1]))[:4].strip("-") in _LATITUDES else 1
    is_lost = angles[on_longitude] and angles[on_longitude] != angles[1 - on_longitude]
    if is_lost or (any(angles) and found.matrix_cards()):
        key = found._key(5, found.numbers[on_longitude if is_lost else 1 - on_longitude])
        raise DataError(
            f"{path}: no usable WCS: {key} is for the latitude alone, and not beside a matrix: "
            "remove it, or write the matrix TPCn_k"
        )


_LATITUDES = ("DEC", "GLAT", "ELAT", "SLAT", "XLAT")


def _warn_of_two(path, found, sas):
    """Warn if SAS's keywords place the columns elsewhere."""
    zero = [found.value(2, number) for number in found.numbers]
    try:
        one, two = (what.wcs().all_pix2world([zero], 1)[0] for what in (found, sas))
    except Exception:
        # The reader of the keywords that are used names their fault.
        return
    off = 3600 * math.hypot(
        ((one[0] - two[0] + 180) % 360 - 180) * math.cos(math.radians(one[1])), one[1] - two[1]
    )
    if not off < _SAME:
        warnings.warn(
            f"{path}: two WCS: REFXCRVL, ... place the sky {off:.3g} arcsec from where "
            f"TCRVL{found.numbers[0]}, ... place it: the latter are used",
            DataWarning,
            stacklevel=5,
        )


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
