"""Event lists: FITS binary tables of photons, as CIAO, SAS and the like write them.

Only the columns that are needed are kept, one block of rows at a time, so that a large file, gzipped or not, is read once and never held twice.
"""

import math
import re
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import DataError, DataWarning
from ..model.photons import EventList, Photons
from ..model.pointing import InputFile, Pointing
from ..plane.frame import PhysicalFrame, SkyFrame
from ..telescope.instruments import instrument_of
from ._read import file_digest, fits_stream, headers, reading
from .virtual import check_columns, filter_rows, parse_file_argument

WAY_OUT = "give an event list such as acisf*_evt2.fits"
ROWS_PER_BLOCK = 1 << 16
FORMATS = {
    "L": "i1",
    "X": "u1",
    "B": "u1",
    "I": ">i2",
    "J": ">i4",
    "K": ">i8",
    "E": ">f4",
    "D": ">f8",
}
FORMATS |= {"A": "S1", "C": ">c8", "M": ">c16", "P": ">i8", "Q": ">c16"}
CCD_COLUMNS = ("ccd_id", "ccdnr", "ccd")
KEYWORDS = [
    *(
        "TELESCOP",
        "INSTRUME",
        "DETNAM",
        "OBS_ID",
        "OBJECT",
        "TITLE",
        "OBSERVER",
        "EXPOSURE",
        "LIVETIME",
        "ONTIME",
        "DATE-OBS",
        "DATE-END",
        "MJD-OBS",
    ),
    *(
        "RA_PNT",
        "DEC_PNT",
        "ROLL_PNT",
        "RA_NOM",
        "DEC_NOM",
        "ROLL_NOM",
        "RA_TARG",
        "DEC_TARG",
        "RADESYS",
        "EQUINOX",
        "SIM_X",
        "SIM_Y",
        "SIM_Z",
    ),
    *(
        "GRATING",
        "FILTER",
        "DATAMODE",
        "READMODE",
        "PIX_ADJ",
        "EXPTIME",
        "ASCDSVER",
        "SEQ_NUM",
        "TIMESYS",
        "MJDREF",
        "MJD_OBS",
        "TSTART",
        "TSTOP",
        "DTCOR",
    ),
]


