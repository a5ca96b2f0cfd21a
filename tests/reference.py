"""Slow twins of the kernels, in NumPy, that anyone can check by eye."""

from itertools import pairwise

import numpy as np

# ---- raster ----


def draw_gaussians(peaks, means, inverses, splits, ny, nx):
    """Twin of `_kernels.raster.draw_gaussians`: the centres of all parts of all pixels."""
    image = np.zeros((ny, nx))
    for peak, (mx, my), (a, b, c), split in zip(peaks, means, inverses, splits, strict=True):
        x = (np.arange(nx * split) + 0.5) / split - 0.5 - mx
        y = ((np.arange(ny * split) + 0.5) / split - 0.5 - my)[:, None]
        q = a * x * x + 2 * b * x * y + c * y * y
        parts = np.where(q <= 36, peak * np.exp(-q / 2), 0.0)
        image += parts.reshape(ny, split, nx, split).mean((1, 3))
    return image


def sample_gaussians(peaks, means, inverses, ny, nx):
    """Twin of `_kernels.cells.sample_gaussians`: every point of the lattice."""
    y, x = np.mgrid[:ny, :nx]
    image = np.zeros((ny, nx))
    for peak, (mx, my), (a, b, c) in zip(peaks, means, inverses, strict=True):
        q = a * (x - mx) ** 2 + 2 * b * (x - mx) * (y - my) + c * (y - my) ** 2
        image += np.where(q <= 49, peak * np.exp(-q / 2), 0.0)
    return image


def add_cell_integrals(image, fluxes, means, covariances, x_edges, y_edges):
    """Twin of `_kernels.cells.add_cell_integrals`: adaptive quadrature of each cell."""
    from scipy.integrate import dblquad

    for flux, (mx, my), (xx, xy, yy) in zip(fluxes, means, covariances, strict=True):
        determinant = xx * yy - xy * xy

        def value(x, y):
            q = yy * (x - mx) ** 2 - 2 * xy * (x - mx) * (y - my) + xx * (y - my) ** 2  # noqa: B023
            return np.exp(-q / determinant / 2)  # noqa: B023

        for iy, ix in np.ndindex(image.shape):
            low, high = x_edges[ix], x_edges[ix + 1]
            found, _ = dblquad(value, y_edges[iy], y_edges[iy + 1], low, high, epsabs=1e-11)
            image[iy, ix] += flux * found / (2 * np.pi * np.sqrt(determinant))


def add_overlaps(image, cells, first_row, origin, matrix, inverse):
    """Twin of `_kernels.overlap.add_overlaps`: 200 x 200 points of each pixel."""
    height, width = cells.shape
    u, v = np.meshgrid(*(2 * [(np.arange(200) + 0.5) / 200 - 0.5]))
    for iy, ix in np.ndindex(image.shape):
        place = np.array([ix + u.ravel(), iy + v.ravel()])
        jx, jy = np.floor(origin[:, None] + matrix @ place + 0.5).astype(int)
        jy -= first_row
        on = (jx >= 0) & (jx < width) & (jy >= 0) & (jy < height)
        image[iy, ix] += cells[jy[on], jx[on]].sum() / u.size * abs(np.linalg.det(matrix))


# ---- rings and isophotes ----


def disc_fractions(means, covariances, radii):
    """Twin of `_kernels.discs.disc_fractions`: adaptive quadrature along the boundary.

    With d = x - mu and q = d' C^-1 d, the divergence of the field d (1 - exp(-q/2)) / q is
    exp(-q/2), so that its flux through the circle is the part inside, but for the norm.
    """
    from scipy.integrate import quad

    found = np.zeros((len(means), len(radii)))
    for v, (mean, (xx, xy, yy)) in enumerate(zip(means, covariances, strict=True)):
        inverse = np.linalg.inv([[xx, xy], [xy, yy]])

        def outflow(angle, radius):
            out = np.array([np.cos(angle), np.sin(angle)])
            d = radius * out - mean  # noqa: B023
            square = d @ inverse @ d  # noqa: B023
            return radius * out @ d * -np.expm1(-square / 2) / max(square, 1e-300)

        toward = np.arctan2(mean[1], mean[0]) + np.linspace(0, 2 * np.pi, 9)
        scale = 2 * np.pi * np.sqrt(xx * yy - xy * xy)
        for j, radius in enumerate(radii):
            sums = [
                quad(outflow, *part, (radius,), limit=400, epsabs=1e-8)[0]
                for part in pairwise(toward)
            ]
            found[v, j] = np.sum(sums) / scale
    return found


