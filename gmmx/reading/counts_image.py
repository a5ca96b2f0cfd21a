"""Photons that come counted in pixels: which cuts such an image allows, where its field is, how masks act on it, and the pixel's own blur.

All photons of a pixel are where its centre is: so a pixel is masked or open as a whole, in the counts and in the completeness alike, and the PSF is widened by
the variance of a position in a square, step**2 / 12 along each axis.
"""

import warnings
from dataclasses import replace

import numpy as np

from ..errors import DataWarning, InputError
from ..model.completeness import Completeness
from ..model.psf import PsfModel
from ..plane.resample import map_means
from ..telescope.footprint import footprint
from .selection import parse_ccd, parse_energy

# Bands that differ by less are the same [keV].
SAME_ENERGY = 1e-3


def widened_by_pixel(psf, side):
    """A blur (PsfModel or None) and that of a square pixel of this side [arcsec] after it."""
    variance = side**2 / 12
    if psf is not None:
        return psf.widened(variance)
    return replace(
        PsfModel.constant(np.sqrt(variance)),
        description=f'none but that of pixels of {side:.3g}": a Gaussian of sigma {np.sqrt(variance):.3g}"',
    )


def resolve_image_energy(listed, energy=None):
    """The band (low, high) [keV] of a counts image or None where it is not known, and how that was found out (None where it was asked for).

    Raises
    ------
    InputError
        When another band than the image's own is asked for.
    """
    recorded, asked, name = (
        listed.metadata.get("recorded_energy_band_kev"),
        parse_energy(energy),
        listed.metadata.get("file", "image"),
    )
    if recorded is None and asked is not None:
        message = f"{name}: a counts image cannot be cut in energy, and this one does not tell its band: taking it to be of {asked[0]:g}:{asked[1]:g} keV"
        warnings.warn(message, DataWarning, stacklevel=3)
    if recorded is None:
        return asked, None if asked else "not told by the counts image"
    if asked is not None and not np.allclose(asked, recorded, rtol=0, atol=SAME_ENERGY):
        band = f"a counts image cannot be cut in energy, this one is of {recorded[0]:g}:{recorded[1]:g} keV"
        raise InputError(
            f"{name}: --energy {asked[0]:g}:{asked[1]:g}: {band}: bin the events anew, or leave --energy out"
        )
    return tuple(recorded), "{:g}:{:g} keV (told by the counts image)".format(*recorded)


def resolve_image_ccd(listed, ccd=None):
    """The chips of a counts image or None where they are not known.

    Raises
    ------
    InputError
        When others than the image's own are asked for.
    """
    recorded, asked, name = (
        listed.metadata.get("recorded_chips"),
        parse_ccd(ccd),
        listed.metadata.get("file", "image"),
    )
    if asked is not None and recorded is None:
        message = f"{name}: --ccd {ccd}: chips cannot be chosen in a counts image, and this one does not tell its own: all are kept"
        warnings.warn(message, DataWarning, stacklevel=3)
    elif asked is not None and list(asked) != recorded:
        chips = ",".join(map(str, recorded))
        raise InputError(
            f"{name}: --ccd {ccd}: chips cannot be chosen in a counts image, this one is of {chips}: bin the events anew, or leave --ccd out"
        )
    return None if recorded is None else tuple(recorded)


def image_field(listed):
    """The field that a counts image implies: the outline of its pixels that are not zero, exposed uniformly, on the image's own grid.

    Returns
    -------
    Completeness
        Relative: its unit is "".
    """
    outline = footprint(listed, step=listed.pixels.step / 2)
    share = np.clip(map_means(outline.exposure, outline.grid, listed.pixels), 0, 1)
    return Completeness(grid=listed.pixels, exposure=share)


def within_image(completeness, pixels):
    """The exposure of what lies in a counts image: off its edge no photon could be counted, whatever the exposure map says."""
    return replace(
        completeness,
        exposure=completeness.exposure
        * np.clip(map_means(np.ones(pixels.shape), pixels, completeness.grid), 0, 1),
    )


def image_open_share(shapes, pixels, grid):
    """Share of each cell of a grid that belongs to pixels of a counts image whose centre no shape covers, (ny, nx).

    On the image's own grid it is 0 or 1, as for the pixels' photons; off the image it is 1.
    """
    inside = shapes.contains(*pixels.centres()).astype(np.float64)
    return 1 - np.clip(map_means(inside, pixels, grid), 0, 1)
