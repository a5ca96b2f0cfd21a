"""Everything that is known about an observation when its files have been read."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ...config import ReadOptions
from ...io.header_facts import HeaderFacts, read_header_facts
from ...io.virtual import FileArgument
from ...model.photons import CountsImage, EventList
from ...telescope.instruments import Instrument
from ..background import ChosenBackgrounds
from ..exposure import ChosenExposure
from ..masks import Cut
from ..psf import ChosenPsf
from ..region_lists import RegionLists
from .blocks import Blocks, blocks_of


@dataclass(frozen=True, eq=False, repr=False)
class Evidence:
    """The files of one observation, what was read from them, and the options.

    Attributes
    ----------
    file : FileArgument
        File of the photons.
    options : ReadOptions
        Of this observation.
    instrument : Instrument
    recorded : EventList or CountsImage
        Photons of the chosen chips and band, before any mask.
    exposure : ChosenExposure
    psf : ChosenPsf
    backgrounds : ChosenBackgrounds
    lists : RegionLists
        Masks and regions.
    cut : Cut
        Photons and completeness after the masks and regions; photons on zero exposure included.
    """

    file: FileArgument
    options: ReadOptions
    instrument: Instrument
    recorded: EventList | CountsImage
    exposure: ChosenExposure
    psf: ChosenPsf
    backgrounds: ChosenBackgrounds
    lists: RegionLists
    cut: Cut

    def __repr__(self):
        return f"Evidence({self.file}: {len(self.maps)} maps)"

    @property
    def name(self) -> str:
        """The file of the photons for messages."""
        return str(self.file.path)

    @property
    def is_image(self) -> bool:
        """Whether the photons were counted in the pixels of an image."""
        return isinstance(self.recorded, CountsImage)

    @cached_property
    def events(self) -> HeaderFacts:
        """Keywords of the file of the photons."""
        return read_header_facts(self.file.path)

    @cached_property
    def exposure_map(self) -> HeaderFacts | None:
        """Keywords of the exposure map; None without one."""
        return read_header_facts(self.exposure.files[0]) if self.exposure.files else None

    @cached_property
    def psf_maps(self) -> tuple[HeaderFacts, ...]:
        """Keywords of the PSF maps; empty for an image of a point source."""
        found = (read_header_facts(path) for path in self.psf.files if Path(path).is_file())
        return tuple(one for one in found if one.number("ECF") or self.options.psf_ecf)

    @cached_property
    def background_files(self) -> tuple[HeaderFacts, ...]:
        """Keywords of the files of backgrounds."""
        return tuple(read_header_facts(path) for path in self.backgrounds.files)

    @cached_property
    def maps(self) -> tuple[tuple[str, HeaderFacts], ...]:
        """The maps of exposure and PSF with their names for messages."""
        found = [] if self.exposure_map is None else [("exposure map", self.exposure_map)]
        return (*found, *(("PSF map", one) for one in self.psf_maps))

    @cached_property
    def exposure_time(self) -> float | None:
        """EXPOSURE of the photons, else LIVETIME or ONTIME [s]; None if it is not known."""
        times = [self.events.number(key) for key in ("EXPOSURE", "LIVETIME", "ONTIME")]
        return next((time for time in times if time is not None and time > 0), None)

    @cached_property
    def band(self) -> tuple[float, float] | None:
        """Energies of the chosen photons, by the photons themselves or else the header [keV].

        The photons are asked first, because a file that was cut in energy need not say so. The
        range is that of all but one in a thousand of 10,000 of them.
        """
        energies = self.recorded.photons.energy_kev
        if energies is None or len(energies) < 100:
            return self.recorded.pointing.band_kev
        some = energies[:: -(-len(energies) // 10_000)]
        low, high = np.quantile(some, (0.0005, 0.9995))
        return float(low), float(high)

    @cached_property
    def blocks(self) -> Blocks:
        """Photons and exposure of the open field in coarse blocks."""
        return blocks_of(self.cut.recorded.photons, self.cut.completeness)
