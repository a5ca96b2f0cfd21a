"""Emission and backgrounds of a fit as pairs of words and numbers, each with its error."""

import numpy as np

from ..answers.flux_table import errors_in_words
from ..answers.half_light import half_light_of
from ..model.amounts import in_words
from ..model.flux_notes import areas_of, flux_note
from ..model.result import FitResult
from ..model.summary import with_limit


def emission_pairs(result: FitResult) -> list[tuple[str, str]]:
    """Flux by place, photons and point sources.

    Parameters
    ----------
    result : FitResult
    """
    unit = f" {result.exposure_unit}" if result.exposure_unit else ""
    reference = f"{result.reference_exposure:.6g}{unit}"
    totals = result.totals
    pairs = [
        *_flux_pairs(result, unit),
        ("detected photons", f"{in_words(totals.detected)} from the components"),
        (
            "total photons",
            f"{in_words(totals.total)} at the reference exposure of {reference}",
        ),
    ]
    if len(result.point_sources):
        detected = f"{in_words(totals.points)} photons expected"
        pairs.append(
            ("point sources", f"{detected} from {len(result.point_sources)}, not included")
        )
    pairs += _half_light(result)
    pairs.append(("errors", f"68 %, {errors_in_words(result)}"))
    return pairs


def _half_light(result):
    """The half-light radius, if the fit has draws, which its error needs."""
    if result.draws is None or not len(result.extended):
        return []
    radius, centre = half_light_of(result)
    if result.frame is None:
        place = "x {:.2f}, y {:.2f}".format(*centre)
    else:
        ra, dec = (float(one) for one in result.frame.to_sky(*centre))
        place = f"RA {ra:.5f}, Dec {dec:+.5f}"
    text = f"{in_words(radius)} arcsec about the brightest place, {place}"
    return [("half-light radius", text)]


def _flux_pairs(result, unit):
    """The flux in the field, and beside it what lies under masks and outside."""
    totals = result.totals
    if result.has_flux_unit:
        per, of, pairs = 1 / result.reference_exposure, "photon/cm^2/s", []
    else:
        per, of = 1.0, "photons at the reference exposure"
        known = f"the exposure is in{unit}" if unit else "the exposure has no unit"
        text = f"not known, because {known}: give an exposure map in cm^2 s, or `area`"
        pairs = [("flux", text)]
    inside, masked, outside = (
        f"{in_words(one, scale=per)} {of}"
        for one in (totals.in_field, totals.under_masks, totals.outside)
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


def background_pairs(result: FitResult) -> list[tuple[str, str]]:
    """Photons and amplitude of each background, of all together, and their fraction.

    Parameters
    ----------
    result : FitResult
    """
    pairs, totals = [], result.totals
    for i, b in enumerate(result.backgrounds):
        of = f" of {b.observation}" if len(result.observations) > 1 else ""
        photons = totals.backgrounds
        error = float(photons.error[i]) if result.draws is not None else b.photons_error
        value = float(photons.value[i])
        relative = error / value if value > 0 else 0.0
        level = b.amplitude * (value / b.photons if b.photons > 0 else 1.0)
        upper = b.amplitude_upper95, b.photons_upper95
        if b.is_significant:
            counted = in_words(photons, i) if error > 0 else f"{b.photons:,.0f}"
            fixed = ", fixed" if b.fixed else ""
            amplitude = _amplitude(level, relative * level)
            pairs.append(
                (
                    f"{b.name}{of}",
                    f"{counted} detected photons{fixed}; amplitude {amplitude} photon/arcsec^2",
                )
            )
        else:
            text = with_limit(b.photons, b.photons_error, upper[1])
            amplitude = f"amplitude below {upper[0]:.2g} photon/arcsec^2 at 95 %"
            pairs += [(f"{b.name}{of}", f"{text} detected photons"), ("", amplitude)]
        if b.kind == "sky" and result.has_flux_unit:
            rate = level / result.reference_exposure
            about = ", approximate" if areas_of(result) else ""
            error = relative * rate if b.photons > 0 else b.amplitude_error
            text = f"surface brightness {_amplitude(rate, error)} photon/cm^2/s/arcsec^2{about}"
            pairs.append(("", text))
        if not b.fixed:
            text = f"correlation with the flux of the emission {b.correlation:+.2f}"
            if b.is_degenerate:
                text += ": hardly distinguishable from broad emission"
            pairs.append(("", text))
    if len(result.backgrounds) > 1:
        text = f"{in_words(totals.background)} detected photons"
        if np.isfinite(result.background_correlation):
            text += f"; correlation {result.background_correlation:+.2f}"
        pairs.append(("all backgrounds", text))
    percent = in_words(totals.background, scale=100 / _expected(result))
    return [*pairs, ("fraction", f"{percent} % of the detected photons")]


def _expected(result):
    """All expected photons."""
    total = result.background_photons + result.signal_photons + result.point_photons
    return max(total, 1e-300)


def _amplitude(value, error):
    """An amplitude with four digits, and its error where it has one."""
    return f"{value:.4g} +- {error:.2g}" if error > 0 else f"{value:.4g}"
