"""Counts images: FITS images whose pixels hold photons, as fluximage and dmcopy write them.

A pixel that holds n photons becomes one row of weight n at its centre. Pixels without photons
become no rows.
"""

import warnings
from dataclasses import replace
from os import PathLike

import numpy as np

from ..errors import DataError, DataWarning
from ..model.photons import CountsImage, Photons
from ..model.pointing import InputFile, Pointing
from ..telescope.instruments import instrument_of
from ._plane import own_plane, physical_frame
from ._sky_columns import INPUT_WAY_OUT
from ._subspace import recorded_band, recorded_chips
from .events import file_keywords, is_events
from .files import open_fits
from .maps import is_picture, read_image
from .psf_image import is_radius
from .units import read_unit
from .virtual import FileArgument

# An image that nowhere reaches this holds no counts, because one with few photons has a pixel
# with one photon.
LEAST_COUNT = 1e-3
# Relative difference of the sides of a pixel that is still taken to be square.
SQUARE = 0.01


def is_counts_image(file: FileArgument) -> bool:
    """Whether a file holds an image and no table of events.

    Parameters
    ----------
    file : FileArgument

    Raises
    ------
    DataError
        If the file is not there or not FITS.
    """
    has_image = False
    with open_fits(file.path, way_out=INPUT_WAY_OUT) as opened:
        for hdu in opened.hdus():
            if is_events(hdu.header):
                return False
            has_image |= is_picture(hdu)
    return has_image


def read_counts(path: str | PathLike) -> CountsImage:
    """Read the photons of a counts image.

    Parameters
    ----------
    path : str or Path
        A FITS file, gzipped or not, whose first two-dimensional image holds counts.

    Returns
    -------
    CountsImage
        One row for each pixel that is not zero. Pixels with NaN, or with BLANK in an image of
        integers, were not observed. Its `pointing` holds the keywords that
        `read_events` finds, and the band and the chips of the image if the header gives them.

    Raises
    ------
    DataError
        If the file is not there, not FITS or truncated, if the image cannot hold counts (it is
        negative, infinite, a flux, an exposure or PSF map, or zero everywhere), or if it has no
        celestial WCS or pixels that are not square.

    Warns
    -----
    DataWarning
        If the image holds numbers that are not whole.
    """
    image = read_image(path)
    image = replace(image, values=image.values * _counts_in_a_unit(image))
    observed = ~np.isnan(image.values)
    image = replace(image, values=np.where(observed, image.values, 0.0))
    _check_values(image, observed)
    try:
        frame, grid = own_plane(image)
    except DataError as error:
        raise NoCountsError(str(error)) from None
    sides = np.hypot(*grid.matrix)
    if abs(sides[0] / sides[1] - 1) > SQUARE:
        raise DataError(
            f"{path}: its pixels are not square ({sides[0]:.3g} by {sides[1]:.3g} arcsec): "
            "bin the events anew"
        )
    iy, ix = np.nonzero(image.values)
    x, y = grid.to_plane(ix, iy)
    pointing = Pointing.from_keywords(file_keywords(image.header, image.header))
    return CountsImage(
        frame=frame,
        physical=physical_frame(image, grid),
        photons=Photons(x, y, weights=image.values[iy, ix], pixel=float(grid.step)),
        pixels=grid,
        observed=None if observed.all() else observed,
        pointing=replace(
            pointing,
            file_name=image.name,
            n_rows=len(x),
            recorded_band_kev=_band_of_image(image, pointing),
            recorded_chips=recorded_chips(image.header),
            inputs=(InputFile("events", str(path), image.sha256),),
        ),
    )


class NoCountsError(DataError):
    """An image that holds something else than counts."""


_GIVE = "give the counts image (fluximage calls it .img) or the event list"


def _counts_in_a_unit(image):
    """Return how many counts 1 stands for; refuse an image that holds something else."""
    path, text = image.path, image.text("BUNIT")
    unit = read_unit(text)
    if image.number("ECF") is not None or is_radius(text):
        raise NoCountsError(
            f"{path}: this is a PSF map (BUNIT {text!r}, ECF {image.text('ECF')}): {_GIVE}, "
            "and this with `psf`"
        )
    if unit.is_rate:
        raise NoCountsError(
            f"{path}: BUNIT {text!r} is that of a flux or rate image, which does not follow "
            f"Poisson's law: {_GIVE}, and the exposure with `exposure`"
        )
    content, kind = image.text("CONTENT").upper(), image.text("HDUCLAS2").upper()
    if unit.exposure or content == "EXP" or kind == "EXPOSURE":
        raise NoCountsError(
            f"{path}: this is an exposure map (BUNIT {text!r}): {_GIVE}, and this with `exposure`"
        )
    if not unit.is_counts:
        problem = "not that of counts" if unit.is_understood else "not understood as a unit"
        raise NoCountsError(
            f"{path}: BUNIT {text!r} is {problem}: {_GIVE}, or write 'count' there if its pixels "
            "hold counts"
        )
    return unit.scale


def _check_values(image, observed):
    """Refuse values that cannot be counts, and warn of values that may not be."""
    path, values = image.path, image.values
    if not observed.any():
        raise DataError(f"{path}: no pixel holds a number (all are NaN or BLANK): {_GIVE}")
    n_infinite = int(np.count_nonzero(np.isinf(values)))
    if n_infinite:
        raise NoCountsError(
            f"{path}: {n_infinite} of {values.size} pixels are infinite: is it divided by an "
            f"exposure? {_GIVE}"
        )
    if values.min() < 0:
        raise NoCountsError(
            f"{path}: counts cannot be negative, these reach {values.min():.4g}: "
            f"is a background subtracted? {_GIVE}"
        )
    peak = float(values.max())
    if peak == 0:
        raise DataError(f"{path}: the image is zero everywhere: there is nothing to fit")
    if peak < LEAST_COUNT:
        raise NoCountsError(
            f"{path}: values of at most {peak:.3g} are no counts but a flux: {_GIVE}"
        )
    broken = values[values != np.round(values)]
    if len(broken):
        warnings.warn(
            f"{path}: {len(broken)} pixels hold numbers that are not whole, such as "
            f"{broken[0]:.4g}: is it smoothed, or divided by an exposure? The fit treats them as "
            "counts, and so do the errors. If they are no counts, `picture` fits them as a picture",
            DataWarning,
            stacklevel=3,
        )


def _band_of_image(image, pointing):
    """Return the energy band of an image [keV]; None if the header does not give it.

    The band is that of ENERGYLO and ENERGYHI, otherwise of ENERG_LO and ENERG_HI, otherwise of the
    data subspace keywords.
    """
    for names in (("ENERGYLO", "ENERGYHI"), ("ENERG_LO", "ENERG_HI")):
        low, high = (image.number(name, "keV") for name in names)
        if low is not None and high is not None and 0 <= low < high:
            return low, high
    return recorded_band(image.header, instrument_of(pointing).channels)
