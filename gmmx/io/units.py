"""Units as they stand in FITS files, read by astropy.units: one reader for all files.

A text is read as the FITS standard spells units, and then as astropy's generic format does. Before
that, the words of CIAO, SAS, HEASoft, eSASS and others are replaced by those of the standard
(`_unit_words`), because astropy does not know all of them and some programs write in capitals.
Every factor is kept: `10**4 cm**2 s` and `m**2 s` are 10**4 cm**2 s, `cm**2 ks` is 10**3 cm**2 s.

A text that is no unit, or that can be read in two ways, is not understood. Callers refuse it by
name, because a unit that is half read is a wrong number.
"""

import math
import re
import warnings
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from ._unit_words import NO_UNIT, standard

# Longest text that can be a unit, and a power that is none but takes long to compute.
_LONGEST, _HUGE_POWER = 200, r"[^\s\d.]\d{4}"
# The unit of an exposure for its powers of length and time.
_EXPOSURES: dict[tuple[float, float], str] = {(2, 1): "cm**2 s", (2, 0): "cm**2", (0, 1): "s"}


@dataclass(frozen=True, kw_only=True)
class FileUnit:
    """A unit as a file has it, split into powers of what an X-ray file can hold.

    Attributes
    ----------
    text : str
        The unit as it stands in the file.
    is_understood : bool
        Whether it is a unit at all, and can be read in one way only.
    length, time, angle, energy, counts, pixels : float
        Powers of cm, s, arcsec, keV, of counts and photons together, and of pixels. So the
        ``count/photon`` of CIAO's exposure maps is a pure number.
    scale : float
        The size of the unit in those powers.
    has_others : bool
        Whether it has something else, such as a mass or a detector channel.

    Examples
    --------
    >>> unit = read_unit("10**4 cm**2 ksec count/photon")
    >>> unit.exposure, unit.scale
    ('cm**2 s', 10000000.0)
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
    energy: float = 0.0
    counts: float = 0.0
    pixels: float = 0.0
    scale: float = 1.0
    has_others: bool = False

    @property
    def powers(self) -> tuple[float, ...]:
        """Powers of cm, s, arcsec, keV, counts and pixels."""
        return (self.length, self.time, self.angle, self.energy, self.counts, self.pixels)

    def of(self, other: str) -> float | None:
        """The size of this unit in another one; None if it is of another quantity.

        Examples
        --------
        >>> read_unit("arcmin").of("arcsec"), read_unit("arcmin").of("s")
        (60.0, None)
        """
        wanted = read_unit(other)
        is_same = self.powers == wanted.powers and self.is_understood and not self.has_others
        return self.scale / wanted.scale if is_same else None

    @property
    def exposure(self) -> str | None:
        """The exposure unit: "cm**2 s", "cm**2" or "s"; None if it is not one of them."""
        if not self.is_understood or self.has_others or any(self.powers[2:]):
            return None
        return _EXPOSURES.get((self.length, self.time))

    @property
    def is_rate(self) -> bool:
        """Whether it is per area or per time, as a flux or a rate is."""
        return self.length < 0 or self.time < 0

    @property
    def is_number(self) -> bool:
        """Whether it is a pure number: counts, photons, in a pixel or not, or no unit."""
        return self.is_understood and not self.has_others and not any(self.powers[:4])

    @property
    def is_counts(self) -> bool:
        """Whether an image of counts can have it: counts, counts per pixel, or no unit."""
        return self.is_number and self.counts in (0, 1) and self.pixels in (0, -1)

    @property
    def is_pixel(self) -> bool:
        """Whether it is the side of a pixel."""
        return self.is_number and (self.counts, self.pixels) == (0, 1)

    @property
    def arcsec(self) -> float | None:
        """Its size if it is an angle [arcsec]; None if it is not."""
        return self.of("arcsec")

    @property
    def kev(self) -> float | None:
        """Its size if it is an energy [keV]; None if it is not."""
        return self.of("keV")


@lru_cache(maxsize=256)
def read_unit(text: str) -> FileUnit:
    """Read a unit of a FITS header or an option.

    Parameters
    ----------
    text : str
        The value of BUNIT, TUNITn, CUNITn and the like.

    Returns
    -------
    FileUnit
        A text without a unit, such as "" or "none", is a pure number. A text that is no unit is not
        understood, and neither is one that can be read in two ways: ``count/photon s``.

    Examples
    --------
    >>> [read_unit(text).exposure for text in ("cm^2*s", "CM2 S", "cm**2-s", "sec", "cm**2 s sr")]
    ['cm**2 s', 'cm**2 s', 'cm**2 s', 's', None]
    """
    words = " ".join(text.split())
    if re.fullmatch(r"\[[^][]*\]|\([^()]*\)", words):
        words = words[1:-1].strip()
    if words.lower() in NO_UNIT:
        return FileUnit(text=text)
    found = None
    if len(words) <= _LONGEST:
        with suppress(ValueError, TypeError, ArithmeticError):
            found = _split(text, _parsed(standard(words)))
    if found is None or not (math.isfinite(found.scale) and found.scale > 0):
        return FileUnit(text=text, is_understood=False)
    return found


def _parsed(words):
    """Return the unit of astropy that a text names.

    Raises
    ------
    ValueError
        If it names none, or can be read in two ways.
    """
    # Imported here because it takes 0.1 s.
    from astropy import units

    flat, inner = words.replace("**", "^"), 1
    while inner:
        flat, inner = re.subn(r"\([^()]+\)", "()", flat)
    # Readers differ about a product behind a slash: a/b c is a/(b c) or (a/b) c.
    if re.search(r"/[^/*\s.]+[*\s.]+[A-Za-z(]", flat) or re.search(_HUGE_POWER, words):
        raise ValueError(words)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", units.UnitsWarning)
        try:
            unit = units.Unit(words, format="fits", parse_strict="raise")
        except (ValueError, TypeError):
            unit = units.Unit(words, format="generic", parse_strict="raise")
    if not isinstance(unit, units.UnitBase):
        raise ValueError(words)
    return unit


def _split(text, unit):
    """Split an astropy unit into powers of length, time and the others, and the rest."""
    from astropy import units

    bases = {
        "length": units.cm,
        "time": units.s,
        "angle": units.arcsec,
        "energy": units.keV,
        "counts": units.count,
        "pixels": units.pixel,
    }
    # A photon is a count, and a steradian is the square of an angle.
    own = {
        units.photon: ("counts", 1.0, 1),
        units.sr: ("angle", units.rad.to(units.arcsec) ** 2, 2),
    }
    powers, scale, has_others = dict.fromkeys(bases, 0.0), float(unit.scale), False
    for base, power in zip(unit.bases, unit.powers, strict=True):
        kind = next((kind for kind, one in bases.items() if base.is_equivalent(one)), None)
        if base not in own and kind is None:
            has_others = True
            continue
        kind, size, times = own.get(base) or (kind, base.to(bases[kind]), 1)
        powers[kind] += times * float(power)
        scale *= size ** float(power)
    return FileUnit(text=text, **powers, scale=scale, has_others=has_others)


def in_unit(value: float, comment: str, wanted: str) -> float:
    """Return the value of a keyword in a unit.

    Parameters
    ----------
    value : float
    comment : str
        Comment of the keyword, at whose beginning its unit stands in brackets (FITS standard,
        section 4.3.2). Without one, or with one of another quantity, the value stays as it is.
    wanted : str
        The unit that is wanted.

    Examples
    --------
    >>> in_unit(500.0, "[eV] lower energy", "keV"), in_unit(20.0, "exposure", "s")
    (0.5, 20.0)
    """
    bracket = re.match(r"\s*\[([^][]+)\]", comment)
    size = read_unit(bracket[1]).of(wanted) if bracket else None
    return value if size in (None, 1) else value * size


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
    return read_unit(text).kev
