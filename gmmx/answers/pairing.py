"""Whether two models are of the same photons, and whether their draws belong together."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from ..errors import DataWarning
from .one_sky import energies_of
from .same_photons import have_same_photons

if TYPE_CHECKING:
    from ..model.result import FitResult

# How the standard deviation is made, in words.
PAIRED = "paired draws"
SAME_PHOTONS = "in quadrature, though the photons are the same"
SHARED_PHOTONS = "in quadrature, though some photons are the same"
INDEPENDENT = "in quadrature"


def pairing_of(first: FitResult, second: FitResult) -> str:
    """How the standard deviation of the difference of two models is made.

    Returns
    -------
    str
        `PAIRED` if both have bootstrap draws of one seed of the same photons; `SAME_PHOTONS` or
        `SHARED_PHOTONS` if their errors are correlated but the draws are not paired;
        else `INDEPENDENT`.
    """
    if have_same_photons(first, second):
        return PAIRED if _are_paired(first.draws, second.draws) else SAME_PHOTONS
    return SHARED_PHOTONS if _share_photons(first, second) else INDEPENDENT


def check_pair(first: FitResult, second: FitResult) -> None:
    """Warn of what makes a difference look larger than it is.

    Warns
    -----
    DataWarning
        If the energies differ.
    """
    names = [energies_of(one) for one in (first, second)]
    if names[0] != names[1]:
        warnings.warn(
            f"the models are of different energies ({' and '.join(names)}), so that the spectrum "
            "of the source is a part of their difference",
            DataWarning,
            stacklevel=3,
        )


def _are_paired(one, other):
    """Whether draws were made by one bootstrap: refits with the same number of each photon."""
    if one is None or other is None or {one.method, other.method} != {"bootstrap"}:
        return False
    return (one.seed, len(one)) == (other.seed, len(other))


def _share_photons(first, second):
    """Whether any two observations are of one file and of bands that overlap."""
    for one in first.observations:
        for other in second.observations:
            files = one.pointing.events_file, other.pointing.events_file
            if any(file is None or not file.sha256 for file in files):
                continue
            if files[0].sha256 == files[1].sha256 and _overlap(one.pointing, other.pointing):
                return True
    return False


def _overlap(one, other):
    """Whether two bands have energies in common; one that is not known is all energies."""
    if one.band_kev is None or other.band_kev is None:
        return True
    return max(one.band_kev[0], other.band_kev[0]) < min(one.band_kev[1], other.band_kev[1])
