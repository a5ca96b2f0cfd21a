"""The significance of components as lines of text, and as what JSON can hold."""

import numpy as np

from .._words import counted
from .goodness_list import p_text

# A component with a larger p-value may be noise.
_DOUBTFUL = 0.05
_JSON = ("component", "ra", "dec", "x", "y", "photons", "photons_error", "sqrt_ts", "p_value")


def significance_lines(table):
    """One line for each component, by falling flux, and a sentence on those that may be noise.

    Parameters
    ----------
    table : astropy.table.Table
        A component table with the columns `sqrt_ts` and `p_value`.

    Returns
    -------
    list of str
    """
    n = table.meta["simulations"]
    on_sky = bool(np.all(np.isfinite(table["ra"])))
    place = ("ra [deg]", "dec [deg]") if on_sky else ("x [arcsec]", "y [arcsec]")
    head = ["component", *place, "sigma [arcsec]", "photons", "sqrt_ts", "p"]
    rows = [head]
    for row in table:
        where = (f"{row['ra']:.5f}", f"{row['dec']:+.5f}")
        if not on_sky:
            where = (f"{row['x']:.2f}", f"{row['y']:.2f}")
        known = np.isfinite(row["p_value"])
        rows.append(
            [
                str(row["component"]),
                *where,
                f"{row['sigma_major']:.2f} x {row['sigma_minor']:.2f}",
                f"{row['photons']:,.0f}",
                f"{row['sqrt_ts']:.1f}" if known else "fixed",
                _p(row, n) if known else "-",
            ]
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return [
        f"significance of the components ({counted(n, 'simulation')})",
        "",
        *lines,
        "",
        *_sentences(table, n),
    ]


def _sentences(table, n):
    """Which components may be noise, as far as so many simulations tell."""
    known = [row for row in table if np.isfinite(row["p_value"])]
    # A component beyond all simulations has a p-value that is only known to be smaller.
    bounds = [row["sigma_major"] > 0 and row["p_value"] <= 1 / (n + 1) + 1e-12 for row in known]
    doubtful = [
        str(row["component"])
        for row, is_bound in zip(known, bounds, strict=True)
        if row["p_value"] > _DOUBTFUL and not is_bound
    ]
    is_too_few = any(bounds) and 1 / n > _DOUBTFUL
    if doubtful:
        yield (
            f"May be noise, because p is above {_DOUBTFUL:g} for having searched the field: "
            f"component{'s' * (len(doubtful) != 1)} {', '.join(doubtful)}."
        )
    if is_too_few:
        yield (
            f"{counted(n, 'simulation')} cannot tell whether p is below {_DOUBTFUL:g}: give at "
            f"least {round(1 / _DOUBTFUL)}."
        )
    if not doubtful and not is_too_few:
        what = "Each component" if len(known) == len(table) else "Each component that is not fixed"
        yield (f"{what} is significant: p is at most {_DOUBTFUL:g}, for having searched the field.")


def significance_dict(table):
    """The same as a dict that JSON can hold; None stands for no number."""
    rows = [
        {
            name: int(row[name]) if name == "component" else _finite(float(row[name]))
            for name in _JSON
        }
        for row in table
    ]
    return {"simulations": table.meta["simulations"], "components": rows}


def _p(row, n):
    if row["sigma_major"] == 0:
        return f"{row['p_value']:.2g}"
    return p_text(row["p_value"], n).removeprefix("= ")


def _finite(value):
    return value if np.isfinite(value) else None
