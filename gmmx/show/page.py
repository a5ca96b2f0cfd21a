"""A page about a fit, to be read: what `gmmx fit` and `gmmx info` print."""

import textwrap

import numpy as np

from ..model.flux_notes import areas_of, flux_note
from ..model.result import FitResult
from ..model.summary import with_limit
from .component_list import component_lines
from .facts import inputs_of

# Width of the column of names; longer names have a line of their own.
_NAMES = 20
_OPTION_NAMES = 24
_BRIGHTEST = 10
_COLUMNS = 100


def summary(result: FitResult, *, verbose: bool = False) -> str:
    """A page about a fit: the observations, the fit, emission, background, components, warnings.

    Parameters
    ----------
    result : FitResult
    verbose : bool
        List all components instead of the ten brightest, all options, and the input files with
        their digests.

    Returns
    -------
    str

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> print(summary(result).partition("Fit")[0])
    observation
      photons             400 fitted
      field               complete everywhere
      PSF                 none
    <BLANKLINE>
    <BLANKLINE>
    """
    blocks = [_observation_lines(o) for o in result.observations]
    blocks += [_fit_lines(result), _emission_lines(result)]
    if result.backgrounds:
        blocks.append(_background_lines(result))
    blocks += component_lines(result, None if verbose else _BRIGHTEST)
    if result.warnings:
        blocks.append(["Warnings", *map(_wrapped, result.warnings)])
    if verbose:
        blocks += _verbose_blocks(result)
    return "\n\n".join("\n".join(block) for block in blocks)


def _verbose_blocks(result):
    blocks = []
    if result.options:
        options = [(name, _value(value)) for name, value in result.options.items()]
        blocks.append(["Options", *_aligned(options, _OPTION_NAMES)])
    inputs = [(one.role, f"{one.path}  {one.sha256}") for one in inputs_of(result)]
    if inputs:
        blocks.append(["Input files (SHA-256)", *_aligned(inputs)])
    return blocks


def _observation_lines(observation):
    pointing = observation.pointing
    obs_id = f" (ObsID {pointing.obs_id})" if pointing.obs_id else ""
    pairs = []
    instrument = f"{pointing.telescope} {pointing.instrument}".strip()
    if instrument:
        date = f", {pointing.date[:10]}" if pointing.date else ""
        pairs.append(("instrument", instrument + date))
    if pointing.energies:
        pairs.append(("energy", pointing.energies))
    if pointing.exposure_time is not None:
        pairs.append(("exposure time", f"{pointing.exposure_time / 1000:,.2f} ks"))
    cells = len(observation.photons)
    binned = "" if observation.photons.pixel == 0 else f", counted in {cells:,} cells"
    pairs.append(("photons", f"{_photons(observation.n_photons)} fitted{binned}"))
    pairs += [
        ("photons left out", f"{_photons(count)}  {reason}")
        for reason, count in observation.dropped.items()
        if count
    ]
    pairs += _field_pairs(observation)
    for mask in pointing.masks:
        covered = f"{mask.area_arcmin2:.3g} arcmin^2 of the field, {mask.n_photons:,} photons"
        pairs.append((mask.kind, f"{mask.file}: {mask.counted_shapes}, {covered}"))
    pairs.append(("PSF", pointing.choices.get("psf") or _psf(observation.psf)))
    # The exposure and the PSF have lines of their own.
    pairs += [
        ("choices", f"{name.replace('_', ' ')}: {text}")
        for name, text in pointing.choices.items()
        if name not in ("exposure", "psf")
    ]
    return [(pointing.target or observation.name) + obs_id, *_aligned(pairs)]


def _psf(psf):
    return "none" if psf is None else psf.description or f"{psf.n_gaussians} Gaussians"


