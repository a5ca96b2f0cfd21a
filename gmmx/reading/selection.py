"""Choose the photons of an event list: the chips and the energy band of a fit."""

import warnings

import numpy as np

from ..errors import DataError, DataWarning, InputError

# Bands beyond this are eV mistaken for keV, because no focusing telescope works there.
HIGHEST_KEV = 100.0


def select_chips(events, ccd, instrument, aim):
    """Keep the photons of the chosen chips, or else of the chips at the aim point.

    Parameters
    ----------
    events : EventList
    ccd : tuple of int, "all" or None
        As in `ReadOptions`.
    instrument : Instrument
    aim : (str or None, str)
        Detector at the aim point and how it is known, as from `aim_detector`.

    Returns
    -------
    events : EventList
        Its pointing names the chips.
    choice : str or None
        How the chips were chosen; None if `ccd` says it.

    Raises
    ------
    DataError
        If no photon is left, or the file has no chips to choose from.
    """
    chips, choice = choose_chips(events, instrument, aim) if ccd is None else (ccd, None)
    chips = None if chips == "all" else chips
    events = on_chips(events, chips)
    return events.noted(chips=chips), choice


def select_band(events, energy_kev, instrument):
    """Keep the photons in the chosen energy band, or else in the band of the instrument.

    Parameters
    ----------
    events : EventList
    energy_kev : (float, float), "all" or None
        As in `ReadOptions`.
    instrument : Instrument

    Returns
    -------
    events : EventList
        Its pointing names the band.
    choice : str or None
        How the band was chosen; None if `energy_kev` says it.

    Raises
    ------
    DataError
        If no photon is left, or the file has no energies.
    InputError
        If the band was meant in eV.
    """
    band, choice = choose_band(events, instrument) if energy_kev is None else (energy_kev, None)
    band = None if band == "all" else band
    events = in_band(events, band)
    return events.noted(band_kev=band or events.pointing.recorded_band_kev), choice


def choose_band(events, instrument):
    """Return the energy band of the instrument, and why it is that one.

    If the file was cut in energy, it is the part of the band that the file still has. An
    instrument without a band keeps all energies.

    Parameters
    ----------
    events : EventList
    instrument : Instrument

    Returns
    -------
    band : (float, float) or None
        [keV]; None for all energies.
    choice : str
    """
    pointing = events.pointing
    recorded, default = pointing.recorded_band_kev, instrument.band_kev
    if events.photons.energy_kev is None:
        return None, "all (the file has no energies)"
    if default is None:
        known = f"; the file was cut to {recorded[0]:g}:{recorded[1]:g} keV" if recorded else ""
        name = pointing.instrument or "this instrument"
        return None, f"all (no default band for {name}{known})"
    if recorded is None:
        return default, f"{default[0]:g}:{default[1]:g} keV (default for {pointing.instrument})"
    band = max(default[0], recorded[0]), min(default[1], recorded[1])
    if band[0] >= band[1]:
        return recorded, "{:g}:{:g} keV (the file's own filter)".format(*recorded)
    within = "" if band == default else ", within the file's own filter"
    return band, f"{band[0]:g}:{band[1]:g} keV (default for {pointing.instrument}{within})"


def choose_chips(events, instrument, aim):
    """Return the chips of the detector at the aim point, and why they are those.

    Chandra's aim point is on ACIS-I (chips 0 to 3) or on ACIS-S (chip 7). Other instruments keep
    all chips. So does a file without photons on the chips of the aim point, with a warning.

    Parameters
    ----------
    events : EventList
    instrument : Instrument
    aim : (str or None, str)
        Detector at the aim point and how it is known, as from `aim_detector`.

    Returns
    -------
    chips : tuple of int or None
        None for all chips.
    choice : str
    """
    if events.photons.ccd is None:
        return None, "all (no CCD column)"
    present = np.unique(events.photons.ccd).tolist()
    if events.pointing.recorded_chips is not None:
        return tuple(present), f"{_listed(present)} (the filter of the file's name)"
    if not instrument.detectors:
        return None, f"all ({_listed(present)})"
    detector, how = aim
    if detector is None:
        return None, f"all ({_listed(present)}; the aim point is not known)"
    chips = instrument.detectors[detector]
    if not set(chips) & set(present):
        warnings.warn(
            f"no photon on CCD {_listed(chips)}, where the aim point is ({how}): "
            f"keeping CCD {_listed(present)}; choose others with `ccd`",
            DataWarning,
            stacklevel=4,
        )
        return None, f"all ({_listed(present)})"
    return chips, f"{_listed(chips)} ({how})"


