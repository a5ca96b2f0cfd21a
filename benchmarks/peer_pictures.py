"""The pictures that people make today of a ray-traced observation: exposure-divided Gaussian smoothing, and Richardson-Lucy.

Masked holes are filled from their surroundings. The background is subtracted at its true level, the width of the smoothing and the number of iterations are
those whose result is nearest to the truth, and Richardson-Lucy begins at the smoothed picture: as good as these pictures can be.
"""

import time
from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.ndimage import gaussian_filter

WIDTHS = (1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12, 16)
MOST_ITERATIONS = 30


@dataclass(frozen=True)
class Picture:
    """Surface brightness on the truth's grid [photon / cm**2 / s / arcsec**2], the setting that was best, and what it took."""

    name: str
    values: np.ndarray
    setting: str
    seconds: float
    iterations: int


def filled_counts(observation, grid, reach=8.0):
    """Counts and exposure [counts / surface brightness] per pixel; masked pixels hold what their surroundings suggest."""
    x, y = grid.centres()
    exposure = observation.completeness.exposure_at(x, y) * grid.cell_area
    seen = exposure * ~observation.masks.contains(x.ravel(), y.ravel()).reshape(x.shape)
    counts = grid.histogram(
        observation.photons.x, observation.photons.y, observation.photons.weights
    )
    around = gaussian_filter(counts * (seen > 0), reach / grid.step) / np.maximum(
        gaussian_filter(seen, reach / grid.step), 1e-12 * exposure.max()
    )
    return np.where(seen > 0, counts, around * exposure), exposure


def smoothed(counts, exposure, background, grid, width):
    """Smoothed counts over smoothed exposure, less the background."""
    sigma = width / grid.step
    below = gaussian_filter(exposure, sigma)
    covered = below > 0.02 * exposure.max()
    return np.where(
        covered, gaussian_filter(counts, sigma) / np.where(covered, below, 1) - background, 0
    )


def mean_psf(observation, grid, shape):
    """Transform of the blur averaged over the photons, on a padded grid; the identity's is 1."""
    weights, covariances = observation.psf.at(observation.photons.x, observation.photons.y)
    variances = np.quantile(
        np.sqrt(np.linalg.det(covariances)).ravel(),
        (np.arange(20) + 0.5) / 20,
        method="inverted_cdf",
        weights=weights.ravel(),
    )
    u = (2 * np.pi / grid.step * np.fft.fftfreq(shape[0])[:, None]) ** 2 + (
        2 * np.pi / grid.step * np.fft.rfftfreq(shape[1])
    ) ** 2
    return np.mean([np.exp(-u * v / 2) for v in variances], axis=0)


def richardson_lucy(counts, exposure, background, transfer, shape, sky):
    """Iterates of Richardson (1972) and Lucy (1974) from a first image, with exposure and background in the model."""

    def blurred(image):
        return irfft2(rfft2(image, shape) * transfer, shape)[: image.shape[0], : image.shape[1]]

    share = blurred(exposure)
    covered = share > 0.02 * exposure.max()
    sky = np.maximum(sky, 1e-3 * background) * covered
    while True:
        model = exposure * (blurred(sky) + background)
        ratio = np.where(model > 0, counts / np.where(model > 0, model, 1), 0)
        sky = np.where(
            covered, sky * np.maximum(blurred(exposure * ratio), 0) / np.where(covered, share, 1), 0
        )
        yield sky


def pictures(observation, grid, background, difference):
    """Both pictures of an observation, each at the setting that brings `difference` (image to number) lowest."""
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
    began, best = time.perf_counter(), None
    # From a flat image the blank sky takes so many iterations that the noise has grown by then.
    for n, sky in zip(
        range(1, MOST_ITERATIONS + 1),
        richardson_lucy(counts, exposure, background, transfer, shape, values),
        strict=False,
    ):
        spent = time.perf_counter() - began
        found = difference(sky)
        if best is None or found < best[0]:
            best = found, Picture("Richardson-Lucy", sky, f"{n} iterations", spent, n)
        # The clock stands still while the truth is looked at.
        began = time.perf_counter() - spent
    yield best[1]
