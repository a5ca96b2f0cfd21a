"""The component table as a file: ECSV, FITS, CSV, or DS9 regions.

ECSV and FITS keep the numbers to the bit, with units, descriptions and metadata; CSV keeps the
numbers alone. A FITS file has a second extension SRCLIST if there are point sources, which DS9
overlays and the reader of masks understands.

A region file has one ellipse for each component, of one standard deviation by default, and a
circle for each point source. In celestial coordinates DS9 counts the angle of an ellipse from
west, counter-clockwise on an image with north up: it is the position angle plus 90 degrees. In
physical coordinates it counts from the axis of the physical x.
"""

import io
from pathlib import Path

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table

from ..errors import DataError, InputError
from ..plane.frame import PhysicalFrame, SkyFrame
from .sources import source_list, source_radii
from .write import replacing

SUFFIXES = (".ecsv", ".fits", ".csv", ".reg")
REGION_FRAMES = ("fk5", "icrs", "physical")

# FITS keywords for the metadata of a table; a nested entry becomes several keywords.
_KEYWORDS = {
    "object": "OBJECT",
    "obs_id": "OBS_ID",
    "reference_exposure": "REFEXPO",
    "exposure_unit": "EXPUNIT",
    "n_photons": "NPHOTONS",
    "log_likelihood": "LOGLIKE",
    "converged": "CONVERGD",
    "stop_reason": "STOPPED",
    "seed": "SEED",
    "flux_note": "FLUXNOTE",
}
_NESTED = {
    "frame": {"ra0": "RA0", "dec0": "DEC0", "projection": "PROJ", "radesys": "RADESYS"},
    "physical": {"x0": "PHYS_X0", "y0": "PHYS_Y0", "step_x": "PHYS_DX", "step_y": "PHYS_DY"},
}
# What a file has in the column flags for a component without flags. An empty text would come
# back from ECSV and FITS as a masked value.
_NO_FLAGS = "none"


def write_table(
    path: str | Path,
    table: Table,
    *,
    frame: str = "fk5",
    scale: float = 1.0,
    overwrite: bool = False,
) -> None:
    """Write a component table in the format that the ending of the file names.

    Parameters
    ----------
    path : str or Path
        The file; it ends in .ecsv, .fits, .csv or .reg.
    table : astropy.table.Table
        The table that `gmmx.answers.components.component_table` makes.
    frame : {"fk5", "icrs", "physical"}
        Coordinates of a region file.
    scale : float
        Semi-axes of the ellipses in a region file, in standard deviations.
    overwrite : bool
        Replace the file if it exists.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is false, if it cannot be written, or if its ending
        is unknown.
    InputError
        If the table does not have the coordinates that a region file needs.

    Examples
    --------
    >>> table = Table({"component": [0, 1], "flags": ["", "point source"]})
    >>> write_table("components.ecsv", table)
    >>> list(read_table("components.ecsv")["flags"]) == ["", "point source"]
    True
    """
    with replacing(path, overwrite, suffixes=SUFFIXES) as aside:
        suffix = aside.suffix.lower()
        if suffix == ".reg":
            aside.write_text(region_text(table, frame=frame, scale=scale), encoding="ascii")
        elif suffix == ".fits":
            _hdus(table).writeto(aside, overwrite=True, checksum=True)
        else:
            text = io.StringIO()
            _with_flags(table).write(text, format=f"ascii{suffix}")
            aside.write_text(text.getvalue(), encoding="utf-8")


def read_table(path: str | Path) -> Table:
    """Read a component table that `write_table` wrote as ECSV or FITS.

    Parameters
    ----------
    path : str or Path
        The file. One that does not end in .ecsv is read as FITS.

    Returns
    -------
    astropy.table.Table
        With units, descriptions and metadata. `flags` is empty for a component without flags.

    Raises
    ------
    DataError
        If the file does not exist or is not a table.
    """
    form = {"format": "fits", "hdu": 1, "character_as_bytes": False}
    if str(path).lower().endswith(".ecsv"):
        form = {"format": "ascii.ecsv"}
    try:
        table = Table.read(path, **form)
    except FileNotFoundError:
        raise DataError(
            f"{path}: no such file: name a table that `gmmx export` wrote as .ecsv"
        ) from None
    except Exception as error:
        # The readers of text and of YAML raise exceptions of any type.
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise DataError(
            f"{path}: not a table in ECSV or FITS ({reason}): name one that `gmmx export` wrote"
        ) from error
    for number, column in enumerate(table.columns.values(), 1):
        column.description = column.description or table.meta.get(f"TCOMM{number}")
    if "flags" in table.colnames:
        _set_flags(table, [_read_flags(value) for value in table["flags"]])
    table.meta = _read_meta(table.meta)
    return table


