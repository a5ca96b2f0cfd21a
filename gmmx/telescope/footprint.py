"""The field without an exposure map: where the chips were, how the dither smears their edges, how the mirrors dim towards the field's edge.

A chip's outline comes from a field-of-view file or from the photons themselves. Chandra's pointing follows a Lissajous figure: on each axis the edge of a chip
swings as ``a sin(t)``, so that a depth d inside its outermost place is exposed for the share ``F(d) = 1/2 + arcsin(d/a - 1) / pi`` of the time. Chips never
overlap: their shares add, and a gap narrower than the swing is not quite dark.
"""

import numpy as np

from ..model.completeness import Completeness
from ..plane.grid import PixelGrid
from ..plane.resample import check_size

# Side of an ACIS chip on the sky: 1024 pixels of 23.987 micrometres at a focal length of 10066 mm (Proposers' Observatory Guide, chapters 4 and 6), without the
# outermost ones, where no event can be centred; and the largest dither that an outline is believed to show, half its swing [arcsec].
ACIS_CHIP, LARGEST_DITHER = 1022 * 0.4915, 30.0
# Effective area over that on the axis, at 0, 1, 2, ... arcmin off it: medians over ACIS-I, away from chip edges, of a ray-traced (MARX 5.5.3) exposure map for
# photons of 0.5 to 2 keV, N(E) ~ exp(-E/0.6 keV)/E (benchmarks/measure_vignetting.py). Chips and azimuths differ by 2 %; at higher energies it falls faster.
ACIS_VIGNETTING = (
    1.0,
    0.9948,
    0.9907,
    0.9774,
    0.9571,
    0.9316,
    0.8987,
    0.8580,
    0.8116,
    0.7721,
    0.7254,
    0.6759,
    0.6253,
)


def vignetting(off_axis):
    """Relative effective area of Chandra with ACIS at off-axis angles [arcmin], 0.5 to 2 keV; beyond the table it stays what it is at its end."""
    return np.interp(off_axis, np.arange(len(ACIS_VIGNETTING)), ACIS_VIGNETTING)


def footprint(events, *, step=1.0, outlines=None):
    """The field that the photons imply: the share of the time that each cell was exposed times the vignetting, 0 outside.

    The field is the union of the chips' outlines (one outline where no chip is told). An outline is the smallest rectangle, at any roll, around a chip's
    photons where their convex hull fills most of it, so that few photons do not shrink a chip; else the hull. For ACIS the dither is what an outline exceeds a
    chip by, and there is vignetting where the pointing is known; other instruments have an even field with sharp edges.

    Parameters
    ----------
    events : EventList
    step : float
        Side of a cell [arcsec].
    outlines : sequence of (n, 2) array, optional
        The chips' outlines, dither included, corners in order [arcsec]; without them the photons tell.

    Returns
    -------
    Completeness
        Relative: its unit is "".
    """
    if not outlines:
        chips = [] if events.photons.ccd is None else np.unique(events.photons.ccd)
        parts = [events.photons.ccd == chip for chip in chips] if len(chips) > 1 else [slice(None)]
        outlines = [
            chip_outline(events.photons.x[part], events.photons.y[part], step) for part in parts
        ]
    outlines = [_counter_clockwise(np.asarray(outline, float)) for outline in outlines]
    dither = dither_of(outlines) if _is_acis(events) else 0.0
    outlines = [_completed(outline, dither) for outline in outlines] if dither > 0 else outlines
    corners = np.concatenate(outlines)
    (x_min, y_min), (x_max, y_max) = corners.min(0) - step, corners.max(0) + step
    check_size((x_max - x_min) / step * (y_max - y_min) / step, step)
    grid = PixelGrid.covering((x_min, x_max), (y_min, y_max), step)
    share = np.zeros(grid.shape)
    for outline in outlines:
        ix, iy = grid.to_pixels(*outline.T)
        columns, rows = (slice(max(int(i.min()) - 1, 0), int(i.max()) + 3) for i in (ix, iy))
        x, y = grid.to_plane(
            *np.meshgrid(np.arange(grid.shape[1])[columns], np.arange(grid.shape[0])[rows])
        )
        share[rows, columns] += _chip(outline, x, y, step, dither if _full_sides(outline) else 0.0)
    exposure = np.minimum(share, 1)
    axis = optical_axis(events)
    if axis is not None:
        x, y = grid.centres()
        exposure = exposure * vignetting(np.hypot(x - axis[0], y - axis[1]) / 60)
    return Completeness(grid=grid, exposure=exposure)


