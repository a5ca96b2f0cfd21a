"""The PSF of Chandra's mirrors on ACIS: a library of Gaussian mixtures by off-axis angle, azimuth and energy, and the PSF of a pointing made from it.

Detector axes: +DX is +DETX and +DY is +DETY of an event file. With X, Y west and north of the pointing in its tangent plane,
``DX = X cos(ROLL_PNT) - Y sin(ROLL_PNT)``, ``DY = X sin(ROLL_PNT) + Y cos(ROLL_PNT)``, theta = |D|, phi = atan2(DY, DX). A direction at an angle a from +DX
towards +DY is at a - ROLL_PNT from west towards north.
"""

from dataclasses import dataclass

import numpy as np

from .._arrays import read_only
from ..errors import InputError
from ..model.psf import PsfModel
from ..plane.frame import SkyFrame
from ..plane.grid import PixelGrid

# Distance of the nodes [arcsec]: bilinear interpolation between them costs 0.001 of encircled energy in the median over a field, 0.004 within 3' of the axis
# (0.02 at worst), and 0.003 nat per photon at worst.
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
        read_only(self, thetas=("T",), phis=("P",), energies=("E",))
        shape = len(self.detectors), len(self.thetas), len(self.phis), len(self.energies)
        read_only(
            self, log_weights=(*shape, "M"), log_covariances=(*shape, self.log_weights.shape[-1], 3)
        )

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
        log_covariances[d, t, p, e, m] = np.stack(
            [
                mean + half * np.cos(2 * turn),
                half * np.sin(2 * turn),
                mean - half * np.cos(2 * turn),
            ],
            axis=1,
        )
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
        log_weights, log_covariances = (
            a[self.detectors.index(detector)] for a in (self.log_weights, self.log_covariances)
        )
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

    def seen_as(self, detector, energies_kev):
        """The library of one detector and one energy that stands for photons of a spectrum, on nodes half as far apart; energies (N,) [keV]."""
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
            _logarithm(covariances)[index].reshape(*shape, 3),
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

    def spectrum(self, energies_kev):
        """Share of photons that goes to each of the library's energies, (E,): linear in log E between neighbours, the ends taking what lies beyond."""
        nodes = np.log(self.energies)
        place = np.interp(np.log(np.maximum(energies_kev, 1e-6)), nodes, np.arange(len(nodes)))
        left = np.minimum(place.astype(int), len(nodes) - 2)
        counts = np.bincount(left, left + 1 - place, len(nodes)) + np.bincount(
            left + 1, place - left, len(nodes)
        )
        return counts / counts.sum()


def _exponential(flat):
    """Exponentials (..., 2, 2) of symmetric matrices (..., 3): ``e**m (cosh d I + sinh d / d (L - m I))``, m half the trace, d half the eigenvalues' gap."""
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


def collapsed(weights, covariances, spectrum, *, rounds=8):
    """One mixture of M Gaussians that stands for the sum over energies, at n places.

    It begins with the mean of each role, ``c_m = sum_E w_E c_mE``, ``S_m = sum_E w_E c_mE S_mE / c_m``; but at 2' to 4' off axis the roles change with energy,
    and this alone errs by up to 0.1 in encircled energy. A few steps of expectation maximisation against the sum itself, with integrals by quadrature, bring
    that to 0.004 in the median and 0.02 at worst, for spectra between 0.8 and 5 keV. Their number is fixed and their start smooth: so is the outcome over the
    field, which a search for the best would not be.

    Parameters
    ----------
    weights, covariances : (n, E, M) and (n, E, M, 2, 2) arrays
    spectrum : (E,) array
        w_E, summing to 1.
    rounds : int

    Returns
    -------
    weights, covariances : (n, M) and (n, M, 2, 2) arrays
    """
    shares = weights * spectrum[:, None]
    total = shares.sum(1)
    spread = (shares[..., None, None] * covariances).sum(1) / total[..., None, None]
    if np.count_nonzero(spectrum) == 1:
        return total, spread
    shares = shares[:, spectrum > 0].reshape(len(weights), -1)
    points, shares = _quadrature(shares, covariances[:, spectrum > 0].reshape(*shares.shape, 2, 2))
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
        # A point so far out that no Gaussian has any density there counts for nothing.
        terms *= (shares / np.maximum(terms.sum(-1), 1e-300))[..., None]
        total = terms.sum(1)
        xx, xy, yy = np.moveaxis(np.swapaxes(terms, 1, 2) @ squares / total[..., None], -1, 0)
        spread = np.stack([xx, xy, xy, yy], axis=-1).reshape(*total.shape, 2, 2)
    return total / total.sum(1, keepdims=True), spread