def region_text(table: Table, *, frame: str = "fk5", scale: float = 1.0) -> str:
    """A component table as a DS9 region file; each ellipse is tagged with its flags.

    Parameters
    ----------
    table : astropy.table.Table
        The table that `gmmx.answers.components.component_table` makes.
    frame : {"fk5", "icrs", "physical"}
        Coordinates of the regions.
    scale : float
        Semi-axes of the ellipses in standard deviations.

    Returns
    -------
    str

    Raises
    ------
    InputError
        If the frame is unknown, the scale is not positive, or the table does not have the
        coordinates.
    """
    if frame not in REGION_FRAMES:
        raise InputError(f"`frame` is one of {', '.join(REGION_FRAMES)}, got {frame!r}")
    if not (np.isfinite(scale) and scale > 0):
        raise InputError(f"ellipses need a positive scale, got `scale` = {scale}")
    if table.meta.get("frame") is None:
        raise InputError(
            "a region file needs positions on the sky, but the table has no celestial frame"
        )
    points = np.array(table["sigma_major"]) == 0
    if points.any():
        table = table.copy()
        for name in ("sigma_major", "sigma_minor"):
            # A point source has no size. It is drawn as in the source list, whatever the scale.
            table[name] = np.where(points, source_radii(table) / scale, table[name])
    ellipses = _physical_ellipses if frame == "physical" else _sky_ellipses
    rows = zip(table, ellipses(table, scale, frame), strict=True)
    lines = [
        "# Region file format: DS9 version 4.1",
        f"# components of a Gaussian mixture: ellipses of {scale:g} intrinsic standard "
        "deviation, PSF not included",
        'global color=cyan width=1 font="helvetica 10 normal roman" select=1 edit=1 move=1 '
        "delete=1 include=1 source=1",
        frame,
        *(f"{ellipse} #{_marks(row)}" for row, ellipse in rows),
    ]
    return "\n".join(lines) + "\n"


def _marks(row) -> str:
    """The properties of the region of one component: its number, and its flags as tags."""
    flags = [flag for flag in str(row["flags"]).split("; ") if flag]
    tags = "".join(f" tag={{{flag}}}" for flag in flags)
    return f" text={{{row['component']}}}{tags}" + (" color=red dash=1" if flags else "")


def _sky_ellipses(table: Table, scale: float, frame: str) -> list[str]:
    """Ellipses in right ascension and declination [deg], semi-axes in arcsec."""
    position = SkyCoord(
        np.array(table["ra"]),
        np.array(table["dec"]),
        unit="deg",
        frame=table.meta["frame"].get("radesys", "ICRS").lower(),
    ).transform_to(frame)
    ellipses = zip(
        position.ra.deg,
        position.dec.deg,
        scale * np.array(table["sigma_major"]),
        scale * np.array(table["sigma_minor"]),
        np.mod(np.array(table["position_angle"]) + 90, 180.0),
        strict=True,
    )
    # Nine decimals of a degree are 4 microarcsec.
    return [
        f'ellipse({ra:.9f},{dec:+.9f},{major:.6f}",{minor:.6f}",{angle:.5f})'
        for ra, dec, major, minor, angle in ellipses
    ]


def _physical_ellipses(table: Table, scale: float, frame: str) -> list[str]:
    """Ellipses in the telescope's pixels.

    The factor of each covariance, with columns along the major and the minor axis, is taken to
    physical pixels; its singular values are the semi-axes there.
    """
    if table.meta.get("physical") is None:
        raise InputError("the table has no physical coordinates: use `frame` = 'fk5'")
    physical = PhysicalFrame(**table.meta["physical"])
    origin = {name: table.meta["frame"][name] for name in ("ra0", "dec0", "radesys")}
    x, y = np.array(table["x"]), np.array(table["y"])
    turn = np.radians(np.array(table["position_angle"]) + SkyFrame(**origin).north(x, y))
    directions = np.array([[-np.sin(turn), np.cos(turn)], [np.cos(turn), np.sin(turn)]])
    factor = directions * np.array([table["sigma_major"], table["sigma_minor"]])
    factor = np.moveaxis(factor / np.array([physical.step_x, physical.step_y])[:, None, None], 2, 0)
    left, axes, _ = np.linalg.svd(factor)
    angles = np.mod(np.degrees(np.arctan2(left[:, 1, 0], left[:, 0, 0])), 180.0)
    return [
        f"ellipse({px:.5f},{py:.5f},{major:.6f},{minor:.6f},{angle:.5f})"
        for px, py, (major, minor), angle in zip(
            *physical.to_physical(x, y), scale * axes, angles, strict=True
        )
    ]


def _read_flags(value) -> str:
    """The flags in a cell; a masked one, which another program may leave, has none."""
    return "" if value is np.ma.masked or value == _NO_FLAGS else str(value)


def _set_flags(table: Table, flags: list[str]) -> None:
    """Replace the texts of the column flags, whose description stays."""
    description = table["flags"].description
    table["flags"] = np.array(flags, dtype=str) if flags else np.zeros(0, "U1")
    table["flags"].description = description


def _read_meta(meta: dict) -> dict:
    """Metadata as in memory; those of a FITS file are keywords."""
    found = {name: meta[key] for name, key in _KEYWORDS.items() if key in meta}
    for name, parts in _NESTED.items():
        nested = {part: meta[key] for part, key in parts.items() if key in meta}
        if nested:
            found[name] = nested
    return found or meta


def _with_flags(table: Table) -> Table:
    """A copy of a table with a text in every cell of the column flags."""
    table = table.copy()
    if "flags" in table.colnames:
        _set_flags(table, [str(flags) or _NO_FLAGS for flags in table["flags"]])
    return table


def _hdus(table: Table) -> fits.HDUList:
    """A table as FITS extensions: COMPONENTS, and SRCLIST if it has point sources."""
    hdu = fits.table_to_hdu(Table(_with_flags(table), meta={}))
    hdu.name = "COMPONENTS"
    for name, key in _KEYWORDS.items():
        if name in table.meta:
            hdu.header[key] = table.meta[name]
    for name, parts in _NESTED.items():
        for part, key in parts.items():
            if part in (table.meta.get(name) or {}):
                hdu.header[key] = table.meta[name][part]
    for number, column in enumerate(table.columns.values(), 1):
        if column.description:
            hdu.header[f"TCOMM{number}"] = column.description
    sources = source_list(table)
    return fits.HDUList([fits.PrimaryHDU(), hdu, *([] if sources is None else [sources])])
