"""The fluxes of regions as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from astropy import units
from astropy.table import QTable

from ..errors import InputError
from ..model.flux_notes import flux_note
from .errors import draws_of
from .flux import Region, RegionFluxes, region_fluxes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..model.result import FitResult
    from ..plane.frame import SkyFrame

# Ends of the columns of an interval, and the field of Interval.
INTERVAL_FIELDS = {
    "": "value",
    "_error": "error",
    "_lower68": "lower68",
    "_upper68": "upper68",
    "_lower95": "lower95",
    "_upper95": "upper95",
}
_MEANINGS = {
    "": "",
    "_error": ": half of the 68 % interval",
    "_lower68": ": lower end of the 68 % interval",
    "_upper68": ": upper end of the 68 % interval",
    "_lower95": ": lower end of the 95 % interval",
    "_upper95": ": upper end of the 95 % interval",
}


def flux_in(
    result: FitResult,
    regions: Sequence[Region],
    *,
    erg_per_photon: float | None = None,
    correlations: bool = False,
) -> QTable:
    """Tabulate the flux in regions of a fit.

    Parameters
    ----------
    result : FitResult
    regions : sequence of Region
    erg_per_photon, correlations
        As for `flux_table`.

    Raises
    ------
    InputError
        If there is no region, or if an energy is asked for and the fit has no flux.
    """
    if erg_per_photon is not None and not result.has_flux_unit:
        raise InputError(
            "`erg_per_photon` needs a flux, and the exposure of the fit has no area and time: fit "
            "with an exposure map in cm^2 s, or with `area`",
            parameter="erg_per_photon",
        )
    fluxes = region_fluxes(result, regions, draws_of(result))
    return flux_table(result, fluxes, erg_per_photon=erg_per_photon, correlations=correlations)


def plane_of(result: FitResult) -> SkyFrame:
    """The tangent plane of a fit, in which regions of the sky are read.

    Raises
    ------
    InputError
        If the fit has none.
    """
    if result.frame is None:
        raise InputError("the fit has no celestial frame, so that it has no regions of the sky")
    return result.frame


def flux_table(
    result: FitResult,
    fluxes: RegionFluxes,
    *,
    erg_per_photon: float | None = None,
    correlations: bool = False,
) -> QTable:
    """Tabulate the fluxes in regions, one row for each; long because it has many columns.

    Parameters
    ----------
    result : FitResult
    fluxes : RegionFluxes
    erg_per_photon : float, optional
        Mean energy of a photon, from a spectral model [erg]. It adds columns in erg/cm**2/s.
    correlations : bool
        Add the columns correlation_1, correlation_2, ...: the correlation with each region.

    Returns
    -------
    astropy.table.QTable
        With units and descriptions. Its metadata say how the errors were made (`errors`) and
        whether fluxes are approximate (`flux_note`).
    """
    table = QTable({"region": np.array(fluxes.names, dtype=str)})
    per_photon = result.flux_per_photon
    area = fluxes.area * units.arcsec**2
    _put(table, "area", area, "area of the region")
    scales = {"photons": (units.photon, "deconvolved signal photons at the reference exposure")}
    if result.has_flux_unit:
        scales["flux"] = (per_photon, "flux of the deconvolved signal")
        if erg_per_photon is not None:
            energy = per_photon * erg_per_photon * units.erg / units.photon
            scales["energy_flux"] = (energy, "the same as energy")
    for name, (scale, text) in scales.items():
        for end, field in INTERVAL_FIELDS.items():
            values = getattr(fluxes.photons, field) * scale
            _put(table, name + end, values, text + _MEANINGS[end])
        _put(
            table,
            f"{name}_limit95",
            fluxes.upper95 * scale,
            f"{text}: 95 % upper limit, where the significance is below 3",
        )
    brightness = (per_photon if result.has_flux_unit else units.photon) / area
    _put(table, "brightness", fluxes.photons.value * brightness, "mean surface brightness")
    _put(table, "brightness_error", fluxes.photons.error * brightness, "error of brightness")
    _put(table, "counts", fluxes.counts * units.photon, "recorded photons inside")
    text = "expected photons of backgrounds and point sources inside"
    _put(table, "background_counts", fluxes.background_counts.value * units.photon, text)
    error = fluxes.background_counts.error * units.photon
    _put(table, "background_counts_error", error, "error of background_counts")
    text = "mean completeness of the region"
    _put(table, "observed_fraction", fluxes.observed_fraction, text)
    text = "fraction of the flux where the completeness is below 5 %"
    _put(table, "extrapolated_fraction", fluxes.extrapolated_fraction, text)
    text = "sqrt(2 delta log L) against no signal in the region"
    _put(table, "significance", fluxes.significance, text)
    for i, column in enumerate(fluxes.correlations.T if correlations else (), 1):
        _put(table, f"correlation_{i}", column, f"correlation with region {i}")
    note = flux_note(result)
    table.meta = {"errors": errors_in_words(result)} | ({"flux_note": note} if note else {})
    return table


def errors_in_words(result: FitResult) -> str:
    """How the errors of answers are made: from stored draws, or from the information matrix."""
    if result.draws is None:
        return "from the information matrix (gmmx errors makes draws of the parameters)"
    words = f"{len(result.draws)} draws of the parameters ({result.draws.method})"
    return words + ("; values are their mean" if result.draws.method == "scan" else "")


def _put(table, name, values, description):
    """Add a column with its description."""
    table[name] = values
    table[name].info.description = description
