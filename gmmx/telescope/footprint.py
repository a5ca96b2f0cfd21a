"""The field without an exposure map: outlines of the chips, dithered edges and vignetting.

The outline of a chip comes from a field-of-view file or from the photons themselves. Chandra's
pointing follows a Lissajous figure: on each axis the edge of a chip moves as ``a sin(t)``, so a
place at depth d inside the outermost position of the edge is exposed for the fraction
``F(d) = 1/2 + arcsin(d/a - 1) / pi`` of the time. Chips never overlap, so their fractions add up,
and a gap that is narrower than the dither is not completely dark.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ..model.completeness import Completeness
from ..model.photons import CountsImage, EventList
from ..plane.grid import PixelGrid
from ..plane.resample import check_size
from .instruments import ACIS, instrument_of
from .outlines import chip_outline, counter_clockwise

# The largest amplitude of the dither that an outline is believed to show [arcsec].
LARGEST_DITHER = 30.0


def footprint(
    recorded: EventList | CountsImage,
    *,
    step: float = 1.0,
    outlines: Sequence[ArrayLike] | None = None,
) -> Completeness:
    """Return the field that photons imply.

    The exposure is the fraction of the time that each cell was on a chip, times the vignetting,
    and 0 outside. The field is the union of the outlines of the chips, or one outline if chips are
    not known. For an instrument whose chips are known (ACIS) the dither is the length by which an
    outline exceeds a chip, and the vignetting is included if the pointing is known. Other
    instruments have an even field with sharp edges.

    Parameters
    ----------
    recorded : EventList or CountsImage
    step : float
        Side of a cell [arcsec].
    outlines : sequence of (n, 2) array, optional
        Outlines of the chips, dither included, corners in order [arcsec]. Without them they are
        those of the photons.

    Returns
    -------
    Completeness
        Relative: its unit is "".

    Examples
    --------
    >>> from gmmx.model.photons import EventList, Photons
    >>> from gmmx.plane.frame import SkyFrame
    >>> x, y = np.random.default_rng(0).uniform(0, 60, (2, 5000))
    >>> events = EventList(frame=SkyFrame(150, 2), physical=None, photons=Photons(x, y))
    >>> field = footprint(events)
    >>> round(float(field.exposure.sum() * field.grid.cell_area / 3600), 2)
    1.0
    """
    side = instrument_of(recorded.pointing).chip_side
    edges = [
        counter_clockwise(np.asarray(outline, float))
        for outline in outlines or _outlines_of(recorded.photons, step)
    ]
    dither = 0.0 if side is None else dither_of(edges, side)
    if dither > 0:
        edges = [_completed(outline, side, dither) for outline in edges]
    grid = _grid_around(edges, step)
    dithers = [dither if side is not None and _excesses(one, side) else 0.0 for one in edges]
    exposure = _time_on_chips(edges, dithers, grid, step)
    axis = optical_axis(recorded)
    if axis is not None:
        x, y = grid.centres()
        table = instrument_of(recorded.pointing).vignetting
        exposure = exposure * vignetting(np.hypot(x - axis[0], y - axis[1]) / 60, table)
    return Completeness(grid=grid, exposure=exposure)


def vignetting(
    off_axis: float | np.ndarray, table: Sequence[float] = ACIS.vignetting
) -> float | np.ndarray:
    """Return the relative effective area at off-axis angles, by linear interpolation.

    Parameters
    ----------
    off_axis : array
        Off-axis angles [arcmin]. Beyond the end of the table its last value is taken.
    table : sequence of float
        Relative effective area at 0, 1, 2, ... arcmin.

    Examples
    --------
    >>> float(vignetting(0.0)), float(vignetting(100.0))
    (1.0, 0.6253)
    """
    return np.interp(off_axis, np.arange(len(table)), table)


def describe(recorded: EventList | CountsImage, field: Completeness, *, given: bool = False) -> str:
    """Say for people how a footprint was made.

    Parameters
    ----------
    recorded : EventList or CountsImage
    field : Completeness
        Of `footprint`.
    given : bool
        Whether the outlines were given.
    """
    where = "the field of view that was given" if given else "the outline of the photons"
    flat = optical_axis(recorded) is None
    exposed = "uniform" if flat else "vignetting as at 0.5-2 keV"
    return f"{exposed} over {where}, cells of {field.grid.step:g} arcsec"


def optical_axis(recorded: EventList | CountsImage) -> tuple[float, float] | None:
    """Return where the optical axis points, if the vignetting about it is known.

    Parameters
    ----------
    recorded : EventList or CountsImage

    Returns
    -------
    (float, float) or None
        Position in the plane [arcsec].
    """
    pointing = recorded.pointing
    if not instrument_of(pointing).vignetting or pointing.ra is None or pointing.dec is None:
        return None
    x, y = recorded.frame.to_plane(pointing.ra, pointing.dec)
    return (float(x), float(y)) if np.isfinite([x, y]).all() else None


def dither_of(outlines: Sequence[np.ndarray], side: float) -> float:
    """Return the amplitude of the dither: half of the largest excess of an outline over a chip.

    The largest excess is nearest to the truth, because few photons fall at the very edge and every
    outline is too small by about an arcsec.

    Parameters
    ----------
    outlines : sequence of (n, 2) array
        Corners in order [arcsec].
    side : float
        Side of a chip [arcsec].

    Returns
    -------
    float
        [arcsec]; 0 if no outline has a side as long as a chip.

    Examples
    --------
    >>> dither_of([np.array([[0.0, 0.0], [516.0, 0.0], [516.0, 300.0], [0.0, 300.0]])], 500.0)
    8.0
    """
    excesses = [excess for outline in outlines for excess in _excesses(outline, side)]
    return max(excesses, default=0.0) / 2


def _outlines_of(photons, step):
    """Return the outline of the photons of each chip, or of all photons if chips are not known."""
    chips = [] if photons.ccd is None else np.unique(photons.ccd)
    parts = [photons.ccd == chip for chip in chips] if len(chips) > 1 else [slice(None)]
    return [chip_outline(photons.x[part], photons.y[part], step) for part in parts]


def _grid_around(outlines, step):
    corners = np.concatenate(outlines)
    (x_min, y_min), (x_max, y_max) = corners.min(0) - step, corners.max(0) + step
    check_size((x_max - x_min) / step * (y_max - y_min) / step, step)
    return PixelGrid.covering((x_min, x_max), (y_min, y_max), step)


def _time_on_chips(outlines, dithers, grid, step):
    """Return the fraction of the time that each cell of a grid was on any chip."""
    fraction = np.zeros(grid.shape)
    for outline, dither in zip(outlines, dithers, strict=True):
        ix, iy = grid.to_pixels(*outline.T)
        columns, rows = (slice(max(int(i.min()) - 1, 0), int(i.max()) + 3) for i in (ix, iy))
        x, y = grid.to_plane(
            *np.meshgrid(np.arange(grid.shape[1])[columns], np.arange(grid.shape[0])[rows])
        )
        fraction[rows, columns] += _chip(outline, x, y, step, dither)
    return np.minimum(fraction, 1)


def _is_full(length, side):
    """Whether a side of an outline is as long as that of a whole, dithered chip."""
    return 0 <= length - side <= 2 * LARGEST_DITHER


def _excesses(outline, side):
    """Return the lengths by which the sides of a rectangle exceed a chip [arcsec].

    Shorter sides are left out: part of a chip may have been cut by anything, also sharply.
    """
    if len(outline) != 4:
        return []
    lengths = np.hypot(*(np.roll(outline, -1, axis=0) - outline).T)
    return [length - side for length in lengths[:2].tolist() if _is_full(length, side)]


def _completed(outline, side, dither):
    """Return a rectangle whose full sides have the length of chip and dither, about its centre."""
    if not _excesses(outline, side):
        return outline
    sides = np.roll(outline, -1, axis=0) - outline
    lengths = np.hypot(*sides.T)
    half = []
    for i in (0, 1):
        length = side + 2 * dither if _is_full(lengths[i], side) else lengths[i]
        half.append(sides[i] / lengths[i] * length / 2)
    return outline.mean(0) + np.array(
        [-half[0] - half[1], half[0] - half[1], half[0] + half[1], half[1] - half[0]]
    )


def _chip(outline, x, y, step, dither):
    """Return the fraction of the time and of the cell that a chip covers at cell centres."""
    fractions, touched = [], np.ones(x.shape, bool)
    for start, end in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        normal = np.array([end[1] - start[1], start[0] - end[0]])
        normal /= np.hypot(*normal)
        depth = normal @ start - normal[0] * x - normal[1] * y
        width = np.abs(normal).sum() * step
        touched &= depth >= -width / 2 - 1e-9 * step
        fractions.append(_exposed_fraction(depth, width, dither))
    # The two axes move at different rates, so the fractions of the sides of a rectangle multiply.
    # Of the many sides of a hull the nearest counts.
    is_dithered = len(outline) == 4 and dither > 0
    inner = np.prod(fractions, axis=0) if is_dithered else np.min(fractions, axis=0)
    # A cell that the outline just touches keeps a small fraction, because photons lie there.
    return np.where(touched, np.clip(inner, 0.01, 1), 0)


def _exposed_fraction(depth, width, dither):
    """Return the mean of F(d) over a cell; without dither the covered part of the cell.

    Parameters
    ----------
    depth : array
        Depth of the cell's centre inside the outermost position of an edge [arcsec].
    width : float
        Width of the cell across the edge [arcsec].
    dither : float
        Amplitude of the dither [arcsec].
    """
    if dither <= 0:
        return np.clip(0.5 + depth / width, 0, 1)

    def integral(d):
        w = np.clip(d / dither - 1, -1, 1)
        return dither * (w / 2 + (w * np.arcsin(w) + np.sqrt(1 - w**2)) / np.pi) + np.maximum(
            d - 2 * dither, 0
        )

    return np.clip((integral(depth + width / 2) - integral(depth - width / 2)) / width, 0, 1)
