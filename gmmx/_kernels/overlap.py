"""Areas that the cells of one grid share with the pixels of another, turned one."""

import math

import numpy as np

from ._jit import kernel, parallel_kernel, prange

# A quadrangle that is cut by four lines has at most eight corners.
_CORNERS = 8


@kernel
def _cut(corners, n, other, axis, limit, sign):
    """Cut a convex polygon at ``sign x[axis] <= sign limit``; return the corners that remain."""
    m = 0
    for i in range(n):
        j = i + 1 if i + 1 < n else 0
        here, there = sign * (corners[i, axis] - limit), sign * (corners[j, axis] - limit)
        if here <= 0.0:
            other[m, 0], other[m, 1] = corners[i, 0], corners[i, 1]
            m += 1
        if (here < 0.0 and there > 0.0) or (here > 0.0 and there < 0.0):
            t = here / (here - there)
            other[m, 0] = corners[i, 0] + t * (corners[j, 0] - corners[i, 0])
            other[m, 1] = corners[i, 1] + t * (corners[j, 1] - corners[i, 1])
            m += 1
    return m


@kernel
def _shared_area(quad, x, y, one, two):
    """Area that a quadrangle shares with the unit square about (x, y)."""
    for i in range(4):
        # About the middle of the square, so that the area is not lost in rounding.
        one[i, 0], one[i, 1] = quad[i, 0] - x, quad[i, 1] - y
    n = _cut(one, 4, two, 0, -0.5, -1.0)
    n = _cut(two, n, one, 0, 0.5, 1.0)
    n = _cut(one, n, two, 1, -0.5, -1.0)
    n = _cut(two, n, one, 1, 0.5, 1.0)
    area = 0.0
    for i in range(n):
        j = i + 1 if i + 1 < n else 0
        area += one[i, 0] * one[j, 1] - one[j, 0] * one[i, 1]
    return 0.5 * abs(area)


@parallel_kernel
def add_overlaps(image, cells, first_row, origin, matrix, inverse):
    """Add what cells hold to the pixels that they overlap, by the shared area.

    Parameters
    ----------
    image : (ny, nx) array
        Changed in place.
    cells : (h, w) array
        Amounts in the rows `first_row` to ``first_row + h`` of the cells.
    first_row : int
    origin : (2,) array
        Middle of pixel (0, 0) in coordinates of the cells.
    matrix, inverse : (2, 2) array
        Steps of the pixels in cells, and of the cells in pixels.

    Notes
    -----
    Each row of pixels is the work of one thread, so that the sums do not depend on their number.
    """
    height, width = cells.shape
    # Half the extent of a pixel in cells, and of a cell in pixels.
    half_x = 0.5 * (abs(matrix[0, 0]) + abs(matrix[0, 1]))
    half_y = 0.5 * (abs(matrix[1, 0]) + abs(matrix[1, 1]))
    reach_x = 0.5 * (abs(inverse[0, 0]) + abs(inverse[0, 1]))
    reach_y = 0.5 * (abs(inverse[1, 0]) + abs(inverse[1, 1]))
    for iy in prange(image.shape[0]):
        quad, one, two = np.empty((4, 2)), np.empty((_CORNERS, 2)), np.empty((_CORNERS, 2))
        for ix in range(image.shape[1]):
            x = origin[0] + matrix[0, 0] * ix + matrix[0, 1] * iy
            y = origin[1] + matrix[1, 0] * ix + matrix[1, 1] * iy
            low_y = max(math.floor(y - half_y + 0.5), first_row)
            high_y = min(math.floor(y + half_y + 0.5), first_row + height - 1)
            low_x = max(math.floor(x - half_x + 0.5), 0)
            high_x = min(math.floor(x + half_x + 0.5), width - 1)
            for corner in range(4):
                u = -0.5 if corner == 0 or corner == 3 else 0.5
                v = -0.5 if corner < 2 else 0.5
                quad[corner, 0] = x + matrix[0, 0] * u + matrix[0, 1] * v
                quad[corner, 1] = y + matrix[1, 0] * u + matrix[1, 1] * v
            total = 0.0
            for jy in range(low_y, high_y + 1):
                for jx in range(low_x, high_x + 1):
                    value = cells[jy - first_row, jx]
                    if value == 0.0:
                        continue
                    u = abs(inverse[0, 0] * (jx - x) + inverse[0, 1] * (jy - y))
                    v = abs(inverse[1, 0] * (jx - x) + inverse[1, 1] * (jy - y))
                    if u + reach_x <= 0.5 and v + reach_y <= 0.5:
                        total += value
                    elif u - reach_x < 0.5 and v - reach_y < 0.5:
                        total += value * _shared_area(quad, jx, jy, one, two)
            image[iy, ix] += total