def in_band(events, band):
    """Keep the photons with ``low <= energy <= high``.

    Parameters
    ----------
    events : EventList
    band : (float, float) or None
        Lower and upper energy [keV]; None keeps all photons.

    Raises
    ------
    DataError
        If no photon is left, or the file has no energies.
    InputError
        If the band was meant in eV.
    """
    if band is None:
        return events
    (low, high), energies = band, events.photons.energy_kev
    text = f"{low:g}:{high:g}"
    if energies is None:
        raise DataError(
            f"{_name(events)}: `energy_kev` = {text} cannot be selected, "
            "because the file has no energies: give `energy_kev` as all, or filter the channels by "
            f"{_name(events)}[pi=LO:HI]",
            parameter="energy_kev",
        )
    keep = (energies >= low) & (energies <= high)
    in_ev = (energies >= low / 1000) & (energies <= high / 1000)
    if low > HIGHEST_KEV or (not keep.any() and (high > HIGHEST_KEV or in_ev.any())):
        raise InputError(
            f"`energy_kev` = {text} is in keV: did you mean {low / 1000:g}:{high / 1000:g}?",
            parameter="energy_kev",
        )
    if not keep.any():
        cure = "choose another with `energy_kev`"
        if not 0 < np.median(energies) < HIGHEST_KEV:
            cure = "are TUNIT, TSCAL and TZERO of the column of energies right?"
        raise DataError(
            f"{_name(events)}: no photon in the energy band {text} keV (the file has "
            f"{energies.min():.3g} to {energies.max():.3g} keV): {cure}",
            parameter="energy_kev",
        )
    return events.select(keep, "energy")


def on_chips(events, chips):
    """Keep the photons of some chips.

    Parameters
    ----------
    events : EventList
    chips : tuple of int or None
        None keeps all photons.

    Raises
    ------
    DataError
        If no photon is left, or the file has no chips.
    """
    if chips is None:
        return events
    if events.photons.ccd is None:
        raise DataError(
            f"{_name(events)}: no CCD column: leave `ccd` out, or give it as all", parameter="ccd"
        )
    keep = np.isin(events.photons.ccd, chips)
    if not keep.any():
        present = _listed(np.unique(events.photons.ccd).tolist())
        raise DataError(
            f"{_name(events)}: no photon on CCD {_listed(chips)} (the file has {present}): "
            "choose others with `ccd`",
            parameter="ccd",
        )
    return events.select(keep, "ccd")


def of_the_same(found, events):
    """Keep the photons of another event list in the band and on the chips of an observation.

    Parameters
    ----------
    found : EventList
        Photons of a background or of a held-out file.
    events : EventList, CountsImage or Observation
        Its pointing names the band and the chips.

    Raises
    ------
    DataError
        If no photon has an energy of the band.
    """
    band, chips, energies = (
        events.pointing.band_kev,
        events.pointing.chips,
        found.photons.energy_kev,
    )
    if band is not None and energies is not None:
        keep = (energies >= band[0]) & (energies <= band[1])
        if not keep.any():
            raise DataError(
                f"{_name(found)}: it has no photon of {band[0]:g}:{band[1]:g} keV, the band of "
                f"{_name(events)}, but of {energies.min():.3g} to {energies.max():.3g} keV: give "
                "photons of that band"
            )
        found = found.select(keep, "energy")
    if chips is not None and found.photons.ccd is not None:
        found = found.select(np.isin(found.photons.ccd, chips), "ccd")
    return found


def _listed(chips):
    """Write chip numbers for people: 0-3, or 0,1,6."""
    chips = list(chips)
    if len(chips) > 2 and chips[-1] - chips[0] == len(chips) - 1:
        return f"{chips[0]}-{chips[-1]}"
    return ",".join(map(str, chips))


def _name(events):
    return events.pointing.file_name or "events"
