"""Encircled energy of Gaussian mixtures, and mixtures with given encircled energies."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from ..errors import InputError

# Ratios of neighbouring standard deviations, in the order in which they are tried, because core,
# body and far wing of the Chandra mirrors differ by factors of about 3.
RATIOS = {2: (3.0,), 3: (3.0, 2.5, 2.0, 1.6)}
_SCAN = 64


def encircled_energy(
    weights: ArrayLike, covariances: ArrayLike, radii: ArrayLike, *, n_angles: int = 64
) -> np.ndarray:
    """Return the fraction of a mixture of centred Gaussians within each radius.

    ``E(r) = sum_m c_m - sum_m c_m / (2 pi sqrt(det S_m)) int exp(-r**2 q_m / 2) / q_m dphi`` with
    ``q_m = u^T S_m^-1 u`` and u the unit vector at azimuth phi.

    Parameters
    ----------
    weights : (..., M) array
    covariances : (..., M, 2, 2) array
        [arcsec**2].
    radii : (R,) array
        [arcsec].

    Returns
    -------
    (..., R) array

    Examples
    --------
    >>> encircled_energy([1.0], [np.eye(2)], [np.sqrt(2 * np.log(2))]).round(6)
    array([0.5])
    """
    weights, covariances, radii = (np.asarray(a, np.float64) for a in (weights, covariances, radii))
    # The integrand has period pi and is smooth: equal steps converge faster than any power.
    angles = np.arange(n_angles) * np.pi / n_angles
    u = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    q = np.einsum("pi,...ij,pj->...p", u, np.linalg.inv(covariances), u)
    outside = np.exp(-0.5 * q[..., None, :] * radii[:, None] ** 2) / q[..., None, :]
    outside = outside.mean(-1) / np.sqrt(np.linalg.det(covariances))[..., None]
    return weights.sum(-1)[..., None] - (weights[..., None] * outside).sum(-2)


@dataclass(frozen=True, eq=False)
class ThroughRadii:
    """Mixtures of round Gaussians with given encircled fractions at given radii.

    Attributes
    ----------
    weights : (n, J) array
        Where fewer than J Gaussians are used, the weights of the others are 0.
    variances : (n, J) array
        [arcsec**2].
    n_gaussians : (n,) array of int
        Number of Gaussians that are used.
    """

    weights: np.ndarray
    variances: np.ndarray
    n_gaussians: np.ndarray


def through_radii(fractions: ArrayLike, radii: ArrayLike) -> ThroughRadii:
    """Find mixtures of J round Gaussians with given encircled fractions at given radii.

    With standard deviations ``s q**m``, the weights that pass through the J points follow from a
    linear system, and s is where they sum to 1. Of two solutions the one with the wider core is
    taken. For J = 3, q is the first of `RATIOS` that has a solution. If no weights in [0, 1] pass
    through the points, two Gaussians pass through the innermost and the outermost one. If that
    fails as well, there is a single Gaussian, whose standard deviation is the geometric mean of
    those of all points.

    Parameters
    ----------
    fractions : (J,) array
        In rising order, between 0 and 1; J is 1, 2 or 3.
    radii : (n, J) array
        [arcsec], positive.

    Returns
    -------
    ThroughRadii

    Raises
    ------
    InputError
        If there are more than three fractions, or if they do not rise.

    Examples
    --------
    >>> found = through_radii([0.5, 0.9], [[1.0, 3.0]])
    >>> covariances = found.variances[0][:, None, None] * np.eye(2)
    >>> encircled_energy(found.weights[0], covariances, [1.0, 3.0]).round(6)
    array([0.5, 0.9])
    """
    fractions, radii = np.asarray(fractions, np.float64), np.asarray(radii, np.float64)
    n, j = radii.shape
    if j > 3 or np.any(np.diff(fractions) <= 1e-6):
        raise InputError(
            f"encircled fractions {', '.join(f'{one:g}' for one in fractions)}: "
            "one, two or three different ones can be joined"
        )
    sigma = radii / np.sqrt(-2 * np.log1p(-fractions))
    weights, variances = (
        np.zeros((n, j)),
        np.exp(2 * np.log(sigma).mean(1))[:, None] * 3.0 ** (2 * np.arange(j)),
    )
    weights[:, 0] = 1.0
    found = np.ones(n, np.int64)
    for ends in ([0, -1], [0, 1, 2])[: j - 1]:
        for ratio in reversed(RATIOS[len(ends)]):
            w, s, good = _solved(fractions[ends], radii[:, ends], sigma[:, 0], ratio)
            part = np.zeros((good.sum(), j))
            part[:, : len(ends)] = w[good]
            weights[good], found[good] = part, len(ends)
            variances[good] = s[good, None] ** 2 * ratio ** (2 * np.arange(j))
    return ThroughRadii(weights, variances, found)


def _solved(fractions, radii, sigma, ratio):
    """Solve for weights and for the standard deviation of the core.

    Returns
    -------
    weights : (n, J) array
    sigma : (n,) array
        [arcsec].
    solved : (n,) array of bool
        Whether there is a solution.
    """
    scales = ratio ** np.arange(len(fractions))

    def weights_at(s):
        outside = np.exp(
            -np.minimum(radii[..., None] ** 2 / (2 * (s[:, None, None] * scales) ** 2), 600.0)
        )
        return np.linalg.solve(outside, np.broadcast_to(1 - fractions, radii.shape)[..., None])[
            ..., 0
        ]

    def excess(s):
        return weights_at(s).sum(1) - 1

    # From the widest core down, the first change of sign between weights that are possible.
    low, high, good = sigma.copy(), sigma.copy(), np.zeros(len(sigma), bool)
    steps = np.geomspace(1.0, 1.0 / scales[-1], _SCAN)
    above = weights_at(sigma * steps[0])
    for wider, narrower in pairwise(steps):
        below = weights_at(sigma * narrower)
        turn = (
            ~good
            & ((above.sum(1) > 1) != (below.sum(1) > 1))
            & (above.min(1) > -0.2)
            & (below.min(1) > -0.2)
        )
        low[turn], high[turn] = (sigma * narrower)[turn], (sigma * wider)[turn]
        good, above = good | turn, below
    sign = excess(high) > 0
    for _ in range(50):
        middle = (low + high) / 2
        same = (excess(middle) > 0) == sign
        high, low = np.where(same, middle, high), np.where(same, low, middle)
    w = weights_at(low)
    good &= (np.abs(w.sum(1) - 1) < 1e-6) & (w.min(1) >= 0)
    return w / w.sum(1)[:, None], low, good
