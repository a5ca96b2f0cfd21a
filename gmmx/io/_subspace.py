"""Data subspace keywords of CIAO: the cuts that were made before a file was written.

DSTYPi names a quantity, DSVALi its ranges "low:high,..." in the first component of the subspace,
2DSVALi and so on those of further components. The photons of a file lie in the union over
components and in the intersection over quantities.
"""

import math
import re

from ..telescope.instruments import Channels
from .units import energy_scale


def recorded_band(header, channels):
    """Return the energy band to which a file was cut.

    Parameters
    ----------
    header : astropy.io.fits.Header
    channels : Channels or None
        Conversion of the instrument's PI channels to energies; None if PI is not used.

    Returns
    -------
    (float, float) or None
        [keV]; None if the keywords do not give it, or leave the upper end open.
    """
    low, high = 0.0, math.inf
    for number, quantity in _quantities(header):
        if quantity == "energy":
            scale = energy_scale(str(header.get(f"DSUNI{number}", "eV")))
            if scale is None:
                continue
            ends = Channels(width_kev=scale)
        elif quantity == "pi" and channels is not None:
            ends = channels
        else:
            continue
        ranges = [
            re.fullmatch(r"\s*([-+.\deE]*)\s*:\s*([-+.\deE]*)\s*", part)
            for part in _ranges(header, number)
        ]
        if not ranges or None in ranges:
            continue
        lows = [float(r[1] or "-inf") for r in ranges]
        highs = [float(r[2] or "inf") for r in ranges]
        # A range that ends at the last channel has no upper end.
        if quantity == "pi" and channels.last is not None and max(highs) >= channels.last:
            continue
        first, last = ends.band(min(lows), max(highs))
        low, high = max(low, first), min(high, last)
    return (low, high) if low < high < math.inf else None


def recorded_chips(header):
    """Return the chips to which a file was cut.

    Parameters
    ----------
    header : astropy.io.fits.Header

    Returns
    -------
    tuple of int or None
        In rising order; None if the keywords do not give them.
    """
    for number, quantity in _quantities(header):
        if quantity != "ccd_id":
            continue
        ranges = [re.fullmatch(r"\s*(\d+)(?::(\d+))?\s*", part) for part in _ranges(header, number)]
        if ranges and None not in ranges:
            chips = {chip for r in ranges for chip in range(int(r[1]), int(r[2] or r[1]) + 1)}
            return tuple(sorted(chips))
    return None


def _quantities(header):
    """Yield the number and the name in lower case of each quantity of the subspace."""
    for key, value in header.items():
        match = re.fullmatch(r"DSTYP(\d+)", key)
        if match:
            yield match[1], str(value).strip().lower()


def _ranges(header, number):
    """Return the ranges of a quantity in all components, as text."""
    texts = [str(v) for k, v in header.items() if re.fullmatch(rf"\d*DSVAL{number}", k)]
    return [part for text in texts for part in text.split(",")]
