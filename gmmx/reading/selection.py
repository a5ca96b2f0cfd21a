"""From all photons of a file to those of a fit: chips, energies, shapes, and the cells that photons and exposure are collected into."""

import warnings

import numpy as np

from ..config import chip_numbers, energy_band
from ..errors import DataError, DataWarning, InputError

ACIS_BAND_KEV = (0.5, 7.0)
ACIS_I, ACIS_S = (0, 1, 2, 3), (7,)
# Position of Chandra's instrument table with ACIS-I and ACIS-S at the focus is -233.6 and -190.1 mm; observations shift it by some 10 mm.
SIM_Z_ACIS = (-250.0, -211.0, -150.0)
AIM_RADIUS = 60.0
# Bands beyond this are eV mistaken for keV: no focusing telescope works there.
HIGHEST_KEV = 100.0


def parse_energy(energy):
    """An energy band as (low, high) [keV], or None for all energies: `energy_band` without its "all"."""
    band = energy_band(energy)
    return None if band == "all" else band


def parse_ccd(ccd):
    """Chip numbers in rising order, or None for all: `chip_numbers` without its "all"."""
    chips = chip_numbers(ccd)
    return None if chips == "all" else chips


def resolve_energy(events, energy=None):
    """The energy band (low, high) [keV] or None for all, and how it was chosen (None where it was asked for).

    Without a request: 0.5 to 7 keV for ACIS, or what of it the file's own filter left; all energies elsewhere.
    """
    if energy is not None:
        return parse_energy(energy), None
    recorded = events.metadata.get("recorded_energy_band_kev")
    instrument = str(events.metadata.get("INSTRUME", ""))
    if events.photons.energy_kev is None:
        return None, "all (the file does not tell energies)"
    if not instrument.upper().startswith("ACIS"):
        known = f"; the file was cut to {recorded[0]:g}:{recorded[1]:g} keV" if recorded else ""
        return None, f"all (no default band for {instrument or 'this instrument'}{known})"
    if recorded is None:
        return ACIS_BAND_KEV, "{:g}:{:g} keV (default for ACIS)".format(*ACIS_BAND_KEV)
    band = max(ACIS_BAND_KEV[0], recorded[0]), min(ACIS_BAND_KEV[1], recorded[1])
    if band[0] >= band[1]:
        return tuple(recorded), "{:g}:{:g} keV (the file's own filter)".format(*recorded)
    return band, "{:g}:{:g} keV (default for ACIS{})".format(
        *band, "" if band == ACIS_BAND_KEV else ", within the file's own filter"
    )


def resolve_ccd(events, ccd=None):
    """The chips to keep or None for all, and how they were chosen (None where they were asked for).

    Without a request: chips 0-3 when Chandra's aim point is on ACIS-I, 7 when it is on ACIS-S; all elsewhere. Where the file has none of these, those that it
    has are kept, with a warning.
    """
    if ccd is not None:
        return parse_ccd(ccd), None
    if events.photons.ccd is None:
        return None, "all (no CCD column)"
    present = np.unique(events.photons.ccd).tolist()
    if "filtered_chips" in events.metadata:
        return tuple(present), f"{_listed(present)} (the filter of the file's name)"
    if not str(events.metadata.get("INSTRUME", "")).upper().startswith("ACIS"):
        return None, f"all ({_listed(present)})"
    chips, why = _aim_chips(events)
    if chips is None:
        return None, f"all ({_listed(present)}; the aim point is not known)"
    if not set(chips) & set(present):
        message = f"no photon on CCD {_listed(chips)}, where the aim point is ({why}): keeping CCD {_listed(present)}; choose with --ccd"
        warnings.warn(message, DataWarning, stacklevel=2)
        return None, f"all ({_listed(present)})"
    return chips, f"{_listed(chips)} ({why})"


def aim_detector(events):
    """ "ACIS-I" or "ACIS-S", whichever the aim point is on; None where that is not known."""
    chips, _ = _aim_chips(events)
    return None if chips is None else "ACIS-I" if chips == ACIS_I else "ACIS-S"


