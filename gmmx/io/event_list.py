"""Writing an event list of simulated photons, as CIAO, DS9 and `gmmx fit` read it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from os import PathLike

import numpy as np
from astropy.io import fits

from .. import __version__
from ..errors import InputError
from ..model.observation import Observation
from ..model.photons import Photons
from ..model.pointing import Pointing
from ..plane.frame import PhysicalFrame, SkyFrame
from ..telescope.instruments import ACIS, SkyPixels, instrument_of
from .image_header import Card, printable
from .write import replacing

EVENT_SUFFIXES = (".fits", ".fits.gz", ".fit", ".evt")
# The number of a photon's component, in the column of the truth.
_ORIGIN = "number of the component; -1, -2: the backgrounds"
_COMMENT_WIDTH = 70


@dataclass(frozen=True, eq=False)
class SkyPlane:
    """The sky pixels that positions are written in.

    Attributes
    ----------
    frame : SkyFrame
        Tangent plane.
    physical : PhysicalFrame
        Pixels that run along its axes.
    """

    frame: SkyFrame
    physical: PhysicalFrame

    @classmethod
    def of(cls, observation: Observation) -> SkyPlane:
        """The sky pixels of the file that an observation was read from, as far as they are known.

        An observation of a joint fit was moved into the plane of the first one. Its own plane is
        that of its masks, or else that about RA_NOM and DEC_NOM.

        Raises
        ------
        InputError
            If the observation has no celestial frame.
        """
        frame, physical = observation.frame, observation.physical
        if frame is None:
            raise InputError(
                f"{observation.name}: the model has no celestial frame, which an event list needs"
            )
        if physical is None:
            frame = observation.masks_frame or _nominal(observation.pointing, frame)
        if physical is None or not physical.is_aligned:
            pixels = instrument_of(observation.pointing).sky_pixels or _pixels()
            physical = PhysicalFrame(pixels.reference, pixels.reference, pixels.size, pixels.size)
        return cls(frame, physical)

    def pixels(self, observation: Observation, photons: Photons) -> tuple[np.ndarray, np.ndarray]:
        """Sky pixels (X, Y) of photons in the plane of an observation."""
        x, y = photons.x, photons.y
        if observation.frame is not None and observation.frame != self.frame:
            x, y = observation.frame.to_frame(self.frame, x, y)
        return self.physical.to_physical(x, y)


def write_event_list(
    path: str | PathLike,
    observation: Observation,
    photons: Photons,
    *,
    origin: np.ndarray,
    times: np.ndarray | None,
    interval: tuple[float, float] | None,
    cards: Mapping[str, Card],
    comments: tuple[str, ...] = (),
    overwrite: bool = False,
) -> None:
    """Write simulated photons as an event list with sky coordinates and a good time interval.

    Parameters
    ----------
    path : str or Path
        It ends in .fits, .fits.gz, .fit or .evt.
    observation : Observation
        Whose keywords, sky pixels, band and chips the file gets.
    photons : Photons
    origin : (N,) integers
        Of each photon.
    times : (N,) array, optional
        Rising times [s].
    interval : (float, float), optional
        The good time interval [s].
    cards : mapping of str to (value, comment)
        Further keywords: of what was simulated, and how.
    comments : tuple of str
    overwrite : bool
        Replace the file if it exists.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is false, or if it cannot be written.
    InputError
        If the observation has no celestial frame.
    """
    plane, pointing = SkyPlane.of(observation), observation.pointing
    columns = _columns(plane, observation, photons, origin, times)
    events = fits.BinTableHDU.from_columns(columns, name="EVENTS")
    header = events.header
    header.update(_keywords(pointing, plane, interval))
    header.update(_sky_cards(columns, plane, events.data))
    header.update(_subspace(pointing, interval))
    header.update(cards)
    header["TCOMM" + str(len(columns))] = _ORIGIN
    for text in comments:
        for line in textwrap.wrap(printable(text), _COMMENT_WIDTH):
            header.add_comment(line)
    primary = fits.PrimaryHDU()
    primary.header.update({key: header[key] for key in ("TELESCOP", "INSTRUME") if key in header})
    hdus = fits.HDUList([primary, events])
    if interval is not None:
        hdus.append(_good_times(interval, header))
    with replacing(path, overwrite, suffixes=EVENT_SUFFIXES) as aside:
        hdus.writeto(aside, overwrite=True, checksum=True)


def _columns(plane, observation, photons, origin, times):
    """The columns of the table, with the names and formats that the telescope's files have."""
    x, y = plane.pixels(observation, photons)
    instrument = instrument_of(observation.pointing)
    is_other = instrument.name.startswith("XMM")
    columns = [] if times is None else [fits.Column("time", "D", unit="s", array=times)]
    if photons.ccd is not None:
        columns.append(fits.Column("ccdnr" if is_other else "ccd_id", "I", array=photons.ccd))
    columns += [
        fits.Column("x", "E", unit="pixel", array=x),
        fits.Column("y", "E", unit="pixel", array=y),
    ]
    if photons.energy_kev is not None:
        columns += _energy_columns(instrument.channels, photons.energy_kev)
    return fits.ColDefs([*columns, fits.Column("origin", "J", array=origin)])


def _energy_columns(channels, energy_kev):
    """The columns of energies in eV and of channels, as far as the instrument has them."""
    energies = [fits.Column("energy", "E", unit="eV", array=1000 * energy_kev)]
    if channels is None:
        return energies
    pi = np.rint(energy_kev / channels.width_kev - channels.offset).astype(np.int32)
    if channels.last is not None:
        pi = np.clip(pi, 1, channels.last)
    unit = "eV" if channels.is_energy else "chan"
    column = fits.Column("pi", "J", unit=unit, array=pi)
    # Instruments whose files have no energies get none, so that their channels are read.
    return [*energies, column] if channels.is_substitute else [column]


