"""Spellings of units in the files of CIAO, SAS, HEASoft, eSASS and others.

astropy.units knows those of the FITS standard, which tells capitals from small letters.
"""

import re

# Words of files, in lower case, for each unit as the FITS standard (or astropy) spells it.
_WORDS = {
    word: unit
    for unit, words in {
        "mm": "mm",
        "cm": "cm centimeter centimeters centimetre centimetres",
        "m": "m meter meters metre metres",
        "s": "s sec secs second seconds",
        "ks": "ks ksec ksecs kilosecond kiloseconds",
        "min": "min mins minute minutes",
        "h": "hr hrs hour hours",
        "d": "day days",
        "count": "count counts cts ct cnt cnts event events evt evts",
        "photon": "photon photons phot ph",
        "eV": "ev",
        "keV": "kev",
        "MeV": "mev",
        "GeV": "gev",
        "erg": "erg ergs",
        "deg": "deg degs degree degrees",
        "arcmin": "arcmin arcmins arcminute arcminutes amin",
        "arcsec": "arcsec arcsecs arcsecond arcseconds asec arcs",
        "rad": "rad radian radians",
        "sr": "sr steradian steradians ster",
        "pixel": "pixel pixels pix pixs",
        "chan": "chan chans channel channels",
        "adu": "adu",
    }.items()
    for word in words.split()
}
# Words in which the case of M tells a million from a thousandth, which capitals do not.
_MILLIONS = {"Ms": "Ms", "Msec": "Ms", "ms": "ms", "msec": "ms"}
_AMBIGUOUS = ("MS", "MSEC")
# Texts for a quantity without a unit.
NO_UNIT = (
    *("", "1", "none", "n/a", "na", "null", "unitless", "dimensionless", "relative"),
    *("fraction", "ratio", "normalized", "normalised", "arbitrary"),
)
_SYMBOLS = {'"': "arcsec", "''": "arcsec", "'": "arcmin", "\N{DEGREE SIGN}": "deg"}


def standard(words):
    """Return a unit with words and operators as the FITS standard has them.

    Parameters
    ----------
    words : str
        The unit as a file has it, with single blanks.

    Raises
    ------
    ValueError
        If a word can be read in two ways.

    Examples
    --------
    >>> standard("CM^2 KSEC"), standard("cts per sec")
    ('cm^2 ks', 'count/s')
    """
    words = _SYMBOLS.get(words, words)
    # A hyphen between two units joins them, as a blank does.
    words = re.sub(r"(?<=[\w)])\s*-\s*(?=[A-Za-z])", " ", words)
    words = re.sub(r"\s+per\s+", "/", words, flags=re.IGNORECASE)
    words = re.sub(r"\b(?:sq|square)\.?\s+([A-Za-z]+)", r"\1**2", words, flags=re.IGNORECASE)
    words = re.sub(r"[A-Za-z]+", lambda found: _word(found[0]), words)
    words = re.sub(r"\s*([/*^])\s*", r"\1", words)
    words = re.sub(r"(?<=\d)\.0+(?![\deE])", "", words)
    return f"count{words}" if words.startswith("/") else words


def _word(word):
    """Return a word as the FITS standard has it; one that is not known stays."""
    if word in _AMBIGUOUS:
        raise ValueError(word)
    return _MILLIONS.get(word) or _WORDS.get(word.lower(), word)
