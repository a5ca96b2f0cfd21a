"""Sums of the moments of samples under each component."""

from ._cholesky import factorise, invert
from ._jit import kernel
from ._lanes import gather


@kernel
def add_shared(x, means, start, n, n_reach, space, sums):
    """Add the moments of n samples whose covariances are the same: of r, r d and r d d^T."""
    d = len(x)
    for row_of_terms in range(n_reach):
        n_near = gather(space, row_of_terms, n)
        if n_near == 0:
            continue
        k = space.reach[row_of_terms]
        near, r, target = space.near, space.chosen, sums[k]
        for i in range(d):
            values, mean, row = x[i, start : start + n], means[k, i], space.y[i]
            for lane in range(n_near):
                row[lane] = values[near[lane]] - mean
        total = 0.0
        for lane in range(n_near):
            total += r[lane]
        target[0] += total
        place = 1 + d
        for i in range(d):
            one, product = space.y[i], space.products
            total = 0.0
            for lane in range(n_near):
                product[lane] = r[lane] * one[lane]
                total += product[lane]
            target[1 + i] += total
            for j in range(i + 1):
                other, total = space.y[j], 0.0
                for lane in range(n_near):
                    total += product[lane] * other[lane]
                target[place] += total
                place += 1


@kernel
def add_own(rows, gaussians, start, n, space, sums):
    """Add the moments of n samples with their own covariances: of r, r u and r (u u^T - T^-1)."""
    d = len(rows.x)
    for k in range(len(gaussians.means)):
        n_near = gather(space, k, n)
        if n_near == 0:
            continue
        factorise(rows.x, rows.noise, gaussians, k, start, n_near, space)
        invert(d, n_near, space)
        r, u, target = space.chosen, space.u, sums[k]
        total = 0.0
        for lane in range(n_near):
            total += r[lane]
        target[0] += total
        place = 1 + d
        for i in range(d):
            one, product = u[i], space.products
            total = 0.0
            for lane in range(n_near):
                product[lane] = r[lane] * one[lane]
                total += product[lane]
            target[1 + i] += total
            for j in range(i + 1):
                other, total = u[j], 0.0
                for lane in range(n_near):
                    total += product[lane] * other[lane]
                for p in range(i, d):
                    a, b = space.inverse[p * (p + 1) // 2 + i], space.inverse[p * (p + 1) // 2 + j]
                    for lane in range(n_near):
                        total -= r[lane] * a[lane] * b[lane]
                target[place] += total
                place += 1
