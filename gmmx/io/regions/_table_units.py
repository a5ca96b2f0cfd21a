"""Units of the columns of a FITS region table: positions and radii in pixels, angles in degrees."""

import numpy as np

from ...errors import DataError
from ..units import read_unit

# Words for physical pixels that are no units.
_PIXELS = ("physical", "sky")


def in_pixels(name, columns, units, frames, system):
    """Return the columns of a table with radii in pixels and angles in degrees.

    Parameters
    ----------
    name : str
        The table in messages.
    columns : dict of str to array
        X, Y, and R and ROTANG where the table has them.
    units : dict of str to str
        TUNITn of the columns; empty if there is none, which stands for pixels and degrees.
    frames : Frames
    system : str
        Coordinate system of X and Y.

    Returns
    -------
    dict of str to array

    Raises
    ------
    DataError
        If a unit is not understood or of another quantity, or if positions are not in pixels.
    """
    found = dict(columns)
    for key in ("X", "Y", "R", "ROTANG"):
        if key not in columns:
            continue
        text = units.get(key, "")
        factor = _in_degrees(text) if key == "ROTANG" else _in_pixels(text)
        if factor is None and key == "R" and read_unit(text).arcsec is not None:
            x, y = (np.ravel(columns[axis][0])[0] for axis in ("X", "Y"))
            factor = read_unit(text).arcsec / frames.place(system, x, y).scale
        if factor is None:
            wanted = "degrees" if key == "ROTANG" else "physical pixels"
            raise DataError(
                f"{name}: the column {key} has the unit {text!r}: {wanted} are needed: convert it, "
                "or give a DS9 file"
            )
        if factor != 1:
            found[key] = columns[key] * factor
    return found


def _in_degrees(text):
    # The Chandra Source Catalog calls its angles pixels.
    return 1.0 if _in_pixels(text) else read_unit(text).of("deg")


def _in_pixels(text):
    unit = read_unit(text)
    is_pixel = text.lower() in _PIXELS or (unit.is_number and unit.scale == 1)
    return 1.0 if is_pixel else None
