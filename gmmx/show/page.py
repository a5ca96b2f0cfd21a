"""A fit's facts: a page to read, and a dictionary for programs."""

import textwrap

import numpy as np

from ..answers.components import component_table, has_flux, keyword
from ..answers.flags import component_flags
from ..model.background import way_to_hold

# Names from this length on stand on lines of their own.
_LONG_NAME = 40


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
        "k": len(result.extended),
        "n_point_sources": len(result.point_sources),
        "k_requested": result.requested_components,
        "n_photons": sum(len(o.photons) for o in result.observations),
        "photons": result.n_photons,
        "n_dropped": _dropped(result),
        "log_likelihood": result.log_likelihood,
        "objective": result.objective,
        "converged": result.converged,
        "stop_reason": result.stop_reason,
        "iterations": result.iterations,
        "background_fraction": result.background_fraction,
        "background_photons": result.background_photons,
        "background_photons_error": result.background_error,
        "background_correlation": result.background_correlation,
        "backgrounds": [
            {name: getattr(b, name) for name in b.__dataclass_fields__} for b in result.backgrounds
        ],
        "signal_photons": result.signal_photons,
        "point_photons": result.point_photons,
        "signal_photons_reference": result.extended.fluxes.sum(),
        "signal_photons_reference_error": result.signal_error,
        "signal_flux": flux,
        "signal_flux_error": flux_error,
        "reference_exposure": result.reference_exposure,
        "exposure_unit": result.exposure_unit,
        "scarcely_observed": np.flatnonzero(result.scarcely_observed),
        "flags": component_flags(result),
        "observations": [
            {
                "name": o.name,
                "n_photons": len(o.photons),
                "photons": o.n_photons,
                "n_dropped": dict(o.dropped),
            }
            for o in result.observations
        ],
        "inputs": _inputs(result),
        "refinement": result.refinement or None,
        "resolved": [line for o in result.observations for line in _resolved(o)],
        "seconds": result.seconds,
        "seed": result.seed,
        "warnings": result.warnings,
    }
    return _jsonable({**extra, **facts})


def summary(result, *, verbose=False):
    """A page about a fit, to be read: what was fitted, how it ended, background, signal, the brightest components, and what to be careful about.

    Parameters
    ----------
    result : FitResult
    verbose : bool
        All components instead of the brightest ten, every option, and the files that were read with their digests.
    """
    blocks = [_observation_lines(o, result) for o in result.observations]
    blocks += [
        _fit_lines(result),
        _sky_lines(result),
        *_component_lines(result, None if verbose else 10),
    ]
    notes = [
        textwrap.fill(
            warning, 118, initial_indent="  ", subsequent_indent="    ", break_long_words=False
        )
        for warning in result.warnings
    ]
    if notes:
        blocks.append(["Warnings", *notes])
    if verbose and result.options:
        blocks.append(
            ["Options", *_aligned((name, _value(value)) for name, value in result.options.items())]
        )
    inputs = _inputs(result)
    if verbose and inputs:
        blocks.append(
            [
                "Files (SHA-256)",
                *_aligned(
                    (record["role"], f"{record['path']}  {record['sha256']}") for record in inputs
                ),
            ]
        )
    return "\n\n".join("\n".join(block) for block in blocks)


def _signal_flux(result):
    if not has_flux(result):
        return None, None
    return (
        result.extended.fluxes.sum() / result.reference_exposure,
        result.signal_error / result.reference_exposure,
    )


def _dropped(result):
    total = {}
    for observation in result.observations:
        for reason, photons in observation.dropped.items():
            total[reason] = total.get(reason, 0) + photons
    return total


def _inputs(result):
    """Role, path and digest of every file that was read."""
    return [record for o in result.observations for record in o.metadata.get("inputs") or ()]


def _resolved(observation):
    resolved = observation.metadata.get("resolved") or ()
    if isinstance(resolved, dict):
        return [f"{name}: {_value(value)}" for name, value in resolved.items()]
    return [resolved] if isinstance(resolved, str) else [str(line) for line in resolved]


