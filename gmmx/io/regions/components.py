"""The components of a mixture as objects of the package `regions`.

An angle of `regions` counts from west, counter-clockwise on an image with north up: it is the
position angle plus 90 degrees.
"""

from typing import TYPE_CHECKING

import numpy as np
from astropy import units
from astropy.coordinates import SkyCoord
from astropy.table import Table

from ...config import ExportConfig
from ...errors import InputError
from ..sources import source_radii

if TYPE_CHECKING:
    from regions import Regions


def component_regions(
    table: Table, *, frame: str = "icrs", scale: float = ExportConfig.scale
) -> "Regions":
    """Return components as objects of the package `regions`.

    Parameters
    ----------
    table : astropy.table.Table
        Component table with `ra`, `dec`, `sigma_major`, `sigma_minor`, `position_angle`, `psf_r90`,
        `component` and `flags`; its `meta` has the tangent plane.
    frame : str
        Celestial system of the regions, as astropy names it: "icrs", "fk5", "galactic", ...
    scale : float
        Semi-axes of the ellipses in intrinsic standard deviations, the PSF not included.

    Returns
    -------
    regions.Regions
        One EllipseSkyRegion for each component, in the order of the table. A point source has no
        size: it is a CircleSkyRegion that holds its PSF, at any scale. The text of a region
        is the number of the component, and its tags are the flags.

    Raises
    ------
    InputError
        If the scale is not positive, or the components have no place on the sky.
    """
    from regions import CircleSkyRegion, EllipseSkyRegion, Regions

    check_table(table, scale)
    positions, angles = _positions_in(frame, table)
    angles = np.mod(angles + 90, 180.0) * units.deg
    axes = 2 * semi_axes(table, scale) * units.arcsec
    made = []
    for row, position, (width, height), angle in zip(table, positions, axes, angles, strict=True):
        if row["sigma_major"] == 0:
            region = CircleSkyRegion(position, width / 2)
        else:
            region = EllipseSkyRegion(position, width, height, angle)
        made.append(_named(region, row))
    return Regions(made)


def check_table(table, scale):
    """Refuse a scale that is not positive, and components without a place on the sky."""
    if not (np.isfinite(scale) and scale > 0):
        raise InputError(f"ellipses need a positive scale, got {scale}")
    if table.meta.get("frame") is None:
        raise InputError(
            "the components have no place on the sky: "
            "a region file needs a model with a celestial frame"
        )


def _positions_in(frame, table):
    """Return the positions of components in a celestial system, and their position angles there.

    Returns
    -------
    positions : (K,) SkyCoord
    angles : (K,) array
        From the north of that system [deg].
    """
    native = SkyCoord(
        np.array(table["ra"]),
        np.array(table["dec"]),
        unit="deg",
        frame=table.meta["frame"].get("radesys", "ICRS").lower(),
    )
    angles = np.array(table["position_angle"], float)
    try:
        positions = native.transform_to(frame, merge_attributes=False)
    except ValueError as error:
        raise InputError(
            f"`frame` = {frame}: it is not a celestial frame of astropy, such as icrs or fk5"
        ) from error
    if positions.frame.name != native.frame.name:
        # A step of 3.6 arcsec along the major axis, seen from the other system.
        tips = native.directional_offset_by(angles * units.deg, 1e-3 * units.deg)
        angles = positions.position_angle(
            tips.transform_to(frame, merge_attributes=False)
        ).to_value("deg")
    return positions, angles


def semi_axes(table, scale):
    """Return the semi-axes of the ellipses [arcsec], (K, 2): of a point source, its radius."""
    major = np.array(table["sigma_major"], float)
    minor = np.array(table["sigma_minor"], float)
    points, radii = major == 0, source_radii(table)
    return np.column_stack([np.where(points, radii, scale * sigma) for sigma in (major, minor)])


def flags_of(row):
    """Return the flags of a row of the table as a list."""
    return [flag for flag in str(row["flags"]).split("; ") if flag]


def _named(region, row):
    """Give a region the number of its component as text, the flags as tags, and a colour."""
    from regions import RegionMeta, RegionVisual

    number, flags = str(row["component"]), flags_of(row)
    region.meta = RegionMeta({"text": number, "label": number} | ({"tag": flags} if flags else {}))
    region.visual = RegionVisual({"color": "red", "dash": 1} if flags else {"color": "cyan"})
    return region
