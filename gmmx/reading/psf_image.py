"""Fit the image of a point source with Gaussians of one centre, as a PSF."""

import warnings
from dataclasses import dataclass

import numpy as np

from ..em.maximise import evaluate
from ..em.parameters import Parameters, Priors
from ..em.photons import PhotonLikelihood
from ..errors import GmmxWarning, InputError
from ..fitting.driver import fit
from ..model.mixture import Fixed, Mixture
from ..model.observation import Observation
from ..model.photons import Photons
from ..model.psf import PsfModel

# Largest number of Gaussians, and the error of the encircled energy at which fewer are enough.
MOST = 4
GOOD = 0.015
# Number of photons that the image is scaled to [photon]: those of a bright source, so that
# neither the priors of the fit nor the scale of the image matter.
LIGHT = 1e5
# Rounds of fit and shift of the centre, and the shift at which they end, in units of the
# narrowest Gaussian.
ROUNDS, SHIFT = 4, 0.02


@dataclass(frozen=True, eq=False, kw_only=True)
class PointSource:
    """The PSF that was fitted to the image of a point source.

    Attributes
    ----------
    psf : PsfModel
        The same everywhere.
    error : float
        Largest difference of the encircled energies of image and PSF, about the common centre.
    r50 : float
        Radius that holds half of the light of the image [arcsec].
    """

    psf: PsfModel
    error: float
    r50: float


def fit_point_source(values, grid, *, most=MOST, good=GOOD):
    """Fit the image of a point source with as few Gaussians as reproduce its encircled energy.

    The size of the pixels, ``p**2 / 12`` along each axis, is the PSF of this fit, so that it is
    taken out. The centre is where the likelihood is highest. It is then left out, because a PSF
    has no offset.

    Parameters
    ----------
    values : (ny, nx) array
        Light in each pixel, on any scale, at least 0.
    grid : PixelGrid
        Grid of the pixels [arcsec].
    most : int
        Largest number of Gaussians.
    good : float
        Error of the encircled energy at which no further Gaussian is added.

    Returns
    -------
    PointSource

    Raises
    ------
    InputError
        If a pixel is negative or none is positive.
    """
    values = np.where(np.isfinite(values), values, 0.0)
    if values.min() < 0 or not values.any():
        raise InputError("the image of a PSF must not be negative, and not be empty")
    x, y = (v[values > 0] for v in grid.centres())
    light = values[values > 0] * (LIGHT / values.sum())
    pixels = Observation(
        photons=Photons(x, y, weights=light),
        psf=PsfModel.constant(grid.step / np.sqrt(12)),
        name="point source",
    )
    centre, best = np.array([x[light.argmax()], y[light.argmax()]]), None
    core = max(_radius(light, np.hypot(x - centre[0], y - centre[1]), 0.4), grid.step / 2)
    # The PSF of a telescope is never one Gaussian; where one would do, two do as well.
    for m in range(2, most + 1):
        sigmas = core * 3.0 ** (np.arange(m) - 0.25)
        mixture, centre = _with_one_centre(pixels, centre, sigmas, min_sigma=grid.step / 20)
        error = _encircled_error(mixture, centre, grid, values)
        if best is None or error < best[1]:
            best = mixture, error
        if error < good:
            break
    mixture, error = best
    weights = mixture.fluxes / mixture.fluxes.sum()
    psf = PsfModel(
        grid=PsfModel.constant(1.0).grid,
        weights=weights[None, None],
        covariances=mixture.covariances[None, None],
    )
    r50 = _radius(light, np.hypot(x - centre[0], y - centre[1]), 0.5)
    return PointSource(psf=psf, error=float(error), r50=float(r50))


def _with_one_centre(pixels, centre, sigmas, *, min_sigma):
    """Fit Gaussians about one centre.

    The fit keeps means fixed, but cannot tie them to each other. So fits with fixed means
    alternate with shifts of all means together.

    Parameters
    ----------
    pixels : Observation
    centre : (2,) array
        Where the centre starts [arcsec].
    sigmas : (M,) array
        Standard deviations that the Gaussians start with [arcsec].
    min_sigma : float

    Returns
    -------
    mixture : Mixture
        From the narrowest to the widest.
    centre : (2,) array
    """
    m = len(sigmas)
    fluxes = np.append(0.8 ** np.arange(1, m), 1.0) * 0.25 ** np.arange(m)
    mixture = Mixture(
        fluxes=LIGHT * fluxes / fluxes.sum(),
        means=np.tile(centre, (m, 1)),
        covariances=sigmas[:, None, None] ** 2 * np.eye(2),
    )
    for _ in range(ROUNDS):
        mixture = _fitted_in_place(pixels, mixture, min_sigma)
        step = _shift(pixels, mixture, min_sigma)
        centre = mixture.means[0] + step
        mixture = Mixture(
            fluxes=mixture.fluxes,
            means=np.tile(centre, (len(mixture), 1)),
            covariances=mixture.covariances,
        )
        if np.hypot(*step) < SHIFT * sigmas[0]:
            break
    order = np.argsort(np.linalg.det(mixture.covariances))
    return mixture.select(order), centre


def _fitted_in_place(pixels, mixture, min_sigma):
    """Fit fluxes and covariances while the means stay fixed."""
    free, fixed = np.zeros(len(mixture), bool), np.ones(len(mixture), bool)
    with warnings.catch_warnings():
        # A fit that stops early, or loses a Gaussian, shows in the encircled energy.
        warnings.simplefilter("ignore", GmmxWarning)
        return fit(
            pixels,
            start=Mixture.empty(),
            fixed=(mixture, Fixed(fluxes=free, means=fixed, covariances=free)),
            n_components=len(mixture),
            min_sigma=min_sigma,
            prior_mean_count=0.0,
            prior_covariance_count=0.0,
            exchanges=0,
            tol=1.0,
            max_iter=200,
        ).mixture


def _shift(pixels, mixture, min_sigma):
    """Return the Newton step of a common centre, (2,) [arcsec]."""
    likelihood = PhotonLikelihood.of([pixels])
    parameters = Parameters(mixture=mixture, amplitudes=(np.zeros(0),))
    priors = Priors(mean_count=0.0, covariance_count=0.0, min_sigma=min_sigma)
    phase = likelihood.begin_phase(parameters, priors)
    slopes = evaluate(likelihood, parameters, phase).gradient.means.sum(0)
    curvature = (mixture.fluxes[:, None, None] * np.linalg.inv(mixture.covariances)).sum(0)
    return np.linalg.solve(curvature, slopes)


def _radius(light, radii, fraction):
    """Return the radius that holds a fraction of the light."""
    order = np.argsort(radii)
    running = np.cumsum(light[order])
    return radii[order][np.searchsorted(running, fraction * running[-1])]


def _encircled_error(mixture, centre, grid, values):
    """Return the largest difference of the light of image and mixture within any radius.

    The same pixels are summed in both, so that their size does not matter.
    """
    x, y = (v.ravel() for v in grid.centres())
    order = np.argsort(np.hypot(x - centre[0], y - centre[1]), kind="stable")
    wide = Mixture(
        fluxes=mixture.fluxes / mixture.fluxes.sum(),
        means=mixture.means,
        covariances=mixture.covariances + np.eye(2) * grid.cell_area / 12,
    )
    expected = wide.density(x[order], y[order]) * grid.cell_area
    difference = np.cumsum(values.ravel()[order] / values.sum() - expected)
    radii = np.hypot(x - centre[0], y - centre[1])[order]
    ends_of_rings = np.append(np.diff(radii) > 1e-6 * grid.step, True)
    return np.abs(difference[ends_of_rings]).max()
