"""FITS images as pictures: values of any unit, with or without coordinates, and back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path

import numpy as np
from astropy.io import fits

from .. import __version__
from ..errors import InputError
from .files import GZIP_MAGIC, HEAD, check_input
from .image_header import printable
from .images import FITS_SUFFIXES
from .pictures import check_size
from .pixels import read_named_image
from .units import read_unit
from .write import replacing

# Cards that place the first two axes on the sky, or in any other linear coordinates.
_PLACED = re.compile(
    r"(CTYPE|CRVAL|CRPIX|CDELT|CUNIT|CROTA)[12]|(PC|CD)[12]_[12]|PV[12]_\d+"
    r"|[AB]P?_\d+_\d+|[AB]P?_ORDER|LONPOLE|LATPOLE|WCSNAME|RADESYS|RADECSYS|EQUINOX|EPOCH"
    r"|WAT[12]_\d+"
)
# Cards of distortions, which hold for the pixels of the image only.
_DISTORTED = re.compile(r"[AB]P?_\d+_\d+|[AB]P?_ORDER")
# Cards of the steps of the coordinates per pixel.
_STEPS = re.compile(r"(CDELT|CROTA)[12]|(PC|CD)[12]_[12]")
_HISTORY_COLUMNS = 70


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class FitsPicture:
    """An image of a FITS file, and what its header says about its pixels.

    Attributes
    ----------
    values : (ny, nx) array
        Row 0 is the bottom. They may hold NaN.
    unit : str
        BUNIT, or "".
    cards : dict
        Keywords and values of the coordinates of the pixels; empty if there are none.
    place : str
        Where in the file it is, such as "extension SCI".
    others : tuple of str
        The other images of the file.
    holds_counts : bool
        Whether the unit is that of counts.
    """

    values: np.ndarray
    unit: str
    cards: Mapping
    place: str
    others: tuple[str, ...]
    holds_counts: bool

    def __repr__(self):
        ny, nx = self.values.shape
        return f"FitsPicture({self.place}: {nx} x {ny} pixels, unit {self.unit!r})"


def is_fits(path: str | PathLike) -> bool:
    """Whether a file begins as FITS does, or is gzipped; an extension may follow its name.

    Examples
    --------
    >>> is_fits("data_samples/expmap.fits.gz[0]")
    True
    """
    with check_input(split_extension(path)[0]).open("rb") as stream:
        head = stream.read(HEAD)
    return head.startswith((b"SIMPLE  =", GZIP_MAGIC))


def split_extension(text: str | PathLike) -> tuple[Path, str | None]:
    """Separate a file from the name or the number of an extension in brackets behind it.

    Examples
    --------
    >>> split_extension("image.fits[SCI]")[1], split_extension("image.fits")[1]
    ('SCI', None)
    """
    found = re.fullmatch(r"(.+?)\[\s*([^\[\],=:]+?)\s*\]\s*", str(text), re.DOTALL)
    if found is None or Path(text).exists():
        return Path(text), None
    return Path(found[1]), found[2]


def read_fits_picture(text: str | PathLike) -> FitsPicture:
    """Read an image of a FITS file.

    Parameters
    ----------
    text : str or Path
        The name or the number of an extension may follow in brackets, as in "image.fits[SCI]".
        Without it the first two-dimensional image is read.

    Raises
    ------
    DataError
        If the file is not FITS or is damaged, if it has no such image, only a cube, or too many
        pixels.

    Examples
    --------
    >>> read_fits_picture("data_samples/expmap.fits.gz")
    FitsPicture(the primary HDU: ... pixels, unit 'cm**2 s')
    """
    path, extension = split_extension(text)
    image, place, others = read_named_image(
        path, extension, check=lambda nx, ny: check_size(path, nx, ny)
    )
    header = image.header
    cards = {
        key: header[key]
        for key in header
        if _PLACED.fullmatch(key) and isinstance(header[key], int | float | str)
    }
    is_placed = {"CTYPE1", "CTYPE2"} <= set(cards)
    unit = image.text("BUNIT")
    return FitsPicture(
        values=image.values,
        unit=unit,
        cards=cards if is_placed else {},
        place=place,
        others=others,
        holds_counts=bool(unit) and read_unit(unit).is_counts,
    )


def write_fits_picture(
    path: str | PathLike,
    values: np.ndarray,
    *,
    unit: str = "",
    cards: Mapping | None = None,
    size: tuple[int, int] | None = None,
    comment: str = "",
    overwrite: bool = False,
    command: str | None = None,
) -> None:
    """Write an image with the coordinates of the picture that was fitted.

    Parameters
    ----------
    path : str or Path
    values : (ny, nx) array
        Row 0 is the bottom.
    unit : str
        BUNIT.
    cards : dict, optional
        Coordinates of the pixels of that picture, as `read_fits_picture` returns them.
    size : (int, int), optional
        Its width and height, if this image covers it with other pixels.
    comment : str
        What the pixels hold.
    overwrite : bool
        Replace the file if it exists.
    command : str, optional
        The command line, for the history.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is false, or cannot be written.
    InputError
        If the coordinates are distorted, and the pixels are others.
    """
    ny, nx = values.shape
    header = fits.Header()
    header.update(regridded(cards or {}, size or (nx, ny), (nx, ny)))
    if unit:
        header["BUNIT"] = (unit, "unit of the pixels")
    header["CREATOR"] = (f"gmmx {__version__}", "tool that made this file")
    header["DATE"] = (datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"), "date of this file, UTC")
    if comment:
        header.add_comment(comment)
    line = printable(command or "")
    for start in range(0, len(line), _HISTORY_COLUMNS):
        header.add_history(line[start : start + _HISTORY_COLUMNS])
    with replacing(path, overwrite, suffixes=FITS_SUFFIXES) as aside:
        fits.PrimaryHDU(values.astype(np.float32), header).writeto(
            aside, overwrite=True, checksum=True
        )


def regridded(cards: Mapping, size: tuple[int, int], new: tuple[int, int]) -> dict:
    """Coordinates of an image whose pixels are smaller or larger along both axes.

    Parameters
    ----------
    cards : dict
    size, new : (int, int)
        Width and height before and after.

    Raises
    ------
    InputError
        If the coordinates are distorted.

    Examples
    --------
    >>> cards = {"CRPIX1": 1.0, "CDELT1": 2.0, "CRPIX2": 5.0, "CDELT2": 2.0}
    >>> regridded(cards, (10, 10), (20, 10))
    {'CRPIX1': 1.5, 'CRPIX2': 5.0, 'CD1_1': 1.0, 'CD1_2': 0.0, 'CD2_1': 0.0, 'CD2_2': 2.0}
    """
    if size == new or not cards:
        return dict(cards)
    if any(_DISTORTED.fullmatch(key) for key in cards):
        raise InputError(
            "the coordinates of the image are distorted, so that they hold for its own pixels "
            "only: leave `grid_size` out",
            parameter="grid_size",
        )
    matrix = _matrix(cards)
    found = {key: value for key, value in cards.items() if not _STEPS.fullmatch(key)}
    for axis in (0, 1):
        ratio = new[axis] / size[axis]
        matrix[:, axis] /= ratio
        found[f"CRPIX{axis + 1}"] = (cards.get(f"CRPIX{axis + 1}", 0.0) - 0.5) * ratio + 0.5
    return found | {f"CD{i + 1}_{j + 1}": float(matrix[i, j]) for i in (0, 1) for j in (0, 1)}


def _matrix(cards):
    """Steps of the coordinates per pixel, (2, 2) (Greisen & Calabretta 2002, section 2)."""
    axes = (1, 2)
    if any(f"CD{i}_{j}" in cards for i in axes for j in axes):
        return np.array([[cards.get(f"CD{i}_{j}", 0.0) for j in axes] for i in axes], float)
    steps = np.array([cards.get(f"CDELT{i}", 1.0) for i in axes], float)
    turned = np.array([[cards.get(f"PC{i}_{j}", float(i == j)) for j in axes] for i in axes])
    angle = np.deg2rad(float(cards.get("CROTA2", 0.0)))
    if angle and not any(f"PC{i}_{j}" in cards for i in axes for j in axes):
        skew = np.sin(angle) * steps[1] / steps[0]
        turned = np.array([[np.cos(angle), -skew], [np.sin(angle) ** 2 / skew, np.cos(angle)]])
    return steps[:, None] * turned
