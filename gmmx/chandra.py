"""The PSF of Chandra's mirrors on ACIS: a library of Gaussian mixtures by off-axis angle, azimuth and energy, and the PSF of a pointing made from it.

Detector axes: +DX is +DETX and +DY is +DETY of an event file. With X, Y west and north of the pointing in its tangent plane,
``DX = X cos(ROLL_PNT) - Y sin(ROLL_PNT)``, ``DY = X sin(ROLL_PNT) + Y cos(ROLL_PNT)``, theta = |D|, phi = atan2(DY, DX). A direction at an angle a from +DX
towards +DY is at a - ROLL_PNT from west towards north.
"""

from dataclasses import dataclass

import numpy as np

from ._arrays import freeze
from .errors import InputError
from .grid import PixelGrid, SkyFrame
from .psf import PsfModel

# Distance of the nodes [arcsec]: bilinear interpolation between them costs at most 0.004 of encircled energy and 0.002 nat per photon.
NODE_STEP = 20.0
# Where energies are not known [keV].
USUAL_ENERGY = 1.5
# Variance per axis that event positions have beyond the library's, which has EDSER's 0.06 arcsec, by the keyword PIX_ADJ [arcsec**2]: photons at the centres of
# pixels of 0.492 arcsec, and photons scattered over them.
PIXEL_VARIANCE = {"EDSER": 0.0, "NONE": 0.142**2 - 0.06**2, "RANDOMIZE": 0.20**2 - 0.06**2}


@dataclass(frozen=True, eq=False, kw_only=True)
class PsfLibrary:
    """Gaussian mixtures with a common centre on nodes of off-axis angle, azimuth and energy, for each detector.

    Attributes
    ----------
    detectors : tuple of str
        D names.
    thetas : (T,) array
        Off-axis angles, rising from 0 [arcmin].
    phis : (P,) array
        Azimuths, in equal steps from 0 [deg].
    energies : (E,) array
        Rising [keV].
    log_weights : (D, T, P, E, M) array
        Logarithms of the shares, which sum to 1 over M; components in the order core, body, far wing.
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
        freeze(self, thetas=("T",), phis=("P",), energies=("E",))
        shape = len(self.detectors), len(self.thetas), len(self.phis), len(self.energies)
        freeze(self, log_weights=(*shape, "M"), log_covariances=(*shape, self.log_weights.shape[-1], 3))

    @classmethod
    def of(cls, *, detector, theta, phi, energy, component, weight, sigma_major, sigma_minor, pa):
        """The library of a table, by columns (N,): one row per component, `pa` the major axis from +DETX towards +DETY [deg]; theta = 0 holds for every phi.

        Raises
        ------
        InputError
            When rows are missing.
        """
        detectors, d = np.unique(detector, return_inverse=True)
        axes = [np.unique(v, return_inverse=True) for v in (theta, phi, energy, component)]
        (thetas, t), (phis, p), (energies, e), (numbers, m) = axes
        shape = len(detectors), len(thetas), len(phis), len(energies), len(numbers)
        log_weights, log_covariances = np.full(shape, np.nan), np.full((*shape, 3), np.nan)
        log_weights[d, t, p, e, m] = np.log(weight)
        turn, (major, minor) = np.radians(pa), (2 * np.log(s) for s in (sigma_major, sigma_minor))
        mean, half = (major + minor) / 2, (major - minor) / 2
        log_covariances[d, t, p, e, m] = np.stack([mean + half * np.cos(2 * turn), half * np.sin(2 * turn), mean - half * np.cos(2 * turn)], axis=1)
        for values in (log_weights, log_covariances):
            values[:, 0] = values[:, 0, :1]
        if np.isnan(log_weights).any():
            raise InputError(f"a PSF library of {len(theta)} rows does not fill its {shape} nodes")
        names = tuple(str(name) for name in detectors)
        return cls(detectors=names, thetas=thetas, phis=phis, energies=energies, log_weights=log_weights, log_covariances=log_covariances)

    def at(self, detector, theta, phi):
        """Weights (n, E, M) and covariances (n, E, M, 2, 2) [arcsec**2] in detector axes at n places, for each of the library's energies.

        Linear in theta and phi, component by component, of log-weight and matrix logarithm: sizes and angles themselves would not do, because angles wrap and
        turn half as fast as phi. Beyond the last theta the values there are taken.

        Parameters
        ----------
        detector : str
        theta : (n,) array
            [arcmin].
        phi : (n,) array
            [deg].
        """
        log_weights, log_covariances = (a[self.detectors.index(detector)] for a in (self.log_weights, self.log_covariances))
        theta, n_phi = np.clip(theta, self.thetas[0], self.thetas[-1]), len(self.phis)
        t = np.clip(np.searchsorted(self.thetas, theta, side="right") - 1, 0, len(self.thetas) - 2)
        up = (theta - self.thetas[t]) / (self.thetas[t + 1] - self.thetas[t])
        turn = np.mod(phi, 360.0) * n_phi / 360.0
        p = np.minimum(turn.astype(int), n_phi - 1)
        on = turn - p
        w, s = 0.0, 0.0
        for i, share_t in ((0, 1 - up), (1, up)):
            for j, share_p in ((0, 1 - on), (1, on)):
                share, node = share_t * share_p, (t + i, (p + j) % n_phi)
                w = w + share[:, None, None] * log_weights[node]
                s = s + share[:, None, None, None] * log_covariances[node]
        weights = np.exp(w)
        return weights / weights.sum(-1, keepdims=True), _exponential(s)

    def spectrum(self, energies_kev):
        """Share of photons that goes to each of the library's energies, (E,): linear in log E between neighbours, the ends taking what lies beyond."""
        nodes = np.log(self.energies)
        place = np.interp(np.log(np.maximum(energies_kev, 1e-6)), nodes, np.arange(len(nodes)))
        left = np.minimum(place.astype(int), len(nodes) - 2)
        counts = np.bincount(left, left + 1 - place, len(nodes)) + np.bincount(left + 1, place - left, len(nodes))
        return counts / counts.sum()


