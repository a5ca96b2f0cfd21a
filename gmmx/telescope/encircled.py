"""The share of a blur within a radius: of a mixture of Gaussians, and which mixture has given shares within given radii."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..errors import InputError

# Ratio of neighbouring standard deviations, in the order in which they are tried: the core, the body and the far wing of the Chandra mirrors are some 3 apart.
RATIOS = {2: (3.0,), 3: (3.0, 2.5, 2.0, 1.6)}
_SCAN = 64


def encircled_energy(weights, covariances, radii, *, n_angles=64):
    """Share of a mixture of centred Gaussians within each radius, (..., R).

    ``1 - sum_m c_m / (2 pi sqrt(det S_m)) int exp(-r**2 q_m / 2) / q_m dphi`` with ``q_m = u^T S_m^-1 u``, u the unit vector of azimuth phi.

    Parameters
    ----------
    weights : (..., M) array
    covariances : (..., M, 2, 2) array
        [arcsec**2].
    radii : (R,) array
        [arcsec].
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
    """Mixtures of round Gaussians with given shares within given radii.

    Attributes
    ----------
    weights, variances : (n, J) array
        Variances [arcsec**2]; where fewer than J Gaussians are needed the others weigh 0.
    n_gaussians : (n,) integers
        How many were needed.
    """

    weights: np.ndarray
    variances: np.ndarray
    n_gaussians: np.ndarray


def through_radii(shares, radii):
    """The mixture of J round Gaussians that has share ``shares[j]`` within ``radii[:, j]``, for each of n places.

    With standard deviations ``s q**m``, the weights that pass through the J points are linear in them; s is where those sum to 1. Of two solutions the one with
    the wider core is taken; for J = 3, q is the first of `RATIOS` that gives one. Where no weights within [0, 1] do it: one Gaussian fewer, through the
    innermost and the outermost point; and where that fails too a single one, of the geometric mean of the standard deviations that each point asks for.

    Parameters
    ----------
    shares : (J,) array
        Rising, between 0 and 1; J is 1, 2 or 3.
    radii : (n, J) array
        [arcsec], positive.

    Returns
    -------
    ThroughRadii

    Raises
    ------
    InputError
        For more than three shares, or shares that do not rise.
    """
    shares, radii = np.asarray(shares, np.float64), np.asarray(radii, np.float64)
    n, j = radii.shape
    if j > 3 or np.any(np.diff(shares) <= 1e-6):
        raise InputError(
            f"encircled fractions {', '.join(f'{s:g}' for s in shares)}: one, two or three different ones can be joined"
        )
    sigma = radii / np.sqrt(-2 * np.log1p(-shares))
    weights, variances = (
        np.zeros((n, j)),
        np.exp(2 * np.log(sigma).mean(1))[:, None] * 3.0 ** (2 * np.arange(j)),
    )
    weights[:, 0] = 1.0
    found = np.ones(n, np.int64)
    for ends in ([0, -1], [0, 1, 2])[: j - 1]:
        for ratio in reversed(RATIOS[len(ends)]):
            w, s, good = _solved(shares[ends], radii[:, ends], sigma[:, 0], ratio)
            part = np.zeros((good.sum(), j))
            part[:, : len(ends)] = w[good]
            weights[good], found[good] = part, len(ends)
            variances[good] = s[good, None] ** 2 * ratio ** (2 * np.arange(j))
    return ThroughRadii(weights, variances, found)


def _solved(shares, radii, sigma, ratio):
    """Weights (n, J) and core's standard deviation (n,) that pass through the points, and whether there are such (n,)."""
    scales = ratio ** np.arange(len(shares))

    def weights_at(s):
        outside = np.exp(
            -np.minimum(radii[..., None] ** 2 / (2 * (s[:, None, None] * scales) ** 2), 600.0)
        )
        return np.linalg.solve(outside, np.broadcast_to(1 - shares, radii.shape)[..., None])[..., 0]

    def excess(s):
        return weights_at(s).sum(1) - 1

    # From the widest core down: the first change of sign between weights that may be.
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
