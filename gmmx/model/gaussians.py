"""Densities, marginals and conditionals of sums of Gaussians in any number of dimensions."""

from dataclasses import replace

import numpy as np

from ..errors import InputError

# Smallest positive normal number, because a flux is never zero.
_TINY = np.finfo(float).tiny


def density_of(mixture, coordinates):
    """Density ``sum_k F_k N(x; mu_k, Sigma_k)`` at D coordinates that broadcast with each other."""
    coordinates = np.broadcast_arrays(*(np.asarray(c, np.float64) for c in coordinates))
    total, norm = np.zeros(coordinates[0].shape), (2 * np.pi) ** (mixture.n_dimensions / 2)
    for flux, mean, inverse in zip(
        mixture.fluxes, mixture.means, np.linalg.inv(mixture.covariances), strict=True
    ):
        q = _squared_distance([c - m for c, m in zip(coordinates, mean, strict=True)], inverse)
        total += flux * np.sqrt(np.linalg.det(inverse)) / norm * np.exp(-q / 2)
    return total


def marginal_of(mixture, columns):
    """Mixture of some of the coordinates, integrated over the others.

    The mean and the covariance of a component lose the rows and columns of the other
    coordinates (Bishop 2006, equation 2.98).

    Parameters
    ----------
    mixture : Mixture
        K components in D dimensions.
    columns : int or sequence of int
        Coordinates to keep, in the order that the new mixture has them.

    Returns
    -------
    Mixture
        K components in len(columns) dimensions.

    Raises
    ------
    InputError
        If a coordinate does not exist or is repeated, or none is kept.

    Examples
    --------
    >>> from gmmx.model.mixture import Mixture
    >>> line = Mixture(fluxes=[1.0], means=[[0.0, 2.0]], covariances=[[[1.0, 0.8], [0.8, 4.0]]])
    >>> marginal_of(line, [1]).covariances
    array([[[4.]]])
    """
    columns = _checked(mixture, np.atleast_1d(columns), "columns")
    return replace(
        mixture,
        means=mixture.means[:, columns],
        covariances=mixture.covariances[:, columns[:, None], columns],
    )


def conditional_of(mixture, given):
    """Mixture of the remaining coordinates when some are known.

    For each component (Bishop 2006, equations 2.81 and 2.82)

        mu_a|b = mu_a + S_ab S_bb^-1 (x_b - mu_b),    S_a|b = S_aa - S_ab S_bb^-1 S_ba,

    and its flux is multiplied by N(x_b; mu_b, S_bb), so that it is one per unit of the known
    coordinates.

    Parameters
    ----------
    mixture : Mixture
        K components in D dimensions.
    given : dict of int to float
        Known coordinates and their values, in the units of the mixture.

    Returns
    -------
    Mixture
        K components in D - len(given) dimensions.

    Raises
    ------
    InputError
        If a coordinate does not exist, or if none or all of them are given.

    Examples
    --------
    >>> from gmmx.model.mixture import Mixture
    >>> line = Mixture(fluxes=[1.0], means=[[0.0, 0.0]], covariances=[[[1.0, 0.8], [0.8, 1.0]]])
    >>> conditional_of(line, {1: 1.0}).means
    array([[0.8]])
    """
    known = _checked(mixture, np.array(list(given)), "given")
    rest = np.setdiff1d(np.arange(mixture.n_dimensions), known)
    if len(rest) == 0:
        raise InputError("`given` has all coordinates: nothing remains; use `density`")
    about_known, s = marginal_of(mixture, known), mixture.covariances
    values = np.array([given[column] for column in given], np.float64)
    mixed = s[:, rest[:, None], known]
    gains = mixed @ np.linalg.inv(about_known.covariances)
    covariances = s[:, rest[:, None], rest] - gains @ np.swapaxes(mixed, 1, 2)
    densities = [about_known.select([k]).density(*values) for k in range(len(mixture))]
    shifts = np.einsum("kij,kj->ki", gains, values - about_known.means)
    return replace(
        mixture,
        # A component whose density underflows keeps the smallest flux, because fluxes are positive.
        fluxes=np.maximum(np.array(densities, np.float64).reshape(-1), _TINY),
        means=mixture.means[:, rest] + shifts,
        covariances=(covariances + np.swapaxes(covariances, 1, 2)) / 2,
    )


def _checked(mixture, columns, name):
    """Columns as integers, if each exists and none is repeated."""
    d = mixture.n_dimensions
    if columns.size == 0:
        raise InputError(f"`{name}` is empty: name at least one coordinate of {d}")
    unknown = [c for c in columns.tolist() if not (c == int(c) and 0 <= c < d)]
    if unknown:
        raise InputError(f"`{name}`: there is no coordinate {unknown[0]}: they are 0 to {d - 1}")
    if len(set(columns.tolist())) < columns.size:
        raise InputError(f"`{name}` repeats a coordinate: {columns.tolist()}")
    return columns.astype(int)


def _squared_distance(offsets, inverse):
    """Squared Mahalanobis distance of offsets along each axis."""
    q = 0.0
    for i, one in enumerate(offsets):
        q = q + inverse[i, i] * one * one
        for j in range(i + 1, len(offsets)):
            q = q + 2 * inverse[i, j] * one * offsets[j]
    return q