def _resolution(observation, name):
    """How one choice was made where nothing was asked for; None where something was."""
    resolved = observation.metadata.get("resolved")
    return resolved.get(name) if isinstance(resolved, dict) else None


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
    return (
        f"{count:,.0f}"
        if abs(count - round(count)) < 0.05 or abs(count) >= 1000
        else f"{count:,.1f}"
    )


def _with_error(value, error, form="{:,.0f}"):
    return (
        f"{form.format(value)} +- {form.format(error)}"
        if np.isfinite(error)
        else f"{form.format(value)}, error not known"
    )


def _observation_lines(observation, result):
    instrument = " ".join(
        str(v) for v in (keyword(observation, "TELESCOP"), keyword(observation, "INSTRUME")) if v
    )
    obs_id, date, seconds = (
        keyword(observation, name) for name in ("OBS_ID", "DATE-OBS", "EXPOSURE")
    )
    title = " ".join(
        str(v)
        for v in (
            keyword(observation, "OBJECT") or observation.name,
            f"(ObsID {obs_id})" if obs_id else "",
        )
        if v
    )
    pairs = []
    if instrument:
        pairs.append(("instrument", instrument + (f", {str(date)[:10]}" if date else "")))
    band = _energy_band(observation)
    if band:
        pairs.append(("energy", band))
    if isinstance(seconds, int | float):
        pairs.append(("exposure", f"{seconds / 1000:,.2f} ks"))
    pairs.append(
        (
            "photons",
            f"{_photons(observation.n_photons)} used"
            + (
                ""
                if len(observation.photons) == observation.n_photons
                else f" in {len(observation.photons):,} rows"
            ),
        )
    )
    pairs += [
        ("dropped", f"{_photons(count)}  {reason}")
        for reason, count in observation.dropped.items()
        if count
    ]
    pairs += _field_pairs(observation)
    for record in observation.metadata.get("masks") or ():
        where = f"{record['area_arcmin2']:.3g} arcmin^2 of the field, {record['photons']:,} photons"
        pairs.append(
            (
                record["kind"],
                f"{record['file']}: {record['shapes']:,} shape{'s' * (record['shapes'] != 1)}, {where}",
            )
        )
    blur = (
        "none"
        if observation.psf is None
        else observation.psf.description or f"{observation.psf.n_gaussians} Gaussians"
    )
    pairs.append(("PSF", _resolution(observation, "psf") or blur))
    # Exposure map and PSF have lines of their own.
    pairs += [
        ("resolved", line)
        for line in _resolved(observation)
        if not line.startswith(("exposure:", "psf:"))
    ]
    return [title, *_aligned(pairs)]


def _field_pairs(observation):
    completeness = observation.completeness
    if completeness is None:
        return [("field", "complete everywhere")]
    seen = completeness.exposure > 0
    area = seen.sum() * completeness.grid.cell_area
    masked = ((1 - completeness.open_share) * seen).sum() * completeness.grid.cell_area
    unit = f" {completeness.unit}" if completeness.unit else ""
    # Told with its cells, which the line ends with anyway.
    footprint = (_resolution(observation, "exposure") or "").split(", cells of")[0]
    level = (
        f"none: {footprint}" if footprint else f"at most {completeness.exposure.max():.4g}{unit}"
    )
    return [
        (
            "field",
            f"{area / 3600:,.2f} arcmin^2, {100 * masked / max(area, 1e-300):.2f} % of it masked",
        ),
        ("exposure map", f"{level}, {completeness.grid.step:.3g} arcsec cells"),
    ]


