"""Skies for the coverage of intervals: mixtures, beta-models that fill the field, cavities.

The truth of every sky is an image of its photons at full exposure, so that the flux of any region
is a sum of pixels. The numbers of photons are Poisson numbers.
"""

from dataclasses import dataclass, replace

# common makes the folder of the tests importable.
import common  # noqa: F401
import numpy as np
from irregular_skies import FINE, HALF, WIDER, _beta, _turned, cavities
from skies import drawn_photons, ellipse, observed, telescope

from gmmx.model.background import Background
from gmmx.model.drawing import pixel_means
from gmmx.model.mixture import Mixture
from gmmx.model.observation import Observation
from gmmx.plane.grid import PixelGrid

# Pixel of the true image, out to WIDER [arcsec].
PIXEL = 3.0
# Photons of most skies, and of the largest.
FEWEST, MOST, LARGEST = 5_000, 20_000, 150_000
N_HOLES = 12
BACKGROUND_FRACTION = 0.3
# Relative error of a background that was measured elsewhere.
MEASURED = 0.03


@dataclass(frozen=True, eq=False)
class CoverageSky:
    """Photons to fit, and the truth.

    Attributes
    ----------
    observation : Observation
    grid : PixelGrid
        Of the truth.
    truth : (ny, nx) array
        Signal photons at full exposure in each pixel.
    amplitude : float
        Of the background [photon / arcsec**2].
    mixture : Mixture or None
        The true components, if there are any.
    """

    observation: Observation
    grid: PixelGrid
    truth: np.ndarray
    amplitude: float
    mixture: Mixture | None = None


def truth_grid():
    """Pixels of the true image."""
    return PixelGrid.covering((-WIDER, WIDER), (-WIDER, WIDER), PIXEL)


def image_of(mixture, grid):
    """Photons of a mixture in each pixel."""
    image = pixel_means(mixture.fluxes, mixture.means, mixture.covariances, grid)
    return image * grid.cell_area


def mixture_sky(seed):
    """A mixture on a uniform background of 30 %: isolated, overlapping, masked and cut components.

    Of ten skies one has 9 to 15 components and up to 150,000 photons, the others 3 to 8 and at most
    20,000. Every third has one component about a hole, every fourth one across the edge.
    """
    rng = np.random.default_rng([4711, seed])
    is_large = seed % 10 == 9
    k = int(rng.integers(9, 16) if is_large else rng.integers(3, 9))
    n = _number(rng, MOST, LARGEST) if is_large else _number(rng)
    completeness, psf = telescope(rng, HALF, N_HOLES)
    sigmas = np.exp(rng.uniform(np.log(2.0), np.log(40.0), k))
    places = rng.uniform(-0.75 * HALF, 0.75 * HALF, (k, 2))
    if seed % 3 == 0:
        places[0] = _hole(completeness, rng)
        sigmas[0] = rng.uniform(5.0, 20.0)
    if seed % 4 == 0:
        places[1] = rng.permutation([rng.uniform(0.9, 1.02) * HALF, rng.uniform(-0.5, 0.5) * HALF])
        sigmas[1] = rng.uniform(10.0, 30.0)
    covariances = [ellipse(s, s * rng.uniform(0.5, 1), rng.uniform(0, np.pi)) for s in sigmas]
    fluxes = rng.dirichlet(np.full(k, 2.0)) + 0.02
    mixture = Mixture(fluxes=fluxes, means=places, covariances=np.array(covariances))
    drawn = rng.poisson(n)
    x, y, truth = drawn_photons(mixture, completeness, psf, drawn, rng)
    scale = n / drawn
    mixture = replace(truth.mixture, fluxes=truth.mixture.fluxes * scale).ordered()
    grid = truth_grid()
    return CoverageSky(
        observed(x, y, completeness, psf, "mixture"),
        grid,
        image_of(mixture, grid),
        float(truth.amplitudes[0][0] * scale),
        mixture,
    )


