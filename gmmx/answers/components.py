"""The components of a fit as a catalogue: directions, axes, fluxes, errors and flags.

Position angles are counted from north through east. North is not up everywhere in a tangent plane
(10 arcmin from the tangent point, at declination 60, it is turned by 0.3 degree), so that the angle
is taken at the component. The plane's x grows to the west: on the screen east is left, and
position angles grow counter-clockwise.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from ..model.flux_notes import areas_of, flux_note
from ..model.mixture import FIXED_COLUMNS
from .captions import draws_in_words
from .component_errors import column_errors, correlations
from .flags import FWHM_PER_SIGMA, component_flags, principal_axes, psf_radii

if TYPE_CHECKING:
    from astropy.table import Table

    from ..model.posterior import Draws
    from ..model.result import FitResult

# Unit and description of each column, in their order.
_COLUMNS = {
    "ra": ("deg", "right ascension"),
    "dec": ("deg", "declination"),
    "sigma_major": ("arcsec", "intrinsic standard deviation along the major axis"),
    "sigma_minor": ("arcsec", "intrinsic standard deviation along the minor axis"),
    "fwhm_major": ("arcsec", "full width at half maximum along the major axis"),
    "position_angle": ("deg", "position angle of the major axis, north through east"),
    "photons": ("photon", "photons at the reference exposure"),
    "photons_error": (
        "photon",
        "standard error of photons if all else is free; 0 for a fixed flux",
    ),
    "photons_upper95": ("photon", "upper limit of photons at 95 %; NaN for a fixed flux"),
    "flux": (
        "photon / (cm2 s)",
        "photons over the reference exposure; NaN if that is not an area times a time",
    ),
    "flux_error": ("photon / (cm2 s)", "standard error of the flux"),
    "flux_upper95": ("photon / (cm2 s)", "upper limit of the flux at 95 %"),
    "peak_density": (
        "photon / arcsec2",
        "intrinsic surface brightness at the centre, at the reference exposure; "
        "infinite for a point source",
    ),
    "peak_brightness": (
        "photon / (arcsec2 cm2 s)",
        "peak_density over the reference exposure; NaN if that is not an area times a time",
    ),
    "observed_fraction": ("", "fraction of the component's photons that the telescope recorded"),
    "observed_photons": ("photon", "recorded photons that the fit assigns to the component"),
    "x_error": ("arcsec", "standard error of x if all else is free; 0 for a fixed position"),
    "y_error": ("arcsec", "standard error of y if all else is free; 0 for a fixed position"),
    "psf_r90": (
        "arcsec",
        "radius of the circle that contains 90 % of the PSF at the centre; 0 without a PSF",
    ),
    "unseen_fraction": (
        "",
        "fraction of the component's flux that lies outside of the field or under masks",
    ),
    "x": ("arcsec", "position in the tangent plane, growing to the west"),
    "y": ("arcsec", "position in the tangent plane, growing to the north"),
}
_FLUXES = tuple(name for name, (unit, _) in _COLUMNS.items() if "cm2 s" in unit)


def component_table(
    result: FitResult, draws: Draws | None = None, *, correlated: bool = False
) -> Table:
    """Table of the components of a fit, by falling flux.

    Without a sky (a frame of None) ra and dec are NaN, and position angles are counted from the
    plane's y axis.

    Parameters
    ----------
    result : FitResult
    draws : Draws, optional
        Draws of the parameters. With them every fitted column has an error. Without them fluxes,
        x and y have the standard errors that the fit knows.
    correlated : bool
        Whether columns of correlations are added; they need draws.

    Returns
    -------
    astropy.table.Table
        With units and descriptions. The column `component` is the index into ``result.mixture``.
        ``meta`` has the frame, the physical frame, the reference exposure and how the fit ended.

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> table = component_table(result)
    >>> table.colnames[:4], float(table["photons"][0].round())
    (['component', 'ra', 'dec', 'sigma_major'], 400.0)
    """
    # Loaded here because that takes a fifth of a second.
    from astropy.table import Table

    order = np.argsort(-result.mixture.fluxes, kind="stable")
    columns = _shape_columns(result, order) | _flux_columns(result, order)
    table = Table(meta=_table_meta(result))
    table["component"] = order
    table["component"].description = "index in the model"
    for name, (unit, description) in _with_errors(columns, result, draws, order).items():
        table[name] = np.array(columns[name])
        table[name].unit, table[name].description = unit or None, description
    if draws is not None:
        table.meta["errors"] = draws_in_words(draws)
    if draws is not None and correlated:
        _add_correlations(table, correlations(draws, order))
    _add_flags(table, result, order)
    if areas_of(result):
        # CSV keeps neither descriptions nor metadata.
        table["flux_approximate"] = np.ones(len(table), bool)
        table["flux_approximate"].description = flux_note(result)
        for name in _FLUXES:
            table[name].description += "; APPROXIMATE"
    if result.fixed is not None:
        for name, field in FIXED_COLUMNS.items():
            table[name] = getattr(result.fixed, field)[order]
            table[name].description = f"whether the {name.removeprefix('fixed_')} was fixed"
    return table


def _add_flags(table, result, order):
    """The column of flags, behind what was observed."""
    flags = np.array(["; ".join(words) for words in component_flags(result)], dtype=str)
    flags = flags[order] if len(flags) else np.zeros(0, "U1")
    last = [name for name in table.colnames if name.startswith("observed_photons")][-1]
    table.add_column(flags, name="flags", index=table.index_column(last) + 1)
    table["flags"].description = "reasons to be careful with the component"


def _with_errors(columns, result, draws, order):
    """All columns with units and descriptions; errors over the draws are added to `columns`.

    Without draws in the model the errors of fluxes, x and y are those of the fit, because draws
    that are made of the same information matrix only add their scatter.
    """
    if draws is None:
        return _COLUMNS
    errors = {f"{name}_error": e[order] for name, e in column_errors(result, draws).items()}
    known = () if result.draws is not None else _COLUMNS
    columns |= {name: e for name, e in errors.items() if name not in known}
    described = {}
    for name, (unit, description) in _COLUMNS.items():
        described[name] = unit, description
        error = f"{name}_error"
        if error in errors and error not in _COLUMNS:
            unit = "arcsec" if name in ("ra", "dec") else unit
            text = "error of ra times cos(dec)" if name == "ra" else f"error of {name}"
            described[error] = unit, f"{text}: half the interval of 68 % over the draws"
    return described


def _add_correlations(table, matrix):
    """Columns of correlations; each cell holds the row of the matrix."""
    for name, rows in zip(("photons", "x", "y"), np.split(matrix, 3), strict=True):
        table[f"{name}_correlations"] = rows
        table[
            f"{name}_correlations"
        ].description = (
            f"correlations of {name} with photons, then x, then y of the components of all rows"
        )


def _shape_columns(result, order):
    """Positions, sizes and orientations."""
    mixture, frame, points = result.mixture.select(order), result.frame, result.points[order]
    x, y = mixture.means.T
    major, minor, angle = principal_axes(mixture.covariances)
    major, minor = np.where(points, 0.0, major), np.where(points, 0.0, minor)
    ra, dec = (np.full(len(x), np.nan),) * 2 if frame is None else frame.to_sky(x, y)
    north = np.zeros(len(x)) if frame is None else frame.north(x, y)
    return {
        "ra": ra,
        "dec": dec,
        "sigma_major": major,
        "sigma_minor": minor,
        "fwhm_major": FWHM_PER_SIGMA * major,
        "position_angle": np.mod(angle - 90 - north, 180.0),
        "x_error": result.mean_errors[order, 0],
        "y_error": result.mean_errors[order, 1],
        "psf_r90": psf_radii(result, x, y),
        "x": x,
        "y": y,
    }


def _flux_columns(result, order):
    """Fluxes, their errors, and how much was observed."""
    mixture = result.mixture.select(order)
    per_photon = 1 / result.reference_exposure if result.has_flux_unit else np.nan
    major, minor, _ = principal_axes(mixture.covariances)
    peak = np.where(result.points[order], np.inf, mixture.fluxes / (2 * np.pi * major * minor))
    return {
        "photons": mixture.fluxes,
        "photons_error": result.flux_errors[order],
        "photons_upper95": result.flux_upper95[order],
        "flux": mixture.fluxes * per_photon,
        "flux_error": result.flux_errors[order] * per_photon,
        "flux_upper95": result.flux_upper95[order] * per_photon,
        "peak_density": peak,
        "peak_brightness": peak * per_photon,
        "observed_fraction": result.observed_fraction[order],
        "observed_photons": result.observed_photons[order],
        "unseen_fraction": result.unseen_fraction[order],
    }


def _table_meta(result):
    frame, physical = result.frame, result.observations[0].physical
    meta = {
        "frame": None
        if frame is None
        else {
            "ra0": float(frame.ra0),
            "dec0": float(frame.dec0),
            "projection": "TAN",
            "radesys": frame.radesys,
        },
        "physical": None
        if physical is None
        else {
            name: float(value)
            for name, value in asdict(physical).items()
            if value or not name.startswith("cross")
        },
        "reference_exposure": float(result.reference_exposure),
        "exposure_unit": result.exposure_unit,
        "object": result.observations[0].pointing.target or None,
        "obs_id": ", ".join(o.pointing.obs_id or o.name for o in result.observations),
        **_places(result),
        "n_photons": float(result.n_photons),
        "log_likelihood": float(result.log_likelihood),
        "converged": bool(result.converged),
        "stop_reason": result.stop_reason,
        "seed": int(result.seed),
        "flux_note": flux_note(result) or None,
    }
    return {name: value for name, value in meta.items() if value is not None}


def _places(result):
    """The flux by place, in photon/cm^2/s, or in photons where the exposure has no area and time.

    The flux in the field comes first, because it is the headline of the table.
    """
    what, scale = "photons", 1.0
    if result.has_flux_unit:
        what, scale = "flux", result.reference_exposure
    errors = result.errors_by_place
    errors = (errors.in_field, errors.under_masks, errors.outside)
    names = ("in_field", "under_masks", "outside_field")
    found = {}
    for name, photons, error in zip(names, result.photons_by_place, errors, strict=True):
        found[f"{what}_{name}"] = float(photons / scale)
        found[f"{what}_{name}_error"] = float(error / scale) if np.isfinite(error) else None
    return found
