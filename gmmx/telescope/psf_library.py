"""A library of PSFs: Gaussian mixtures by detector, off-axis angle, azimuth and energy."""

from dataclasses import dataclass

import numpy as np

from .._arrays import read_only
from ..errors import InputError
from .spectrum import collapsed


@dataclass(frozen=True, eq=False, kw_only=True)
class PsfLibrary:
    """Gaussian mixtures on nodes of off-axis angle, azimuth and energy, for each detector.

    The Gaussians of a mixture have a common centre.

    Attributes
    ----------
    detectors : tuple of str
        D names.
    thetas : (T,) array
        Off-axis angles in rising order from 0 [arcmin].
    phis : (P,) array
        Azimuths, in equal steps from 0 [deg].
    energies : (E,) array
        In rising order [keV].
    log_weights : (D, T, P, E, M) array
        Logarithms of the weights, which sum to 1 over M. The Gaussians are the core, the body and
        the far wing.
    log_covariances : (D, T, P, E, M, 3) array
        xx, xy, yy of the matrix logarithms of the covariances [arcsec**2] in detector axes.
    """

    detectors: tuple
    thetas: np.ndarray
    phis: np.ndarray
    energies: np.ndarray
    log_weights: np.ndarray
    log_covariances: np.ndarray

    def __post_init__(self):
        read_only(self, thetas=("T",), phis=("P",), energies=("E",))
        shape = len(self.detectors), len(self.thetas), len(self.phis), len(self.energies)
        read_only(
            self, log_weights=(*shape, "M"), log_covariances=(*shape, self.log_weights.shape[-1], 3)
        )

    @classmethod
    def of(
        cls,
        *,
        detector: np.ndarray,
        theta: np.ndarray,
        phi: np.ndarray,
        energy: np.ndarray,
        component: np.ndarray,
        weight: np.ndarray,
        sigma_major: np.ndarray,
        sigma_minor: np.ndarray,
        pa: np.ndarray,
    ) -> "PsfLibrary":
        """Make a library from the columns of a table with one row for each Gaussian.

        Parameters
        ----------
        detector : (N,) array of str
        theta, phi : (N,) array
            Off-axis angle [arcmin] and azimuth [deg]. Rows at theta = 0 are for every azimuth.
        energy : (N,) array
            [keV].
        component : (N,) array
            Number of the Gaussian in its mixture.
        weight, sigma_major, sigma_minor : (N,) array
            Weight and standard deviations [arcsec].
        pa : (N,) array
            Direction of the major axis, from +DETX towards +DETY [deg].

        Returns
        -------
        PsfLibrary

        Raises
        ------
        InputError
            If rows are missing.
        """
        detectors, d = np.unique(detector, return_inverse=True)
        axes = [np.unique(v, return_inverse=True) for v in (theta, phi, energy, component)]
        (thetas, t), (phis, p), (energies, e), (numbers, m) = axes
        shape = len(detectors), len(thetas), len(phis), len(energies), len(numbers)
        log_weights, log_covariances = np.full(shape, np.nan), np.full((*shape, 3), np.nan)
        log_weights[d, t, p, e, m] = np.log(weight)
        log_covariances[d, t, p, e, m] = _logarithms(sigma_major, sigma_minor, np.radians(pa))
        for values in (log_weights, log_covariances):
            values[:, 0] = values[:, 0, :1]
        if np.isnan(log_weights).any():
            raise InputError(f"a PSF library of {len(theta)} rows does not fill its {shape} nodes")
        names = tuple(str(name) for name in detectors)
        return cls(
            detectors=names,
            thetas=thetas,
            phis=phis,
            energies=energies,
            log_weights=log_weights,
            log_covariances=log_covariances,
        )

    def at(
        self, detector: str, theta: np.ndarray, phi: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Interpolate the mixtures of one detector at n places, for each energy of the library.

        The logarithms of weights and covariance matrices are linear in theta and phi, Gaussian by
        Gaussian. Sizes and position angles could not be interpolated, because angles wrap and turn
        half as fast as phi. Beyond the last theta the mixture at that theta is taken.

        Parameters
        ----------
        detector : str
        theta : (n,) array
            Off-axis angle [arcmin].
        phi : (n,) array
            Azimuth [deg].

        Returns
        -------
        weights : (n, E, M) array
        covariances : (n, E, M, 2, 2) array
            In detector axes [arcsec**2].
        """
        log_weights, log_covariances = (
            a[self.detectors.index(detector)] for a in (self.log_weights, self.log_covariances)
        )
        theta, n_phi = np.clip(theta, self.thetas[0], self.thetas[-1]), len(self.phis)
        t = np.clip(np.searchsorted(self.thetas, theta, side="right") - 1, 0, len(self.thetas) - 2)
        up = (theta - self.thetas[t]) / (self.thetas[t + 1] - self.thetas[t])
        turn = np.mod(phi, 360.0) * n_phi / 360.0
        p = np.minimum(turn.astype(int), n_phi - 1)
        on = turn - p
        w, s = np.zeros(()), np.zeros(())
        for i, part_t in ((0, 1 - up), (1, up)):
            for j, part_p in ((0, 1 - on), (1, on)):
                part, node = part_t * part_p, (t + i, (p + j) % n_phi)
                w = w + part[:, None, None] * log_weights[node]
                s = s + part[:, None, None, None] * log_covariances[node]
        weights = np.exp(w)
        return weights / weights.sum(-1, keepdims=True), matrix_exponential(s)

    def seen_as(self, detector: str, energies_kev: np.ndarray) -> "PsfLibrary":
        """Return the library of one detector for the photons of a spectrum.

        Parameters
        ----------
        detector : str
        energies_kev : (N,) array
            Energies of the photons [keV].

        Returns
        -------
        PsfLibrary
            With one detector and one energy, on nodes half as far apart.
        """
        thetas, phis = (
            np.sort(np.concatenate([v, v + step / 2]))
            for v, step in (
                (self.thetas[:-1], np.diff(self.thetas)),
                (self.phis, 360 / len(self.phis)),
            )
        )
        thetas = np.append(thetas, self.thetas[-1])
        theta, phi = (v.ravel() for v in np.meshgrid(thetas, phis, indexing="ij"))
        # On the axis one place stands for all azimuths.
        rest = slice(len(phis) - 1, None)
        weights, covariances = collapsed(
            *self.at(detector, theta[rest], phi[rest]), self.spectrum(energies_kev)
        )
        index = np.maximum(np.arange(len(theta)) - len(phis) + 1, 0)
        shape = 1, len(thetas), len(phis), 1, weights.shape[1]
        logs = (
            np.log(weights)[index].reshape(shape),
            matrix_logarithm(covariances)[index].reshape(*shape, 3),
        )
        energy = np.array([float(np.mean(energies_kev))])
        return PsfLibrary(
            detectors=(detector,),
            thetas=thetas,
            phis=phis,
            energies=energy,
            log_weights=logs[0],
            log_covariances=logs[1],
        )

    def spectrum(self, energies_kev: np.ndarray) -> np.ndarray:
        """Return the fraction of photons at each energy of the library, (E,).

        A photon counts for the two energies next to its own, linearly in log E. Photons beyond the
        first or the last energy count for that.

        Parameters
        ----------
        energies_kev : (N,) array
            [keV].
        """
        nodes = np.log(self.energies)
        place = np.interp(np.log(np.maximum(energies_kev, 1e-6)), nodes, np.arange(len(nodes)))
        left = np.minimum(place.astype(int), len(nodes) - 2)
        counts = np.bincount(left, left + 1 - place, len(nodes)) + np.bincount(
            left + 1, place - left, len(nodes)
        )
        return counts / counts.sum()


def _logarithms(sigma_major, sigma_minor, angle):
    """Return xx, xy, yy of the matrix logarithms of covariances with these axes, (N, 3)."""
    major, minor = 2 * np.log(sigma_major), 2 * np.log(sigma_minor)
    mean, half = (major + minor) / 2, (major - minor) / 2
    along, across = half * np.cos(2 * angle), half * np.sin(2 * angle)
    return np.stack([mean + along, across, mean - along], axis=1)


def matrix_exponential(flat: np.ndarray) -> np.ndarray:
    """Return the exponentials of symmetric matrices, (..., 2, 2).

    ``exp(L) = e**m (cosh d I + sinh d / d (L - m I))`` with m half of the trace and d half of the
    difference of the eigenvalues.

    Parameters
    ----------
    flat : (..., 3) array
        xx, xy and yy of the matrices.

    Examples
    --------
    >>> matrix_exponential(np.array([0.0, 0.0, np.log(4.0)])).round(6)
    array([[1., 0.],
           [0., 4.]])
    """
    mean, half = (flat[..., 0] + flat[..., 2]) / 2, (flat[..., 0] - flat[..., 2]) / 2
    gap = np.hypot(half, flat[..., 1])
    slope = np.where(gap > 1e-12, np.sinh(gap) / np.maximum(gap, 1e-12), 1.0)
    size, even = np.exp(mean), np.cosh(gap)
    xx, xy, yy = (
        size * (even + slope * half),
        size * slope * flat[..., 1],
        size * (even - slope * half),
    )
    return np.stack([xx, xy, xy, yy], axis=-1).reshape(*mean.shape, 2, 2)


def matrix_logarithm(covariances: np.ndarray) -> np.ndarray:
    """Return xx, xy and yy of the matrix logarithms of covariances, (..., 3).

    Parameters
    ----------
    covariances : (..., 2, 2) array
        Positive definite.

    Examples
    --------
    >>> matrix_logarithm(np.diag([1.0, np.e])).round(6)
    array([0., 0., 1.])
    """
    values, vectors = np.linalg.eigh(covariances)
    logs = (vectors * np.log(values)[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    return np.stack([logs[..., 0, 0], logs[..., 0, 1], logs[..., 1, 1]], axis=-1)
