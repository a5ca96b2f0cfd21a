"""The comparison of models as lines of text, and as what JSON can hold."""

import textwrap
from pathlib import PurePath

import numpy as np

from ..answers.compare import Comparison
from ..model.amounts import in_words

# Sentences are wrapped at this column; names of files stay whole.
_COLUMNS = 100


def compare_lines(found: Comparison) -> list[str]:
    """A table with one column for each model, and the verdict.

    Parameters
    ----------
    found : Comparison
    """
    gains, errors = found.gains
    results = found.results
    has_flux = all(one.has_flux_unit for one in results)
    totals = [one.totals for one in results]
    scales = [1 / one.reference_exposure if has_flux else 1.0 for one in results]
    unit = "photon/cm^2/s" if has_flux else "photons at the reference exposure"
    shared = zip(found.validation.scores, found.validation.errors, strict=True)
    rows = [
        ("", [PurePath(name).name for name in found.names]),
        ("components", [_count(one) for one in results]),
        ("free parameters", [f"{n:d}" for n in found.n_parameters]),
        ("log-likelihood [nat]", [f"{value:,.1f}" for value in found.log_likelihoods]),
        ("AIC less the lowest", [f"{value - found.aic.min():,.1f}" for value in found.aic]),
        ("BIC less the lowest", [f"{value - found.bic.min():,.1f}" for value in found.bic]),
        ("held-out score [nat per photon]", [f"{s:.5f} +- {e:.5f}" for s, e in shared]),
        (
            "score less the best [nat]",
            [
                "best" if i == found.best else f"{gains[i]:.1f} +- {errors[i]:.1f}"
                for i in range(len(results))
            ],
        ),
        (
            f"flux in the field [{unit}]",
            [in_words(t.in_field, scale=s) for t, s in zip(totals, scales, strict=True)],
        ),
        ("background [detected photons]", [in_words(t.background) for t in totals]),
    ]
    widths = [max(len(row[1][i]) for row in rows) for i in range(len(results))]
    first = max(len(name) for name, _ in rows)
    lines = [
        f"{name:<{first}}  "
        + "  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
        for name, cells in rows
    ]
    photons = f"{results[0].n_photons:,.0f} photons in {found.validation.folds} folds"
    about = (
        f"The held-out score is a cross-validation of {photons}; the models share most of its "
        "error, so that the error of the difference is smaller"
    )
    sentences = [f"{about}.", *_shortened(found)]
    return [*(line.rstrip() for line in lines), "", *map(_wrapped, sentences)]


def _wrapped(text):
    """A sentence in lines of which all but the first are indented."""
    return textwrap.fill(
        text, _COLUMNS, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


def compare_dict(found: Comparison) -> dict:
    """The table and the verdict as a dict that JSON can hold; None stands for no number."""
    table = found.table()
    rows = [
        {name: _plain(getattr(row[name], "value", row[name])) for name in table.colnames}
        for row in table
    ]
    units = {
        name: str(table[name].unit)
        for name in table.colnames
        if str(getattr(table[name], "unit", None) or "")
    }
    return {
        "models": rows,
        "units": units,
        "preferred": found.names[found.preferred],
        **table.meta,
    }


def _count(result):
    points = len(result.point_sources)
    return f"{len(result.extended)}" + (f" and {points} point sources" if points else "")


def _shortened(found):
    """The verdict with the names of the files, without their folders if that is enough."""
    short = [PurePath(name).name for name in found.names]
    lines = found.verdict
    if len(set(short)) == len(short):
        for name, other in zip(found.names, short, strict=True):
            lines = [line.replace(name, other) for line in lines]
    return lines


def _plain(value):
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    return float(value) if np.isfinite(value) else None
