"""The comparison of models as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from astropy import units
from astropy.table import QTable

from ..model.flux_notes import flux_note
from .flux_table import errors_in_words

if TYPE_CHECKING:
    from .compare import Comparison


def comparison_table(comparison: Comparison) -> QTable:
    """Tabulate a comparison, one row for each model; long because it has many columns.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    astropy.table.QTable
        With units and descriptions. Its metadata have the sentences of the verdict.
    """
    found, results = comparison, comparison.results
    gains, errors = found.gains
    table = QTable({"model": np.array(found.names, dtype=str)})
    has_flux = all(one.has_flux_unit for one in results)
    name = "flux" if has_flux else "photons"
    per = [one.flux_per_photon if has_flux else 1.0 * units.photon for one in results]

    def column(values, unit, what):
        table[what[0]] = np.array(values) if unit is None else np.array(values) * unit
        table[what[0]].info.description = what[1]

    column([len(r.extended) for r in results], None, ("components", "number of components"))
    column([len(r.point_sources) for r in results], None, ("point_sources", "number of them"))
    column(found.n_parameters, None, ("free_parameters", "parameters that the fit could change"))
    text = "log-likelihood [nat]"
    column(found.log_likelihoods, None, ("log_likelihood", text))
    column(found.aic, None, ("aic", "Akaike's information criterion, 2 p - 2 log L"))
    column(found.bic, None, ("bic", "Schwarz's information criterion, p log N - 2 log L"))
    text = "mean log density of held-out photons, cross-validated [nat per photon]"
    column(found.validation.scores, None, ("score", text))
    text = "standard error of score, which the models share: compare them by gain"
    column(found.validation.errors, None, ("score_error", text))
    text = "score less that of the best model, over all photons [nat]"
    column(gains, None, ("gain", text))
    column(errors, None, ("gain_error", "standard error of gain, from paired differences"))
    text = "whether the model is preferred"
    column(np.arange(len(results)) == found.preferred, None, ("preferred", text))
    totals = [one.totals for one in results]
    for what, intervals, scales, words in (
        (name, [t.in_field for t in totals], per, "signal in the field"),
        (
            "background",
            [t.background for t in totals],
            [1.0 * units.photon] * len(per),
            "expected detected photons of all backgrounds",
        ),
    ):
        unit = scales[0].unit
        for end, field, more in (
            ("", "value", ""),
            ("_error", "error", ": half of the 68 % interval"),
            ("_lower68", "lower68", ": lower end of the 68 % interval"),
            ("_upper68", "upper68", ": upper end of the 68 % interval"),
        ):
            values = [
                float(getattr(one, field)[0]) * scale.to_value(unit)
                for one, scale in zip(intervals, scales, strict=True)
            ]
            column(values, unit, (what + end, words + more))
    table.meta = {
        "photons": float(results[0].n_photons),
        "folds": found.validation.folds,
        "verdict": found.verdict,
        "errors": "; ".join(dict.fromkeys(errors_in_words(one) for one in results)),
    }
    notes = "; ".join(filter(None, dict.fromkeys(flux_note(one) for one in results)))
    return _noted(table, notes)


def _noted(table, notes):
    if notes:
        table.meta["flux_note"] = notes
    return table
