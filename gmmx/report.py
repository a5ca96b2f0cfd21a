"""A fit in words and numbers: the component table, a page to read, and a dictionary for programs.

Inside gmmx a component is a mean and a covariance in the plane; here it becomes what a catalogue holds: right ascension, declination, semi-axes and a position
angle from the local north through east. North is not up everywhere in a tangent plane (10 arcmin from the tangent point at declination 60 it leans by 0.3
degree), so the angle is taken at the component. The plane's x grows west: seen on the screen, east is left and position angles run counter-clockwise.
"""

import numpy as np
from astropy.table import Table

from .errors import InputError
from .mixture import Mixture

FWHM_PER_SIGMA = 2 * np.sqrt(2 * np.log(2))
# Above this correlation with the signal, a background and a broad component are the same thing to the data.
HIGH_CORRELATION = 0.9

_UNITS = {
    "ra": ("deg", "right ascension"),
    "dec": ("deg", "declination"),
    "sigma_major": ("arcsec", "intrinsic standard deviation along the major axis"),
    "sigma_minor": ("arcsec", "intrinsic standard deviation along the minor axis"),
    "fwhm_major": ("arcsec", "full width at half maximum along the major axis"),
    "position_angle": ("deg", "of the major axis, local north through east"),
    "photons": ("photon", "photons at the reference exposure"),
    "flux": ("photon / (cm2 s)", "photons over the reference exposure; NaN where that has no area and time"),
    "peak_density": ("photon / arcsec2", "intrinsic surface brightness at the centre, at the reference exposure"),
    "peak_brightness": ("photon / (arcsec2 cm2 s)", "the same over the reference exposure; NaN where that has no area and time"),
    "observed_share": ("", "share of the component's photons that the telescope recorded"),
    "observed_photons": ("photon", "recorded photons that the fit assigns to the component"),
    "x": ("arcsec", "centre in the tangent plane, growing west"),
    "y": ("arcsec", "centre in the tangent plane, growing north"),
}


def principal_axes(covariances):
    """Standard deviations along the axes of (K, 2, 2) covariances, major and minor, and the major axis' angle counter-clockwise from x, in [0, 180) [deg]."""
    values, vectors = np.linalg.eigh(covariances)
    major = vectors[:, :, 1]
    return np.sqrt(values[:, 1]), np.sqrt(values[:, 0]), np.mod(np.degrees(np.arctan2(major[:, 1], major[:, 0])), 180.0)


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
    per_photon = 1 / result.reference_exposure if _has_flux(result) else np.nan
    peak = mixture.fluxes / (2 * np.pi * major * minor)
    columns = {
        "ra": ra,
        "dec": dec,
        "sigma_major": major,
        "sigma_minor": minor,
        "fwhm_major": FWHM_PER_SIGMA * major,
        "position_angle": np.mod(angle - 90 - _north(frame, x, y), 180.0),
        "photons": mixture.fluxes,
        "flux": mixture.fluxes * per_photon,
        "peak_density": peak,
        "peak_brightness": peak * per_photon,
        "observed_share": result.observed_shares[order],
        "observed_photons": result.observed_photons[order],
        "x": x,
        "y": y,
    }
    table = Table(meta=_table_meta(result))
    table["component"] = order
    table["component"].description = "index in the model"
    for name, (unit, description) in _UNITS.items():
        table[name] = np.array(columns[name])
        table[name].unit, table[name].description = unit or None, description
    flags = ["; ".join(names) for names in _flags(result)]
    table.add_column(np.array(flags, dtype=str)[order] if flags else np.zeros(0, "U1"), name="flags", index=13)
    table["flags"].description = "what to be careful about"
    return table


