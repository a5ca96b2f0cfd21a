"""The celestial system of a file, from RADESYS, EQUINOX and the names of its axes.

RADESYS has many spellings, and `astropy.wcs.utils.wcs_to_celestial_frame` takes galactic
coordinates for right ascension and declination where the file also has a RADESYS. So the names are
read here, and astropy converts the directions.
"""

import re
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Union

import numpy as np

from ..errors import DataError, DataWarning
from ..plane.systems import SYSTEMS, converted

if TYPE_CHECKING:
    from astropy.coordinates import BaseCoordinateFrame

# Spellings of RADESYS without blanks, quotes and marks; none of them has a year in it but
# J2000 and B1950, which are those of the system's own equinox.
_SPELLINGS = {
    "ICRS": ("ICRS", "ICRF", "ICRF2", "ICRF3", "ICRSJ2000", "ICRS2000", "ICRSJ20000"),
    "FK5": ("FK5", "J2000", "FK5J2000", "FK52000", "J20000", "FK5J20000", "FK520000"),
    "FK4": ("FK4", "B1950", "FK4B1950", "FK41950", "B19500", "FK4B19500", "FK419500"),
    "FK4-NO-E": ("FK4NOE",),
}
_OF_SPELLING = {text: name for name, texts in _SPELLINGS.items() for text in texts}
_OWN_EQUINOX = {"FK5": 2000.0, "FK4": 1950.0, "FK4-NO-E": 1950.0}
# FITS standard 4.0, section 8.3: the default of RADESYS where EQUINOX is earlier, else FK5.
_FK5_BEGINS = 1984.0
# Equinoxes that differ by less are the same [year], and the years in which one may lie.
_SAME_YEAR, _YEARS = 1e-6, (1800.0, 2100.0)

System = Union[str, "BaseCoordinateFrame"]


@dataclass(frozen=True)
class FileSystem:
    """The celestial systems of a file.

    Attributes
    ----------
    name : {"ICRS", "FK5", "FK4"}
        The system of the plane in which the file is read.
    equatorial : str or astropy frame
        The system of RA and DEC in the file: `name`, unless it has another equinox.
    """

    name: str
    equatorial: System

    @property
    def is_own(self):
        """Whether RA and DEC of the file are those of the plane."""
        return isinstance(self.equatorial, str)

    def of_axis(self, path, ctype):
        """Return the system of a longitude axis, a name or a frame of astropy.

        Parameters
        ----------
        path : str or Path
            For messages.
        ctype : str
            CTYPE of the axis.

        Raises
        ------
        DataError
            If it is none that is known here.
        """
        kind = ctype[:4]
        if kind == "RA--":
            return self.equatorial
        if kind == "GLON":
            return "galactic"
        if kind == "SLON":
            return "supergalactic"
        if kind == "ELON" and "fk4" not in str(getattr(self.equatorial, "name", self.name)).lower():
            return self._ecliptic()
        raise DataError(
            f"{path}: celestial coordinates {ctype!r} ({self.name}) are not understood: give "
            "equatorial (RA, DEC), galactic, supergalactic or ecliptic ones of FK5 or ICRS"
        )

    def _ecliptic(self):
        from astropy.coordinates import BarycentricMeanEcliptic

        if self.is_own:
            return BarycentricMeanEcliptic()
        return BarycentricMeanEcliptic(equinox=self.equatorial.equinox)

    def to_own(self, ra, dec):
        """Convert RA and DEC of the file [deg] to the system of the plane."""
        return converted(ra, dec, self.equatorial, self.name)

    def own_pointing(self, pointing):
        """Return a pointing whose directions and roll are in the system of the plane."""
        if self.is_own:
            return pointing
        header, changes = dict(pointing.header), {}
        for kind in ("NOM", "TARG"):
            place = header.get(f"RA_{kind}"), header.get(f"DEC_{kind}")
            if all(isinstance(value, (int, float)) for value in place):
                ra, dec = self.to_own(*place)
                header |= {f"RA_{kind}": float(ra), f"DEC_{kind}": float(dec)}
        header |= {"RADESYS": self.name, "EQUINOX": _OWN_EQUINOX.get(self.name, 2000.0)}
        if pointing.ra is not None and pointing.dec is not None:
            ra, dec = self.to_own(pointing.ra, pointing.dec)
            changes = {"ra": float(ra), "dec": float(dec)}
            if pointing.roll is not None:
                changes["roll"] = (pointing.roll + self._turn(pointing.ra, pointing.dec)) % 360
        return replace(pointing, header=header, **changes)

    def _turn(self, ra, dec):
        """Return the position angle in the plane's system of the file's north [deg]."""
        from astropy import units
        from astropy.coordinates import SkyCoord

        step = -1e-3 if dec > 0 else 1e-3
        (ra0, ra1), (dec0, dec1) = self.to_own([ra, ra], [dec, dec + step])
        here, there = (SkyCoord(*at, unit="deg") for at in ((ra0, dec0), (ra1, dec1)))
        angle = here.position_angle(there).to_value(units.deg)
        return float(angle + (180 if step < 0 else 0))


