"""The exposure of an observation: an exposure map, or the field that its photons imply."""

import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import DataError, DataWarning
from ..io.maps import read_exposure
from ..io.regions import read_field_of_view
from ..model.completeness import Completeness
from ..plane.grid import PixelGrid
from ..plane.resample import map_means
from ..telescope.footprint import describe, footprint
from .area import area_of, over_area, over_time, unit_of

# Cell of the field that photons imply [arcsec].
FOOTPRINT_STEP = 1.0
NO_MAP = "{file}: no exposure map: {choice} (give one with `exposure`)"


@dataclass(frozen=True, eq=False, kw_only=True)
class ChosenExposure:
    """The exposure of an observation and where it came from.

    Attributes
    ----------
    completeness : Completeness
        The exposure; nothing is masked yet.
    choice : str or None
        How the field was inferred; None if an exposure map was given.
    files : tuple of str
        Files that were read.
    pixels : PixelGrid or None
        The image whose pixels "image" coordinates of a region file count.
    area : float or None
        Effective area on the axis that the exposure was multiplied with [cm**2].
    """

    completeness: Completeness
    choice: str | None = None
    files: tuple = ()
    pixels: PixelGrid | None = None
    area: float | None = None

    def __repr__(self):
        return f"ChosenExposure({self.choice or ', '.join(self.files)})"

    @property
    def is_measured(self):
        """Whether the exposure was given as a map."""
        return bool(self.files)

    @property
    def area_choice(self):
        """What the area stands for, for people; None without one."""
        if self.area is None:
            return None
        return f"{self.area:g} cm^2 on the axis, so that fluxes are approximate"


def exposure_of_events(on_chips, events, options, file):
    """Read the exposure map of an event list, or infer its field.

    Parameters
    ----------
    on_chips : EventList
        Photons of all energies, because every photon shows where the field is.
    events : EventList
        Photons of the fit.
    options : ReadOptions
        With at most one exposure map.
    file : FileArgument
        File of the photons.

    Returns
    -------
    ChosenExposure

    Raises
    ------
    DataError
        If the map cannot be read or does not overlap the photons.
    """
    if options.exposure:
        return _measured(events, options, file)
    outlines = _chip_outlines(options.region, on_chips)
    step = options.grid or FOOTPRINT_STEP
    completeness = footprint(on_chips, step=step, outlines=outlines)
    choice = describe(events, completeness, given=bool(outlines))
    return _inferred(completeness, choice, events, options, file)


def exposure_of_image(image, options, file):
    """Read the exposure map of a counts image, or infer its field.

    Parameters
    ----------
    image : CountsImage
    options : ReadOptions
        With at most one exposure map.
    file : FileArgument
        File of the image.

    Returns
    -------
    ChosenExposure

    Raises
    ------
    DataError
        If the map cannot be read or does not overlap the photons.
    """
    if options.exposure:
        return _measured(image, options, file, image=image)
    completeness = image_field(image)
    if options.grid is not None:
        completeness = completeness.regridded(options.grid)
    choice = describe(image, completeness)
    return _inferred(completeness, choice, image, options, file, pixels=image.pixels)


def image_field(image):
    """Return the field that a counts image implies, on its own grid.

    It is the outline of the pixels that are not zero, exposed uniformly, without those that were
    not observed.

    Returns
    -------
    Completeness
        Relative: its unit is "".
    """
    outline = footprint(image, step=image.pixels.step / 2)
    inside = np.clip(map_means(outline.exposure, outline.grid, image.pixels), 0, 1)
    return Completeness(grid=image.pixels, exposure=inside * image.observed_fraction())


def _inferred(completeness, choice, recorded, options, file, *, pixels=None):
    """Return a field without an exposure map, times time and area where the area is given."""
    area = area_of(options)
    warnings.warn(NO_MAP.format(file=file, choice=choice), DataWarning, stacklevel=4)
    if area is not None:
        completeness = over_time(completeness, recorded.pointing, area, file)
    return ChosenExposure(completeness=completeness, choice=choice, pixels=pixels, area=area)


def _measured(recorded, options, file, *, image=None):
    """Read an exposure map in the plane of the photons, on the chosen grid.

    Off a counts image, and in its pixels that were not observed, no photon could be counted, so
    that the exposure is 0 there.
    """
    path = options.exposure[0]
    if Path(path).resolve() == file.path.resolve():
        raise DataError(
            f"{path}: the photons themselves are no exposure map: "
            "give an exposure map with `exposure`, or leave it out",
            parameter="exposure",
        )
    completeness = read_exposure(
        path,
        frame=recorded.frame,
        physical=recorded.physical,
        pointing=recorded.pointing,
        unit=unit_of(options),
    )
    own, area = completeness.grid, area_of(options)
    if area is not None:
        completeness = over_area(completeness, area, path)
    pixels = None if image is None else image.pixels
    if pixels is not None:
        inside = np.clip(map_means(image.observed_fraction(), pixels, own), 0, 1)
        completeness = replace(completeness, exposure=completeness.exposure * inside)
    if options.grid is not None:
        completeness = completeness.regridded(options.grid)
    if not np.any(completeness.exposure_at(recorded.photons.x, recorded.photons.y) > 0):
        raise DataError(
            f"{path}: the exposure map does not overlap the events of {file}: "
            "is it of another pointing?"
        )
    return ChosenExposure(completeness=completeness, files=(path,), pixels=pixels or own, area=area)


def _chip_outlines(regions, events):
    """Return the outlines of the photons' chips from the first field-of-view file among regions."""
    chips = events.pointing.chips
    for path in regions:
        found = read_field_of_view(path, frame=events.frame, physical=events.physical)
        outlines = [outline for chip, outline in found or () if chips is None or chip in chips]
        if found and not outlines:
            have = ",".join(str(chip) for chip, _ in found)
            raise DataError(
                f"{path}: a field of view without CCD {','.join(map(str, chips))} (it has {have}): "
                "give the field of view of these events, or choose chips with `ccd`",
                parameter="ccd",
            )
        if outlines:
            return outlines
    return ()
