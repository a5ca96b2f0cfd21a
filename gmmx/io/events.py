"""Event lists: FITS binary tables of photons, as CIAO, SAS and HEASoft write them.

Only the columns that are needed are kept, one block of rows at a time, so that a large file,
gzipped or not, is read once and never kept twice.
"""

from dataclasses import replace
from os import PathLike

import numpy as np
from astropy.io import fits

from ..errors import DataError
from ..model.photons import EventList, Photons
from ..model.pointing import InputFile, Pointing
from ..telescope.instruments import instrument_of
from ._columns import CCD_COLUMNS, ROW, TIME_COLUMN, EventTable, table_columns
from ._energies import convert_energies, energy_column
from ._row_facts import row_facts
from ._rows import read_columns
from ._screening import screening_columns, warn_of_unscreened
from ._sky_columns import INPUT_WAY_OUT, sky_columns
from ._stray import has_legal_position, is_far_from_others
from ._subspace import recorded_band
from .files import open_fits, reading
from .units import in_unit
from .virtual import FileArgument, check_columns, filter_rows, parse_file_argument

# Keywords that are kept, for people and for the files that are written.
KEYWORDS = (
    *("TELESCOP", "INSTRUME", "DETNAM", "OBS_ID", "OBJECT", "TITLE", "OBSERVER", "EXPOSURE"),
    *("LIVETIME", "ONTIME", "DATE-OBS", "DATE-END", "MJD-OBS", "RA_PNT", "DEC_PNT", "ROLL_PNT"),
    *("RA_NOM", "DEC_NOM", "ROLL_NOM", "RA_TARG", "DEC_TARG", "RADESYS", "EQUINOX", "SIM_X"),
    *("SIM_Y", "SIM_Z", "GRATING", "FILTER", "DATAMODE", "READMODE", "PIX_ADJ", "EXPTIME"),
    *("ASCDSVER", "SEQ_NUM", "TIMESYS", "MJDREF", "MJD_OBS", "TSTART", "TSTOP", "DTCOR"),
)
TIMES = ("EXPOSURE", "LIVETIME", "ONTIME", "EXPTIME")


def read_events(path: str | PathLike | FileArgument, *, sky: bool = True) -> EventList:
    """Read the photons of an event file.

    Positions are those of the columns X and Y, by their WCS, in a tangent plane about its
    reference direction: [arcsec], and x grows to the west. Where the columns are such a plane,
    ``x = (X - TCRPX) * |TCDLT|``.

    Parameters
    ----------
    path : str, Path or FileArgument
        A FITS file, gzipped or not, with an EVENTS extension. CIAO's filters of rows may follow in
        brackets (`parse_file_argument`).
    sky : bool
        Whether to apply filters by shapes on the sky. A caller who has an exposure map cuts
        photons and exposure alike instead.

    Returns
    -------
    EventList
        Its `pointing` holds the keywords, the file and, if the data subspace keywords or a filter
        of the name give them, the energies and chips to which the file was cut.

    Raises
    ------
    InputError
        If a filter in brackets is not understood.
    DataError
        If the file is not there, not FITS or truncated, or if it has no EVENTS extension, no row,
        no X or Y column, or no usable WCS.

    Examples
    --------
    >>> events = read_events("data_samples/events.fits.gz[energy=500:2000]")
    >>> events.pointing.recorded_band_kev
    (0.5, 2.0)
    """
    file = parse_file_argument(path)
    table, pointing, sky_of = _read_table(file)
    events = _events_of(file, table, pointing, sky_of)
    return _inside_shapes(events, file) if sky else events


def read_numbered(file: FileArgument) -> tuple[EventList, np.ndarray]:
    """Read the photons of an event file, and in which row of the table each of them is.

    Filters by shapes on the sky are not applied.

    Parameters
    ----------
    file : FileArgument

    Returns
    -------
    events : EventList
    rows : (N,) integers
        Counted from 0.

    Raises
    ------
    DataError
        As `read_events` does.
    """
    table, pointing, sky_of = _read_table(file)
    table.values[ROW] = np.arange(len(table.values["x"]))
    return _events_of(file, table, pointing, sky_of), table.values[ROW]


def _events_of(file, table, pointing, sky_of):
    """The photons of a table, whose rows are selected in place."""
    pointing, dropped = filter_rows(file, table, pointing)
    warn_of_unscreened(file, table, instrument_of(pointing))
    rows = row_facts(table)
    table.drop_others()
    legal = has_legal_position(file.path, table.columns, table.values)
    frame, physical = sky_of.plane(table.values)
    convert_energies(file.path, table)
    dropped |= _without_position(file.path, table, legal)
    photons = Photons(
        table.values["x"],
        table.values["y"],
        energy_kev=table.values.get(table.energy.name),
        ccd=table.values.get(table.ccd),
    )
    facts = {"pointing": pointing, "dropped": dropped, "rows": rows}
    return EventList(frame=frame, physical=physical, photons=photons, **facts)


