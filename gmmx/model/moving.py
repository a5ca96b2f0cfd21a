"""Gaussians in another tangent plane: means go through the sky, covariances follow linearly."""

from dataclasses import replace

import numpy as np

from ..errors import InputError
from ..plane.frame import SkyFrame
from .mixture import Mixture
from .posterior import Draws


def moved_gaussians(
    means: np.ndarray, covariances: np.ndarray, old: SkyFrame, new: SkyFrame
) -> tuple[np.ndarray, np.ndarray]:
    """Bring Gaussians of one tangent plane into another.

    The covariance follows the linear part of the map at the mean, which is exact to the curvature
    of the planes: for two planes that touch the sphere 10 arcmin apart, to some 1e-5.

    Parameters
    ----------
    means : (..., 2) array
        [arcsec]
    covariances : (..., 2, 2) array
        [arcsec**2]
    old, new : SkyFrame

    Returns
    -------
    means, covariances : arrays

    Raises
    ------
    InputError
        If a mean is 90 degrees or more from the new tangent point.

    Examples
    --------
    >>> old, new = SkyFrame(150.0, 60.0), SkyFrame(150.2, 60.0)
    >>> means, covariances = moved_gaussians(np.zeros((1, 2)), np.eye(2)[None], old, new)
    >>> means.round(1)
    array([[360. ,   0.5]])
    """

    def moved(shift):
        return np.stack(old.to_frame(new, *np.moveaxis(means + shift, -1, 0)), axis=-1)

    places = moved([0.0, 0.0])
    if not np.all(np.isfinite(places)):
        raise InputError("the components are on the other side of the sky from the tangent point")
    # Central differences over 2 arcsec are exact to the curvature of the plane.
    right, left = moved([1.0, 0.0]), moved([-1.0, 0.0])
    up, down = moved([0.0, 1.0]), moved([0.0, -1.0])
    turn = np.stack([(right - left) / 2, (up - down) / 2], axis=-1)
    turned = turn @ covariances @ np.swapaxes(turn, -1, -2)
    return places, (turned + np.swapaxes(turned, -1, -2)) / 2


def moved_mixture(mixture: Mixture, old: SkyFrame | None, new: SkyFrame | None) -> Mixture:
    """A mixture in another tangent plane; see `moved_gaussians`.

    It stays as it is if the planes are equal, or if either is unknown.
    """
    if not len(mixture) or old is None or new is None or old == new:
        return mixture
    means, covariances = moved_gaussians(mixture.means, mixture.covariances, old, new)
    return replace(mixture, means=means, covariances=covariances)


def moved_draws(draws: Draws, old: SkyFrame | None, new: SkyFrame | None) -> Draws:
    """Draws in another tangent plane; see `moved_mixture`."""
    if old is None or new is None or old == new:
        return draws
    means, covariances = moved_gaussians(draws.means, draws.covariances, old, new)
    return replace(draws, means=means, covariances=covariances)
