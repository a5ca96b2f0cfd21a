"""Counts images whose pixels do not hold the counts of photons."""

from collections.abc import Iterator

import numpy as np

from .evidence import Evidence

# Photons from which the scatter of an image is known well enough.
LEAST_PHOTONS = 500
# Scatter of neighbouring pixels over their mean, which is 1 or more for counts; and standard
# deviations below it from which a warning is due.
SMOOTHED, SIGNIFICANT = 0.8, 6.0


def smoothed(e: Evidence) -> Iterator[str]:
    """Compare the differences of neighbouring pixels with their sums.

    For counts n of Poisson's law the expectation of (n1 - n2)**2 is that of n1 + n2, plus
    the square of the difference of the means, whatever the image. The ratio of the sums over all
    pairs in a row is therefore 1 or more. Smoothing takes the scatter away. A warning is due below
    0.8 and 6 standard deviations under 1.
    """
    ratio, error = _scatter(e)
    if ratio is not None and ratio < min(SMOOTHED, 1 - SIGNIFICANT * error):
        yield (
            f"{e.name}: neighbouring pixels scatter by {ratio:.2g} of what counts do: the image "
            "is smoothed, scaled down or background-subtracted, and errors would be too small: "
            "give the counts image as it was binned"
        )


def multiplied(e: Evidence) -> Iterator[str]:
    """Look for a factor that all pixels share.

    Of 500 photons, some pixel holds an odd number: that all are even by chance in spite of
    pixels with few photons has a probability below 2**-100.
    """
    if not e.is_image or len(e.recorded.photons) < LEAST_PHOTONS / 5:
        return
    least = float(e.recorded.photons.weights.min())
    ratios = e.recorded.photons.weights / least
    if least != 1 and np.allclose(ratios, np.round(ratios), rtol=0, atol=1e-4):
        yield (
            f"{e.name}: all pixels are multiples of {least:g}: the counts are scaled, so that "
            "their errors are not those of counts: give the counts image as it was binned"
        )


def _scatter(e):
    """Return the scatter of neighbouring pixels over the expected, and its error."""
    if not e.is_image or e.recorded.n_photons < LEAST_PHOTONS:
        return None, None
    pixels, photons = e.recorded.pixels, e.recorded.photons
    counts = np.zeros(pixels.shape)
    ix, iy, _ = pixels.locate(photons.x, photons.y)
    counts[iy, ix] = photons.weights
    left, right = counts[:, :-1:2], counts[:, 1::2]
    n = min(left.shape[1], right.shape[1])
    difference, total = (left[:, :n] - right[:, :n]) ** 2, left[:, :n] + right[:, :n]
    if total.sum() <= 0:
        return None, None
    # The variance of (n1 - n2)**2 - (n1 + n2) is 2 m**2 for m = n1 + n2.
    error = np.sqrt(2 * np.maximum(total**2, total).sum()) / total.sum()
    return float(difference.sum() / total.sum()), float(error)