def _quadrature(shares, covariances, *, n_radii=8, n_angles=12):
    """Points (n, Q, 2) and their weights (n, Q) for integrals of even functions over sums of centred Gaussians: shares (n, J), covariances (n, J, 2, 2).

    Gauss-Legendre in the encircled share, equal steps over half a turn; every circle is turned by another angle, lest a Gaussian that is fitted to the points
    collapse onto a line of them.
    """
    inside, steps = np.polynomial.legendre.leggauss(n_radii)
    radii = np.sqrt(-2 * np.log((1 - inside) / 2))
    first = np.mod(0.618 * np.arange(shares.shape[1])[:, None] + 0.6495 * np.arange(n_radii), 1.0)
    angles = (first[..., None] + np.arange(n_angles)) * np.pi / n_angles
    unit = np.stack(
        [radii[:, None] * np.cos(angles), radii[:, None] * np.sin(angles)], axis=-1
    ).reshape(shares.shape[1], -1, 2)
    points = unit @ np.swapaxes(np.linalg.cholesky(covariances), -1, -2)
    return points.reshape(len(shares), -1, 2), (
        shares[..., None] * np.repeat(steps / 2 / n_angles, n_angles)
    ).reshape(len(shares), -1)


def _logarithm(covariances):
    """xx, xy, yy of the matrix logarithms of covariances, (..., 3)."""
    values, vectors = np.linalg.eigh(covariances)
    logs = (vectors * np.log(values)[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    return np.stack([logs[..., 0, 0], logs[..., 0, 1], logs[..., 1, 1]], axis=-1)


def pointing_psf(
    library, detector, *, frame, pointing, roll, x_range, y_range, energies_kev=None, step=NODE_STEP
):
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
    energies_kev = np.array([USUAL_ENERGY]) if energies_kev is None else energies_kev
    library = library.seen_as(detector, energies_kev)
    grid = PixelGrid.covering(
        (x_range[0] - step, x_range[1] + step), (y_range[0] - step, y_range[1] + step), step
    )
    x, y = (v.ravel() for v in grid.centres())
    axis = SkyFrame(*pointing, frame.radesys)
    west, north = axis.to_plane(*frame.to_sky(x, y))
    sine, cosine = np.sin(np.radians(roll)), np.cos(np.radians(roll))
    dx, dy = west * cosine - north * sine, west * sine + north * cosine
    # At 90 degrees from the axis there is nothing to be seen.
    theta, phi = (
        np.nan_to_num(np.hypot(dx, dy) / 60, nan=np.inf),
        np.nan_to_num(np.degrees(np.arctan2(dy, dx))),
    )
    weights, covariances = (values[:, 0] for values in library.at(detector, theta, phi))
    # From detector axes to those of the pointing's plane, and from there to those of the frame, where north may be elsewhere.
    turn = np.radians(np.nan_to_num(frame.north(x, y) - axis.north(west, north)) - roll)
    rotation = np.stack([np.cos(turn), -np.sin(turn), np.sin(turn), np.cos(turn)], axis=1).reshape(
        -1, 1, 2, 2
    )
    covariances = rotation @ covariances @ np.swapaxes(rotation, -1, -2)
    m = weights.shape[-1]
    return PsfModel(
        grid=grid,
        weights=weights.reshape(*grid.shape, m),
        covariances=covariances.reshape(*grid.shape, m, 2, 2),
    )
