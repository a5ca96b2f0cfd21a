"""FITS images, and exposure maps as fluximage writes them, on any grid."""

import warnings
from os import PathLike

import numpy as np

from ..errors import DataError, DataWarning
from ..model.completeness import Completeness
from ..model.pointing import Pointing
from ..plane.frame import PhysicalFrame, SkyFrame
from ..telescope.instruments import instrument_of
from ._plane import FitsImage, on_plane
from .pixels import is_picture, read_image
from .units import FileUnit, read_unit

__all__ = ["FitsImage", "is_picture", "read_exposure", "read_image"]

# A map without a unit that stays below this is a flux, not an exposure, not even a relative one.
LEAST_EXPOSURE = 1e-3
# Fraction of the largest exposure below which a pixel saw nothing: what rounding leaves.
FAINTEST = 1e-12
# Energies that differ by less are the same [keV].
SAME_ENERGY = 1e-3
_GIVE = "give the exposure map (fluximage calls it .expmap)"
_OVERRIDE = "correct the header, or give the unit of the map with `exposure_unit`"


def read_exposure(
    path: str | PathLike,
    *,
    frame: SkyFrame,
    physical: PhysicalFrame | None = None,
    pointing: Pointing | None = None,
    unit: FileUnit | None = None,
) -> Completeness:
    """Read an exposure map onto a grid in the plane.

    Parameters
    ----------
    path : str or Path
    frame : SkyFrame
        The plane in which the grid is wanted.
    physical : PhysicalFrame, optional
        The telescope's sky pixels in that plane, for a map that has only physical coordinates.
    pointing : Pointing, optional
        Observation for which the map is read. Another ObsID, or energies outside the band, are a
        warning.
    unit : FileUnit, optional
        Unit of the values: that of an exposure, or none for a relative map. It overrides BUNIT.

    Returns
    -------
    Completeness
        0 where the map is not finite, or less than 1e-12 of its maximum. Its unit is "cm**2 s",
        "cm**2", "s" or "".

    Raises
    ------
    DataError
        If the map cannot be read, has no WCS, is zero everywhere or negative somewhere, or if its
        unit is not that of an exposure.

    Examples
    --------
    >>> from gmmx.io.events import read_events
    >>> events = read_events("data_samples/events.fits.gz")
    >>> read_exposure("data_samples/expmap.fits.gz", frame=events.frame).unit
    'cm**2 s'
    """
    image, pointing = read_image(path), pointing or Pointing()
    name, scale = _exposure_unit(image, pointing) if unit is None else _given_unit(image, unit)
    exposure = _values(image, scale)
    grid, exposure = on_plane(image, exposure, frame, physical, fill=0.0)
    _warn_of_other_energies(image, pointing)
    _warn_of_another_observation(image, pointing)
    return Completeness(grid=grid, exposure=exposure, unit=name)


def _values(image, scale):
    """Return the values of an exposure map; 0 where nothing was seen."""
    exposure = np.where(np.isfinite(image.values), image.values, 0.0)
    if scale != 1:
        exposure = exposure * scale
    if exposure.min() < 0:
        raise DataError(
            f"{image.path}: an exposure map cannot be negative, this one reaches "
            f"{exposure.min():.4g}: is it an exposure map?"
        )
    if not exposure.any():
        raise DataError(
            f"{image.path}: the exposure map is zero everywhere: make it anew, or leave it out"
        )
    return np.where(exposure < FAINTEST * exposure.max(), 0.0, exposure)


def _given_unit(image, unit):
    """Return the unit that was given and its factor; warn if BUNIT says something else."""
    text = image.text("BUNIT")
    own = read_unit(text)
    if text and own.is_understood and (own.exposure, own.scale) != (unit.exposure, unit.scale):
        warnings.warn(
            f"{image.path}: BUNIT is {text!r}, but `exposure_unit` = {unit.text or 'none'} is "
            "taken, because it was given",
            DataWarning,
            stacklevel=4,
        )
    return unit.exposure or "", unit.scale


def _exposure_unit(image, pointing):
    """Return the unit of an exposure map, and the factor that converts its values to it."""
    given = image.text("BUNIT")
    unit = read_unit(given)
    if unit.exposure:
        return unit.exposure, unit.scale
    if not unit.is_understood:
        raise DataError(
            f"{image.path}: BUNIT {given!r} is not understood as a unit: {_OVERRIDE}",
            parameter="exposure_unit",
        )
    if unit.is_rate:
        raise DataError(f"{image.path}: BUNIT {given!r} is that of a flux or rate image: {_GIVE}")
    if unit.is_number and unit.counts:
        raise DataError(f"{image.path}: BUNIT {given!r} is that of a counts image: {_GIVE}")
    if unit.is_number and not unit.pixels:
        return _unit_without_bunit(image, pointing) if not given else "", unit.scale
    raise DataError(
        f"{image.path}: BUNIT {given!r} is not an exposure: expected an area times a time "
        f"(such as 'cm**2 s'), an area or a time: {_OVERRIDE}",
        parameter="exposure_unit",
    )


def _unit_without_bunit(image, pointing):
    """Guess the unit of a map from its values."""
    peak = np.nanmax(np.where(np.isfinite(image.values), image.values, np.nan), initial=0.0)
    if peak < LEAST_EXPOSURE:
        raise DataError(
            f"{image.path}: values of at most {peak:.3g} without BUNIT are those of a flux image: "
            f"{_GIVE}"
        )
    telescope = image.text("TELESCOP") or pointing.telescope
    largest = instrument_of(Pointing(telescope=telescope)).largest_area
    if telescope and largest is not None and peak > largest:
        warnings.warn(
            f"{image.path}: no BUNIT: the exposure map is taken to be in cm**2 s, "
            f"because its maximum is {peak:.3g}",
            DataWarning,
            stacklevel=5,
        )
        return "cm**2 s"
    if peak > 1 and np.array_equal(image.values, np.round(image.values)):
        warnings.warn(
            f"{image.path}: whole numbers up to {peak:g} without BUNIT: is it a counts image? "
            "It is taken to be a relative exposure map",
            DataWarning,
            stacklevel=5,
        )
    return ""


def _warn_of_other_energies(image, pointing):
    """Warn if the energies of a map lie outside the band of the photons."""
    band = pointing.band_kev
    low, high = (image.number(key, "keV") for key in ("ENERG_LO", "ENERG_HI"))
    if None in (band, low, high):
        return
    if low < band[0] - SAME_ENERGY or high > band[1] + SAME_ENERGY:
        warnings.warn(
            f"{image.path}: the exposure map is for {low:g}-{high:g} keV, outside the chosen band "
            f"{band[0]:g}-{band[1]:g} keV: is it the right map?",
            DataWarning,
            stacklevel=4,
        )


def _warn_of_another_observation(image, pointing):
    """Warn if map and photons have different ObsIDs; zero and words such as Merged are ignored."""
    theirs, ours = image.text("OBS_ID"), pointing.obs_id
    if not (theirs.isdigit() and ours.isdigit() and int(theirs) and int(ours)):
        return
    if int(theirs) != int(ours):
        warnings.warn(
            f"{image.path}: the exposure map is of OBS_ID {theirs}, the events are of OBS_ID "
            f"{ours}: is it the right map?",
            DataWarning,
            stacklevel=4,
        )
