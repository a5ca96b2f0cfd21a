"""Options that say which samples a picture holds."""

from dataclasses import dataclass

from ._checks import Options, require, require_bool

# Pictures take many components, for which one start from clusters is as good as any search.
PICTURE_DEFAULTS = {
    "n_components": 500,
    "init": "kmeans",
    "starts": 1,
    "exchanges": 0,
    "max_iter": 300,
}
# A picture is finished when less can still be gained, for each sample of weight 1 [nat].
PICTURE_TOLERANCE = 1e-3
# Least standard deviation of a component of a picture: that of a value within its pixel [pixel].
PIXEL_SIGMA = 12**-0.5
# Thresholds where none is given: of a drawing, and of a FITS image, whose faint pixels count too.
DRAWING_THRESHOLD, IMAGE_THRESHOLD = 0.5, 0.0


@dataclass(frozen=True, kw_only=True, repr=False)
class PictureOptions(Options):
    """What the samples of a picture are.

    Parameters
    ----------
    picture : bool
        Fit the image of a FITS file as a picture: its bright pixels are samples (x, y), weighted
        with their values. Without it a FITS image is a counts image, and holds photons.
    colour : bool
        Make every pixel a sample (x, y, red, green, blue). Without it dark pixels are samples
        (x, y), weighted with their darkness.
    threshold : float, optional
        Darkness at or below which a pixel of a drawing is no sample, between 0 and 1; by default
        0.5. For a FITS image it is a part of the largest value, by default 0.
    invert : bool
        Make bright pixels the samples of a drawing, or dark pixels those of a FITS image.

    Examples
    --------
    >>> PictureOptions(threshold=0.3)
    PictureOptions(threshold=0.3)
    """

    picture: bool = False
    colour: bool = False
    threshold: float | None = None
    invert: bool = False

    def __post_init__(self):
        require_bool(self, "picture")
        require_bool(self, "colour")
        require_bool(self, "invert")
        require(self, ("threshold",), "at least 0 and below 1", lambda value: 0 <= value < 1)
