"""Pictures for a file: the tone of a density, contours, and scattered samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..config import PictureRenderConfig
from .picture_values import is_bright, is_of_image
from .pictures import COLOURS, colour_picture, colours_at, density_picture, picture_size

if TYPE_CHECKING:
    from ..model.samples_result import SamplesResult

# Colour of contours over a picture: red, green and blue.
_CONTOUR = (0.85, 0.15, 0.1)
# How strongly the tones log and asinh raise what is faint.
_LOG, _ASINH = 1000.0, 0.1


def rendered_picture(result: SamplesResult, config: PictureRenderConfig) -> np.ndarray:
    """The picture that a mixture of a picture describes.

    A drawing is dark where its density is 1 sample per pixel or more, as a black pixel is, and
    bright there if the fit was of bright pixels. The picture of a FITS image is white where its
    density is largest. A colour picture has the conditional colours.

    Parameters
    ----------
    result : SamplesResult
        Of a picture.
    config : PictureRenderConfig

    Returns
    -------
    (ny, nx, 3) array
        Between 0 and 1; row 0 is the top.
    """
    if has_colours(result):
        picture = toned(
            colour_picture(result, config.size, most_probable=config.most_probable), config
        )
        levels = picture.mean(axis=2)
    else:
        density = density_picture(result, config.size)
        if is_of_image(result):
            density /= max(density.max(), 1e-300)
        levels = toned(density, config)
        grey = levels if is_bright(result) else 1 - levels
        picture = np.repeat(grey[..., None], 3, axis=2)
    if config.contours:
        picture[contour_pixels(levels, config.contours)] = _CONTOUR
    return picture


def scattered(
    result: SamplesResult,
    n: int,
    rng: np.random.Generator,
    *,
    size: tuple[int, int] | None = None,
    colours: str = "draw",
) -> np.ndarray:
    """A picture of samples that are drawn from a mixture of a picture.

    Parameters
    ----------
    result : SamplesResult
        Of a picture.
    n : int
        Number of samples.
    rng : numpy.random.Generator
    size : (int, int), optional
        nx and ny; by default those of the picture.
    colours : {"draw", "expectation", "most-probable"}
        Whether the colour is drawn from the conditional mixture of the colours at its place, or
        is its mean, or that of its most probable component.

    Returns
    -------
    (ny, nx, 3) array
        White, but for the samples of a colour picture or of dark pixels; black for bright pixels.
    """
    width, height = picture_size(result)
    nx, ny = size or (width, height)
    drawn = result.sample(n, rng)
    column = np.floor((drawn[:, 0] + 0.5) * nx / width).astype(int)
    row = ny - 1 - np.floor((drawn[:, 1] + 0.5) * ny / height).astype(int)
    inside = (column >= 0) & (column < nx) & (row >= 0) & (row < ny)
    bright = is_bright(result)
    picture = np.full((ny, nx, 3), 0.0 if bright else 1.0)
    if not has_colours(result):
        values = np.full((n, 3), 1.0 if bright else 0.0)
    elif colours == "draw":
        values = np.clip(drawn[:, 2:], 0.0, 1.0)
    else:
        values = colours_at(result, drawn[:, :2], most_probable=colours == "most-probable")
    picture[row[inside], column[inside]] = values[inside]
    return picture


def toned(values: np.ndarray, config: PictureRenderConfig) -> np.ndarray:
    """Values between 0 and 1 by the tone of the options.

    Examples
    --------
    >>> toned(np.array([0.0, 0.1, 1.0, 3.0]), PictureRenderConfig()).tolist()
    [0.0, 0.1, 1.0, 1.0]
    >>> toned(np.array([0.0, 0.1, 1.0]), PictureRenderConfig(tone="log")).round(2).tolist()
    [0.0, 0.67, 1.0]
    >>> toned(np.array([0.0, 0.1]), PictureRenderConfig(tone="piecewise:0:0,0.2:1")).tolist()
    [0.0, 0.5]
    """
    # Loaded here because that takes a tenth of a second.
    from astropy.visualization import AsinhStretch, LogStretch

    if config.curve:
        return np.interp(values, *np.transpose(config.curve))
    clipped = np.clip(values, 0.0, 1.0)
    if config.tone == "log":
        return LogStretch(_LOG)(clipped)
    return AsinhStretch(_ASINH)(clipped) if config.tone == "asinh" else clipped


def contour_pixels(values: np.ndarray, n: int) -> np.ndarray:
    """Pixels on which contours lie, at n levels that divide the range from 0 to 1 evenly.

    Examples
    --------
    >>> contour_pixels(np.array([[0.0, 0.2, 0.9, 1.0]]), 1).tolist()
    [[False, True, False, False]]
    """
    steps = np.digitize(values, np.arange(1, n + 1) / (n + 1))
    found = np.zeros(values.shape, bool)
    found[:, :-1] |= steps[:, :-1] != steps[:, 1:]
    found[:-1] |= steps[:-1] != steps[1:]
    return found


def has_colours(result: SamplesResult) -> bool:
    """Whether a mixture has the columns of colours."""
    return result.names[2:] == COLOURS
