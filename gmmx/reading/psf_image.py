"""From the picture of a point source to a PSF: a mixture of Gaussians with a common centre, fitted to its pixels."""

import warnings
from dataclasses import dataclass

import numpy as np

from ..em.maximise import evaluate
from ..em.parameters import Parameters, Priors
from ..em.photons import PhotonLikelihood
from ..errors import GmmxWarning, InputError
from ..fitting.driver import fit_mixture
from ..model.mixture import Fixed, Mixture
from ..model.observation import Observation
from ..model.photons import Photons
from ..model.psf import PsfModel

# Gaussians at most; fewer where the encircled energy is met to this.
MOST = 4
GOOD = 0.015
# Photons that the picture counts as.
LIGHT = 1e5
# The picture must be larger than the source: half of the light within this share of its pixels, and of its side.
COMPACT_AREA = 0.10
COMPACT_SIDE = 0.15


def is_compact(values):
    """Whether an image (ny, nx) shows one compact, peaked source, as a map of radii over a field never does.

    The brightest pixels that hold half of the sum take less than a tenth of the image, and lie within a seventh of its side from their centroid (root mean
    square). In a map of radii, which change by little from pixel to pixel and grow outwards, such pixels are a third of the field or more, all around it.
    """
    values = np.where(np.isfinite(values), values, 0.0)
    if values.min() < 0 or values.max() <= 0 or min(values.shape) < 8:
        return False
    order = np.argsort(-values, axis=None)
    running = np.cumsum(values.ravel()[order])
    bright = order[: int(np.searchsorted(running, running[-1] / 2)) + 1]
    if len(bright) > COMPACT_AREA * values.size:
        return False
    iy, ix = np.unravel_index(bright, values.shape)
    weights = values.ravel()[bright] / values.ravel()[bright].sum()
    spread = sum(weights @ (i - weights @ i) ** 2 for i in (ix, iy))
    return bool(np.sqrt(spread) < COMPACT_SIDE * min(values.shape))


@dataclass(frozen=True, eq=False, kw_only=True)
class PointSource:
    """What the picture of a point source comes to.

    Attributes
    ----------
    psf : PsfModel
        The same everywhere.
    error : float
        Largest difference of encircled energy between picture and mixture, about the common centre.
    r50 : float
        Radius that holds half of the picture's light [arcsec].
    """

    psf: PsfModel
    error: float
    r50: float


def fit_point_source(values, grid, *, most=MOST, good=GOOD):
    """Fit the picture of a point source: as few Gaussians as meet its encircled energy to `good`, at most `most`.

    The pixels' own size is taken out: they are the blur of this fit, ``p**2 / 12`` per axis. The centre is the one at which the likelihood peaks; a PSF has no
    offset, so it is then left out.

    Parameters
    ----------
    values : (ny, nx) array
        Light in each pixel, on any scale, at least 0.
    grid : PixelGrid
        Where the pixels are [arcsec].

    Raises
    ------
    InputError
        When a pixel is negative or none is positive.
    """
    values = np.where(np.isfinite(values), values, 0.0)
    if values.min() < 0 or not values.any():
        raise InputError("the picture of a PSF must not be negative, and not be empty")
    x, y = (v[values > 0] for v in grid.centres())
    # As many photons as a bright source has: the priors of the fit are then of no weight, nor is the picture's scale.
    light = values[values > 0] * (LIGHT / values.sum())
    pixels = Observation(
        photons=Photons(x, y, weights=light),
        psf=PsfModel.constant(grid.step / np.sqrt(12)),
        name="point source",
    )
    centre, best = np.array([x[light.argmax()], y[light.argmax()]]), None
    core = max(_radius(light, np.hypot(x - centre[0], y - centre[1]), 0.4), grid.step / 2)
    # One Gaussian never does for a telescope, and where it would two do as well.
    for m in range(2, most + 1):
        mixture, centre = _with_one_centre(
            pixels, centre, core * 3.0 ** (np.arange(m) - 0.25), min_sigma=grid.step / 20
        )
        error = _encircled_error(mixture, centre, grid, values)
        if best is None or error < best[1]:
            best = mixture, error
        if error < good:
            break
    mixture, error = best
    weights = mixture.fluxes / mixture.fluxes.sum()
    one = PsfModel.constant(1.0).grid
    psf = PsfModel(
        grid=one, weights=weights[None, None], covariances=mixture.covariances[None, None]
    )
    return PointSource(
        psf=psf,
        error=float(error),
        r50=float(_radius(light, np.hypot(x - centre[0], y - centre[1]), 0.5)),
    )


