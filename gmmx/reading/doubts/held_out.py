"""Photons that a model is to be scored on, although they are of another band or telescope."""

import warnings
from collections.abc import Iterator

import numpy as np

from ...errors import DataWarning
from ...model.observation import Observation
from ...model.photons import CountsImage, EventList

SAME_ENERGY = 0.05
# Photons that are needed to compare spectra, and the largest distance of their distributions.
KNOWN, FARTHEST = 200, 0.3


def another_band(recorded: EventList | CountsImage, fitted: Observation) -> Iterator[str]:
    """Compare the energies to which the file was cut with the band of the model."""
    band, recorded_band = fitted.pointing.band_kev, recorded.pointing.recorded_band_kev
    if band is None or recorded_band is None:
        return
    low, high = max(band[0], recorded_band[0]), min(band[1], recorded_band[1])
    if low > band[0] + SAME_ENERGY or high < band[1] - SAME_ENERGY:
        yield (
            f"{_name(recorded)}: the file was cut to {recorded_band[0]:g}:{recorded_band[1]:g} "
            f"keV, and the model is of {band[0]:g}:{band[1]:g} keV, where the sky looks different: "
            "give photons of the band of the model"
        )


def without_energies(recorded: EventList | CountsImage, fitted: Observation) -> Iterator[str]:
    """Look for an event list without energies, of which the band cannot be selected."""
    band = fitted.pointing.band_kev
    is_unknown = recorded.photons.energy_kev is None and recorded.pointing.recorded_band_kev is None
    if not is_unknown or band is None or any(another_telescope(recorded, fitted)):
        return
    if isinstance(recorded, EventList):
        yield (
            f"{_name(recorded)}: its photons have no energies, so that all of them are scored, and "
            f"the model is of {band[0]:g}:{band[1]:g} keV: give a file with energies, or one that "
            "was cut to this band"
        )


def another_spectrum(recorded: EventList | CountsImage, fitted: Observation) -> Iterator[str]:
    """Compare the energies of the photons with those of the photons of the fit.

    The largest distance of the two cumulative distributions (Kolmogorov and Smirnov) is 0.1 by
    chance for 200 photons each once in 20 times, and 0.3 once in 1e8 times. Two observations of
    one sky in one band differ by less than 0.1.
    """
    ours, theirs = fitted.photons.energy_kev, recorded.photons.energy_kev
    if ours is None or theirs is None or min(len(ours), len(theirs)) < KNOWN:
        return
    ours, theirs = np.sort(ours), np.sort(theirs)
    at = np.quantile(np.concatenate([ours, theirs]), np.linspace(0, 1, 201))
    distance = np.abs(
        np.searchsorted(ours, at, "right") / len(ours)
        - np.searchsorted(theirs, at, "right") / len(theirs)
    ).max()
    if distance > FARTHEST:
        yield (
            f"{_name(recorded)}: its photons have energies of {np.median(theirs):.3g} keV in the "
            f"median, those of the fit had {np.median(ours):.3g} keV: is the model of another band "
            "or telescope? Give photons of the same band"
        )


def another_telescope(recorded: EventList | CountsImage, fitted: Observation) -> Iterator[str]:
    """Compare TELESCOP and INSTRUME with those of the fit: exposure and PSF are the fit's."""
    for key in ("telescope", "instrument"):
        ours, theirs = (getattr(one.pointing, key).upper() for one in (fitted, recorded))
        if ours and theirs and ours != theirs:
            yield (
                f"{_name(recorded)}: its photons are of {theirs}, and the exposure and the PSF of "
                f"the model are of {ours}: give photons of the same instrument"
            )
            return


CHECKS = (another_band, without_energies, another_spectrum, another_telescope)


def warn_of_doubts(recorded: EventList | CountsImage, fitted: Observation) -> None:
    """Warn of photons that do not belong to a model.

    Parameters
    ----------
    recorded : EventList or CountsImage
        Photons in the band and on the chips of the model.
    fitted : Observation
        An observation of the model.
    """
    for check in CHECKS:
        for text in check(recorded, fitted):
            warnings.warn(text, DataWarning, stacklevel=5)


def _name(recorded):
    return recorded.pointing.file_name or "events"