def _field_pairs(observation):
    completeness = observation.completeness
    if completeness is None:
        return [("field", "complete everywhere")]
    seen = completeness.exposure > 0
    area = seen.sum() * completeness.grid.cell_area
    masked = ((1 - completeness.open_fraction) * seen).sum() * completeness.grid.cell_area
    unit = f" {completeness.unit}" if completeness.unit else ""
    level = f"maximum {completeness.exposure.max():.4g}{unit}"
    # The text of the choice ends with the cells, which this line says anyway.
    without_map = observation.pointing.choices.get("exposure", "").split(", cells of")[0]
    if without_map:
        level = f"none: {without_map}"
    masked_text = f"{100 * masked / max(area, 1e-300):.2f} % masked"
    return [
        ("field", f"{area / 3600:,.2f} arcmin^2, {masked_text}"),
        ("exposure map", f"{level}, cells of {completeness.grid.step:.3g} arcsec"),
    ]


def _fit_lines(result):
    ended = "converged" if result.converged else "NOT CONVERGED"
    reason = f": {result.stop_reason}" if result.stop_reason else ""
    with_priors = f"{result.objective:,.3f} with the priors"
    work = f"{result.iterations:,} evaluations in {result.seconds:,.1f} s"
    pairs = [
        ("components", _count(result)),
        *(("changes", line) for line in _refinement_lines(result)),
        ("status", ended + reason),
        ("log-likelihood", f"{result.log_likelihood:,.3f} nat ({with_priors})"),
        ("work", work),
    ]
    return ["Fit", *_aligned(pairs)]


def _count(result):
    asked, k, points = result.requested_components, len(result.extended), len(result.point_sources)
    text = f"{k}"
    if asked is None:
        price = result.options.get("price")
        cost = "its price" if price is None else f"{price:g} nat"
        text += f", each of which raises log L by more than {cost}"
    elif asked != k:
        text += f" ({asked} requested)"
    fixed = 0
    if result.fixed is not None:
        fixed = int((result.fixed.any_fixed & ~result.points).sum())
    if fixed:
        text += f"; {fixed} of them with fixed parameters"
    return text + (f"; and {points} point source{'s' * (points != 1)}" if points else "")


def _refinement_lines(result):
    """How components were exchanged and removed; empty if nothing of the kind was tried."""
    done = result.refinement
    if not done or not (done["exchanges_tried"] or done["pruned"]):
        return []
    tried, accepted = done["exchanges_tried"], done["exchanges_accepted"]
    text = f"{accepted} of {tried} trial exchange{'s' * (tried != 1)} of components accepted"
    if done["pruned"]:
        text += f"; {done['pruned']} component{'s' * (done['pruned'] != 1)} removed"
    return [text]


def _emission_lines(result):
    unit = f" {result.exposure_unit}" if result.exposure_unit else ""
    total = _with_error(result.extended.fluxes.sum(), result.signal_error)
    reference = f"{result.reference_exposure:.6g}{unit}"
    pairs = [
        *_flux_pairs(result, unit),
        ("detected photons", f"{_photons(result.signal_photons)} from the components"),
        ("total photons", f"{total} at the reference exposure of {reference}"),
    ]
    if result.draws is not None:
        pairs.append(("errors by place", f"{len(result.draws)} draws ({result.draws.method})"))
    if len(result.point_sources):
        detected = f"{_photons(result.point_photons)} photons expected"
        pairs.append(
            ("point sources", f"{detected} from {len(result.point_sources)}, not included")
        )
    return ["Extended emission", *_aligned(pairs)]


