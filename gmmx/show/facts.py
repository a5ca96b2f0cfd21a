"""The facts of a fit for programs: what `--json` prints."""

from collections import Counter

import numpy as np

from ..answers.flags import component_flags
from ..answers.flux_table import INTERVAL_FIELDS, errors_in_words
from ..model.flux_notes import areas_of, flux_note
from ..model.result import FitResult


def summary_dict(result: FitResult, **extra: object) -> dict[str, object]:
    """Facts of a fit, ready for JSON; numbers that do not exist are None.

    Parameters
    ----------
    result : FitResult
    **extra
        Further facts, which come first: the path of the model, for instance.

    Returns
    -------
    dict

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> facts = summary_dict(result)
    >>> facts["k"], facts["photons"], facts["converged"]
    (1, 400.0, True)
    """
    facts = extra | _fit_facts(result) | _sky_facts(result) | _input_facts(result)
    return _jsonable(facts | {"seconds": result.seconds, "warnings": result.warnings})


def signal_flux(result):
    """Flux of the extended emission and its error [photon/cm^2/s]; None without area and time.

    It includes what the mixture has outside of the field.
    """
    if not result.has_flux_unit:
        return None, None
    total = result.totals.total
    return (float(one[0]) / result.reference_exposure for one in (total.value, total.error))


def _fit_facts(result):
    return {
        "k": len(result.extended),
        "n_point_sources": len(result.point_sources),
        "requested_components": result.requested_components,
        "log_likelihood": result.log_likelihood,
        "objective": result.objective,
        "converged": result.converged,
        "stop_reason": result.stop_reason,
        "iterations": result.iterations,
        "refinement": result.refinement or None,
        "seed": result.seed,
    }


def _sky_facts(result):
    (flux, flux_error), totals = signal_flux(result), result.totals
    return _flux_facts(result) | {
        "errors": errors_in_words(result),
        "background_fraction": result.background_fraction,
        "background_photons": float(totals.background.value[0]),
        "background_photons_error": totals.background.error[0],
        "background_correlation": result.background_correlation,
        "backgrounds": [
            {name: getattr(b, name) for name in b.__dataclass_fields__} for b in result.backgrounds
        ],
        "signal_photons": result.signal_photons,
        "signal_photons_error": totals.detected.error[0],
        "point_photons": result.point_photons,
        "point_photons_error": totals.points.error[0],
        "signal_photons_reference": totals.total.value[0],
        "signal_photons_reference_error": totals.total.error[0],
        "signal_flux": flux,
        "signal_flux_error": flux_error,
        "flux_is_approximate": bool(areas_of(result)),
        "flux_note": flux_note(result) or None,
        "areas": areas_of(result),
        "reference_exposure": result.reference_exposure,
        "exposure_unit": result.exposure_unit,
        "scarcely_observed": np.flatnonzero(result.scarcely_observed),
        "mostly_unseen": np.flatnonzero(result.mostly_unseen),
        "unseen_fraction": result.unseen_fraction,
        "flags": component_flags(result),
    }


def _flux_facts(result):
    """The flux in the field, which is the headline, and what lies under masks and outside."""
    facts, totals = {}, result.totals
    places = {
        "in_field": totals.in_field,
        "under_masks": totals.under_masks,
        "outside_field": totals.outside,
    }
    for name, found in places.items():
        for what, scale in (("flux", result.reference_exposure), ("photons_reference", 1.0)):
            known = what != "flux" or result.has_flux_unit
            for end, field in INTERVAL_FIELDS.items():
                value = float(getattr(found, field)[0]) / scale
                facts[f"{what}_{name}{end}"] = value if known else None
    return facts


def _input_facts(result):
    observations = result.observations
    return {
        "n_photons": sum(len(o.photons) for o in observations),
        "photons": result.n_photons,
        "n_dropped": sum((Counter(o.dropped) for o in observations), Counter()),
        "observations": [
            {
                "name": o.name,
                "n_photons": len(o.photons),
                "photons": o.n_photons,
                "n_dropped": dict(o.dropped),
            }
            for o in observations
        ],
        "inputs": [
            {"role": one.role, "path": one.path, "sha256": one.sha256} for one in inputs_of(result)
        ],
        "choices": [
            f"{name}: {text}" for o in observations for name, text in o.pointing.choices.items()
        ],
    }


def inputs_of(result):
    """The files that a fit read, with their roles and digests."""
    return [one for o in result.observations for one in o.pointing.inputs]


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
