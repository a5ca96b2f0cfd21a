"""Samples from the pixels of a picture: of a PNG, JPEG or TIFF file, or of a FITS image."""

from dataclasses import dataclass, field
from os import PathLike

import numpy as np

from ..config import DRAWING_THRESHOLD, IMAGE_THRESHOLD, PictureOptions
from ..errors import DataError, InputError
from ..io.fits_pictures import is_fits, read_fits_picture
from ..io.pictures import brightness, is_picture, read_picture
from ..model.samples import Samples

# Names of the coordinates of a pixel, and of its colours.
PLACE, COLOURS = ("x", "y"), ("red", "green", "blue")
# Half of a step between two of 256 levels: a colour is known no better.
_LEVEL = 0.5 / 255
_GREY = "picture: all its colours are greys, so that red, green and blue say the same"


@dataclass(frozen=True, eq=False, kw_only=True)
class PictureInput:
    """The samples of a picture, and what is needed to draw it.

    Attributes
    ----------
    samples : Samples
        With the columns x and y [pixel], and red, green and blue between 0 and 1 for `colour`.
    facts : dict
        picture_size (nx, ny); picture_bright, whether bright pixels are the samples; and for a
        FITS image picture_scale, the value of a pixel of weight 1, picture_unit and picture_wcs.
    lines : tuple of str
        What was taken, for the user.
    """

    samples: Samples
    facts: dict = field(default_factory=dict)
    lines: tuple[str, ...] = ()


def read_picture_samples(path: str | PathLike, options: PictureOptions) -> Samples:
    """Read a picture as samples; see `read_picture_input`.

    Examples
    --------
    >>> from gmmx.io.pictures import write_picture
    >>> write_picture("dots.png", np.array([[1.0, 0.0], [0.0, 1.0]]))
    >>> read_picture_samples("dots.png", PictureOptions()).x
    array([[1., 1.],
           [0., 0.]])
    """
    return read_picture_input(path, options).samples


def read_picture_input(path: str | PathLike, options: PictureOptions) -> PictureInput:
    """Read a picture as samples: dark pixels of a drawing, or all pixels with their colours.

    The centre of the lower left pixel is at (0, 0), and y runs upwards. Each sample of a drawing
    has its darkness as its weight, between 0 and 1. The samples of a FITS image are its bright
    pixels. Their weights are their values over the mean of all of them.

    Parameters
    ----------
    path : str or Path
        The name or the number of an extension of a FITS file may follow in brackets.
    options : PictureOptions

    Returns
    -------
    PictureInput

    Raises
    ------
    DataError
        If the file is no picture, is too large, has one colour only, or no pixel is dark.
    InputError
        If the colours of a FITS image are asked for.

    Examples
    --------
    >>> from gmmx.config import PictureOptions
    >>> found = read_picture_input("data_samples/expmap.fits.gz", PictureOptions(picture=True))
    >>> found.facts["picture_unit"]
    'cm**2 s'
    """
    # FITS under the name of a picture is read as FITS only if the file is called a picture.
    if (options.picture or not is_picture(path)) and is_fits(path):
        return _of_fits(path, options)
    return _of_colours(path, options) if options.colour else _of_drawing(path, options)


def _of_colours(path, options):
    """All pixels of a picture, with their colours."""
    for name in ("threshold", "invert"):
        if getattr(options, name) != getattr(PictureOptions, name):
            raise InputError(
                f"{path}: with `colour` all pixels are samples: leave `{name}` out", parameter=name
            )
    rgb = _read(path)
    ny, nx, _ = rgb.shape
    is_grey = float(np.ptp(rgb, axis=2).max()) < _LEVEL
    return PictureInput(
        samples=_samples(path, np.ones((ny, nx), bool), colours=rgb.reshape(-1, 3)),
        facts={"picture_size": (nx, ny), "picture_bright": False},
        lines=(_GREY,) if is_grey else (),
    )


def _of_drawing(path, options):
    """The dark pixels of a drawing, or its bright ones."""
    rgb = _read(path)
    ny, nx, _ = rgb.shape
    threshold = DRAWING_THRESHOLD if options.threshold is None else options.threshold
    dark = brightness(rgb) if options.invert else 1 - brightness(rgb)
    drawn = dark > max(threshold, _LEVEL)
    kind = "bright" if options.invert else "dark"
    if not drawn.any():
        raise DataError(
            f"{path}: no pixel is {kind} by more than {threshold:g}: lower `threshold`, or "
            "change `invert`",
            parameter="threshold",
        )
    line = f"picture: {nx} x {ny} pixels, of which {drawn.sum():,} are {kind} by more than "
    return PictureInput(
        samples=_samples(path, drawn, weights=dark[drawn]),
        facts={"picture_size": (nx, ny), "picture_bright": options.invert},
        lines=(f"{line}{threshold:g}",),
    )


