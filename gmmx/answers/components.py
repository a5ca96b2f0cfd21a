"""Components as a catalogue holds them: right ascension, declination, semi-axes, and a position angle from the local north through east.

North is not up everywhere in a tangent plane (10 arcmin from the tangent point at declination 60 it leans by 0.3 degree), so the angle is taken at the
component. The plane's x grows west: seen on the screen, east is left and position angles run counter-clockwise.
"""

import numpy as np
from astropy.table import Table

from ..model.mixture import FIXED_COLUMNS
from .flags import component_flags, principal_axes, psf_radii

FWHM_PER_SIGMA = 2 * np.sqrt(2 * np.log(2))

_UNITS = {
    "ra": ("deg", "right ascension"),
    "dec": ("deg", "declination"),
    "sigma_major": ("arcsec", "intrinsic standard deviation along the major axis"),
    "sigma_minor": ("arcsec", "intrinsic standard deviation along the minor axis"),
    "fwhm_major": ("arcsec", "full width at half maximum along the major axis"),
    "position_angle": ("deg", "of the major axis, local north through east"),
    "photons": ("photon", "photons at the reference exposure"),
    "photons_error": ("photon", "standard error of photons, all else being free; 0 where held"),
    "flux": (
        "photon / (cm2 s)",
        "photons over the reference exposure; NaN where that has no area and time",
    ),
    "flux_error": ("photon / (cm2 s)", "standard error of the flux"),
    "peak_density": (
        "photon / arcsec2",
        "intrinsic surface brightness at the centre, at the reference exposure; infinite for a point source",
    ),
    "peak_brightness": (
        "photon / (arcsec2 cm2 s)",
        "the same over the reference exposure; NaN where that has no area and time",
    ),
    "observed_fraction": ("", "share of the component's photons that the telescope recorded"),
    "observed_photons": ("photon", "recorded photons that the fit assigns to the component"),
    "x_error": ("arcsec", "standard error of x, all else being free; 0 where held"),
    "y_error": ("arcsec", "standard error of y, all else being free; 0 where held"),
    "psf_r90": (
        "arcsec",
        "radius of a circle that holds 90 % of the PSF at the centre; 0 without one",
    ),
    "x": ("arcsec", "centre in the tangent plane, growing west"),
    "y": ("arcsec", "centre in the tangent plane, growing north"),
}


def component_table(result):
    """The components of a fit as a table, by falling flux.

    Without a sky (a frame of None) ra and dec are NaN, and angles count from the plane's y axis. `component` is the index into ``result.mixture``.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    astropy.table.Table
        With units and descriptions; ``meta`` holds the frame, the physical frame, the reference exposure and how the fit ended.
    """
    order = np.argsort(-result.mixture.fluxes, kind="stable")
    mixture, frame = result.mixture.select(order), result.frame
    x, y = mixture.means.T
    major, minor, angle = principal_axes(mixture.covariances)
    ra, dec = (np.full(len(x), np.nan),) * 2 if frame is None else frame.to_sky(x, y)
    per_photon = 1 / result.reference_exposure if has_flux(result) else np.nan
    points = result.points[order]
    peak = np.where(points, np.inf, mixture.fluxes / (2 * np.pi * major * minor))
    major, minor = np.where(points, 0.0, major), np.where(points, 0.0, minor)
    columns = {
        "ra": ra,
        "dec": dec,
        "sigma_major": major,
        "sigma_minor": minor,
        "fwhm_major": FWHM_PER_SIGMA * major,
        "position_angle": np.mod(angle - 90 - _north(frame, x, y), 180.0),
        "photons": mixture.fluxes,
        "photons_error": result.flux_errors[order],
        "flux": mixture.fluxes * per_photon,
        "flux_error": result.flux_errors[order] * per_photon,
        "peak_density": peak,
        "peak_brightness": peak * per_photon,
        "observed_fraction": result.observed_fraction[order],
        "observed_photons": result.observed_photons[order],
        "x_error": result.mean_errors[order, 0],
        "y_error": result.mean_errors[order, 1],
        "psf_r90": psf_radii(result, x, y),
        "x": x,
        "y": y,
    }
    table = Table(meta=_table_meta(result))
    table["component"] = order
    table["component"].description = "index in the model"
    for name, (unit, description) in _UNITS.items():
        table[name] = np.array(columns[name])
        table[name].unit, table[name].description = unit or None, description
    flags = ["; ".join(names) for names in component_flags(result)]
    table.add_column(
        np.array(flags, dtype=str)[order] if flags else np.zeros(0, "U1"), name="flags", index=15
    )
    table["flags"].description = "what to be careful about"
    if result.fixed is not None:
        for name, field in FIXED_COLUMNS.items():
            table[name] = getattr(result.fixed, field)[order]
            table[name].description = f"whether the {name.removeprefix('fixed_')} was held"
    return table


def has_flux(result):
    return result.exposure_unit == "cm**2 s"


def keyword(observation, name):
    """A header keyword of an observation; None where it is absent or blank."""
    value = observation.metadata.get(name, observation.metadata.get(name.lower()))
    return (value.strip() or None) if isinstance(value, str) else value


def _north(frame, x, y):
    return np.zeros(len(x)) if frame is None else frame.north(x, y)


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
        else {name: float(getattr(physical, name)) for name in ("x0", "y0", "step_x", "step_y")},
        "reference_exposure": float(result.reference_exposure),
        "exposure_unit": result.exposure_unit,
        "object": keyword(result.observations[0], "OBJECT"),
        "obs_id": ", ".join(str(keyword(o, "OBS_ID") or o.name) for o in result.observations),
        "n_photons": float(result.n_photons),
        "log_likelihood": float(result.log_likelihood),
        "converged": bool(result.converged),
        "stop_reason": result.stop_reason,
        "seed": int(result.seed),
    }
    if not has_flux(result):
        meta["flux_note"] = (
            f"no flux: the exposure has the unit {result.exposure_unit or 'none'!r}, not area and time"
        )
    return {name: value for name, value in meta.items() if value is not None}
