"""Keywords about energies and fractions of the PSF that contradict the photons or each other."""

import re
from collections.abc import Iterator

import numpy as np

from .evidence import Evidence

# Energies that differ by less are the same [keV], and the fraction of the photons that may lie
# outside the energies of a map.
SAME_ENERGY, OUTSIDE_MAP = 0.05, 0.2


def another_band(e: Evidence) -> Iterator[str]:
    """Compare the energies of a map, ENERG_LO to ENERG_HI, with those of the photons.

    A map for one energy stands for a band, so that it must only lie in the band (this is checked
    when it is read). A map for a range was weighted by a spectrum: a warning is due if more than
    20 % of the photons lie outside the range, because a weighted map of bins ends at the middle of
    its outermost bins.
    """
    energies = e.recorded.photons.energy_kev
    found = [] if e.exposure_map is None else [("exposure map", e.exposure_map)]
    found += [("background", one) for one in e.background_files]
    if energies is None:
        return
    for what, other in found:
        low, high = other.number("ENERG_LO"), other.number("ENERG_HI")
        if low is None or high is None or high - low < 2 * SAME_ENERGY:
            continue
        margin = 0.1 * (high - low) + SAME_ENERGY
        weights = e.recorded.photons.weights
        outside = (energies < low - margin) | (energies > high + margin)
        fraction = weights[outside].sum() / weights.sum()
        if fraction > OUTSIDE_MAP:
            yield (
                f"{other.path}: the {what} is for {low:g}-{high:g} keV, and {fraction:.0%} of the "
                f"photons of {e.name} have other energies: choose {low:g}:{high:g} with "
                "`energy_kev`, or make it for the band of the photons"
            )


def psf_of_another_band(e: Evidence) -> Iterator[str]:
    """Compare the energy of a PSF map with the energies of the photons."""
    for other in e.psf_maps:
        energy = other.number("ENERGY")
        if energy is None or e.band is None or energy <= 0:
            continue
        low, high = e.band
        if not low - SAME_ENERGY <= energy <= high + SAME_ENERGY:
            yield (
                f"{other.path}: the PSF map is for {energy:g} keV, the photons of {e.name} have "
                f"{low:.3g} to {high:.3g} keV: make it for an energy of the band"
            )


def fraction_overridden(e: Evidence) -> Iterator[str]:
    """Compare `psf_ecf` with ECF of the header, which mkpsfmap writes."""
    given = e.options.psf_ecf
    if given is None:
        return
    for other in e.psf_maps:
        own = other.number("ECF")
        if own is not None and 0 < own < 1 and abs(own - given) > 0.005:
            yield (
                f"{other.path}: its radii hold ECF {own:g} of the PSF by its header, `psf_ecf` "
                f"says {given:g}: leave `psf_ecf` out, unless the header is wrong"
            )


def band_of_image(e: Evidence) -> Iterator[str]:
    """Compare ENERGYLO and ENERGYHI of a counts image with the cuts that its header records."""
    if not e.is_image:
        return
    from_keywords, recorded = e.recorded.pointing.recorded_band_kev, _recorded_band(e.events)
    if from_keywords is None or recorded is None:
        return
    if not np.allclose(from_keywords, recorded, rtol=0, atol=SAME_ENERGY):
        yield (
            f"{e.name}: its keywords name the band {_range(from_keywords)} keV, and its data "
            f"subspace (DSVAL) {_range(recorded)} keV: correct the header, or bin the events anew"
        )


def _recorded_band(header):
    """Return the energies in the data subspace of a header [keV]; None without them."""
    for key, value in header.keywords.items():
        match = re.fullmatch(r"DSTYP(\d+)", key)
        if match and str(value).strip().lower() == "energy":
            found = re.fullmatch(r"\s*(\d+\.?\d*):(\d+\.?\d*)\s*", header.text(f"DSVAL{match[1]}"))
            if found:
                scale = 1.0 if header.text(f"DSUNI{match[1]}").lower() == "kev" else 1e-3
                return float(found[1]) * scale, float(found[2]) * scale
    return None


def _range(band):
    return f"{band[0]:g}:{band[1]:g}"
