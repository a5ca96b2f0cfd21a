"""Images of a fit as files, FITS for DS9 and CIAO or HDF5; and the pixels of any FITS image."""

import re
import textwrap
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from os import PathLike

import h5py
import numpy as np
from astropy.io import fits

from .. import __version__
from ..errors import DataError, InputError
from ..model.result import FitResult
from ..plane.affine import MAX_RESIDUAL, affine_grid
from ..plane.frame import SkyFrame
from ..plane.grid import PixelGrid, SkyImage
from ..plane.wcs import wcs_cards
from ._wcs import image_wcs
from .image_header import Card, history, keywords, printable
from .maps import read_image
from .write import replacing, replacing_hdf5

FITS_SUFFIXES = (".fits", ".fits.gz", ".fit", ".img")
HDF5_SUFFIXES = (".h5", ".hdf5")
# Columns of a comment in a header.
_COMMENT_WIDTH = 72
IMAGE_SUFFIXES = FITS_SUFFIXES + HDF5_SUFFIXES


def write_images(
    path: str | PathLike,
    images: Mapping[str, SkyImage],
    result: FitResult,
    *,
    overwrite: bool = False,
    command: str | None = None,
    cards: Mapping[str, Mapping[str, Card]] | None = None,
) -> None:
    """Write images of a fit, each with its unit, its WCS and the keywords of the observations.

    In a FITS file the first image is the primary one, which DS9 shows at once. The others are
    extensions, found by name.

    Parameters
    ----------
    path : str or Path
        The file; it ends in .fits, .fits.gz, .fit or .img, or in .h5 or .hdf5.
    images : mapping of str to SkyImage, or RenderedImages
        Name and image, in the order of the file. A name that ends in a number, such as
        "RESIDUAL_2", belongs to that observation, counted from 1.
    result : FitResult
        The fit, for the frame, the keywords and the history.
    overwrite : bool
        Replace the file if it exists.
    command : str, optional
        The command line that made the images, for the history.
    cards : mapping of str to mapping, optional
        Further keywords of images, by name: their values and comments.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is false, if it cannot be written, or if its ending
        is unknown.
    InputError
        If there is no image.
    """
    images = images.as_dict() if hasattr(images, "as_dict") else dict(images)
    if not images:
        raise InputError(f"{path}: there is no image to write")
    cards = {} if cards is None else cards
    created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    if str(path).lower().endswith(HDF5_SUFFIXES):
        with replacing_hdf5(path, overwrite) as file:
            file.attrs.update(created=created, command=command or "")
            _fill(file, images, result, cards)
        return
    with replacing(path, overwrite, suffixes=IMAGE_SUFFIXES) as aside:
        hdus = fits.HDUList()
        for name, image in images.items():
            kind = fits.ImageHDU if hdus else fits.PrimaryHDU
            header = _header(name, image, result, created, command)
            header.update(cards.get(name, {}))
            hdu = kind(image.values.astype(np.float32), header)
            hdu.name = name
            hdus.append(hdu)
        hdus.writeto(aside, overwrite=True, checksum=True)


def write_labels(
    path: str | PathLike,
    image: SkyImage,
    result: FitResult,
    *,
    overwrite: bool = False,
    command: str | None = None,
) -> None:
    """Write an image of labels as whole numbers.

    Parameters
    ----------
    path : str or Path
        A FITS file.
    image : SkyImage
    result, overwrite, command
        As in `write_images`.

    Raises
    ------
    OutputError
        As `write_images` does.
    """
    created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    with replacing(path, overwrite, suffixes=FITS_SUFFIXES) as aside:
        header = _header("LABELS", image, result, created, command)
        hdu = fits.PrimaryHDU(image.values.astype(np.int32), header)
        hdu.name = "LABELS"
        hdu.writeto(aside, overwrite=True, checksum=True)


