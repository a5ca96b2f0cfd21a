"""The tangent plane of an event list, from the WCS of its columns X and Y."""

import math
import warnings
from dataclasses import dataclass

import numpy as np

from ..errors import DataError, DataWarning
from ..plane.affine import MAX_RESIDUAL, affine_grid
from ..plane.frame import PhysicalFrame, SkyFrame
from ._column_keys import column_keywords
from ._systems import FileSystem, system_of
from ._wcs import CelestialWcs, of_wcs, understood

WAY_OUT = "give an event list such as acisf*_evt2.fits"
# What somebody reads who fits a catalogue and has not named its columns.
INPUT_WAY_OUT = f"{WAY_OUT}, or name the `columns` of a catalogue"
# The largest sky pixel that an event list can have [arcsec].
LARGEST_PIXEL = 300.0


@dataclass(frozen=True, eq=False)
class SkyColumns:
    """How the columns X and Y lie on the sky.

    Attributes
    ----------
    system : FileSystem
    frame : SkyFrame or None
        The tangent plane; None where it depends on the photons.
    physical : PhysicalFrame or None
        X and Y in that plane; None where they are not linear in a tangent plane.
    wcs : CelestialWcs or None
        Their WCS; None for the nominal pointing.
    """

    system: FileSystem
    frame: SkyFrame | None = None
    physical: PhysicalFrame | None = None
    wcs: CelestialWcs | None = None

    def plane(self, values):
        """Put the photons into the plane, in place.

        In place, because these arrays are most of the memory that a large file takes. The
        operations are those of `PhysicalFrame.to_plane`.

        Parameters
        ----------
        values : dict of str to (N,) array
            Columns x and y [pixel]; they become positions [arcsec], NaN where there is none.

        Returns
        -------
        frame : SkyFrame
        physical : PhysicalFrame or None
            None where the pixels are on no regular grid in the plane, to 0.02 pixel.
        """
        physical = self.physical
        if physical is None:
            return self._curved(values)
        if not physical.is_aligned:
            values["x"], values["y"] = physical.to_plane(values["x"], values["y"])
            return self.frame, physical
        for name, zero, step in (
            ("x", physical.x0, physical.step_x),
            ("y", physical.y0, physical.step_y),
        ):
            values[name] -= zero
            values[name] *= step
        return self.frame, physical

    def _curved(self, values):
        """Put photons into the plane one by one, through the sky."""
        x, y = values["x"], values["y"]
        known = np.isfinite(x) & np.isfinite(y)
        # Nearly all photons, so that a stray one does not matter.
        box = [np.quantile(v[known], (0.001, 0.999)) if known.any() else np.ones(2) for v in (x, y)]
        low, high = np.floor(np.array(box)).T
        frame = self.wcs.tangent_frame((low + high) / 2)
        place = self.wcs.place(frame)
        values["x"], values["y"] = place(x, y)
        shape = tuple(int(n) for n in np.maximum(high - low, 1)[::-1] + 2)
        grid, residual = affine_grid(shape, lambda ix, iy: place(ix + low[0], iy + low[1]))
        if not residual < MAX_RESIDUAL:
            return frame, None
        zero = low + grid.to_pixels(0.0, 0.0)
        return frame, PhysicalFrame.from_matrix(*zero, grid.matrix)


def sky_columns(path, header, columns, pointing, instrument):
    """Return how the columns X and Y of an event list lie on the sky.

    The WCS of the columns (pixel-list keywords TCTYPn, TCRVLn, ...; Greisen & Calabretta
    2002, A&A 395, 1061, section 3.2) is read by astropy, in any projection, turn and celestial
    system. SAS and eROSITA write it as REFXCTYP, REFXCRVL, ... too. If these keywords are
    missing or stale, the nominal pointing and the sky pixels of the instrument are used, with a
    warning.

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
    SkyColumns

    Raises
    ------
    DataError
        If a keyword is not understood, or neither the WCS nor the nominal pointing is known.
    """
    numbers = columns["x"].number, columns["y"].number
    found = column_keywords(path, header, numbers)
    keywords = pointing.header | (found.system if found else {})
    system = system_of(path, keywords)
    if found is None:
        return _nominal(path, numbers, pointing, instrument.sky_pixels, system)
    return columns_of(path, found, system)


def columns_of(path, found, system):
    """Return how two columns lie on the sky, from their keywords.

    Parameters
    ----------
    path : Path
    found : ColumnKeywords
    system : FileSystem

    Returns
    -------
    SkyColumns
    """
    with understood(path, "the keywords of X and Y"):
        wcs = found.wcs()
    celestial = of_wcs(path, wcs, system, origin=1)
    if celestial.pixel_side > LARGEST_PIXEL:
        raise DataError(
            f"{path}: no usable WCS: its sky pixels of {celestial.pixel_side:.3g} arcsec are "
            f"larger than the field of any telescope: correct {', '.join(found.steps)}"
        )
    if not celestial.is_tangent:
        return SkyColumns(system, wcs=celestial)
    frame = celestial.tangent_frame(wcs.wcs.crpix)
    physical = PhysicalFrame.from_matrix(*wcs.wcs.crpix, celestial.linear(frame))
    return SkyColumns(system, frame, physical, celestial)


def _nominal(path, numbers, pointing, sky, system):
    """Return the frame of the nominal pointing, in the sky pixels of the instrument."""
    ra, dec = pointing.header.get("RA_NOM"), pointing.header.get("DEC_NOM")
    ix, iy = numbers
    if not (_is_number(ra) and _is_number(dec) and sky is not None):
        way_out = WAY_OUT if pointing.telescope.upper() in ("", "CHANDRA") else "correct its header"
        raise DataError(
            f"{path}: no usable WCS: columns X and Y (numbers {ix}, {iy}) have no TCTYP "
            f"RA---TAN/DEC--TAN, and there is no Chandra RA_NOM/DEC_NOM: {way_out}"
        )
    warnings.warn(
        f"{path}: the WCS of columns X, Y ({ix}, {iy}) is missing or stale: taking RA_NOM "
        f"{ra:.5f}, DEC_NOM {dec:.5f} at pixel {sky.reference}, {sky.size} arcsec",
        DataWarning,
        stacklevel=4,
    )
    ra, dec = (float(v) for v in system.to_own(ra, dec))
    physical = PhysicalFrame(sky.reference, sky.reference, sky.size, sky.size)
    return SkyColumns(system, SkyFrame(ra, dec, system.name), physical)


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
