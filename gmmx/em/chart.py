"""Coordinates of an ascent, scaled by the complete-data information."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..model.mixture import Mixture
from .parameters import Parameters


def _above(covariances, floor):
    """The part of covariances above the floor, made positive definite.

    A component that has become as narrow as the floor along an axis leaves only rounding there.
    """
    values, vectors = np.linalg.eigh(covariances - floor)
    least = np.maximum(1e-8 * floor[0, 0], 1e-12 * values[:, -1:])
    return (vectors * np.maximum(values, least)[:, None, :]) @ np.swapaxes(vectors, 1, 2)


@dataclass(frozen=True, eq=False)
class Chart:
    """Coordinates z about given parameters in which a step means the same for every component.

    ``z = w * (log F, L0^-1 (mu - mu0), log-Cholesky of E0^-1 (Sigma - f) E0^-T, log B)`` with
    ``Sigma0 = L0 L0^T`` (see `Parameters.scales`), f the floor of the covariances and ``Sigma0 - f
    = E0 E0^T``. Sigma - f is positive by construction, so that a component may rest on the floor
    without a kink. The lower triangle of a Cholesky factor is read row by row, with the logarithm
    of its diagonal. Fixed amplitudes are no coordinates. Fixed numbers of the mixture have no
    slope, so that no step moves them.

    w is the square root of the complete-data information. With n = F or B int q photons it is n
    for log F and the means, and n and 2 n for the off-diagonal and the logarithms of the diagonal,
    times the part of Sigma that lies above the floor.

    Attributes
    ----------
    origin : Parameters
    roots, inverses : (K, D, D) arrays
        L0 and its inverse.
    shape_roots, shape_inverses : (K, D, D) arrays
        E0 and its inverse.
    scales : (n,) array
        w.
    free : tuple of (n_b,) booleans
        Amplitudes that are fitted.
    floor : (D, D) array
        f [arcsec**2].
    """

    origin: Parameters
    roots: np.ndarray
    inverses: np.ndarray
    shape_roots: np.ndarray
    shape_inverses: np.ndarray
    scales: np.ndarray
    free: tuple
    floor: np.ndarray

    @classmethod
    def at(cls, likelihood, parameters, phase):
        """The chart about given parameters."""
        mixture, d = parameters.mixture, parameters.mixture.means.shape[1]
        floor = phase.priors.least_variance * np.eye(d)
        roots = np.linalg.cholesky(parameters.scales(phase))
        shape_roots = np.linalg.cholesky(_above(mixture.covariances, floor))
        photons = np.sqrt(np.maximum(mixture.fluxes, 1.0))
        above = np.linalg.det(shape_roots) / np.linalg.det(roots)
        free = tuple(~fixed for fixed in likelihood.fixed_amplitudes)
        backgrounds = [
            np.sqrt(np.maximum(a * integral, 1.0))[f]
            for a, integral, f in zip(
                parameters.amplitudes, likelihood.integrals, free, strict=True
            )
        ]
        rows, columns = np.tril_indices(d)
        shapes = (photons * np.maximum(above, 1e-3))[:, None] * np.sqrt(1 + (rows == columns))
        return cls(
            origin=parameters,
            roots=roots,
            inverses=np.linalg.inv(roots),
            shape_roots=shape_roots,
            shape_inverses=np.linalg.inv(shape_roots),
            scales=np.concatenate([photons, np.repeat(photons, d), shapes.ravel(), *backgrounds]),
            free=free,
            floor=floor,
        )

    @cached_property
    def _triangle(self):
        """Rows and columns of a lower triangle, and which of its elements are diagonal."""
        rows, columns = np.tril_indices(len(self.floor))
        return rows, columns, rows == columns

    def _relative_root(self, covariances):
        """C: the Cholesky factor of E0^-1 (Sigma - f) E0^-T, (K, D, D)."""
        above = _above(covariances, self.floor)
        inverses = self.shape_inverses
        return np.linalg.cholesky(inverses @ above @ np.swapaxes(inverses, 1, 2))

    def to_vector(self, parameters):
        """Coordinates z of parameters, (n,)."""
        m = parameters.mixture
        shifts = np.einsum("kij,kj->ki", self.inverses, m.means - self.origin.mixture.means)
        rows, columns, diagonal = self._triangle
        shapes = self._relative_root(m.covariances)[:, rows, columns]
        shapes[:, diagonal] = np.log(shapes[:, diagonal])
        amplitudes = [
            np.log(np.maximum(a[f], 1e-300))
            for a, f in zip(parameters.amplitudes, self.free, strict=True)
        ]
        return self.scales * np.concatenate(
            [np.log(m.fluxes), shifts.ravel(), shapes.ravel(), *amplitudes]
        )

    def to_parameters(self, z):
        """Parameters of z."""
        mixture = self.origin.mixture
        k, d = mixture.means.shape
        rows, columns, diagonal = self._triangle
        vector, means, shapes = z / self.scales, k * (1 + d), k * (1 + d + len(rows))
        shifts = vector[k:means].reshape(k, d)
        c, lower = np.zeros((k, d, d)), vector[means:shapes].reshape(k, len(rows))
        c[:, rows, columns] = np.where(diagonal, np.exp(lower), lower)
        root = self.shape_roots @ c
        moved = Mixture(
            fluxes=np.exp(vector[:k]),
            means=mixture.means + np.einsum("kij,kj->ki", self.roots, shifts),
            covariances=self.floor + root @ np.swapaxes(root, 1, 2),
        )
        return self.origin.moved(moved, self._amplitudes(vector[shapes:]))

    def _amplitudes(self, logs):
        """Amplitudes of each observation, the free ones from their logarithms."""
        amplitudes, used = [], 0
        for before, free in zip(self.origin.amplitudes, self.free, strict=True):
            n, values = int(free.sum()), before.copy()
            values[free] = np.exp(logs[used : used + n])
            used += n
            amplitudes.append(values)
        return amplitudes

    def gradient(self, evaluation):
        """Derivative of the objective by z, (n,)."""
        g = evaluation.gradient
        c = self._relative_root(evaluation.parameters.mixture.covariances)
        # Sigma = f + (E0 C) (E0 C)^T: d/dC = 2 E0^T (d/dSigma) E0 C, lower triangle.
        by_root = 2 * np.swapaxes(self.shape_roots, 1, 2) @ g.covariances @ self.shape_roots @ c
        rows, columns, diagonal = self._triangle
        shapes = by_root[:, rows, columns] * np.where(diagonal, c[:, rows, columns], 1.0)
        means = np.einsum("kji,kj->ki", self.roots, g.means)
        amplitudes = [a[f] for a, f in zip(g.log_amplitudes, self.free, strict=True)]
        return (
            np.concatenate([g.log_fluxes, means.ravel(), shapes.ravel(), *amplitudes]) / self.scales
        )
