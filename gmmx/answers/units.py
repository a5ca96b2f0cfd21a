"""The units of images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import InputError
from ..model.flux_notes import exposure_in_words

if TYPE_CHECKING:
    from ..model.result import FitResult

# Unit of signal and background for each choice of `units`.
UNITS = {"counts": "photon/pixel", "flux": "photon/cm**2/s/pixel", "sb": "photon/cm**2/s/arcsec**2"}


def scale_of(result: FitResult, units: str, cell_area: float) -> float:
    """Factor from photons in a pixel at the reference exposure to the units asked for.

    Parameters
    ----------
    result : FitResult
    units : str
        One of `UNITS`.
    cell_area : float
        Area of a pixel [arcsec**2].

    Raises
    ------
    InputError
        For unknown units, or for a flux if the exposure is not an area times a time.

    Examples
    --------
    >>> import gmmx
    >>> import numpy as np
    >>> x, y = np.random.default_rng(0).normal(0, 5, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> scale_of(result, "counts", 4.0)
    1.0
    """
    if units not in UNITS:
        raise InputError(f"`units` is one of {', '.join(UNITS)}, got {units!r}", parameter="units")
    if units == "counts":
        return 1.0
    if not result.has_flux_unit:
        raise InputError(
            f"`units` = {units} needs an exposure that is an area times a time, but this one has "
            f"{exposure_in_words(result)}: fit with an exposure map in cm^2 s, as CIAO fluximage "
            "writes it, or with `area` for approximate fluxes, or render with `units` = counts",
            parameter="units",
        )
    return (1.0 if units == "flux" else 1 / cell_area) / result.reference_exposure