def _flux_pairs(result, unit):
    """The flux in the field, and beside it what lies under masks and outside."""
    values, errors = result.photons_by_place, result.errors_by_place
    errors = (errors.in_field, errors.under_masks, errors.outside)
    if result.has_flux_unit:
        per, form, of = result.reference_exposure, "{:.4e}", "photon/cm^2/s"
        pairs = []
    else:
        per, form, of = 1.0, "{:,.0f}", "photons at the reference exposure"
        known = f"the exposure is in{unit}" if unit else "the exposure has no unit"
        text = f"not known, because {known}: give an exposure map in cm^2 s, or `area`"
        pairs = [("flux", text)]
    inside, masked, outside = (
        f"{_with_error(value / per, error / per, form)} {of}"
        for value, error in zip(values, errors, strict=True)
    )
    if not result.is_bounded:
        return pairs or [("flux", inside)]
    pairs.append(("flux in the field" if not pairs else "in the field", inside))
    pairs += [("", flux_note(result))] if areas_of(result) else []
    if any(o.completeness.open_fraction.min() < 1 for o in result.observations):
        pairs.append(("under masks", f"{masked}, included above"))
    pairs.append(("outside the field", f"{outside}, extrapolated"))
    names = [str(k) for k in np.flatnonzero(result.mostly_unseen)]
    if names:
        pairs.append(("mostly unseen", f"component{'s' * (len(names) > 1)} {', '.join(names)}"))
    return pairs


def _background_lines(result):
    pairs = []
    for b in result.backgrounds:
        of = f" of {b.observation}" if len(result.observations) > 1 else ""
        uncertain = not b.fixed or b.amplitude_error > 0
        photons = _with_error(b.photons, b.photons_error) if uncertain else _photons(b.photons)
        error = f" +- {b.amplitude_error:.2g}" if uncertain else ""
        amplitude = f"amplitude {b.amplitude:.4g}{error} photon/arcsec^2"
        fixed = ", fixed" if b.fixed else ""
        if b.is_significant:
            pairs.append((f"{b.name}{of}", f"{photons} detected photons{fixed}; {amplitude}"))
        else:
            photons = with_limit(b.photons, b.photons_error, b.photons_upper95)
            amplitude = f"amplitude below {b.amplitude_upper95:.2g} photon/arcsec^2 at 95 %"
            pairs += [(f"{b.name}{of}", f"{photons} detected photons"), ("", amplitude)]
        if b.kind == "sky" and result.has_flux_unit:
            rate = b.amplitude / result.reference_exposure
            about = ", approximate" if areas_of(result) else ""
            error = f" +- {b.amplitude_error / result.reference_exposure:.2g}" if uncertain else ""
            pairs.append(
                ("", f"surface brightness {rate:.4g}{error} photon/cm^2/s/arcsec^2{about}")
            )
        if not b.fixed:
            text = f"correlation with the flux of the emission {b.correlation:+.2f}"
            if b.is_degenerate:
                text += ": hardly distinguishable from broad emission"
            pairs.append(("", text))
    if len(result.backgrounds) > 1:
        text = f"{_with_error(result.background_photons, result.background_error)} detected photons"
        if np.isfinite(result.background_correlation):
            text += f"; correlation {result.background_correlation:+.2f}"
        pairs.append(("all backgrounds", text))
    fraction = f"{100 * result.background_fraction:.1f} % of the detected photons"
    return ["Background", *_aligned([*pairs, ("fraction", fraction)])]


def _wrapped(text):
    """A warning in lines of the page's width."""
    return textwrap.fill(
        text,
        _COLUMNS,
        initial_indent="  ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _value(value):
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(_value(v) for v in value) or "not given"
    return "not given" if value is None else str(value)


def _aligned(pairs, width=_NAMES):
    """Lines of names and values in two columns; a name that repeats the one above stays blank."""
    lines, last = [], None
    for name, value in pairs:
        shown = "" if name == last else name
        if len(shown) >= width:
            lines.append(f"  {shown}")
            shown = ""
        lines.append(f"  {shown:<{width}}{value}")
        last = name
    return lines


def _photons(count):
    whole = abs(count - round(count)) < 0.05 or abs(count) >= 1000
    return f"{count:,.0f}" if whole else f"{count:,.1f}"


def _with_error(value, error, form="{:,.0f}"):
    if np.isfinite(error):
        return f"{form.format(value)} +- {form.format(error)}"
    return f"{form.format(value)}, error not known"