def read_grid_like(path: str | PathLike, frame: SkyFrame | None) -> PixelGrid:
    """Read the pixels of a FITS image, as they lie in a tangent plane.

    The grid is the affine map that fits the WCS of the image best.

    Parameters
    ----------
    path : str or Path
        A FITS file. Its first two-dimensional image is used, which must have a celestial WCS.
    frame : SkyFrame or None
        The plane in which the grid is wanted; None for a model without a sky.

    Returns
    -------
    PixelGrid

    Raises
    ------
    InputError
        If there is no frame.
    DataError
        If there is no such image, if it has no celestial WCS, or if its pixels are not on a
        regular grid in the plane to within 0.02 pixel.
    """
    if frame is None:
        raise InputError(
            f"{path}: its grid cannot be used for a model without a celestial frame: give a pixel "
            "size with `bin`"
        )
    image = read_image(path)
    wcs = image_wcs(path, image.header)
    if wcs is None:
        raise DataError(
            f"{path}: its image has no celestial WCS: name an image with right ascension and "
            "declination in its header"
        )
    grid, residual = affine_grid(image.values.shape, wcs.place(frame))
    if grid is None:
        raise DataError(
            f"{path}: its pixels are on the opposite side of the sky from the model's field: name "
            "an image of the same field"
        )
    if not residual < MAX_RESIDUAL:
        raise DataError(
            f"{path}: its pixels are not on a regular grid in the model's tangent plane (off by "
            f"{residual:.3g} pixel, {MAX_RESIDUAL} allowed): name an image of the same field, or "
            "give a pixel size with `bin`"
        )
    return grid


def _header(
    name: str, image: SkyImage, result: FitResult, created: str, command: str | None
) -> fits.Header:
    """The FITS header of one image."""
    own = _of_its_observation(name, result)
    header = _wcs_header(image, own)
    header["BUNIT"] = (image.unit, "unit of the pixels")
    header["CONTENT"] = name
    header["HDUNAME"] = name
    header.update(keywords(own))
    header["CREATOR"] = (f"gmmx {__version__}", "tool that made this file")
    header["DATE"] = (created, "date of this file, UTC")
    for text in image.comments:
        for line in textwrap.wrap(printable(text), _COMMENT_WIDTH):
            header.add_comment(line)
    for line in history(own, created, command):
        header.add_history(line)
    return header


def _wcs_header(image: SkyImage, result: FitResult) -> fits.Header:
    return fits.Header(wcs_cards(image.grid, result.frame, result.observations[0].physical))


def _of_its_observation(name: str, result: FitResult) -> FitResult:
    """The result with only the observation that the name of an image speaks of.

    "RESIDUAL_2" speaks of the second. For other names the result stays as it is.
    """
    found = re.search(r"_([1-9]\d*)$", name)
    if found is None:
        return result
    return replace(result, observations=(result.observations[int(found[1]) - 1],))


def _fill(
    file: h5py.File,
    images: Mapping[str, SkyImage],
    result: FitResult,
    cards: Mapping[str, Mapping[str, Card]],
) -> None:
    """Write images as datasets.

    Each has its unit and its FITS header as text, of which astropy makes a WCS.
    """
    file.attrs.update(schema="gmmx-images", schema_version=1, gmmx_version=__version__)
    if result.frame is not None:
        file.attrs.update(projection="TAN", **asdict(result.frame))
    file.attrs.update({key: value for key, (value, _) in keywords(result).items()})
    for name, image in images.items():
        own = _of_its_observation(name, result)
        data = file.create_dataset(
            name,
            data=image.values,
            chunks=True,
            shuffle=True,
            compression="gzip",
            compression_opts=1,
        )
        data.attrs.update(
            unit=image.unit,
            origin=image.grid.origin,
            matrix=image.grid.matrix,
            header=_wcs_header(image, own).tostring(sep="\n"),
            comment="\n".join(image.comments),
        )
        data.attrs.update({key: value for key, (value, _) in cards.get(name, {}).items()})
        if own is not result:
            data.attrs.update({key: value for key, (value, _) in keywords(own).items()})
