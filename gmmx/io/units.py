"""Units as they stand in the headers of FITS files, read by astropy.units.

The FITS standard's spellings are understood, and those of CIAO, SAS and HEASoft that are not in
it, such as `sec`, `counts` and a leading slash. Counts and photons are pure numbers here, because
the `cm**2 s` of fluximage is `cm**2 s count/photon` in full.
"""

import re
from dataclasses import dataclass

# Units by the words that stand for them in files, in lower case, because astropy does not know
# all of these words and some programs write units in capitals.
_SPELLINGS = {
    word: unit
    for unit, words in {
        "cm": "cm",
        "m": "m",
        "s": "s sec secs second seconds",
        "ks": "ks ksec",
        "count": "count counts cts ct",
        "photon": "photon photons phot ph",
        "keV": "kev",
        "eV": "ev",
        "deg": "deg degree degrees",
        "arcmin": "arcmin arcmins arcminute arcminutes",
        "arcsec": "arcsec arcsecs arcsecond arcseconds",
        "pixel": "pixel",
        "sr": "sr",
    }.items()
    for word in words.split()
}
# Bases that are pure numbers, as astropy names them.
_NUMBERS = {"ct", "ph", "pix", "adu", "electron", "chan", "bin"}


@dataclass(frozen=True)
class FileUnit:
    """A unit as a file has it, split into powers of length, time and angle.

    Attributes
    ----------
    text : str
        The unit as it stands in the file.
    is_understood : bool
        Whether it is a unit at all.
    length, time, angle : float
        Powers of cm, s and arcsec.
    scale : float
        The size of the unit in those powers.
    has_counts : bool
        Whether counts or photons are part of it.
    has_others : bool
        Whether it has something else, such as an energy.

    Examples
    --------
    >>> unit = read_unit("10**4 cm**2 ksec count/photon")
    >>> unit.is_exposure, unit.length, unit.time, unit.scale
    (True, 2.0, 1.0, 10000000.0)
    >>> read_unit("/cm**2 /s").is_rate
    True
    >>> read_unit("furlongs").is_understood
    False
    """

    text: str
    is_understood: bool = True
    length: float = 0.0
    time: float = 0.0
    angle: float = 0.0
    scale: float = 1.0
    has_counts: bool = False
    has_others: bool = False

    @property
    def is_exposure(self) -> bool:
        """Whether it is an area times a time, an area, or a time."""
        powers = (self.length, self.time, self.angle)
        return not self.has_others and powers in ((2, 1, 0), (2, 0, 0), (0, 1, 0))

    @property
    def is_rate(self) -> bool:
        """Whether it is per area or per time, as a flux or a rate is."""
        return self.length < 0 or self.time < 0

    @property
    def is_number(self) -> bool:
        """Whether it is a pure number: counts, photons, or no unit."""
        powers = (self.length, self.time, self.angle)
        return self.is_understood and not self.has_others and powers == (0, 0, 0)

    @property
    def arcsec(self) -> float | None:
        """Its size if it is an angle [arcsec]; None if it is not."""
        powers = (self.length, self.time, self.angle)
        is_angle = not self.has_others and not self.has_counts and powers == (0, 0, 1)
        return self.scale if self.is_understood and is_angle else None


def read_unit(text: str) -> FileUnit:
    """Read a unit of a FITS header.

    Parameters
    ----------
    text : str
        The value of BUNIT, TUNITn, CUNITn and the like.

    Returns
    -------
    FileUnit
        An empty text is a pure number. A text that is no unit is not understood.
    """
    # Imported here because it takes 0.1 s.
    from astropy import units

    words = re.sub(r"[A-Za-z]+", lambda word: _SPELLINGS.get(word[0].lower(), word[0]), text)
    words = re.sub(r"\s*([/*])\s*", r"\1", words.strip())
    words = f"count{words}" if words.startswith("/") else words
    if words.lower() in ("", "1", "none"):
        return FileUnit(text)
    unit = None
    for spelling in ("fits", "ogip", "generic"):
        try:
            unit = units.Unit(words, format=spelling, parse_strict="raise")
            break
        except (ValueError, TypeError):
            continue
    if unit is None:
        return FileUnit(text, is_understood=False)
    return _split(text, unit)


def _split(text, unit):
    """Split an astropy unit into powers of length, time, angle, and the rest."""
    from astropy import units

    bases = {"length": units.cm, "time": units.s, "angle": units.arcsec}
    powers, scale, others = dict.fromkeys(bases, 0.0), float(unit.scale), set()
    for base, power in zip(unit.bases, unit.powers, strict=True):
        kind = next((kind for kind, one in bases.items() if base.is_equivalent(one)), None)
        if kind is None:
            others.add(base.to_string())
        else:
            powers[kind] += float(power)
            scale *= base.to(bases[kind]) ** power
    return FileUnit(
        text,
        **powers,
        scale=scale,
        has_counts=bool(others & _NUMBERS),
        has_others=bool(others - _NUMBERS),
    )


def energy_scale(text: str) -> float | None:
    """Return the size of an energy unit of a file.

    Parameters
    ----------
    text : str
        The value of TUNITn or DSUNIn.

    Returns
    -------
    float or None
        [keV]; None if the text is no unit of energy.

    Examples
    --------
    >>> energy_scale("keV"), energy_scale("eV"), energy_scale("channel")
    (1.0, 0.001, None)
    """
    return {"kev": 1.0, "ev": 1e-3}.get(text.strip().lower())
