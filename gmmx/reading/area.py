"""An effective area that is given, in place of an exposure map in cm**2 s.

Without an exposure map the exposure is the area times the exposure time times the field that the
photons imply, whose vignetting is that of the instrument or none. With an exposure map in seconds
it is the map times the area. Both are approximate: the vignetting of the map depends on energy, and
a single area knows neither gaps nor contamination.
"""

import math
import warnings
from dataclasses import replace

from ..errors import DataError, DataWarning, InputError
from ..io.units import read_unit

# Effective areas of X-ray telescopes lie between these [cm**2].
SMALLEST, LARGEST = 1.0, 2e4


def check_units(options):
    """Refuse an area or a unit that is none, before a large file is read.

    Parameters
    ----------
    options : ReadOptions
        Of one observation.

    Raises
    ------
    InputError
    """
    area = area_of(options)
    if area is not None and not SMALLEST <= area <= LARGEST:
        warnings.warn(
            f"`area` = {options.area[0]}: {area:g} cm^2 is the effective area of no X-ray "
            "telescope: is it in another unit?",
            DataWarning,
            stacklevel=4,
        )
    if unit_of(options) is not None and not options.exposure:
        raise InputError(
            f"`exposure_unit` = {options.exposure_unit[0]}: there is no exposure map: give one "
            "with `exposure`",
            parameter="exposure_unit",
        )


def unit_of(options):
    """Return the unit of the exposure map that is asked for.

    Parameters
    ----------
    options : ReadOptions
        Of one observation.

    Returns
    -------
    FileUnit or None
        None if BUNIT is to tell it.

    Raises
    ------
    InputError
        If it is not the unit of an exposure.

    Examples
    --------
    >>> from gmmx.config import ReadOptions
    >>> unit_of(ReadOptions(exposure="map.fits", exposure_unit="ksec")).scale
    1000.0
    """
    if not options.exposure_unit:
        return None
    text = options.exposure_unit[0]
    unit = read_unit(str(text))
    is_relative = unit.is_number and not unit.counts and not unit.pixels
    if unit.exposure or is_relative:
        return unit
    problem = "is no unit of an exposure" if unit.is_understood else "is not understood as a unit"
    raise InputError(
        f"`exposure_unit` = {text}: it {problem}: give s, 'cm**2 s' or 'cm**2', with a factor if "
        "need be, or none for a relative map",
        parameter="exposure_unit",
    )


def area_of(options):
    """Return the effective area on the axis that is asked for.

    Parameters
    ----------
    options : ReadOptions
        Of one observation.

    Returns
    -------
    float or None
        [cm**2]

    Raises
    ------
    InputError
        If it is not a positive number, or has a unit that is no area.

    Examples
    --------
    >>> from gmmx.config import ReadOptions
    >>> [area_of(ReadOptions(area=given)) for given in (600, "0.06 m**2")]
    [600.0, 600.0]
    """
    if not options.area:
        return None
    text = str(options.area[0]).strip()
    try:
        area = float(text)
    except ValueError:
        unit = read_unit(text)
        area = unit.scale if unit.exposure == "cm**2" else math.nan
    if not (math.isfinite(area) and area > 0):
        raise InputError(
            f"`area` = {text}: it must be a positive number, in cm^2, such as 600",
            parameter="area",
        )
    return area


def over_time(completeness, pointing, area, file):
    """Return the exposure of a field without an exposure map, in cm**2 s.

    Parameters
    ----------
    completeness : Completeness
        Relative: 1 on the axis.
    pointing : Pointing
        Its exposure time is taken, or else its live time, which is nearly the same.
    area : float
        [cm**2]
    file : FileArgument
        File of the photons, for messages.

    Returns
    -------
    Completeness

    Raises
    ------
    DataError
        If the exposure time is not known.
    """
    time = pointing.exposure_time
    if time is None:
        time = pointing.header.get("LIVETIME")
    if not (isinstance(time, int | float) and math.isfinite(time) and time > 0):
        raise DataError(
            f"{file}: `area` = {area:g} needs an exposure time, but the header has neither EXPOSURE"
            f" nor LIVETIME above 0 (found {time}): write EXPOSURE into it, in s, or give an "
            "exposure map with `exposure`",
            parameter="area",
        )
    return replace(completeness, exposure=completeness.exposure * (time * area), unit="cm**2 s")


def over_area(completeness, area, path):
    """Return the exposure of a map in seconds times an area, in cm**2 s.

    Parameters
    ----------
    completeness : Completeness
        The exposure map.
    area : float
        [cm**2]
    path : str or Path
        File of the map, for messages.

    Returns
    -------
    Completeness

    Raises
    ------
    InputError
        If the map is not in seconds.
    """
    if completeness.unit == "s":
        return replace(completeness, exposure=completeness.exposure * area, unit="cm**2 s")
    if completeness.unit:
        problem = f"is in {completeness.unit}, which has an area already: leave `area` out"
    else:
        problem = "has no unit: give it with `exposure_unit`, such as s"
    raise InputError(
        f"{path}: `area` = {area:g} multiplies an exposure map in seconds, but this one {problem}",
        parameter="area",
    )
