"""The keywords of a file, event list or image alike, without its data.

Two files of one observation agree in their keywords. `reading.doubts` compares them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

from .events import is_events
from .files import open_fits, reading


@dataclass(frozen=True, eq=False, repr=False)
class HeaderFacts:
    """The keywords of the table of events of a file, or else of its first image.

    Parameters
    ----------
    path : str
    keywords : mapping of str to object
        Empty if the file has neither.

    Examples
    --------
    >>> facts = read_header_facts("data_samples/expmap.fits.gz")
    >>> facts
    HeaderFacts(expmap.fits.gz)
    >>> facts.text("BUNIT"), facts.number("ENERG_HI"), facts.number("OBS_ID")
    ('cm**2 s', 2.0, None)
    """

    path: str
    keywords: Mapping[str, object] = field(default_factory=dict)

    def __repr__(self):
        return f"HeaderFacts({self.name})"

    @property
    def name(self) -> str:
        """Name of the file without its folder."""
        return Path(self.path).name

    def text(self, key: str) -> str:
        """A keyword as stripped text; empty if it is absent."""
        value = self.keywords.get(key, "")
        return "" if value is None else str(value).strip()

    def number(self, key: str) -> float | None:
        """A keyword as a finite number; None if it is absent or no number."""
        value = self.keywords.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        return float(value) if math.isfinite(value) else None


def read_header_facts(path: str | PathLike) -> HeaderFacts:
    """Read the keywords of the table of events of a file, or else of its first image.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    HeaderFacts

    Raises
    ------
    DataError
        If the file is not there, or is not FITS.
    """
    with open_fits(path) as opened, reading(path):
        for hdu in opened.hdus():
            header = hdu.header
            axes = "ZNAXIS" if header.get("ZIMAGE", False) else "NAXIS"
            is_table = str(header.get("XTENSION", "")).strip() == "BINTABLE"
            is_image = header.get("ZIMAGE", False) or not is_table
            if is_events(header) or (is_image and header.get(axes, 0) >= 2):
                return HeaderFacts(str(path), _values(header))
    return HeaderFacts(str(path))


def _values(header):
    """Return the values of the cards that can be read; the others are left out."""
    found = {}
    for card in header.cards:
        try:
            if card.keyword not in ("", "COMMENT", "HISTORY"):
                found[card.keyword] = card.value
        except Exception:
            # astropy's errors of an unreadable card have no common ancestor but this. A card that
            # says nothing contradicts nothing.
            continue
    return found
