"""Tell the image of a point source from a map of radii."""

import numpy as np

# The pixels that hold half of the light take less than this fraction of the image, and their
# root mean square distance from their centroid is less than this fraction of its side.
COMPACT_AREA = 0.10
COMPACT_SIDE = 0.15


def is_compact(values):
    """Return whether an image shows one compact, peaked source.

    In such an image the brightest pixels that hold half of the sum take less than a tenth of the
    area, and lie within a seventh of the side from their centroid (root mean square). In a map of
    radii, which change slowly and grow outwards, such pixels are a third of the field or more,
    all around it.

    Parameters
    ----------
    values : (ny, nx) array
        On any scale; NaN counts as 0.

    Examples
    --------
    >>> x, y = np.meshgrid(np.arange(40.0) - 20, np.arange(40.0) - 20)
    >>> is_compact(np.exp(-(x**2 + y**2) / 8)), is_compact(1 + np.hypot(x, y))
    (True, False)
    """
    values = np.where(np.isfinite(values), values, 0.0)
    if values.min() < 0 or values.max() <= 0 or min(values.shape) < 8:
        return False
    order = np.argsort(-values, axis=None)
    running = np.cumsum(values.ravel()[order])
    bright = order[: int(np.searchsorted(running, running[-1] / 2)) + 1]
    if len(bright) > COMPACT_AREA * values.size:
        return False
    iy, ix = np.unravel_index(bright, values.shape)
    weights = values.ravel()[bright] / values.ravel()[bright].sum()
    spread = sum(weights @ (i - weights @ i) ** 2 for i in (ix, iy))
    return bool(np.sqrt(spread) < COMPACT_SIDE * min(values.shape))