def densities_of_skies(fluxes, means, covariances, skies, x, y):
    """Twin of `_kernels.densities.densities_of_skies`: one Gaussian after another."""
    found = np.zeros_like(x)
    for v, n in enumerate(skies):
        for flux, mean, covariance in zip(fluxes[n], means[n], covariances[n], strict=True):
            d = np.stack([x[v], y[v]], 1) - mean
            square = np.einsum("pi,ij,pj->p", d, np.linalg.inv(covariance), d)
            peak = flux / (2 * np.pi * np.sqrt(np.linalg.det(covariance)))
            found[v] += peak * np.exp(-square / 2)
    return found


# ---- elementary functions ----


def exp_fast(x):
    """Twin of `_kernels._math.exp_fast`."""
    return np.exp(np.maximum(x, -600.0))


def log_fast(x):
    """Twin of `_kernels._math.log_fast`."""
    return np.log(x)


# ---- photons ----


def _log_values(x, y, views):
    """Logarithm of every view's value at one photon, (V,)."""
    dx, dy = x - views.means[:, 0], y - views.means[:, 1]
    xx, xy, yy = views.precisions.T
    return views.log_coefficients - 0.5 * (xx * dx * dx + 2 * xy * dx * dy + yy * dy * dy)


def _log_densities(x, y, background, views):
    """Logarithm of every view's value at one photon, and of their sum with the background."""
    logs = _log_values(x, y, views)
    with np.errstate(divide="ignore"):
        everything = np.append(logs, np.log(background))
    top = everything.max()
    return logs, top + np.log(np.exp(everything - top).sum())


def photon_moments(photons, amplitudes, views, tolerance):
    """Twin of `_kernels.photons.photon_moments`: photon by photon, no tile, nothing left out."""
    n_views, n_b = len(views.means), len(amplitudes)
    moments, responsibilities, log_likelihood = np.zeros((n_views, 6)), np.zeros(n_b), 0.0
    for i, (x, y, w) in enumerate(zip(photons.x, photons.y, photons.weights, strict=True)):
        background = amplitudes * photons.ratios[:, i]
        logs, log_density = _log_densities(x, y, background.sum(), views)
        r = w * np.exp(logs - log_density)
        dx, dy = x - views.means[:, 0], y - views.means[:, 1]
        moments += np.stack([r, r * dx, r * dy, r * dx * dx, r * dx * dy, r * dy * dy], axis=1)
        with np.errstate(divide="ignore"):
            responsibilities += w * np.exp(np.log(background) - log_density)
        log_likelihood += w * log_density
    return moments, responsibilities, log_likelihood


