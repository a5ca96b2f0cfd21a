"""Files of components as regions: DS9, CRTF and FITS region tables.

The package `regions` writes DS9 files in coordinates of the sky, CRTF files and FITS region tables.
DS9 files in physical pixels are written here, because `regions` has no physical coordinates. Their
angles count from the axis of the physical x.
"""

from os import PathLike

import numpy as np
from astropy import units
from astropy.io import fits
from astropy.table import Table

from ...config import REGION_FRAMES, ExportConfig
from ...errors import InputError
from ...plane.frame import PhysicalFrame, SkyFrame
from ...plane.wcs import column_cards
from ..write import replacing
from .components import check_table, component_regions, flags_of, semi_axes

REGION_SUFFIXES = (".reg", ".crtf", ".fits")
# Ten decimals of a degree are 0.4 microarcsec.
_DECIMALS = 10


def names_region_file(path: str | PathLike) -> bool:
    """Tell whether a file name asks for regions: it ends in .reg, .crtf or reg.fits.

    Examples
    --------
    >>> [names_region_file(name) for name in ("a.reg", "a.crtf", "a_reg.fits", "a.fits")]
    [True, True, True, False]
    """
    return str(path).lower().endswith((".reg", ".crtf", "reg.fits"))


def component_region_text(
    table: Table, *, frame: str = ExportConfig.frame, scale: float = ExportConfig.scale
) -> str:
    """Return components as the text of a DS9 region file.

    Parameters
    ----------
    table, scale
        As for `component_regions`.
    frame : {"fk5", "icrs", "physical"}

    Raises
    ------
    InputError
        If the frame is unknown, the scale is not positive, or the table lacks the coordinates.
    """
    _check_frame(table, scale, frame)
    if frame == "physical":
        lines = ["# Region file format: DS9 version 4.1", *_physical_lines(table, scale)]
    elif len(table) == 0:
        lines = ["# Region file format: DS9 version 4.1", frame]
    else:
        # The writer calls FK5 j2000, which not every reader of DS9 files knows.
        text = _sky_text(table, frame, scale)
        lines = [frame if line == "j2000" else line for line in text.splitlines()]
    note = (
        f"# components of a Gaussian mixture: ellipses of {scale:g} intrinsic sigma, "
        "PSF not included"
    )
    return "\n".join([lines[0], note, *lines[1:]]) + "\n"


def write_component_regions(
    path: str | PathLike,
    table: Table,
    *,
    frame: str = ExportConfig.frame,
    scale: float = ExportConfig.scale,
    overwrite: bool = False,
) -> None:
    """Write components as regions in the format that the file name asks for.

    Parameters
    ----------
    path : str or Path
        DS9 text (.reg), CRTF text of CASA (.crtf), or a FITS region table (reg.fits).
    table, scale
        As for `component_regions`.
    frame : {"fk5", "icrs", "physical"}
        Coordinates of the regions. A FITS region table is always in physical pixels,
        and CRTF knows no physical pixels.
    overwrite : bool
        Replace the file if it exists.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is false, or if it cannot be written.
    InputError
        If the format or the table does not have the coordinates.
    """
    with replacing(path, overwrite, suffixes=REGION_SUFFIXES) as aside:
        if aside.suffix == ".fits":
            check_table(table, scale)
            _fits_regions(table, scale).writeto(aside, overwrite=True, checksum=True)
        elif aside.suffix == ".crtf":
            aside.write_text(_crtf_text(table, frame, scale), encoding="ascii")
        else:
            text = component_region_text(table, frame=frame, scale=scale)
            aside.write_text(text, encoding="ascii")


def _check_frame(table, scale, frame):
    if frame not in REGION_FRAMES:
        raise InputError(f"regions are written in {', '.join(REGION_FRAMES)}, got {frame!r}")
    check_table(table, scale)