def _fit_lines(result):
    asked = result.requested_components
    k = len(result.extended)
    count = f"{k}" + (
        ", as many as are worth their price"
        if asked is None
        else ""
        if asked == k
        else f" of {asked} asked for"
    )
    if result.fixed is not None and (result.fixed.any_fixed & ~result.points).any():
        count += f"; {(result.fixed.any_fixed & ~result.points).sum()} held, in part or whole"
    if len(result.point_sources):
        count += f"; and {len(result.point_sources)} point source{'s' * (len(result.point_sources) != 1)}"
    ended = "converged" if result.converged else "NOT CONVERGED"
    pairs = [
        ("components", count),
        *(("refined", line) for line in _refinement_lines(result)),
        ("ended", ended + (f": {result.stop_reason}" if result.stop_reason else "")),
        (
            "log-likelihood",
            f"{result.log_likelihood:,.3f} nat (with priors {result.objective:,.3f})",
        ),
        (
            "work",
            f"{result.iterations:,} evaluations in {result.seconds:,.1f} s, seed {result.seed}",
        ),
    ]
    return ["Fit", *_aligned(pairs)]


def _refinement_lines(result):
    """What exchanging and pruning came to, in a line; none where nothing of the kind was tried."""
    done = result.refinement
    if not done or not (done["exchanges_tried"] or done["pruned"]):
        return []
    tried, accepted, pruned = done["exchanges_tried"], done["exchanges_accepted"], done["pruned"]
    gained = f", gained {done['exchange_gain']:,.1f} nat" if accepted else ""
    taken = f"; {pruned} component{'s' * (pruned != 1)} pruned" if pruned else ""
    return [f"{tried} exchange{'s' * (tried != 1)} tried, {accepted} accepted{gained}{taken}"]


def _sky_lines(result):
    unit = f" {result.exposure_unit}" if result.exposure_unit else ""
    flux, flux_error = _signal_flux(result)
    pairs = [
        ("signal", f"{_photons(result.signal_photons)} photons detected"),
        (
            "",
            f"{_with_error(result.extended.fluxes.sum(), result.signal_error)} photons at the reference exposure of {result.reference_exposure:.6g}{unit}",
        ),
    ]
    if flux is None:
        pairs.append(
            (
                "",
                f"no flux: the exposure has {'no unit' if not unit else f'the unit{unit}'}, which is not area and time",
            )
        )
    else:
        pairs.append(("", f"{_with_error(flux, flux_error, '{:.4e}')} photon/cm^2/s"))
    if len(result.point_sources):
        pairs.append(
            (
                "point sources",
                f"{_photons(result.point_photons)} photons detected from {len(result.point_sources)}, not in the signal",
            )
        )
    for b in result.backgrounds:
        where = f" of {b.observation}" if len(result.observations) > 1 else ""
        uncertain = not b.fixed or b.amplitude_error > 0
        photons = _with_error(b.photons, b.photons_error) if uncertain else _photons(b.photons)
        level = (
            f"amplitude {b.amplitude:.4g}"
            + (f" +- {b.amplitude_error:.2g}" if uncertain else "")
            + " photon/arcsec^2"
        )
        pairs.append(
            (
                f"background {b.name}{where}",
                f"{photons} photons detected{', held' if b.fixed else ''}; {level}",
            )
        )
        if not b.fixed:
            pairs.append(("", f"correlation with the signal flux {b.correlation:+.2f}"))
            if b.is_degenerate:
                pairs.append(
                    (
                        "",
                        f"WARNING: the data hardly tell this background from broad signal: hold its level with {way_to_hold(b.kind, b.name)}",
                    )
                )
    if len(result.backgrounds) > 1:
        error, correlation = result.background_error, result.background_correlation
        together = (
            f"; correlation with the signal flux {correlation:+.2f}"
            if np.isfinite(correlation)
            else ""
        )
        pairs.append(
            (
                "background in all",
                f"{_with_error(result.background_photons, error)} photons detected{together}",
            )
        )
    pairs.append(
        ("background share", f"{100 * result.background_fraction:.1f} % of the expected photons")
    )
    width = max([18] + [len(name) + 2 for name, _ in pairs if len(name) < _LONG_NAME])
    lines = ["Sky"]
    for name, value in pairs:
        if len(name) >= width:
            # A background called like a long file has a line of its own, or all values would stand far out.
            lines.append(f"  {name}")
            name = ""
        lines.append(f"  {name:<{width}}{value}")
    return lines


