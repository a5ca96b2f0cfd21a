"""One PSF for the photons of a spectrum, from PSFs at single energies."""

import numpy as np


def collapsed(
    weights: np.ndarray, covariances: np.ndarray, spectrum: np.ndarray, *, rounds: int = 8
) -> tuple[np.ndarray, np.ndarray]:
    """Approximate the sum of mixtures over energies by one mixture of M Gaussians.

    The start is the mean over energies, ``c_m = sum_E w_E c_mE`` and
    ``S_m = sum_E w_E c_mE S_mE / c_m``. At 2' to 4' off axis the Gaussians change their roles with
    energy, and this mean has an error of up to 0.1 in encircled energy. A few steps of
    expectation maximisation against the sum, with integrals by quadrature, bring the error to
    0.004 in the median and 0.02 at worst, for spectra between 0.8 and 5 keV. The number of steps
    is fixed and the start is smooth, so the result is smooth over the field, which the best
    approximation at each place would not be.

    Parameters
    ----------
    weights : (n, E, M) array
    covariances : (n, E, M, 2, 2) array
        [arcsec**2].
    spectrum : (E,) array
        Fraction w_E of photons at each energy; they sum to 1.
    rounds : int
        Number of steps.

    Returns
    -------
    weights : (n, M) array
    covariances : (n, M, 2, 2) array
        [arcsec**2].
    """
    parts = weights * spectrum[:, None]
    total = parts.sum(1)
    spread = (parts[..., None, None] * covariances).sum(1) / total[..., None, None]
    if np.count_nonzero(spectrum) == 1:
        return total, spread
    parts = parts[:, spectrum > 0].reshape(len(weights), -1)
    points, parts = _quadrature(parts, covariances[:, spectrum > 0].reshape(*parts.shape, 2, 2))
    squares = np.stack(
        [points[..., 0] ** 2, points[..., 0] * points[..., 1], points[..., 1] ** 2], axis=-1
    )
    for _ in range(rounds):
        inverse = np.linalg.inv(spread)
        forms = np.stack(
            [-0.5 * inverse[..., 0, 0], -inverse[..., 0, 1], -0.5 * inverse[..., 1, 1]], axis=1
        )
        terms = squares @ forms + (np.log(total) - 0.5 * np.log(np.linalg.det(spread)))[:, None]
        np.exp(terms, out=terms)
        # A point so far out that all densities underflow has no weight.
        terms *= (parts / np.maximum(terms.sum(-1), 1e-300))[..., None]
        total = terms.sum(1)
        xx, xy, yy = np.moveaxis(np.swapaxes(terms, 1, 2) @ squares / total[..., None], -1, 0)
        spread = np.stack([xx, xy, xy, yy], axis=-1).reshape(*total.shape, 2, 2)
    return total / total.sum(1, keepdims=True), spread


def _quadrature(parts, covariances, *, n_radii=8, n_angles=12):
    """Return points and weights for integrals of even functions over sums of centred Gaussians.

    The quadrature is that of Gauss and Legendre in the encircled fraction, with equal steps over
    half a turn. Each circle is turned by another angle, because a Gaussian that is fitted to the
    points could otherwise collapse onto a line of them.

    Parameters
    ----------
    parts : (n, J) array
        Weights of the Gaussians.
    covariances : (n, J, 2, 2) array

    Returns
    -------
    points : (n, Q, 2) array
    weights : (n, Q) array
    """
    inside, steps = np.polynomial.legendre.leggauss(n_radii)
    radii = np.sqrt(-2 * np.log((1 - inside) / 2))
    first = np.mod(0.618 * np.arange(parts.shape[1])[:, None] + 0.6495 * np.arange(n_radii), 1.0)
    angles = (first[..., None] + np.arange(n_angles)) * np.pi / n_angles
    unit = np.stack(
        [radii[:, None] * np.cos(angles), radii[:, None] * np.sin(angles)], axis=-1
    ).reshape(parts.shape[1], -1, 2)
    points = unit @ np.swapaxes(np.linalg.cholesky(covariances), -1, -2)
    return points.reshape(len(parts), -1, 2), (
        parts[..., None] * np.repeat(steps / 2 / n_angles, n_angles)
    ).reshape(len(parts), -1)
