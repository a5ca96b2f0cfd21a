"""From an event list to an observation: single photons."""

from dataclasses import dataclass

from ..io.events import read_events
from ..io.virtual import FileArgument
from ..plane.shapes import Shapes
from ..telescope.aim_point import aim_detector
from ..telescope.instruments import instrument_of
from .assemble import assembled
from .exposure import exposure_of_events
from .psf import choose_psf
from .selection import of_the_same, select_band, select_chips


@dataclass(frozen=True)
class EventListFile:
    """A file with a table of events.

    Attributes
    ----------
    file : FileArgument
        The file and the filters behind its name.
    """

    file: FileArgument

    def observation(self, options, *, name=None):
        """Read the observation, in its own plane, photons on zero exposure included.

        Photons are selected by chip, energy, region and mask, in this order. `Observation.dropped`
        counts the others by reason.

        Parameters
        ----------
        options : ReadOptions
            Of one observation.
        name : str, optional
            Name of the observation; the name of the file without it.

        Returns
        -------
        Observation

        Raises
        ------
        DataError
            If a file cannot be used, or no photon is left.
        InputError
            If the value of an option is impossible, or options contradict each other.
        """
        events = read_events(self.file, sky=False)
        instrument, aim = instrument_of(events.pointing), aim_detector(events)
        events, chips = select_chips(events, options.ccd, instrument, aim)
        in_band, energy = select_band(events, options.energy_kev, instrument)
        exposure = exposure_of_events(events, in_band, options, self.file)
        psf = choose_psf(in_band, options, self.file, instrument)
        return assembled(
            self.file,
            in_band,
            exposure,
            psf,
            options,
            instrument=instrument,
            open_fraction=Shapes.open_fraction,
            choices={
                "filter": self.file.filters or None,
                "ccd": chips,
                "energy": energy,
                "exposure": exposure.choice,
                "area": exposure.area_choice,
                "psf": psf.choice,
            },
            name=name,
        )

    def held_out(self, fitted):
        """Read the photons of the file in the band and on the chips of a fitted observation.

        Parameters
        ----------
        fitted : Observation

        Returns
        -------
        EventList
        """
        return of_the_same(read_events(self.file, sky=False), fitted)