def read_events(path, *, sky=True):
    """Read the photons of an event file.

    Positions are ``x = (X - TCRPX) * |TCDLT|`` in arcsec, x growing west: the table's own WCS, found by the column numbers of X and Y. Where those keywords are
    missing or stale, the nominal pointing and the sky pixel of the Chandra instrument take their place, with a warning.

    Parameters
    ----------
    path : str or Path
        A FITS file, gzipped or not, with an EVENTS extension; CIAO's row filters may follow in brackets, see `parse_file_argument`.
    sky : bool
        Whether filters by shapes on the sky are applied; False leaves them to the caller, who has an exposure to cut as well.

    Returns
    -------
    EventList
        Its `pointing` holds the keywords, the file and, if the data subspace keywords or a filter
        of the name tell them, the energies and chips to which the file was cut.

    Raises
    ------
    InputError
        When what stands in brackets is not understood.
    DataError
        When the file is not there, not FITS or truncated; has no EVENTS extension, no row, no X or Y column, or no usable WCS.
    """
    virtual = parse_file_argument(path)
    path = virtual.path
    with fits_stream(path, way_out=WAY_OUT) as stream:
        primary, header, start = _events_header(path, stream)
        with reading(path):
            columns = _columns(header)
            n_rows = header["NAXIS2"]
        if n_rows == 0:
            raise DataError(f"{path}: the EVENTS extension has 0 rows: there is nothing to fit")
        missing = [name.upper() for name in ("x", "y") if name not in columns]
        if missing:
            raise DataError(
                f"{path}: no {' or '.join(missing)} column (found {', '.join(c['name'] for c in columns.values())}): sky coordinates are needed"
            )
        pointing = Pointing.from_keywords(file_keywords(primary, header))
        frame, physical = _frame(path, header, columns, pointing)
        energy_column, energy_scale, energy_offset = _energy_column(path, columns, pointing)
        ccd_column = next((name for name in CCD_COLUMNS if name in columns), None)
        check_columns(virtual, columns, energy_column)
        wanted = list(
            dict.fromkeys(
                name
                for name in (
                    "x",
                    "y",
                    energy_column,
                    ccd_column,
                    *(one.column for one in virtual.columns),
                )
                if name is not None
            )
        )
        with reading(path):
            stream.seek(start)
            table = _read_columns(path, stream, header, {name: columns[name] for name in wanted})
    pointing = replace(
        pointing,
        file_name=Path(path).name,
        n_rows=n_rows,
        recorded_band_kev=recorded_energy_band(header, pointing),
        inputs=(InputFile("events", virtual.text, file_digest(path)),),
    )
    pointing, dropped = filter_rows(
        virtual,
        table,
        columns,
        pointing,
        energy=(energy_column, energy_scale, energy_offset),
        ccd_column=ccd_column,
    )
    wanted = list(table)

    # In place: these arrays are most of what a large file costs. The operations are those of PhysicalFrame.to_plane.
    for name, zero, step in (
        ("x", physical.x0, physical.step_x),
        ("y", physical.y0, physical.step_y),
    ):
        table[name] -= zero
        table[name] *= step
    if energy_column is not None:
        table[energy_column] += energy_offset
        table[energy_column] *= energy_scale
    finite = np.isfinite(table["x"]) & np.isfinite(table["y"])
    if energy_column is not None:
        finite &= np.isfinite(table[energy_column])
    if not finite.all():
        dropped["not finite"] = int(np.count_nonzero(~finite))
        for name in wanted:
            table[name] = table[name][finite]
        if not finite.any():
            raise DataError(f"{path}: none of its {n_rows} rows has a finite position and energy")
    for name in wanted:
        table[name].flags.writeable = False
    listed = EventList(
        frame=frame,
        physical=physical,
        photons=Photons(
            table["x"],
            table["y"],
            energy_kev=None if energy_column is None else table[energy_column],
            ccd=None if ccd_column is None else table[ccd_column],
        ),
        pointing=pointing,
        dropped=dropped,
    )
    for one in virtual.sky if sky else ():
        inside = one.read(frame=frame, physical=physical).contains(
            listed.photons.x, listed.photons.y
        )
        listed = listed.select(inside != one.exclude, "filter")
        if len(listed) == 0:
            raise DataError(f"{virtual.text}: [{one.text}] leaves no photon")
    return listed


def _events_header(path, stream):
    """Primary header, header of the EVENTS extension, and where that extension's data begin."""
    primary, found = None, []
    with reading(path):
        for header, start in headers(stream):
            primary = header if primary is None else primary
            if is_events(header):
                return primary, header, start
            found.append(
                str(header.get("EXTNAME", "PRIMARY" if not found else "")).strip().upper()
                or "unnamed"
            )
    raise DataError(f"{path}: no EVENTS extension (found {', '.join(found)}): {WAY_OUT}")


def is_events(header):
    """Whether a header is that of a table of events, by EXTNAME or HDUCLAS1."""
    name, kind = (str(header.get(key, "")).strip().upper() for key in ("EXTNAME", "HDUCLAS1"))
    return str(header.get("XTENSION", "")).strip() == "BINTABLE" and (
        name in ("EVENTS", "STDEVT") or kind == "EVENTS"
    )


