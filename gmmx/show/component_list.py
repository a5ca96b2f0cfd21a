"""The components of a fit as lines of text."""

import numpy as np

from ..answers.component_errors import flux_errors
from ..answers.components import component_table
from ..model.summary import is_significant, with_limit

# Flags of a point source that its list and its columns of errors say already.
_EXPECTED_OF_A_POINT = ("point source", "position fixed", "flux fixed")


def component_lines(result, limit):
    """Blocks of lines: the extended components, and the point sources if there are any.

    Parameters
    ----------
    result : FitResult
    limit : int or None
        Number of components to list, the brightest ones; None lists all.
    """
    table = component_table(result)
    if result.draws is not None:
        table["photons_error"] = flux_errors(result, result.draws)[table["component"]]
    points = np.array(table["sigma_major"]) == 0
    extended, sources = table[~points], table[points]
    on_sky = result.frame is not None
    place = ("ra [deg]", "dec [deg]") if on_sky else ("x [arcsec]", "y [arcsec]")
    blocks = []
    if len(extended):
        head = ["", *place, "sigma [arcsec]", "PA [deg]", "photons", "error", "observed", "flags"]
        cells = [_extended_cells(row, on_sky) for row in extended]
        blocks.append(_block("component", head, extended, cells, limit))
    else:
        besides = "background only" if len(sources) == 0 else "point sources and background only"
        blocks.append(["Components", f"  none: {besides}"])
    if len(sources):
        head = ["", *place, "error [arcsec]", "photons", "error", "detected", "observed", "flags"]
        cells = [_point_cells(row, on_sky) for row in sources]
        blocks.append(_block("point source", head, sources, cells, limit))
    return blocks


def _place(row, on_sky):
    if on_sky:
        return f"{row['ra']:.5f}", f"{row['dec']:+.5f}"
    return f"{row['x']:.2f}", f"{row['y']:.2f}"


def _extended_cells(row, on_sky):
    return [
        *_place(row, on_sky),
        f"{row['sigma_major']:.2f} x {row['sigma_minor']:.2f}",
        f"{row['position_angle']:.1f}",
        f"{row['photons']:,.0f}",
        _photons_error(row),
        f"{100 * row['observed_fraction']:.0f} %",
        "; ".join([*filter(None, [row["flags"]]), *_limit(row)]),
    ]


def _point_cells(row, on_sky):
    error = np.hypot(row["x_error"], row["y_error"]) / np.sqrt(2)
    return [
        *_place(row, on_sky),
        f"{error:.2f}" if error > 0 else "fixed",
        f"{row['photons']:,.0f}",
        _photons_error(row),
        f"{row['observed_fraction'] * row['photons']:,.0f}",
        f"{100 * row['observed_fraction']:.0f} %",
        "; ".join([*_unexpected(row["flags"]), *_limit(row)]),
    ]


def _photons_error(row):
    error = row["photons_error"]
    if "flux fixed" in row["flags"].split("; "):
        return "fixed"
    return f"{error:,.0f}" if error > 0 else "not known"


def _limit(row):
    """The upper limit of a component that is not significant, else nothing."""
    amount = row["photons"], row["photons_error"], row["photons_upper95"]
    return [] if is_significant(*amount) else [f"photons {with_limit(*amount)}"]


def _unexpected(flags):
    """Flags of a component that its place in the lists does not say already."""
    return [word for word in flags.split("; ") if word and word not in _EXPECTED_OF_A_POINT]


def _block(name, head, table, cells, limit):
    """A title, a head, the first rows, and the numbers of flagged components that are not shown."""
    n = len(table) if limit is None else min(limit, len(table))
    title = f"{name.capitalize()}s"
    if n < len(table):
        title = f"Brightest {n} of {len(table)} {name}s (`verbose` lists all)"
    rows = [head, *([str(table["component"][i]), *cells[i]] for i in range(n))]
    widths = [max(len(row[j]) for row in rows) for j in range(len(head) - 1)]
    lines = []
    for row in rows:
        aligned = [cell.rjust(width) for cell, width in zip(row, widths, strict=False)]
        lines.append(f"  {'  '.join(aligned)}  {row[-1]}".rstrip())
    hidden = [str(row["component"]) for row in table[n:] if _unexpected(row["flags"])]
    if hidden:
        lines.append(f"  components with flags that are not listed: {', '.join(hidden)}")
    return [title, *lines]
