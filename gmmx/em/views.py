"""Components as the telescope shows them: each is convolved with the PSF averaged over it."""

from dataclasses import dataclass

import numpy as np

from .._kernels.information import scores
from .._kernels.tiles import Views
from ..model.pyramid import square
from .likelihood import GaussianSums
from .parameters import Priors

# A phase is valid until the smallest variance of a view has fallen by this factor.
_NARROWED = 2.25


@dataclass(frozen=True, eq=False, kw_only=True)
class ComponentPsf:
    """The PSF of one observation, averaged over each component, and where to integrate it.

    Attributes
    ----------
    weights : (K, M) array
        c, summing to 1 over M.
    covariances : (K, M, 2, 2) array
        S [arcsec**2].
    levels : (K M,) integers
        Level of the completeness pyramid for each view.
    narrowest : (K, M) array
        Smallest variance of each view when the levels were chosen [arcsec**2].
    """

    weights: np.ndarray
    covariances: np.ndarray
    levels: np.ndarray
    narrowest: np.ndarray

    @classmethod
    def of(cls, prepared, mixture):
        """The PSF of a prepared observation, averaged over the components of a mixture."""
        k, psf = len(mixture), prepared.observation.psf
        if psf is None:
            weights, covariances = np.ones((k, 1)), np.zeros((k, 1, 2, 2))
        elif k == 0:
            weights, covariances = np.ones((0, 1)), np.zeros((0, 1, 2, 2))
        else:
            weights, covariances = psf.averaged(mixture.means, mixture.covariances)
        totals = mixture.covariances[:, None] + covariances
        levels = (
            np.zeros(weights.size, np.int64)
            if prepared.pyramid is None
            else prepared.pyramid.levels(totals.reshape(-1, 2, 2))
        )
        return cls(
            weights=weights,
            covariances=covariances,
            levels=levels,
            narrowest=_smallest_variance(totals),
        )

    def totals(self, mixture):
        """T = Sigma + S of each view, (K M, 2, 2) [arcsec**2]."""
        return (mixture.covariances[:, None] + self.covariances).reshape(-1, 2, 2)

    def views(self, mixture):
        """The components as the telescope shows them."""
        totals = self.totals(mixture)
        determinant = totals[:, 0, 0] * totals[:, 1, 1] - totals[:, 0, 1] ** 2
        precisions = (
            np.stack([totals[:, 1, 1], -totals[:, 0, 1], totals[:, 0, 0]], axis=1)
            / determinant[:, None]
        )
        # A PSF Gaussian of zero weight must not become log(0) in the kernels.
        log_coefficients = (
            np.log(np.maximum((mixture.fluxes[:, None] * self.weights).ravel(), 1e-300))
            - 0.5 * np.log(determinant)
            - np.log(2 * np.pi)
        )
        m = self.weights.shape[1]
        return Views(log_coefficients, np.repeat(mixture.means, m, axis=0), precisions, m)

    def exposures(self, prepared, views, totals):
        """Moments e0, e1, e2 of the completeness under each view, (K M, 6)."""
        if prepared.pyramid is not None:
            return prepared.pyramid.moments(views.means, totals, self.levels)
        ones, zeros = np.ones(len(totals)), np.zeros((len(totals), 2))
        return np.column_stack([ones, zeros, totals[:, 0, 0], totals[:, 0, 1], totals[:, 1, 1]])

    def scores(self, prepared, amplitude, parameters, phase, stride):
        """Scores of some photons by the components and this observation's own backgrounds.

        Parameters
        ----------
        prepared : Prepared
        amplitude : (n_b,) array
        parameters : Parameters
        phase : PhotonPhase
        stride : int
            Every stride-th photon is taken. They lie in the order of their tiles, so that these
            sample the sky evenly.

        Returns
        -------
        (n, 6 K + n_b) array
            Times sqrt(stride w_i).
        """
        chosen = prepared.every(stride)
        views = self.views(parameters.mixture)
        roots = np.linalg.cholesky(parameters.scales(phase))
        roots = np.repeat(roots, views.per_component, axis=0)
        slopes = np.swapaxes(roots, 1, 2) @ np.linalg.inv(self.totals(parameters.mixture))
        curvatures = slopes @ roots
        packed = np.stack([curvatures[:, 0, 0], curvatures[:, 0, 1], curvatures[:, 1, 1]], axis=1)
        return scores(
            prepared.x[chosen],
            prepared.y[chosen],
            np.sqrt(stride * prepared.weights[chosen]),
            amplitude[:, None] * prepared.ratios[:, chosen],
            views,
            np.ascontiguousarray(slopes),
            packed,
        )

    def deconvolved(self, moments, mixture):
        """Moments of where the photons came from, summed over the PSF's Gaussians.

        With ``G = Sigma T^-1`` these are n0, G n1 and G n2 G^T + n0 (Sigma - G Sigma) (Bovy et
        al. 2011, equations 16 and 17, summed over photons).

        Parameters
        ----------
        moments : (K, M, 6) array
            Of the views, about the components' means.
        mixture : Mixture

        Returns
        -------
        GaussianSums
        """
        covariances = mixture.covariances
        gains = covariances[:, None] @ np.linalg.inv(covariances[:, None] + self.covariances)
        first = np.einsum("kmij,kmj->ki", gains, moments[..., 1:3])
        rest = covariances[:, None] - gains @ covariances[:, None]
        second = (
            gains @ square(moments[..., 3:]) @ np.swapaxes(gains, 2, 3)
            + moments[..., 0, None, None] * rest
        ).sum(1)
        second = (second + np.swapaxes(second, 1, 2)) / 2
        return GaussianSums(moments[..., 0].sum(1), first, second)


@dataclass(frozen=True, eq=False, kw_only=True)
class PhotonPhase:
    """PSF averages, pyramid levels and prior scales, all of which a phase keeps fixed.

    Attributes
    ----------
    psfs : tuple of ComponentPsf
        One for each observation.
    prior_scales : (K,) array
        S_k: squared radius of the PSF's core, of the sharpest observation [arcsec**2].
    priors : Priors
    """

    psfs: tuple
    prior_scales: np.ndarray
    priors: Priors

    def is_valid(self, parameters):
        """Whether no view has narrowed by more than a factor 1.5 since its level was chosen."""
        covariances = parameters.mixture.covariances[:, None]
        return not any(
            np.any(_smallest_variance(covariances + psf.covariances) * _NARROWED < psf.narrowest)
            for psf in self.psfs
        )


def _smallest_variance(covariances):
    """Smaller eigenvalue of symmetric 2 x 2 matrices, without the iterations of `eigvalsh`."""
    a, b, c = covariances[..., 0, 0], covariances[..., 0, 1], covariances[..., 1, 1]
    half = np.sqrt((a - c) ** 2 / 4 + b * b)
    return np.maximum((a * c - b * b) / ((a + c) / 2 + half), 0)