def system_of(path, keywords, *, suffix="", default="ICRS"):
    """Return the celestial systems of a file.

    Parameters
    ----------
    path : str or Path
        For messages.
    keywords : mapping
        RADESYS, EQUINOX and their older names RADECSYS and EPOCH.
    suffix : str
        Letter of an alternate WCS.
    default : str
        The system if the file names none.

    Returns
    -------
    FileSystem

    Raises
    ------
    DataError
        If RADESYS or EQUINOX is not understood.

    Warns
    -----
    DataWarning
        If ICRS, which has no equinox, is given one.

    Examples
    --------
    >>> system_of("evt.fits", {"RADECSYS": "fk5", "EQUINOX": 2000.0})
    FileSystem(name='FK5', equatorial='FK5')
    >>> system_of("evt.fits", {"EQUINOX": "B1950"}).name
    'FK4'
    """
    text, key = _first(keywords, f"RADESYS{suffix}", "RADECSYS", "RADESYS")
    year = _equinox(path, keywords, suffix, is_named=bool(text))
    if text:
        name = _OF_SPELLING.get(re.sub(r"[\s'\"._/()-]", "", text.upper()))
        if name is None:
            raise DataError(
                f"{path}: {key} {text!r} is no celestial system that is understood: "
                f"correct it to {', '.join(SYSTEMS)}, or leave it out"
            )
    elif year is None:
        name = default
    else:
        name = "FK4" if year < _FK5_BEGINS else "FK5"
    return _with_equinox(path, name, year)


def _with_equinox(path, name, year):
    """Return the systems of a name in SYSTEMS, or FK4-NO-E, and an equinox or None."""
    own = _OWN_EQUINOX.get(name)
    if own is None:
        if year is not None and abs(year - 2000) > 0.1:
            warnings.warn(
                f"{path}: EQUINOX {year:g} has no meaning for {name}, and is not applied: "
                "is RADESYS right?",
                DataWarning,
                stacklevel=2,
            )
        return FileSystem(name, name)
    if name in SYSTEMS and (year is None or abs(year - own) < _SAME_YEAR):
        return FileSystem(name, name)
    from astropy.coordinates import FK4, FK5, FK4NoETerms
    from astropy.time import Time

    kind = {"FK5": FK5, "FK4": FK4, "FK4-NO-E": FK4NoETerms}[name]
    time = Time(own if year is None else year, format="jyear" if name == "FK5" else "byear")
    # FK4 rotates slowly, so that only ICRS is a safe place for another FK4.
    return FileSystem("FK5" if name == "FK5" else "ICRS", kind(equinox=time))


def _equinox(path, keywords, suffix, *, is_named):
    """Return EQUINOX as a year; None if it is not given."""
    keys = (f"EQUINOX{suffix}", "EQUINOX")
    value, key = _first(keywords, *keys)
    if not value:
        # EPOCH is the older name, but often the date of the observation.
        value, key = _first(keywords, "EPOCH")
        if is_named or value not in ("1950", "1950.0", "2000", "2000.0"):
            return None
    found = re.fullmatch(r"[JB]?\s*([-+.\dE]+)", value.upper())
    try:
        year = float(found[1]) if found else np.nan
    except ValueError:
        year = np.nan
    if not _YEARS[0] <= year <= _YEARS[1]:
        raise DataError(
            f"{path}: {key} {value!r} is no year of an equinox: correct it, such as to 2000.0"
        )
    return year


def _first(keywords, *names):
    """Return the first of some keywords that is not blank, as text, and its name."""
    for name in names:
        value = keywords.get(name)
        text = "" if value is None or isinstance(value, bool) else str(value).strip()
        if text:
            return text, name
    return "", names[0]