def mixture_from_table(table, frame=None):
    """The mixture that a component table describes: the inverse of `component_table`, in the table's order.

    Parameters
    ----------
    table : astropy.table.Table
        With photons, sigma_major, sigma_minor, position_angle, and either ra and dec (with a frame) or x and y (without).
    frame : SkyFrame, optional
        The plane wanted; it may be another than the table's.

    Raises
    ------
    InputError
        When a column is missing.
    """
    needed = ["photons", "sigma_major", "sigma_minor", "position_angle", *(("x", "y") if frame is None else ("ra", "dec"))]
    missing = [name for name in needed if name not in table.colnames]
    if missing:
        raise InputError(f"a component table needs the columns {', '.join(needed)}: there is no {', '.join(missing)}")
    fluxes, major, minor, angle, *position = (np.asarray(table[name], np.float64) for name in needed)
    x, y = position if frame is None else frame.to_plane(*position)
    # The direction of the major axis in the plane: counter-clockwise from y by north's own angle and the position angle.
    turn = np.radians(angle + _north(frame, x, y))
    along, across = np.stack([-np.sin(turn), np.cos(turn)], -1), np.stack([np.cos(turn), np.sin(turn)], -1)
    covariances = (major**2)[:, None, None] * along[:, :, None] * along[:, None, :] + (minor**2)[:, None, None] * across[:, :, None] * across[:, None, :]
    return Mixture(fluxes=fluxes, means=np.stack([x, y], 1), covariances=covariances)


def summary_dict(result, **extra):
    """A fit's facts, ready for JSON: numbers that do not exist are None.

    Parameters
    ----------
    result : FitResult
    **extra
        Put first, as they are: the model's path, for instance.
    """
    flux, flux_error = _signal_flux(result)
    facts = {
        "k": len(result.mixture),
        "k_requested": result.requested_components,
        "n_photons": sum(len(o.x) for o in result.observations),
        "photons": result.n_photons,
        "n_dropped": _dropped(result),
        "log_likelihood": result.log_likelihood,
        "objective": result.objective,
        "converged": result.converged,
        "stop_reason": result.stop_reason,
        "iterations": result.iterations,
        "background_fraction": result.background_fraction,
        "backgrounds": [{name: getattr(b, name) for name in b.__dataclass_fields__} for b in result.backgrounds],
        "signal_photons": result.signal_photons,
        "signal_photons_reference": result.mixture.fluxes.sum(),
        "signal_photons_reference_error": result.signal_error,
        "signal_flux": flux,
        "signal_flux_error": flux_error,
        "reference_exposure": result.reference_exposure,
        "exposure_unit": result.exposure_unit,
        "scarcely_observed": np.flatnonzero(result.scarcely_observed),
        "observations": [{"name": o.name, "n_photons": len(o.x), "photons": o.n_photons, "n_dropped": dict(o.dropped)} for o in result.observations],
        "resolved": [line for o in result.observations for line in _resolved(o)],
        "seconds": result.seconds,
        "seed": result.seed,
        "warnings": result.warnings,
    }
    return _jsonable({**extra, **facts})


def summary(result, verbose=False):
    """A page about a fit, to be read: what was fitted, how it ended, background, signal, the brightest components, and what to be careful about.

    Parameters
    ----------
    result : FitResult
    verbose : bool
        All components instead of the brightest ten, and every option.
    """
    blocks = [_observation_lines(o, result) for o in result.observations]
    blocks += [_fit_lines(result), _sky_lines(result), _component_lines(result, None if verbose else 10)]
    notes = [f"  {warning}" for warning in result.warnings]
    if notes:
        blocks.append(["Warnings", *notes])
    if verbose and result.options:
        blocks.append(["Options", *_aligned((name, _value(value)) for name, value in result.options.items())])
    return "\n\n".join("\n".join(block) for block in blocks)


def _has_flux(result):
    return result.exposure_unit == "cm**2 s"


def _north(frame, x, y):
    return np.zeros(len(x)) if frame is None else frame.north(x, y)


def _signal_flux(result):
    if not _has_flux(result):
        return None, None
    return result.mixture.fluxes.sum() / result.reference_exposure, result.signal_error / result.reference_exposure


def _dropped(result):
    total = {}
    for observation in result.observations:
        for reason, photons in observation.dropped.items():
            total[reason] = total.get(reason, 0) + photons
    return total


def _flags(result):
    """What to be careful about, a list of words for each component in the result's order."""
    major, minor, _ = principal_axes(result.mixture.covariances)
    floor = float(result.options.get("min_sigma") or 0)
    blurred = any(o.psf is not None for o in result.observations)
    words = {
        "scarcely observed": result.scarcely_observed,
        # The M-step clips eigenvalues, so what sits on the floor equals it to rounding.
        "at the size floor": minor <= 1.001 * floor,
        "smaller than the PSF": (major < np.sqrt(result.prior_scales)) & blurred,
    }
    return [[word for word, holds in words.items() if holds[k]] for k in range(len(result.mixture))]