def _exponential(flat):
    """Exponentials (..., 2, 2) of symmetric matrices (..., 3): ``e**m (cosh d I + sinh d / d (L - m I))``, m half the trace, d half the eigenvalues' gap."""
    mean, half = (flat[..., 0] + flat[..., 2]) / 2, (flat[..., 0] - flat[..., 2]) / 2
    gap = np.hypot(half, flat[..., 1])
    slope = np.where(gap > 1e-12, np.sinh(gap) / np.maximum(gap, 1e-12), 1.0)
    size, even = np.exp(mean), np.cosh(gap)
    xx, xy, yy = size * (even + slope * half), size * slope * flat[..., 1], size * (even - slope * half)
    return np.stack([xx, xy, xy, yy], axis=-1).reshape(*mean.shape, 2, 2)


def collapsed(weights, covariances, spectrum):
    """One mixture of M for all energies, by roles: ``c_m = sum_E w_E c_mE``, ``S_m = sum_E w_E c_mE S_mE / c_m``.

    The mixture of all E M Gaussians has the same second moment. Its encircled energy differs by less than 0.01 at any place and spectrum between 0.8 and 5 keV:
    the roles change slowly with energy.

    Parameters
    ----------
    weights, covariances : (..., E, M) and (..., E, M, 2, 2) arrays
    spectrum : (E,) array
        w_E, summing to 1.
    """
    shares = weights * spectrum[:, None]
    total = shares.sum(-2)
    return total, (shares[..., None, None] * covariances).sum(-4) / total[..., None, None]


def pointing_psf(library, detector, *, frame, pointing, roll, x_range, y_range, energies_kev=None, step=NODE_STEP):
    """The PSF of a pointing over a rectangle in the plane, for photons of the spectrum that is seen.

    Parameters
    ----------
    library : PsfLibrary
    detector : str
        "ACIS-I" or "ACIS-S".
    frame : SkyFrame
        The plane that the PSF is wanted in.
    pointing : (float, float)
        RA_PNT and DEC_PNT, the optical axis [deg].
    roll : float
        ROLL_PNT [deg].
    x_range, y_range : (float, float)
        The rectangle [arcsec].
    energies_kev : (N,) array, optional
        Energies of photons, each counting as one; `USUAL_ENERGY` alone without any.
    step : float
        Distance of the nodes [arcsec].

    Returns
    -------
    PsfModel
        M = 3 Gaussians per node. Weights are shares of what falls within 60 arcsec of a source.
    """
    grid = PixelGrid.covering((x_range[0] - step, x_range[1] + step), (y_range[0] - step, y_range[1] + step), step)
    x, y = (v.ravel() for v in grid.centres())
    axis = SkyFrame(*pointing, frame.radesys)
    west, north = axis.to_plane(*frame.to_sky(x, y))
    sine, cosine = np.sin(np.radians(roll)), np.cos(np.radians(roll))
    dx, dy = west * cosine - north * sine, west * sine + north * cosine
    # At 90 degrees from the axis there is nothing to be seen.
    theta, phi = np.nan_to_num(np.hypot(dx, dy) / 60, nan=np.inf), np.nan_to_num(np.degrees(np.arctan2(dy, dx)))
    weights, covariances = library.at(detector, theta, phi)
    energies_kev = [USUAL_ENERGY] if energies_kev is None or len(energies_kev) == 0 else energies_kev
    weights, covariances = collapsed(weights, covariances, library.spectrum(energies_kev))
    # From detector axes to those of the pointing's plane, and from there to those of the frame, where north may be elsewhere.
    turn = np.radians(np.nan_to_num(frame.north(x, y) - axis.north(west, north)) - roll)
    rotation = np.stack([np.cos(turn), -np.sin(turn), np.sin(turn), np.cos(turn)], axis=1).reshape(-1, 1, 2, 2)
    covariances = rotation @ covariances @ np.swapaxes(rotation, -1, -2)
    m = weights.shape[-1]
    return PsfModel(grid=grid, weights=weights.reshape(*grid.shape, m), covariances=covariances.reshape(*grid.shape, m, 2, 2))
