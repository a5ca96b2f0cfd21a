"""FITS images, and exposure maps as fluximage and the like write them, on whatever grid they come."""

import re
import warnings

import numpy as np
from astropy.io import fits

from ..errors import DataError, DataWarning
from ..model.completeness import Completeness
from ..model.pointing import Pointing
from ._plane import FitsImage, on_plane
from ._read import fits_stream, reading

__all__ = ["FitsImage", "read_exposure", "read_image"]

# A Chandra map without a unit that reaches this is area times time: no effective area is that large.
LARGE_EXPOSURE = 1e4
# A map without a unit that stays below this is no exposure, relative or not, but a flux.
LEAST_EXPOSURE = 1e-3


def read_image(path):
    """The first two-dimensional image of a FITS file, primary or extension.

    Returns
    -------
    FitsImage

    Raises
    ------
    DataError
        When the file is not there, not FITS or truncated, or holds no such image.
    """
    # Opening the stream first, for its errors; astropy then does the scaling, the tile compression and the rest.
    with fits_stream(path), reading(path), fits.open(path, memmap=False) as hdus:
        for hdu in hdus:
            if (
                hdu.is_image
                and len(hdu.shape) >= 2
                and np.prod(hdu.shape[:-2]) == 1
                and np.prod(hdu.shape) > 0
            ):
                values = np.array(hdu.data, np.float64).reshape(hdu.shape[-2:])
                return FitsImage(path=str(path), values=values, header=hdu.header.copy())
    raise DataError(f"{path}: no image in it: a two-dimensional FITS image is needed")


def read_exposure(path, *, frame, physical=None, pointing=None):
    """Read an exposure map onto a grid in the plane.

    Parameters
    ----------
    path : str or Path
    frame : SkyFrame
        The plane in which the grid is wanted.
    physical : PhysicalFrame, optional
        The telescope's sky pixels in that plane, for a map that has only physical coordinates.
    pointing : Pointing, optional
        Observation for which the map is read. A different ObsID, or energies outside the band, are
        a warning.

    Returns
    -------
    Completeness
        0 where the map is 0 or not finite; its unit is "cm**2 s", "cm**2", "s" or "".

    Raises
    ------
    DataError
        When the map cannot be read or has no WCS; is all zero, or negative somewhere; or is a flux or counts image.
    """
    image, pointing = read_image(path), pointing or Pointing()
    unit = _exposure_unit(image, pointing)
    exposure = np.where(np.isfinite(image.values), image.values, 0.0)
    if exposure.min() < 0:
        raise DataError(
            f"{path}: an exposure map cannot be negative, this one reaches {exposure.min():.4g}: is it an exposure map?"
        )
    if not exposure.any():
        raise DataError(
            f"{path}: the exposure map is zero everywhere: make it anew, or leave it out"
        )
    grid, exposure = on_plane(image, exposure, frame, physical, fill=0.0)
    _check_energies(image, pointing)
    theirs, ours = image.text("OBS_ID"), pointing.obs_id
    if (
        theirs.isdigit()
        and ours.isdigit()
        and int(theirs)
        and int(ours)
        and int(theirs) != int(ours)
    ):
        message = f"{path}: the exposure map is of OBS_ID {theirs}, the events are of OBS_ID {ours}: is it the right map?"
        warnings.warn(message, DataWarning, stacklevel=2)
    return Completeness(grid=grid, exposure=exposure, unit=unit)


def _exposure_unit(image, pointing):
    """The unit of an exposure map: "cm**2 s", "cm**2", "s" or ""."""
    given = image.text("BUNIT")
    # Counts and photons are pure numbers here: fluximage's cm**2 s is cm2 s count / photon in full.
    text = re.sub(
        r"\b(counts?|photons?|ct|ph)\b\s*(\*\*|\^)?\s*(-?\d+)?",
        " 1 ",
        given.lower().replace("sec", "s").replace("seconds", "s"),
    )
    per_area = re.search(r"/\s*\(?\s*cm|cm\s*(\*\*|\^)?\s*\(?\s*-\s*2", text)
    if per_area or re.search(r"/\s*\(?\s*s\b|\bs\s*(\*\*|\^)?\s*\(?\s*-\s*1", text):
        raise DataError(
            f"{image.path}: BUNIT {given!r} is that of a flux or rate image: give the exposure map (fluximage calls it .expmap)"
        )
    area, time = re.search(r"\bcm\s*(\*\*|\^)?\s*\(?\s*2", text), re.search(r"\bs(onds)?\b", text)
    if area or time:
        return "cm**2 s" if area and time else "cm**2" if area else "s"
    if re.fullmatch(r"\W*1\W*", text) and given.strip("1 ") != "":
        raise DataError(
            f"{image.path}: BUNIT {given!r} is that of a counts image: give the exposure map (fluximage calls it .expmap)"
        )
    peak = np.nanmax(np.where(np.isfinite(image.values), image.values, np.nan), initial=0.0)
    if not given and peak < LEAST_EXPOSURE:
        raise DataError(
            f"{image.path}: values of at most {peak:.3g} without BUNIT are a flux image's: give the exposure map (fluximage calls it .expmap)"
        )
    telescope = (image.text("TELESCOP") or pointing.telescope).upper()
    if not given and telescope == "CHANDRA" and peak > LARGE_EXPOSURE:
        warnings.warn(
            f"{image.path}: no BUNIT: the exposure map is taken to be in cm**2 s, as its maximum of {peak:.3g} suggests",
            DataWarning,
            stacklevel=3,
        )
        return "cm**2 s"
    if not given and peak > 1 and np.array_equal(image.values, np.round(image.values)):
        message = f"{image.path}: whole numbers up to {peak:g} without BUNIT: is it a counts image? It is taken to be a relative exposure map"
        warnings.warn(message, DataWarning, stacklevel=3)
    if given not in ("", "1", "none"):
        warnings.warn(
            f"{image.path}: BUNIT {given!r} is not understood: the exposure map is taken to be relative, without unit",
            DataWarning,
            stacklevel=3,
        )
    return ""


def _check_energies(image, pointing):
    """Warn where a map's energies lie outside the band of the events."""
    band = pointing.band_kev
    energies = [image.number(key) for key in ("ENERG_LO", "ENERG_HI")]
    if band is None or None in energies:
        return
    (low, high), slack = energies, 1e-3
    if low < band[0] - slack or high > band[1] + slack:
        message = f"{image.path}: the exposure map is for {low:g}-{high:g} keV, outside the chosen band {band[0]:g}-{band[1]:g} keV: is it the right map?"
        warnings.warn(message, DataWarning, stacklevel=3)
