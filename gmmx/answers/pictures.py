"""Pictures from mixtures of pixels: densities, colours, and one colour for each component.

A mixture of a drawing has the columns x and y; one of a colour picture has x, y, red, green and
blue. The conditional mixture of the colours, given the place, colours a picture.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..errors import InputError
from ..model.samples import Samples
from .mixtures import component_log_terms, mixture_log_density
from .sample_parts import marginal

if TYPE_CHECKING:
    from ..model.samples_result import SamplesResult

PLACE, COLOURS = ("x", "y"), ("red", "green", "blue")
# Elements of the responsibilities, and pixels of a density, that are held at a time.
_ELEMENTS, _ROWS = 4_000_000, 1_000_000


class Compressed(NamedTuple):
    """A picture with one colour for each component.

    Attributes
    ----------
    picture : (ny, nx, 3) array
        Between 0 and 1.
    labels : (ny, nx) array of int
    bits_per_pixel : float
        Entropy of the labels and 24 bits for each colour, per pixel.
    psnr : float
        Peak signal-to-noise ratio against the picture that was fitted [dB].
    """

    picture: np.ndarray
    labels: np.ndarray
    bits_per_pixel: float
    psnr: float


def is_of_picture(result: SamplesResult) -> bool:
    """Whether a mixture was fitted to a drawing or to a colour picture."""
    return result.names in (PLACE, PLACE + COLOURS) and "picture_size" in result.options


def density_picture(
    result: SamplesResult, size: tuple[int, int] | None = None, *, points: int = 1
) -> np.ndarray:
    """Density of the places of a mixture on a grid of pixels, (ny, nx).

    Parameters
    ----------
    result : SamplesResult
    size : (int, int), optional
        nx and ny; by default those of the picture.
    points : int
        Points a side of each pixel over which the density is averaged; 1 is its centre.

    Returns
    -------
    (ny, nx) array
        Samples per pixel of the picture; row 0 is the top.
    """
    nx, ny = size or picture_size(result)
    places, step = marginal(result, PLACE), np.divide(picture_size(result), (nx, ny))
    offsets = (np.arange(points) + 0.5) / points - 0.5
    shifts = [step * (dx, dy) for dy in offsets for dx in offsets]
    values = [
        sum(np.exp(mixture_log_density(places, at + shift)) for shift in shifts) / len(shifts)
        for at in _chunks(result, (nx, ny), _ROWS)
    ]
    return np.concatenate(values).reshape(ny, nx) * result.mixture.fluxes.sum()


def colour_picture(
    result: SamplesResult, size: tuple[int, int] | None = None, *, most_probable: bool = False
) -> np.ndarray:
    """Colours that a mixture of a colour picture has at each place.

    The colour is the mean of the conditional mixture of the colours, given the place; or the mean
    of its most probable component.

    Parameters
    ----------
    result : SamplesResult
        With the columns x, y, red, green and blue.
    size : (int, int), optional
        nx and ny; by default those of the picture.
    most_probable : bool

    Returns
    -------
    (ny, nx, 3) array
        Between 0 and 1; row 0 is the top.
    """
    nx, ny = size or picture_size(result)
    chunks = _chunks(result, (nx, ny))
    found = [colours_at(result, at, most_probable=most_probable) for at in chunks]
    return np.concatenate(found).reshape(ny, nx, 3)


def colours_at(result: SamplesResult, places, *, most_probable: bool = False) -> np.ndarray:
    """Colours at given places, (n, 3): the conditional mean of the colours.

    ``E[c | x] = sum_k p_k(x) (mu_ck + Sigma_cxk Sigma_xxk^-1 (x - mu_xk))``.

    Raises
    ------
    InputError
        If the mixture has no colours.
    """
    _check_colours(result)
    parts = _shares(result, places)
    means, covariances = result.mixture.means, result.mixture.covariances
    # The slope of the colours over the places, (K, 3, 2).
    slopes = np.swapaxes(
        np.linalg.solve(covariances[:, :2, :2], np.swapaxes(covariances[:, 2:, :2], 1, 2)), 1, 2
    )
    at_zero = means[:, 2:] - np.einsum("kcx,kx->kc", slopes, means[:, :2])
    if most_probable:
        best = np.argmax(parts, axis=1)
        colours = at_zero[best] + np.einsum("ncx,nx->nc", slopes[best], places)
    else:
        tilts = (parts @ slopes.reshape(len(slopes), 6)).reshape(-1, 3, 2)
        colours = parts @ at_zero + np.einsum("ncx,nx->nc", tilts, places)
    return np.clip(colours, 0.0, 1.0)


def compressed(result: SamplesResult, original: np.ndarray) -> Compressed:
    """A picture whose pixels have the mean colour of their most probable component.

    Parameters
    ----------
    result : SamplesResult
        Of the colour picture.
    original : (ny, nx, 3) array
        The picture, row 0 at the top.
    """
    rows = original.reshape(-1, 3)
    places = np.concatenate(list(_chunks(result, original.shape[1::-1])))
    step = _step(result)
    labels = np.concatenate(
        [
            np.argmax(
                component_log_terms(result.mixture, Samples(x=np.hstack([places[i:j], rows[i:j]]))),
                axis=1,
            )
            for i, j in _bounds(len(rows), step)
        ]
    )
    return of_labels(labels.reshape(original.shape[:2]), original)


def clustered(original: np.ndarray, n_colours: int, rng: np.random.Generator) -> Compressed:
    """A picture with the colours of k-means clusters of its colours, to compare with."""
    from scipy.cluster.vq import kmeans2, vq

    rows = original.reshape(-1, 3)
    part = rows[rng.choice(len(rows), min(len(rows), 50 * n_colours), replace=False)]
    n_clusters = min(n_colours, len(np.unique(part, axis=0)))
    with warnings.catch_warnings():
        # scipy warns of empty clusters.
        warnings.simplefilter("ignore", UserWarning)
        centres, _ = kmeans2(part, n_clusters, minit="++", seed=rng, missing="warn")
    labels, _ = vq(rows, centres)
    return of_labels(labels.reshape(original.shape[:2]), original)


def of_labels(labels: np.ndarray, original: np.ndarray) -> Compressed:
    """A picture whose pixels have the mean colour of all pixels with their label.

    Examples
    --------
    >>> found = of_labels(np.array([[0, 0, 1, 1]]), np.array([[[0.0] * 3, [0.0] * 3] * 2]))
    >>> found.psnr, found.bits_per_pixel
    (inf, 13.0)
    """
    _, flat = np.unique(labels, return_inverse=True)
    flat, rows = flat.ravel(), original.reshape(-1, 3)
    counts = np.bincount(flat)
    sums = np.stack([np.bincount(flat, rows[:, i]) for i in range(3)], axis=1)
    # Colours of 8 bits in each channel, as they are counted and written.
    colours = np.rint(255 * sums / counts[:, None]) / 255
    picture = colours[flat].reshape(original.shape)
    shares = counts / counts.sum()
    bits = float(-(shares @ np.log2(shares))) + 24 * len(counts) / len(flat)
    return Compressed(picture, labels, bits, psnr(picture, original))


def original_picture(result: SamplesResult) -> np.ndarray:
    """The colour picture that a mixture was fitted to, (ny, nx, 3), row 0 at the top.

    Raises
    ------
    InputError
        If the mixture has no colours.
    """
    _check_colours(result)
    nx, ny = picture_size(result)
    return np.asarray(result.samples.x)[:, 2:].reshape(ny, nx, 3)


def psnr(picture: np.ndarray, original: np.ndarray) -> float:
    """Peak signal-to-noise ratio of a picture with values from 0 to 1 [dB].

    Examples
    --------
    >>> psnr(np.zeros((2, 2)), np.full((2, 2), 0.1)).__round__(6)
    20.0
    """
    square = float(np.mean((picture - original) ** 2))
    return float("inf") if square == 0 else -10 * float(np.log10(square))


def picture_size(result: SamplesResult) -> tuple[int, int]:
    """Width and height of the picture that a mixture was fitted to [pixel].

    Raises
    ------
    InputError
        If it was not fitted to a picture.
    """
    if not is_of_picture(result):
        raise InputError("the model is not one of a picture: fit a PNG, JPEG or TIFF")
    nx, ny = result.options["picture_size"]
    return int(nx), int(ny)


def _check_colours(result):
    if result.names != PLACE + COLOURS:
        raise InputError("the mixture has no colours: fit the picture with `colour`")


def _shares(result, places):
    """Probability of each component at given places, (n, K)."""
    parts = component_log_terms(marginal(result, PLACE), Samples(x=places))
    parts -= parts.max(axis=1)[:, None]
    np.exp(parts, out=parts)
    parts /= parts.sum(axis=1)[:, None]
    return parts


def _chunks(result, size, step=None):
    """Centres of the pixels of a grid over the picture, some at a time, from the top."""
    nx, ny = size
    width, height = picture_size(result)
    x = (np.arange(nx) + 0.5) * width / nx - 0.5
    y = ((np.arange(ny) + 0.5) * height / ny - 0.5)[::-1]
    for i, j in _bounds(nx * ny, step or _step(result)):
        row, column = np.divmod(np.arange(i, j), nx)
        yield np.column_stack([x[column], y[row]])


def _step(result):
    return max(1, _ELEMENTS // max(len(result.mixture), 1))


def _bounds(n, step):
    return [(i, min(i + step, n)) for i in range(0, n, step)]
