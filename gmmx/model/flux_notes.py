"""What has to be said beside the fluxes of a fit: that they are approximate, or why none is."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .result import FitResult


def areas_of(result: "FitResult") -> tuple[float, ...]:
    """Effective areas that were given in place of exposure maps [cm**2], each once.

    Parameters
    ----------
    result : FitResult
    """
    areas = (o.pointing.area for o in result.observations)
    return tuple(dict.fromkeys(area for area in areas if area is not None))


def exposure_in_words(result: "FitResult") -> str:
    """The unit of an exposure that gives no flux: "the unit s", or "no unit".

    Parameters
    ----------
    result : FitResult
    """
    return f"the unit {result.exposure_unit}" if result.exposure_unit else "no unit"


def flux_note(result: "FitResult") -> str:
    """What has to be said beside each flux; empty if the exposure is that of maps in cm**2 s.

    Parameters
    ----------
    result : FitResult

    Examples
    --------
    >>> import numpy as np
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).normal(0.0, 5.0, (2, 500))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> flux_note(result)
    'no flux, because the exposure has no unit: give an exposure map in cm^2 s, ...'
    """
    if not result.has_flux_unit:
        return (
            f"no flux, because the exposure has {exposure_in_words(result)}: give an exposure map "
            "in cm^2 s, as CIAO fluximage writes it, or an effective area"
        )
    areas = " and ".join(f"{area:g}" for area in areas_of(result))
    if not areas:
        return ""
    return (
        f"APPROXIMATE: from an effective area of {areas} cm^2 on the axis, "
        "not from an exposure map in cm^2 s"
    )
