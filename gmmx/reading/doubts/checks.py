"""The list of checks of one observation."""

import warnings
from collections.abc import Callable, Iterator

from ...errors import DataWarning
from . import backgrounds, energies, fields, headers, images, photons, psf, regions, scale
from .evidence import Evidence

CHECKS: tuple[Callable[[Evidence], Iterator[str]], ...] = (
    headers.another_instrument,
    headers.another_observation,
    headers.another_pointing,
    headers.another_aspect_solution,
    headers.another_roll,
    headers.another_epoch,
    headers.other_chips,
    headers.another_exposure_time,
    energies.another_band,
    energies.psf_of_another_band,
    energies.fraction_overridden,
    energies.band_of_image,
    scale.normalised,
    scale.another_unit,
    scale.shifted_pixels,
    fields.empty_parts,
    fields.shifted_edges,
    headers.holes_of_events,
    photons.repeated_rows,
    photons.part_of_the_time,
    photons.filtered_in_time,
    photons.far_from_the_pointing,
    photons.turned_chips,
    images.smoothed,
    images.multiplied,
    psf.implausible_radii,
    psf.wider_than_any_telescope,
    regions.covers_most,
    regions.keeps_sources_only,
    regions.without_sources,
    regions.displaced,
    backgrounds.is_the_observation,
    backgrounds.holds_sources,
    backgrounds.too_faint,
)


def doubts_about(evidence: Evidence) -> list[str]:
    """Return what is doubtful about an observation, one line for each doubt.

    Parameters
    ----------
    evidence : Evidence
    """
    return [text for check in CHECKS for text in check(evidence)]


def warn_of_doubts(evidence: Evidence) -> None:
    """Warn of what is doubtful about an observation.

    Parameters
    ----------
    evidence : Evidence
    """
    for text in doubts_about(evidence):
        warnings.warn(text, DataWarning, stacklevel=5)