def _keywords(pointing: Pointing, plane: SkyPlane, interval) -> dict[str, Card]:
    """The keywords of the original file, of its times, and of what the table is."""
    cards: dict[str, Card] = {
        "CONTENT": ("EVT2", "what data product"),
        "HDUNAME": ("EVENTS", "ASCDM block name"),
        "HDUCLASS": ("OGIP", ""),
        "HDUCLAS1": ("EVENTS", ""),
        "HDUCLAS2": ("ACCEPTED", ""),
        "CREATOR": (f"gmmx {__version__}", "tool that made this file"),
        "DATE": (datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"), "date of this file, UTC"),
    }
    for key, value in pointing.fits_keywords().items():
        cards[key] = (printable(value) if isinstance(value, str) else value, "")
    cards["RADESYS"] = (plane.frame.radesys, "celestial reference system")
    cards["RA_NOM"] = (plane.frame.ra0, "[deg] tangent point of the sky pixels")
    cards["DEC_NOM"] = (plane.frame.dec0, "[deg] tangent point of the sky pixels")
    if interval is not None:
        cards["TSTART"] = (interval[0], "[s] beginning of the good time interval")
        cards["TSTOP"] = (interval[1], "[s] end of the good time interval")
    return cards


def _sky_cards(columns, plane, data) -> dict[str, Card]:
    """The celestial coordinates of the columns x and y, and the vectors that CIAO makes of them."""
    names = [column.name for column in columns]
    cards: dict[str, Card] = {}
    physical, frame = plane.physical, plane.frame
    parts = (
        ("x", "RA---TAN", frame.ra0, physical.x0, -physical.step_x),
        ("y", "DEC--TAN", frame.dec0, physical.y0, physical.step_y),
    )
    for name, kind, reference, pixel, step in parts:
        n, values = names.index(name) + 1, data[name]
        low, high = min(0.5, 2 * pixel - 0.5), max(0.5, 2 * pixel - 0.5)
        cards[f"TLMIN{n}"] = (float(np.floor(min(low, values.min(initial=low)) - 0.5) + 0.5), "")
        cards[f"TLMAX{n}"] = (float(np.ceil(max(high, values.max(initial=high)) - 0.5) + 0.5), "")
        cards[f"TCTYP{n}"] = (kind, "")
        cards[f"TCRVL{n}"] = (reference, "")
        cards[f"TCRPX{n}"] = (pixel, "")
        cards[f"TCDLT{n}"] = (step / 3600, "")
        cards[f"TCUNI{n}"] = ("deg", "")
    cards |= {
        "MTYPE1": ("sky", "descriptor of a vector"),
        "MFORM1": ("x,y", "its columns"),
        "MTYPE2": ("EQPOS", "descriptor of a vector"),
        "MFORM2": ("RA,DEC", "its columns"),
    }
    return cards


def _subspace(pointing: Pointing, interval) -> dict[str, Card]:
    """The cuts that the photons went through, as CIAO's data subspace keywords."""
    cuts: list[tuple[str, str, str, str | None]] = []
    if interval is not None:
        cuts.append(("TIME", "s", "TABLE", ":GTI"))
    if pointing.chips is not None:
        cuts.append(("ccd_id", "", ",".join(map(str, pointing.chips)), None))
    band = pointing.band_kev
    if band is not None and np.isfinite(band).all():
        low, high = (f"{1000 * end:.10g}" for end in band)
        cuts.append(("energy", "eV", f"{low}:{high}", None))
    cards: dict[str, Card] = {}
    for number, (quantity, unit, values, reference) in enumerate(cuts, 1):
        cards[f"DSTYP{number}"] = (quantity, "data subspace")
        if unit:
            cards[f"DSUNI{number}"] = (unit, "")
        cards[f"DSVAL{number}"] = (values, "")
        if reference is not None:
            cards[f"DSREF{number}"] = (reference, "")
    return cards


def _good_times(interval, header) -> fits.BinTableHDU:
    """The extension with the good time interval."""
    columns = [
        fits.Column(name, "D", unit="s", array=[end])
        for name, end in zip(("START", "STOP"), interval, strict=True)
    ]
    hdu = fits.BinTableHDU.from_columns(columns, name="GTI")
    shared = ("TELESCOP", "INSTRUME", "OBS_ID", "MJDREF", "TIMESYS", "TSTART", "TSTOP", "ONTIME")
    hdu.header.update({key: header[key] for key in shared if key in header})
    hdu.header.update({"HDUNAME": "GTI", "CONTENT": "GTI"})
    hdu.header.update({"HDUCLASS": "OGIP", "HDUCLAS1": "GTI", "HDUCLAS2": "STANDARD"})
    return hdu


def _nominal(pointing, frame) -> SkyFrame:
    """The tangent plane about RA_NOM and DEC_NOM; another plane if they are not known."""
    ra, dec = (pointing.header.get(key) for key in ("RA_NOM", "DEC_NOM"))
    are_numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (ra, dec))
    if not are_numbers or not -90 <= dec <= 90:
        return frame
    return SkyFrame(float(ra), float(dec), frame.radesys)


def _pixels() -> SkyPixels:
    """The sky pixels of ACIS, for instruments whose own are not known."""
    assert ACIS.sky_pixels is not None
    return ACIS.sky_pixels