def _read_table(file):
    """Read the columns that are needed, the facts of the pointing, and the tangent plane."""
    with open_fits(file.path, way_out=INPUT_WAY_OUT) as opened:
        primary, hdu = _events_hdu(opened)
        header = hdu.header
        columns = _checked_columns(file.path, header)
        pointing = Pointing.from_keywords(file_keywords(primary.header, header))
        instrument = instrument_of(pointing)
        sky = sky_columns(file.path, header, columns, pointing, instrument)
        energy = energy_column(file.path, columns, instrument)
        if energy.name is not None:
            _refuse_bits(file.path, columns, energy.name)
        ccd = next((name for name in CCD_COLUMNS if name in columns), None)
        check_columns(file, columns, energy.name)
        times = TIME_COLUMN if _is_number(columns.get(TIME_COLUMN)) else None
        names = ("x", "y", energy.name, ccd, times, *(one.column for one in file.columns))
        screening = screening_columns(file, header, columns, instrument)
        names += screening
        wanted = {name: columns[name] for name in names if name is not None}
        with reading(file.path):
            values = read_columns(opened, hdu, wanted)
        opened.check(primary, hdu)
        digest = opened.digest()
    pointing = replace(
        sky.system.own_pointing(pointing),
        file_name=file.path.name,
        n_rows=header["NAXIS2"],
        recorded_band_kev=recorded_band(header, instrument.channels),
        inputs=(InputFile("events", file.text, digest),),
    )
    table = EventTable(columns=columns, values=values, energy=energy, ccd=ccd, screening=screening)
    return table, pointing, sky


def is_events(header: fits.Header) -> bool:
    """Whether a header belongs to a table of events, by EXTNAME or HDUCLAS1.

    Parameters
    ----------
    header : astropy.io.fits.Header
    """
    name, kind = (str(header.get(key, "")).strip().upper() for key in ("EXTNAME", "HDUCLAS1"))
    return str(header.get("XTENSION", "")).strip() in ("BINTABLE", "TABLE") and (
        name in ("EVENTS", "STDEVT") or kind == "EVENTS"
    )


def file_keywords(primary: fits.Header, header: fits.Header) -> dict[str, str | bool | int | float]:
    """Return the keywords that are kept, from the header of the table or else the primary one.

    Parameters
    ----------
    primary, header : astropy.io.fits.Header

    Returns
    -------
    dict of str to str, bool, int or float
        RADECSYS, an older name, is given as RADESYS.
    """
    found = {}
    for key in KEYWORDS:
        names = (key, "RADECSYS") if key == "RADESYS" else (key,)
        values = (_value(h, name) for h in (header, primary) for name in names)
        value = next((value for value in values if value not in (None, "")), None)
        if isinstance(value, (str, int, float, bool)) and value == value:
            found[key] = value.strip() if isinstance(value, str) else value
    return found


def _value(header, name):
    """Return a keyword; a time in s, if its comment names another unit of time."""
    value = header.get(name)
    if name in TIMES and isinstance(value, int | float) and not isinstance(value, bool):
        return in_unit(value, header.comments[name], "s")
    return value


def _events_hdu(opened):
    """Return the primary HDU and that of the events."""
    primary, found = None, []
    for hdu in opened.hdus():
        primary = hdu if primary is None else primary
        if is_events(hdu.header):
            _refuse_other_tables(opened.path, hdu)
            return primary, hdu
        found.append(hdu.name or "unnamed")
    raise DataError(
        f"{opened.path}: no EVENTS extension (found {', '.join(found)}): {INPUT_WAY_OUT}"
    )


def _refuse_other_tables(path, hdu):
    """Refuse tables whose rows are not there as they are."""
    if hdu.header.get("ZTABLE") is True:
        raise DataError(
            f"{path}: its table {hdu.name} is compressed by tiles (ZTABLE): unpack it with funpack"
        )
    if str(hdu.header.get("XTENSION")).strip() == "TABLE":
        raise DataError(
            f"{path}: its table {hdu.name} holds text (XTENSION = 'TABLE'): convert it to a binary "
            "table"
        )


def _checked_columns(path, header):
    """Return the columns of a table that has rows, X and Y."""
    with reading(path):
        columns, n_rows = table_columns(header), header["NAXIS2"]
    if n_rows == 0:
        raise DataError(f"{path}: the EVENTS extension has 0 rows: there is nothing to fit")
    missing = [name.upper() for name in ("x", "y") if name not in columns]
    if missing:
        found = ", ".join(column.name for column in columns.values())
        raise DataError(
            f"{path}: no {' or '.join(missing)} column (found {found}): sky coordinates are needed"
        )
    _refuse_bits(path, columns, "x", "y")
    return columns


def _refuse_bits(path, columns, *names):
    """Refuse columns of bits, or of true and false, where numbers are needed."""
    for name in names:
        if columns[name].letter in "XL":
            raise DataError(
                f"{path}: column {columns[name].name} holds bits: a column of numbers is needed"
            )


def _is_number(column):
    """Whether there is a column, with one number in each row."""
    return column is not None and column.repeat == 1 and column.letter in "BIJKED"


def _without_position(path, table, legal):
    """Take the rows out that have no energy or no position; return their number by reason.

    A position outside the legal range of the columns, or far from all others, is none.
    """
    values = table.values
    finite = (np.isfinite(values["x"]) & np.isfinite(values["y"])) | ~legal
    if table.energy.name is not None:
        finite &= np.isfinite(values[table.energy.name])
    here = legal & ~is_far_from_others(values["x"], values["y"])
    keep = finite & here
    if not keep.any():
        raise DataError(f"{path}: none of its {len(keep)} rows has a finite position and energy")
    table.keep(keep)
    for column in values.values():
        column.flags.writeable = False
    lost = {"not finite": ~finite, "position": finite & ~here}
    counts = {reason: int(np.count_nonzero(rows)) for reason, rows in lost.items()}
    return {reason: n for reason, n in counts.items() if n}


def _inside_shapes(events, file):
    """Apply the filters by shapes on the sky that stand behind the file's name."""
    for one in file.sky:
        shapes = one.read(frame=events.frame, physical=events.physical)
        inside = shapes.contains(events.photons.x, events.photons.y)
        events = events.select(inside != one.exclude, "filter")
        if len(events) == 0:
            raise DataError(f"{file.text}: [{one.text}] leaves no photon")
    return events
