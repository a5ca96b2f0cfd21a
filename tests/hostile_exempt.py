"""Changes that make another valid file of a good one, and why its answer is another one.

No reader can tell such a file from the one that was meant: it holds the only word on the matter,
and the word is a possible one. Each rule takes a case and says whether it is of its kind.
"""

import math
import re

from hostile_changes import (
    DeleteKeyword,
    DeleteNode,
    RepeatKeyword,
    RetypeColumn,
    SetArray,
    SetAttribute,
    SetKeyword,
    SetValues,
    SwapKeywords,
)
from hostile_inputs import GOOD

# Keywords that alone say where something lies, how it is scaled, or what was cut before.
_PLACES = re.compile(
    r"(T?C(RVL|RPX|DLT)|CRVAL|CRPIX|CDELT|T?CROTA?|T(SCAL|ZERO|NULL|LMIN|LMAX)|B(SCALE|ZERO|LANK)"
    r"|LT[VM]|T?P?C|CD|PV|DS(TYP|VAL))\d*(_\d+)?[A-Z]?|L(ON|AT)POLE|EQUINOX|RADESYS|RADECSYS"
)
# Keywords by which the instrument's choices are made; the command prints the choices.
_IDENTITY = re.compile(r"TELESCOP|INSTRUME|DETNAM|PIX_ADJ|GRATING|(RA|DEC|ROLL)_(PNT|NOM)|EXPTIME")
# Words of region files and of filters.
_WORDS = re.compile(
    "circle|ellipse|annulus|box|rotbox|rectangle|polygon|pie|panda|field|point|global|color|green"
    "|include|source|text|a|fk|icrs|physical|image|galactic|energy|ccd|id|sky|exclude|events|fits"
    "|[xydpirhms]",
    re.IGNORECASE,
)
_BIG = 1e6


def _number(text):
    """Return the value of a card if it is a number that may be; None otherwise."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) < _BIG else None


def another_place(case):
    """A keyword of coordinates, scale or cuts has another possible number."""
    change = case.change
    if isinstance(change, SetKeyword | RepeatKeyword):
        return bool(_PLACES.fullmatch(change.key)) and _number(change.value) is not None
    if isinstance(change, SwapKeywords):
        return all(_PLACES.fullmatch(key) for key in (change.key, change.other))
    # The standard has a default for the celestial system.
    return isinstance(change, DeleteKeyword) and change.key in ("RADESYS", "EQUINOX", "WCSNAMEP")


def another_instrument(case):
    """A keyword says that the file is of another instrument, and the choices are printed."""
    keys = [getattr(case.change, name, "") for name in ("key", "other")]
    return any(_IDENTITY.fullmatch(key) for key in keys)


def another_value(case):
    """Pixels or a column hold other possible numbers."""
    change = case.change
    if not isinstance(change, SetValues):
        return False
    if math.isnan(change.value) and not change.column:
        # A pixel that is NaN is one of which nothing is known, by the FITS standard.
        return True
    if not math.isfinite(change.value):
        return False
    if change.column.lower() in ("energy", "pi", "ccd_id", "ccdnr") or "fixed" in change.column:
        # A photon of another energy or chip is not selected; true and false are two values.
        return True
    return abs(change.value) < _BIG


def rounded_values(case):
    """A column was rounded when it got the format of integers or booleans."""
    return isinstance(case.change, RetypeColumn) and case.change.form in ("I", "K", "L")


def another_list(case):
    """A text consists of words that its format has and of possible numbers."""
    if GOOD[case.reader].kind not in ("text", "filter") or case.reader == "table in ECSV":
        return False
    text = case.text.split("\n") if case.text else []
    plain = "\n".join(line.split("#")[0] for line in text)
    words = re.findall(r"[A-Za-z]+", re.sub(r"\d[eE][-+]?\d", "0", plain))
    numbers = [_number(one) for one in re.findall(r"[-+]?\d[\d.]*(?:[eE][-+]?\d+)?", plain)]
    is_printable = all(one.isprintable() for line in text for one in line)
    known = all(_WORDS.fullmatch(word) for word in words)
    return is_printable and known and None not in numbers


def another_option(case):
    """A configuration has other options, all of which are possible."""
    return case.reader == "configuration"


def another_model(case):
    """An array or an optional part of a model holds other possible numbers, or is not there."""
    change = case.change
    if isinstance(change, SetArray):
        return change.how in ("zero", "negative", "ints") and bool(
            re.search(r"photons/|mean$|history/|path/|prior_scale|_error$|kind$", change.node)
        )
    if isinstance(change, SetAttribute):
        shown = "objective log_likelihood seconds iterations seed stop_reason converged command"
        told = "correlation photons photons_error amplitude_error signal_error gmmx_version created"
        return change.key in f"{shown} {told} warnings options requested_components".split()
    return isinstance(change, DeleteNode) and bool(
        re.search(
            r"photons/(energy|ccd)$|physical|masks|pointing|dropped|history|path", change.node
        )
    )


EXEMPT = (
    another_place,
    another_instrument,
    another_value,
    rounded_values,
    another_list,
    another_option,
    another_model,
)
