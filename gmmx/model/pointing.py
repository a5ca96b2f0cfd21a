"""Pointing: the facts about one observation that are not photons, typed and checked.

A reader makes a `Pointing` from the keywords of a file. Reading an observation then adds the
energy band, the chips, the files that were used and the choices that were made.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import InputError
from .records import InputFile, MaskRecord, SkyBrightness

__all__ = ["InputFile", "MaskRecord", "Pointing", "SkyBrightness"]

# The FITS keyword that each field is read from.
_TEXTS = {
    "telescope": "TELESCOP",
    "instrument": "INSTRUME",
    "detector": "DETNAM",
    "grating": "GRATING",
    "obs_id": "OBS_ID",
    "target": "OBJECT",
    "date": "DATE-OBS",
    "pixel_adjustment": "PIX_ADJ",
    "read_mode": "READMODE",
}
_NUMBERS = {
    "exposure_time": "EXPOSURE",
    "frame_time": "EXPTIME",
    "ra": "RA_PNT",
    "dec": "DEC_PNT",
    "roll": "ROLL_PNT",
    "nominal_roll": "ROLL_NOM",
    "sim_z": "SIM_Z",
}
# Between which values each number can be; SIM_Z may be anything.
_LIMITS = {
    "exposure_time": (0.0, 1e12),
    "frame_time": (0.0, 1e6),
    "ra": (-360.0, 360.0),
    "dec": (-90.0, 90.0),
    "roll": (-720.0, 720.0),
    "nominal_roll": (-720.0, 720.0),
}


@dataclass(frozen=True, kw_only=True, repr=False)
class Pointing:
    """The facts about one observation: telescope, pointing, band, chips and files.

    Text is empty, and a number is None, if it is not known.

    Parameters
    ----------
    telescope, instrument, detector, grating : str
        TELESCOP, INSTRUME, DETNAM and GRATING.
    obs_id, target, date : str
        OBS_ID, OBJECT and DATE-OBS.
    exposure_time, frame_time : float, optional
        EXPOSURE and EXPTIME, the time of one CCD frame [s].
    ra, dec, roll, nominal_roll : float, optional
        Direction of the optical axis, RA_PNT and DEC_PNT, and the roll angles ROLL_PNT and
        ROLL_NOM [deg].
    sim_z : float, optional
        SIM_Z, position of Chandra's instrument table [mm].
    pixel_adjustment, read_mode : str
        PIX_ADJ and READMODE.
    file_name : str
        Name of the event list or counts image, without its folder and its filters.
    n_rows : int, optional
        Number of rows in the event list, or of pixels with photons in the counts image.
    recorded_band_kev : (float, float), optional
        Energies to which the file was cut before it was read [keV].
    recorded_chips : tuple of int, optional
        Chips to which the file was cut before it was read, or by the filters of its name.
    band_kev : (float, float), optional
        Energies of the selected photons [keV]; None for all energies.
    chips : tuple of int, optional
        Selected chips; None for all of them.
    inputs : tuple of InputFile
        The files that were read; the events are the first.
    masks : tuple of MaskRecord
        Region files, with the photons and the area inside each.
    choices : dict of str to str
        The choice that was made for each option that was not given, in words.
    area : float, optional
        Effective area on the optical axis that stands in for that of an exposure map [cm**2].
        Fluxes are approximate then.
    sky_brightness : SkyBrightness, optional
        Surface brightness of a fixed sky background.
    header : dict
        Other FITS keywords, kept for output files and ready for JSON.

    Raises
    ------
    InputError
        If a number is not finite, or a band ends below its beginning.

    Examples
    --------
    >>> pointing = Pointing.from_keywords({"TELESCOP": "CHANDRA", "INSTRUME": "ACIS",
    ...     "OBS_ID": "315", "EXPOSURE": 72e3, "TITLE": "The Antennae"})
    >>> pointing
    Pointing(CHANDRA ACIS, ObsID 315, 72 ks)
    >>> pointing.exposure_time, pointing.header
    (72000.0, {'TITLE': 'The Antennae'})
    """

    telescope: str = ""
    instrument: str = ""
    detector: str = ""
    grating: str = ""
    obs_id: str = ""
    target: str = ""
    date: str = ""
    exposure_time: float | None = None
    frame_time: float | None = None
    ra: float | None = None
    dec: float | None = None
    roll: float | None = None
    nominal_roll: float | None = None
    sim_z: float | None = None
    pixel_adjustment: str = ""
    read_mode: str = ""
    file_name: str = ""
    n_rows: int | None = None
    recorded_band_kev: tuple[float, float] | None = None
    recorded_chips: tuple[int, ...] | None = None
    band_kev: tuple[float, float] | None = None
    chips: tuple[int, ...] | None = None
    inputs: tuple[InputFile, ...] = ()
    masks: tuple[MaskRecord, ...] = ()
    choices: dict[str, str] = field(default_factory=dict)
    area: float | None = None
    sky_brightness: SkyBrightness | None = None
    header: dict = field(default_factory=dict)

    def __post_init__(self):
        for name in _NUMBERS:
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, _finite(name, value))
        for name in ("recorded_band_kev", "band_kev"):
            band = getattr(self, name)
            if band is not None:
                low, high = (float(end) for end in band)
                if not low <= high:
                    raise InputError(f"Pointing.{name} must not fall, got {low:g} to {high:g} keV")
                object.__setattr__(self, name, (low, high))
        for name in ("recorded_chips", "chips"):
            chips = getattr(self, name)
            if chips is not None:
                object.__setattr__(self, name, tuple(int(chip) for chip in chips))
        object.__setattr__(self, "inputs", tuple(self.inputs))
        object.__setattr__(self, "masks", tuple(self.masks))

    def __repr__(self):
        known = [
            f"{self.telescope} {self.instrument}".strip(),
            f"ObsID {self.obs_id}" if self.obs_id else "",
            self.target,
            "" if self.exposure_time is None else f"{self.exposure_time / 1000:.4g} ks",
            "" if self.band_kev is None else "{:g}-{:g} keV".format(*self.band_kev),
            "" if self.chips is None else f"chips {','.join(map(str, self.chips))}",
        ]
        return f"Pointing({', '.join(filter(None, known))})"

    @classmethod
    def from_keywords(cls, keywords: Mapping[str, Any], **facts) -> "Pointing":
        """Make a pointing from FITS keywords.

        Parameters
        ----------
        keywords : mapping of str to object
            Keywords and their values. Those without a field of their own go to `header`, as do
            those whose value is not of the field's type, or cannot be (a declination of 100).
        **facts
            Further fields.

        Examples
        --------
        >>> Pointing.from_keywords({"ROLL_PNT": 40, "EXPTIME": "unknown"}).header
        {'EXPTIME': 'unknown'}
        """
        rest = dict(keywords)
        found: dict[str, Any] = {}
        for name, key in _TEXTS.items():
            if key in rest:
                found[name] = str(rest.pop(key)).strip()
        for name, key in _NUMBERS.items():
            low, high = _LIMITS.get(name, (-math.inf, math.inf))
            if _is_number(rest.get(key)) and low <= rest[key] <= high:
                found[name] = rest.pop(key)
        return cls(**found, **facts, header=rest)

    @property
    def events_file(self) -> InputFile | None:
        """The event list or counts image among the inputs; None if there is none."""
        return next((file for file in self.inputs if file.role == "events"), None)

    @property
    def energies(self) -> str:
        """The energy band for people: "0.5-2 keV", "all energies", or empty if nothing is known."""
        if self.band_kev is not None and math.isfinite(self.band_kev[1]):
            return "{:g}-{:g} keV".format(*self.band_kev)
        return "all energies" if self.inputs or self.band_kev is not None else ""

    @property
    def chip_names(self) -> str:
        """The selected chips for people: "0-3" or "0,1,6"; empty if all are selected."""
        chips = self.chips or ()
        if len(chips) > 2 and chips[-1] - chips[0] == len(chips) - 1:
            return f"{chips[0]}-{chips[-1]}"
        return ",".join(map(str, chips))

    def fits_keywords(self) -> dict:
        """All known FITS keywords: those of the fields and those of the header."""
        named = {key: getattr(self, name) for name, key in (_TEXTS | _NUMBERS).items()}
        return {key: value for key, value in named.items() if value not in ("", None)} | self.header

    def with_inputs(self, *files: InputFile) -> "Pointing":
        """The pointing with further input files."""
        return replace(self, inputs=(*self.inputs, *files))

    def with_choices(self, choices: dict[str, str]) -> "Pointing":
        """The pointing with further choices; a choice of the same name is replaced."""
        return replace(self, choices=self.choices | choices)


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _finite(name, value):
    if not _is_number(value):
        raise InputError(f"Pointing.{name} must be a finite number, got {value!r}")
    return float(value)