def _component_lines(result, limit):
    """Blocks of lines: the extended components, and the point sources where there are some."""
    table = component_table(result)
    points = np.array(table["sigma_major"]) == 0
    sky = result.frame is not None
    place = ("ra [deg]", "dec [deg]") if sky else ('x ["]', 'y ["]')
    extended, sources = table[~points], table[points]
    head = ["", *place, 'sigma ["]', "PA [deg]", "photons", "peak [/arcsec^2]", "seen", "flags"]
    blocks = (
        [_listed("component", head, extended, limit, lambda row: _extended_cells(row, sky))]
        if len(extended)
        else []
    )
    if not blocks:
        blocks = [
            [
                "Components",
                "  none: background only"
                if len(sources) == 0
                else "  none: point sources and background only",
            ]
        ]
    if len(sources):
        head = ["", *place, 'error ["]', "photons", "+-", "detected", "seen", "flags"]
        blocks.append(
            _listed("point source", head, sources, limit, lambda row: _point_cells(row, sky))
        )
    return blocks


def _place_cells(row, sky):
    return (
        (f"{row['ra']:.5f}", f"{row['dec']:+.5f}")
        if sky
        else (f"{row['x']:.2f}", f"{row['y']:.2f}")
    )


def _extended_cells(row, sky):
    size = f"{row['sigma_major']:.2f} x {row['sigma_minor']:.2f}"
    share = f"{100 * row['observed_fraction']:.0f} %"
    return [
        *_place_cells(row, sky),
        size,
        f"{row['position_angle']:.1f}",
        f"{row['photons']:,.0f}",
        f"{row['peak_density']:.4g}",
        share,
        row["flags"],
    ]


def _point_cells(row, sky):
    error = np.hypot(row["x_error"], row["y_error"]) / np.sqrt(2)
    counts = f"{row['observed_fraction'] * row['photons']:,.0f}"
    share, flags = (
        f"{100 * row['observed_fraction']:.0f} %",
        "; ".join(_more_than_a_point(row["flags"])),
    )
    spread = f"{row['photons_error']:,.0f}" if row["photons_error"] > 0 else "held"
    return [
        *_place_cells(row, sky),
        f"{error:.2f}" if error > 0 else "held",
        f"{row['photons']:,.0f}",
        spread,
        counts,
        share,
        flags,
    ]


def _more_than_a_point(flags):
    """Flags of a point source beyond those that its block and its errors tell."""
    return [
        word
        for word in flags.split("; ")
        if word and word not in ("point source", "mean held", "flux held")
    ]


def _listed(what, head, table, limit, cells):
    """The first `limit` rows of a table, under a title, and the numbers of the others that are flagged."""
    shown = table if limit is None else table[:limit]
    title = (
        f"{what.capitalize()}s"
        if len(shown) == len(table)
        else f"Brightest {len(shown)} of {len(table)} {what}s (all with -v)"
    )
    rows = [head, *([str(row["component"]), *cells(row)] for row in shown)]
    widths = [max(len(row[j]) for row in rows) for j in range(len(head) - 1)]
    lines = [
        (
            "  "
            + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=False))
            + "  "
            + row[-1]
        ).rstrip()
        for row in rows
    ]
    hidden = [
        str(row["component"]) for row in table[len(shown) :] if _more_than_a_point(row["flags"])
    ]
    if hidden:
        lines.append(f"  also flagged: {', '.join(hidden)}")
    return [title, *lines]


def _energy_band(observation):
    """The energy band of an observation in words; empty where it is not known."""
    band = observation.metadata.get("energy_kev")
    if isinstance(band, str) or band is None:
        return "all energies" if band == "all" else band or ""
    low, high = band
    if not np.all(np.isfinite(band)):
        return "all energies"
    return f"{low:g}-{high:g} keV"
