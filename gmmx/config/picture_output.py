"""Options of the pictures that are drawn from a mixture of a picture."""

import re
from dataclasses import dataclass
from itertools import pairwise

from ..errors import InputError
from ._checks import Options, require_bool, require_text, require_whole

# Curves from a density, or the brightness of a colour, to how strongly it is drawn.
TONES = ("linear", "log", "asinh")
_MOST_CONTOURS, _MOST_PIXELS = 30, 40_000_000


@dataclass(frozen=True, kw_only=True, repr=False)
class PictureRenderConfig(Options):
    """Options of `gmmx render` for the mixture of a picture.

    Parameters
    ----------
    grid_size : str, optional
        Width and height of the picture, such as "1000x800" [pixel]; by default those of the
        picture that was fitted.
    tone : str
        "linear", "log", "asinh", or "piecewise:X0:Y0,X1:Y1,..." with rising X: the curve from a
        density in samples per pixel, or a colour between 0 and 1, to what is drawn.
    contours : int
        Number of contours.
    most_probable : bool
        Whether a place has the colour of its most probable component, instead of the mean over
        all components.

    Examples
    --------
    >>> PictureRenderConfig(grid_size="1000x800").size
    (1000, 800)
    >>> PictureRenderConfig(tone="piecewise:0:0,0.2:0.7,1:1").curve
    ((0.0, 0.0), (0.2, 0.7), (1.0, 1.0))
    """

    grid_size: str | None = None
    tone: str = "linear"
    contours: int = 0
    most_probable: bool = False

    def __post_init__(self):
        require_text(self, "grid_size", "tone")
        require_whole(self, 0, "contours")
        require_bool(self, "most_probable")
        if self.contours > _MOST_CONTOURS:
            raise InputError(
                f"`contours` = {self.contours}: give at most {_MOST_CONTOURS}",
                parameter="contours",
            )
        parsed_size(self.grid_size)
        if self.tone not in TONES:
            parsed_tone(self.tone)

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height [pixel]; None for those of the picture that was fitted."""
        return parsed_size(self.grid_size)

    @property
    def curve(self) -> tuple[tuple[float, float], ...]:
        """The points of a tone that is given by points; empty for the others."""
        return () if self.tone in TONES else parsed_tone(self.tone)


@dataclass(frozen=True, kw_only=True, repr=False)
class CompressConfig(Options):
    """Options of `gmmx compress`.

    Parameters
    ----------
    beside : bool
        Whether the picture of the k-means clusters stands at the right of that of the mixture.
    seed : int
        Seed of the k-means clusters.
    """

    beside: bool = False
    seed: int = 0

    def __post_init__(self):
        require_bool(self, "beside")
        require_whole(self, 0, "seed")


def parsed_size(text: str | None) -> tuple[int, int] | None:
    """Width and height of a grid [pixel].

    Raises
    ------
    InputError
        If the text is not WIDTHxHEIGHT, or there would be too many pixels.

    Examples
    --------
    >>> parsed_size("40x30")
    (40, 30)
    """
    if text is None:
        return None
    found = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", text.strip())
    nx, ny = (int(part) for part in found.groups()) if found else (0, 0)
    if not 0 < nx * ny <= _MOST_PIXELS:
        raise InputError(
            f"`grid_size` = {text}: write WIDTHxHEIGHT, such as 1000x800, with at most "
            f"{_MOST_PIXELS:,} pixels",
            parameter="grid_size",
        )
    return nx, ny


def parsed_tone(text: str) -> tuple[tuple[float, float], ...]:
    """The points of a piecewise tone.

    Raises
    ------
    InputError
        If it is no known tone, or the points do not rise from left to right.

    Examples
    --------
    >>> parsed_tone("piecewise:0:0,1:1")
    ((0.0, 0.0), (1.0, 1.0))
    """
    kind, _, rest = text.partition(":")
    try:
        points = tuple(
            (float(x), float(y)) for x, y in (part.split(":") for part in rest.split(","))
        )
        rising = all(a[0] < b[0] for a, b in pairwise(points))
        if kind != "piecewise" or len(points) < 2 or not rising:
            raise ValueError
        if not all(0 <= y <= 1 and abs(x) < 1e9 for x, y in points):
            raise ValueError
    except ValueError:
        raise InputError(
            f"`tone` = {text}: choose {', '.join(TONES)}, or piecewise:X0:Y0,X1:Y1,... with rising "
            "X, and Y between 0 and 1",
            parameter="tone",
        ) from None
    return points
