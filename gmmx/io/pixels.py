"""The pixels of a FITS image, primary or extension, compressed or not."""

import io
import math
from os import PathLike

import numpy as np
from astropy.io import fits

from ..errors import DataError
from ._hdu import Hdu
from ._plane import FitsImage
from .files import open_fits, reading

# No pixel of any image holds more; larger values are marks of programs for what is not known.
LARGEST_VALUE = 1e16


def read_image(path: str | PathLike) -> FitsImage:
    """Read the first two-dimensional image of a FITS file, primary or extension.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    FitsImage

    Raises
    ------
    DataError
        If the file is not there, not FITS or truncated, if it holds no such image, or if a pixel
        is infinite or larger than 1e16.

    Examples
    --------
    >>> read_image("data_samples/expmap.fits.gz").text("BUNIT")
    'cm**2 s'
    """
    with open_fits(path) as opened:
        primary = None
        for hdu in opened.hdus():
            primary = hdu if primary is None else primary
            if is_picture(hdu):
                values, header = _pixels(opened, hdu)
                opened.check(*dict.fromkeys((primary, hdu)))
                return FitsImage(
                    path=str(path), values=values, header=header, sha256=opened.digest()
                )
    raise DataError(f"{path}: no image in it: a two-dimensional FITS image is needed")


def read_named_image(
    path: str | PathLike, extension: str | None = None, *, check=lambda _nx, _ny: None
) -> tuple[FitsImage, str, tuple[str, ...]]:
    """Read an image of a FITS file by the name or the number of its extension.

    Values may be as large as they like, such as column densities; infinite ones stay.

    Parameters
    ----------
    path : str or Path
    extension : str, optional
        By default the first two-dimensional image.
    check : callable
        Called with the width and the height, before the pixels are read.

    Returns
    -------
    FitsImage
    str
        Where it is: "the primary HDU" or "extension SCI".
    tuple of str
        Names or numbers of the other two-dimensional images of the file.

    Raises
    ------
    DataError
        If the file is not there, not FITS or truncated, or if it holds no such image.

    Examples
    --------
    >>> read_named_image("data_samples/expmap.fits.gz")[1:]
    ('the primary HDU', ())
    """
    with open_fits(path) as opened:
        hdus = list(opened.hdus())
        images = [hdu for hdu in hdus if is_picture(hdu)]
        hdu = _named(path, hdus, images, extension)
        check(*hdu.shape[:-3:-1])
        values, header = _pixels(opened, hdu, np.inf)
        opened.check(*dict.fromkeys((hdus[0], hdu)))
        image = FitsImage(path=str(path), values=values, header=header, sha256=opened.digest())
    others = tuple(one.name or str(one.number) for one in images if one is not hdu)
    return image, hdu.title, others


def _named(path, hdus, images, extension):
    """The HDU of the image that is asked for."""
    if extension is None:
        if images:
            return images[0]
        cubes = [one for one in hdus if one.is_image and len(one.shape) > 2 and all(one.shape)]
        if cubes:
            raise DataError(f"{path}: {_cube(cubes[0])}")
        raise DataError(f"{path}: no image in it: a two-dimensional FITS image is needed")
    names = (extension.upper(), extension)
    for hdu in hdus:
        if hdu.name == names[0] or str(hdu.number) == names[1]:
            if is_picture(hdu):
                return hdu
            is_cube = hdu.is_image and len(hdu.shape) > 2
            problem = _cube(hdu) if is_cube else f"{hdu.title} holds no two-dimensional image"
            raise DataError(f"{path}: {problem}")
    known = ", ".join(hdu.name or str(hdu.number) for hdu in images) or "none"
    raise DataError(f"{path}: no extension {extension}: its images are {known}")


def _cube(hdu):
    """What is wrong with a cube, and what to do."""
    size = " x ".join(map(str, hdu.shape[::-1]))
    return f"{hdu.title} is a cube of {size} pixels: write one plane into a file of its own"


def is_picture(hdu: Hdu) -> bool:
    """Return whether an HDU is an image of two dimensions, and has pixels.

    Further axes may have one pixel.

    Parameters
    ----------
    hdu : Hdu
    """
    shape = hdu.shape if hdu.is_image else ()
    return len(shape) >= 2 and np.prod(shape[:-2]) == 1 and all(n > 0 for n in shape)


def _pixels(opened, hdu, largest=LARGEST_VALUE):
    """Return the pixels of an image, as float64, and its header."""
    content, keep = opened.content(hdu), {"do_not_scale_image_data": True}
    shape = hdu.shape[-2:]
    with reading(opened.path):
        if hdu.header.get("ZIMAGE") is not True:
            raw = fits.PrimaryHDU.fromstring(content, **keep).data
            return _scaled(opened.path, raw, hdu.header, largest).reshape(shape), hdu.header
        primary = fits.PrimaryHDU().header.tostring().encode()
        with fits.open(io.BytesIO(primary + content), memmap=False, **keep) as hdus:
            raw, header = hdus[1].data, hdus[1].header.copy()
            return _scaled(opened.path, raw, header, largest).reshape(shape), header


def _scaled(path, raw, header, largest):
    """Return the values of an image in float64, scaled, with NaN for blank integers.

    astropy scales short integers in float32, which would keep seven digits of a unit's factor.
    """
    scale, zero = (_factor(path, header, *one) for one in (("BSCALE", 1), ("BZERO", 0)))
    blank = header.get("BLANK")
    values = np.array(raw, np.float64)
    if (scale, zero) != (1, 0):
        values *= scale
        values += zero
    if blank is not None and raw.dtype.kind in "iu":
        values[raw == blank] = np.nan
    with np.errstate(invalid="ignore"):
        n_absurd = int(np.count_nonzero(np.abs(values) > largest))
    if n_absurd:
        raise DataError(
            f"{path}: {n_absurd} of {values.size} pixels are infinite or beyond "
            f"{LARGEST_VALUE:g}: write NaN into pixels whose value is not known"
        )
    return values


def _factor(path, header, key, default):
    """Return BSCALE or BZERO."""
    value = header.get(key, default)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (is_number and math.isfinite(value) and (key == "BZERO" or value != 0)):
        raise DataError(f"{path}: {key} {value!r} is not a number to scale by: correct the header")
    return float(value)
