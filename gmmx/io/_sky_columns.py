"""The tangent plane of an event list, from the WCS of its columns X and Y."""

import math
import warnings

from ..errors import DataError, DataWarning
from ..plane.frame import PhysicalFrame, SkyFrame
from .files import reading

WAY_OUT = "give an event list such as acisf*_evt2.fits"


def frame_of_columns(path, header, columns, pointing, instrument):
    """Return the tangent plane of an event list and its sky pixels in that plane.

    The WCS of the columns X and Y (pixel-list keywords TCTYPn, TCRVLn, ...; Greisen & Calabretta
    2002, A&A 395, 1061, section 3.2) is read by astropy. If these keywords are missing or stale,
    the nominal pointing and the sky pixels of the instrument are used, with a warning.

    Parameters
    ----------
    path : Path
        The file, for messages.
    header : astropy.io.fits.Header
    columns : dict of str to Column
        X and Y among them.
    pointing : Pointing
    instrument : Instrument
        Its sky pixels are used if there is no WCS.

    Returns
    -------
    frame : SkyFrame
    physical : PhysicalFrame

    Raises
    ------
    DataError
        If the coordinates are rotated, or neither the WCS nor the nominal pointing is known.
    """
    numbers = columns["x"].number, columns["y"].number
    radesys = str(pointing.header.get("RADESYS", "ICRS")).upper()
    if _has_tangent_projection(header, numbers):
        return _frame_of_wcs(path, header, numbers, radesys)
    return _nominal_frame(path, numbers, pointing, instrument.sky_pixels, radesys)


def _has_tangent_projection(header, numbers):
    """Whether the WCS of two columns is complete and a tangent projection."""
    types = [str(header.get(f"TCTYP{i}", "")).strip().upper() for i in numbers]
    keys = [f"{key}{i}" for key in ("TCRVL", "TCRPX", "TCDLT") for i in numbers]
    steps = [header.get(f"TCDLT{i}") for i in numbers]
    complete = all(_is_number(header.get(key)) for key in keys)
    return types == ["RA---TAN", "DEC--TAN"] and complete and 0 not in steps


def _frame_of_wcs(path, header, numbers, radesys):
    from astropy.wcs import WCS

    with reading(path):
        wcs = WCS(header, keysel=["pixel"], colsel=list(numbers))
    matrix = wcs.pixel_scale_matrix
    if matrix[0, 1] != 0 or matrix[1, 0] != 0:
        raise DataError(
            f"{path}: no usable WCS: the sky coordinates of X and Y are rotated "
            f"(TCROT{numbers[1]}): reproject the events without rotation"
        )
    # astropy has the columns in the order of the table, and Y may come first.
    order = [wcs.wcs.lng, wcs.wcs.lat]
    (ra0, dec0), (x0, y0) = (v[order].tolist() for v in (wcs.wcs.crval, wcs.wcs.crpix))
    step_x, step_y = (3600 * matrix.diagonal()[order]).tolist()
    # The column X runs east, the plane's x runs west.
    return SkyFrame(ra0, dec0, radesys), PhysicalFrame(x0, y0, -step_x, step_y)


def _nominal_frame(path, numbers, pointing, sky, radesys):
    """Return the frame of the nominal pointing, in the sky pixels of the instrument."""
    ra, dec = pointing.header.get("RA_NOM"), pointing.header.get("DEC_NOM")
    ix, iy = numbers
    if not (_is_number(ra) and _is_number(dec) and sky is not None):
        raise DataError(
            f"{path}: no usable WCS: columns X and Y (numbers {ix}, {iy}) have no TCTYP "
            f"RA---TAN/DEC--TAN, and there is no Chandra RA_NOM/DEC_NOM: {WAY_OUT}"
        )
    warnings.warn(
        f"{path}: the WCS of columns X, Y ({ix}, {iy}) is missing or stale: taking RA_NOM "
        f"{ra:.5f}, DEC_NOM {dec:.5f} at pixel {sky.reference}, {sky.size} arcsec",
        DataWarning,
        stacklevel=4,
    )
    return SkyFrame(ra, dec, radesys), PhysicalFrame(
        sky.reference, sky.reference, sky.size, sky.size
    )


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
