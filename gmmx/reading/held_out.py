"""Read photons that a fit has not seen, cut as those that it was fitted to."""

from dataclasses import replace

import numpy as np

from ..errors import DataError, InputError
from ..io.virtual import parse_file_argument
from ..model.observation import Observation
from ..model.photons import CountsImage
from .door import open_source
from .doubts.held_out import warn_of_doubts
from .psf import widened_by_pixel


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
    # The masks come first, in the plane where they are exact, as in the fit.
    recorded = open_source(file).held_out(fitted)
    warn_of_doubts(recorded, fitted)
    recorded = _outside_masks(recorded, fitted)
    if isinstance(recorded, CountsImage):
        _check_observed(path, recorded, fitted)
    cut = np.zeros(len(recorded), bool)
    for one in file.sky:
        shapes = one.read(frame=recorded.frame, physical=recorded.physical)
        cut |= shapes.contains(recorded.photons.x, recorded.photons.y) == one.exclude
    x, y = recorded.photons.x, recorded.photons.y
    if recorded.frame != fitted.frame:
        x, y = recorded.frame.to_frame(fitted.frame, x, y)
    here = np.isfinite(x) & np.isfinite(y)
    other = Observation(
        photons=replace(recorded.photons.select(here), x=x[here], y=y[here]),
        completeness=fitted.completeness,
        name=file.path.name,
        dropped=recorded.dropped,
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
    """Return a fitted observation as it appears in coarser pixels than its own.

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


def _outside_masks(recorded, fitted):
    """Keep the photons outside the masks of a fitted observation."""
    if fitted.masks is None:
        return recorded
    frame = fitted.masks_frame or fitted.frame
    at = recorded.photons.x, recorded.photons.y
    if recorded.frame != frame:
        at = recorded.frame.to_frame(frame, *at)
    return recorded.select(~fitted.masks.contains(*at), "mask")


def _check_observed(path, image, fitted):
    """Refuse a counts image that was not observed in a part of the model's own field."""
    if image.observed is None:
        return
    iy, ix = np.nonzero(~image.observed)
    x, y = image.pixels.to_plane(ix, iy)
    if image.frame != fitted.frame:
        x, y = image.frame.to_frame(fitted.frame, x, y)
    if _any_exposed(fitted, x, y):
        raise InputError(
            f"{path}: some of its {image.n_unobserved:,} pixels without a number (NaN or BLANK) "
            "lie in the model's own field: score an image that covers it"
        )


def _any_exposed(fitted, x, y):
    """Whether any position lies in the open, exposed field of a fitted observation."""
    completeness = fitted.completeness
    return completeness is not None and np.any(completeness.effective_at(x, y) > 0)
