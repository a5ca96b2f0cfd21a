"""Read photons that a fit has not seen, cut as those that it was fitted to."""

from dataclasses import replace

import numpy as np

from ..errors import DataError, InputError
from ..io.counts_image import read_photons
from ..io.virtual import parse_file_argument
from ..model.observation import Observation
from ..model.photons import CountsImage
from .counts_image import resolve_image_energy, widened_by_pixel
from .selection import select_energy


def read_held_out(path, fitted):
    """Read the photons of a file in the plane, band, chips and field of a fitted observation.

    Parameters
    ----------
    path : str, Path or FileArgument
        Event list or counts image, with its filters.
    fitted : Observation
        An observation of the model.

    Returns
    -------
    Observation
        Photons and completeness; no PSF and no backgrounds.

    Raises
    ------
    InputError
        If a filter of the file's name cuts into the field of the fitted observation.
    DataError
        If the file cannot be read or has no photon in that field.
    """
    file = parse_file_argument(path)
    listed = read_photons(file, sky=False)
    listed = _in_band_and_chips(listed, fitted)
    # The masks come first, in the plane where they are exact, as in the fit.
    listed = _outside_masks(listed, fitted)
    cut = np.zeros(len(listed), bool)
    for one in file.sky:
        shapes = one.read(frame=listed.frame, physical=listed.physical)
        cut |= shapes.contains(listed.photons.x, listed.photons.y) == one.exclude
    x, y = listed.photons.x, listed.photons.y
    if listed.frame != fitted.frame:
        x, y = fitted.frame.to_plane(*listed.frame.to_sky(x, y))
    here = np.isfinite(x) & np.isfinite(y)
    other = Observation(
        photons=replace(listed.photons.select(here), x=x[here], y=y[here]),
        completeness=fitted.completeness,
        name=file.path.name,
        dropped=listed.dropped,
    )
    if _any_exposed(fitted, x[cut & here], y[cut & here]):
        # Without its photons this part of the field would count as empty, because the model is
        # normalised over its own field.
        raise InputError(
            f"{path}: filters by the sky cut into the model's own field: "
            "leave them out, or fit with them"
        )
    other = other.exposed()
    if len(other.photons) == 0:
        raise DataError(
            f"{path}: none of its photons lies in the model's field: was it taken of the same sky?"
        )
    return other


def in_pixels_of(other, fitted):
    """Return a fitted observation as pixels show it that are coarser than its own.

    Parameters
    ----------
    other : Observation
        As from `read_held_out`.
    fitted : Observation
    """
    missing = max(other.photons.pixel**2 - fitted.photons.pixel**2, 0.0)
    if missing <= 1e-6 * other.photons.pixel**2:
        return fitted
    return replace(fitted, psf=widened_by_pixel(fitted.psf, np.sqrt(missing)))


def _in_band_and_chips(listed, fitted):
    """Keep the photons in the band and on the chips of a fitted observation."""
    band, chips = fitted.metadata.get("energy_kev"), fitted.metadata.get("chips")
    if isinstance(listed, CountsImage):
        resolve_image_energy(listed, band if isinstance(band, list | tuple) else None)
    elif isinstance(band, list | tuple) and listed.photons.energy_kev is not None:
        listed = select_energy(listed, tuple(band))
    if chips is not None and listed.photons.ccd is not None:
        listed = listed.select(np.isin(listed.photons.ccd, chips), "ccd")
    return listed


def _outside_masks(listed, fitted):
    """Keep the photons outside the masks of a fitted observation."""
    if fitted.masks is None:
        return listed
    frame = fitted.masks_frame or fitted.frame
    at = listed.photons.x, listed.photons.y
    if listed.frame != frame:
        at = frame.to_plane(*listed.frame.to_sky(*at))
    return listed.select(~fitted.masks.contains(*at), "mask")


def _any_exposed(fitted, x, y):
    """Whether any position lies in the open, exposed field of a fitted observation."""
    completeness = fitted.completeness
    return completeness is not None and np.any(completeness.effective_at(x, y) > 0)
