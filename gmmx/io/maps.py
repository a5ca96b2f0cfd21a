"""Exposure maps and PSF maps: FITS images as fluximage, mkpsfmap and the like write them, on whatever grid they come."""

import re
import warnings

import numpy as np
from astropy.io import fits
from scipy.ndimage import distance_transform_edt

from ..completeness import Completeness
from ..errors import DataError, DataWarning, InputError
from ..grid import PixelGrid
from ..psf import PsfModel
from ._plane import MAX_RESIDUAL, FitsImage, affine_grid, on_plane, resampled
from ._read import fits_stream, reading

__all__ = ["MAX_RESIDUAL", "FitsImage", "affine_grid", "read_exposure", "read_image", "read_psf_map", "resampled"]

MAX_PSF_NODES = 96
# A Chandra map without a unit that reaches this is area times time: no effective area is that large.
LARGE_EXPOSURE = 1e4
# A map without a unit that stays below this is no exposure, relative or not, but a flux.
LEAST_EXPOSURE = 1e-3
ARCSEC_PER_UNIT = {"arcsec": 1.0, "arcmin": 60.0, "deg": 3600.0, "degree": 3600.0}


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
            if hdu.is_image and len(hdu.shape) >= 2 and np.prod(hdu.shape[:-2]) == 1 and np.prod(hdu.shape) > 0:
                values = np.array(hdu.data, np.float64).reshape(hdu.shape[-2:])
                return FitsImage(path=str(path), values=values, header=hdu.header.copy())
    raise DataError(f"{path}: no image in it: a two-dimensional FITS image is needed")


def read_exposure(path, *, frame, physical=None, events_metadata=None):
    """Read an exposure map onto a grid in the plane.

    Parameters
    ----------
    path : str or Path
    frame : SkyFrame
        The plane in which the grid is wanted.
    physical : PhysicalFrame, optional
        The telescope's sky pixels in that plane, for a map that has only physical coordinates.
    events_metadata : dict, optional
        OBS_ID, TELESCOP and "energy_kev" of the events that the map is for: what disagrees is a warning.

    Returns
    -------
    Completeness
        0 where the map is 0 or not finite; its unit is "cm**2 s", "cm**2", "s" or "".

    Raises
    ------
    DataError
        When the map cannot be read or has no WCS; is all zero, or negative somewhere; or is a flux or counts image.
    """
    image, about = read_image(path), events_metadata or {}
    unit = _exposure_unit(image, about)
    exposure = np.where(np.isfinite(image.values), image.values, 0.0)
    if exposure.min() < 0:
        raise DataError(f"{path}: an exposure map cannot be negative, this one reaches {exposure.min():.4g}: is it an exposure map?")
    if not exposure.any():
        raise DataError(f"{path}: the exposure map is zero everywhere: make it anew, or leave it out")
    grid, exposure = on_plane(image, exposure, frame, physical, fill=0.0)
    _check_energies(image, about)
    theirs, ours = image.text("OBS_ID"), str(about.get("OBS_ID", "")).strip()
    if theirs.isdigit() and ours.isdigit() and int(theirs) and int(ours) and int(theirs) != int(ours):
        message = f"{path}: the exposure map is of OBS_ID {theirs}, the events are of OBS_ID {ours}: is it the right map?"
        warnings.warn(message, DataWarning, stacklevel=2)
    return Completeness(grid=grid, exposure=exposure, unit=unit)


def read_psf_map(path, *, frame, physical=None, ecf=None):
    """Read a map of radii that enclose a fraction of the PSF, as Gaussians of ``sigma = R / sqrt(-2 ln(1 - ECF))``.

    The map is reduced to at most 96 nodes a side by means of sigma**2 over blocks; where it is NaN or 0, outside the field, the nearest value is taken.

    Parameters
    ----------
    path : str or Path
        Radii in the unit that BUNIT tells: arcsec, logical (pixels of the map) or physical (sky pixels of the telescope).
    frame, physical
        As for `read_exposure`.
    ecf : float, optional
        The encircled fraction, over the header's ECF.

    Returns
    -------
    PsfModel
        One round Gaussian per node.

    Raises
    ------
    DataError, InputError
        When the map cannot be read, has no positive radius or negative ones, or its ECF is not known or not between 0 and 1.
    """
    image = read_image(path)
    share = _encircled_fraction(image, ecf)
    radius = np.where(np.isfinite(image.values), image.values, 0.0)
    if radius.min() < 0:
        raise DataError(f"{path}: a PSF map holds radii, this one reaches {radius.min():.4g}: is it a PSF map?")
    if not radius.any():
        raise DataError(f"{path}: the PSF map has no radius above zero: make it anew with mkpsfmap, or give a sigma in arcsec with --psf")
    grid, radius = on_plane(image, radius, frame, physical, fill=0.0)
    unit, scale = _radius_unit(image, grid, physical)
    sigma = radius * scale / np.sqrt(-2 * np.log1p(-share))
    grid, variances = _blocks(grid, np.where(sigma > 0, sigma**2, np.nan), MAX_PSF_NODES)
    filled = variances[tuple(distance_transform_edt(np.isnan(variances), return_distances=False, return_indices=True))]
    low, middle, high = np.sqrt(np.nanquantile(variances, (0, 0.5, 1)))
    energy = f" at {image.number('ENERGY'):g} keV" if image.number("ENERGY") else ""
    name = image.path.rsplit("/", 1)[-1]
    description = f'PSF map {name}: ECF {share:g}{energy}, radii in {unit}, Gaussian sigma {low:.2f}" to {high:.2f}" (median {middle:.2f}")'
    covariances = filled[..., None, None, None] * np.eye(2)
    return PsfModel(grid=grid, weights=np.ones((*grid.shape, 1)), covariances=covariances, description=description)