def _table_meta(result):
    frame, physical = result.frame, result.observations[0].physical
    meta = {
        "frame": None if frame is None else {"ra0": float(frame.ra0), "dec0": float(frame.dec0), "projection": "TAN", "radesys": frame.radesys},
        "physical": None if physical is None else {name: float(getattr(physical, name)) for name in ("x0", "y0", "step_x", "step_y")},
        "reference_exposure": float(result.reference_exposure),
        "exposure_unit": result.exposure_unit,
        "object": _keyword(result.observations[0], "OBJECT"),
        "obs_id": ", ".join(str(_keyword(o, "OBS_ID") or o.name) for o in result.observations),
        "n_photons": float(result.n_photons),
        "log_likelihood": float(result.log_likelihood),
        "converged": bool(result.converged),
        "stop_reason": result.stop_reason,
        "seed": int(result.seed),
    }
    if not _has_flux(result):
        meta["flux_note"] = f"no flux: the exposure has the unit {result.exposure_unit or 'none'!r}, not area and time"
    return {name: value for name, value in meta.items() if value is not None}


def _keyword(observation, name):
    """A header keyword of an observation; None where it is absent or blank."""
    value = observation.metadata.get(name, observation.metadata.get(name.lower()))
    return (value.strip() or None) if isinstance(value, str) else value


def _resolved(observation):
    resolved = observation.metadata.get("resolved") or ()
    if isinstance(resolved, dict):
        return [f"{name}: {_value(value)}" for name, value in resolved.items()]
    return [resolved] if isinstance(resolved, str) else [str(line) for line in resolved]


