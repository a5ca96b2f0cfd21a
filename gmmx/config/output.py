"""Options of images, figures and tables that are made of a model."""

import re
from dataclasses import dataclass

from .._words import either
from ..errors import InputError
from ._checks import (
    Options,
    make_tuples,
    require_bool,
    require_choice,
    require_positive,
    require_text,
)

IMAGES = (
    "signal",
    "signal_psf",
    "background",
    "completeness",
    "expected",
    "counts",
    "residual",
    "points",
)
# Images of the uncertainty of the signal over the draws.
IMAGES_OF_ERRORS = ("error", "snr", "lower", "upper")
ALL_IMAGES = (*IMAGES, *IMAGES_OF_ERRORS)
# Images that a joint fit also has for each observation, as expected_1, expected_2 and so on.
IMAGES_OF_EACH = ("expected", "counts", "residual")
ESTIMATES = ("best", "mean")
UNITS = ("counts", "flux", "sb")
REGION_FRAMES = ("fk5", "icrs", "physical")


@dataclass(frozen=True, kw_only=True, repr=False)
class RenderConfig(Options):
    """Options of `gmmx render`.

    Parameters
    ----------
    image : str, optional
        Name of the only image to write, such as "signal". Without it all images are written
        except those of the uncertainty: "error", "snr", "lower" and "upper".
    like : path, optional
        FITS image whose pixel grid the images get.
    bin : float, optional
        Pixel size [arcsec]. Without it the pixel of the exposure map.
    units : {"counts", "flux", "sb"}
        Units of signal and background: photons per pixel (the signal at the reference exposure,
        the background as recorded), photon/cm^2/s per pixel, or photon/cm^2/s/arcsec^2.
    points : bool
        Whether the signal image contains the point sources.
    estimate : {"best", "mean"}
        What the signal is: the best fit, or the mean over the draws of the parameters.
    at : float, optional
        Resolution of the signal and its uncertainty: the standard deviation of the Gaussian that
        they are smoothed with [arcsec].
    no_checksum : bool
        Whether the image of `like` is read even if its CHECKSUM or DATASUM does not hold.
    """

    image: str | None = None
    like: str | None = None
    bin: float | None = None
    units: str = "counts"
    points: bool = False
    estimate: str = "best"
    at: float | None = None
    no_checksum: bool = False

    def __post_init__(self):
        require_text(self, "image", "like")
        require_positive(self, "bin", "at")
        require_choice(self, "estimate", ESTIMATES)
        require_choice(self, "units", UNITS)
        require_bool(self, "points")
        require_bool(self, "no_checksum")
        name = re.sub(r"_[1-9]\d*$", "", str(self.image).lower())
        if self.image is not None and name not in (
            ALL_IMAGES if name == str(self.image).lower() else IMAGES_OF_EACH
        ):
            each = ", ".join(f"{one}_1" for one in IMAGES_OF_EACH)
            raise InputError(
                f"`image` = {self.image}: choose {either(ALL_IMAGES)}, or an image of one "
                f"observation of a joint fit, such as {each}",
                parameter="image",
            )
        defaults = {"at": RenderConfig.at, "estimate": RenderConfig.estimate}
        changed = [name for name, default in defaults.items() if getattr(self, name) != default]
        if changed and self.image is not None and not self.is_of_signal:
            raise InputError(
                f"`{changed[0]}` changes the signal and its uncertainty, not the image "
                f"{self.image}: choose {either(('signal', *IMAGES_OF_ERRORS))} as `image`",
                parameter=changed[0],
            )
        if self.like is not None and self.bin is not None:
            raise InputError("`like` and `bin` both set the pixels: give one of them")

    @property
    def is_of_signal(self) -> bool:
        """Whether the only image is the signal or its uncertainty."""
        return str(self.image).lower() in ("signal", *IMAGES_OF_ERRORS)

    @property
    def needs_draws(self) -> bool:
        """Whether an image is made of draws of the parameters."""
        return self.estimate == "mean" or str(self.image).lower() in IMAGES_OF_ERRORS


@dataclass(frozen=True, kw_only=True, repr=False)
class FluxConfig(Options):
    """Options of `gmmx flux`.

    Parameters
    ----------
    region : tuple of path
        Region files. Each is one region, the union of its shapes.
    circle : tuple of str
        Circles "RA,DEC,RADIUS": ICRS in degrees, or in hours and degrees with colons, and arcsec.
    each : bool
        Whether every shape of a file is a region of its own.
    covariance : bool
        Whether correlations between the regions are given.
    erg_per_photon : float, optional
        Mean energy of a photon, from a spectral model [erg].

    Examples
    --------
    >>> FluxConfig(circle="187.7,12.4,30")
    FluxConfig(circle=('187.7,12.4,30',))
    """

    region: tuple = ()
    circle: tuple = ()
    each: bool = False
    covariance: bool = False
    erg_per_photon: float | None = None

    def __post_init__(self):
        make_tuples(self, "region", "circle")
        require_bool(self, "each")
        require_bool(self, "covariance")
        require_positive(self, "erg_per_photon")


@dataclass(frozen=True, kw_only=True, repr=False)
class ExportConfig(Options):
    """Options of `gmmx export`.

    Parameters
    ----------
    frame : {"fk5", "icrs", "physical"}
        Coordinates of a region file.
    scale : float
        Semi-axes of a region file's ellipses, in standard deviations.
    correlations : bool
        Whether a table gets columns with the correlations of fluxes and positions.
    """

    frame: str = "fk5"
    scale: float = 1.0
    correlations: bool = False

    def __post_init__(self):
        require_bool(self, "correlations")
        require_choice(self, "frame", REGION_FRAMES)
        require_positive(self, "scale")
