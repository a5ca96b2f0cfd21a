"""Files of background: images, smooth or of counts, and event lists, told apart by what they hold."""

from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from ..plane.grid import SkyImage
from ._plane import on_plane
from ._read import fits_stream, headers, reading
from .events import read_events
from .maps import read_image

WAY_OUT = "give sky, particle, streak, or a FITS image or event list"


@dataclass(frozen=True, eq=False, kw_only=True)
class BackgroundImage:
    """An image of a background.

    Attributes
    ----------
    image : SkyImage
        Values per pixel; 0 where the file has none.
    known : (ny, nx) booleans
        Where the file has a value.
    is_counts : bool
        Whether the values are whole numbers, that is single photons.
    exposure : float or None
        The header's EXPOSURE [s].
    """

    image: SkyImage
    known: np.ndarray
    is_counts: bool
    exposure: float | None


def read_background(path, *, frame, physical=None):
    """Read a background from a file: an EventList, in its own frame, where it is an event list, else a BackgroundImage.

    Parameters
    ----------
    path : str or Path
    frame : SkyFrame
        The plane in which an image's grid is wanted.
    physical : PhysicalFrame, optional
        The telescope's sky pixels in that plane, for an image that has only physical coordinates.

    Returns
    -------
    EventList or BackgroundImage

    Raises
    ------
    DataError
        When the file cannot be read, is neither, has negative pixels, or none above 0.
    """
    if _is_event_list(path):
        return read_events(path)
    image = read_image(path)
    known = np.isfinite(image.values)
    values = np.where(known, image.values, 0.0)
    if values.min() < 0:
        raise DataError(
            f"{path}: a background cannot be negative, this one reaches {values.min():.4g}: is it an image of background?"
        )
    if not values.any():
        raise DataError(
            f"{path}: the background image is zero everywhere: make it anew, or leave it out"
        )
    # What is off the file is not known, which is not the same as nothing.
    grid, placed = on_plane(image, np.where(known, values, np.nan), frame, physical, fill=np.nan)
    known = np.isfinite(placed)
    return BackgroundImage(
        image=SkyImage(grid=grid, values=np.where(known, placed, 0.0), unit=image.text("BUNIT")),
        known=known,
        is_counts=bool(np.array_equal(values, np.round(values))),
        exposure=image.number("EXPOSURE"),
    )


def _is_event_list(path):
    """Whether a FITS file's first data are a table of events, not an image."""
    with fits_stream(path, way_out=WAY_OUT) as stream, reading(path):
        for header, _ in headers(stream):
            if header.get("XTENSION", "IMAGE").strip() == "IMAGE" and header.get("NAXIS", 0) >= 2:
                return False
            if header.get("XTENSION", "").strip() == "BINTABLE":
                name = str(header.get("EXTNAME", "")).strip().upper()
                if (
                    name in ("EVENTS", "STDEVT")
                    or str(header.get("HDUCLAS1", "")).strip().upper() == "EVENTS"
                    or header.get("ZIMAGE", False)
                ):
                    return not header.get("ZIMAGE", False)
    return False
