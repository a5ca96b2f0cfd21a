"""What the input of a fit is: photons, a catalogue or a picture. Nobody else asks."""

from collections.abc import Sequence
from os import PathLike

from ..config import PICTURE_DEFAULTS
from ..io.pictures import is_picture

# Defaults of options that the kind of an input changes.
DEFAULTS = {"picture": PICTURE_DEFAULTS}


def input_kind(path: str | PathLike, columns: Sequence[str] = (), picture: bool = False) -> str:
    """What a file of a fit is: "photons", a "catalogue" or a "picture".

    Event lists and counts images, which both hold photons, are told apart by their headers, in
    `gmmx.reading.door`.

    Parameters
    ----------
    path : str or Path
    columns : sequence of str
        The columns to fit, which make a table a catalogue.
    picture : bool
        Whether the file is called a picture, whatever its name is. A FITS image is none unless
        this is said, because nothing in it tells counts from other numbers for sure.

    Examples
    --------
    >>> input_kind("evt2.fits"), input_kind("stars.fits", ["g_r"]), input_kind("drawing.png")
    ('photons', 'catalogue', 'picture')
    >>> input_kind("optical.fits", picture=True)
    'picture'
    """
    if picture or is_picture(path):
        return "picture"
    return "catalogue" if columns else "photons"
