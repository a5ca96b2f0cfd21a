"""The facts about each instrument that need no observation, in one table.

`instrument_of` looks an instrument up by TELESCOP and INSTRUME. The other rooms ask its fields
(is there a default band, a built-in PSF, a readout along columns?) and never its name.
"""

from dataclasses import dataclass, field

from ..model.pointing import Pointing


@dataclass(frozen=True, kw_only=True)
class Channels:
    """How the PI column of an event list is converted to energies: keV = (PI + offset) * width.

    Attributes
    ----------
    width_kev : float
        Width of a channel [keV].
    offset : float
        Offset of a channel's centre [channels].
    last : int or None
        Number of the last channel, which holds everything above it; None if there is none.
    is_substitute : bool
        Whether event lists of the instrument usually have a column of energies.

    Examples
    --------
    >>> NUSTAR.channels.band(35, 1909)
    (3.0, 78.0)
    """

    width_kev: float
    offset: float = 0.0
    last: int | None = None
    is_substitute: bool = False

    @property
    def is_energy(self) -> bool:
        """Whether PI is an energy itself, in eV, and not the number of a wider channel."""
        return self.offset == 0

    @property
    def half(self) -> float:
        """Half of the width of a channel [channels]; 0 for energies."""
        return 0.0 if self.is_energy else 0.5

    def band(self, low: float, high: float) -> tuple[float, float]:
        """Return the energies that channels hold.

        Parameters
        ----------
        low, high : float
            The first and the last channel.

        Returns
        -------
        (float, float)
            Lower end of the first and upper end of the last channel [keV].
        """
        first, last = low + self.offset - self.half, high + self.offset + self.half
        return first * self.width_kev, last * self.width_kev


@dataclass(frozen=True, kw_only=True)
class SkyPixels:
    """Sky pixel coordinates of an instrument, for files whose WCS is missing.

    Attributes
    ----------
    reference : float
        Coordinate of the tangent point on both axes.
    size : float
        Side of a pixel [arcsec].
    """

    reference: float
    size: float


@dataclass(frozen=True, kw_only=True)
class Instrument:
    """Defaults of one instrument.

    Attributes
    ----------
    name : str
        Name for people.
    telescopes : tuple of str
        Beginnings of TELESCOP that belong to it; a missing TELESCOP matches "".
    instruments : tuple of str
        Beginnings of INSTRUME that belong to it; "" matches every instrument.
    band_kev : (float, float) or None
        Energies that are selected by default [keV].
    detectors : dict of str to tuple of int
        Chips that are selected by default for each detector that the aim point may be on.
    back_illuminated : tuple of int
        Chips that record particles at another rate than the other chips.
    psf : str or None
        Name of the built-in PSF.
    backgrounds : tuple of str
        Backgrounds that are fitted by default.
    has_energies : bool
        Whether a photon's energy is recorded well enough to be used.
    good_grades : tuple of int
        Grades of the events that level 2 keeps, if their STATUS is zero; empty if STATUS and GRADE
        do not tell which events are good.
    channels : Channels or None
        Conversion of PI to energies; None if PI is not used.
    sky_pixels : SkyPixels or None
    largest_area : float or None
        No effective area is larger [cm**2], so an exposure map without a unit that exceeds it is
        an area times a time; None if it is not known.
    chip_side : float or None
        Side of a chip on the sky, without its outermost pixels, where no event can be centred
        [arcsec]; None if dithered edges are not modelled for a field without an exposure map.
    vignetting : tuple of float
        Effective area relative to that on the axis, 0, 1, 2, ... arcmin off the axis; empty if
        vignetting is not modelled for a field without an exposure map.
    transfer_time, frame_time : float or None
        Time that a frame takes to be moved into the store, and the usual time of a frame [s];
        None if out-of-time events are not modelled.
    """

    name: str
    telescopes: tuple[str, ...]
    instruments: tuple[str, ...] = ("",)
    band_kev: tuple[float, float] | None = None
    detectors: dict[str, tuple[int, ...]] = field(default_factory=dict)
    back_illuminated: tuple[int, ...] = ()
    psf: str | None = None
    backgrounds: tuple[str, ...] = ("sky",)
    has_energies: bool = True
    good_grades: tuple[int, ...] = ()
    channels: Channels | None = None
    sky_pixels: SkyPixels | None = None
    largest_area: float | None = None
    chip_side: float | None = None
    vignetting: tuple[float, ...] = ()
    transfer_time: float | None = None
    frame_time: float | None = None

    def matches(self, telescope: str, instrument: str) -> bool:
        """Whether TELESCOP and INSTRUME name this instrument.

        Parameters
        ----------
        telescope, instrument : str
            In capitals.
        """
        return any(
            telescope == name if name == "" else telescope.startswith(name)
            for name in self.telescopes
        ) and any(instrument.startswith(name) for name in self.instruments)


_CHANDRA = ("CHANDRA", "AXAF", "")
_EV = Channels(width_kev=1e-3)

