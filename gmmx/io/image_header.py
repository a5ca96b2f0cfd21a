"""Keywords and history in the header of an image, from the fit and its observations."""

import json
from collections.abc import Iterable, Sequence

import numpy as np

from ..model.flux_notes import areas_of, flux_note
from ..model.observation import Observation, common_band
from ..model.result import FitResult

Card = tuple[str | bool | int | float, str]

# Keywords of the event files that are carried over.
_CARRIED = (
    *("TELESCOP", "INSTRUME", "DETNAM", "GRATING", "FILTER", "OBS_ID", "SEQ_NUM", "OBJECT"),
    *("OBSERVER", "TITLE", "DATAMODE", "ASCDSVER"),
    *("DATE-OBS", "DATE-END", "MJD-OBS", "MJD_OBS", "MJDREF", "TIMESYS", "TSTART", "TSTOP"),
    *("ONTIME", "LIVETIME", "EXPOSURE", "DTCOR"),
    *("RA_PNT", "DEC_PNT", "ROLL_PNT", "RA_NOM", "DEC_NOM", "ROLL_NOM", "RA_TARG", "DEC_TARG"),
)
# Keywords whose values are added when there are several observations.
_SUMMED = ("ONTIME", "LIVETIME", "EXPOSURE")
# Columns of text in a line of the history.
_HISTORY_WIDTH = 56


def keywords(result: FitResult) -> dict[str, Card]:
    """Keywords about the observations and the fit.

    A keyword whose value differs between observations is left out, except that exposure times
    are added and OBS_ID becomes "Merged", as in the files of CIAO's merge_obs.

    Parameters
    ----------
    result : FitResult
        Its observations are those that the image belongs to.

    Returns
    -------
    dict of str to (value, str)
        Keyword, value and comment.
    """
    headers = [o.pointing.fits_keywords() for o in result.observations]
    cards = _carried(headers) | _band(result.observations)
    unit = result.exposure_unit or "relative"
    cards["REFEXPO"] = (float(result.reference_exposure), f"[{unit}] reference exposure")
    if areas_of(result):
        cards["FLUXNOTE"] = (flux_note(result), "")
    cards["NCOMP"] = (len(result.extended), "extended components of the mixture")
    cards["NPOINTS"] = (len(result.point_sources), "point sources of the mixture")
    cards["SEED"] = (int(result.seed), "seed of the fit")
    cards["CONVERGD"] = (bool(result.converged), "true if the fit converged")
    return cards


def history(result: FitResult, created: str, command: str | None) -> list[str]:
    """Lines of HISTORY as CIAO's tools write them, so that dmhistory reads them.

    Each has 64 columns of text and a running number. The first names the tool, the others give
    the parameters: ``PARM  :name=value``, continued with ``CONT  :``.

    Parameters
    ----------
    result : FitResult
    created : str
        Date of the file.
    command : str, optional
        The command line that made the image.
    """
    parameters = ({"command": command} if command else {}) | result.options
    lines = [f"TOOL  :gmmx   {created}"]
    for name, value in parameters.items():
        text = printable(f"{name}={value if isinstance(value, str) else json.dumps(value)}")
        starts = range(0, len(text), _HISTORY_WIDTH)
        lines += [
            ("CONT  :" if start else "PARM  :") + text[start : start + _HISTORY_WIDTH]
            for start in starts
        ]
    return [f" {line:<63}ASC{number:05d}" for number, line in enumerate(lines, start=1)]


def printable(text: str) -> str:
    r"""Text as it may stand in a FITS header: printable ASCII, other characters as escapes.

    Examples
    --------
    >>> print(printable("\u00c5ngstr\u00f6m"))
    \xc5ngstr\xf6m
    """
    return "".join(c if " " <= c <= "~" else c.encode("unicode_escape").decode() for c in text)


def _carried(headers: Sequence[dict]) -> dict[str, Card]:
    """The keywords that observations share, and sums of exposure times."""
    cards: dict[str, Card] = {}
    for key in _CARRIED:
        values = [_plain(header[key]) for header in headers if _is_plain(header.get(key))]
        if not values:
            continue
        if key in _SUMMED and len(headers) > 1:
            if len(values) == len(headers):
                total = sum(float(value) for value in values)
                cards[key] = (total, "sum over observations")
        elif len(set(values)) == 1:
            cards[key] = (values[0], "")
        elif key == "OBS_ID":
            cards[key] = ("Merged", "several observations")
    return cards


def _band(observations: Iterable[Observation]) -> dict[str, Card]:
    """The energies of all observations; none if one of them was fitted at all energies."""
    band = common_band(observations)
    if band is None:
        return {}
    return {
        "ENERG_LO": (band[0], "[keV] lower end of the energy band"),
        "ENERG_HI": (band[1], "[keV] upper end of the energy band"),
    }


def _is_plain(value) -> bool:
    """Whether a value can stand in a header: a text, a boolean or a finite number."""
    if isinstance(value, float | np.floating):
        return bool(np.isfinite(value))
    return isinstance(value, str | bool | int | np.generic)


def _plain(value) -> str | bool | int | float:
    value = value.item() if isinstance(value, np.generic) else value
    return printable(value) if isinstance(value, str) else value
