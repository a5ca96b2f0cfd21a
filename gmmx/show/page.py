"""A page about a fit, to be read: what `gmmx fit` and `gmmx info` print."""

from ..model.result import FitResult
from .component_list import component_lines
from .emission_list import background_pairs, emission_pairs
from .facts import inputs_of
from .lines import OPTION_NAMES, aligned, value_text, wrapped

_BRIGHTEST = 10


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
    >>> import numpy as np
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
    blocks += [_fit_lines(result), ["Extended emission", *aligned(emission_pairs(result))]]
    if result.backgrounds:
        blocks.append(["Background", *aligned(background_pairs(result))])
    blocks += component_lines(result, None if verbose else _BRIGHTEST)
    if result.warnings:
        blocks.append(["Warnings", *map(wrapped, result.warnings)])
    if verbose:
        blocks += _verbose_blocks(result)
    return "\n\n".join("\n".join(block) for block in blocks)


def _verbose_blocks(result):
    blocks = []
    if result.options:
        options = [(name, value_text(value)) for name, value in result.options.items()]
        blocks.append(["Options", *aligned(options, OPTION_NAMES)])
    inputs = [(one.role, f"{one.path}  {one.sha256}") for one in inputs_of(result)]
    if inputs:
        blocks.append(["Input files (SHA-256)", *aligned(inputs)])
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
    return [(pointing.target or observation.name) + obs_id, *aligned(pairs)]


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
    return ["Fit", *aligned(pairs)]


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


def _photons(count):
    whole = abs(count - round(count)) < 0.05 or abs(count) >= 1000
    return f"{count:,.0f}" if whole else f"{count:,.1f}"
