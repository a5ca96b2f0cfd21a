"""The fluxes of regions as lines of text, and as what JSON can hold."""

import numpy as np

from ..model.amounts import with_interval
from ..model.summary import with_error

# A larger part of the flux at positions that were hardly observed is said.
_MUCH = 0.1


def flux_lines(table):
    """One block of lines for each region.

    Parameters
    ----------
    table : astropy.table.QTable
        As `gmmx.answers.flux_table.flux_table` makes it.

    Returns
    -------
    list of str
    """
    lines = []
    for row in _rows(table):
        lines += [row["region"], *(f"  {name:<18}{text}" for name, text in _facts(row)), ""]
    lines.append(f"errors: {table.meta['errors']}; the intervals hold 68 %")
    if "flux_note" in table.meta:
        lines.append(f"flux: {table.meta['flux_note']}")
    columns = [name for name in table.colnames if name.startswith("correlation_")]
    if columns:
        lines.append("correlations:")
        lines += [
            "  " + " ".join(_correlation(row[name]) for name in columns) for row in _rows(table)
        ]
    return lines


def flux_dicts(table):
    """The table as a dict of lists and texts that JSON can hold; None stands for no number."""
    rows = [
        {name: value if isinstance(value, str) else _finite(value) for name, value in row.items()}
        for row in _rows(table)
    ]
    units = {name: str(table[name].unit) for name in table.colnames if _unit(table, name)}
    return {"regions": rows, "units": units, **table.meta}


def _facts(row):
    """Pairs of words and numbers of one region."""
    yield "area", f"{row['area']:,.4g} arcsec^2"
    if row["observed_fraction"] == 0:
        yield "not observed", "no exposure inside: nothing is known of the flux"
        return
    yield "signal", f"{_interval(row, 'photons')} photons at the reference exposure"
    for name, words in (("flux", "flux"), ("energy_flux", "energy flux")):
        if name in row:
            unit = "photon/cm^2/s" if name == "flux" else "erg/cm^2/s"
            yield words, f"{_interval(row, name)} {unit}"
    limit = "flux" if "flux" in row else "photons"
    if np.isfinite(row[f"{limit}_limit95"]):
        unit = "photon/cm^2/s" if limit == "flux" else "photons"
        yield "95 % upper limit", f"{row[f'{limit}_limit95']:.3g} {unit}"
    unit = "photon/cm^2/s/arcsec^2" if "flux" in row else "photon/arcsec^2"
    ends = (row[f"{limit}{end}"] / row["area"] for end in ("", "_lower68", "_upper68"))
    yield "mean brightness", f"{with_interval(*ends)} {unit}"
    background = with_error(row["background_counts"], row["background_counts_error"])
    yield "recorded", f"{row['counts']:,.0f} photons, {background} of them background"
    yield "significance", f"{row['significance']:.1f} sigma"
    if row["extrapolated_fraction"] > _MUCH:
        part = 100 * row["extrapolated_fraction"]
        yield "extrapolated", f"{part:.0f} % of the flux lies where the completeness is below 5 %"


def _interval(row, name):
    return with_interval(*(row[name + end] for end in ("", "_lower68", "_upper68")))


def _correlation(value):
    return f"{value:+6.3f}" if np.isfinite(value) else "     -"


def _rows(table):
    """Each row as a dict of numbers and texts, without units."""
    for row in table:
        yield {
            name: str(row[name])
            if name == "region"
            else float(getattr(row[name], "value", row[name]))
            for name in table.colnames
        }


def _finite(value):
    return value if np.isfinite(value) else None


def _unit(table, name):
    return getattr(table[name], "unit", None)