def _hole(completeness, rng):
    """The middle of a masked place."""
    rows, columns = np.nonzero(completeness.open_fraction < 0.01)
    i = rng.integers(len(rows))
    x, y = completeness.grid.centres()
    return x[rows[i], columns[i]], y[rows[i], columns[i]]


def beta_sky(seed):
    """A beta-model that fills the field; its background is free."""
    rng = np.random.default_rng([4712, seed])
    u, v = _turned(*_fine_positions(), rng.uniform(0, np.pi))
    image = _beta(u, v, rng.uniform(15, 40), rng.uniform(0.5, 0.7), rng.uniform(0.75, 1))
    return _sky_of_image(rng, image, "beta-model")


def cavity_sky(seed):
    """A beta-model with cavities and a cold front; its background is free."""
    rng = np.random.default_rng([4713, seed])
    return _sky_of_image(rng, cavities(rng, *_fine_positions()), "cavities")


def compact_sky(seed):
    """A beta-model that ends well inside the field; its background is free."""
    rng = np.random.default_rng([4715, seed])
    u, v = _turned(*_fine_positions(), rng.uniform(0, np.pi))
    image = _beta(u, v, rng.uniform(5, 12), rng.uniform(0.7, 0.9), rng.uniform(0.75, 1))
    return _sky_of_image(rng, image, "compact")


def prior_sky(seed):
    """The sky of `beta_sky`, with a prior of 3 % on its background."""
    sky, rng = beta_sky(seed), np.random.default_rng([4714, seed])
    error = MEASURED * sky.amplitude
    known = Background(prior=(sky.amplitude + error * rng.standard_normal(), error))
    return replace(sky, observation=replace(sky.observation, backgrounds=(known,)))


def held_sky(seed):
    """The sky of `beta_sky`, whose background is held at its true level."""
    sky = beta_sky(seed)
    known = Background(amplitude=sky.amplitude, fixed=True)
    return replace(sky, observation=replace(sky.observation, backgrounds=(known,)))


def _number(rng, fewest=FEWEST, most=MOST):
    """A number of photons, evenly distributed in its logarithm."""
    return float(np.exp(rng.uniform(np.log(fewest), np.log(most))))


def _fine_positions():
    side = round(2 * WIDER / FINE)
    return np.meshgrid(*[(np.arange(side) + 0.5) * FINE - WIDER] * 2)


def _sky_of_image(rng, image, name):
    """Draw the photons of an image, with a PSF, holes, vignetting and a background."""
    completeness, psf = telescope(rng, HALF, N_HOLES)
    reference, n = completeness.exposure.max(), _number(rng)
    x, y = _fine_positions()
    image = image / image.sum()
    seen = float((image * completeness.effective_at(x, y)).sum() / reference)
    area = completeness.effective.sum() * completeness.grid.cell_area / reference
    flux, amplitude = (1 - BACKGROUND_FRACTION) * n / seen, BACKGROUND_FRACTION * n / area
    cumulative = np.cumsum(image.ravel())
    m = rng.poisson(flux)
    pixel = np.searchsorted(cumulative, rng.uniform(0, cumulative[-1], m))
    places = np.stack([x.ravel()[pixel], y.ravel()[pixel]])
    places += rng.uniform(-FINE / 2, FINE / 2, (2, m))
    places += np.sqrt(psf.at(*places)[1][:, 0, 0, 0]) * rng.normal(size=(2, m))
    sky = rng.uniform(-HALF, HALF, (2, rng.poisson(amplitude * (2 * HALF) ** 2)))
    px, py = np.concatenate([places, sky], axis=1)
    keep = rng.uniform(size=len(px)) < completeness.effective_at(px, py) / reference
    every, side = round(PIXEL / FINE), round(2 * WIDER / PIXEL)
    truth = flux * image.reshape(side, every, side, every).sum((1, 3))
    observation = observed(px[keep], py[keep], completeness, psf, name)
    return CoverageSky(observation, truth_grid(), truth, float(amplitude))


KINDS = {
    "mixtures": mixture_sky,
    "beta": beta_sky,
    "cavities": cavity_sky,
    "compact": compact_sky,
    "prior": prior_sky,
    "held": held_sky,
}
