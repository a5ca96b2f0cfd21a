"""Read lists of point sources that are fitted instead of masked."""

import warnings
from pathlib import Path

from ..errors import DataError, InputError
from ..fitting.point_sources import PointSources
from ..io.regions import read_regions, region_items, region_name
from ..io.regions.elsewhere import RegionFile
from ..model.completeness import reference_exposure
from .outside import likely_cause, n_outside, seen_field


def read_point_sources(sources, positions, observations):
    """Read the point sources that a fit has beside its components.

    Parameters
    ----------
    sources : sequence
        Region files, source lists or region objects; at least one.
    positions : {"free", "fixed"}
        Whether the positions of the sources are fitted.
    observations : sequence of Observation
        The first one gives the plane.

    Returns
    -------
    sources : PointSources
    summary : str
        How many sources are fitted and how many are left out, and why.

    Raises
    ------
    InputError
        If no source can be fitted, or a region cannot be that of a point source.
    """
    first = observations[0]
    files = ", ".join(region_name(item) for item in region_items(sources, parameter="sources"))
    if first.frame is None:
        raise InputError(
            f"{files}: the observation has no `frame`, so that places on the sky are unknown: "
            "give it one, or give PointSources",
            parameter="sources",
        )
    shapes = read_regions(sources, frame=first.frame, physical=first.physical)
    try:
        listed = PointSources.of_shapes(shapes, movable=positions == "free")
    except InputError as error:
        raise InputError(f"{files}: {error}") from None
    reference = reference_exposure([o.completeness for o in observations])
    usable, left_out = listed.usable(observations, reference)
    if not shapes.only_excludes and any(term.exclude for term in shapes.terms):
        left_out["excluded in the list"] = sum(term.exclude for term in shapes.terms)
    reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
    if len(usable) == 0:
        raise InputError(
            f"{files}: none of {len(listed)} sources can be fitted ({reasons}): "
            f"{_cause(sources, shapes, observations)}"
        )
    return usable, _summary(usable, positions, reasons, observations)


def check_places(sources, observations):
    """Refuse sources in physical pixels that are not the same pixels in all observations.

    The observations of a joint fit lie in the plane of the first, which does not have the physical
    pixels of the others.

    Parameters
    ----------
    sources : sequence
        Region files, source lists or region objects.
    observations : sequence of Observation

    Raises
    ------
    InputError
        If the place of a source depends on the observation.
    """
    first = observations[0]
    if first.physical is None or all(o.physical == first.physical for o in observations):
        return
    for item in region_items(sources, parameter="sources"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                read_regions(item, frame=first.frame)
        except DataError as error:
            if "physical" not in str(error):
                raise
            raise InputError(
                f"{region_name(item)}: physical pixels mean another place for each of the "
                f"{len(observations)} observations: give `sources` in fk5",
                parameter="sources",
            ) from None


def _cause(sources, shapes, observations):
    """Return why no source can be fitted, and what to do about it."""
    field = seen_field(observations[0])
    if field is None or n_outside(shapes, field) < shapes.n_shapes:
        return "are they of this field, and is there no mask on them?"
    files = [one for one in region_items(sources) if isinstance(one, (str, Path))]
    frame, physical = observations[0].frame, observations[0].physical
    file = RegionFile(files[0], frame, physical, field.grid) if files else None
    return likely_cause(shapes, field, file)


def _summary(usable, positions, reasons, observations):
    """Describe how many sources are fitted, and why others are not."""
    text = f"{len(usable)} fitted, positions {positions}"
    if reasons:
        text += f"; left out: {reasons}"
    if any(o.psf.n_gaussians == 1 for o in observations if o.psf is not None):
        text += (
            "; the PSF is one Gaussian: fluxes come out low by the light in the wings of the "
            "real PSF, and components beside bright sources may take up that light"
        )
    return text


def without_started(sources, start):
    """Leave out the sources that the start of a fit contains already.

    A source is one of the start's point sources if that one lies in its circle.

    Parameters
    ----------
    sources : PointSources or None
    start : Start

    Returns
    -------
    sources : PointSources or None
    n_started : int
        Number of sources that were left out.
    """
    if sources is None:
        return None, 0
    added = sources.apart_from(start.point_positions)
    return (added if len(added) else None), len(sources) - len(added)
