"""Backgrounds that come from files: event lists, such as a blank sky, and images."""

from dataclasses import dataclass
from os import PathLike

import numpy as np

from ..errors import DataError
from ..model.photons import EventList
from ..plane.frame import PhysicalFrame, SkyFrame
from ..plane.grid import SkyImage
from ._plane import on_plane
from .events import is_events, read_events
from .files import open_fits
from .maps import is_picture, read_image
from .units import FileUnit, read_unit

WAY_OUT = "give sky, particle, streak, or a FITS image or event list"


@dataclass(frozen=True, eq=False, kw_only=True)
class BackgroundImage:
    """An image of the background in the plane.

    Attributes
    ----------
    image : SkyImage
        Values per pixel, in the unit of the file, whose factor is applied if it is one of counts;
        0 where nothing is known.
    known : (ny, nx) array of bool
        Whether the file has a value for the pixel.
    is_counts : bool
        Whether all values are whole numbers.
    exposure : float or None
        EXPOSURE of the header [s].
    unit : FileUnit
        BUNIT of the header.
    """

    image: SkyImage
    known: np.ndarray
    is_counts: bool
    exposure: float | None
    unit: FileUnit


def read_background(
    path: str | PathLike, *, frame: SkyFrame, physical: PhysicalFrame | None = None
) -> EventList | BackgroundImage:
    """Read a background from an event list or an image.

    Parameters
    ----------
    path : str or Path
    frame : SkyFrame
        The plane in which the grid of an image is wanted.
    physical : PhysicalFrame, optional
        The telescope's sky pixels in that plane, for an image that has only physical coordinates.

    Returns
    -------
    EventList or BackgroundImage
        An event list is in its own plane.

    Raises
    ------
    DataError
        If the file cannot be read, is neither of the two, or if the image has negative pixels or
        is zero everywhere.
    """
    if _is_event_list(path):
        return read_events(path)
    image = read_image(path)
    known = np.isfinite(image.values)
    unit = read_unit(image.text("BUNIT"))
    values = np.where(known, image.values, 0.0) * (unit.scale if unit.is_counts else 1.0)
    if values.min() < 0:
        raise DataError(
            f"{path}: a background cannot be negative, this one reaches {values.min():.4g}: "
            "is it an image of the background?"
        )
    if not values.any():
        raise DataError(
            f"{path}: the background image is zero everywhere: make it anew, or leave it out"
        )
    # Off the image the background is unknown, which is not the same as zero.
    grid, placed = on_plane(image, np.where(known, values, np.nan), frame, physical, fill=np.nan)
    known = np.isfinite(placed)
    return BackgroundImage(
        image=SkyImage(grid=grid, values=np.where(known, placed, 0.0), unit=unit.text),
        known=known,
        is_counts=bool(np.array_equal(values, np.round(values))),
        exposure=image.number("EXPOSURE", "s"),
        unit=unit,
    )


def _is_event_list(path):
    """Whether the first data of a FITS file are a table of events, not an image."""
    with open_fits(path, way_out=WAY_OUT) as opened:
        for hdu in opened.hdus():
            if is_picture(hdu):
                return False
            if is_events(hdu.header):
                return True
    return False