def describe(events, field, *, given=False):
    """How a footprint was made, for people."""
    where = "the field of view that was given" if given else "the photons' footprint"
    what = "vignetting as at 0.5-2 keV" if optical_axis(events) is not None else "uniform"
    return f"{what} over {where}, cells of {field.grid.step:g} arcsec"


def optical_axis(events):
    """Where the mirrors' axis points in the plane [arcsec], for Chandra's ACIS with a known pointing; else None."""
    pointing = events.metadata.get("RA_PNT"), events.metadata.get("DEC_PNT")
    if not _is_acis(events) or not all(isinstance(value, (int, float)) for value in pointing):
        return None
    x, y = events.frame.to_plane(*pointing)
    return (float(x), float(y)) if np.isfinite([x, y]).all() else None


def _is_acis(events):
    telescope, instrument = (
        str(events.metadata.get(key, "")).upper() for key in ("TELESCOP", "INSTRUME")
    )
    return telescope in ("CHANDRA", "AXAF") and instrument.startswith("ACIS")


def dither_of(outlines):
    """Half the dither's swing [arcsec]: half of what the outlines' sides exceed a chip by, at most; 0 where no side is a chip's.

    Few photons fall at the very edge, so every outline is too small by an arcsec or some, and the largest the nearest to the truth.
    """
    return max((value for outline in outlines for value in _full_sides(outline)), default=0.0) / 2


def _completed(outline, dither):
    """The outline with the sides that are a chip's as long as chip and dither make them, about the same centre."""
    full = _full_sides(outline)
    if not full:
        return outline
    sides = np.roll(outline, -1, axis=0) - outline
    lengths = np.hypot(*sides.T)
    centre = outline.mean(0)
    half = []
    for i in (0, 1):
        is_full = 0 <= lengths[i] - ACIS_CHIP <= 2 * LARGEST_DITHER
        half.append(
            sides[i] / lengths[i] * ((ACIS_CHIP + 2 * dither) if is_full else lengths[i]) / 2
        )
    return centre + np.array(
        [-half[0] - half[1], half[0] - half[1], half[0] + half[1], half[1] - half[0]]
    )


def _full_sides(outline):
    """What each side of a rectangle as long as a chip exceeds it by [arcsec]; a part of a chip may have been cut by anything, also sharply."""
    if len(outline) != 4:
        return []
    sides = np.hypot(*(np.roll(outline, -1, axis=0) - outline).T)
    return [
        length - ACIS_CHIP
        for length in sides[:2].tolist()
        if 0 <= length - ACIS_CHIP <= 2 * LARGEST_DITHER
    ]


def _chip(outline, x, y, step, dither):
    """Share of the time and of the cell that a chip covers at cell centres (x, y) [arcsec]."""
    shares, touched = [], np.ones(x.shape, bool)
    for start, end in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        normal = np.array([end[1] - start[1], start[0] - end[0]])
        normal /= np.hypot(*normal)
        depth = normal @ start - normal[0] * x - normal[1] * y
        width = np.abs(normal).sum() * step
        touched &= depth >= -width / 2 - 1e-9 * step
        shares.append(_exposed_share(depth, width, dither))
    # The two axes swing at different rates, so the shares of a rectangle's sides multiply; between the many sides of a hull the nearest one counts.
    inner = np.prod(shares, axis=0) if len(outline) == 4 and dither > 0 else np.min(shares, axis=0)
    # A cell that the outline just touches keeps a small share, so that the photons on the outline have one.
    return np.where(touched, np.clip(inner, 0.01, 1), 0)


