"""Events that were not screened as those of level 2 are: bits of STATUS, and grades."""

import warnings

import numpy as np

from ..errors import DataWarning


def screening_columns(file, header, columns, instrument):
    """Return the columns that tell whether events are good.

    Parameters
    ----------
    file : FileArgument
        Columns by which its name filters are not checked again.
    header : astropy.io.fits.Header
    columns : dict of str to Column
    instrument : Instrument
        It has `good_grades` if STATUS and GRADE tell it.

    Returns
    -------
    tuple of str
        Empty if the header says that the events are those of level 2.
    """
    is_accepted = str(header.get("HDUCLAS2", "")).strip().upper() == "ACCEPTED"
    is_level_2 = str(header.get("CONTENT", "")).strip().upper() == "EVT2"
    if is_accepted or is_level_2 or not instrument.good_grades:
        return ()
    return tuple(
        name
        for name in ("status", "grade")
        if name in columns
        and all(one.column != name for one in file.columns)
        and (columns[name].repeat == 1 or columns[name].is_bits)
    )


def warn_of_unscreened(file, table, instrument):
    """Warn of photons that the screening of level 2 would remove.

    Parameters
    ----------
    file : FileArgument
    table : EventTable
        Rows that pass the filters of the file's name.
    instrument : Instrument
    """
    grades, bad = instrument.good_grades, {}
    if "status" in table.screening:
        bad["status=0"] = np.nan_to_num(table.values["status"]) != 0
    if "grade" in table.screening:
        bad[f"grade={','.join(map(str, grades))}"] = ~np.isin(table.values["grade"], grades)
    bad = {text: rows for text, rows in bad.items() if rows.any()}
    if bad:
        n_bad = int(np.count_nonzero(np.any(list(bad.values()), axis=0)))
        warnings.warn(
            f"{file}: {n_bad:,} of {len(table.values['x']):,} photons would not pass the "
            f"screening of level 2: filter them by {file}[{','.join(bad)}]",
            DataWarning,
            stacklevel=4,
        )