def _read(path):
    """Red, green and blue of a picture of more than one colour."""
    rgb = read_picture(path)
    if np.all(np.ptp(rgb, axis=(0, 1)) < _LEVEL):
        raise DataError(f"{path}: all pixels have one colour: there is nothing to fit")
    return rgb


def _of_fits(path, options):
    """The samples of a FITS image."""
    if options.colour:
        raise InputError(
            f"{path}: a FITS image has one value for each pixel: leave `colour` out",
            parameter="colour",
        )
    image = read_fits_picture(path)
    values, lines = image.values[::-1], list(_lines_of(image))
    known = np.isfinite(values)
    if not known.any():
        raise DataError(f"{path}: no pixel of {image.place} holds a number")
    if np.ptp(values[known]) == 0:
        raise DataError(
            f"{path}: all pixels of {image.place} have one value: there is nothing to fit"
        )
    if options.invert:
        values = values[known].max() - values
        lines.append("samples: dark pixels (`invert`); the weight is the largest value less theirs")
    weights = np.where(known, values, 0.0)
    if weights.max() <= 0:
        raise DataError(
            f"{path}: no pixel of {image.place} is above 0: are its values logarithms? Pixels are "
            "weighted with their values: give an image of what adds up, or `invert`"
        )
    threshold = IMAGE_THRESHOLD if options.threshold is None else options.threshold
    drawn = weights > threshold * weights.max()
    scale = float(weights[drawn].mean())
    lines.append(_left_out(values, known, threshold))
    ny, nx = values.shape
    return PictureInput(
        samples=_samples(path, drawn, weights=weights[drawn] / scale),
        facts={
            "picture_size": (nx, ny),
            "picture_bright": not options.invert,
            "picture_scale": scale,
            "picture_unit": image.unit,
            "picture_wcs": image.cards,
        },
        lines=tuple(lines),
    )


def _lines_of(image):
    """What was read of a FITS file, for the user."""
    ny, nx = image.values.shape
    known = image.values[np.isfinite(image.values)]
    low, high = (known.min(), known.max()) if known.size else (np.nan, np.nan)
    unit = f" {image.unit}" if image.unit else ", without BUNIT"
    yield f"picture: {image.place}, {nx} x {ny} pixels, from {low:.4g} to {high:.4g}{unit}"
    if image.others:
        yield (
            f"picture: the file holds other images, {', '.join(image.others)}: FILE[NAME] takes one"
        )
    if image.holds_counts:
        yield "picture: its unit is counts, whose photons are fitted without `picture`"


def _left_out(values, known, threshold):
    """How many pixels are samples, and why the others are not."""
    n_negative = int((values[known] < 0).sum())
    n_zero = int((values[known] == 0).sum())
    faint = (values[known] > 0) & (values[known] <= threshold * values[known].max())
    counts = {
        "are not numbers": int((~known).sum()),
        "are negative": n_negative,
        "are zero": n_zero,
        f"are at most {threshold:g} of the largest": int(faint.sum()),
    }
    left = [f"{count:,} {why}" for why, count in counts.items() if count]
    n = values.size - sum(counts.values())
    out = f"; left out: {', '.join(left)}" if left else ""
    return f"samples: {n:,} of {values.size:,} pixels, weighted with their values{out}"


def _samples(path, drawn, weights=None, colours=None):
    """Samples at the pixels of a mask, whose row 0 is the top."""
    ny, nx = drawn.shape
    for axis, name in ((0, "column"), (1, "row")):
        if np.count_nonzero(drawn.any(axis=axis)) < 2:
            raise DataError(
                f"{path}: all pixels to fit lie in one {name}, so that a mixture has no width: "
                "give a picture with more of them"
            )
    y, x = np.mgrid[ny - 1 : -1 : -1, 0:nx].astype(float)
    place = np.column_stack([x[drawn], y[drawn]])
    if colours is not None:
        return Samples(x=np.hstack([place, colours]), names=(*PLACE, *COLOURS))
    return Samples(x=place, weights=weights, names=PLACE)
