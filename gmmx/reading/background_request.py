"""Read the backgrounds that the option `background` asks for."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError

WORDS = ("sky", "particle", "particle-fi", "particle-bi", "streak")
FIXED = ":fixed"
FORMS = (
    "write sky, particle, streak, a FITS file, FILE:fixed, sky=VALUE, particle=VALUE, "
    "streak=FRACTION or none, joined with commas"
)


@dataclass(frozen=True)
class BackgroundRequest:
    """One background that is asked for.

    Attributes
    ----------
    what : str
        A word or a path.
    amplitude : float or None
        The value that the amplitude is fixed at, in the unit of the kind.
    is_file : bool
    fixed : bool
        Whether the amplitude of the file itself is kept.
    """

    what: str
    amplitude: float | None = None
    is_file: bool = False
    fixed: bool = False

    @property
    def name(self):
        """Name of the background: the word, or the name of the file."""
        return Path(self.what).name if self.is_file else self.what


def parse_backgrounds(background):
    """Return the backgrounds that are asked for.

    Parameters
    ----------
    background : sequence of str
        As in `ReadOptions`, for one observation: words or files, joined with commas or one by
        one.

    Returns
    -------
    tuple of BackgroundRequest, or None
        None if nothing is asked for, so that the instrument decides.

    Raises
    ------
    InputError
        If a word is unknown, a value is impossible, or one background is asked for twice.

    Examples
    --------
    >>> [(one.name, one.amplitude) for one in parse_backgrounds(["sky=2e-9,particle"])]
    [('sky', 2e-09), ('particle', None)]
    """
    texts = [str(text).strip() for text in background]
    if not texts:
        return None
    parts = [
        part.strip()
        for text in texts
        for part in ([text] if _names_file(text) else text.split(","))
    ]
    requests = tuple(_request(text) for text in parts if text not in ("", "none"))
    names = [one.name for one in requests]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(
            f"`background` = {', '.join(texts)}: one {twice} background is enough",
            parameter="background",
        )
    if "particle" in names and {"particle-fi", "particle-bi"} & set(names):
        raise InputError(
            f"`background` = {', '.join(texts)}: particle consists of particle-fi and "
            "particle-bi: give either",
            parameter="background",
        )
    return requests


def _request(text):
    """Read one background."""
    word, _, value = text.partition("=")
    if word in WORDS:
        return BackgroundRequest(word, _amplitude(text, value) if "=" in text else None)
    path = text.removesuffix(FIXED)
    if _names_file(text) or re.search(r"[./]", path):
        return BackgroundRequest(path, is_file=True, fixed=text.endswith(FIXED))
    raise InputError(f"`background` = {text}: {FORMS}", parameter="background")


def _names_file(text):
    return text not in WORDS and Path(text.removesuffix(FIXED)).is_file()


def _amplitude(text, value):
    """Read the value behind an equals sign."""
    try:
        amplitude = float(value)
    except ValueError:
        amplitude = math.nan
    if not (math.isfinite(amplitude) and amplitude >= 0):
        raise InputError(
            f"`background` = {text}: the amplitude must be a number, at least 0, such as sky=2e-9",
            parameter="background",
        )
    if text.startswith("streak") and amplitude >= 1:
        raise InputError(
            f"`background` = {text}: that is the fraction of all photons, below 1, "
            "such as streak=0.0128",
            parameter="background",
        )
    return amplitude