def _sky_text(table, frame, scale):
    """Return DS9 text in coordinates of the sky, as the package `regions` writes it."""
    found = component_regions(table, frame=frame, scale=scale)
    if len(found) > 1:
        return found.serialize(format="ds9", precision=_DECIMALS)
    # The writer moves properties that all regions have in common into the line of global settings,
    # even the text of a single region. A second region with another text prevents that.
    other = found[0].copy()
    other.meta["text"] = "other"
    text = type(found)([found[0], other]).serialize(format="ds9", precision=_DECIMALS)
    return text.rstrip("\n").rsplit("\n", 1)[0]


def _crtf_text(table, frame, scale):
    _check_frame(table, scale, frame)
    if frame == "physical":
        raise InputError("CRTF files have no physical coordinates: write them in fk5 or icrs")
    found = component_regions(table, frame=frame, scale=scale)
    if len(found) == 0:
        return "#CRTFv0\n"
    return found.serialize(format="crtf", coordsys=frame, fmt=f".{_DECIMALS}f")


def _physical_ellipses(table, scale):
    """Return centres, semi-axes and angles [deg] of the ellipses in physical pixels.

    Returns
    -------
    centres, axes : (K, 2) array
    angles : (K,) array
    """
    if table.meta.get("physical") is None:
        raise InputError("the model has no physical coordinates: write the regions in fk5")
    physical = PhysicalFrame(**table.meta["physical"])
    origin = {name: table.meta["frame"][name] for name in ("ra0", "dec0", "radesys")}
    x, y = np.array(table["x"]), np.array(table["y"])
    turn = np.radians(np.array(table["position_angle"]) + SkyFrame(**origin).north(x, y))
    # Columns along the major and the minor axis make a factor of the covariance. In physical pixels
    # its singular values are the semi-axes.
    factor = np.array([[-np.sin(turn), np.cos(turn)], [np.cos(turn), np.sin(turn)]])
    factor = factor * semi_axes(table, scale).T
    left, axes, _ = np.linalg.svd(np.linalg.inv(physical.matrix) @ np.moveaxis(factor, 2, 0))
    angles = np.mod(np.degrees(np.arctan2(left[:, 1, 0], left[:, 0, 0])), 180.0)
    return np.column_stack(physical.to_physical(x, y)), axes, angles


def _physical_lines(table, scale):
    """Return the lines of a DS9 file in physical coordinates."""
    lines = ["global color=cyan", "physical"]
    for row, (x, y), (major, minor), angle in zip(
        table, *_physical_ellipses(table, scale), strict=True
    ):
        tags = "".join(f" tag={{{flag}}}" for flag in flags_of(row))
        marks = f"text={{{row['component']}}}{tags}{' color=red dash=1' if tags else ''}"
        lines.append(f"ellipse({x:.5f},{y:.5f},{major:.6f},{minor:.6f},{angle:.5f}) # {marks}")
    return lines


def _fits_regions(table, scale):
    """Return a FITS file with one table REGION in physical pixels, as CIAO reads it.

    The writer of `regions` copies the pixels of a region as they are, so that regions in physical
    pixels make the columns. The keywords of X and Y, which place these pixels on the sky, are added
    here because that writer does not know them.
    """
    from regions import EllipsePixelRegion, PixCoord, Regions

    ellipses = Regions(
        [
            EllipsePixelRegion(
                PixCoord(*centre), *(2 * axes), angle=angle * units.deg, meta={"component": number}
            )
            for number, (centre, axes, angle) in enumerate(
                zip(*_physical_ellipses(table, scale), strict=True), 1
            )
        ]
    )
    hdu = fits.table_to_hdu(Table(ellipses.serialize(format="fits")))
    hdu.name = "REGION"
    hdu.header.update(HDUCLASS="ASC", HDUCLAS1="REGION", HDUCLAS2="STANDARD", HDUVERS="1.2.0")
    frame, physical = table.meta["frame"], PhysicalFrame(**table.meta["physical"])
    plane = SkyFrame(frame["ra0"], frame["dec0"], frame["radesys"])
    if len(ellipses):
        numbers = tuple(hdu.columns.names.index(name) + 1 for name in ("X", "Y"))
        hdu.header.update(column_cards(plane, physical, numbers))
    return fits.HDUList([fits.PrimaryHDU(), hdu])
