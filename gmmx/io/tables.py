"""The component table on disk: ECSV, FITS, CSV, and DS9 ellipses.

ECSV and FITS keep everything, with units, descriptions and what the numbers belong to; CSV keeps the numbers alone. Region files hold one ellipse per
component, of one standard deviation unless asked otherwise, and a circle for each point source; a FITS file lists these in a SRCLIST extension of their own,
which DS9 overlays and --mask reads back. DS9 counts the angle of an ellipse in sky coordinates from west, counter-clockwise on an image
with north up: it is the position angle plus 90 degrees. In physical coordinates it counts from the axis of the physical x.
"""

import io

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

# FITS keywords for what the table's meta holds; whatever is nested becomes several.
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


def write_table(path, table, *, frame="fk5", scale=1.0, overwrite=False):
    """Write a component table in the format that the path's ending names: .ecsv, .fits, .csv or .reg.

    Parameters
    ----------
    path : str or Path
    table : astropy.table.Table
        As `gmmx.report.component_table` makes it.
    frame : {"fk5", "icrs", "physical"}
        Coordinates of a region file.
    scale : float
        Semi-axes of a region file's ellipses in standard deviations.
    overwrite : bool
        Whether a file that exists may be replaced.

    Raises
    ------
    OutputError
        When the file exists or cannot be written, or the ending is unknown.
    InputError
        When a region file is asked for in coordinates that the table does not have.
    """
    with replacing(path, overwrite, suffixes=SUFFIXES) as aside:
        suffix = aside.suffix.lower()
        if suffix == ".reg":
            aside.write_text(region_text(table, frame=frame, scale=scale), encoding="ascii")
        elif suffix == ".fits":
            _table_hdu(table).writeto(aside, overwrite=True, checksum=True)
        else:
            aside.write_text(
                _ascii(table, "ascii.ecsv" if suffix == ".ecsv" else "ascii.csv"), encoding="utf-8"
            )


def read_table(path):
    """A component table that `write_table` wrote as ECSV or FITS, with its units and its meta.

    Raises
    ------
    DataError
        When there is no such file, or it is no such table.
    """
    form = (
        {"format": "ascii.ecsv"}
        if str(path).lower().endswith(".ecsv")
        else {"format": "fits", "hdu": 1, "character_as_bytes": False}
    )
    try:
        table = Table.read(path, **form)
    except FileNotFoundError:
        raise DataError(
            f"{path}: no such file: name a table that `gmmx export` wrote as .ecsv"
        ) from None
    except Exception as error:
        # Readers of text and of YAML raise whatever comes.
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise DataError(
            f"{path}: not a table in ECSV or FITS ({reason}): name one that `gmmx export` wrote"
        ) from error
    for number, column in enumerate(table.columns.values(), 1):
        column.description = column.description or table.meta.get(f"TCOMM{number}")
    if "flags" in table.colnames and hasattr(table["flags"], "filled"):
        # An empty text comes back from ECSV as a missing one.
        description = table["flags"].description
        table["flags"] = table["flags"].filled("")
        table["flags"].description = description
    found = {name: table.meta[key] for name, key in _KEYWORDS.items() if key in table.meta}
    nested = {
        name: {part: table.meta[key] for part, key in parts.items() if key in table.meta}
        for name, parts in _NESTED.items()
    }
    if found or any(nested.values()):
        table.meta = {**{name: parts for name, parts in nested.items() if parts}, **found}
    return table