def _columns(header):
    """Columns of a binary table by lower-case name: number (from 1), name, format, repeat, byte offset, scale, zero, null and unit."""
    columns, offset = {}, 0
    for number in range(1, header["TFIELDS"] + 1):
        repeat, letter = re.match(r"\s*(\d*)([A-Z])", header[f"TFORM{number}"]).groups()
        repeat = int(repeat or 1)
        name = str(header.get(f"TTYPE{number}", f"column{number}")).strip()
        column = {
            "number": number,
            "name": name,
            "format": FORMATS[letter],
            "repeat": repeat,
            "offset": offset,
        }
        column |= {
            "scale": header.get(f"TSCAL{number}", 1),
            "zero": header.get(f"TZERO{number}", 0),
            "null": header.get(f"TNULL{number}"),
        }
        column["unit"] = str(header.get(f"TUNIT{number}", "")).strip().lower()
        offset += -(-repeat // 8) if letter == "X" else repeat * np.dtype(FORMATS[letter]).itemsize
        columns.setdefault(name.lower(), column)
    if offset != header["NAXIS1"]:
        raise ValueError(f"its columns take {offset} bytes of rows of {header['NAXIS1']}")
    return columns


def _read_columns(path, stream, header, columns):
    """The named columns as native arrays: int16 for a CCD number, float64 for the rest, nulls as NaN."""
    vectors = [c["name"] for c in columns.values() if c["repeat"] != 1]
    if vectors:
        raise DataError(f"{path}: column {vectors[0]} has several values per row: one is needed")
    row = header["NAXIS1"]
    formats, offsets = ([c[key] for c in columns.values()] for key in ("format", "offset"))
    dtype = np.dtype(
        {"names": list(columns), "formats": formats, "offsets": offsets, "itemsize": row}
    )
    n_rows = header["NAXIS2"]
    table = {
        name: np.empty(n_rows, np.int16 if name in CCD_COLUMNS else np.float64) for name in columns
    }
    for first in range(0, n_rows, ROWS_PER_BLOCK):
        n = min(ROWS_PER_BLOCK, n_rows - first)
        data = stream.read(n * row)
        if len(data) < n * row:
            raise DataError(
                f"{path}: truncated: {n_rows} rows were announced, {first + len(data) // row} are there: fetch it again"
            )
        block = np.frombuffer(data, dtype)
        for name, column in columns.items():
            part = table[name][first : first + n]
            part[:] = block[name]
            if name not in CCD_COLUMNS:
                null = (
                    None
                    if column["null"] is None or column["format"][1] == "f"
                    else block[name] == column["null"]
                )
                if (column["scale"], column["zero"]) != (1, 0):
                    part *= column["scale"]
                    part += column["zero"]
                if null is not None:
                    part[null] = np.nan
    return table


def file_keywords(primary, header):
    """The keywords worth repeating, from the table's header or else the primary one."""
    metadata = {}
    for key in KEYWORDS:
        names = (key, "RADECSYS") if key == "RADESYS" else (key,)
        value = next((h[name] for h in (header, primary) for name in names if name in h), None)
        if isinstance(value, (str, int, float, bool)) and value == value:
            metadata[key] = value.strip() if isinstance(value, str) else value
    return metadata


def _frame(path, header, columns, pointing):
    """The tangent plane and the sky pixels in it, from the WCS of the X and Y columns or, with a warning, from the nominal pointing."""
    ix, iy = columns["x"]["number"], columns["y"]["number"]
    radesys = str(pointing.header.get("RADESYS", "ICRS")).upper()
    types = [str(header.get(key, "")).strip().upper() for key in (f"TCTYP{ix}", f"TCTYP{iy}")]
    values = [
        header.get(key)
        for key in (
            f"TCRVL{ix}",
            f"TCRVL{iy}",
            f"TCRPX{ix}",
            f"TCRPX{iy}",
            f"TCDLT{ix}",
            f"TCDLT{iy}",
        )
    ]
    complete = all(_is_number(v) for v in values) and values[4] * values[5] != 0
    if types == ["RA---TAN", "DEC--TAN"] and complete:
        if any(header.get(f"TCROT{i}", 0) not in (0, None) for i in (ix, iy)):
            raise DataError(
                f"{path}: no usable WCS: the sky coordinates of X and Y are rotated (TCROT{iy}): reproject the events without rotation"
            )
        per_unit = [
            _ARCSEC.get(str(header.get(f"TCUNI{i}", "deg")).strip().lower(), 3600.0)
            for i in (ix, iy)
        ]
        ra0, dec0 = (
            value * (unit / 3600) for value, unit in zip(values[:2], per_unit, strict=True)
        )
        # The table's first axis runs east, the plane's x runs west.
        return SkyFrame(ra0, dec0, radesys), PhysicalFrame(
            values[2], values[3], -values[4] * per_unit[0], values[5] * per_unit[1]
        )
    ra, dec = pointing.header.get("RA_NOM"), pointing.header.get("DEC_NOM")
    sky = instrument_of(pointing).sky_pixels
    if not (_is_number(ra) and _is_number(dec) and sky is not None):
        raise DataError(
            f"{path}: no usable WCS: columns X and Y (numbers {ix}, {iy}) have no TCTYP RA---TAN/DEC--TAN, and there is no Chandra RA_NOM/DEC_NOM: {WAY_OUT}"
        )
    pixel, step = sky.reference, sky.size
    warnings.warn(
        f"{path}: the WCS of columns X, Y ({ix}, {iy}) is missing or stale: taking RA_NOM {ra:.5f}, DEC_NOM {dec:.5f} at pixel {pixel}, {step} arcsec",
        DataWarning,
        stacklevel=3,
    )
    return SkyFrame(ra, dec, radesys), PhysicalFrame(pixel, pixel, step, step)


_ARCSEC = {"deg": 3600.0, "degree": 3600.0, "degrees": 3600.0, "arcmin": 60.0, "arcsec": 1.0}


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _energy_column(path, columns, pointing):
    """The column that tells the energy, with scale and offset: keV = (value + offset) * scale; None where no column does."""
    instrument = instrument_of(pointing)
    if not instrument.has_energies:
        return None, 1.0, 0.0
    if "energy" in columns:
        return "energy", 1.0 if columns["energy"]["unit"] == "kev" else 1e-3, 0.0
    if "pi" in columns:
        if columns["pi"]["unit"] in ("ev", "kev"):
            return "pi", 1.0 if columns["pi"]["unit"] == "kev" else 1e-3, 0.0
        channels = instrument.channels
        if channels is not None:
            if not channels.is_energy:
                message = f"{path}: no energy column: taking energies from PI, channels of {channels.width_kev * 1000:g} eV"
                warnings.warn(message, DataWarning, stacklevel=3)
            return "pi", channels.width_kev, channels.offset
    return None, 1.0, 0.0


def recorded_energy_band(header, pointing):
    """The energy band [keV] to which the data subspace keywords say the file was cut, (low, high); None where they do not, or leave an end open.

    DSTYPi names the quantity, DSVALi its ranges "low:high,..." for the first component of the subspace, 2DSVALi and so on for further ones: a file's photons
    lie in the union over components, and in the intersection over quantities.
    """
    channels = instrument_of(pointing).channels
    low, high = 0.0, math.inf
    for key, value in header.items():
        match = re.fullmatch(r"DSTYP(\d+)", key)
        quantity = str(value).strip().lower() if match else ""
        if quantity == "energy":
            scale = (
                1.0 if str(header.get(f"DSUNI{match[1]}", "eV")).strip().lower() == "kev" else 1e-3
            )
        elif quantity == "pi" and channels is not None:
            scale = channels.width_kev
        else:
            continue
        texts = [str(v) for k, v in header.items() if re.fullmatch(rf"\d*DSVAL{match[1]}", k)]
        ranges = [
            re.fullmatch(r"\s*([-+.\deE]*)\s*:\s*([-+.\deE]*)\s*", part)
            for text in texts
            for part in text.split(",")
        ]
        if not ranges or None in ranges:
            continue
        lows, highs = (
            [float(r[1] or "-inf") for r in ranges],
            [float(r[2] or "inf") for r in ranges],
        )
        last = None if channels is None else channels.last
        if quantity == "pi" and last is not None and max(highs) >= last:
            continue
        low, high = max(low, min(lows) * scale), min(high, max(highs) * scale)
    return (low, high) if low < high < math.inf else None