def _exposed_share(depth, width, dither):
    """Mean of F over a cell as wide as `width` at a depth inside the outermost place of an edge [arcsec]; with no dither the covered part of the cell."""
    if dither <= 0:
        return np.clip(0.5 + depth / width, 0, 1)

    def integral(d):
        w = np.clip(d / dither - 1, -1, 1)
        return dither * (w / 2 + (w * np.arcsin(w) + np.sqrt(1 - w**2)) / np.pi) + np.maximum(
            d - 2 * dither, 0
        )

    return np.clip((integral(depth + width / 2) - integral(depth - width / 2)) / width, 0, 1)


def _counter_clockwise(corners):
    x, y = corners.T
    return corners if np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) > 0 else corners[::-1]


def chip_outline(x, y, step, *, full=0.8, thin=8.0, far=6.0):
    """Convex outline of a chip's photons, (n, 2) corners counter-clockwise [arcsec]; strays do not count.

    Photons are thinned to one per cell of `thin` arcsec, so that a bright source is no more than its place; a cell whose second neighbour is `far` times
    farther than that of nine cells in ten is a stray.
    """
    # Loaded where it is needed: that takes a tenth of a second.
    from scipy.spatial import ConvexHull, QhullError, cKDTree

    low, extent = np.array([x.min(), y.min()]), np.array([np.ptp(x), np.ptp(y)])
    size = max(thin, extent.max() / 2000)
    nx, ny = (extent / size).astype(int) + 1
    cell = ((y - low[1]) / size).astype(np.int32) * nx + ((x - low[0]) / size).astype(np.int32)
    some = np.full(nx * ny, -1)
    some[cell] = np.arange(len(x))
    used = np.flatnonzero(some >= 0)
    centres = low + size * np.column_stack([used % nx + 0.5, used // nx + 0.5])
    if len(used) > 10:
        distance = cKDTree(centres).query(centres, 3)[0][:, 2]
        near = distance <= far * np.quantile(distance, 0.9)
        used, centres = used[near], centres[near]
    wanted = np.zeros(nx * ny, bool)
    try:
        # A photon can only be a corner where its cell sticks out of the hull of one photon per cell.
        facets = ConvexHull(np.column_stack([x[some[used]], y[some[used]]])).equations
        reach = (
            centres @ facets[:, :2].T + facets[:, 2] + size / 2 * np.abs(facets[:, :2]).sum(1)
        ).max(1)
        wanted[used[reach >= -1e-9 * size]] = True
        hull = ConvexHull(np.column_stack([x[wanted[cell]], y[wanted[cell]]]))
    except (QhullError, ValueError):
        # Too few photons, or all in a line: a box of one cell around them.
        wanted[used] = True
        x, y = x[wanted[cell]], y[wanted[cell]]
        (x0, x1), (y0, y1) = ((v.min() - step / 2, v.max() + step / 2) for v in (x, y))
        return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    corners = hull.points[hull.vertices]
    rectangle, area = _smallest_rectangle(corners)
    return rectangle if hull.volume >= full * area else corners


def _smallest_rectangle(corners):
    """Corners (4, 2), counter-clockwise, and area of the smallest rectangle around a convex polygon: one of its sides lies on a side of the polygon."""
    best, smallest = None, np.inf
    for side in np.roll(corners, -1, axis=0) - corners:
        along = side / np.hypot(*side)
        turn = np.array([along, [-along[1], along[0]]])
        low, high = (corners @ turn.T).min(0), (corners @ turn.T).max(0)
        if np.prod(high - low) < smallest:
            smallest = np.prod(high - low)
            best = np.array([low, [high[0], low[1]], high, [low[0], high[1]]]) @ turn
    return best, smallest
