"""What the input of a fit is: photons, a catalogue or a picture. Nobody else asks."""

from collections.abc import Sequence
from os import PathLike

from ..config import PICTURE_DEFAULTS
from ..io.pictures import is_picture

# Defaults of options that the kind of an input changes.
DEFAULTS = {"picture": PICTURE_DEFAULTS}


def input_kind(path: str | PathLike, columns: Sequence[str] = ()) -> str:
    """What a file of a fit is: "photons", a "catalogue" or a "picture".

    Event lists and counts images, which both hold photons, are told apart by their headers, in
    `gmmx.reading.door`.

    Parameters
    ----------
    path : str or Path
    columns : sequence of str
        The columns to fit, which make a table a catalogue.

    Examples
    --------
    >>> input_kind("evt2.fits"), input_kind("stars.fits", ["g_r"]), input_kind("drawing.png")
    ('photons', 'catalogue', 'picture')
    """
    if is_picture(path):
        return "picture"
    return "catalogue" if columns else "photons"
