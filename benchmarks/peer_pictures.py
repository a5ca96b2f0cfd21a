"""Images without a model: exposure-divided Gaussian smoothing, and Richardson-Lucy.

Masked holes are filled from their surroundings. Both images are as good as they can be: the
background is subtracted at its true amplitude, the width of the smoothing and the number of
iterations are those whose result is nearest to the truth, and Richardson-Lucy begins at the
smoothed image.
"""

import time
from dataclasses import dataclass
from itertools import islice

import numpy as np
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.ndimage import gaussian_filter

# Sigmas of the smoothing that are tried [arcsec].
WIDTHS = (1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12, 16)
MOST_ITERATIONS = 30
# Pixels with less than this fraction of the largest exposure are not covered.
LEAST_EXPOSURE = 0.02


@dataclass(frozen=True, eq=False)
class Picture:
    """An image of surface brightness on the truth's grid.

    Attributes
    ----------
    name : str
    values : (ny, nx) array
        [photon/cm^2/s/arcsec^2].
    setting : str
        The best setting.
    seconds : float
        Time to make this image [s].
    iterations : int
    """

    name: str
    values: np.ndarray
    setting: str
    seconds: float
    iterations: int


def filled_counts(observation, grid, reach=8.0):
    """Counts and exposure of each pixel; masked pixels get the counts of their surroundings.

    The exposure is the number of counts per unit of surface brightness.
    """
    x, y = grid.centres()
    exposure = observation.completeness.exposure_at(x, y) * grid.cell_area
    seen = exposure * ~observation.masks.contains(x.ravel(), y.ravel()).reshape(x.shape)
    photons = observation.photons
    counts = grid.histogram(photons.x, photons.y, photons.weights)
    sigma = reach / grid.step
    smooth = np.maximum(gaussian_filter(seen, sigma), 1e-12 * exposure.max())
    around = gaussian_filter(counts * (seen > 0), sigma) / smooth
    return np.where(seen > 0, counts, around * exposure), exposure


def smoothed(counts, exposure, background, grid, width):
    """Smoothed counts over smoothed exposure, less the background."""
    sigma = width / grid.step
    below = gaussian_filter(exposure, sigma)
    covered = below > LEAST_EXPOSURE * exposure.max()
    brightness = gaussian_filter(counts, sigma) / np.where(covered, below, 1) - background
    return np.where(covered, brightness, 0)


def mean_psf(observation, grid, shape):
    """Fourier transform of the PSF averaged over the photons, on a padded grid."""
    weights, covariances = observation.psf.at(observation.photons.x, observation.photons.y)
    variances = np.quantile(
        np.sqrt(np.linalg.det(covariances)).ravel(),
        (np.arange(20) + 0.5) / 20,
        method="inverted_cdf",
        weights=weights.ravel(),
    )
    scale = 2 * np.pi / grid.step
    rows, columns = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])
    u = (scale * rows) ** 2 + (scale * columns) ** 2
    return np.mean([np.exp(-u * v / 2) for v in variances], axis=0)


def richardson_lucy(counts, exposure, background, transfer, shape, image):
    """Iterates of Richardson (1972) and Lucy (1974) from a first image.

    Exposure and background are part of the model.
    """

    def convolved(image):
        return irfft2(rfft2(image, shape) * transfer, shape)[: image.shape[0], : image.shape[1]]

    norm = convolved(exposure)
    covered = norm > LEAST_EXPOSURE * exposure.max()
    image = np.maximum(image, 1e-3 * background) * covered
    while True:
        model = exposure * (convolved(image) + background)
        ratio = np.where(model > 0, counts / np.where(model > 0, model, 1), 0)
        correction = np.maximum(convolved(exposure * ratio), 0) / np.where(covered, norm, 1)
        image = np.where(covered, image * correction, 0)
        yield image


def pictures(observation, grid, background, difference):
    """Make both images of an observation, each with its best setting.

    Parameters
    ----------
    observation : Observation
    grid : PixelGrid
    background : float
        True surface brightness of the background.
    difference : callable
        From an image to the number that the best setting makes smallest.

    Yields
    ------
    Picture
    """
    counts, exposure = filled_counts(observation, grid)
    candidates = [
        (difference(smoothed(counts, exposure, background, grid, width)), width) for width in WIDTHS
    ]
    width = min(candidates)[1]
    began = time.perf_counter()
    values = smoothed(*filled_counts(observation, grid), background, grid, width)
    yield Picture("smoothing", values, f'sigma {width:g}"', time.perf_counter() - began, 1)

    shape = tuple(next_fast_len(n + int(60 / grid.step), real=True) for n in counts.shape)
    transfer = mean_psf(observation, grid, shape)
    # From a flat image the empty sky would take so many iterations that the noise grows.
    images = richardson_lucy(counts, exposure, background, transfer, shape, values)
    began, best = time.perf_counter(), None
    for n, image in enumerate(islice(images, MOST_ITERATIONS), start=1):
        spent = time.perf_counter() - began
        found = difference(image)
        if best is None or found < best[0]:
            best = found, Picture("Richardson-Lucy", image, f"{n} iterations", spent, n)
        # The comparison with the truth is not timed.
        began = time.perf_counter() - spent
    yield best[1]