def _jsonable(value):
    if isinstance(value, dict):
        return {str(k): _jsonable(v) for k, v in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_jsonable(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _value(value):
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(_value(v) for v in value) or "none"
    return "none" if value is None else str(value)


def _aligned(pairs):
    """Lines of names and values in two columns; a name that repeats the one above stays blank."""
    lines, last = [], None
    for name, value in pairs:
        lines.append(f"  {'' if name == last else name:<18}{value}")
        last = name
    return lines


def _photons(count):
    return f"{count:,.0f}" if abs(count - round(count)) < 0.05 or abs(count) >= 1000 else f"{count:,.1f}"


def _with_error(value, error, form="{:,.0f}"):
    return f"{form.format(value)} +- {form.format(error)}" if np.isfinite(error) else f"{form.format(value)}, error not known"


def _observation_lines(observation, result):
    instrument = " ".join(str(v) for v in (_keyword(observation, "TELESCOP"), _keyword(observation, "INSTRUME")) if v)
    obs_id, date, seconds = (_keyword(observation, name) for name in ("OBS_ID", "DATE-OBS", "EXPOSURE"))
    title = " ".join(str(v) for v in (_keyword(observation, "OBJECT") or observation.name, f"(ObsID {obs_id})" if obs_id else "") if v)
    pairs = []
    if instrument:
        pairs.append(("instrument", instrument + (f", {str(date)[:10]}" if date else "")))
    band = energy_band(observation)
    if band:
        pairs.append(("energy", band))
    if isinstance(seconds, int | float):
        pairs.append(("exposure", f"{seconds / 1000:,.2f} ks"))
    pairs.append(
        ("photons", f"{_photons(observation.n_photons)} used" + ("" if len(observation.x) == observation.n_photons else f" in {len(observation.x):,} rows"))
    )
    pairs += [("dropped", f"{_photons(count)}  {reason}") for reason, count in observation.dropped.items() if count]
    pairs += _field_pairs(observation.completeness, result)
    pairs.append(("PSF", "none" if observation.psf is None else observation.psf.description or f"{observation.psf.n_gaussians} Gaussians"))
    pairs += [("resolved", line) for line in _resolved(observation)]
    return [title, *_aligned(pairs)]


def energy_band(observation):
    """The energy band of an observation in words; empty where it is not known."""
    band = observation.metadata.get("energy_kev")
    if isinstance(band, str) or band is None:
        return band or ""
    low, high = band
    return f"{low:g}-{high:g} keV"


def _field_pairs(completeness, result):
    if completeness is None:
        return [("field", "complete everywhere")]
    seen = completeness.exposure > 0
    area = seen.sum() * completeness.grid.cell_area
    masked = ((1 - completeness.open_share) * seen).sum() * completeness.grid.cell_area
    unit = f" {completeness.unit}" if completeness.unit else ""
    return [
        ("field", f"{area / 3600:,.1f} arcmin^2, {100 * masked / max(area, 1e-300):.2f} % of it masked"),
        ("exposure map", f"at most {completeness.exposure.max():.4g}{unit}, {completeness.grid.step:.3g} arcsec cells"),
    ]


def _fit_lines(result):
    asked = result.requested_components
    count = f"{len(result.mixture)}" + ("" if asked is None or asked == len(result.mixture) else f" of {asked} asked for")
    ended = "converged" if result.converged else "NOT CONVERGED"
    pairs = [
        ("components", count),
        ("ended", ended + (f": {result.stop_reason}" if result.stop_reason else "")),
        ("log-likelihood", f"{result.log_likelihood:,.3f} nat (with priors {result.objective:,.3f})"),
        ("work", f"{result.iterations:,} evaluations in {result.seconds:,.1f} s, seed {result.seed}"),
    ]
    return ["Fit", *_aligned(pairs)]


def _sky_lines(result):
    unit = f" {result.exposure_unit}" if result.exposure_unit else ""
    flux, flux_error = _signal_flux(result)
    pairs = [
        ("signal", f"{_photons(result.signal_photons)} photons detected"),
        ("", f"{_with_error(result.mixture.fluxes.sum(), result.signal_error)} photons at the reference exposure of {result.reference_exposure:.6g}{unit}"),
    ]
    if flux is None:
        pairs.append(("", f"no flux: the exposure has {'no unit' if not unit else f'the unit{unit}'}, which is not area and time"))
    else:
        pairs.append(("", f"{_with_error(flux, flux_error, '{:.4e}')} photon/cm^2/s"))
    for b in result.backgrounds:
        where = f" of {b.observation}" if len(result.observations) > 1 else ""
        error = "held" if b.fixed else _with_error(b.photons, b.photons_error)
        text = f"{_photons(b.photons)} photons detected, held" if b.fixed else f"{error} photons detected"
        pairs.append(
            (f"background {b.name}{where}", f"{text}; amplitude {b.amplitude:.4g}" + ("" if b.fixed else f" +- {b.amplitude_error:.2g}") + " photon/arcsec^2")
        )
        if not b.fixed:
            pairs.append(("", f"correlation with the signal flux {b.correlation:+.2f}"))
            if abs(b.correlation) > HIGH_CORRELATION:
                pairs.append(("", "WARNING: the data hardly tell this background from broad signal: hold its level with --background sky=VALUE"))
    pairs.append(("background share", f"{100 * result.background_fraction:.1f} % of the expected photons"))
    width = max(18, *(len(name) + 2 for name, _ in pairs))
    return ["Sky", *(f"  {name:<{width}}{value}" for name, value in pairs)]


def _component_lines(result, limit):
    table = component_table(result)
    if len(table) == 0:
        return ["Components", "  none: background only"]
    shown = table if limit is None else table[:limit]
    title = "Components" if len(shown) == len(table) else f"Brightest {len(shown)} of {len(table)} components (all with --verbose)"
    sky = result.frame is not None
    head = ["", *(("ra [deg]", "dec [deg]") if sky else ('x ["]', 'y ["]')), 'sigma ["]', "PA [deg]", "photons", "peak [/arcsec^2]", "seen", "flags"]
    rows = [head]
    for row in shown:
        place = (f"{row['ra']:.5f}", f"{row['dec']:+.5f}") if sky else (f"{row['x']:.2f}", f"{row['y']:.2f}")
        size = f"{row['sigma_major']:.2f} x {row['sigma_minor']:.2f}"
        share = f"{100 * row['observed_share']:.0f} %"
        rows.append(
            [str(row["component"]), *place, size, f"{row['position_angle']:.1f}", f"{row['photons']:,.0f}", f"{row['peak_density']:.4g}", share, row["flags"]]
        )
    widths = [max(len(row[j]) for row in rows) for j in range(len(head) - 1)]
    lines = [("  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=False)) + "  " + row[-1]).rstrip() for row in rows]
    hidden = [str(row["component"]) for row in table[len(shown) :] if row["flags"]]
    if hidden:
        lines.append(f"  also flagged: {', '.join(hidden)}")
    return [title, *lines]