def removal_losses(photons, amplitudes, views, tolerance):
    """Twin of `_kernels.photons.removal_losses`."""
    m = views.per_component
    losses = np.zeros(len(views.means) // m)
    for i, (x, y, w) in enumerate(zip(photons.x, photons.y, photons.weights, strict=True)):
        background = (amplitudes * photons.ratios[:, i]).sum()
        logs, log_density = _log_densities(x, y, background, views)
        fraction = np.exp(logs - log_density).reshape(-1, m).sum(1)
        losses -= w * np.log(np.maximum(1 - fraction, 1e-9))
    return losses


def log_densities(photons, amplitudes, views, tolerance):
    """Twin of `_kernels.photons.log_densities`."""
    backgrounds = amplitudes @ photons.ratios
    return np.array(
        [
            _log_densities(x, y, background, views)[1]
            for x, y, background in zip(photons.x, photons.y, backgrounds, strict=True)
        ]
    )


def view_sums(photons, weights, views):
    """Twin of `_kernels.photons.view_sums`: all photons, however far."""
    sums = np.zeros(len(views.means))
    for x, y, w in zip(photons.x, photons.y, weights, strict=True):
        sums += w * np.exp(_log_values(x, y, views))
    return sums


# ---- information ----


def scores(x, y, weights, background, views, slopes, curvatures):
    """Twin of `_kernels.information.scores`: photon by photon, view by view."""
    n_b, m = len(background), views.per_component
    k = len(views.means) // m
    rows = np.zeros((len(x), 6 * k + n_b))
    for i in range(len(x)):
        logs, log_density = _log_densities(x[i], y[i], background[:, i].sum(), views)
        for v, r in enumerate(weights[i] * np.exp(logs - log_density)):
            u = slopes[v] @ (x[i] - views.means[v, 0], y[i] - views.means[v, 1])
            w11, w12, w22 = curvatures[v]
            rows[i, np.arange(6) * k + v // m] += r * np.array(
                [1, u[0], u[1], u[0] ** 2 - w11, u[0] * u[1] - w12, u[1] ** 2 - w22]
            )
        rows[i, 6 * k :] = weights[i] * np.exp(np.log(background[:, i]) - log_density)
    return rows


def density_ratios(x, y, weights, logs, views):
    """Twin of `_kernels.information.density_ratios`."""
    rows = []
    for i in range(len(x)):
        values = np.exp(_log_values(x[i], y[i], views) - logs[i])
        rows.append(weights[i] * values.reshape(-1, views.per_component).sum(1))
    return np.array(rows)


# ---- search ----


def smoothed(image, taps):
    """Twin of `_kernels.search.smoothed`: the kernel as an outer product, shifted and added."""
    n = len(taps) - 1
    padded = np.pad(image, n)
    result = np.zeros(image.shape)
    for j in range(-n, n + 1):
        for i in range(-n, n + 1):
            result += (
                taps[abs(j)]
                * taps[abs(i)]
                * padded[n + j :, n + i :][: image.shape[0], : image.shape[1]]
            )
    return result


def significances(data, model, area, least):
    """Twin of `_kernels.search.significances`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = area * (data * np.log(data / model) - (data - model))
    return np.where((data > model) & (ratio > least), ratio, 0.0)


# ---- exposure ----


def gaussian(x, y, mean, covariance):
    """N((x, y); mean, covariance)."""
    inverse = np.linalg.inv(covariance)
    dx, dy = x - mean[0], y - mean[1]
    q = inverse[0, 0] * dx * dx + 2 * inverse[0, 1] * dx * dy + inverse[1, 1] * dy * dy
    return np.exp(-q / 2) / (2 * np.pi * np.sqrt(np.linalg.det(covariance)))


def normal(offsets, covariance):
    """N(offsets; 0, covariance) in any number of dimensions, offsets (N, D)."""
    q = np.einsum("ni,ij,nj->n", offsets, np.linalg.inv(covariance), offsets)
    return np.exp(-q / 2) / np.sqrt(np.linalg.det(2 * np.pi * covariance))


def exposure_moments(maps, levels, means, covariances):
    """Twin of `_kernels.exposure.exposure_moments`: every cell within six standard deviations.

    The cells are those of the level, or all parts of the cells of level 0.
    """
    pyramid, offsets, heights, widths = maps
    moments = []
    for level, mean, (xx, xy, yy) in zip(levels, means, covariances, strict=True):
        parts, level = max(1, -level), max(0, level)
        omega = pyramid[offsets[level] :][: heights[level] * widths[level]].reshape(
            heights[level], widths[level]
        )
        omega = np.repeat(np.repeat(omega, parts, 0), parts, 1)
        cell = 2**level / parts
        x = (np.arange(omega.shape[1]) + 0.5) * cell - 0.5
        y = ((np.arange(omega.shape[0]) + 0.5) * cell - 0.5)[:, None]
        dx, dy = x - mean[0], y - mean[1]
        near = (yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / (xx * yy - xy * xy) <= 36
        value = (
            np.where(near, omega * gaussian(x, y, mean, np.array([[xx, xy], [xy, yy]])), 0.0)
            * cell**2
        )
        moments.append([(value * f).sum() for f in (1, dx, dy, dx * dx, dx * dy, dy * dy)])
    return np.array(moments).reshape(-1, 6)


def exposure_integrals(omega, grid, mean, covariance, *, reach=9.0, steps=1500):
    """e0, e1, e2 by brute force.

    These are midpoint sums over a fine raster of `steps` x `steps` points about the view, whatever
    the map's own cells.
    """
    sx, sy = np.sqrt(covariance[0, 0]), np.sqrt(covariance[1, 1])
    offset = ((np.arange(steps) + 0.5) / steps * 2 - 1) * reach
    dx, dy = offset * sx, (offset * sy)[:, None]
    x, y = np.broadcast_arrays(mean[0] + dx, mean[1] + dy)
    ix, iy, inside = grid.locate(x, y)
    value = (
        np.where(inside, omega[iy, ix], 0.0)
        * gaussian(x, y, mean, covariance)
        * (2 * reach / steps) ** 2
        * sx
        * sy
    )
    return np.array([(value * f).sum() for f in (1, dx, dy, dx * dx, dx * dy, dy * dy)])


# ---- one iteration ----


def deconvolved(w, offsets, covariance, error):
    """Sums of w, w b and w (b b^T + B) over where points came from.

    Bovy et al. (2011), equations 15 to 18.

    Parameters
    ----------
    w : (N,) array
        Responsibilities.
    offsets : (N, D) array
        Of the points from the mean.
    covariance, error : (D, D) array
        Of the component, and of the points' errors.
    """
    gain = covariance @ np.linalg.inv(covariance + error)
    rest = covariance - gain @ covariance
    d = len(covariance)
    n0, n1, n2 = 0.0, np.zeros(d), np.zeros((d, d))
    for wi, offset in zip(w, offsets, strict=True):
        b = gain @ offset
        n0 += wi
        n1 += wi * b
        n2 += wi * (np.outer(b, b) + rest)
    return n0, n1, n2


def maximised(photons, cells, mixture, scales, log_likelihood, *, mean_count, covariance_count):
    """Objective and M-step, component by component.

    Parameters
    ----------
    photons, cells : list of (n0, n1, n2)
        Of each component, what was observed, and the integrals of the completeness.
    mixture : Mixture
    scales : (K,) array
        S_k.
    log_likelihood : float
        Without the integrals of the components.
    mean_count, covariance_count : float
        a and nu.

    Returns
    -------
    dict
        fluxes, means, covariances (after), log_likelihood, objective, observed and
        observed_fraction (before).
    """
    a, nu = mean_count, covariance_count
    log_likelihood -= sum(f * c[0] for f, c in zip(mixture.fluxes, cells, strict=True))
    objective, new = log_likelihood, {"fluxes": [], "means": [], "covariances": []}
    for flux, mean, covariance, scale, photon, cell in zip(
        mixture.fluxes, mixture.means, mixture.covariances, scales, photons, cells, strict=True
    ):
        whole = (1.0, np.zeros(len(mean)), covariance)
        # What was observed, and the expected part of what was not.
        n0, n1, n2 = (p + flux * (t - c) for p, t, c in zip(photon, whole, cell, strict=True))
        e, s1, s2 = cell
        d = (n1 + a * s1 / e) / (n0 + a)
        prior = nu * scale * np.eye(len(mean))
        spread = n2 + a * s2 / e - (n0 + a) * np.outer(d, d) + prior
        new["fluxes"].append(n0)
        new["means"].append(mean + d)
        new["covariances"].append(spread / (n0 + a + nu))
        narrowness = np.linalg.slogdet(covariance)[1] + np.trace(np.linalg.inv(covariance)) * scale
        objective += a * np.log(e) - nu / 2 * narrowness
    return new | {
        "log_likelihood": log_likelihood,
        "objective": objective,
        "observed": [p[0] for p in photons],
        "observed_fraction": [c[0] for c in cells],
    }


def photon_step(seen, mixture, scales, **priors):
    """Twin of an iteration with `PhotonLikelihood`: photon by photon and cell by cell.

    Parameters
    ----------
    seen : list of dict
        Of each observation: points (N, 2) and weights of the photons; cells (n, 2), omega and
        cell_area of the completeness; psf_weights (K, M) and psf_covariances (K, M, 2, 2);
        background amplitudes, their ratios (n_b, N) to Omega and integrals.
    mixture, scales, **priors
        See `maximised`.

    Returns
    -------
    dict
        Of `maximised`, and the amplitudes (after).
    """
    k = len(mixture)
    photons = [(0.0, np.zeros(2), np.zeros((2, 2)))] * k
    cells, log_likelihood, amplitudes = photons.copy(), 0.0, []
    for o in seen:
        values, background = _values(o, mixture), o["amplitudes"][:, None] * o["ratios"]
        density = values.sum((0, 1)) + background.sum(0)
        log_likelihood += o["weights"] @ np.log(density) - o["amplitudes"] @ o["integrals"]
        amplitudes.append((o["weights"] * background / density).sum(1) / o["integrals"])
        for i in range(k):
            for m, error in enumerate(o["psf_covariances"][i]):
                mean, covariance = mixture.means[i], mixture.covariances[i]
                r = o["weights"] * values[i, m] / density
                photons[i] = _sum(photons[i], deconvolved(r, o["points"] - mean, covariance, error))
                offsets, total = o["cells"] - mean, covariance + error
                # The ellipse of six standard deviations.
                q = np.einsum("ni,ij,nj->n", offsets, np.linalg.inv(total), offsets)
                near = (q <= 36) & (o["omega"] > 0)
                w = o["psf_weights"][i, m] * o["omega"][near] * o["cell_area"]
                w = w * gaussian(*o["cells"][near].T, mean, total)
                cells[i] = _sum(cells[i], deconvolved(w, offsets[near], covariance, error))
    step = maximised(photons, cells, mixture, scales, log_likelihood, **priors)
    return step | {"amplitudes": amplitudes}


def _values(o, mixture):
    """Density of each PSF Gaussian of each component at each photon, (K, M, N)."""
    k, m = o["psf_weights"].shape
    values = np.zeros((k, m, len(o["points"])))
    for i in range(k):
        for j in range(m):
            total = mixture.covariances[i] + o["psf_covariances"][i, j]
            values[i, j] = gaussian(*o["points"].T, mixture.means[i], total)
    return mixture.fluxes[:, None, None] * o["psf_weights"][..., None] * values


def _sum(one, two):
    return tuple(a + b for a, b in zip(one, two, strict=True))


def sample_step(points, errors, weights, mixture, scales, **priors):
    """Twin of an iteration with samples that have their own errors: sample by sample.

    Parameters
    ----------
    points : (N, D) array
    errors : (N, D, D) array
        Covariance of each point's error.
    weights : (N,) array
    mixture, scales, **priors
        See `maximised`.
    """
    d = mixture.n_dimensions
    sums = [(0.0, np.zeros(d), np.zeros((d, d)))] * len(mixture)
    log_likelihood = 0.0
    for point, error, weight in zip(points, errors, weights, strict=True):
        values = []
        for flux, mean, covariance in zip(
            mixture.fluxes, mixture.means, mixture.covariances, strict=True
        ):
            total, offset = covariance + error, point - mean
            q = offset @ np.linalg.inv(total) @ offset
            values.append(flux * np.exp(-q / 2) / np.sqrt(np.linalg.det(2 * np.pi * total)))
        log_likelihood += weight * np.log(np.sum(values))
        for i, value in enumerate(values):
            r, offset = weight * value / np.sum(values), point - mixture.means[i]
            part = deconvolved([r], offset[None], mixture.covariances[i], error)
            sums[i] = _sum(sums[i], part)
    everything = [(1.0, np.zeros(d), covariance) for covariance in mixture.covariances]
    return maximised(sums, everything, mixture, scales, log_likelihood, **priors)


def expectation_maximisation(points, weights, means, covariances):
    """One iteration of the textbook (Bishop 2006, section 9.2.2).

    Responsibilities first, then weights, means, and covariances about the new means.
    """
    values = np.array(
        [w * gaussian(*points.T, m, c) for w, m, c in zip(weights, means, covariances, strict=True)]
    )
    r = values / values.sum(0)
    n = r.sum(1)
    means = r @ points / n[:, None]
    covariances = np.array(
        [
            (rk[:, None] * (points - m)).T @ (points - m) / nk
            for rk, m, nk in zip(r, means, n, strict=True)
        ]
    )
    return n / len(points), means, covariances


def extreme_deconvolution(points, noise, weights, means, covariances, *, iterations):
    """Iterations of Bovy, Hogg & Roweis (2011, equations 14 to 18) for points of common noise."""
    for _ in range(iterations):
        values = np.array(
            [
                w * normal(points - m, c + noise)
                for w, m, c in zip(weights, means, covariances, strict=True)
            ]
        )
        q = values / values.sum(0)
        new_weights, new_means, new_covariances = [], [], []
        for qj, m, v in zip(q, means, covariances, strict=True):
            gain = v @ np.linalg.inv(v + noise)
            b, rest = m + (points - m) @ gain.T, v - gain @ v
            new_weights.append(qj.mean())
            new_means.append(qj @ b / qj.sum())
            d = b - new_means[-1]
            new_covariances.append((qj[:, None] * d).T @ d / qj.sum() + rest)
        weights, means, covariances = (
            np.array(new_weights),
            np.array(new_means),
            np.array(new_covariances),
        )
    return weights, means, covariances


# ---- how far a mixture is from the truth ----


def integrated_squared_error(truth, model):
    """Integral of (p - q)^2 over that of p^2, for two mixtures p and q that are normalised first.

    Pair by pair, ``int N(x; a, A) N(x; b, B) dx = N(a; b, A + B)``.
    """

    def cross(p, q):
        total = 0.0
        for flux, mean, covariance in zip(p.fluxes, p.means, p.covariances, strict=True):
            for other_flux, other_mean, other_covariance in zip(
                q.fluxes, q.means, q.covariances, strict=True
            ):
                total += (
                    flux * other_flux * gaussian(*mean, other_mean, covariance + other_covariance)
                )
        return total / (p.fluxes.sum() * q.fluxes.sum())

    return (cross(truth, truth) - 2 * cross(truth, model) + cross(model, model)) / cross(
        truth, truth
    )


# ---- samples ----


def sample_log_terms(x, noise, fluxes, means, covariances):
    """Twin of `_kernels.samples.sample_log_terms`: each pair on its own, NaN where unknown."""
    logs = np.empty((len(x), len(fluxes)))
    for i, k in np.ndindex(logs.shape):
        known = ~np.isnan(x[i])
        d = x[i, known] - means[k, known]
        total = (covariances[k] + noise[i])[np.ix_(known, known)]
        q = d @ np.linalg.solve(total, d)
        log_norm = -0.5 * np.linalg.slogdet(total)[1] - known.sum() / 2 * np.log(2 * np.pi)
        logs[i, k] = np.log(fluxes[k]) + log_norm - q / 2
    return logs


def point_moments(x, weights, means, covariances):
    """Twin of `_kernels.samples.point_moments`: sums of v exp(-q / 2) times 1, d and d d^T."""
    sums = []
    for mean, covariance in zip(means, covariances, strict=True):
        d = x - mean
        parts = weights * np.exp(-0.5 * np.sum(d * np.linalg.solve(covariance, d.T).T, axis=1))
        sums.append((parts.sum(), parts @ d, np.einsum("n,ni,nj->ij", parts, d, d)))
    return [np.array(column) for column in zip(*sums, strict=True)]


def sample_entropy(logs, weights, n_components):
    """Twin of `_kernels.samples.sample_entropy`, from all terms; backgrounds count as one."""
    parts = np.exp(logs - np.logaddexp.reduce(logs, axis=1)[:, None])
    joined = np.column_stack([parts[:, :n_components], parts[:, n_components:].sum(axis=1)])
    return -float(weights @ np.where(joined > 0, joined * np.log(joined + 1e-300), 0.0).sum(axis=1))


def extreme_deconvolution_step(x, noise, weights, fractions, means, covariances):
    """One step of Bovy, Hogg & Roweis (2011), equations 8 and 14 to 18, sample by sample.

    Returns the fractions, means and covariances after the step and the log-likelihood before it.
    """
    logs = sample_log_terms(x, noise, fractions, means, covariances)
    log_sums = np.logaddexp.reduce(logs, axis=1)
    q = weights[:, None] * np.exp(logs - log_sums[:, None])
    b, spread = np.empty((*q.shape, x.shape[1])), np.empty((*q.shape, *covariances.shape[1:]))
    for i, k in np.ndindex(q.shape):
        known = ~np.isnan(x[i])
        total = (covariances[k] + noise[i])[np.ix_(known, known)]
        gain = covariances[k][:, known] @ np.linalg.inv(total)
        b[i, k] = means[k] + gain @ (x[i, known] - means[k, known])
        spread[i, k] = covariances[k] - gain @ covariances[k][known]
    sums = q.sum(0)
    new_means = np.einsum("ik,ikd->kd", q, b) / sums[:, None]
    offsets = new_means - b
    outer = offsets[..., :, None] * offsets[..., None, :] + spread
    new_covariances = np.einsum("ik,ikde->kde", q, outer) / sums[:, None, None]
    return sums / weights.sum(), new_means, new_covariances, float(weights @ log_sums)


def second_derivative(value, one, two, step):
    """Second derivative of a function at zero along two directions, by differences."""
    one, two = step * one, step * two
    corners = value(one + two) - value(one - two) - value(two - one) + value(-one - two)
    return corners / (4 * step**2)


def recorded_density(x, noise, mean_noise, mixture, omega, order, *, reach=8.0, steps=801):
    """Twin of `em.selected`: density in two columns of one recorded sample, on a fine grid.

    With `order` "before", Omega acts on noisy values, of which NaN are integrated over; with
    "after" on noise-free values, which are all integrated over.
    """
    line = np.linspace(-reach, reach, steps)
    y = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)
    known = np.flatnonzero(~np.isnan(x))
    if order == "before":
        gone = np.flatnonzero(np.isnan(x))
        added = np.zeros((2, 2))
        added[np.ix_(known, known)] = noise[np.ix_(known, known)]
        added[np.ix_(gone, gone)] = mean_noise[np.ix_(gone, gone)]
        y = np.tile(x, (steps, 1))
        y[:, gone[0]] = line
        values, cell = omega(y), line[1] - line[0]
    else:
        added, cell = np.zeros((2, 2)), (line[1] - line[0]) ** 2
        values = omega(y) * normal(x[known] - y[:, known], noise[np.ix_(known, known)])
    density = sum(
        flux * normal(y - mean, covariance + added)
        for flux, mean, covariance in zip(
            mixture.fluxes, mixture.means, mixture.covariances, strict=True
        )
    )
    return (density * values).sum() * cell