def region_text(table, *, frame="fk5", scale=1.0):
    """A component table as a DS9 region file, one ellipse per component, tagged with its flags.

    Parameters
    ----------
    table : astropy.table.Table
    frame : {"fk5", "icrs", "physical"}
    scale : float
        Semi-axes in standard deviations.

    Raises
    ------
    InputError
        For an unknown frame, a scale that is not positive, or coordinates that the table does not have.
    """
    if frame not in REGION_FRAMES:
        raise InputError(f"regions are written in {', '.join(REGION_FRAMES)}, got {frame!r}")
    if not (np.isfinite(scale) and scale > 0):
        raise InputError(f"ellipses need a positive scale, got {scale}")
    if table.meta.get("frame") is None:
        raise InputError(
            "the components have no place on the sky: a region file needs a model with a celestial frame"
        )
    lines = [
        "# Region file format: DS9 version 4.1",
        f"# components of a Gaussian mixture: ellipses of {scale:g} intrinsic standard deviation, PSF not included",
    ]
    lines += [
        'global color=cyan width=1 font="helvetica 10 normal roman" select=1 edit=1 move=1 delete=1 include=1 source=1',
        frame,
    ]
    points = np.array(table["sigma_major"]) == 0
    if points.any():
        table = table.copy()
        for name in ("sigma_major", "sigma_minor"):
            # A point source has no size: it is drawn as the source list draws it, whatever the scale.
            table[name] = np.where(points, source_radii(table) / scale, table[name])
    ellipses = (
        _physical_ellipses(table, scale)
        if frame == "physical"
        else _sky_ellipses(table, scale, frame)
    )
    for row, ellipse in zip(table, ellipses, strict=True):
        flags = [flag for flag in str(row["flags"]).split("; ") if flag]
        marks = "".join(
            [
                f" text={{{row['component']}}}",
                *(f" tag={{{flag}}}" for flag in flags),
                " color=red dash=1" if flags else "",
            ]
        )
        lines.append(f"{ellipse} #{marks}")
    return "\n".join(lines) + "\n"


def _sky_ellipses(table, scale, frame):
    position = SkyCoord(
        np.array(table["ra"]),
        np.array(table["dec"]),
        unit="deg",
        frame=table.meta["frame"].get("radesys", "ICRS").lower(),
    ).transform_to(frame)
    angles = np.mod(np.array(table["position_angle"]) + 90, 180.0)
    # Ten decimals of a degree are a microarcsecond.
    return [
        f'ellipse({ra:.9f},{dec:+.9f},{scale * major:.6f}",{scale * minor:.6f}",{angle:.5f})'
        for ra, dec, major, minor, angle in zip(
            position.ra.deg,
            position.dec.deg,
            table["sigma_major"],
            table["sigma_minor"],
            angles,
            strict=True,
        )
    ]


def _physical_ellipses(table, scale):
    if table.meta.get("physical") is None:
        raise InputError("the model has no physical coordinates: write the regions in fk5")
    physical = PhysicalFrame(**table.meta["physical"])
    origin = {name: table.meta["frame"][name] for name in ("ra0", "dec0", "radesys")}
    x, y = np.array(table["x"]), np.array(table["y"])
    turn = np.radians(np.array(table["position_angle"]) + SkyFrame(**origin).north(x, y))
    # The covariance's factor, columns along the major and the minor axis, in physical pixels; its singular values are the semi-axes there.
    factor = np.array([[-np.sin(turn), np.cos(turn)], [np.cos(turn), np.sin(turn)]]) * np.array(
        [table["sigma_major"], table["sigma_minor"]]
    )
    factor = np.moveaxis(factor / np.array([physical.step_x, physical.step_y])[:, None, None], 2, 0)
    left, axes, _ = np.linalg.svd(factor)
    angles = np.mod(np.degrees(np.arctan2(left[:, 1, 0], left[:, 0, 0])), 180.0)
    x_pix, y_pix = physical.to_physical(x, y)
    return [
        f"ellipse({px:.5f},{py:.5f},{scale * major:.6f},{scale * minor:.6f},{angle:.5f})"
        for px, py, (major, minor), angle in zip(x_pix, y_pix, axes, angles, strict=True)
    ]


def _ascii(table, form):
    text = io.StringIO()
    table.write(text, format=form)
    return text.getvalue()


def _table_hdu(table):
    hdu = fits.table_to_hdu(Table(table, meta={}))
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
