"""A mixture's picture on a grid, blurred or not, as means over pixels: what growing and rendering share.

The mean of a Gaussian over a pixel is, up to the fourth cumulant of the pixel's box, the value at the pixel's centre of a Gaussian that is wider by the box's
own covariance: in units of the pixel, T + I/12. What is left out is ``(d^4/dx^4 + d^4/dy^4) N / 2880``, for a smallest standard deviation s at most
``2 s**-4 / 960`` of the peak: 1.3e-4 at s = 2. A Gaussian narrower than that is drawn on pixels split into parts until it is not, so flux is conserved
whatever its size.
"""

import numpy as np

from .._kernels.raster import draw_gaussians

# Smallest standard deviation in (parts of) pixels at which a Gaussian is drawn by its values.
_SHARP = 2.0
# A Gaussian narrower than 1/128 of a pixel is drawn that wide: its centre still counts to 1/128 of a pixel.
_MAX_SPLIT = 256


def blurred(mixture, psf):
    """The views of a mixture through a PSF: every component convolved with every Gaussian of its blur, ``T_km = Sigma_k + <S>_km``.

    Parameters
    ----------
    mixture : Mixture
    psf : PsfModel or None
        None: no blur, one view per component.

    Returns
    -------
    fluxes : (K M,) array
        F_k c_km [photon]; views of a component are neighbours.
    means : (K M, 2) array
        [arcsec].
    covariances : (K M, 2, 2) array
        [arcsec**2].
    """
    if psf is None:
        return mixture.fluxes, mixture.means, mixture.covariances
    shares, blurs = psf.averaged(mixture.means, mixture.covariances)
    n = psf.n_gaussians
    covariances = mixture.covariances[:, None] + blurs
    return (
        (mixture.fluxes[:, None] * shares).ravel(),
        np.repeat(mixture.means, n, axis=0),
        covariances.reshape(-1, 2, 2),
    )


def pixel_means(fluxes, means, covariances, grid):
    """Surface brightness of a sum of Gaussians, the mean over each pixel, (ny, nx) [photon / arcsec**2].

    Within 1.3e-4 of a Gaussian's highest pixel of the exact integral, and cut at 6 sigma: a Gaussian on the grid keeps its flux to 1e-7. The answer does not
    depend on the number of threads.

    Parameters
    ----------
    fluxes : (V,) array
        Integrals [photon].
    means : (V, 2) array
        Centres [arcsec].
    covariances : (V, 2, 2) array
        [arcsec**2].
    grid : PixelGrid
        May be turned and sheared.
    """
    ny, nx = grid.shape
    if len(fluxes) == 0:
        return np.zeros((ny, nx))
    centres = np.stack(grid.to_pixels(means[:, 0], means[:, 1]), axis=1)
    inside = grid.inverse @ covariances @ grid.inverse.T
    narrowest = np.sqrt(np.linalg.eigvalsh(inside)[:, 0].clip(0))
    splits = np.clip(np.ceil(_SHARP / np.maximum(narrowest, 1e-9)), 1, _MAX_SPLIT).astype(np.int64)
    spare = np.maximum((_SHARP / splits) ** 2 - narrowest**2, 0)
    # Each part's own box; a Gaussian too narrow for the finest parts is widened to them.
    inside = inside + (1 / (12.0 * splits**2) + np.where(splits == _MAX_SPLIT, spare, 0))[
        :, None, None
    ] * np.eye(2)
    inverses = np.linalg.inv(inside)
    # Photons per pixel at the centre, over the pixel's area.
    peaks = fluxes * np.sqrt(np.linalg.det(inverses)) / (2 * np.pi * grid.cell_area)
    return draw_gaussians(
        peaks,
        centres,
        np.stack([inverses[:, 0, 0], inverses[:, 0, 1], inverses[:, 1, 1]], axis=1),
        splits,
        ny,
        nx,
    )
