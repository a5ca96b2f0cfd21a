"""The pixel grids that a fit is drawn on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..model.coverage import joined_grid
from ..plane.grid import PixelGrid

if TYPE_CHECKING:
    from ..model.result import FitResult

# An image of more pixels comes from a mistyped pixel size; most machines could not hold it.
MAX_PIXELS = 50_000_000
# A pixel that is this many times larger than the field is mistyped, unless it is this small
# [arcsec], as for a single photon.
_LARGE = 100
_SMALL = 10.0
# Cells along a side of the grid that figures are drawn on, at most.
_CELLS = 700
# The same where there is no exposure map, and the number that the cells of a map are divided for.
_CELLS_WITHOUT_MAP = 350


def output_grid(result: FitResult, *, bin: float | None = None) -> PixelGrid:
    """Grid that a fit is drawn on if no other is given.

    It is the completeness grid of the first observation, extended by whole pixels until it covers
    the maps of all observations. Without exposure maps it has square pixels of 1 arcsec and covers
    the photons.

    Parameters
    ----------
    result : FitResult
    bin : float, optional
        Side of square pixels [arcsec] that cover the same extent.

    Returns
    -------
    PixelGrid

    Raises
    ------
    InputError
        If there are neither photons nor exposure maps, for more than 50 million pixels, or for
        pixels that are 100 times larger than the field.

    Examples
    --------
    >>> import gmmx
    >>> x, y = np.random.default_rng(0).uniform(-50, 50, (2, 400))
    >>> result = gmmx.fit(gmmx.Observation(photons=gmmx.Photons(x, y)), n_components=1)
    >>> output_grid(result, bin=10.0).shape
    (10, 10)
    """
    if bin is not None and not (np.isfinite(bin) and bin > 0):
        raise InputError(f"a pixel size must be positive, got {bin:g} arcsec", parameter="bin")
    grid = _grid_of_maps(result)
    if grid is None:
        x_range, y_range = _photon_ranges(result)
        return _covering(x_range, y_range, 1.0 if bin is None else bin)
    x_range, y_range = grid.extent()
    if bin is not None:
        return _covering(x_range, y_range, bin)
    _check_pixels(x_range, y_range, grid.step)
    return grid


def _grid_of_maps(result):
    """The first completeness grid, extended by whole pixels over all maps; None without maps."""
    grids = [o.completeness.grid for o in result.observations if o.completeness is not None]
    if not grids or result.observations[0].completeness is None:
        return None
    return joined_grid(grids)


def _photon_ranges(result):
    """Intervals of x and y [arcsec] that the photons span."""
    x, y = (
        np.concatenate([getattr(o.photons, axis) for o in result.observations]) for axis in "xy"
    )
    if len(x) == 0:
        raise InputError(
            "the fit has neither photons nor an exposure map, so that no pixel grid can be "
            "derived: give one with `grid`",
            parameter="grid",
        )
    return (x.min(), x.max()), (y.min(), y.max())


def _covering(x_range, y_range, step):
    _check_pixels(x_range, y_range, step)
    return PixelGrid.covering(x_range, y_range, step)


def _check_pixels(x_range, y_range, step):
    width, height = np.ptp(x_range), np.ptp(y_range)
    n = width / step * height / step
    if step > _LARGE * max(width, height, _SMALL):
        raise InputError(
            f"a pixel of {step:g} arcsec is more than {_LARGE} times as large as the field of"
            f" {width:.4g} x {height:.4g} arcsec: choose smaller pixels with `bin`",
            parameter="bin",
        )
    if n > MAX_PIXELS:
        size = f"{width:.0f} x {height:.0f} arcsec in pixels of {step:g} arcsec"
        raise InputError(
            f"an image of {size} would have {n:.3g} pixels, more than {MAX_PIXELS:.0g}: "
            "choose larger pixels with `bin`",
            parameter="bin",
        )


def seen_ranges(result: FitResult) -> list[tuple[float, float]]:
    """Intervals of x and y [arcsec] that any observation recorded, with a margin of 3 per cent.

    They span the cells of the completeness maps that are not 0; the photons count where an
    observation has no exposure map.

    Raises
    ------
    InputError
        If there are neither photons nor exposure maps.
    """
    corners = []
    for observation in result.observations:
        if observation.completeness is not None:
            grid, seen = observation.completeness.grid, observation.completeness.effective > 0
            if seen.any():
                (x0, x1), (y0, y1) = (
                    (index[0] - 0.5, index[-1] + 0.5)
                    for index in (np.flatnonzero(seen.any(axis)) for axis in (0, 1))
                )
                corners.append(
                    grid.to_plane(np.array([x0, x1, x0, x1]), np.array([y0, y0, y1, y1]))
                )
        elif len(observation.photons.x):
            corners.append((observation.photons.x, observation.photons.y))
    if not corners:
        raise InputError("the fit has neither photons nor an exposure: there is nothing to draw")
    ranges = [(axis.min(), axis.max()) for axis in np.concatenate(corners, axis=1)]
    margin = 0.03 * max(high - low for low, high in ranges) or 1.0
    return [(low - margin, high + margin) for low, high in ranges]


def display_grid(result: FitResult, x: tuple[float, float], y: tuple[float, float]) -> PixelGrid:
    """Grid of at most some 700 cells a side that figures of a part of the plane are drawn on.

    Its cells are those of the completeness map, square groups of them where there are too many, or
    equal parts of them where a part of the plane holds few, so that no edge of the map divides a
    cell.

    Parameters
    ----------
    result : FitResult
    x, y : (float, float)
        The part of the plane that is shown [arcsec].
    """
    span = max(x[1] - x[0], y[1] - y[0])
    if not any(o.completeness is not None for o in result.observations):
        return PixelGrid.covering(x, y, span / _CELLS_WITHOUT_MAP)
    own = output_grid(result)
    if not own.is_aligned:
        step = np.clip(own.step, span / _CELLS, span / _CELLS_WITHOUT_MAP)
        return PixelGrid.covering(x, y, float(step))
    own = _divided(own, int(np.ceil(_CELLS_WITHOUT_MAP * own.step / span)))
    times = int(np.ceil(span / own.step / _CELLS))
    (ix0, ix1), (iy0, iy1) = (np.sort(index) for index in own.to_pixels(np.array(x), np.array(y)))
    left, low = int(np.floor(ix0 + 0.5)), int(np.floor(iy0 + 0.5))
    nx, ny = int(np.ceil((ix1 + 0.5 - left) / times)), int(np.ceil((iy1 + 0.5 - low) / times))
    middle = (times - 1) / 2
    return PixelGrid(
        shape=(ny, nx),
        origin=np.array(own.to_plane(np.array(left + middle), np.array(low + middle))),
        matrix=times * own.matrix,
    )


def _divided(grid, parts):
    """A grid with so many cells along each side of a cell."""
    first = (1 / parts - 1) / 2
    return PixelGrid(
        shape=(grid.shape[0] * parts, grid.shape[1] * parts),
        origin=np.array(grid.to_plane(np.array(first), np.array(first))),
        matrix=grid.matrix / parts,
    )