def _aim_chips(events):
    """Chips that go with the aim point, and how that is known: the instrument table's position, the chip under the pointing, or the detector's name."""
    sim_z, pointing = (
        events.metadata.get("SIM_Z"),
        (events.metadata.get("RA_PNT"), events.metadata.get("DEC_PNT")),
    )
    if isinstance(sim_z, (int, float)) and SIM_Z_ACIS[0] < sim_z < SIM_Z_ACIS[2]:
        return (
            (ACIS_I, "aim point on ACIS-I")
            if sim_z < SIM_Z_ACIS[1]
            else (ACIS_S, "aim point on ACIS-S")
        )
    if None not in pointing and events.photons.ccd is not None:
        x, y = events.frame.to_plane(*pointing)
        near = events.photons.ccd[np.hypot(events.photons.x - x, events.photons.y - y) < AIM_RADIUS]
        if len(near):
            return (
                (ACIS_I, "aim point on ACIS-I")
                if np.bincount(near).argmax() in ACIS_I
                else (ACIS_S, "aim point on ACIS-S")
            )
    detector = str(events.metadata.get("DETNAM", ""))
    if "0123" in detector:
        return ACIS_I, f"DETNAM {detector}"
    if "7" in detector:
        return ACIS_S, f"DETNAM {detector}"
    return None, ""


def _listed(chips):
    """Chip numbers for people: 0-3, or 0,1,6."""
    chips = list(chips)
    return (
        f"{chips[0]}-{chips[-1]}"
        if len(chips) > 2 and chips[-1] - chips[0] == len(chips) - 1
        else ",".join(map(str, chips))
    )


def select_energy(events, band):
    """The photons with ``low <= energy <= high`` [keV]; those of a list without energies or a band of None are all kept.

    Raises
    ------
    DataError
        When no photon is left, or the file tells no energies.
    InputError
        When the band was meant in eV.
    """
    if band is None:
        return events
    low, high = band
    text = f"{low:g}:{high:g}"
    if events.photons.energy_kev is None:
        raise DataError(
            f"{_name(events)}: energy {text} keV cannot be selected: the file does not tell energies (use --energy all)"
        )
    keep = (events.photons.energy_kev >= low) & (events.photons.energy_kev <= high)
    in_ev = (events.photons.energy_kev >= low / 1000) & (events.photons.energy_kev <= high / 1000)
    if low > HIGHEST_KEV or (not keep.any() and (high > HIGHEST_KEV or in_ev.any())):
        raise InputError(f"energy {text} is in keV: did you mean {low / 1000:g}:{high / 1000:g}?")
    if not keep.any():
        span = f"{events.photons.energy_kev.min():.3g} to {events.photons.energy_kev.max():.3g}"
        raise DataError(
            f"{_name(events)}: no photon in the energy band {text} keV (the file has {span} keV): choose another with --energy"
        )
    return events.select(keep, "energy")


def select_ccd(events, chips):
    """The photons of the chips; all of them for None.

    Raises
    ------
    DataError
        When no photon is left, or the file tells no chips.
    """
    if chips is None:
        return events
    if events.photons.ccd is None:
        raise DataError(f"{_name(events)}: no CCD column: leave --ccd out, or use --ccd all")
    keep = np.isin(events.photons.ccd, chips)
    if not keep.any():
        raise DataError(
            f"{_name(events)}: no photon on CCD {_listed(chips)} (the file has {_listed(np.unique(events.photons.ccd).tolist())}): choose others with --ccd"
        )
    return events.select(keep, "ccd")


def select_shapes(events, shapes, *, keep):
    """The photons inside the shapes (`keep`; the others are counted under "region") or outside them (not `keep`; "mask")."""
    inside = shapes.contains(events.photons.x, events.photons.y)
    return events.select(inside if keep else ~inside, "region" if keep else "mask")


def _name(events):
    return events.metadata.get("file", "events")