# Sources: Chandra Proposers' Observatory Guide, chapters 4, 6 and 7; CIAO, "ahelp coords", and
# https://cxc.cfa.harvard.edu/ciao/dictionary/pi.html; XMM-SAS and eSASS users' guides.
# Channels of the other missions, by the energies of their lower edges:
#   NuSTAR       1.6 keV + 40 eV PI: NuSTAR Data Analysis Software Guide (HEASARC)
#   Swift XRT    10 eV PI: Swift XRT Data Reduction Guide (HEASARC)
#   Suzaku XIS   PI = [E / 3.65 eV]: Suzaku ABC Guide and the questions on the XIS (HEASARC)
#   XRISM        Xtend 6 eV PI, Resolve 0.5 eV PI: XRISM ABC Guide, chapters 6 and 7,
#                https://heasarc.gsfc.nasa.gov/docs/xrism/analysis/abc_guide/
#   Hitomi       as XRISM, whose SXI and SXS they were: Hitomi Step-By-Step Analysis Guide
#   IXPE         40 eV PI: IXPE Quick Start Guide,
#                https://heasarc.gsfc.nasa.gov/docs/ixpe/analysis/IXPE_quickstart.pdf
#   ROSAT PSPC   10 eV PI: https://heasarc.gsfc.nasa.gov/docs/rosat/faqs/pspc_cal_faq1.html
ACIS = Instrument(
    name="Chandra ACIS",
    telescopes=_CHANDRA,
    instruments=("ACIS",),
    band_kev=(0.5, 7.0),
    detectors={"ACIS-I": (0, 1, 2, 3), "ACIS-S": (7,)},
    back_illuminated=(5, 7),
    psf="chandra",
    backgrounds=("sky", "particle"),
    good_grades=(0, 2, 3, 4, 6),
    channels=Channels(width_kev=0.0146, offset=-0.5, last=1024, is_substitute=True),
    sky_pixels=SkyPixels(reference=4096.5, size=0.492),
    largest_area=1e4,
    # 1024 pixels of 23.987 micrometres at a focal length of 10066 mm, less two.
    chip_side=1022 * 0.4915,
    # Medians over ACIS-I, away from the edges of chips, of a ray-traced exposure map (MARX 5.5.3)
    # for 0.5 to 2 keV, N(E) ~ exp(-E / 0.6 keV) / E (benchmarks/measure_vignetting.py). Chips and
    # azimuths differ by 2 %. At higher energies the vignetting is stronger.
    vignetting=(
        *(1.0, 0.9948, 0.9907, 0.9774, 0.9571, 0.9316, 0.8987),
        *(0.8580, 0.8116, 0.7721, 0.7254, 0.6759, 0.6253),
    ),
    transfer_time=0.041,
    frame_time=3.2,
)
HRC = Instrument(
    name="Chandra HRC",
    telescopes=_CHANDRA,
    instruments=("HRC",),
    has_energies=False,
    sky_pixels=SkyPixels(reference=16384.5, size=0.1318),
    largest_area=1e4,
)
# Without an instrument, sky pixels are taken to be those of ACIS.
CHANDRA = Instrument(
    name="Chandra", telescopes=_CHANDRA, sky_pixels=ACIS.sky_pixels, largest_area=1e4
)
EPIC_MOS = Instrument(
    name="XMM-Newton EPIC MOS", telescopes=("XMM",), instruments=("EMOS",), channels=_EV
)
EPIC_PN = Instrument(
    name="XMM-Newton EPIC pn", telescopes=("XMM",), instruments=("EPN",), channels=_EV
)
XMM = Instrument(name="XMM-Newton", telescopes=("XMM",), channels=_EV)
EROSITA = Instrument(name="eROSITA", telescopes=("EROSITA", "SRG"), channels=_EV)
NUSTAR = Instrument(
    name="NuSTAR", telescopes=("NUSTAR",), channels=Channels(width_kev=0.04, offset=40.5)
)
SWIFT_XRT = Instrument(
    name="Swift XRT",
    telescopes=("SWIFT",),
    instruments=("XRT",),
    channels=Channels(width_kev=0.01, offset=0.5),
)
SUZAKU_XIS = Instrument(
    name="Suzaku XIS",
    telescopes=("SUZAKU",),
    instruments=("XIS",),
    channels=Channels(width_kev=0.00365, offset=0.5),
)
XTEND = Instrument(
    name="XRISM Xtend",
    telescopes=("XRISM", "HITOMI"),
    instruments=("XTEND", "SXI"),
    channels=Channels(width_kev=0.006, offset=0.5),
)
RESOLVE = Instrument(
    name="XRISM Resolve",
    telescopes=("XRISM", "HITOMI"),
    instruments=("RESOLVE", "SXS"),
    channels=Channels(width_kev=0.0005, offset=0.5),
)
IXPE = Instrument(name="IXPE", telescopes=("IXPE",), channels=Channels(width_kev=0.04, offset=0.5))
ROSAT_PSPC = Instrument(
    name="ROSAT PSPC",
    telescopes=("ROSAT",),
    instruments=("PSPC",),
    channels=Channels(width_kev=0.01, offset=0.5),
)
UNKNOWN = Instrument(name="unknown instrument", telescopes=())

INSTRUMENTS = (
    *(ACIS, HRC, EPIC_MOS, EPIC_PN, XMM, EROSITA, NUSTAR, SWIFT_XRT, SUZAKU_XIS, XTEND, RESOLVE),
    *(IXPE, ROSAT_PSPC, CHANDRA),
)


def instrument_of(pointing: Pointing) -> Instrument:
    """Look up the instrument of a pointing.

    Parameters
    ----------
    pointing : Pointing

    Returns
    -------
    Instrument
        The first entry of `INSTRUMENTS` that matches, otherwise `UNKNOWN`, which has no defaults
        but a sky background.

    Examples
    --------
    >>> from gmmx.model.pointing import Pointing
    >>> instrument_of(Pointing(telescope="CHANDRA", instrument="ACIS")).band_kev
    (0.5, 7.0)
    >>> instrument_of(Pointing(telescope="NuSTAR", instrument="FPMA")).channels.width_kev
    0.04
    >>> instrument_of(Pointing(telescope="EINSTEIN", instrument="IPC")).name
    'unknown instrument'
    """
    telescope, instrument = pointing.telescope.upper(), pointing.instrument.upper()
    return next((one for one in INSTRUMENTS if one.matches(telescope, instrument)), UNKNOWN)
