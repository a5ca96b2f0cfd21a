"""Read lists of point sources that are fitted instead of masked."""

from ..errors import InputError
from ..fitting.point_sources import PointSources
from ..io.regions import read_regions, region_items, region_name
from ..model.completeness import reference_exposure


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
            "are they of this field, and is there no mask on them?"
        )
    return usable, _summary(usable, positions, reasons, observations)


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