def _with_one_centre(pixels, centre, sigmas, *, min_sigma, rounds=4):
    """The best mixture of Gaussians about one centre, from given standard deviations, and that centre."""
    m = len(sigmas)
    shares = np.append(0.8 ** np.arange(1, m), 1.0) * 0.25 ** np.arange(m)
    mixture = Mixture(
        fluxes=LIGHT * shares / shares.sum(),
        means=np.tile(centre, (m, 1)),
        covariances=sigmas[:, None, None] ** 2 * np.eye(2),
    )
    nothing, held = np.zeros(m, bool), np.ones(m, bool)
    options = {
        "min_sigma": min_sigma,
        "prior_mean_count": 0.0,
        "prior_covariance_count": 0.0,
        "exchanges": 0,
        "tol": 1.0,
        "max_iter": 200,
    }
    for _ in range(rounds):
        # The engine holds means where they are, but does not tie them to each other: they are held, and moved together by Newton's step.
        with warnings.catch_warnings():
            # A few iterations short of the end, or a Gaussian that came to nothing, show in the encircled energy.
            warnings.simplefilter("ignore", GmmxWarning)
            fitted = fit_mixture(
                pixels,
                init=Mixture.empty(),
                fixed=(mixture, Fixed(fluxes=nothing, means=held, covariances=nothing)),
                n_components=m,
                **options,
            )
        mixture = fitted.mixture
        likelihood = PhotonLikelihood.of([pixels])
        parameters = Parameters(mixture=mixture, amplitudes=(np.zeros(0),))
        priors = Priors(mean_count=0.0, covariance_count=0.0, min_sigma=min_sigma)
        phase = likelihood.begin_phase(parameters, priors)
        slopes = evaluate(likelihood, parameters, phase).gradient.means.sum(0)
        step = np.linalg.solve(
            (mixture.fluxes[:, None, None] * np.linalg.inv(mixture.covariances)).sum(0), slopes
        )
        centre = mixture.means[0] + step
        mixture = Mixture(
            fluxes=mixture.fluxes,
            means=np.tile(centre, (len(mixture), 1)),
            covariances=mixture.covariances,
        )
        m = len(mixture)
        nothing, held = nothing[:m], held[:m]
        if np.hypot(*step) < 0.02 * sigmas[0]:
            break
    order = np.argsort(np.linalg.det(mixture.covariances))
    return mixture.select(order), centre


def _radius(light, radii, share):
    """Radius that holds a share of the light."""
    order = np.argsort(radii)
    running = np.cumsum(light[order])
    return radii[order][np.searchsorted(running, share * running[-1])]


def _encircled_error(mixture, centre, grid, values):
    """Largest difference of the light of picture and mixture within any radius: the same pixels are summed, so that their size does not matter."""
    x, y = (v.ravel() for v in grid.centres())
    order = np.argsort(np.hypot(x - centre[0], y - centre[1]), kind="stable")
    wide = Mixture(
        fluxes=mixture.fluxes / mixture.fluxes.sum(),
        means=mixture.means,
        covariances=mixture.covariances + np.eye(2) * grid.cell_area / 12,
    )
    expected = wide.density(x[order], y[order]) * grid.cell_area
    difference = np.cumsum(values.ravel()[order] / values.sum() - expected)
    # Where a ring of pixels ends.
    radii = np.hypot(x - centre[0], y - centre[1])[order]
    return np.abs(difference[np.append(np.diff(radii) > 1e-6 * grid.step, True)]).max()
