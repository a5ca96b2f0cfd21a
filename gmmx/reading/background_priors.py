"""Gaussian priors on background amplitudes that are fitted."""

import math
import re
from dataclasses import replace

from ..errors import InputError
from ..model.completeness import reference_exposure
from ..model.pointing import SkyBrightness
from .background import FLUX_BRIGHTNESS, PHOTON_BRIGHTNESS


def parse_priors(texts):
    """Return the mean and the error of the prior of each background, by its name.

    Parameters
    ----------
    texts : sequence of str
        As in `ReadOptions.background_prior`, for one observation.

    Raises
    ------
    InputError
        If a text is no prior, or a background has two.

    Examples
    --------
    >>> parse_priors(["sky=2e-9+-1e-10,particle=0.01+-0.001"])
    {'sky': (2e-09, 1e-10), 'particle': (0.01, 0.001)}
    """
    found = {}
    for part in (part.strip() for text in texts for part in str(text).split(",")):
        name, _, values = part.partition("=")
        try:
            mean, error = map(float, re.split(r"\+-|\+/-|\u00b1", values))
        except ValueError:
            mean = error = math.nan
        if not (math.isfinite(mean) and math.isfinite(error) and mean > 0 and error > 0):
            raise InputError(
                f"`background_prior` = {part}: write KIND=VALUE+-ERROR with two positive numbers, "
                "such as sky=2e-9+-1e-10",
                parameter="background_prior",
            )
        if name in found:
            raise InputError(
                f"`background_prior` = {', '.join(map(str, texts))}: one prior for {name} is "
                "enough",
                parameter="background_prior",
            )
        found[name] = mean, error
    return found


def with_priors(chosen, options, completeness):
    """The backgrounds of an observation with the priors that the options ask for.

    Parameters
    ----------
    chosen : ChosenBackgrounds
    options : ReadOptions
    completeness : Completeness

    Returns
    -------
    ChosenBackgrounds

    Raises
    ------
    InputError
        If a prior is for no background that is fitted, or if the amplitudes are to be fixed in a
        source-free region.
    """
    priors = parse_priors(options.background_prior)
    if not priors:
        return chosen
    if options.background_region:
        raise InputError(
            "`background_prior` is for amplitudes that are fitted, but `background_region` fixes "
            "them: give one of the two",
            parameter="background_prior",
        )
    free, brightness = [b.name for b in chosen.backgrounds if not b.fixed], chosen.sky_brightness
    unknown = next((name for name in priors if name not in free), None)
    if unknown is not None:
        raise InputError(
            f"`background_prior` = {unknown}: no background of that name is fitted: there "
            f"{'is' if len(free) == 1 else 'are'} {', '.join(free) or 'none'}",
            parameter="background_prior",
        )
    made, is_flux = [], completeness.has_flux_unit
    for b in chosen.backgrounds:
        if b.name in priors:
            mean, error = priors[b.name]
            if b.kind == "sky":
                unit = FLUX_BRIGHTNESS if is_flux else PHOTON_BRIGHTNESS
                brightness = SkyBrightness(mean, unit)
                scale = reference_exposure([completeness]) if is_flux else 1.0
                mean, error = mean * scale, error * scale
            b = replace(b, prior=(mean, error))
        made.append(b)
    choice = "; ".join(
        [chosen.choice or "", *(f"prior {n}={m:g}+-{e:g}" for n, (m, e) in priors.items())]
    )
    return replace(
        chosen, backgrounds=tuple(made), choice=choice.removeprefix("; "), sky_brightness=brightness
    )
