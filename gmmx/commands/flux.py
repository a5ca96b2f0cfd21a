"""Measure the flux in regions of a model."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from astropy import units

from ..answers.centres import sky_position
from ..answers.flux import Region
from ..answers.flux_table import flux_in, plane_of
from ..config import FluxConfig
from ..errors import InputError
from ..io.regions import read_regions
from ..io.regions.named import named_regions
from ..io.tables import TABLE_SUFFIXES, write_plain_table
from .kinds import read_for

if TYPE_CHECKING:
    from astropy.table import QTable
    from regions import CircleSkyRegion


def flux(
    model: str | Path,
    config: FluxConfig,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    inputs: Sequence[str | Path] = (),
) -> "QTable":
    """Measure the flux in regions of a model file.

    Parameters
    ----------
    model, config, overwrite, inputs
        See `gmmx.commands`.
    out : path, optional
        Table to write: .ecsv, .fits or .csv.

    Returns
    -------
    astropy.table.QTable
        See `gmmx.answers.flux_table.flux_table`.
    """
    read = [*config.region, *inputs]
    result = read_for("flux", model, [(out, TABLE_SUFFIXES)], overwrite=overwrite, inputs=read)
    # Wrong circles are found before any region is read.
    circles = [circle_of(text) for text in config.circle]
    frame, physical = plane_of(result), result.observations[0].physical
    named = named_regions(config.region, frame=frame, physical=physical, each=config.each)
    for text, circle in zip(config.circle, circles, strict=True):
        named.append((f"circle {text}", read_regions(circle, frame=frame)))
    regions = [Region(name, shapes) for name, shapes in named]
    found = flux_in(
        result,
        regions,
        erg_per_photon=config.erg_per_photon,
        correlations=config.covariance,
    )
    if out is not None:
        write_plain_table(out, found, overwrite=overwrite)
    return found


def circle_of(text: str) -> "CircleSkyRegion":
    """The circle that "RA,DEC,RADIUS" describes.

    Examples
    --------
    >>> circle_of("12:30:49.4,+12:23:28,30").center.to_string("decimal", precision=3)
    '187.706 12.391'
    """
    from regions import CircleSkyRegion

    parts = [part.strip() for part in text.split(",")]
    way_out = f"`circle` = {text}: give RA,DEC,RADIUS, such as 187.706,12.391,30 (degrees, arcsec)"
    if len(parts) != 3:
        raise InputError(way_out, parameter="circle")
    try:
        centre = sky_position(*parts[:2])
        radius = float(parts[2].removesuffix('"'))
    except ValueError:
        raise InputError(way_out, parameter="circle") from None
    if not 0 < radius < 36_000:
        raise InputError(way_out, parameter="circle")
    return CircleSkyRegion(centre, radius * units.arcsec)
