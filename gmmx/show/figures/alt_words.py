"""The words of descriptions: targets, fields, places and numbers as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...answers.one_sky import energies_of
from .words import heading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astropy.coordinates import SkyCoord
    from astropy.table import QTable

    from ...model.result import FitResult
    from ...plane.frame import SkyFrame


def target(result: FitResult, *, with_photons: bool = True) -> str:
    """The target and the telescope, and the energies and the number of photons if wanted."""
    pointing = result.observations[0].pointing
    name = " ".join(heading(result).replace(r"\$", "$").split()) or "an unnamed target"
    telescope = f"{pointing.telescope} {pointing.instrument}".strip()
    facts = [telescope]
    if with_photons:
        facts += [energies_of(result), f"{result.n_photons:,.0f} photons"]
    about = ", ".join(filter(None, facts))
    return f"{name} ({about})" if about else name


def field(width: float, height: float, centre: SkyCoord | None) -> str:
    """Size and centre of a field."""
    unit, name = (3600.0, "degrees") if width > 7200 else (60.0, "arcmin")
    unit, name = (1.0, "arcsec") if width < 120 else (unit, name)
    text = f"a field of {width / unit:.3g} by {height / unit:.3g} {name}"
    return text if centre is None else f"{text} about {coordinates(centre)}"


def direction(frame: SkyFrame | None, x: float, y: float) -> SkyCoord | None:
    """The direction of a position in a plane [arcsec]; None without a plane."""
    if frame is None:
        return None
    from astropy.coordinates import SkyCoord

    return SkyCoord(*frame.to_sky(x, y), unit="deg", frame=frame.radesys.lower())


def coordinates(place: SkyCoord) -> str:
    """Right ascension and declination (ICRS)."""
    icrs = place.icrs
    ra = icrs.ra.to_string("hour", sep=":", precision=1, pad=True)
    dec = icrs.dec.to_string("deg", sep=":", precision=0, pad=True, alwayssign=True)
    return f"RA {ra}, Dec {dec}"


def place_of(frame: SkyFrame | None, x: Any, y: Any) -> str:
    """The coordinates of a position in a plane [arcsec]."""
    place = direction(frame, x, y)
    if place is None:
        return f"x = {float(x):.3g}, y = {float(y):.3g} arcsec"
    return coordinates(place)


def number(n: int) -> str:
    """A small number as a word that begins a sentence."""
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
    return words[n] if n < len(words) else str(n)


def listed(words: Sequence[str]) -> str:
    """Words with commas, and "and" before the last."""
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


def sentence(clauses: Sequence[str]) -> str:
    """Clauses as one sentence."""
    text = "; ".join(clauses) or "there is nothing to see in it"
    return f"{text[0].upper()}{text[1:]}."


def short(value: float) -> str:
    """A number as plain text."""
    return f"{float(value):.3g}"


def fall_of(table: QTable) -> list[str]:
    """How the deconvolved model of a radial profile falls, as clauses of a sentence."""
    bright = np.asarray(table["DECONV_SUR_FLUX"].value)
    radius = np.asarray(table["RMID"].value)
    seen = np.flatnonzero(bright > 0)
    if not len(seen):
        return ["the model has no signal in the annuli of the profile"]
    first = seen[0]
    flux = "CUM_FLUX" in table.colnames
    unit = "photon/cm^2/s/arcsec^2" if flux else "photons/arcsec^2"
    text = f"the profile of the model before the PSF begins at {short(bright[first])} {unit}"
    falls = []
    for part, words in ((0.1, "a tenth"), (0.01, "a hundredth")):
        below = np.flatnonzero((bright < part * bright[first]) & (radius > radius[first]))
        if len(below):
            falls.append(f"{words} of that at {short(radius[below[0]])} arcsec")
    return [f"{text} and falls below {listed(falls)}" if falls else text]
