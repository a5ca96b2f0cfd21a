"""The component table as a file: ECSV, FITS or CSV; and its regions.

ECSV and FITS keep the numbers to the bit, with units, descriptions and metadata; CSV keeps only
the numbers. A FITS file has a second extension SRCLIST if there are point sources, which DS9
overlays and the reader of masks understands. Regions are written by `gmmx.io.regions`.
"""

import io
from os import PathLike

import numpy as np
from astropy.io import fits
from astropy.table import Table

from ..config import ExportConfig
from ..errors import DataError, OutputError
from ._plain_hdu import plain_hdu
from .files import check_sums
from .regions import names_region_file, write_component_regions
from .sources import source_list
from .write import replacing

TABLE_SUFFIXES = (".ecsv", ".fits", ".csv")
# Endings of all files that `write_table` writes.
SUFFIXES = (*TABLE_SUFFIXES, ".reg", ".crtf")

# FITS keywords for the metadata of a table; a nested entry becomes several keywords.
_KEYWORDS = {
    "object": "OBJECT",
    "obs_id": "OBS_ID",
    "reference_exposure": "REFEXPO",
    "exposure_unit": "EXPUNIT",
    "flux_in_field": "FLUXFLD",
    "flux_in_field_error": "FLUXFLDE",
    "flux_under_masks": "FLUXMSK",
    "flux_under_masks_error": "FLUXMSKE",
    "flux_outside_field": "FLUXOUT",
    "flux_outside_field_error": "FLUXOUTE",
    "photons_in_field": "PHOTFLD",
    "photons_in_field_error": "PHOTFLDE",
    "photons_under_masks": "PHOTMSK",
    "photons_under_masks_error": "PHOTMSKE",
    "photons_outside_field": "PHOTOUT",
    "photons_outside_field_error": "PHOTOUTE",
    "n_photons": "NPHOTONS",
    "log_likelihood": "LOGLIKE",
    "converged": "CONVERGD",
    "stop_reason": "STOPPED",
    "seed": "SEED",
    "flux_note": "FLUXNOTE",
    "half_light_radius": "RHALF",
    "half_light_radius_error": "RHALFE",
    "half_light_radius_lower68": "RHALFLO",
    "half_light_radius_upper68": "RHALFHI",
    "half_light_within": "RHALFOUT",
    "errors": "ERRORS",
}
_NESTED = {
    "frame": {"ra0": "RA0", "dec0": "DEC0", "projection": "PROJ", "radesys": "RADESYS"},
    "physical": {
        "x0": "PHYS_X0",
        "y0": "PHYS_Y0",
        "step_x": "PHYS_DX",
        "step_y": "PHYS_DY",
        "cross_x": "PHYS_CX",
        "cross_y": "PHYS_CY",
    },
}
# Text in the column flags of a file for a component without flags, because an empty text would come
# back from ECSV and FITS as a masked value.
_NO_FLAGS = "none"


def write_table(
    path: str | PathLike,
    table: Table,
    *,
    frame: str = ExportConfig.frame,
    scale: float = ExportConfig.scale,
    overwrite: bool = False,
) -> None:
    """Write a component table, or its regions, in the format that the ending of the file names.

    Parameters
    ----------
    path : str or Path
        A table ends in .ecsv, .fits or .csv; regions end in .reg (DS9), .crtf (CASA) or
        reg.fits (FITS regions).
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
    if names_region_file(path):
        write_component_regions(path, table, frame=frame, scale=scale, overwrite=overwrite)
        return
    with replacing(path, overwrite, suffixes=SUFFIXES) as aside:
        suffix = aside.suffix.lower()
        if suffix == ".fits":
            _hdus(table).writeto(aside, overwrite=True, checksum=True)
        else:
            text = io.StringIO()
            _with_flags(table).write(text, format=f"ascii{suffix}")
            aside.write_text(text.getvalue(), encoding="utf-8")


def write_plain_table(path: str | PathLike, table: Table, *, overwrite: bool = False) -> None:
    """Write any table with units and descriptions, in the format that the ending names.

    Parameters
    ----------
    path : str or Path
        It ends in .ecsv, .fits or .csv. Metadata are kept in ECSV, and in FITS as keywords,
        nested ones as comments.
    table : astropy.table.Table
    overwrite : bool
        Replace the file if it exists.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is false, if it cannot be written, or if its ending
        is unknown.

    Examples
    --------
    >>> write_plain_table("fluxes.csv", Table({"flux": [1.5]}))
    >>> read_table("fluxes.ecsv")
    Traceback (most recent call last):
    gmmx.errors.DataError: fluxes.ecsv: no such file: name a table that `gmmx export` wrote as .ecsv
    """
    with replacing(path, overwrite, suffixes=TABLE_SUFFIXES) as aside:
        suffix = aside.suffix.lower()
        try:
            if suffix == ".fits":
                plain_hdu(table, _KEYWORDS).writeto(aside, overwrite=True, checksum=True)
            else:
                text = io.StringIO()
                table.write(text, format=f"ascii{suffix}")
                aside.write_text(text.getvalue(), encoding="utf-8")
        except (TypeError, ValueError, AttributeError, LookupError) as error:
            # Columns of arrays, objects or coordinates, which astropy refuses in many ways.
            raise OutputError(
                f"{path}: {suffix} does not hold such a table{_why(error)}: write another format, "
                "or leave out the columns"
            ) from error


def read_table(path: str | PathLike) -> Table:
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
        If the file does not exist, is not a table, or does not match its checksums.
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
        raise DataError(
            f"{path}: not a table in ECSV or FITS{_why(error)}: name one that `gmmx export` wrote"
        ) from error
    if form["format"] == "fits":
        check_sums(path)
    for number, column in enumerate(table.columns.values(), 1):
        column.description = column.description or table.meta.get(f"TCOMM{number}")
    if "flags" in table.colnames:
        _set_flags(table, [_read_flags(value) for value in table["flags"]])
    table.meta = _read_meta(table.meta)
    return table


def _why(error: Exception) -> str:
    """The cause of an error in brackets; nothing if astropy only says that it is no FITS file."""
    lines = str(error).strip().splitlines()
    if lines and "SIMPLE" in lines[0]:
        return ""
    return f" ({lines[0] if lines else type(error).__name__})"


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
    if sources is not None and "flux_note" in table.meta:
        sources.header[_KEYWORDS["flux_note"]] = table.meta["flux_note"]
    return fits.HDUList([fits.PrimaryHDU(), hdu, *([] if sources is None else [sources])])