def _exposure_unit(image, about):
    """The unit of an exposure map: "cm**2 s", "cm**2", "s" or ""."""
    given = image.text("BUNIT")
    # Counts and photons are pure numbers here: fluximage's cm**2 s is cm2 s count / photon in full.
    text = re.sub(r"\b(counts?|photons?|ct|ph)\b\s*(\*\*|\^)?\s*(-?\d+)?", " 1 ", given.lower().replace("sec", "s").replace("seconds", "s"))
    per_area = re.search(r"/\s*\(?\s*cm|cm\s*(\*\*|\^)?\s*\(?\s*-\s*2", text)
    if per_area or re.search(r"/\s*\(?\s*s\b|\bs\s*(\*\*|\^)?\s*\(?\s*-\s*1", text):
        raise DataError(f"{image.path}: BUNIT {given!r} is that of a flux or rate image: give the exposure map (fluximage calls it .expmap)")
    area, time = re.search(r"\bcm\s*(\*\*|\^)?\s*\(?\s*2", text), re.search(r"\bs(onds)?\b", text)
    if area or time:
        return "cm**2 s" if area and time else "cm**2" if area else "s"
    if re.fullmatch(r"\W*1\W*", text) and given.strip("1 ") != "":
        raise DataError(f"{image.path}: BUNIT {given!r} is that of a counts image: give the exposure map (fluximage calls it .expmap)")
    peak = np.nanmax(np.where(np.isfinite(image.values), image.values, np.nan), initial=0.0)
    if not given and peak < LEAST_EXPOSURE:
        raise DataError(f"{image.path}: values of at most {peak:.3g} without BUNIT are a flux image's: give the exposure map (fluximage calls it .expmap)")
    telescope = (image.text("TELESCOP") or str(about.get("TELESCOP", ""))).upper()
    if not given and telescope == "CHANDRA" and peak > LARGE_EXPOSURE:
        warnings.warn(f"{image.path}: no BUNIT: the exposure map is taken to be in cm**2 s, as its maximum of {peak:.3g} suggests", DataWarning, stacklevel=3)
        return "cm**2 s"
    if not given and peak > 1 and np.array_equal(image.values, np.round(image.values)):
        message = f"{image.path}: whole numbers up to {peak:g} without BUNIT: is it a counts image? It is taken to be a relative exposure map"
        warnings.warn(message, DataWarning, stacklevel=3)
    if given not in ("", "1", "none"):
        warnings.warn(f"{image.path}: BUNIT {given!r} is not understood: the exposure map is taken to be relative, without unit", DataWarning, stacklevel=3)
    return ""


def _check_energies(image, about):
    """Warn where a map's energies lie outside the band of the events."""
    band = about.get("energy_kev")
    energies = [image.number(key) for key in ("ENERG_LO", "ENERG_HI")]
    if not isinstance(band, (list, tuple)) or None in energies:
        return
    (low, high), slack = energies, 1e-3
    if low < band[0] - slack or high > band[1] + slack:
        message = f"{image.path}: the exposure map is for {low:g}-{high:g} keV, outside the chosen band {band[0]:g}-{band[1]:g} keV: is it the right map?"
        warnings.warn(message, DataWarning, stacklevel=3)


def _encircled_fraction(image, ecf):
    """The encircled fraction that was asked for, or else the header's."""
    where = "--psf-ecf"
    if ecf is None:
        ecf, where = image.number("ECF"), "ECF"
        if ecf is None:
            raise DataError(f"{image.path}: no ECF in the header of the PSF map: say what fraction its radii enclose with --psf-ecf")
    if 0 < ecf < 1:
        return float(ecf)
    hint = f"did you mean {ecf / 100:g}?" if 1 < ecf < 100 else "give it with --psf-ecf"
    error = InputError if where == "--psf-ecf" else DataError
    raise error(f"{image.path}: {where} {ecf:g}: the encircled fraction lies between 0 and 1: {hint}")


def _radius_unit(image, grid, physical):
    """The unit of a PSF map's radii, and its size [arcsec]."""
    unit = image.text("BUNIT").lower()
    if not unit:
        warnings.warn(f"{image.path}: no BUNIT: the radii of the PSF map are taken to be in arcsec", DataWarning, stacklevel=3)
        return "arcsec", 1.0
    if unit in ARCSEC_PER_UNIT:
        return unit, ARCSEC_PER_UNIT[unit]
    if unit in ("logical", "pixel", "pixels", "image"):
        return unit, grid.step
    if unit == "physical":
        if physical is not None:
            return unit, np.sqrt(abs(physical.step_x * physical.step_y))
        if image.number("CDELT1P"):
            return unit, grid.step / abs(image.number("CDELT1P"))
    raise DataError(f"{image.path}: BUNIT {unit!r} of the PSF map is not understood: radii are in arcsec, logical or physical pixels")


def _blocks(grid, values, most):
    """Means over blocks of pixels, NaN left out, such that no more than `most` are left a side; the grid of the blocks' centres."""
    n = -(-max(grid.shape) // most)
    if n == 1:
        return grid, values
    ny, nx = (-(-size // n) for size in grid.shape)
    padded = np.full((ny * n, nx * n), np.nan)
    padded[: grid.shape[0], : grid.shape[1]] = values
    good = np.isfinite(padded)
    total, count = (a.reshape(ny, n, nx, n).sum((1, 3)) for a in (np.where(good, padded, 0.0), good))
    means = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return PixelGrid(shape=(ny, nx), origin=np.array(grid.to_plane((n - 1) / 2, (n - 1) / 2)), matrix=grid.matrix * n), means
